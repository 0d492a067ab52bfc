/**
 * The CPUs of a machine: N AArch64 CPUs over one linear memory that also holds guest memory. This is what a board uses: it gives
 * memory regions, a bus and hooks, and runs one CPU at a time. It knows no device, no interrupt controller and no boot protocol.
 */

import { type ClusterOptions, complete, layOut } from './cluster-options.ts'
import { BEFORE, Debug } from './debug/debug.ts'
import { type Engine, engineFor } from './engine/engine.ts'
import { instantiate } from './engine/instance.ts'
import { indexEntries } from './isa/decode.ts'
import { disassemble } from './isa/disassemble.ts'
import { MemoryAccess } from './memory/access.ts'
import { Mmu } from './memory/mmu.ts'
import { PhysicalMemory } from './memory/physical.ts'
import { Pmu } from './pmu/pmu.ts'
import { Cpu, SLOT } from './state/cpu.ts'
import type { ExceptionRow } from './state/exception-row.ts'
import { EXIT, MEMORY, STATE } from './state/state.ts'
import type { TakenInterrupt } from './state/taken-interrupt.ts'
import { EC, takePending, takeSynchronous } from './system/exceptions.ts'
import { HostFunctions } from './system/host-functions.ts'
import { encodingKey, registersOf } from './system/registers.ts'
import type { SysSurroundings } from './system/sys.ts'
import type { Identity, Surroundings, SystemRegister } from './system/system-register.ts'
import { fillTables } from './system/tables.ts'
import { Timer, type TimerWritten } from './system/timer.ts'
import { type LinearMemory, wasm } from './wasm/api.ts'

/** Why `run` returned. `budget`: it ran all of it. `halted`: the CPU is off. The others are instructions, already retired. */
export type ExitReason = 'budget' | 'wfi' | 'wfe' | 'yield' | 'halted' | 'debug'
const exitNames: readonly ExitReason[] = ['budget', 'wfi', 'wfe', 'yield', 'halted', 'debug']

const most32 = 2 ** 31 - 1

/** Machine time is counted in whole instructions; Infinity is a budget without an end. */
const isTime = (value: number) => value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)

export class Cluster {
  /** The one wasm memory: state blocks, TLBs, tables, guest memory. */
  readonly linear: LinearMemory
  readonly cpus: readonly Cpu[]
  readonly physical: PhysicalMemory
  private readonly engine: Engine
  private readonly access: MemoryAccess
  private readonly timers: readonly Timer[]
  private readonly debugs: readonly Debug[]
  private readonly pmus: readonly Pmu[]
  private readonly surroundings: readonly Surroundings[]
  private readonly functions: HostFunctions
  private readonly registers = new Map<number, SystemRegister>()
  private readonly registerNames = new Map<number, string>()
  private readonly enter: (base: number) => void
  private readonly perTick: number
  private readonly counterRead: number
  private last = -1
  /** The CPU whose code is executing, or -1. */
  private running = -1

  constructor(options: ClusterOptions) {
    const { cpus: count, memory, bus, hooks = {} } = options
    const { features, perTick, counterRead, frequency, mpidr } = complete(options)
    this.perTick = perTick
    this.counterRead = counterRead
    const { guest, pages } = layOut(count, memory)
    this.linear = new wasm.Memory({ initial: pages })
    const { buffer } = this.linear
    this.physical = new PhysicalMemory(buffer, guest, memory)
    const panImplemented = features.has('FEAT_PAN')
    this.cpus = Array.from({ length: count }, (_, index) => new Cpu(buffer, index, panImplemented))
    const mmu = new Mmu(buffer)
    const debugs: Debug[] = []
    this.debugs = debugs
    this.access = new MemoryAccess(this.cpus, debugs, this.physical, mmu, bus)
    for (const cpu of this.cpus) debugs.push(new Debug(cpu, this.access))
    this.timers = this.cpus.map(
      (cpu) => new Timer(cpu, perTick, (index, timer, level) => hooks.timerOutput?.(index, timer, level)),
    )
    this.pmus = this.cpus.map((cpu) => new Pmu(cpu, (index, level) => hooks.pmuOutput?.(index, level)))
    this.surroundings = this.cpus.map((cpu, index) => {
      const identity: Identity = {
        features,
        mpidr: mpidr(index),
        gicSystemRegisters: options.gicSystemRegisters ?? false,
        counterFrequency: frequency,
      }
      return { cpu, timer: this.timers[index]!, debug: debugs[index]!, pmu: this.pmus[index]!, identity }
    })
    const sysSurroundings: readonly SysSurroundings[] = this.cpus.map((cpu) => ({
      cpu,
      cpus: this.cpus,
      mmu,
      zero: (which, low, high) => this.access.zero(which, low, high),
      probe: (which, low, high, write) => this.access.probe(which, low, high, write),
      fault: (which, status, low, high) => this.access.systemFault(which, status, low, high),
    }))
    for (const register of registersOf(features)) {
      const key = encodingKey(register.encoding)
      this.registers.set(key, register)
      this.registerNames.set(key, register.name.toLowerCase())
    }
    this.functions = new HostFunctions({
      hooks,
      cpus: this.cpus,
      registers: this.registers,
      surroundings: this.surroundings,
      sysSurroundings,
    })
    fillTables(buffer, this.registers, hooks.systemRegisters !== undefined)
    const engine = engineFor(features)
    this.engine = engine
    new Uint16Array(buffer, MEMORY.decode, indexEntries).set(engine.dispatch)
    const exports = instantiate(engine.module, this.linear, this.cpus, this.access, this.functions)
    this.enter = exports.run
    mmu.connect(exports)
    for (const cpu of this.cpus) this.reset(cpu.index)
  }

  private cpu(index: number): Cpu {
    const cpu = this.cpus[index]
    if (!cpu) throw new Error(`there is no CPU ${index}`)
    return cpu
  }

  // --- running -------------------------------------------------------------------------------------------------------

  /**
   * Runs one CPU for `budget` instructions of machine time, or until it gives up its turn. A CPU in WFI with no interrupt
   * pending returns at once. Taking turns with another CPU clears its exclusive reservation. Throws a RangeError for a budget that
   * is no whole number (or Infinity): a part of an instruction can never be used up.
   */
  run(index: number, budget: number): ExitReason {
    const cpu = this.cpu(index)
    if (!isTime(budget)) throw new RangeError(`budget: ${budget} is not a whole number of instructions`)
    if (this.last !== index) {
      cpu.setWord(STATE.MONITOR_SIZE, 0)
      this.last = index
    }
    if (cpu.word(STATE.POWER) === 0) return 'halted'
    const timer = this.timers[index]!
    const debug = this.debugs[index]!
    const pmu = this.pmus[index]!
    const target = cpu.time + budget
    timer.update()
    for (;;) {
      if (cpu.word(STATE.EXIT) === EXIT.wfi) {
        if ((cpu.word(STATE.LINES) & 7) === 0) return 'wfi'
        cpu.setWord(STATE.EXIT, EXIT.budget)
      }
      const left = target - cpu.time
      if (left <= 0) return 'budget'
      takePending(cpu)
      const ahead = debug.active ? debug.before() : BEFORE.nothing
      if (ahead === BEFORE.taken) continue
      if (cpu.word(STATE.IL)) {
        this.illegalState(cpu)
        debug.revoke()
        continue
      }
      const alone = ahead === BEFORE.alone
      const due = Math.min(timer.deadline - cpu.time, pmu.deadline - cpu.retired)
      const chunk = alone ? 1 : Math.min(left, most32, Math.max(1, Math.ceil(due)))
      const before = cpu.time
      cpu.setCount(STATE.END, cpu.retired + chunk)
      cpu.setWord(STATE.LEFT, chunk)
      this.running = index
      try {
        this.enter(cpu.base)
      } finally {
        this.running = -1
      }
      if (alone) debug.after()
      if (cpu.time >= timer.deadline) timer.update()
      if (cpu.retired >= pmu.deadline) pmu.update()
      const reason = cpu.word(STATE.EXIT)
      if (reason !== EXIT.budget && reason !== EXIT.wfi) {
        cpu.setWord(STATE.EXIT, EXIT.budget)
        return exitNames[reason]!
      }
      if (cpu.word(STATE.POWER) === 0) return 'halted'
      // What goes round without end would take the whole process with it, and no input or signal would be heard.
      if (cpu.time === before)
        throw new Error(
          `CPU ${index} retires nothing and its time stands still at pc 0x${cpu.quad(STATE.PC).toString(16)}`,
        )
    }
  }

  /** PSTATE.IL is set. A PC alignment fault or an Instruction Abort has a higher priority (D1.13.4). */
  private illegalState(cpu: Cpu): void {
    if (this.access.prepareFetch(cpu)) takeSynchronous(cpu, EC.illegalState, 0, cpu.quad(STATE.PC))
  }

  /** Ends the run of a CPU after its current instruction; for use inside hooks and bus accesses. Without effect when it does not run. */
  stop(index: number): void {
    if (this.running === index) this.cpu(index).exit(EXIT.debug)
  }

  /** Whether the code of a CPU is executing now: what calls is a hook or a bus access of its own. */
  isRunning(index: number): boolean {
    return this.running === index
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

  /**
   * Sets the machine time that this CPU sees: before a slice, and to skip idle time. Timer outputs follow. Throws a RangeError for
   * what is no whole number.
   */
  setTime(index: number, instructions: number): void {
    const cpu = this.cpu(index)
    if (!Number.isSafeInteger(instructions))
      throw new RangeError(`time: ${instructions} is not a whole number of instructions`)
    cpu.setCount(STATE.TIME_OFFSET, instructions - cpu.retired)
    this.timers[index]!.update()
  }

  /** Who is told of writes to timers from now on, if anybody. */
  set timerWritten(written: TimerWritten | undefined) {
    for (const timer of this.timers) timer.written = written
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
    cpu.setCount(SLOT.PMU_COUNTED, retired)
    cpu.setWord(STATE.LINES, lines)
    cpu.row.length = 0
    cpu.interrupt.returned()
    cpu.setWord(STATE.INDEX, index)
    cpu.setWord(STATE.PER_TICK, this.perTick)
    cpu.setWord(STATE.COUNTER_READ, this.counterRead)
    cpu.setWord(STATE.DAIF, 15)
    cpu.setWord(STATE.EL, 1)
    cpu.setWord(STATE.SPSEL, 1)
    for (const register of this.registers.values())
      if (register.slot !== undefined) cpu.setQuad(register.slot, register.reset(this.surroundings[index]!))
    const frequency = this.registers.get(encodingKey([3, 3, 14, 0, 0]))!.slot!
    cpu.setQuad(frequency, BigInt(this.surroundings[index]!.identity.counterFrequency))
    this.restored(cpu)
  }

  /** All state may be other than it was: what follows from it does too. */
  private restored(cpu: Cpu): void {
    cpu.tlb.flushAll()
    cpu.update()
    this.debugs[cpu.index]!.update()
    this.pmus[cpu.index]!.restored()
    this.timers[cpu.index]!.update()
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

  /** The synchronous exceptions that a CPU took last, as far as they are the same one. */
  exceptionRow(index: number): Readonly<ExceptionRow> {
    return this.cpu(index).row
  }

  /** The interrupt that a CPU took and has not returned from. */
  takenInterrupt(index: number): Readonly<TakenInterrupt> {
    return this.cpu(index).interrupt
  }

  /** Physical address that a CPU would fetch an instruction from at an Exception level, as things are now, or -1. No side effect. */
  fetchAddress(index: number, address: bigint, el: number): number {
    return this.access.fetchAddress(this.cpu(index), address, el)
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

  /**
   * The bytes that the CPU has an exclusive reservation of, where it last took one; undefined without one. A store of another CPU to
   * them ends the reservation, which is an event for a WFE (DDI 0487 D1.17.1); who lets CPUs wait compares them.
   */
  reserved(index: number): Uint8Array | undefined {
    const cpu = this.cpu(index)
    const size = cpu.word(STATE.MONITOR_SIZE)
    const address = size === 0 ? -1 : this.translate(index, cpu.quad(STATE.MONITOR))
    return address < 0 ? undefined : this.view(address, size)
  }

  /** Flash that leaves (false) or re-enters (true) its read mode: whether guest reads of its region go to memory. */
  setDirect(address: number, direct: boolean): void {
    this.physical.setDirect(address, direct)
    for (const cpu of this.cpus) cpu.tlb.flushAll()
  }

  /** Text of an instruction word as if at `address`. */
  disassemble(word: number, address: bigint): string {
    return disassemble(this.engine.decoder, word, address, this.registerNames)
  }

  // --- snapshots -----------------------------------------------------------------------------------------------------

  /** Everything about a CPU that is not guest memory. */
  saveCpu(index: number): Uint8Array {
    const { base } = this.cpu(index)
    const saved = this.physical.bytes.slice(base, base + STATE.END_OF_BLOCK)
    // Which TLB is whose is no state: it follows from how things came to be so.
    saved.fill(0, STATE.TLB, STATE.TLB_UNPRIVILEGED + 4)
    return saved
  }

  restoreCpu(index: number, saved: Uint8Array): void {
    if (saved.length !== STATE.END_OF_BLOCK) throw new Error('this is not the state of a CPU')
    const cpu = this.cpu(index)
    this.physical.bytes.set(saved, cpu.base)
    cpu.setWord(STATE.INDEX, index)
    this.restored(cpu)
  }
}
