/** Where a target has its frames and the memory that it lends, as on QEMU's `virt`: the same for every target, so that vectors may name addresses. */

import type { Region } from './target.ts'

/** Guest memory for ITS tables, queues and LPI tables, by `store` and `load` steps; in bytes. */
export const GUEST_MEMORY_BASE = 0x43000000
export const GUEST_MEMORY_SIZE = 0x01000000

/** Where 'virt' has the frames of its GIC. */
export const REGION_BASE: Readonly<Record<Region, number>> = {
  gicd: 0x08000000,
  gicc: 0x08010000,
  v2m: 0x08020000,
  its: 0x08080000,
  itst: 0x08090000,
  gicr: 0x080a0000,
}
