/** Vectors on which ICC_* register can be reached from where: SCR_EL3.FIQ and SCR_EL3.IRQ at EL1, everything at EL3. */

import type { Vector, VectorStep } from './build.ts'
import { sgiValue, vector3 } from './gicv3-build.ts'
import { by, comesTo, everywhere, type Place, places, routings } from './gicv3-el3-build.ts'

/** Whose interrupts a register is about: it traps with SCR_EL3.FIQ, with SCR_EL3.IRQ, or with both. */
type Traps = 'FIQ' | 'IRQ' | 'both' | 'never'

/** What harmless accesses there are: a read, a write of this. */
const registers: readonly [name: string, traps: Traps, reads: boolean, write: bigint | undefined][] = [
  ['IAR0', 'FIQ', true, undefined],
  ['EOIR0', 'FIQ', false, 1023n],
  ['HPPIR0', 'FIQ', true, undefined],
  ['BPR0', 'FIQ', true, 2n],
  ['AP0R0', 'FIQ', true, 0n],
  ['IGRPEN0', 'FIQ', true, 0n],
  ['IAR1', 'IRQ', true, undefined],
  ['EOIR1', 'IRQ', false, 1023n],
  ['HPPIR1', 'IRQ', true, undefined],
  ['BPR1', 'IRQ', true, 3n],
  ['AP1R0', 'IRQ', true, 0n],
  ['IGRPEN1', 'IRQ', true, 0n],
  ['PMR', 'both', true, 0n],
  ['RPR', 'both', true, undefined],
  ['CTLR', 'both', true, 0n],
  ['DIR', 'both', false, 1023n],
  ['SGI0R', 'both', false, sgiValue(3, {})],
  ['SGI1R', 'both', false, sgiValue(3, {})],
  ['ASGI1R', 'both', false, sgiValue(3, {})],
  ['SRE', 'never', true, 7n],
]

const traps = (by: Traps, routed: { fiq: boolean; irq: boolean }) =>
  (by === 'FIQ' && routed.fiq) || (by === 'IRQ' && routed.irq) || (by === 'both' && routed.fiq && routed.irq)

const words: Readonly<Record<Traps, string>> = {
  FIQ: 'traps to EL3 with SCR_EL3.FIQ 1, whatever IRQ is',
  IRQ: 'traps to EL3 with SCR_EL3.IRQ 1, whatever FIQ is',
  both: 'traps to EL3 with SCR_EL3.FIQ and IRQ both 1',
  never: 'does not trap, whatever SCR_EL3.FIQ and IRQ are',
}

/** All accesses of a register from a place, under every routing. */
function from(place: Place, [name, by_, reads, write]: (typeof registers)[number]): VectorStep[] {
  return routings.flatMap((routed) => {
    const status = place.el === 1 && traps(by_, routed) ? 'trap' : 'ok'
    const speaker = by(place, routed)
    return [
      ...(reads ? [comesTo(speaker.mrs(0, name).is(0, 0), status)] : []),
      ...(write === undefined ? [] : [comesTo(speaker.msr(0, name, write), status)]),
    ]
  })
}

const trapping = registers.flatMap((register) => {
  const [name, by_] = register
  return [
    ...[places.secureEl1, places.nonSecureEl1].map((place) =>
      vector3(
        `At ${place.name} ICC_${name}_EL1 ${words[by_]}`,
        `ICC_${name}_EL1`,
        { security: true },
        from(place, register),
      ),
    ),
    vector3(
      `At EL3 ICC_${name}_EL1 can be reached whatever SCR_EL3 says`,
      `ICC_${name}_EL1`,
      { security: true },
      from(places.el3, register),
      from(places.el3Ns, register),
    ),
  ]
})

const ofEl3 = (['CTLR_EL3', 'IGRPEN1_EL3', 'SRE_EL3'] as const).map((name) =>
  vector3(
    `ICC_${name} can be reached at EL3, and is UNDEFINED at EL1`,
    `ICC_${name}`,
    { security: true },
    everywhere.flatMap((place) =>
      routings.map((routed) => comesTo(by(place, routed).mrs(0, name).is(0, 0), place.el === 3 ? 'ok' : 'undefined')),
    ),
    everywhere.map((place) => comesTo(by(place).msr(0, name, 0n), place.el === 3 ? 'ok' : 'undefined')),
  ),
)

const ofEl2 = [
  vector3(
    'ICC_SRE_EL2 is UNDEFINED at EL1 of either Security state',
    'ICC_SRE_EL2',
    { security: true, el2: true },
    [places.secureEl1, places.nonSecureEl1].map((place) => comesTo(by(place).mrs(0, 'SRE_EL2').is(0, 0), 'undefined')),
  ),
  vector3(
    'ICC_SRE_EL2 can be reached at EL3 with SCR_EL3.NS 1',
    'ICC_SRE_EL2',
    { security: true, el2: true },
    by(places.el3Ns).mrs(0, 'SRE_EL2').is(0xf),
    by(places.el3Ns).msr(0, 'SRE_EL2', 0),
    by(places.el3Ns).mrs(0, 'SRE_EL2').is(0xf),
  ),
  vector3(
    'ICC_SRE_EL2 is UNDEFINED at EL3 with SCR_EL3.NS 0, where no Secure EL2 is enabled',
    'ICC_SRE_EL2',
    { security: true, el2: true },
    comesTo(by(places.el3).mrs(0, 'SRE_EL2').is(0, 0), 'undefined'),
    comesTo(by(places.el3).msr(0, 'SRE_EL2', 0xf), 'undefined'),
  ),
]

const system = everywhere.map((place) =>
  vector3(
    `ICC_SRE_EL1 says at ${place.name} that system registers are in use`,
    'ICC_SRE_EL1',
    { security: true },
    by(place).mrs(0, 'SRE').is(7),
    by(place).msr(0, 'SRE', 0),
    by(place).mrs(0, 'SRE').is(7),
  ),
)

export const gicv3El3AccessVectors: readonly Vector[] = [...trapping, ...ofEl3, ...ofEl2, ...system]
