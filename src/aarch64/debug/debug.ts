/**
 * Self-hosted debug of one CPU (DDI 0487 D2): the state machine of software step, and where breakpoints and watchpoints are taken.
 * Nothing looks at single instructions while nothing is armed. A page with a breakpoint has no execute tag in the TLB, and one with a
 * watchpoint no tags for data, so that whoever gets there leaves generated code; the instructions of such a page, and those
 * that are stepped, run one at a time.
 */
import { type Cpu, SLOT } from '../state/cpu.ts'
import { EXIT, STATE } from '../state/state.ts'
import { EC, takeAbort, takeFrom } from '../system/exceptions.ts'
import { generatesDebugExceptions, isLocked, MDSCR } from './enabled.ts'
import {
  breakpointInPage,
  breakpointMatches,
  compared,
  enabledBreakpoints,
  enabledWatchpoints,
  hit,
  LOAD,
  STORE,
  watchpointInPage,
  watchpointMatches,
} from './matching.ts'

/** The fault status of all debug exceptions. */
const debugEvent = 0x22
const ISV = 1 << 24
const EX = 1 << 6

/** Load-Exclusive: LDXR, LDAXR, LDXP and LDAXP, of which the pairs have bit 31, or they would be CASP. */
function isLoadExclusive(opcode: number): boolean {
  return (opcode & 0x3fc00000) === 0x08400000 && ((opcode & 0x00200000) === 0 || opcode >>> 31 === 1)
}

/** What stands before an instruction: nothing; it must run alone; or an exception was taken instead. */
export const BEFORE = { nothing: 0, alone: 1, taken: 2 } as const

/** What debug needs of memory. */
export interface Fetching {
  /** Makes the page of STATE.PC fetchable, or takes the exception that says why not and is false. */
  prepareFetch(cpu: Cpu): boolean
  /** The instruction at STATE.PC, or 0 when it cannot be fetched. */
  opcode(cpu: Cpu): number
}

export class Debug {
  private readonly cpu: Cpu
  private readonly fetching: Fetching
  /** MDSCR_EL1.SS, while no lock holds debug exceptions back. */
  private steps = false
  /** Enabled breakpoints and watchpoints as bits, while MDSCR_EL1.MDE is set and no lock is. */
  private breakpoints = 0
  private watchpoints = 0
  /** The page with breakpoints that the one instruction may be fetched from, as `compared` has it; -1 for none. */
  private permitted = -1
  private stepping = false
  private exceptionsBefore = 0
  private exclusive = false

  constructor(cpu: Cpu, fetching: Fetching) {
    this.cpu = cpu
    this.fetching = fetching
  }

  /** Whether `before` has anything to say. */
  get active(): boolean {
    return this.steps || this.breakpoints !== 0
  }

  /** Whether a page may be kept out of the TLB. */
  get watches(): boolean {
    return (this.breakpoints | this.watchpoints) !== 0
  }

  /** Follows the debug registers: call it when one of them changed. The CPU is in the middle of an instruction, or not running. */
  update(): void {
    const { cpu } = this
    const mdscr = isLocked(cpu) ? 0 : cpu.word(SLOT.MDSCR_EL1)
    const { watches } = this
    this.breakpoints = mdscr & MDSCR.MDE ? enabledBreakpoints(cpu) : 0
    this.watchpoints = mdscr & MDSCR.MDE ? enabledWatchpoints(cpu) : 0
    if (watches || this.watches) cpu.tlb.flushAll()
    cpu.setWord(STATE.WATCHES, this.watches ? 1 : 0)
    this.steps = (mdscr & MDSCR.SS) !== 0
    if (!this.steps) cpu.setWord(STATE.STEPPED, 0)
    const waits = this.steps && mdscr & MDSCR.KDE ? 8 : 0
    cpu.setWord(STATE.LINES, (cpu.word(STATE.LINES) & 7) | waits)
    if (this.steps) cpu.limit(0)
  }

  private get enabled(): boolean {
    return generatesDebugExceptions(this.cpu, this.cpu.el, this.cpu.word(STATE.DAIF))
  }

  // --- before and after an instruction -------------------------------------------------------------------------------------

  /** The order of exceptions is that of DDI 0487 D1.13.4: Software Step, then the fetch's, then Breakpoint. */
  before(): number {
    const { cpu } = this
    const enabled = this.enabled
    this.stepping = this.steps && enabled
    if (!this.stepping) cpu.setWord(STATE.STEPPED, 0)
    else if (cpu.word(STATE.SS) === 0) {
      // Active-pending.
      takeFrom(cpu, EC.stepLower, debugEvent | cpu.word(STATE.STEPPED))
      cpu.setWord(STATE.STEPPED, 0)
      return BEFORE.taken
    }
    const low = cpu.word(STATE.PC)
    const high = cpu.word(STATE.PC + 4)
    const inPage = this.breaksIn(low, high, cpu.el)
    if (!inPage && !this.stepping) return BEFORE.nothing
    if (inPage) {
      this.permitted = compared(low & ~0xfff, high)
      if (!this.fetching.prepareFetch(cpu)) return this.taken()
      if (enabled && breakpointMatches(cpu, low, high, cpu.el)) {
        takeFrom(cpu, EC.breakpointLower, debugEvent)
        return this.taken()
      }
    }
    this.exceptionsBefore = cpu.exceptions
    this.exclusive = this.stepping && isLoadExclusive(this.fetching.opcode(cpu))
    return BEFORE.alone
  }

  private taken(): number {
    this.revoke()
    return BEFORE.taken
  }

  /** Takes back what `before` made fetchable. */
  revoke(): void {
    if (this.permitted < 0) return
    this.cpu.tlb.dropEntry(this.permitted >>> 0)
    this.permitted = -1
  }

  /** After an instruction that ran alone. */
  after(): void {
    const { cpu } = this
    this.revoke()
    if (!this.stepping || cpu.exceptions !== this.exceptionsBefore) return
    cpu.setWord(STATE.SS, 0)
    cpu.setWord(STATE.STEPPED, ISV | (this.exclusive ? EX : 0))
    // A stepped WFI, WFE or YIELD does not give up the CPU: the Software Step exception is due at once.
    const reason = cpu.word(STATE.EXIT)
    if (reason === EXIT.wfi || reason === EXIT.wfe || reason === EXIT.yield) cpu.setWord(STATE.EXIT, EXIT.budget)
  }

  // --- pages and accesses --------------------------------------------------------------------------------------------------

  /** Whether a fetch from this page at `el` leaves generated code, even when it is mapped. */
  stopsFetch(low: number, high: number, el: number): boolean {
    return this.breaksIn(low, high, el) && compared(low & ~0xfff, high) !== this.permitted
  }

  private breaksIn(low: number, high: number, el: number): boolean {
    return this.breakpoints !== 0 && this.reaches(el) && breakpointInPage(this.cpu, low, high, el)
  }

  /** Whether data of this page is accessed by the slow path alone, at `el` or as if at it. */
  watchesData(low: number, high: number, el: number): boolean {
    // An unprivileged access of EL1 is looked up as EL0's.
    return this.watchpoints !== 0 && (el === 0 || this.reaches(el)) && watchpointInPage(this.cpu, low, high, el)
  }

  private reaches(el: number): boolean {
    return el === 0 || (this.cpu.word(SLOT.MDSCR_EL1) & MDSCR.KDE) !== 0
  }

  /** Takes the Watchpoint exception of an access that may be done; false if there is none. `el` is 0 for an unprivileged access. */
  watchpoint(low: number, high: number, bytes: number, write: boolean, atomic: boolean, el: number): boolean {
    if (this.watchpoints === 0 || !this.enabled) return false
    const { cpu } = this
    const kinds = atomic ? LOAD | STORE : write ? STORE : LOAD
    if (!watchpointMatches(cpu, low, high, bytes, kinds, el)) return false
    const far = low + hit.offset
    const wnr = atomic ? !hit.load : write
    takeAbort(
      cpu,
      EC.watchpointLower,
      debugEvent | (wnr ? 0x40 : 0),
      far >>> 0,
      far >= 2 ** 32 ? (high + 1) >>> 0 : high,
    )
    cpu.setWord(STATE.FAULT, 1)
    return true
  }
}
