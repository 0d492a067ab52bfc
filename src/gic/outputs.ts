/**
 * The output wires of a PE: their levels as bits of a number, and who is told when one changes. What drives them is in each
 * version's `delivery.ts`. `superpriority` is a GICv3's alone: the IRQ or FIQ that is high beside it comes from a non-maskable
 * interrupt (DDI 0487, FEAT_NMI).
 */

import type { Events, OutputLine } from './events.ts'

export const Output = { irq: 1, fiq: 2, superpriority: 4 } as const

const { irq: IRQ, fiq: FIQ, superpriority: SUPERPRIORITY } = Output

/** Who hears of the wires: a GIC's listeners, and its embedder. */
export interface OutputHost {
  readonly events: Events
  readonly onOutput: ((cpu: number, line: OutputLine, level: boolean) => void) | undefined
  readonly onSuperpriority?: ((cpu: number, level: boolean) => void) | undefined
}

export class OutputWires {
  /** What drives the wires: a sum of Output. */
  levels = 0
  readonly #pe: number
  readonly #host: OutputHost
  /** The levels that were told: whoever is told may change them at once. */
  #told = 0

  constructor(pe: number, host: OutputHost) {
    this.#pe = pe
    this.#host = host
  }

  drive(levels: number): void {
    if (this.levels !== levels) this.#change(levels)
  }

  #change(levels: number): void {
    this.levels = levels
    if (((this.levels ^ this.#told) & SUPERPRIORITY) !== 0) this.#tellSuperpriority()
    if (((this.levels ^ this.#told) & IRQ) !== 0) this.#tell('irq', IRQ)
    if (((this.levels ^ this.#told) & FIQ) !== 0) this.#tell('fiq', FIQ)
  }

  #tell(line: OutputLine, wire: number): void {
    this.#told ^= wire
    const host = this.#host
    const level = (this.levels & wire) !== 0
    if (host.events.active) host.events.emit({ kind: 'signal', cpu: this.#pe, line, level })
    host.onOutput?.(this.#pe, line, level)
  }

  #tellSuperpriority(): void {
    this.#told ^= SUPERPRIORITY
    const host = this.#host
    const level = (this.levels & SUPERPRIORITY) !== 0
    if (host.events.active) host.events.emit({ kind: 'signal', cpu: this.#pe, line: 'superpriority', level })
    host.onSuperpriority?.(this.#pe, level)
  }
}
