/** Of a GICv3, from the text of IHI 0069 and its register descriptions: situations, and what must be named first. None of the expectations is our own output. */

import { describe, expect, it } from 'vitest'
import type { GicV3Config } from '../index.ts'
import { type ExplainCase, play } from '../testing/explain-case.ts'
import { PatientV3, ROOM } from '../testing/patient-v3.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, memoryFor, pendingTableOf } from '../testing/steps-v3.ts'

const SPI = 42
const bit = 1 << (SPI - 32)
const IROUTER = 0x6000 + 8 * SPI
const IRM = 0x8000_0000
const secure = true

/** SPI 42, edge-triggered, is signalled to PE 0 in Group 1. */
function build(config: GicV3Config = {}) {
  const cpus = config.cpus ?? 2
  const rig = new RigV3(gicOf({ intids: 64, ...config, cpus }, new Uint8Array(memoryFor(cpus).length + ROOM)))
  rig.write('gicd', 0, config.security ? 7 : 3, secure)
  rig.write('gicd', 0x084, bit, secure)
  rig.write('gicd', 0xc08, 2 << 20, secure)
  rig.write('gicd', 0x400 + SPI, 0xa0, secure, 1)
  rig.write('gicd', 0x104, bit, secure)
  rig.write('gicd', 0x204, bit, secure)
  for (let pe = 0; pe < cpus; pe++) {
    rig.write(pe, 0x14, 0, secure)
    rig.write(pe, 0x10080, -1, secure)
    rig.msr(pe, 'ICC_PMR_EL1', 0xff)
    rig.msr(pe, 'ICC_IGRPEN1_EL1', 1)
  }
  return {
    rig,
    patient: new PatientV3(rig),
    snapshot: () => rig.gic.snapshot(),
    restore: (snapshot: unknown) => rig.gic.restore(snapshot),
  }
}

/** SPI 40 is pending and enabled, too, of this priority. */
function second(rig: RigV3, priority: number): void {
  rig.write('gicd', 0x084, bit | (1 << 8), secure)
  rig.write('gicd', 0x400 + 40, priority, secure, 1)
  rig.write('gicd', 0x104, 1 << 8, secure)
  rig.write('gicd', 0x204, 1 << 8, secure)
}

/** LPI 8200 is enabled, pending on PE 0, and of priority 0x80. */
function withLpi(rig: RigV3): void {
  rig.write('gicd', 0x284, bit)
  rig.memory[CONFIGURATION_TABLE + 8] = 0x81
  rig.write(0, 0x70, CONFIGURATION_TABLE + 13, false, 8)
  rig.write(0, 0x78, pendingTableOf(0), false, 8)
  rig.write(0, 0, 1)
  rig.gic.setLpi(0, 8200)
}

const sgi3 = (list: number, high = 0n) => (high << 32n) | (3n << 24n) | BigInt(list)
const enableSgi3 = (rig: RigV3) => {
  for (const { pe } of rig.gic.cpus) rig.write(pe, 0x10100, 8, secure)
}

const one: readonly ExplainCase<RigV3>[] = [
  {
    what: 'it is left in Group 0, where reset puts it, and software runs on Group 1 (GICD_IGROUPR<n>)',
    wrong: (rig) => {
      rig.write('gicd', 0x084, 0)
      rig.write('gicd', 0, 2)
    },
    where: 'GICD_CTLR.EnableGrp0',
    says: /Group 1 is enabled: write 0x400 to GICD_IGROUPR1 to move it there, or set GICD_CTLR\.EnableGrp0/,
    not: /ecure/,
  },
  {
    what: 'the same with both groups on in the Distributor: ICC_IGRPEN0_EL1 would make it an FIQ',
    wrong: (rig) => rig.write('gicd', 0x084, 0),
    where: 'ICC_IGRPEN0_EL1.Enable',
    says: /Group 1 is enabled: write 0x400 to GICD_IGROUPR1 to move it there/,
  },
  {
    what: 'the PE has not enabled Group 1 (ICC_IGRPEN1_EL1)',
    wrong: (rig) => rig.msr(0, 'ICC_IGRPEN1_EL1', 0),
    where: 'ICC_IGRPEN1_EL1.Enable',
    says: /it is in Group 1, .*Write 0x1 to ICC_IGRPEN1_EL1 on PE 0/,
    not: /ecure/,
  },
  {
    what: 'its Redistributor sleeps (GICR_WAKER)',
    wrong: (rig) => rig.write(0, 0x14, 2),
    where: 'GICR_WAKER.ChildrenAsleep',
    says: /Clear GICR_WAKER\.ProcessorSleep.*wait until ChildrenAsleep reads 0/,
  },
  {
    what: 'a mask that was never set: ICC_PMR_EL1 is 0 after reset',
    wrong: (rig) => rig.msr(0, 'ICC_PMR_EL1', 0),
    where: 'ICC_PMR_EL1.Priority',
    says: /the mask is 0, which lets no priority pass.* Write 0xff to ICC_PMR_EL1 on PE 0\.$/,
  },
  {
    what: 'the route is an affinity that no PE has, which is named (GICD_IROUTER<n>)',
    wrong: (rig) => rig.write('gicd', IROUTER, 0x10203, false, 8, 4),
    where: 'GICD_IROUTER42.Aff3.Aff2.Aff1.Aff0',
    says: /its route names affinity 4\.1\.2\.3, which no PE has/,
  },
  {
    what: 'the route is another PE',
    wrong: (rig) => rig.write('gicd', IROUTER, 1),
    where: 'GICD_IROUTER42.Aff3.Aff2.Aff1.Aff0',
    says: /it is routed to PE 1/,
  },
  {
    what: 'any PE may take it, and none is awake: the sleep is the cause, not the route (GICD_IROUTER<n>.Interrupt_Routing_Mode)',
    wrong: (rig) => {
      rig.write('gicd', IROUTER, IRM)
      for (const pe of [0, 1]) rig.write(pe, 0x14, 2)
    },
    where: 'GICR_WAKER.ChildrenAsleep',
    says: /PE 0's Redistributor is asleep/,
  },
  {
    what: 'any PE may take it, and all have said no (GICR_CTLR.DPG1NS)',
    wrong: (rig) => {
      rig.write('gicd', IROUTER, IRM)
      for (const pe of [0, 1]) rig.write(pe, 0, 1 << 25)
    },
    where: 'GICD_IROUTER42.Interrupt_Routing_Mode',
    says: /GICR_CTLR\.DPG.*and none does/,
  },
  {
    what: 'PE 1 runs it still, though it has been routed here since',
    wrong: (rig) => {
      rig.write('gicd', IROUTER, 1)
      rig.mrs(1, 'ICC_IAR1_EL1')
      rig.write('gicd', IROUTER, 0)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /PE 1 acknowledged it.*ICC_EOIR1_EL1 on PE 1/,
  },
  {
    what: 'a write of GICD_ISACTIVER made it active',
    wrong: (rig) => rig.write('gicd', 0x304, bit),
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /Write 0x400 to GICD_ICACTIVER1/,
    not: /to ICC_(EOIR1|DIR)_EL1 on/,
  },
  {
    what: 'its handler ended another INTID than ICC_IAR1_EL1 gave: the priority has dropped, and it is active for ever (ICC_EOIR1_EL1)',
    wrong: (rig) => {
      rig.mrs(0, 'ICC_IAR1_EL1')
      rig.msr(0, 'ICC_EOIR1_EL1', SPI - 1)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /no PE runs it.*named another INTID/,
  },
  {
    what: 'EOImode 1 and no write of ICC_DIR_EL1',
    wrong: (rig) => {
      rig.msr(0, 'ICC_CTLR_EL1', 2)
      rig.mrs(0, 'ICC_IAR1_EL1')
      rig.msr(0, 'ICC_EOIR1_EL1', SPI)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /Write 0x2a to ICC_DIR_EL1 on PE 0/,
  },
  {
    what: 'it has the priority of what runs: a finer binary point would not help (4.8.5)',
    wrong: (rig) => {
      rig.mrs(0, 'ICC_IAR1_EL1')
      second(rig, 0xa0)
      rig.msr(0, 'ICC_BPR1_EL1', 6)
    },
    intid: 40,
    where: 'ICC_RPR_EL1.Priority',
    says: /write 0x2a to ICC_EOIR1_EL1 on PE 0; or give this one a better priority\./,
    restore: /SPI 42 runs at priority 0xa0; .*write 0x2a to ICC_EOIR1_EL1 on PE 0/,
    not: /finer/,
  },
  {
    what: 'a coarse binary point takes the difference away (ICC_BPR1_EL1)',
    wrong: (rig) => {
      rig.mrs(0, 'ICC_IAR1_EL1')
      second(rig, 0x90)
      rig.msr(0, 'ICC_BPR1_EL1', 6)
    },
    intid: 40,
    where: 'ICC_RPR_EL1.Priority',
    says: /or make the binary point finer/,
  },
  {
    what: 'an SGI for an affinity that no PE has (ICC_SGI1R_EL1)',
    wrong: (rig) => {
      enableSgi3(rig)
      rig.msr(0, 'ICC_SGI1R_EL1', sgi3(1 << 9))
    },
    intid: 3,
    pe: 1,
    where: 'GICR_ISPENDR0.Set_pending_bit[3]',
    says: /asks for 0\.0\.0\.9, which no PE has/,
  },
  {
    what: 'an SGI to all but the sender does not come to the sender (ICC_SGI1R_EL1.IRM)',
    wrong: (rig) => {
      enableSgi3(rig)
      rig.msr(0, 'ICC_SGI1R_EL1', sgi3(0, 1n << 8n))
    },
    intid: 3,
    where: 'GICR_ISPENDR0.Set_pending_bit[3]',
    says: /asks for every PE but itself/,
    restore: /no PE has sent it since the state was restored/,
  },
  {
    what: 'an SGI by ICC_SGI0R_EL1 reaches Group 0 only',
    wrong: (rig) => {
      enableSgi3(rig)
      rig.msr(0, 'ICC_SGI0R_EL1', sgi3(2))
    },
    intid: 3,
    pe: 1,
    where: 'GICR_ISPENDR0.Set_pending_bit[3]',
    says: /not let through.*it is in Group 1 on PE 1.*ICC_SGI0R_EL1 does not reach/,
  },
  {
    what: 'a level that a message asserted and another took back (GICD_CLRSPI_NSR)',
    wrong: (rig) => {
      rig.write('gicd', 0x284, bit)
      rig.write('gicd', 0xc08, 0)
      rig.write('gicd', 0x40, SPI)
      rig.write('gicd', 0x48, SPI)
    },
    where: 'GICD_ISPENDR1.Set_pending_bit[10]',
    says: /dropped before any PE acknowledged it/,
  },
  ...[
    [1021, /are no interrupts/],
    [1030, /INTIDs 1024 to 1055 are reserved/],
    [2000, /INTIDs 1120 to 4095 are reserved/],
    [8191, /INTIDs 5120 to 8191 are reserved/],
  ].map(([intid, says]) => ({
    what: `INTID ${intid} is none that a GIC could have (2.2)`,
    wrong: () => {},
    intid: intid as number,
    where:
      (intid as number) < 1056
        ? 'GICD_TYPER.ITLinesNumber'
        : (intid as number) < 4096
          ? 'GICR_TYPER.PPInum'
          : 'GICD_TYPER.ESPI_range',
    says: says as RegExp,
    not: /Configure/,
    hopeless: true as const,
  })),
]

const extended: readonly ExplainCase<RigV3>[] = [
  {
    what: 'an extended SPI, by its name and register (GICD_ISENABLER<n>E)',
    wrong: () => {},
    intid: 4100,
    where: 'GICD_ISENABLER0E.Set_enable_bit[4]',
    says: /^ESPI 4100 .*Write 0x10 to GICD_ISENABLER0E/,
  },
  {
    what: 'an extended PPI, by its name and register (GICR_ISENABLER<n>E)',
    wrong: () => {},
    intid: 1060,
    pe: 1,
    where: 'GICR_ISENABLER1E.Set_enable_bit[4]',
    says: /^EPPI 1060 .*GICR_ISENABLER1E in PE 1's Redistributor/,
  },
]

const lpis: readonly ExplainCase<RigV3>[] = [
  {
    what: 'the Redistributor was not told to take LPIs (GICR_CTLR.EnableLPIs)',
    wrong: () => {},
    where: 'GICR_CTLR.EnableLPIs',
    says: /does not take LPIs.*GICR_PROPBASER.*GICR_PENDBASER.*set GICR_CTLR\.EnableLPIs/,
  },
  {
    what: 'its configuration byte is 0 (5.1.1)',
    wrong: (rig) => {
      withLpi(rig)
      rig.memory[CONFIGURATION_TABLE + 8] = 0x80
      rig.gic.invalidateLpi(0, 8200)
    },
    where: 'LPI configuration byte at 0x1008.Enable',
    says: /Write byte 0x81 to memory at 0x1008, then /,
  },
  {
    what: 'its byte enables it now, but nobody has said so (5.1.1: configuration may be cached)',
    wrong: (rig) => {
      withLpi(rig)
      rig.memory[CONFIGURATION_TABLE + 8] = 0x80
      rig.gic.invalidateLpi(0, 8200)
      rig.memory[CONFIGURATION_TABLE + 8] = 0x81
    },
    where: 'LPI configuration byte at 0x1008.Enable',
    says: /was read when it did not.*INV/,
    not: /Write byte/,
  },
  {
    what: 'it is pending on another PE',
    wrong: (rig) => {
      withLpi(rig)
      rig.gic.clearLpi(0, 8200)
    },
    where: 'LPI pending byte at 0x10401.bit[0]',
    says: /not pending on PE 0/,
  },
]

const two: readonly ExplainCase<RigV3>[] = [
  {
    what: 'Secure software has not moved it out of Group 0, and only it can (GICD_IGROUPR<n>)',
    wrong: (rig) => {
      rig.write('gicd', 0x084, 0, secure)
      rig.write('gicd', 0, 2, secure)
    },
    where: 'GICD_CTLR.EnableGrp0',
    says: /Non-secure Group 1 is enabled: write 0x400 to GICD_IGROUPR1 by a Secure access to move it there/,
  },
  {
    what: 'Non-secure Group 1 is off: its enable has another place in the Non-secure view (GICD_CTLR)',
    wrong: (rig) => rig.write('gicd', 0, 5, secure),
    where: 'GICD_CTLR.EnableGrp1NS',
    says: /Set GICD_CTLR\.EnableGrp1NS \(write 0x12\) by a Non-secure access/,
  },
  {
    what: 'the Non-secure copy of ICC_IGRPEN1_EL1 is off',
    wrong: (rig) => rig.msr(0, 'ICC_IGRPEN1_EL1', 0),
    where: 'ICC_IGRPEN1_EL1.Enable',
    says: /Write 0x1 to ICC_IGRPEN1_EL1 on PE 0 in Non-secure state/,
  },
  {
    what: 'a mask in the Secure half, with FIQs routed to EL3: Non-secure software cannot raise it (4.8.6)',
    wrong: (rig) => {
      rig.gic.setExecution(0, { el: 3, secure: true, scrFiq: true })
      rig.msr(0, 'ICC_PMR_EL1', 0x40)
      rig.gic.setExecution(0, { el: 1, secure: false, scrFiq: true })
    },
    where: 'ICC_PMR_EL1.Priority',
    says: /Write 0xff to ICC_PMR_EL1 on PE 0 in Secure state\./,
    not: /lower/,
  },
  {
    what: 'a Non-secure SGI to one that is Secure there (GICR_NSACR)',
    wrong: (rig) => {
      enableSgi3(rig)
      rig.write(1, 0x10080, 0, secure)
      rig.msr(0, 'ICC_SGI1R_EL1', sgi3(2))
      rig.write('gicd', 0, 7, secure)
      rig.gic.setExecution(1, { el: 1, secure: true })
      rig.msr(1, 'ICC_IGRPEN0_EL1', 1)
      rig.gic.setExecution(1, { el: 1, secure: false })
    },
    intid: 3,
    pe: 1,
    where: 'GICR_ISPENDR0.Set_pending_bit[3]',
    says: /Non-secure write of ICC_SGI1R_EL1 does not reach, as GICR_NSACR does not grant it/,
  },
]

const nmis: readonly ExplainCase<RigV3>[] = [
  {
    what: 'an NMI runs: no priority and no binary point lets another preempt it (4.8.8, FEAT_GICv3_NMI)',
    wrong: (rig) => {
      rig.gic.setExecution(0, { el: 1, sctlrNmi: true })
      rig.write('gicd', 0xf84, bit)
      rig.mrs(0, 'ICC_NMIAR1_EL1')
      second(rig, 0x10)
    },
    intid: 40,
    where: 'ICC_RPR_EL1.Priority',
    says: /non-maskable: nothing preempts it.*ICC_EOIR1_EL1/,
    not: /better priority, or|finer/,
  },
]

const suites: readonly [string, GicV3Config, number, readonly ExplainCase<RigV3>[]][] = [
  ['with one Security state', {}, SPI, one],
  ['with extended INTIDs', { extendedSpis: 64, extendedPpis: 64 }, SPI, extended],
  ['with LPIs', { lpis: { intidBits: 14 } }, 8200, lpis],
  ['with two Security states', { security: true }, SPI, two],
  ['with NMIs', { nmi: true }, SPI, nmis],
]

describe.each(suites)('A GICv3 %s: what to mend first when', (_, config, intid, cases) => {
  it.each(cases)('$what', (each) => expect(play(() => build(config), { intid, ...each })).toBeUndefined())
})
