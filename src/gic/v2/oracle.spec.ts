/**
 * The model against a brute-force oracle of IHI 0048: random steps on both, and after every one of them the outputs, the
 * interrupt that would be acknowledged, and what reads answer must be the same. A failing run is cut down and printed.
 */

import { describe, expect, it } from 'vitest'
import { keyIntid, NONE } from '../candidates.ts'
import { OracleV2 } from '../testing/oracle-v2.ts'
import { Random } from '../testing/random.ts'
import { Rig } from '../testing/rig-v2.ts'
import { endOffsets, gicOf, type RunConfig, randomConfig, type Step, stepsOf } from '../testing/steps-v2.ts'
import { isDeliverable } from './explain.ts'

/** `npm run test:long` gives both; VGIC_SEED repeats a run. */
const seed = Number(process.env['VGIC_SEED'] ?? 20_480)
const scale = Number(process.env['VGIC_STEPS'] ?? 1)

const banks = [0x80, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x800, 0xc00, 0xe00] as const

/** Runs the steps on both; what differs first, or undefined. `thorough`: every so many steps all registers are compared. */
function firstDifference(
  config: RunConfig,
  steps: readonly Step[],
  thorough: number,
  rig = new Rig(gicOf(config)),
): string | undefined {
  const oracle = new OracleV2(config)
  for (const [i, step] of steps.entries()) {
    let expected = 0
    if (step.op === 'end') {
      // Both write the same value: what this CPU acknowledged last.
      const value = rig.ending(step)
      const offset = endOffsets[step.register]
      rig.write('gicc', offset, value, step.cpu, step.secure)
      oracle.write('gicc', offset, 4, value, step.cpu, step.secure)
    } else {
      const actual = rig.take(step)
      if (step.op === 'read') expected = oracle.read(step.frame, step.offset, step.size, step.cpu, step.secure)
      else if (step.op === 'write') oracle.write(step.frame, step.offset, step.size, step.value, step.cpu, step.secure)
      else if (step.op === 'line') oracle.setLine(step.intid, step.cpu, step.level)
      else oracle.reset()
      if (actual !== expected)
        return `step ${i} answers 0x${actual.toString(16)}, the oracle 0x${expected.toString(16)}`
    }
    const state =
      differenceOfState(oracle, rig, config) ?? (i % thorough === 0 ? differenceOfBanks(oracle, rig, i) : undefined)
    if (state !== undefined) return `after step ${i}: ${state}`
  }
  return undefined
}

function differenceOfState(oracle: OracleV2, rig: Rig, config: RunConfig): string | undefined {
  const { gic } = rig
  for (let cpu = 0; cpu < config.cpus; cpu++) {
    const wanted = oracle.signalled(cpu)
    const key = gic.cpus[cpu]!.signalled
    const intid = key === NONE ? undefined : keyIntid(key)
    if (intid !== wanted?.intid) return `CPU ${cpu} is signalled ${intid}, by the oracle ${wanted?.intid}`
    const { irq, fiq } = oracle.outputs(cpu)
    if (gic.fiq(cpu) !== fiq || gic.irq(cpu) !== irq) return `CPU ${cpu}: wires differ`
    const running = Math.min(oracle.running(cpu), 0xff)
    if (rig.read('gicc', 0x14, cpu, true) !== running) return `CPU ${cpu}: GICC_RPR is not 0x${running.toString(16)}`
  }
  return undefined
}

/** Every bank, every CPU interface register without a side effect, in both Security states, of one CPU. */
function differenceOfBanks(oracle: OracleV2, rig: Rig, turn: number): string | undefined {
  const { config } = rig.gic
  const cpu = turn % config.cpus
  for (const secure of [true, false]) {
    const differs = (frame: 'gicd' | 'gicc', offset: number) => {
      const actual = rig.read(frame, offset, cpu, secure)
      const expected = oracle.read(frame, offset, 4, cpu, secure)
      if (actual === expected) return undefined
      return `${frame} 0x${offset.toString(16)} of CPU ${cpu} (secure ${secure}) is 0x${actual.toString(16)}, by the oracle 0x${expected.toString(16)}`
    }
    const offsets = [0x000, 0x004, 0x008, 0xf10, 0xf14, 0xf18, 0xf1c, 0xf20, 0xf24, 0xf28, 0xf2c]
    for (const bank of banks) {
      const bits = bank === 0x400 || bank === 0x800 ? 8 : bank === 0xc00 || bank === 0xe00 ? 2 : 1
      const size = Math.min(0x3fc, Math.ceil((config.intids * bits) / 32) * 4 + 4, (1024 * bits) / 8)
      for (let at = 0; at < size; at += 4) offsets.push(bank + at)
    }
    for (let at = 0xd00; at < 0xd80; at += 4) offsets.push(at)
    for (const offset of offsets) {
      const difference = differs('gicd', offset)
      if (difference) return difference
    }
    for (const offset of [
      0x00, 0x04, 0x08, 0x14, 0x18, 0x1c, 0x28, 0xd0, 0xd4, 0xd8, 0xdc, 0xe0, 0xe4, 0xe8, 0xec, 0xfc,
    ]) {
      const difference = differs('gicc', offset)
      if (difference) return difference
    }
  }
  return undefined
}

/** Leaves out as many steps as can be, while the two still differ. */
function shrink(config: RunConfig, steps: readonly Step[]): Step[] {
  let kept = [...steps]
  const until = performance.now() + 20_000
  for (let length = Math.ceil(kept.length / 2); length >= 1 && performance.now() < until; ) {
    let cut = false
    for (let at = 0; at < kept.length && performance.now() < until; ) {
      const fewer = [...kept.slice(0, at), ...kept.slice(at + length)]
      if (firstDifference(config, fewer, 1) === undefined) at += length
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
const total = { steps: 0, taken: 0, preempted: 0 }

function hold(config: RunConfig, runSeed: number, count: number): void {
  const steps = stepsOf(runSeed, config, count)
  const rig = new Rig(gicOf(config))
  const difference = firstDifference(config, steps, 512, rig)
  total.steps += count
  total.taken += rig.taken
  total.preempted += rig.preempted
  if (difference === undefined) return
  const upTo = Number(/step (\d+)/.exec(difference)?.[1] ?? count - 1) + 1
  const least = shrink(config, steps.slice(0, upTo))
  const again = firstDifference(config, least, 1)
  expect.fail(
    [
      `seed ${runSeed} of ${JSON.stringify(config)}: ${difference}`,
      `cut down to ${least.length} steps (${again}):`,
      ...least.map((step) => `  ${JSON.stringify(step)}`),
    ].join('\n'),
  )
}

describe('GICv2 answers as a brute-force oracle of IHI 0048 does', () => {
  const random = new Random(seed)
  for (let cpus = 1; cpus <= 8; cpus++)
    for (const security of [false, true])
      it(`with ${cpus} CPUs ${security ? 'and' : 'without'} the Security Extensions, small`, () => {
        for (let priorityBits = security ? 5 : 4; priorityBits <= 8; priorityBits++) {
          const config = { ...randomConfig(random, 96), cpus, security, priorityBits }
          hold(config, random.word(), 1_200 * scale)
        }
      })

  for (const intids of [32, 64, 288, 992, 1020])
    it(`with ${intids} INTIDs`, () => {
      for (let run = 0; run < 3 * scale; run++) {
        const config = { ...randomConfig(random), intids, cpus: random.from(1, 4) }
        hold(config, random.word(), Math.ceil(200_000 / intids))
      }
    })

  it('in runs that acknowledge, and preempt, all the time', () => {
    expect(total.steps).toBeGreaterThan(75_000 * scale)
    expect(total.taken).toBeGreaterThan(total.steps / 40)
    expect(total.preempted).toBeGreaterThan(total.steps / 500)
  })

  it('and signals the one interrupt whose gates are all open, and none when there is none (the gates that explain walks)', () => {
    let deliverables = 0
    for (let run = 0; run < 8 * scale; run++) {
      const config = randomConfig(random, 96)
      const rig = new Rig(gicOf(config))
      const { gic } = rig
      let deliverable = 0
      for (const step of stepsOf(random.word(), config, 400)) {
        rig.take(step)
        const cpu = step.op === 'reset' ? 0 : Math.max(0, step.cpu) % config.cpus
        const open: number[] = []
        for (let intid = 0; intid < config.intids; intid++) if (isDeliverable(gic, intid, cpu)) open.push(intid)
        const key = gic.cpus[cpu]!.signalled
        expect(open, `seed ${seed}, run ${run}, CPU ${cpu}`).toEqual(key === NONE ? [] : [keyIntid(key)])
        deliverable += open.length
      }
      deliverables += deliverable
    }
    expect(deliverables).toBeGreaterThan(130 * scale)
  })
})
