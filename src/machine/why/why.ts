/**
 * Why an interrupt of the machine is not taken, from end to end: the gates of its source, those of the GIC (`gic.explain`), and
 * those of the PE, in one chain with one summary that names what to mend first. It changes nothing.
 */

import type { Cluster } from '../../aarch64/index.ts'
import { causeOf, type Explanation, type GateReport, kindOf, mendingOrder } from '../../gic/index.ts'
import type { InterruptSource, SourceGate } from '../../mmio/index.ts'
import { type PowerStory, peGates } from './pe-gates.ts'
import type { Symbols } from './symbols.ts'

/** What the chain is made of; the machine is one. */
export interface Chain {
  readonly cluster: Cluster
  readonly gic: { explain(intid: number, cpu: number): Explanation }
  /** The device whose line is that interrupt, where one is known. */
  interruptSource(intid: number, cpu: number): InterruptSource | undefined
  /** Whether anything on the board could drive the line of that interrupt. */
  isWired(intid: number): boolean
  power(cpu: number): PowerStory
  readonly symbols: Symbols | undefined
}

/** `deliverable` is of the whole chain: the CPU takes the interrupt at its next instruction. */
export function explainChain(chain: Chain, intid: number, cpu: number): Explanation {
  const gic = chain.gic.explain(intid, cpu)
  const source = chain.interruptSource(intid, cpu)
  const pe = peGates(chain.cluster, cpu, gic.line, chain.power(cpu), chain.symbols)
  const gates = [...withSource(source, chain.isWired(intid) ? gic.gates : withoutSource(gic.gates)), ...pe]
  const mend = mendingOrder(gates)
  const closed = gates.find((gate) => gate.state === 'closed')
  const name = `${kindOf(intid)}${source === undefined ? '' : ` (${source.name})`}`
  const line = gic.line.toUpperCase()
  const summary =
    closed === undefined
      ? `${name} is signalled to CPU ${cpu} as ${line}, and the CPU takes it at its next instruction.`
      : gic.deliverable
        ? `${name} is signalled to CPU ${cpu} as ${line}, but the CPU does not take it: ${causeOf(mend)}`
        : `${name} is not signalled to CPU ${cpu}: ${causeOf(mend)}`
  return { ...gic, deliverable: closed === undefined, gates, closed, mend, summary }
}

/** A line that nothing on the board drives stays low: the wrong INTID, most likely, and software alone can make it pending. */
function withoutSource(gates: readonly GateReport[]): GateReport[] {
  return gates.map((gate) => {
    if (gate.gate !== 'pending' || gate.state !== 'closed') return gate
    const says = `${gate.says.replace(/\.$/, '')}, and nothing on this board drives it.`
    const remedy = "See the device tree for the device's INTID (an SPI there counts from 32, a PPI from 16)."
    return { ...gate, cause: 'absent', says, remedy }
  })
}

/**
 * A source counts as long as the interrupt is not pending: what is pending already waits for nobody. A line that is low is not
 * the cause where its source says why it is.
 */
function withSource(source: InterruptSource | undefined, gates: readonly GateReport[]): GateReport[] {
  const own = source?.interruptGates() ?? []
  const pending = gates.find(({ gate }) => gate === 'pending')
  if (pending === undefined || pending.state !== 'closed') {
    const quiet = own.some(({ open }) => !open)
    return [...(quiet ? [] : own.map(reportOf)), ...gates]
  }
  const closed = own.filter(({ open }) => !open).map(({ gate }) => gate)
  if (closed.length === 0) return [...own.map(reportOf), ...gates]
  const waits = { ...pending, state: 'depends', waitsFor: closed, remedy: undefined } as const
  return [...own.map(reportOf), ...gates.map((gate) => (gate === pending ? waits : gate))]
}

function reportOf(gate: SourceGate): GateReport {
  return {
    ...gate,
    remedy: gate.open ? undefined : gate.remedy,
    state: gate.open ? 'open' : 'closed',
    waitsFor: [],
    actions: [],
  }
}
