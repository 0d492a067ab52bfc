/** Register tables: every mistake is refused by name when the table is built; names and fields are found both ways. */

import { describe, expect, it } from 'vitest'
import { perIrq } from './per-irq.ts'
import { bit, bits, constant, dword, type Row, razWi, word } from './register.ts'
import { RegisterTableError, registerTable, rowSize } from './register-table.ts'

type None = Record<string, never>

function refusal(rows: readonly Row<None>[], size = 0x1000): string {
  try {
    registerTable('T', size, rows)
  } catch (error) {
    expect(error).toBeInstanceOf(RegisterTableError)
    return (error as Error).message
  }
  return 'accepted'
}

const bank = { bank: 'replace' as const, view: { read: () => 0, assign: () => {} } }

describe('a register table refuses', () => {
  it('a row that overlaps the one before it, with both names', () => {
    expect(refusal([dword('A', 0x10, {}), word('B', 0x14, {})])).toBe('T: B at 0x14 overlaps A, which ends at 0x17')
    expect(refusal([word('A', 0x10, {}), word('B', 0x10, {})])).toMatch(/B at 0x10 overlaps A/)
  })

  it('an array that runs into the next register', () => {
    expect(refusal([word('An', 0x10, { count: 5 }), word('B', 0x20, {})])).toMatch(
      /B at 0x20 overlaps An, which ends at 0x23/,
    )
  })

  it("the seed thread's GICD_ICFGR with 8 bits per IRQ, which runs over GICD_SGIR; IHI 0048 4.3.13 has 2", () => {
    const table = (perIrqBits: 2 | 8) => [
      perIrq<None>('GICD_ICFGRn', 0xc00, { ...bank, bits: perIrqBits, irqs: 1020 }),
      word<None>('GICD_SGIR', 0xf00, { write: () => {} }),
    ]
    expect(refusal(table(8))).toBe('T: GICD_SGIR at 0xf00 overlaps GICD_ICFGRn, which ends at 0xffb')
    expect(refusal(table(2))).toBe('accepted')
  })

  it('rows out of order, as the one that lost GICR_STATUSR to a binary search in Linux 6.1', () => {
    expect(refusal([word('GICR_WAKER', 0x14, {}), word('GICR_STATUSR', 0x10, {})])).toBe(
      'T: GICR_STATUSR at 0x10 stands after GICR_WAKER at 0x14',
    )
  })

  it('two rows of one name', () => {
    expect(refusal([word('A', 0, {}), word('A', 4, {})])).toBe('T: two rows are named A')
  })

  it.each<[string, number, 4 | 8]>([
    ['a word between words', 2, 4],
    ['a doubleword between doublewords', 4, 8],
    ['a word between bytes', 0.5, 4],
    ['a word nowhere', Number.NaN, 4],
    ['a word before the frame', -4, 4],
  ])('%s', (_, offset, width) => {
    expect(refusal([width === 4 ? word('A', offset, {}) : dword('A', offset, {})])).toMatch(
      new RegExp(`^T: A at \\S+ is not aligned to its ${width} bytes$`),
    )
  })

  it('a register, or the last one of an array, beyond the frame', () => {
    expect(refusal([word('A', 0x1000, {})])).toBe('T: A at 0x1000 ends beyond the frame of 0x1000 bytes')
    expect(refusal([word('An', 0xff8, { count: 3 })])).toMatch(/An at 0xff8 ends beyond/)
    expect(refusal([word('An', 0xff8, { count: 2 })])).toBe('accepted')
  })

  it.each([0, -1, 1.5, Number.NaN])('an array of %d registers', (count) => {
    expect(refusal([word('An', 0, { count })])).toMatch(/^T: An at 0x0 has \S+ registers$/)
  })

  it('an array without a place for the number in its name, whose registers would all be called alike', () => {
    expect(refusal([word('CONFIG', 0, { count: 2 })])).toBe(
      'T: CONFIG at 0x0 has 2 registers and no n for their numbers',
    )
    expect(refusal([word('Generation', 0, { count: 2 })])).toMatch(/no n for their numbers/)
  })

  it('a row that no access width reaches, or one that is none', () => {
    expect(refusal([word('A', 0, { widths: [] })])).toMatch(/A at 0x0 allows no access width/)
    expect(refusal([{ ...word<None>('A', 0, {}), widths: 16 }])).toMatch(
      /allows no access width, or one that is not 1, 2, 4 or 8/,
    )
    expect(refusal([word('A', 0, { widths: [4, 8] })])).toBe('T: A at 0x0 allows 64-bit accesses and is 32 bits wide')
  })

  it('a register of a width that there is not', () => {
    expect(refusal([{ ...word<None>('A', 0, {}), width: 2 as 4 }])).toBe('T: A at 0x0 is 2 bytes wide, not 4 or 8')
  })

  it.each([
    ['above bit 31 of a word', bits(32, 32)],
    ['across bit 31', bits(33, 30)],
    ['below bit 0', bits(0, -1)],
    ['upside down', bits(2, 3)],
    ['between bits', bits(1.5, 0)],
  ])('a field %s, by name', (_, field) => {
    expect(refusal([word('A', 0, { fields: { Odd: field } })])).toMatch(
      /^T: A at 0x0 has field Odd \[.*\] outside of its 32 bits$/,
    )
  })

  it('a field beyond the 64 bits of a doubleword, and takes one above 31', () => {
    expect(refusal([dword('A', 0, { fields: { Odd: bit(64) } })])).toMatch(/Odd \[64:64\] outside of its 64 bits/)
    expect(refusal([dword('A', 0, { fields: { Fine: bits(63, 32) } })])).toBe('accepted')
  })

  it('two fields on the same bits, with both names', () => {
    expect(refusal([word('A', 0, { fields: { Low: bits(7, 0), Mid: bits(15, 8), Over: bits(8, 7) } })])).toBe(
      'T: A at 0x0 has fields Low and Over on the same bits',
    )
  })

  it.each([0, -8, 4, 12, 2.5, Number.NaN, 2 ** 40])('a frame of %d bytes', (size) => {
    expect(refusal([], size)).toMatch(/^T: a frame/)
  })

  it('more rows than it can number', () => {
    const rows = Array.from({ length: 0x10000 }, (_, i) => word<None>(`R_${i}`, i * 4, {}))
    expect(refusal(rows, 0x40000)).toMatch(/65536 rows are over the limit/)
    expect(refusal(rows.slice(1), 0x40000)).toBe('accepted')
  })
})

describe('a per-IRQ bank', () => {
  it.each([
    [1, 1020, 32, 4],
    [2, 1020, 64, 4],
    [8, 1020, 255, 4],
    [64, 1020, 1020, 8],
    [1, 33, 2, 4],
  ] as const)('of %i bits for each of %i interrupts has %i registers of %i bytes', (perIrqBits, irqs, count, width) => {
    expect(perIrq<None>('An', 0, { ...bank, bits: perIrqBits, irqs })).toMatchObject({ count, width })
  })

  it('refuses banked or excluded interrupts that are no whole words, by name', () => {
    expect(() => perIrq<None>('GICD_An', 0, { ...bank, bits: 1, excluded: 16 })).toThrow(
      /GICD_An: .* whole words of 32/,
    )
    const banked = { irqs: 2, cpus: () => 4 }
    expect(() => perIrq<None>('GICD_Bn', 0, { ...bank, bits: 8, banked })).toThrow(/GICD_Bn: .* whole words of 4/)
  })

  it('names its fields after the interrupts of a word', () => {
    const row = perIrq<None>('GICD_IPRIORITYRn', 0, { ...bank, bits: 8 })
    expect(Object.entries(row.fields).map(([name, { msb, lsb }]) => `${name} ${msb}:${lsb}`)).toEqual([
      'IPRIORITYR[0] 7:0',
      'IPRIORITYR[1] 15:8',
      'IPRIORITYR[2] 23:16',
      'IPRIORITYR[3] 31:24',
    ])
    expect(Object.keys(perIrq<None>('GICD_ICFGRnE', 0, { ...bank, bits: 2 }).fields)[15]).toBe('ICFGR[15]')
  })
})

describe('a register table finds', () => {
  const table = registerTable<None>('T', 0x100, [
    word('CTLR', 0x00, { fields: { Enable: bit(0), Mode: bits(5, 4) } }),
    constant('TYPER', 0x04, 0x1234),
    dword('ROUTERn', 0x10, { count: 3, first: 32, fields: { Aff0: bits(7, 0), Aff3: bits(39, 32) } }),
    word('LRn_EL2', 0x40, { count: 2 }),
    razWi('ConfigGeneration', 0x48),
    perIrq('ISENABLERnE', 0x50, { ...bank, bits: 1, irqs: 64 }),
    perIrq('IGROUPRn', 0x60, { ...bank, bits: 1, irqs: 32 }),
  ])

  it.each([
    [0x00, 'CTLR'],
    [0x03, 'CTLR'],
    [0x10, 'ROUTER32'],
    [0x1f, 'ROUTER33'],
    [0x44, 'LR1_EL2'],
    [0x48, 'ConfigGeneration'],
    [0x54, 'ISENABLER1E'],
    [0x60, 'IGROUPR0'],
  ])('the register that holds byte 0x%s, by its name in the manual', (offset, name) => {
    expect(table.at(offset)?.name).toBe(name)
    expect(table.offsetOf(name)).toBe(offset & ~(table.at(offset)!.row.width - 1))
  })

  it('the first register of an array by the name of the row', () => {
    expect(table.offsetOf('ROUTERn')).toBe(0x10)
  })

  it.each(['ROUTER31', 'ROUTER35', 'ROUTER033', 'ROUTER', 'ROUTERn1', 'LR2_EL2', 'CTLR0', ''])(
    'nothing called %s',
    (name) => {
      expect(table.offsetOf(name)).toBeUndefined()
    },
  )

  it.each([0x08, 0x28, 0xfc, 0x100, -4, 2 ** 32, 2 ** 32 + 4, Number.NaN])('nothing at %d', (offset) => {
    expect(table.at(offset)).toBeUndefined()
    expect(table.decode(offset, -1)).toEqual({})
  })

  it('fields by name, across the two words of a doubleword', () => {
    expect(table.decode(0, 0x31)).toEqual({ Enable: 1, Mode: 3 })
    expect(table.decode(0x18, 0x80000005 | 0, 0xffffff07 | 0)).toEqual({ Aff0: 5, Aff3: 7 })
  })

  it('the length of a row', () => {
    expect(table.rows.map(rowSize)).toEqual([4, 4, 24, 8, 4, 8, 4])
  })
})
