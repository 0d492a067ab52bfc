/**
 * Where QEMU's GICv3 does what IHI 0069 does not say at EL3, across the Security states and with GICD_CTLR.DS set: part of the
 * list in deviations-gicv3.ts, and in its form.
 */

import type { Gicv3View } from '../fuzz/gicv3-view.ts'
import { type Execution, executionOf, type Result, type Step, type TargetConfig } from '../target.ts'
import type { Deviation } from './deviations.ts'
import { at, mrs, msr, read, secure, write } from './steps.ts'

const two: TargetConfig = { version: 3, cpus: 1, security: true, its: false }
const SGI_FRAME = 0x10000

const el3: Execution = { el: 3, ns: false }
const el3Ns: Execution = { el: 3, ns: true }
const nonSecure: Execution = { el: 1, ns: true }
const nonSecureFiq: Execution = { ...nonSecure, fiq: true }

const DS: Step = secure(write(0, 'gicd', 0x000, 0x40))
/** SGI 8 of Group 1, or of Group 0, pending in a GIC that is open for it. */
const pending = (ctlr: number, group1: boolean): Step[] => [
  secure(write(0, 'gicd', 0x000, ctlr)),
  secure(write(0, 'gicr', 0x014, 0)),
  secure(write(0, 'gicr', SGI_FRAME + 0x080, group1 ? 0x100 : 0)),
  secure(write(0, 'gicr', SGI_FRAME + 0x408, 0xa0, 1)),
  secure(write(0, 'gicr', SGI_FRAME + 0x100, 0x100)),
  secure(write(0, 'gicr', SGI_FRAME + 0x200, 0x100)),
  at(el3, msr(0, 'ICC_PMR_EL1', 0xff)),
  at(el3, msr(0, 'ICC_IGRPEN0_EL1', 1)),
  at(el3, msr(0, 'ICC_IGRPEN1_EL3', 3)),
]
const pends: Step = secure(read(0, 'gicr', SGI_FRAME + 0x200))
const ownSgi = (8 << 24) | 1

/** The IRQs among the lines of 32 CPUs. */
const IRQS = 0xaaaa_aaaa_aaaa_aaaan

const sendsBySgi1r = (step: Step): boolean => step.op === 'msr' && step.register === 'ICC_SGI1R_EL1'
/** With one Security state every access is. */
export const isNonSecureEl1 = (step: Step): boolean => {
  if (!isSystem(step)) return false
  const { el, ns } = executionOf(step)
  return el === 1 && ns
}
const isSystem = (step: Step): step is Extract<Step, { op: 'mrs' | 'msr' }> => step.op === 'mrs' || step.op === 'msr'
const bits = ({ status, value }: Result) => (status === 'ok' ? Number(value) : -1)

/** The SGI that a step sends may be of Group 0 at some PE. */
const mayBeGroup0 = (step: Step, view: Gicv3View): boolean => {
  if (step.op !== 'msr') return false
  const intid = Number((BigInt(step.value) >> 24n) & 15n)
  return view.ownGroups.some((groups, pe) => (((groups | view.ownModifiers[pe]!) >>> intid) & 1) === 0)
}

/** A register of priorities as Non-secure EL1 that cannot reach Group 0 sees it, with DS 1. */
const shiftedAmiss = (step: Step, view: Gicv3View, register: string): boolean => {
  if (!view.config.security || !view.ds || !isSystem(step) || step.register !== register) return false
  const { el, ns, fiq } = executionOf(step)
  return el === 1 && ns && fiq === true
}

export const GICV3_EL3_DEVIATIONS: readonly Deviation<Gicv3View>[] = [
  {
    id: 'Q3-15',
    title: 'the Non-secure ICC_AP1Rn_EL1 cannot be written, where there is EL3',
    clause:
      'IHI 0069 12.2 (ICC_AP1R<n>_EL1): a value that was read may be written back, and 0; only priorities of the Secure half are not for Non-secure Group 1',
    versions: ['7.2'],
    reproduction: {
      config: two,
      steps: [
        ...pending(7, true),
        at(el3, mrs(0, 'ICC_IAR1_EL1')),
        at(el3Ns, msr(0, 'ICC_AP1R0_EL1', 0)),
        at(el3, mrs(0, 'ICC_RPR_EL1')),
      ],
      qemu: [8, 0xa0],
      specification: [8, 0xff],
    },
    breaks: (step, view) =>
      view.config.security && step.op === 'msr' && step.register.startsWith('ICC_AP1R') && executionOf(step).ns,
  },
  {
    id: 'Q3-16',
    title: 'with GICD_CTLR.DS 1 a Group 1 interrupt is signalled as FIQ at EL3 and at Secure EL1',
    clause:
      'IHI 0069 4.6 (Interrupt assignment to IRQ and FIQ signals): with one Security state Group 0 is signalled as FIQ and Group 1 as IRQ',
    versions: ['7.2'],
    reproduction: {
      config: two,
      steps: [DS, ...pending(0x43, true), at(el3, mrs(0, 'ISR_EL1')), at(nonSecure, mrs(0, 'ISR_EL1'))],
      qemu: [0x40, 0x80],
      specification: [0x80, 0x80],
    },
    allows(step, qemu, other, view) {
      if (!view.config.security || !view.ds) return false
      // Every CPU's lines are sampled at EL3: bit 2n FIQ, bit 2n+1 IRQ.
      if (step.op === 'lines') return (qemu.value & IRQS) === 0n && asFiq(other.value) === qemu.value
      return step.op === 'mrs' && step.register === 'ISR_EL1' && bits(qemu) === 0x40 && bits(other) === 0x80
    },
    // Routed elsewhere by its own signal, it makes the one access and not the other.
    breaks(step, view) {
      if (!view.config.security || !view.ds || !isSystem(step)) return false
      const { el, ns, fiq, irq } = executionOf(step)
      return el === 1 && !ns && (fiq === true || irq === true)
    },
  },
  {
    id: 'Q3-17',
    title: 'with two Security states Secure ICC_SGI1R_EL1 generates SGIs of Group 0 too',
    clause:
      'IHI 0069 12.1.10: a Secure write of ICC_SGI1R_EL1 generates SGIs of Secure Group 1; those of Group 0 only where GICD_CTLR.DS 1 makes them one',
    versions: ['7.2'],
    reproduction: {
      config: two,
      steps: [at(el3, msr(0, 'ICC_SGI1R_EL1', ownSgi)), pends],
      qemu: [0x100],
      specification: [0],
    },
    breaks: (step, view) =>
      view.config.security && !view.ds && sendsBySgi1r(step) && !isNonSecureEl1(step) && mayBeGroup0(step, view),
  },
  {
    id: 'Q3-20',
    title: 'GICR_NSACR does not let Non-secure ICC_SGI1R_EL1 generate SGIs of Group 0 and of Secure Group 1',
    clause:
      'IHI 0069 12.11 (GICR_NSACR): 0b01 permits Non-secure writes of ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 to generate a Group 0 SGI, 0b10 also a Secure Group 1 SGI',
    versions: ['7.2'],
    reproduction: {
      config: two,
      steps: [
        secure(write(0, 'gicr', SGI_FRAME + 0xe00, 1 << 16)),
        at(nonSecure, msr(0, 'ICC_SGI1R_EL1', ownSgi)),
        pends,
      ],
      qemu: [0],
      specification: [0x100],
    },
    breaks: (step, view) =>
      view.config.security && !view.ds && view.grantsSgis && sendsBySgi1r(step) && isNonSecureEl1(step),
  },
  {
    id: 'Q3-18',
    title: 'with GICD_CTLR.DS 1 and SCR_EL3.FIQ 1 Non-secure EL1 sees ICC_PMR_EL1 and ICC_RPR_EL1 shifted',
    clause:
      'IHI 0069 4.8 (Software accesses of interrupt priority): the Non-secure view is one of two Security states (so read by Linux too)',
    versions: ['7.2'],
    reproduction: {
      config: two,
      steps: [DS, at(el3, msr(0, 'ICC_PMR_EL1', 0xc0)), at(nonSecureFiq, mrs(0, 'ICC_PMR_EL1'))],
      qemu: [0x80],
      specification: [0xc0],
    },
    breaks: (step, view) => step.op === 'msr' && shiftedAmiss(step, view, 'ICC_PMR_EL1'),
    allows: (step, _qemu, _other, view) =>
      step.op === 'mrs' && (shiftedAmiss(step, view, 'ICC_PMR_EL1') || shiftedAmiss(step, view, 'ICC_RPR_EL1')),
  },
  {
    id: 'Q3-19',
    title: 'ICC_SRE_EL2 can be reached at EL3 with SCR_EL3.NS 0, where no Secure EL2 is enabled',
    clause: 'IHI 0069 12.4 (ICC_SRE_EL2): at EL3 the access is UNDEFINED unless EL2 is enabled in the Security state',
    versions: ['7.2'],
    reproduction: {
      config: { ...two, el2: true },
      steps: [at(el3Ns, mrs(0, 'ICC_SRE_EL2')), at(el3, mrs(0, 'ICC_SRE_EL2'))],
      qemu: [0xf, 0xf],
      specification: [0xf, 'undefined'],
    },
    breaks: (step) => isSystem(step) && step.register === 'ICC_SRE_EL2' && !executionOf(step).ns,
  },
]

/** Lines with every IRQ moved to the FIQ beside it. */
function asFiq(lines: bigint): bigint {
  return (lines | (lines >> 1n)) & ~IRQS
}
