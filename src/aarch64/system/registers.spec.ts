/**
 * The system register and system instruction tables against Arm's own list of names and encodings: every row is Arm's, in the
 * directions that it has, and no two rows share an encoding.
 */
import { describe, expect, it } from 'vitest'
import arm from '../testdata/system-registers.json' with { type: 'json' }
import { TestMachine } from '../testing/machine.ts'
import { allRegisters, encodingKey, isReservedId } from './registers.ts'
import { systemInstructions } from './sys.ts'
import type { Encoding } from './system-register.ts'

/** `MRS CNTVCT_EL0` -> '3 3 14 0 2' */
const byInstruction = new Map<string, string>()
for (const line of arm as readonly string[]) {
  const [, instruction, encoding] = line.split('|')
  const move = instruction!.match(/^(MRS) <Xt>, (\S+)$|^(MSR) (\S+), <Xt>$/)
  if (move) byInstruction.set(move[1] ? `MRS ${move[2]}` : `MSR ${move[4]}`, encoding!)
  else byInstruction.set(instruction!.replace(/\{?, .*$/, ''), encoding!)
}

const text = (encoding: Encoding) => encoding.join(' ')

describe('the system register table', () => {
  it('has the names and encodings of the architecture, in the directions that each register has (DDI 0487 D13)', () => {
    for (const { name, writeName = name, encoding, access } of allRegisters) {
      // Breakpoint and watchpoint registers are listed by a parameter, which is the CRm of their encoding.
      const indexed = name.match(/^(DBG[BW][VC]R)(\d+)_EL1$/)
      if (indexed) {
        const op2 = 4 + ['DBGBVR', 'DBGBCR', 'DBGWVR', 'DBGWCR'].indexOf(indexed[1]!)
        expect(text(encoding)).toBe(`2 0 0 ${indexed[2]} ${op2}`)
        continue
      }
      // As are those of event counters: their number is in CRm<1:0>:op2.
      const counter = name.match(/^PMEV(CNTR|TYPER)(\d+)_EL0$/)
      if (counter) {
        const n = Number(counter[2])
        expect(text(encoding)).toBe(`3 3 14 ${(counter[1] === 'CNTR' ? 8 : 12) + (n >> 3)} ${n & 7}`)
        continue
      }
      const read = byInstruction.get(`MRS ${name}`)
      const write = byInstruction.get(`MSR ${writeName}`)
      expect(read ?? write, name).toBe(text(encoding))
      if (access !== 'wo') expect(read, `MRS ${name}`).toBe(text(encoding))
      if (access !== 'ro') expect(write, `MSR ${writeName}`).toBe(text(encoding))
      else expect(write, `MSR ${name}`).toBeUndefined()
    }
  })

  it('has no two registers at one encoding, and none in the reserved ID space that reads as zero', () => {
    const keys = allRegisters.map(({ encoding }) => encodingKey(encoding))
    expect(new Set(keys).size).toBe(keys.length)
    expect(isReservedId(encodingKey([3, 0, 0, 1, 0]))).toBe(true)
    expect(isReservedId(encodingKey([3, 0, 0, 7, 7]))).toBe(true)
    expect(isReservedId(encodingKey([3, 0, 0, 8, 0]))).toBe(false)
    expect(isReservedId(encodingKey([3, 0, 1, 0, 0]))).toBe(false)
    expect(isReservedId(encodingKey([3, 3, 0, 1, 0]))).toBe(false)
  })

  it('gives registers storage that does not overlap', () => {
    const slots = allRegisters.flatMap(({ slot }) => (slot === undefined ? [] : [slot]))
    expect(new Set(slots).size).toBe(slots.length)
    for (const slot of slots) expect(slot % 8).toBe(0)
    expect(Math.max(...slots)).toBeLessThan(0xff8)
  })
})

describe('registers at reset', () => {
  it('SCTLR_EL1 has its RES1 bits of a CPU without AArch32 set, and its RES0 bits clear (DDI 0487 SCTLR_EL1)', () => {
    const sctlr = new TestMachine().system('SCTLR_EL1')
    // LSMAOE, nTLSMD, SPAN, EIS, TSCXT, EOS, SED and ITD where the feature is not there; CP15BEN, EE, E0E and the later fields.
    expect(sctlr & 0x30d00980n).toBe(0x30d00980n)
    expect(sctlr & ~0x30d00980n & ~0x040dd21fn).toBe(0n)
    // MMU and caches are off (D13.2.118).
    expect(sctlr & 0x1005n).toBe(0n)
  })

  it('RES1 and RES0 bits of SCTLR_EL1 keep their values, whatever is written', () => {
    const m = new TestMachine()
    m.setSystem('SCTLR_EL1', 0n)
    expect(m.system('SCTLR_EL1')).toBe(0x30500980n)
    m.setSystem('SCTLR_EL1', (1n << 64n) - 1n)
    expect(m.system('SCTLR_EL1')).toBe(0x34dddb9fn)
  })
})

describe('CLAIM tags', () => {
  it('are eight, set by DBGCLAIMSET_EL1 and cleared by DBGCLAIMCLR_EL1 (DDI 0487 DBGCLAIMSET_EL1)', () => {
    const m = new TestMachine()
    expect(m.system('DBGCLAIMSET_EL1')).toBe(0xffn)
    m.setSystem('DBGCLAIMSET_EL1', 0x1a5n)
    m.setSystem('DBGCLAIMSET_EL1', 0x02n)
    expect(m.system('DBGCLAIMCLR_EL1')).toBe(0xa7n)
    m.setSystem('DBGCLAIMCLR_EL1', 0x81n)
    expect(m.system('DBGCLAIMCLR_EL1')).toBe(0x26n)
    expect(m.system('DBGCLAIMSET_EL1')).toBe(0xffn)
  })
})

describe('the system instruction table', () => {
  it('has the names and encodings of the architecture (DDI 0487 C5.3 to C5.5)', () => {
    for (const { name, encoding } of systemInstructions) expect(byInstruction.get(name), name).toBe(text(encoding))
  })

  it('has every TLBI by address, ASID and all of EL1, local and Inner Shareable, of ARMv8.0', () => {
    const names = systemInstructions.map(({ name }) => name)
    for (const kind of ['VMALLE1', 'VAE1', 'ASIDE1', 'VAAE1', 'VALE1', 'VAALE1'])
      for (const suffix of ['', 'IS']) expect(names).toContain(`TLBI ${kind}${suffix}`)
  })
})
