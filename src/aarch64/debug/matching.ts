/**
 * What a breakpoint or a watchpoint matches (DDI 0487 D2.8, D2.9): comparisons of its two registers with an address, a page or an access.
 * Whether debug exceptions are enabled is not asked here, and nothing is taken. EL2, EL3 and Secure state are not there, so a
 * breakpoint or watchpoint that names them (HMC or SSC not 0) is a reserved one, which behaves as disabled.
 */
import { type Cpu, SLOT } from '../state/cpu.ts'

/** As ID_AA64DFR0_EL1 says; the context-aware ones are the last. */
export const BREAKPOINTS = 6
export const CONTEXT_AWARE = 2
export const WATCHPOINTS = 4

const two32 = 2 ** 32
const pageBytes = 4096

const E = 1
/** HMC and SSC, in the same place of both control registers. */
const beyond = 0xe000
const unlinkedContext = 2
const linkedContext = 3

/** Bits 48:0 of an address, which is all that is compared: a number. */
export function compared(low: number, high: number): number {
  return (high & 0x1ffff) * two32 + (low >>> 0)
}

const bcr = (cpu: Cpu, n: number): number => cpu.word(SLOT.BREAKPOINTS + 16 * n + 8)
const wcr = (cpu: Cpu, n: number): number => cpu.word(SLOT.WATCHPOINTS + 16 * n + 8)

/** E, and the privilege control (PMC or PAC, bits 2:1, of which bit 0 is EL1 and bit 1 EL0). */
function isEnabledAt(control: number, el: number): boolean {
  return (control & (E | beyond)) === E && (control & (el === 0 ? 4 : 2)) !== 0
}

/** Whether a breakpoint is one of context with this BT, and CONTEXTIDR_EL1 has what it names. */
function matchesContext(cpu: Cpu, n: number, type: number): boolean {
  const control = bcr(cpu, n)
  return (
    n >= BREAKPOINTS - CONTEXT_AWARE &&
    n < BREAKPOINTS &&
    ((control >>> 20) & 15) === type &&
    cpu.word(SLOT.BREAKPOINTS + 16 * n) === cpu.word(SLOT.CONTEXTIDR_EL1)
  )
}

/** LBN names a breakpoint that is enabled and matches as Linked Context ID. */
function linkMatches(cpu: Cpu, control: number): boolean {
  const n = (control >>> 16) & 15
  return matchesContext(cpu, n, linkedContext) && (bcr(cpu, n) & E) !== 0
}

/** Breakpoints with E set, as bits. */
export function enabledBreakpoints(cpu: Cpu): number {
  let set = 0
  for (let n = 0; n < BREAKPOINTS; n++) set |= (bcr(cpu, n) & E) << n
  return set
}

export function enabledWatchpoints(cpu: Cpu): number {
  let set = 0
  for (let n = 0; n < WATCHPOINTS; n++) set |= (wcr(cpu, n) & E) << n
  return set
}

/** Whether a breakpoint could match an instruction of this page at `el`, whatever the context is then. */
export function breakpointInPage(cpu: Cpu, low: number, high: number, el: number): boolean {
  const page = compared(low & ~(pageBytes - 1), high)
  for (let n = 0; n < BREAKPOINTS; n++) {
    const control = bcr(cpu, n)
    if (!isEnabledAt(control, el)) continue
    const type = (control >>> 20) & 15
    if (type === unlinkedContext && n >= BREAKPOINTS - CONTEXT_AWARE) return true
    const value = SLOT.BREAKPOINTS + 16 * n
    if (type <= 1 && compared(cpu.word(value) & ~(pageBytes - 1), cpu.word(value + 4)) === page) return true
  }
  return false
}

/** Pseudocode AArch64.BreakpointMatch over all of them, for the instruction at an address. */
export function breakpointMatches(cpu: Cpu, low: number, high: number, el: number): boolean {
  const address = compared(low, high)
  for (let n = 0; n < BREAKPOINTS; n++) {
    const control = bcr(cpu, n)
    if (!isEnabledAt(control, el)) continue
    const type = (control >>> 20) & 15
    if (type === unlinkedContext && matchesContext(cpu, n, unlinkedContext)) return true
    const value = SLOT.BREAKPOINTS + 16 * n
    if (type > 1 || compared(cpu.word(value) & ~3, cpu.word(value + 4)) !== address) continue
    if (type === 0 || linkMatches(cpu, control)) return true
  }
  return false
}

/** First and last address that a watchpoint watches. */
const range = { first: 0, last: -1 }

/** Fills `range` with what watchpoint `n` watches, which is nothing for a BAS of 0. */
function watchedBy(cpu: Cpu, n: number): void {
  const control = wcr(cpu, n)
  const value = SLOT.WATCHPOINTS + 16 * n
  const address = compared(cpu.word(value), cpu.word(value + 4))
  const mask = (control >>> 24) & 31
  // MASK of 1 and 2 are reserved, and behave as none.
  if (mask > 2) {
    const bytes = 2 ** mask
    range.first = Math.floor(address / bytes) * bytes
    range.last = range.first + bytes - 1
    return
  }
  // BAS selects bytes of the doubleword, or of the word when bit 2 of the address is set. What it selects is contiguous.
  const select = (control >>> 5) & (address & 4 ? 0x0f : 0xff)
  range.first = select === 0 ? Number.POSITIVE_INFINITY : address + 31 - Math.clz32(select & -select)
  range.last = address + 31 - Math.clz32(select)
}

/** Whether a watchpoint could match an access to this page, done at `el` or as if at it. */
export function watchpointInPage(cpu: Cpu, low: number, high: number, el: number): boolean {
  const page = compared(low & ~(pageBytes - 1), high)
  for (let n = 0; n < WATCHPOINTS; n++) {
    if (!isEnabledAt(wcr(cpu, n), el)) continue
    watchedBy(cpu, n)
    if (range.first < page + pageBytes && range.last >= page) return true
  }
  return false
}

/** Kinds of accesses, as DBGWCR<n>_EL1.LSC has them. */
export const LOAD = 1
export const STORE = 2

/** What `watchpointMatches` found of the access: how far the address for FAR_EL1 is into it, and whether its load alone would match. */
export const hit = { offset: 0, load: false }

/**
 * Pseudocode AArch64.WatchpointMatch over all of them, for an access of `bytes` at an address, which is done at `el` or as if at it.
 * `kinds` are both for an atomic.
 */
export function watchpointMatches(
  cpu: Cpu,
  low: number,
  high: number,
  bytes: number,
  kinds: number,
  el: number,
): boolean {
  const first = compared(low, high)
  let found = false
  hit.load = false
  for (let n = 0; n < WATCHPOINTS; n++) {
    const control = wcr(cpu, n)
    const matched = kinds & (control >>> 3) & 3
    if (matched === 0 || !isEnabledAt(control, el)) continue
    watchedBy(cpu, n)
    if (range.first >= first + bytes || range.last < first) continue
    if (control & (1 << 20) && !linkMatches(cpu, control)) continue
    if (!found) hit.offset = Math.max(0, range.first - first)
    found = true
    if (matched & LOAD) hit.load = true
  }
  return found
}
