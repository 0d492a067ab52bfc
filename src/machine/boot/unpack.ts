/** Packed files: gzip, and the EFI zboot images that have a kernel in them. What is in there, it does not know. */

import { LoaderError, mib, NoRoomError, viewOf } from './loaded.ts'

/** Whether bytes begin as a gzip file does. */
export function isGzip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x1f && bytes[1] === 0x8b
}

/** Unpacks gzip data. Throws a LoaderError when it is damaged, or is more than `limit` bytes: it is never unpacked further. */
export async function gunzip(packed: Uint8Array, limit: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = []
  let length = 0
  const source = new ReadableStream<Uint8Array>({
    start: (controller) => {
      controller.enqueue(packed)
      controller.close()
    },
  })
  const reader = source.pipeThrough(new DecompressionStream('gzip')).getReader()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      length += value.length
      if (length > limit) throw new NoRoomError(`gzip data of more than the memory's ${mib(limit)}`)
      chunks.push(value)
    }
  } catch (error) {
    await reader.cancel().catch(() => {})
    if (error instanceof LoaderError) throw error
    throw new LoaderError('gzip data that is damaged or cut off')
  }
  const bytes = new Uint8Array(length)
  let at = 0
  for (const chunk of chunks) {
    bytes.set(chunk, at)
    at += chunk.length
  }
  return bytes
}

/** An EFI zboot image is a small program with a packed Image in it (Linux, drivers/firmware/efi/libstub/zboot-header.S). */
export async function unpackZboot(bytes: Uint8Array, limit: number): Promise<Uint8Array> {
  if (bytes.length < 64 || viewOf(bytes).getUint32(4, true) !== 0x676d_697a) return bytes
  const view = viewOf(bytes)
  const [offset, size] = [view.getUint32(8, true), view.getUint32(12, true)]
  const method = text(bytes.subarray(24, 56))
  if (method !== 'gzip')
    throw new LoaderError(`the kernel is an EFI zboot image packed with ${method}, and only gzip can be unpacked`)
  if (offset + size > bytes.length) throw new LoaderError('the kernel is an EFI zboot image that is cut off')
  return gunzip(bytes.subarray(offset, offset + size), limit)
}

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return String.fromCharCode(...bytes.subarray(0, end < 0 ? bytes.length : end))
}
