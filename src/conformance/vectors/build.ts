/**
 * What a conformance vector is, and the words that vectors are written in. A vector is data: steps, and what the
 * specification says must come of them. It knows no model and no target.
 */

import type { AccessSize, Region, Status, Step } from '../target.ts'
import { place } from './places.ts'

/**
 * Parts that a GIC may leave out, or have otherwise: a GICv2m frame, the wires' registers GICD_PPISR and GICD_SPISR of a GIC-400,
 * and identification registers with Arm's values.
 */
export const parts = ['v2m', 'inputs', 'identification'] as const
/** A part that a GIC may leave out. */
export type Part = (typeof parts)[number]

/** What a target must be for a vector to apply to it. */
export interface Needs {
  /** Architecture version; 2 unless given. */
  version?: 2 | 3
  /** With LPIs (and an ITS). */
  its?: boolean
  /** At least so many CPUs; 1 unless given. */
  cpus?: number
  /** At most so many CPUs. */
  atMost?: number
  /** Exactly one CPU. */
  single?: boolean
  /** With the Security Extensions, or without; either unless given: then every access is Secure where there are two states. */
  security?: boolean
  /** PEs with EL2 beside EL3. */
  el2?: boolean
  /** Exactly so many implemented priority bits; any number unless given. */
  priorityBits?: number
  /** At least so many INTIDs; any number unless given. */
  intids?: number
  /** Parts that a GIC need not have. */
  parts?: readonly Part[]
  /** Everything that a GICv3 may leave out: see `Traits.options`. */
  options?: boolean
}

/** What a step must answer. */
export interface Expected {
  /** What the step must answer, in the bits of `mask`. */
  readonly value: number
  /** The bits that count. */
  readonly mask: number
  /** What the access itself comes to; 'ok' unless given. */
  readonly status?: Status
}

/** A step, and what must come of it. */
export interface VectorStep {
  /** What is done. */
  readonly step: Step
  /** What must be answered; nothing is checked where it is not given, but that the access is taken. */
  readonly expect?: Expected
}

/** A few steps from reset on, and what the specification says must come of them. */
export interface Vector {
  /** A sentence. */
  readonly name: string
  /** Where the specification says so: 'IHI 0048B 4.3.8'. */
  readonly clause: string
  /** Which targets it applies to. */
  readonly needs: Readonly<Needs>
  /** In order. */
  readonly steps: readonly VectorStep[]
}

export type Steps = VectorStep | readonly Steps[]

/** A vector of GICv2. The clause is the section number in IHI 0048B. */
export function vector(name: string, clause: string, needs: Needs, ...steps: readonly Steps[]): Vector {
  return { name, clause: `IHI 0048B ${clause}`, needs, steps: flatten(steps) }
}

export function flatten(steps: Steps): VectorStep[] {
  return Array.isArray(steps) ? steps.flatMap(flatten) : [steps as VectorStep]
}

/** A step whose answer is checked: `.is(value)`, in the bits of `mask` if given. */
export interface Question {
  is(value: number, mask?: number): VectorStep
}

export function question(step: Step): Question {
  return { is: (value, mask = 0xffff_ffff) => ({ step, expect: { value, mask } }) }
}

interface Voice {
  /** Reads a register by name and number: `read(0, 'GICD_ISENABLER1')`. */
  read(cpu: number, register: string, size?: AccessSize): Question
  write(cpu: number, register: string, value: number, size?: AccessSize): VectorStep
  /** The byte of an interrupt in a bank of bytes: `read8(0, 'GICD_IPRIORITYR', 42)`. */
  read8(cpu: number, bank: string, index: number): Question
  write8(cpu: number, bank: string, index: number, value: number): VectorStep
}

function voice(secure: boolean | undefined): Voice {
  const access = (cpu: number, where: { region: Region; offset: number }, size: AccessSize) => ({
    cpu,
    ...where,
    size,
    ...(secure === undefined ? {} : { secure }),
  })
  const byte = (bank: string, index: number) => {
    const { region, offset } = place(`${bank}0`)
    return { region, offset: offset + index }
  }
  return {
    read: (cpu, register, size = 4) => question({ op: 'read', ...access(cpu, place(register), size) }),
    write: (cpu, register, value, size = 4) => ({
      step: { op: 'write', ...access(cpu, place(register), size), value },
    }),
    read8: (cpu, bank, index) => question({ op: 'read', ...access(cpu, byte(bank, index), 1) }),
    write8: (cpu, bank, index, value) => ({ step: { op: 'write', ...access(cpu, byte(bank, index), 1), value } }),
  }
}

/** Accesses in the only Security state, or the Secure one of two. */
export const { read, write, read8, write8 } = voice(undefined)
/** Secure and Non-secure accesses, for vectors about the two. */
export const S = voice(true)
export const NS = voice(false)

export const spi = (intid: number, level: 0 | 1): VectorStep => ({ step: { op: 'spi', intid, level } })
export const ppi = (cpu: number, intid: number, level: 0 | 1): VectorStep => ({
  step: { op: 'ppi', cpu, intid, level },
})

/** A CPU's IRQ wire. */
export function irqOf(cpu: number): { is(level: 0 | 1): VectorStep } {
  return { is: (level) => wire(2 * cpu + 1, level) }
}

export function fiqOf(cpu: number): { is(level: 0 | 1): VectorStep } {
  return { is: (level) => wire(2 * cpu, level) }
}

function wire(bit: number, level: 0 | 1): VectorStep {
  return { step: { op: 'lines' }, expect: { value: level * 2 ** bit, mask: 2 ** bit } }
}

/** Reads GICC_IAR. */
export const ack = (cpu: number): Question => read(cpu, 'GICC_IAR')
export const eoi = (cpu: number, value: number): VectorStep => write(cpu, 'GICC_EOIR', value)

/** Bit of an interrupt in a register of one bit each. */
export const bitOf = (intid: number): number => 2 ** (intid % 32)
export const one = (bank: string, intid: number): string => `${bank}${Math.floor(intid / 32)}`

/** Enables groups (1: Group 0, 2: Group 1, 3: both) in the Distributor and on CPUs 0 to `cpus` - 1, and unmasks all priorities. */
export function open(options: { cpus?: number; groups?: number; ctlr?: number } = {}): VectorStep[] {
  const { cpus = 1, groups = 1, ctlr = 0 } = options
  const steps = [write(0, 'GICD_CTLR', groups)]
  for (let cpu = 0; cpu < cpus; cpu++) steps.push(write(cpu, 'GICC_PMR', 0xff), write(cpu, 'GICC_CTLR', groups | ctlr))
  return steps
}

/** An SPI that is enabled, routed to `targets` (CPU 0), of a priority (0xa0) and group (0), level-sensitive unless `edge`. */
export function enabled(
  intid: number,
  options: { targets?: number; priority?: number; group?: 0 | 1; edge?: boolean } = {},
): VectorStep[] {
  const { targets = 1, priority = 0xa0, group = 0, edge = false } = options
  return [
    write(0, `GICD_ICFGR${Math.floor(intid / 16)}`, edge ? 2 * 4 ** (intid % 16) : 0),
    ...(group === 1 ? [write(0, one('GICD_IGROUPR', intid), bitOf(intid))] : []),
    write8(0, 'GICD_IPRIORITYR', intid, priority),
    write8(0, 'GICD_ITARGETSR', intid, targets),
    write(0, one('GICD_ISENABLER', intid), bitOf(intid)),
  ]
}

/** Makes an SPI or PPI pending by software. */
export const pend = (intid: number, cpu = 0): VectorStep => write(cpu, one('GICD_ISPENDR', intid), bitOf(intid))
/** Sends an SGI from a CPU to a list of CPUs, a bit each. */
export const sgi = (from: number, targets: number, intid: number): VectorStep =>
  write(from, 'GICD_SGIR', targets * 0x1_0000 + intid)
