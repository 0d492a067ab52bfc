/**
 * Where QEMU's GICv2 does what IHI 0048 does not say, as data: the clause, a smallest reproduction with both answers, and
 * how random tests keep clear of it (`breaks`) or recognise it (`allows`). Nothing here excuses this package's own GIC.
 */

import type { Allowance, Rule, View } from '../fuzz/compare.ts'
import type { Gicv2View } from '../fuzz/gicv2-view.ts'
import type { Result, Step, TargetConfig } from '../target.ts'
import { lines, ppi, read, secure, spi, write } from './steps.ts'

export interface Deviation<V extends View> {
  id: string
  /** What QEMU does. */
  title: string
  clause: string
  /** Versions of QEMU that it was seen in. */
  versions: readonly string[]
  reproduction: {
    config: TargetConfig
    steps: readonly Step[]
    /** The answers of the steps that read, or the name of a failure; `lost` when QEMU dies. */
    qemu: readonly (number | string)[] | 'lost'
    specification: readonly (number | string)[]
  }
  /** True for a step that would make the two targets' state part company. */
  breaks?: Rule<V>['breaks']
  /** True for two answers that differ because of this alone. */
  allows?: Allowance<V>['allows']
}

const four: TargetConfig = { version: 2, cpus: 4, security: false, its: false }
const enable = (cpus: number, groups = 1): Step[] => [
  write(0, 'gicd', 0x000, groups),
  ...Array.from({ length: cpus }, (_, cpu) => [
    write(cpu, 'gicc', 0x004, 0xff),
    write(cpu, 'gicc', 0x000, groups),
  ]).flat(),
]
const spi32 = (targets: number): Step[] => [write(0, 'gicd', 0x820, targets, 1), write(0, 'gicd', 0x104, 1)]

const gicdWrite = (step: Step, first: number, last = first): step is Step & { op: 'write' } =>
  step.op === 'write' && step.region === 'gicd' && step.offset >= first && step.offset <= last
const giccRead = (step: Step, offset: number): boolean =>
  step.op === 'read' && step.region === 'gicc' && step.offset === offset
const intid = (result: Result): number => Number(result.value) & 0x3ff

/** The SPIs that a step makes pending or may make so. */
function pended(step: Step): number[] {
  if (step.op === 'spi') return step.level === 1 ? [step.intid] : []
  if (step.op === 'write' && step.region === 'v2m' && step.offset === 0x040) return [Number(step.value) & 0x3ff]
  if (!gicdWrite(step, 0x204, 0x27f)) return []
  const first = (step.offset - 0x200) * 8
  return Array.from({ length: 32 }, (_, bit) => first + bit).filter(
    (_, bit) => ((Number(step.value) >>> bit) & 1) === 1 && first + bit < 288,
  )
}

const byteAccessible = (offset: number): boolean =>
  (offset >= 0x400 && offset < 0xc00) || (offset >= 0xf10 && offset < 0xf30)

const eachTarget = (step: Step & { op: 'write' }): number[] =>
  Array.from({ length: Math.min(step.size, 4) }, (_, n) => (Number(step.value) >>> (8 * n)) & 0xff)

const changesTarget = (step: Step & { op: 'write' }, view: Gicv2View): boolean =>
  eachTarget(step).some((target, n) => {
    const spi = step.offset - 0x800 + n
    return (view.disturbed[spi] === 1 || view.taken(spi)) && view.target[spi] !== target
  })

export const GICV2_DEVIATIONS: readonly Deviation<Gicv2View>[] = [
  {
    id: 'Q2-1',
    title: 'GICD_ITARGETSRn keeps the bits of CPUs that do not exist',
    clause: 'IHI 0048 4.3.12: a CPU targets field bit of a CPU interface that is not implemented is RAZ/WI',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicd', 0x820, 0xffffffff), read(0, 'gicd', 0x820)],
      qemu: [0xffffffff],
      specification: [0x0f0f0f0f],
    },
    breaks: (step, view) =>
      gicdWrite(step, 0x820, 0xbff) && view.config.cpus > 1 && eachTarget(step).some((t) => t >= 1 << view.config.cpus),
  },
  {
    id: 'Q2-2',
    title: 'an SPI with several targets is delivered to each of them: pending and active are per CPU, not 1-N',
    clause:
      'IHI 0048 1.4.3, 3.2.3: under the 1-N model one processor takes the interrupt, the others read a spurious INTID',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicd', 0xc08, 2),
        ...spi32(0b0011),
        spi(32, 1),
        lines,
        read(0, 'gicc', 0x00c),
        lines,
        read(1, 'gicc', 0x00c),
      ],
      qemu: [0b1010, 32, 0b1000, 32],
      specification: [0b1010, 32, 0, 1023],
    },
    breaks: (step) => gicdWrite(step, 0x820, 0xbff) && eachTarget(step).some((target) => (target & (target - 1)) !== 0),
  },
  {
    id: 'Q2-3',
    title: 'an edge of an SPI, or a write to its GICD_ISPENDRn bit, is lost while its GICD_ITARGETSRn is 0',
    clause: 'IHI 0048 4.3.7, 3.2.4: pending is a state of the SPI, whether or not it has a target',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [...enable(4), write(0, 'gicd', 0x204, 1), read(0, 'gicd', 0x204), ...spi32(1), lines],
      qemu: [0, 0],
      specification: [1, 2],
    },
    breaks: (step, view) => pended(step).some((n) => n >= 32 && n < 288 && view.target[n] === 0),
  },
  {
    id: 'Q2-4',
    title: 'a pending SPI that gets another target stays pending, but is not signalled to the new one',
    clause:
      'IHI 0048 4.3.12: a change of GICD_ITARGETSRn has effect on a pending interrupt, which moves to the new target',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        ...spi32(1),
        write(0, 'gicd', 0x204, 1),
        lines,
        write(0, 'gicd', 0x820, 2, 1),
        lines,
        read(0, 'gicd', 0x204),
      ],
      qemu: [0b10, 0, 1],
      specification: [0b10, 0b1000, 1],
    },
    breaks: (step, view) => gicdWrite(step, 0x820, 0xbff) && view.config.cpus > 1 && changesTarget(step, view),
  },
  {
    id: 'Q2-5',
    title:
      'GICD_ISPENDR0 does not pend a PPI with more than one CPU, or does so on the CPUs in GICD_ITARGETSR0 to 7, which can be written',
    clause: 'IHI 0048 4.3.7: the PPI bits of GICD_ISPENDR0 are read/write and banked for each processor',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicd', 0x200, 1 << 20), read(0, 'gicd', 0x200)],
      qemu: [0],
      specification: [1 << 20],
    },
    breaks: (step, view) =>
      view.config.cpus > 1 &&
      ((gicdWrite(step, 0x200) && Number(step.value) >= 0x10000) || gicdWrite(step, 0x800, 0x81f)),
  },
  {
    id: 'Q2-6',
    title: 'GICD_ICPENDR0 clears a PPI of every CPU, not of the writing one alone',
    clause: 'IHI 0048 4.3.8: GICD_ICPENDR0 is banked for each processor',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [
        ...[0, 1, 2, 3].map((cpu) => write(cpu, 'gicd', 0xc04, 2 << 22)),
        ppi(27, 0, 1),
        ppi(27, 1, 1),
        read(1, 'gicd', 0x200),
        write(0, 'gicd', 0x280, 1 << 27),
        read(0, 'gicd', 0x200),
        read(1, 'gicd', 0x200),
      ],
      qemu: [1 << 27, 0, 0],
      specification: [1 << 27, 0, 1 << 27],
    },
    breaks: (step, view) => view.config.cpus > 1 && gicdWrite(step, 0x280) && Number(step.value) >= 0x10000,
  },
  {
    id: 'Q2-7',
    title:
      "the active state of an SPI is per CPU: GICC_EOIR and GICC_DIR clear only the writing CPU's, GICD_ISACTIVERn sets all",
    clause: 'IHI 0048 4.4.15, 3.2.1: any processor may deactivate an SPI, and an SPI has one active state',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicc', 0x000, 0x201),
        write(1, 'gicc', 0x000, 0x201),
        ...spi32(1),
        write(0, 'gicd', 0x204, 1),
        read(0, 'gicc', 0x00c),
        write(0, 'gicc', 0x010, 32),
        write(1, 'gicc', 0x1000, 32),
        read(0, 'gicd', 0x304),
      ],
      qemu: [32, 1],
      specification: [32, 0],
    },
    breaks(step, view) {
      if (step.op !== 'write' || (step.region === 'gicd' && step.offset >= 0x304 && step.offset < 0x380))
        return step.op === 'write' && Number(step.value) !== 0
      if (step.region !== 'gicc' || (step.offset !== 0x010 && step.offset !== 0x1000)) return false
      const ended = Number(step.value) & 0x3ff
      return ended >= 32 && ended < 1020 && ((view.target[ended]! >> step.cpu) & 1) === 0
    },
  },
  {
    id: 'Q2-8',
    title: 'GICC_HPPIR gives no CPUID for an SGI',
    clause: 'IHI 0048 4.4.7: GICC_HPPIR.CPUID is the processor that requested a pending SGI',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [...enable(4), write(2, 'gicd', 0xf00, (1 << 16) | 5), read(0, 'gicc', 0x018), read(0, 'gicc', 0x00c)],
      qemu: [5, (2 << 10) | 5],
      specification: [(2 << 10) | 5, (2 << 10) | 5],
    },
    allows: (step, qemu, other) =>
      giccRead(step, 0x018) &&
      qemu.value < 16n &&
      other.status === 'ok' &&
      intid(other) === Number(qemu.value) &&
      other.value < 0x2000n,
  },
  {
    id: 'Q2-9',
    title: 'GICC_HPPIR is 1023 when the highest priority pending interrupt is not above GICC_PMR',
    clause: 'IHI 0048 4.4.7: GICC_HPPIR gives the highest priority pending interrupt; GICC_PMR does not enter into it',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        ...spi32(1),
        write(0, 'gicd', 0x420, 0x80, 1),
        write(0, 'gicc', 0x004, 0x40),
        write(0, 'gicd', 0x204, 1),
        read(0, 'gicc', 0x018),
      ],
      qemu: [1023],
      specification: [32],
    },
    allows(step, qemu, other, view) {
      if (!giccRead(step, 0x018) || step.op !== 'read' || qemu.value !== 1023n || other.status !== 'ok') return false
      const pending = intid(other)
      // 1022 does not tell which interrupt it is for.
      return pending === 1022 ? view.group1 : pending < 1020 && view.priority(step.cpu, pending) >= view.mask[step.cpu]!
    },
  },
  {
    id: 'Q2-10',
    title:
      'the enables of the groups do not enter into which interrupt is the best: one of a disabled group hides others, and GICC_IAR acknowledges it',
    clause:
      'IHI 0048 3.3, 4.4.4: an interrupt of a group that GICD_CTLR or GICC_CTLR disables is not forwarded, nor acknowledged',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4, 3),
        write(0, 'gicc', 0x000, 6),
        write(0, 'gicd', 0x084, 2),
        write(0, 'gicd', 0x104, 3),
        write(0, 'gicd', 0x820, 0x01010101),
        write(0, 'gicd', 0x420, 0xa080),
        write(0, 'gicd', 0x204, 3),
        lines,
        read(0, 'gicc', 0x00c),
      ],
      qemu: [0, 32],
      specification: [2, 33],
    },
    breaks: (step, view) => {
      const wrong = (enables: number): boolean =>
        enables === 2 || (enables === 1 && (view.group1 || view.config.security))
      if (step.op !== 'write') return false
      if (step.region === 'gicc') return step.offset === 0 && wrong(view.cpuControlAfter(step) & 3)
      if (step.region !== 'gicd') return false
      if (step.offset === 0x000) return wrong(view.controlAfter(step) & 3)
      if (step.offset < 0x080 || step.offset >= 0x100 || Number(step.value) === 0) return false
      return (view.control & 3) === 1 || view.cpuControl.some((value) => (value & 3) === 1)
    },
  },
  {
    id: 'Q2-11',
    title:
      'a GICD_SPENDSGIRn write keeps sources that do not exist, and pends every SGI whose byte lies in it, with a byte of 0 too; acknowledging such an SGI aborts QEMU',
    clause: 'IHI 0048 4.3.17: a bit that is written as 0 has no effect',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicd', 0xf20, 2),
        read(0, 'gicc', 0x00c),
        write(0, 'gicc', 0x010, 1 << 10),
        read(0, 'gicc', 0x00c),
      ],
      qemu: 'lost',
      specification: [1 << 10, 1023],
    },
    breaks: (step, view) =>
      gicdWrite(step, 0xf20, 0xf2f) &&
      (step.size !== 1 ||
        (Number(step.value) & ((1 << view.config.cpus) - 1)) !== Number(step.value) ||
        Number(step.value) === 0),
  },
  {
    id: 'Q2-12',
    title:
      'GICC_AIAR, GICC_AEOIR, GICC_AHPPIR and GICD_NSACRn are RAZ/WI (and so are GICD_PPISR and GICD_SPISRn of the GIC-400)',
    clause: 'IHI 0048 4.4.9 to 4.4.11: GICv2 has aliases of GICC_IAR, GICC_EOIR and GICC_HPPIR for Group 1',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [read(0, 'gicc', 0x020), read(0, 'gicc', 0x028)],
      qemu: [0, 0],
      specification: [1023, 1023],
    },
    breaks: (step, view) =>
      (step.op === 'read' || step.op === 'write') &&
      ((step.region === 'gicc' && step.offset >= 0x020 && step.offset < 0x02c) ||
        (step.region === 'gicd' && step.offset >= 0xd00 && step.offset < (view.config.security ? 0xf00 : 0xe00))),
  },
  {
    id: 'Q2-13',
    title: 'every register takes accesses of 8, 16, 32 and 64 bits, a narrow one of GICC as one of the whole register',
    clause: 'IHI 0048 4.1.4: 32-bit accesses to all registers, 8-bit ones to a few; the rest is IMPLEMENTATION DEFINED',
    versions: ['7.2', '10.0'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicc', 0x004, 0xf0), write(0, 'gicc', 0x004, 0x50, 1), read(0, 'gicc', 0x004)],
      qemu: [0x50],
      specification: [0xf0],
    },
    breaks: (step) =>
      step.op === 'write'
        ? step.size !== 4 && !(step.size === 1 && step.region === 'gicd' && byteAccessible(step.offset))
        : step.op === 'read' && step.size !== 4 && step.region === 'gicc',
    allows: (step) => step.op === 'read' && step.size !== 4 && !(step.size === 1 && byteAccessible(step.offset)),
  },
  {
    id: 'Q2-16',
    title: 'the bypass disable bits of GICC_CTLR are RAZ/WI',
    clause: 'IHI 0048 4.4.1: bits 5 to 8 of GICC_CTLR are the bypass controls',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicc', 0x000, 0x1e0), read(0, 'gicc', 0x000)],
      qemu: [0],
      specification: [0x1e0],
    },
    breaks: (step, view) => {
      if (step.op !== 'write' || step.region !== 'gicc' || step.offset !== 0) return false
      const known = view.config.security ? (view.secure(step) ? 0x61f : 0x201) : 0x21f
      return (Number(step.value) & ~known) !== 0
    },
  },
  {
    id: 'Q2-17',
    title: 'the configuration of PPIs in GICD_ICFGR1 is one for all CPUs',
    clause: 'IHI 0048 4.3.13: GICD_ICFGR1 is banked for each processor',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicd', 0xc04, 2 << 22), read(0, 'gicd', 0xc04), read(1, 'gicd', 0xc04)],
      qemu: [2 << 22, 2 << 22],
      specification: [2 << 22, 0],
    },
    breaks: (step, view) => view.config.cpus > 1 && gicdWrite(step, 0xc04),
  },
  {
    id: 'Q2-18',
    title: 'GICC_IAR is 1022, not 1023, for a Group 1 interrupt that the running priority holds back',
    clause:
      'IHI 0048 4.4.4: GICC_IAR returns 1023 when no pending interrupt has sufficient priority to be signalled; 1022 is for one that has',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4, 3),
        write(0, 'gicd', 0x084, 1),
        ...spi32(1),
        write(1, 'gicd', 0xf00, (1 << 16) | 5),
        read(0, 'gicc', 0x00c),
        write(0, 'gicd', 0x204, 1),
        read(0, 'gicc', 0x00c),
      ],
      qemu: [(1 << 10) | 5, 1022],
      specification: [(1 << 10) | 5, 1023],
    },
    allows: (step, qemu, other, view) =>
      giccRead(step, 0x00c) &&
      step.op === 'read' &&
      qemu.value === 1022n &&
      other.value === 1023n &&
      (view.running[step.cpu]!.length > 0 || view.confused[step.cpu] === true),
  },
  {
    id: 'Q2-19',
    title: 'the full priority of a pending interrupt is compared with the running priority, not its group priority',
    clause:
      "IHI 0048 3.3.2: a pending interrupt's group priority, by its group's binary point, is compared with that of the running priority",
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4, 3),
        write(0, 'gicd', 0x084, 2),
        write(0, 'gicd', 0x104, 3),
        write(0, 'gicd', 0x820, 0x01010101),
        write(0, 'gicd', 0x420, 0x8188),
        write(0, 'gicc', 0x01c, 7),
        write(0, 'gicd', 0x204, 1),
        read(0, 'gicc', 0x00c),
        write(0, 'gicd', 0x204, 2),
        lines,
      ],
      qemu: [32, 2],
      specification: [32, 0],
    },
    // It makes no difference while both groups split priorities alike, which GICC_ABPR does one higher than GICC_BPR.
    breaks: (step, view) => giccRead(step, 0x00c) && view.group1 && step.op === 'read' && !view.splitsAlike(step.cpu),
  },
  {
    id: 'Q2-20',
    title: 'GICD_SGIR.NSATT and the Security state of the write do not enter into which CPUs an SGI is sent to',
    clause:
      'IHI 0048 4.3.15: a Secure write sends to CPUs where the SGI is in the group that NSATT names, a Non-secure one to those where it is in Group 1',
    versions: ['7.2'],
    reproduction: {
      config: { ...four, security: true },
      steps: [write(1, 'gicd', 0xf00, (1 << 16) | 5), secure(read(0, 'gicd', 0x200))],
      qemu: [1 << 5],
      specification: [0],
    },
    breaks: (step, view) => {
      if (!view.config.security || !gicdWrite(step, 0xf00)) return false
      const wanted = view.secure(step) ? (Number(step.value) >>> 15) & 1 : 1
      return view.unanimous(Number(step.value) & 15) !== wanted
    },
  },
  {
    id: 'Q2-21',
    title: 'GICD_ITARGETSRn of a Group 0 interrupt can be read and written by a Non-secure access',
    clause: 'IHI 0048 4.1.3, 4.3.12: a field of a Group 0 interrupt is RAZ/WI to Non-secure accesses',
    versions: ['7.2'],
    reproduction: {
      config: { ...four, security: true },
      steps: [
        secure(write(0, 'gicd', 0x824, 0x01010101)),
        read(0, 'gicd', 0x824),
        write(0, 'gicd', 0x824, 0x08080808),
        secure(read(0, 'gicd', 0x824)),
      ],
      qemu: [0x01010101, 0x08080808],
      specification: [0, 0x01010101],
    },
    breaks: (step, view) =>
      gicdWrite(step, 0x820, 0xbff) && eachTarget(step).some((_, n) => !view.reaches(step, step.offset - 0x800 + n)),
    allows: (step, qemu, other, view) =>
      step.op === 'read' &&
      step.region === 'gicd' &&
      step.offset >= 0x800 &&
      step.offset < 0xc00 &&
      !view.secure(step) &&
      (other.value & ~qemu.value) === 0n,
  },
  {
    id: 'Q2-22',
    title:
      "a GICv2m message is a pulse on its SPI's own wire: one that is high makes no edge, and is low afterwards, though the device still drives it",
    clause:
      'IHI 0048 1.4.2, 3.2.4: a level-sensitive interrupt is asserted for as long as its signal is; SBSA appendix E: each message is an edge of its SPI',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        write(0, 'gicd', 0x854, 0x0101, 4),
        write(0, 'gicd', 0xc14, 2 << 10),
        spi(84, 1),
        spi(85, 1),
        write(0, 'gicd', 0x288, 1 << 21),
        read(0, 'gicd', 0x208),
        write(0, 'v2m', 0x040, 84),
        write(0, 'v2m', 0x040, 85),
        read(0, 'gicd', 0x208),
      ],
      qemu: [1 << 20, 0],
      specification: [1 << 20, 3 << 20],
    },
    breaks: (step, view) =>
      step.op === 'write' &&
      step.region === 'v2m' &&
      step.offset === 0x040 &&
      view.wire[Number(step.value) & 0x3ff] === 1,
  },
]

/** What a random test of QEMU's GICv2 keeps clear of, over and above what is UNPREDICTABLE. */
export const GICV2_AVOID: readonly Rule<Gicv2View>[] = GICV2_DEVIATIONS.flatMap(({ id, clause, breaks }) =>
  breaks === undefined ? [] : [{ id, clause, breaks }],
)

export const GICV2_ALLOW: readonly Allowance<Gicv2View>[] = GICV2_DEVIATIONS.flatMap(({ id, allows }) =>
  allows === undefined ? [] : [{ id, allows }],
)
