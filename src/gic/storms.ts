/**
 * Interrupts that storm: ended again and again with their line high all the time, because no handler quietens the device; or
 * signalled and never taken, because the handler reads an acknowledge register that does not give them. Counted from the events of
 * a GIC, of either version; what is kept is an entry for each line that is high, and for each CPU.
 */

import type { GicEvent } from './events.ts'

/** So many ends of one interrupt in a row with its line high all the time are a storm; so many empty acknowledges of a CPU, too. */
export const STORM = 10_000

/** Counts how often an interrupt is ended with its line high all the time, and says it once. */
export class Storms {
  readonly #found: (intid: number, cpu: number) => void
  /** By INTID and CPU: how often it ended since its line was last seen low; none where the line is low. */
  readonly #ends = new Map<number, number>()
  readonly #empty: (cpu: number, reason: string) => void
  /** By CPU: the wires that are high, a bit each, and how often in a row an acknowledge gave nothing though one was. */
  readonly #wires = new Map<number, number>()
  readonly #acknowledges = new Map<number, number>()

  /**
   * @param found told once of each row of so many ends, with the CPU of the last
   * @param empty told once of each row of so many acknowledges of a CPU that gave nothing while it was signalled one
   */
  constructor(found: (intid: number, cpu: number) => void, empty: (cpu: number, reason: string) => void = () => {}) {
    this.#found = found
    this.#empty = empty
  }

  /** Takes one event of a GIC's stream. */
  hear(event: GicEvent): void {
    if (event.kind === 'priority-drop') this.#ended(event.intid, event.cpu)
    else if (event.kind === 'state' && event.state === 'line') this.#line(event.intid, event.cpu, event.value !== 0)
    else if (event.kind === 'acknowledge') this.#acknowledged(event.cpu, event.reason)
    else if (event.kind === 'signal' && event.line !== 'superpriority') {
      const bit = event.line === 'irq' ? 1 : 2
      const wires = this.#wires.get(event.cpu) ?? 0
      this.#wires.set(event.cpu, event.level ? wires | bit : wires & ~bit)
    }
  }

  /** Polling for an interrupt is no mistake; to be told of one and not to get it is. */
  #acknowledged(cpu: number, reason: string | undefined): void {
    const inVain = reason !== undefined && (this.#wires.get(cpu) ?? 0) !== 0
    const count = inVain ? (this.#acknowledges.get(cpu) ?? 0) + 1 : 0
    this.#acknowledges.set(cpu, count)
    if (count === STORM) this.#empty(cpu, reason!)
  }

  #line(intid: number, cpu: number, level: boolean): void {
    const key = keyOf(intid, cpu)
    if (level) this.#ends.set(key, this.#ends.get(key) ?? 0)
    else this.#ends.delete(key)
  }

  #ended(intid: number, cpu: number): void {
    const key = keyOf(intid, intid < 32 ? cpu : -1)
    const ends = this.#ends.get(key)
    if (ends === undefined) return
    this.#ends.set(key, ends + 1)
    if (ends + 1 === STORM) this.#found(intid, cpu)
  }
}

/** There are up to 512 PEs; -1 is a line that all share. */
function keyOf(intid: number, cpu: number): number {
  return intid * 1024 + cpu + 1
}

/** The sentence of a storm; `source` is who drives the line, where that is known. */
export function describeStorm(name: string, cpu: number, source?: string): string {
  return (
    `CPU ${cpu}: ${name}${source === undefined ? '' : ` (${source})`} ended ${STORM.toLocaleString('en-US')} times with its line high all the time: ` +
    'its handler does not quieten the device before it ends the interrupt'
  )
}

/** The sentence of acknowledges in vain; `reason` is what the last one gave, and why. */
export function describeInVain(cpu: number, reason: string): string {
  return `CPU ${cpu}: ${STORM.toLocaleString('en-US')} acknowledges in a row gave no interrupt while one was signalled: ${reason.replace(/\.$/, '')}`
}
