/**
 * Where QEMU's GICv3 and ITS do what IHI 0069 does not say, as data, like deviations.ts for GICv2: the clause, a smallest
 * reproduction with both answers, and how random tests keep clear of it or recognise it.
 */

import type { Allowance, Rule } from '../fuzz/compare.ts'
import { type Gicv3View, isSecure, SGI_FRAME } from '../fuzz/gicv3-view.ts'
import type { Step, TargetConfig } from '../target.ts'
import type { Deviation } from './deviations.ts'
import { GICV3_EL3_DEVIATIONS, isNonSecureEl1 } from './deviations-gicv3-el3.ts'
import { lines, mrs, msr, read, secure, write } from './steps.ts'

const four: TargetConfig = { version: 3, cpus: 4, security: false, its: false }
const twoStates: TargetConfig = { ...four, security: true }
const withIts: TargetConfig = { ...four, its: true }
const stride = 0x20000

const enable = (cpus: number): Step[] => [
  write(0, 'gicd', 0x000, 3),
  ...Array.from({ length: cpus }, (_, cpu) => [
    write(cpu, 'gicr', cpu * stride + 0x014, 0),
    write(cpu, 'gicr', cpu * stride + SGI_FRAME + 0x080, 0xffffffff),
    msr(cpu, 'ICC_PMR_EL1', 0xff),
    msr(cpu, 'ICC_IGRPEN0_EL1', 1),
    msr(cpu, 'ICC_IGRPEN1_EL1', 1),
  ]).flat(),
]

const samples = (step: Step): boolean =>
  step.op === 'lines' ||
  (step.op === 'mrs' && /^(ICC_(IAR|HPPIR)[01]|ISR)_EL1$/.test(step.register)) ||
  // What is signalled decides whether the access is made at all.
  ((step.op === 'mrs' || step.op === 'msr') && step.at?.el === 1 && (step.at.fiq === true || step.at.irq === true))

export const GICV3_DEVIATIONS: readonly Deviation<Gicv3View>[] = [
  {
    id: 'Q3-1',
    title: 'GICD_TYPER.ITLinesNumber is one too small: INTIDs 256 to 287 work and are not announced',
    clause: 'IHI 0069 12.9 (GICD_TYPER): the maximum SPI INTID is 32(ITLinesNumber+1) - 1',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicd', 0x120, 0xffffffff), read(0, 'gicd', 0x120), read(0, 'gicd', 0x004)],
      qemu: [0xffffffff, 0x37a0007],
      specification: [0xffffffff, 0x37a0008],
    },
    allows: (step, qemu, other) =>
      step.op === 'read' && step.region === 'gicd' && step.offset === 0x004 && other.value === qemu.value + 1n,
  },
  {
    id: 'Q3-2',
    title: 'GICD_IROUTERn keeps its RES0 bits, and Interrupt_Routing_Mode although GICD_TYPER.No1N is 1',
    clause: 'IHI 0069 12.9 (GICD_IROUTER<n>): bits [63:40] and [30:24] are RES0, and bit 31 is when No1N is 1',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [write(0, 'gicd', 0x6100, 0xffffffffffffffffn, 8), read(0, 'gicd', 0x6100), read(0, 'gicd', 0x6104)],
      qemu: [0xffffffff, 0xffffffff],
      specification: [0x00ffffff, 0x000000ff],
    },
    breaks: (step) =>
      step.op === 'write' &&
      step.region === 'gicd' &&
      step.offset >= 0x6000 &&
      step.offset < 0x8000 &&
      (BigInt(step.value) & (step.offset % 8 === 4 ? 0xffffff00n : 0xffffff00ff000000n)) !== 0n,
  },
  {
    id: 'Q3-3',
    title: 'GICR_WAKER.ProcessorSleep does not keep interrupts from the PE',
    clause:
      'IHI 0069 11.1, 12.11 (GICR_WAKER): while ProcessorSleep is 1 the Redistributor forwards nothing to the CPU interface',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicr', 0x014, 2),
        write(0, 'gicr', SGI_FRAME + 0x100, 1 << 20),
        write(0, 'gicr', SGI_FRAME + 0x200, 1 << 20),
        lines,
      ],
      qemu: [2],
      specification: [0],
    },
    breaks: (step, view) =>
      (step.op === 'write' && step.region === 'gicr' && step.offset % stride === 0x014 && Number(step.value) !== 0) ||
      (samples(step) && view.awake.includes(false)),
  },
  {
    id: 'Q3-4',
    title: 'an interrupt of a group that ICC_IGRPENn_EL1 disables hides a lower one of the enabled group',
    clause:
      'IHI 0069 4.8: interrupts of a group that is disabled in the CPU interface are not considered when the highest priority pending interrupt is determined',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicd', 0x084, 2),
        write(0, 'gicd', 0x104, 3),
        write(0, 'gicd', 0x420, 0x4020),
        write(0, 'gicd', 0x204, 3),
        msr(0, 'ICC_IGRPEN0_EL1', 0),
        lines,
        mrs(0, 'ICC_IAR1_EL1'),
      ],
      qemu: [0, 1023],
      specification: [2, 33],
    },
    breaks: (step, view) => samples(step) && view.mixed && view.someGroupsOff,
  },
  {
    id: 'Q3-10',
    title:
      'Non-secure ICC_SGI1R_EL1 does not generate an SGI that is in Group 0 at its target, with one Security state',
    clause:
      'IHI 0069 12.1.10: with GICD_CTLR.DS 1, a Non-secure write of ICC_SGI1R_EL1 generates SGIs of either group (so read by Linux KVM too)',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        write(0, 'gicr', SGI_FRAME + 0x080, 0),
        msr(1, 'ICC_SGI1R_EL1', (5 << 24) | 1),
        read(0, 'gicr', SGI_FRAME + 0x200),
      ],
      qemu: [0],
      specification: [1 << 5],
    },
    breaks: (step, view) =>
      step.op === 'msr' &&
      step.register === 'ICC_SGI1R_EL1' &&
      view.ds &&
      isNonSecureEl1(step) &&
      view.ownGroups.some((groups) => ((groups >>> Number((BigInt(step.value) >> 24n) & 15n)) & 1) === 0),
  },
  {
    id: 'Q3-14',
    title: 'ICC_PMR_EL1 keeps what is written to its bits above 7',
    clause: 'IHI 0069 12.2 (ICC_PMR_EL1): bits [63:8] are RES0',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [msr(0, 'ICC_PMR_EL1', 0x1f8), mrs(0, 'ICC_PMR_EL1')],
      qemu: [0x1f8],
      specification: [0xf8],
    },
    breaks: (step) => step.op === 'msr' && step.register === 'ICC_PMR_EL1' && BigInt(step.value) > 0xffn,
  },
  {
    id: 'Q3-12',
    title:
      'ICC_CTLR_EL3 shows the Non-secure EOImode and CBPR for the Secure ones too, and nDS 1 although GICD_CTLR.DS can be set',
    clause:
      'IHI 0069 12.2 (ICC_CTLR_EL3): EOImode_EL1NS is that of Non-secure ICC_CTLR_EL1 and EOImode_EL1S that of the Secure one; nDS 0 where security can be disabled',
    versions: ['7.2'],
    reproduction: {
      config: twoStates,
      steps: [msr(0, 'ICC_CTLR_EL1', 2), mrs(0, 'ICC_CTLR_EL3')],
      qemu: [0x28c18],
      specification: [0x8c10],
    },
    // Nor does a write clear the bits of ICC_CTLR_EL1, but those that identify it.
    breaks: (step, view) =>
      step.op === 'msr' &&
      step.register === 'ICC_CTLR_EL3' &&
      (view.controlEl3(step.cpu) & ~Number(step.value) & 0x1b) !== 0,
    allows(step, qemu, other, view) {
      if (step.op !== 'mrs' || qemu.status !== 'ok' || other.status !== 'ok') return false
      const differ = Number(qemu.value ^ other.value)
      if (step.register === 'ICC_CTLR_EL3') return (differ & ~0x2001b) === 0
      return step.register === 'ICC_CTLR_EL1' && view.el3Written[step.cpu]! && (differ & ~0xff00) === 0
    },
  },
  {
    id: 'Q3-22',
    title:
      'an active priority is cut to the binary point of its interrupt, in ICC_RPR_EL1, and when one of another group is to preempt it',
    clause:
      'IHI 0069 12.2 (ICC_RPR_EL1): the priority returned is the group priority as if the BPR was set to the minimum value',
    versions: ['7.2'],
    reproduction: {
      config: four,
      steps: [
        ...enable(4),
        msr(0, 'ICC_BPR1_EL1', 6),
        write(0, 'gicr', SGI_FRAME + 0x405, 0x68, 1),
        write(0, 'gicr', SGI_FRAME + 0x100, 1 << 5),
        write(0, 'gicr', SGI_FRAME + 0x200, 1 << 5),
        mrs(0, 'ICC_IAR1_EL1'),
        mrs(0, 'ICC_RPR_EL1'),
      ],
      qemu: [5, 0x40],
      specification: [5, 0x68],
    },
    breaks(step, view) {
      if (step.op === 'mrs' && /^ICC_(RPR|AP[01]R\d)_EL1$/.test(step.register))
        return !view.idle(step.cpu) && Math.max(...view.splits(step.cpu)) > 2
      if (!samples(step) || !view.mixed) return false
      return view.awake.some((_, cpu) => new Set(view.splits(cpu)).size > 1)
    },
  },
  {
    id: 'Q3-11',
    title: 'GICR_WAKER can be read and written by Non-secure accesses',
    clause: 'IHI 0069 12.11 (GICR_WAKER): with GICD_CTLR.DS 0 the register is RAZ/WI to Non-secure accesses',
    versions: ['7.2'],
    reproduction: {
      config: twoStates,
      steps: [read(0, 'gicr', 0x014), write(0, 'gicr', 0x014, 0), secure(read(0, 'gicr', 0x014))],
      qemu: [6, 0],
      specification: [0, 6],
    },
    breaks: (step, view) =>
      view.config.security &&
      (step.op === 'read' || step.op === 'write') &&
      step.region === 'gicr' &&
      step.offset % stride === 0x014 &&
      !isSecure(step),
  },
  {
    id: 'Q3-9',
    title: 'GICR_PENDBASER.PTZ reads as it was written',
    clause: 'IHI 0069 12.11 (GICR_PENDBASER): PTZ is write-only and reads as zero',
    versions: ['7.2'],
    reproduction: {
      config: withIts,
      steps: [write(0, 'gicr', 0x078, 1n << 62n, 8), read(0, 'gicr', 0x07c)],
      qemu: [0x40000000],
      specification: [0],
    },
    allows: (step, qemu, other) =>
      step.op === 'read' &&
      step.region === 'gicr' &&
      step.offset % stride >= 0x078 &&
      step.offset % stride < 0x080 &&
      (qemu.value ^ other.value) === (step.size === 8 ? 1n << 62n : 1n << 30n),
  },
  {
    id: 'QI-2',
    title: 'GITS_CBASER and GITS_CWRITER keep their RES0 bits',
    clause:
      'IHI 0069 12.19 (GITS_CBASER, GITS_CWRITER): bits 62, [58:56], 52, [9:8] of the one, [63:20] and [4:1] of the other are RES0',
    versions: ['7.2'],
    reproduction: {
      config: withIts,
      steps: [
        write(0, 'its', 0x080, 0xffffffffffffffffn, 8),
        read(0, 'its', 0x084),
        write(0, 'its', 0x088, 0xfffffffffffffffen, 8),
        read(0, 'its', 0x08c),
      ],
      qemu: [0xffffffff, 0xffffffff],
      specification: [0xb8efffff, 0],
    },
    breaks: (step) =>
      step.op === 'write' &&
      step.region === 'its' &&
      ((step.offset === 0x080 && (BigInt(step.value) & 0x4710000000000300n) !== 0n) ||
        (step.offset === 0x088 && (BigInt(step.value) & ~0xfffe0n) !== 0n) ||
        step.offset === 0x084 ||
        step.offset === 0x08c),
  },
  {
    id: 'QI-3',
    title: 'GITS_CREADR can be written',
    clause: 'IHI 0069 12.19 (GITS_CREADR): the register is read-only',
    versions: ['7.2'],
    reproduction: {
      config: withIts,
      steps: [write(0, 'its', 0x090, 0x40, 8), read(0, 'its', 0x090)],
      qemu: [0x40],
      specification: [0],
    },
    breaks: (step) => step.op === 'write' && step.region === 'its' && (step.offset & ~7) === 0x090,
  },
  ...GICV3_EL3_DEVIATIONS,
]

export const GICV3_AVOID: readonly Rule<Gicv3View>[] = GICV3_DEVIATIONS.flatMap(({ id, clause, breaks }) =>
  breaks === undefined ? [] : [{ id, clause, breaks }],
)

export const GICV3_ALLOW: readonly Allowance<Gicv3View>[] = GICV3_DEVIATIONS.flatMap(({ id, allows }) =>
  allows === undefined ? [] : [{ id, allows }],
)
