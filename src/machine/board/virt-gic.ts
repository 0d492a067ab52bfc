/** The interrupt controllers of the board, on its bus: a GICv2 with its message frame, or a GICv3 with an ITS or without. */

import { GicV2, GicV3, type GuestMemory, Its } from '../../gic/index.ts'
import type { Bus } from '../../mmio/index.ts'
import { V2M_SPIS, virtAffinity, virtMap, virtSpi } from './virt-map.ts'

/** What QEMU's board leaves out of a GICv3, so that a trace of one replays on the other. */
const board = { oneOfN: false, messageSpis: false, invalidateRegisters: false, statusRegisters: false } as const

/** A full queue is done in the access that gave it, as QEMU does; a replay of what was recorded here does the same. */
const itsOptions = { statusRegisters: false, slice: 32768 } as const

export function wireGicV2(bus: Bus, cpus: number): GicV2 {
  const gic = new GicV2({ cpus, msi: { base: virtSpi.v2m, count: V2M_SPIS } })
  const { gicd, gicc, v2m } = gic.frames
  bus.register(...gicd.wire(virtMap.gicd.base), ...gicc.wire(virtMap.gicc.base), ...v2m!.wire(virtMap.v2m.base))
  return gic
}

export function wireGicV3(bus: Bus, cpus: number, memory: GuestMemory): GicV3 {
  const affinities = Array.from({ length: cpus }, (_, cpu) => virtAffinity(cpu, 3))
  const gic = new GicV3({ ...board, cpus, affinities, lpis: { intidBits: 16 } }, { memory })
  bus.register(...gic.frames.gicd.wire(virtMap.gicd.base), ...gic.wireRedistributors([virtMap.gicr.base]))
  return gic
}

export function wireIts(bus: Bus, gic: GicV3, memory: GuestMemory): Its {
  const its = new Its(itsOptions, { memory, targets: gic, events: gic.events })
  bus.register(
    ...its.frames.control.wire(virtMap.its.base),
    ...its.frames.translation.wire(virtMap.its.base + 0x1_0000),
  )
  return its
}
