/**
 * Where the Redistributors are on the bus: which PE's is at an address, and which ends a contiguous run of them. It learns
 * that from whoever wires the frames, and knows no bus itself.
 */

/** Bytes between the frames of one Redistributor and those of the next. */
export const REDISTRIBUTOR_STRIDE = 0x20000

export class RedistributorBases {
  readonly #peAt = new Map<number, number>()
  readonly #baseOf = new Map<number, number>()
  /** The last PE of each region as it is configured: what counts for frames whose place nobody has said. */
  readonly #ends = new Set<number>()

  constructor(regions: readonly number[]) {
    let end = 0
    for (const count of regions) {
      end += count
      this.#ends.add(end - 1)
    }
  }

  /** The frames of a PE's Redistributor are from `base` on, and nowhere else. */
  place(pe: number, base: number): void {
    const before = this.#baseOf.get(pe)
    if (before !== undefined && this.#peAt.get(before) === pe) this.#peAt.delete(before)
    this.#baseOf.set(pe, base)
    this.#peAt.set(base, pe)
  }

  /** The PE whose RD_base is at an address, or -1. */
  peAt(base: number): number {
    return this.#peAt.get(base) ?? -1
  }

  /** No Redistributor is directly above this one (IHI 0069, GICR_TYPER.Last). */
  endsRun(pe: number): boolean {
    const base = this.#baseOf.get(pe)
    return base === undefined ? this.#ends.has(pe) : !this.#peAt.has(base + REDISTRIBUTOR_STRIDE)
  }
}
