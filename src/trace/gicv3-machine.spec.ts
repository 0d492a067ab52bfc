/**
 * Real Linux boots on the GICv3 of this package, without and with an ITS: every read and every output as the recorded machine
 * had them. And the reverse: wherever a trace is tampered with, the replay says so.
 */

import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createMachine } from './create-machine.ts'
import { TraceError, type TraceEvent } from './event.ts'
import { GicV3Machine } from './gicv3-machine.ts'
import { parseMachine } from './header.ts'
import { parseEvent } from './parse.ts'
import { readTrace } from './reader.ts'
import { Replayer } from './replay.ts'
import type { ReplayResult } from './replay-result.ts'

/** `npm run test:long` makes it longer. */
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const plain = parseMachine('-machine virt,gic-version=3,its=off -cpu cortex-a57 -smp 4 -m 512')
const withIts = parseMachine('-machine virt,gic-version=3 -cpu cortex-a57 -smp 4 -m 512')

async function bundled(name: string): Promise<TraceEvent[]> {
  const trace = await readTrace([readFileSync(new URL(`../../traces/${name}.trace.gz`, import.meta.url))])
  const events: TraceEvent[] = []
  for await (const batch of trace.batches) events.push(...batch)
  return events
}

function replay(events: readonly TraceEvent[], machine: GicV3Machine): ReplayResult {
  const replayer = new Replayer(machine)
  replayer.take(events)
  return replayer.finish()
}

const parse = (text: string): TraceEvent[] =>
  text
    .trim()
    .split('\n')
    .map((line, i) => parseEvent(line.trim(), i + 1))

const isMsr = (e: TraceEvent, register: string) => e.kind === 'msr' && e.register === register

describe('a recorded Linux boot on a GICv3', async () => {
  const events = await bundled('linux-gicv3-smp4')

  it.each(['frame', 'group'] as const)('has no divergence with one bus range for each %s', (wiring) => {
    const result = replay(events, new GicV3Machine(plain, wiring))
    expect(result.divergences).toEqual([])
    // What the recorder counted: 76 GICD and 122 GICR reads, 13,078 acknowledges, 35 other MRS; 26,156 output changes.
    expect(result.reads.compared + result.reads.identity).toBe(76 + 122 + 13_078 + 35)
    expect(result).toMatchObject({
      events: 75_252,
      reads: { unmodelled: 0 },
      outputs: { compared: 26_156, recordedTransients: 0, ourTransients: 0 },
      counts: { ended: 13_075, generated: 3997, inputs: 15_814 + 2260, resets: 6 },
      refused: [],
      unmodelled: [],
    })
    // The recorded machine reports one block of 32 INTIDs too few; nothing else that identifies is different.
    expect(result.identity.map(({ name }) => name)).toEqual(['GICD_TYPER'])
  })

  it('diverges where the UART never raises its wire, and says what the CPU then took', () => {
    const result = replay(
      events.filter((e) => !(e.kind === 'irq' && e.intid === 33)),
      new GicV3Machine(plain),
    )
    expect(result.divergenceCount).toBeGreaterThan(50)
    expect(result.divergences[0]).toMatchObject({ acknowledged: { intid: 33 } })
    const about = result.divergences[0]?.explanations.find(({ intid }) => intid === 33)
    expect(about).toMatchObject({ deliverable: false, summary: expect.stringContaining('line is low') })
  })

  it('diverges where all SPIs are routed to CPU 0', () => {
    const tampered = events.map((e) =>
      e.kind === 'write' && e.region === 'gicd' && e.offset >= 0x6100 && e.offset < 0x7fe0 ? { ...e, low: 0 } : e,
    )
    expect(replay(tampered, new GicV3Machine(plain)).divergenceCount).toBeGreaterThan(0)
  })

  it('diverges where a CPU that is powered on again keeps its registers', () => {
    const tampered = events.filter((e) => e.kind !== 'reset')
    expect(replay(tampered, new GicV3Machine(plain)).divergenceCount).toBeGreaterThan(0)
  })

  it('finds a single value, end of interrupt or SGI that is changed or taken out', () => {
    const nth = (want: (e: TraceEvent) => boolean, n: number): number => {
      let left = n
      return events.findIndex((e) => want(e) && left-- === 0)
    }
    const iar = nth((e) => e.kind === 'mrs' && e.register === 'ICC_IAR1_EL1' && e.low === 27, 2000)
    const wrong = { ...(events[iar] as TraceEvent & { kind: 'mrs' }), low: 30 }
    const found = replay(events.with(iar, wrong), new GicV3Machine(plain))
    expect(found.divergenceCount).toBe(1)
    expect(found.divergences[0]).toMatchObject({ line: wrong.line, what: 'ICC_IAR1_EL1', ours: { value: '0x1b' } })
    expect(found.divergences[0]?.explanations.map((e) => [e.intid, e.deliverable])).toEqual([
      [30, false],
      [27, true],
    ])
    for (const register of ['ICC_EOIR1_EL1', 'ICC_SGI1R_EL1']) {
      const at = nth((e) => isMsr(e, register), 1500)
      expect(replay(events.toSpliced(at, 1), new GicV3Machine(plain)).divergenceCount).toBeGreaterThan(0)
    }
  })
})

describe('a recorded Linux boot on a GICv3 with an ITS', async () => {
  const events = await bundled('linux-gicv3-its-smp4')

  it.each(['frame', 'group'] as const)('has no divergence with one bus range for each %s', (wiring) => {
    const machine = new GicV3Machine(withIts, wiring)
    let delivered = 0
    let commands = 0
    machine.its!.events.listen((event) => {
      if (event.kind === 'msi' && event.outcome === 'delivered') delivered++
      if (event.kind === 'its-command') commands++
    }, false)
    const result = replay(events, machine)
    expect(result.divergences).toEqual([])
    // The recorder counted 60 GICD, 160 GICR and 238 GITS reads, 14,140 acknowledges, 35 other MRS, and 101 commands.
    expect(result.reads.compared + result.reads.identity).toBe(60 + 160 + 238 + 14_140 + 35)
    expect(result).toMatchObject({
      events: 80_685,
      outputs: { compared: 28_281, recordedTransients: 0, ourTransients: 0 },
      counts: { messages: 1065, ended: 14_137, generated: 4372, memory: 103, resets: 6 },
      refused: [],
      unmodelled: [],
    })
    expect({ delivered, commands }).toEqual({ delivered: 1065, commands: 101 })
  })

  it('diverges where a command, a configuration byte or a DeviceID is not as recorded', () => {
    // The commands of MAPTI (0x0a) are not there: the queue holds zeros, which are no command.
    const unmapped = events.filter((e) => !(e.kind === 'mem' && e.bytes.length === 32 && e.bytes[0] === 0x0a))
    expect(replay(unmapped, new GicV3Machine(withIts)).divergenceCount).toBeGreaterThan(100)
    const disabled = events.map((e) =>
      e.kind === 'mem' && e.bytes.length < 32 ? { ...e, bytes: e.bytes.map((byte) => byte & ~1) } : e,
    )
    expect(replay(disabled, new GicV3Machine(withIts)).divergenceCount).toBeGreaterThan(100)
    const strangers = events.map((e) =>
      e.kind === 'write' && e.region === 'itst' ? { ...e, device: e.device + 8 } : e,
    )
    expect(replay(strangers, new GicV3Machine(withIts)).divergenceCount).toBeGreaterThan(100)
  })

  it('explains a message, from the device to the PE, and one that nothing is mapped for', () => {
    const machine = new GicV3Machine(withIts)
    const message = events.findIndex((e) => e.kind === 'write' && e.region === 'itst')
    const found = events[message]
    if (found?.kind !== 'write') throw new Error('the trace has no message')
    replay(events.slice(0, message), machine)
    const explained = machine.explainMessage(found.device, found.low)
    expect(explained).toMatchObject({ mapped: true, pe: expect.any(Number), intid: expect.any(Number) })
    // The very LPI that the next acknowledge of that PE named.
    const taken = events
      .slice(message)
      .find((e) => e.kind === 'mrs' && e.register === 'ICC_IAR1_EL1' && e.cpu === explained!.pe && e.low >= 8192)
    expect(taken).toMatchObject({ low: explained!.intid })
    expect(machine.explainMessage(found.device + 1, found.low)).toMatchObject({ mapped: false })
    expect(new GicV3Machine(plain).explainMessage(0, 0)).toBeUndefined()
  })
})

describe('a GICv3 to replay on', () => {
  it('counts registers of the virtual CPU interface, and does not judge them', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3,virtualization=on -smp 2'))
    const result = replay(
      parse(`0 MRS ICH_VTR_EL2 0x90000003
             0 MSR ICH_HCR_EL2 0x1
             0 MRS ICV_IAR1_EL1 0x1b
             0 W gich 0x0 4 0x1
             0 MRS ICC_SRE_EL2 0xf
             irq 26 1 1
             irq 25 0 1`),
      machine,
    )
    expect(result).toMatchObject({ divergenceCount: 0, refused: [], reads: { compared: 1, unmodelled: 2 } })
    expect(result.unmodelled.map(({ name }) => name)).toEqual(['ICH_VTR_EL2', 'ICH_HCR_EL2', 'ICV_IAR1_EL1', 'gich'])
  })

  it('drops priority and deactivates apart with EOImode 1, as Linux at EL2 does (IHI 0069 4.8.4)', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3,virtualization=on -smp 1'))
    const result = replay(
      parse(`0 W gicd 0x0 4 0x12
             0 W gicr 0x14 4 0x0
             0 W gicr 0x10080 4 0xffffffff
             0 W gicr 0x10100 4 0x4000000
             0 MSR ICC_PMR_EL1 0xf0
             0 MSR ICC_CTLR_EL1 0x2
             0 MSR ICC_IGRPEN1_EL1 0x1
             irq 26 0 1
             out 0 irq 1
             0 MRS ICC_IAR1_EL1 0x1a
             out 0 irq 0
             0 MSR ICC_EOIR1_EL1 0x1a
             0 MRS ICC_RPR_EL1 0xff
             0 R gicr 0x10300 4 0x4000000
             0 MSR ICC_DIR_EL1 0x1a
             out 0 irq 1
             irq 26 0 0
             out 0 irq 0`),
      machine,
    )
    expect(result.divergences).toEqual([])
    expect(result.counts).toMatchObject({ acknowledged: 1, ended: 1, deactivated: 1 })
  })

  it('does not judge what a table register says of caches, nor GICR_PENDBASER.PTZ, but its address', () => {
    const result = replay(
      parse(`0 W gicr 0x78 8 0x4000000042010000
             0 R gicr 0x78 8 0x4700000042010f80
             0 R gicr 0x7c 4 0x47000000
             0 R gicr 0x78 8 0x42020000
             0 R gicr 0x70 8 0x4000000000000000`),
      new GicV3Machine(withIts),
    )
    expect(result.divergences.map(({ line, what }) => [line, what])).toEqual([
      [4, 'GICR_PENDBASER'],
      [5, 'GICR_PROPBASER'],
    ])
  })

  it('has Redistributors for 512 CPUs, 16 to a cluster', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3 -smp 512'))
    const result = replay(
      parse(`511 R gicr 0x3fe0008 8 0x1f0f0001ff11
             511 W gicr 0x3fe0014 4 0x0
             511 R gicr 0x3fe0014 4 0x0`),
      machine,
    )
    expect(result).toMatchObject({ divergenceCount: 0, refused: [] })
    expect(machine.gic.frames.gicr[511]!.peek(12, 4, { cpu: 511, secure: false, bigEndian: false })).toBe(0x1f0f)
  })

  it('takes the Security state that a CPU is marked with, where there are two', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3,secure=on -smp 1'))
    const result = replay(
      parse(`0s MSR ICC_IGRPEN1_EL1 0x1
             0n MRS ICC_IGRPEN1_EL1 0x0
             0s MRS ICC_IGRPEN1_EL1 0x1
             0s MRS ICC_IGRPEN1_EL3 0x2
             0s W gicr 0x10080 4 0xf0
             0n R gicr 0x10080 4 0x0
             0 R gicr 0x10080 4 0x0
             0s R gicr 0x10080 4 0xf0`),
      machine,
    )
    expect(result.divergences).toEqual([])
  })

  it('refuses in one line wires that do not exist and memory without end', () => {
    const machine = new GicV3Machine(plain)
    for (const line of ['irq 3 0 1', 'irq 40 0 1', 'irq 20 - 1'])
      expect(() => replay(parse(line), machine)).toThrow(TraceError)
    const pages = Array.from({ length: 17_000 }, (_, i) =>
      parseEvent(`mem 0x${(0x4000_0000 + i * 4096).toString(16)} 01`, i + 1),
    )
    expect(() => replay(pages, new GicV3Machine(plain))).toThrow('64 MiB')
  })

  /** Firmware that leaves GICR_WAKER as it resets, and a timer whose interrupt it enables: as EDK2 does it. */
  const asleep = `0 W gicd 0x0 4 0x12
                  0 R gicr 0x14 4 0x6
                  0 W gicr 0x10080 4 0xffffffff
                  0 W gicr 0x10100 4 0x8000000
                  0 MSR ICC_PMR_EL1 0xff
                  0 MSR ICC_IGRPEN1_EL1 0x1
                  irq 27 0 1
                  out 0 irq 1
                  0 MRS ICC_IAR1_EL1 0x1b
                  out 0 irq 0`

  it('forwards from a Redistributor that sleeps where QEMU recorded, whose board never looks at GICR_WAKER', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3,its=off -smp 1'))
    expect(replay(parse(asleep), machine)).toMatchObject({ divergenceCount: 0, reads: { compared: 2 } })
  })

  it('forwards nothing from one where the header says so: GICR_WAKER.ChildrenAsleep (IHI 0069 11.1)', () => {
    const machine = new GicV3Machine(parseMachine('-machine virt,gic-version=3,its=off,gicr-sleep=on -smp 1'))
    expect(replay(parse(asleep), machine).divergenceCount).toBeGreaterThan(0)
    expect(machine.explain(27, 0)?.deliverable).toBe(false)
  })

  it.each([
    ['within', 512, 0x5fff_0000, true],
    ['behind the end of', 512, 0x6000_0000, false],
    ['within more', 1024, 0x6000_0000, true],
    ['before', 1024, 0x3fff_0000, false],
  ])('reads the configuration of an LPI %s the memory that the header says (-m %i)', (_, mebi, table, there) => {
    const machine = new GicV3Machine(parseMachine(`-machine virt,gic-version=3 -smp 1 -m ${mebi}`))
    replay(
      parse(`mem 0x${table.toString(16)} 01
             0 W gicr 0x70 8 0x${(table + 15).toString(16)}
             0 W gicr 0x78 8 0x40010000
             0 W gicr 0x0 4 0x1`),
      machine,
    )
    const enabled = machine.explain(8192, 0)?.gates.find(({ gate }) => gate === 'enabled')
    expect(enabled?.open).toBe(there)
  })

  it('shows its state: enabled, pending and active interrupts, with affinities', () => {
    const machine = new GicV3Machine(plain)
    replay(
      parse(`0 W gicd 0x0 4 0x12
             0 W gicd 0x84 4 0xffffffff
             0 W gicd 0x104 4 0x2
             0 W gicd 0x6108 8 0x2
             irq 33 - 1
             2 W gicr 0x50100 4 0x8000000`),
      machine,
    )
    expect(machine.state().interrupts).toEqual([
      { intid: 27, cpu: 2, enabled: true, pending: false, active: false, priority: 0, route: '' },
      { intid: 33, cpu: undefined, enabled: true, pending: true, active: false, priority: 0, route: 'affinity 0.0.2' },
    ])
    expect(machine.state().control).toMatchObject({ name: 'GICD_CTLR', value: 0x52 })
    expect(machine.state().cpus[3]?.registers.map(({ name }) => name)).toContain('ICC_PMR_EL1')
    expect(machine.explain(288, 0)).toBeUndefined()
    expect(machine.explain(33, 4)).toBeUndefined()
    expect(machine.explain(33, 2)).toMatchObject({ intid: 33, deliverable: false })
  })

  it('survives any events, and says in one line what it cannot take', () => {
    const names = ['ICC_IAR1_EL1', 'ICC_EOIR1_EL1', 'ICC_SGI1R_EL1', 'ICC_CTLR_EL3', 'ICC_DIR_EL1', 'ICC_PMR_EL1', 'X']
    const number = fc.nat({ max: 0xffff_ffff }).map((n) => `0x${n.toString(16)}`)
    const access = fc
      .tuple(
        fc.constantFrom('0', '3', '0s', '-'),
        fc.constantFrom('R', 'W'),
        fc.constantFrom('gicd', 'gicr', 'its', 'itst', 'gicc'),
        fc.nat({ max: 0x2_0000 }),
        fc.constantFrom(1, 2, 4, 8),
        number,
      )
      .map(([cpu, verb, region, offset, size, value]) => {
        const device = region === 'itst' && verb === 'W' ? ' 0x8' : ''
        return `${cpu} ${verb} ${region} 0x${offset.toString(16)} ${size} ${value}${device}`
      })
    const base = fc
      .tuple(fc.constantFrom(0x80, 0x88, 0x100, 0x108, 0x0), number, number)
      .map(([offset, low, high]) => `0 W its 0x${offset.toString(16)} 8 ${low}${high.slice(2).padStart(8, '0')}`)
    const register = fc
      .tuple(fc.constantFrom('0', '2s'), fc.constantFrom('MRS', 'MSR'), fc.constantFrom(...names), number)
      .map((fields) => fields.join(' '))
    const other = fc.constantFrom('irq 33 - 1', 'irq 27 1 1', 'reset 2', 'mem 0x40000000 0a000000', 'out 0 irq 1')
    fc.assert(
      fc.property(fc.array(fc.oneof(access, base, register, other), { maxLength: 60 }), (lines) => {
        const replayer = new Replayer(createMachine(withIts))
        for (const [i, line] of lines.entries()) {
          try {
            replayer.take([parseEvent(line, i + 1)])
          } catch (error) {
            expect(error).toBeInstanceOf(TraceError)
          }
        }
        expect(replayer.finish().events).toBeGreaterThanOrEqual(0)
      }),
      { numRuns: 60 * times },
    )
  })
})
