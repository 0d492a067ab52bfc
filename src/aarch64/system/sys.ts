/**
 * The SYS space: cache maintenance (no-ops that still trap), DC ZVA, address translation, TLB maintenance. One row per instruction.
 * A SYS encoding that is not here is UNDEFINED.
 */

import type { Mmu } from '../memory/mmu.ts'
import { FAULT, READ, WRITE } from '../memory/walk.ts'
import { type Cpu, SCTLR, SLOT } from '../state/cpu.ts'
import { encodingKey } from './registers.ts'
import type { Encoding, Verdict } from './system-register.ts'

export interface SysSurroundings {
  readonly cpu: Cpu
  readonly cpus: readonly Cpu[]
  readonly mmu: Mmu
  /** DC ZVA: writes 64 zero bytes, or takes the exception. */
  readonly zero: (cpu: Cpu, low: number, high: number) => void
  /** Cache maintenance by address: takes the exception when the address does not translate. */
  readonly probe: (cpu: Cpu, low: number, high: number, write: boolean) => void
  /** Takes the Data Abort of a fault status code. */
  readonly fault: (cpu: Cpu, status: number, low: number, high: number) => void
}

export interface SystemInstruction {
  readonly name: string
  readonly encoding: Encoding
  /** EL0: UNDEFINED unless given. */
  readonly el0?: (cpu: Cpu) => Verdict
  readonly run: (around: SysSurroundings, low: number, high: number) => void
}

const nothing = () => {}
const userCache = (cpu: Cpu): Verdict => (cpu.word(SLOT.SCTLR_EL1) & SCTLR.UCI ? 'ok' : 'trap')
const userZero = (cpu: Cpu): Verdict => (cpu.word(SLOT.SCTLR_EL1) & SCTLR.DZE ? 'ok' : 'trap')
const byAddress = ({ cpu, probe }: SysSurroundings, low: number, high: number) => probe(cpu, low, high, false)

const cache: readonly SystemInstruction[] = [
  { name: 'IC IALLUIS', encoding: [1, 0, 7, 1, 0], run: nothing },
  { name: 'IC IALLU', encoding: [1, 0, 7, 5, 0], run: nothing },
  { name: 'IC IVAU', encoding: [1, 3, 7, 5, 1], el0: userCache, run: byAddress },
  { name: 'DC IVAC', encoding: [1, 0, 7, 6, 1], run: ({ cpu, probe }, low, high) => probe(cpu, low, high, true) },
  { name: 'DC ISW', encoding: [1, 0, 7, 6, 2], run: nothing },
  { name: 'DC CSW', encoding: [1, 0, 7, 10, 2], run: nothing },
  { name: 'DC CISW', encoding: [1, 0, 7, 14, 2], run: nothing },
  { name: 'DC ZVA', encoding: [1, 3, 7, 4, 1], el0: userZero, run: ({ cpu, zero }, low, high) => zero(cpu, low, high) },
  { name: 'DC CVAC', encoding: [1, 3, 7, 10, 1], el0: userCache, run: byAddress },
  { name: 'DC CVAU', encoding: [1, 3, 7, 11, 1], el0: userCache, run: byAddress },
  { name: 'DC CIVAC', encoding: [1, 3, 7, 14, 1], el0: userCache, run: byAddress },
]

/** AT S1E<el><R or W>: the outcome goes to PAR_EL1 (DDI 0487 D13.2.100), but for an external abort on the walk, which is taken. */
function translateTo(el: number, kind: number) {
  return (around: SysSurroundings, low: number, high: number): void => {
    const { cpu, mmu } = around
    const fault = mmu.translate(cpu, low, high, kind, el, false)
    if (fault >= 0) {
      if ((fault & ~3) === FAULT.externalOnWalk) {
        around.fault(cpu, fault, low, high)
        return
      }
      cpu.setQuad(SLOT.PAR_EL1, 0x801n | (BigInt(fault) << 1n))
      return
    }
    const { result } = mmu
    const shareability = result.device || result.attribute === 0x44 ? 2 : result.shareability
    cpu.setQuad(
      SLOT.PAR_EL1,
      (BigInt(result.address) & 0xfffffffff000n) |
        (BigInt(result.attribute) << 56n) |
        (BigInt(shareability) << 7n) |
        0x800n,
    )
  }
}

const addressTranslation: readonly SystemInstruction[] = [
  { name: 'AT S1E1R', encoding: [1, 0, 7, 8, 0], run: translateTo(1, READ) },
  { name: 'AT S1E1W', encoding: [1, 0, 7, 8, 1], run: translateTo(1, WRITE) },
  { name: 'AT S1E0R', encoding: [1, 0, 7, 8, 2], run: translateTo(0, READ) },
  { name: 'AT S1E0W', encoding: [1, 0, 7, 8, 3], run: translateTo(0, WRITE) },
]

type Invalidate = (cpu: Cpu, low: number, high: number) => void

const everything: Invalidate = (cpu) => cpu.tlb.flushAll()
/** Bits 43:0 of the operand are bits 55:12 of the address; the ASID is not compared, which only drops more. */
const oneAddress: Invalidate = (cpu, low, high) => {
  const address = (low << 12) >>> 0
  const top = (high << 12) | (low >>> 20)
  cpu.tlb.flushAddress(address, top >>> 0)
}
/** Bits 63:48 of the operand. */
const oneAsid: Invalidate = (cpu, _low, high) => cpu.tlb.flushAsid(high >>> 16)

/** Each TLBI is there twice: for this CPU, and for all in the Inner Shareable domain. */
function invalidation(name: string, op2: number, run: Invalidate): readonly SystemInstruction[] {
  return [
    { name: `TLBI ${name}`, encoding: [1, 0, 8, 7, op2], run: ({ cpu }, low, high) => run(cpu, low, high) },
    {
      name: `TLBI ${name}IS`,
      encoding: [1, 0, 8, 3, op2],
      run: ({ cpus }, low, high) => {
        for (const cpu of cpus) run(cpu, low, high)
      },
    },
  ]
}

export const systemInstructions: readonly SystemInstruction[] = [
  ...cache,
  ...addressTranslation,
  ...invalidation('VMALLE1', 0, everything),
  ...invalidation('VAE1', 1, oneAddress),
  ...invalidation('ASIDE1', 2, oneAsid),
  ...invalidation('VAAE1', 3, oneAddress),
  ...invalidation('VALE1', 5, oneAddress),
  ...invalidation('VAALE1', 7, oneAddress),
]

/** By the same key as system registers. */
export const systemInstructionByKey: ReadonlyMap<number, SystemInstruction> = new Map(
  systemInstructions.map((instruction) => [encodingKey(instruction.encoding), instruction]),
)
