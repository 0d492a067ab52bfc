/** The replay of the bundled trace of a Linux boot: parsed beforehand, then applied and compared, event by event. */

import { createReadStream } from 'node:fs'
import { createMachine, Replayer, readTrace, type TraceEvent } from 'vgic/trace'
import { megamorphicCall } from './baseline.ts'
import { measure, median } from './measure.ts'
import type { Section } from './row.ts'

const ROUNDS = 9

export async function replaySection(path: URL): Promise<Section> {
  const start = performance.now()
  const trace = await readTrace(createReadStream(path))
  const events: TraceEvent[] = []
  for await (const batch of trace.batches) for (const event of batch) events.push(event)
  const parsing = ((performance.now() - start) * 1e6) / events.length

  const { machine: description } = trace.header
  if (description === undefined) throw new Error('the bundled trace does not say which machine it is of')
  const times: number[] = []
  const calls: number[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const replayer = new Replayer(createMachine(description))
    const begin = process.hrtime.bigint()
    replayer.take(events)
    const result = replayer.finish()
    times.push(Number(process.hrtime.bigint() - begin) / events.length)
    if (result.divergenceCount !== 0) throw new Error(`the replay diverges ${result.divergenceCount} times`)
    calls.push(measure([megamorphicCall], { rounds: 5 })[0]!.ns)
  }
  const ns = median(times)
  const baseline = median(calls)
  return {
    title: `Replay of the bundled trace, ${events.length.toLocaleString('en')} events`,
    baseline: 'a bare megamorphic call',
    rows: [
      { name: 'apply and compare an event', value: ns, unit: 'ns', baseline, ratio: ns / baseline, limit: null },
      { name: 'apply and compare', value: 1e9 / ns, unit: 'events/s', baseline: null, ratio: null, limit: null },
      {
        name: 'unpack and parse, once',
        value: 1e9 / parsing,
        unit: 'events/s',
        baseline: null,
        ratio: null,
        limit: null,
      },
    ],
  }
}
