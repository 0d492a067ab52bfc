/**
 * One CPU's architectural state as TypeScript sees it: accessors to its state block, and what follows from PSTATE (which TLB, which
 * traps, which stack pointer). Exceptions, translation, registers and timers are written over it.
 */
import { ExceptionRow } from './exception-row.ts'
import { SCTLR, SLOT } from './slot.ts'
import { cpuBase, DIRECT, STATE } from './state.ts'
import { TakenInterrupt } from './taken-interrupt.ts'
import { Tlb } from './tlb.ts'

export { SCTLR, SLOT } from './slot.ts'

const two32 = 2 ** 32

/** Who is told of the ends of stretches of instructions at one Exception level. */
export interface Boundaries {
  /** An exception is about to be taken; whether the last instruction that was counted is not retired, because of it. */
  taken(unfinished: boolean): void
  /** It was taken: the Exception level may be another one now. */
  entered(): void
  /** An exception return is about to be done, and was done. */
  returning(): void
  returned(): void
}

export class Cpu {
  readonly index: number
  readonly base: number
  private readonly words: Uint32Array
  private readonly quads: BigUint64Array
  readonly tlb: Tlb
  /** Exceptions taken, of all kinds; not state. */
  exceptions = 0
  /** Set while somebody counts; not state. */
  boundaries: Boundaries | undefined

  /** The same exception, again and again. No part of the architecture's state. */
  readonly row = new ExceptionRow()
  readonly interrupt = new TakenInterrupt()

  /** FEAT_PAN: PSTATE.PAN exists. */
  readonly panImplemented: boolean

  constructor(buffer: ArrayBuffer, index: number, panImplemented: boolean) {
    this.index = index
    this.panImplemented = panImplemented
    this.base = cpuBase(index)
    this.words = new Uint32Array(buffer)
    this.quads = new BigUint64Array(buffer)
    this.tlb = new Tlb(buffer, this.base)
  }

  /** A 32-bit word of the state block, unsigned. */
  word(offset: number): number {
    return this.words[(this.base + offset) >>> 2]!
  }

  setWord(offset: number, value: number): void {
    this.words[(this.base + offset) >>> 2] = value
  }

  quad(offset: number): bigint {
    return this.quads[(this.base + offset) >>> 3]!
  }

  setQuad(offset: number, value: bigint): void {
    this.quads[(this.base + offset) >>> 3] = value
  }

  /** A 64-bit word as a number: for counts, which stay below 2^53. */
  count(offset: number): number {
    const at = (this.base + offset) >>> 2
    return this.words[at + 1]! * two32 + this.words[at]!
  }

  /** Writes a count; negative ones (offsets) in two's complement. */
  setCount(offset: number, value: number): void {
    const at = (this.base + offset) >>> 2
    const high = Math.floor(value / two32)
    this.words[at] = value - high * two32
    this.words[at + 1] = high
  }

  signedCount(offset: number): number {
    const at = (this.base + offset) >>> 2
    return (this.words[at + 1]! | 0) * two32 + this.words[at]!
  }

  /** Moves PC on to the next instruction. */
  nextInstruction(): void {
    const at = (this.base + STATE.PC) >>> 2
    const low = this.words[at]!
    this.words[at] = low + 4
    if (low >= 0xfffffffc) this.words[at + 1]!++
  }

  // --- how far it is -------------------------------------------------------------------------------------------------

  /** Instructions retired since reset. The one that is executing counts. */
  get retired(): number {
    return this.signedCount(STATE.END) - (this.word(STATE.LEFT) | 0)
  }

  /** Machine time in instructions. */
  get time(): number {
    return this.retired + this.signedCount(STATE.TIME_OFFSET)
  }

  /** Machine time goes on without an instruction, and the run is so much shorter: what a read of a counter takes. */
  spendCounterRead(): void {
    const time = this.word(STATE.COUNTER_READ)
    this.setCount(STATE.END, this.signedCount(STATE.END) - time)
    this.setWord(STATE.LEFT, (this.word(STATE.LEFT) | 0) - time)
    this.setCount(STATE.TIME_OFFSET, this.signedCount(STATE.TIME_OFFSET) + time)
  }

  /** Ends the run after at most `left` more instructions. */
  limit(left: number): void {
    const now = this.word(STATE.LEFT) | 0
    if (left >= now) return
    this.setCount(STATE.END, this.signedCount(STATE.END) - (now - left))
    this.setWord(STATE.LEFT, left)
  }

  /** Ends the run after the current instruction, for this reason. */
  exit(reason: number): void {
    this.setWord(STATE.EXIT, reason)
    this.limit(0)
  }

  // --- PSTATE --------------------------------------------------------------------------------------------------------

  get el(): number {
    return this.word(STATE.EL)
  }

  /** PSTATE as SPSR_EL1 holds it (DDI 0487 C5.2.18). */
  get pstate(): number {
    const mode = this.el === 0 ? 0 : (this.el << 2) | this.word(STATE.SPSEL)
    return (
      ((this.word(STATE.NZCV) << 28) |
        (this.word(STATE.PAN) << 22) |
        (this.word(STATE.SS) << 21) |
        (this.word(STATE.IL) << 20) |
        (this.word(STATE.DAIF) << 6) |
        mode) >>>
      0
    )
  }

  /** Sets NZCV, PAN, IL and DAIF from a saved program status. */
  setStatus(spsr: number): void {
    this.setWord(STATE.NZCV, spsr >>> 28)
    this.setWord(STATE.PAN, (spsr >>> 22) & 1)
    this.setWord(STATE.IL, (spsr >>> 20) & 1)
    this.setWord(STATE.DAIF, (spsr >>> 6) & 15)
  }

  private bankedSp(el: number, spsel: number): number {
    return el === 0 || spsel === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
  }

  /** Moves to an Exception level and stack pointer selection, and works out all that depends on them. */
  setMode(el: number, spsel: number): void {
    this.setQuad(this.bankedSp(this.el, this.word(STATE.SPSEL)), this.quad(STATE.SP))
    this.setWord(STATE.EL, el)
    this.setWord(STATE.SPSEL, spsel)
    this.setQuad(STATE.SP, this.quad(this.bankedSp(el, spsel)))
    this.update()
  }

  /** SP_ELx of any level, current or not. */
  stackPointer(el: 0 | 1): bigint {
    const slot = el === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
    return this.bankedSp(this.el, this.word(STATE.SPSEL)) === slot ? this.quad(STATE.SP) : this.quad(slot)
  }

  setStackPointer(el: 0 | 1, value: bigint): void {
    const slot = el === 0 ? SLOT.SP_EL0 : SLOT.SP_EL1
    this.setQuad(this.bankedSp(this.el, this.word(STATE.SPSEL)) === slot ? STATE.SP : slot, value)
  }

  /** Recomputes what generated code reads instead of SCTLR_EL1, CPACR_EL1 and PSTATE. Call it when any of them changed. */
  update(): void {
    const { el } = this
    const sctlr = this.word(SLOT.SCTLR_EL1)
    this.tlb.select()
    const fpen = (this.word(SLOT.CPACR_EL1) >>> 20) & 3
    this.setWord(STATE.FP_TRAP, fpen === 3 || (fpen === 1 && el !== 0) ? 0 : 1)
    const noZero = el === 0 && (sctlr & SCTLR.DZE) === 0
    this.setWord(STATE.ZERO_TRAP, noZero ? 1 : 0)
    this.setWord(SLOT.DCZID_EL0, noZero ? 0x14 : 4)
    this.setWord(STATE.DIRECT, el !== 0 ? 0xffff : sctlr & SCTLR.UCT ? DIRECT.el0 | DIRECT.uct : DIRECT.el0)
    this.setWord(STATE.SP_ALIGN, sctlr & (el === 0 ? SCTLR.SA0 : SCTLR.SA) ? 15 : 0)
    if (el !== 0 && this.word(STATE.PAN) !== this.word(SLOT.TLB_PAN)) {
      this.setWord(SLOT.TLB_PAN, this.word(STATE.PAN))
      this.tlb.flushEl1()
    }
  }
}
