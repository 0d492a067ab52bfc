/**
 * The generic timer of one CPU: the physical and the virtual timer as EL1 sees them (DDI 0487 D11). The counter is machine time, which is
 * counted in instructions, divided by a configured number of instructions per tick; so a run is deterministic to the instruction.
 */
import { type Cpu, SLOT } from './cpu.ts'

export const ENABLE = 1
export const IMASK = 2
export const ISTATUS = 4

export type TimerName = 'physical' | 'virtual'

const slots = {
  physical: { control: SLOT.CNTP_CTL, compare: SLOT.CNTP_CVAL },
  virtual: { control: SLOT.CNTV_CTL, compare: SLOT.CNTV_CVAL },
} as const

export class Timer {
  private readonly cpu: Cpu
  private readonly perTick: number
  private readonly output: (cpu: number, timer: TimerName, level: boolean) => void
  /** Output lines as last reported. Not state: they follow from the registers and the time. */
  private readonly lines = { physical: false, virtual: false }
  /** Machine time at which an output may change next; Infinity for never. */
  deadline = Number.POSITIVE_INFINITY

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
    this.update()
  }

  compare(timer: TimerName): bigint {
    return this.cpu.quad(slots[timer].compare)
  }

  setCompare(timer: TimerName, value: bigint): void {
    this.cpu.setQuad(slots[timer].compare, value)
    this.update()
  }

  /** TVAL: the distance to the compare value, 32 bits signed. */
  value(timer: TimerName): bigint {
    return BigInt.asUintN(32, this.compare(timer) - this.count(timer))
  }

  setValue(timer: TimerName, value: bigint): void {
    this.setCompare(timer, BigInt.asUintN(64, this.count(timer) + BigInt.asIntN(32, value)))
  }

  /** Reports outputs that changed, and works out when one may change next; the run is shortened to that. */
  update(): void {
    const { cpu } = this
    const now = cpu.time
    this.deadline = Number.POSITIVE_INFINITY
    for (const timer of ['physical', 'virtual'] as const) {
      const control = this.control(timer)
      const level = (control & (ENABLE | IMASK | ISTATUS)) === (ENABLE | ISTATUS)
      if ((control & (ENABLE | ISTATUS)) === ENABLE) {
        const offset = timer === 'virtual' ? this.cpu.quad(SLOT.CNTVOFF) : 0n
        const at = Number(BigInt.asUintN(64, this.compare(timer) + offset)) * this.perTick
        if (at < this.deadline) this.deadline = at
      }
      if (level !== this.lines[timer]) {
        this.lines[timer] = level
        this.output(cpu.index, timer, level)
      }
    }
    if (this.deadline !== Number.POSITIVE_INFINITY) cpu.limit(Math.max(0, Math.min(2 ** 31 - 1, this.deadline - now)))
  }

  /** Machine time of the next event of the event stream (CNTKCTL_EL1.EVNTEN), or Infinity when there is none. */
  get nextEvent(): number {
    const control = this.cpu.word(SLOT.CNTKCTL_EL1)
    if ((control & 4) === 0) return Number.POSITIVE_INFINITY
    // A transition of bit EVNTI of the virtual counter: EVNTDIR picks 1 to 0, which comes once in twice the bit's weight.
    const bit = 2 ** ((control >>> 4) & 15)
    const period = 2 * bit
    const phase = control & 8 ? 0 : bit
    const offset = Number(BigInt.asIntN(64, this.cpu.quad(SLOT.CNTVOFF)))
    const ticks = Math.floor(this.cpu.time / this.perTick) - offset
    const next = Math.floor((ticks - phase) / period + 1) * period + phase
    return (next + offset) * this.perTick
  }
}
