/** The seed thread's open question, in figures: one bus range for a frame, or one for each register group. */

import { GicV2, GicV3 } from 'vgic'
import { Bus, type Frame, type Wiring } from 'vgic/mmio'
import { ICENABLER1, ISENABLER1, PRIORITY_OF_34, reads, writes } from './access.ts'
import { life } from './interrupt.ts'
import { enable, GICC, GICD, machine } from './machine.ts'
import type { Loop } from './measure.ts'
import { pair, type Row, type Section } from './row.ts'

const config = { cpus: 4, intids: 1020 }

/** Puts both frames of a GICv2 on a bus and takes them off. */
function registration(wiring: Wiring): Loop {
  const { gicd, gicc } = new GicV2(config).frames
  const bus = new Bus()
  return (count) => {
    let ranges = 0
    for (let i = 0; i < count; i++) {
      const registered = bus.register(...gicd.wire(GICD, wiring), ...gicc.wire(GICC, wiring))
      ranges += registered.length
      bus.unregisterAll(registered)
    }
    return ranges
  }
}

/** How many ranges some frames make on a bus. */
function slots(name: string, frames: readonly Pick<Frame<unknown>, 'wire'>[]): Row {
  const count = (wiring: Wiring) => frames.reduce((sum, frame) => sum + frame.wire(0, wiring).length, 0)
  const baseline = count('frame')
  const value = count('group')
  return { name, value, unit: 'ranges', baseline, ratio: value / baseline, limit: null }
}

export function wiringSection(): Section {
  const frame = machine(config)
  const group = machine(config, 'group')
  for (const own of [frame, group]) enable(own, 40, 0)
  const by = frame.cpus[0]!
  const v2 = frame.gic.frames
  const v3 = new GicV3({ cpus: 8 }).frames
  const compare = (name: string, loop: (own: typeof frame) => Loop) => pair(name, loop(frame), loop(group), null)
  return {
    title: 'A range for each register group',
    baseline: 'a range for each frame',
    rows: [
      slots('ranges of a GICv2', [v2.gicd, v2.gicc]),
      slots('ranges of a GICv3 with 8 PEs', [v3.gicd, ...v3.gicr]),
      ...pair('register and unregister a GICv2', registration('frame'), registration('group'), null),
      ...compare('read GICD_TYPER', ({ bus }) => reads(bus, GICD + 4, 4, by)),
      ...compare('read GICD_ISENABLER1', ({ bus }) => reads(bus, ISENABLER1, 4, by)),
      ...compare('read GICD_IPRIORITYR8 byte 2', ({ bus }) => reads(bus, PRIORITY_OF_34, 1, by)),
      ...compare('write GICD_ISENABLER1, GICD_ICENABLER1', ({ bus }) =>
        writes(bus, ISENABLER1, ICENABLER1, 4, 1 << 20, by),
      ),
      ...compare('an interrupt: raise, acknowledge, lower, end', (own) => life(own, 40, 0)),
    ],
  }
}
