/**
 * Every ICC_* register from everywhere: whether an MRS or MSR is UNDEFINED, traps to EL3 or is taken, by the access pseudocode
 * of Arm's register descriptions (AArch64-icc_*), with ICC_SRE_ELx.SRE 1 and no EL2 traps. What they do is in other specs.
 */

import { describe, expect, it } from 'vitest'
import { iccRegisters } from '../index.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'

type Bits = 'FIQ' | 'IRQ' | 'both' | 'none'
/** For each register of EL1: the bits of SCR_EL3 that trap it below EL3, and which of MRS (r) and MSR (w) there is. */
const registers: Readonly<Record<string, readonly [Bits, 'r' | 'w' | 'rw']>> = {
  ...{ PMR: ['both', 'rw'], CTLR: ['both', 'rw'], RPR: ['both', 'r'], DIR: ['both', 'w'], SRE: ['none', 'rw'] },
  ...{ SGI0R: ['both', 'w'], SGI1R: ['both', 'w'], ASGI1R: ['both', 'w'] },
  ...{ IAR0: ['FIQ', 'r'], EOIR0: ['FIQ', 'w'], HPPIR0: ['FIQ', 'r'], BPR0: ['FIQ', 'rw'], IGRPEN0: ['FIQ', 'rw'] },
  ...{ IAR1: ['IRQ', 'r'], EOIR1: ['IRQ', 'w'], HPPIR1: ['IRQ', 'r'], BPR1: ['IRQ', 'rw'], IGRPEN1: ['IRQ', 'rw'] },
  ...{ AP0R0: ['FIQ', 'rw'], AP0R1: ['FIQ', 'rw'], AP0R2: ['FIQ', 'rw'], AP0R3: ['FIQ', 'rw'] },
  ...{ AP1R0: ['IRQ', 'rw'], AP1R1: ['IRQ', 'rw'], AP1R2: ['IRQ', 'rw'], AP1R3: ['IRQ', 'rw'], NMIAR1: ['IRQ', 'r'] },
}

interface Where {
  el: number
  secure: boolean
  scrFiq: boolean
  scrIrq: boolean
  sctlrNmi: boolean
}

interface Machine {
  security: boolean
  el2: boolean
  nmi: boolean
  priorityBits: number
}

function expected(name: string, way: 'r' | 'w', where: Where, machine: Machine): 'ok' | 'undefined' | 'trap' {
  const { el, secure, scrFiq, scrIrq, sctlrNmi } = where
  if (name.endsWith('_EL3')) return el === 3 && machine.security ? 'ok' : 'undefined'
  // At EL3 "if !EL2Enabled() then UNDEFINED": there is no Secure EL2.
  if (name === 'ICC_SRE_EL2') return machine.el2 && (el === 2 || (el === 3 && !secure)) ? 'ok' : 'undefined'
  const short = name.slice(4, -4)
  const [bits, ways] = registers[short]!
  if (!ways.includes(way) || el === 0) return 'undefined'
  const n = /AP[01]R(\d)/.exec(short)
  if (n && machine.priorityBits < [0, 6, 7, 7][Number(n[1])]!) return 'undefined'
  if (short === 'NMIAR1' && !(machine.nmi && sctlrNmi)) return 'undefined'
  if (el === 3 || !machine.security) return 'ok'
  return { FIQ: scrFiq, IRQ: scrIrq, both: scrFiq && scrIrq, none: false }[bits] ? 'trap' : 'ok'
}

const flags = [false, true]
const machines: readonly Machine[] = [
  { security: false, el2: false, nmi: false, priorityBits: 4 },
  { security: false, el2: true, nmi: true, priorityBits: 5 },
  { security: true, el2: false, nmi: false, priorityBits: 6 },
  { security: true, el2: true, nmi: true, priorityBits: 7 },
  { security: true, el2: true, nmi: false, priorityBits: 8 },
]

function* placesOf({ security, el2 }: Machine): Generator<Where> {
  const levels = [0, 1, ...(el2 ? [2] : []), ...(security ? [3] : [])]
  for (const el of levels)
    for (const secure of security ? flags : [false]) {
      if (el === 2 && secure) continue
      for (const scrFiq of security ? flags : [false])
        for (const scrIrq of security ? flags : [false])
          for (const sctlrNmi of flags) yield { el, secure, scrFiq, scrIrq, sctlrNmi }
    }
}

describe('An MRS or MSR of each ICC_* register is taken, traps to EL3 or is UNDEFINED as its pseudocode says', () => {
  it('and the table of this spec has them all', () => {
    const rest = ['ICC_SRE_EL2', 'ICC_SRE_EL3', 'ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3']
    expect([...Object.keys(registers).map((name) => `ICC_${name}_EL1`), ...rest].sort()).toEqual(
      iccRegisters.map(({ name }) => name).sort(),
    )
  })

  for (const machine of machines)
    for (const ds of machine.security ? flags : [true])
      it(`in ${JSON.stringify(machine)} with DS ${ds ? 1 : 0}`, () => {
        const rig = new RigV3(gicOf({ cpus: 1, intids: 32, ...machine }))
        if (machine.security && ds) rig.write('gicd', 0, 1 << 6, true)
        for (const where of placesOf(machine))
          for (const { name } of iccRegisters) {
            const said = `${name} from ${JSON.stringify(where)}`
            rig.gic.setExecution(0, where)
            expect(rig.mrs(0, name).outcome, `MRS ${said}`).toBe(expected(name, 'r', where, machine))
            expect(rig.msr(0, name, 0), `MSR ${said}`).toBe(expected(name, 'w', where, machine))
          }
      })
})
