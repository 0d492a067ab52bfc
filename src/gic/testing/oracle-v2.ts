/**
 * IHI 0048 written down once more, as simply as can be: an object for each interrupt, a walk over all of them for each question. It is
 * the other opinion that the model is held against; it shares no code with it, and knows nothing of speed. Its parts are in v2/.
 */

import { runningPriority, signalled } from './v2/delivery.ts'
import { readDistributor, writeDistributor } from './v2/distributor.ts'
import { readInterface, writeInterface } from './v2/interface.ts'
import { type Irq, type OracleConfigV2, OracleState } from './v2/state.ts'

export type OracleFrame = 'gicd' | 'gicc'

export class OracleV2 {
  readonly state: OracleState

  constructor(config: OracleConfigV2) {
    this.state = new OracleState(config)
  }

  reset(): void {
    this.state.reset()
  }

  setLine(intid: number, cpu: number, level: boolean): void {
    this.state.setLine(intid, cpu, level)
  }

  /** The interrupt that an acknowledge by this CPU would take. */
  signalled(cpu: number): Irq | undefined {
    return signalled(this.state, cpu)
  }

  outputs(cpu: number): { irq: boolean; fiq: boolean } {
    const irq = this.signalled(cpu)
    const fiq = irq !== undefined && irq.group === 0 && this.state.interfaces[cpu]!.fiqEn
    return { irq: irq !== undefined && !fiq, fiq }
  }

  /** The best active priority; 256 while none is. */
  running(cpu: number): number {
    return runningPriority(this.state, cpu)
  }

  read(frame: OracleFrame, offset: number, size: number, cpu: number, secure: boolean): number {
    if (!isAllowed(frame, offset, size)) return 0
    return frame === 'gicd'
      ? readDistributor(this.state, offset, size, cpu, secure)
      : readInterface(this.state, offset, cpu, secure)
  }

  write(frame: OracleFrame, offset: number, size: number, value: number, cpu: number, secure: boolean): void {
    if (!isAllowed(frame, offset, size)) return
    if (frame === 'gicd') writeDistributor(this.state, offset, size, value, cpu, secure)
    else writeInterface(this.state, offset, value, cpu, secure)
  }
}

/** Only words, and bytes where IHI 0048 4.1.4 has them; anything else reads as zero and is not written. */
function isAllowed(frame: OracleFrame, offset: number, size: number): boolean {
  if (offset % size !== 0) return false
  if (size === 4) return true
  const bytes = (offset >= 0x400 && offset < 0xc00) || (offset >= 0xf10 && offset < 0xf30)
  return size === 1 && frame === 'gicd' && bytes
}
