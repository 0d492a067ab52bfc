/**
 * The CPUs of a machine: N AArch64 CPUs over one linear memory that also holds guest memory. This is what a board uses: it gives
 * memory regions, a bus and hooks, and runs one CPU at a time. It knows no device, no interrupt controller and no boot protocol.
 */
import { MemoryAccess } from './access.ts'
import { Cpu, SCTLR, SLOT } from './cpu.ts'
import { type Decoder, indexEntries } from './decode.ts'
import { disassemble } from './disassemble.ts'
import { engineFor } from './engine.ts'
import { EC, exceptionReturn, takePending, takeSynchronous } from './exceptions.ts'
import { fpExactFor } from './fp/exact.ts'
import { EFFECT, EXCEPTION } from './host.ts'
import { Mmu } from './mmu.ts'
import { type Bus, type MemoryRegion, PhysicalMemory } from './physical.ts'
import {
  encodingKey,
  type Identity,
  isReservedId,
  registersOf,
  type Surroundings,
  type SystemRegister,
  type Verdict,
} from './registers.ts'
import { bitsOf, type Feature, type Field } from './row.ts'
import { CPU_AREA, EXIT, MEMORY, STATE } from './state.ts'
import { type SysSurroundings, systemInstructionByKey } from './sys.ts'
import { bitmaskImmediate } from './text.ts'
import { Timer, type TimerName } from './timer.ts'
import { type LinearMemory, wasm } from './wasm/api.ts'

/** Why `run` returned. `budget`: it ran all of it. `halted`: the CPU is off. The others are instructions, already retired. */
export type ExitReason = 'budget' | 'wfi' | 'wfe' | 'yield' | 'halted' | 'debug'
const exitNames: readonly ExitReason[] = ['budget', 'wfi', 'wfe', 'yield', 'halted', 'debug']

export interface Hooks {
  /** A timer's output changed: PPI 30 is `physical`, PPI 27 is `virtual`. */
  timerOutput?(cpu: number, timer: TimerName, level: boolean): void
  /** HVC and SMC at EL1. X registers are read and written by `register`. False: the instruction is UNDEFINED. */
  hypercall?(cpu: number, conduit: 'hvc' | 'smc', immediate: number): boolean
  /** MRS of a register that the CPU does not have itself (ICC_*): its value, or undefined when there is no such register. */
  readSystemRegister?(cpu: number, op0: number, op1: number, CRn: number, CRm: number, op2: number): bigint | undefined
  /** MSR of such a register: false when there is no such register. */
  writeSystemRegister?(
    cpu: number,
    op0: number,
    op1: number,
    CRn: number,
    CRm: number,
    op2: number,
    value: bigint,
  ): boolean
  /** An instruction was UNDEFINED because nothing has it or the system register that it names; for reports. `word` is the opcode. */
  unknown?(cpu: number, kind: 'instruction' | 'register', word: number, pc: bigint): void
  /** SEV, or an exclusive monitor's event: wake CPUs that are in WFE. The event registers are already set. */
  sendEvent?(cpu: number): void
}

export interface ClusterOptions {
  readonly cpus: number
  readonly memory: readonly MemoryRegion[]
  readonly bus: Bus
  readonly hooks?: Hooks
  /** Default: FEAT_LSE, FEAT_CRC32 and FEAT_PAN. */
  readonly features?: readonly Feature[]
  /** ID_AA64PFR0_EL1.GIC. Default false. */
  readonly gicSystemRegisters?: boolean
  /** Hz, CNTFRQ_EL0. Default 62,500,000. */
  readonly counterFrequency?: number
  /** Instructions of machine time per counter tick. Default 16: 1,000 million instructions are one second. */
  readonly instructionsPerTick?: number
  /** Affinity of a CPU for MPIDR_EL1; default: 16 CPUs to an Aff1, as QEMU's virt with GICv3. */
  readonly mpidr?: (cpu: number) => bigint
}

const registerKey: Field = [19, 5]
const Rt: Field = [4, 0]
const two31 = 2 ** 31

/** ISS of a trapped MSR, MRS or SYS (EC 0x18). */
function trapSyndrome(word: number, read: boolean): number {
  return (
    (bitsOf(word, [20, 19]) << 20) |
    (bitsOf(word, [7, 5]) << 17) |
    (bitsOf(word, [18, 16]) << 14) |
    (bitsOf(word, [15, 12]) << 10) |
    (bitsOf(word, Rt) << 5) |
    (bitsOf(word, [11, 8]) << 1) |
    (read ? 1 : 0)
  )
}

export class Cluster {
  /** The one wasm memory: state blocks, TLBs, tables, guest memory. */
  readonly linear: LinearMemory
  readonly cpus: readonly Cpu[]
  readonly physical: PhysicalMemory
  private readonly decoder: Decoder
  private readonly hooks: Hooks
  private readonly access: MemoryAccess
  private readonly timers: readonly Timer[]
  private readonly surroundings: readonly Surroundings[]
  private readonly sysSurroundings: readonly SysSurroundings[]
  private readonly registers = new Map<number, SystemRegister>()
  private readonly registerNames = new Map<number, string>()
  private readonly enter: (base: number) => void
  private readonly perTick: number
  private last = -1
  /** The CPU whose code is executing, or -1. */
  private running = -1

  constructor(options: ClusterOptions) {
    const { cpus: count, memory, bus, hooks = {} } = options
    const features = new Set(options.features ?? (['FEAT_LSE', 'FEAT_CRC32', 'FEAT_PAN'] as const))
    const perTick = options.instructionsPerTick ?? 16
    this.hooks = hooks
    this.perTick = perTick
    if (!Number.isInteger(perTick) || perTick < 1) throw new Error('instructionsPerTick is a whole number from 1 on')
    if (!Number.isInteger(count) || count < 1 || count > 64) throw new Error('a cluster has 1 to 64 CPUs')
    const page = 0x10000
    const guest = Math.ceil((MEMORY.cpus + count * CPU_AREA.bytes) / page) * page
    let bytes = guest
    for (const { base, size } of memory) {
      if (base % 4096 || size % 4096 || size <= 0) throw new Error('a memory region is a whole number of 4 KiB pages')
      bytes += size
    }
    const pages = Math.ceil(bytes / page)
    if (pages > 65536) throw new Error('all memory together must stay below 4 GiB')
    this.linear = new wasm.Memory({ initial: pages })
    const { buffer } = this.linear
    this.physical = new PhysicalMemory(buffer, guest, memory)
    const panImplemented = features.has('FEAT_PAN')
    this.cpus = Array.from({ length: count }, (_, index) => new Cpu(buffer, index, panImplemented))
    const mmu = new Mmu(this.physical)
    this.access = new MemoryAccess(this.cpus, this.physical, mmu, bus)
    this.timers = this.cpus.map(
      (cpu) => new Timer(cpu, perTick, (index, timer, level) => hooks.timerOutput?.(index, timer, level)),
    )
    const frequency = options.counterFrequency ?? 62_500_000
    const mpidr = options.mpidr ?? ((cpu) => 0x80000000n | (BigInt(cpu >> 4) << 8n) | BigInt(cpu & 15))
    this.surroundings = this.cpus.map((cpu, index) => {
      const identity: Identity = {
        features,
        mpidr: mpidr(index),
        gicSystemRegisters: options.gicSystemRegisters ?? false,
        counterFrequency: frequency,
      }
      return { cpu, timer: this.timers[index]!, identity }
    })
    this.sysSurroundings = this.cpus.map((cpu) => ({
      cpu,
      cpus: this.cpus,
      mmu,
      zero: (which, low, high) => this.access.zero(which, low, high),
      probe: (which, low, high) => this.access.probe(which, low, high),
    }))
    const directReads = new Uint16Array(buffer, MEMORY.registerReads, 32768)
    const directWrites = new Uint16Array(buffer, MEMORY.registerWrites, 32768)
    for (const register of registersOf(features)) {
      const key = encodingKey(register.encoding)
      const op0 = register.encoding[0]
      this.registers.set(key, register)
      this.registerNames.set(key, register.name.toLowerCase())
      if (register.slot === undefined || op0 < 2 || typeof register.el0 === 'function') continue
      if (!register.read) directReads[key] = register.slot | (register.el0 ? 1 : 0)
      if (!register.write && register.access === 'rw')
        directWrites[key] = register.slot | (register.el0 === 'rw' ? 1 : 0)
    }
    this.fillTables(buffer)
    const engine = engineFor(features)
    this.decoder = engine.decoder
    new Uint16Array(buffer, MEMORY.decode, indexEntries).set(engine.dispatch)
    this.enter = this.instantiate(engine.module)
    for (const cpu of this.cpus) this.reset(cpu.index)
  }

  /** Conditions (DDI 0487 C1.2.4) and bitmask immediates, for generated code. */
  private fillTables(buffer: ArrayBuffer): void {
    const conditions = new Uint16Array(buffer, MEMORY.conditions, 16)
    for (let condition = 0; condition < 16; condition++) {
      for (let nzcv = 0; nzcv < 16; nzcv++) {
        const [n, z, c, v] = [8, 4, 2, 1].map((bit) => (nzcv & bit) !== 0)
        const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][condition >> 1]
        const holds = (condition & 1) === 1 && condition !== 15 ? !base : base
        if (holds) conditions[condition]! |= 1 << nzcv
      }
    }
    const bitmasks = new BigUint64Array(buffer, MEMORY.bitmasks, 8192)
    for (let index = 0; index < 8192; index++)
      bitmasks[index] = bitmaskImmediate(index >>> 12, (index >>> 6) & 63, index & 63) ?? 0n
  }

  private instantiate(module: object): (base: number) => void {
    const cpuOf = (base: number): Cpu => this.cpus[(base - MEMORY.cpus) / CPU_AREA.bytes]!
    const host = {
      memory: this.linear,
      fpExact: fpExactFor(this.linear),
      slowLoad: (base: number, info: number) => this.access.access(cpuOf(base), info, false),
      slowStore: (base: number, info: number) => this.access.access(cpuOf(base), info, true),
      busRead: (index: number, address: number, bytes: number) => this.access.busRead(index, address, bytes),
      busWrite: (index: number, address: number, bytes: number, low: number) =>
        this.access.busWrite(index, address, bytes, low),
      fetchMiss: (base: number) => this.access.fetchMiss(cpuOf(base)),
      exception: (base: number, kind: number, immediate: number) => this.exception(cpuOf(base), kind, immediate),
      readRegister: (base: number, word: number) => this.readRegister(cpuOf(base), word),
      writeRegister: (base: number, word: number) => this.writeRegister(cpuOf(base), word),
      systemInstruction: (base: number, word: number) => this.systemInstruction(cpuOf(base), word),
      effect: (base: number, kind: number, word: number) => this.effect(cpuOf(base), kind, word),
    }
    const instance = new wasm.Instance(module, { host })
    return instance.exports['run'] as (base: number) => void
  }

  private cpu(index: number): Cpu {
    const cpu = this.cpus[index]
    if (!cpu) throw new Error(`there is no CPU ${index}`)
    return cpu
  }

  // --- running -------------------------------------------------------------------------------------------------------

  /**
   * Runs one CPU for `budget` instructions, or until it gives up its turn. A CPU in WFI with no interrupt pending returns
   * at once. Taking turns with another CPU clears its exclusive reservation.
   */
  run(index: number, budget: number): ExitReason {
    const cpu = this.cpu(index)
    if (this.last !== index) {
      cpu.setWord(STATE.MONITOR_SIZE, 0)
      this.last = index
    }
    if (cpu.word(STATE.POWER) === 0) return 'halted'
    const timer = this.timers[index]!
    const target = cpu.retired + budget
    timer.update()
    for (;;) {
      if (cpu.word(STATE.EXIT) === EXIT.wfi) {
        if ((cpu.word(STATE.LINES) & 7) === 0) return 'wfi'
        cpu.setWord(STATE.EXIT, EXIT.budget)
      }
      const left = target - cpu.retired
      if (left <= 0) return 'budget'
      if (cpu.word(STATE.IL)) takeSynchronous(cpu, EC.illegalState, 0, cpu.quad(STATE.PC))
      takePending(cpu)
      const chunk = Math.min(left, two31 - 1, Math.max(1, Math.ceil(timer.deadline - cpu.time)))
      cpu.setCount(STATE.END, cpu.retired + chunk)
      cpu.setWord(STATE.LEFT, chunk)
      this.running = index
      try {
        this.enter(cpu.base)
      } finally {
        this.running = -1
      }
      if (cpu.time >= timer.deadline) timer.update()
      const reason = cpu.word(STATE.EXIT)
      if (reason !== EXIT.budget && reason !== EXIT.wfi) {
        cpu.setWord(STATE.EXIT, EXIT.budget)
        return exitNames[reason]!
      }
      if (cpu.word(STATE.POWER) === 0) return 'halted'
    }
  }

  /** Ends the run of a CPU after its current instruction; for use inside hooks and bus accesses. Without effect when it does not run. */
  stop(index: number): void {
    if (this.running === index) this.cpu(index).exit(EXIT.debug)
  }

  setIrq(index: number, level: boolean): void {
    this.setLine(index, 2, level)
  }

  setFiq(index: number, level: boolean): void {
    this.setLine(index, 1, level)
  }

  setSError(index: number, level: boolean): void {
    this.setLine(index, 4, level)
  }

  private setLine(index: number, bit: number, level: boolean): void {
    const cpu = this.cpu(index)
    const before = cpu.word(STATE.LINES)
    const after = level ? before | bit : before & ~bit
    if (after === before) return
    cpu.setWord(STATE.LINES, after)
    // The run loop looks at the lines between runs.
    if (after & ~cpu.word(STATE.DAIF) & 7) cpu.limit(0)
  }

  /** Sets the event register: the next WFE falls through. */
  setEvent(index: number): void {
    this.cpu(index).setWord(STATE.EVENT, 1)
  }

  /** As if the CPU had executed WFI: it waits for an interrupt input. For hooks. */
  standBy(index: number): void {
    this.cpu(index).exit(EXIT.wfi)
  }

  /** Whether the CPU sits in WFI with nothing to wake it. */
  isWaiting(index: number): boolean {
    const cpu = this.cpu(index)
    return cpu.word(STATE.EXIT) === EXIT.wfi && (cpu.word(STATE.LINES) & 7) === 0
  }

  /** Whether an interrupt input of the CPU is high, masked or not. */
  hasLine(index: number): boolean {
    return (this.cpu(index).word(STATE.LINES) & 7) !== 0
  }

  /** Instructions that the CPU has retired since it was made. */
  retired(index: number): number {
    return this.cpu(index).retired
  }

  // --- time ----------------------------------------------------------------------------------------------------------

  /** Machine time as this CPU sees it, in instructions. */
  time(index: number): number {
    return this.cpu(index).time
  }

  /** Sets the machine time that this CPU sees: before a slice, and to skip idle time. Timer outputs follow. */
  setTime(index: number, instructions: number): void {
    const cpu = this.cpu(index)
    cpu.setCount(STATE.TIME_OFFSET, instructions - cpu.retired)
    this.timers[index]!.update()
  }

  /** Machine time at which a timer output of this CPU may change next, or Infinity. */
  timerDeadline(index: number): number {
    return this.timers[index]!.deadline
  }

  /** Machine time of the next event of the CPU's event stream, or Infinity: what ends a WFE at the latest. */
  eventDeadline(index: number): number {
    return this.timers[index]!.nextEvent
  }

  // --- power and state -----------------------------------------------------------------------------------------------

  /** Puts a CPU in its reset state, powered off. Its count of retired instructions stays. */
  reset(index: number): void {
    const cpu = this.cpu(index)
    const { retired } = cpu
    const time = cpu.signedCount(STATE.TIME_OFFSET)
    const lines = cpu.word(STATE.LINES)
    this.physical.bytes.fill(0, cpu.base, cpu.base + STATE.END_OF_BLOCK)
    cpu.setCount(STATE.END, retired)
    cpu.setCount(STATE.TIME_OFFSET, time)
    cpu.setWord(STATE.LINES, lines)
    cpu.setWord(STATE.INDEX, index)
    cpu.setWord(STATE.PER_TICK, this.perTick)
    cpu.setWord(STATE.DAIF, 15)
    cpu.setWord(STATE.EL, 1)
    cpu.setWord(STATE.SPSEL, 1)
    for (const register of this.registers.values())
      if (register.slot !== undefined) cpu.setQuad(register.slot, register.reset(this.surroundings[index]!))
    const frequency = this.registers.get(encodingKey([3, 3, 14, 0, 0]))!.slot!
    cpu.setQuad(frequency, BigInt(this.surroundings[index]!.identity.counterFrequency))
    cpu.flushAll()
    cpu.update()
    this.timers[index]!.update()
  }

  /** Resets and powers on: execution starts at EL1 with the MMU off. */
  start(index: number, entry: bigint, x0: bigint): void {
    this.reset(index)
    const cpu = this.cpu(index)
    cpu.setWord(STATE.POWER, 1)
    cpu.setQuad(STATE.PC, BigInt.asUintN(64, entry))
    cpu.setQuad(STATE.X, BigInt.asUintN(64, x0))
  }

  powerOff(index: number): void {
    const cpu = this.cpu(index)
    cpu.setWord(STATE.POWER, 0)
    cpu.limit(0)
  }

  isOn(index: number): boolean {
    return this.cpu(index).word(STATE.POWER) !== 0
  }

  /** X0 to X30; 31 is the current stack pointer. */
  register(index: number, number: number): bigint {
    return this.cpu(index).quad(number === 31 ? STATE.SP : STATE.X + 8 * (number & 31))
  }

  setRegister(index: number, number: number, value: bigint): void {
    this.cpu(index).setQuad(number === 31 ? STATE.SP : STATE.X + 8 * (number & 31), BigInt.asUintN(64, value))
  }

  pc(index: number): bigint {
    return this.cpu(index).quad(STATE.PC)
  }

  setPc(index: number, value: bigint): void {
    this.cpu(index).setQuad(STATE.PC, BigInt.asUintN(64, value))
  }

  /** PSTATE in the layout of SPSR_EL1. */
  pstate(index: number): number {
    return this.cpu(index).pstate
  }

  /** A vector register: its low and high 64 bits. */
  vector(index: number, number: number): [low: bigint, high: bigint] {
    const cpu = this.cpu(index)
    return [cpu.quad(STATE.V + 16 * (number & 31)), cpu.quad(STATE.V + 16 * (number & 31) + 8)]
  }

  /** A system register by name, e.g. `SCTLR_EL1`, without the side effects of a guest's access; undefined if there is none. */
  systemRegister(index: number, name: string): bigint | undefined {
    for (const register of this.registers.values()) {
      if (register.name !== name) continue
      if (register.read) return register.read(this.surroundings[index]!)
      return register.slot === undefined ? undefined : this.cpu(index).quad(register.slot)
    }
    return undefined
  }

  /** Writes a system register by name with the effects of a guest's MSR (a TTBR drops translations); false if there is none or it is read-only. */
  setSystemRegister(index: number, name: string, value: bigint): boolean {
    for (const register of this.registers.values()) {
      if (register.name !== name || register.access === 'ro') continue
      if (register.write) register.write(this.surroundings[index]!, value)
      else if (register.slot !== undefined) this.cpu(index).setQuad(register.slot, value)
      return true
    }
    return false
  }

  /** Names of all system registers that the CPU itself has. */
  get systemRegisterNames(): readonly string[] {
    return [...this.registers.values()].map(({ name }) => name)
  }

  // --- memory for monitors and devices ---------------------------------------------------------------------------------

  /**
   * A view of guest memory at a physical address, for devices and loaders; undefined when the range is not memory. Writing
   * through it is all that DMA needs: nothing derived from instructions is cached.
   */
  view(address: number, length: number): Uint8Array | undefined {
    return this.physical.view(address, length)
  }

  /** Physical address of a virtual one in the CPU's present state, or -1. */
  translate(index: number, address: bigint): number {
    return this.access.physical(this.cpu(index), address)
  }

  /** Flash that leaves (false) or re-enters (true) its read mode: whether guest reads of its region go to memory. */
  setDirect(address: number, direct: boolean): void {
    this.physical.setDirect(address, direct)
    for (const cpu of this.cpus) cpu.flushAll()
  }

  /** Text of an instruction word as if at `address`. */
  disassemble(word: number, address: bigint): string {
    return disassemble(this.decoder, word, address, this.registerNames)
  }

  // --- snapshots -----------------------------------------------------------------------------------------------------

  /** Everything about a CPU that is not guest memory. */
  saveCpu(index: number): Uint8Array {
    const { base } = this.cpu(index)
    return this.physical.bytes.slice(base, base + STATE.END_OF_BLOCK)
  }

  restoreCpu(index: number, saved: Uint8Array): void {
    if (saved.length !== STATE.END_OF_BLOCK) throw new Error('this is not the state of a CPU')
    const cpu = this.cpu(index)
    this.physical.bytes.set(saved, cpu.base)
    cpu.setWord(STATE.INDEX, index)
    cpu.flushAll()
    cpu.update()
    this.timers[index]!.update()
  }

  // --- what generated code calls ---------------------------------------------------------------------------------------

  private next(cpu: Cpu): void {
    cpu.setQuad(STATE.PC, BigInt.asUintN(64, cpu.quad(STATE.PC) + 4n))
  }

  private undefinedInstruction(cpu: Cpu, kind: 'instruction' | 'register', word: number): void {
    this.hooks.unknown?.(cpu.index, kind, word >>> 0, cpu.quad(STATE.PC))
    takeSynchronous(cpu, EC.unknown, 0, cpu.quad(STATE.PC))
  }

  private exception(cpu: Cpu, kind: number, immediate: number): void {
    const pc = cpu.quad(STATE.PC)
    const after = BigInt.asUintN(64, pc + 4n)
    if (kind === EXCEPTION.svc) takeSynchronous(cpu, EC.svc64, immediate, after)
    else if (kind === EXCEPTION.brk) takeSynchronous(cpu, EC.brk, immediate, pc)
    else if (kind === EXCEPTION.hvc || kind === EXCEPTION.smc) {
      if (cpu.el !== 0) {
        cpu.setQuad(STATE.PC, after)
        if (this.hooks.hypercall?.(cpu.index, kind === EXCEPTION.hvc ? 'hvc' : 'smc', immediate)) return
        cpu.setQuad(STATE.PC, pc)
      }
      takeSynchronous(cpu, EC.unknown, 0, pc)
    } else if (kind === EXCEPTION.fpAccess) takeSynchronous(cpu, EC.fpAccess, 0x1e00000, pc)
    else if (kind === EXCEPTION.spAlignment) takeSynchronous(cpu, EC.spAlignment, 0, pc)
    else this.undefinedInstruction(cpu, 'instruction', immediate)
  }

  /** Whether the access is allowed now; takes the exception when not. */
  private permitted(cpu: Cpu, register: SystemRegister, word: number, write: boolean): boolean {
    const { access, el0, fp, name } = register
    let verdict: Verdict = 'ok'
    if (access === (write ? 'ro' : 'wo')) verdict = 'undefined'
    else if (cpu.el === 0) {
      if (typeof el0 === 'function') verdict = el0(cpu, write)
      else if (el0 === undefined || (el0 === 'ro' && write)) verdict = 'undefined'
    }
    // SP_EL0 is no register while it is the stack pointer.
    if (name === 'SP_EL0' && cpu.word(STATE.SPSEL) === 0) verdict = 'undefined'
    if (verdict === 'undefined') takeSynchronous(cpu, EC.unknown, 0, cpu.quad(STATE.PC))
    else if (verdict === 'trap') takeSynchronous(cpu, EC.system, trapSyndrome(word, !write), cpu.quad(STATE.PC))
    else if (fp && cpu.word(STATE.FP_TRAP)) takeSynchronous(cpu, EC.fpAccess, 0x1e00000, cpu.quad(STATE.PC))
    else return true
    return false
  }

  private readRegister(cpu: Cpu, word: number): void {
    cpu.setWord(STATE.FAULT, 0)
    const key = bitsOf(word, registerKey)
    const register = this.registers.get(key)
    if (register) {
      if (!this.permitted(cpu, register, word, false)) cpu.setWord(STATE.FAULT, 1)
      else
        cpu.setQuad(
          STATE.VALUE,
          register.read ? register.read(this.surroundings[cpu.index]!) : cpu.quad(register.slot ?? STATE.ZERO),
        )
      return
    }
    if (cpu.el !== 0) {
      if (isReservedId(key)) {
        cpu.setQuad(STATE.VALUE, 0n)
        return
      }
      const value = this.hooks.readSystemRegister?.(
        cpu.index,
        bitsOf(word, [19, 19]) + 2,
        bitsOf(word, [18, 16]),
        bitsOf(word, [15, 12]),
        bitsOf(word, [11, 8]),
        bitsOf(word, [7, 5]),
      )
      if (value !== undefined) {
        cpu.setQuad(STATE.VALUE, value)
        return
      }
    }
    this.undefinedInstruction(cpu, 'register', word)
    cpu.setWord(STATE.FAULT, 1)
  }

  private writeRegister(cpu: Cpu, word: number): void {
    const register = this.registers.get(bitsOf(word, registerKey))
    const value = cpu.quad(STATE.VALUE)
    if (register) {
      if (!this.permitted(cpu, register, word, true)) return
      this.next(cpu)
      if (register.write) register.write(this.surroundings[cpu.index]!, value)
      else if (register.slot !== undefined) cpu.setQuad(register.slot, value)
      this.unmasked(cpu)
      return
    }
    if (
      cpu.el !== 0 &&
      this.hooks.writeSystemRegister?.(
        cpu.index,
        bitsOf(word, [19, 19]) + 2,
        bitsOf(word, [18, 16]),
        bitsOf(word, [15, 12]),
        bitsOf(word, [11, 8]),
        bitsOf(word, [7, 5]),
        value,
      )
    ) {
      this.next(cpu)
      return
    }
    this.undefinedInstruction(cpu, 'register', word)
  }

  /** Ends the run when an interrupt may be taken now. */
  private unmasked(cpu: Cpu): void {
    if (cpu.word(STATE.LINES) & ~cpu.word(STATE.DAIF) & 7) cpu.limit(0)
  }

  private systemInstruction(cpu: Cpu, word: number): void {
    // Bits 20:19 are 01, so the key's o0 bit is that of op0 1.
    const instruction = (word >>> 21) & 1 ? undefined : systemInstructionByKey.get(bitsOf(word, registerKey))
    if (!instruction) {
      this.undefinedInstruction(cpu, 'register', word)
      return
    }
    if (cpu.el === 0) {
      const verdict = instruction.el0?.(cpu) ?? 'undefined'
      if (verdict === 'trap') {
        takeSynchronous(cpu, EC.system, trapSyndrome(word, false), cpu.quad(STATE.PC))
        return
      }
      if (verdict === 'undefined') {
        this.undefinedInstruction(cpu, 'register', word)
        return
      }
    }
    cpu.setWord(STATE.FAULT, 0)
    instruction.run(this.sysSurroundings[cpu.index]!, cpu.word(STATE.VALUE), cpu.word(STATE.VALUE + 4))
    if (cpu.word(STATE.FAULT) === 0) this.next(cpu)
  }

  private effect(cpu: Cpu, kind: number, word: number): void {
    if (kind === EFFECT.eret) {
      if (cpu.el === 0) this.undefinedInstruction(cpu, 'instruction', word)
      else {
        exceptionReturn(cpu)
        if (cpu.word(STATE.IL)) cpu.limit(0)
        this.unmasked(cpu)
      }
      return
    }
    if (kind === EFFECT.pstate) {
      this.statusImmediate(cpu, word)
      return
    }
    this.hint(cpu, bitsOf(word, [11, 5]))
  }

  /** The hints that do something: YIELD, WFE, WFI, SEV, SEVL are 1 to 5. */
  private hint(cpu: Cpu, kind: number): void {
    if (kind === 2 || kind === 3) {
      const wfe = kind === 2
      const due = wfe ? cpu.word(STATE.EVENT) !== 0 : (cpu.word(STATE.LINES) & 7) !== 0
      if (!due && cpu.el === 0 && (cpu.word(SLOT.SCTLR_EL1) & (wfe ? SCTLR.nTWE : SCTLR.nTWI)) === 0) {
        takeSynchronous(cpu, EC.wfx, 0x1e00000 | (wfe ? 1 : 0), cpu.quad(STATE.PC))
        return
      }
      this.next(cpu)
      if (wfe) cpu.setWord(STATE.EVENT, 0)
      if (!due) cpu.exit(wfe ? EXIT.wfe : EXIT.wfi)
      return
    }
    this.next(cpu)
    if (kind === 1) cpu.exit(EXIT.yield)
    else if (kind === 5) cpu.setWord(STATE.EVENT, 1)
    else if (kind === 4) {
      for (const other of this.cpus) other.setWord(STATE.EVENT, 1)
      this.hooks.sendEvent?.(cpu.index)
    }
  }

  /** MSR (immediate): SPSel, PAN, DAIFSet, DAIFClr. */
  private statusImmediate(cpu: Cpu, word: number): void {
    const op1 = bitsOf(word, [18, 16])
    const op2 = bitsOf(word, [7, 5])
    const value = bitsOf(word, [11, 8])
    if (op1 === 3 && (op2 === 6 || op2 === 7)) {
      if (cpu.el === 0 && (cpu.word(SLOT.SCTLR_EL1) & SCTLR.UMA) === 0) {
        takeSynchronous(cpu, EC.system, trapSyndrome(word, false), cpu.quad(STATE.PC))
        return
      }
      const daif = cpu.word(STATE.DAIF)
      cpu.setWord(STATE.DAIF, op2 === 6 ? daif | value : daif & ~value)
    } else if (op1 === 0 && op2 === 5 && cpu.el !== 0) cpu.setMode(cpu.el, value & 1)
    else if (op1 === 0 && op2 === 4 && cpu.el !== 0 && cpu.panImplemented) {
      cpu.setWord(STATE.PAN, value & 1)
      cpu.update()
    } else {
      this.undefinedInstruction(cpu, 'instruction', word)
      return
    }
    this.next(cpu)
    this.unmasked(cpu)
  }
}
