/**
 * What a virtio device offers and what its driver takes of that, 32 bits at a time (Virtual I/O Device 1.2, 2.2 and 4.2.2). When
 * they are settled, Status says, which is the transport's.
 */

/** VIRTIO_F_VERSION_1, which the legacy interface does not offer. */
export const VERSION_1 = 1n << 32n

/** The features of a transport, by the registers that choose 32 of them. */
export class VirtioFeatures {
  /** DeviceFeaturesSel. */
  deviceSel = 0
  /** DriverFeaturesSel. */
  driverSel = 0
  /** What the driver took, low word first. */
  readonly taken = new Int32Array(2)
  readonly #offered: bigint

  constructor(offered: bigint) {
    this.#offered = offered
  }

  /** DeviceFeatures: the word offered that DeviceFeaturesSel chooses. */
  get device(): number {
    if (this.deviceSel >>> 0 > 1) return 0
    return Number(BigInt.asIntN(32, this.#offered >> (this.deviceSel === 1 ? 32n : 0n)))
  }

  /** A write of DriverFeatures. */
  take(value: number): void {
    if (this.driverSel >>> 0 <= 1) this.taken[this.driverSel] = value
  }

  /** Nothing was taken that is not offered. */
  get acceptable(): boolean {
    const [low, high] = this.taken
    const taken = (BigInt(high! >>> 0) << 32n) | BigInt(low! >>> 0)
    return (taken & ~this.#offered) === 0n
  }

  /** Nothing is taken, and the first words are chosen. */
  reset(): void {
    this.taken.fill(0)
    this.deviceSel = 0
    this.driverSel = 0
  }
}
