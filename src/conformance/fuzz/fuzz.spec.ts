/**
 * The fuzzer itself: that it is deterministic, keeps its rules, finds what is broken and makes it small. On toy targets,
 * so that it needs neither QEMU nor this package's GIC.
 */

import { describe, expect, it } from 'vitest'
import type { GicTarget, Result, Step, TargetConfig } from '../target.ts'
import { type FuzzOptions, failureLines, fuzz } from './fuzz.ts'
import { GICV2_RULES } from './gicv2-rules.ts'
import { Gicv2Steps } from './gicv2-steps.ts'
import { Gicv2View } from './gicv2-view.ts'
import { Random } from './random.ts'
import { shrink } from './shrink.ts'

const config: TargetConfig = { version: 2, cpus: 4, security: false, its: false }
const wires = { fastSpis: [33, 35, 39], fastPpis: [27, 30], spis: 256 }

/** Stores what is written, a byte at a time; every acknowledge gives the number of the last SGI. Not a GIC. */
class Toy implements GicTarget {
  readonly name: string
  readonly config = config
  #bytes = new Map<number, number>()
  #sgis = 0
  #fault: (sgis: number, step: Step) => boolean
  constructor(name = 'toy', fault: (sgis: number, step: Step) => boolean = () => false) {
    this.name = name
    this.#fault = fault
  }
  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) => {
      let value = 0n
      if (step.op === 'write' && step.offset === 0xf00) this.#sgis++
      if (step.op === 'write')
        for (let n = 0; n < step.size; n++)
          this.#bytes.set(step.offset + n, Number(BigInt(step.value) >> BigInt(8 * n)) & 0xff)
      if (step.op === 'read')
        for (let n = 0; n < step.size; n++) value |= BigInt(this.#bytes.get(step.offset + n) ?? 0) << BigInt(8 * n)
      if (step.op === 'read' && step.offset === 0x00c) value = 1023n
      if (this.#fault(this.#sgis, step)) value ^= 1n
      return { status: 'ok', value }
    })
  }
  async reset(): Promise<void> {
    this.#bytes.clear()
    this.#sgis = 0
  }
  async close(): Promise<void> {}
}

const options = (subject: () => GicTarget): FuzzOptions<Gicv2View> => ({
  config,
  seed: 7,
  steps: 20_000,
  source: (random) => new Gicv2Steps(random, config, GICV2_RULES, wires),
  view: () => new Gicv2View(config),
  rules: GICV2_RULES,
  allowances: [],
  reference: async () => new Toy('one'),
  subject: async () => subject(),
})

describe('random steps', () => {
  const make = (seed: number): Step[] => {
    const generator = new Gicv2Steps(new Random(seed, 3), config, GICV2_RULES, wires)
    const all: Step[] = []
    for (let n = 0; n < 20; n++) {
      const steps = generator.batch(100)
      for (const step of steps) generator.view.answered(step, { status: 'ok', value: 1023n })
      generator.learned()
      all.push(...steps)
    }
    return all
  }
  it('follow from the seed alone', () => {
    expect(make(1)).toEqual(make(1))
    expect(make(1)).not.toEqual(make(2))
  })
  it('come from every CPU, and reach every register bank of both frames', () => {
    const all = Array.from({ length: 8 }, (_, seed) => make(seed)).flat()
    const seen = new Set(all.map((step) => ('region' in step ? `${step.region} ${step.offset >> 7}` : step.op)))
    for (const bank of [
      'gicd 0',
      'gicd 2',
      'gicd 3',
      'gicd 4',
      'gicd 5',
      'gicd 6',
      'gicd 7',
      'gicd 8',
      'gicd 16',
      'gicd 24',
      'gicd 30',
      'gicc 0',
      'gicc 1',
      'spi',
      'ppi',
      'lines',
      'v2m 0',
    ])
      expect(seen).toContain(bank)
    expect(new Set(all.flatMap((step) => ('cpu' in step ? [step.cpu] : [])))).toEqual(new Set([0, 1, 2, 3]))
  })
  it('end mostly what was acknowledged last (IHI 0048 4.4.5), and in some cases anything', () => {
    const generator = new Gicv2Steps(new Random(5), config, GICV2_RULES, wires)
    const stacks: number[][] = [[], [], [], []]
    let ended = 0
    let inOrder = 0
    let next = 32
    for (let batch = 0; batch < 200; batch++) {
      const steps = generator.batch(40)
      const results = steps.map((step): Result => {
        if (step.op === 'read' && step.region === 'gicc' && step.offset === 0x00c) {
          next = next === 63 ? 32 : next + 1
          stacks[step.cpu]!.push(next)
          return { status: 'ok', value: BigInt(next) }
        }
        if (step.op === 'write' && step.region === 'gicc' && step.offset === 0x010 && Number(step.value) < 1020) {
          if (stacks[step.cpu]!.at(-1) === Number(step.value)) inOrder++
          stacks[step.cpu]!.pop()
          ended++
        }
        return { status: 'ok', value: 0n }
      })
      steps.forEach((step, n) => {
        generator.view.answered(step, results[n]!)
      })
      generator.learned()
    }
    expect(ended).toBeGreaterThan(100)
    expect(inOrder / ended).toBeGreaterThan(0.8)
  })
})

describe('the fuzzer', () => {
  it('says that equal targets agree', async () => {
    const report = await fuzz(options(() => new Toy('other')))
    expect(report.failure).toBeUndefined()
    expect(report.steps).toBe(20_000)
  })
  it('finds a target that errs after the third SGI, and shrinks the sequence to three SGIs and one read', async () => {
    const erring = (): Toy =>
      new Toy(
        'other',
        (sgis, step) => sgis >= 3 && step.op === 'read' && step.region === 'gicc' && step.offset === 0x014,
      )
    const { failure } = await fuzz(options(erring))
    const what = failure?.steps.map((step) => ('region' in step ? `${step.op} ${step.region} ${step.offset}` : step.op))
    expect(what).toEqual(['write gicd 3840', 'write gicd 3840', 'write gicd 3840', 'read gicc 20'])
    expect(failureLines(failure!).at(-1)).toBe('# one answers 0x0, other 0x1')
    expect(failureLines(failure!)[3]).toMatch(/^[0-3] R gicc 0x14 4 0x0$/)
  })
  it('does not report what an allowance covers, and counts it', async () => {
    const erring = (): Toy =>
      new Toy('other', (_, step) => step.op === 'read' && step.region === 'gicc' && step.offset === 0x014)
    const allowances = [{ id: 'RPR', allows: (step: Step) => step.op === 'read' && step.offset === 0x014 }]
    const report = await fuzz({ ...options(erring), allowances })
    expect(report.failure).toBeUndefined()
    expect(report.allowed.get('RPR')).toBeGreaterThan(10)
  })
  it('reports a target that is lost with the few steps that lose it, and starts another to find out', async () => {
    let started = 0
    const subject = (): GicTarget => {
      started++
      const toy = new Toy('other')
      const run = toy.run.bind(toy)
      toy.run = async (steps) => {
        if (steps.some((step) => step.op === 'write' && step.region === 'gicd' && step.offset === 0xf00))
          throw new Error('gone')
        return run(steps)
      }
      return toy
    }
    const { failure } = await fuzz(options(subject))
    expect(failure?.message).toBe('gone')
    expect(failure?.steps.length).toBeLessThanOrEqual(2)
    expect(started).toBeGreaterThan(1)
  })
})

describe('shrinking', () => {
  it('finds the three steps of a thousand that fail only together', async () => {
    const needed = [17, 500, 999]
    const all = Array.from({ length: 1000 }, (_, n) => n)
    const small = await shrink(all, async (candidate) => {
      const last = candidate.indexOf(999)
      return needed.every((n) => candidate.includes(n)) ? last + 1 : undefined
    })
    expect(small).toEqual(needed)
  })
  it('takes out two that may only go together', async () => {
    const small = await shrink(['a', 'open', 'b', 'close', 'c'], async (candidate) => {
      const whole = candidate.includes('open') === candidate.includes('close')
      return whole && candidate.includes('b') && candidate.includes('c') ? candidate.indexOf('c') + 1 : undefined
    })
    expect(small).toEqual(['b', 'c'])
  })
})
