/**
 * EDK2 from reset to its shell on a GICv3, recorded on QEMU 7.2 and on this package's own machine: firmware that wakes no
 * Redistributor. How they were recorded is in traces/README.md.
 */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { createMachine } from './create-machine.ts'
import type { TraceEvent } from './event.ts'
import type { MachineDescription } from './header.ts'
import { readTrace } from './reader.ts'
import { Replayer } from './replay.ts'
import type { ReplayResult } from './replay-result.ts'

interface Recorded {
  readonly machine: MachineDescription
  readonly events: readonly TraceEvent[]
}

async function recorded(where: 'qemu' | 'own'): Promise<Recorded> {
  const file = new URL(`./testdata/edk2-gicv3-${where}.trace.gz`, import.meta.url)
  const { header, batches } = await readTrace([readFileSync(file)])
  const events: TraceEvent[] = []
  for await (const batch of batches) events.push(...batch)
  return { machine: header.machine!, events }
}

function replay({ machine, events }: Recorded): ReplayResult {
  const replayer = new Replayer(createMachine(machine))
  replayer.take(events)
  return replayer.finish()
}

const wakes = (event: TraceEvent): boolean =>
  event.kind === 'write' && event.region === 'gicr' && event.offset === 0x14 && (event.low & 2) === 0
const taken = ({ events }: Recorded): number =>
  events.filter((event) => event.kind === 'mrs' && event.register === 'ICC_IAR1_EL1' && event.low === 27).length

describe('EDK2 on a GICv3', () => {
  it('replays without a divergence as QEMU recorded it, whose board forwards from a Redistributor that sleeps', async () => {
    const trace = await recorded('qemu')
    expect(trace.events.filter(wakes)).toEqual([])
    expect(taken(trace)).toBeGreaterThan(1000)
    expect(replay(trace)).toMatchObject({ divergenceCount: 0, events: trace.events.length })
  })

  it('diverges at every tick where a Redistributor that sleeps forwards nothing: GICR_WAKER.ChildrenAsleep (IHI 0069 11.1)', async () => {
    const trace = await recorded('qemu')
    const { divergenceCount } = replay({ ...trace, machine: { ...trace.machine, sleep: true } })
    expect(divergenceCount).toBeGreaterThan(2 * taken(trace))
  })

  it('replays without a divergence as our own machine recorded it, which wakes the Redistributor in its place', async () => {
    const trace = await recorded('own')
    expect(trace.machine.sleep).toBe(true)
    expect(trace.events.filter(wakes)).toHaveLength(1)
    expect(taken(trace)).toBeGreaterThan(500)
    expect(replay(trace)).toMatchObject({ divergenceCount: 0, events: trace.events.length })
    const unwoken = { ...trace, events: trace.events.filter((event) => !wakes(event)) }
    expect(replay(unwoken).divergenceCount).toBeGreaterThan(taken(trace))
  })
})
