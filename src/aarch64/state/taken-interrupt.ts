/**
 * The interrupt that a CPU took last and has not returned from, as far as a return (ERET) tells: for whoever asks why it takes no
 * other. No state of the CPU follows from it, and a handler that leaves in another way is not seen.
 */

export class TakenInterrupt {
  /** Undefined where there is none. */
  line: 'irq' | 'fiq' | undefined = undefined
  /** The instruction at which it was taken. */
  link = 0n

  taken(line: 'irq' | 'fiq' | undefined, link: bigint): void {
    this.line = line
    this.link = link
  }

  returned(): void {
    this.line = undefined
  }
}
