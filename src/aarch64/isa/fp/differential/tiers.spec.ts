/**
 * One semantic function, two tiers: each instruction with its fields read from the opcode at run time (the interpreter) and with all of
 * them constant (as a translator has them) must do the same. Nothing here says that either is right.
 */
import { expect, it } from 'vitest'
import { rows } from '../../rows.ts'
import { simdRows } from '../../simd/rows.ts'
import { fpRows } from '../rows.ts'
import { compareMachines, randomBatch, summary } from './compare.ts'
import { runConstant, runInterpreter } from './runners.ts'

it('run-time and constant operands give the same registers and flags for every instruction', () => {
  const outcome = compareMachines(randomBatch([...fpRows, ...simdRows], 20, 5), runInterpreter, (words, cases) =>
    runConstant(words, cases, rows),
  )
  expect(summary(outcome)).toEqual([])
  expect(outcome.executed).toBeGreaterThan(8000)
})
