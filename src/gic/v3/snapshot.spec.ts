/** Snapshots of a GICv3: restoring and continuing is never having stopped; what is wrong with one is refused by name. */

import { describe, expect, it } from 'vitest'
import { type GicV3, SnapshotError } from '../index.ts'
import { savedV3 } from '../testing/doors.ts'
import { Random } from '../testing/random.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, pendingTableOf, randomConfig, stepsOf } from '../testing/steps-v3.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 14)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

// biome-ignore lint/suspicious/noExplicitAny: a snapshot to be spoilt anywhere.
type Loose = any
const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value)) as unknown

/** Five LPIs pending on PE 0, one of them disabled. */
function withLpis(): RigV3 {
  const rig = new RigV3(gicOf({ cpus: 2, lpis: { intidBits: 14 }, directLpis: true, nmi: true, security: true }))
  rig.memory.fill(0x81, CONFIGURATION_TABLE, CONFIGURATION_TABLE + 16)
  rig.memory[CONFIGURATION_TABLE + 3] = 0
  rig.write(0, 0x70, CONFIGURATION_TABLE + 13, true, 8)
  rig.write(0, 0x78, pendingTableOf(0), true, 8)
  rig.write(0, 0, 1, true)
  for (let n = 0; n < 5; n++) rig.write(0, 0x40, 8192 + n)
  return rig
}

describe('A snapshot of a GICv3', () => {
  it('restored into a fresh GIC continues as if it had never stopped', () => {
    const random = new Random(seed)
    let told = 0
    let lpis = 0
    for (let run = 0; run < 12 * times; run++) {
      const config = randomConfig(random, run % 10 === 0 ? 1020 : 96)
      const steps = stepsOf(random.word(), config, 700)
      const stopAt = random.from(100, 500)
      const one = new RigV3(gicOf(config))
      for (const step of steps.slice(0, stopAt)) one.take(step)
      // What an LPI is listed by may be older than its configuration in memory; a restore reads that anew.
      for (let pe = 0; pe < config.cpus; pe++) one.gic.invalidateAllLpis(pe)
      const saved = copy(one.gic.snapshot())
      expect(saved).toEqual(one.gic.snapshot())
      for (const { lpis: pending } of one.gic.redistributors) lpis += pending?.pendingList().length ?? 0

      const other = new RigV3(gicOf(config))
      for (const step of stepsOf(random.word(), config, 60)) other.take(step)
      other.memory.set(one.memory)
      other.gic.restore(saved)
      for (const [pe, stack] of one.acknowledged.entries()) other.acknowledged[pe] = [...stack]
      const wires: [string[], string[]] = [[], []]
      one.gic.onOutput = (...change) => wires[0].push(change.join())
      other.gic.onOutput = (...change) => wires[1].push(change.join())
      for (const [i, step] of steps.slice(stopAt).entries()) {
        const where = `seed ${seed}, run ${run}, step ${i} after the restore`
        const [a, b] = [one.take(step), other.take(step)]
        if (a.outcome !== b.outcome || a.value !== b.value) expect.fail(`${where}: ${a.value} and ${b.value}`)
        for (let pe = 0; pe < config.cpus; pe++) {
          if (one.gic.irq(pe) !== other.gic.irq(pe) || one.gic.fiq(pe) !== other.gic.fiq(pe)) expect.fail(where)
          if (one.gic.superpriority(pe) !== other.gic.superpriority(pe)) expect.fail(where)
        }
      }
      expect(wires[1], `run ${run}`).toEqual(wires[0])
      told += wires[0].length
      expect(other.gic.snapshot()).toEqual(one.gic.snapshot())
      expect(Buffer.compare(other.memory, one.memory)).toBe(0)
    }
    expect(told).toBeGreaterThan(60 * times)
    expect(lpis).toBeGreaterThan(6 * times)
  })

  it('is the same after a restore at every step of a random sequence', () => {
    const random = new Random(seed + 1)
    for (let run = 0; run < times; run++) {
      const config = { ...randomConfig(random, 64), cpus: 2, affinities: [0, 1] }
      const rig = new RigV3(gicOf(config))
      const other = gicOf(config, rig.memory as Uint8Array<ArrayBuffer>)
      for (const step of stepsOf(random.word(), config, 150)) {
        rig.take(step)
        for (const pe of [0, 1]) rig.gic.invalidateAllLpis(pe)
        const saved = rig.gic.snapshot()
        other.restore(saved)
        expect(other.snapshot()).toEqual(saved)
        expect(other.cpus.map((cpu) => cpu.signalled)).toEqual(rig.gic.cpus.map((cpu) => cpu.signalled))
      }
    }
  })

  it('of a GIC after a reset is that of a new one, but for its input wires and where its PEs execute', () => {
    const config = { ...randomConfig(new Random(3), 96), cpus: 2, affinities: [0, 1] }
    const rig = new RigV3(gicOf(config))
    for (const step of stepsOf(5, config, 800)) rig.take(step)
    rig.gic.reset()
    for (const pe of [0, 1])
      rig.gic.setExecution(pe, { el: 1, secure: false, scrFiq: false, scrIrq: false, sctlrNmi: false })
    const fresh = gicOf(config).snapshot()
    expect({ ...rig.gic.snapshot(), line: 0 }).toEqual({ ...fresh, line: 0 })
  })

  it('holds pending LPIs by number, and not what is in guest memory', () => {
    const rig = withLpis()
    const saved = rig.gic.snapshot() as unknown as { redistributors: { lpis: number[] | null }[] }
    expect(saved.redistributors.map(({ lpis }) => lpis)).toEqual([[8192, 8193, 8194, 8195, 8196], null])
  })
})

describe('A snapshot that cannot be restored is refused by name, and the GIC stays as it is', () => {
  const refusal = (gic: GicV3, snapshot: unknown): string => {
    const before = copy(gic.snapshot())
    let message = 'nothing was refused'
    try {
      gic.restore(snapshot)
    } catch (error) {
      expect(error).toBeInstanceOf(SnapshotError)
      message = (error as Error).message
    }
    expect(gic.snapshot()).toEqual(before)
    return message
  }
  const change = (path: string, value: unknown): string => {
    const { gic } = withLpis()
    const saved = copy(gic.snapshot()) as Record<string, unknown>
    const keys = path.split('.')
    let at: Record<string, unknown> = saved
    for (const key of keys.slice(0, -1)) at = at[key] as Record<string, unknown>
    at[keys[keys.length - 1]!] = value
    return refusal(gic, saved)
  }

  it.each([
    ['format', 'vgic-gicv2', 'snapshot.format: the format is "vgic-gicv3" here, and "vgic-gicv2" in the snapshot'],
    ['version', 1, 'snapshot.version: the version is 2 here, and 1 in the snapshot'],
    ['config.cpus', 3, 'snapshot.config.cpus: the configuration is 2 here, and 3 in the snapshot'],
    ['extra', 1, 'snapshot.extra: no such part'],
    ['groupEnables', 8, 'snapshot.groupEnables: expected a whole number from 0 to 7'],
    ['cpus.0.bpr.2', 2, 'snapshot.cpus[0].bpr[2]: expected a whole number from 3 to 7'],
    ['cpus.0.pmr', 1, 'snapshot.cpus[0].pmr: bits 0x1 cannot be set in this configuration'],
    ['cpus.1.el', 4, 'snapshot.cpus[1].el: expected a whole number from 0 to 3'],
    ['redistributors.0.dpg', 1, 'snapshot.redistributors[0].dpg: bits 0x1 cannot be set in this configuration'],
    [
      'redistributors.0.pendbaserLow',
      1,
      'snapshot.redistributors[0].pendbaserLow: bits 0x1 cannot be set in this configuration',
    ],
    ['redistributors.0.lpis', [8191], 'snapshot.redistributors[0].lpis[0]: expected an INTID from 8192 to 16383'],
    ['redistributors.0.lpis', [8193, 8192, 8193], 'snapshot.redistributors[0].lpis: has an INTID twice'],
    ['redistributors.0.lpis', 'all', 'snapshot.redistributors[0].lpis: expected null or an array of INTIDs'],
    ['enabled', [1], 'snapshot.enabled: expected an array of 33 numbers'],
    ['twoStates', 1, 'snapshot.twoStates: expected true or false'],
    ['edge.1', 0xfffe, 'snapshot.edge[1]: SGIs are edge-triggered'],
    ['line.0', 1, 'snapshot.line[0]: bits 0x1 cannot be set in this configuration'],
    ['message.1', 0x10000, 'snapshot.message[1]: bits 0x10000 cannot be set in this configuration'],
    ['nsacr.0.0', 0x10000, 'snapshot.nsacr[0][0]: bits 0x10000 cannot be set in this configuration'],
    ['nsacr.1.2', 1, 'snapshot.nsacr[1][2]: grants what snapshot.nsacr[0][2] does not'],
    ['latch.32', 1, 'snapshot.latch[32]: bits 0x1 cannot be set in this configuration'],
    ['routeLow.64', 0x0100_0000, 'snapshot.routeLow[64]: bits 0x1000000 cannot be set in this configuration'],
    ['routeLow.16', 1, 'snapshot.routeLow[16]: bits 0x1 cannot be set in this configuration'],
    ['cpus.0.activeNmi', 1, 'snapshot.cpus[0].activeNmi: bits 0x1 cannot be set in this configuration'],
    ['cpus.0.apr.2.1', 1, 'snapshot.cpus[0].apr[2][1]: bits 0x1 cannot be set in this configuration'],
    ['statusr.nonSecure', 1, 'snapshot.statusr.nonSecure: bits 0x1 cannot be set in this configuration'],
    [
      'redistributors.0.pendbaserHigh',
      2 ** 30,
      'snapshot.redistributors[0].pendbaserHigh: PTZ is set while LPIs are enabled',
    ],
    [
      'redistributors.0.propbaserLow',
      CONFIGURATION_TABLE + 12,
      'snapshot.redistributors[0].lpis[0]: 8192 is beyond what propbaserLow covers (IDbits)',
    ],
  ])('%s', (path, value, message) => {
    expect(change(path, value)).toBe(message)
  })

  it('Secure Group 1 with one Security state', () => {
    const rig = new RigV3(gicOf({ security: true }))
    rig.write('gicd', 0, 0x47, true)
    const saved = copy(rig.gic.snapshot()) as Record<string, unknown>
    expect(saved).toMatchObject({ twoStates: false, groupEnables: 5 })
    expect(refusal(rig.gic, { ...saved, groupEnables: 7 })).toBe(
      'snapshot.groupEnables: Secure Group 1 is enabled, and there is one Security state (DS is 1)',
    )
  })

  it('what only a configuration of another kind could have', () => {
    const bare = gicOf({ oneOfN: false, messageSpis: false })
    const changed = (change: (saved: Loose) => void) => {
      const saved = copy(bare.snapshot()) as Loose
      change(saved)
      return refusal(bare, saved)
    }
    const cannot = (where: string) =>
      new RegExp(`^snapshot.${where}: (bits \\S+ )?cannot be (set|true) in this configuration$`)
    expect(changed((saved) => (saved.twoStates = true))).toMatch(cannot('twoStates'))
    expect(changed((saved) => (saved.message[2] = 1))).toMatch(cannot('message\\[2\\]'))
    expect(changed((saved) => (saved.nsacr[0][2] = 1))).toMatch(cannot('nsacr\\[0\\]\\[2\\]'))
    expect(changed((saved) => (saved.modifier[2] = 1))).toMatch(cannot('modifier\\[2\\]'))
    expect(changed((saved) => (saved.nmi[2] = 1))).toMatch(cannot('nmi\\[2\\]'))
    expect(changed((saved) => (saved.routeLow[64] = 2 ** 31))).toMatch(cannot('routeLow\\[64\\]'))
    expect(changed((saved) => (saved.cpus[0].enables = 2))).toMatch(cannot('cpus\\[0\\].enables'))
    expect(changed((saved) => (saved.cpus[0].cbpr = 1))).toMatch(cannot('cpus\\[0\\].cbpr'))
    expect(changed((saved) => (saved.cpus[0].eoiModeEl3 = true))).toMatch(cannot('cpus\\[0\\].eoiModeEl3'))
    expect(changed((saved) => (saved.cpus[0].apr[1][0] = 1))).toMatch(cannot('cpus\\[0\\].apr\\[1\\]\\[0\\]'))
    expect(changed((saved) => (saved.redistributors[0].dpg = 1 << 24))).toMatch(cannot('redistributors\\[0\\].dpg'))
  })

  it('a bit of a random state turned: refused, or a state that the registers can have', () => {
    const random = new Random(seed + 3)
    let refused = 0
    let taken = 0
    for (let run = 0; run < 5 * times; run++) {
      const config = { ...randomConfig(random, 64), extendedSpis: 0 }
      const rig = new RigV3(gicOf(config))
      for (const step of stepsOf(random.word(), config, 150)) rig.take(step)
      const [other, another] = [gicOf(config, rig.memory as Uint8Array<ArrayBuffer>), gicOf(config)]
      for (let turn = 0; turn < 25; turn++) {
        const saved = copy(rig.gic.snapshot()) as Loose
        let at = saved
        for (;;) {
          const key = random.pick(Object.keys(at).filter((name) => name !== 'config'))
          const below = at[key]
          if (typeof below === 'object' && below !== null && Object.keys(below).length > 0) at = below
          else {
            if (typeof below === 'boolean') at[key] = !below
            else if (typeof below === 'number') at[key] = (below ^ (1 << random.below(32))) >>> 0
            break
          }
        }
        try {
          other.restore(saved)
        } catch (error) {
          refused++
          if (!(error instanceof SnapshotError)) throw error
          continue
        }
        taken++
        expect(other.snapshot()).toEqual(saved)
        for (const each of savedV3(other)) each.restore(another)
        expect(another.snapshot()).toEqual(saved)
      }
    }
    expect(refused).toBeGreaterThan(15 * times)
    expect(taken).toBeGreaterThan(15 * times)
  })

  it('LPIs where there are none, or a table that is not configured', () => {
    const gic = gicOf({ cpus: 1 })
    const saved = copy(gic.snapshot()) as { redistributors: { lpis: unknown; propbaserLow: number }[] }
    saved.redistributors[0]!.lpis = []
    expect(refusal(gic, saved)).toBe('snapshot.redistributors[0].lpis: LPIs are not configured here')
    saved.redistributors[0]!.lpis = null
    saved.redistributors[0]!.propbaserLow = 0x1000
    expect(refusal(gic, saved)).toContain('propbaserLow')
  })

  it('whatever it holds: only ever a SnapshotError', () => {
    const random = new Random(seed - 1)
    const { gic } = withLpis()
    const values = [
      undefined,
      null,
      -1,
      0.5,
      2 ** 53,
      Number.NaN,
      'x',
      {},
      [],
      [null],
      true,
      0xffff_ffff,
      { length: 3 },
    ]
    let refused = 0
    let taken = 0
    for (let run = 0; run < 150 * times; run++) {
      const saved = copy(gic.snapshot()) as Record<string, unknown>
      for (let n = random.from(1, 2); n > 0; n--) {
        let at = saved
        for (;;) {
          const key = random.pick(Object.keys(at))
          const next = at[key]
          if (typeof next === 'object' && next !== null && Object.keys(next).length > 0 && !random.chance(4))
            at = next as Record<string, unknown>
          else {
            if (random.chance(5)) delete at[key]
            else at[key] = random.pick(values)
            break
          }
        }
      }
      try {
        gic.restore(saved)
        taken++
        expect(gic.snapshot()).toEqual(saved)
      } catch (error) {
        refused++
        if (!(error instanceof SnapshotError)) throw error
      }
    }
    expect(refused).toBeGreaterThan(100 * times)
    expect(taken).toBeGreaterThan(0)
    for (const bad of values) expect(() => gic.restore(bad)).toThrow(SnapshotError)
  })
})
