/**
 * What can be known of a GICv2 from the steps put to it and its answers, as far as rules about steps need it: wires,
 * targets, what was acknowledged. Bookkeeping for a test generator; deliberately not a model of delivery.
 */

import type { Result, Step, TargetConfig } from '../target.ts'

const INTIDS = 1020

interface Acknowledged {
  intid: number
  /** As GICC_IAR gave it, so that GICC_EOIR gets the CPUID field back. */
  iar: number
}

export class Gicv2View {
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
  readonly cpuControl: number[]
  readonly binaryPoint: number[]
  readonly aliasedBinaryPoint: number[]
  /** CPUs that have ever written a priority mask other than 0xff. */
  readonly masked: boolean[]
  control = 0
  group1 = false
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
    this.cpuControl = perCpu(() => 0)
    this.binaryPoint = perCpu(() => 0)
    this.aliasedBinaryPoint = perCpu(() => 1)
    this.masked = perCpu(() => true)
  }

  /** Nothing is acknowledged on the CPU, and no acknowledge is under way. */
  idle(cpu: number): boolean {
    return !this.unanswered[cpu] && this.running[cpu]!.length === 0 && this.dropped[cpu]!.length === 0
  }

  /** Some CPU has acknowledged the interrupt and not yet deactivated it, or may have. */
  taken(intid: number): boolean {
    const by = (list: Acknowledged[]): boolean => list.some((one) => one.intid === intid)
    return this.unanswered.includes(true) || this.running.some(by) || this.dropped.some(by)
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
      this.#distributorWrite(step.offset, step.size, Number(step.value))
    } else if (step.op === 'write' && step.region === 'gicc') {
      this.#cpuInterfaceWrite(step.cpu, step.offset, Number(step.value))
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
    if (result.status === 'ok' && intid < 1020) this.running[step.cpu]!.push({ intid, iar })
  }

  #disturb(intid: number, latch: boolean): void {
    this.disturbed[intid] = 1
    if (latch) this.#latched[intid] = 1
  }

  #distributorWrite(offset: number, size: number, value: number): void {
    if (offset === 0x000) this.control = value
    else if (offset >= 0x080 && offset < 0x100) this.group1 ||= value !== 0
    else if (offset >= 0x100 && offset < 0x180) this.#bits(offset - 0x100, value, (n) => (this.enabled[n] = 1))
    else if (offset >= 0x180 && offset < 0x200) this.#bits(offset - 0x180, value, (n) => (this.enabled[n] = 0))
    else if (offset >= 0x200 && offset < 0x280) {
      this.started = true
      this.#bits(offset - 0x200, value, (n) => this.#disturb(n, true))
    } else if (offset >= 0x280 && offset < 0x300) this.#bits(offset - 0x280, value, (n) => (this.#latched[n] = 0))
    else if (offset >= 0x300 && offset < 0x380) {
      this.started = true
      this.#bits(offset - 0x300, value, (n) => this.#disturb(n, false))
    } else if (offset >= 0x380 && offset < 0x400) {
      this.#bits(offset - 0x380, value, (n) => {
        if (this.wire[n] === 0 && this.#latched[n] === 0) this.disturbed[n] = 0
      })
    } else if (offset >= 0x820 && offset < 0xc00 && this.config.cpus > 1) {
      for (let byte = 0; byte < size; byte++) this.target[offset - 0x800 + byte] = (value >>> (8 * byte)) & 0xff
    } else if (offset >= 0xc00 && offset < 0xd00) {
      for (let n = 0; n < 16; n++) this.edge[(offset - 0xc00) * 4 + n] = (value >>> (2 * n + 1)) & 1
    } else if (offset >= 0xf00 && offset < 0xf30) this.started = true
  }

  #bits(offset: number, value: number, each: (intid: number) => void): void {
    for (let bit = 0; bit < 32; bit++) if (((value >>> bit) & 1) === 1) each(offset * 8 + bit)
  }

  #cpuInterfaceWrite(cpu: number, offset: number, value: number): void {
    const running = this.running[cpu]!
    const dropped = this.dropped[cpu]!
    if (offset === 0x000) this.cpuControl[cpu] = value
    else if (offset === 0x008) this.binaryPoint[cpu] = value & 7
    else if (offset === 0x01c) this.aliasedBinaryPoint[cpu] = value & 7
    else if (offset === 0x004) this.masked[cpu] = (value & 0xff) !== 0xff
    else if (offset === 0x010) {
      if ((value & 0x3ff) >= 1020) return
      const ended = running.pop()
      if (ended !== undefined && (this.cpuControl[cpu]! & 0x200) !== 0) dropped.push(ended)
    } else if (offset === 0x1000) {
      const at = dropped.findIndex((one) => one.iar === value)
      if (at >= 0) dropped.splice(at, 1)
    }
  }
}
