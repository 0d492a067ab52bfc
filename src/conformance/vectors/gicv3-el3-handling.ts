/** Vectors on signalling, acknowledging, ending and deactivating from EL3 and EL1, with one Security state and with two. */

import type { Vector } from './build.ts'
import { vector3 } from './gicv3-build.ts'
import {
  by,
  comesTo,
  type Ds,
  everywhere,
  type Group,
  groupsOf,
  INTID,
  interrupt,
  isActive,
  nameOf,
  openAt,
  type Place,
  pend,
  places,
  routings,
  states,
} from './gicv3-el3-build.ts'

const needs = { security: true } as const
const both: readonly Ds[] = [0, 1]
const FIQ = 0x40
const IRQ = 0x80

/** As what a pending interrupt is signalled: Group 1 as IRQ where its Security state executes, else FIQ; with DS 1 as IRQ. */
function signal(ds: Ds, place: Place, group: Group): typeof FIQ | typeof IRQ {
  if (group === 'Group 0') return FIQ
  if (ds === 1) return IRQ
  return place.el === 1 && place.ns === (group === 'Non-secure Group 1') ? IRQ : FIQ
}

const signals = both.flatMap((ds) =>
  groupsOf(ds).flatMap((group) =>
    everywhere.map((place) =>
      vector3(
        `${nameOf(group, ds)} is signalled at ${place.name} as ${signal(ds, place, group) === FIQ ? 'FIQ' : 'IRQ'} (${states(ds)})`,
        'Interrupt assignment to IRQ and FIQ signals',
        needs,
        interrupt(group),
        openAt(ds),
        by(place).mrs(0, 'ISR_EL1').is(0),
        pend,
        by(place)
          .mrs(0, 'ISR_EL1')
          .is(signal(ds, place, group)),
      ),
    ),
  ),
)

const routed = groupsOf(0).flatMap((group) =>
  [places.secureEl1, places.nonSecureEl1].map((place) =>
    vector3(
      `${group} is taken from ${place.name} to EL3 where SCR_EL3 routes it there, and by nothing else`,
      'Interrupt routing and masking, SCR_EL3',
      needs,
      interrupt(group),
      openAt(0),
      pend,
      routings.map((route) => {
        const goes = signal(0, place, group) === FIQ ? route.fiq : route.irq
        return comesTo(by(place, route).mrs(0, 'ISR_EL1').is(0, 0), goes ? 'taken' : 'ok')
      }),
      isActive(false),
    ),
  ),
)

/** ICC_IAR0_EL1 and ICC_IAR1_EL1 for a pending interrupt of a group ('Special INTIDs': 1020 and 1021 are EL3's). */
function acknowledges(ds: Ds, place: Place, group: Group): readonly [iar0: number, iar1: number] {
  const secureReader = place.el === 3 || !place.ns
  if (group === 'Group 0') return [ds === 1 || secureReader ? INTID : 1023, 1023]
  if (place.el === 3) return [group === 'Secure Group 1' ? 1020 : 1021, INTID]
  return [1023, place.ns === (group === 'Non-secure Group 1') ? INTID : 1023]
}

/** With DS 1 the text does not say what Secure EL1 is to a Group 1 that has no Security state. */
const isSaid = (ds: Ds, place: Place, group: Group) => !(ds === 1 && place === places.secureEl1 && group !== 'Group 0')

const acknowledging = both.flatMap((ds) =>
  groupsOf(ds).flatMap((group) =>
    everywhere
      .filter((place) => isSaid(ds, place, group))
      .map((place) => {
        const [iar0, iar1] = acknowledges(ds, place, group)
        return vector3(
          `At ${place.name} ${nameOf(group, ds)} reads as ${iar0 === INTID ? 'its INTID' : iar0} from ICC_IAR0_EL1 and ${iar1 === INTID ? 'its INTID' : iar1} from ICC_IAR1_EL1 (${states(ds)})`,
          'Special INTIDs',
          needs,
          interrupt(group),
          openAt(ds),
          pend,
          by(place).mrs(0, 'HPPIR0').is(iar0),
          by(place).mrs(0, 'HPPIR1').is(iar1),
          // The one that does not acknowledge first.
          by(place)
            .mrs(0, iar0 === INTID ? 'IAR1' : 'IAR0')
            .is(iar0 === INTID ? iar1 : iar0),
          isActive(false),
          by(place)
            .mrs(0, iar0 === INTID ? 'IAR0' : 'IAR1')
            .is(iar0 === INTID ? iar0 : iar1),
          isActive(iar0 === INTID || iar1 === INTID),
          by(places.el3)
            .mrs(0, 'RPR')
            .is(iar0 === INTID || iar1 === INTID ? 0xa0 : 0xff),
        )
      }),
  ),
)

const register = (group: Group) => (group === 'Group 0' ? '0' : '1')

/** Who may end what EL3 acknowledged: EL3, and the EL1 that could have acknowledged it itself. */
const ending = both.flatMap((ds) =>
  groupsOf(ds).flatMap((group) =>
    everywhere
      .filter((place) => isSaid(ds, place, group))
      .map((place) => {
        const ends = place.el === 3 || acknowledges(ds, place, group).includes(INTID)
        return vector3(
          `ICC_EOIR${register(group)}_EL1 at ${place.name} ${ends ? 'ends' : 'does not end'} ${nameOf(group, ds)} (${states(ds)})`,
          `ICC_EOIR${register(group)}_EL1`,
          needs,
          interrupt(group),
          openAt(ds),
          pend,
          by(places.el3)
            .mrs(0, `IAR${register(group)}`)
            .is(INTID),
          by(place).msr(0, `EOIR${register(group)}`, INTID),
          isActive(!ends),
          by(places.el3)
            .mrs(0, 'RPR')
            .is(ends ? 0xff : 0xa0),
        )
      }),
  ),
)

/** EOImode is that of the place: of EL3, of Secure EL1, of Non-secure EL1. */
const modes = both.flatMap((ds) =>
  everywhere
    .filter((place) => !(ds === 1 && place === places.secureEl1))
    .flatMap((place) => {
      const own = place.el === 3 ? 0x04 : place.ns ? 0x10 : 0x08
      const group: Group = place.el === 1 && !place.ns ? 'Secure Group 1' : 'Non-secure Group 1'
      return [own, 0x1c - own].map((mode) =>
        vector3(
          `ICC_EOIR1_EL1 at ${place.name} ${mode === own ? 'only drops the priority with its own EOImode' : 'deactivates too, whatever the EOImode of other places'} (${states(ds)})`,
          'ICC_EOIR1_EL1',
          needs,
          interrupt(group),
          openAt(ds),
          by(places.el3).msr(0, 'CTLR_EL3', mode),
          pend,
          by(place).mrs(0, 'IAR1').is(INTID),
          by(place).msr(0, 'EOIR1', INTID),
          by(places.el3).mrs(0, 'RPR').is(0xff),
          isActive(mode === own),
          by(place).msr(0, 'DIR', INTID),
          isActive(false),
        ),
      )
    }),
)

/** Whether ICC_DIR_EL1 deactivates: EL3 always; EL1 what is not routed to EL3, and Non-secure EL1 nothing that is Secure. */
function deactivates(ds: Ds, place: Place, group: Group, route: { fiq: boolean; irq: boolean }): boolean {
  if (place.el === 3) return true
  const isRouted = group === 'Group 0' ? route.fiq : route.irq
  const isSecure = ds === 0 && group !== 'Non-secure Group 1'
  return !isRouted && !(place.ns && isSecure)
}

const deactivating = both.flatMap((ds) =>
  groupsOf(ds).flatMap((group) =>
    everywhere.flatMap((place) =>
      routings
        // Both routed: the access itself traps.
        .filter(({ fiq, irq }) => !(fiq && irq) && (place.el === 1 || (!fiq && !irq)))
        .map((route) => {
          const does = deactivates(ds, place, group, route)
          return vector3(
            `ICC_DIR_EL1 at ${place.name}${place.el === 1 ? `, ${route.name},` : ''} ${does ? 'deactivates' : 'does not deactivate'} ${nameOf(group, ds)} (${states(ds)})`,
            'ICC_DIR_EL1',
            needs,
            interrupt(group),
            openAt(ds),
            by(places.el3).msr(0, 'CTLR_EL3', 0x1c),
            pend,
            by(places.el3)
              .mrs(0, `IAR${register(group)}`)
              .is(INTID),
            by(places.el3).msr(0, `EOIR${register(group)}`, INTID),
            by(place, route).msr(0, 'DIR', INTID),
            isActive(!does),
          )
        }),
    ),
  ),
)

const ignored = everywhere.map((place) =>
  vector3(
    `ICC_DIR_EL1 at ${place.name} is ignored while its EOImode is 0, whatever that of other places`,
    'ICC_DIR_EL1',
    needs,
    interrupt(place.el === 1 && !place.ns ? 'Secure Group 1' : 'Non-secure Group 1'),
    openAt(0),
    by(places.el3).msr(0, 'CTLR_EL3', 0x1c - (place.el === 3 ? 0x04 : place.ns ? 0x10 : 0x08)),
    pend,
    by(place).mrs(0, 'IAR1').is(INTID),
    by(place).msr(0, 'DIR', INTID),
    isActive(true),
  ),
)

export const gicv3El3HandlingVectors: readonly Vector[] = [
  ...signals,
  ...routed,
  ...acknowledging,
  ...ending,
  ...modes,
  ...deactivating,
  ...ignored,
]
