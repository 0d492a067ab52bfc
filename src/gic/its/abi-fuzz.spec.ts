/**
 * Tables of any content, anywhere and over each other, made by commands, written by the guest itself or both, saved and restored:
 * nothing throws, no access leaves memory, and the work is bounded by the memory that there is. What comes of tables that are as they should be is `abi.spec.ts`.
 */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { restoreTables, saveTables } from './abi.ts'
import { commands } from './commands.ts'
import type { ItsConfig } from './config.ts'
import { execute } from './queue.ts'
import { assemble, FakeTargets, Rig, SparseMemory } from './testing/rig.ts'

/** `npm run test:long` gives both: more runs, of another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 4)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

/** Anything outside throws, in the rig. */
const BASE = 0x4200_0000
const SIZE = 0x10_0000
const END = BASE + SIZE
/** Where tables begin, if not anywhere: a few places, so that they meet, the edges of memory among them. */
const places = [BASE, BASE + 0x1_0000, BASE + 0x1_1000, BASE + 0x4_0000, END - 0x1000, END - 0x1_0000, BASE - 0x1000]

const configs: readonly ItsConfig[] = [
  {},
  { deviceIdBits: 32, eventIdBits: 32, collectionIdBits: 16, pageSizes: [4096] },
  { deviceIdBits: 20, collectionIdBits: 8, indirect: 'devices' },
  { indirect: 'none' },
]

const high = (value: number) => BigInt(value) << 32n

function address(random: Random): number {
  if (!random.chance(8)) return random.pick(places) + 256 * random.below(16)
  return random.pick([0, 2 ** 51, END - 256, BASE + 256 * random.below(SIZE / 256)])
}

function anyEntry(random: Random): bigint {
  const valid = random.chance(5) ? 0n : 1n << 63n
  const next = BigInt(random.pick([0, 0, 1, 2, 7, 500, 0x3fff]))
  switch (random.below(5)) {
    case 0:
      return valid | (next << 49n) | (BigInt(address(random) / 256) << 5n) | BigInt(random.below(32))
    case 1:
      return (next << 48n) | (BigInt(random.from(8000, 9100)) << 16n) | BigInt(random.pick([0, 1, 5, 700, 65535]))
    case 2:
      return valid | (BigInt(random.pick([0, 1, 2, 3, 0xffff_ffff])) << 16n) | BigInt(random.below(700))
    case 3:
      return valid | BigInt(address(random) & ~0xfff)
    default:
      return high(random.word() >>> 0) | BigInt(random.word() >>> 0)
  }
}

const mapping = ['MAPD', 'MAPC', 'MAPTI', 'MAPTI', 'MAPTI', 'MOVI', 'INV', 'DISCARD'].map(
  (name) => commands.find((command) => command.name === name)!,
)

/** What a save has noted comes of commands; they land wherever the tables are said to be. */
function anyCommand(random: Random, rig: Rig): void {
  const values: Readonly<Record<string, number>> = {
    DeviceID: random.below(random.pick([8, 600])),
    EventID: random.below(random.pick([4, 600])),
    ICID: random.below(8),
    pINTID: random.from(8192, 8999),
    RDbase: random.below(3),
    Size: random.below(17),
    ITT_addr: Math.floor(address(random) / 256),
    V: random.chance(6) ? 0 : 1,
  }
  const { name, fields } = random.pick(mapping)
  execute(rig.its, assemble(name, Object.fromEntries(Object.keys(fields).map((field) => [field, values[field]!]))))
}

/** GITS_BASER0 or GITS_BASER1: mostly valid, of either number of levels, of any size. */
function anyBaser(random: Random): bigint {
  const flags = random.pick([0x8000_0000, 0x8000_0000, 0xc000_0000, 0xc000_0000, 0])
  return (
    high(flags) | BigInt(address(random) & ~0xfff) | BigInt(random.below(3) << 8) | BigInt(random.pick([0, 1, 15, 255]))
  )
}

describe.each(configs.map((config) => [JSON.stringify(config), config] as const))('with %s', (_, config) => {
  it('no tables make a save or a restore fail, leave memory, or take more work than memory has places', () => {
    const random = new Random(seed)
    const memory = new SparseMemory(BASE, SIZE)
    const rig = new Rig(config, { enable: false, memory, targets: new FakeTargets(3, 9000) })
    const seen = { devices: 0, events: 0, collections: 0, problems: 0 }
    const knowledge = { noted: 0, unknown: 0, only: 0 }
    let most = 0
    for (let round = 0; round < 25 * times; round++) {
      if (random.chance(3)) rig.its.reset()
      rig.write64(0x100, anyBaser(random))
      rig.write64(0x108, anyBaser(random))
      for (let i = 0; i < 60; i++) {
        const place = random.pick(places.slice(0, -1)) + 8 * random.below(random.pick([8, 64, 512]))
        memory.write64(place, anyEntry(random))
      }
      // A page full of one entry, now and then: many devices, or many descriptors of one page.
      if (random.chance(6)) {
        const entry = anyEntry(random)
        const page = random.pick(places.slice(0, -1))
        for (let i = 0; i < 512; i++) memory.write64(page + 8 * i, entry)
      }
      for (let i = 0; i < 60; i++) anyCommand(random, rig)
      // As after registers and memory were put back: whatever is in memory counts.
      const { translation } = rig.its
      if (random.chance(3)) translation.places.restore(null)
      knowledge[translation.places.knowledge]++
      for (const act of [saveTables, restoreTables, saveTables, saveTables, restoreTables]) {
        if (random.chance(3)) continue
        const before = memory.reads + memory.writes
        const report = act(rig.its)
        most = Math.max(most, memory.reads + memory.writes - before)
        expect(report.problems.length).toBeLessThanOrEqual(17)
        expect(report.problems.join()).not.toContain('\n')
        seen.devices += report.devices
        seen.events += report.events
        seen.collections += report.collections
        seen.problems += report.problems.length
      }
    }
    // A place is read and written as an entry of each kind, and collections once more where a list is unpacked.
    expect(most).toBeLessThan(16 * (SIZE / 4))
    expect([...Object.values(seen), ...Object.values(knowledge)].filter((count) => count === 0)).toEqual([])
  })

  it('a restore leaves tables that another save and restore take as they are, and that say where MSIs go alike', () => {
    const random = new Random(seed + 1)
    for (let round = 0; round < 6 * times; round++) {
      const memory = new SparseMemory(BASE, SIZE)
      const rig = new Rig(config, { enable: false, memory, targets: new FakeTargets(3, 9000) })
      // Tables apart from each other, with any content.
      rig.write64(0x100, high(0x8000_0000) | BigInt(BASE))
      rig.write64(0x108, high(0x8000_0000) | BigInt(BASE + 0x1000))
      for (let i = 0; i < 80; i++) {
        const device = random.below(8)
        const itt = BASE + 0x1_0000 + device * 0x1000
        const next = BigInt(random.pick([0, 1, 1, 2, 3]))
        const dte = (1n << 63n) | (next << 49n) | (BigInt(itt / 256) << 5n) | BigInt(random.pick([3, 5, 8, 8, 30]))
        const ite = (next << 48n) | (BigInt(random.from(8100, 9050)) << 16n) | BigInt(random.below(8))
        const cte = (1n << 63n) | (BigInt(random.pick([0, 1, 2, 5, 0xffff_ffff])) << 16n) | BigInt(random.below(8))
        memory.write64(BASE + 8 * device, random.chance(4) ? 0n : dte)
        memory.write64(itt + 8 * random.below(40), ite)
        memory.write64(BASE + 0x1000 + 8 * random.below(10), random.chance(4) ? 0n : cte)
      }
      restoreTables(rig.its)
      rig.write(0x000, 1)
      const routes = () => {
        const found: string[] = []
        for (let device = 0; device < 9; device++)
          for (let event = 0; event < 40; event++) {
            const reason = rig.its.lookup(device, event)
            const { intid, pe } = rig.its.translation.entries
            found.push(reason === 0 ? `${intid}@${pe}` : `${reason}`)
          }
        return found
      }
      const before = routes()
      const saved = saveTables(rig.its)
      expect(saved.problems).toEqual([])
      expect(routes()).toEqual(before)
      expect(restoreTables(rig.its)).toEqual(saved)
      expect(routes()).toEqual(before)
    }
  })
})
