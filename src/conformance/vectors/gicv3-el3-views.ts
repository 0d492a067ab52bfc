/** Vectors on priorities as Non-secure software sees them (ICC_PMR_EL1, ICC_RPR_EL1), and on preemption across the groups. */

import type { Vector } from './build.ts'
import { S, vector3 } from './gicv3-build.ts'
import {
  by,
  type Ds,
  everywhere,
  type Group,
  INTID,
  interrupt,
  nameOf,
  openAt,
  type Place,
  pend,
  places,
  states,
  withDs,
} from './gicv3-el3-build.ts'

const needs = { security: true, priorityBits: 5 } as const
const both: readonly Ds[] = [0, 1]

/** Only Non-secure EL1 that cannot reach Group 0 sees priorities shifted, and only with two Security states. */
const isShifted = (ds: Ds, place: Place, fiq: boolean) => ds === 0 && place.el === 1 && place.ns && fiq
const seen = (priority: number, shifted: boolean) =>
  !shifted ? priority : priority < 0x80 ? 0 : priority === 0xff ? 0xff : (priority * 2) & 0xff

const cells = both.flatMap((ds) =>
  everywhere.flatMap((place) => [false, true].map((fiq) => ({ ds, place, fiq, shifted: isShifted(ds, place, fiq) }))),
)

const masks = cells.map(({ ds, place, fiq, shifted }) =>
  vector3(
    `ICC_PMR_EL1 at ${place.name} with SCR_EL3.FIQ ${fiq ? 1 : 0} is read ${shifted ? 'as Non-secure software sees priorities' : 'as it is'} (${states(ds)})`,
    'ICC_PMR_EL1',
    needs,
    withDs(ds),
    [0xf8, 0xc0, 0x88, 0x80, 0x78, 0x40, 0].flatMap((mask) => [
      by(places.el3).msr(0, 'PMR', mask),
      by(place, { fiq }).mrs(0, 'PMR').is(seen(mask, shifted)),
    ]),
  ),
)

const writes = cells.map(({ ds, place, fiq, shifted }) =>
  vector3(
    `ICC_PMR_EL1 at ${place.name} with SCR_EL3.FIQ ${fiq ? 1 : 0} is written ${shifted ? 'into the lower half, and only from there' : 'as it is'} (${states(ds)})`,
    'ICC_PMR_EL1',
    needs,
    withDs(ds),
    by(places.el3).msr(0, 'PMR', 0xf0),
    by(place, { fiq }).msr(0, 'PMR', 0x40),
    by(places.el3)
      .mrs(0, 'PMR')
      .is(shifted ? 0xa0 : 0x40),
    by(places.el3).msr(0, 'PMR', 0x70),
    by(place, { fiq }).msr(0, 'PMR', 0xf0),
    by(places.el3)
      .mrs(0, 'PMR')
      .is(shifted ? 0x70 : 0xf0),
  ),
)

const running = cells.flatMap(({ ds, place, fiq, shifted }) =>
  (
    [
      ['Group 0', 0x40],
      ['Non-secure Group 1', 0xc0],
    ] as const
  ).map(([group, priority]) =>
    vector3(
      `ICC_RPR_EL1 at ${place.name} with SCR_EL3.FIQ ${fiq ? 1 : 0} shows ${nameOf(group, ds)} at 0x${priority.toString(16)} as 0x${seen(priority, shifted).toString(16)} (${states(ds)})`,
      'ICC_RPR_EL1',
      needs,
      interrupt(group, priority),
      openAt(ds),
      by(place, { fiq }).mrs(0, 'RPR').is(0xff),
      pend,
      by(places.el3)
        .mrs(0, group === 'Group 0' ? 'IAR0' : 'IAR1')
        .is(INTID),
      by(place, { fiq }).mrs(0, 'RPR').is(seen(priority, shifted)),
    ),
  ),
)

/** SGI 9 of Group 0 beside SGI 8: a second interrupt to preempt with. */
const second = (priority: number) => [S.r(0).write8('IPRIORITYR', 9, priority), S.r(0).write('ISENABLER', 1 << 9)]

/** The binary point that splits the second interrupt's priority decides: SGI 8 of a group runs at 0xb0, SGI 9 of the same comes at 0xa0. */
const splits = both.flatMap((ds) =>
  (
    [
      ['Secure Group 1', 0, 'BPR1', 'el3'],
      ['Non-secure Group 1', 1, 'BPR1', 'el3Ns'],
    ] as const
  )
    .filter(([group]) => !(ds === 1 && group === 'Secure Group 1'))
    .flatMap(([group, more, name, writer]) =>
      [false, true].map((common) =>
        vector3(
          `${nameOf(group, ds)} is split by ${common ? 'ICC_BPR0_EL1 with its CBPR' : `ICC_BPR1_EL1 of SCR_EL3.NS ${writer === 'el3' ? 0 : 1}`} (${states(ds)})`,
          'Priority grouping',
          needs,
          S.r(0).write('IGROUPR', group === 'Non-secure Group 1' ? 0x300 : 0),
          group === 'Secure Group 1' ? [S.r(0).write('IGRPMODR', 0x300)] : [],
          S.r(0).write8('IPRIORITYR', INTID, 0xb0),
          S.r(0).write('ISENABLER', 1 << INTID),
          second(0xa0),
          openAt(ds),
          by(places.el3).msr(0, 'CTLR_EL3', common ? 3 : 0),
          // The one that counts makes 0xa0 and 0xb0 one level (bits 7:5), the other one makes them two.
          by(places[writer]).msr(0, name, common ? 2 + more : 4 + more),
          by(places.el3).msr(0, 'BPR0', common ? 4 : 2),
          pend,
          by(places.el3).mrs(0, 'IAR1').is(INTID),
          S.r(0).write('ISPENDR', 1 << 9),
          by(places.el3).mrs(0, 'IAR1').is(1023),
          by(places.el3).msr(0, 'EOIR1', INTID),
          by(places[writer]).msr(0, name, common ? 4 + more : 2 + more),
          by(places.el3).msr(0, 'BPR0', common ? 2 : 4),
          S.r(0).write('ICPENDR', 1 << 9),
          pend,
          by(places.el3).mrs(0, 'IAR1').is(INTID),
          S.r(0).write('ISPENDR', 1 << 9),
          by(places.el3).mrs(0, 'IAR1').is(9),
        ),
      ),
    ),
)

const across = both.map((ds) =>
  vector3(
    `A Group 0 interrupt preempts a running Group 1 interrupt that EL3 acknowledged, and each ends by its own register (${states(ds)})`,
    'Preemption',
    needs,
    interrupt('Non-secure Group 1' satisfies Group, 0xc0),
    second(0x40),
    openAt(ds),
    pend,
    by(places.el3Ns).mrs(0, 'IAR1').is(INTID),
    S.r(0).write('ISPENDR', 1 << 9),
    by(places.el3Ns).mrs(0, 'IAR0').is(9),
    by(places.el3).mrs(0, 'RPR').is(0x40),
    by(places.el3).msr(0, 'EOIR0', 9),
    by(places.el3).mrs(0, 'RPR').is(0xc0),
    by(places.el3).msr(0, 'EOIR1', INTID),
    by(places.el3).mrs(0, 'RPR').is(0xff),
    S.r(0).read('ISACTIVER').is(0),
  ),
)

export const gicv3El3ViewVectors: readonly Vector[] = [...masks, ...writes, ...running, ...splits, ...across]
