/** The tables in guest memory: geometry by GITS_BASER, one and two levels, and memory that the guest only claims to have. */

import { describe, expect, it } from 'vitest'
import { Reason, reasons } from './reasons.ts'
import { ENTRY, NO_MEMORY, NO_PAGE, NO_TABLE, OUT_OF_RANGE } from './tables.ts'
import { COLLECTIONS, DEVICES, ITT, QUEUE, Rig, SparseMemory } from './testing/rig.ts'

const VALID = 1n << 63n
const INDIRECT = 1n << 62n
const pages = [
  [4096, 0n],
  [16384, 1n],
  [65536, 2n],
  [65536, 3n],
] as const

/** A rig that is disabled, its queue and collection table in place, its device table as given. */
function rigWith(deviceTable: bigint, config = {}): Rig {
  const rig = new Rig(config)
  rig.write(0x000, 0)
  rig.write64(0x100, deviceTable)
  rig.write(0x000, 1)
  return rig
}

describe('the geometry of a table (IHI 0069 12.19.1)', () => {
  it.each(pages)('a flat table of pages of %i bytes (Page_Size %i) has Size + 1 of them', (bytes, page) => {
    const rig = rigWith(VALID | (page << 8n) | BigInt(DEVICES) | 2n)
    const { devices } = rig.its.translation
    expect(devices.entries).toBe((3 * bytes) / ENTRY)
    expect(devices.entry(devices.entries - 1)).toBe(DEVICES + 3 * bytes - ENTRY)
    expect(devices.entry(devices.entries)).toBe(OUT_OF_RANGE)
  })

  it.each(pages)('base bits below a page of %i bytes are taken as zero (Page_Size %i)', (bytes, page) => {
    const rig = rigWith(VALID | (page << 8n) | BigInt(DEVICES) | 0xf000n)
    const top = page >= 2n ? 15 * 2 ** 48 : 0
    expect(rig.its.translation.devices.base).toBe(
      top + DEVICES + (bytes === 4096 ? 0xf000 : bytes === 16384 ? 0xc000 : 0),
    )
  })

  it('with 64 KiB pages, bits 15:12 are address bits 51:48', () => {
    const rig = rigWith(VALID | (2n << 8n) | 0x7654_3210_0000n | 0xa000n)
    expect(rig.its.translation.devices.base).toBe(0xa_7654_3210_0000)
  })

  it('a table never has more IDs than the ITS supports', () => {
    const rig = rigWith(VALID | (2n << 8n) | BigInt(DEVICES) | 0xffn, { deviceIdBits: 10 })
    expect(rig.its.translation.devices.entries).toBe(1024)
    expect(rig.its.signal(1024, 0)).toBe(Reason.deviceOutOfRange)
    expect(rig.its.signal(1023, 0)).toBe(Reason.deviceUnmapped)
  })

  it('a table that is not Valid has no entries', () => {
    expect(rigWith(BigInt(DEVICES)).its.translation.devices.entry(0)).toBe(NO_TABLE)
  })
})

describe('a device table of two levels', () => {
  it.each(pages)(
    'with pages of %i bytes (Page_Size %i) reaches entries by their first-level descriptors',
    (bytes, page) => {
      const rig = rigWith(VALID | INDIRECT | (page << 8n) | BigInt(DEVICES))
      const perPage = bytes / ENTRY
      const second = 0x4500_0000
      const deviceId = 3 * perPage + 5
      const { devices } = rig.its.translation
      expect(devices.entry(deviceId)).toBe(NO_PAGE)
      rig.memory.write64(DEVICES + 3 * 8, VALID | BigInt(second) | 0xfffn)
      expect(devices.entry(deviceId)).toBe(second + 5 * ENTRY)
      rig.map(deviceId, 3, 8200)
      expect(rig.its.signal(deviceId, 3)).toBe(Reason.delivered)
      expect(rig.memory.read64(second + 5 * ENTRY) >> 63n).toBe(1n)
    },
  )

  it('reports a device without a page as unmapped, and MAPD of it as DEVICE_OOR', () => {
    const rig = rigWith(VALID | INDIRECT | BigInt(DEVICES))
    expect(rig.its.signal(5, 0)).toBe(Reason.deviceUnmapped)
    expect(rig.command('MAPD', { DeviceID: 5, Size: 4, ITT_addr: ITT / 256, V: 1 })).toBe(0x01_0801)
  })

  it('has as many IDs as its first level reaches', () => {
    const rig = rigWith(VALID | INDIRECT | BigInt(DEVICES), { deviceIdBits: 32 })
    expect(rig.its.translation.devices.entries).toBe(512 * 512)
  })

  it('works for collections', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x108, VALID | INDIRECT | BigInt(COLLECTIONS))
    rig.write(0x000, 1)
    expect(rig.command('MAPC', { ICID: 600, RDbase: 2, V: 1 })).toBe(0x01_0903)
    rig.memory.write64(COLLECTIONS + 8, VALID | 0x4600_0000n)
    expect(rig.command('MAPC', { ICID: 600, RDbase: 2, V: 1 })).toBe(0)
    expect(rig.command('MAPC', { ICID: 0, RDbase: 2, V: 1 })).toBe(0x01_0903)
    expect(rig.command('INVALL', { ICID: 600 })).toBe(0)
  })
})

describe('memory that the guest lies about', () => {
  const outside = 0x8000_0000_0000

  it('a device table that is not memory has no mapped device', () => {
    const rig = rigWith(VALID | BigInt(outside))
    expect(rig.its.translation.devices.entry(0)).toBe(NO_MEMORY)
    expect(rig.its.signal(0, 0)).toBe(Reason.deviceTableMemory)
    expect(rig.command('MAPD', { DeviceID: 0, Size: 4, ITT_addr: ITT / 256, V: 1 })).toBe(0x01_0801)
    expect(rig.command('INT', { DeviceID: 0, EventID: 0 })).toBe(0x01_0301)
  })

  it('a device table that ends beyond memory works up to there', () => {
    const end = 0x6000_0000
    const rig = rigWith(VALID | BigInt(end - 4096) | 15n)
    const { devices } = rig.its.translation
    expect([devices.entry(511), devices.entry(512)]).toEqual([end - 8, NO_MEMORY])
  })

  it('a first level, or a second, that is not memory', () => {
    const rig = rigWith(VALID | INDIRECT | BigInt(outside))
    expect(rig.its.signal(0, 0)).toBe(Reason.deviceTableMemory)
    const other = rigWith(VALID | INDIRECT | BigInt(DEVICES))
    other.memory.write64(DEVICES, VALID | BigInt(outside))
    expect(other.its.signal(0, 0)).toBe(Reason.deviceTableMemory)
  })

  it('a translation table that is not memory, or only at its start', () => {
    const rig = new Rig()
    rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })
    expect(rig.command('MAPD', { DeviceID: 1, Size: 4, ITT_addr: outside / 256, V: 1 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 1, pINTID: 8200 })).toBe(0x01_0a05)
    expect(rig.its.signal(1, 1)).toBe(Reason.ittMemory)
    expect(rig.command('MAPD', { DeviceID: 1, Size: 7, ITT_addr: (0x6000_0000 - 256) / 256, V: 1 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 31, pINTID: 8200 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 32, pINTID: 8200 })).toBe(0x01_0a05)
    expect(rig.its.signal(1, 31)).toBe(Reason.delivered)
  })

  it('addresses at the very end of 52 bits do not wrap', () => {
    const rig = new Rig({}, { memory: new SparseMemory(0, 2 ** 52) })
    expect(rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })).toBe(0)
    expect(rig.command('MAPD', { DeviceID: 1, Size: 15, ITT_addr: (2 ** 52 - 256) / 256, V: 1 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 31, pINTID: 8200 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 32, pINTID: 8200 })).toBe(0x01_0a05)
  })

  it('a device entry with more EventID bits than there are is cut to them', () => {
    const rig = new Rig({ eventIdBits: 4 })
    rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })
    rig.memory.write64(DEVICES, VALID | (BigInt(ITT >>> 8) << 5n) | 31n)
    expect(rig.its.signal(0, 15)).toBe(Reason.eventUnmapped)
    expect(rig.its.signal(0, 16)).toBe(Reason.eventOutOfRange)
  })

  it('a translation entry with an INTID that is no LPI, and a collection of a PE that there is not', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    rig.its.signal(3, 1)
    const { translationEntry, collectionEntry } = rig.its.translation
    for (const intid of [1, 27, 8191, 65536, 0xffff_ffff]) {
      rig.memory.write64(translationEntry, BigInt(intid) << 16n)
      expect(rig.its.signal(3, 1)).toBe(Reason.intidInvalid)
    }
    rig.memory.write64(translationEntry, 8200n << 16n)
    for (const pe of [4n, 0xf_ffff_ffffn]) {
      rig.memory.write64(collectionEntry, VALID | (pe << 16n))
      expect(rig.its.signal(3, 1)).toBe(Reason.targetInvalid)
    }
    rig.memory.write64(collectionEntry, VALID | 7n)
    expect(rig.its.signal(3, 1)).toBe(Reason.collectionUnmapped)
  })

  it('tables that lie over each other, and over the queue, have an outcome too', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    for (const offset of [0x100, 0x108]) rig.write64(offset, VALID | BigInt(QUEUE) | 0x200n)
    rig.write(0x000, 1)
    for (let i = 0; i < 64; i++) rig.command('MAPC', { ICID: i, RDbase: i % 4, V: 1 })
    for (let i = 0; i < 64; i++) rig.command('MAPD', { DeviceID: i, Size: 4, ITT_addr: QUEUE / 256, V: 1 })
    for (let i = 0; i < 256; i++) expect(reasons[rig.its.signal(i, i % 32)]).toBeDefined()
  })
})

describe('an MSI', () => {
  it('costs at most eight reads of guest memory, whatever is mapped', () => {
    const rig = rigWith(VALID | INDIRECT | BigInt(DEVICES))
    rig.memory.write64(DEVICES, VALID | 0x4500_0000n)
    for (let device = 0; device < 100; device++) rig.map(device, device % 32, 8192 + device)
    rig.memory.reads = 0
    rig.memory.writes = 0
    expect(rig.its.signal(77, 77 % 32)).toBe(Reason.delivered)
    expect([rig.memory.reads, rig.memory.writes]).toEqual([8, 0])
  })

  it.each([
    ['delivered', 3, 1, 'delivered'],
    ['deviceOutOfRange', 70000, 1, 'unmapped'],
    ['deviceUnmapped', 4, 1, 'unmapped'],
    ['eventOutOfRange', 3, 32, 'unmapped'],
    ['eventUnmapped', 3, 2, 'unmapped'],
  ] as const)('reports %s as an event, with its outcome', (reason, deviceId, eventId, outcome) => {
    const rig = new Rig()
    rig.map(3, 1, 8200, 1, 2)
    rig.its.signal(deviceId, eventId)
    const [intid, pe] = outcome === 'delivered' ? [8200, 2] : [-1, -1]
    expect(rig.events.at(-1)).toEqual({ kind: 'msi', its: 0, deviceId, eventId, outcome, reason, intid, pe })
  })

  it('to a PE whose LPIs are disabled is an error, and names it', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200, 1, 2)
    rig.targets.enabled[2] = false
    expect(rig.its.signal(3, 1)).toBe(Reason.lpisDisabled)
    expect(rig.events.at(-1)).toMatchObject({ outcome: 'error', reason: 'lpisDisabled', intid: 8200, pe: 2 })
  })

  it('finds no collection where GITS_BASER1 is not Valid, or too small', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200, 600)
    rig.write(0x000, 0)
    rig.write64(0x108, VALID | BigInt(COLLECTIONS))
    rig.write(0x000, 1)
    expect(rig.its.signal(3, 1)).toBe(Reason.collectionOutOfRange)
    rig.write(0x000, 0)
    rig.write64(0x108, BigInt(COLLECTIONS))
    rig.write(0x000, 1)
    expect(rig.its.signal(3, 1)).toBe(Reason.noCollectionTable)
  })
})

describe('what is mapped', () => {
  it('is in guest memory alone: another ITS with the same registers translates alike (power management, IHI 0069 5.6)', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200, 9, 2)
    const other = new Rig({}, { memory: rig.memory, targets: rig.targets })
    expect(other.its.signal(3, 1)).toBe(Reason.delivered)
    expect([...rig.targets.pending[2]!]).toEqual([8200])
  })
})
