/** Floating point, scalar and vector, against QEMU: every row, random operands, every FPCR mode. Needs qemu-system-aarch64. */
import { expect, it } from 'vitest'
import { simdRows } from '../../simd/rows.ts'
import { fpRows } from '../rows.ts'
import { compareWithQemu } from './compare.ts'

it('every floating-point instruction leaves the same registers and flags as on QEMU', () => {
  const seed = Number(process.env['SEED'] ?? 1)
  const { executed, undefinedOnBoth, differences } = compareWithQemu(
    fpRows,
    [...fpRows, ...simdRows],
    Number(process.env['CASES'] ?? 100),
    seed,
  )
  console.log(`seed ${seed}: ${executed} executed, ${undefinedOnBoth} UNDEFINED on both`)
  const first = new Map(differences.map((d) => [d.name, d]))
  const lines = [...first.values()].map((d) => `${d.name} ${d.word.toString(16)}: ${d.detail}`)
  expect(lines).toEqual([])
})
