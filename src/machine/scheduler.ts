/**
 * Turns of the CPUs, and time: round robin in one thread, in slices of instructions. Machine time is counted in instructions, so
 * that a run is the same each time; while every CPU waits it is skipped to the next deadline, or follows a host's clock.
 */

import type { Cluster } from '../aarch64/cluster.ts'

/** Instructions of machine time in a second: 1 ns each. */
export const INSTRUCTIONS_PER_SECOND = 1_000_000_000

/** Nothing that waits for this or a later time is woken: 104 days, where whole numbers end, less what a guest may still run. */
const LAST_DEADLINE = Number.MAX_SAFE_INTEGER - 2 ** 40

/** Machine time is counted in whole instructions; Infinity is a budget without an end. */
const isTime = (value: number) => value >= 0 && (Number.isSafeInteger(value) || value === Number.POSITIVE_INFINITY)

/** Host time, for a machine that follows it. */
export interface Clock {
  /**
   * Machine time that a host's clock wants it to be, in instructions; used only to move it on while the CPUs wait. A part of an
   * instruction does not count.
   */
  now(): number
}

export interface SchedulerOptions {
  /** Longest turn of a CPU, in instructions. */
  slice?: number
  /** Without it idle time is skipped. */
  clock?: Clock | undefined
  /** Machine time of the next event of a device, in instructions, or Infinity. */
  deviceDeadline?: () => number
  /** Called when machine time moved on, before CPUs run again: devices that wait for it look at it. */
  timePassed?: () => void
}

/** Why `run` returned: it ran its budget; every CPU waits until `wakeAt`; every CPU is off; or somebody asked it to. */
export type RunOutcome = 'budget' | 'waiting' | 'off' | 'stopped'

export class Scheduler {
  /** Machine time, in instructions. */
  time = 0
  /** While `waiting`: the machine time at which something happens by itself, or Infinity. */
  wakeAt = Number.POSITIVE_INFINITY
  /** The CPU that has its turn, or had the last one. */
  current = 0

  readonly #cluster: Cluster
  readonly #slice: number
  readonly #clock: Clock | undefined
  readonly #deviceDeadline: () => number
  readonly #timePassed: () => void
  /** CPUs that executed WFE and wait for an event. */
  readonly #waitingForEvent: boolean[]
  /** What those CPUs had an exclusive reservation of, as it was when they began to wait: a store to it is an event. */
  readonly #watched: (Uint8Array | undefined)[] = []
  /** CPUs whose last turn ended in WFI. */
  readonly #slept: boolean[]
  /** Machine time until which a CPU waits for a device. */
  readonly #heldUntil: Float64Array
  /** How far in machine time each CPU is in the present round. */
  readonly #reached: Float64Array
  #stop = false

  constructor(cluster: Cluster, options: SchedulerOptions = {}) {
    this.#cluster = cluster
    this.#slice = options.slice ?? 20_000
    this.#clock = options.clock
    this.#deviceDeadline = options.deviceDeadline ?? (() => Number.POSITIVE_INFINITY)
    this.#timePassed = options.timePassed ?? (() => {})
    this.#waitingForEvent = cluster.cpus.map(() => false)
    this.#slept = cluster.cpus.map(() => false)
    this.#heldUntil = new Float64Array(cluster.cpus.length)
    this.#reached = new Float64Array(cluster.cpus.length)
  }

  /** Ends the present turn, and `run` after it. For hooks and devices. */
  stop(): void {
    this.#stop = true
    this.#cluster.stop(this.current)
  }

  /** Ends the present turn, so that another CPU sees soon what this one did. */
  yieldTurn(): void {
    this.#cluster.stop(this.current)
  }

  /** A CPU has no more of its turn, and the next one at that machine time: what it asked a device for takes so long. */
  hold(cpu: number, until: number): void {
    this.#heldUntil[cpu] = Math.max(this.#heldUntil[cpu]!, until)
    this.#cluster.stop(cpu)
  }

  /** An event for every CPU (SEV): those in WFE go on. */
  wakeAll(): void {
    this.#waitingForEvent.fill(false)
  }

  /**
   * Runs until machine time has moved on by `budget` instructions, or nothing can run. Time in which every CPU waits goes on in one
   * step, by default no further than `budget` either; a larger `idle` lets it.
   */
  run(budget: number, idle = budget): RunOutcome {
    if (!isTime(budget)) throw new RangeError(`budget: ${budget} is not a whole number of instructions, nor Infinity`)
    if (!isTime(idle)) throw new RangeError(`idle: ${idle} is not a whole number of instructions, nor Infinity`)
    const end = this.time + budget
    const idleEnd = this.time + Math.max(budget, idle)
    this.#stop = false
    while (this.time < end) {
      const before = this.time
      const outcome = this.#round(Math.min(this.#slice, end - before), idleEnd)
      if (outcome !== undefined) return outcome
      // Without this the process would spin, deaf to input and signals.
      if (!(this.time > before)) throw new Error(`machine time stands still at ${before} though a CPU can run`)
    }
    return 'budget'
  }

  /** While every CPU waits, brings machine time up to the host's clock: before something from outside ends the wait. */
  passIdleTime(): void {
    if (this.#clock === undefined || !this.#allWait()) return
    const now = Math.min(this.#now(this.#clock), this.#nextDeadline())
    if (now > this.time) this.#advance(now)
  }

  /** The time of a host's clock, which is somebody else's: whole, and no earlier than it is already. */
  #now(clock: Clock): number {
    const now = Math.floor(clock.now())
    if (!Number.isSafeInteger(now)) throw new RangeError(`the clock says ${now}, which is no machine time`)
    return Math.max(this.time, now)
  }

  /** Runs `count` instructions of one CPU, or until it waits. Throws a RangeError for a count that is no whole number. */
  step(cpu: number, count = 1): void {
    const cluster = this.#cluster
    if (!Number.isSafeInteger(count) || count < 0) throw new RangeError(`count: ${count} is not a whole number`)
    this.current = cpu
    this.#stop = false
    this.#slept[cpu] = false
    while (this.#heldUntil[cpu]! > this.time) this.#advance(Math.min(this.#heldUntil[cpu]!, this.#nextDeadline()))
    cluster.setTime(cpu, this.time)
    const end = cluster.retired(cpu) + count
    // Making way for another CPU ends a run early.
    while (cluster.retired(cpu) < end && !this.#stop) {
      const before = cluster.retired(cpu)
      cluster.run(cpu, end - before)
      if (cluster.retired(cpu) === before) break
    }
    this.#advance(Math.max(this.time + 1, cluster.time(cpu)))
  }

  /**
   * A stretch of machine time in which each CPU has its turn. Who gives up its turn (YIELD, WFE) lets the rest of it pass; who
   * only made way for another CPU (an SGI) goes on when that had its turn.
   */
  #round(slice: number, idleEnd: number): RunOutcome | undefined {
    const cluster = this.#cluster
    const start = this.time
    const end = start + Math.min(slice, this.#nextDeadline() - start)
    this.#reached.fill(start)
    // Who was woken between rounds, as by its timer, has all of this one.
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++) this.#slept[cpu] &&= this.#isAsleep(cpu)
    let on = false
    let ran = false
    let latest = start
    for (let again = true; again; ) {
      again = false
      on = false
      for (let cpu = 0; cpu < cluster.cpus.length; cpu++) {
        if (!cluster.isOn(cpu)) continue
        on = true
        if (this.#reached[cpu]! >= end || this.#isAsleep(cpu)) continue
        // A CPU that another one woke starts where that one is.
        if (this.#slept[cpu]) this.#reached[cpu] = Math.max(this.#reached[cpu]!, latest)
        const from = this.#reached[cpu]!
        if (from >= end) continue
        this.#slept[cpu] = false
        this.#waitingForEvent[cpu] = false
        this.current = cpu
        cluster.setTime(cpu, from)
        const reason = cluster.run(cpu, end - from)
        const at = cluster.time(cpu)
        ran ||= at > from
        this.#reached[cpu] = reason === 'yield' || reason === 'wfe' ? end : at
        this.#slept[cpu] = reason === 'wfi'
        this.#waitingForEvent[cpu] = reason === 'wfe'
        if (reason === 'wfe') this.#watched[cpu] = cluster.reserved(cpu)?.slice()
        latest = Math.max(latest, at)
        if (reason === 'debug') again = at > from
        if (this.#stop) {
          this.#advance(Math.max(latest, start + 1))
          return 'stopped'
        }
      }
    }
    if (!on || !cluster.cpus.some((_, cpu) => cluster.isOn(cpu))) return 'off'
    if (this.#allWait()) {
      this.#advance(latest)
      return this.#idle(idleEnd)
    }
    this.#advance(ran ? end : Math.max(end, start + 1))
    return undefined
  }

  #isAsleep(cpu: number): boolean {
    return this.#heldUntil[cpu]! > this.time || this.#cluster.isWaiting(cpu)
  }

  /** Every CPU that is on waits: for an interrupt, for a device, or for an event that no other CPU is running to send. */
  #allWait(): boolean {
    const cluster = this.#cluster
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++)
      if (cluster.isOn(cpu) && !this.#isAsleep(cpu) && !this.#waitsForEvent(cpu)) return false
    return true
  }

  #waitsForEvent(cpu: number): boolean {
    if (!this.#waitingForEvent[cpu] || this.#cluster.hasLine(cpu)) return false
    const before = this.#watched[cpu]
    if (before === undefined) return true
    const now = this.#cluster.reserved(cpu)
    return now !== undefined && before.every((byte, index) => byte === now[index])
  }

  /** Machine time of the next thing that happens by itself to a CPU that waits, or to a device. */
  #nextDeadline(): number {
    const cluster = this.#cluster
    let next = this.#deviceDeadline()
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++) {
      if (!cluster.isOn(cpu) || !(this.#isAsleep(cpu) || this.#waitingForEvent[cpu])) continue
      next = Math.min(next, cluster.timerDeadline(cpu))
      if (this.#waitingForEvent[cpu]) next = Math.min(next, cluster.eventDeadline(cpu))
      if (this.#heldUntil[cpu]! > this.time) next = Math.min(next, this.#heldUntil[cpu]!)
    }
    // A guest may set its timer to where no number of ours goes, which it does not live to see.
    if (next > LAST_DEADLINE) return Number.POSITIVE_INFINITY
    // Devices count in seconds, and a deadline between two instructions is reached at the second of them.
    return Math.max(Math.ceil(next), this.time + 1)
  }

  /** Every CPU waits: time goes on to what ends that, and not beyond `end`. */
  #idle(end: number): RunOutcome | undefined {
    const next = this.#nextDeadline()
    this.wakeAt = next
    if (this.time >= end) return undefined
    if (this.#clock === undefined) {
      if (next === Number.POSITIVE_INFINITY) return 'waiting'
      this.#advance(Math.min(next, end))
      return undefined
    }
    const now = Math.min(this.#now(this.#clock), end)
    if (now < next && now < end) {
      if (now > this.time) this.#advance(now)
      return 'waiting'
    }
    this.#advance(Math.min(next, end))
    return undefined
  }

  #advance(time: number): void {
    this.time = time
    for (let cpu = 0; cpu < this.#cluster.cpus.length; cpu++)
      if (this.#cluster.isOn(cpu)) this.#cluster.setTime(cpu, time)
    this.#timePassed()
  }
}
