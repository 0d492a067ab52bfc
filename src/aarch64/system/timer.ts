/**
 * The generic timer of one CPU: the physical and the virtual timer as EL1 sees them (DDI 0487 D11). The counter is machine time, which is
 * counted in instructions, divided by a configured number of instructions per tick; so a run is deterministic to the instruction.
 */
import { type Cpu, SLOT } from '../state/cpu.ts'

export const ENABLE = 1
export const IMASK = 2
export const ISTATUS = 4

const NEVER = Number.POSITIVE_INFINITY
const most32 = 2 ** 31 - 1

export type TimerName = 'physical' | 'virtual'

const slots = {
  physical: { control: SLOT.CNTP_CTL, compare: SLOT.CNTP_CVAL },
  virtual: { control: SLOT.CNTV_CTL, compare: SLOT.CNTV_CVAL },
} as const

/** Told of a write to a timer's control or compare value, in whatever form it came: the register as it is then. */
export type TimerWritten = (cpu: number, timer: TimerName, register: 'CTL' | 'CVAL', value: bigint) => void

export class Timer {
  private readonly cpu: Cpu
  private readonly perTick: number
  private readonly output: (cpu: number, timer: TimerName, level: boolean) => void
  /** Output lines as last reported. Not state: they follow from the registers and the time. */
  private readonly lines = { physical: false, virtual: false }
  /** Machine time at which an output may change next; Infinity for never. */
  deadline = NEVER
  /** Somebody who wants to know who writes. */
  written: TimerWritten | undefined

  constructor(cpu: Cpu, perTick: number, output: (cpu: number, timer: TimerName, level: boolean) => void) {
    this.cpu = cpu
    this.perTick = perTick
    this.output = output
  }

  /** CNTPCT_EL0. */
  get physicalCount(): bigint {
    return BigInt(Math.floor(this.cpu.time / this.perTick))
  }

  count(timer: TimerName): bigint {
    const offset = timer === 'virtual' ? this.cpu.quad(SLOT.CNTVOFF) : 0n
    return BigInt.asUintN(64, this.physicalCount - offset)
  }

  /** CNTx_CTL_EL0, with ISTATUS as of now. */
  control(timer: TimerName): number {
    const { control, compare } = slots[timer]
    const enabled = this.cpu.word(control) & (ENABLE | IMASK)
    return enabled & ENABLE && this.count(timer) >= this.cpu.quad(compare) ? enabled | ISTATUS : enabled
  }

  setControl(timer: TimerName, value: number): void {
    this.cpu.setWord(slots[timer].control, value & (ENABLE | IMASK))
    this.written?.(this.cpu.index, timer, 'CTL', BigInt(value & (ENABLE | IMASK)))
    this.update()
  }

  compare(timer: TimerName): bigint {
    return this.cpu.quad(slots[timer].compare)
  }

  setCompare(timer: TimerName, value: bigint): void {
    this.cpu.setQuad(slots[timer].compare, value)
    this.written?.(this.cpu.index, timer, 'CVAL', value)
    this.update()
  }

  /** TVAL: the distance to the compare value, 32 bits signed. */
  value(timer: TimerName): bigint {
    return BigInt.asUintN(32, this.compare(timer) - this.count(timer))
  }

  setValue(timer: TimerName, value: bigint): void {
    this.setCompare(timer, BigInt.asUintN(64, this.count(timer) + BigInt.asIntN(32, value)))
  }

  /** Machine time from which the timer's condition holds (D11.2.4), whether it is enabled or not; without a bigint. */
  private due(timer: TimerName): number {
    const { cpu } = this
    const { compare } = slots[timer]
    // What is beyond 2^53 is rounded, and is out of reach.
    if (timer === 'physical' || cpu.count(SLOT.CNTVOFF) === 0) return cpu.count(compare) * this.perTick
    return Number(BigInt.asUintN(64, cpu.quad(compare) + cpu.quad(SLOT.CNTVOFF))) * this.perTick
  }

  private updateOne(timer: TimerName, now: number): void {
    const { cpu, lines } = this
    const control = cpu.word(slots[timer].control)
    let level = false
    if (control & ENABLE) {
      const due = this.due(timer)
      if (now >= due) level = (control & IMASK) === 0
      else if (due < this.deadline) this.deadline = due
    }
    if (level === lines[timer]) return
    lines[timer] = level
    this.output(cpu.index, timer, level)
  }

  /** Reports outputs that changed, and works out when one may change next; the run is shortened to that. */
  update(): void {
    const now = this.cpu.time
    this.deadline = NEVER
    this.updateOne('physical', now)
    this.updateOne('virtual', now)
    if (this.deadline !== NEVER) this.cpu.limit(Math.max(0, Math.min(most32, this.deadline - now)))
  }

  /** Machine time of the next event of the event stream (CNTKCTL_EL1.EVNTEN), or Infinity when there is none. */
  get nextEvent(): number {
    const control = this.cpu.word(SLOT.CNTKCTL_EL1)
    if ((control & 4) === 0) return Number.POSITIVE_INFINITY
    // A transition of bit EVNTI of the virtual counter: EVNTDIR picks 1 to 0, which comes once in twice the bit's weight.
    const bit = 1 << ((control >>> 4) & 15)
    const period = 2 * bit
    const phase = control & 8 ? 0 : bit
    const offset = Number(BigInt.asIntN(64, this.cpu.quad(SLOT.CNTVOFF)))
    const ticks = Math.floor(this.cpu.time / this.perTick) - offset
    const next = Math.floor((ticks - phase) / period + 1) * period + phase
    return (next + offset) * this.perTick
  }
}
