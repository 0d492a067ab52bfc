/** Disks in files of the host, for Node alone: the rest of the machine does not import this. */

import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from 'node:fs'
import { type Disk, type DiskBase, SECTOR } from './disk.ts'

/** An open file as the base of a disk, for `OverlayDisk` and `readOnlyDisk`. */
export interface FileBase extends DiskBase {
  close(): void
}

/** Opens a file to be read. Throws an Error with one clear line when it cannot be, or is no plain file. */
export function openBase(path: string): FileBase {
  const { descriptor, size } = open(path, 'r')
  return {
    size,
    read: (offset, into) => readWhole(descriptor, offset, into),
    close: () => closeSync(descriptor),
  }
}

/** A file as a disk that the guest writes into. Throws as `openBase` does, and when it is not of whole sectors. */
export function openDisk(path: string): Disk & { close(): void } {
  const { descriptor, size } = open(path, 'r+')
  if (size % SECTOR !== 0) {
    closeSync(descriptor)
    throw new Error(`${path}: a disk is of whole sectors of ${SECTOR} bytes, and this file has ${size}`)
  }
  return {
    size,
    readOnly: false,
    read: (offset, into) => readWhole(descriptor, offset, into),
    write: (offset, from) => {
      for (let done = 0; done < from.length; )
        done += writeSync(descriptor, from, done, from.length - done, offset + done)
    },
    flush: () => fsyncSync(descriptor),
    close: () => closeSync(descriptor),
  }
}

function open(path: string, mode: 'r' | 'r+'): { descriptor: number; size: number } {
  let descriptor: number
  try {
    descriptor = openSync(path, mode)
  } catch (error) {
    throw new Error(`${path}: ${REASONS[(error as NodeJS.ErrnoException).code ?? ''] ?? 'cannot be opened'}`)
  }
  const status = fstatSync(descriptor)
  if (status.isFile()) return { descriptor, size: status.size }
  closeSync(descriptor)
  throw new Error(`${path}: is no plain file`)
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'the file may not be opened',
  EPERM: 'the file may not be opened',
  EISDIR: 'is a directory',
  EROFS: 'is on a read-only file system',
}

/** A file that shrank since it was opened reads as zeros. */
function readWhole(descriptor: number, offset: number, into: Uint8Array): void {
  for (let done = 0; done < into.length; ) {
    const count = readSync(descriptor, into, done, into.length - done, offset + done)
    if (count === 0) {
      into.fill(0, done)
      return
    }
    done += count
  }
}
