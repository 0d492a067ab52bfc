/**
 * Short ways to write steps down, and to read results, in reproductions and specs. Plain data in, plain data out:
 * no target and no GIC in here.
 */

import type { AccessSize, Execution, Region, Result, Step } from '../target.ts'

export const read = (cpu: number, region: Region, offset: number, size: AccessSize = 4): Step => ({
  op: 'read',
  cpu,
  region,
  offset,
  size,
})
export const write = (
  cpu: number,
  region: Region,
  offset: number,
  value: number | bigint,
  size: AccessSize = 4,
): Step => ({ op: 'write', cpu, region, offset, size, value })
export const spi = (intid: number, level: 0 | 1): Step => ({ op: 'spi', intid, level })
export const ppi = (intid: number, cpu: number, level: 0 | 1): Step => ({ op: 'ppi', intid, cpu, level })
export const mrs = (cpu: number, register: string): Step => ({ op: 'mrs', cpu, register })
export const msr = (cpu: number, register: string, value: number | bigint): Step => ({
  op: 'msr',
  cpu,
  register,
  value,
})
export const lines: Step = { op: 'lines' }

/** The same access in the Secure state. */
export function secure(step: Step): Step {
  return step.op === 'read' || step.op === 'write' ? { ...step, secure: true } : step
}

/** The same system register access, made elsewhere. */
export function at(where: Execution, step: Step): Step {
  return step.op === 'mrs' || step.op === 'msr' ? { ...step, at: where } : step
}

/** What the steps that read anything answered: a number, or the name of the failure. */
export function answers(steps: readonly Step[], results: readonly Result[]): (number | string)[] {
  return results.flatMap((result, n): (number | string)[] => {
    const op = steps[n]?.op
    const reads = op === 'read' || op === 'mrs' || op === 'lines' || op === 'load'
    if (result.status !== 'ok') return [result.status]
    return reads ? [Number(result.value)] : []
  })
}
