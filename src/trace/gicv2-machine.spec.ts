/**
 * A real Linux boot on the GICv2 of this package: every read and every output as the recorded machine had them. And the
 * reverse: wherever the trace or the machine is tampered with, the replay says so, at the right line.
 */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { TraceEvent } from './event.ts'
import { noCpu } from './event.ts'
import { GicV2Machine } from './gicv2-machine.ts'
import { parseMachine } from './header.ts'
import { parseEvent } from './parse.ts'
import { readTrace } from './reader.ts'
import { Replayer } from './replay.ts'
import type { ReplayResult } from './replay-result.ts'

const linux = parseMachine('-machine virt,gic-version=2 -cpu cortex-a57 -smp 4')

async function bundled(): Promise<TraceEvent[]> {
  const trace = await readTrace([readFileSync(new URL('../../traces/linux-gicv2-smp4.trace.gz', import.meta.url))])
  const events: TraceEvent[] = []
  for await (const batch of trace.batches) events.push(...batch)
  return events
}

function replay(events: readonly TraceEvent[], machine = new GicV2Machine(linux)): ReplayResult {
  const replayer = new Replayer(machine)
  replayer.take(events)
  return replayer.finish()
}

const parse = (text: string): TraceEvent[] =>
  text
    .trim()
    .split('\n')
    .map((line, i) => parseEvent(line.trim(), i + 1))

describe('a recorded Linux boot on a GICv2', async () => {
  const events = await bundled()

  it.each(['frame', 'group'] as const)('has no divergence with one bus range for each %s', (wiring) => {
    const result = replay(events, new GicV2Machine(linux, wiring))
    expect(result.divergences).toEqual([])
    // What the recorder counted: 41 GICD, 24,342 GICC and 2 v2m reads, of which 10 identify; 26,510 output changes.
    expect(result).toMatchObject({
      events: 88_145,
      reads: { compared: 24_375, identity: 10, unmodelled: 0 },
      outputs: { compared: 26_510, recordedTransients: 0, ourTransients: 0 },
      counts: { acknowledged: 13_255, ended: 13_252, generated: 3869, messages: 1019, inputs: 18_700 },
      refused: [],
      unmodelled: [],
    })
    // All identification that Linux reads is as recorded, but for who made the GICv2m frame.
    expect(result.identity.filter(({ name }) => !name.endsWith('IIDR'))).toEqual([])
  })

  it('diverges where the UART never raises its wire', () => {
    const result = replay(events.filter((e) => !(e.kind === 'irq' && e.intid === 33)))
    expect(result.divergenceCount).toBeGreaterThan(50)
    const first = events.findIndex((e) => e.kind === 'irq' && e.intid === 33 && e.level === 1)
    // Its first effect is the output behind the wire; the event before it is blamed for what then has no cause.
    expect(result.divergences[0]?.line).toBe(events[first - 1]?.line)
    // Which interrupt it was for, the CPU's next acknowledge tells.
    expect(result.divergences[0]).toMatchObject({
      acknowledged: { intid: 33 },
      explanations: [{ intid: 33, deliverable: false }],
    })
    expect(result.divergences[0]?.explanations[0]?.summary).toContain('line is low')
  })

  it('diverges where all SPIs go to CPU 0', () => {
    const tampered = events.map((e) =>
      e.kind === 'write' && e.region === 'gicd' && e.offset >= 0x820 && e.offset < 0xc00
        ? { ...e, low: e.size === 1 ? 1 : 0x0101_0101 }
        : e,
    )
    expect(replay(tampered).divergenceCount).toBeGreaterThan(0)
  })

  it('finds each single line that is taken out, changed or put in, at that place', () => {
    const pick = (want: (e: TraceEvent) => boolean, nth: number): number => {
      let left = nth
      return events.findIndex((e) => want(e) && left-- === 0)
    }
    const lost = pick((e) => e.kind === 'out' && e.level === 1, 5000)
    const cause = events[lost - 1]
    expect(replay(events.toSpliced(lost, 1)).divergences[0]).toMatchObject({ kind: 'output', line: cause?.line })

    const iar = pick((e) => e.kind === 'read' && e.region === 'gicc' && e.low === 27, 3000)
    const wrong = { ...(events[iar] as TraceEvent & { kind: 'read' }), low: 30 }
    const found = replay(events.with(iar, wrong))
    expect(found.divergenceCount).toBe(1)
    expect(found.divergences[0]).toMatchObject({
      kind: 'read',
      line: wrong.line,
      what: 'GICC_IAR',
      recorded: { value: '0x1e' },
      ours: { value: '0x1b' },
    })
    // Asked before the acknowledge: 27 was to be had, 30 was not.
    expect(found.divergences[0]?.explanations.map((e) => [e.intid, e.deliverable])).toEqual([
      [30, false],
      [27, true],
    ])
    expect(found.divergences[0]?.before).toHaveLength(8)

    const eoi = pick((e) => e.kind === 'write' && e.region === 'gicc' && e.offset === 0x10, 6000)
    expect(replay(events.toSpliced(eoi, 1)).divergenceCount).toBeGreaterThan(0)

    const put = parseEvent('out 2 fiq 1', 0)
    expect(replay(events.toSpliced(40_000, 0, put)).divergences[0]?.outputs).toContainEqual(
      expect.objectContaining({ cpu: 2, signal: 'fiq', recorded: 1, ours: 'unchanged' }),
    )
  })

  it('takes a message by itself where its pulse is not in the trace', () => {
    const pulses = new Set<TraceEvent>()
    for (const [i, e] of events.entries()) {
      if (e.kind !== 'write' || e.region !== 'v2m') continue
      // The pulse: irq N 1, then perhaps out, then irq N 0. Falling edges make no output.
      for (const next of events.slice(i + 1, i + 8)) {
        if (next.kind === 'irq' && next.intid === e.low && next.cpu === noCpu) pulses.add(next)
        if (next.kind === 'irq' && next.intid === e.low && next.level === 0) break
      }
    }
    expect(pulses.size).toBe(2 * 1019)
    const result = replay(events.filter((e) => !pulses.has(e)))
    expect(result.divergences).toEqual([])
  })
})

describe('a machine with two Security states', () => {
  const secure = parseMachine('-machine virt,gic-version=2,secure=on -smp 2')

  it('takes the state from the CPU field: a Secure group 0 interrupt goes to FIQ (IHI 0048 4.6.2)', () => {
    const machine = new GicV2Machine(secure)
    const result = replay(
      parse(`0s W gicd 0x80 4 0xf7ffffff
             0s W gicd 0x400 1 0x10
             0s W gicd 0x41b 1 0x10
             0s W gicd 0x0 4 0x3
             0s W gicd 0x100 4 0x8000000
             0s W gicc 0x4 4 0xf0
             0s W gicc 0x0 4 0xb
             irq 27 0 1
             out 0 fiq 1
             0n R gicc 0xc 4 0x3ff
             0s R gicc 0xc 4 0x1b
             out 0 fiq 0`),
      machine,
    )
    expect(result.divergences).toEqual([])
  })

  it('takes a CPU field without a state as Non-secure: it does not see Secure interrupts (IHI 0048 4.2.2)', () => {
    const result = replay(
      parse(`0s W gicd 0x80 4 0xffff0000
             0s W gicd 0x100 4 0x8000000
             0 R gicd 0x80 4 0x0
             0s R gicd 0x80 4 0xffff0000`),
      new GicV2Machine(secure),
    )
    expect(result.divergences).toEqual([])
  })
})

describe('a hostile trace', () => {
  const hex = (max: number) => fc.integer({ min: 0, max }).map((n) => `0x${n.toString(16)}`)
  const cpu = fc.constantFrom('0', '1', '0s', '1s', '0n', '1n')
  const access = fc
    .record({
      cpu,
      verb: fc.constantFrom('R', 'W'),
      region: fc.constantFrom('gicd', 'gicc', 'v2m', 'gich', 'its'),
      // Mostly where registers are.
      offset: fc.oneof(hex(0x1010), hex(0x100), hex(0xff00)),
      size: fc.constantFrom(1, 2, 4, 8),
      value: hex(0xff),
    })
    .map((r) => `${r.cpu} ${r.verb} ${r.region} ${r.offset} ${r.size} ${r.value}`)
  const line = fc.oneof(
    access,
    fc
      .record({ region: fc.constantFrom('v2m', 'itst', 'gicd', 'gicc'), value: hex(0x3ff) })
      .map((r) => `- W ${r.region} 0x40 4 ${r.value}`),
    fc
      .record({ intid: fc.integer({ min: 32, max: 287 }), level: fc.constantFrom(0, 1) })
      .map((r) => `irq ${r.intid} - ${r.level}`),
    fc
      .record({ intid: fc.integer({ min: 16, max: 31 }), cpu: fc.constantFrom(0, 1), level: fc.constantFrom(0, 1) })
      .map((r) => `irq ${r.intid} ${r.cpu} ${r.level}`),
    fc
      .record({ cpu: fc.constantFrom(0, 1), signal: fc.constantFrom('irq', 'fiq'), level: fc.constantFrom(0, 1) })
      .map((r) => `out ${r.cpu} ${r.signal} ${r.level}`),
    fc.constantFrom('reset 1', 'mem 0x40000000 00ff', '0 MRS ICC_IAR1_EL1 0x3ff', '1 MSR ICC_SGI1R_EL1 0x1'),
  )

  it.each(['off', 'on'])(
    'of sound lines in any order is judged without an exception (two Security states: %s)',
    (secure) => {
      const machine = parseMachine(`-machine virt,gic-version=2,secure=${secure} -smp 2`)
      fc.assert(
        fc.property(fc.array(line, { maxLength: 100 }), (lines) => {
          const replayer = new Replayer(new GicV2Machine(machine), { limit: 3 })
          replayer.take(parse(['0 R gicd 0x4 4 0x0', ...lines].join('\n')))
          const result = replayer.finish()
          expect(result.events).toBe(lines.length + 1)
          expect(result.divergences.length).toBe(Math.min(3, result.divergenceCount))
        }),
        { numRuns: 300 },
      )
    },
  )
})

describe('the state of a machine', () => {
  it('lists interrupts that are enabled, pending or active, and reads without an effect', () => {
    const machine = new GicV2Machine(linux)
    replay(
      parse(`0 W gicd 0x0 4 0x1
             0 W gicc 0x4 4 0xf0
             0 W gicc 0x0 4 0x1
             1 W gicc 0x0 4 0x1
             0 W gicd 0x820 4 0x1
             0 W gicd 0x821 1 0x2
             0 W gicd 0x104 4 0x3
             0 W gicd 0x421 1 0x40
             irq 33 - 1
             0 R gicd 0x4 4 0x68`),
      machine,
    )
    const state = machine.state()
    expect(state.control).toMatchObject({ name: 'GICD_CTLR', value: 1 })
    expect(state.interrupts).toEqual([
      { intid: 32, cpu: undefined, enabled: true, pending: false, active: false, priority: 0, route: 'targets 0x01' },
      { intid: 33, cpu: undefined, enabled: true, pending: true, active: false, priority: 0x40, route: 'targets 0x02' },
    ])
    expect(state.cpus.map(({ irq }) => irq)).toEqual([false, false, false, false])
    expect(machine.state()).toEqual(state)
    expect(machine.explain(33, 1)?.deliverable).toBe(false)
    expect(machine.explain(33, 4)).toBeUndefined()
    expect(machine.explain(288, 0)).toBeUndefined()
    expect(machine.highestPending(1)).toBe(33)
    expect(machine.highestPending(0)).toBe(1023)
  })
})
