/**
 * Random instructions on QEMU and on this CPU: every row of the decode table that one instruction on bare metal can hold. CASES sets
 * how many (default 60,000, and 1,000,000 where CI is set), SEED where they start. A difference is printed as one instruction with its state.
 */
import { writeFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { rows } from '../isa/rows.ts'
import { modelFor, randomBatch, testable } from './cases.ts'
import { describeDifference, differences } from './compare.ts'
import { OwnMachine } from './own.ts'
import { runOnQemu } from './qemu.ts'
import { digest, recordedCase, recordedRows } from './recorded.ts'

const total = Number(process.env['CASES'] ?? (process.env['CI'] ? 1_000_000 : 60_000))
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
const batchSize = 30_000
/** Batches in turn: without and with the alignment of every access checked (A). That of SP (SA) is left out: QEMU 7.2 never checks it. */
const settings = [{}, { sctlr: 1n << 1n }, {}]

describe('random instructions over random states', () => {
  it.each(['cortex-a57', 'neoverse-n1'] as const)(
    `end as on QEMU's %s (seed ${seed})`,
    (model) => {
      const own = new OwnMachine()
      const held = rows.filter((row) => testable(row) && modelFor(row) === model)
      const share = model === 'cortex-a57' ? 0.85 : 0.15
      const failures: string[] = []
      for (let done = 0; done < total * share; done += batchSize) {
        const batch = randomBatch(held, Math.min(batchSize, Math.ceil(total * share - done)), seed + done)
        const setting = settings[(seed + done / batchSize) % settings.length]!
        const expected = runOnQemu(batch, model, setting)
        for (const difference of differences(batch, expected, own.run(batch, setting)))
          failures.push(describeDifference(batch, difference, (word, address) => own.disassemble(word, address)))
      }
      expect(failures.slice(0, 5).join('\n\n'), `${failures.length} differences, seed ${seed}`).toBe('')
    },
    1_200_000,
  )
})

describe.runIf(process.env['RECORD'])('the recording', () => {
  it('is made anew', () => {
    const recordings = ['cortex-a57', 'neoverse-n1'].map((model) => {
      const list = recordedRows(rows, model, 2)
      const memory = runOnQemu(
        list.map((row, index) => recordedCase(row, index)),
        model,
      )
      return { model, cases: list.map((row, index) => `${row.name} ${digest(memory, index)}`) }
    })
    writeFileSync(new URL('../testdata/qemu-digests.json', import.meta.url), `${JSON.stringify(recordings, null, 0)}\n`)
    expect(recordings).toHaveLength(2)
  })
})
