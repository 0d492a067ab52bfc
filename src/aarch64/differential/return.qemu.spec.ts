/**
 * Exception returns on QEMU's Cortex-A57 and on this CPU: ERET with any SPSR_EL1 and targets that are misaligned, unmapped or fine. What
 * PSTATE was after it shows in the exception that ends the case: its class, its vector's SPSR_EL1, ELR_EL1 and FAR_EL1.
 */
import { expect, it } from 'vitest'
import { differences } from './compare.ts'
import { at, type Case, caseAddress, code, codeBytes, entryOffset, ram, userAlias } from './image.ts'
import { OwnMachine } from './own.ts'
import { runOnQemu } from './qemu.ts'
import { Random } from './random.ts'

const MSR_SPSR_X1 = 0xd5184001
const MSR_ELR_X2 = 0xd5184022
const ERET = 0xd69f03e0
const BRK = 0xd4200020

it('an exception return leaves the same PSTATE, or Illegal Execution state, as on QEMU for any SPSR_EL1', () => {
  const random = new Random(Number(process.env['SEED'] ?? 1))
  const batch: Case[] = []
  while (batch.length < 4000) {
    const here = code + batch.length * codeBytes + entryOffset + 12
    // Not AArch32, which the Cortex-A57 has at EL0, nor PAN, which it has not; nor SP_EL0 at EL1, whose vectors the agent leaves out.
    const spsr = BigInt(((random.word() & 0xf03003e0) | (random.below(2) ? 0 : random.below(16))) >>> 0) & ~0x10n
    if ((spsr & 0xfn) === 4n) continue
    // A misaligned target is a mapped one: QEMU looks it up before it looks at its alignment, which D1.13.4 has the other way round.
    const target = [here, here, here + userAlias, here + userAlias, here + 1 + random.below(3), random.word() & ~3][
      random.below(6)
    ]!
    const x = Array.from({ length: 32 }, () => random.value())
    x[1] = spsr
    x[2] = BigInt(target)
    x[31] = BigInt(caseAddress(batch.length) + 1536)
    batch.push({
      words: [MSR_SPSR_X1, MSR_ELR_X2, ERET, BRK],
      x,
      v: Array.from({ length: 64 }, () => 0n),
      nzcv: 0,
      fpcr: 0,
      fpsr: 0,
      memory: batch.length,
    })
  }
  const expected = runOnQemu(batch, 'cortex-a57', { user: true })
  const found = differences(batch, expected, new OwnMachine().run(batch, { user: true })).map(
    ({ index, fields }) =>
      `SPSR ${batch[index]!.x[1]!.toString(16)} ELR ${batch[index]!.x[2]!.toString(16)}: ${fields.join(', ')}`,
  )
  expect(found).toEqual([])
  const view = new DataView(expected.buffer, expected.byteOffset, expected.byteLength)
  const classes = batch.map((_, index) =>
    Number(view.getBigUint64(caseAddress(index) - ram.base + at.esr, true) >> 26n),
  )
  // Illegal Execution state, Instruction Aborts of both levels, a misaligned PC, and BRK.
  expect(new Set(classes)).toEqual(new Set([...classes, 0x0e, 0x20, 0x21, 0x22, 0x3c]))
})
