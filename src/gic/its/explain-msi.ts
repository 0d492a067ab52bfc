/**
 * Why an MSI reaches a PE's Redistributor, or does not: the links from GITS_TRANSLATER to the PE, in order, as gates. The
 * walk is the one that MSIs take (`translate.ts`); what is added here is words. From the LPI on, the GIC's own `explain` goes on.
 */

import type { GateReport } from '../gates.ts'
import { newQueue, takesCommands } from './actions.ts'
import { commandOf } from './commands.ts'
import type { Its } from './its.ts'
import { links, type Subject } from './links.ts'
import { fetchCommand } from './queue.ts'
import { Reason } from './reasons.ts'
import { COMMAND_SIZE } from './verdicts.ts'

const hex = (value: number) => `0x${value.toString(16)}`

/** Where a message goes: every link from the device table to the PE, open or closed. */
export interface MsiExplanation {
  /** The device that was asked about. */
  readonly deviceId: number
  /** The event that was asked about. */
  readonly eventId: number
  /** Every link is there: the MSI makes LPI `intid` pending on PE `pe`. */
  readonly mapped: boolean
  /** As far as the links that are there tell. */
  readonly intid: number | undefined
  /** Where its LPI goes; undefined where the way ends before. */
  readonly pe: number | undefined
  /** The links up to the first that is missing. */
  readonly gates: readonly GateReport[]
  /** Where the way ends; undefined where it does not. */
  readonly closed: GateReport | undefined
  /** One sentence for a person. */
  readonly summary: string
}

/** Follows an MSI of `deviceId` with `eventId` (both unsigned 32-bit) through the ITS, without sending it. */
export function explainMsi(its: Its, deviceId: number, eventId: number): MsiExplanation {
  const subject = look(its, deviceId, eventId)
  const gates: GateReport[] = []
  for (const link of links) {
    const open = !link.closedBy.includes(subject.reason)
    const { fix, ...report } = link.report(subject, open)
    const actions = open ? [] : link.actions(subject)
    const queue = actions.some((action) => action.do === 'command') && !takesCommands(its) ? newQueue(its) : []
    gates.push({
      gate: link.name,
      open,
      state: open ? 'open' : 'closed',
      waitsFor: [],
      cause: 'configuration',
      actions: [...queue, ...actions],
      ...report,
      remedy: open ? undefined : link.byCommand ? fix + queueHint(its) : fix,
    })
    if (!open) break
  }
  const closed = gates.find((gate) => !gate.open)
  const what = `EventID ${hex(eventId)} of DeviceID ${hex(deviceId)}`
  const mapped = closed === undefined
  const knowsIntid = mapped || gates.some(({ gate, open }) => gate === 'event mapped' && open)
  return {
    deviceId,
    eventId,
    mapped,
    intid: knowsIntid ? subject.intid : undefined,
    pe: mapped ? subject.pe : undefined,
    gates,
    closed,
    summary: mapped
      ? `${what} is LPI ${subject.intid} on PE ${subject.pe}.`
      : `${what} reaches no PE: ${closed.says} ${closed.remedy}`,
  }
}

/** What keeps commands that may be there from taking effect. */
function queueHint(its: Its): string {
  const offset = hex(its.creadr)
  if (its.stalled)
    return ` The command queue is stalled at offset ${offset}: correct that command, and set GITS_CWRITER.Retry.`
  if (its.creadr === its.cwriter) return notPassed(its)
  if (its.cbaser[1]! >= 0) return ' Commands wait, but GITS_CBASER.Valid is 0.'
  return ` Commands wait from offset ${offset} on: read GITS_CREADR until it is ${hex(its.cwriter)}.`
}

/** The queue is empty, but a command that was never executed stands where the next one is to be. */
function notPassed(its: Its): string {
  const { creadr, queueBase, queueSize } = its
  const words = new Int32Array(8)
  if (its.cbaser[1]! >= 0 || creadr >= queueSize || !fetchCommand(its, queueBase + creadr, words)) return ''
  const command = commandOf(words)
  if (command === undefined || its.verdicts.of(creadr, words) !== undefined) return ''
  const next = hex((creadr + COMMAND_SIZE) % queueSize)
  return ` ${command.name} stands at offset ${hex(creadr)} of the queue, where GITS_CWRITER has not passed it: write ${next} there, or as far as the commands go.`
}

/** The explanation as lines of text: the summary, then a line a link. */
export function formatMsiExplanation({ summary, gates }: MsiExplanation): string[] {
  const width = Math.max(...gates.map(({ gate }) => gate.length))
  return [
    summary,
    ...gates.map(
      ({ gate, open, register, field, value, says }) =>
        `  ${open ? 'open  ' : 'CLOSED'} ${gate.padEnd(width)}  ${register}.${field} = ${hex(value)}: ${says}`,
    ),
  ]
}

function look(its: Its, deviceId: number, eventId: number): Subject {
  const { translation } = its
  const reason = its.lookup(deviceId, eventId)
  const { deviceEntry, translationEntry, collectionEntry, entries } = translation
  return {
    its,
    deviceId,
    eventId,
    reason,
    dte: deviceEntry,
    ite: translationEntry,
    cte: collectionEntry,
    eventBits: translation.usableEventBits(),
    intid: reason === Reason.eventUnmapped ? 0 : entries.intid,
    icid: entries.icid,
    pe: entries.pe,
  }
}
