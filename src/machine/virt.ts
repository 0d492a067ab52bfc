/**
 * The board: CPUs, memory, GIC and devices at the places of QEMU's `virt`, wired together. It runs until told otherwise, and
 * says why it stopped; it reads no files, owns no terminal and sleeps for nobody: that is the command's.
 */

import { Cluster, type Hooks } from '../aarch64/cluster.ts'
import { encodeSysreg, GicV2, GicV3, type GuestMemory, Its, SysregOutcome } from '../gic/index.ts'
import { Bus, type Range } from '../mmio/index.ts'
import { CfiFlash } from './cfi-flash.ts'
import { CpuBus } from './cpu-bus.ts'
import type { Disk } from './disk.ts'
import { FwCfg } from './fw-cfg.ts'
import { Ram } from './memory.ts'
import { Pl011 } from './pl011.ts'
import { Pl031 } from './pl031.ts'
import { Pl061 } from './pl061.ts'
import { type PsciMachine, psciCall } from './psci.ts'
import type { Recorder } from './recorder.ts'
import { type Clock, INSTRUCTIONS_PER_SECOND, type RunOutcome, Scheduler } from './scheduler.ts'
import {
  POWER_PIN,
  V2M_SPIS,
  VIRTIO_SLOT_SIZE,
  VIRTIO_SLOTS,
  virtAffinity,
  virtMap,
  virtPpi,
  virtSpi,
} from './virt-map.ts'
import { VirtioBlk } from './virtio-blk.ts'
import { VirtioMmio } from './virtio-mmio.ts'
import { VirtioRng } from './virtio-rng.ts'

export interface VirtOptions {
  /** CPUs: 1 to 8 with a GICv2, to 64 with a GICv3. */
  cpus?: number
  /** Bytes of RAM: a multiple of 1 MiB, up to 3 GiB. */
  memory?: number
  gic?: 2 | 3
  /** An ITS beside a GICv3. */
  its?: boolean
  /** Contents of the first flash bank; without firmware there is no flash. */
  firmware?: Uint8Array | undefined
  /** Items of the firmware configuration device, by number, beside those that there always are. */
  fwCfg?: ReadonlyMap<number, Uint8Array> | undefined
  disks?: readonly Disk[]
  /** Takes what the guest sends through the UART. */
  console?: (character: number) => void
  /** Seconds since 1970 when the machine starts, for the RTC. */
  epoch?: number
  /** Host time that idle CPUs follow; without it idle time is skipped, and a run is the same each time. */
  clock?: Clock | undefined
  /** Seed of the entropy device. */
  seed?: number
  /** Longest turn of a CPU in instructions. */
  slice?: number
  /** Hears of everything that goes into the GIC and comes out of it. */
  recorder?: Recorder | undefined
}

/**
 * Why a machine stopped: the guest switched it off, or asked for a reset; somebody stopped it; its CPUs all wait, or are all
 * off (`halted`), and no instruction will run until something comes from outside; or it ran what it was to run.
 */
export type StopReason = 'off' | 'reset' | 'stopped' | 'waiting' | 'halted' | 'budget'

/** Something the machine noticed that a person may want to know. */
export type MachineEvent =
  | { kind: 'unknown'; cpu: number; what: 'instruction' | 'register'; word: number; pc: bigint }
  | { kind: 'unmapped'; cpu: number; address: number; write: boolean }
  | { kind: 'device'; message: string }

/** What QEMU's board leaves out of a GICv3, so that a trace of one replays on the other. */
const board = {
  oneOfN: false,
  messageSpis: false,
  invalidateRegisters: false,
  statusRegisters: false,
  sleep: false,
} as const

export class VirtMachine {
  readonly bus = new Bus()
  readonly cluster: Cluster
  readonly gic: GicV2 | GicV3
  readonly its: Its | undefined
  readonly scheduler: Scheduler
  readonly ram: Ram
  readonly uart: Pl011
  readonly rtc: Pl031
  readonly gpio: Pl061
  readonly flash: CfiFlash | undefined
  readonly options: Required<Omit<VirtOptions, 'firmware' | 'fwCfg' | 'clock' | 'recorder'>>
  /** Interrupts signalled to CPUs so far: rising edges of their IRQ and FIQ inputs. */
  interrupts = 0
  onEvent: ((event: MachineEvent) => void) | undefined

  readonly #cpuBus: CpuBus
  readonly #recorder: Recorder | undefined
  readonly #input: number[] = []
  #inputAt = 0
  #stopReason: StopReason | undefined

  /** Throws an Error that names the option for a machine that there cannot be. */
  constructor(options: VirtOptions = {}) {
    const { firmware, fwCfg: items, clock, recorder, ...rest } = options
    this.#recorder = recorder
    this.options = {
      cpus: 1,
      memory: 256 * 2 ** 20,
      gic: 2,
      its: false,
      disks: [],
      console: () => {},
      epoch: 0,
      seed: 1,
      slice: 20_000,
      ...rest,
    }
    const { cpus, memory, gic, its, disks } = this.options
    if (!Number.isInteger(memory) || memory < 2 ** 20 || memory > 3 * 2 ** 30 || memory % 2 ** 20 !== 0)
      throw new RangeError(`memory: ${memory} bytes is not a whole number of MiB from 1 to 3072`)
    const most = gic === 2 ? 8 : 64
    if (!Number.isInteger(cpus) || cpus < 1 || cpus > most)
      throw new RangeError(`cpus: ${cpus}; with a GICv${gic} there are 1 to ${most}`)
    if (disks.length > VIRTIO_SLOTS - 2)
      throw new RangeError(`disks: ${disks.length}; there is room for ${VIRTIO_SLOTS - 2}`)
    if (its && gic === 2) throw new RangeError('its: an ITS needs a GICv3')

    this.#cpuBus = new CpuBus(this.bus, cpus)
    this.cluster = new Cluster({
      cpus,
      memory: [{ base: virtMap.ram.base, size: memory }, ...(firmware ? [{ ...virtMap.flash0, readOnly: true }] : [])],
      bus: this.#cpuBus,
      hooks: this.#hooks(),
      gicSystemRegisters: gic === 3,
      mpidr: (cpu) => 0x8000_0000n | BigInt(virtAffinity(cpu, gic)),
    })
    this.ram = new Ram(virtMap.ram.base, this.cluster.view(virtMap.ram.base, memory)!)
    this.scheduler = new Scheduler(this.cluster, {
      slice: this.options.slice,
      clock,
      deviceDeadline: () => this.#deviceDeadline(),
      timePassed: () => {
        this.rtc.update()
        if (this.untyped > 0) this.#feed()
      },
    })

    this.gic = gic === 2 ? this.#gicV2(cpus) : this.#gicV3(cpus)
    this.its = its ? this.#makeIts() : undefined
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
      receiveReady: () => this.#feed(),
      waitForListener: () => this.seconds,
    })
    this.rtc = new Pl031({ now: () => this.seconds + this.options.epoch, interrupt: spi(virtSpi.rtc) })
    this.gpio = new Pl061({ interrupt: spi(virtSpi.gpio) })
    this.bus.register(
      ...this.uart.frame.wire(virtMap.uart.base),
      ...this.rtc.frame.wire(virtMap.rtc.base),
      ...this.gpio.frame.wire(virtMap.gpio.base),
    )
    const fwCfg = new FwCfg({ memory: this.ram, items: new Map([[5, le16(cpus)], ...(items ?? [])]) })
    this.bus.register({ base: virtMap.fwCfg.base, size: fwCfg.size, device: fwCfg })
    if (firmware) this.flash = this.#makeFlash(firmware)
    this.#makeVirtio(disks, spi)
    this.bus.observer = (range: Range | undefined, access) => {
      if (recorder !== undefined && range !== undefined) recorder.access(access)
      if (range === undefined)
        this.onEvent?.({ kind: 'unmapped', cpu: access.by.cpu, address: access.address, write: access.write })
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

  /** Powers the first CPU on at an address, with the device tree's address as its first argument. */
  boot(entry: number, argument: number): void {
    this.cluster.start(0, BigInt(entry), BigInt(argument))
  }

  /** Runs for `budget` instructions of machine time, or until the machine stops. */
  run(budget: number): StopReason {
    this.#feed()
    this.#stopReason = undefined
    const outcome: RunOutcome = this.scheduler.run(budget)
    if (outcome === 'stopped') return this.#stopReason ?? 'stopped'
    return outcome === 'off' ? 'halted' : outcome
  }

  /** Runs `count` instructions of one CPU while the others stand still. */
  step(cpu: number, count = 1): StopReason {
    this.#feed()
    this.#stopReason = undefined
    this.scheduler.step(cpu, count)
    return this.#stopReason ?? 'budget'
  }

  /** Ends `run` after the instruction in progress. */
  stop(reason: StopReason = 'stopped'): void {
    this.#stopReason ??= reason
    this.scheduler.stop()
  }

  /** Characters for the UART: the guest gets them at the pace at which it reads. */
  type(characters: Iterable<number>): void {
    this.scheduler.passIdleTime()
    for (const character of characters) this.#input.push(character & 0xff)
    this.#feed()
  }

  /** Characters that still wait for the guest. */
  get untyped(): number {
    return this.#input.length - this.#inputAt
  }

  /** Presses the power button. */
  pressPower(): void {
    this.gpio.setInput(POWER_PIN, true)
    this.gpio.setInput(POWER_PIN, false)
  }

  /** What PSCI acts on. */
  readonly #psci: PsciMachine = {
    cpuOf: (affinity) => {
      const { cpus, gic } = this.options
      for (let cpu = 0; cpu < cpus; cpu++) if (BigInt(virtAffinity(cpu, gic)) === affinity) return cpu
      return undefined
    },
    powerOf: (cpu) => (this.cluster.isOn(cpu) ? 'on' : 'off'),
    canStart: (entry) => this.cluster.view(Number(entry), 4) !== undefined,
    turnOn: (cpu, entry, context) => {
      this.cluster.start(cpu, entry, context)
      this.cluster.setTime(cpu, this.scheduler.time)
      if (!(this.gic instanceof GicV3)) return
      this.gic.resetCpu(cpu)
      this.#recorder?.reset(cpu)
    },
    turnOff: (cpu) => this.cluster.powerOff(cpu),
    standBy: (cpu) => this.cluster.standBy(cpu),
    systemOff: () => this.stop('off'),
    systemReset: () => this.stop('reset'),
  }

  #hooks(): Hooks {
    return {
      timerOutput: (cpu, timer, level) => {
        const intid = timer === 'physical' ? virtPpi.physicalTimer : virtPpi.virtualTimer
        this.gic?.setPpi(cpu, intid, level)
        this.#recorder?.input(cpu, intid, level)
      },
      hypercall: (cpu, _conduit, immediate) => immediate === 0 && this.#hypercall(cpu),
      readSystemRegister: (cpu, ...encoding) => {
        if (!(this.gic instanceof GicV3)) return undefined
        const register = encodeSysreg(...encoding)
        const low = this.gic.readSysreg(cpu, register)
        if (this.gic.sysregOutcome !== SysregOutcome.ok) return undefined
        this.#recorder?.systemRegister(cpu, register, false, low, this.gic.sysregHigh)
        return (BigInt(this.gic.sysregHigh >>> 0) << 32n) | BigInt(low >>> 0)
      },
      writeSystemRegister: (cpu, op0, op1, CRn, CRm, op2, value) => {
        if (!(this.gic instanceof GicV3)) return false
        const low = Number(BigInt.asIntN(32, value))
        const high = Number(BigInt.asIntN(32, value >> 32n))
        const register = encodeSysreg(op0, op1, CRn, CRm, op2)
        if (this.gic.writeSysreg(cpu, register, low, high) !== SysregOutcome.ok) return false
        this.#recorder?.systemRegister(cpu, register, true, low, high)
        return true
      },
      sendEvent: () => this.scheduler.wakeAll(),
      unknown: (cpu, what, word, pc) => this.onEvent?.({ kind: 'unknown', cpu, what, word, pc }),
    }
  }

  #hypercall(cpu: number): boolean {
    const register = (n: number) => this.cluster.register(cpu, n)
    const result = psciCall(this.#psci, cpu, { x0: register(0), x1: register(1), x2: register(2), x3: register(3) })
    if (result !== undefined) this.cluster.setRegister(cpu, 0, result)
    return true
  }

  #gicV2(cpus: number): GicV2 {
    const gic = new GicV2({ cpus, msi: { base: virtSpi.v2m, count: V2M_SPIS } })
    gic.onOutput = (cpu, line, level) => this.#signal(cpu, line, level)
    const { gicd, gicc, v2m } = gic.frames
    this.bus.register(...gicd.wire(virtMap.gicd.base), ...gicc.wire(virtMap.gicc.base), ...v2m!.wire(virtMap.v2m.base))
    return gic
  }

  get #gicMemory(): GuestMemory {
    return this.#recorder?.watch(this.ram) ?? this.ram
  }

  #gicV3(cpus: number): GicV3 {
    const affinities = Array.from({ length: cpus }, (_, cpu) => virtAffinity(cpu, 3))
    const gic = new GicV3({ ...board, cpus, affinities, lpis: { intidBits: 16 } }, { memory: this.#gicMemory })
    gic.onOutput = (cpu, line, level) => this.#signal(cpu, line, level)
    this.bus.register(...gic.frames.gicd.wire(virtMap.gicd.base), ...gic.wireRedistributors([virtMap.gicr.base]))
    return gic
  }

  #makeIts(): Its {
    const gic = this.gic as GicV3
    const its = new Its({ statusRegisters: false }, { memory: this.#gicMemory, targets: gic, events: gic.events })
    this.bus.register(
      ...its.frames.control.wire(virtMap.its.base),
      ...its.frames.translation.wire(virtMap.its.base + 0x1_0000),
    )
    return its
  }

  #signal(cpu: number, line: 'irq' | 'fiq', level: boolean): void {
    this.#recorder?.output(cpu, line, level)
    if (line === 'irq') this.cluster.setIrq(cpu, level)
    else this.cluster.setFiq(cpu, level)
    if (!level) return
    this.interrupts++
    if (cpu !== this.scheduler.current) this.scheduler.yieldTurn()
  }

  /** The first bank is memory to the CPUs as long as it reads as its plain contents; the second is erased and stays a device. */
  #makeFlash(firmware: Uint8Array): CfiFlash {
    const { base, size } = virtMap.flash0
    const bytes = this.cluster.view(base, size)!
    bytes.fill(0xff, firmware.length)
    bytes.set(firmware)
    const flash = new CfiFlash({
      name: 'flash 0',
      size,
      contents: firmware,
      plainChanged: (plain) => this.cluster.setDirect(base, plain),
      written: (offset, length) => flash.read(offset, bytes.subarray(offset, offset + length)),
    })
    const variables = new CfiFlash({ name: 'flash 1', size: virtMap.flash1.size })
    this.bus.register(
      { base, size, device: flash },
      { base: virtMap.flash1.base, size: variables.size, device: variables },
    )
    return flash
  }

  /** As QEMU does, devices take slots from the last one down. */
  #makeVirtio(disks: readonly Disk[], spi: (number: number) => (level: boolean) => void): void {
    const devices = [...disks.map((disk) => new VirtioBlk({ disk })), new VirtioRng(this.options.seed)]
    for (let slot = 0; slot < VIRTIO_SLOTS; slot++) {
      const device = devices[VIRTIO_SLOTS - 1 - slot]
      const transport = new VirtioMmio({
        memory: this.ram,
        ...(device ? { device } : {}),
        interrupt: spi(virtSpi.virtio + slot),
        broken: (reason) => this.onEvent?.({ kind: 'device', message: `virtio slot ${slot}: ${reason}` }),
      })
      this.bus.register(...transport.frame.wire(virtMap.virtio.base + slot * VIRTIO_SLOT_SIZE))
    }
  }

  #deviceDeadline(): number {
    const alarm = this.rtc.nextAlarm ?? Number.POSITIVE_INFINITY
    // Input that waits for a driver to be up must not wait for ever on an idle machine.
    const listens = this.untyped > 0 ? (this.uart.listensFrom ?? 0) : 0
    const input = listens > this.seconds ? listens : Number.POSITIVE_INFINITY
    return Math.min(alarm - this.options.epoch, input) * INSTRUCTIONS_PER_SECOND
  }

  #feed(): void {
    const { uart } = this
    while (this.#inputAt < this.#input.length && uart.canReceive) uart.receive(this.#input[this.#inputAt++]!)
    if (this.#inputAt !== this.#input.length) return
    this.#input.length = 0
    this.#inputAt = 0
  }
}

function le16(value: number): Uint8Array {
  return Uint8Array.of(value & 0xff, value >>> 8)
}
