/** Vectors on the registers of GICv3's Distributor and Redistributors: what they are, keep, and at which widths. */

import { bitOf, type Vector } from './build.ts'
import { d, r, vector3 } from './gicv3-build.ts'

const INTIDS = 288
const range = (first: number, end: number) => Array.from({ length: end - first }, (_, i) => first + i)
const ALL = 0xffff_ffff

/** Banks of a bit each, and what clears their bits. */
const bitBanks = [
  ['IGROUPR', undefined],
  ['ISENABLER', 'ICENABLER'],
  ['ISPENDR', 'ICPENDR'],
  ['ISACTIVER', 'ICACTIVER'],
] as const

const distributorBits = bitBanks.flatMap(([bank, clear]) => [
  vector3(
    `Every SPI register of GICD_${bank} keeps all its bits`,
    `GICD_${bank}<n>`,
    {},
    range(1, INTIDS / 32).flatMap((n) => [d.write(`${bank}${n}`, ALL), d.read(`${bank}${n}`).is(ALL)]),
    clear === undefined
      ? range(1, INTIDS / 32).flatMap((n) => [d.write(`${bank}${n}`, 0), d.read(`${bank}${n}`).is(0)])
      : range(1, INTIDS / 32).flatMap((n) => [
          d.read(`${clear}${n}`).is(ALL),
          d.write(`${clear}${n}`, ALL),
          d.read(`${bank}${n}`).is(0),
        ]),
  ),
  vector3(
    `Bit i of GICD_${bank}<n> is of INTID 32n + i`,
    `GICD_${bank}<n>`,
    {},
    range(1, INTIDS / 32).map((n) => d.write(`${bank}${n}`, bitOf(3 * n))),
    range(1, INTIDS / 32).map((n) => d.read(`${bank}${n}`).is(bitOf(3 * n))),
  ),
  vector3(
    `GICD_${bank}0 is RES0: INTIDs 0 to 31 are the Redistributors'`,
    `GICD_${bank}<n>`,
    {},
    d.write(`${bank}0`, ALL),
    d.read(`${bank}0`).is(0),
    r(0)
      .read(bank)
      .is(0, bank === 'IGROUPR' ? ALL : 0xffff),
  ),
  vector3(
    `GICR_${bank}0 keeps the bits of SGIs and PPIs, of its own PE`,
    `GICR_${bank}0`,
    { cpus: 2 },
    r(1).write(bank, 0x0ff0_a5a5),
    r(1).read(bank).is(0x0ff0_a5a5),
    r(0).read(bank).is(0),
    ...(clear === undefined
      ? []
      : [r(1).read(clear).is(0x0ff0_a5a5), r(1).write(clear, 0x00f0_a500), r(1).read(bank).is(0x0f00_00a5)]),
  ),
  vector3(
    `GICR_${bank}0 is its owner's, whichever PE writes it`,
    'Redistributor register descriptions',
    { cpus: 2 },
    r(1, 0).write(bank, 0x10_0004),
    r(1).read(bank).is(0x10_0004),
    r(0, 1).read(bank).is(0),
  ),
])

const setsOnly = (['ISENABLER', 'ISPENDR', 'ISACTIVER'] as const).flatMap((bank) => {
  const clear = bank.replace('IS', 'IC')
  return [
    vector3(
      `Zeros written to GICD_${bank} and GICD_${clear} change nothing`,
      `GICD_${bank}<n>`,
      {},
      d.write(`${bank}2`, 0xf0f0),
      d.write(`${bank}2`, 0),
      d.write(`${clear}2`, 0),
      d.read(`${bank}2`).is(0xf0f0),
      d.write(`${clear}2`, 0x00f0),
      d.read(`${bank}2`).is(0xf000),
      d.read(`${clear}2`).is(0xf000),
    ),
    vector3(
      `Zeros written to GICR_${bank}0 and GICR_${clear}0 change nothing`,
      `GICR_${bank}0`,
      {},
      r(0).write(bank, 0x0f_0003),
      r(0).write(bank, 0),
      r(0).write(clear, 0),
      r(0).read(bank).is(0x0f_0003),
    ),
  ]
})

const bytes = [
  vector3(
    'Every GICD_IPRIORITYR of SPIs keeps its four bytes, in words',
    'GICD_IPRIORITYR<n>',
    {},
    range(8, INTIDS / 4).flatMap((n) => [
      d.write(`IPRIORITYR${n}`, 0xf8a0_5008),
      d.read(`IPRIORITYR${n}`).is(0xf8a0_5008),
    ]),
  ),
  vector3(
    'Every GICD_IPRIORITYR of SPIs keeps its four bytes, a byte at a time',
    'GICD_IPRIORITYR<n>',
    {},
    range(32, INTIDS).map((intid) => d.write8('IPRIORITYR', intid, (intid % 31) * 8)),
    range(32, INTIDS).map((intid) => d.read8('IPRIORITYR', intid).is((intid % 31) * 8)),
  ),
  vector3(
    'A byte written to GICD_IPRIORITYR leaves its neighbours',
    'GICD_IPRIORITYR<n>',
    {},
    d.write('IPRIORITYR10', 0x1020_3040),
    d.write8('IPRIORITYR', 42, 0xf8),
    d.read('IPRIORITYR10').is(0x10f8_3040),
  ),
  vector3(
    'GICD_IPRIORITYR0 to 7 are RES0',
    'GICD_IPRIORITYR<n>',
    {},
    range(0, 8).flatMap((n) => [d.write(`IPRIORITYR${n}`, 0x8080_8080), d.read(`IPRIORITYR${n}`).is(0)]),
  ),
  vector3(
    'GICR_IPRIORITYR0 to 7 keep the priorities of SGIs and PPIs, in words and bytes',
    'GICR_IPRIORITYR<n>',
    {},
    range(0, 8).flatMap((n) => [
      r(0).write(`IPRIORITYR${n}`, 0x0818_f860),
      r(0).read(`IPRIORITYR${n}`).is(0x0818_f860),
    ]),
    range(0, 32).map((intid) => r(0).write8('IPRIORITYR', intid, intid * 8)),
    range(0, 32).map((intid) =>
      r(0)
        .read8('IPRIORITYR', intid)
        .is(intid * 8),
    ),
  ),
  vector3(
    'GICR_IPRIORITYR is banked: each PE has its own',
    'GICR_IPRIORITYR<n>',
    { cpus: 2 },
    r(0).write('IPRIORITYR2', 0x1010_1010),
    r(1).write('IPRIORITYR2', 0x2020_2020),
    r(0).read('IPRIORITYR2').is(0x1010_1010),
    r(1).read('IPRIORITYR2').is(0x2020_2020),
  ),
]

const pairs = [
  vector3(
    'Every GICD_ICFGR of SPIs keeps bit 1 of each pair, and no bit 0',
    'GICD_ICFGR<n>',
    {},
    range(2, INTIDS / 16).flatMap((n) => [
      d.write(`ICFGR${n}`, ALL),
      d.read(`ICFGR${n}`).is(0xaaaa_aaaa),
      d.write(`ICFGR${n}`, 0x5555_5555),
      d.read(`ICFGR${n}`).is(0),
    ]),
  ),
  vector3(
    'GICD_ICFGR0 and 1 are RES0',
    'GICD_ICFGR<n>',
    {},
    d.write('ICFGR0', ALL),
    d.write('ICFGR1', ALL),
    d.read('ICFGR0').is(0),
    d.read('ICFGR1').is(0),
  ),
  vector3(
    'GICR_ICFGR0 says that SGIs are edge-triggered',
    'GICR_ICFGR0',
    {},
    r(0).read('ICFGR0').is(0xaaaa_aaaa),
    r(0).write('ICFGR0', 0),
    r(0).read('ICFGR0').is(0xaaaa_aaaa),
  ),
]

const routes = [
  vector3(
    'GICD_IROUTER of every SPI keeps Aff0 to Aff3, as 64 bits',
    'GICD_IROUTER<n>',
    {},
    range(32, INTIDS).flatMap((intid) => [
      d.write(`IROUTER${intid}`, (BigInt(intid & 0xff) << 32n) | BigInt(intid * 0x101), 8),
      d.read(`IROUTER${intid}`, 8).is(intid * 0x101),
    ]),
  ),
  vector3(
    'GICD_IROUTER is accessible as two halves of 32 bits',
    'GICD_IROUTER<n>',
    {},
    d.write('IROUTER100', 0x12_3456),
    d.read('IROUTER100').is(0x12_3456),
    { step: { op: 'write', cpu: 0, region: 'gicd', offset: 0x6000 + 100 * 8 + 4, size: 4, value: 0x78 } },
    d.read('IROUTER100').is(0x12_3456),
    {
      step: { op: 'read', cpu: 0, region: 'gicd', offset: 0x6000 + 100 * 8 + 4, size: 4 },
      expect: { value: 0x78, mask: ALL },
    },
  ),
  vector3(
    'GICD_IROUTER keeps no RES0 bit',
    'GICD_IROUTER<n>',
    {},
    d.write('IROUTER40', 0xffff_ffff_ffff_ffffn, 8),
    d.read('IROUTER40').is(0x00ff_ffff, 0x7fff_ffff),
    {
      step: { op: 'read', cpu: 0, region: 'gicd', offset: 0x6000 + 40 * 8 + 4, size: 4 },
      expect: { value: 0xff, mask: ALL },
    },
  ),
]

const control = [
  vector3(
    'GICD_CTLR with one Security state: ARE and DS are 1, and the group enables are kept',
    'GICD_CTLR',
    {},
    d.read('CTLR').is(0x50, 0xff),
    d.write('CTLR', 3),
    d.read('CTLR').is(0x53, 0x7f),
    d.write('CTLR', 1),
    d.read('CTLR').is(0x51, 0x7f),
    d.write('CTLR', 0),
    d.read('CTLR').is(0x50, 0x7f),
  ),
  vector3(
    'GICD_CTLR.RWP is 0 once a write has taken effect',
    'GICD_CTLR',
    {},
    d.write('CTLR', 3),
    d.read('CTLR').is(0, 0x8000_0000),
  ),
  vector3('GICD_TYPER says how many INTIDs there are: 288', 'GICD_TYPER', { intids: 288 }, d.read('TYPER').is(8, 0x1f)),
  vector3('GICD_TYPER.SecurityExtn is 0 with one Security state', 'GICD_TYPER', {}, d.read('TYPER').is(0, 0x400)),
  vector3(
    'GICD_TYPER.CPUNumber is 0 where affinity routing is always on',
    'GICD_TYPER',
    {},
    d.read('TYPER').is(0, 0xe0),
  ),
  vector3('GICD_TYPER.LPIS is 1 with LPIs', 'GICD_TYPER', { its: true }, d.read('TYPER').is(1 << 17, 1 << 17)),
  vector3(
    'GICD_TYPER, GICD_IIDR and GICD_PIDR2 are read-only',
    'Distributor register map',
    { parts: ['identification'] },
    (['TYPER', 'IIDR', 'PIDR2'] as const).flatMap((name) => [d.write(name, 0)]),
    d.read('PIDR2').is(0x30, 0xf0),
    d.read('IIDR').is(0x43b, 0xfff),
  ),
  vector3(
    'GICR_PIDR2 says architecture version 3',
    'GICR_PIDR2',
    { cpus: 2, parts: ['identification'] },
    r(0).read('PIDR2').is(0x30, 0xf0),
    r(1).read('PIDR2').is(0x30, 0xf0),
  ),
  ...(
    [
      ['ITARGETSR12', 0x0101_0101],
      ['SGIR', 0x10001],
      ['CPENDSGIR0', 0x0101_0101],
      ['SPENDSGIR0', 0x0101_0101],
    ] as const
  ).map(([name, value]) =>
    vector3(
      `GICD_${name} is RES0 with affinity routing`,
      `GICD_${name.replace(/\d+$/, '<n>')}`,
      {},
      d.write(name, value),
      d.read(name).is(0),
      r(0).read('ISPENDR').is(0, 0xffff),
    ),
  ),
  ...(['IGRPMODR', 'NSACR'] as const).flatMap((name) => [
    vector3(
      `GICD_${name} is RAZ/WI with one Security state`,
      `GICD_${name}<n>`,
      {},
      d.write(`${name}2`, ALL),
      d.read(`${name}2`).is(0),
    ),
    vector3(
      `GICR_${name} is RAZ/WI with one Security state`,
      `GICR_${name}`,
      {},
      r(0).write(name, ALL),
      r(0).read(name).is(0),
    ),
  ]),
  vector3(
    'GICR_TYPER has the PE number, its affinity, and Last on the last of a region',
    'GICR_TYPER',
    { cpus: 4, atMost: 4 },
    [0, 1, 2, 3].flatMap((pe) => [
      r(pe)
        .read('TYPER')
        .is(pe * 0x100 + (pe === 3 ? 0x10 : 0), 0x00ff_ff10),
      r(pe).read('TYPER1').is(pe),
      r(pe)
        .read('TYPER', 8)
        .is(pe * 0x100, 0x00ff_ff00),
    ]),
  ),
  vector3(
    'GICR_WAKER resets to asleep, and ChildrenAsleep follows ProcessorSleep',
    'GICR_WAKER',
    {},
    r(0).read('WAKER').is(6, 6),
    r(0).write('WAKER', 0),
    r(0).read('WAKER').is(0, 6),
    r(0).write('WAKER', 2),
    r(0).read('WAKER').is(6, 6),
  ),
  vector3(
    'GICR_WAKER is of its own PE',
    'GICR_WAKER',
    { cpus: 2 },
    r(1).write('WAKER', 0),
    r(0).read('WAKER').is(6, 6),
    r(1).read('WAKER').is(0, 6),
  ),
  vector3(
    'GICR_CTLR.EnableLPIs resets to 0, and no write is ever found pending',
    'GICR_CTLR',
    { cpus: 2 },
    r(0).read('CTLR').is(0, 0x8000_0009),
    r(1).read('CTLR').is(0, 0x8000_0009),
  ),
]

/** Accesses of widths that a register does not have: RAZ/WI as QEMU, and our own GIC, choose. */
const widths = [
  vector3(
    'A 64-bit write of two 32-bit registers changes neither',
    'Distributor register map',
    {},
    { step: { op: 'write', cpu: 0, region: 'gicd', offset: 0x100 + 8, size: 8, value: 0xffff_ffff_ffff_ffffn } },
    d.read('ISENABLER2').is(0),
    d.read('ISENABLER3').is(0),
  ),
  vector3(
    'A byte write of a 32-bit register changes nothing',
    'Distributor register map',
    {},
    d.write('ISENABLER2', 0xff, 1),
    d.read('ISENABLER2').is(0),
    d.write('CTLR', 3, 1),
    d.read('CTLR').is(0x50, 0x7f),
  ),
  vector3(
    'A halfword write of GICD_IPRIORITYR changes nothing',
    'GICD_IPRIORITYR<n>',
    {},
    d.write('IPRIORITYR10', 0xffff, 2),
    d.read('IPRIORITYR10').is(0),
  ),
]

const beyond = [
  vector3(
    'Registers of INTIDs that do not exist are RAZ/WI',
    'Distributor register map',
    {},
    (['IGROUPR', 'ISENABLER', 'ISPENDR', 'ISACTIVER'] as const).flatMap((bank) => [
      d.write(`${bank}20`, ALL),
      d.read(`${bank}20`).is(0),
    ]),
    d.write('IPRIORITYR200', ALL),
    d.read('IPRIORITYR200').is(0),
    d.write('ICFGR40', ALL),
    d.read('ICFGR40').is(0),
    d.write('IROUTER700', 1n, 8),
    d.read('IROUTER700', 8).is(0),
  ),
  vector3(
    'Reserved offsets of both frames are RAZ/WI',
    'Distributor register map',
    {},
    [0x20, 0x60, 0x7c, 0xf40, 0xc000, 0xffcc].flatMap((offset) => [
      { step: { op: 'write', cpu: 0, region: 'gicd', offset, size: 4, value: ALL } as const },
      {
        step: { op: 'read', cpu: 0, region: 'gicd', offset, size: 4 } as const,
        expect: { value: 0, mask: ALL },
      },
    ]),
    [0x20, 0x60, 0xd0, 0x1_0000, 0x1_0f00].flatMap((offset) => [
      { step: { op: 'write', cpu: 0, region: 'gicr', offset, size: 4, value: ALL } as const },
      {
        step: { op: 'read', cpu: 0, region: 'gicr', offset, size: 4 } as const,
        expect: { value: 0, mask: ALL },
      },
    ]),
  ),
]

export const gicv3RegisterVectors: readonly Vector[] = [
  ...distributorBits,
  ...setsOnly,
  ...bytes,
  ...pairs,
  ...routes,
  ...control,
  ...widths,
  ...beyond,
]
