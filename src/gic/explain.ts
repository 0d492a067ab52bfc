/**
 * What `explain` answers, for either GIC version, and its text form. The gates themselves belong to each version; here is
 * only how they are reported.
 */

import type { OutputLine } from './events.ts'
import type { GateReport } from './gates.ts'

export interface Explanation {
  readonly intid: number
  readonly cpu: number
  /** Every gate is open: this interrupt is what the CPU is signalled, and what an acknowledge would take. */
  readonly deliverable: boolean
  /** The wire that it is, or would be, signalled on. */
  readonly line: OutputLine
  /** All gates in order; the closed ones say what opens them. */
  readonly gates: readonly GateReport[]
  /** The first closed gate. */
  readonly closed: GateReport | undefined
  /** One sentence for a person. */
  readonly summary: string
}

/** Name of an interrupt by its kind: SGI 3, PPI 27, SPI 33. */
export function kindOf(intid: number): string {
  if (intid < 16) return `SGI ${intid}`
  if (intid < 32) return `PPI ${intid}`
  if (intid < 1020) return `SPI ${intid}`
  return intid >= 8192 ? `LPI ${intid}` : `INTID ${intid}`
}

export function summarise(intid: number, cpu: number, line: OutputLine, gates: readonly GateReport[]): Explanation {
  const closed = gates.find((gate) => !gate.open)
  const name = kindOf(intid)
  const summary =
    closed === undefined
      ? `${name} is signalled to CPU ${cpu} as ${line.toUpperCase()}: an acknowledge takes it.`
      : `${name} is not signalled to CPU ${cpu}: ${closed.says}${closed.remedy === undefined ? '' : ` ${closed.remedy}`}`
  return { intid, cpu, deliverable: closed === undefined, line, gates, closed, summary }
}

/** The explanation as lines of text: the summary, then a line a gate. */
export function formatExplanation(explanation: Explanation): string[] {
  const width = Math.max(...explanation.gates.map(({ gate }) => gate.length))
  const lines = [explanation.summary]
  for (const { gate, open, register, field, value, says } of explanation.gates) {
    const where = field === '' ? register : `${register}.${field}`
    lines.push(`  ${open ? 'open  ' : 'CLOSED'} ${gate.padEnd(width)}  ${where} = 0x${value.toString(16)}: ${says}`)
  }
  return lines
}
