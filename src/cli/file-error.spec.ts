/** What a person reads of a file that cannot be used: one line, whatever its name and the system's word for it. */

import { describe, expect, it } from 'vitest'
import { FileError, unreadable, unwritable } from './file-error.ts'

const failed = (code: string) => Object.assign(new Error(`${code}: and much more\nthat nobody asked for`), { code })

describe('a file that cannot be used', () => {
  it('is named, with what the system said in words', () => {
    expect(unreadable('a.trace', failed('EACCES')).message).toBe('a.trace: cannot be read: permission denied')
    expect(unwritable('b.gz', failed('ENOSPC')).message).toBe('b.gz: cannot be written: no space left')
    expect(unreadable('a', failed('ENOENT'))).toBeInstanceOf(FileError)
  })

  it('is missing where it should be read, and its folder where it should be made', () => {
    expect(unreadable('a', failed('ENOENT')).message).toContain('no such file')
    expect(unwritable('a', failed('ENOENT')).message).toContain('no such folder')
  })

  it('is one line for a reason without words, for none, and for a name with a line break', () => {
    expect(unreadable('a', failed('EIO')).message).toBe('a: cannot be read: EIO')
    expect(unwritable('a', 'out of luck').message).toBe('a: cannot be written: an error of the system')
    expect(unreadable('a\nb\x1b[2J', failed('EISDIR')).message).toMatch(
      /^[\x20-\x7e]+: cannot be read: it is a directory$/,
    )
  })
})
