/**
 * The model against a brute-force oracle of IHI 0069: random steps on both, and after every one of them the outputs, the
 * interrupt that would be acknowledged, and what reads answer must be the same. A failing run is cut down and printed.
 */

import { describe, expect, it } from 'vitest'
import { NONE } from '../candidates.ts'
import { type Access, type OracleConfigV3, OracleV3 } from '../testing/oracle-v3.ts'
import { Random } from '../testing/random.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { memoryFor, randomConfig, type Step, stepsOf, systemRegisters, writeOnly } from '../testing/steps-v3.ts'
import { keyIntid, keyOf } from './delivery.ts'
import { isDeliverable } from './explain.ts'

/** Give VGIC_SEED to repeat a run, VGIC_STEPS to make it longer. */
const seed = Number(process.env['VGIC_SEED'] ?? 20_480)
const scale = Number(process.env['VGIC_STEPS'] ?? 1)

/** 64-bit registers: IROUTER and, in a Redistributor, TYPER, the base registers and those that act on LPIs. */
function isWide(frame: 'gicd' | number, offset: number): boolean {
  if (offset % 8 !== 0) return false
  if (frame === 'gicd') return (offset >= 0x6000 && offset < 0x7fe0) || (offset >= 0x8000 && offset < 0xa000)
  return [0x08, 0x40, 0x48, 0x70, 0x78, 0xa0, 0xb0].includes(offset)
}

/** Offsets that the oracle knows nothing of: identification, and the status registers. */
function isLeftOut({ frame, offset }: { frame: 'gicd' | number; offset: number }): boolean {
  const at = offset & ~3
  return at === 0x10 || (at >= 0xffd0 && at < 0x10000) || at === (frame === 'gicd' ? 8 : 4)
}

function ask(oracle: OracleV3, step: Step, rig: RigV3): Access {
  const done: Access = { outcome: 'ok', value: 0n }
  switch (step.op) {
    case 'read': {
      const { frame, offset, size, secure } = step
      if (offset % size !== 0) return done
      if (size !== 8) return { outcome: 'ok', value: BigInt(oracle.read(frame, offset, size, secure)) }
      if (!isWide(frame, offset)) return done
      const [low, high] = [oracle.read(frame, offset, 4, secure), oracle.read(frame, offset + 4, 4, secure)]
      return { outcome: 'ok', value: BigInt(high) * 2n ** 32n + BigInt(low) }
    }
    case 'write': {
      const { frame, offset, size, secure, value, high } = step
      if (offset % size !== 0) return done
      if (size !== 8) oracle.write(frame, offset, size, value >>> 0, secure)
      else if (isWide(frame, offset)) {
        oracle.write(frame, offset, 4, value >>> 0, secure)
        oracle.write(frame, offset + 4, 4, high >>> 0, secure)
      }
      return done
    }
    case 'mrs':
      return oracle.mrs(step.pe, step.register)
    case 'msr':
      return { outcome: oracle.msr(step.pe, step.register, step.value), value: 0n }
    case 'end': {
      const { register, value } = rig.ending(step)
      return { outcome: oracle.msr(step.pe, register, value), value: 0n }
    }
    case 'line':
      oracle.setLine(step.intid, step.pe, step.level)
      return done
    case 'execute':
      oracle.setExecution(step.pe, step.state)
      return done
    case 'poke':
      if (step.address < oracle.memory.length) oracle.memory[step.address] = step.value
      return done
    case 'reset':
      oracle.reset()
      return done
  }
}

/** Runs the steps on both; what differs first, or undefined. `thorough`: every so many steps all registers are compared. */
function firstDifference(
  config: OracleConfigV3,
  steps: readonly Step[],
  thorough: number,
  rig = new RigV3(gicOf(config)),
): string | undefined {
  const oracle = new OracleV3(config, memoryFor(config.cpus))
  for (const [i, step] of steps.entries()) {
    // What an `end` writes follows from what was acknowledged: the same for both.
    let same = step
    if (step.op === 'end') {
      const { register, value } = rig.ending(step)
      same = { op: 'msr', pe: step.pe, register, value }
    }
    const actual = rig.take(same)
    const expected = ask(oracle, same, rig)
    if (same.op === 'mrs' && same.register.includes('IAR')) noteAcknowledge(oracle, same.pe, Number(expected.value))
    const compared = !((step.op === 'read' || step.op === 'write') && isLeftOut(step))
    if (compared && (actual.outcome !== expected.outcome || actual.value !== expected.value))
      return `step ${i} answers ${actual.outcome} 0x${actual.value.toString(16)}, the oracle ${expected.outcome} 0x${expected.value.toString(16)}`
    const state =
      differenceOfState(oracle, rig, config) ?? (i % thorough === 0 ? differenceOfRegisters(oracle, rig, i) : undefined)
    if (state !== undefined) return `after step ${i}: ${state}`
  }
  return undefined
}

/** Interrupts acknowledged, by GICD_CTLR.DS, Exception level and SCR_EL3.NS: on GICs of two Security states. */
const acknowledged = new Map<string, number>()
function noteAcknowledge({ state }: OracleV3, index: number, intid: number): void {
  if (!state.config.security || (intid >= 1020 && intid < 1024)) return
  const { el, secure } = state.pes[index]!
  const place = `DS ${state.twoStates ? 0 : 1}, EL${el}, NS ${secure ? 0 : 1}`
  acknowledged.set(place, (acknowledged.get(place) ?? 0) + 1)
}

function differenceOfState(oracle: OracleV3, { gic }: RigV3, config: OracleConfigV3): string | undefined {
  for (let pe = 0; pe < config.cpus; pe++) {
    const wanted = oracle.signalled(pe)
    const key = gic.cpus[pe]!.signalled
    const intid = key === NONE ? undefined : keyIntid(key)
    if (intid !== wanted?.intid) return `PE ${pe} is signalled ${intid}, by the oracle ${wanted?.intid}`
    const { irq, fiq } = oracle.outputs(pe, wanted)
    if (gic.irq(pe) !== irq || gic.fiq(pe) !== fiq) return `PE ${pe}: wires differ`
    if (gic.superpriority(pe) !== (wanted?.nmi ?? false)) return `PE ${pe}: superpriority differs`
  }
  return undefined
}

/** Where registers are: GICD's banks, extended banks and routes, as far as random configurations go; GICR's two frames. */
const distributorRanges = [
  [0, 0x1000],
  [0x1000, 0x1010],
  [0x1200, 0x1210],
  [0x1600, 0x1610],
  [0x1a00, 0x1a10],
  [0x2000, 0x2048],
  [0x3000, 0x3018],
  [0x3400, 0x3408],
  [0x3600, 0x3618],
  [0x3b00, 0x3b10],
  [0x60f8, 0x6400],
  [0x8000, 0x8210],
] as const
const redistributorRanges = [
  [0, 0x100],
  [0x10000, 0x11000],
] as const

/** Every register without a side effect, in both Security states, of the Distributor and one PE. */
function differenceOfRegisters(oracle: OracleV3, rig: RigV3, turn: number): string | undefined {
  const { config } = rig.gic
  const pe = turn % config.cpus
  const hex = (value: number | bigint) => `0x${value.toString(16)}`
  for (const secure of [true, false])
    for (const frame of ['gicd', pe] as const) {
      const ranges = frame === 'gicd' ? distributorRanges : redistributorRanges
      for (const [from, end] of ranges)
        for (let offset = from; offset < end; offset += 4) {
          if (isLeftOut({ frame, offset })) continue
          const [actual, expected] = [rig.read(frame, offset, secure), oracle.read(frame, offset, 4, secure)]
          if (actual !== expected)
            return `${frame} ${hex(offset)} (secure ${secure}) is ${hex(actual)}, by the oracle ${hex(expected)}`
        }
    }
  for (const register of systemRegisters) {
    if (writeOnly.test(register) || register.includes('IAR')) continue
    const [actual, expected] = [rig.mrs(pe, register), oracle.mrs(pe, register)]
    if (actual.outcome !== expected.outcome || actual.value !== expected.value)
      return `${register} of PE ${pe} is ${actual.outcome} ${hex(actual.value)}, by the oracle ${expected.outcome} ${hex(expected.value)}`
  }
  if (Buffer.compare(rig.memory, oracle.memory) !== 0) return 'guest memory differs'
  return undefined
}

/** Leaves out as many steps as can be, while the two still differ. */
function shrink(config: OracleConfigV3, steps: readonly Step[]): Step[] {
  let kept = [...steps]
  const until = performance.now() + 20_000
  for (let length = Math.ceil(kept.length / 2); length >= 1 && performance.now() < until; ) {
    let cut = false
    for (let at = 0; at < kept.length && performance.now() < until; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + length)]
      if (firstDifference(config, fewer, 1e9) === undefined) at += length
      else {
        kept = fewer
        cut = true
      }
    }
    if (!cut || length > 1) length = length === 1 ? 0 : Math.ceil(length / 2)
  }
  return kept
}

/** What all runs did together: a comparison of two idle GICs would show nothing. */
const total = { steps: 0, taken: 0, preempted: 0, lpis: 0 }

function hold(config: OracleConfigV3, runSeed: number, count: number): void {
  const steps = stepsOf(runSeed, config, count)
  const rig = new RigV3(gicOf(config))
  const difference = firstDifference(config, steps, 500, rig)
  total.steps += count
  total.taken += rig.taken
  total.preempted += rig.preempted
  total.lpis += rig.lpis
  if (difference === undefined) return
  const upTo = Number(/step (\d+)/.exec(difference)?.[1] ?? count - 1) + 1
  const least = shrink(config, steps.slice(0, upTo))
  const again = firstDifference(config, least, 1e9)
  expect.fail(
    [
      `seed ${runSeed} of ${JSON.stringify(config)}: ${difference}`,
      `cut down to ${least.length} steps (${again}):`,
      ...least.map(
        (step) => `  ${JSON.stringify(step, (_, value) => (typeof value === 'bigint' ? hexOf(value) : value))}`,
      ),
    ].join('\n'),
  )
}

const hexOf = (value: bigint) => `0x${value.toString(16)}`

describe('GICv3 answers as a brute-force oracle of IHI 0069 does', () => {
  const random = new Random(seed)

  for (const security of [false, true])
    for (const nmi of [false, true])
      it(`with ${security ? 'two Security states' : 'one Security state'} and ${nmi ? '' : 'no '}NMIs`, () => {
        // More runs, not longer ones: what is never ended holds the rest of a run back.
        for (let run = 0; run < 2 * scale; run++)
          hold({ ...randomConfig(random, 96, security), nmi }, random.word(), 2000)
      })

  for (const intids of [32, 288, 992, 1020])
    it(`with ${intids} INTIDs`, () => {
      for (let run = 0; run < scale; run++)
        hold({ ...randomConfig(random), intids }, random.word(), Math.ceil(300_000 / (intids + 100)))
    })

  it('in runs that acknowledge, preempt and take LPIs all the time', () => {
    expect(total.steps).toBeGreaterThan(18_000 * scale)
    expect(total.taken).toBeGreaterThan(total.steps / 120)
    expect(total.preempted).toBeGreaterThan(total.steps / 4000)
    expect(total.lpis).toBeGreaterThan(total.steps / 4000)
  })

  it('at EL3 and at EL1, with SCR_EL3.NS 0 and 1, and with GICD_CTLR.DS 0 and 1', () => {
    for (const ds of [0, 1])
      for (const el of [1, 3])
        for (const ns of [0, 1]) {
          const place = `DS ${ds}, EL${el}, NS ${ns}`
          expect(acknowledged.get(place) ?? 0, place).toBeGreaterThan(total.steps / 4000)
        }
  })

  it('and signals the one interrupt whose gates are all open (the gates that explain walks)', () => {
    let deliverables = 0
    for (let run = 0; run < 6 * scale; run++) {
      const config = randomConfig(random, 96)
      const rig = new RigV3(gicOf(config))
      const { gic } = rig
      const intids = Array.from({ length: config.intids }, (_, i) => i)
      for (let i = 0; i < config.extendedPpis; i++) intids.push(1056 + i)
      for (let i = 0; i < config.extendedSpis; i++) intids.push(4096 + i)
      if (config.lpis) intids.push(8192, 8193, 16383)
      for (const step of stepsOf(random.word(), config, 600)) {
        rig.take(step)
        const pe = 'pe' in step ? step.pe : 0
        const open = intids.filter((intid) => isDeliverable(gic, intid, pe))
        const key = gic.cpus[pe]!.signalled
        if (key !== NONE && keyIntid(key) > 8193 && keyIntid(key) !== 16383) continue
        expect(open, `seed ${seed}, run ${run}, PE ${pe}`).toEqual(key === NONE ? [] : [keyIntid(key)])
        deliverables += open.length
      }
    }
    expect(deliverables).toBeGreaterThan(150 * scale)
  })

  it('with keys that sort by priority, then non-maskable before others, then INTID', () => {
    const order = [
      [0, 40, true],
      [0, 8, false],
      [0, 40, false],
      [0x7f, 65535, false],
      [0x80, 1019, true],
      [0x80, 0, false],
      [0xff, 0, false],
    ] as const
    const keys = order.map(([priority, intid, nmi]) => keyOf(priority, intid, nmi))
    expect([...keys].sort((a, b) => a - b)).toEqual(keys)
    expect(keys.at(-1)).toBeLessThan(NONE)
  })
})
