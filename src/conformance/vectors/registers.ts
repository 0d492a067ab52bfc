/** Vectors on the registers themselves: reset values, direction, widths, banks of them, and places where there are none. */

import { bitOf, irqOf, type Needs, one, open, read, read8, type Vector, vector, write, write8 } from './build.ts'
import { reserved } from './places.ts'

/** Registers that reset to a value that IHI 0048B gives, and where. */
const resets: readonly (readonly [register: string, clause: string, value: number, mask?: number])[] = [
  ['GICD_CTLR', '4.3.1', 0],
  ['GICD_IGROUPR0', '4.3.4', 0],
  ['GICD_IGROUPR1', '4.3.4', 0],
  // Whether SGIs are permanently enabled is IMPLEMENTATION DEFINED: only PPIs are looked at.
  ['GICD_ISENABLER0', '4.3.5', 0, 0xffff_0000],
  ['GICD_ISENABLER1', '4.3.5', 0],
  ['GICD_ICENABLER1', '4.3.6', 0],
  ['GICD_ISPENDR0', '4.3.7', 0],
  ['GICD_ISPENDR1', '4.3.7', 0],
  ['GICD_ICPENDR1', '4.3.8', 0],
  ['GICD_ISACTIVER0', '4.3.9', 0],
  ['GICD_ISACTIVER1', '4.3.9', 0],
  ['GICD_ICACTIVER1', '4.3.10', 0],
  ['GICD_IPRIORITYR0', '4.3.11', 0],
  ['GICD_IPRIORITYR8', '4.3.11', 0],
  ['GICD_CPENDSGIR0', '4.3.16', 0],
  ['GICD_SPENDSGIR0', '4.3.17', 0],
  ['GICC_CTLR', '4.4.1', 0],
  ['GICC_PMR', '4.4.2', 0],
  ['GICC_RPR', '4.4.6', 0xff],
  ['GICC_HPPIR', '4.4.7', 1023, 0x3ff],
  ['GICC_IAR', '4.4.4', 1023, 0x3ff],
  ['GICC_APR0', '4.4.12', 0],
  ['GICC_NSAPR0', '4.4.13', 0],
]

const resetVectors = resets.map(([register, clause, value, mask]) =>
  vector(`${register} has its reset value`, clause, {}, read(0, register).is(value, mask)),
)

/** Read-only registers: a write leaves the value. */
const constants: readonly (readonly [register: string, clause: string, value: number, mask: number])[] = [
  ['GICD_IIDR', '4.3.3', 0x43b, 0xfff],
  ['GICC_IIDR', '4.4.14', 0x0002_043b, 0x000f_0fff],
  ['GICD_ICPIDR2', '4.3.18', 0x20, 0xf0],
  ['GICC_RPR', '4.4.6', 0xff, 0xff],
  ['GICC_HPPIR', '4.4.7', 1023, 0x3ff],
  ['V2M_MSI_TYPER', '4.3 (GICv2m, SBSA appendix E)', 0x0050_0040, 0xffff_ffff],
]

/** What a GIC may have otherwise, by the register's name. */
function partOf(register: string): Needs {
  if (register.startsWith('V2M')) return { parts: ['v2m'] }
  return /IIDR|PIDR/.test(register) ? { parts: ['identification'] } : {}
}

const constantVectors = constants.map(([register, clause, value, mask]) =>
  vector(
    `${register} is read-only`,
    clause,
    partOf(register),
    read(0, register).is(value, mask),
    write(0, register, 0xffff_ffff),
    read(0, register).is(value, mask),
    write(0, register, 0),
    read(0, register).is(value, mask),
  ),
)

/** Banks with a register to set and one to clear: both read the same state, ones act and zeros do not. */
const pairs = [
  ['GICD_ISENABLER', 'GICD_ICENABLER', '4.3.5'],
  ['GICD_ISPENDR', 'GICD_ICPENDR', '4.3.7'],
  ['GICD_ISACTIVER', 'GICD_ICACTIVER', '4.3.9'],
] as const

const pairVectors = pairs.flatMap(([set, clear, clause]) => [
  vector(
    `${set} sets where 1 is written and leaves where 0 is; ${clear} reads the same`,
    clause,
    {},
    // Pending bits of SPIs without a target must be kept, too: IHI 0048 3.2.4 knows no targets in the state machine.
    write(0, 'GICD_ITARGETSR40', 0x0101_0101),
    write(0, `${set}5`, 0x0000_0005),
    read(0, `${set}5`).is(5),
    read(0, `${clear}5`).is(5),
    write(0, `${set}5`, 0x0000_0002),
    read(0, `${set}5`).is(7),
    write(0, `${set}5`, 0),
    read(0, `${set}5`).is(7),
  ),
  vector(
    `${clear} clears where 1 is written and leaves where 0 is`,
    clause,
    {},
    write(0, 'GICD_ITARGETSR40', 0x0101_0101),
    write(0, `${set}5`, 0x0000_000f),
    write(0, `${clear}5`, 0x0000_0006),
    read(0, `${clear}5`).is(9),
    read(0, `${set}5`).is(9),
    write(0, `${clear}5`, 0),
    read(0, `${set}5`).is(9),
  ),
  vector(
    `${set}0 and ${clear}0 are banked: each CPU has its own PPIs`,
    clause,
    { cpus: 2 },
    write(0, `${set}0`, bitOf(20)),
    write(1, `${set}0`, bitOf(21)),
    read(0, `${set}0`).is(bitOf(20), 0xffff_0000),
    read(1, `${set}0`).is(bitOf(21), 0xffff_0000),
    write(1, `${clear}0`, bitOf(20) + bitOf(21)),
    read(0, `${set}0`).is(bitOf(20), 0xffff_0000),
    read(1, `${set}0`).is(0, 0xffff_0000),
  ),
  vector(
    `${set}1 is shared: every CPU sees an SPI alike`,
    clause,
    { cpus: 2 },
    write(0, 'GICD_ITARGETSR10', 0x0303_0303),
    write(0, `${set}1`, bitOf(40)),
    read(1, `${clear}1`).is(bitOf(40)),
    write(1, `${clear}1`, bitOf(40)),
    read(0, `${set}1`).is(0),
  ),
])

const byteBanks = [
  ['GICD_IPRIORITYR', '4.1.4', { priorityBits: 8 }],
  ['GICD_ITARGETSR', '4.1.4', { cpus: 4 }],
] as const

const byteVectors = byteBanks.flatMap(([bank, clause, needs]) => [
  vector(
    `${bank} is byte-accessible: a byte write changes one interrupt, a byte read shows one`,
    clause,
    needs,
    write(0, `${bank}10`, 0x0808_0808),
    write8(0, bank, 41, 0x04),
    read(0, `${bank}10`).is(0x0808_0408),
    read8(0, bank, 41).is(0x04),
    read8(0, bank, 42).is(0x08),
    write8(0, bank, 43, 0x00),
    read(0, `${bank}10`).is(0x0008_0408),
  ),
  vector(
    `${bank} as a word has the lowest INTID in its lowest byte`,
    clause,
    needs,
    write(0, `${bank}10`, 0x0804_0800),
    read8(0, bank, 40).is(0),
    read8(0, bank, 41).is(8),
    read8(0, bank, 42).is(4),
    read8(0, bank, 43).is(8),
  ),
])

const reservedVectors = (['gicd', 'gicc'] as const).map((region) =>
  vector(
    `Reserved offsets of ${region.toUpperCase()} are RAZ/WI`,
    region === 'gicd' ? '4.1.2' : '4.1.3',
    {},
    reserved[region].flatMap((offset) => {
      const access = { cpu: 0, region, offset, size: 4 } as const
      const zero = { step: { op: 'read', ...access }, expect: { value: 0, mask: 0xffff_ffff } } as const
      return [zero, { step: { op: 'write', ...access, value: 0xffff_ffff } } as const, zero]
    }),
  ),
)

export const registerVectors: readonly Vector[] = [
  ...resetVectors,
  ...constantVectors,
  ...pairVectors,
  ...byteVectors,
  ...reservedVectors,
  vector(
    'GICD_TYPER tells the Security Extensions in bit 10',
    '4.3.2',
    { security: true },
    read(0, 'GICD_TYPER').is(0x400, 0x400),
  ),
  vector(
    'GICD_TYPER has no SecurityExtn bit without them',
    '4.3.2',
    { security: false },
    read(0, 'GICD_TYPER').is(0, 0x400),
  ),
  vector('GICD_TYPER tells 288 INTIDs as 8', '4.3.2', {}, read(0, 'GICD_TYPER').is(8, 0x1f)),
  vector('GICD_TYPER tells one CPU as 0', '4.3.2', { single: true }, read(0, 'GICD_TYPER').is(0, 0xe0)),
  vector(
    'GICD_CTLR keeps both group enables',
    '4.3.1',
    {},
    write(0, 'GICD_CTLR', 3),
    read(0, 'GICD_CTLR').is(3),
    write(0, 'GICD_CTLR', 2),
    read(0, 'GICD_CTLR').is(2),
  ),
  vector(
    'GICD_CTLR is one register for all CPUs',
    '4.3.1',
    { cpus: 2 },
    write(1, 'GICD_CTLR', 1),
    read(0, 'GICD_CTLR').is(1),
  ),
  vector(
    'GICC_CTLR and GICC_PMR are each CPU’s own',
    '4.4',
    { cpus: 2 },
    write(0, 'GICC_CTLR', 1),
    write(0, 'GICC_PMR', 0xf0),
    read(1, 'GICC_CTLR').is(0),
    read(1, 'GICC_PMR').is(0),
    read(0, 'GICC_PMR').is(0xf0),
  ),
  vector(
    'GICC_CTLR keeps EOImode, bit 9',
    '4.4.1',
    {},
    write(0, 'GICC_CTLR', 0x201),
    read(0, 'GICC_CTLR').is(0x201, 0x21f),
  ),
  vector(
    'GICC_CTLR keeps AckCtl, FIQEn and CBPR',
    '4.4.1',
    {},
    write(0, 'GICC_CTLR', 0x1f),
    read(0, 'GICC_CTLR').is(0x1f, 0x21f),
  ),
  vector(
    'GICC_CTLR keeps the four bypass disable bits',
    '4.4.1',
    {},
    write(0, 'GICC_CTLR', 0x1e0),
    read(0, 'GICC_CTLR').is(0x1e0, 0x1e0),
  ),
  vector(
    'GICD_IPRIORITYR0 to 7 are banked',
    '4.3.11',
    { cpus: 2 },
    write8(0, 'GICD_IPRIORITYR', 27, 0x40),
    write8(1, 'GICD_IPRIORITYR', 27, 0x80),
    read8(0, 'GICD_IPRIORITYR', 27).is(0x40),
    read8(1, 'GICD_IPRIORITYR', 27).is(0x80),
  ),
  vector(
    'GICD_IGROUPR0 is banked',
    '4.3.4',
    { cpus: 2 },
    write(0, 'GICD_IGROUPR0', 0x00f0_0003),
    read(0, 'GICD_IGROUPR0').is(0x00f0_0003),
    read(1, 'GICD_IGROUPR0').is(0),
  ),
  vector(
    'GICD_ICFGR0 says that SGIs are edge-triggered, and cannot be changed',
    '4.3.13',
    {},
    read(0, 'GICD_ICFGR0').is(0xaaaa_aaaa, 0xaaaa_aaaa),
    write(0, 'GICD_ICFGR0', 0),
    read(0, 'GICD_ICFGR0').is(0xaaaa_aaaa, 0xaaaa_aaaa),
  ),
  vector(
    'GICD_ICFGR makes an SPI edge-triggered by bit 1 of its pair',
    '4.3.13',
    {},
    write(0, 'GICD_ICFGR10', 0x8000_0002),
    read(0, 'GICD_ICFGR10').is(0x8000_0002, 0xaaaa_aaaa),
    write(0, 'GICD_ICFGR10', 0),
    read(0, 'GICD_ICFGR10').is(0, 0xaaaa_aaaa),
  ),
  vector(
    'Interrupts that do not exist are RAZ/WI in every bank',
    '4.3',
    {},
    [
      'GICD_IGROUPR9',
      'GICD_ISENABLER9',
      'GICD_ISPENDR9',
      'GICD_ISACTIVER9',
      'GICD_IPRIORITYR72',
      'GICD_ITARGETSR72',
      'GICD_ICFGR18',
    ].flatMap((register) => [write(0, register, 0xffff_ffff), read(0, register).is(0)]),
  ),
  vector(
    'Reading write-only registers has no effect',
    '4.3.15',
    {},
    open(),
    read(0, 'GICD_SGIR').is(0),
    read(0, 'GICC_EOIR').is(0),
    read(0, 'GICC_DIR').is(0),
    irqOf(0).is(0),
  ),
  vector(
    'Every SPI of the last register of a bank can be enabled',
    '4.3.5',
    {},
    write(0, one('GICD_ISENABLER', 287), 0xffff_ffff),
    read(0, 'GICD_ISENABLER8').is(0xffff_ffff),
  ),
]
