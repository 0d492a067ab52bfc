/**
 * The GICv3 of the model target: configured as QEMU's `virt` board has it, with the guest memory that steps may use, an ITS
 * where one is asked for, and its PEs where the other target's agent runs: at EL1, or with two Security states at EL3.
 */

import { ByteMemory, GicV3, type GicV3Config, Its, iccEncoding, SysregOutcome } from '../gic/index.ts'
import type { Bus, Wiring } from '../mmio/index.ts'
import { GUEST_MEMORY_BASE, GUEST_MEMORY_SIZE, REGION_BASE } from './layout.ts'
import { executionOf, type Result, type Step, type TargetConfig } from './target.ts'

/** What the board leaves out, and its LPIs 8192 to 65535, which it has with or without an ITS. */
const board: GicV3Config = {
  intids: 288,
  oneOfN: false,
  messageSpis: false,
  invalidateRegisters: false,
  statusRegisters: false,
  lpis: { intidBits: 16 },
}

type SystemStep = Extract<Step, { op: 'mrs' | 'msr' }>

/** Knows whether it is all zero, so that a reset costs nothing where nobody used it. */
class NotedMemory extends ByteMemory {
  used = false

  override write32(address: number, value: number): void {
    this.used = true
    super.write32(address, value)
  }

  override write8(address: number, value: number): void {
    this.used = true
    super.write8(address, value)
  }

  clear(): void {
    if (this.used) this.bytes.fill(0)
    this.used = false
  }
}

const done: Result = { status: 'ok', value: 0n }
const undefinedHere: Result = { status: 'undefined', value: 0n }
const trapped: Result = { status: 'trap', value: 0n }
const taken: Result = { status: 'taken', value: 0n }

/** Where the other target's agent is while it lends nothing. */
const HOME = { el: 3, secure: true, scrFiq: false, scrIrq: false } as const

const refusal = (outcome: SysregOutcome): Result => (outcome === SysregOutcome.undefined ? undefinedHere : trapped)

export class ModelGicV3 {
  readonly gic: GicV3
  readonly its: Its | undefined
  readonly #memory = new NotedMemory(GUEST_MEMORY_BASE, new Uint8Array(GUEST_MEMORY_SIZE))
  readonly #security: boolean

  constructor(config: TargetConfig, bus: Bus, wiring: Wiring, over: GicV3Config = {}) {
    this.#security = config.security
    const { cpus, security, el2 = false } = config
    this.gic = new GicV3({ ...board, cpus, security, el2, ...over }, { memory: this.#memory })
    bus.register(...this.gic.frames.gicd.wire(REGION_BASE.gicd, wiring))
    bus.register(...this.gic.wireRedistributors([REGION_BASE.gicr], wiring))
    if (config.its) {
      this.its = new Its({ statusRegisters: false }, { memory: this.#memory, targets: this.gic })
      bus.register(...this.its.frames.control.wire(REGION_BASE.its, wiring))
      bus.register(...this.its.frames.translation.wire(REGION_BASE.itst, wiring))
    }
    if (this.#security) for (let cpu = 0; cpu < config.cpus; cpu++) this.gic.setExecution(cpu, HOME)
  }

  reset(): void {
    this.gic.reset()
    this.its?.reset()
    this.#memory.clear()
  }

  /** Executes what one slice left in the ITS's command queue: a target has no later time to do so. */
  finishCommands(): void {
    while (this.its?.run() === true);
  }

  /** MRS or MSR. With EL3 the access is lent to where the step says it is made, as by QEMU's agent. */
  system(step: SystemStep): Result {
    if (!this.#security) return this.#access(step)
    const { el, ns, fiq = false, irq = false } = executionOf(step)
    this.gic.setExecution(step.cpu, { el, secure: !ns, scrFiq: fiq, scrIrq: irq })
    try {
      const goesToEl3 = (fiq && this.gic.fiq(step.cpu)) || (irq && this.gic.irq(step.cpu))
      return el === 1 && goesToEl3 ? taken : this.#access(step)
    } finally {
      this.gic.setExecution(step.cpu, HOME)
    }
  }

  #access(step: SystemStep): Result {
    const { gic } = this
    if (step.register === 'ISR_EL1') return step.op === 'mrs' ? this.#signalled(step.cpu) : undefinedHere
    const encoding = iccEncoding(step.register)
    if (encoding === undefined) return undefinedHere
    if (step.op === 'mrs') {
      const low = gic.readSysreg(step.cpu, encoding)
      if (gic.sysregOutcome !== SysregOutcome.ok) return refusal(gic.sysregOutcome)
      return { status: 'ok', value: (BigInt(gic.sysregHigh >>> 0) << 32n) | BigInt(low >>> 0) }
    }
    const value = BigInt(step.value)
    const low = Number(BigInt.asIntN(32, value))
    const high = Number(BigInt.asIntN(32, value >> 32n))
    const outcome = gic.writeSysreg(step.cpu, encoding, low, high)
    return outcome === SysregOutcome.ok ? done : refusal(outcome)
  }

  /** ISR_EL1, which is the PE's: bit 6 FIQ, bit 7 IRQ. */
  #signalled(cpu: number): Result {
    return { status: 'ok', value: (this.gic.fiq(cpu) ? 0x40n : 0n) | (this.gic.irq(cpu) ? 0x80n : 0n) }
  }

  /** A 64-bit word of guest memory. Throws a RangeError outside of it, or where it is not aligned. */
  load(address: number): bigint {
    this.#check(address, 8)
    const high = BigInt(this.#memory.read32(address + 4) >>> 0)
    return (high << 32n) | BigInt(this.#memory.read32(address) >>> 0)
  }

  store(address: number, words: readonly bigint[]): void {
    this.#check(address, 8 * words.length)
    for (const [n, word] of words.entries()) {
      this.#memory.write32(address + 8 * n, Number(BigInt.asIntN(32, word)))
      this.#memory.write32(address + 8 * n + 4, Number(BigInt.asIntN(32, word >> 32n)))
    }
  }

  #check(address: number, length: number): void {
    if (address % 8 === 0 && this.#memory.contains(address, length)) return
    const end = GUEST_MEMORY_BASE + GUEST_MEMORY_SIZE - 1
    throw new RangeError(
      `guest memory is 0x${GUEST_MEMORY_BASE.toString(16)} to 0x${end.toString(16)}, in 64-bit words: not 0x${address.toString(16)}`,
    )
  }
}
