/**
 * IHI 0069 written down once more, as simply as can be: an object for each interrupt, a walk over all of them for each question. It is
 * the other opinion that the model is held against; it shares no code with it, and knows nothing of speed. Its parts are in v3/.
 */

import { bankWord, readBank, writeBank } from './v3/banks.ts'
import { signalled, type Waiting } from './v3/delivery.ts'
import { isMessage, message, readDistributor, writeDistributor } from './v3/distributor.ts'
import { readRedistributor, writeRedistributor } from './v3/redistributor.ts'
import { mrs, msr } from './v3/registers.ts'
import { signalOf } from './v3/security.ts'
import { type Access, type Execution, type OracleConfigV3, OracleState } from './v3/state.ts'

export type { Access, OracleConfigV3 }

export class OracleV3 {
  readonly state: OracleState

  constructor(config: OracleConfigV3, memory: Uint8Array) {
    this.state = new OracleState(config, memory)
  }

  get memory(): Uint8Array {
    return this.state.memory
  }

  reset(): void {
    this.state.reset()
  }

  setLine(intid: number, pe: number, level: boolean): void {
    this.state.setLine(intid, pe, level)
  }

  setExecution(pe: number, execution: Partial<Execution>): void {
    Object.assign(this.state.pes[pe]!, execution)
  }

  /** The interrupt that is signalled to a PE. */
  signalled(pe: number): Waiting | undefined {
    return signalled(this.state, pe)
  }

  /** The wires of a PE that is signalled this. */
  outputs(index: number, found: Waiting | undefined): { irq: boolean; fiq: boolean } {
    const signal = found && signalOf(this.state, this.state.pes[index]!, found.group)
    return { irq: signal === 'irq', fiq: signal === 'fiq' }
  }

  mrs(pe: number, name: string): Access {
    return mrs(this.state, pe, name)
  }

  msr(pe: number, name: string, value: bigint): Access['outcome'] {
    return msr(this.state, pe, name, value)
  }

  read(frame: 'gicd' | number, offset: number, size: number, secure: boolean): number {
    const found = this.#bank(frame, offset)
    if (found) return readBank(this.state, found, offset, size, secure)
    if (size !== 4) return 0
    return frame === 'gicd'
      ? readDistributor(this.state, offset, secure)
      : readRedistributor(this.state, frame, offset, secure)
  }

  write(frame: 'gicd' | number, offset: number, size: number, value: number, secure: boolean): void {
    const found = this.#bank(frame, offset)
    if (found) writeBank(this.state, found, offset, size, value, secure)
    else if (size === 2 && frame === 'gicd' && isMessage(offset)) message(this.state, offset, value, secure)
    else if (size === 4 && frame === 'gicd') writeDistributor(this.state, offset, value, secure)
    else if (size === 4 && frame !== 'gicd') writeRedistributor(this.state, frame, offset, value, secure)
  }

  /** A Redistributor's banks are in its second frame. */
  #bank(frame: 'gicd' | number, offset: number) {
    const word = offset - (offset % 4) - (frame === 'gicd' ? 0 : 0x10000)
    return word < 0 ? undefined : bankWord(this.state, frame, word)
  }
}
