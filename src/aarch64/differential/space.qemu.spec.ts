/**
 * The whole space of system registers and system instructions at EL1, on QEMU's Cortex-A57 and on this CPU: the same encodings are there,
 * and all others are UNDEFINED. What only one has by design is listed with its reason.
 */
import { describe, expect, it } from 'vitest'
import { at, type Case, caseAddress, ram } from './image.ts'
import { OwnMachine } from './own.ts'
import { runOnQemu } from './qemu.ts'

const MRS = 0xd5300004
const SYS = 0xd508001f
const SYSL = 0xd5280004

/** By op0, op1, CRn, CRm, op2. */
const byDesign: readonly (readonly [pattern: RegExp, why: string])[] = [
  [/^3 [0-7] 1[15] /, 'IMPLEMENTATION DEFINED: the L2 control registers of Cortex cores'],
  [/^2 (0 0 (0|3|6) 2|0 1 4 4|0 7 (8|9|14) 6|3 0 [45] 0)$/, 'debug registers that QEMU leaves out'],
  [/^3 0 4 2 3$/, 'PSTATE.PAN: FEAT_PAN, which the Cortex-A57 has not'],
  [
    /^1 (0 7 6 1|3 7 (5|10|11|14) 1)$/,
    'cache maintenance by address 0, which is not mapped: QEMU has no caches to look at it for',
  ],
]

function outcomes(words: readonly number[], run: (batch: readonly Case[]) => Uint8Array): bigint[] {
  const classes: bigint[] = []
  const size = 16_384
  for (let from = 0; from < words.length; from += size) {
    const batch = words.slice(from, from + size).map((word, index) => ({
      words: [word],
      x: Array.from({ length: 32 }, (_, register) => (register === 31 ? BigInt(caseAddress(index) + 1536) : 0n)),
      v: Array.from({ length: 64 }, () => 0n),
      nzcv: 0,
      fpcr: 0,
      fpsr: 0,
      memory: 1,
    }))
    const memory = run(batch)
    const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
    for (const index of batch.keys())
      classes.push(view.getBigUint64(caseAddress(index) - ram.base + at.esr, true) >> 26n)
  }
  return classes
}

describe('at EL1', () => {
  it.each([
    ['MRS', MRS, 32_768, 2],
    ['SYS', SYS, 16_384, 1],
    ['SYSL', SYSL, 16_384, 1],
  ] as const)('every encoding of %s is there or UNDEFINED as on QEMU', (_name, word, count, op0) => {
    const words = Array.from({ length: count }, (_, key) => (word + (key << 5)) >>> 0)
    const own = new OwnMachine()
    const expected = outcomes(words, (batch) => runOnQemu(batch, 'cortex-a57'))
    const found = outcomes(words, (batch) => own.run(batch))
    const different = words.flatMap((_, key) => {
      if (expected[key] === found[key]) return []
      const encoding = [op0 + (key >> 14), (key >> 11) & 7, (key >> 7) & 15, (key >> 3) & 15, key & 7].join(' ')
      return byDesign.some(([pattern]) => pattern.test(encoding))
        ? []
        : [`${encoding}: class ${expected[key]?.toString(16)} on QEMU, ${found[key]?.toString(16)} here`]
    })
    expect(different).toEqual([])
    expect(new Set(found).size).toBeGreaterThan(op0 === 2 || word === SYS ? 1 : 0)
  })
})
