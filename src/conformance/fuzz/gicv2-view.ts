/**
 * What can be known of a GICv2 from the steps put to it and its answers, as far as rules about steps need it: wires,
 * targets, what was acknowledged. Bookkeeping for a test generator; deliberately not a model of delivery.
 */

import type { Result, Step, TargetConfig } from '../target.ts'
import type { View } from './compare.ts'

const INTIDS = 1020

export interface Acknowledged {
  intid: number
  /** As GICC_IAR gave it, so that GICC_EOIR gets the CPUID field back. */
  iar: number
  /** By a Secure access; its end is then written by one too. */
  secure: boolean
}

/** Bits of GICC_CTLR as a Non-secure access has them, and where they are for a Secure one (IHI 0048 4.4.1). */
const NON_SECURE_CONTROL: readonly (readonly [number, number])[] = [
  [0x001, 0x002],
  [0x020, 0x080],
  [0x040, 0x100],
  [0x200, 0x400],
]

export class Gicv2View implements View {
  readonly config: TargetConfig
  /** GICD_ITARGETSRn as written, by INTID. */
  readonly target: Uint8Array
  /** GICD_ISENABLERn of SPIs. Of INTIDs 0 to 31, whether any CPU enabled it. */
  readonly enabled = new Uint8Array(INTIDS)
  readonly edge = new Uint8Array(INTIDS)
  readonly wire = new Uint8Array(INTIDS)
  /** An SPI may be pending or active: something has happened to it since it was last cleaned up. */
  readonly disturbed = new Uint8Array(INTIDS)
  #latched = new Uint8Array(INTIDS)
  /** Per CPU: acknowledged and not yet ended, in order. */
  readonly running: Acknowledged[][]
  /** Per CPU: ended with EOImode 1, and not yet deactivated. */
  readonly dropped: Acknowledged[][]
  /** Per CPU: an acknowledge has been issued whose answer is not known yet. */
  readonly unanswered: boolean[]
  /** Per CPU: an end or a deactivation was not for what was acknowledged last, so `running` may be wrong from now on. */
  readonly confused: boolean[]
  /** GICC_CTLR and GICD_CTLR as a Secure access has them. */
  readonly cpuControl: number[]
  control = 0
  readonly binaryPoint: number[]
  readonly aliasedBinaryPoint: number[]
  /** GICC_PMR, and GICD_IPRIORITYRn: of each CPU for INTIDs 0 to 31, and one for the SPIs; as Secure accesses have them. */
  readonly mask: number[]
  readonly #priorities: Uint8Array[]
  readonly #spiPriority = new Uint8Array(INTIDS)
  group1 = false
  /** GICD_IGROUPRn: of each CPU for INTIDs 0 to 31, and one for the SPIs. */
  readonly #groups: Uint8Array[]
  readonly #spiGroup = new Uint8Array(INTIDS)
  /** Some interrupt has been made pending: the set-up is over. */
  started = false

  constructor(config: TargetConfig) {
    this.config = config
    // With one CPU every SPI goes to it, and GICD_ITARGETSRn is RAZ/WI (IHI 0048 4.3.12).
    this.target = new Uint8Array(INTIDS).fill(config.cpus === 1 ? 1 : 0)
    const perCpu = <T>(make: () => T): T[] => Array.from({ length: config.cpus }, make)
    this.running = perCpu(() => [])
    this.dropped = perCpu(() => [])
    this.unanswered = perCpu(() => false)
    this.confused = perCpu(() => false)
    this.cpuControl = perCpu(() => 0)
    this.binaryPoint = perCpu(() => 0)
    this.aliasedBinaryPoint = perCpu(() => 1)
    this.mask = perCpu(() => 0)
    this.#priorities = perCpu(() => new Uint8Array(32))
    this.#groups = perCpu(() => new Uint8Array(32))
  }

  /** Whether an access is Secure; with one Security state there is nothing else. */
  secure(step: Step): boolean {
    return !this.config.security || ('secure' in step && step.secure === true)
  }

  group(cpu: number, intid: number): 0 | 1 {
    return ((intid < 32 ? this.#groups[cpu]![intid] : this.#spiGroup[intid]) ?? 0) as 0 | 1
  }

  /** The group that an SGI is in on every CPU, or undefined when they differ. */
  unanimous(sgi: number): 0 | 1 | undefined {
    const first = this.group(0, sgi)
    return this.#groups.every((groups) => groups[sgi] === first) ? first : undefined
  }

  priority(cpu: number, intid: number): number {
    return (intid < 32 ? this.#priorities[cpu]![intid] : this.#spiPriority[intid]) ?? 0
  }

  /** GICD_CTLR after a write to it. */
  controlAfter(step: Step & { op: 'write' }): number {
    const value = Number(step.value)
    return this.secure(step) ? value & 3 : (this.control & ~2) | ((value & 1) << 1)
  }

  /** GICC_CTLR after a write to it. */
  cpuControlAfter(step: Step & { op: 'write' }): number {
    const value = Number(step.value)
    if (this.secure(step)) return value
    let control = this.cpuControl[step.cpu]!
    for (const [theirs, ours] of NON_SECURE_CONTROL) control = (value & theirs) === 0 ? control & ~ours : control | ours
    return control
  }

  /** Whether an end of interrupt by this access drops the priority only: EOImodeS or EOImodeNS. */
  splitEnd(step: Step & { op: 'write' }): boolean {
    return (this.cpuControl[step.cpu]! & (this.secure(step) ? 0x200 : 0x400)) !== 0
  }

  /** Nothing is acknowledged on the CPU, and no acknowledge is under way. */
  idle(cpu: number): boolean {
    return this.settled(cpu) && this.dropped[cpu]!.length === 0
  }

  /** No priority is active on the CPU. */
  settled(cpu: number): boolean {
    return !this.unanswered[cpu] && !this.confused[cpu] && this.running[cpu]!.length === 0
  }

  /** Some CPU has acknowledged the interrupt and not yet deactivated it, or may have. */
  taken(intid: number): boolean {
    const by = (list: Acknowledged[]): boolean => list.some((one) => one.intid === intid)
    return (
      this.unanswered.includes(true) || this.confused.includes(true) || this.running.some(by) || this.dropped.some(by)
    )
  }

  /** GICC_BPR and GICC_ABPR split a priority at the same bit, or GICC_CTLR.CBPR makes them. */
  splitsAlike(cpu: number): boolean {
    const alike = Math.max(this.aliasedBinaryPoint[cpu]!, 1) === this.binaryPoint[cpu]! + 1
    return alike || (this.cpuControl[cpu]! & 0x010) !== 0
  }

  /** The step is about to be put to the targets. */
  issued(step: Step): void {
    if (step.op === 'spi' || step.op === 'ppi') {
      this.started = true
      if (step.op === 'spi') {
        if (step.level === 1) this.#disturb(step.intid, true)
        this.wire[step.intid] = step.level
      }
    } else if (step.op === 'read' && step.region === 'gicc' && step.offset === 0x00c) {
      this.unanswered[step.cpu] = true
    } else if (step.op === 'write' && step.region === 'gicd') {
      this.#distributorWrite(step)
    } else if (step.op === 'write' && step.region === 'gicc') {
      this.#cpuInterfaceWrite(step)
    } else if (step.op === 'write' && step.region === 'v2m') {
      this.started = true
      this.#disturb(Number(step.value) & 0x3ff, true)
    }
  }

  /** Its answer is known. Answers come in the order of the steps. */
  answered(step: Step, result: Result): void {
    if (step.op !== 'read' || step.region !== 'gicc' || step.offset !== 0x00c) return
    this.unanswered[step.cpu] = false
    const iar = Number(result.value)
    const intid = iar & 0x3ff
    if (result.status === 'ok' && intid < 1020) this.running[step.cpu]!.push({ intid, iar, secure: this.secure(step) })
  }

  #disturb(intid: number, latch: boolean): void {
    this.disturbed[intid] = 1
    if (latch) this.#latched[intid] = 1
  }

  #distributorWrite(step: Step & { op: 'write' }): void {
    const { offset, size } = step
    const value = Number(step.value)
    const bits = (bank: number, each: (intid: number) => void): void => {
      for (let bit = 0; bit < 32; bit++) {
        const intid = (offset - bank) * 8 + bit
        if (((value >>> bit) & 1) === 1 && this.reaches(step, intid)) each(intid)
      }
    }
    if (offset === 0x000) this.control = this.controlAfter(step)
    else if (offset >= 0x080 && offset < 0x100) this.#group(step, value)
    else if (offset >= 0x100 && offset < 0x180) bits(0x100, (n) => (this.enabled[n] = 1))
    else if (offset >= 0x180 && offset < 0x200) bits(0x180, (n) => (this.enabled[n] = 0))
    else if (offset >= 0x200 && offset < 0x280) {
      this.started = true
      bits(0x200, (n) => this.#disturb(n, true))
    } else if (offset >= 0x280 && offset < 0x300) bits(0x280, (n) => (this.#latched[n] = 0))
    else if (offset >= 0x300 && offset < 0x380) {
      this.started = true
      bits(0x300, (n) => this.#disturb(n, false))
    } else if (offset >= 0x380 && offset < 0x400) {
      bits(0x380, (n) => {
        if (this.wire[n] === 0 && this.#latched[n] === 0) this.disturbed[n] = 0
      })
    } else if (offset >= 0x400 && offset < 0x800) {
      for (let byte = 0; byte < size; byte++) {
        const intid = offset - 0x400 + byte
        const priorities = intid < 32 ? this.#priorities[step.cpu]! : this.#spiPriority
        if (this.reaches(step, intid)) priorities[intid] = this.#level(step, (value >>> (8 * byte)) & 0xff)
      }
    } else if (offset >= 0x820 && offset < 0xc00 && this.config.cpus > 1) {
      for (let byte = 0; byte < size; byte++) {
        const intid = offset - 0x800 + byte
        if (this.reaches(step, intid)) this.target[intid] = (value >>> (8 * byte)) & 0xff
      }
    } else if (offset >= 0xc00 && offset < 0xd00) {
      for (let n = 0; n < 16; n++) {
        const intid = (offset - 0xc00) * 4 + n
        if (this.reaches(step, intid)) this.edge[intid] = (value >>> (2 * n + 1)) & 1
      }
    } else if (offset >= 0xf00 && offset < 0xf30) this.started = true
  }

  /** A Non-secure access reaches the interrupts of Group 1 alone (IHI 0048 4.1.3). */
  reaches(step: Step & { op: 'write' }, intid: number): boolean {
    return this.secure(step) || this.group(step.cpu, intid) === 1
  }

  /** A priority as written: a Non-secure access has the lower half of the range (IHI 0048 3.5.1). */
  #level(step: Step, value: number): number {
    return this.secure(step) ? value : 0x80 | (value >> 1)
  }

  #group(step: Step & { op: 'write' }, value: number): void {
    if (!this.secure(step)) return
    this.group1 ||= value !== 0
    const first = (step.offset - 0x080) * 8
    const groups = first < 32 ? this.#groups[step.cpu]! : this.#spiGroup
    for (let bit = 0; bit < 32; bit++) groups[first + bit] = (value >>> bit) & 1
  }

  #cpuInterfaceWrite(step: Step & { op: 'write' }): void {
    const { cpu, offset } = step
    const value = Number(step.value)
    const secure = this.secure(step)
    if (offset === 0x000) this.cpuControl[cpu] = this.cpuControlAfter(step)
    else if (offset === 0x004 && (secure || this.mask[cpu]! >= 0x80)) this.mask[cpu] = this.#level(step, value & 0xff)
    else if (offset === 0x008 && secure) this.binaryPoint[cpu] = value & 7
    else if (offset === 0x008 && (this.cpuControl[cpu]! & 0x010) === 0) this.aliasedBinaryPoint[cpu] = value & 7
    else if (offset === 0x01c && secure) this.aliasedBinaryPoint[cpu] = value & 7
    else if (offset === 0x010) this.#end(step, value)
    else if (offset === 0x1000) {
      const dropped = this.dropped[cpu]!
      const at = dropped.findIndex((one) => one.iar === value && one.secure === secure)
      if (at >= 0 && this.splitEnd(step)) dropped.splice(at, 1)
      else this.confused[cpu] = true
    }
  }

  #end(step: Step & { op: 'write' }, value: number): void {
    if ((value & 0x3ff) >= 1020) return
    const { cpu } = step
    const running = this.running[cpu]!
    const last = running[running.length - 1]
    if (this.unanswered[cpu] || last?.iar !== value || last.secure !== this.secure(step)) this.confused[cpu] = true
    running.pop()
    if (last !== undefined && this.splitEnd(step)) this.dropped[cpu]!.push(last)
  }
}
