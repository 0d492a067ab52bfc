/**
 * Anything that a guest, a machine or a configuration may do to a GICv2: no exception, no growth; both wirings and both
 * byte orders answer alike; and a configuration that cannot be is refused with what, where and what is allowed.
 */

import { describe, expect, it } from 'vitest'
import { type AccessSize, Bus, type Initiator, RangeConflictError, swap32 } from '../../mmio/index.ts'
import { ConfigError, GicV2, type GicV2Config } from '../index.ts'
import { Random } from '../testing/random.ts'
import { bases, by, Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 31)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

describe('A GICv2 under fuzz', () => {
  it('takes any access of any width at any offset by anyone, and any order of input changes, without an exception', () => {
    const random = new Random(seed)
    let events = 0
    for (let run = 0; run < 15 * times; run++) {
      const config: GicV2Config = {
        ...randomConfig(random),
        msi: random.chance(2) ? undefined : { base: 32, count: 0 },
      }
      if (config.msi) Object.assign(config.msi, { count: 1 })
      if (config.intids === 32) config.msi = undefined
      const gic = new GicV2(config)
      const bus = new Bus()
      const { gicd, gicc, v2m } = gic.frames
      bus.register(...gicd.wire(0), ...gicc.wire(0x1_0000), ...(v2m?.wire(0x2_0000) ?? []))
      // With a listener the paths that build events and explanations run, too.
      if (random.chance(2)) gic.listen(() => events++)
      const size = JSON.stringify(gic.snapshot()).length
      for (let i = 0; i < 4000; i++) {
        const cpu = random.pick([0, 0, 1, 2, 7, -1, 8, 31, 1e9, -(2 ** 31), 0.5, Number.NaN])
        const initiator: Initiator = { cpu, secure: random.chance(2), bigEndian: random.chance(4) }
        const width = random.pick([1, 2, 4, 4, 4, 8] as const)
        const address = random.pick([0, 0x1_0000, 0x2_0000]) + random.below(0x2010)
        switch (random.below(5)) {
          case 0:
          case 1:
            bus.read(address, width, initiator)
            break
          case 2:
          case 3:
            bus.write(address, width, random.word() | 0, random.word() | 0, initiator)
            break
          default:
            if (random.chance(2)) gic.setPpi(random.below(gic.config.cpus), random.from(16, 31), random.chance(2))
            else if (gic.config.intids > 32) gic.setSpi(random.from(32, gic.config.intids - 1), random.chance(2))
        }
      }
      // The state has one size: its numbers may have more digits, never more entries.
      expect(JSON.stringify(gic.snapshot()).length).toBeLessThan(size * 12)
      expect(gic.irqs.dirty).toBe(0)
    }
    expect(events).toBeGreaterThan(400 * times)
  })

  it('drives wires as its state is, and tells each change once, where whoever is told acknowledges at once', () => {
    // FIQEn: Group 0 is FIQ, Group 1 is IRQ. SPI 32, of Group 1, holds IRQ high.
    const gic = new GicV2({ cpus: 1, intids: 64, security: true })
    const rig = new Rig(gic)
    rig.write('gicd', 0x0, 3, 0, true)
    rig.write('gicd', 0x84, 1, 0, true)
    rig.write('gicd', 0x420, 0x0040, 0, true)
    rig.write('gicd', 0x104, 3, 0, true)
    rig.write('gicc', 0x4, 0xff, 0, true)
    rig.write('gicc', 0x0, 0xb, 0, true)
    gic.setSpi(32, true)
    const told: string[] = []
    let acknowledged = -1
    gic.onOutput = (_, line, level) => {
      told.push(`${line} ${level}`)
      if (acknowledged < 0) acknowledged = rig.read('gicc', 0xc, 0, true)
    }
    rig.write('gicd', 0x420, 0x0080, 0, true)
    expect([gic.irq(0), gic.fiq(0), acknowledged]).toEqual([true, false, -1])
    // SPI 33, of Group 0 and better: IRQ falls, FIQ would rise, and is acknowledged before it is told.
    gic.setSpi(33, true)
    expect(acknowledged).toBe(33)
    expect([gic.irq(0), gic.fiq(0)]).toEqual([false, false])
    expect(told).toEqual(['irq false'])
  })

  it('refuses, by name, inputs that do not exist', () => {
    const gic = new GicV2({ cpus: 2, intids: 64 })
    expect(() => gic.setSpi(64, true)).toThrow('INTID 64: this input takes 32 to 63')
    expect(() => gic.setSpi(31, true)).toThrow(ConfigError)
    expect(() => gic.setSpi(Number.NaN, true)).toThrow(ConfigError)
    expect(() => gic.setPpi(0, 15, true)).toThrow('INTID 15: this input takes 16 to 31')
    expect(() => gic.setPpi(2, 16, true)).toThrow('CPU 2: this GIC has CPUs 0 to 1')
    expect(() => gic.setLegacy(-1, 'irq', true)).toThrow(ConfigError)
  })
})

describe('Both wirings of a GICv2', () => {
  it('answer alike on random accesses: a bus range for the frame, and one for each register group', () => {
    const random = new Random(seed)
    for (let run = 0; run < 12 * times; run++) {
      const config = randomConfig(random, 96)
      const [one, other] = [new Rig(gicOf(config), 'frame'), new Rig(gicOf(config), 'group')]
      for (const step of stepsOf(random.word(), config, 1500)) {
        const [a, b] = [one.take(step), other.take(step)]
        if (a !== b) expect.fail(`run ${run}: ${JSON.stringify(step)} gives ${a} and ${b}`)
      }
      // Every width at every offset, where bus ranges of registers may cut an access in two.
      for (const frame of ['gicd', 'gicc'] as const)
        for (let offset = 0; offset < 0x1008; offset++)
          for (const size of [1, 2, 4, 8] as const) {
            const [a, b] = [one.read(frame, offset, 0, true, size), other.read(frame, offset, 0, true, size)]
            if (a !== b) expect.fail(`${frame} 0x${offset.toString(16)} of ${size} bytes: ${a} and ${b}`)
          }
      expect(other.gic.snapshot()).toEqual(one.gic.snapshot())
    }
  })
})

describe('A big-endian initiator', () => {
  it('sees and writes the same words with their bytes turned round, bytes as they are', () => {
    const random = new Random(seed)
    const config = { ...randomConfig(random, 96), cpus: 2, security: false }
    const [little, big] = [new Rig(gicOf(config)), new Rig(gicOf(config))]
    const bigEndian = [0, 1].map((cpu): Initiator => ({ cpu, secure: true, bigEndian: true }))
    const turned = (value: number, size: AccessSize) => (size === 4 ? swap32(value) : value) >>> 0
    for (const step of stepsOf(random.word(), config, 4000)) {
      if (step.op === 'read' || step.op === 'write') {
        const { frame, offset, size, cpu } = step
        const by = bigEndian[cpu]
        if (by === undefined || (size !== 1 && size !== 4)) continue
        const address = bases[frame] + offset
        if (step.op === 'write') {
          big.bus.write(address, size, turned(step.value, size) | 0, 0, by)
          little.take({ ...step, secure: true })
        } else {
          const value = turned(big.bus.read(address, size, by), size)
          expect(value).toBe(little.take({ ...step, secure: true }))
        }
      } else if (step.op === 'line') {
        little.take(step)
        big.take(step)
      }
    }
    expect(big.gic.snapshot()).toEqual(little.gic.snapshot())
  })
})

const wrong: readonly (readonly [GicV2Config, string])[] = [
  [{ cpus: 9 }, 'cpus: 9 is not a whole number from 1 to 8'],
  [{ cpus: 0 }, 'cpus: 0 is not'],
  [{ cpus: 1.5 }, 'cpus: 1.5 is not'],
  [{ intids: 1024 }, 'intids: 1024 is not a whole number from 32 to 1020'],
  [{ intids: 100 }, 'intids: 100 is not a multiple of 32 from 32 to 992, nor 1020'],
  [{ intids: 0 }, 'intids: 0 is not'],
  [{ priorityBits: 3 }, 'priorityBits: 3 is not a whole number from 4 to 8'],
  [{ priorityBits: 9 }, 'priorityBits: 9 is not'],
  [{ priorityBits: 4, security: true }, 'priorityBits: 4 is not a whole number from 5 to 8'],
  [{ security: 'yes' as never }, 'security: yes is not true or false'],
  [{ sgiEnable: 'never' as never }, 'sgiEnable: never is not always or programmable'],
  [{ ppiConfig: 1 as never }, 'ppiConfig: 1 is not fixed or programmable'],
  [{ distributorIidr: -1 }, 'distributorIidr: -1 is not a whole number from 0 to 4294967295'],
  [{ msi: { base: 31, count: 1 } }, 'msi.base: 31 is not a whole number from 32 to 287'],
  [{ msi: { base: 280, count: 9 } }, 'msi.count: 9 is not a whole number from 1 to 8'],
  [{ msi: null as never }, 'msi: null is not { base, count }'],
  [{ cpu: 4 } as never, 'cpu: no such option; there are cpus, intids,'],
]

describe('A configuration that no GICv2 can have is refused with what and what is allowed', () => {
  it.each(wrong)('%j', (config, message) => {
    expect(() => new GicV2(config)).toThrow(ConfigError)
    expect(() => new GicV2(config)).toThrow(message)
  })

  it('and the limits themselves are allowed', () => {
    for (const config of [
      { cpus: 8, intids: 1020, priorityBits: 8 },
      { cpus: 1, intids: 32, priorityBits: 4 },
    ])
      expect(new GicV2(config).config).toMatchObject(config)
  })

  it('frames that overlap are refused with both names, and none of them is on the bus', () => {
    const { gicd, gicc } = new GicV2().frames
    const bus = new Bus()
    bus.register(...gicd.wire(0x800_1000))
    expect(() => bus.register(...gicc.wire(0x800_0000))).toThrow(RangeConflictError)
    expect(() => bus.register(...gicc.wire(0x800_0000))).toThrow(/GICC .*overlaps GICD/)
    expect(bus.ranges()).toHaveLength(1)
  })

  it('a misplaced base is refused', () => {
    const { gicd } = new GicV2().frames
    for (const base of [-4096, 0.5, 0x800_0002, 2 ** 52]) {
      expect(() => new Bus().register(...gicd.wire(base)), String(base)).toThrow(RangeError)
      expect(() => new Bus().register(...gicd.wire(base, 'group')), String(base)).toThrow(RangeError)
    }
  })

  it('an initiator that is no CPU of this GIC finds its banked registers RAZ/WI', () => {
    const rig = new Rig(new GicV2({ cpus: 2, intids: 64 }))
    for (const cpu of [-1, 2, 255]) {
      for (const offset of [0x100, 0x400, 0x800, 0xd00]) expect(rig.read('gicd', offset, cpu)).toBe(0)
      for (const offset of [0x0, 0x4, 0xc, 0x14, 0x18]) expect(rig.read('gicc', offset, cpu)).toBe(0)
      rig.write('gicd', 0xf00, 0x3_0001, cpu)
      expect(rig.gic.frames.gicd.peek(0x200, 4, by(0, true))).toBe(0)
    }
  })
})
