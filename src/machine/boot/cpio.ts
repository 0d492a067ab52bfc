/** Archives in cpio's "newc" form, as Linux unpacks an initial RAM disk from (Documentation/driver-api/early-userspace/buffer-format). */

export interface CpioEntry {
  /** Path without a slash in front. */
  readonly name: string
  /** Type and permissions, as `stat` has them: 0o100755 a program, 0o040755 a folder, 0o120777 a link. */
  readonly mode: number
  /** Contents of a file, target of a link. */
  readonly data?: Uint8Array
}

const MAGIC = '070701'
const END = 'TRAILER!!!'

/** The archive, with entries in the order given: a folder has to come before what is in it. Owner is root, time is 0. */
export function encodeCpio(entries: readonly CpioEntry[]): Uint8Array {
  const parts: Uint8Array[] = []
  let length = 0
  const add = (bytes: Uint8Array) => {
    parts.push(bytes)
    length += bytes.length
    const pad = -length & 3
    if (pad === 0) return
    parts.push(new Uint8Array(pad))
    length += pad
  }
  for (const [index, { name, mode, data }] of [...entries, { name: END, mode: 0, data: undefined }].entries()) {
    const nameBytes = new TextEncoder().encode(`${name}\0`)
    const size = data?.length ?? 0
    const links = (mode & 0o170000) === 0o040000 ? 2 : 1
    const inode = name === END ? 0 : index + 1
    const fields = [inode, mode, 0, 0, links, 0, size, 0, 0, 0, 0, nameBytes.length, 0]
    const header = MAGIC + fields.map((field) => field.toString(16).padStart(8, '0')).join('')
    const head = new TextEncoder().encode(header)
    const whole = new Uint8Array(head.length + nameBytes.length)
    whole.set(head)
    whole.set(nameBytes, head.length)
    add(whole)
    if (data !== undefined) add(data)
  }
  // Whole sectors, as tools write it.
  const bytes = new Uint8Array(Math.ceil(length / 512) * 512)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
