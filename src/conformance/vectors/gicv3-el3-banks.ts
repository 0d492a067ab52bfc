/**
 * Vectors on the ICC_* registers that SCR_EL3.NS banks, at EL3 and at EL1, with one Security state and with two: the bank is
 * chosen by SCR_EL3.NS alone, GICD_CTLR.DS or not. And on what is not banked.
 */

import type { Vector } from './build.ts'
import { vector3 } from './gicv3-build.ts'
import { by, type Ds, everywhere, interrupt, nameOf, openAt, pend, places, states, withDs } from './gicv3-el3-build.ts'

const needs = { security: true } as const
const both: readonly Ds[] = [0, 1]

/** A banked register: what is written, what its own bank then shows, and what the other one does. */
const banked = [
  { name: 'IGRPEN1', write: 1, own: 1, other: 0, mask: 0xffff_ffff },
  { name: 'BPR1', write: 6, own: 6, other: undefined, mask: 7 },
  { name: 'CTLR', field: 'EOImode', write: 2, own: 2, other: 0, mask: 2 },
] as const

const banks = both.flatMap((ds) =>
  banked.flatMap(({ name, write, own, other, mask, ...more }) =>
    everywhere.map((writer) =>
      vector3(
        `ICC_${name}_EL1${'field' in more ? `.${more.field}` : ''} written at ${writer.name} is that of SCR_EL3.NS ${writer.ns ? 1 : 0} everywhere (${states(ds)})`,
        `ICC_${name}_EL1`,
        { ...needs, priorityBits: 5 },
        withDs(ds),
        by(writer).msr(0, name, write),
        everywhere.map((reader) =>
          by(reader)
            .mrs(0, name)
            // The other bank's binary point is the least there is: one more in the Non-secure one.
            .is(reader.ns === writer.ns ? own : (other ?? (reader.ns ? 3 : 2)), mask),
        ),
      ),
    ),
  ),
)

const minimum = both.map((ds) =>
  vector3(
    `The least ICC_BPR1_EL1 is that of ICC_BPR0_EL1 with SCR_EL3.NS 0, and one more with NS 1 (${states(ds)})`,
    'ICC_BPR1_EL1',
    { ...needs, priorityBits: 5 },
    withDs(ds),
    everywhere.flatMap((place) => [
      by(place).msr(0, 'BPR1', 0),
      by(place)
        .mrs(0, 'BPR1')
        .is(place.ns ? 3 : 2),
    ]),
  ),
)

const shared = both.flatMap((ds) =>
  (
    [
      ['IGRPEN0', 1, 1],
      ['BPR0', 5, 5],
      ['PMR', 0xf0, 0xf0],
    ] as const
  ).map(([name, write, read]) =>
    vector3(
      `ICC_${name}_EL1 is one register wherever it is reached (${states(ds)})`,
      `ICC_${name}_EL1`,
      needs,
      withDs(ds),
      everywhere.flatMap((writer) => [
        by(writer).msr(0, name, 0),
        by(writer).msr(0, name, write),
        everywhere.map((reader) => by(reader).mrs(0, name).is(read)),
      ]),
    ),
  ),
)

const enables = both.flatMap((ds) => [
  vector3(
    `ICC_IGRPEN1_EL3 is both banks of ICC_IGRPEN1_EL1, wherever written (${states(ds)})`,
    'ICC_IGRPEN1_EL3',
    needs,
    withDs(ds),
    [1, 2, 3, 0].flatMap((value) => [
      by(places.el3Ns).msr(0, 'IGRPEN1_EL3', value),
      everywhere.map((place) =>
        by(place)
          .mrs(0, 'IGRPEN1')
          .is((value >> (place.ns ? 0 : 1)) & 1),
      ),
    ]),
    by(places.el3Ns).msr(0, 'IGRPEN1', 1),
    by(places.el3).mrs(0, 'IGRPEN1_EL3').is(1),
    by(places.el3).msr(0, 'IGRPEN1', 1),
    by(places.el3Ns).mrs(0, 'IGRPEN1_EL3').is(3),
  ),
  vector3(
    `ICC_CTLR_EL3 shows EOImode of the two banks and of EL3 (${states(ds)})`,
    'ICC_CTLR_EL3',
    needs,
    withDs(ds),
    [0x04, 0x08, 0x10, 0x1c].flatMap((modes) => [
      by(places.el3).msr(0, 'CTLR_EL3', modes),
      by(places.el3).mrs(0, 'CTLR_EL3').is(modes, 0x1f),
      everywhere.map((place) =>
        by(place)
          .mrs(0, 'CTLR')
          .is(modes & (place.ns ? 0x10 : 0x08) ? 2 : 0, 2),
      ),
    ]),
  ),
])

const commonPoint = [
  ...everywhere.map((place) =>
    vector3(
      `ICC_CTLR_EL1.CBPR is read-only at ${place.name} with two Security states`,
      'ICC_CTLR_EL1',
      needs,
      by(place).msr(0, 'CTLR', 1),
      by(place).mrs(0, 'CTLR').is(0, 1),
      by(places.el3).mrs(0, 'CTLR_EL3').is(0, 3),
    ),
  ),
  ...everywhere.map((place) =>
    vector3(
      `ICC_CTLR_EL1.CBPR can be written at ${place.name} with DS 1, and is that of SCR_EL3.NS ${place.ns ? 1 : 0}`,
      'ICC_CTLR_EL1',
      needs,
      withDs(1),
      by(place).msr(0, 'CTLR', 1),
      everywhere.map((reader) =>
        by(reader)
          .mrs(0, 'CTLR')
          .is(reader.ns === place.ns ? 1 : 0, 1),
      ),
    ),
  ),
  ...both.flatMap((ds) => [
    vector3(
      `With CBPR_EL1S, ICC_BPR1_EL1 at Secure EL1 is ICC_BPR0_EL1, and at EL3 itself (${states(ds)})`,
      'ICC_BPR1_EL1',
      { ...needs, priorityBits: 5 },
      withDs(ds),
      by(places.el3).msr(0, 'BPR0', 4),
      by(places.el3).msr(0, 'CTLR_EL3', 1),
      by(places.secureEl1).mrs(0, 'BPR1').is(4),
      by(places.el3).mrs(0, 'BPR1').is(2),
      by(places.secureEl1).msr(0, 'BPR1', 6),
      by(places.el3).mrs(0, 'BPR0').is(6),
      by(places.el3).mrs(0, 'BPR1').is(2),
      by(places.el3).msr(0, 'BPR1', 5),
      by(places.secureEl1).mrs(0, 'BPR1').is(6),
      by(places.nonSecureEl1).mrs(0, 'BPR1').is(3),
    ),
    vector3(
      `With CBPR_EL1NS, ICC_BPR1_EL1 at Non-secure EL1 reads ICC_BPR0_EL1 + 1 and ignores writes, and at EL3 is itself (${states(ds)})`,
      'ICC_BPR1_EL1',
      { ...needs, priorityBits: 5 },
      withDs(ds),
      by(places.el3).msr(0, 'BPR0', 4),
      by(places.el3).msr(0, 'CTLR_EL3', 2),
      by(places.nonSecureEl1).mrs(0, 'BPR1').is(5),
      by(places.nonSecureEl1).msr(0, 'BPR1', 7),
      by(places.el3).mrs(0, 'BPR0').is(4),
      by(places.el3Ns).mrs(0, 'BPR1').is(3),
      by(places.el3Ns).msr(0, 'BPR1', 6),
      by(places.el3Ns).mrs(0, 'BPR1').is(6),
      by(places.nonSecureEl1).mrs(0, 'BPR1').is(5),
      by(places.secureEl1).mrs(0, 'BPR1').is(2),
      by(places.el3).msr(0, 'BPR0', 7),
      by(places.nonSecureEl1).mrs(0, 'BPR1').is(7),
    ),
  ]),
]

/** Active priorities: which register has the bit of a priority, and that it can be taken away and put back from where it is. */
const activePriorities = both.flatMap((ds) =>
  (ds === 1
    ? (['Group 0', 'Non-secure Group 1'] as const)
    : (['Group 0', 'Secure Group 1', 'Non-secure Group 1'] as const)
  ).map((group) => {
    const register = group === 'Group 0' ? 'AP0R0' : 'AP1R0'
    const has = (ns: boolean) => group === 'Group 0' || (group === 'Non-secure Group 1') === ns
    return vector3(
      `The active priority of ${nameOf(group, ds)} is in ICC_${register}_EL1${group === 'Group 0' ? '' : ` of SCR_EL3.NS ${group === 'Secure Group 1' ? 0 : 1}`}, and can be restored at EL3 (${states(ds)})`,
      `ICC_${register.slice(0, -1)}<n>_EL1`,
      { ...needs, priorityBits: 5 },
      interrupt(group),
      openAt(ds),
      pend,
      by(places.el3)
        .mrs(0, group === 'Group 0' ? 'IAR0' : 'IAR1')
        .is(8),
      everywhere.map((place) =>
        by(place)
          .mrs(0, register)
          .is(has(place.ns) ? 1 << 20 : 0),
      ),
      by(has(false) ? places.el3 : places.el3Ns).msr(0, register, 0),
      by(places.el3).mrs(0, 'RPR').is(0xff),
      by(has(false) ? places.el3 : places.el3Ns).msr(0, register, 1 << 20),
      by(places.el3).mrs(0, 'RPR').is(0xa0),
    )
  }),
)

const confined = [
  vector3(
    'ICC_AP1R0_EL1 written at Non-secure EL1 claims no priority in the Secure half, and holds no Secure interrupt back',
    'ICC_AP1R<n>_EL1',
    { ...needs, priorityBits: 5 },
    interrupt('Group 0', 0x40),
    openAt(0),
    by(places.nonSecureEl1).msr(0, 'AP1R0', 1),
    by(places.nonSecureEl1).mrs(0, 'AP1R0').is(0, 0xffff),
    by(places.el3).mrs(0, 'RPR').is(0xff),
    pend,
    by(places.el3).mrs(0, 'IAR0').is(8),
  ),
]

export const gicv3El3BankVectors: readonly Vector[] = [
  ...banks,
  ...minimum,
  ...shared,
  ...enables,
  ...commonPoint,
  ...activePriorities,
  ...confined,
]
