/** Of a GICv2, from the text of IHI 0048: situations, and what must be named first. None of the expectations is our own output. */

import { describe, expect, it } from 'vitest'
import { GicV2, type GicV2Config } from '../index.ts'
import { type ExplainCase, play } from '../testing/explain-case.ts'
import { PatientV2 } from '../testing/patient-v2.ts'
import { Rig } from '../testing/rig-v2.ts'

const SPI = 42
const bit = 1 << (SPI - 32)
const secure = true

/** SPI 42, edge-triggered, is signalled to CPU 0 in `group`; both groups are on everywhere. */
function build(config: GicV2Config, group: 0 | 1) {
  const rig = new Rig(new GicV2({ cpus: 2, intids: 64, ...config }))
  rig.write('gicd', 0x000, 3, 0, secure)
  rig.write('gicd', 0x084, group === 1 ? bit : 0, 0, secure)
  rig.write('gicd', 0xc08, 2 << 20, 0, secure)
  rig.write('gicd', 0x104, bit, 0, secure)
  rig.write('gicd', 0x400 + SPI, 0xa0, 0, secure, 1)
  rig.write('gicd', 0x800 + SPI, 1, 0, secure, 1)
  for (let cpu = 0; cpu < rig.gic.config.cpus; cpu++) {
    rig.write('gicc', 0x00, 3, cpu, secure)
    rig.write('gicc', 0x04, 0xff, cpu, secure)
  }
  rig.write('gicd', 0x204, bit, 0, secure)
  return {
    rig,
    patient: new PatientV2(rig),
    snapshot: () => rig.gic.snapshot(),
    restore: (snapshot: unknown) => rig.gic.restore(snapshot),
  }
}

/** SPI 40 is pending and enabled, too, of this priority. */
function second(rig: Rig, priority: number): void {
  rig.write('gicd', 0x400 + 40, priority, 0, secure, 1)
  rig.write('gicd', 0x800 + 40, 1, 0, secure, 1)
  rig.write('gicd', 0x104, 1 << 8, 0, secure)
  rig.write('gicd', 0x204, 1 << 8, 0, secure)
}

const group0Only = (rig: Rig) => {
  rig.write('gicd', 0, 1, 0, secure)
  rig.write('gicc', 0, 1, 0, secure)
}
const group1Only = (rig: Rig) => {
  rig.write('gicd', 0, 2, 0, secure)
  rig.write('gicc', 0, 2, 0, secure)
}

const one: readonly ExplainCase<Rig>[] = [
  {
    what: 'it is left in Group 0, where reset puts it, and software runs on Group 1 (4.3.4)',
    wrong: group1Only,
    where: 'GICD_CTLR.EnableGrp0',
    says: /it is in Group 0.*Group 1 is enabled: write 0x400 to GICD_IGROUPR1 to move it there, or set GICD_CTLR\.EnableGrp0/,
  },
  {
    what: 'no CPU is its target (4.3.12: reset value 0)',
    wrong: (rig) => rig.write('gicd', 0x800 + SPI, 0, 0, secure, 1),
    where: 'GICD_ITARGETSR10.CPU_targets_offset_2B',
    says: /its target byte is 0.*no CPU/,
  },
  {
    what: 'another CPU is its target',
    wrong: (rig) => rig.write('gicd', 0x800 + SPI, 2, 0, secure, 1),
    where: 'GICD_ITARGETSR10.CPU_targets_offset_2B',
    says: /sends it to CPU 1, and not to CPU 0\. Write byte 0x3 .*or 0x1 to have it go to CPU 0 alone/,
  },
  {
    what: 'the PPI was enabled from another CPU, and the register is banked (4.3.5)',
    wrong: (rig) => {
      rig.gic.setPpi(0, 27, true)
      rig.write('gicd', 0x100, 1 << 27, 1)
    },
    intid: 27,
    where: 'GICD_ISENABLER0.Set_enable_bit[27]',
    says: /from CPU 0 \(the register is banked\)/,
  },
  {
    what: 'a mask of just its priority: only values below it pass, and "lower" is of the value (4.4.2)',
    wrong: (rig) => rig.write('gicc', 4, 0xa0),
    where: 'GICC_PMR.Priority',
    says: /its priority is 0xa0, and the mask lets values below 0xa0 pass only\. .*lower value/,
    not: /lower one|lower priority/,
  },
  {
    what: 'a mask of 0 lets nothing pass, whatever the priority (4.4.2)',
    wrong: (rig) => rig.write('gicc', 4, 0),
    where: 'GICC_PMR.Priority',
    says: /Write 0xff to GICC_PMR on CPU 0\.$/,
  },
  {
    what: 'it has the priority of what runs: a finer binary point would not help (3.3.3)',
    wrong: (rig) => {
      rig.read('gicc', 0x0c)
      second(rig, 0xa0)
      rig.write('gicc', 8, 5)
    },
    intid: 40,
    where: 'GICC_RPR.Priority',
    says: /write 0x2a to GICC_EOIR on CPU 0; or give this one a better priority\./,
    not: /GICC_BPR/,
    restore: /SPI 42 runs at priority 0xa0; .*write 0x2a to GICC_EOIR on CPU 0/,
  },
  {
    what: 'GICC_BPR 7: no priority preempts, a finer binary point would (3.3.3, table 3-2)',
    wrong: (rig) => {
      rig.read('gicc', 0x0c)
      second(rig, 0)
      rig.write('gicc', 8, 7)
    },
    intid: 40,
    where: 'GICC_RPR.Priority',
    says: /nothing preempts it.*or make GICC_BPR finer/,
    not: /better priority/,
  },
  {
    what: 'another CPU has acknowledged it and not ended it (3.2.4: the 1-N model)',
    wrong: (rig) => {
      rig.write('gicd', 0x800 + SPI, 3, 0, secure, 1)
      rig.read('gicc', 0x0c, 1)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /CPU 1 acknowledged it.*GICC_EOIR on CPU 1/,
    restore: /CPU 1 acknowledged it.*GICC_EOIR on CPU 1/,
  },
  {
    what: 'a write of GICD_ISACTIVER made it active: no end of interrupt mends that (4.3.9)',
    wrong: (rig) => rig.write('gicd', 0x304, bit),
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /Write 0x400 to GICD_ICACTIVER1/,
    not: /to GICC_(EOIR|DIR) on/,
  },
  {
    what: 'its handler ended another INTID than GICC_IAR gave: the priority has dropped, and it is active for ever (4.4.5)',
    wrong: (rig) => {
      rig.write('gicc', 0x10, rig.read('gicc', 0x0c) - 1)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /no CPU runs it.*named another INTID/,
  },
  {
    what: 'EOImode 1 and no write of GICC_DIR (4.4.5, 4.4.13)',
    wrong: (rig) => {
      rig.write('gicc', 0, 3 | (1 << 9))
      rig.read('gicc', 0x0c)
      rig.write('gicc', 0x10, SPI)
      rig.write('gicd', 0x204, bit)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /dropped its priority and has not deactivated it\. Write 0x2a to GICC_DIR on CPU 0/,
  },
  {
    what: 'an edge-triggered interrupt whose line has been high since it was taken (1.4.2)',
    wrong: (rig) => {
      rig.gic.setSpi(SPI, true)
      rig.read('gicc', 0x0c)
      rig.write('gicc', 0x10, SPI)
    },
    where: 'GICD_ISPENDR1.Set_pending_bit[10]',
    says: /edge-triggered.*taken already.*Lower and raise/,
  },
  {
    what: 'not enabled and not pending: configuration before a line that is low',
    wrong: (rig) => {
      rig.write('gicd', 0x184, bit)
      rig.write('gicd', 0x284, bit)
    },
    where: 'GICD_ISENABLER1.Set_enable_bit[10]',
    says: /One more gate is closed: pending\./,
  },
  {
    what: 'an SGI to all but the sender does not come to the sender (4.3.15: TargetListFilter 0b01)',
    wrong: (rig) => rig.write('gicd', 0xf00, (1 << 24) | 3),
    intid: 3,
    where: 'GICD_ISPENDR0.Set_pending_bit[3]',
    says: /CPU 0 wrote 0x1000003 to GICD_SGIR, which asks for all CPUs but itself/,
    restore: /no CPU has sent it since the state was restored/,
  },
  {
    what: 'an SGI with the reserved filter 0b11 asks for nobody (4.3.15)',
    wrong: (rig) => rig.write('gicd', 0xf00, (3 << 24) | (1 << 16) | 3),
    intid: 3,
    where: 'GICD_ISPENDR0.Set_pending_bit[3]',
    says: /asks for nobody \(the filter is reserved\)/,
    not: /pending any more/,
  },
  {
    what: 'a better one waits ahead of it',
    wrong: (rig) => second(rig, 0x20),
    where: 'GICC_HPPIR.Interrupt_ID',
    says: /SPI 40 of priority 0x20 .* is ahead of it/,
  },
  ...[1020, 1023].map((intid) => ({
    what: `INTID ${intid} is what an acknowledge gives when there is none (3.2.5)`,
    wrong: () => {},
    intid,
    where: 'GICD_TYPER.ITLinesNumber',
    says: /are no interrupts: an acknowledge register gives them/,
    not: /Configure/,
    hopeless: true as const,
  })),
]

const two: readonly ExplainCase<Rig>[] = [
  {
    what: 'Group 1 is off in the Distributor: Non-secure software sets what is bit 0 to it (4.3.1)',
    wrong: group0Only,
    where: 'GICD_CTLR.EnableGrp1',
    says: /Set GICD_CTLR\.EnableGrp1 \(write 0x1\) by a Non-secure access, or move it to Group 0 \(GICD_IGROUPR1 bit 10, by a Secure access\)/,
  },
  {
    what: 'a mask in the Secure half: Non-secure software can neither raise it nor get below it (3.8.1)',
    wrong: (rig) => rig.write('gicc', 4, 0x40, 0, secure),
    where: 'GICC_PMR.Priority',
    says: /its priority is 0xa0 \(0x40 to Non-secure software\).*Write 0xff to GICC_PMR on CPU 0 by a Secure access/,
    not: /lower value/,
  },
  {
    what: 'what runs is ended in the Security state of its group (4.4.5)',
    wrong: (rig) => {
      rig.read('gicc', 0x0c, 0, false)
      rig.write('gicd', 0x204, bit, 0, secure)
    },
    where: 'GICD_ISACTIVER1.Set_active_bit[10]',
    says: /Write 0x2a to GICC_EOIR on CPU 0 by a Non-secure access/,
  },
]

describe('A GICv2 with one Security state: what to mend first when', () => {
  it.each(one)('$what', (each) => expect(play(() => build({}, 0), each)).toBeUndefined())
})

describe('A GICv2 with two Security states, its interrupt in Group 1: what to mend first when', () => {
  it.each(two)('$what', (each) => expect(play(() => build({ security: true }, 1), each)).toBeUndefined())
})
