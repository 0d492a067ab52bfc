/**
 * The save and restore doors of a GICv3: whatever is saved through them is put back in any order, with no effect besides, and
 * the GIC is then as it was.
 */

import { describe, expect, it } from 'vitest'
import { ConfigError, iccEncoding, stateSysregs } from '../index.ts'
import { savedV3 } from '../testing/doors.ts'
import { Random } from '../testing/random.ts'
import { by } from '../testing/rig-v2.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, memoryFor, pendingTableOf, randomConfig, stepsOf } from '../testing/steps-v3.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 31)
const times = Number(process.env['VGIC_STEPS'] ?? 1)
const plain = { el: 1, secure: false, scrFiq: false, scrIrq: false, sctlrNmi: false }

/** A GIC whose memory may be read at some times only, and never written. */
function guarded(config: Parameters<typeof gicOf>[0], memory: Uint8Array<ArrayBuffer>) {
  const gic = gicOf(config, memory)
  const guard = { readable: false }
  const { memory: real } = gic
  for (const name of ['read8', 'read32'] as const) {
    const read = real![name].bind(real)
    Object.assign(real!, {
      [name]: (address: number) => (guard.readable ? read(address) : expect.fail(`${name} of guest memory`)),
    })
  }
  for (const name of ['write8', 'write32'] as const)
    Object.assign(real!, { [name]: () => expect.fail(`${name} of guest memory`) })
  return { gic, guard }
}

describe('The doors of a GICv3', () => {
  it('carry its whole state: put into a fresh one in any order, it has the same snapshot and drives the same wires', () => {
    const random = new Random(seed)
    const seen = { lpis: 0, messages: 0, one: 0, nmis: 0, signalled: 0, active: 0 }
    for (let run = 0; run < 24 * times; run++) {
      const config = { ...randomConfig(random, 96), statusRegisters: random.chance(2) }
      const rig = new RigV3(gicOf(config))
      const steps = stepsOf(random.word(), config, random.from(100, 700))
      // GICD_CTLR.DS cannot be undone, and hides what Secure software has set up before.
      const disableAt = random.chance(3) ? random.below(steps.length) : -1
      for (const [i, step] of steps.entries()) {
        if (i === disableAt) rig.write('gicd', 0, 0x47, true)
        rig.take(step)
      }
      const { gic } = rig
      // What an LPI is listed by may be older than its configuration in memory; `resume` reads that anew.
      gic.resume()
      const saved = savedV3(gic)
      const other = guarded(config, rig.memory as Uint8Array<ArrayBuffer>)
      for (const each of random.shuffle(saved)) each.restore(other.gic)
      other.guard.readable = true
      other.gic.resume()
      expect(other.gic.snapshot(), `seed ${seed}, run ${run}, ${JSON.stringify(config)}`).toEqual(gic.snapshot())
      expect(other.gic.cpus.map((cpu) => cpu.signalled)).toEqual(gic.cpus.map((cpu) => cpu.signalled))
      for (let pe = 0; pe < config.cpus; pe++) {
        expect([other.gic.irq(pe), other.gic.fiq(pe)]).toEqual([gic.irq(pe), gic.fiq(pe)])
        seen.lpis += gic.pendingLpis(pe).length
        if (gic.irq(pe) || gic.fiq(pe)) seen.signalled++
      }
      if (config.security && !gic.twoStates) seen.one++
      if (gic.irqs.message.some((word) => word !== 0)) seen.messages++
      if (gic.irqs.nmi.some((word) => word !== 0)) seen.nmis++
      if (gic.irqs.active.some((word) => word !== 0)) seen.active++
    }
    for (const [what, count] of Object.entries(seen)) expect(count, what).toBeGreaterThan(times)
  })

  it('may be used on a GIC that has a state already: nothing of that is left', () => {
    const random = new Random(seed + 1)
    for (let run = 0; run < 8 * times; run++) {
      const config = randomConfig(random, 64)
      const [one, other] = [new RigV3(gicOf(config)), new RigV3(gicOf(config))]
      for (const rig of [one, other]) for (const step of stepsOf(random.word(), config, 400)) rig.take(step)
      other.memory.set(one.memory)
      for (const gic of [one.gic, other.gic]) gic.resume()
      for (const each of random.shuffle(savedV3(one.gic))) each.restore(other.gic)
      other.gic.resume()
      expect(other.gic.snapshot(), `seed ${seed}, run ${run}`).toEqual(one.gic.snapshot())
      expect(other.gic.cpus.map((cpu) => cpu.signalled)).toEqual(one.gic.cpus.map((cpu) => cpu.signalled))
    }
  })

  it('put PTZ back into one whose LPIs are enabled, before GICR_CTLR says that they are not (IHI 0069, GICR_PENDBASER)', () => {
    const config = { cpus: 1, intids: 32, lpis: { intidBits: 14 } }
    const [one, other] = [new RigV3(gicOf(config)), new RigV3(gicOf(config))]
    one.write(0, 0x7c, 0x4000_0000, true)
    other.write(0, 0, 1, true)
    const saved = savedV3(one.gic)
    for (const order of [saved, [...saved].reverse()]) {
      for (const each of order) each.restore(other.gic)
      expect(other.gic.snapshot()).toEqual(one.gic.snapshot())
      other.write(0, 0, 1, true)
    }
    // Never at once: a snapshot refuses that.
    other.gic.frames.gicr[0]!.restore(0x7c, 0x4000_0000, by(0, true))
    other.gic.restore(other.gic.snapshot())
    expect(other.gic.frames.gicr[0]!.save(0x7c, by(0, true))).toBe(0)
  })

  it('make of whatever is put into them a state that a snapshot can have', () => {
    const random = new Random(seed + 2)
    for (let run = 0; run < 8 * times; run++) {
      const config = { ...randomConfig(random, 64), statusRegisters: random.chance(2) }
      const gic = gicOf(config)
      const frames = [gic.frames.gicd, ...gic.frames.gicr]
      for (let n = 0; n < 300; n++) {
        const frame = random.pick(frames)
        const state = [...(n % 50 === 0 ? frame.stateWords(1) : [])]
        for (const { offset } of state)
          if (random.chance(2)) frame.restore(offset, random.word(), by(0, random.chance(2)))
        const offset = random.below(random.pick([0x100, 0x1000, 0x20000]))
        frame.restore(offset & ~3, random.word(), by(random.below(3), random.chance(2)))
        const pe = random.below(config.cpus)
        const { encoding } = random.pick(stateSysregs)
        const value = (BigInt(random.word()) << 32n) | BigInt(random.word())
        gic.restoreSysreg(pe, encoding, random.chance(2) ? value : -value, random.chance(2))
        const intid = 32 * random.below(random.pick([4, 160]))
        gic.restoreLineLevels(intid, random.word(), pe)
        gic.restoreMessageLevels(intid, random.word())
        if (config.lpis && random.chance(3)) gic.restorePendingLpis(pe, [8192 + random.below(8192), 8192])
      }
      gic.resume()
      const other = gicOf(config, memoryFor(config.cpus))
      other.restore(gic.snapshot())
      expect(other.snapshot(), `seed ${seed}, run ${run}`).toEqual(gic.snapshot())
      for (const each of random.shuffle(savedV3(gic))) each.restore(other)
      expect(other.snapshot(), `seed ${seed}, run ${run}`).toEqual(gic.snapshot())
    }
  })

  it('tell nobody of misuse, and leave guest memory alone: GICR_CTLR.EnableLPIs loads and saves no table', () => {
    const config = { cpus: 1, intids: 64, lpis: { intidBits: 14 } }
    const memory = memoryFor(1)
    memory.fill(0xff, pendingTableOf(0), pendingTableOf(0) + 4096)
    const { gic } = guarded(config, memory)
    gic.listen((event) => event.kind === 'misuse' && expect.fail(event.message))
    const gicr = gic.frames.gicr[0]!
    const put = (offset: number, value: number) => gicr.restore(offset, value, by(0, true))
    put(0, 1)
    put(0x78, pendingTableOf(0))
    put(0x70, CONFIGURATION_TABLE + 13)
    expect(gic.pendingLpis(0)).toEqual([])
    expect(gicr.peek(0x70, 4, by(0, true))).toBe(CONFIGURATION_TABLE + 13)
    put(0, 0)
    expect(memory.subarray(pendingTableOf(0), pendingTableOf(0) + 4096).every((byte) => byte === 0xff)).toBe(true)
    gic.frames.gicd.restore(0x104, -1, by(0, true))
    gic.frames.gicd.restore(0xc08, -1, by(0, true))
  })

  it('save the latch of a level-sensitive interrupt without its level, so that it falls with its line', () => {
    const gic = gicOf({ cpus: 1, intids: 64 })
    const { gicd } = gic.frames
    const secure = by(0, true)
    gic.setSpi(40, true)
    expect(gicd.peek(0x204, 4, secure)).toBe(1 << 8)
    expect(gicd.save(0x204, secure)).toBe(0)
    const other = gicOf({ cpus: 1, intids: 64 })
    other.restoreLineLevels(32, gic.lineLevels(32))
    other.frames.gicd.restore(0x204, gicd.save(0x204, secure), secure)
    expect(other.frames.gicd.peek(0x204, 4, secure)).toBe(1 << 8)
    other.setSpi(40, false)
    expect(other.frames.gicd.peek(0x204, 4, secure)).toBe(0)
  })

  it('see no edge where a level of an edge-triggered interrupt is put back', () => {
    const gic = gicOf({ cpus: 2, intids: 64 })
    for (const offset of [0xc08, 0xc0c]) gic.frames.gicd.restore(offset, -1, by(0, true))
    gic.restoreLineLevels(32, -1)
    expect(gic.frames.gicd.peek(0x204, 4, by(0, true))).toBe(0)
    expect(gic.lineLevels(32)).toBe(-1)
    gic.restoreLineLevels(0, -1, 1)
    expect([gic.lineLevels(0, 0), gic.lineLevels(0, 1)]).toEqual([0, 0xffff_0000 | 0])
  })

  it('of levels take 32 INTIDs from a multiple of 32 on, and have nothing where there is no wire', () => {
    const gic = gicOf({ cpus: 1, intids: 64, extendedPpis: 32, extendedSpis: 32 })
    for (const intid of [1, 33, -32, 0.5, Number.NaN])
      expect(() => gic.lineLevels(intid)).toThrow('levels come by 32 INTIDs')
    for (const intid of [64, 992, 1024, 1088, 4064, 4128, 8192, 2 ** 40]) {
      gic.restoreLineLevels(intid, -1)
      gic.restoreMessageLevels(intid, -1)
      expect([gic.lineLevels(intid), gic.messageLevels(intid)]).toEqual([0, 0])
    }
    for (const intid of [32, 1056, 4096]) {
      gic.restoreLineLevels(intid, 5)
      gic.restoreMessageLevels(intid, 6)
      expect([gic.lineLevels(intid), gic.messageLevels(intid)]).toEqual([5, intid === 1056 ? 0 : 6])
    }
    expect(() => gic.lineLevels(0, 1)).toThrow(ConfigError)
    expect(() => gic.restoreLineLevels(0, 0, -1)).toThrow(ConfigError)
  })

  it('of system registers reach both copies from wherever the PE executes, and nothing that has no state', () => {
    const gic = gicOf({ cpus: 1, security: true, priorityBits: 5 })
    gic.setExecution(0, { ...plain, el: 0 })
    const encoding = (name: string) => iccEncoding(name)!
    expect(gic.restoreSysreg(0, encoding('ICC_BPR1_EL1'), 5n, true)).toBe(true)
    expect(gic.restoreSysreg(0, encoding('ICC_BPR1_EL1'), 7n, false)).toBe(true)
    expect(gic.saveSysreg(0, encoding('ICC_BPR1_EL1'), true)).toBe(5n)
    expect(gic.saveSysreg(0, encoding('ICC_BPR1_EL1'), false)).toBe(7n)
    // Bits that are not implemented are dropped, as a write drops them.
    gic.restoreSysreg(0, encoding('ICC_PMR_EL1'), 0xffn)
    expect(gic.saveSysreg(0, encoding('ICC_PMR_EL1'))).toBe(0xf8n)
    for (const name of ['ICC_IAR1_EL1', 'ICC_EOIR1_EL1', 'ICC_SRE_EL1', 'ICC_AP0R1_EL1']) {
      expect(gic.restoreSysreg(0, encoding(name), 1n)).toBe(false)
      expect(gic.saveSysreg(0, encoding(name))).toBeUndefined()
    }
    expect(gicOf({ cpus: 1 }).saveSysreg(0, encoding('ICC_CTLR_EL3'))).toBeUndefined()
  })

  it('of pending LPIs refuse what is no LPI, and hold those that come before their tables', () => {
    const gic = gicOf({ cpus: 1, lpis: { intidBits: 14 } })
    expect(() => gic.restorePendingLpis(0, [8191])).toThrow('INTID 8191: not an LPI of this GIC')
    expect(() => gic.restorePendingLpis(0, [16384])).toThrow(ConfigError)
    gic.restorePendingLpis(0, [8192, 16383])
    expect(gic.pendingLpis(0)).toEqual([])
    const gicr = gic.frames.gicr[0]!
    gicr.restore(0, 1, by(0, true))
    expect(gic.pendingLpis(0)).toEqual([])
    gicr.restore(0x70, CONFIGURATION_TABLE + 13, by(0, true))
    expect(gic.pendingLpis(0)).toEqual([8192, 16383])
    gicr.restore(0x70, CONFIGURATION_TABLE, by(0, true))
    gicr.restore(0x70, CONFIGURATION_TABLE + 13, by(0, true))
    expect(gic.pendingLpis(0)).toEqual([8192, 16383])
    gic.restorePendingLpis(0, [])
    expect(gic.pendingLpis(0)).toEqual([])
  })
})
