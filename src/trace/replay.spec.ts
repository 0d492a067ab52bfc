/**
 * The replayer itself, on a machine of a few lines whose answers the tests choose: what it compares, what it forgives,
 * what it reports and what it refuses. Real traces on the real GIC are in gicv2-machine.spec.ts.
 */

import { describe, expect, it } from 'vitest'
import type { OutputSignal, TraceEvent } from './event.ts'
import { TraceError } from './event.ts'
import { formatEvent } from './format.ts'
import { parseMachine } from './header.ts'
import type { ReplayMachine } from './machine.ts'
import { parseEvent } from './parse.ts'
import { Replayer, type ReplayOptions } from './replay.ts'
import type { ReplayResult } from './replay-result.ts'

type Output = [cpu: number, signal: OutputSignal, level: 0 | 1]

interface Script {
  /** What a read answers, by the event without its value; the recorded value elsewhere. */
  answers?: Record<string, number>
  /** What outputs do at an event, by its whole text. */
  outputs?: Record<string, Output[]>
  /** Events that are refused, by their text, and why. */
  refusals?: Record<string, string>
}

/** A machine that does as the script says, and keeps a list of what was applied to it. */
function scripted(
  script: Script,
  options = '-machine virt,gic-version=2 -smp 4',
): ReplayMachine & { applied: string[] } {
  const applied: string[] = []
  const act = (text: string) => {
    applied.push(text)
    machine.refused = script.refusals?.[text] ?? ''
    for (const output of script.outputs?.[text] ?? []) machine.onOutput(...output)
  }
  const answer = (text: string, recorded: number) => script.answers?.[text.replace(/ \S+$/, '')] ?? recorded
  const machine = {
    description: parseMachine(options),
    high: 0,
    refused: '',
    applied,
    onOutput: (() => {}) as ReplayMachine['onOutput'],
    models: (region) => region !== 'gich' && region !== 'gicv',
    modelsRegister: (register) => register.startsWith('ICC_'),
    read(event) {
      const text = formatEvent(event)
      act(text)
      machine.high = event.high
      return answer(text, event.low)
    },
    write: (event) => act(formatEvent(event)),
    mrs(event) {
      const text = formatEvent(event)
      act(text)
      return answer(text, event.low)
    },
    msr: (event) => act(formatEvent(event)),
    irq: (event) => act(formatEvent(event)),
    mem: (event) => act(formatEvent(event)),
    reset: (cpu) => act(`reset ${cpu}`),
    peek: (event) => answer(formatEvent(event), event.low),
    highestPending: () => 1023,
    describe: (region, offset, low) =>
      region === 'gicc' && offset === 0xc
        ? { name: 'GICC_IAR', row: 'GICC_IAR', fields: { INTID: low & 0x3ff, CPUID: (low >>> 10) & 7 } }
        : undefined,
    describeRegister: (register) => ({ name: register, row: register, fields: {} }),
    explain: (intid, cpu) => ({
      intid,
      cpu,
      deliverable: false,
      line: 'irq',
      gates: [],
      closed: undefined,
      mend: [],
      summary: '',
    }),
    explainMessage: () => undefined,
    state: () => {
      throw new Error('not needed here')
    },
  } satisfies ReplayMachine & { applied: string[]; refused: string; high: number }
  return machine
}

function replay(
  lines: string,
  script: Script = {},
  options: ReplayOptions = {},
  machine = scripted(script),
): ReplayResult {
  const replayer = new Replayer(machine, options)
  replayer.take(
    lines
      .trim()
      .split('\n')
      .map((text, i) => parseEvent(text.trim(), i + 1)),
  )
  return replayer.finish()
}

describe('what a replay compares', () => {
  it('finds no divergence where every read and every output agrees', () => {
    const result = replay(
      `irq 27 0 1
       out 0 irq 1
       0 R gicc 0xc 4 0x1b
       out 0 irq 0
       0 W gicc 0x10 4 0x1b`,
      { outputs: { 'irq 27 0 1': [[0, 'irq', 1]], '0 R gicc 0xc 4 0x1b': [[0, 'irq', 0]] } },
    )
    expect(result).toMatchObject({
      events: 5,
      divergenceCount: 0,
      reads: { compared: 1 },
      outputs: { compared: 2 },
      counts: { inputs: 1, acknowledged: 1, ended: 1, spurious: 0 },
      interrupts: [{ intid: 27, perCpu: [1, 0, 0, 0], total: 1 }],
    })
  })

  it('reports a read that differs, with its fields, the events before it and the reason', () => {
    const result = replay(
      `0 W gicd 0x0 4 0x1
       irq 27 0 1
       out 0 irq 1
       0 R gicc 0xc 4 0x1b`,
      { outputs: { 'irq 27 0 1': [[0, 'irq', 1]] }, answers: { '0 R gicc 0xc 4': 0x3ff } },
    )
    expect(result.divergenceCount).toBe(1)
    expect(result.divergences[0]).toEqual({
      line: 4,
      event: 4,
      text: '0 R gicc 0xc 4 0x1b',
      kind: 'read',
      what: 'GICC_IAR',
      recorded: { value: '0x1b', fields: { INTID: 27, CPUID: 0 } },
      ours: { value: '0x3ff', fields: { INTID: 1023, CPUID: 0 } },
      before: [
        { line: 1, text: '0 W gicd 0x0 4 0x1' },
        { line: 2, text: 'irq 27 0 1' },
        { line: 3, text: 'out 0 irq 1' },
      ],
      explanations: [expect.objectContaining({ intid: 27, cpu: 0 })],
    })
  })

  it('reports an output that the recorded machine changed and ours did not, and the reverse', () => {
    const missing = replay('irq 27 0 1\nout 0 irq 1')
    expect(missing.divergences).toMatchObject([
      {
        line: 1,
        kind: 'output',
        outputs: [{ cpu: 0, signal: 'irq', recorded: 1, ours: 'unchanged' }],
        explanations: [{ intid: 27 }],
      },
    ])
    const unexpected = replay('irq 27 0 1\n0 R gicd 0x100 4 0x0', { outputs: { 'irq 27 0 1': [[0, 'fiq', 1]] } })
    expect(unexpected.divergences).toMatchObject([
      { line: 1, outputs: [{ cpu: 0, signal: 'fiq', recorded: 'unchanged', ours: 1 }] },
    ])
  })

  it('reports an output of another CPU, and a change of another direction', () => {
    expect(replay('irq 27 0 1\nout 1 irq 1', { outputs: { 'irq 27 0 1': [[0, 'irq', 1]] } }).divergences).toMatchObject(
      [{ outputs: expect.arrayContaining([expect.objectContaining({ cpu: 1 }), expect.objectContaining({ cpu: 0 })]) }],
    )
    // The recorded machine says that a line falls which it never listed as high.
    expect(replay('irq 27 0 1\nout 0 irq 0').divergenceCount).toBe(1)
  })

  it('judges the outputs of the last event too', () => {
    expect(replay('irq 27 0 1', { outputs: { 'irq 27 0 1': [[3, 'irq', 1]] } }).divergenceCount).toBe(1)
  })

  it('forgives an output that a store moves there and back, but not a read or an input', () => {
    const there = 'out 0 irq 1\nout 0 irq 0'
    expect(replay(`0 W gicd 0x400 4 0x0\n${there}`)).toMatchObject({
      divergenceCount: 0,
      outputs: { recordedTransients: 1 },
    })
    expect(replay(`irq 27 0 1\n${there}`).divergences).toMatchObject([{ outputs: [{ recorded: 'changed and back' }] }])
    const ours = {
      outputs: {
        '0 W gicd 0x400 4 0x0': [
          [0, 'irq', 1],
          [0, 'irq', 0],
        ] as Output[],
      },
    }
    expect(replay('0 W gicd 0x400 4 0x0', ours)).toMatchObject({ divergenceCount: 0, outputs: { ourTransients: 1 } })
  })

  it('counts a divergence at each end of a signal that is missing, and then goes on in step', () => {
    const result = replay(
      `irq 27 0 1
       out 0 irq 1
       irq 27 0 0
       out 0 irq 0
       irq 28 0 1
       out 0 irq 1`,
      { outputs: { 'irq 28 0 1': [[0, 'irq', 1]] } },
    )
    expect(result.divergences.map((d) => d.line)).toEqual([1, 3])
  })

  it('compares both halves of a 64-bit read', () => {
    const machine = scripted({}, '-machine virt,gic-version=3 -smp 4')
    const read = machine.read.bind(machine)
    machine.read = (event) => {
      const low = read(event)
      Object.assign(machine, { high: 2 })
      return low
    }
    const result = replay('0 R gicd 0x6100 8 0x100000000', {}, {}, machine)
    expect(result.divergences).toMatchObject([{ recorded: { value: '0x100000000' }, ours: { value: '0x200000000' } }])
  })

  it('does not care how a table register answers about cacheability, and does about its address (IHI 0069 12.19.1)', () => {
    const machine = () =>
      scripted(
        { answers: { '0 R its 0x100 4': 0x425a_0200, '0 R its 0x108 4': 0x425b_0000 } },
        '-machine virt,gic-version=3',
      )
    expect(replay('0 R its 0x100 4 0x425a0600', {}, {}, machine()).divergenceCount).toBe(0)
    expect(replay('0 R its 0x108 4 0x425a0600', {}, {}, machine()).divergenceCount).toBe(1)
  })
})

describe('what a replay reports without calling it a divergence', () => {
  it('an identification register that differs', () => {
    const result = replay(
      '0 R gicd 0x4 4 0x68\n0 R gicc 0xfc 4 0x2043b\n0 R gicd 0xfe8 4 0x2b\n0 R v2m 0x8 4 0x500040',
      {
        answers: { '0 R gicd 0x4 4': 0x69 },
      },
    )
    expect(result.divergenceCount).toBe(0)
    expect(result.reads).toMatchObject({ identity: 4, compared: 0 })
    expect(result.identity).toEqual([{ name: 'gicd +0x4', recorded: '0x68', ours: '0x69', count: 1 }])
  })

  it('accesses to a frame or a register that the machine does not have', () => {
    const result = replay('0 R gich 0x0 4 0x5\n0 W gich 0x0 4 0x1\n0 MRS ICH_HCR_EL2 0x7', {
      answers: { '0 R gich 0x0 4': 0 },
    })
    expect(result).toMatchObject({ divergenceCount: 0, reads: { unmodelled: 2 } })
    expect(result.unmodelled).toEqual([
      { name: 'gich', accesses: 2 },
      { name: 'ICH_HCR_EL2', accesses: 1 },
    ])
  })

  it('accesses that our model refuses', () => {
    const result = replay('0 W gicd 0xf4 4 0x1\n0 W gicd 0xf4 4 0x1', {
      refusals: { '0 W gicd 0xf4 4 0x1': 'reserved' },
    })
    expect(result.refused).toEqual([{ name: 'gicd +0xf4', accesses: 2, reason: 'reserved' }])
    expect(result.divergenceCount).toBe(0)
  })
})

describe('a GICv2m message', () => {
  it('is replayed by the pulse that the recorder saw, and not twice', () => {
    const machine = scripted({})
    replay('- W v2m 0x40 4 0x51\nirq 81 - 1\nirq 81 - 0', {}, {}, machine)
    expect(machine.applied).toEqual(['irq 81 - 1', 'irq 81 - 0'])
  })

  it('is applied itself where no pulse, or one of another SPI, follows it', () => {
    for (const next of ['irq 82 - 1', 'out 0 irq 1', '0 R gicc 0xc 4 0x3ff', '- W v2m 0x40 4 0x51']) {
      const machine = scripted({ outputs: { '- W v2m 0x40 4 0x51': [[0, 'irq', 1]] } })
      replay(`- W v2m 0x40 4 0x51\n${next}`, {}, {}, machine)
      expect(machine.applied[0], next).toBe('- W v2m 0x40 4 0x51')
    }
    const last = scripted({})
    replay('- W v2m 0x40 4 0x51', {}, {}, last)
    expect(last.applied).toEqual(['- W v2m 0x40 4 0x51'])
  })

  it('has its outputs judged whichever way it is applied', () => {
    const script: Script = { outputs: { '- W v2m 0x40 4 0x51': [[0, 'irq', 1]] } }
    expect(replay('- W v2m 0x40 4 0x51\nout 0 irq 1\n0 R gicd 0x4 4 0x0', script).divergenceCount).toBe(0)
    expect(replay('- W v2m 0x40 4 0x51\n0 R gicd 0x4 4 0x0', script).divergences).toMatchObject([{ line: 1 }])
    expect(replay('- W v2m 0x40 4 0x51', script).divergences).toMatchObject([{ line: 1 }])
  })
})

describe('a replay', () => {
  it('keeps as many divergences as it is told to, and counts them all', () => {
    const lines = Array.from({ length: 50 }, () => '0 R gicd 0x100 4 0x0').join('\n')
    const result = replay(lines, { answers: { '0 R gicd 0x100 4': 1 } }, { limit: 3, context: 2 })
    expect(result.divergenceCount).toBe(50)
    expect(result.divergences.map((d) => d.before.length)).toEqual([0, 1, 2])
  })

  it('stops after the event of a number and applies nothing behind it', () => {
    const machine = scripted({ outputs: { 'irq 33 - 1': [[0, 'irq', 1]] } })
    const result = replay('irq 33 - 0\nirq 33 - 1\nout 0 irq 1\nirq 33 - 0', {}, { stopAt: 2 }, machine)
    expect(result).toMatchObject({ events: 2, stoppedAt: 2, divergenceCount: 0 })
    expect(machine.applied).toEqual(['irq 33 - 0', 'irq 33 - 1'])
  })

  it('does not judge the outputs of an event at which the trace broke off', () => {
    const machine = scripted({ outputs: { 'irq 33 - 1': [[0, 'irq', 1]] } })
    const replayer = new Replayer(machine)
    replayer.take([parseEvent('irq 33 - 1', 1)])
    expect(replayer.finish(false).divergenceCount).toBe(0)
  })

  it('passes memory, resets and system registers on', () => {
    const machine = scripted({ answers: { '1 MRS ICC_IAR1_EL1': 0x3ff } }, '-machine virt,gic-version=3 -smp 4')
    const result = replay(
      'mem 0x1000 00ff\nreset 1\n1 MSR ICC_PMR_EL1 0xf0\n1 MRS ICC_IAR1_EL1 0x2001',
      {},
      {},
      machine,
    )
    expect(machine.applied).toEqual([
      'mem 0x1000 00ff',
      'reset 1',
      '1 MSR ICC_PMR_EL1 0xf0',
      '1 MRS ICC_IAR1_EL1 0x2001',
    ])
    expect(result.divergences).toMatchObject([{ what: 'ICC_IAR1_EL1', explanations: [{ intid: 8193, cpu: 1 }] }])
    expect(result.interrupts).toEqual([{ intid: 8193, perCpu: [0, 1, 0, 0], total: 1 }])
  })

  it.each([
    ['4 R gicd 0x0 4 0x0', 'CPU 4 on a machine with 4'],
    ['4 MRS ICC_PMR_EL1 0x0', 'CPU 4 on a machine with 4'],
    ['4 MSR ICC_PMR_EL1 0x0', 'CPU 4 on a machine with 4'],
    ['511 W gicd 0x0 4 0x0', 'CPU 511 on a machine with 4'],
    ['irq 27 9 1', 'CPU 9 on a machine with 4'],
    ['reset 4', 'CPU 4 on a machine with 4'],
    ['out 4 irq 1', 'CPU 4 on a machine with 4'],
    ['out 0 irq 1', 'before any event'],
    ['irq 300 - 1', 'INTID 300 on a machine with 288'],
    ['0 R gicr 0x80000 4 0x0', 'outside the region gicr of 4 CPUs'],
  ])('refuses %s: %s', (text, reason) => {
    const replayer = new Replayer(scripted({}))
    let caught: unknown
    try {
      replayer.take([parseEvent(text, 77)])
    } catch (error) {
      caught = error
    }
    expect(caught).toBeInstanceOf(TraceError)
    expect(caught).toMatchObject({ line: 77, message: expect.stringContaining(reason) })
  })

  it('stays small on a trace that names a great many registers and interrupts', () => {
    const machine = scripted({}, '-machine virt,gic-version=3 -smp 4')
    // It answers as recorded and keeps no list.
    const same = ({ low }: { low: number }) => low
    Object.assign(machine, { read: same, mrs: same, peek: same, write: () => {} })
    const replayer = new Replayer(machine)
    const [acknowledge, read, write] = ['MRS ICC_IAR1_EL1 8192', 'R gicr 0 4 0', 'W gich 0 4 0'].map((text) =>
      parseEvent(`0 ${text}`, 1),
    )
    for (let i = 0; i < 70_000; i++)
      replayer.take([
        { ...acknowledge, low: 8192 + i } as TraceEvent,
        { ...read, offset: i * 4 } as TraceEvent,
        { ...write, offset: (i * 4) % 0x1_0000 } as TraceEvent,
      ])
    const result = replayer.finish()
    expect(result.interrupts.length).toBeLessThanOrEqual(65_536)
    expect(result.registers.length).toBeLessThanOrEqual(65_537)
  })
})
