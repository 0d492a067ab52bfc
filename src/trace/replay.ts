/**
 * Applies a trace to an interrupt controller and compares: every read with what the recorded machine returned, every
 * change of an output with the changes it listed. Neither parses a trace nor prints a result.
 */

import type { AccessEvent, InputEvent, SystemRegisterEvent, TraceEvent } from './event.ts'
import { noCpu, TraceError } from './event.ts'
import { Findings } from './findings.ts'
import { hex64 } from './format.ts'
import type { Explanation, ReplayMachine } from './machine.ts'
import { Outputs } from './outputs.ts'
import { noCounts, type ReplayResult } from './replay-result.ts'
import type { RegisterUse } from './statistics.ts'
import { Statistics } from './statistics.ts'

/** How much is kept, and how far it goes. */
export interface ReplayOptions {
  /** How many events before a divergence are kept with it; 8 unless given. */
  context?: number
  /** How many divergences are kept whole; 10 unless given. All are counted. */
  limit?: number
  /** Stop after the event of this number, counted from 1. */
  stopAt?: number
}

/** Where a MSI_SETSPI_NS write of GICv2m leads. */
const spiOfMessage = 0x3ff

/** Puts the events of a trace to a machine, one by one, and compares what it answers with what was recorded. */
export class Replayer {
  readonly #machine: ReplayMachine
  readonly #statistics: Statistics
  readonly #outputs: Outputs
  readonly #findings: Findings
  readonly #stopAt: number
  #events = 0
  #seconds = 0
  #readsCompared = 0
  #identityReads = 0
  #unmodelledReads = 0
  readonly #counts = noCounts()
  /** The event whose `out` lines are being gathered, and its number. */
  #cause: TraceEvent | undefined
  #causeNumber = 0
  readonly #causeOutputs: TraceEvent[] = []
  /** A GICv2m message that waits to be seen in the `irq` lines behind it. */
  #message: AccessEvent | undefined

  constructor(machine: ReplayMachine, options: ReplayOptions = {}) {
    this.#machine = machine
    this.#statistics = new Statistics(machine)
    this.#outputs = new Outputs(machine.description.cpus)
    this.#findings = new Findings(machine, options.context ?? 8, options.limit ?? 10)
    this.#stopAt = options.stopAt ?? Number.POSITIVE_INFINITY
    machine.onOutput = (cpu, signal, level) => this.#outputs.takeOurs(cpu, signal, level)
  }

  /** Events taken so far. */
  get events(): number {
    return this.#events
  }

  /** Divergences so far. */
  get divergenceCount(): number {
    return this.#findings.count
  }

  /**
   * Applies events in order.
   * @returns false when the event to stop at was among them; nothing behind it has been applied
   * @throws TraceError for an event that this machine cannot have
   */
  take(batch: readonly TraceEvent[]): boolean {
    const start = performance.now()
    try {
      for (const event of batch) {
        if (this.#events >= this.#stopAt) break
        this.#events++
        this.#one(event)
      }
    } finally {
      this.#seconds += (performance.now() - start) / 1000
    }
    return this.#events < this.#stopAt
  }

  /**
   * Ends the replay.
   * @param whole whether the trace ended by itself. Where it broke off, as where it was stopped early, the last event's
   *   outputs are not judged: the lines that list them were not read
   */
  finish(whole = true): ReplayResult {
    const stopped = this.#events >= this.#stopAt
    this.#followMessage(undefined)
    if (whole && !stopped) this.#close()
    const seconds = this.#seconds
    return {
      machine: this.#machine.description,
      events: this.#events,
      stoppedAt: stopped ? this.#stopAt : undefined,
      divergenceCount: this.#findings.count,
      divergences: this.#findings.kept,
      reads: { compared: this.#readsCompared, identity: this.#identityReads, unmodelled: this.#unmodelledReads },
      outputs: {
        compared: this.#outputs.compared,
        recordedTransients: this.#outputs.recordedTransients,
        ourTransients: this.#outputs.ourTransients,
      },
      identity: this.#statistics.identity,
      unmodelled: this.#statistics.unmodelled,
      refused: this.#statistics.refused,
      interrupts: this.#statistics.interrupts,
      counts: { ...this.#counts },
      registers: this.#statistics.registers,
      seconds,
    }
  }

  #one(event: TraceEvent): void {
    if (event.kind === 'out') {
      this.#checkCpu(event.cpu, event.line)
      if (this.#cause === undefined)
        throw new TraceError(event.line, "an 'out' line before any event that could cause it")
      this.#followMessage(undefined)
      this.#outputs.takeRecorded(event.cpu, event.signal, event.level)
      if (this.#causeOutputs.length < this.#findings.contextLength) this.#causeOutputs.push(event)
      return
    }
    this.#followMessage(event)
    this.#close()
    this.#cause = event
    this.#causeNumber = this.#events
    switch (event.kind) {
      case 'read':
        this.#counts.reads++
        this.#read(event, event.region, 0x3ff)
        return
      case 'write':
        this.#counts.writes++
        this.#write(event, event.region)
        return
      case 'mrs':
        this.#counts.systemRegisterReads++
        this.#read(event, event.register, 0xff_ffff)
        return
      case 'msr':
        this.#counts.systemRegisterWrites++
        this.#write(event, event.register)
        return
      case 'irq':
        this.#input(event)
        return
      case 'mem':
        this.#counts.memory++
        this.#machine.mem(event)
        return
      case 'reset':
        this.#checkCpu(event.cpu, event.line)
        this.#counts.resets++
        this.#machine.reset(event.cpu)
        return
    }
  }

  #checkCpu(cpu: number, line: number): void {
    const { cpus } = this.#machine.description
    if (cpu >= cpus) throw new TraceError(line, `CPU ${cpu} on a machine with ${cpus} (CPU 0 to ${cpus - 1})`)
  }

  #checkAccess(event: AccessEvent): void {
    if (event.cpu !== noCpu) this.#checkCpu(event.cpu, event.line)
    const { cpus } = this.#machine.description
    // Two frames of 64 KiB for each PE, four where it has a virtual LPI interface, which is not modelled.
    if (event.region === 'gicr' && event.offset + event.size > cpus * 0x2_0000) {
      const what = `offset 0x${event.offset.toString(16)} is outside the region gicr`
      throw new TraceError(event.line, `${what} of ${cpus} ${cpus === 1 ? 'CPU' : 'CPUs'}`)
    }
  }

  /** The register of an access, once it is one that this machine can have. */
  #used(event: AccessEvent | SystemRegisterEvent): RegisterUse {
    if ('register' in event) {
      this.#checkCpu(event.cpu, event.line)
      return this.#statistics.systemRegister(event.register)
    }
    this.#checkAccess(event)
    return this.#statistics.register(event.region, event.offset)
  }

  /** Compares a read with what was recorded. An acknowledge gives an INTID of so many bits. */
  #read(event: AccessEvent | SystemRegisterEvent, frame: string, intidBits: number): void {
    const use = this.#used(event)
    use.reads++
    if (!use.modelled) {
      this.#unmodelledReads++
      this.#statistics.absent(frame)
      return
    }
    const intid = event.low & intidBits
    const foreseen = use.role === 'acknowledge' ? this.#foresee(event, intid) : undefined
    const access = 'register' in event ? undefined : event
    const low = 'register' in event ? this.#machine.mrs(event) : this.#machine.read(event)
    const high = access === undefined || access.size === 8 ? this.#machine.high : 0
    const refused = this.#noteRefusal(use)
    if (use.role === 'acknowledge') this.#acknowledged(intid, event.cpu)
    // A mask speaks of the 64-bit register; the upper half of it may be read alone.
    const upper = access?.size === 4 && (access.offset & 4) !== 0
    const lowMask = upper && use.mask.low !== -1 ? use.mask.high : use.mask.low
    const same = ((low ^ event.low) & lowMask) === 0 && ((high ^ event.high) & use.mask.high) === 0
    if (use.role === 'identity') {
      this.#identityReads++
      if (!same) this.#statistics.identityDiffers(use.row, hex64(event.low, event.high), hex64(low, high))
      return
    }
    this.#readsCompared++
    if (same) return
    const explanations = foreseen ?? this.#aboutRead(event, use, low)
    this.#findings.read(event, this.#causeNumber, { name: use.row, low, high, refused, explanations })
  }

  #write(event: AccessEvent | SystemRegisterEvent, frame: string): void {
    const use = this.#used(event)
    use.writes++
    if (use.role === 'end') this.#counts.ended++
    else if (use.role === 'deactivate') this.#counts.deactivated++
    else if (use.role === 'generate') this.#counts.generated++
    else if (use.role === 'message' || frame === 'itst') this.#counts.messages++
    if (!use.modelled) {
      this.#statistics.absent(frame)
      return
    }
    if ('register' in event) this.#machine.msr(event)
    else if (event.region === 'v2m' && use.role === 'message') {
      this.#message = event
      return
    } else this.#machine.write(event)
    this.#noteRefusal(use)
  }

  #input(event: InputEvent): void {
    if (event.cpu !== noCpu) this.#checkCpu(event.cpu, event.line)
    const { intids } = this.#machine.description
    if (event.intid >= intids)
      throw new TraceError(event.line, `INTID ${event.intid} on a machine with ${intids} INTIDs`)
    this.#counts.inputs++
    this.#machine.irq(event)
  }

  /**
   * A GICv2m frame turns a message into a pulse of an SPI's wire, and a recorder that watches wires lists that pulse behind
   * the message. Then the pulse is applied and the message is not; a message without its pulse is applied itself.
   */
  #followMessage(next: TraceEvent | undefined): void {
    const message = this.#message
    if (message === undefined) return
    this.#message = undefined
    if (next?.kind === 'irq' && next.level === 1 && next.intid === (message.low & spiOfMessage)) return
    this.#machine.write(message)
    this.#noteRefusal(this.#statistics.register(message.region, message.offset))
  }

  #acknowledged(intid: number, cpu: number): void {
    if (intid >= 1020 && intid <= 1023) {
      this.#counts.spurious++
      return
    }
    this.#counts.acknowledged++
    this.#statistics.delivered(intid, cpu)
  }

  #noteRefusal(use: RegisterUse): string {
    const { refused } = this.#machine
    if (refused !== '') {
      use.refused++
      use.reason = refused
    }
    return refused
  }

  /** If an acknowledge is going to differ, the reason is asked for before it changes the state. */
  #foresee(event: AccessEvent | SystemRegisterEvent, intid: number): Explanation[] | undefined {
    this.#findings.acknowledge(event.cpu, intid, event.line)
    if (this.#findings.full) return undefined
    const value = this.#machine.peek(event)
    if (value === undefined || value >>> 0 === event.low) return undefined
    return this.#findings.explain([event.low & 0xff_ffff, value & 0xff_ffff], event.cpu)
  }

  #aboutRead(event: AccessEvent | SystemRegisterEvent, use: RegisterUse, ours: number): Explanation[] {
    if (this.#findings.full || (use.role !== 'acknowledge' && use.role !== 'highest')) return []
    return this.#findings.explain([event.low & 0xff_ffff, ours & 0xff_ffff], event.cpu)
  }

  /** Judges the outputs of the event that is over, and takes it into the context of later ones. */
  #close(): void {
    const cause = this.#cause
    if (cause === undefined) return
    if (!this.#outputs.quiet) {
      const differ = this.#outputs.compare(cause.kind === 'write' || cause.kind === 'msr')
      if (differ !== undefined) this.#findings.outputs(cause, this.#causeNumber, differ)
    }
    this.#findings.remember(cause)
    if (this.#causeOutputs.length > 0) {
      for (const output of this.#causeOutputs) this.#findings.remember(output)
      this.#causeOutputs.length = 0
    }
    this.#cause = undefined
  }
}
