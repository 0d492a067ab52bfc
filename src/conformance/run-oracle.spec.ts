/**
 * The GICv3 vectors on Security states put to the unit tests' brute-force oracle, which the model is held against in random runs: an oracle
 * that is wrong where the vectors look would be no second opinion.
 */

import { describe, expect, it } from 'vitest'
import { OracleV3 } from '../gic/testing/oracle-v3.ts'
import { runVectors } from './run-vectors.ts'
import { executionOf, type GicTarget, type Result, type Step, type TargetConfig } from './target.ts'
import { gicv3Subjects } from './vectors/gicv3-index.ts'

const FRAME = 0x2_0000
const done: Result = { status: 'ok', value: 0n }

class OracleTarget implements GicTarget {
  readonly name = 'oracle'
  readonly config: TargetConfig
  readonly #oracle: OracleV3

  constructor(config: TargetConfig) {
    const { cpus, security, el2 = false } = config
    this.config = config
    const has = { oneOfN: false, messageSpis: false, nmi: false, directLpis: false, invalidateRegisters: false }
    const sizes = { intids: 288, extendedSpis: 0, extendedPpis: 0, priorityBits: 5, distributorPriorityBits: 8 }
    const affinities = Array.from({ length: cpus }, (_, cpu) => cpu)
    this.#oracle = new OracleV3(
      { cpus, affinities, ...sizes, security, el2, ...has, lpis: { intidBits: 16 } },
      new Uint8Array(0),
    )
  }

  async run(steps: readonly Step[]): Promise<Result[]> {
    return steps.map((step) => this.#step(step))
  }

  async reset(): Promise<void> {
    this.#oracle.reset()
  }

  async close(): Promise<void> {}

  #step(step: Step): Result {
    const oracle = this.#oracle
    switch (step.op) {
      case 'read':
      case 'write': {
        const frame = step.region === 'gicd' ? 'gicd' : Math.floor(step.offset / FRAME)
        const offset = step.region === 'gicd' ? step.offset : step.offset % FRAME
        const secure = step.secure === true
        const halves = step.size === 8 ? [0, 4] : [0]
        const size = Math.min(step.size, 4)
        if (step.op === 'read')
          return halves.reduce<Result>(
            (sum, at) => ({
              status: 'ok',
              value: sum.value + (BigInt(oracle.read(frame, offset + at, size, secure)) << BigInt(8 * at)),
            }),
            done,
          )
        for (const at of halves)
          oracle.write(frame, offset + at, size, Number((BigInt(step.value) >> BigInt(8 * at)) & 0xffff_ffffn), secure)
        return done
      }
      case 'mrs':
      case 'msr':
        return this.#system(step)
      default:
        throw new Error(`${step.op}: no vector of these subjects has such a step`)
    }
  }

  #system(step: Extract<Step, { op: 'mrs' | 'msr' }>): Result {
    const { cpu, register } = step
    const { el, ns, fiq = false, irq = false } = executionOf(step)
    this.#oracle.setExecution(cpu, { el, secure: !ns, scrFiq: fiq, scrIrq: irq })
    const wires = this.#oracle.outputs(cpu, this.#oracle.signalled(cpu))
    if (el === 1 && ((fiq && wires.fiq) || (irq && wires.irq))) return { status: 'taken', value: 0n }
    if (register === 'ISR_EL1') return { status: 'ok', value: (wires.fiq ? 0x40n : 0n) | (wires.irq ? 0x80n : 0n) }
    if (step.op === 'msr') return { status: this.#oracle.msr(cpu, register, BigInt(step.value)), value: 0n }
    const { outcome, value } = this.#oracle.mrs(cpu, register)
    return { status: outcome, value }
  }
}

const subjects = Object.entries(gicv3Subjects).filter(([name]) => /^EL3|^Two Security/.test(name))

describe('The brute-force oracle', () => {
  it.each(subjects)('passes the vectors on %s', async (_, vectors) => {
    const failed: string[] = []
    let ran = 0
    for (const el2 of [false, true]) {
      const target = new OracleTarget({ version: 3, cpus: 1, security: true, its: false, el2 })
      const results = await runVectors(target, vectors, { priorityBits: 5, intids: 288 })
      ran += results.length
      failed.push(...results.filter(({ passed }) => !passed).map(({ vector }) => vector.name))
    }
    expect(failed).toEqual([])
    expect(ran).toBeGreaterThan(vectors.length)
  })
})
