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

/** Name of an interrupt by its kind: SGI 3, PPI 27, SPI 33, and of the extended ranges EPPI 1056, ESPI 4096. */
export function kindOf(intid: number): string {
  if (!Number.isInteger(intid) || intid < 0) return `INTID ${intid}`
  if (intid < 16) return `SGI ${intid}`
  if (intid < 32) return `PPI ${intid}`
  if (intid < 1020) return `SPI ${intid}`
  if (intid >= 1056 && intid < 1120) return `EPPI ${intid}`
  if (intid >= 4096 && intid < 5120) return `ESPI ${intid}`
  return intid >= 8192 ? `LPI ${intid}` : `INTID ${intid}`
}

/** Why no GIC has such an interrupt; undefined where one could have it (IHI 0069 2.2). */
export function neverThere(intid: number): string | undefined {
  if (!Number.isInteger(intid) || intid < 0) return 'an INTID is a whole number from 0 on.'
  if (intid >= 1020 && intid < 1024)
    return 'INTIDs 1020 to 1023 are no interrupts: an acknowledge register gives them where it has none to give.'
  const reserved = [
    [1024, 1055],
    [1120, 4095],
    [5120, 8191],
  ].find(([first, last]) => intid >= first! && intid <= last!)
  return reserved && `INTIDs ${reserved[0]} to ${reserved[1]} are reserved: no interrupt has them.`
}

/** A priority; Non-secure software with two Security states sees the lower half of all as the whole (IHI 0048 3.8.1, IHI 0069 4.8.6). */
export function priorityName(priority: number, nonSecure: boolean): string {
  const own = `0x${priority.toString(16)}`
  return nonSecure && priority >= 0x80
    ? `${own} (0x${((priority << 1) & 0xff).toString(16)} to Non-secure software)`
    : own
}

/** The best priority that software can give to an interrupt: Non-secure software has the lower half of all. */
export function bestOf(nonSecure: boolean): number {
  return nonSecure ? 0x80 : 0
}

/**
 * What else lets an interrupt preempt one that runs at `running`, as far as it can: a priority whose group priority, by `mask`, is
 * better, and a binary point as fine as `finest` in place of `mask`.
 */
export function preemptionAlternatives(
  running: number,
  { priority, best, mask, finest }: { priority: number; best: number; mask: number; finest: number },
  point: string,
): string {
  const ways: string[] = []
  if ((best & mask) < (running & mask)) ways.push('give this one a better priority')
  if (mask !== finest && (priority & finest) < (running & finest)) ways.push(`make ${point} finer`)
  return ways.length === 0 ? '' : `; or ${ways.join(', or ')}`
}

/** What runs, and what would preempt it: `mask` is the part of a priority that counts for that. */
export function runningTold(what: string, running: number, priority: number, mask: number): string {
  const hex = (value: number) => `0x${value.toString(16)}`
  const limit = running & mask
  const own = `its own group priority is ${hex(priority & mask)}`
  return limit === 0
    ? `${what} runs at priority ${hex(running)}, whose group priority is 0: nothing preempts it.`
    : `${what} runs at priority ${hex(running)}; ${own}, and only values below ${hex(limit)} preempt.`
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
