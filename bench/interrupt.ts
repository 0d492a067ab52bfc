/** The life of an interrupt: its line rises, the CPU is signalled, acknowledges, the line falls, the CPU ends it. */

import { megamorphicCall } from './baseline.ts'
import { enable, GICC, GICD, type Machine } from './machine.ts'
import type { Loop } from './measure.ts'
import { against, type Section } from './row.ts'

const LIMIT = 12

/** All five steps, for an SPI or a PPI; the sum proves that each was signalled and acknowledged. */
export function life({ gic, bus, cpus }: Machine, intid: number, cpu: number): Loop {
  const by = cpus[cpu]!
  const set = (level: boolean) => {
    if (intid >= 32) gic.setSpi(intid, level)
    else gic.setPpi(cpu, intid, level)
  }
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      set(true)
      const taken = bus.read(GICC + 0xc, 4, by)
      set(false)
      bus.write(GICC + 0x10, 4, taken, 0, by)
      sum = (sum + taken) | 0
    }
    if (sum !== Math.imul(count, intid)) throw new Error(`INTID ${intid} was not delivered each time`)
    return sum
  }
}

export function interruptSection(machine: Machine): Section {
  const { bus, cpus } = machine
  enable(machine, 40, 0)
  enable(machine, 41, 0)
  bus.write32(GICD + 0xc08, 2 << 18, cpus[0]!)
  return {
    title: 'Raise a line, signal, acknowledge, lower it, end of interrupt',
    baseline: 'a bare megamorphic call',
    rows: against(megamorphicCall, [
      { name: 'level-sensitive SPI', loop: life(machine, 40, 0), limit: LIMIT },
      { name: 'edge-triggered SPI', loop: life(machine, 41, 0), limit: LIMIT },
    ]),
  }
}
