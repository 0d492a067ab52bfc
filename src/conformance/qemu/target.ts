/**
 * QEMU's GIC as a conformance target: steps become commands of the agent (guests/qemu-agent), results come back.
 * Its answers are QEMU's, deviations and all (deviations.ts); nothing is put right here.
 */

import { executionOf, type GicTarget, type Result, type Status, type Step, type TargetConfig } from '../target.ts'
import { QemuProcess } from './process.ts'
import {
  COMMAND_SIZE,
  GUEST_MEMORY_BASE,
  GUEST_MEMORY_SIZE,
  KIND,
  MAX_COMMANDS,
  MAX_CPUS,
  NON_SECURE_ALIAS,
  REGION_BASE,
  SCR,
  STATUS_TAKEN,
} from './protocol.ts'
import { mrsStub, msrStub } from './registers.ts'
import { cpuSetup, type Drive, deviceSetup, drivePpi, driveSpi } from './wires.ts'

const SIZE_LOG2: Readonly<Record<number, number>> = { 1: 0, 2: 1, 4: 2, 8: 3 }
const STORE_STUBS = 4
const LOAD_64 = 3
const STORE_64 = 7

/** Which of its commands is a step's result; -1 for a step that has none. */
interface Batch {
  results: Int32Array
  pauses: string[][]
}

const isSecure = (step: Step): boolean => 'secure' in step && step.secure === true

function statusOf(esr: number): Status {
  if (esr === 0) return 'ok'
  if (esr === STATUS_TAKEN) return 'taken'
  const exceptionClass = esr >>> 26
  if (exceptionClass === 0x24 || exceptionClass === 0x25) return 'abort'
  return exceptionClass === 0x18 ? 'trap' : 'undefined'
}

export class QemuTarget implements GicTarget {
  readonly name: string = 'qemu'
  readonly config: TargetConfig
  #process: QemuProcess
  #bytes = Buffer.alloc(MAX_COMMANDS * COMMAND_SIZE)
  #words = new Uint32Array(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.length / 4)
  #count = 0
  #gic: string
  #memoryUsed = false

  private constructor(config: TargetConfig, process: QemuProcess) {
    this.config = config
    this.#process = process
    this.#gic = `/machine/unattached/device[${config.cpus}]`
  }

  /** Its process ID, and the directory that holds its files while it runs. */
  get host(): { pid: number | undefined; directory: string } {
    return { pid: this.#process.pid, directory: this.#process.directory }
  }

  /** Starts a QEMU. Rejects with one line when it cannot: nothing installed, or a configuration that QEMU lacks. */
  static async start(config: TargetConfig): Promise<QemuTarget> {
    const most = config.version === 2 ? 8 : MAX_CPUS
    if (!Number.isInteger(config.cpus) || config.cpus < 1 || config.cpus > most)
      throw new RangeError(`QEMU's GICv${config.version} is asked for ${config.cpus} PEs: 1 to ${most}`)
    if (config.its && config.version !== 3) throw new RangeError('an ITS needs a GICv3')
    if (config.el2 && !(config.version === 3 && config.security))
      throw new RangeError('EL2 is asked for beside EL3: a GICv3 with two Security states')
    const target = new QemuTarget(config, await QemuProcess.start(config))
    await target.#setUp()
    return target
  }

  async run(steps: readonly Step[]): Promise<Result[]> {
    const results: Result[] = []
    for (let first = 0; first < steps.length; ) {
      const batch = this.#encode(steps, first)
      if (this.#count > 0) await this.#process.run(this.#bytes, this.#count, batch.pauses)
      for (const command of batch.results) results.push(this.#decode(command))
      first += batch.results.length
    }
    return results
  }

  async reset(): Promise<void> {
    await this.#process.reset(this.#memoryUsed || this.config.its)
    this.#memoryUsed = false
    await this.#setUp()
  }

  close(): Promise<void> {
    return this.#process.close()
  }

  async #setUp(): Promise<void> {
    this.#count = 0
    for (const drive of deviceSetup(this.config)) this.#drive(drive, 0)
    for (let cpu = 0; cpu < this.config.cpus; cpu++) for (const drive of cpuSetup(this.config)) this.#drive(drive, cpu)
    await this.#process.run(this.#bytes, this.#count, [])
  }

  /** Steps from `first` on as commands, as many as fit into a batch. */
  #encode(steps: readonly Step[], first: number): Batch {
    this.#count = 0
    const pauses: string[][] = []
    const results: number[] = []
    let pauseOpen = false
    for (let n = first; n < steps.length; n++) {
      const step = steps[n]!
      const room = step.op === 'store' ? step.words.length : 1
      if (room > MAX_COMMANDS) throw new RangeError(`a store of ${room} words: at most ${MAX_COMMANDS}`)
      if (this.#count + room > MAX_COMMANDS) break
      if (step.op === 'spi' || step.op === 'ppi') {
        const cpu = step.op === 'ppi' ? this.#cpu(step.cpu) : 0
        const drive =
          step.op === 'ppi' ? drivePpi(step.intid, cpu, step.level) : driveSpi(this.config, step.intid, step.level)
        if (drive.by === 'qtest') {
          const line = `set_irq_in ${this.#gic} unnamed-gpio-in ${drive.input} ${step.level}`
          // Neighbours share a pause: QEMU sets them one after the other.
          if (pauseOpen) pauses[pauses.length - 1]!.push(line)
          else {
            this.#put(0, KIND.pause, 0, 0n, 0n)
            pauses.push([line])
          }
          pauseOpen = true
        } else {
          this.#drive(drive, cpu)
          pauseOpen = false
        }
        results.push(-1)
        continue
      }
      pauseOpen = false
      results.push(this.#step(step))
    }
    return { results: Int32Array.from(results), pauses }
  }

  /** Puts down the commands of a step that is not an input change; returns the one that has its result, or -1. */
  #step(step: Exclude<Step, { op: 'spi' | 'ppi' }>): number {
    switch (step.op) {
      case 'read':
      case 'write': {
        const log2 = SIZE_LOG2[step.size]
        if (log2 === undefined) throw new RangeError(`an access of ${step.size} bytes`)
        const alias = this.config.security && !isSecure(step) ? NON_SECURE_ALIAS : 0
        const address = BigInt(REGION_BASE[step.region] + step.offset + alias)
        const write = step.op === 'write'
        return this.#put(
          this.#cpu(step.cpu),
          KIND.access,
          write ? STORE_STUBS + log2 : log2,
          address,
          write ? BigInt.asUintN(64, BigInt(step.value)) : 0n,
        )
      }
      case 'mrs':
      case 'msr': {
        const stub = step.op === 'mrs' ? mrsStub(step.register) : msrStub(step.register)
        if (stub === undefined)
          throw new RangeError(`${step.register}: not among the registers that QEMU can be asked for`)
        const value = step.op === 'msr' ? BigInt.asUintN(64, BigInt(step.value)) : 0n
        const cpu = this.#cpu(step.cpu)
        if (!this.config.security) return this.#put(cpu, KIND.access, stub, value, 0n)
        // The agent is at EL3, and lends the stub to where it is to run.
        const { el, ns, irq, fiq } = executionOf(step)
        const scr = SCR.always | (ns ? SCR.ns : 0) | (irq ? SCR.irq : 0) | (fiq ? SCR.fiq : 0)
        return this.#put(cpu, el === 1 ? KIND.accessEl1 : KIND.accessEl3, stub, value, BigInt(scr))
      }
      case 'lines':
        return this.#put(0, KIND.lines, 0, 0n, 0n)
      case 'store':
        this.#memory(step.address, 8 * step.words.length)
        step.words.forEach((word, n) => {
          this.#put(0, KIND.access, STORE_64, BigInt(step.address + 8 * n), BigInt.asUintN(64, word))
        })
        return -1
      case 'load':
        this.#memory(step.address, 8)
        return this.#put(0, KIND.access, LOAD_64, BigInt(step.address), 0n)
    }
  }

  #memory(address: number, length: number): void {
    if (address % 8 !== 0 || address < GUEST_MEMORY_BASE || address + length > GUEST_MEMORY_BASE + GUEST_MEMORY_SIZE)
      throw new RangeError(
        `guest memory is 0x${GUEST_MEMORY_BASE.toString(16)} to 0x${(GUEST_MEMORY_BASE + GUEST_MEMORY_SIZE - 1).toString(16)}, in 64-bit words: not 0x${address.toString(16)}`,
      )
    this.#memoryUsed = true
  }

  #drive(drive: Drive, cpu: number): void {
    if (drive.by === 'register') {
      const stub = msrStub(drive.register)
      if (stub !== undefined) this.#put(cpu, KIND.access, stub, BigInt(drive.value), 0n)
    } else if (drive.by === 'store') {
      this.#put(cpu, KIND.access, STORE_STUBS + (drive.size === 4 ? 2 : 0), BigInt(drive.address), BigInt(drive.value))
    }
  }

  #cpu(cpu: number): number {
    if (!Number.isInteger(cpu) || cpu < 0 || cpu >= this.config.cpus)
      throw new RangeError(`CPU ${cpu} of ${this.config.cpus}`)
    return cpu
  }

  #put(cpu: number, kind: number, stub: number, x0: bigint, value: bigint): number {
    const command = this.#count++
    const at = command * (COMMAND_SIZE / 4)
    const words = this.#words
    words[at] = stub | (cpu << 16) | (kind << 24)
    words[at + 1] = 0
    words[at + 2] = Number(x0 & 0xffffffffn)
    words[at + 3] = Number(x0 >> 32n)
    words[at + 4] = Number(value & 0xffffffffn)
    words[at + 5] = Number(value >> 32n)
    return command
  }

  #decode(command: number): Result {
    if (command < 0) return { status: 'ok', value: 0n }
    const at = command * (COMMAND_SIZE / 4)
    const words = this.#words
    const status = statusOf(words[at + 1]!)
    const stub = words[at]! & 0xffff
    const kind = words[at]! >>> 24
    // Stores and MSRs leave their operand where a load leaves its result.
    const reads = kind === KIND.lines || stub < STORE_STUBS || (stub >= 8 && stub % 2 === 0)
    if (status !== 'ok' || !reads) return { status, value: 0n }
    const high = words[at + 5]!
    return { status, value: high === 0 ? BigInt(words[at + 4]!) : (BigInt(high) << 32n) | BigInt(words[at + 4]!) }
  }
}
