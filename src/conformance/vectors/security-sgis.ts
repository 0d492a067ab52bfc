/** Vectors on SGIs and two Security states: NSATT, and what GICD_NSACR0 grants (IHI 0048B 4.3.14 to 4.3.17). */

import { NS, S, type Vector, vector } from './build.ts'

const needs = { security: true } as const

/** What GICD_NSACR0 grants is named in it: GICD_SGIR, GICD_ISPENDR, GICD_ICPENDR. These two registers are not. */
const ungranted = [1, 2, 3].map((level) =>
  vector(
    `GICD_NSACR0 ${level} grants nothing of GICD_SPENDSGIR and GICD_CPENDSGIR: a Group 0 SGI's bits stay RAZ/WI to Non-secure accesses`,
    '4.3.17',
    needs,
    S.write(0, 'GICD_NSACR0', level * 4 ** 5),
    NS.write8(0, 'GICD_SPENDSGIR', 5, 1),
    S.read(0, 'GICD_SPENDSGIR1').is(0),
    S.write8(0, 'GICD_SPENDSGIR', 5, 1),
    NS.read(0, 'GICD_SPENDSGIR1').is(0),
    NS.read(0, 'GICD_CPENDSGIR1').is(0),
    NS.write8(0, 'GICD_CPENDSGIR', 5, 1),
    S.read(0, 'GICD_SPENDSGIR1').is(0x0100),
    S.write8(0, 'GICD_CPENDSGIR', 5, 1),
    S.read(0, 'GICD_SPENDSGIR1').is(0),
  ),
)

export const securitySgiVectors: readonly Vector[] = [
  ...ungranted,
  vector(
    'A Secure GICD_SGIR with NSATT 0 reaches CPUs where the SGI is of Group 0',
    '4.3.15',
    { ...needs, cpus: 2 },
    S.write(1, 'GICD_IGROUPR0', 0x20),
    S.write(0, 'GICD_SGIR', 0x3_0005),
    S.read(0, 'GICD_ISPENDR0').is(0x20, 0xffff),
    S.read(1, 'GICD_ISPENDR0').is(0, 0xffff),
  ),
  vector(
    'A Secure GICD_SGIR with NSATT 1 reaches CPUs where the SGI is of Group 1',
    '4.3.15',
    { ...needs, cpus: 2 },
    S.write(1, 'GICD_IGROUPR0', 0x20),
    S.write(0, 'GICD_SGIR', 0x3_8005),
    S.read(0, 'GICD_ISPENDR0').is(0, 0xffff),
    S.read(1, 'GICD_ISPENDR0').is(0x20, 0xffff),
  ),
  vector(
    'A Non-secure GICD_SGIR reaches Group 1 alone, whatever NSATT says',
    '4.3.15',
    { ...needs, cpus: 2 },
    S.write(1, 'GICD_IGROUPR0', 0x20),
    NS.write(0, 'GICD_SGIR', 0x3_0005),
    S.read(0, 'GICD_ISPENDR0').is(0, 0xffff),
    S.read(1, 'GICD_ISPENDR0').is(0x20, 0xffff),
  ),
  vector(
    'A Non-secure GICD_SGIR reaches a Group 0 SGI that the target’s GICD_NSACR0 grants',
    '4.3.15',
    { ...needs, cpus: 2 },
    S.write(1, 'GICD_NSACR0', 1 * 4 ** 5),
    NS.write(0, 'GICD_SGIR', 0x3_0005),
    S.read(1, 'GICD_ISPENDR0').is(0x20, 0xffff),
    S.read(0, 'GICD_ISPENDR0').is(0, 0xffff),
  ),
  vector(
    'GICD_SPENDSGIR and GICD_CPENDSGIR of a Group 0 SGI are RAZ/WI to Non-secure accesses',
    '4.3.17',
    needs,
    S.write(0, 'GICD_IGROUPR0', 0x10),
    S.write(0, 'GICD_SPENDSGIR1', 0x0101),
    NS.read(0, 'GICD_SPENDSGIR1').is(0x01),
    NS.write(0, 'GICD_CPENDSGIR1', 0x0101),
    S.read(0, 'GICD_SPENDSGIR1').is(0x0100),
    NS.write8(0, 'GICD_SPENDSGIR', 6, 1),
    S.read(0, 'GICD_SPENDSGIR1').is(0x0100),
  ),
]
