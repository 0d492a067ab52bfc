/**
 * Who closed a gate: for each state of an interrupt, each register of the GIC and of other devices, and the timers, who changed it
 * last; and how often each interrupt was taken. Kept only while somebody asked for it, and bounded. Of the CPU's own registers,
 * PSTATE and VBAR_EL1 are not kept; nor are a device's queues, of which one register is a window to many.
 */

import type { GateReport, GicEvent } from '../../gic/index.ts'
import { type Access, Frame, Outcome, type Range } from '../../mmio/index.ts'
import type { VirtMachine } from '../virt.ts'
import { withSymbol } from './symbols.ts'

/** A write, as far as it is of interest afterwards. */
export interface LastWrite {
  readonly cpu: number
  readonly pc: bigint
  /** Machine time in seconds. */
  readonly seconds: number
  readonly value: number | bigint
}

/** Most states and registers that are kept; the oldest makes room. */
const MOST = 65_536

/** The state of an interrupt behind a gate; the other gates are registers. */
const states: Readonly<Record<string, string>> = {
  enabled: 'enabled',
  pending: 'pending',
  'not active': 'active',
  targeted: 'target',
}

export class History {
  readonly #machine: VirtMachine
  readonly #last = new Map<string, LastWrite>()
  readonly #taken = new Map<number, number>()
  readonly #stop: readonly (() => void)[]

  /** Listens from now on. */
  constructor(machine: VirtMachine) {
    this.#machine = machine
    const { bus, cluster } = machine
    const before = bus.observer
    bus.observer = (range, access, outcome) => {
      before?.(range, access, outcome)
      if (access.write && range !== undefined && outcome === Outcome.ok) this.#hearDevice(range, access)
    }
    // The CPU's own registers are written when its PC is on the next instruction.
    cluster.timerWritten = (cpu, timer, register, value) =>
      this.#note(`${timer === 'virtual' ? 'CNTV' : 'CNTP'}_${register}_EL0 ${cpu}`, value, 4n)
    this.#stop = [
      machine.gic.listen((event) => this.#hear(event)),
      () => {
        bus.observer = before
        cluster.timerWritten = undefined
      },
    ]
  }

  stop(): void {
    for (const stop of this.#stop) stop()
  }

  /** How often an interrupt was acknowledged by a CPU. */
  taken(intid: number, cpu: number): number {
    return this.#taken.get(intid * 256 + cpu) ?? 0
  }

  /** The last write to what decides a gate; undefined where none was seen. */
  of(gate: GateReport, intid: number, cpu: number): LastWrite | undefined {
    const state = states[gate.gate]
    const banked = intid < 32 ? cpu : -1
    // When a timer is due is not its control's doing.
    const register = gate.gate === 'timer due' ? gate.register.replace('_CTL_', '_CVAL_') : gate.register
    return (
      (state === undefined ? undefined : this.#last.get(`${state} ${intid} ${banked}`)) ??
      this.#ofDevice(register, intid, cpu) ??
      this.#last.get(`${register} ${cpu}`) ??
      (gate.register.startsWith('GICD') && intid >= 32 ? this.#last.get(`${gate.register} any`) : undefined) ??
      (gate.register === 'GICD_CTLR' ? this.#last.get('GICD_CTLR any') : undefined)
    )
  }

  /** A line for each closed gate of which somebody is known to have written what decides it. */
  lines(gates: readonly GateReport[], intid: number, cpu: number): string[] {
    return gates.flatMap((gate) => {
      const last = gate.state === 'closed' ? this.of(gate, intid, cpu) : undefined
      if (last === undefined) return []
      const { pc, seconds, value } = last
      return [
        `  ${gate.gate}: last written by CPU ${last.cpu} at ${withSymbol(this.#machine.symbols, pc)}, ${seconds.toFixed(6)} s after the start: 0x${value.toString(16)}`,
      ]
    })
  }

  /** Of the device whose line that interrupt is, where its registers are one frame on the bus. */
  #ofDevice(register: string, intid: number, cpu: number): LastWrite | undefined {
    const source = this.#machine.interruptSource(intid, cpu)
    if (source === undefined || !('frame' in source)) return undefined
    const range = this.#machine.bus.ranges().find(({ device }) => device === source.frame)
    return range && this.#last.get(`${register} of ${range.base}`)
  }

  #hearDevice({ base, device }: Range, { offset, low }: Access): void {
    if (!(device instanceof Frame)) return
    const name = device.table.at(offset)?.name
    if (name !== undefined && !name.startsWith('Queue')) this.#note(`${name} of ${base}`, low >>> 0)
  }

  #hear(event: GicEvent): void {
    if (event.kind === 'acknowledge') {
      if (event.intid >= 1020 && event.intid < 1024) return
      const key = event.intid * 256 + event.cpu
      if (this.#taken.size < MOST || this.#taken.has(key)) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1)
    } else if (event.kind === 'state') this.#note(`${event.state} ${event.intid} ${event.cpu}`, event.value >>> 0)
    else if (event.kind === 'access' && event.write && event.register !== undefined && event.outcome === 'ok') {
      this.#note(`${event.register} ${event.cpu}`, event.low >>> 0)
      this.#note(`${event.register} any`, event.low >>> 0)
    }
  }

  #note(key: string, value: number | bigint, ahead = 0n): void {
    const { cluster, scheduler, seconds } = this.#machine
    const cpu = scheduler.current
    this.#last.delete(key)
    if (this.#last.size >= MOST) this.#last.delete(this.#last.keys().next().value!)
    this.#last.set(key, { cpu, pc: BigInt.asUintN(64, cluster.pc(cpu) - ahead), seconds, value })
  }
}
