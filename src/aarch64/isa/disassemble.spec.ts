/**
 * The disassembler: one random word of each row whose text GNU as assembles back to that word (checked when the list was made), and
 * what a list cannot show: targets, names of system registers, unallocated words.
 */
import { describe, expect, it } from 'vitest'
import texts from '../testdata/disassembly.json' with { type: 'json' }
import { TestMachine } from '../testing/machine.ts'
import { Decoder } from './decode.ts'
import { disassemble } from './disassemble.ts'
import { features } from './row.ts'
import { rows } from './rows.ts'

const decoder = new Decoder(rows, new Set(features))

describe('the disassembler', () => {
  it('gives texts that assemble back to the word', () => {
    for (const line of texts as readonly string[]) {
      const word = Number.parseInt(line.slice(0, 8), 16)
      expect(disassemble(decoder, word, 0x400000n), line.slice(0, 8)).toBe(line.slice(9))
    }
    expect(texts.length).toBeGreaterThan(1000)
  })

  it.each([
    [0x14000000, 0x1000n, 'b 0x1000'],
    [0x97ffffff, 0x1000n, 'bl 0xffc'],
    [0x54ffffe1, 0xffff800008000000n, 'b.ne 0xffff800007fffffc'],
    [0xb4000040, 0x1000n, 'cbz x0, 0x1008'],
    [0xb7f80041, 0x1000n, 'tbnz x1, #63, 0x1008'],
    [0x10000001, 0x1234n, 'adr x1, 0x1234'],
    [0xb0000000, 0x1234n, 'adrp x0, 0x2000'],
    [0x58000041, 0x1000n, 'ldr x1, 0x1008'],
    [0xffffffff, 0n, '.inst 0xffffffff'],
    [0xd503233f, 0n, 'paciasp'],
    [0xd65f03c0, 0n, 'ret'],
    [0xf100041f, 0n, 'cmp x0, #0x1'],
    [0xaa0103e0, 0n, 'mov x0, x1'],
    [0x910003fd, 0n, 'mov x29, sp'],
  ])('writes 0x%s at %s as %s', (word, address, text) => {
    expect(disassemble(decoder, word, address)).toBe(text)
  })

  it('names system registers and system instructions', () => {
    const { cluster } = new TestMachine()
    expect(cluster.disassemble(0xd53be040, 0n)).toBe('mrs x0, cntvct_el0')
    expect(cluster.disassemble(0xd5182002, 0n)).toBe('msr ttbr0_el1, x2')
    expect(cluster.disassemble(0xd508871f, 0n)).toBe('tlbi vmalle1')
    expect(cluster.disassemble(0xd50b7420, 0n)).toBe('dc zva, x0')
    expect(cluster.disassemble(0xd538cc00, 0n)).toBe('mrs x0, s3_0_c12_c12_0')
  })
})
