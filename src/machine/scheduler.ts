/**
 * Turns of the CPUs, and time: round robin in one thread, in slices of instructions. Machine time is counted in instructions, so
 * that a run is the same each time; while every CPU waits it is skipped to the next deadline, or follows a host's clock.
 */

import type { Cluster } from '../aarch64/cluster.ts'

/** Instructions of machine time in a second: 1 ns each. */
export const INSTRUCTIONS_PER_SECOND = 1_000_000_000

export interface Clock {
  /** Machine time that a host's clock wants it to be, in instructions; used only to move it on while the CPUs wait. */
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
  #stop = false

  constructor(cluster: Cluster, options: SchedulerOptions = {}) {
    this.#cluster = cluster
    this.#slice = options.slice ?? 20_000
    this.#clock = options.clock
    this.#deviceDeadline = options.deviceDeadline ?? (() => Number.POSITIVE_INFINITY)
    this.#timePassed = options.timePassed ?? (() => {})
    this.#waitingForEvent = cluster.cpus.map(() => false)
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

  /** An event for every CPU (SEV): those in WFE go on. */
  wakeAll(): void {
    this.#waitingForEvent.fill(false)
  }

  /** Runs until machine time has moved on by `budget` instructions, or nothing can run. */
  run(budget: number): RunOutcome {
    const end = this.time + budget
    this.#stop = false
    while (this.time < end) {
      const outcome = this.#round(Math.min(this.#slice, Math.ceil(end - this.time)))
      if (outcome !== undefined) return outcome
    }
    return 'budget'
  }

  /** Runs exactly `count` instructions of one CPU. */
  step(cpu: number, count = 1): void {
    this.current = cpu
    this.#cluster.setTime(cpu, this.time)
    this.#cluster.run(cpu, count)
    this.time += count
    this.#timePassed()
  }

  /** One turn of each CPU. */
  #round(slice: number): RunOutcome | undefined {
    const cluster = this.#cluster
    const start = this.time
    let ran = 0
    let on = false
    let length = Math.min(slice, Math.max(1, Math.ceil(this.#deviceDeadline() - start)))
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++) {
      if (!cluster.isOn(cpu)) continue
      on = true
      this.current = cpu
      cluster.setTime(cpu, start)
      if (this.#isAsleep(cpu)) continue
      this.#waitingForEvent[cpu] = false
      const before = cluster.retired(cpu)
      const reason = cluster.run(cpu, length)
      const retired = cluster.retired(cpu) - before
      ran = Math.max(ran, retired)
      if (reason === 'wfe') this.#waitingForEvent[cpu] = true
      // A lone CPU that gives up its turn early need not let the rest of its slice pass.
      if (cluster.cpus.length === 1) length = Math.max(1, retired)
      if (this.#stop) {
        this.#advance(start + Math.max(1, ran))
        return 'stopped'
      }
    }
    if (!on) return 'off'
    if (ran > 0) {
      this.#advance(start + Math.min(length, Math.max(ran, 1)))
      return undefined
    }
    return this.#idle()
  }

  #isAsleep(cpu: number): boolean {
    const cluster = this.#cluster
    if (cluster.isWaiting(cpu)) return true
    if (!this.#waitingForEvent[cpu]) return false
    return !cluster.hasLine(cpu) && this.time < cluster.eventDeadline(cpu)
  }

  /** Every CPU waits: time goes on to what ends that. */
  #idle(): RunOutcome | undefined {
    const cluster = this.#cluster
    let next = this.#deviceDeadline()
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++) {
      if (!cluster.isOn(cpu)) continue
      next = Math.min(next, cluster.timerDeadline(cpu))
      if (this.#waitingForEvent[cpu]) next = Math.min(next, cluster.eventDeadline(cpu))
    }
    this.wakeAt = next
    if (this.#clock === undefined) {
      if (next === Number.POSITIVE_INFINITY) return 'waiting'
      this.#advance(Math.max(this.time + 1, Math.ceil(next)))
      return undefined
    }
    const now = Math.max(this.time, this.#clock.now())
    if (now < next) {
      this.#advance(now)
      return 'waiting'
    }
    this.#advance(Math.max(this.time + 1, Math.ceil(next)))
    return undefined
  }

  #advance(time: number): void {
    this.time = time
    for (let cpu = 0; cpu < this.#cluster.cpus.length; cpu++)
      if (this.#cluster.isOn(cpu)) this.#cluster.setTime(cpu, time)
    this.#timePassed()
  }
}
