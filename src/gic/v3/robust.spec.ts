/**
 * Anything that a guest, a machine or a configuration may do to a GICv3: no exception, no growth; a peek changes nothing;
 * both wirings answer alike; and a configuration that cannot be is refused with what, where and what is allowed.
 */

import { describe, expect, it } from 'vitest'
import { Bus, type Initiator } from '../../mmio/index.ts'
import { ByteMemory, ConfigError, encodeSysreg, GicV3, type GicV3Config, iccEncoding, SysregOutcome } from '../index.ts'
import { Random } from '../testing/random.ts'
import { by } from '../testing/rig-v2.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { memoryFor, randomConfig, stepsOf, systemRegisters, writeOnly } from '../testing/steps-v3.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 31)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

describe('A GICv3 under fuzz', () => {
  it('takes any access by anyone, any system register, any table content, and any order of input changes', () => {
    const random = new Random(seed)
    let events = 0
    for (let run = 0; run < 8 * times; run++) {
      const config = randomConfig(random)
      const memory = memoryFor(config.cpus)
      for (let i = 0; i < memory.length; i += 97) memory[i] = random.below(256)
      // Some memory begins late, so that tables lie outside of it, or end in the middle of it.
      const base = random.pick([0, 0x1000, 0x4000_0000])
      const gic = new GicV3({ ...config, statusRegisters: true }, { memory: new ByteMemory(base, memory) })
      const bus = new Bus()
      bus.register(...gic.frames.gicd.wire(0), ...gic.wireRedistributors([0x100_0000]))
      if (random.chance(2)) gic.listen(() => events++)
      const size = JSON.stringify(gic.snapshot()).length
      for (let i = 0; i < 3000; i++) {
        const cpu = random.pick([0, 0, 1, 2, -1, 31, 1e9, -(2 ** 31), 0.5, Number.NaN])
        const initiator: Initiator = { cpu, secure: random.chance(2), bigEndian: random.chance(4) }
        const width = random.pick([1, 2, 4, 4, 4, 8] as const)
        const pe = random.below(config.cpus)
        const address = random.chance(2)
          ? random.below(random.pick([0x100, 0x1000, 0x10004]))
          : 0x100_0000 + pe * 0x20000 + random.pick([0, 0x10000]) + random.below(random.pick([0x100, 0x1000]))
        switch (random.below(7)) {
          case 0:
            bus.read(address, width, initiator)
            break
          case 1:
          case 2:
            bus.write(address, width, random.word() | 0, random.word() | 0, initiator)
            break
          case 3:
            gic.readSysreg(pe, random.chance(2) ? random.below(0x1_0000) : iccEncoding(random.pick(systemRegisters))!)
            break
          case 4:
            gic.writeSysreg(pe, iccEncoding(random.pick(systemRegisters))!, random.word() | 0, random.word() | 0)
            break
          case 5:
            gic.setExecution(pe, {
              el: random.below(4),
              secure: random.chance(2),
              scrFiq: random.chance(2),
              scrIrq: random.chance(4),
            })
            break
          default:
            if (random.chance(2)) gic.setPpi(pe, random.from(16, 31), random.chance(2))
            else if (config.intids > 32) gic.setSpi(random.from(32, config.intids - 1), random.chance(2))
            memory[random.below(memory.length)] = random.below(256)
        }
      }
      expect(JSON.stringify({ ...gic.snapshot(), redistributors: 0 }).length).toBeLessThan(size * 12)
      gic.savePendingTables()
    }
    expect(events).toBeGreaterThan(200 * times)
  })

  it('drives wires as its state is, and tells each change once, where whoever is told acknowledges at once', () => {
    // With one Security state Group 0 is FIQ and Group 1 IRQ. SPI 32, of Group 1, holds IRQ high.
    const rig = new RigV3(gicOf({ cpus: 1, intids: 64 }))
    const { gic } = rig
    rig.write(0, 0x14, 0)
    rig.write('gicd', 0x0, 3)
    rig.write('gicd', 0x84, 1)
    rig.write('gicd', 0x420, 0x0080)
    rig.write('gicd', 0x104, 3)
    for (const register of ['ICC_IGRPEN0_EL1', 'ICC_IGRPEN1_EL1']) rig.msr(0, register, 1)
    rig.msr(0, 'ICC_PMR_EL1', 0xff)
    gic.setSpi(32, true)
    expect([gic.irq(0), gic.fiq(0)]).toEqual([true, false])
    const told: string[] = []
    let acknowledged = 0n
    gic.onOutput = (_, line, level) => {
      told.push(`${line} ${level}`)
      if (acknowledged === 0n) acknowledged = rig.mrs(0, 'ICC_IAR0_EL1').value
    }
    // SPI 33, of Group 0 and better: IRQ falls, FIQ would rise, and is acknowledged before it is told.
    gic.setSpi(33, true)
    expect(acknowledged).toBe(33n)
    expect([gic.irq(0), gic.fiq(0)]).toEqual([false, false])
    expect(told).toEqual(['irq false'])
  })

  it('answers UNDEFINED for every encoding that is no ICC register, and traps none of them', () => {
    const gic = gicOf({ cpus: 1, nmi: true, security: true, el2: true })
    gic.setExecution(0, { el: 3, secure: false, sctlrNmi: true })
    const named = new Set(systemRegisters.map((name) => iccEncoding(name)))
    let known = 0
    const answered: number[] = []
    for (let encoding = 0; encoding <= 0x1_0000; encoding++) {
      if (gic.peekSysreg(0, encoding) !== undefined) known++
      else if (!named.has(encoding)) {
        const undefinedRead = gic.readSysreg(0, encoding) === 0 && gic.sysregOutcome === SysregOutcome.undefined
        if (!undefinedRead || gic.writeSysreg(0, encoding, -1, -1) !== SysregOutcome.undefined) answered.push(encoding)
      }
    }
    expect(answered).toEqual([])
    // All that can be read but ICC_AP0R1 to 3 and ICC_AP1R1 to 3, which 5 priority bits do not need.
    expect(known).toBe(systemRegisters.filter((name) => !writeOnly.test(name)).length - 6)
    expect(gic.readSysreg(0, encodeSysreg(3, 0, 12, 12, 5))).toBe(7)
  })

  it('is not changed by a peek of any register', () => {
    const random = new Random(seed + 1)
    for (let run = 0; run < 3 * times; run++) {
      const config = randomConfig(random, 96)
      const rig = new RigV3(gicOf({ ...config, statusRegisters: true }))
      for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      const { gic } = rig
      const before = JSON.stringify(gic.snapshot())
      const signalled = gic.cpus.map((cpu) => cpu.signalled)
      for (const secure of [true, false]) {
        for (let offset = 0; offset < 0x10000; offset += 4) gic.frames.gicd.peek(offset, 4, by(0, secure))
        for (let offset = 0; offset < 0x20000; offset += 4) gic.frames.gicr[0]!.peek(offset, 4, by(0, secure))
      }
      for (let pe = 0; pe < config.cpus; pe++)
        for (const name of systemRegisters) {
          const peeked = gic.peekSysreg(pe, iccEncoding(name)!)
          if (writeOnly.test(name)) expect(peeked).toBeUndefined()
        }
      expect(JSON.stringify(gic.snapshot())).toBe(before)
      expect(gic.cpus.map((cpu) => cpu.signalled)).toEqual(signalled)
      // And a peek says what a read says.
      for (const name of systemRegisters) {
        const peeked = gic.peekSysreg(0, iccEncoding(name)!)
        const { outcome, value } = rig.mrs(0, name)
        expect(peeked, name).toBe(outcome === 'ok' ? value : undefined)
      }
    }
  })

  it('takes saved register words through the restore door, in any order, without the effects of a write', () => {
    const random = new Random(23)
    const config = { ...randomConfig(random, 96), security: false, lpis: undefined, directLpis: false }
    const one = new RigV3(gicOf(config))
    for (const step of stepsOf(99, config, 600)) one.take(step)
    const other = gicOf(config)
    const frames = [
      [one.gic.frames.gicd, other.frames.gicd, 0x8000],
      ...one.gic.frames.gicr.map((frame, pe) => [frame, other.frames.gicr[pe]!, 0x11000] as const),
    ] as const
    for (const [from, to, end] of frames)
      for (let offset = end - 4; offset >= 0; offset -= 4)
        to.restore(offset, from.peek(offset, 4, by(0, true)), by(0, true))
    for (const [from, to, end] of frames)
      for (let offset = 0; offset < end; offset += 4)
        if (!(offset >= 0x200 && offset < 0x300) && !(offset >= 0x10200 && offset < 0x10300)) {
          const [found, saved] = [to, from].map((frame) => frame.peek(offset, 4, by(0, true)))
          if (found !== saved) expect.fail(`${from.name} 0x${offset.toString(16)} is ${found}, and was ${saved}`)
        }
  })

  it('answers alike by one bus range for a frame and by one for each register group', () => {
    const random = new Random(seed + 2)
    for (let run = 0; run < 2 * times; run++) {
      const config = { ...randomConfig(random, 96), cpus: 2, affinities: [0, 1] }
      const rigs = [new RigV3(gicOf(config)), new RigV3(gicOf(config), 'group')] as const
      for (const step of stepsOf(random.word(), config, 1000)) {
        const [a, b] = [rigs[0].take(step), rigs[1].take(step)]
        expect(b).toEqual(a)
      }
      expect(rigs[1].gic.snapshot()).toEqual(rigs[0].gic.snapshot())
    }
  })
})

describe('A configuration of a GICv3 that cannot be is refused', () => {
  const of = (config: GicV3Config) => () => new GicV3(config)
  it.each<[string, GicV3Config, string]>([
    ['PEs', { cpus: 513 }, 'cpus: 513 is not a whole number from 1 to 512'],
    ['INTIDs', { intids: 40 }, 'intids: 40 is not a multiple of 32 from 32 to 992, nor 1020'],
    ['extended SPIs', { extendedSpis: 33 }, 'extendedSpis: 33 is not a multiple of 32'],
    ['extended PPIs', { extendedPpis: 16 }, 'extendedPpis: 16 is not 0, 32 or 64'],
    ['priority bits', { priorityBits: 4, security: true }, 'priorityBits: 4 is not a whole number from 5 to 8'],
    ['priority bits', { priorityBits: 3 }, 'priorityBits: 3 is not a whole number from 4 to 8'],
    ['Distributor priority bits', { priorityBits: 7, distributorPriorityBits: 5 }, 'from 7 to 8'],
    ['LPIs', { lpis: { intidBits: 13 } }, 'lpis.intidBits: 13 is not a whole number from 14 to 20'],
    ['direct LPIs', { directLpis: true }, 'directLpis: there are no LPIs; give lpis too'],
    ['regions', { cpus: 4, regions: [1, 2] }, 'regions: they hold 3 redistributors, and there are 4 PEs'],
    ['affinities', { cpus: 2, affinities: [0] }, 'affinities: 1 given for 2 PEs'],
    ['equal affinities', { cpus: 2, affinities: [7, 7] }, 'affinities: PEs 0 and 1 both have 0x7'],
    ['an affinity', { cpus: 1, affinities: [2 ** 32] }, 'affinities[0]'],
    ['an option', { cpu: 1 } as GicV3Config, 'cpu: no such option; there are cpus, affinities'],
  ])('%s', (_, config, message) => {
    expect(of(config)).toThrow(ConfigError)
    expect(of(config)).toThrow(message)
  })

  it('and so is an Exception level that there is not, which no snapshot could hold', () => {
    const gic = gicOf({ cpus: 1, intids: 32 })
    const before = gic.snapshot()
    for (const el of [4, -1, 1.5, Number.NaN]) expect(() => gic.setExecution(0, { el })).toThrow(ConfigError)
    expect(gic.snapshot()).toEqual(before)
    gic.setExecution(0, { el: 3 })
    gic.restore(gic.snapshot())
  })

  it('and so are inputs and PEs that do not exist', () => {
    const gic = gicOf({ cpus: 2, intids: 64, extendedPpis: 32, extendedSpis: 32 })
    for (const intid of [0, 31, 64, 1019, 1056, 4095, 4128, -1, 1.5, Number.NaN])
      expect(() => gic.setSpi(intid, true)).toThrow(ConfigError)
    for (const intid of [0, 15, 32, 1023, 1088, 4096, -1, 17.5])
      expect(() => gic.setPpi(0, intid, true)).toThrow(ConfigError)
    expect(() => gic.setPpi(2, 27, true)).toThrow('PE 2: this GIC has PEs 0 to 1')
    for (const pe of [-1, 2, 0.5]) {
      expect(() => gic.explain(40, pe)).toThrow(ConfigError)
      expect(() => gic.resetCpu(pe)).toThrow(ConfigError)
      expect(() => gic.setExecution(pe, {})).toThrow(ConfigError)
    }
    gic.setSpi(4096, true)
    gic.setPpi(1, 1087, true)
  })
})
