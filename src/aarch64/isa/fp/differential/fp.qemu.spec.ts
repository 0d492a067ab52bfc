/**
 * Floating point and Advanced SIMD against QEMU: every row, random operands, every FPCR mode, on the interpreter. Needs qemu-system-aarch64.
 * SEED and CASES (per row, at most 78) in the environment choose another run; RECORD=1 writes the digests of recorded.spec.ts anew.
 */
import { writeFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { cryptoRows } from '../../simd/crypto.ts'
import { simdRows } from '../../simd/rows.ts'
import { fpRows } from '../rows.ts'
import { compareMachines, digests, randomBatch, summary } from './compare.ts'
import { pairBatches } from './pairs.ts'
import { runOnQemu } from './qemu.ts'
import { recording } from './recording.ts'
import { runConstant, runInterpreter } from './runners.ts'

const { SEED, CASES, RECORD } = process.env

it('every floating-point and SIMD instruction leaves the same registers and flags as on QEMU', () => {
  const seed = Number(SEED ?? 1)
  const batch = randomBatch([...fpRows, ...simdRows], Number(CASES ?? 70), seed)
  const outcome = compareMachines(batch, runInterpreter, (words, cases) => runOnQemu(words, cases))
  console.log(`seed ${seed}: ${outcome.executed} executed, ${outcome.undefinedOnBoth} UNDEFINED on both`)
  expect(summary(outcome)).toEqual([])
})

it('every pair of special numbers gives the same results and flags as on QEMU, in every two-operand instruction', () => {
  let executed = 0
  for (const batch of pairBatches([...fpRows, ...simdRows], 1)) {
    const outcome = compareMachines(batch, runInterpreter, (words, cases) => runOnQemu(words, cases))
    expect(summary(outcome)).toEqual([])
    expect(outcome.undefinedOnBoth).toBe(0)
    executed += outcome.executed
  }
  console.log(`pairs: ${executed} executed`)
  expect(executed).toBeGreaterThan(50_000)
})

it.runIf(RECORD)('records what QEMU does', () => {
  const found = digests(recording(), (words, cases) => runOnQemu(words, cases))
  const lines = Object.entries(found).map(([name, digest]) => `  ${JSON.stringify(name)}: ${JSON.stringify(digest)}`)
  writeFileSync(new URL('../testdata/qemu-digests.json', import.meta.url), `{\n${lines.join(',\n')}\n}\n`)
})

it('AES and SHA instructions leave the same registers as on QEMU', () => {
  const batch = randomBatch(cryptoRows, 200, Number(SEED ?? 1))
  const outcome = compareMachines(
    batch,
    (words, cases) => runConstant(words, cases, cryptoRows),
    (words, cases) => runOnQemu(words, cases),
  )
  expect(summary(outcome)).toEqual([])
  expect(outcome.executed).toBe(14 * 200)
})
