/**
 * The slow path of memory: what generated code calls when the software TLB has no entry. It translates, checks alignment, fills the
 * TLB, reaches the bus, and takes aborts. Also the door for monitors and devices to guest memory.
 */
import type { Debug } from '../debug/debug.ts'
import { type Cpu, SCTLR, SLOT } from '../state/cpu.ts'
import { ACCESS } from '../state/host.ts'
import { STATE } from '../state/state.ts'
import { EC, takeAbort } from '../system/exceptions.ts'
import type { Mmu } from './mmu.ts'
import type { Bus, PhysicalMemory } from './physical.ts'
import { EXECUTE, FAULT, READ, WRITE } from './walk.ts'

const two31 = 2 ** 31

/** The same number; one that is small enough is so to the JIT compiler too, which else does a bus's arithmetic in doubles for good. */
function plainNumber(value: number): number {
  return value < two31 ? value | 0 : value
}

export class MemoryAccess {
  private readonly memory: PhysicalMemory
  private readonly mmu: Mmu
  private readonly bus: Bus
  private readonly data: DataView
  private readonly cpus: readonly Cpu[]
  private readonly debugs: readonly Debug[]
  /** Found by `locate`. */
  private host = 0
  private address = 0
  private device = false

  /** `debugs`: by CPU, like `cpus`. */
  constructor(cpus: readonly Cpu[], debugs: readonly Debug[], memory: PhysicalMemory, mmu: Mmu, bus: Bus) {
    this.cpus = cpus
    this.debugs = debugs
    this.memory = memory
    this.mmu = mmu
    this.bus = bus
    this.data = new DataView(memory.bytes.buffer)
  }

  /**
   * Translates and caches. Returns -1 with `address`, `host` (offset in the linear memory, or -1 for the bus) and
   * `device` set, or a fault status code.
   */
  private locate(cpu: Cpu, low: number, high: number, kind: number, el: number, pan: boolean): number {
    const debug = this.debugs[cpu.index]!
    let may = READ | WRITE | EXECUTE
    if (debug.watches) {
      if (debug.watchesData(low, high, el)) may &= EXECUTE
      if (debug.stopsFetch(low, high, el)) may &= ~EXECUTE
    }
    const fault = this.mmu.refill(cpu, low, high, kind, el, pan, may)
    if (fault >= 0) return fault
    const { result } = this.mmu
    this.address = result.address
    this.device = result.device
    this.host = result.host
    return -1
  }

  /** Whether the fault just found is one of permission on Device memory: an Alignment fault by the memory type goes first (D5.2.11). */
  private forbidsDevice(status: number): boolean {
    return (status & ~3) === FAULT.permission && this.mmu.result.device
  }

  private dataAbort(cpu: Cpu, status: number, write: boolean, low: number, high: number): void {
    takeAbort(cpu, EC.dataLower, status | (write ? 0x40 : 0), low, high)
    cpu.setWord(STATE.FAULT, 1)
  }

  /** One element for generated code: `info` is that of slowLoad and slowStore. */
  access(cpu: Cpu, info: number, write: boolean): void {
    const base = cpu.base
    const { data } = this
    const low = data.getUint32(base + STATE.ADDRESS, true)
    const high = data.getUint32(base + STATE.ADDRESS + 4, true)
    const bytes = info & 31
    const unprivileged = (info & ACCESS.unprivileged) !== 0
    const el = unprivileged ? 0 : cpu.el
    const pan = !unprivileged && el !== 0 && cpu.word(STATE.PAN) !== 0
    cpu.setWord(STATE.FAULT, 0)
    const misaligned = (low & ((info >>> 8) - 1)) !== 0
    const atomic = (info & ACCESS.atomic) !== 0
    const kind = write || atomic ? WRITE : READ
    // ESR_EL1.WnR of an atomic is 1 only when a read of the address would not have faulted.
    let wnr = write && !atomic
    if (misaligned && (info & ACCESS.aligned || cpu.word(SLOT.SCTLR_EL1) & SCTLR.A)) {
      this.dataAbort(cpu, FAULT.alignment, wnr, low, high)
      return
    }
    const status = this.locate(cpu, low, high, kind, el, pan)
    if (status >= 0) {
      if (misaligned && this.forbidsDevice(status)) {
        this.dataAbort(cpu, FAULT.alignment, wnr, low, high)
        return
      }
      if (atomic) wnr = this.mmu.translate(cpu, low, high, READ, el, pan) < 0
      this.dataAbort(cpu, status, wnr, low, high)
      return
    }
    if (misaligned && this.device) {
      this.dataAbort(cpu, FAULT.alignment, wnr, low, high)
      return
    }
    if (this.debugs[cpu.index]!.watchpoint(low, high, bytes, write, atomic, el)) return
    if ((low & 0xfff) + bytes > 0x1000) {
      this.crossing(cpu, low, high, bytes, kind, el, pan, write)
      return
    }
    if (this.host >= 0) {
      const value = base + STATE.VALUE
      const { host } = this
      if (write) for (let byte = 0; byte < bytes; byte++) data.setUint8(host + byte, data.getUint8(value + byte))
      else for (let byte = 0; byte < bytes; byte++) data.setUint8(value + byte, data.getUint8(host + byte))
      return
    }
    const address = plainNumber(this.address)
    if (write) this.busWrite(cpu.index, address, bytes, cpu.word(STATE.VALUE), wnr)
    else cpu.setWord(STATE.VALUE, this.busRead(cpu.index, address, bytes))
  }

  /** A read of the bus, whose virtual address is in STATE.ADDRESS: the upper half of 8 bytes goes to STATE.VALUE. */
  busRead(index: number, address: number, bytes: number): number {
    const { bus } = this
    const low = bus.read(index, address, bytes) | 0
    if (bytes === 8) this.cpus[index]!.setWord(STATE.VALUE + 4, bus.high)
    if (bus.abort) this.externalAbort(index, false)
    return low
  }

  /** `wnr`: what an abort says of it, which of an atomic is that of its read (ESR_EL1.WnR). */
  busWrite(index: number, address: number, bytes: number, low: number, wnr = true): void {
    const { bus } = this
    const high = bytes === 8 ? this.cpus[index]!.word(STATE.VALUE + 4) : 0
    bus.write(index, address, bytes, bytes === 8 ? low : low & (0xffffffff >>> (32 - 8 * bytes)), high)
    if (bus.abort) this.externalAbort(index, wnr)
  }

  private externalAbort(index: number, write: boolean): void {
    const cpu = this.cpus[index]!
    this.bus.abort = false
    this.dataAbort(cpu, FAULT.external, write, cpu.word(STATE.ADDRESS), cpu.word(STATE.ADDRESS + 4))
  }

  /** An access across a page boundary: both pages are translated before anything is written. The first is in `host`. */
  private crossing(
    cpu: Cpu,
    low: number,
    high: number,
    bytes: number,
    kind: number,
    el: number,
    pan: boolean,
    write: boolean,
  ): void {
    const { data } = this
    const first = 0x1000 - (low & 0xfff)
    const hostFirst = this.host
    const addressFirst = this.address
    const nextLow = (low + first) >>> 0
    const nextHigh = nextLow === 0 ? (high + 1) >>> 0 : high
    const status = this.locate(cpu, nextLow, nextHigh, kind, el, pan)
    if (status >= 0 || this.device) {
      this.dataAbort(cpu, status >= 0 ? status : FAULT.alignment, write, nextLow, nextHigh)
      return
    }
    for (let byte = 0; byte < bytes; byte++) {
      const host =
        byte < first ? (hostFirst < 0 ? -1 : hostFirst + byte) : this.host < 0 ? -1 : this.host + byte - first
      const address = plainNumber(byte < first ? addressFirst + byte : this.address + byte - first)
      const value = cpu.base + STATE.VALUE + byte
      if (host >= 0) {
        if (write) data.setUint8(host, data.getUint8(value))
        else data.setUint8(value, data.getUint8(host))
      } else if (write) this.bus.write(cpu.index, address, 1, data.getUint8(value), 0)
      else data.setUint8(value, this.bus.read(cpu.index, address, 1))
      if (this.bus.abort) {
        this.bus.abort = false
        this.dataAbort(cpu, FAULT.external, write, low, high)
        return
      }
    }
  }

  /** For generated code: makes the page of STATE.PC fetchable, or takes the exception that says why not. */
  fetchMiss(cpu: Cpu): void {
    if (!this.prepareFetch(cpu)) return
    // A page with a breakpoint stays out of the TLB: who runs the CPU looks at each instruction there.
    const debug = this.debugs[cpu.index]!
    if (debug.watches && debug.stopsFetch(cpu.word(STATE.PC), cpu.word(STATE.PC + 4), cpu.el)) cpu.limit(0)
  }

  /** As `fetchMiss`, and says whether the page can be fetched from. */
  prepareFetch(cpu: Cpu): boolean {
    const low = cpu.word(STATE.PC)
    let high = cpu.word(STATE.PC + 4)
    // A branch to a tagged address loses the tag (AArch64.BranchAddr), in the ranges where TBI is on.
    const upper = (high & 0x00800000) !== 0
    if ((cpu.word(SLOT.TCR_EL1 + 4) >>> (upper ? 6 : 5)) & 1) {
      high = upper ? (high | 0xff000000) >>> 0 : high & 0x00ffffff
      cpu.setWord(STATE.PC + 4, high)
    }
    if (low & 3) {
      this.countFault(cpu)
      takeAbort(cpu, EC.pcAlignment, 0, low, high)
      return false
    }
    const status = this.locate(cpu, low, high, EXECUTE, cpu.el, false)
    if (status < 0 && this.host >= 0) return true
    // A fault counts as an instruction, or a guest whose vectors fault would never end its run.
    this.countFault(cpu)
    takeAbort(cpu, EC.instructionLower, status >= 0 ? status : FAULT.external, low, high)
    return false
  }

  /** The instruction at STATE.PC, or 0 when it cannot be fetched. */
  opcode(cpu: Cpu): number {
    const host = this.memory.readable(this.physical(cpu, cpu.quad(STATE.PC)))
    return host < 0 || host & 3 ? 0 : this.data.getUint32(host, true)
  }

  private countFault(cpu: Cpu): void {
    cpu.setWord(STATE.LEFT, (cpu.word(STATE.LEFT) | 0) - 1)
  }

  /**
   * Cache maintenance by address: EL0 needs to be able to read, EL1 needs a translation, and DC IVAC one that may be written
   * (DDI 0487 D5.11.2).
   */
  probe(cpu: Cpu, low: number, high: number, write: boolean): void {
    const kind = write ? WRITE : cpu.el === 0 ? READ : READ | WRITE | EXECUTE
    const status = this.mmu.translate(cpu, low, high, kind, cpu.el, false)
    if (status >= 0) this.systemFault(cpu, status, low, high)
  }

  /** Faults of cache maintenance and of address translation instructions are those of a write, with ESR_EL1.CM. */
  systemFault(cpu: Cpu, status: number, low: number, high: number): void {
    this.dataAbort(cpu, status | 0x100, true, low, high)
  }

  /** DC ZVA: 64 bytes of zero at the block that holds the address. */
  zero(cpu: Cpu, addressLow: number, high: number): void {
    const low = (addressLow & ~63) >>> 0
    const pan = cpu.el !== 0 && cpu.word(STATE.PAN) !== 0
    const status = this.locate(cpu, low, high, WRITE, cpu.el, pan)
    if (status >= 0) this.dataAbort(cpu, this.forbidsDevice(status) ? FAULT.alignment : status, true, addressLow, high)
    else if (this.device) this.dataAbort(cpu, FAULT.alignment, true, addressLow, high)
    else if (this.debugs[cpu.index]!.watchpoint(low, high, 64, true, false, cpu.el)) return
    else if (this.host >= 0) this.memory.bytes.fill(0, this.host, this.host + 64)
    else this.dataAbort(cpu, FAULT.external, true, addressLow, high)
  }

  /** Physical address of a virtual one as the CPU would read it now, or -1. No side effect. */
  physical(cpu: Cpu, address: bigint): number {
    const low = Number(address & 0xffffffffn)
    const high = Number((address >> 32n) & 0xffffffffn)
    return this.mmu.translate(cpu, low, high, READ | EXECUTE, cpu.el, false) < 0 ? this.mmu.result.address : -1
  }

  /** Physical address that an instruction at a virtual one would be fetched from at an Exception level, or -1. No side effect. */
  fetchAddress(cpu: Cpu, address: bigint, el: number): number {
    const low = Number(address & 0xffffffffn)
    const high = Number((address >> 32n) & 0xffffffffn)
    return this.mmu.translate(cpu, low, high, EXECUTE, el, false) < 0 ? this.mmu.result.address : -1
  }
}
