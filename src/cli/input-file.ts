/** Files that a machine is given whole: read with a bound on their size, and one line for what goes wrong. */

import { open } from 'node:fs/promises'
import { FileError, unreadable } from './file-error.ts'
import { printable } from './style.ts'

/**
 * The bytes of a plain file.
 * @param limit the most it may have: more is refused before it is read
 * @param help what there is to do then
 * @throws FileError, with one line
 */
export async function readInputFile(path: string, limit: number, help = ''): Promise<Uint8Array> {
  const name = printable(path)
  try {
    const file = await open(path, 'r')
    try {
      const status = await file.stat()
      if (status.isDirectory()) throw new FileError(`${name}: cannot be read: it is a directory`)
      if (!status.isFile()) throw new FileError(`${name}: cannot be read: it is no plain file`)
      if (status.size > limit)
        throw new FileError(`${name}: its ${status.size} bytes do not fit: ${limit} are what there is room for${help}`)
      const bytes = new Uint8Array(status.size)
      let length = 0
      while (length < bytes.length) {
        const { bytesRead } = await file.read(bytes, length, bytes.length - length, length)
        if (bytesRead === 0) break
        length += bytesRead
      }
      return bytes.subarray(0, length)
    } finally {
      await file.close()
    }
  } catch (error) {
    if (error instanceof FileError) throw error
    throw unreadable(path, error)
  }
}
