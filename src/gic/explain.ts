/**
 * What `explain` answers, for either GIC version, and its text form. The gates themselves belong to each version; here is
 * only how they are reported: which to mend first, and in what words.
 */

import type { OutputLine } from './events.ts'
import { causes, type GateReport } from './gates.ts'

/** Whether an interrupt is signalled to a PE, and every gate between the two. */
export interface Explanation {
  /** The interrupt that was asked about. */
  readonly intid: number
  /** The PE that was asked about. */
  readonly cpu: number
  /** Every gate is open: this interrupt is what the CPU is signalled, and what an acknowledge would take. */
  readonly deliverable: boolean
  /** The wire that it is, or would be, signalled on. */
  readonly line: OutputLine
  /** All gates in order; the closed ones say what opens them. */
  readonly gates: readonly GateReport[]
  /** The first closed gate, on the way from the wire to the CPU. */
  readonly closed: GateReport | undefined
  /** The closed gates in the order in which a person mends them: what software set up before a line that is merely low. */
  readonly mend: readonly GateReport[]
  /** One sentence or two for a person: the first to mend, and which others are closed. */
  readonly summary: string
}

/** Name of an interrupt by its kind: SGI 3, PPI 27, SPI 33. */
export function kindOf(intid: number): string {
  if (intid < 16) return `SGI ${intid}`
  if (intid < 32) return `PPI ${intid}`
  if (intid < 1020) return `SPI ${intid}`
  return intid >= 8192 ? `LPI ${intid}` : `INTID ${intid}`
}

/** A priority; Non-secure software with two Security states sees the lower half of all as the whole (IHI 0048 3.8.1, IHI 0069 4.8.6). */
export function priorityName(priority: number, nonSecure: boolean): string {
  const own = `0x${priority.toString(16)}`
  return nonSecure && priority >= 0x80
    ? `${own} (0x${((priority << 1) & 0xff).toString(16)} to Non-secure software)`
    : own
}

/** The closed gates in the order of mending; of one kind of cause, in the order of the walk. */
export function mendingOrder(gates: readonly GateReport[]): GateReport[] {
  return causes.flatMap((cause) => gates.filter((gate) => gate.state === 'closed' && gate.cause === cause))
}

/** Why the first gate to mend is closed, what opens it, and which others are closed too. */
export function causeOf(mend: readonly GateReport[]): string {
  const [first, ...others] = mend
  if (first === undefined) return ''
  const count = others.length === 1 ? 'One more gate is' : `${others.length} more gates are`
  const more = others.length === 0 ? '' : ` ${count} closed: ${others.map(({ gate }) => gate).join(', ')}.`
  return `${first.says}${first.remedy === undefined ? '' : ` ${first.remedy}`}${more}`
}

export function summarise(intid: number, cpu: number, line: OutputLine, gates: readonly GateReport[]): Explanation {
  const closed = gates.find((gate) => gate.state === 'closed')
  const mend = mendingOrder(gates)
  const name = kindOf(intid)
  const summary =
    closed === undefined
      ? `${name} is signalled to CPU ${cpu} as ${line.toUpperCase()}: an acknowledge takes it.`
      : `${name} is not signalled to CPU ${cpu}: ${causeOf(mend)}`
  return { intid, cpu, deliverable: closed === undefined, line, gates, closed, mend, summary }
}

const marks = { open: 'open  ', closed: 'CLOSED', depends: 'waits ' } as const

/** The gates, a line each: the closed ones marked, and those that cannot be decided before others are open. */
export function formatGates(gates: readonly GateReport[]): string[] {
  const width = Math.max(...gates.map(({ gate }) => gate.length))
  return gates.map(({ gate, state, register, field, value, says }) => {
    const where = field === '' ? register : `${register}.${field}`
    return `  ${marks[state]} ${gate.padEnd(width)}  ${where} = 0x${value.toString(16)}: ${says}`
  })
}

/** The explanation as lines of text: the summary, then a line a gate. */
export function formatExplanation({ summary, gates }: Explanation): string[] {
  return [summary, ...formatGates(gates)]
}
