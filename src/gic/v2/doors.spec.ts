/**
 * The three doors of every GICv2 register: an access, a peek that never has an effect and says what a read would, and a
 * restore that puts saved registers back in any order.
 */

import { describe, expect, it } from 'vitest'
import type { Frame } from '../../mmio/index.ts'
import type { GicV2 } from '../index.ts'
import { Random } from '../testing/random.ts'
import { by, Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'

const seed = 23
const isAcknowledge = (frame: Frame<GicV2>, offset: number) =>
  frame.name === 'GICC' && (offset === 0xc || offset === 0x20)

/** Every offset and width of a frame that a register could answer, and some that none does. */
function places(frame: Frame<GicV2>, intids: number): [offset: number, size: 1 | 2 | 4][] {
  const found: [number, 1 | 2 | 4][] = []
  for (let offset = 0; offset < Math.min(frame.size, 0x1008); offset += 4) {
    // Banks of interrupts that do not exist are alike: a few of them are enough.
    const intid = offset >= 0x400 && offset < 0xc00 ? offset & 0x3ff : 0
    if (frame.name === 'GICD' && intid > intids + 8 && offset % 128 !== 0) continue
    found.push([offset, 4], [offset, 2], [offset + 2, 2])
    for (let byte = 0; byte < 4; byte++) found.push([offset + byte, 1])
  }
  return found
}

describe('peek', () => {
  it('of every register at every width by any CPU, in either Security state, changes nothing at all', () => {
    const random = new Random(seed)
    for (let run = 0; run < 30; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      const { gic } = rig
      const before = JSON.stringify(gic.snapshot())
      const signalled = [...gic.signalled]
      gic.listen((event) => expect.fail(`peeking told ${JSON.stringify(event)}`))
      gic.onOutput = () => expect.fail('peeking changed an output')
      for (const frame of [gic.frames.gicd, gic.frames.gicc])
        for (const cpu of [-1, 0, config.cpus - 1, config.cpus, 1000])
          for (const secure of [false, true])
            for (const [offset, size] of places(frame, config.intids)) frame.peek(offset, size, by(cpu, secure))
      expect(JSON.stringify(gic.snapshot())).toBe(before)
      expect([...gic.signalled]).toEqual(signalled)
    }
  })

  it('says what a read then returns, acknowledges included', () => {
    const random = new Random(seed)
    let acknowledged = 0
    for (let run = 0; run < 60; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 300)) rig.take(step)
      const { gicd, gicc } = rig.gic.frames
      const cpu = random.below(config.cpus)
      for (const frame of [gicd, gicc])
        for (const secure of [false, true])
          for (const [offset, size] of places(frame, config.intids)) {
            // A width that the register does not allow reads as zero; peek shows the part asked for.
            const row = frame.table.at(offset)?.row
            if (row !== undefined && !(row.widths & size)) continue
            const peeked = frame.peek(offset, size, by(cpu, secure)) >>> 0
            const read = rig.read(frame === gicd ? 'gicd' : 'gicc', offset, cpu, secure, size)
            if (peeked !== read) expect.fail(`${frame.name} 0x${offset.toString(16)}: peek ${peeked}, read ${read}`)
            if (isAcknowledge(frame, offset) && (read & 0x3ff) < 1020) acknowledged++
          }
    }
    expect(acknowledged).toBeGreaterThan(20)
  })
})

interface Saved {
  frame: 'gicd' | 'gicc'
  offset: number
  cpu: number
  value: number
}

/** Every register as Secure software of each CPU sees it, but the wires and what only follows from the rest. */
function save(gic: GicV2): Saved[] {
  const saved: Saved[] = []
  const follows = ['GICD_PPISR', 'GICD_SPISRn']
  for (const frame of ['gicd', 'gicc'] as const)
    for (const row of gic.frames[frame].table.rows)
      for (let element = 0; element < row.count; element++)
        for (let cpu = 0; cpu < gic.config.cpus; cpu++) {
          if (follows.includes(row.name)) continue
          const offset = row.offset + element * row.width
          saved.push({ frame, offset, cpu, value: gic.frames[frame].peek(offset, 4, by(cpu, true)) >>> 0 })
        }
  return saved
}

describe('restore', () => {
  it('of every register saved by peek, in any order, gives the same registers', () => {
    const random = new Random(seed)
    for (let run = 0; run < 40; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      const saved = save(rig.gic)
      const fresh = gicOf(config)
      for (const { frame, offset, cpu, value } of random.shuffle(saved))
        fresh.frames[frame].restore(offset, value, by(cpu, true))
      for (const [i, { frame, offset, cpu, value }] of save(fresh).entries())
        if (value !== saved[i]!.value)
          expect.fail(
            `seed ${seed}, run ${run}: ${frame} 0x${offset.toString(16)} of CPU ${cpu} was ${saved[i]!.value.toString(16)}, is ${value.toString(16)} in ${JSON.stringify(config)}`,
          )
    }
  })

  it('sends no SGI, takes no interrupt and ends none', () => {
    const config = { ...randomConfig(new Random(1), 96), cpus: 2, security: false }
    const gic = gicOf(config)
    const before = JSON.stringify(gic.snapshot())
    gic.frames.gicd.restore(0xf00, 0x3_0001, by(0, true))
    for (const offset of [0x0c, 0x10, 0x20, 0x24, 0x1000]) gic.frames.gicc.restore(offset, 5, by(0, true))
    expect(JSON.stringify(gic.snapshot())).toBe(before)
  })
})
