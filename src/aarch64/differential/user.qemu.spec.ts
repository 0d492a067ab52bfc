/**
 * What EL0 may do to system registers and with system instructions, on QEMU's Cortex-A57 and on this CPU: every encoding of the tables is
 * tried at EL0, with SCTLR_EL1 letting nothing and everything through; outcome and syndrome must be the same.
 */
import { describe, expect, it } from 'vitest'
import { allRegisters } from '../system/registers.ts'
import { systemInstructions } from '../system/sys.ts'
import type { Encoding } from '../system/system-register.ts'
import { differences } from './compare.ts'
import { at, type Case, caseAddress, code, codeBytes, entryOffset, ram, userAlias, window } from './image.ts'
import { OwnMachine } from './own.ts'
import { runOnQemu } from './qemu.ts'

const MSR_SPSR_X1 = 0xd5184001
const MSR_ELR_X2 = 0xd5184022
const MSR_SCTLR_X3 = 0xd5181003
const ERET = 0xd69f03e0

function encode([op0, op1, CRn, CRm, op2]: Encoding, read: boolean, Rt: number): number {
  return (
    (0xd5000000 |
      (read ? 1 << 21 : 0) |
      ((op0 & 3) << 19) |
      (op1 << 16) |
      (CRn << 12) |
      (CRm << 8) |
      (op2 << 5) |
      Rt) >>>
    0
  )
}

/** SCTLR_EL1 with the MMU on: UMA, DZE, UCT, nTWI, nTWE and UCI all clear, or all set. */
const closed = 0x30d01805n
const open = closed | (1n << 9n) | (1n << 14n) | (1n << 15n) | (1n << 16n) | (1n << 18n) | (1n << 26n)

/** Not the same on the two by design: debug registers that QEMU leaves out, and where an access would change what the agent needs. */
const excluded = /^(TPIDR|OSDTR|OSECCR|DBGPRCR|DBGCLAIM|DBGAUTH|MDCC|DBGDTR|DBG|CLIDR|FPCR|FPSR|AT |RVBAR)/

describe('EL0', () => {
  it('reaches, traps or is UNDEFINED as on QEMU, for every system register and system instruction', () => {
    const words: { name: string; word: number; writes: boolean }[] = []
    for (const { name, encoding } of allRegisters) {
      if (excluded.test(name)) continue
      words.push({ name: `mrs ${name}`, word: encode(encoding, true, 4), writes: false })
      words.push({ name: `msr ${name}`, word: encode(encoding, false, 5), writes: true })
    }
    for (const { name, encoding } of systemInstructions)
      if (!excluded.test(name)) words.push({ name, word: encode(encoding, false, 6), writes: false })
    const batch: Case[] = []
    const names: string[] = []
    for (const sctlr of [closed, open]) {
      for (const { name, word } of words) {
        const index = batch.length
        const x = Array.from({ length: 32 }, (_, register) => BigInt(register) * 0x1111n)
        x[1] = 0n
        x[2] = BigInt(code + index * codeBytes + entryOffset + 16 + userAlias)
        x[3] = sctlr
        x[6] = BigInt(caseAddress(index) + window.offset + 512 + userAlias)
        batch.push({
          words: [MSR_SCTLR_X3, MSR_SPSR_X1, MSR_ELR_X2, ERET, word],
          x,
          v: Array.from({ length: 64 }, () => 0n),
          nzcv: 0,
          fpcr: 0,
          fpsr: 0,
          memory: index,
        })
        names.push(`${name} with SCTLR_EL1 0x${sctlr.toString(16)}`)
      }
    }
    const expected = runOnQemu(batch, 'cortex-a57', { user: true })
    const found = differences(batch, expected, new OwnMachine().run(batch, { user: true })).map(
      ({ index, fields }) => `${names[index]}: ${fields.join(', ')}`,
    )
    expect(found).toEqual([])
    // The cases did run at EL0: their syndromes are those of a lower Exception level.
    const view = new DataView(expected.buffer, expected.byteOffset, expected.byteLength)
    const status = batch.map((_, index) =>
      Number(view.getBigUint64(caseAddress(index) - ram.base + at.spsr, true) & 15n),
    )
    expect(new Set(status)).toEqual(new Set([0]))
  })
})
