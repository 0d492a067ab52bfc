/** The archive as another implementation reads it: GNU cpio where there is one, and the format's own fields. */

import { spawnSync } from 'node:child_process'
import { describe, expect, it } from 'vitest'
import { encodeCpio } from './cpio.ts'

const archive = encodeCpio([
  { name: 'bin', mode: 0o040755 },
  { name: 'bin/odd', mode: 0o100644, data: new TextEncoder().encode('12345') },
  { name: 'link', mode: 0o120777, data: new TextEncoder().encode('bin/odd') },
])

describe('a newc archive', () => {
  it('has its magic number, the size of name and data in hexadecimal, and ends in a trailer at a whole sector', () => {
    const text = new TextDecoder('latin1').decode(archive)
    expect(text.startsWith('070701')).toBe(true)
    // c_filesize is the 7th and c_namesize the 12th of 13 fields of 8 digits; the second entry follows 110 + 4 bytes, padded.
    const second = 116
    expect(text.slice(second, second + 6)).toBe('070701')
    expect(text.slice(second + 6 + 6 * 8, second + 6 + 7 * 8)).toBe('00000005')
    expect(text.slice(second + 6 + 11 * 8, second + 6 + 12 * 8)).toBe('00000008')
    expect(text).toContain('TRAILER!!!\0')
    expect(archive.length % 512).toBe(0)
  })

  const cpio = spawnSync('cpio', ['--version'])
  it.skipIf(cpio.error !== undefined)('is listed by GNU cpio with names, types and sizes', () => {
    const { stdout, status } = spawnSync('cpio', ['-itv'], { input: archive, encoding: 'utf8' })
    expect(status).toBe(0)
    expect(stdout).toMatch(
      /drwxr-xr-x +2 root +root +0 .* bin\n-rw-r--r-- +1 root +root +5 .* bin\/odd\nlrwxrwxrwx .* link -> bin\/odd/,
    )
  })
})
