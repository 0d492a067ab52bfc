/**
 * The board: CPUs, memory, GIC and devices at the places of QEMU's `virt`, wired together. It runs until told otherwise, and
 * says why it stopped; it reads no files, owns no terminal and sleeps for nobody: that is the command's.
 */

import { Cluster, type Hooks } from '../aarch64/index.ts'
import type { CfiFlash } from '../devices/flash/cfi-flash.ts'
import { FwCfg } from '../devices/fw-cfg.ts'
import { Ram } from '../devices/memory.ts'
import { Pl011 } from '../devices/pl011/pl011.ts'
import { Pl031 } from '../devices/pl031.ts'
import { Pl061 } from '../devices/pl061.ts'
import type { Explanation, GicV2, GicV3, Its } from '../gic/index.ts'
import { Bus, cpuInitiator, type InterruptSource, Outcome, outcomeNames } from '../mmio/index.ts'
import { OwnDevices, ownPlace } from './board/own-devices.ts'
import { makeVirtio, wireFlash, wireVirtio } from './board/virt-devices.ts'
import { wireGicV2, wireGicV3, wireIts } from './board/virt-gic.ts'
import { POWER_PIN, V2M_SPIS, virtAffinity, virtMap, virtPpi, virtSpi } from './board/virt-map.ts'
import {
  type CompleteOptions,
  complete,
  type MachineEvent,
  type StopReason,
  type VirtOptions,
} from './board/virt-options.ts'
import { CpuBus } from './cpu-bus.ts'
import { DeviceWork } from './device-work.ts'
import { IccRegisters } from './icc-registers.ts'
import { Power } from './power.ts'
import type { Recorder } from './recorder.ts'
import { INSTRUCTIONS_PER_SECOND, type RunOutcome, Scheduler } from './scheduler.ts'
import { Transfers } from './transfers.ts'
import { TypedInput } from './typed-input.ts'
import { ExceptionLoops } from './why/exception-loop.ts'
import type { PowerStory } from './why/pe-gates.ts'
import { pmuSource } from './why/pmu-source.ts'
import type { Symbols } from './why/symbols.ts'
import { timerSource } from './why/timer-source.ts'
import { explainChain } from './why/why.ts'

export type { MachineEvent, StopReason, VirtOptions } from './board/virt-options.ts'

/**
 * Nanoseconds that a read of the counter takes: some tens where a CPU has to ask a system counter. Delay loops that neither
 * sleep nor yield wait by such reads, and would otherwise cost all the instructions of the time that they wait.
 */
const COUNTER_READ_TIME = 64

/** Nanoseconds between two slices of a command queue of the ITS that is longer than one. */
const ITS_SLICE_TIME = 10_000
const GITS_CREADR = 0x90

/** A machine as QEMU's `virt`: CPUs, GIC, memory and devices. It runs when it is told to, in the caller's thread. */
export class VirtMachine {
  /** What its devices are on. */
  readonly bus = new Bus()
  /** Its CPUs. */
  readonly cluster: Cluster
  /** Its GIC. */
  readonly gic: GicV2 | GicV3
  /** Beside a GICv3, where it was asked for. */
  readonly its: Its | undefined
  /** Turns of CPUs, and machine time. */
  readonly scheduler: Scheduler
  /** Its memory, for DMA and for loading. */
  readonly ram: Ram
  /** The console's UART. */
  readonly uart: Pl011
  /** The real-time clock. */
  readonly rtc: Pl031
  /** The GPIO with the power button. */
  readonly gpio: Pl061
  /** The first bank of flash, where firmware is. */
  readonly flash: CfiFlash
  /** What it was made with, defaults among them. */
  readonly options: CompleteOptions
  /** Interrupts signalled to CPUs so far: rising edges of their IRQ and FIQ inputs. */
  interrupts = 0
  /** Called with what a person may want to know. */
  onEvent: ((event: MachineEvent) => void) | undefined
  /** Names of code, where somebody has them: they stand beside a PC that is shown. */
  symbols: Symbols | undefined

  readonly #cpuBus: CpuBus
  readonly #own: OwnDevices
  readonly #recorder: Recorder | undefined
  readonly #power: Power
  readonly #transfers: Transfers
  readonly #input = new TypedInput()
  /** Devices by the INTID of their line. */
  readonly #sources = new Map<number, InterruptSource>()
  readonly #loops = new ExceptionLoops()
  /** Machine time in instructions at which the power button is let go of. */
  #releaseAt = Number.POSITIVE_INFINITY
  /** Machine time at which the ITS goes on with its commands. */
  #commandsAt = Number.POSITIVE_INFINITY
  #stopReason: StopReason | undefined

  /** Throws an Error that names the option for a machine that there cannot be. */
  constructor(options: VirtOptions = {}) {
    const { firmware, fwCfg: items, clock, recorder, ...rest } = options
    this.#recorder = recorder
    this.#power = new Power(this, firmware !== undefined, recorder)
    this.options = complete(rest)
    const { cpus, memory, gic, its } = this.options
    this.#cpuBus = new CpuBus(this.bus, cpus, (cpu, address, size, write, outcome) =>
      this.onEvent?.(
        outcome === Outcome.unmapped
          ? { kind: 'unmapped', cpu, address, write }
          : { kind: 'refused', cpu, address, size, write, outcome: outcomeNames[outcome]! },
      ),
    )
    this.cluster = new Cluster({
      cpus,
      memory: [
        { base: virtMap.ram.base, size: memory },
        { ...virtMap.flash0, readOnly: true },
      ],
      bus: this.#cpuBus,
      hooks: this.#hooks(),
      gicSystemRegisters: gic === 3,
      counterReadTime: COUNTER_READ_TIME,
      mpidr: (cpu) => 0x8000_0000n | BigInt(virtAffinity(cpu, gic)),
    })
    this.ram = new Ram(virtMap.ram.base, this.cluster.view(virtMap.ram.base, memory)!)
    this.scheduler = new Scheduler(this.cluster, {
      slice: this.options.slice,
      clock,
      deviceDeadline: () => this.#deviceDeadline(),
      timePassed: () => this.#timePassed(),
    })
    this.#transfers = new Transfers(this.cluster, this.scheduler)

    // What devices do in memory takes its time; what loads and looks from outside does not.
    const work = new DeviceWork(this.cluster, this.scheduler)
    const memoryOfDevices = new Ram(virtMap.ram.base, this.ram.bytes, { accessed: work.moved })
    // Each view of the memory tells the recorder what it reads: the GIC and the ITS have one each.
    const gicMemory = () => recorder?.watch(memoryOfDevices) ?? memoryOfDevices
    this.gic = gic === 2 ? wireGicV2(this.bus, cpus) : wireGicV3(this.bus, cpus, gicMemory())
    this.gic.onOutput = (cpu, line, level) => this.#signal(cpu, line, level)
    this.its = its ? wireIts(this.bus, this.gic as GicV3, gicMemory()) : undefined
    if (this.its !== undefined)
      this.its.onPending = () => {
        this.#commandsAt = this.scheduler.time + ITS_SLICE_TIME
      }
    const spi = (number: number) => (level: boolean) => {
      this.gic.setSpi(32 + number, level)
      recorder?.input(-1, 32 + number, level)
    }
    this.uart = new Pl011({
      transmit: (character) => {
        this.options.console(character)
        return true
      },
      interrupt: spi(virtSpi.uart),
      receiveReady: () => this.#input.feed(),
      receiveAtOnce: true,
      waitForListener: () => this.seconds,
    })
    this.rtc = new Pl031({ now: () => this.seconds + this.options.epoch, interrupt: spi(virtSpi.rtc) })
    this.gpio = new Pl061({ interrupt: spi(virtSpi.gpio) })
    this.bus.register(
      ...this.uart.frame.wire(virtMap.uart.base),
      ...this.rtc.frame.wire(virtMap.rtc.base),
      ...this.gpio.frame.wire(virtMap.gpio.base),
    )
    const fwCfg = new FwCfg({
      memory: memoryOfDevices,
      items: new Map([[5, le16(cpus)], ...(items ?? [])]),
      later: this.#transfers.wait,
    })
    this.bus.register({ base: virtMap.fwCfg.base, size: fwCfg.size, device: fwCfg })
    this.flash = wireFlash(this.bus, this.cluster, firmware, work.moved)
    const virtio = makeVirtio(this.options, {
      receiveReady: () => this.#input.feed(),
      waitForListener: () => this.seconds,
      later: this.#transfers.later,
    })
    this.#input.connect(this.uart, virtio.console)
    this.#transfers.add(...virtio.slow, fwCfg)
    const transports = wireVirtio(this.bus, virtio.devices, (slot) => ({
      memory: memoryOfDevices,
      legacy: this.options.legacyVirtio,
      interrupt: spi(virtSpi.virtio + slot),
      broken: (reason) => this.onEvent?.({ kind: 'device', message: `virtio slot ${slot}: ${reason}` }),
    }))
    this.#own = new OwnDevices(this.options.devices, this.bus, (n) => {
      const { place, spi: number } = ownPlace(n)
      const interrupt = spi(number)
      return { base: place.base, intid: 32 + number, interrupt, memory: memoryOfDevices, seconds: () => this.seconds }
    })
    this.addInterruptSource(32 + virtSpi.uart, this.uart)
    this.addInterruptSource(32 + virtSpi.rtc, this.rtc)
    this.addInterruptSource(32 + virtSpi.gpio, this.gpio)
    for (const [slot, transport] of transports.entries()) this.addInterruptSource(32 + virtSpi.virtio + slot, transport)
    for (const [intid, source] of this.#own.interruptSources()) this.addInterruptSource(intid, source)
    if (recorder !== undefined)
      this.bus.observer = (range, access) => {
        if (range !== undefined) recorder.access(access)
      }
  }

  /** Machine time in seconds since it was switched on. */
  get seconds(): number {
    return this.scheduler.time / INSTRUCTIONS_PER_SECOND
  }

  /** Instructions that all CPUs have retired. */
  get instructions(): number {
    let sum = 0
    for (let cpu = 0; cpu < this.options.cpus; cpu++) sum += this.cluster.retired(cpu)
    return sum
  }

  /** Accesses that CPUs made to devices. */
  get deviceAccesses(): number {
    return this.#cpuBus.accesses
  }

  /** Puts bytes into memory or into the first bank of the flash, before the machine starts. */
  load(address: number, bytes: Uint8Array): void {
    const { base, size } = virtMap.flash0
    if (address < base || address + bytes.length > base + size) this.ram.write(address, bytes)
    else {
      this.flash.load(address - base, bytes)
      this.#power.programmed = true
    }
  }

  /** Powers the first CPU on at an address, with an argument in X0: for Linux, where its device tree is. */
  boot(entry: number, argument = 0): void {
    this.#power.boot(entry, argument)
  }

  /**
   * Runs for `budget` instructions of machine time, or until the machine stops; Infinity is no limit. Time in which every CPU waits
   * counts, but with a larger `idle` that much of it may pass in one step. Throws a RangeError for what is no whole number.
   */
  run(budget: number, idle = budget): StopReason {
    this.#input.feed()
    this.#stopReason = undefined
    const outcome: RunOutcome = this.scheduler.run(budget, idle)
    if (outcome === 'stopped') return this.#stopReason ?? 'stopped'
    return outcome === 'off' ? 'halted' : outcome
  }

  /** Runs `count` instructions of one CPU while the others stand still. */
  step(cpu: number, count = 1): StopReason {
    this.#input.feed()
    this.#stopReason = undefined
    this.scheduler.step(cpu, count)
    return this.#stopReason ?? 'budget'
  }

  /** Names the device whose line an interrupt is, for `explain`: the board's own are known. */
  addInterruptSource(intid: number, source: InterruptSource): void {
    this.#sources.set(intid, source)
  }

  /** The device behind an interrupt, where it says what keeps its wire low; undefined where none does. */
  interruptSource(intid: number, cpu: number): InterruptSource | undefined {
    if (intid === virtPpi.virtualTimer) return timerSource(this.cluster, cpu, 'virtual')
    if (intid === virtPpi.physicalTimer) return timerSource(this.cluster, cpu, 'physical')
    if (intid === virtPpi.pmu) return pmuSource(this.cluster, cpu)
    return this.#sources.get(intid)
  }

  /** Whether anything could drive the line of an interrupt: the timers, the PMU, a device, a message; SGIs and LPIs have no line. */
  isWired(intid: number): boolean {
    const { virtualTimer, physicalTimer, pmu } = virtPpi
    if (intid < 16 || intid >= this.gic.config.intids || this.#sources.has(intid)) return true
    if (intid < 32) return intid === virtualTimer || intid === physicalTimer || intid === pmu
    const own = intid - 32 - virtSpi.platform
    const message = intid - 32 - virtSpi.v2m
    return (
      (own >= 0 && own < this.options.devices.length) || (this.options.gic === 2 && message >= 0 && message < V2M_SPIS)
    )
  }

  /** What there is to say of a CPU's power. */
  power(cpu: number): PowerStory {
    return this.#power.story(cpu)
  }

  /** Why an interrupt is, or is not, taken by a CPU: from its source through the GIC into the CPU. Changes nothing. */
  explain(intid: number, cpu: number): Explanation {
    return explainChain(this, intid, cpu)
  }

  /** Ends `run` after the instruction in progress. */
  stop(reason: StopReason = 'stopped'): void {
    this.#stopReason ??= reason
    this.scheduler.stop()
  }

  /** Characters for the UART: the guest gets them at the pace at which it reads. */
  type(characters: Iterable<number>): void {
    this.scheduler.passIdleTime()
    this.#input.type(characters)
  }

  /** Characters that still wait for the guest. */
  get untyped(): number {
    return this.#input.waiting
  }

  /** Takes back the characters that still wait for the guest. */
  withdraw(): Uint8Array {
    return this.#input.withdraw()
  }

  /** Presses the power button, and lets go of it a tenth of a second of machine time later, as QEMU does: drivers look twice. */
  pressPower(): void {
    this.scheduler.passIdleTime()
    this.gpio.setInput(POWER_PIN, true)
    this.#releaseAt = this.scheduler.time + INSTRUCTIONS_PER_SECOND / 10
  }

  #timePassed(): void {
    this.#loops.look(this.cluster, this.symbols, (found) => this.onEvent?.({ kind: 'exception-loop', ...found }))
    this.rtc.update()
    this.#own.timePassed()
    this.#transfers.timePassed()
    if (this.untyped > 0) this.#input.feed()
    if (this.scheduler.time >= this.#commandsAt) {
      this.#commandsAt = Number.POSITIVE_INFINITY
      // As a read of GITS_CREADR, which goes on with the commands, and which a trace of this machine has.
      this.bus.read(virtMap.its.base + GITS_CREADR, 8, cpuInitiator(0))
    }
    if (this.scheduler.time < this.#releaseAt) return
    this.#releaseAt = Number.POSITIVE_INFINITY
    this.gpio.setInput(POWER_PIN, false)
  }

  #hooks(): Hooks {
    return {
      timerOutput: (cpu, timer, level) => {
        const intid = timer === 'physical' ? virtPpi.physicalTimer : virtPpi.virtualTimer
        this.gic?.setPpi(cpu, intid, level)
        this.#recorder?.input(cpu, intid, level)
      },
      pmuOutput: (cpu, level) => {
        this.gic?.setPpi(cpu, virtPpi.pmu, level)
        this.#recorder?.input(cpu, virtPpi.pmu, level)
      },
      hypercall: (cpu) => this.#power.call(cpu),
      ...(this.options.gic === 3 ? { systemRegisters: new IccRegisters(() => this.gic as GicV3, this.#recorder) } : {}),
      sendEvent: () => this.scheduler.wakeAll(),
      stackMisaligned: (cpu, pc, sp) => {
        const message =
          `CPU ${cpu} at 0x${pc.toString(16)}: SP alignment fault, SP is 0x${sp.toString(16)} and SCTLR_EL1 has it checked ` +
          '(SA, SA0); QEMU does not check it'
        this.onEvent?.({ kind: 'device', message })
      },
      unknown: (cpu, what, word, pc) => this.onEvent?.({ kind: 'unknown', cpu, what, word, pc }),
    }
  }

  #signal(cpu: number, line: 'irq' | 'fiq', level: boolean): void {
    this.#recorder?.output(cpu, line, level)
    if (line === 'irq') this.cluster.setIrq(cpu, level)
    else this.cluster.setFiq(cpu, level)
    if (!level) return
    this.interrupts++
    if (cpu !== this.scheduler.current) this.scheduler.yieldTurn()
  }

  #deviceDeadline(): number {
    const alarm = this.rtc.nextAlarm ?? Number.POSITIVE_INFINITY
    // Input that waits for a driver to be up must not wait for ever on an idle machine.
    const listens = this.#input.listensFrom
    const input = listens > this.seconds ? listens : Number.POSITIVE_INFINITY
    const soonest = Math.min(alarm - this.options.epoch, input, this.#own.deadline()) * INSTRUCTIONS_PER_SECOND
    return Math.min(soonest, this.#releaseAt, this.#commandsAt, this.#transfers.at)
  }
}

function le16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8)
}
