/** Every ITS command, its effect, and each of its command errors (IHI 0069 5.3). */

import { describe, expect, it } from 'vitest'
import { commands, errorName, fieldValue, NOT_MODELLED, UNKNOWN_COMMAND } from './commands.ts'
import { Reason } from './reasons.ts'
import {
  assemble,
  COLLECTIONS,
  type CommandFields,
  DEVICES,
  FakeTargets,
  ITT,
  Rig,
  SparseMemory,
} from './testing/rig.ts'

/** Device 3 with 32 events; events 1 and 2 on collections 0 (PE 0) and 2 (PE 1); event 4 on collection 5, which is unmapped. */
function prepared(config = {}): Rig {
  const rig = new Rig(config)
  rig.map(3, 1, 8200, 0, 0)
  rig.map(3, 2, 8201, 2, 1)
  expect(rig.command('MAPTI', { DeviceID: 3, EventID: 4, pINTID: 8300, ICID: 5 })).toBe(0)
  return rig
}

/** Every word of the tables, to show that a failed command changes nothing. */
function tables(rig: Rig): string {
  return JSON.stringify(
    [...rig.memory.pages.entries()]
      .filter(([page]) => page >= DEVICES / 4096)
      .map(([page, view]) => [page, Buffer.from(view.buffer).toString('base64')]),
  )
}

describe('the commands’ encodings', () => {
  it('are those that Linux wrote (recorded commands)', () => {
    expect([...assemble('MAPC', { ICID: 1, RDbase: 1, V: 1 })]).toEqual([
      9,
      0,
      0,
      0,
      0x0001_0001,
      0x8000_0000 | 0,
      0,
      0,
    ])
    expect([...assemble('MAPD', { DeviceID: 8, Size: 0, ITT_addr: 0x427f1600 / 256, V: 1 })]).toEqual([
      8,
      8,
      0,
      0,
      0x427f_1600,
      0x8000_0000 | 0,
      0,
      0,
    ])
    expect([...assemble('MAPTI', { DeviceID: 8, EventID: 1, pINTID: 0x2001, ICID: 1 })]).toEqual([
      0xa, 8, 1, 0x2001, 1, 0, 0, 0,
    ])
  })

  it('hold a field that spans two words, up to all of its bits', () => {
    const top = 2 ** 44 - 1
    expect(fieldValue(assemble('MAPD', { ITT_addr: top }), { dw: 2, msb: 51, lsb: 8 })).toBe(top)
    const target = 2 ** 36 - 1
    expect(fieldValue(assemble('SYNC', { RDbase: target }), { dw: 2, msb: 51, lsb: 16 })).toBe(target)
  })

  it('are one command to an opcode, and the errors one name to a number', () => {
    expect(new Set(commands.map(({ opcode }) => opcode)).size).toBe(commands.length)
    const numbers = commands.flatMap(({ errors }) => Object.values(errors))
    expect(new Set(numbers).size).toBe(numbers.length)
  })
})

describe('MAPD', () => {
  it('maps a device to its translation table', () => {
    const rig = prepared()
    const itt = 0x4230_3000n
    expect(rig.memory.read64(DEVICES + 3 * 8)).toBe((1n << 63n) | ((itt >> 8n) << 5n) | 4n)
  })

  it('with V 0 unmaps it', () => {
    const rig = prepared()
    expect(rig.command('MAPD', { DeviceID: 3 })).toBe(0)
    expect(rig.its.signal(3, 1)).toBe(Reason.deviceUnmapped)
  })

  it('holds a table at any address of 52 bits', () => {
    const rig = new Rig({}, { memory: new SparseMemory(0, 2 ** 52) })
    const itt = 0xf_ffff_ffff_0000
    expect(rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })).toBe(0)
    expect(rig.command('MAPD', { DeviceID: 0, Size: 4, ITT_addr: itt / 256, V: 1 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 0, EventID: 31, pINTID: 65535, ICID: 0 })).toBe(0)
    expect(rig.memory.read64(itt + 31 * 8)).toBe(65535n << 16n)
    expect(rig.its.signal(0, 31)).toBe(Reason.delivered)
  })
})

describe('MAPC', () => {
  it('maps a collection to a PE, and again to another', () => {
    const rig = prepared()
    rig.its.signal(3, 1)
    expect(rig.command('MAPC', { ICID: 0, RDbase: 3, V: 1 })).toBe(0)
    rig.its.signal(3, 1)
    expect(rig.targets.pending.map((lpis) => [...lpis])).toEqual([[8200], [], [], [8200]])
  })

  it('with V 0 unmaps it, whatever RDbase is', () => {
    const rig = prepared()
    expect(rig.command('MAPC', { ICID: 0, RDbase: 99 })).toBe(0)
    expect(rig.its.signal(3, 1)).toBe(Reason.collectionUnmapped)
  })

  it('takes the address of a Redistributor where GITS_TYPER.PTA is 1', () => {
    const rig = new Rig({ pta: 1 })
    expect(rig.command('MAPC', { ICID: 1, RDbase: 0x080c_0000 / 65536, V: 1 })).toBe(0)
    expect(rig.command('MAPC', { ICID: 2, RDbase: 0x080d_0000 / 65536, V: 1 })).toBe(0x01_0902)
    expect(rig.command('MAPC', { ICID: 2, RDbase: 1, V: 1 })).toBe(0x01_0902)
    expect(rig.memory.read64(COLLECTIONS + 8)).toBe((1n << 63n) | (1n << 16n) | 1n)
  })
})

describe('MAPTI and MAPI', () => {
  it('map an event to an LPI, MAPI to the one of its own number', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    rig.command('MAPD', { DeviceID: 3, Size: 15, ITT_addr: ITT / 256, V: 1 })
    expect(rig.command('MAPI', { DeviceID: 3, EventID: 9000, ICID: 0 })).toBe(0)
    expect(rig.its.signal(3, 9000)).toBe(Reason.delivered)
    expect([...rig.targets.pending[0]!]).toEqual([9000])
  })
})

describe('MOVI', () => {
  it('moves an event to another collection, and its pending LPI to that PE', () => {
    const rig = prepared()
    rig.its.signal(3, 1)
    expect(rig.command('MOVI', { DeviceID: 3, EventID: 1, ICID: 2 })).toBe(0)
    expect(rig.targets.pending.map((lpis) => [...lpis])).toEqual([[], [8200], [], []])
    rig.targets.pending[1]!.clear()
    rig.its.signal(3, 1)
    expect([...rig.targets.pending[1]!]).toEqual([8200])
  })
})

describe('MOVALL', () => {
  it('moves all pending LPIs of a PE to another', () => {
    const rig = prepared()
    rig.its.signal(3, 1)
    rig.targets.setLpi(0, 9000)
    rig.targets.setLpi(3, 9001)
    expect(rig.command('MOVALL', { RDbase1: 0, RDbase2: 3 })).toBe(0)
    expect(rig.targets.pending.map((lpis) => [...lpis].sort())).toEqual([[], [], [], [8200, 9000, 9001]])
  })
})

describe('DISCARD', () => {
  it('unmaps an event and takes its pending LPI back', () => {
    const rig = prepared()
    rig.its.signal(3, 1)
    expect(rig.command('DISCARD', { DeviceID: 3, EventID: 1 })).toBe(0)
    expect(rig.targets.pending[0]!.size).toBe(0)
    expect(rig.its.signal(3, 1)).toBe(Reason.eventUnmapped)
    expect(rig.its.signal(3, 2)).toBe(Reason.delivered)
  })
})

describe('INT and CLEAR', () => {
  it('make an LPI pending, and not pending', () => {
    const rig = prepared()
    expect(rig.command('INT', { DeviceID: 3, EventID: 2 })).toBe(0)
    expect([...rig.targets.pending[1]!]).toEqual([8201])
    expect(rig.command('CLEAR', { DeviceID: 3, EventID: 2 })).toBe(0)
    expect(rig.targets.pending[1]!.size).toBe(0)
  })
})

describe('INV and INVALL', () => {
  it('have the configuration of one LPI, or of all of a collection’s PE, looked at again', () => {
    const rig = prepared()
    expect(rig.command('INV', { DeviceID: 3, EventID: 2 })).toBe(0)
    expect(rig.command('INVALL', { ICID: 2 })).toBe(0)
    expect(rig.targets.calls).toEqual(['invalidate 8201 on 1', 'invalidate all on 1'])
  })
})

describe('SYNC', () => {
  it('finds everything done already', () => {
    const rig = prepared()
    expect(rig.command('SYNC', { RDbase: 0 })).toBe(0)
  })
})

const far = 0x1_0000
const itt = ITT / 256

/** Each error of each command, with the least that leads to it. */
const failures: readonly [string, string, CommandFields][] = [
  ['CLEAR', 'DEVICE_OOR', { DeviceID: far, EventID: 1 }],
  ['CLEAR', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1 }],
  ['CLEAR', 'ID_OOR', { DeviceID: 3, EventID: 32 }],
  ['CLEAR', 'UNMAPPED_INTERRUPT', { DeviceID: 3, EventID: 9 }],
  ['CLEAR', 'ITE_INVALID', { DeviceID: 3, EventID: 4 }],
  ['DISCARD', 'DEVICE_OOR', { DeviceID: far, EventID: 1 }],
  ['DISCARD', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1 }],
  ['DISCARD', 'ID_OOR', { DeviceID: 3, EventID: 32 }],
  ['DISCARD', 'UNMAPPED_INTERRUPT', { DeviceID: 3, EventID: 9 }],
  ['DISCARD', 'ITE_INVALID', { DeviceID: 3, EventID: 4 }],
  ['INT', 'DEVICE_OOR', { DeviceID: far, EventID: 1 }],
  ['INT', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1 }],
  ['INT', 'ID_OOR', { DeviceID: 3, EventID: 32 }],
  ['INT', 'UNMAPPED_INTERRUPT', { DeviceID: 3, EventID: 9 }],
  ['INT', 'ITE_INVALID', { DeviceID: 3, EventID: 4 }],
  ['INV', 'DEVICE_OOR', { DeviceID: far, EventID: 1 }],
  ['INV', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1 }],
  ['INV', 'ID_OOR', { DeviceID: 3, EventID: 32 }],
  ['INV', 'UNMAPPED_INTERRUPT', { DeviceID: 3, EventID: 9 }],
  ['INV', 'ITE_INVALID', { DeviceID: 3, EventID: 4 }],
  ['INVALL', 'COLLECTION_OOR', { ICID: 8192 }],
  ['INVALL', 'UNMAPPED_COLLECTION', { ICID: 5 }],
  ['MAPC', 'PROCNUM_OOR', { ICID: 1, RDbase: 4, V: 1 }],
  ['MAPC', 'COLLECTION_OOR', { ICID: 8192, RDbase: 0, V: 1 }],
  ['MAPD', 'DEVICE_OOR', { DeviceID: far, Size: 4, ITT_addr: itt, V: 1 }],
  ['MAPD', 'ITTSIZE_OOR', { DeviceID: 3, Size: 16, ITT_addr: itt, V: 1 }],
  ['MAPI', 'DEVICE_OOR', { DeviceID: far, EventID: 8200 }],
  ['MAPI', 'COLLECTION_OOR', { DeviceID: 3, EventID: 8200, ICID: 8192 }],
  ['MAPI', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 8200 }],
  ['MAPI', 'ID_OOR', { DeviceID: 3, EventID: 8200 }],
  ['MAPI', 'PHYSICALID_OOR', { DeviceID: 3, EventID: 5 }],
  ['MAPTI', 'DEVICE_OOR', { DeviceID: far, EventID: 1, pINTID: 8200 }],
  ['MAPTI', 'COLLECTION_OOR', { DeviceID: 3, EventID: 1, pINTID: 8200, ICID: 8192 }],
  ['MAPTI', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1, pINTID: 8200 }],
  ['MAPTI', 'ID_OOR', { DeviceID: 3, EventID: 32, pINTID: 8200 }],
  ['MAPTI', 'PHYSICALID_OOR', { DeviceID: 3, EventID: 1, pINTID: 8191 }],
  ['MOVALL', 'PROCNUM_OOR', { RDbase1: 0, RDbase2: 4 }],
  ['MOVI', 'DEVICE_OOR', { DeviceID: far, EventID: 1, ICID: 2 }],
  ['MOVI', 'COLLECTION_OOR', { DeviceID: 3, EventID: 1, ICID: 8192 }],
  ['MOVI', 'UNMAPPED_DEVICE', { DeviceID: 9, EventID: 1, ICID: 2 }],
  ['MOVI', 'ID_OOR', { DeviceID: 3, EventID: 32, ICID: 2 }],
  ['MOVI', 'UNMAPPED_INTERRUPT', { DeviceID: 3, EventID: 9, ICID: 2 }],
  ['MOVI', 'UNMAPPED_COLLECTION', { DeviceID: 3, EventID: 1, ICID: 5 }],
]

/** As printed in the public tables of an Arm ITS (GIC-600AE TRM 4.9.2), Linux’s vgic and the headers of others. */
const published: Readonly<Record<string, number>> = {
  MAPD_DEVICE_OOR: 0x010801,
  MAPD_ITTSIZE_OOR: 0x010802,
  MAPC_PROCNUM_OOR: 0x010902,
  MAPC_COLLECTION_OOR: 0x010903,
  MAPI_DEVICE_OOR: 0x010b01,
  MAPI_COLLECTION_OOR: 0x010b03,
  MAPI_UNMAPPED_DEVICE: 0x010b04,
  MAPI_ID_OOR: 0x010b05,
  MAPTI_UNMAPPED_DEVICE: 0x010a04,
  MAPTI_ID_OOR: 0x010a05,
  MAPTI_PHYSICALID_OOR: 0x010a06,
  MOVI_DEVICE_OOR: 0x010101,
  MOVI_COLLECTION_OOR: 0x010103,
  MOVI_UNMAPPED_DEVICE: 0x010104,
  MOVI_ID_OOR: 0x010105,
  MOVI_UNMAPPED_INTERRUPT: 0x010107,
  MOVI_UNMAPPED_COLLECTION: 0x010109,
  MOVALL_PROCNUM_OOR: 0x010e01,
  DISCARD_UNMAPPED_INTERRUPT: 0x010f07,
  DISCARD_ITE_INVALID: 0x010f10,
  CLEAR_DEVICE_OOR: 0x010501,
  CLEAR_UNMAPPED_DEVICE: 0x010504,
  CLEAR_ID_OOR: 0x010505,
  CLEAR_UNMAPPED_INTERRUPT: 0x010507,
  CLEAR_ITE_INVALID: 0x010510,
  INV_DEVICE_OOR: 0x010c01,
  INV_UNMAPPED_DEVICE: 0x010c04,
  INV_ID_OOR: 0x010c05,
  INV_UNMAPPED_INTERRUPT: 0x010c07,
  INV_ITE_INVALID: 0x010c10,
  INVALL_COLLECTION_OOR: 0x010d03,
  INVALL_UNMAPPED_COLLECTION: 0x010d09,
  INT_DEVICE_OOR: 0x010301,
  INT_UNMAPPED_DEVICE: 0x010304,
  INT_ID_OOR: 0x010305,
  INT_UNMAPPED_INTERRUPT: 0x010307,
  INT_ITE_INVALID: 0x010310,
}

describe('command errors (IHI 0069 5.3)', () => {
  it('have the published numbers', () => {
    for (const [name, number] of Object.entries(published)) expect([number, errorName(number)]).toEqual([number, name])
  })

  it.each(failures)('%s reports %s, changes nothing, and the queue goes on', (name, error, fields) => {
    const rig = prepared()
    for (const intid of [8200, 8300]) rig.targets.setLpi(0, intid)
    const before = tables(rig)
    const number = rig.command(name, fields)
    expect(errorName(number)).toBe(`${name}_${error}`)
    expect(tables(rig)).toBe(before)
    expect([...rig.targets.pending[0]!]).toEqual([8200, 8300])
    expect(rig.targets.calls).toEqual([])
    expect(rig.events.at(-1)).toMatchObject({
      kind: 'its-error',
      command: name,
      error: number,
      name: `${name}_${error}`,
    })
    expect(rig.read(0x090)).toBe(rig.its.cwriter)
    expect(rig.command('INT', { DeviceID: 3, EventID: 2 })).toBe(0)
  })

  it('are all of them shown here', () => {
    const shown = new Set(failures.map(([name, error]) => `${name}_${error}`))
    const all = commands.flatMap(({ name, errors }) => Object.keys(errors).map((error) => `${name}_${error}`))
    expect(new Set(all)).toEqual(shown)
  })

  it('are found in the order of their numbers', () => {
    const rig = prepared()
    expect(rig.command('MAPTI', { DeviceID: far, EventID: far, pINTID: 5, ICID: 8192 })).toBe(0x01_0a01)
    expect(rig.command('MAPTI', { DeviceID: 9, EventID: far, pINTID: 5, ICID: 8192 })).toBe(0x01_0a03)
    expect(rig.command('MAPTI', { DeviceID: 9, EventID: far, pINTID: 5, ICID: 0 })).toBe(0x01_0a04)
    expect(rig.command('MAPTI', { DeviceID: 3, EventID: far, pINTID: 5, ICID: 0 })).toBe(0x01_0a05)
    expect(rig.command('MOVI', { DeviceID: 9, EventID: 1, ICID: 8192 })).toBe(0x01_0103)
  })

  it('PHYSICALID_OOR begins at the end of the LPIs that there are', () => {
    const rig = new Rig({}, { targets: new FakeTargets(1, 8200) })
    rig.map(3, 1, 8199)
    expect(rig.command('MAPTI', { DeviceID: 3, EventID: 1, pINTID: 8200, ICID: 0 })).toBe(0x01_0a06)
  })

  it('MOVI reports UNMAPPED_COLLECTION for the collection that it comes from, too', () => {
    const rig = prepared()
    expect(rig.command('MOVI', { DeviceID: 3, EventID: 4, ICID: 0 })).toBe(0x01_0109)
  })
})

describe('commands that are none, or of GICv4', () => {
  it.each([0x00, 0x02, 0x06, 0x07, 0x10, 0xff])('opcode 0x%s is reported and skipped', (opcode) => {
    const rig = prepared()
    expect(rig.raw(new Int32Array([opcode, 0, 0, 0, 0, 0, 0, 0]))).toBe(UNKNOWN_COMMAND)
    expect(rig.events.at(-1)).toMatchObject({ kind: 'its-error', name: 'UNKNOWN_COMMAND' })
    expect(rig.read(0x090)).toBe(rig.its.cwriter)
  })

  it.each(['VMAPP', 'VMAPTI', 'VMAPI', 'VMOVI', 'VMOVP', 'VSYNC', 'VINVALL', 'VSGI', 'INVDB'])(
    '%s is named, reported as not modelled, and skipped',
    (name) => {
      const rig = prepared()
      expect(rig.command(name)).toBe(NOT_MODELLED)
      expect(rig.events.at(-1)).toMatchObject({ kind: 'its-error', command: name, name: 'NOT_MODELLED' })
    },
  )
})
