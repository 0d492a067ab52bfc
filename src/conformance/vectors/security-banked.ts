/** Vectors on the registers of the CPU interface that the two Security states see differently: CTLR, PMR, BPR (IHI 0048B 3.5, 4.4). */

import { bitOf, NS, S, type Vector, vector } from './build.ts'

const needs = { security: true } as const
const eight = { security: true, priorityBits: 8 } as const
const CBPR = 0x10
const EOI_S = 0x200
const EOI_NS = 0x400

/** Everything on; SPI 40 of Group 1 at 0xa0, SPI 41 of Group 0 at 0x20, both edge-triggered and targeted at CPU 0. */
const on = (ctlr = 0) => [
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
const pend = (...intids: number[]) =>
  S.write(
    0,
    'GICD_ISPENDR1',
    intids.reduce((sum, intid) => sum + bitOf(intid), 0),
  )

export const securityBankedVectors: readonly Vector[] = [
  vector(
    'GICC_CTLR of a Non-secure access has EnableGrp1 as bit 0 and EOImodeNS as bit 9',
    '4.4.1',
    needs,
    S.write(0, 'GICC_CTLR', 2 | EOI_NS),
    NS.read(0, 'GICC_CTLR').is(0x201, 0x21f),
    S.write(0, 'GICC_CTLR', 1 | EOI_S),
    NS.read(0, 'GICC_CTLR').is(0, 0x21f),
  ),
  vector(
    'A Non-secure write of GICC_CTLR changes EnableGrp1 and EOImodeNS alone',
    '4.4.1',
    needs,
    S.write(0, 'GICC_CTLR', 0x1d),
    NS.write(0, 'GICC_CTLR', 0x201),
    S.read(0, 'GICC_CTLR').is(0x1d | 2 | EOI_NS, 0x61f),
    NS.write(0, 'GICC_CTLR', 0x1e),
    S.read(0, 'GICC_CTLR').is(0x1d, 0x61f),
  ),
  vector(
    'Non-secure GICC_CTLR bits 5 and 6 are the bypass disable bits of Group 1',
    '4.4.1',
    needs,
    NS.write(0, 'GICC_CTLR', 0x60),
    S.read(0, 'GICC_CTLR').is(0x180, 0x1e0),
    NS.read(0, 'GICC_CTLR').is(0x60, 0x60),
  ),
  vector(
    'A Non-secure read of GICC_PMR in the upper half is shifted',
    '4.4.2',
    eight,
    S.write(0, 'GICC_PMR', 0xd8),
    NS.read(0, 'GICC_PMR').is(0xb0),
  ),
  vector(
    'A Non-secure read of GICC_PMR in the lower half is 0',
    '4.4.2',
    needs,
    S.write(0, 'GICC_PMR', 0x78),
    NS.read(0, 'GICC_PMR').is(0),
  ),
  vector(
    'A Non-secure write of GICC_PMR goes to the upper half',
    '4.4.2',
    needs,
    S.write(0, 'GICC_PMR', 0x80),
    NS.write(0, 'GICC_PMR', 0x60),
    S.read(0, 'GICC_PMR').is(0xb0),
  ),
  vector(
    'A Non-secure write of GICC_PMR is ignored while the mask is in the lower half',
    '4.4.2',
    needs,
    S.write(0, 'GICC_PMR', 0x78),
    NS.write(0, 'GICC_PMR', 0xff),
    S.read(0, 'GICC_PMR').is(0x78),
  ),
  vector(
    'GICC_BPR is banked: Non-secure accesses have their own',
    '4.4.3',
    eight,
    S.write(0, 'GICC_BPR', 2),
    NS.write(0, 'GICC_BPR', 5),
    S.read(0, 'GICC_BPR').is(2),
    NS.read(0, 'GICC_BPR').is(5),
  ),
  vector(
    'GICC_ABPR is the Non-secure GICC_BPR to Secure software',
    '4.4.8',
    eight,
    NS.write(0, 'GICC_BPR', 5),
    S.read(0, 'GICC_ABPR').is(5),
    S.write(0, 'GICC_ABPR', 3),
    NS.read(0, 'GICC_BPR').is(3),
  ),
  vector(
    'With CBPR, a Non-secure read of GICC_BPR is the Secure one plus 1',
    '4.4.1',
    eight,
    S.write(0, 'GICC_CTLR', CBPR),
    S.write(0, 'GICC_BPR', 3),
    NS.read(0, 'GICC_BPR').is(4),
  ),
  vector(
    'With CBPR, a Non-secure read of GICC_BPR saturates at 7',
    '4.4.1',
    eight,
    S.write(0, 'GICC_CTLR', CBPR),
    S.write(0, 'GICC_BPR', 7),
    NS.read(0, 'GICC_BPR').is(7),
  ),
  vector(
    'With CBPR, a Non-secure write of GICC_BPR is ignored',
    '4.4.1',
    eight,
    S.write(0, 'GICC_ABPR', 4),
    S.write(0, 'GICC_CTLR', CBPR),
    S.write(0, 'GICC_BPR', 3),
    NS.write(0, 'GICC_BPR', 6),
    S.read(0, 'GICC_BPR').is(3),
    S.write(0, 'GICC_CTLR', 0),
    NS.read(0, 'GICC_BPR').is(4),
  ),
  vector(
    'GICC_NSAPR is RAZ/WI to Non-secure accesses',
    '4.4.13',
    needs,
    on(),
    pend(40),
    NS.read(0, 'GICC_IAR').is(40),
    NS.read(0, 'GICC_NSAPR0').is(0),
    NS.write(0, 'GICC_NSAPR0', 0),
    NS.write(0, 'GICC_NSAPR2', 0),
    S.read(0, 'GICC_RPR').is(0xa0),
  ),
  vector(
    'A Non-secure write of 0 to GICC_APR ends no Group 0 priority',
    '4.4.12',
    needs,
    on(),
    pend(41),
    S.read(0, 'GICC_IAR').is(41),
    [0, 1, 2, 3].map((n) => NS.write(0, `GICC_APR${n}`, 0)),
    S.read(0, 'GICC_RPR').is(0x20),
  ),
  vector(
    'A Non-secure write of 0 to GICC_APR clears the active priorities of Group 1',
    '4.4.12',
    needs,
    on(),
    pend(40),
    NS.read(0, 'GICC_IAR').is(40),
    [0, 1, 2, 3].map((n) => NS.write(0, `GICC_APR${n}`, 0)),
    S.read(0, 'GICC_RPR').is(0xff),
  ),
  vector(
    'A Non-secure read of GICC_APR shows nothing of a Group 0 priority',
    '4.4.12',
    needs,
    on(),
    pend(41),
    S.read(0, 'GICC_IAR').is(41),
    [0, 1, 2, 3].map((n) => NS.read(0, `GICC_APR${n}`).is(0)),
    S.read(0, 'GICC_RPR').is(0x20),
  ),
]
