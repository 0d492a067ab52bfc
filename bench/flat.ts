/** What must not grow: the cost of an interrupt with INTIDs and CPUs, the cost of an access with ranges on the bus. */

import { Bus, cpuInitiator, type RangeSpec } from 'vgic/mmio'
import { reads } from './access.ts'
import { ORDER_MASK, unpredictable } from './baseline.ts'
import { life } from './interrupt.ts'
import { enable, GICD, type Machine, machine } from './machine.ts'
import type { Loop } from './measure.ts'
import { pair, type Section } from './row.ts'

const LIMIT = 1.3

/** Makes every SPI but `intid` pending and enabled, at a priority that does not preempt it. */
function crowd({ gic, bus, cpus }: Machine, intid: number): void {
  for (let spi = 32; spi < gic.config.intids; spi++) {
    if (spi === intid) continue
    bus.write8(GICD + 0x800 + spi, 1, cpus[0]!)
    bus.write32(GICD + 0x100 + (spi >>> 5) * 4, 1 << (spi & 31), cpus[0]!)
    gic.setSpi(spi, true)
  }
}

function lifeOn(config: { cpus: number; intids: number }, intid: number, cpu: number, crowded = false): Loop {
  const own = machine(config)
  if (crowded) crowd(own, intid)
  enable(own, intid, cpu)
  return life(own, intid, cpu)
}

export function flatSection(): Section {
  return {
    title: 'Flat: the same in a small and in a large machine',
    baseline: 'the small one',
    rows: [
      ...pair(
        'interrupt, 32 / 1,020 INTIDs (a PPI)',
        lifeOn({ cpus: 1, intids: 32 }, 27, 0),
        lifeOn({ cpus: 1, intids: 1020 }, 27, 0),
        LIMIT,
      ),
      ...pair(
        'interrupt, 64 / 1,020 INTIDs (the last SPI), all others pending',
        lifeOn({ cpus: 1, intids: 64 }, 63, 0, true),
        lifeOn({ cpus: 1, intids: 1020 }, 1019, 0, true),
        LIMIT,
      ),
      ...pair(
        'interrupt, 1 / 8 CPUs (an SPI to the last CPU)',
        lifeOn({ cpus: 1, intids: 288 }, 40, 0),
        lifeOn({ cpus: 8, intids: 288 }, 40, 7),
        LIMIT,
      ),
      ...pair(
        'read GICD_ISENABLER1, 1 / 8 CPUs',
        readsOn({ cpus: 1, intids: 1020 }, 0),
        readsOn({ cpus: 8, intids: 1020 }, 7),
        LIMIT,
      ),
      ...pair('read, 10 / 100,000 ranges, the same 8 in use', rangesBus(10), rangesBus(100_000), LIMIT),
      ...pair('  (no promise) all 100,000 in use: caches miss', rangesBus(10), rangesBus(100_000, 100_000), null),
      ...pair('  (no promise) above 4 GiB: a binary search', rangesBus(10), rangesBus(100_000, 8, 2 ** 32), null),
    ],
  }
}

function readsOn(config: { cpus: number; intids: number }, cpu: number): Loop {
  const { bus, cpus } = machine(config)
  return reads(bus, GICD + 0x104, 4, cpus[cpu]!)
}

/** Reads of `used` of the ranges of a bus that has `ranges` of them, 16 bytes each, spread over it. */
function rangesBus(ranges: number, used = 8, from = 0x1000_0000): Loop {
  const bus = new Bus()
  const specs: RangeSpec[] = Array.from({ length: ranges }, (_, i) => ({
    base: from + i * 0x100,
    size: 16,
    device: { name: 'range', access: () => 0 },
  }))
  bus.registerAll(specs)
  const by = cpuInitiator(0)
  const order = unpredictable(8)
  const last = Math.floor(ranges / used)
  const addresses = Float64Array.from({ length: 1 << 16 }, (_, i) => {
    const nth = used === 8 ? order[i]! * last : Math.imul(i, 0x9e37_79b1) >>> 0
    return from + (nth % ranges) * 0x100
  })
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum = (sum + bus.read(addresses[i & ORDER_MASK]!, 4, by)) | 0
    return sum
  }
}
