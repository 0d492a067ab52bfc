/** From a message to the PE, and the queue itself: GITS_TRANSLATER, GITS_CREADR, the life of an LPI (IHI 0069 5.1, 5.2, 12.19). */

import type { Vector } from './build.ts'
import {
  EVENT_BITS,
  int,
  itsVector,
  LPI,
  mapc,
  mapd,
  mapti,
  onEvent,
  QUEUE_COMMANDS,
  queueOffset,
  sync,
} from './its-build.ts'

const forMessages = [mapd(0, EVENT_BITS), mapti(0, 3, LPI + 1, 0)] as const

export const itsDeliveryVectors: readonly Vector[] = [
  itsVector('A write of GITS_TRANSLATER is an event of the device that writes', '12.19 GITS_TRANSLATER', (s) =>
    s
      .processors()
      .service()
      .commands(mapc(0, 0), ...forMessages)
      .message(3)
      .quiet(1)
      .takes(0, LPI + 1)
      .quiet(0, 1),
  ),
  itsVector('A 16-bit write of GITS_TRANSLATER carries an EventID too', '12.19 GITS_TRANSLATER', (s) =>
    s
      .processors()
      .service()
      .commands(mapc(0, 0), ...forMessages)
      .message(3, 2)
      .takes(0, LPI + 1)
      .quiet(0, 1),
  ),
  itsVector('A message whose event is not mapped, or out of range, is lost', '12.19 GITS_TRANSLATER', (s) =>
    s
      .processors()
      .service()
      .commands(mapc(0, 0), ...forMessages)
      .message(2)
      .message(2 ** EVENT_BITS)
      .message(0xffff_ffff)
      .quiet(0, 1)
      .message(3)
      .takes(0, LPI + 1),
  ),
  itsVector('A message from a device that is not mapped is lost', '12.19 GITS_TRANSLATER', (s) =>
    s.mapped().message(0).quiet(0, 1),
  ),
  itsVector('A message to an ITS that is off is lost', '12.19 GITS_CTLR', (s) =>
    s
      .processors()
      .service()
      .commands(mapc(0, 0), ...forMessages)
      .enable(0)
      .message(3)
      .quiet(0, 1)
      .enable(1)
      .quiet(0, 1)
      .message(3)
      .takes(0, LPI + 1),
  ),
  itsVector('Commands to an ITS that is off wait until it is on', '12.19 GITS_CTLR', (s) =>
    s
      .mapped()
      .enable(0)
      .wait(int(5, 0))
      .reads('its', 0x090, queueOffset(5))
      .quiet(0, 1)
      .enable(1)
      .done()
      .takes(0, LPI)
      .quiet(0, 1),
  ),
  itsVector('GITS_CREADR goes round the end of the queue to its start', '12.19 GITS_CREADR', (s) => {
    s.mapped()
    const filling = Array.from({ length: QUEUE_COMMANDS - 6 }, () => sync(0))
    return s
      .commands(...filling)
      .commands(int(5, 1), int(5, 0))
      .takes(0, LPI)
      .takes(0, LPI + 1)
      .quiet(0, 1)
  }),
  itsVector('A write of GITS_CBASER begins the queue anew, with GITS_CREADR 0', '12.19 GITS_CBASER', (s) =>
    s
      .mapped()
      .enable(0)
      .queue()
      .reads('its', 0x090, 0)
      .write('its', 0x088, 0, 8)
      .enable(1)
      .commands(int(5, 0))
      .reads('its', 0x090, queueOffset(1))
      .takes(0, LPI),
  ),
  itsVector('GITS_CREADR cannot be written', '12.19 GITS_CREADR', (s) =>
    s.mapped().write('its', 0x090, 0x40, 8).reads('its', 0x090, queueOffset(5)).commands(int(5, 0)).takes(0, LPI),
  ),
  itsVector('GITS_CTLR.Quiescent is 1 when the ITS is off and has nothing left to do', '12.19 GITS_CTLR', (s) =>
    s.mapped().enable(0).reads('its', 0x000, 0x8000_0000),
  ),
  itsVector('An LPI has no active state: it may be pending again before it is ended', '4.1.2, 5.1', (s) =>
    s
      .mapped()
      .commands(int(5, 0))
      .acknowledges(0, LPI)
      .irq(0, 0)
      .commands(int(5, 0))
      .irq(0, 0)
      .ends(0, LPI)
      .takes(0, LPI)
      .quiet(0, 1),
  ),
  itsVector('Of LPIs of the same priority the one with the lowest INTID is taken first', '4.8', (s) =>
    s
      .mapped()
      .commands(int(5, 1), int(5, 0))
      .takes(0, LPI)
      .takes(0, LPI + 1)
      .quiet(0, 1),
  ),
  itsVector('An LPI that memory disables is pending and not signalled', '5.1.1', (s) =>
    s
      .processors()
      .properties(0xa0)
      .service()
      .commands(mapc(0, 0), mapd(5, EVENT_BITS), mapti(5, 0, LPI, 0), onEvent('INV', 5, 0), int(5, 0))
      .quiet(0, 1)
      .properties(0xa1)
      .commands(onEvent('INV', 5, 0))
      .takes(0, LPI),
  ),
  itsVector('LPIs that the pending table holds when GICR_CTLR.EnableLPIs is set are pending', '5.1.2', (s) =>
    s
      .processors({ pending: [0b1001n] })
      .takes(0, LPI)
      .takes(0, LPI + 3)
      .quiet(0, 1),
  ),
  itsVector('An LPI for a PE whose GICR_CTLR.EnableLPIs is 0 is not delivered, there or elsewhere', '5.1', (s) =>
    s
      .processors({ off: 1 })
      .service()
      .commands(mapc(0, 0), mapc(1, 1), mapd(5, EVENT_BITS), mapti(5, 0, LPI, 1), mapti(5, 1, LPI + 1, 0))
      .commands(int(5, 0))
      .quiet(0, 1)
      .commands(int(5, 1))
      .takes(0, LPI + 1),
  ),
]
