/**
 * What saving and restoring tables costs, in accesses of guest memory: what is mapped, however large the tables are. And what a
 * list of entries has left behind, which is therefore not looked for: it maps nothing, here and in KVM.
 */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { restoreTables, saveTables, type TablesReport } from './abi.ts'
import type { ItsConfig } from './config.ts'
import { explainMsi } from './explain-msi.ts'
import { execute } from './queue.ts'
import { Reason } from './reasons.ts'
import { readAsKvm } from './testing/kvm-reader.ts'
import { assemble, COLLECTIONS, DEVICES, Rig, SparseMemory } from './testing/rig.ts'

const VALID = 1n << 63n
/** Where the translation tables are, 512 KiB apart. */
const ITTS = 0x4800_0000
const table = (device: number) => ITTS + device * 0x8_0000

function put(rig: Rig, name: string, fields: Record<string, number>): void {
  const error = execute(rig.its, assemble(name, fields))
  if (error !== 0) throw new Error(`${name}: 0x${error.toString(16)}`)
}

/** A rig whose device table has so many pages of 64 KiB. */
function rigOf(pages: number, config: ItsConfig = {}): Rig {
  const rig = new Rig(config)
  rig.write(0x000, 0)
  rig.write64(0x100, VALID | 0x200n | BigInt(DEVICES) | BigInt(pages - 1))
  rig.write(0x000, 1)
  return rig
}

/** Devices with events, each `apart`, in tables of 2^bits entries; the first of both is 0. */
function map(rig: Rig, devices: number, events: number, bits: number, apart = 1): void {
  for (const icid of [0, 1, 2]) put(rig, 'MAPC', { ICID: icid, RDbase: icid, V: 1 })
  for (let device = 0; device < devices; device++) {
    put(rig, 'MAPD', { DeviceID: device, Size: bits - 1, ITT_addr: table(device) / 256, V: 1 })
    for (let event = 0; event < events; event++)
      put(rig, 'MAPTI', {
        DeviceID: device,
        EventID: event * apart,
        pINTID: 8192 + device * 16 + event,
        ICID: event % 3,
      })
  }
}

/** A new ITS on the same memory, with the same GITS_BASERs and nothing else. */
function successor(rig: Rig): Rig {
  const other = new Rig(rig.its.config, { enable: false, memory: rig.memory })
  other.write64(0x100, rig.read64(0x100))
  other.write64(0x108, rig.read64(0x108))
  other.write(0x000, 1)
  return other
}

function counted(memory: SparseMemory, act: () => TablesReport): { cost: number; report: TablesReport } {
  const before = memory.reads + memory.writes
  const report = act()
  return { report, cost: memory.reads + memory.writes - before }
}

/** Accesses of a save, of a second one, of a restore, and of a save after that. */
function costs(rig: Rig): { save: number; again: number; restore: number; report: TablesReport } {
  const save = counted(rig.memory, () => saveTables(rig.its))
  const again = counted(rig.memory, () => saveTables(rig.its))
  const restore = counted(rig.memory, () => restoreTables(successor(rig).its))
  expect(restore.report).toEqual(save.report)
  return { save: save.cost, again: again.cost, restore: restore.cost, report: save.report }
}

describe('saving and restoring tables', () => {
  it('costs the same in the largest tables as in the smallest that hold what is mapped', () => {
    const [small, large] = [rigOf(1), rigOf(8)]
    map(small, 40, 8, 3)
    map(large, 40, 8, 16)
    const { report, ...few } = costs(small)
    expect(report).toEqual({ devices: 40, events: 320, collections: 3, problems: [] })
    expect(costs(large)).toEqual({ ...few, report })
    // Every entry is read and written, and collections are cleared, too: 20 MiB of tables, of which 3 KiB are mapped.
    expect(few.save).toBeLessThan(5 * 363 + 20)
    expect(few.restore).toBeLessThan(7 * 363 + 20)
    // A save that follows another takes the list of collections apart first.
    expect(few.again - few.save).toBeLessThan(10 * 3)
  })

  it('costs in proportion to what is mapped, wherever in the tables it is', () => {
    const cost = (devices: number, events: number, apart: number) => {
      const rig = rigOf(8)
      map(rig, devices, events, 16, apart)
      const { save, restore } = costs(rig)
      return [save, restore]
    }
    const [save, restore] = cost(16, 8, 1) as [number, number]
    expect(cost(16, 8, 4097)).toEqual([save, restore])
    const [more, restored] = cost(64, 8, 4097) as [number, number]
    expect(more / save).toBeLessThan(4)
    expect(restored / restore).toBeLessThan(4)
  })

  it('reads of a table of two levels the descriptors that lead to devices, and for a restore those before them', () => {
    const rig = new Rig({ deviceIdBits: 32, pageSizes: [4096] })
    rig.write(0x000, 0)
    rig.write64(0x100, VALID | (1n << 62n) | 0x4600_0000n | 0xffn)
    rig.write(0x000, 1)
    for (const page of [7, 60_000])
      rig.memory.write64(0x4600_0000 + 8 * page, VALID | BigInt(0x4900_0000 + page * 4096))
    put(rig, 'MAPC', { ICID: 0, RDbase: 1, V: 1 })
    for (const [i, device] of [7 * 512, 60_000 * 512].entries()) {
      put(rig, 'MAPD', { DeviceID: device, Size: 4, ITT_addr: ITTS / 256 + i, V: 1 })
      put(rig, 'MAPTI', { DeviceID: device, EventID: 0, pINTID: 8192 + i, ICID: 0 })
    }
    const save = counted(rig.memory, () => saveTables(rig.its))
    expect(save).toMatchObject({ report: { devices: 2, events: 2, collections: 1 } })
    expect(save.cost).toBeLessThan(100)
    const other = successor(rig)
    const restore = counted(rig.memory, () => restoreTables(other.its))
    expect(restore.report).toEqual(save.report)
    expect(restore.cost).toBeLessThan(2 * 60_000 + 1000)
    expect(other.its.lookup(60_000 * 512, 0)).toBe(Reason.delivered)
  })

  it('of 50 devices with empty tables of 65,536 entries costs a save 50 entries, and a restore each place of them once', () => {
    const rig = rigOf(1)
    for (let device = 0; device < 50; device++)
      put(rig, 'MAPD', { DeviceID: device, Size: 15, ITT_addr: table(device) / 256, V: 1 })
    const memory = rig.memory
    expect(counted(memory, () => saveTables(rig.its)).cost).toBeLessThan(5 * 50)
    // No distance leads into a table that maps nothing: KVM reads all of it, too.
    const other = successor(rig)
    expect(counted(memory, () => restoreTables(other.its)).cost).toBeLessThan(2 * 50 * 65536 + 10 * 50)
  })

  it('costs all that a snapshot’s tables are, once: what commands have mapped is not in there', () => {
    const rig = rigOf(1)
    map(rig, 4, 4, 16)
    const other = rigOf(1)
    const twin = new Rig({}, { enable: false, memory: rig.memory })
    twin.its.restore(rig.its.snapshot())
    const save = counted(rig.memory, () => saveTables(twin.its))
    expect(save.report).toEqual({ devices: 4, events: 16, collections: 3, problems: [] })
    expect(save.cost).toBeGreaterThan(4 * 65536)
    expect(counted(rig.memory, () => saveTables(twin.its)).cost).toBeLessThan(300)
    // The same for registers that are put back one by one.
    for (const offset of [0x100, 0x108])
      for (const half of [0, 4])
        other.its.frames.control.restore(offset + half, rig.its.frames.control.save(offset + half, rig.cpu), rig.cpu)
    expect(other.its.translation.places.knowledge).toBe('unknown')
  })

  it('knows of entries that were in memory before the ITS was, once a command has come by them', () => {
    const rig = rigOf(1)
    map(rig, 2, 4, 5)
    // As after a hibernation: an ITS that has just been reset, and tables from before.
    const awake = successor(rig)
    expect(awake.its.lookup(1, 3)).toBe(Reason.delivered)
    put(awake, 'INV', { DeviceID: 1, EventID: 3 })
    put(awake, 'MOVI', { DeviceID: 0, EventID: 2, ICID: 1 })
    expect(saveTables(awake.its)).toEqual({ devices: 2, events: 2, collections: 2, problems: [] })
  })
})

describe('what a list of entries has left behind', () => {
  const dte = (next: bigint, itt: number) => VALID | (next << 49n) | ((BigInt(itt) >> 8n) << 5n) | 4n
  const ite = (next: bigint, intid: bigint) => (next << 48n) | (intid << 16n)
  const cte = (icid: bigint) => VALID | icid

  /** Tables as an older KVM left them: entries that were unmapped after an earlier save are still in them. */
  function restored(): Rig {
    const memory = new SparseMemory()
    for (const [device, next] of [
      [1, 3n],
      [2, 0n],
      [4, 0n],
      [9, 0n],
    ] as const)
      memory.write64(DEVICES + 8 * device, dte(next, ITTS + 256 * device))
    for (const device of [1, 2, 4])
      for (const [event, next] of [
        [0, 3n],
        [1, 0n],
        [3, 0n],
        [20, 0n],
      ] as const)
        memory.write64(ITTS + 256 * device + 8 * event, ite(next, BigInt(8192 + 32 * device + event)))
    for (const [i, entry] of [cte(0n), 0n, cte(2n), cte(0n)].entries()) memory.write64(COLLECTIONS + 8 * i, entry)
    const rig = new Rig({}, { enable: false, memory })
    rig.write64(0x100, VALID | BigInt(DEVICES) | 0x200n)
    rig.write64(0x108, VALID | BigInt(COLLECTIONS) | 0x200n)
    expect(restoreTables(rig.its)).toEqual({ devices: 2, events: 4, collections: 1, problems: [] })
    rig.write(0x000, 1)
    return rig
  }
  const mapped = ({ its }: Rig) =>
    [0, 1, 2, 3, 4, 9].flatMap((device) =>
      [0, 1, 2, 3, 20, 31].filter((event) => its.lookup(device, event) === 0).map((event) => `${device}:${event}`),
    )
  const inKvm = (rig: Rig) => [...readAsKvm(rig.memory, rig.read64(0x100), rig.read64(0x108), 4).keys()]

  it('maps nothing, though it is in memory', () => {
    const rig = restored()
    expect(mapped(rig)).toEqual(['1:0', '1:3', '4:0', '4:3'])
    expect(rig.its.translation.collection(2)).toBe(Reason.collectionUnmapped)
    expect(rig.its.signal(1, 1)).toBe(Reason.eventUnmapped)
    expect(rig.its.signal(2, 0)).toBe(Reason.deviceUnmapped)
    expect(rig.memory.read64(DEVICES + 16) >> 63n).toBe(1n)
    expect(explainMsi(rig.its, 1, 1).summary).toContain('EventID 0x1 of DeviceID 0x1 is not mapped')
    expect(explainMsi(rig.its, 2, 0).summary).toContain('DeviceID 0x2 is not mapped')
  })

  it('maps nothing either in a snapshot, behind the doors, or in the trial of waiting commands', () => {
    const rig = restored()
    const routes = mapped(rig)
    const snapshot = JSON.parse(JSON.stringify(rig.its.snapshot()))
    const twin = new Rig({}, { enable: false, memory: rig.memory })
    twin.its.restore(snapshot)
    expect(mapped(twin)).toEqual(routes)
    expect(twin.its.snapshot()).toEqual(rig.its.snapshot())
    for (const first of [true, false]) {
      const by = successor(rig)
      if (first) by.its.restoreEntryPlaces(rig.its.entryPlaces())
      for (const offset of [0x100, 0x108])
        by.its.frames.control.restore(offset, rig.its.frames.control.save(offset, rig.cpu), rig.cpu)
      if (!first) by.its.restoreEntryPlaces(rig.its.entryPlaces())
      expect(mapped(by)).toEqual(routes)
      expect(by.its.entryPlaces()).toEqual(rig.its.entryPlaces())
    }
  })

  it('is not what KVM finds when the entries that led over it are unmapped', () => {
    const rig = restored()
    put(rig, 'DISCARD', { DeviceID: 4, EventID: 0 })
    put(rig, 'MAPD', { DeviceID: 1 })
    expect(mapped(rig)).toEqual(['4:3'])
    // KVM would read device 2 on its way to device 4, event 1 on its way to event 3, and collections to the table's end.
    expect(saveTables(rig.its)).toEqual({ devices: 1, events: 1, collections: 1, problems: [] })
    expect(inKvm(rig)).toEqual(['4:3'])
    const other = successor(rig)
    expect(restoreTables(other.its)).toEqual({ devices: 1, events: 1, collections: 1, problems: [] })
    expect(mapped(other)).toEqual(['4:3'])
  })

  it('counts as what it is after a reset: memory decides then, as the architecture has it', () => {
    const rig = restored()
    rig.its.reset()
    rig.write64(0x100, VALID | BigInt(DEVICES) | 0x200n)
    rig.write64(0x108, VALID | BigInt(COLLECTIONS) | 0x200n)
    rig.write(0x000, 1)
    expect(rig.its.entryPlaces()).toBeNull()
    expect(mapped(rig)).toContain('2:0')
  })

  it('is refused in a snapshot where memory is none, by name', () => {
    const rig = restored()
    const snapshot = rig.its.snapshot() as { its: object }
    for (const [places, message] of [
      [[DEVICES + 8], 'snapshot.its.places: expected null, or pairs'],
      [[DEVICES + 4, 1], 'snapshot.its.places[0]: not where guest memory has entries'],
      [[DEVICES, 2 ** 40], 'snapshot.its.places[0]: not where guest memory has entries'],
      [[DEVICES, 2, DEVICES + 8, 1], 'snapshot.its.places[2]: expected a whole number from'],
      [[DEVICES, 0], 'snapshot.its.places[1]: expected a whole number from 1'],
    ] as const)
      expect(() => rig.its.restore({ ...snapshot, its: { ...snapshot.its, places } })).toThrow(message)
    expect(() => rig.its.restoreEntryPlaces([0, 2 ** 40])).toThrow('entryPlaces[0]: not where guest memory has entries')
    expect(rig.its.snapshot()).toEqual(snapshot)
  })
})

describe('KVM', () => {
  it.each<[string, ItsConfig, bigint]>([
    ['one level', {}, 0x200n],
    ['two levels', { pageSizes: [65536] }, 0x207n | (1n << 62n)],
  ])('reads the routes that there are in what was saved, again and again: tables of %s', (_, config, flags) => {
    const random = new Random(11)
    let rig = new Rig(config)
    rig.write(0x000, 0)
    rig.write64(0x100, VALID | flags | BigInt(DEVICES))
    rig.write64(0x108, VALID | 0x200n | BigInt(COLLECTIONS))
    for (const [i, page] of [0, 2, 3].entries())
      if (flags & (1n << 62n)) rig.memory.write64(DEVICES + 8 * page, VALID | BigInt(0x4700_0000 + i * 0x1_0000))
    rig.write(0x000, 1)
    const ids = flags & (1n << 62n) ? [3, 8000, 16_384, 20_000, 30_000] : [3, 5, 8, 4000, 8191]
    const seen = { routes: 0, unmapped: 0 }
    for (let step = 0; step < 150; step++) {
      const device = random.pick(ids)
      const EventID = random.below(1000)
      const ICID = random.below(8)
      const name = random.pick(['MAPC', 'MAPD', 'MAPTI', 'MAPTI', 'MAPTI', 'MOVI', 'DISCARD'])
      const fields = {
        MAPC: { ICID, RDbase: random.below(4), V: random.chance(3) ? 0 : 1 },
        MAPD: { DeviceID: device, Size: 9, ITT_addr: table(ids.indexOf(device)) / 256, V: random.chance(5) ? 0 : 1 },
        MAPTI: { DeviceID: device, EventID, ICID, pINTID: 8192 + random.below(500) },
        MOVI: { DeviceID: device, EventID, ICID },
        DISCARD: { DeviceID: device, EventID },
      }[name]
      execute(rig.its, assemble(name, fields!))
      if (step % 5 !== 0) continue
      const routes = new Map<string, string>()
      for (const id of ids)
        for (let event = 0; event < 1024; event++) {
          const reason = rig.its.lookup(id, event)
          const { intid, pe } = rig.its.translation.entries
          if (reason === Reason.delivered) routes.set(`${id}:${event}`, `${intid}@${pe}`)
          else if (reason === Reason.collectionUnmapped) routes.set(`${id}:${event}`, `${intid}@${0xffff_ffff}`)
          if (reason === Reason.collectionUnmapped) seen.unmapped++
        }
      seen.routes += routes.size
      saveTables(rig.its)
      expect(readAsKvm(rig.memory, rig.read64(0x100), rig.read64(0x108), 4), `step ${step}`).toEqual(routes)
      // The next hop, at times: from then on the tables are restored ones.
      if (random.chance(4)) {
        rig = successor(rig)
        restoreTables(rig.its)
      } else if (rig.its.translation.packed) rig.its.signal(9999, 0)
    }
    expect(seen.routes).toBeGreaterThan(200)
    expect(seen.unmapped).toBeGreaterThan(10)
  })
})
