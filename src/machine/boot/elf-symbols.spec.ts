/** Names of code from an ELF file: which count, how far each reaches, where the file was loaded, and files that are none or are damaged. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { elfWithSymbols, parts } from '../testing/elf-with-symbols.ts'
import { elfSymbols } from './elf-symbols.ts'
import { LoaderError } from './loaded.ts'

const virtual = 0xffff_8000_8000_0000n
const names = [
  { name: 'late', value: virtual + 0x80n, size: 0x10 },
  { name: '_start', value: virtual, type: 0 },
  { name: 'handler', value: virtual + 0x20n, size: 0x20 },
  { name: 'alias_label', value: virtual + 0x20n, type: 0 },
  { name: '$x', value: virtual + 0x24n, type: 0 },
  { name: 'data', value: virtual + 0x28n, type: 1 },
  { name: 'elsewhere', value: virtual + 0x2cn, section: 0xfff1 },
]
const file = () => elfWithSymbols(new Uint8Array(0x100), { virtual, physical: 0x4010_0000n, names })

describe('the symbols of an ELF file', () => {
  it.each([
    [0x00n, '_start'],
    [0x1cn, '_start+0x1c'],
    [0x20n, 'handler'],
    [0x2cn, 'handler+0xc'],
    [0x3fn, 'handler+0x1f'],
    // Behind what st_size says nothing is named; a label without a size goes on.
    [0x40n, undefined],
    [0x8fn, 'late+0xf'],
    [0x90n, undefined],
    [-1n, undefined],
  ])('name functions and labels of executed sections as far as st_size reaches: .text + %s is %s', (offset, name) => {
    expect(elfSymbols(file()).at(virtual + offset)).toBe(name)
  })

  it('are found by the physical address of the segment (p_paddr) before the MMU is on', () => {
    const symbols = elfSymbols(file())
    expect(symbols.at(0x4010_002cn)).toBe('handler+0xc')
    expect([symbols.at(0x400f_ffffn), symbols.at(0x4010_0100n)]).toEqual([undefined, undefined])
  })

  it('are found where the Image was loaded, of which the file is the vmlinux', () => {
    const symbols = elfSymbols(file(), 0x4020_0000)
    expect([symbols.at(0x4020_0024n), symbols.at(0x4010_0024n)]).toEqual(['handler+0x4', undefined])
  })

  it('name nothing behind the end of a section, where a label has no size', () => {
    const label = [{ name: 'label', value: virtual + 0x10n, type: 0 }]
    const symbols = elfSymbols(elfWithSymbols(new Uint8Array(0x100), { virtual, names: label }))
    expect([symbols.at(virtual + 0xffn), symbols.at(virtual + 0x100n)]).toEqual(['label+0xef', undefined])
  })

  it('are printable and short, whatever the file says', () => {
    const long = [{ name: `bad\x1b[2J${'y'.repeat(1000)}`, value: virtual }]
    const name = elfSymbols(elfWithSymbols(new Uint8Array(16), { virtual, names: long })).at(virtual)
    expect(name).toBe(`bad?[2J${'y'.repeat(121)}`)
  })

  it.each([
    ['is no ELF file: symbols are in one that was not stripped', new Uint8Array(100)],
    ['is no ELF file of 64 bits', file().fill(1, 4, 5)],
    ['is cut off in its section headers', file().subarray(0, parts.sections + 100)],
    ['is cut off in its symbol table', file().subarray(0, parts.sections + 4 * 64 + 30)],
    // e_shnum = 0
    ['has no symbols: give one that was not stripped', file().fill(0, 60, 62)],
  ])('say in one line that a file %s', (message, bytes) => {
    expect(() => elfSymbols(bytes)).toThrow(LoaderError)
    expect(() => elfSymbols(bytes)).toThrow(message)
  })

  it('fail with a LoaderError or not at all for any bytes in the headers, sections and symbols', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 12 }), (changes) => {
        const bytes = file()
        for (const [at, value] of changes) {
          const n = at % (64 + bytes.length - parts.sections)
          bytes[n < 64 ? n : parts.sections + n - 64] = value
        }
        try {
          elfSymbols(bytes).at(virtual)
        } catch (error) {
          expect(error).toBeInstanceOf(LoaderError)
        }
      }),
    )
  })
})
