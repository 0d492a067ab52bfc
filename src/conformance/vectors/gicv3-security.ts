/** Vectors on two Security states: what Non-secure accesses see, groups of Secure and Non-secure software, banked registers. */

import type { Vector, VectorStep } from './build.ts'
import { msr, NS, S, sgiValue, vector3 } from './gicv3-build.ts'

const two = { security: true } as const
const ALL = 0xffff_ffff

/** Forwards all groups, wakes Redistributor 0, unmasks and enables all groups on PE 0. */
const open: readonly VectorStep[] = [
  S.d.write('CTLR', 0b111),
  S.r(0).write('WAKER', 0),
  S.msr(0, 'PMR', 0xff),
  S.msr(0, 'IGRPEN0', 1),
  S.msr(0, 'IGRPEN1', 1),
  NS.msr(0, 'IGRPEN1', 1),
]

type SecurityGroup = 'G0' | 'G1S' | 'G1NS'

/** SPI 40, enabled, in a group, of a priority (0xa0). */
function spi(group: SecurityGroup, priority = 0xa0): VectorStep[] {
  return [
    S.d.write('ICFGR2', 0xaaaa_aaaa),
    S.d.write('IGROUPR1', group === 'G1NS' ? 0x100 : 0),
    S.d.write('IGRPMODR1', group === 'G1S' ? 0x100 : 0),
    S.d.write8('IPRIORITYR', 40, priority),
    S.d.write('IROUTER40', 0n, 8),
    S.d.write('ISENABLER1', 0x100),
  ]
}

const pend = S.d.write('ISPENDR1', 0x100)

const control = [
  vector3(
    'GICD_CTLR: the Secure view has three enables, the Non-secure one its own',
    'GICD_CTLR',
    two,
    S.d.read('CTLR').is(0x30, 0x7f),
    NS.d.read('CTLR').is(0x10, 0x7f),
    S.d.write('CTLR', 0b111),
    S.d.read('CTLR').is(0x37, 0x7f),
    NS.d.read('CTLR').is(0x12, 0x7f),
    NS.d.write('CTLR', 0),
    S.d.read('CTLR').is(0x35, 0x7f),
    NS.d.write('CTLR', 2),
    S.d.read('CTLR').is(0x37, 0x7f),
  ),
  vector3(
    'GICD_CTLR.DS, once set, leaves one Security state: Non-secure software sees all',
    'GICD_CTLR',
    two,
    S.d.write8('IPRIORITYR', 40, 0x40),
    NS.d.read8('IPRIORITYR', 40).is(0),
    S.d.write('CTLR', 0x40),
    NS.d.read('CTLR').is(0x50, 0x7f),
    NS.d.read8('IPRIORITYR', 40).is(0x40),
    NS.d.write('CTLR', 3),
    S.d.read('CTLR').is(0x53, 0x7f),
  ),
  vector3(
    'GICD_TYPER.SecurityExtn is 1 with two Security states',
    'GICD_TYPER',
    two,
    S.d.read('TYPER').is(0x400, 0x400),
    NS.d.read('TYPER').is(0x400, 0x400),
  ),
  vector3(
    'GICR_WAKER is RAZ/WI to Non-secure accesses',
    'GICR_WAKER',
    two,
    NS.r(0).read('WAKER').is(0),
    NS.r(0).write('WAKER', 0),
    S.r(0).read('WAKER').is(6, 6),
    S.r(0).write('WAKER', 0),
    NS.r(0).write('WAKER', 2),
    S.r(0).read('WAKER').is(0, 6),
  ),
]

const banks = [
  ...(['IGROUPR', 'IGRPMODR', 'NSACR'] as const).flatMap((name) => [
    vector3(
      `GICD_${name} is Secure software's, and RAZ/WI to Non-secure accesses`,
      `GICD_${name}<n>`,
      two,
      NS.d.write(`${name}2`, ALL),
      S.d.read(`${name}2`).is(0),
      S.d.write(`${name}2`, 0xa5a5_a5a5),
      S.d.read(`${name}2`).is(0xa5a5_a5a5),
      NS.d.read(`${name}2`).is(0),
    ),
    vector3(
      `GICR_${name} is Secure software's, and RAZ/WI to Non-secure accesses`,
      `GICR_${name}`,
      two,
      NS.r(0).write(name, ALL),
      S.r(0).read(name).is(0),
      S.r(0).write(name, 0x0000_2a15),
      S.r(0).read(name).is(0x0000_2a15),
      NS.r(0).read(name).is(0),
    ),
  ]),
  ...(['ISENABLER', 'ISPENDR', 'ISACTIVER'] as const).flatMap((bank) => {
    const clear = bank.replace('IS', 'IC')
    return [
      vector3(
        `GICD_${bank} and GICD_${clear} hide Secure interrupts from Non-secure accesses`,
        `GICD_${bank}<n>`,
        two,
        S.d.write('IGROUPR2', 0x0000_ff00),
        NS.d.write(`${bank}2`, ALL),
        S.d.read(`${bank}2`).is(0x0000_ff00),
        S.d.write(`${bank}2`, ALL),
        NS.d.read(`${bank}2`).is(0x0000_ff00),
        NS.d.write(`${clear}2`, ALL),
        S.d.read(`${bank}2`).is(0xffff_00ff),
      ),
      vector3(
        `GICR_${bank}0 and GICR_${clear}0 hide Secure interrupts from Non-secure accesses`,
        `GICR_${bank}0`,
        two,
        S.r(0).write('IGROUPR', 0x0f00_00f0),
        NS.r(0).write(bank, ALL),
        S.r(0).read(bank).is(0x0f00_00f0),
        NS.r(0).write(clear, 0x0f00_0000),
        S.r(0).read(bank).is(0x0000_00f0),
      ),
    ]
  }),
  vector3(
    'A priority that Non-secure software writes is in the lower half, and reads back as written',
    'Software accesses of interrupt priority',
    two,
    S.d.write('IGROUPR1', ALL),
    NS.d.write8('IPRIORITYR', 40, 0x40),
    S.d.read8('IPRIORITYR', 40).is(0xa0),
    NS.d.read8('IPRIORITYR', 40).is(0x40),
    NS.d.write8('IPRIORITYR', 40, 0xf0),
    S.d.read8('IPRIORITYR', 40).is(0xf8),
    NS.d.write8('IPRIORITYR', 40, 0),
    S.d.read8('IPRIORITYR', 40).is(0x80),
    S.d.write8('IPRIORITYR', 40, 0xc0),
    NS.d.read8('IPRIORITYR', 40).is(0x80),
  ),
  vector3(
    'The same in a Redistributor',
    'Software accesses of interrupt priority',
    two,
    S.r(0).write('IGROUPR', ALL),
    NS.r(0).write8('IPRIORITYR', 27, 0x40),
    S.r(0).read8('IPRIORITYR', 27).is(0xa0),
    S.r(0).write('IGROUPR', 0),
    NS.r(0).read8('IPRIORITYR', 27).is(0),
    NS.r(0).write8('IPRIORITYR', 27, 0),
    S.r(0).read8('IPRIORITYR', 27).is(0xa0),
  ),
  vector3(
    'GICD_ICFGR and GICD_IROUTER of a Secure SPI are RAZ/WI to Non-secure accesses',
    'GICD_IROUTER<n>',
    two,
    S.d.write('IROUTER40', 3n, 8),
    S.d.write('ICFGR2', ALL),
    NS.d.read('IROUTER40', 8).is(0),
    NS.d.read('ICFGR2').is(0),
    NS.d.write('IROUTER40', 1n, 8),
    NS.d.write('ICFGR2', 0),
    S.d.read('IROUTER40', 8).is(3),
    S.d.read('ICFGR2').is(0xaaaa_aaaa),
  ),
]

/** GICD_NSACR: what each level grants Non-secure accesses of SPI 40, which is Secure. */
const granted = ([1, 2, 3] as const).map((level) =>
  vector3(
    `GICD_NSACR ${level} grants ${['', 'setting', 'setting and clearing', 'setting, clearing and routing'][level]} to Non-secure accesses`,
    'GICD_NSACR<n>',
    two,
    S.d.write('NSACR2', level * 2 ** 16),
    NS.d.write('ISPENDR1', 0x100),
    S.d.read('ISPENDR1').is(0x100),
    NS.d.read('ISPENDR1').is(0x100),
    NS.d.write('ICPENDR1', 0x100),
    S.d.read('ISPENDR1').is(level >= 2 ? 0 : 0x100),
    NS.d.write('IROUTER40', 5n, 8),
    S.d.read('IROUTER40', 8).is(level >= 3 ? 5 : 0),
    NS.d.write('ISENABLER1', 0x100),
    S.d.read('ISENABLER1').is(0),
    NS.d.write8('IPRIORITYR', 40, 0xff),
    S.d.read8('IPRIORITYR', 40).is(0),
  ),
)

/** Who acknowledges what at EL1 ('Interrupt grouping', 'Special INTIDs'). */
const acknowledging = (
  [
    ['G0', 40, 1023, 1023, 1023],
    ['G1S', 1023, 40, 1023, 1023],
    ['G1NS', 1023, 1023, 1023, 40],
  ] as const
).flatMap(([group, s0, s1, ns0, ns1]) =>
  (
    [
      ['Secure', S, 'HPPIR0', 'IAR0', s0],
      ['Secure', S, 'HPPIR1', 'IAR1', s1],
      ['Non-secure', NS, 'HPPIR0', 'IAR0', ns0],
      ['Non-secure', NS, 'HPPIR1', 'IAR1', ns1],
    ] as const
  ).map(([name, state, hppir, iar, answer]) =>
    vector3(
      `A ${name} EL1 reads ${answer === 40 ? 'the INTID' : '1023'} from ICC_${iar}_EL1 and ICC_${hppir}_EL1 for ${group === 'G0' ? 'Group 0' : group === 'G1S' ? 'Secure Group 1' : 'Non-secure Group 1'}`,
      'Interrupt grouping',
      two,
      open,
      spi(group),
      pend,
      state.mrs(0, hppir).is(answer),
      state.mrs(0, iar).is(answer),
      S.d.read('ISACTIVER1').is(answer === 40 ? 0x100 : 0),
    ),
  ),
)

const interfaces = [
  vector3(
    'ICC_IGRPEN1_EL1 is banked, and ICC_IGRPEN1_EL3 shows both',
    'ICC_IGRPEN1_EL1',
    two,
    S.msr(0, 'IGRPEN1', 1),
    NS.mrs(0, 'IGRPEN1').is(0),
    msr(0, 'IGRPEN1_EL3', 1),
    S.mrs(0, 'IGRPEN1').is(0),
    NS.mrs(0, 'IGRPEN1').is(1),
    msr(0, 'IGRPEN1_EL3', 3),
    S.mrs(0, 'IGRPEN1').is(1),
    NS.msr(0, 'IGRPEN1', 0),
    S.mrs(0, 'IGRPEN1_EL3').is(2),
  ),
  vector3(
    'ICC_BPR1_EL1 is banked, and Non-secure software has one more at least',
    'ICC_BPR1_EL1',
    { ...two, priorityBits: 5 },
    S.msr(0, 'BPR1', 0),
    NS.msr(0, 'BPR1', 0),
    S.mrs(0, 'BPR1').is(2),
    NS.mrs(0, 'BPR1').is(3),
    S.msr(0, 'BPR1', 5),
    NS.mrs(0, 'BPR1').is(3),
  ),
  vector3(
    'ICC_CTLR_EL1.EOImode is banked, and ICC_CTLR_EL3 shows both',
    'ICC_CTLR_EL3',
    two,
    S.msr(0, 'CTLR', 2),
    NS.mrs(0, 'CTLR').is(0, 2),
    S.mrs(0, 'CTLR_EL3').is(0x08, 0x1f),
    NS.msr(0, 'CTLR', 2),
    S.mrs(0, 'CTLR_EL3').is(0x18, 0x1f),
    msr(0, 'CTLR_EL3', 0x10),
    S.mrs(0, 'CTLR').is(0, 2),
    NS.mrs(0, 'CTLR').is(2, 2),
  ),
  vector3(
    'ICC_CTLR_EL1.CBPR is EL3’s to write',
    'ICC_CTLR_EL1',
    two,
    NS.msr(0, 'CTLR', 1),
    NS.mrs(0, 'CTLR').is(0, 1),
    msr(0, 'CTLR_EL3', 2),
    NS.mrs(0, 'CTLR').is(1, 1),
    S.mrs(0, 'CTLR').is(0, 1),
    msr(0, 'CTLR_EL3', 1),
    S.mrs(0, 'CTLR').is(1, 1),
    NS.mrs(0, 'CTLR').is(0, 1),
  ),
  vector3(
    'With CBPR_EL1S Secure writes of ICC_BPR1_EL1 are of ICC_BPR0_EL1',
    'ICC_BPR1_EL1',
    two,
    msr(0, 'CTLR_EL3', 1),
    S.msr(0, 'BPR0', 4),
    S.mrs(0, 'BPR1').is(4),
    S.msr(0, 'BPR1', 6),
    S.mrs(0, 'BPR0').is(6),
  ),
  vector3(
    'Non-secure software does not end a Secure interrupt',
    'ICC_EOIR1_EL1',
    two,
    open,
    spi('G1S'),
    pend,
    S.mrs(0, 'IAR1').is(40),
    NS.msr(0, 'EOIR1', 40),
    S.d.read('ISACTIVER1').is(0x100),
    S.mrs(0, 'RPR').is(0xa0),
    S.msr(0, 'EOIR1', 40),
    S.d.read('ISACTIVER1').is(0),
    S.mrs(0, 'RPR').is(0xff),
  ),
  vector3(
    'Non-secure ICC_DIR_EL1 does not deactivate a Secure interrupt',
    'ICC_DIR_EL1',
    two,
    S.d.write('ISACTIVER1', 0x100),
    NS.msr(0, 'CTLR', 2),
    NS.msr(0, 'DIR', 40),
    S.d.read('ISACTIVER1').is(0x100),
    S.msr(0, 'CTLR', 2),
    S.msr(0, 'DIR', 40),
    S.d.read('ISACTIVER1').is(0),
  ),
  vector3(
    'ICC_SRE_EL3 says that system registers are in use at every level',
    'ICC_SRE_EL3',
    two,
    S.mrs(0, 'SRE_EL3').is(0xf),
  ),
]

/** Which SGIs each register reaches on its target, by their group there ('Use of control registers for SGI forwarding'). */
const sgis = (
  [
    ['Secure', S, 'SGI0R', { G0: true, G1S: false, G1NS: false }],
    ['Secure', S, 'ASGI1R', { G0: false, G1S: false, G1NS: true }],
    ['Non-secure', NS, 'SGI0R', { G0: false, G1S: false, G1NS: false }],
    ['Non-secure', NS, 'SGI1R', { G0: false, G1S: false, G1NS: true }],
    ['Non-secure', NS, 'ASGI1R', { G0: false, G1S: false, G1NS: false }],
  ] as const
).flatMap(([name, state, register, reached]) =>
  (['G0', 'G1S', 'G1NS'] as const).map((group) =>
    vector3(
      `${name} ICC_${register}_EL1 ${reached[group] ? 'reaches' : 'does not reach'} an SGI of ${group === 'G0' ? 'Group 0' : group === 'G1S' ? 'Secure Group 1' : 'Non-secure Group 1'}`,
      'Use of control registers for SGI forwarding',
      two,
      S.r(0).write('IGROUPR', group === 'G1NS' ? 0x10 : 0),
      S.r(0).write('IGRPMODR', group === 'G1S' ? 0x10 : 0),
      state.msr(0, register, sgiValue(4, { list: 1 })),
      S.r(0)
        .read('ISPENDR')
        .is(reached[group] ? 0x10 : 0, 0xffff),
    ),
  ),
)

const grantedSgis = (
  [
    ['SGI0R', 'G0', 1],
    ['ASGI1R', 'G1S', 2],
  ] as const
).map(([register, group, level]) =>
  vector3(
    `GICR_NSACR ${level} lets Non-secure ICC_${register}_EL1 send an SGI of ${group === 'G0' ? 'Group 0' : 'Secure Group 1'}`,
    'GICR_NSACR',
    two,
    S.r(0).write('IGRPMODR', group === 'G1S' ? 0x10 : 0),
    S.r(0).write('NSACR', (level - 1) * 0x100),
    NS.msr(0, register, sgiValue(4, { list: 1 })),
    S.r(0).read('ISPENDR').is(0, 0xffff),
    S.r(0).write('NSACR', level * 0x100),
    NS.msr(0, register, sgiValue(4, { list: 1 })),
    S.r(0).read('ISPENDR').is(0x10, 0xffff),
    // It grants no access to the registers.
    NS.r(0).read('ISPENDR').is(0),
    NS.r(0).write('ICPENDR', 0x10),
    S.r(0).read('ISPENDR').is(0x10, 0xffff),
  ),
)

export const gicv3SecurityVectors: readonly Vector[] = [
  ...control,
  ...banks,
  ...granted,
  ...acknowledging,
  ...interfaces,
  ...sgis,
  ...grantedSgis,
]
