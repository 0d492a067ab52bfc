/** Vectors on SGIs across the Security states: which register, written where, reaches an SGI of which group. */

import type { Vector } from './build.ts'
import { S, vector3 } from './gicv3-build.ts'
import {
  by,
  type Ds,
  everywhere,
  type Group,
  groupsOf,
  interrupt,
  isPending,
  nameOf,
  type Place,
  places,
  states,
  toItself,
  withDs,
} from './gicv3-el3-build.ts'

const clause = 'Use of control registers for SGI forwarding'
const senders = ['SGI0R', 'SGI1R', 'ASGI1R'] as const
type Sender = (typeof senders)[number]

type Rows = Readonly<Record<Sender, readonly Group[]>>
/** An access at EL3 is Secure, whatever SCR_EL3.NS is. A Non-secure one reaches no Secure SGI here: GICR_NSACR is 0. */
const rows: Readonly<Record<Ds, { secure: Rows; nonSecure: Rows }>> = {
  0: {
    secure: { SGI0R: ['Group 0'], SGI1R: ['Secure Group 1'], ASGI1R: ['Non-secure Group 1'] },
    nonSecure: { SGI0R: [], SGI1R: ['Non-secure Group 1'], ASGI1R: [] },
  },
  // Secure Group 1 is treated as Group 0, which nothing keeps Non-secure software from.
  1: {
    secure: { SGI0R: ['Group 0'], SGI1R: ['Group 0'], ASGI1R: ['Non-secure Group 1'] },
    nonSecure: { SGI0R: ['Group 0'], SGI1R: ['Group 0', 'Non-secure Group 1'], ASGI1R: ['Group 0'] },
  },
}

const reaches = (ds: Ds, place: Place, sender: Sender, group: Group): boolean =>
  rows[ds][place.el === 3 || !place.ns ? 'secure' : 'nonSecure'][sender].includes(group)

const forwarding = ([0, 1] as const).flatMap((ds) =>
  everywhere.flatMap((place) =>
    senders.flatMap((sender) =>
      groupsOf(ds).map((group) =>
        vector3(
          `ICC_${sender}_EL1 at ${place.name} ${reaches(ds, place, sender, group) ? 'reaches' : 'does not reach'} an SGI of ${nameOf(group, ds)} (${states(ds)})`,
          clause,
          { security: true },
          interrupt(group),
          withDs(ds),
          by(place).msr(0, sender, toItself),
          isPending(reaches(ds, place, sender, group)),
        ),
      ),
    ),
  ),
)

/** The least GICR_NSACR field that lets Non-secure software send. */
const granted: readonly [Sender, Group, 1 | 2 | undefined][] = [
  ['SGI0R', 'Group 0', 1],
  ['SGI0R', 'Secure Group 1', undefined],
  ['SGI1R', 'Group 0', 1],
  ['SGI1R', 'Secure Group 1', 2],
  ['ASGI1R', 'Group 0', 1],
  ['ASGI1R', 'Secure Group 1', 2],
]
const permitting = granted.flatMap(([sender, group, least]) =>
  ([0, 1, 2] as const).map((level) => {
    const reached = least !== undefined && level >= least
    return vector3(
      `GICR_NSACR ${level} ${reached ? 'lets' : 'does not let'} ICC_${sender}_EL1 at Non-secure EL1 send an SGI of ${group}`,
      'GICR_NSACR',
      { security: true },
      interrupt(group),
      S.r(0).write('NSACR', level * 4 ** 8),
      by(places.nonSecureEl1).msr(0, sender, toItself),
      isPending(reached),
    )
  }),
)

export const gicv3El3SgiVectors: readonly Vector[] = [...forwarding, ...permitting]
