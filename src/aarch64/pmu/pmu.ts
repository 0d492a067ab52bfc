/**
 * The Performance Monitors of one CPU, PMUv3 (DDI 0487 D7): six event counters and the cycle counter. A cycle is an instruction of machine
 * time. Nothing is counted at an instruction: what was retired since the last look is added at exceptions, returns, accesses to
 * the registers, and when an overflow that interrupts is due. So counts are exact, and the same in every run.
 */
import { type Boundaries, type Cpu, SLOT } from '../state/cpu.ts'

export const EVENT_COUNTERS = 6
/** The cycle counter's bit in the registers that have one for each counter. */
export const CYCLE = 31

/** Common events (D7.11.3). */
export const EVENT = {
  SW_INCR: 0x00,
  INST_RETIRED: 0x08,
  EXC_TAKEN: 0x09,
  EXC_RETURN: 0x0a,
  CPU_CYCLES: 0x11,
  CHAIN: 0x1e,
} as const

/** PMCR_EL0.E */
const E = 1
/** PMEVTYPER<n>_EL0 and PMCCFILTR_EL0: P and U keep EL1 and EL0 from being counted. */
const P = 31
const U = 30
const eventMask = 0x3ff

const NEVER = Number.POSITIVE_INFINITY
const most32 = 2 ** 31 - 1
const two32 = 2 ** 32
const two64 = 2 ** 64

export class Pmu implements Boundaries {
  private readonly cpu: Cpu
  private readonly output: (cpu: number, level: boolean) => void
  /** The interrupt as last reported. Not state: it follows from the registers. */
  private line = false
  /** Count of retired instructions at which a counter whose overflow interrupts gets there, if nothing else happens; or Infinity. */
  deadline = NEVER

  constructor(cpu: Cpu, output: (cpu: number, level: boolean) => void) {
    this.cpu = cpu
    this.output = output
  }

  private counts(n: number): boolean {
    return ((this.cpu.word(SLOT.PMCNTEN) >>> n) & this.cpu.word(SLOT.PMCR_EL0) & E) !== 0
  }

  /** Whether a counter with this filter counts at the present Exception level. */
  private admits(filter: number): boolean {
    return ((filter >>> (this.cpu.el === 0 ? U : P)) & 1) === 0
  }

  private type(n: number): number {
    return this.cpu.word(SLOT.PMEVTYPER + 8 * n)
  }

  /** How many of the two kinds of instruction counts an event counter counts now: cycles, retired instructions or neither. */
  private counted(n: number, cycles: number, instructions: number): number {
    const type = this.type(n)
    if (!this.admits(type)) return 0
    const event = type & eventMask
    return event === EVENT.CPU_CYCLES ? cycles : event === EVENT.INST_RETIRED ? instructions : 0
  }

  /** Brings the counters up to date. The Exception level was the same since the last time. */
  private count(unfinished = 0): void {
    const { cpu } = this
    const { retired } = cpu
    const passed = retired - cpu.count(SLOT.PMU_COUNTED)
    cpu.setCount(SLOT.PMU_COUNTED, retired)
    if (passed === 0 || cpu.boundaries === undefined) return
    for (let n = 0; n < EVENT_COUNTERS; n++)
      if (this.counts(n)) this.add(n, this.counted(n, passed, passed - unfinished))
    if (!this.counts(CYCLE) || !this.admits(cpu.word(SLOT.PMCCFILTR_EL0))) return
    const before = cpu.quad(SLOT.PMCCNTR_EL0)
    const after = BigInt.asUintN(64, before + BigInt(passed))
    cpu.setQuad(SLOT.PMCCNTR_EL0, after)
    if (after < before) this.overflow(CYCLE)
  }

  /** Adds to an event counter of 32 bits. What it runs over goes to the counter above, when that is chained to it. */
  private add(n: number, by: number): void {
    if (by === 0) return
    const { cpu } = this
    const slot = SLOT.PMEVCNTR + 8 * n
    const sum = cpu.word(slot) + by
    cpu.setWord(slot, sum % two32)
    if (sum < two32) return
    this.overflow(n)
    const above = n + 1
    if ((n & 1) === 0 && this.counts(above) && (this.type(above) & eventMask) === EVENT.CHAIN)
      this.add(above, Math.floor(sum / two32))
  }

  private overflow(n: number): void {
    this.cpu.setWord(SLOT.PMOVS, (this.cpu.word(SLOT.PMOVS) | (1 << n)) >>> 0)
  }

  /** Something that is counted one by one happened. */
  private happened(event: number): void {
    for (let n = 0; n < EVENT_COUNTERS; n++) {
      const type = this.type(n)
      if (this.counts(n) && (type & eventMask) === event && this.admits(type)) this.add(n, 1)
    }
  }

  // --- boundaries ----------------------------------------------------------------------------------------------------------

  taken(unfinished: boolean): void {
    this.count(unfinished ? 1 : 0)
  }

  /** An exception is counted at the level that it is taken to; a return, at the one that executes it. */
  entered(): void {
    this.happened(EVENT.EXC_TAKEN)
    this.schedule()
  }

  returning(): void {
    this.count()
    this.happened(EVENT.EXC_RETURN)
  }

  returned(): void {
    this.schedule()
  }

  // --- registers -----------------------------------------------------------------------------------------------------------

  /** PMSWINC_EL0. */
  increment(counters: number): void {
    for (let n = 0; n < EVENT_COUNTERS; n++) {
      const type = this.type(n)
      if ((counters >>> n) & 1 && this.counts(n) && (type & eventMask) === EVENT.SW_INCR && this.admits(type))
        this.add(n, 1)
    }
  }

  /** Before an access to a register, and whenever the interrupt or the deadline may be another one: counts what was done. */
  update(): void {
    this.count()
    this.settle()
  }

  /** After a register was written. */
  settle(): void {
    const { cpu } = this
    const counters = cpu.word(SLOT.PMCNTEN)
    cpu.boundaries = counters !== 0 && cpu.word(SLOT.PMCR_EL0) & E ? this : undefined
    this.schedule()
  }

  /** Registers and counts are what they are: only what follows from them is made anew. */
  restored(): void {
    this.settle()
  }

  /** Works out the deadline, and shortens the run to it; reports the interrupt. */
  private schedule(): void {
    const { cpu } = this
    const enabled = cpu.word(SLOT.PMINTEN)
    const level = (cpu.word(SLOT.PMCR_EL0) & E) !== 0 && (cpu.word(SLOT.PMOVS) & enabled) !== 0
    if (level !== this.line) {
      this.line = level
      this.output(cpu.index, level)
    }
    this.deadline = NEVER
    if (cpu.boundaries === undefined || enabled === 0) return
    const counted = cpu.count(SLOT.PMU_COUNTED)
    for (let n = 0; n < EVENT_COUNTERS; n++) {
      // An overflow of a counter may be that of the one that is chained to it.
      if ((enabled >>> n) & (n & 1 ? 1 : 3) && this.counts(n) && this.counted(n, 1, 1))
        this.deadline = Math.min(this.deadline, counted + two32 - cpu.word(SLOT.PMEVCNTR + 8 * n))
    }
    if ((enabled >>> CYCLE) & 1 && this.counts(CYCLE) && this.admits(cpu.word(SLOT.PMCCFILTR_EL0))) {
      const left = two64 - Number(cpu.quad(SLOT.PMCCNTR_EL0))
      // Near the end the difference is to be exact, which it is not as a difference of doubles.
      this.deadline = Math.min(
        this.deadline,
        counted + (left < 2 ** 53 ? Number(BigInt.asUintN(64, -cpu.quad(SLOT.PMCCNTR_EL0))) : left),
      )
    }
    if (this.deadline !== NEVER) cpu.limit(Math.max(0, Math.min(most32, this.deadline - cpu.retired)))
  }
}
