/**
 * The divergences of a replay as they are found: counted all, kept as many as were asked for, each with the events before
 * it and the reason. It decides nothing: what diverges is the replay's to say.
 */

import type { Divergence, OutputLevel } from './divergence.ts'
import type { AccessEvent, SystemRegisterEvent, TraceEvent } from './event.ts'
import { formatEvent, hex64 } from './format.ts'
import { involvedInterrupts } from './involved.ts'
import type { DecodedRegister, Explanation, ReplayMachine } from './machine.ts'

/** Most interrupts that one divergence explains. */
const mostExplanations = 8

/** What our side answered to a read. */
export interface Answer {
  /** The register, where the machine knows no better name for it. */
  name: string
  low: number
  high: number
  /** Why the model refused the access; empty when it did not. */
  refused: string
  explanations: Explanation[]
}

export class Findings {
  readonly kept: Divergence[] = []
  /** How many events before a divergence are kept with it. */
  readonly contextLength: number
  count = 0

  readonly #machine: ReplayMachine
  readonly #limit: number
  /** The latest events that are over, as a ring. */
  readonly #ring: (TraceEvent | undefined)[]
  #next = 0
  /** By CPU: the divergence whose cause the next acknowledge will name. */
  readonly #unnamed = new Map<number, Divergence>()

  constructor(machine: ReplayMachine, contextLength: number, limit: number) {
    this.#machine = machine
    this.contextLength = contextLength
    this.#limit = limit
    this.#ring = new Array(contextLength).fill(undefined)
  }

  /** Whether no more are kept, so that reasons need not be looked for. */
  get full(): boolean {
    return this.kept.length >= this.#limit
  }

  /** Takes an event into the context of later divergences. */
  remember(event: TraceEvent): void {
    if (this.contextLength === 0) return
    this.#ring[this.#next] = event
    this.#next = (this.#next + 1) % this.contextLength
  }

  /** A read that returned something else than the recorded machine's. */
  read(event: AccessEvent | SystemRegisterEvent, number: number, ours: Answer): void {
    this.count++
    if (this.full) return
    const recorded = this.#decode(event, event.low, event.high)
    this.kept.push({
      line: event.line,
      event: number,
      text: formatEvent(event),
      kind: 'read',
      what: recorded?.name ?? ours.name,
      recorded: { value: hex64(event.low, event.high), fields: recorded?.fields ?? {} },
      ours: { value: hex64(ours.low, ours.high), fields: this.#decode(event, ours.low, ours.high)?.fields ?? {} },
      ...(ours.refused === '' ? {} : { refused: ours.refused }),
      before: this.#context(),
      explanations: ours.explanations,
    })
  }

  /** An event after which outputs changed otherwise than recorded. */
  outputs(cause: TraceEvent, number: number, outputs: OutputLevel[]): void {
    this.count++
    if (this.full) return
    const explanations: Explanation[] = []
    for (const cpu of new Set(outputs.map((output) => output.cpu))) {
      const intids = involvedInterrupts(cause, cpu, this.#machine.description.version)
      explanations.push(...this.explain([...intids, this.#machine.highestPending(cpu)], cpu))
    }
    const divergence: Divergence = {
      line: cause.line,
      event: number,
      text: formatEvent(cause),
      kind: 'output',
      what: 'outputs',
      outputs,
      before: this.#context(),
      explanations: explanations.slice(0, mostExplanations),
    }
    this.kept.push(divergence)
    for (const { cpu, recorded, ours } of outputs) if (recorded === 1 && ours !== 1) this.#unnamed.set(cpu, divergence)
  }

  /**
   * Takes note of an acknowledge, just before it is applied. An output that only the recorded machine raised does not say
   * for which interrupt; what its CPU takes next does.
   */
  acknowledge(cpu: number, intid: number, line: number): void {
    if (this.#unnamed.size === 0) return
    const divergence = this.#unnamed.get(cpu)
    if (divergence === undefined || (intid >= 1020 && intid <= 1023)) return
    this.#unnamed.delete(cpu)
    divergence.acknowledged ??= { cpu, intid, line }
    if (divergence.explanations.some((known) => known.intid === intid && known.cpu === cpu)) return
    if (divergence.explanations.length < mostExplanations) divergence.explanations.push(...this.explain([intid], cpu))
  }

  /** Explains the interrupts that values of an acknowledge register name; the special ones (1020 to 1023) name none. */
  explain(values: readonly number[], cpu: number): Explanation[] {
    // GICC_IAR holds the source of an SGI above its INTID; a system register holds a wider INTID.
    const { version } = this.#machine.description
    const intids = new Set(values.map((value) => (version === 2 ? value & 0x3ff : value)))
    const found: Explanation[] = []
    for (const intid of intids) {
      if (intid >= 1020 && intid <= 1023) continue
      const explanation = this.#machine.explain(intid, cpu)
      if (explanation !== undefined) found.push(explanation)
    }
    return found
  }

  #decode(event: AccessEvent | SystemRegisterEvent, low: number, high: number): DecodedRegister | undefined {
    return 'register' in event
      ? this.#machine.describeRegister(event.register, low, high)
      : this.#machine.describe(event.region, event.offset, low, high)
  }

  #context(): { line: number; text: string }[] {
    const found: { line: number; text: string }[] = []
    for (let i = 0; i < this.contextLength; i++) {
      const event = this.#ring[(this.#next + i) % this.contextLength]
      if (event !== undefined) found.push({ line: event.line, text: formatEvent(event) })
    }
    return found
  }
}
