/** Where things are on the board, as on QEMU's `virt`: addresses, lengths and SPI numbers as data. It makes no devices. */

export interface Place {
  /** First address, in bytes. */
  readonly base: number
  /** Length in bytes. */
  readonly size: number
}

/** SPI numbers as a device tree counts them: INTID 32 is 0. */
export const virtSpi = { uart: 1, rtc: 2, gpio: 7, virtio: 16, v2m: 80, platform: 112 } as const

/** INTIDs of the PPIs. */
export const virtPpi = {
  maintenance: 25,
  hypervisorTimer: 26,
  virtualTimer: 27,
  secureTimer: 29,
  physicalTimer: 30,
  pmu: 23,
} as const

/** Addresses, as QEMU's `virt` has them. */
export const virtMap = {
  flash0: { base: 0x0000_0000, size: 0x0400_0000 },
  flash1: { base: 0x0400_0000, size: 0x0400_0000 },
  gicd: { base: 0x0800_0000, size: 0x1_0000 },
  gicc: { base: 0x0801_0000, size: 0x1_0000 },
  v2m: { base: 0x0802_0000, size: 0x1000 },
  gich: { base: 0x0803_0000, size: 0x1_0000 },
  gicv: { base: 0x0804_0000, size: 0x1_0000 },
  its: { base: 0x0808_0000, size: 0x2_0000 },
  gicr: { base: 0x080a_0000, size: 0xf6_0000 },
  uart: { base: 0x0900_0000, size: 0x1000 },
  rtc: { base: 0x0901_0000, size: 0x1000 },
  fwCfg: { base: 0x0902_0000, size: 0x18 },
  gpio: { base: 0x0903_0000, size: 0x1000 },
  virtio: { base: 0x0a00_0000, size: 0x4000 },
  platform: { base: 0x0c00_0000, size: 0x0200_0000 },
  ram: { base: 0x4000_0000, size: 255 * 2 ** 30 },
} as const satisfies Record<string, Place>

/** The most RAM that a machine of ours has, in bytes; the map has room for more. */
export const MOST_MEMORY = 3 * 2 ** 30

/** Redistributors of one CPU: RD_base and SGI_base. */
export const REDISTRIBUTOR_SIZE = 0x2_0000

/** SPIs of the GICv2m frame, from virtSpi.v2m on. */
export const V2M_SPIS = 64

/** Transports on the board, used or not. */
export const VIRTIO_SLOTS = 32
/** Bytes of address space that each has. */
export const VIRTIO_SLOT_SIZE = 0x200

/** The pin of the GPIO that is the power button. */
export const POWER_PIN = 3

/** Affinity of a CPU as MPIDR_EL1 has it: clusters of 8 with a GICv2, of 16 (an SGI's target list) with a GICv3. */
export function virtAffinity(cpu: number, gic: 2 | 3): number {
  const cluster = gic === 2 ? 8 : 16
  return (Math.floor(cpu / cluster) << 8) | (cpu % cluster)
}
