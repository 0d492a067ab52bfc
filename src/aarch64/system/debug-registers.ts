/** System registers of self-hosted debug (DDI 0487 D13.3): they are there, and breakpoints, watchpoints and software step do not fire. */
import type { Cpu } from '../state/cpu.ts'
import { all, computed, ignore, type SystemRegister, stored, type Verdict, zero } from './system-register.ts'

const mdscr = stored('MDSCR_EL1', [2, 0, 0, 2, 2], { mask: 0x6c00b001n })
/** MDSCR_EL1.TDCC traps EL0's accesses to the Debug Communications Channel. */
const onDebugChannel = (cpu: Cpu): Verdict => (cpu.word(mdscr.slot!) & 0x1000 ? 'trap' : 'ok')

const claimed = stored('DBGCLAIMCLR_EL1', [2, 0, 7, 9, 6])
/** Writes clear the tags that they name. */
const claim: SystemRegister = {
  ...claimed,
  write: ({ cpu }, value) => cpu.setQuad(claimed.slot!, cpu.quad(claimed.slot!) & ~value),
}

export const debug: readonly SystemRegister[] = [
  stored('OSDTRRX_EL1', [2, 0, 0, 0, 2], { mask: 0xffffffffn }),
  ...[0, 1].flatMap((n) => [
    stored(`DBGBVR${n}_EL1`, [2, 0, 0, n, 4], { mask: all ^ 3n }),
    stored(`DBGBCR${n}_EL1`, [2, 0, 0, n, 5], { mask: 0xffe1e7n }),
    stored(`DBGWVR${n}_EL1`, [2, 0, 0, n, 6], { mask: all ^ 3n }),
    stored(`DBGWCR${n}_EL1`, [2, 0, 0, n, 7], { mask: 0x1f1fffffn }),
  ]),
  stored('MDCCINT_EL1', [2, 0, 0, 2, 0], { mask: 0x60000000n }),
  mdscr,
  stored('OSDTRTX_EL1', [2, 0, 0, 3, 2], { mask: 0xffffffffn }),
  stored('OSECCR_EL1', [2, 0, 0, 6, 2], { mask: 0n }),
  computed('MDRAR_EL1', [2, 0, 1, 0, 0], zero, undefined),
  computed('OSLAR_EL1', [2, 0, 1, 0, 4], undefined, ({ cpu }, value) => {
    cpu.setQuad(osLock.slot!, 8n | ((value & 1n) << 1n))
  }),
  stored('DBGPRCR_EL1', [2, 0, 1, 4, 4], { mask: 1n }),
  stored('OSDLR_EL1', [2, 0, 1, 3, 4], { mask: 1n }),
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

/** OSLSR_EL1: the OS lock is there (OSLM 0b10) and locked (OSLK) after reset. */
export const osLock: SystemRegister = stored('OSLSR_EL1', [2, 0, 1, 1, 4], { access: 'ro', reset: 0xan })
