/**
 * Every command error of IHI 0069 5.3 that a physical ITS has: the command changes nothing. That the queue goes on is what an
 * implementation may choose, and what QEMU and this package's default do; one that stalls is not tested by these.
 */

import type { Vector } from './build.ts'
import {
  BEYOND_IDS,
  BEYOND_TABLE,
  type Command,
  EVENT_BITS,
  int,
  invall,
  itsVector,
  LPI,
  mapc,
  mapd,
  mapi,
  mapti,
  movall,
  movi,
  onEvent,
  PES,
  table,
} from './its-build.ts'

/**
 * After `prepare`, LPI is pending on PE 0 and LPI + 1 is not. Then the faulty command; LPI is still there, nothing else is,
 * event 1 still leads where it did, and `probe` (an event that the command would have mapped) leads nowhere.
 */
function fault(error: string, what: string, command: Command, prepare: readonly Command[] = [], probe?: Command) {
  const name = error.split('_')[0] ?? error
  return itsVector(`${error}: ${what}`, `5.3 ${name}`, (s) => {
    s.mapped()
      .commands(...prepare, int(5, 0))
      .commands(command)
      .takes(0, LPI)
      .quiet(0, 1)
    if (probe !== undefined) s.commands(probe).quiet(0, 1)
    return s
      .commands(int(5, 1))
      .takes(0, LPI + 1)
      .commands(int(5, 0))
      .takes(0, LPI)
      .quiet(0, 1)
  })
}

const NO_EVENT = 2 ** EVENT_BITS
/** Event 4 has a collection that is not mapped. */
const stray: readonly Command[] = [mapc(3, 0), mapti(5, 4, LPI + 4, 3), mapc(3, undefined)]

const onEvents: readonly Vector[] = (['INT', 'CLEAR', 'INV', 'DISCARD', 'MOVI'] as const).flatMap((name) => [
  fault(`${name}_DEVICE_OOR`, 'the DeviceID has more bits than there are', onEvent(name, BEYOND_IDS + 5, 0, 1)),
  fault(`${name}_DEVICE_OOR`, 'the DeviceID is beyond the device table', onEvent(name, BEYOND_TABLE + 5, 0, 1)),
  fault(`${name}_UNMAPPED_DEVICE`, 'the device is not mapped', onEvent(name, 6, 0, 1)),
  fault(`${name}_ID_OOR`, 'the EventID is beyond those of the device', onEvent(name, 5, NO_EVENT, 1)),
  fault(`${name}_UNMAPPED_INTERRUPT`, 'the event is not mapped', onEvent(name, 5, 2, 1)),
  fault(
    name === 'MOVI' ? 'MOVI_UNMAPPED_COLLECTION' : `${name}_ITE_INVALID`,
    'the collection of the event is not mapped',
    onEvent(name, 5, 4, 1),
    stray,
  ),
])

const mapping = (
  name: 'MAPTI' | 'MAPI',
  map: (device: number, event: number, icid: number) => Command,
  good: number,
): readonly Vector[] => [
  fault(`${name}_DEVICE_OOR`, 'the DeviceID has more bits than there are', map(BEYOND_IDS + 6, good, 0)),
  fault(`${name}_DEVICE_OOR`, 'the DeviceID is beyond the device table', map(BEYOND_TABLE + 6, good, 0)),
  fault(
    `${name}_COLLECTION_OOR`,
    'the ICID is beyond the collection table',
    map(6, good, BEYOND_TABLE),
    [mapd(6, 14, table(1))],
    int(6, good),
  ),
  fault(`${name}_UNMAPPED_DEVICE`, 'the device is not mapped', map(6, good, 0), [], int(6, good)),
  fault(`${name}_ID_OOR`, 'the EventID is beyond those of the device', map(6, 2 ** 14, 0), [mapd(6, 14, table(1))]),
]

export const itsErrorVectors: readonly Vector[] = [
  ...onEvents,
  fault('MOVI_COLLECTION_OOR', 'the new ICID is beyond the collection table', movi(5, 0, BEYOND_TABLE)),
  fault('MOVI_UNMAPPED_COLLECTION', 'the new collection is not mapped', movi(5, 0, 7)),
  ...mapping('MAPTI', (device, event, icid) => mapti(device, event, LPI + 5, icid), 9),
  ...mapping('MAPI', mapi, LPI + 5),
  fault('MAPTI_PHYSICALID_OOR', 'the INTID is no LPI', mapti(5, 2, LPI - 1, 0), [], int(5, 2)),
  fault('MAPTI_PHYSICALID_OOR', 'the INTID is that of an SPI', mapti(5, 2, 40, 0), [], int(5, 2)),
  fault('MAPTI_PHYSICALID_OOR', 'the INTID has more bits than there are', mapti(5, 2, 0x1_0000, 0), [], int(5, 2)),
  fault('MAPI_PHYSICALID_OOR', 'the EventID is no LPI', mapi(5, 2, 0), [], int(5, 2)),
  fault('MAPD_DEVICE_OOR', 'the DeviceID has more bits than there are', mapd(BEYOND_IDS + 5, 0)),
  fault('MAPD_DEVICE_OOR', 'the DeviceID is beyond the device table', mapd(BEYOND_TABLE + 5, EVENT_BITS, table(1))),
  fault(
    'MAPD_ITTSIZE_OOR',
    'more EventID bits are asked for than there are',
    mapd(6, 32, table(1)),
    [],
    mapti(6, 0, LPI + 5, 0),
  ),
  fault('MAPC_PROCNUM_OOR', 'there is no such PE', mapc(0, 200)),
  fault('MAPC_COLLECTION_OOR', 'the ICID is beyond the collection table', mapc(BEYOND_TABLE, 1)),
  fault('INVALL_COLLECTION_OOR', 'the ICID is beyond the collection table', invall(BEYOND_TABLE)),
  fault('INVALL_UNMAPPED_COLLECTION', 'the collection is not mapped', invall(7)),
  fault('MOVALL_PROCNUM_OOR', 'there is no PE to move from', movall(200, PES - 1)),
  fault('MOVALL_PROCNUM_OOR', 'there is no PE to move to', movall(0, 200)),
  ...[0x00, 0x02, 0x7f, 0xff].map((opcode) =>
    fault(`UNKNOWN_COMMAND`, `there is no command 0x${opcode.toString(16)}`, [
      BigInt(opcode) | (5n << 32n),
      0n,
      1n << 63n,
      0n,
    ]),
  ),
]
