/**
 * System registers of self-hosted debug as a table (DDI 0487 D13.3). What they do is debug/'s; halting debug is not there, and nobody is
 * at the other end of the Debug Communications Channel.
 */

import { MDSCR } from '../debug/enabled.ts'
import { BREAKPOINTS, CONTEXT_AWARE, WATCHPOINTS } from '../debug/matching.ts'
import { type Cpu, SLOT } from '../state/cpu.ts'
import {
  all,
  computed,
  type Encoding,
  ignore,
  type Surroundings,
  type SystemRegister,
  stored,
  type Verdict,
  zero,
} from './system-register.ts'

const changed = ({ debug }: Surroundings) => debug.update()

/** MDSCR_EL1.TDCC traps EL0's accesses to the Debug Communications Channel. */
const onDebugChannel = (cpu: Cpu): Verdict => (cpu.word(SLOT.MDSCR_EL1) & MDSCR.TDCC ? 'trap' : 'ok')

/** RXfull, TXfull, RXO and TXU: written while the OS Lock is locked, to restore them; read-only else. */
const channelState = 0x6c000000n
const mdscrWritable = BigInt(MDSCR.SS | MDSCR.TDCC | MDSCR.KDE | MDSCR.MDE)
const mdscr: SystemRegister = {
  ...stored('MDSCR_EL1', [2, 0, 0, 2, 2], { slot: SLOT.MDSCR_EL1 }),
  mask: mdscrWritable | channelState,
  write: (around, value) => {
    const { cpu } = around
    const mask = mdscrWritable | (cpu.word(SLOT.OSLSR_EL1) & 2 ? channelState : 0n)
    cpu.setQuad(SLOT.MDSCR_EL1, (cpu.quad(SLOT.MDSCR_EL1) & ~mask) | (value & mask))
    changed(around)
  },
}

const claimed = stored('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6])
/** Writes clear the tags that they name. */
const claim: SystemRegister = {
  ...claimed,
  write: ({ cpu }, value) => cpu.setQuad(claimed.slot!, cpu.quad(claimed.slot!) & ~value),
}

/** The value and the control register of each breakpoint or watchpoint; bits 1:0 of an address are RES0, and not those of a context. */
function pairs(
  letter: 'B' | 'W',
  count: number,
  contexts: number,
  op2: number,
  slot: number,
  control: object,
): SystemRegister[] {
  const encoding = (n: number, next: number): Encoding => [2, 0, 0, n, op2 + next]
  return Array.from({ length: count }, (_, n) => n).flatMap((n) => [
    stored(`DBG${letter}VR${n}_EL1`, encoding(n, 0), {
      slot: slot + 16 * n,
      mask: n < count - contexts ? all ^ 3n : all,
      changed,
    }),
    stored(`DBG${letter}CR${n}_EL1`, encoding(n, 1), { slot: slot + 16 * n + 8, changed, ...control }),
  ])
}

export const debug: readonly SystemRegister[] = [
  stored('OSDTRRX_EL1', [2, 0, 0, 0, 2], { mask: 0xffffffffn }),
  // Without AArch32 a breakpoint is for a whole instruction: BAS is RES1.
  ...pairs('B', BREAKPOINTS, CONTEXT_AWARE, 4, SLOT.BREAKPOINTS, { mask: 0xffe007n, reset: 0x1e0n }),
  ...pairs('W', WATCHPOINTS, 0, 6, SLOT.WATCHPOINTS, { mask: 0x1f1fffffn }),
  stored('MDCCINT_EL1', [2, 0, 0, 2, 0], { mask: 0x60000000n }),
  mdscr,
  stored('OSDTRTX_EL1', [2, 0, 0, 3, 2], { mask: 0xffffffffn }),
  stored('OSECCR_EL1', [2, 0, 0, 6, 2], { mask: 0n }),
  computed('MDRAR_EL1', [2, 0, 1, 0, 0], zero, undefined),
  computed('OSLAR_EL1', [2, 0, 1, 0, 4], undefined, (around, value) => {
    around.cpu.setQuad(SLOT.OSLSR_EL1, 8n | ((value & 1n) << 1n))
    changed(around)
  }),
  // The OS lock is there (OSLM 0b10) and locked (OSLK) after reset.
  stored('OSLSR_EL1', [2, 0, 1, 1, 4], { slot: SLOT.OSLSR_EL1, access: 'ro', reset: 0xan }),
  stored('OSDLR_EL1', [2, 0, 1, 3, 4], { slot: SLOT.OSDLR_EL1, mask: 1n, changed }),
  stored('DBGPRCR_EL1', [2, 0, 1, 4, 4], { slot: SLOT.DBGPRCR_EL1, mask: 1n, changed }),
  // Eight CLAIM tags: SET says which there are, CLR which are set.
  computed(
    'DBGCLAIMSET_EL1',
    [2, 0, 7, 8, 6],
    () => 0xffn,
    ({ cpu }, value) => cpu.setQuad(claim.slot!, cpu.quad(claim.slot!) | (value & 0xffn)),
  ),
  claim,
  computed('DBGAUTHSTATUS_EL1', [2, 0, 7, 14, 6], zero, undefined),
  // Nobody is at the other end of the Debug Communications Channel.
  computed('MDCCSR_EL0', [2, 3, 0, 1, 0], zero, undefined, { el0: onDebugChannel }),
  computed('DBGDTR_EL0', [2, 3, 0, 4, 0], zero, ignore, { el0: onDebugChannel }),
  computed('DBGDTRRX_EL0', [2, 3, 0, 5, 0], zero, ignore, { el0: onDebugChannel, writeName: 'DBGDTRTX_EL0' }),
]
