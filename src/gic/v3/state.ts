/**
 * What the parts of a GICv3 - its registers, delivery, explanation and snapshot - ask of the whole. `gic.ts` is the whole; no
 * part imports it.
 */

import type { Events, MisuseCode } from '../events.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import type { Redistributor, RedistributorHost } from './redistributor.ts'
import type { StatusRegisters } from './status.ts'

export interface GicV3State extends RedistributorHost {
  readonly events: Events
  readonly cpus: readonly CpuInterfaceV3[]
  readonly redistributors: readonly Redistributor[]
  /** GICD_CTLR: a bit for each group, numbered as `Group`. */
  groupEnables: number
  /** GICD_STATUSR, the Secure and the Non-secure one. */
  readonly statusr: StatusRegisters
  /** Some Aff0 is above 15: SGIs need the range selector. */
  readonly rangeSelector: boolean
  /** Bits 63:32 of the last system register read, in `| 0` form. */
  sysregHigh: number
  markAllDirty(): void
  /** Reads anew what it keeps of guest memory. */
  resume(): void
  /** Why an acknowledge by this PE gives no interrupt; undefined when it gives one. */
  whyNothing(pe: number, register: 'IAR0' | 'IAR1' | 'NMIAR1'): string | undefined
  /** GICD_CTLR.DS is set, until the next reset. */
  disableSecurity(): void
  /** GICD_CTLR.DS is as a restore says. */
  restoreSecurity(twoStates: boolean): void
  /** The frames hide Secure registers while there are two Security states. */
  securityChanged(): void
  /** `what` names what was misused, where the INTID does not; `detail` goes on with what was asked for, or would be right. */
  misuse(code: MisuseCode, cpu: number, intid: number, what?: string, detail?: string): void
}
