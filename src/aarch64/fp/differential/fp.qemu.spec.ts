/**
 * Floating point and Advanced SIMD against QEMU: every row, random operands, every FPCR mode, on the interpreter. Needs qemu-system-aarch64.
 * SEED and CASES (per row, at most 78) in the environment choose another run.
 */
import { expect, it } from 'vitest'
import { simdRows } from '../../simd/rows.ts'
import { fpRows } from '../rows.ts'
import { compareMachines, summary } from './compare.ts'
import { runOnQemu } from './qemu.ts'
import { runInterpreter } from './runners.ts'

const seed = Number(process.env['SEED'] ?? 1)
const perRow = Number(process.env['CASES'] ?? 70)

it('every floating-point and SIMD instruction leaves the same registers and flags as on QEMU', () => {
  const outcome = compareMachines([...fpRows, ...simdRows], perRow, seed, runInterpreter, (words, cases) =>
    runOnQemu(words, cases),
  )
  // Cortex-A57 has FEAT_PMULL (PMULL with size 3), and we do not claim it.
  const differences = outcome.differences.filter(({ word }) => (word & 0xbfe0fc00) >>> 0 !== 0x0ee0e000)
  console.log(`seed ${seed}: ${outcome.executed} executed, ${outcome.undefinedOnBoth} UNDEFINED on both`)
  expect(summary({ ...outcome, differences })).toEqual([])
})
