/** Snapshots: restoring and continuing is never having stopped; and whatever is wrong with one is refused by name. */

import { describe, expect, it } from 'vitest'
import { GicV2, SnapshotError } from '../index.ts'
import { Random } from '../testing/random.ts'
import { Rig } from '../testing/rig-v2.ts'
import { gicOf, randomConfig, stepsOf } from '../testing/steps-v2.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 11)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

describe('A snapshot of a GICv2', () => {
  it('restored into a fresh GIC continues as if it had never stopped', () => {
    const random = new Random(seed)
    let told = 0
    for (let run = 0; run < 12 * times; run++) {
      const config = randomConfig(random, run % 10 === 0 ? 1020 : 96)
      const steps = stepsOf(random.word(), config, 600)
      const stopAt = random.below(400)
      const one = new Rig(gicOf(config))
      for (const step of steps.slice(0, stopAt)) one.take(step)
      if (random.chance(3)) one.gic.setLegacy(0, 'irq', true)
      const saved = JSON.parse(JSON.stringify(one.gic.snapshot())) as unknown
      expect(saved).toEqual(one.gic.snapshot())

      const other = new Rig(gicOf(config))
      // Whatever was in it before is gone.
      for (const step of stepsOf(random.word(), config, 50)) other.take(step)
      other.gic.restore(saved)
      for (const [cpu, values] of one.acknowledged.entries()) other.acknowledged[cpu] = [...values]
      const wires: [string[], string[]] = [[], []]
      one.gic.onOutput = (...change) => wires[0].push(change.join())
      other.gic.onOutput = (...change) => wires[1].push(change.join())
      for (const [i, step] of steps.slice(stopAt).entries()) {
        const where = `seed ${seed}, run ${run}, step ${i} after the restore`
        const [a, b] = [one.take(step), other.take(step)]
        if (a !== b) expect.fail(`${where}: ${a} and ${b}`)
        for (let cpu = 0; cpu < config.cpus; cpu++)
          if (one.gic.irq(cpu) !== other.gic.irq(cpu) || one.gic.fiq(cpu) !== other.gic.fiq(cpu)) expect.fail(where)
        if (i % 100 === 0) expect(other.gic.snapshot(), where).toEqual(one.gic.snapshot())
      }
      expect(wires[1], `run ${run}`).toEqual(wires[0])
      told += wires[0].length
      expect(other.gic.snapshot()).toEqual(one.gic.snapshot())
    }
    expect(told).toBeGreaterThan(40 * times)
  })

  it('of a GIC after a reset is that of a new one, but for its input wires', () => {
    const config = randomConfig(new Random(3), 96)
    const rig = new Rig(gicOf(config))
    for (const step of stepsOf(5, config, 500)) rig.take(step)
    rig.gic.reset()
    const fresh = gicOf(config).snapshot()
    expect({ ...rig.gic.snapshot(), line: 0 }).toEqual({ ...fresh, line: 0 })
  })

  it('taken does not change with the GIC', () => {
    const gic = new GicV2()
    const saved = gic.snapshot()
    const text = JSON.stringify(saved)
    gic.setSpi(40, true)
    expect(JSON.stringify(saved)).toBe(text)
  })

  it('may have its keys in any order, as a database returns them', () => {
    const reversed = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.map(reversed)
      if (typeof value !== 'object' || value === null) return value
      return Object.fromEntries(
        Object.entries(value)
          .reverse()
          .map(([name, each]) => [name, reversed(each)]),
      )
    }
    const gic = new GicV2({ msi: { count: 8, base: 40 } })
    const saved = gic.snapshot()
    new GicV2({ msi: { base: 40, count: 8 } }).restore(reversed(saved))
  })
})

/** A snapshot as anyone may write into it. */
// biome-ignore lint/suspicious/noExplicitAny: a hostile file has no type.
type Loose = any

const config = { cpus: 2, intids: 64, priorityBits: 5, security: false, ppiConfig: 'fixed' } as const

const bad: readonly (readonly [what: string, change: (saved: Loose) => unknown, names: string])[] = [
  ['no object', () => 5, 'snapshot: expected an object'],
  ['nothing', () => undefined, 'snapshot: expected an object'],
  ['an array', () => [], 'snapshot: expected an object'],
  [
    'another format',
    (saved) => ({ ...saved, format: 'vgic-gicv3' }),
    'snapshot.format: the format is "vgic-gicv2" here',
  ],
  ['a later version', (saved) => ({ ...saved, version: 3 }), 'snapshot.version: the version is 2 here, and 3'],
  ['another number of CPUs', (saved) => new GicV2({ ...saved.config, cpus: 3 }).snapshot(), 'snapshot.config.cpus'],
  ['an unknown key', (saved) => ({ ...saved, extra: 1 }), 'snapshot.extra: no such part'],
  [
    'an unknown key inside',
    (saved) => ({ ...saved, cpus: [{ ...saved.cpus[0], more: 1 }, saved.cpus[1]] }),
    'snapshot.cpus[0].more: no such part',
  ],
  ['a missing key', ({ pmr, ctlr, ...rest }) => rest, 'snapshot.ctlr: missing'],
  [
    'an unknown key of the configuration',
    (saved) => ({ ...saved, config: { ...saved.config, turbo: true } }),
    'snapshot.config.turbo',
  ],
  ['too short an array', (saved) => ({ ...saved, enabled: [1] }), 'snapshot.enabled: expected an array of'],
  ['a negative number', (saved) => ({ ...saved, ctlr: -1 }), 'snapshot.ctlr: expected a whole number from 0 to 3'],
  ['a text for a number', (saved) => ({ ...saved, ctlr: '1' }), 'snapshot.ctlr: expected a whole number'],
  ['a fraction', (saved) => set(saved, ['priority', 40], 1.5), 'snapshot.priority[40]: expected a whole number'],
  [
    'a priority bit that is not implemented',
    (saved) => set(saved, ['priority', 5], 0x84),
    'snapshot.priority[5]: bits 0x4',
  ],
  [
    'a priority of an interrupt that does not exist',
    (saved) => set(saved, ['priority', 100], 8),
    'snapshot.priority[100]',
  ],
  [
    'an enable of an interrupt that does not exist',
    (saved) => set(saved, ['enabled', 3], 1),
    'snapshot.enabled[3]: bits 0x1',
  ],
  ['a target CPU that does not exist', (saved) => set(saved, ['targets', 70], 4), 'snapshot.targets[70]: bits 0x4'],
  ['a target of a private interrupt', (saved) => set(saved, ['targets', 20], 1), 'snapshot.targets[20]'],
  ['a level-sensitive SGI', (saved) => set(saved, ['edge', 0], 0), 'snapshot.edge[0]: SGIs are edge-triggered'],
  [
    'an edge-triggered PPI where they are fixed',
    (saved) => set(saved, ['edge', 1], 0x1ffff),
    'snapshot.edge[1]: bits 0x10000',
  ],
  [
    'a disabled SGI where they are always enabled',
    (saved) => set(saved, ['enabled', 1], 0),
    'snapshot.enabled[1]: SGIs are always enabled',
  ],
  ['a pending SGI without a source', (saved) => set(saved, ['latch', 0], 4), 'snapshot.sources[2]: SGI 2 of CPU 0'],
  ['a source that does not exist', (saved) => set(saved, ['sources', 0], 4), 'snapshot.sources[0]: bits 0x4'],
  ['an active source that does not exist', (saved) => set(saved, ['activeSource', 0], 2), 'snapshot.activeSource[0]'],
  ['a wire of an SGI', (saved) => set(saved, ['line', 0], 1), 'snapshot.line[0]: bits 0x1'],
  ['access rights without the Security Extensions', (saved) => set(saved, ['nsacr', 0, 2], 1), 'snapshot.nsacr[0][2]'],
  [
    'a mask bit that is not implemented',
    (saved) => set(saved, ['cpus', 1, 'pmr'], 4),
    'snapshot.cpus[1].pmr: bits 0x4',
  ],
  [
    'EOImodeNS without the Security Extensions',
    (saved) => set(saved, ['cpus', 0, 'ctlr'], 0x400),
    'snapshot.cpus[0].ctlr',
  ],
  [
    'a binary point below the least',
    (saved) => set(saved, ['cpus', 0, 'bpr'], 1),
    'snapshot.cpus[0].bpr: expected a whole number from 2 to 7',
  ],
  [
    'an active priority that does not exist',
    (saved) => set(saved, ['cpus', 0, 'apr', 1], 1),
    'snapshot.cpus[0].apr[1]: bits 0x1',
  ],
  [
    'a level of a legacy input that is none',
    (saved) => set(saved, ['cpus', 0, 'legacyIrq'], 1),
    'snapshot.cpus[0].legacyIrq: expected true or false',
  ],
]

function set(saved: Loose, path: readonly (string | number)[], value: unknown): Loose {
  let at = saved
  for (const key of path.slice(0, -1)) at = at[key]
  at[path[path.length - 1]!] = value
  return saved
}

describe('A snapshot is refused by name, and nothing of it taken over, when it has', () => {
  const rig = new Rig(new GicV2(config))
  for (const step of stepsOf(9, { ...config, sgiEnable: 'always' }, 300)) if (step.op !== 'reset') rig.take(step)
  const before = rig.gic.snapshot()

  it.each(bad)('%s', (_, change, names) => {
    const wrong = change(new GicV2(config).snapshot())
    expect(() => rig.gic.restore(wrong)).toThrow(SnapshotError)
    expect(() => rig.gic.restore(wrong)).toThrow(names)
    expect(rig.gic.snapshot()).toEqual(before)
  })

  it('rights of a level of GICD_NSACR that the lower one does not grant', () => {
    const gic = new GicV2({ ...config, security: true })
    expect(() => gic.restore(set(gic.snapshot(), ['nsacr', 1, 2], 1))).toThrow('snapshot.nsacr[1][2]: grants what')
  })

  it('anything: fuzzed, it throws a SnapshotError or is a state that the GIC shows again', () => {
    const random = new Random(seed)
    const circular: Loose = {}
    circular.config = circular
    const values = [
      0,
      1,
      -1,
      255,
      256,
      2 ** 31,
      2 ** 32,
      2 ** 60,
      1.5,
      Number.NaN,
      null,
      undefined,
      true,
      '',
      'x',
      [],
      {},
      [[]],
      10n,
      Symbol('s'),
      circular,
      () => 1,
      new Date(),
    ]
    let refused = 0
    for (let run = 0; run < 150 * times; run++) {
      const gic = new GicV2(config)
      const saved = structuredClone(before) as Loose
      for (let changes = random.from(1, 2); changes > 0; changes--) {
        let at = saved
        for (;;) {
          const keys = Object.keys(at)
          if (keys.length === 0) break
          const key = random.pick(keys)
          const below = at[key]
          if (typeof below === 'object' && below !== null && below !== circular && !random.chance(4)) {
            at = below
            continue
          }
          const kind = random.below(10)
          if (kind === 0) delete at[key]
          else if (kind === 1 && !Array.isArray(at)) at[`${key}x`] = below
          else at[key] = random.chance(2) ? random.pick(values) : random.word()
          break
        }
      }
      const empty = gic.snapshot()
      try {
        gic.restore(saved)
      } catch (error) {
        refused++
        if (!(error instanceof SnapshotError)) throw error
        expect(gic.snapshot()).toEqual(empty)
        continue
      }
      expect(gic.snapshot()).toEqual(saved)
    }
    expect(refused).toBeGreaterThan(50 * times)
  })
})
