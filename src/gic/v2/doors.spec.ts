/**
 * The three doors of every GICv2 register: an access, a peek that never has an effect and says what a read would, and a
 * save and restore, which put the whole state back in any order.
 */

import { describe, expect, it } from 'vitest'
import type { Frame } from '../../mmio/index.ts'
import type { GicV2 } from '../index.ts'
import { savedV2 } from '../testing/doors.ts'
import { Random } from '../testing/random.ts'
import { by, Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 23)
const times = Number(process.env['VGIC_STEPS'] ?? 1)
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
    for (let run = 0; run < 8 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      const { gic } = rig
      const before = JSON.stringify(gic.snapshot())
      const signalled = gic.cpus.map((cpu) => cpu.signalled)
      gic.listen((event) => expect.fail(`peeking told ${JSON.stringify(event)}`))
      gic.onOutput = () => expect.fail('peeking changed an output')
      for (const frame of [gic.frames.gicd, gic.frames.gicc])
        for (const cpu of [-1, 0, config.cpus - 1, config.cpus, 1000])
          for (const secure of [false, true])
            for (const [offset, size] of places(frame, config.intids)) frame.peek(offset, size, by(cpu, secure))
      expect(JSON.stringify(gic.snapshot())).toBe(before)
      expect(gic.cpus.map((cpu) => cpu.signalled)).toEqual(signalled)
    }
  })

  it('says what a read then returns, acknowledges included', () => {
    const random = new Random(seed)
    let acknowledged = 0
    for (let run = 0; run < 20 * times; run++) {
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
    expect(acknowledged).toBeGreaterThan(5 * times)
  })
})

describe('restore', () => {
  it('of everything that the doors save, in any order, gives the same snapshot and the same wires', () => {
    const random = new Random(seed)
    const seen = { levels: 0, active: 0, signalled: 0, sources: 0 }
    for (let run = 0; run < 30 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      const { gic } = rig
      const fresh = gicOf(config)
      for (const each of random.shuffle(savedV2(gic))) each.restore(fresh)
      expect(fresh.snapshot(), `seed ${seed}, run ${run}, ${JSON.stringify(config)}`).toEqual(gic.snapshot())
      expect(fresh.cpus.map((cpu) => cpu.signalled)).toEqual(gic.cpus.map((cpu) => cpu.signalled))
      for (let cpu = 0; cpu < config.cpus; cpu++) {
        expect([fresh.irq(cpu), fresh.fiq(cpu)]).toEqual([gic.irq(cpu), gic.fiq(cpu)])
        if (gic.irq(cpu) || gic.fiq(cpu)) seen.signalled++
      }
      const { irqs } = gic
      if (irqs.line.some((word, i) => (word & ~irqs.edge[i]! & ~irqs.latch[i]!) !== 0)) seen.levels++
      if (irqs.active.some((word) => word !== 0)) seen.active++
      if (irqs.activeSource.some((source) => source !== 0)) seen.sources++
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(2 * times)
  })

  it('into a GIC that has a state already leaves nothing of that', () => {
    const random = new Random(seed + 1)
    for (let run = 0; run < 10 * times; run++) {
      const config = randomConfig(random, 96)
      const [one, other] = [new Rig(gicOf(config)), new Rig(gicOf(config))]
      for (const rig of [one, other]) for (const step of stepsOf(random.word(), config, 300)) rig.take(step)
      for (const each of random.shuffle(savedV2(one.gic))) each.restore(other.gic)
      expect(other.gic.snapshot(), `seed ${seed}, run ${run}`).toEqual(one.gic.snapshot())
      expect(other.gic.cpus.map((cpu) => cpu.signalled)).toEqual(one.gic.cpus.map((cpu) => cpu.signalled))
    }
  })

  it('of anything makes a state that a snapshot can have', () => {
    const random = new Random(seed + 2)
    for (let run = 0; run < 12 * times; run++) {
      const config = randomConfig(random, 96)
      const gic = gicOf(config)
      for (const frame of [gic.frames.gicd, gic.frames.gicc])
        for (let n = 0; n < 6; n++)
          for (let offset = 0; offset < Math.min(frame.size, 0x1010); offset += 4)
            if (random.chance(3))
              frame.restore(offset, random.word(), by(random.from(-1, config.cpus + 1), random.chance(2)))
      for (let intid = 0; intid < 1024; intid += 32)
        gic.restoreLineLevels(intid, random.word(), random.below(config.cpus))
      const other = gicOf(config)
      other.restore(gic.snapshot())
      expect(other.snapshot(), `seed ${seed}, run ${run}, ${JSON.stringify(config)}`).toEqual(gic.snapshot())
    }
  })

  it('of GICD_ISPENDR makes no latch of a level: saved without it, the interrupt falls with its line', () => {
    const config = { ...randomConfig(new Random(1), 96), cpus: 1, intids: 64, security: false }
    const [one, other] = [gicOf(config), gicOf(config)]
    const secure = by(0, true)
    one.setSpi(40, true)
    expect([one.frames.gicd.peek(0x204, 4, secure), one.frames.gicd.save(0x204, secure)]).toEqual([1 << 8, 0])
    other.frames.gicd.restore(0x204, one.frames.gicd.save(0x204, secure), secure)
    other.restoreLineLevels(32, one.lineLevels(32))
    expect(other.frames.gicd.peek(0x204, 4, secure)).toBe(1 << 8)
    other.setSpi(40, false)
    expect(other.frames.gicd.peek(0x204, 4, secure)).toBe(0)
  })

  it('of levels takes 32 INTIDs from a multiple of 32 on, sees no edge, and has no wire for SGIs', () => {
    const gic = gicOf({ ...randomConfig(new Random(1), 96), cpus: 2, intids: 64 })
    gic.frames.gicd.restore(0xc08, -1, by(0, true))
    gic.restoreLineLevels(32, 0xff)
    gic.restoreLineLevels(0, -1, 1)
    gic.restoreLineLevels(64, -1)
    gic.restoreLineLevels(1024, -1)
    expect(gic.frames.gicd.peek(0x204, 4, by(0, true))).toBe(0)
    expect([0, 32, 64, 1024].map((intid) => gic.lineLevels(intid, 1))).toEqual([0xffff_0000 | 0, 0xff, 0, 0])
    expect(gic.lineLevels(0, 0)).toBe(0)
    for (const intid of [1, -32, 0.5, Number.NaN])
      expect(() => gic.restoreLineLevels(intid, 0)).toThrow('levels come by 32 INTIDs')
    expect(() => gic.lineLevels(0, 2)).toThrow('CPU 2')
    expect(() => gic.restoreActiveSgiSource(0, 16, 0)).toThrow('INTID 16')
    expect(() => gic.restoreActiveSgiSource(0, 0, 2)).toThrow('CPU 2')
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
