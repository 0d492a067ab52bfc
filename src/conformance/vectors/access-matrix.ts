/**
 * Vectors that walk the register map: every register of every bank, at every width that IHI 0048B 4.1.4 has for it.
 * Narrower accesses to other registers are IMPLEMENTATION DEFINED, so no vector makes one.
 */

import type { Region, Step } from '../target.ts'
import { bitOf, open, read, read8, sgi, type Vector, type VectorStep, vector, write, write8 } from './build.ts'

const INTIDS = 288
const count = (bits: number) => (INTIDS * bits) / 32
const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)

/** Bits of 1 for each interrupt, whose SPI registers keep every bit: name, clause, and what clears it again. */
const bitBanks = [
  ['GICD_IGROUPR', '4.3.4', undefined],
  ['GICD_ISENABLER', '4.3.5', 'GICD_ICENABLER'],
  ['GICD_ISPENDR', '4.3.7', 'GICD_ICPENDR'],
  ['GICD_ISACTIVER', '4.3.9', 'GICD_ICACTIVER'],
] as const

/** Every SPI has a target: an SPI without one may not be pending on every implementation. */
const targeted = range(8, count(8)).map((n) => write(0, `GICD_ITARGETSR${n}`, 0x0101_0101))

const bitVectors = bitBanks.flatMap(([bank, clause, clear]) => [
  vector(
    `Every SPI register of ${bank} keeps all its bits`,
    clause,
    {},
    targeted,
    range(1, count(1)).flatMap((n) => [write(0, `${bank}${n}`, 0xffff_ffff), read(0, `${bank}${n}`).is(0xffff_ffff)]),
    clear === undefined
      ? range(1, count(1)).flatMap((n) => [write(0, `${bank}${n}`, 0), read(0, `${bank}${n}`).is(0)])
      : range(1, count(1)).flatMap((n) => [
          read(0, `${clear}${n}`).is(0xffff_ffff),
          write(0, `${clear}${n}`, 0xffff_ffff),
          read(0, `${bank}${n}`).is(0),
        ]),
  ),
  vector(
    `Bit i of ${bank}n is of INTID 32n + i: no register shows another’s bit`,
    clause,
    {},
    targeted,
    range(1, count(1)).map((n) => write(0, `${bank}${n}`, bitOf(3 * n))),
    range(1, count(1)).map((n) => read(0, `${bank}${n}`).is(bitOf(3 * n))),
  ),
  vector(
    `${bank}0 keeps every PPI’s bit`,
    clause,
    // With more than one CPU these are banked, which has vectors of its own.
    { single: true },
    write(0, `${bank}0`, 0xffff_0000),
    read(0, `${bank}0`).is(0xffff_0000, 0xffff_0000),
  ),
])

const byteBanks = [
  ['GICD_IPRIORITYR', '4.3.11', 0, { priorityBits: 8 }],
  ['GICD_ITARGETSR', '4.3.12', 8, { cpus: 4 }],
] as const

const byteVectors = byteBanks.flatMap(([bank, clause, first, needs]) => [
  vector(
    `Every register of ${bank} keeps its four bytes`,
    clause,
    needs,
    // 8 is a bit that priorities of five bits and more have, and CPU 3's.
    range(first, count(8)).flatMap((n) => [
      write(0, `${bank}${n}`, 0x0800_0808),
      read(0, `${bank}${n}`).is(0x0800_0808),
    ]),
  ),
  vector(
    `Every byte of ${bank} is one interrupt’s, written and read alone`,
    clause,
    needs,
    range(first * 4, INTIDS).map((intid) => write8(0, bank, intid, intid % 3 === 0 ? 8 : 0)),
    range(first * 4, INTIDS).map((intid) => read8(0, bank, intid).is(intid % 3 === 0 ? 8 : 0)),
  ),
])

/** Reads and writes of one width at one offset, both directions, that must neither abort nor leave anything behind. */
function wordAt(region: Region, offset: number): VectorStep[] {
  const access = { cpu: 0, region, offset, size: 4 } as const satisfies Partial<Step>
  return [{ step: { op: 'read', ...access } }, { step: { op: 'write', ...access, value: 0 } }]
}

export const accessMatrixVectors: readonly Vector[] = [
  ...bitVectors,
  ...byteVectors,
  vector(
    'No word of the Distributor aborts, read or written',
    '4.1.2',
    {},
    range(0, 0x400).flatMap((n) => wordAt('gicd', n * 4)),
    read(0, 'GICD_CTLR').is(0),
  ),
  vector(
    'No word of the CPU interface aborts, read or written',
    '4.1.3',
    {},
    range(0, 0x800).flatMap((n) => wordAt('gicc', n * 4)),
    read(0, 'GICC_CTLR').is(0),
  ),
  vector(
    'Every register of GICD_ICFGR keeps bit 1 of every pair of an SPI',
    '4.3.13',
    {},
    range(2, count(2)).flatMap((n) => [
      write(0, `GICD_ICFGR${n}`, 0xaaaa_aaaa),
      read(0, `GICD_ICFGR${n}`).is(0xaaaa_aaaa, 0xaaaa_aaaa),
    ]),
    range(2, count(2)).flatMap((n) => [
      write(0, `GICD_ICFGR${n}`, 0x2222_2222),
      read(0, `GICD_ICFGR${n}`).is(0x2222_2222, 0xaaaa_aaaa),
    ]),
  ),
  vector(
    'Every register of GICD_NSACR of SPIs keeps its 16 fields',
    '4.3.14',
    { security: true },
    range(2, count(2)).flatMap((n) => [
      write(0, `GICD_NSACR${n}`, 0xe4e4_e4e4),
      read(0, `GICD_NSACR${n}`).is(0xe4e4_e4e4),
    ]),
  ),
  vector(
    'Each of the 16 bytes of GICD_SPENDSGIR and GICD_CPENDSGIR is one SGI’s',
    '4.3.17',
    {},
    open(),
    range(0, 16).flatMap((intid) => [
      sgi(0, 1, intid),
      read8(0, 'GICD_SPENDSGIR', intid).is(1),
      read(0, 'GICD_ISPENDR0').is(bitOf(intid), 0xffff),
      write8(0, 'GICD_CPENDSGIR', intid, 1),
      read(0, 'GICD_ISPENDR0').is(0, 0xffff),
    ]),
  ),
  vector(
    'Each of the 16 bytes of GICD_IPRIORITYR0 to 3 is one SGI’s',
    '4.3.11',
    {},
    range(0, 16).map((intid) => write8(0, 'GICD_IPRIORITYR', intid, intid * 16)),
    range(0, 4).map((n) =>
      read(0, `GICD_IPRIORITYR${n}`).is(range(0, 4).reduce((word, i) => word + (4 * n + i) * 16 * 2 ** (8 * i), 0)),
    ),
  ),
]
