/**
 * A bare machine for specs: one or more CPUs, 1 MiB of memory at 1 GiB, flash at 0, a bus that records, and page tables by request.
 * Only specs import it.
 */
import { Cluster } from '../cluster.ts'
import type { ClusterOptions } from '../cluster-options.ts'
import type { Hooks } from '../state/hooks.ts'

export const RAM = 0x40000000
export const CODE = RAM + 0x1000
export const VECTORS = RAM + 0x2000
/** Level 0 to 3 tables for TTBR0_EL1, one page each, then those for TTBR1_EL1. */
const tables = RAM + 0x10000
export const DATA = RAM + 0x20000
export const DEVICE = 0x09000000

export const VALID_PAGE = 0b11n
export const AF = 1n << 10n
export const NG = 1n << 11n
export const EL0 = 1n << 6n
export const READ_ONLY = 1n << 7n
export const PXN = 1n << 53n
export const UXN = 1n << 54n
/** Attribute index 1 is Device-nGnRE, index 0 Normal. */
export const DEVICE_MEMORY = 1n << 2n

export class TestMachine {
  readonly cluster: Cluster
  readonly accesses: string[] = []
  readonly timerEvents: string[] = []
  readonly unknown: string[] = []
  /** Answer of every bus read; `abort` aborts the access. */
  answer = 0
  answerHigh = 0
  aborting = false
  private readonly view: DataView

  constructor(options: Partial<ClusterOptions> = {}, hooks: Hooks = {}) {
    const record = (text: string) => this.accesses.push(text)
    const machine = this
    this.cluster = new Cluster({
      cpus: 1,
      memory: [
        { base: RAM, size: 0x100000 },
        { base: 0, size: 0x10000, readOnly: true },
      ],
      bus: {
        high: 0,
        abort: false,
        read(cpu, address, size) {
          record(`cpu ${cpu} read ${size} at 0x${address.toString(16)}`)
          this.high = machine.answerHigh
          this.abort = machine.aborting
          return machine.answer
        },
        write(cpu, address, size, low, high) {
          record(
            `cpu ${cpu} write ${size} at 0x${address.toString(16)} ${(high >>> 0).toString(16)}:${(low >>> 0).toString(16)}`,
          )
          this.abort = machine.aborting
        },
      },
      hooks: {
        timerOutput: (cpu, timer, level) => this.timerEvents.push(`cpu ${cpu} ${timer} ${level ? 'high' : 'low'}`),
        unknown: (cpu, kind, word) => this.unknown.push(`cpu ${cpu} ${kind} 0x${word.toString(16)}`),
        ...hooks,
      },
      ...options,
    })
    const memory = this.cluster.view(RAM, 0x100000)!
    this.view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
    for (let index = 0; index < this.cluster.cpus.length; index++) {
      this.cluster.start(index, BigInt(CODE), 0n)
      this.cluster.setSystemRegister(index, 'VBAR_EL1', BigInt(VECTORS))
      this.cluster.setSystemRegister(index, 'CPACR_EL1', 0x300000n)
    }
  }

  quad(address: number): bigint {
    return this.view.getBigUint64(address - RAM, true)
  }

  setQuad(address: number, value: bigint): void {
    this.view.setBigUint64(address - RAM, BigInt.asUintN(64, value), true)
  }

  /** Puts instructions at CODE (or elsewhere) and PC there. */
  program(words: readonly number[], address = CODE, cpu = 0): void {
    for (const [index, word] of words.entries()) this.view.setUint32(address - RAM + 4 * index, word, true)
    this.cluster.setPc(cpu, BigInt(address))
  }

  run(instructions: number, cpu = 0) {
    return this.cluster.run(cpu, instructions)
  }

  x(register: number, cpu = 0): bigint {
    return this.cluster.register(cpu, register)
  }

  setX(register: number, value: bigint | number, cpu = 0): void {
    this.cluster.setRegister(cpu, register, BigInt(value))
  }

  system(name: string, cpu = 0): bigint {
    return this.cluster.systemRegister(cpu, name)!
  }

  setSystem(name: string, value: bigint, cpu = 0): void {
    if (!this.cluster.setSystemRegister(cpu, name, value)) throw new Error(`no register ${name}`)
  }

  /** Sets the Exception level and SPSel of a CPU. */
  mode(el: number, spsel: number, cpu = 0): void {
    this.cluster.cpus[cpu]!.setMode(el, spsel)
  }

  /** ESR_EL1 as its parts. */
  syndrome(cpu = 0): { ec: number; il: number; iss: number } {
    const esr = Number(this.system('ESR_EL1', cpu))
    return { ec: esr >>> 26, il: (esr >>> 25) & 1, iss: esr & 0x1ffffff }
  }

  /**
   * Turns the MMU on: 4 KiB granule, 48 bits, 16-bit ASIDs, TTBR0 and TTBR1 with tables of their own. CODE, VECTORS and DATA are
   * mapped flat, for EL1 only unless `user`.
   */
  translate(options: { user?: boolean; tcr?: bigint } = {}): void {
    for (let range = 0; range < 2; range++) {
      const base = tables + range * 0x4000
      for (let level = 0; level < 4; level++)
        for (let entry = 0; entry < 512; entry++) this.setQuad(base + level * 0x1000 + entry * 8, 0n)
    }
    const permissions = AF | VALID_PAGE | (options.user ? EL0 | READ_ONLY : 0n)
    for (const page of [CODE, VECTORS]) this.map(BigInt(page), BigInt(page) | permissions)
    this.setSystem('MAIR_EL1', 0x04ffn)
    this.setSystem('TCR_EL1', options.tcr ?? 16n | (16n << 16n) | (2n << 30n) | (2n << 32n) | (1n << 36n))
    this.setSystem('TTBR0_EL1', BigInt(tables))
    this.setSystem('TTBR1_EL1', BigInt(tables + 0x4000))
    this.setSystem('SCTLR_EL1', this.system('SCTLR_EL1') | 1n)
  }

  private table(address: bigint, level: number): number {
    const range = address >> 63n ? 0x4000 : 0
    return tables + range + level * 0x1000
  }

  /** Writes a descriptor at a level for a virtual address (with one table for each level, so one path at a time is enough). */
  map(address: bigint, descriptor: bigint, level = 3): void {
    for (let above = 0; above < level; above++) {
      const at = this.table(address, above) + Number((address >> BigInt(39 - 9 * above)) & 0x1ffn) * 8
      if ((this.quad(at) & 3n) !== 3n) this.setQuad(at, BigInt(this.table(address, above + 1)) | 3n)
    }
    this.setQuad(this.entry(address, level), descriptor)
  }

  /** Address of the descriptor of a virtual address at a level. */
  entry(address: bigint, level = 3): number {
    return this.table(address, level) + Number((address >> BigInt(39 - 9 * level)) & 0x1ffn) * 8
  }
}
