/**
 * What the parts of a GICv2 - its registers, delivery, explanation and snapshot - ask of the whole. `gic.ts` is the whole; no
 * part imports it.
 */

import type { Events, MisuseCode } from '../events.ts'
import type { ViewedGic } from '../views.ts'
import type { CheckedConfig } from './config.ts'
import type { CpuInterface } from './cpu-interface.ts'
import type { IrqsV2 } from './irqs.ts'

export interface GicV2State extends ViewedGic {
  readonly config: CheckedConfig
  readonly events: Events
  readonly irqs: IrqsV2
  readonly cpus: readonly CpuInterface[]
  /** GICD_CTLR: EnableGrp0, EnableGrp1. */
  ctlr: number
  /** One bit for each CPU. */
  readonly allCpus: number
  setSpi(intid: number, level: boolean): void
  pulseSpi(intid: number): void
  /** Brings the outputs of every CPU whose candidates or interface changed up to date. */
  settle(): void
  /** Why an acknowledge by this CPU gives no interrupt; undefined when it gives one. */
  whyNothing(cpu: number, view: 'secure' | 'non-secure'): string | undefined
  /** `what` names what was misused, where the INTID does not; `detail` goes on with what was asked for, or would be right. */
  misuse(code: MisuseCode, cpu: number, intid: number, what?: string, detail?: string): void
}
