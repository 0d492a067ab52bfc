/**
 * The bundled guest on the board: what it says it saw, the same run twice, and its GIC traffic replayed. The guest itself runs on
 * QEMU, too; here it is the witness, since it resets the machine when an interrupt did not come.
 */

import { createHash } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import { createMachine, formatEvent, parseEvent, Replayer, type TraceEvent } from '../trace/index.ts'
import { describeVirt, Recorder } from './recorder.ts'
import { runDemo } from './testing/guest.ts'
import type { VirtOptions } from './virt.ts'

const boards: readonly [string, VirtOptions][] = [
  ['a GICv2 and 1 CPU', { gic: 2, cpus: 1 }],
  ['a GICv2 and 8 CPUs', { gic: 2, cpus: 8 }],
  ['a GICv3 and 2 CPUs', { gic: 3, cpus: 2 }],
  ['a GICv3 with an ITS and 18 CPUs, two clusters', { gic: 3, its: true, cpus: 18 }],
]

interface Run {
  reason: string
  instructions: number
  seconds: number
  console: string
  events: TraceEvent[]
  /** The machine as a trace describes it. */
  described: ReturnType<typeof describeVirt>
}

async function recorded(options: VirtOptions): Promise<Run> {
  const events: TraceEvent[] = []
  const { machine, reason, console } = await runDemo({
    ...options,
    recorder: new Recorder((event) => events.push(event)),
  })
  const { instructions, seconds } = machine
  return { reason, instructions, seconds, console, events, described: describeVirt(machine.options) }
}

describe.each(boards)('the bundled guest with %s', (_, options) => {
  let run: Run
  beforeAll(async () => {
    run = await recorded(options)
  })

  it('brings up every CPU by PSCI, sees an interrupt of each kind, and switches the machine off (DEN 0022 5.9)', () => {
    const { reason, console } = run
    expect(console).not.toContain('NOT SEEN')
    expect(reason).toBe('off')
    expect(console.match(/CPU_ON .*: ok/g) ?? []).toHaveLength((options.cpus ?? 1) - 1)
    expect(console.match(/virtual timer of CPU \d+, 5 times: ok/g)).toHaveLength(options.cpus ?? 1)
    expect(console.match(/round \d .*: ok/g)).toHaveLength(3)
    expect(console).toMatch(/UART's own interrupts: ok/)
    if (options.its) expect(console).toMatch(/LPI 8192 .*: ok/)
    else if (options.gic === 2) expect(console).toMatch(/SPI 80 .*GICv2m frame: ok/)
  })

  it('is the same run each time: instructions, console and GIC events', async () => {
    const digest = ({ events }: Run) => {
      const hash = createHash('sha256')
      for (const event of events) hash.update(formatEvent(event))
      return hash.digest('hex')
    }
    const again = await recorded(options)
    expect({ ...again, events: digest(again) }).toEqual({ ...run, events: digest(run) })
  })

  it('leaves a trace that replays on the GIC alone, through its text form, without a divergence', () => {
    const replayer = new Replayer(createMachine(run.described))
    replayer.take(run.events.map((event, i) => parseEvent(formatEvent(event), i + 1)))
    const result = replayer.finish()
    expect(result.divergences).toEqual([])
    expect(result.divergenceCount).toBe(0)
    expect(result.reads.compared).toBeGreaterThan(10)
    expect(result.outputs.compared).toBeGreaterThan(20)
    expect(result.refused).toEqual([])
    // Timers of every CPU, five times each, at least.
    expect(result.counts.acknowledged).toBeGreaterThanOrEqual(5 * (options.cpus ?? 1) + 3)
  })
})
