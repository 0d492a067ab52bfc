/**
 * A machine that runs in this process: slices between which the event loop has its turn, characters in and out, limits, and
 * how it ended. It makes no machine and reads no files.
 */

import { setTimeout as delay } from 'node:timers/promises'
import { INSTRUCTIONS_PER_SECOND } from '../machine/scheduler.ts'
import type { VirtMachine } from '../machine/virt.ts'
import type { Host } from './command.ts'
import type { LiveClock } from './live-clock.ts'
import type { RunLimit } from './run-options.ts'

/** How a session ended; `quit` is somebody at the terminal, `gone` a reader that went away. */
export type SessionEnd =
  | { readonly why: 'off' | 'reset' | 'quit' | 'gone' }
  /** A limit is reached: of the guest's time or instructions, or of the host's time. */
  | { readonly why: 'timeout'; readonly of: 'guest' | 'host' }
  /** Nothing can happen any more: no CPU will run, and there is no input left. */
  | { readonly why: 'stuck'; readonly halted: boolean }
  | { readonly why: 'signal'; readonly signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT' }

export interface SessionOptions {
  readonly machine: VirtMachine
  /** What the guest sent, collected by `transmit`. */
  readonly host: Pick<Host, 'write' | 'backlog' | 'gone' | 'drained'>
  readonly input: AsyncIterator<Uint8Array>
  /** Takes input; returns what of it is for the guest. */
  readonly keys?: (bytes: Uint8Array) => Iterable<number>
  /** Idle CPUs follow it; without one idle time is skipped. */
  readonly clock?: LiveClock | undefined
  readonly limit?: RunLimit | undefined
  /** When the host's time is over, in milliseconds of `performance.now()`. */
  readonly deadline?: number | undefined
  /** Waited for before the machine goes on: files that it writes to keep up with it. */
  readonly room?: () => Promise<void>
}

/** Milliseconds that the machine may run before the event loop has its turn. */
const TURN = 12
/** Instructions of all CPUs in a slice: the same whatever the host does, so that a run is. */
const SLICE = 400_000
/** Characters that may wait for the guest before more are read, and bytes for a slow reader before the guest waits. */
const MOST_UNTYPED = 4096
const MOST_BACKLOG = 2 ** 18
/** The longest sleep of an idle machine in milliseconds. */
const LONGEST = 1000
/** How long input that is there already gets to arrive before the guest starts, in milliseconds. */
const PATIENCE = 100
/** Instructions of machine time in a millisecond. */
const PER_MILLISECOND = INSTRUCTIONS_PER_SECOND / 1000
/** How long a reader has for the rest when the session is told to end, in milliseconds. */
const FAREWELL = 200

export class Session {
  /** A machine that is stopped waits for its monitor. */
  paused = false
  /** Milliseconds in which the machine ran. */
  busy = 0

  readonly #options: SessionOptions
  readonly #out = new Uint8Array(0x4000)
  #outLength = 0
  #reading = false
  #inputEnded = false
  #wake: (() => void) | undefined
  #end: SessionEnd | undefined
  /** From outside, or by the host's clock: it waits for nobody any more. */
  #told = false
  /** Milliseconds in which nothing but input could have gone on with the machine, so far. */
  #waited = 0

  constructor(options: SessionOptions) {
    this.#options = options
  }

  /** A character from the guest. */
  transmit(character: number): void {
    this.#out[this.#outLength++] = character
    if (this.#outLength === this.#out.length) this.flush()
  }

  /** Sends on what the guest sent. */
  flush(): void {
    if (this.#outLength === 0) return
    this.#options.host.write(this.#out.slice(0, this.#outLength))
    this.#outLength = 0
  }

  /** Ends the session at the next opportunity. */
  end(end: SessionEnd): void {
    this.#told ||= end.why === 'signal' || end.why === 'quit' || end.why === 'timeout'
    // A signal may cut short what an end that came before still has to write.
    if (this.#end === undefined || end.why === 'signal') this.#end = end
    this.wake()
  }

  /** Ends a sleep. */
  wake(): void {
    this.#wake?.()
  }

  async run(): Promise<SessionEnd> {
    const { deadline } = this.#options
    if (deadline === undefined) return this.#run()
    const over = () => this.end({ why: 'timeout', of: 'host' })
    const alarm = setTimeout(over, Math.max(0, deadline - performance.now()))
    return this.#run().finally(() => clearTimeout(alarm))
  }

  async #run(): Promise<SessionEnd> {
    const { machine, clock, host } = this.#options
    await this.#firstInput()
    clock?.setTo(machine.scheduler.time)
    const slice = Math.max(20_000, Math.floor(SLICE / machine.options.cpus))
    let turn = performance.now()
    while (this.#end === undefined) {
      if (this.paused) {
        await this.#sleep(LONGEST)
        clock?.setTo(machine.scheduler.time)
        continue
      }
      const left = this.#left()
      if (left <= 0) {
        this.#end = { why: 'timeout', of: 'guest' }
        break
      }
      const reason = machine.run(Math.min(slice, left), this.#idleLeft())
      if (reason === 'off' || reason === 'reset') this.#end ??= { why: reason }
      else if (reason === 'waiting' || reason === 'halted') {
        this.busy += performance.now() - turn
        await this.#idle(reason === 'halted')
        turn = performance.now()
        continue
      } else clock?.setTo(machine.scheduler.time)
      const now = performance.now()
      if (now - turn >= TURN) {
        this.busy += now - turn
        await this.#yield()
        turn = performance.now()
      }
      if (host.gone) this.#end ??= { why: 'gone' }
    }
    this.busy += performance.now() - turn
    this.flush()
    await this.#until(host.drained())
    // Who was told to go does not wait for a reader that takes nothing.
    if (this.#told && host.backlog > 0) await Promise.race([host.drained(), delay(FAREWELL)])
    return this.#end
  }

  /** Instructions of machine time until the limit. */
  #left(): number {
    const { machine, limit } = this.#options
    if (limit === undefined) return Number.POSITIVE_INFINITY
    if (limit.unit === 'seconds') return this.#idleLeft()
    return Math.ceil((limit.count - machine.instructions) / machine.options.cpus)
  }

  /** Instructions of machine time that may pass while every CPU waits: a limit of instructions has no say in that. */
  #idleLeft(): number {
    const { machine, limit } = this.#options
    if (limit?.unit !== 'seconds') return Number.POSITIVE_INFINITY
    return Math.max(0, Math.ceil(limit.count * INSTRUCTIONS_PER_SECOND - machine.scheduler.time))
  }

  /** Nothing runs until something comes: from the host's clock, or from outside. */
  async #idle(halted: boolean): Promise<void> {
    const { machine, clock } = this.#options
    await this.#yield()
    const next = halted ? Number.POSITIVE_INFINITY : machine.scheduler.wakeAt
    // Input may wait for ever for a guest that does not listen: the machine goes on where it can.
    const goesOn = machine.untyped > 0 && (machine.uart.canReceive || next !== Number.POSITIVE_INFINITY)
    if (this.#end !== undefined || goesOn) return
    if (clock !== undefined && !halted) {
      const limited = Math.min(next, machine.scheduler.time + this.#idleLeft())
      await this.#sleep(Math.min(LONGEST, clock.until(limited)))
    } else if (next === Number.POSITIVE_INFINITY) await this.#onlyInput(halted)
  }

  /**
   * Input alone could go on with the machine, and may come as long as its end has not. A limit of guest time is not waited for longer
   * than it is long: nobody knows whether somebody types.
   */
  async #onlyInput(halted: boolean): Promise<void> {
    const left = this.#idleLeft() / PER_MILLISECOND - this.#waited
    if (this.#inputEnded || this.#options.machine.untyped >= MOST_UNTYPED || left <= 0) {
      this.#end ??= { why: 'stuck', halted }
      return
    }
    const start = performance.now()
    await this.#sleep(Math.min(LONGEST, left))
    this.#waited += performance.now() - start
  }

  async #sleep(milliseconds: number): Promise<void> {
    this.#read()
    if (this.#end !== undefined) return
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, milliseconds)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
    this.#wake = undefined
  }

  /** The event loop's turn: what came in is heard, what goes out goes. */
  async #yield(): Promise<void> {
    const { host } = this.#options
    this.flush()
    this.#read()
    await new Promise<void>((resolve) => setImmediate(resolve))
    if (host.backlog > MOST_BACKLOG) await this.#until(host.drained())
    await this.#until(this.#options.room?.())
  }

  /** Until that is done, or somebody tells the session to end. */
  async #until(done: Promise<void> | undefined): Promise<void> {
    if (done === undefined) return
    let finished = false
    const outcome = done.finally(() => {
      finished = true
    })
    outcome.catch(() => {})
    while (!finished && !this.#told) {
      const woken = new Promise<void>((resolve) => {
        this.#wake = resolve
      })
      await Promise.race([outcome, woken])
    }
    this.#wake = undefined
  }

  /** What is in the pipe when the guest starts is there from its first instruction on, so that the run is the same each time. */
  async #firstInput(): Promise<void> {
    const start = performance.now()
    while (!this.#inputEnded && this.#options.machine.untyped < MOST_UNTYPED && this.#options.clock === undefined) {
      const left = PATIENCE - (performance.now() - start)
      if (left <= 0 || this.#end !== undefined) return
      await this.#sleep(left)
    }
  }

  #read(): void {
    const { machine, input, keys } = this.#options
    if (this.#reading || this.#inputEnded || machine.untyped >= MOST_UNTYPED) return
    this.#reading = true
    const done = (bytes: Uint8Array | undefined) => {
      this.#reading = false
      if (bytes === undefined) {
        this.#inputEnded = true
        // Keys have no end: a raw terminal that gives none any more was closed.
        if (keys !== undefined) this.#end ??= { why: 'gone' }
      } else machine.type(keys === undefined ? bytes : keys(bytes))
      this.wake()
    }
    input.next().then(
      (result) => done(result.done ? undefined : result.value),
      () => done(undefined),
    )
  }
}
