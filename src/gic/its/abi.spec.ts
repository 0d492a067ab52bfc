/** Saving and restoring tables in Linux's ITS table ABI, revision 0: its formats bit by bit, and what it may not break. */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { restoreTables, saveTables } from './abi.ts'
import { Reason } from './reasons.ts'
import { COLLECTIONS, DEVICES, FakeTargets, ITT, QUEUE, Rig } from './testing/rig.ts'

/** `npm run test:long` makes it longer. */
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const VALID = 1n << 63n
const dte = (next: bigint, itt: number, bits: bigint) =>
  VALID | (next << 49n) | ((BigInt(itt) >> 8n) << 5n) | (bits - 1n)
const ite = (next: bigint, intid: bigint, icid: bigint) => (next << 48n) | (intid << 16n) | icid
const cte = (pe: bigint, icid: bigint) => VALID | (pe << 16n) | icid

/** Devices 3, 5 and 0x1000, collections 0, 2 and 700. */
function mapped(config = {}): Rig {
  const rig = new Rig(config)
  for (const [icid, pe] of [
    [0, 1],
    [2, 3],
    [700, 2],
  ] as const)
    rig.command('MAPC', { ICID: icid, RDbase: pe, V: 1 })
  for (const device of [3, 5, 0x1000])
    rig.command('MAPD', { DeviceID: device, Size: 4, ITT_addr: (ITT + device * 256) / 256, V: 1 })
  for (const [device, event, intid, icid] of [
    [3, 0, 8192, 0],
    [3, 7, 8193, 2],
    [3, 31, 8194, 700],
    [0x1000, 4, 65535, 700],
  ] as const)
    if (rig.command('MAPTI', { DeviceID: device, EventID: event, pINTID: intid, ICID: icid }) !== 0)
      throw new Error('MAPTI')
  return rig
}

/** Where every event of the devices goes. */
function routes(rig: Rig): string[] {
  const found: string[] = []
  for (const device of [0, 3, 4, 5, 0x1000])
    for (let event = 0; event < 32; event++) {
      const reason = rig.its.lookup(device, event)
      const { intid, pe } = rig.its.translation.entries
      found.push(reason === Reason.delivered ? `${intid}@${pe}` : String(reason))
    }
  return found
}

/** A new ITS on the same memory, with the same GITS_BASERs and nothing else. */
function successor(rig: Rig): Rig {
  const other = new Rig({}, { enable: false, memory: rig.memory })
  other.write64(0x100, rig.read64(0x100))
  other.write64(0x108, rig.read64(0x108))
  return other
}

describe('saved tables', () => {
  it('have the layout of ABI revision 0', () => {
    const rig = mapped()
    expect(saveTables(rig.its)).toEqual({ devices: 3, events: 4, collections: 3, problems: [] })
    const { memory } = rig
    expect(memory.read64(DEVICES + 3 * 8)).toBe(dte(2n, ITT + 3 * 256, 5n))
    expect(memory.read64(DEVICES + 5 * 8)).toBe(dte(BigInt(0x1000 - 5), ITT + 5 * 256, 5n))
    expect(memory.read64(DEVICES + 0x1000 * 8)).toBe(dte(0n, ITT + 0x1000 * 256, 5n))
    const table = ITT + 3 * 256
    expect(memory.read64(table)).toBe(ite(7n, 8192n, 0n))
    expect(memory.read64(table + 7 * 8)).toBe(ite(24n, 8193n, 2n))
    expect(memory.read64(table + 31 * 8)).toBe(ite(0n, 8194n, 700n))
    expect([0, 1, 2, 3].map((i) => memory.read64(COLLECTIONS + 8 * i))).toEqual([
      cte(1n, 0n),
      cte(3n, 2n),
      cte(2n, 700n),
      0n,
    ])
    expect(memory.read64(COLLECTIONS + 700 * 8)).toBe(0n)
  })

  it('cap distances at 2^14 - 1 devices and 2^16 - 1 events', () => {
    const rig = new Rig({ eventIdBits: 20 })
    rig.write(0x000, 0)
    rig.write64(0x100, VALID | 0x4800_0000n | 0x207n)
    rig.write(0x000, 1)
    rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })
    for (const device of [1, 0x5000])
      rig.command('MAPD', { DeviceID: device, Size: 16, ITT_addr: (0x5000_0000 + device * 4096) / 256, V: 1 })
    for (const event of [2, 0x1fff0]) rig.command('MAPTI', { DeviceID: 1, EventID: event, pINTID: 8200, ICID: 0 })
    saveTables(rig.its)
    expect((rig.memory.read64(0x4800_0008) >> 49n) & 0x3fffn).toBe(0x3fffn)
    expect(rig.memory.read64(0x5000_1000 + 16) >> 48n).toBe(0xffffn)
    const other = new Rig({ eventIdBits: 20 }, { enable: false, memory: rig.memory })
    other.write64(0x100, rig.read64(0x100))
    other.write64(0x108, rig.read64(0x108))
    expect(restoreTables(other.its)).toEqual({ devices: 2, events: 2, collections: 1, problems: [] })
  })

  it('do not change where MSIs go: the ITS is used on after a save', () => {
    const rig = mapped()
    const before = routes(rig)
    saveTables(rig.its)
    expect(routes(rig)).toEqual(before)
    expect(rig.its.translation.packed).toBe(true)
    expect(rig.its.signal(3, 31)).toBe(Reason.delivered)
    expect(rig.its.translation.packed).toBe(false)
    expect([...rig.targets.pending[2]!]).toEqual([8194])
    expect(routes(rig)).toEqual(before)
    expect(rig.command('MAPC', { ICID: 1, RDbase: 0, V: 1 })).toBe(0)
    expect(rig.command('MOVI', { DeviceID: 3, EventID: 0, ICID: 1 })).toBe(0)
    saveTables(rig.its)
    expect(rig.command('MAPC', { ICID: 0 })).toBe(0)
    expect(saveTables(rig.its)).toMatchObject({ collections: 3 })
    expect(rig.its.signal(3, 0)).toBe(Reason.delivered)
  })

  it('end the list of collections, whatever was there', () => {
    const rig = mapped()
    rig.memory.write64(COLLECTIONS + 3 * 8, cte(0n, 77n))
    expect(saveTables(rig.its)).toMatchObject({ collections: 3 })
    expect(rig.memory.read64(COLLECTIONS + 3 * 8)).toBe(0n)
  })

  it('are saved twice to the same bytes', () => {
    const rig = mapped()
    const bytes = () => [...rig.memory.pages].map(([page, view]) => [page, Buffer.from(view.buffer).toString('hex')])
    saveTables(rig.its)
    const first = bytes()
    saveTables(rig.its)
    expect(bytes()).toEqual(first)
  })
})

describe('restored tables', () => {
  it('send every MSI where it went before', () => {
    const rig = mapped()
    const before = routes(rig)
    saveTables(rig.its)
    const other = successor(rig)
    expect(restoreTables(other.its)).toEqual({ devices: 3, events: 4, collections: 3, problems: [] })
    other.write(0x000, 1)
    expect(routes(other)).toEqual(before)
  })

  it('take tables that another wrote: collections in any order, entries that no distance leads to ignored', () => {
    const rig = new Rig({}, { enable: false })
    rig.write64(0x100, VALID | BigInt(DEVICES) | 0x200n)
    rig.write64(0x108, VALID | BigInt(COLLECTIONS) | 0x200n)
    const { memory } = rig
    for (const [i, entry] of [cte(2n, 9n), cte(0n, 1n), 0n, cte(3n, 4n)].entries())
      memory.write64(COLLECTIONS + 8 * i, entry)
    memory.write64(DEVICES + 2 * 8, dte(4n, ITT, 3n))
    memory.write64(DEVICES + 4 * 8, dte(0n, ITT + 256, 3n))
    memory.write64(DEVICES + 6 * 8, dte(0n, ITT + 512, 3n))
    memory.write64(DEVICES + 7 * 8, dte(0n, ITT + 512, 3n))
    memory.write64(ITT + 8, ite(3n, 8200n, 9n))
    memory.write64(ITT + 16, ite(0n, 8201n, 9n))
    memory.write64(ITT + 32, ite(0n, 8202n, 1n))
    memory.write64(ITT + 40, ite(0n, 8203n, 1n))
    expect(restoreTables(rig.its)).toEqual({ devices: 2, events: 2, collections: 2, problems: [] })
    rig.write(0x000, 1)
    const reasons = [1, 2, 4, 5].map((event) => rig.its.lookup(2, event))
    expect(reasons).toEqual([Reason.delivered, Reason.eventUnmapped, Reason.delivered, Reason.eventUnmapped])
    expect([4, 6, 7].map((device) => rig.its.lookup(device, 0))).toEqual([
      Reason.deviceUnmapped,
      Reason.eventUnmapped,
      Reason.deviceUnmapped,
    ])
    expect(rig.its.lookup(2, 1)).toBe(Reason.delivered)
    expect(rig.its.translation.entries.pe).toBe(2)
    expect(rig.its.translation.collection(4)).toBe(Reason.collectionUnmapped)
  })

  it.each<[string, string, (rig: Rig) => void]>([
    [
      'a PE that there is not',
      'collection entry 1: PE 4 is none of the 4',
      (r) => r.memory.write64(COLLECTIONS + 8, cte(4n, 2n)),
    ],
    [
      'a collection out of range',
      'collection entry 1: collection 9000 is out of range',
      (r) => r.memory.write64(COLLECTIONS + 8, cte(0n, 9000n)),
    ],
    [
      'a collection twice',
      'collection entry 1: collection 0 is there twice',
      (r) => r.memory.write64(COLLECTIONS + 8, cte(0n, 0n)),
    ],
    [
      'too many EventID bits',
      'device 3: 17 EventID bits, where this ITS has 16',
      (r) => r.memory.write64(DEVICES + 24, dte(0n, ITT, 17n)),
    ],
    [
      'an INTID that is no LPI',
      'device 3, event 7: INTID 27 is no LPI',
      (r) => r.memory.write64(ITT + 3 * 256 + 56, ite(0n, 27n, 0n)),
    ],
  ])(
    'leave out %s, by name, and take all else: a guest cannot keep its own machine from being moved',
    (_, message, spoil) => {
      const rig = mapped()
      const before = routes(rig)
      saveTables(rig.its)
      spoil(rig)
      const other = successor(rig)
      expect(restoreTables(other.its).problems).toEqual([expect.stringContaining(message)])
      other.write(0x000, 1)
      const lost = routes(other).filter((route, i) => route !== before[i])
      expect(new Set(lost).size).toBeLessThan(3)
      expect(lost.filter((route) => route.includes('@'))).toEqual([])
      // What is left is sound: another save finds nothing wrong, and the same routes.
      const after = routes(other)
      expect(saveTables(other.its).problems).toEqual([])
      expect(restoreTables(other.its).problems).toEqual([])
      expect(routes(other)).toEqual(after)
    },
  )

  it('of two levels, too, with pages that are not there', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x100, VALID | (1n << 62n) | BigInt(DEVICES))
    rig.memory.write64(DEVICES + 8, VALID | 0x4500_0000n)
    rig.memory.write64(DEVICES + 64, VALID | 0x4500_1000n)
    rig.write(0x000, 1)
    for (const device of [513, 1000, 4100]) rig.map(device, 3, 8192 + device, 0, 1)
    expect(saveTables(rig.its)).toEqual({ devices: 3, events: 3, collections: 1, problems: [] })
    expect(rig.memory.read64(0x4500_0000 + 488 * 8)).toBe(dte(3100n, ITT + 1000 * 0x1000, 5n))
    const other = successor(rig)
    expect(restoreTables(other.its)).toEqual({ devices: 3, events: 3, collections: 1, problems: [] })
    other.write(0x000, 1)
    expect([513, 1000, 4100].map((device) => other.its.signal(device, 3))).toEqual([0, 0, 0])
  })
})

describe('Linux’s KVM', () => {
  it('reads a collection that is not mapped, and that translation entries name, as RDbase 0xffffffff', () => {
    const rig = mapped()
    rig.command('MAPC', { ICID: 2 })
    const before = routes(rig)
    expect(saveTables(rig.its)).toEqual({ devices: 3, events: 4, collections: 2, problems: [] })
    // Without this entry KVM_DEV_ARM_ITS_RESTORE_TABLES finds no collection for event 7 of device 3, and fails.
    expect([0, 1, 2, 3].map((i) => rig.memory.read64(COLLECTIONS + 8 * i))).toEqual([
      cte(1n, 0n),
      cte(2n, 700n),
      cte(0xffff_ffffn, 2n),
      0n,
    ])
    expect(routes(rig)).toEqual(before)
    const other = successor(rig)
    expect(restoreTables(other.its)).toEqual({ devices: 3, events: 4, collections: 2, problems: [] })
    other.write(0x000, 1)
    expect(routes(other)).toEqual(before)
    expect(other.its.lookup(3, 7)).toBe(Reason.collectionUnmapped)
    other.write(0x000, 0)
    other.write64(0x080, VALID | BigInt(QUEUE))
    other.write(0x000, 1)
    expect(other.command('MAPC', { ICID: 2, RDbase: 3, V: 1 })).toBe(0)
    expect(other.its.lookup(3, 7)).toBe(Reason.delivered)
  })

  it('reads on behind the end of the list of collections: nothing valid is left there', () => {
    const before = mapped()
    saveTables(before.its)
    for (const i of [5, 600, 8191]) before.memory.write64(COLLECTIONS + 8 * i, cte(1n, 2n))
    const rig = successor(before)
    restoreTables(rig.its)
    saveTables(rig.its)
    const valid: number[] = []
    for (let i = 0; i < 8192; i++) if (rig.memory.read64(COLLECTIONS + 8 * i) & VALID) valid.push(i)
    expect(valid).toEqual([0, 1, 2])
  })

  it('leaves what was behind the end of its list: none of it is mapped, though it lies at its own ICID', () => {
    const rig = mapped()
    saveTables(rig.its)
    rig.memory.write64(COLLECTIONS + 5 * 8, cte(1n, 5n))
    const other = successor(rig)
    expect(restoreTables(other.its)).toEqual({ devices: 3, events: 4, collections: 3, problems: [] })
    other.write(0x000, 1)
    expect(other.its.translation.collection(5)).toBe(Reason.collectionUnmapped)
  })

  it('takes no INTID that is no LPI: an entry that a command made and a guest wrote over is cleared by a save', () => {
    const rig = mapped()
    rig.memory.write64(ITT + 3 * 256 + 56, ite(0n, 27n, 0n))
    expect(saveTables(rig.its)).toMatchObject({ events: 3 })
    expect(rig.memory.read64(ITT + 3 * 256 + 56)).toBe(0n)
    expect(rig.memory.read64(ITT + 3 * 256)).toBe(ite(31n, 8192n, 0n))
  })

  it('takes no more EventID bits than the ITS has: an entry that says more is saved with those that it could use', () => {
    const rig = mapped()
    rig.memory.write64(DEVICES + 5 * 8, dte(0n, ITT + 5 * 256, 32n))
    saveTables(rig.its)
    expect(rig.memory.read64(DEVICES + 5 * 8) & 0x1fn).toBe(15n)
  })
})

describe('tables that a guest put where it should not', () => {
  /** Saves, restores and looks, in memory that throws where it is not; how many accesses that took. */
  function survive(rig: Rig): number {
    const { memory } = rig
    memory.reads = 0
    memory.writes = 0
    const saved = saveTables(rig.its)
    saveTables(rig.its)
    const other = successor(rig)
    const restored = restoreTables(other.its)
    for (const { problems } of [saved, restored]) expect(problems.length).toBeLessThanOrEqual(17)
    return memory.reads + memory.writes
  }
  const base0 = (rig: Rig, value: bigint) => {
    rig.write(0x000, 0)
    rig.write64(0x100, value)
    rig.write(0x000, 1)
  }
  const base1 = (rig: Rig, value: bigint) => {
    rig.write(0x000, 0)
    rig.write64(0x108, value)
    rig.write(0x000, 1)
  }

  it('a collection table over the device table', () => {
    const rig = mapped()
    base1(rig, VALID | BigInt(DEVICES) | 0x200n)
    for (const [icid, pe] of [
      [3, 1],
      [6, 2],
      [4096, 3],
    ] as const)
      rig.command('MAPC', { ICID: icid, RDbase: pe, V: 1 })
    survive(rig)
  })

  it('a second level that is the first, of devices and of collections', () => {
    for (const base of [base0, base1]) {
      const rig = mapped()
      base(rig, VALID | (1n << 62n) | 0x4400_0000n)
      // Descriptor 1 names the first level as its page: ID 512 + i has descriptor i for its entry.
      rig.memory.write64(0x4400_0008, VALID | 0x4400_0000n)
      for (const id of [514, 515, 600]) {
        rig.command('MAPD', { DeviceID: id, Size: 4, ITT_addr: ITT / 256, V: 1 })
        rig.command('MAPC', { ICID: id, RDbase: 1, V: 1 })
      }
      survive(rig)
    }
  })

  it('a first level whose descriptors all name one page', () => {
    const rig = mapped({ deviceIdBits: 32 })
    base0(rig, VALID | (1n << 62n) | 0x4800_0000n | 0x2ffn)
    for (let i = 0; i < 2048; i++) rig.memory.write64(0x4800_0000 + 8 * i, VALID | 0x4a00_0000n)
    for (const id of [0, 7, 8191]) rig.command('MAPD', { DeviceID: id, Size: 4, ITT_addr: ITT / 256, V: 1 })
    // Each descriptor is read, and each entry of the one page; five walks of devices at most, and one of each other table.
    expect(survive(rig)).toBeLessThan(6 * (2 * 2 ** 21 + 4 * 8192) + 2 ** 18)
  })

  it('no page where the list of collections begins: it goes on the pages that there are, and comes back', () => {
    const rig = mapped()
    base1(rig, VALID | (1n << 62n) | 0x4400_0000n)
    rig.memory.write64(0x4400_0008, VALID | 0x4500_0000n)
    rig.memory.write64(0x4400_0018, VALID | 0x4500_1000n)
    for (const [icid, pe] of [
      [700, 2],
      [1600, 1],
    ] as const)
      expect(rig.command('MAPC', { ICID: icid, RDbase: pe, V: 1 })).toBe(0)
    const before = routes(rig)
    expect(before).toContain('8194@2')
    expect(saveTables(rig.its)).toMatchObject({ collections: 2, problems: [] })
    expect(routes(rig)).toEqual(before)
    const other = successor(rig)
    expect(restoreTables(other.its)).toMatchObject({ collections: 2, problems: [] })
    other.write(0x000, 1)
    expect(routes(other)).toEqual(before)
    expect(other.its.translation.collection(1600)).toBe(Reason.delivered)
  })

  it('1,024 devices of 16 EventID bits on one translation table: each entry is looked at once', () => {
    const rig = mapped()
    for (let device = 0; device < 1024; device++)
      rig.command('MAPD', { DeviceID: device, Size: 15, ITT_addr: ITT / 256 + (device % 5), V: 1 })
    rig.command('MAPTI', { DeviceID: 0, EventID: 77, pINTID: 8200, ICID: 0 })
    const entries = 2 ** 16 + 8192 + 8192 + 128
    expect(survive(rig)).toBeLessThan(5 * 3 * entries)
    const other = successor(rig)
    other.write(0x000, 1)
    expect(other.its.lookup(1, 77 - 32)).toBe(Reason.delivered)
  })

  // More than 256 of them in `npm run test:long`.
  it.each([times > 1 ? 257 : 33])('%i devices of 16 EventID bits, each with a table of its own', (count) => {
    const rig = mapped()
    for (let device = 0; device < count; device++) {
      rig.command('MAPD', { DeviceID: device, Size: 15, ITT_addr: (0x4800_0000 + device * 0x8_0000) / 256, V: 1 })
      rig.command('MAPTI', { DeviceID: device, EventID: device * 255, pINTID: 8192 + device, ICID: 0 })
    }
    rig.command('MAPD', { DeviceID: 0x1000 })
    expect(saveTables(rig.its)).toMatchObject({ devices: count, events: count, problems: [] })
    const other = successor(rig)
    expect(restoreTables(other.its)).toMatchObject({ devices: count, events: count, problems: [] })
    other.write(0x000, 1)
    for (const device of [0, count >> 1, count - 1])
      expect(other.its.lookup(device, device * 255)).toBe(Reason.delivered)
  })

  it('translation tables that lie over each other keep what both map', () => {
    const rig = mapped()
    rig.command('MAPD', { DeviceID: 3, Size: 6, ITT_addr: ITT / 256, V: 1 })
    rig.command('MAPD', { DeviceID: 5, Size: 6, ITT_addr: (ITT + 512) / 256, V: 1 })
    for (const [device, event] of [
      [3, 1],
      [3, 70],
      [3, 127],
      [5, 3],
      [5, 100],
    ] as const)
      expect(rig.command('MAPTI', { DeviceID: device, EventID: event, pINTID: 8300 + event, ICID: 0 })).toBe(0)
    const every = (of: Rig) =>
      [3, 5].flatMap((device) => Array.from({ length: 128 }, (_, event) => of.its.lookup(device, event)))
    const before = every(rig)
    saveTables(rig.its)
    const other = successor(rig)
    expect(restoreTables(other.its).problems).toEqual([])
    other.write(0x000, 1)
    expect(every(other)).toEqual(before)
  })
})

describe('random mappings', () => {
  it('survive save and restore, at every step', () => {
    const random = new Random(7)
    const rig = new Rig({}, { targets: new FakeTargets(4) })
    for (let step = 0; step < 150 * times; step++) {
      const device = random.pick([0, 3, 4, 5, 0x1000])
      const event = random.below(34)
      const icid = random.pick([0, 1, 2, 700, 8191, 8192])
      const name = random.pick(['MAPC', 'MAPC', 'MAPD', 'MAPTI', 'MAPTI', 'MAPTI', 'MOVI', 'DISCARD'])
      if (name === 'MAPC') rig.command(name, { ICID: icid, RDbase: random.below(5), V: random.chance(4) ? 0 : 1 })
      else if (name === 'MAPD')
        rig.command(name, {
          DeviceID: device,
          Size: 4,
          ITT_addr: (ITT + device * 256) / 256,
          V: random.chance(6) ? 0 : 1,
        })
      else if (name === 'DISCARD') rig.command(name, { DeviceID: device, EventID: event })
      else {
        const intid = name === 'MAPTI' ? { pINTID: 8190 + random.below(500) } : {}
        rig.command(name, { DeviceID: device, EventID: event, ICID: icid, ...intid })
      }
      const before = routes(rig)
      const counts = saveTables(rig.its)
      expect(routes(rig)).toEqual(before)
      if (step % 10 !== 0) continue
      const other = successor(rig)
      expect(restoreTables(other.its)).toEqual(counts)
      other.write(0x000, 1)
      expect(routes(other)).toEqual(before)
      // Both use the same memory, which the restore has unpacked.
      rig.its.translation.packed = false
      rig.its.translation.places.forget()
    }
  })
})
