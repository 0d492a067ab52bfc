/**
 * The engine of the default features as the build left it: the module's bytes and the dispatch table as text. In the source there is
 * none, and it is emitted when the first machine starts; `scripts/engine.mjs` puts it into what is published.
 */

export interface Prebuilt {
  /** The features, sorted. */
  readonly key: string
  /** Base64 of the module. */
  readonly module: string
  /** Base64 of the dispatch table's runs, as 16-bit words: a place, and how many entries have it. */
  readonly dispatch: string
}

export const prebuilt: Prebuilt | undefined = undefined as Prebuilt | undefined

export function pack(key: string, bytes: Uint8Array, dispatch: Uint16Array): Prebuilt {
  const runs: number[] = []
  for (let from = 0; from < dispatch.length; ) {
    let end = from + 1
    while (end < dispatch.length && dispatch[end] === dispatch[from] && end - from < 0xffff) end++
    runs.push(dispatch[from]!, end - from)
    from = end
  }
  const words = new Uint8Array(runs.length * 2)
  for (const [i, word] of runs.entries()) {
    words[2 * i] = word & 0xff
    words[2 * i + 1] = word >>> 8
  }
  return { key, module: toBase64(bytes), dispatch: toBase64(words) }
}

export function unpack({ module, dispatch }: Prebuilt): {
  bytes: Uint8Array<ArrayBuffer>
  dispatch: Uint16Array<ArrayBuffer>
} {
  const words = fromBase64(dispatch)
  const word = (index: number) => words[2 * index]! | (words[2 * index + 1]! << 8)
  const runs = words.length / 4
  let length = 0
  for (let i = 0; i < runs; i++) length += word(2 * i + 1)
  const table = new Uint16Array(length)
  for (let i = 0, at = 0; i < runs; i++) {
    const end = at + word(2 * i + 1)
    table.fill(word(2 * i), at, end)
    at = end
  }
  return { bytes: fromBase64(module), dispatch: table }
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> {
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i)
  return bytes
}
