/** ITS commands that succeed: what each changes, and what it leaves alone (IHI 0069 5.3). */

import type { Vector } from './build.ts'
import {
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
  sync,
  table,
} from './its-build.ts'

const DISABLED = 0xa0

export const itsCommandVectors: readonly Vector[] = [
  itsVector('INT makes the LPI of an event pending on the PE of its collection, and on no other', '5.3 INT', (s) =>
    s
      .mapped()
      .quiet(0, 1)
      .commands(mapti(5, 2, LPI + 2, 1), int(5, 2))
      .quiet(0)
      .takes(1, LPI + 2)
      .quiet(0, 1),
  ),
  itsVector('INT of an LPI that is pending already changes nothing: it is taken once', '5.3 INT', (s) =>
    s.mapped().commands(int(5, 0), int(5, 0)).takes(0, LPI).quiet(0, 1),
  ),
  itsVector('Two events of a device are two LPIs, and the events of two devices do not mix', '5.3 MAPTI', (s) =>
    s
      .mapped()
      .commands(mapd(9, EVENT_BITS, table(1)), mapti(9, 0, LPI + 6, 1))
      .commands(int(5, 1), int(9, 0))
      .takes(0, LPI + 1)
      .takes(1, LPI + 6)
      .quiet(0, 1),
  ),
  itsVector('Two events may be one LPI', '5.3 MAPTI', (s) =>
    s
      .mapped()
      .commands(mapti(5, 3, LPI, 0), int(5, 3))
      .takes(0, LPI)
      .commands(int(5, 0))
      .takes(0, LPI)
      .quiet(0, 1),
  ),
  itsVector('MAPI maps an event to the LPI of the same number', '5.3 MAPI', (s) =>
    s
      .mapped()
      .commands(mapd(6, 14, table(1)), mapi(6, LPI + 3, 1), int(6, LPI + 3))
      .quiet(0)
      .takes(1, LPI + 3)
      .quiet(0, 1),
  ),
  itsVector('CLEAR takes the pending state from an LPI', '5.3 CLEAR', (s) =>
    s
      .mapped()
      .commands(int(5, 0))
      .irq(0, 1)
      .commands(onEvent('CLEAR', 5, 0))
      .quiet(0, 1)
      .commands(int(5, 0))
      .takes(0, LPI),
  ),
  itsVector('CLEAR leaves the other LPIs of the device pending', '5.3 CLEAR', (s) =>
    s
      .mapped()
      .commands(int(5, 0), int(5, 1), onEvent('CLEAR', 5, 0))
      .takes(0, LPI + 1)
      .quiet(0, 1),
  ),
  itsVector('DISCARD takes the pending state and the mapping', '5.3 DISCARD', (s) =>
    s
      .mapped()
      .commands(int(5, 0), onEvent('DISCARD', 5, 0))
      .quiet(0, 1)
      .commands(int(5, 0))
      .quiet(0, 1)
      .commands(int(5, 1))
      .takes(0, LPI + 1),
  ),
  itsVector('An event that was discarded may be mapped again, to another LPI and PE', '5.3 DISCARD', (s) =>
    s
      .mapped()
      .commands(onEvent('DISCARD', 5, 0), mapti(5, 0, LPI + 4, 1), int(5, 0))
      .quiet(0)
      .takes(1, LPI + 4)
      .quiet(0, 1),
  ),
  itsVector('MOVI moves an event to another collection, and its pending LPI to that one’s PE', '5.3 MOVI', (s) =>
    s
      .mapped()
      .commands(int(5, 0))
      .irq(0, 1)
      .commands(movi(5, 0, 1))
      .quiet(0)
      .takes(1, LPI)
      .commands(int(5, 0))
      .takes(1, LPI)
      .quiet(0, 1),
  ),
  itsVector('MOVI of an event whose LPI is not pending makes nothing pending', '5.3 MOVI', (s) =>
    s
      .mapped()
      .commands(movi(5, 0, 1))
      .quiet(0, 1)
      .commands(int(5, 0), int(5, 1))
      .takes(1, LPI)
      .takes(0, LPI + 1),
  ),
  itsVector('MOVALL moves every pending LPI of a PE to another', '5.3 MOVALL', (s) =>
    s
      .mapped()
      .commands(int(5, 0), int(5, 1), mapc(0, 1), movall(0, 1))
      .quiet(0)
      .takes(1, LPI)
      .takes(1, LPI + 1)
      .quiet(0, 1),
  ),
  itsVector('MOVALL from a PE to itself changes nothing', '5.3 MOVALL', (s) =>
    s.mapped().commands(int(5, 0), movall(0, 0)).takes(0, LPI).quiet(0, 1),
  ),
  itsVector('MOVALL changes no mapping: what comes later goes where the collection says', '5.3 MOVALL', (s) =>
    s.mapped().commands(int(5, 0), movall(0, 1)).takes(1, LPI).commands(int(5, 0)).takes(0, LPI).quiet(0, 1),
  ),
  itsVector('After MAPC to another PE, later events go there', '5.3 MAPC', (s) =>
    s.mapped().commands(mapc(0, 1), int(5, 0)).quiet(0).takes(1, LPI).quiet(0, 1),
  ),
  itsVector('After MAPC with V 0, the events of the collection are lost, and no other’s', '5.3 MAPC', (s) =>
    s
      .mapped()
      .commands(mapti(5, 2, LPI + 2, 1), mapc(0, undefined), int(5, 0), int(5, 2))
      .quiet(0)
      .takes(1, LPI + 2)
      .commands(mapc(0, 0))
      .quiet(0, 1)
      .commands(int(5, 0))
      .takes(0, LPI),
  ),
  itsVector('After MAPD with V 0, the events of the device are lost, and no other’s', '5.3 MAPD', (s) =>
    s
      .mapped()
      .commands(mapd(9, EVENT_BITS, table(1)), mapti(9, 0, LPI + 6, 0), mapd(5, 0), int(5, 0), int(9, 0))
      .takes(0, LPI + 6)
      .quiet(0, 1),
  ),
  itsVector('A device mapped anew with an empty table has no events', '5.3 MAPD', (s) =>
    s
      .mapped()
      .commands(mapd(5, 0), mapd(5, EVENT_BITS, table(2)), int(5, 0))
      .quiet(0, 1),
  ),
  itsVector('MAPD gives a device as many EventIDs as it says', '5.3 MAPD', (s) =>
    s
      .mapped()
      .commands(mapd(7, 1, table(1)), mapti(7, 1, LPI + 5, 0), int(7, 1))
      .takes(0, LPI + 5)
      .quiet(0, 1),
  ),
  itsVector('After INV, an LPI disabled in memory is no longer signalled, and enabled there it is', '5.3 INV', (s) =>
    s
      .mapped()
      .commands(int(5, 0))
      .irq(0, 1)
      .properties(DISABLED)
      .commands(onEvent('INV', 5, 0))
      .quiet(0, 1)
      .properties()
      .commands(onEvent('INV', 5, 0))
      .takes(0, LPI),
  ),
  itsVector('After INV, an LPI has the priority that memory says', '5.3 INV', (s) =>
    s
      .mapped()
      .properties(0xc1, 0x81)
      .commands(onEvent('INV', 5, 0), onEvent('INV', 5, 1), int(5, 0), int(5, 1))
      .takes(0, LPI + 1)
      .properties(0x41, 0x81)
      .commands(onEvent('INV', 5, 0), int(5, 1))
      .takes(0, LPI)
      .takes(0, LPI + 1),
  ),
  itsVector('After INVALL, all LPIs of the collection are as memory says', '5.3 INVALL', (s) =>
    s
      .mapped()
      .commands(int(5, 0), int(5, 1))
      .properties(DISABLED, DISABLED)
      .commands(invall(0))
      .quiet(0, 1)
      .properties(0xc1, 0x41)
      .commands(invall(0))
      .takes(0, LPI + 1)
      .takes(0, LPI),
  ),
  itsVector('SYNC leaves everything as it is', '5.3 SYNC', (s) =>
    s.mapped().commands(int(5, 0), sync(0), sync(1)).takes(0, LPI).quiet(0, 1),
  ),
]
