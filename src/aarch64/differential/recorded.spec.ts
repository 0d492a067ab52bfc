/**
 * Random instructions against what QEMU 7.2 did with them, recorded: registers, flags, FPSR, syndrome and memory of two cases for each
 * row. differential.qemu.spec.ts makes new cases; run it with RECORD=1 to record again.
 */
import { describe, expect, it } from 'vitest'
import { rows } from '../isa/rows.ts'
import recordings from '../testdata/qemu-digests.json' with { type: 'json' }
import { OwnMachine } from './own.ts'
import { digest, type Recording, recordedCase } from './recorded.ts'

const byName = new Map(rows.map((row) => [row.name, row]))

describe('random instructions', () => {
  it.each(recordings as readonly Recording[])('end as they did on QEMU ($model)', ({ cases }) => {
    const own = new OwnMachine()
    const named = cases.map((line) => {
      const [name, expected] = line.split(' ')
      const row = byName.get(name!)
      if (!row) throw new Error(`${name} is no row any more: record again`)
      return { row, expected: expected! }
    })
    const batch = named.map(({ row }, index) => recordedCase(row, index))
    const memory = own.run(batch)
    const wrong = named.flatMap(({ row, expected }, index) => {
      if (digest(memory, index) === expected) return []
      return [`${row.name} (case ${index}): ${own.disassemble(batch[index]!.words.at(-1)!, 0n)}`]
    })
    expect(wrong).toEqual([])
    expect(named.length).toBeGreaterThan(300)
  })
})
