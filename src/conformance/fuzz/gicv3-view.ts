/**
 * What can be known of a GICv3 from the steps put to it and its answers, as far as rules need it.
 * Bookkeeping for a test generator; deliberately not a model of delivery.
 */

import { type Execution, executionOf, type Result, type Step, type TargetConfig } from '../target.ts'
import type { View } from './compare.ts'

export const GICR_STRIDE = 0x20000
export const SGI_FRAME = 0x10000

export interface Running {
  intid: number
  group: 0 | 1
  /** Where it was acknowledged, or its priority dropped. */
  place: Execution
}

/** Where a system register access executes; {el 1, ns} on a GIC with one Security state. */
export const placeOf = (step: Extract<Step, { op: 'mrs' | 'msr' }>): Execution => executionOf(step)
export const samePlace = (a: Execution, b: Execution): boolean => a.el === b.el && a.ns === b.ns

/** The Security state of an access to memory; a GIC with one takes every access as Non-secure here. */
export const isSecure = (step: Step): boolean => 'secure' in step && step.secure === true

/** The same step in a Security state. */
export const inState = <S extends Step>(step: S, secure: boolean): S => ({ ...step, secure })

/** A write to a bank of one bit an interrupt, wherever it lies: in the distributor or in a redistributor. */
export interface BankWrite {
  /** Offset of the bank within its frame, as in 0x100 for ISENABLER. */
  bank: number
  /** Whose redistributor; undefined for the distributor. */
  owner: number | undefined
  intids: number[]
}

/** The write as one to a bank, or undefined when it is none. */
export function bankWrite(step: Step): BankWrite | undefined {
  if (step.op !== 'write' || step.size !== 4) return undefined
  const redistributor = step.region === 'gicr' && step.offset % GICR_STRIDE >= SGI_FRAME
  if (!redistributor && step.region !== 'gicd') return undefined
  const offset = redistributor ? (step.offset % GICR_STRIDE) - SGI_FRAME : step.offset
  if (offset < 0x080 || offset >= 0x400) return undefined
  const first = (offset & 0x7f) * 8
  if (redistributor ? first !== 0 : first === 0) return undefined
  const value = Number(step.value)
  const intids = Array.from({ length: 32 }, (_, bit) => first + bit).filter((_, bit) => ((value >>> bit) & 1) === 1)
  return { bank: offset & ~0x7f, owner: redistributor ? Math.floor(step.offset / GICR_STRIDE) : undefined, intids }
}

export class Gicv3View implements View {
  readonly config: TargetConfig
  /** Per CPU: acknowledged and not yet ended, in order. */
  readonly running: Running[][]
  /** Per CPU: ended with EOImode 1, and not yet deactivated. */
  readonly dropped: Running[][]
  /** Per CPU: an acknowledge has been issued whose answer is not known yet. */
  readonly unanswered: boolean[]
  /** Per CPU: CBPR and EOImode of ICC_CTLR_EL1 in its Non-secure and its Secure bank, and EOImode of EL3 in bit 1. */
  readonly control: [number, number, number][]
  /** Per CPU: ICC_CTLR_EL3 has been written. */
  readonly el3Written: boolean[]
  /** Per CPU: ICC_BPR0_EL1, and ICC_BPR1_EL1 of the Secure and of the Non-secure bank, with five priority bits. */
  readonly #points: [zero: number, secure: number, nonSecure: number][]
  /** Per CPU: ICC_IGRPEN0_EL1, and ICC_IGRPEN1_EL1 of Non-secure and of Secure state (which is as the former with one state). */
  readonly groupEnable: [number, number, number][]
  readonly awake: boolean[]
  /** GICD_CTLR.DS: one Security state, of a GIC that has no other or was told to have none. */
  ds: boolean
  /** Some GICR_NSACR has been given something else than 0. */
  grantsSgis = false
  /** Enabled: of SPIs by INTID, of a CPU's own by 32 × CPU + INTID. */
  readonly #spis = new Uint8Array(1020)
  readonly #own: Uint8Array
  readonly #edge = new Uint8Array(1020)
  readonly #ownEdge: Uint8Array
  /** GICD_IGROUPRn and GICR_IGROUPR0 words that have been given something else than all ones. */
  readonly #group0 = new Set<string>()
  /** GICR_IGROUPR0 of each PE. */
  readonly ownGroups: number[]
  /** GICR_IGRPMODR0 of each PE. */
  readonly ownModifiers: number[]
  started = false

  constructor(config: TargetConfig) {
    this.config = config
    const perCpu = <T>(make: () => T): T[] => Array.from({ length: config.cpus }, make)
    this.running = perCpu(() => [])
    this.dropped = perCpu(() => [])
    this.unanswered = perCpu(() => false)
    this.control = perCpu(() => [0, 0, 0])
    this.el3Written = perCpu(() => false)
    this.ownModifiers = perCpu(() => 0)
    this.#points = perCpu(() => [2, 2, 3])
    this.groupEnable = perCpu(() => [0, 0, 0])
    this.awake = perCpu(() => false)
    this.ds = !config.security
    this.ownGroups = perCpu(() => 0)
    this.#own = new Uint8Array(32 * config.cpus)
    this.#ownEdge = new Uint8Array(32 * config.cpus)
    for (let cpu = 0; cpu < config.cpus; cpu++) this.#group0.add(`r${cpu}`)
    for (let word = 1; word < 9; word++) this.#group0.add(`d${word}`)
  }

  idle(cpu: number): boolean {
    return !this.unanswered[cpu] && this.running[cpu]!.length === 0 && this.dropped[cpu]!.length === 0
  }

  /** There are interrupts in Group 0, or in Secure Group 1. */
  get mixed(): boolean {
    return this.config.security || this.#group0.size > 0
  }

  /** Some groups are enabled in a CPU interface and some are not. */
  get someGroupsOff(): boolean {
    return this.groupEnable.some(([zero, one, secure]) => zero !== one || one !== secure)
  }

  /** EOImode of a place. */
  mode(cpu: number, { el, ns }: Execution): number {
    return (this.control[cpu]![el === 3 ? 2 : ns ? 0 : 1] >> 1) & 1
  }

  /** The five control bits of ICC_CTLR_EL3. */
  controlEl3(cpu: number): number {
    const [ns, s, el3] = this.control[cpu]!
    return (s & 1) | ((ns & 1) << 1) | ((el3 & 2) << 1) | ((s & 2) << 2) | ((ns & 2) << 3)
  }

  /** Where the priorities of Group 0, of Secure and of Non-secure Group 1 are split: by one and the same number if alike. */
  splits(cpu: number): readonly [zero: number, secure: number, nonSecure: number] {
    const [zero, secure, nonSecure] = this.#points[cpu]!
    const [ns, s] = this.control[cpu]!
    const one = ns & 1 ? zero : nonSecure - 1
    return [zero, !this.config.security ? one : s & 1 ? zero : secure, one]
  }

  enabled(owner: number | undefined, intid: number): boolean {
    return (owner === undefined ? this.#spis[intid] : this.#own[32 * owner + intid]) === 1
  }

  edge(owner: number | undefined, intid: number): 0 | 1 {
    return ((owner === undefined ? this.#edge[intid] : this.#ownEdge[32 * owner + intid]) ?? 0) as 0 | 1
  }

  issued(step: Step): void {
    if (step.op === 'spi' || step.op === 'ppi') this.started = true
    else if (step.op === 'mrs') {
      if (/^ICC_IAR[01]_EL1$/.test(step.register)) this.unanswered[step.cpu] = true
    } else if (step.op === 'msr') this.#systemRegister(step.cpu, step.register, Number(step.value), placeOf(step))
    else if (step.op === 'write') this.#write(step)
  }

  answered(step: Step, result: Result): void {
    if (step.op !== 'mrs' || !/^ICC_IAR[01]_EL1$/.test(step.register)) return
    this.unanswered[step.cpu] = false
    const intid = Number(result.value)
    if (result.status === 'ok' && (intid < 1020 || intid >= 8192))
      this.running[step.cpu]!.push({ intid, group: step.register === 'ICC_IAR0_EL1' ? 0 : 1, place: placeOf(step) })
  }

  #systemRegister(cpu: number, register: string, value: number, place: Execution): void {
    const { ns } = place
    switch (register) {
      case 'ICC_CTLR_EL1':
        // CBPR is read-only where there is EL3 and two Security states.
        this.control[cpu]![ns ? 0 : 1] = this.ds ? value & 3 : (value & 2) | (this.control[cpu]![ns ? 0 : 1] & 1)
        break
      case 'ICC_CTLR_EL3':
        this.control[cpu] = [
          ((value >> 1) & 1) | ((value >> 3) & 2),
          (value & 1) | ((value >> 2) & 2),
          (value >> 1) & 2,
        ]
        this.el3Written[cpu] = true
        break
      case 'ICC_IGRPEN1_EL3':
        this.groupEnable[cpu]![1] = value & 1
        this.groupEnable[cpu]![2] = (value >> 1) & 1
        break
      case 'ICC_BPR0_EL1':
        this.#points[cpu]![0] = Math.max(2, value & 7)
        break
      case 'ICC_BPR1_EL1': {
        const points = this.#points[cpu]!
        const common = place.el !== 3 && (this.control[cpu]![ns ? 0 : 1] & 1) !== 0
        if (!common) points[ns ? 2 : 1] = Math.max(ns ? 3 : 2, value & 7)
        else if (!ns) points[0] = Math.max(2, value & 7)
        break
      }
      case 'ICC_IGRPEN0_EL1':
        this.groupEnable[cpu]![0] = value & 1
        break
      case 'ICC_IGRPEN1_EL1':
        if (ns) this.groupEnable[cpu]![1] = value & 1
        if (!ns || !this.config.security) this.groupEnable[cpu]![2] = value & 1
        break
      case 'ICC_EOIR0_EL1':
      case 'ICC_EOIR1_EL1': {
        if (value >= 1020 && value < 8192) return
        const ended = this.running[cpu]!.pop()
        // An LPI has no active state to end.
        if (ended !== undefined && ended.intid < 8192 && this.mode(cpu, place) === 1)
          this.dropped[cpu]!.push({ ...ended, place })
        break
      }
      case 'ICC_DIR_EL1': {
        const at = this.dropped[cpu]!.findIndex((one) => one.intid === value)
        if (at >= 0) this.dropped[cpu]!.splice(at, 1)
        break
      }
      case 'ICC_SGI0R_EL1':
      case 'ICC_SGI1R_EL1':
      case 'ICC_ASGI1R_EL1':
        this.started = true
        break
    }
  }

  #write(step: Step & { op: 'write' }): void {
    const value = Number(step.value)
    const write = bankWrite(step)
    if (write !== undefined) {
      const { bank, owner, intids } = write
      if (bank === 0x080) {
        const key = owner === undefined ? `d${(step.offset - 0x080) >> 2}` : `r${owner}`
        if (owner !== undefined) this.ownGroups[owner] = value
        if (value === 0xffffffff) this.#group0.delete(key)
        else this.#group0.add(key)
      } else if (bank === 0x100 || bank === 0x180) {
        for (const intid of intids) {
          const enable = bank === 0x100 ? 1 : 0
          // A Non-secure write may not reach the interrupt.
          if (enable === 0 && this.config.security && !isSecure(step)) continue
          if (owner === undefined) this.#spis[intid] = enable
          else this.#own[32 * owner + intid] = enable
        }
      } else if (bank === 0x200 || bank === 0x300) this.started = true
      return
    }
    if (step.region === 'gicr') {
      const owner = Math.floor(step.offset / GICR_STRIDE)
      const offset = step.offset % GICR_STRIDE
      if (offset === SGI_FRAME + 0xe00 && value !== 0) this.grantsSgis = true
      if (offset === SGI_FRAME + 0xd00 && isSecure(step)) this.ownModifiers[owner] = value
      if (offset === 0x014) this.awake[owner] = (value & 2) === 0
      if (offset === SGI_FRAME + 0xc04)
        for (let n = 0; n < 16; n++) this.#ownEdge[32 * owner + 16 + n] = (value >>> (2 * n + 1)) & 1
    } else if (step.region === 'gicd' && step.offset === 0 && isSecure(step)) {
      if ((value & 0x40) !== 0) this.ds = true
    } else if (step.region === 'gicd' && step.offset >= 0xc08 && step.offset < 0xd00)
      for (let n = 0; n < 16; n++) this.#edge[(step.offset - 0xc00) * 4 + n] = (value >>> (2 * n + 1)) & 1
  }
}
