/** What the vectors on the CPU interface's Security views begin with: two interrupts, one of each group. */

import { bitOf, S } from './build.ts'

/** Everything on; SPI 40 of Group 1 at 0xa0, SPI 41 of Group 0 at 0x20, both edge-triggered and targeted at CPU 0. */
export const on = (ctlr = 0) => [
  S.write(0, 'GICD_CTLR', 3),
  S.write(0, 'GICC_PMR', 0xff),
  S.write(0, 'GICC_CTLR', 3 | ctlr),
  S.write(0, 'GICD_IGROUPR1', bitOf(40)),
  S.write(0, 'GICD_ICFGR2', 0x000a_0000),
  S.write8(0, 'GICD_IPRIORITYR', 40, 0xa0),
  S.write8(0, 'GICD_IPRIORITYR', 41, 0x20),
  S.write(0, 'GICD_ITARGETSR10', 0x0101),
  S.write(0, 'GICD_ISENABLER1', bitOf(40) + bitOf(41)),
]
export const pend = (...intids: number[]) =>
  S.write(
    0,
    'GICD_ISPENDR1',
    intids.reduce((sum, intid) => sum + bitOf(intid), 0),
  )
