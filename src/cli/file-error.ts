/** What is wrong with a file, in one line for a person: a file that the user named, and what the system said of it. */

import { printable } from './style.ts'

/** Something wrong with a file, as one line that starts with its name and, where there is one, the line number. */
export class FileError extends Error {
  override readonly name = 'FileError'
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  EISDIR: 'it is a directory',
  ENOTDIR: 'a part of its path is not a directory',
  ENAMETOOLONG: 'the name is too long',
  EMFILE: 'too many open files',
  ENOSPC: 'no space left',
}

export function unreadable(name: string, error: unknown): FileError {
  return new FileError(`${printable(name)}: cannot be read: ${reasonOf(error)}`)
}

/** A file that is to be made is not there; what is missing is where it should be. */
export function unwritable(name: string, error: unknown): FileError {
  return new FileError(`${printable(name)}: cannot be written: ${reasonOf(error, { ENOENT: 'no such folder' })}`)
}

function reasonOf(error: unknown, otherwise: Readonly<Record<string, string>> = {}): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : ''
  return otherwise[code] ?? reasons[code] ?? (code || 'an error of the system')
}
