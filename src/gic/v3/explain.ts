/**
 * Why an interrupt of a GICv3 is, or is not, signalled: the gates of delivery, in order, each asked for one interrupt and one
 * PE. The gates are in `gates-*.ts`, what opens them in `actions.ts`.
 */

import { type Explanation, neverThere, summarise } from '../explain.ts'
import { askGates, type Gate } from '../gates.ts'
import { advice } from '../remedy.ts'
import { isFiq } from './delivery.ts'
import { typer } from './distributor-control.ts'
import { bankGates } from './gates-banks.ts'
import { interfaceGates } from './gates-interface.ts'
import { lpiGates } from './gates-lpis.ts'
import { FIRST_EPPI, FIRST_ESPI } from './irqs.ts'
import type { GicV3State } from './state.ts'
import { type Subject, subjectOf } from './subject.ts'

/** The field that tells software how far the INTIDs of this one's kind go. */
function rangeOf({ gic, lpi, intid }: Subject): { register: string; field: string; value: number } {
  const value = typer(gic)
  if (lpi) return { register: 'GICD_TYPER', field: 'IDbits', value: (value >>> 19) & 31 }
  if (intid >= FIRST_ESPI) return { register: 'GICD_TYPER', field: 'ESPI_range', value: value >>> 27 }
  if (intid >= FIRST_EPPI) return { register: 'GICR_TYPER', field: 'PPInum', value: gic.config.extendedPpis / 32 }
  return { register: 'GICD_TYPER', field: 'ITLinesNumber', value: value & 31 }
}

const existsGate: Gate<Subject> = {
  name: 'exists',
  cause: 'absent',
  open: (s) => (s.lpi ? s.intid < s.gic.lpiEnd : s.gic.irqs.exists(s.intid)),
  report: (s, open) => ({
    ...rangeOf(s),
    says: open ? 'the interrupt exists.' : (neverThere(s.intid) ?? 'this GIC has no such INTID.'),
  }),
  remedy: (s) =>
    advice(
      neverThere(s.intid) === undefined
        ? 'Configure the GIC with it, or use another one.'
        : 'Ask for the interrupt that you expect.',
    ),
}

const gatesOfBanks = [existsGate, ...bankGates, ...interfaceGates]
const gatesOfLpis = [existsGate, ...lpiGates, ...interfaceGates]

export function gatesOf(subject: Subject): readonly Gate<Subject>[] {
  return subject.lpi ? gatesOfLpis : gatesOfBanks
}

/** Whether every gate is open: of all interrupts, the one that is signalled. */
export function isDeliverable(gic: GicV3State, intid: number, pe: number): boolean {
  const subject = subjectOf(gic, intid, pe)
  return gatesOf(subject).every((gate) => gate.open(subject))
}

export function explainInterrupt(gic: GicV3State, intid: number, pe: number): Explanation {
  const subject = subjectOf(gic, intid, pe)
  const reports = askGates(existsGate.open(subject) ? gatesOf(subject) : [existsGate], subject)
  return summarise(intid, pe, isFiq(gic, subject.cpu, subject.group) ? 'fiq' : 'irq', reports)
}
