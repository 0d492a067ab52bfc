/**
 * The decode table against Arm's own list of A64 encodings, both ways: what is claimed is Arm's, and decodes to its name; what is
 * not claimed is UNDEFINED. The list (names, values, masks, features) is in testdata; SVE and SME are not in it.
 */
import { describe, expect, it } from 'vitest'
import arm from '../testdata/a64-encodings.json' with { type: 'json' }
import { Decoder } from './decode.ts'
import { features, patternBits } from './row.ts'
import { rows } from './rows.ts'

interface ArmEncoding {
  readonly name: string
  readonly value: number
  readonly mask: number
  readonly features: string
}

const encodings: readonly ArmEncoding[] = (arm as readonly string[]).map((line) => {
  const [name, value, mask, features] = line.split(' ')
  return { name: name!, value: Number.parseInt(value!, 16), mask: Number.parseInt(mask!, 16), features: features ?? '' }
})
const armByName = new Map(encodings.map((encoding) => [encoding.name, encoding]))
const claimed = new Map(rows.map((row) => [row.name, row]))
const decoder = new Decoder(rows, new Set(features))

/** `npm run test:long` gives both: more words, from another seed. */
let seed = Number(process.env['VGIC_SEED'] ?? 0x9e3779b9)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

function random(): number {
  seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0
  return ((seed >>> 16) | (Math.imul(seed, 0x85ebca6b) & 0xffff0000)) >>> 0
}

function sample({ value, mask }: { value: number; mask: number }): number {
  return ((random() & ~mask) | value) >>> 0
}

function matches({ value, mask }: { value: number; mask: number }, word: number): boolean {
  return (word & mask) >>> 0 === value
}

/** By top byte, to look up the candidates of a word quickly. */
const byTop: ArmEncoding[][] = Array.from({ length: 256 }, (_, top) =>
  encodings.filter(({ value, mask }) => (((top << 24) ^ value) & mask & 0xff000000) === 0),
)

describe('the decode table', () => {
  it('has only names and bit patterns that are in the A64 list', () => {
    for (const row of rows) {
      const encoding = armByName.get(row.name)
      expect(encoding, row.name).toBeDefined()
      const { mask, value } = patternBits(row.pattern)
      expect({ name: row.name, mask, value }).toEqual({ name: row.name, mask: encoding!.mask, value: encoding!.value })
    }
    expect(claimed.size).toBe(rows.length)
  })

  it('claims every encoding of the base architecture, FP, Advanced SIMD, and the optional features (DDI 0487 C4.1)', () => {
    const implemented = ['', 'FEAT_FP', 'FEAT_AdvSIMD', ...features]
    const missing = encodings.filter(
      (encoding) => implemented.includes(encoding.features) && !claimed.has(encoding.name),
    )
    expect(missing.map(({ name }) => name)).toEqual([])
  })

  it('decodes a claimed encoding to its name', () => {
    for (const row of rows) {
      const bits = patternBits(row.pattern)
      let hits = 0
      for (let attempt = 0; attempt < 400 && hits < 5; attempt++) if (decoder.decode(sample(bits)) === row) hits++
      expect(hits, row.name).toBeGreaterThan(0)
    }
  })

  it('gives a word that Arm lists under unimplemented encodings only to no row', () => {
    for (const encoding of encodings) {
      if (claimed.has(encoding.name)) continue
      for (let attempt = 0; attempt < 20; attempt++) {
        const word = sample(encoding)
        const listed = byTop[word >>> 24]!.filter((other) => matches(other, word))
        const row = decoder.decode(word)
        // A word may also be in a claimed encoding: an unimplemented hint is a HINT.
        const allowed = listed.filter(({ name }) => claimed.has(name)).map(({ name }) => name)
        if (row) expect(allowed, `${encoding.name} 0x${word.toString(16)}`).toContain(row.name)
      }
    }
  })

  it('gives a random word its most special encoding, and one that is not listed at all to no row', () => {
    let unlisted = 0
    const bitCount = (mask: number) => mask.toString(2).replaceAll('0', '').length
    for (let attempt = 0; attempt < 20_000 * times; attempt++) {
      const word = random()
      const listed = byTop[word >>> 24]!.filter((encoding) => matches(encoding, word) && claimed.has(encoding.name))
      const row = decoder.decode(word)
      if (listed.length === 0) {
        unlisted++
        expect(row?.name, `0x${word.toString(16)}`).toBeUndefined()
      } else if (row) {
        const most = Math.max(...listed.map(({ mask }) => bitCount(mask)))
        const names = listed.filter(({ mask }) => bitCount(mask) === most).map(({ name }) => name)
        expect(names, `0x${word.toString(16)}`).toContain(row.name)
      }
    }
    expect(unlisted).toBeGreaterThan(300 * times)
  })

  it('leaves instructions of a feature that is off UNDEFINED', () => {
    const plain = new Decoder(rows, new Set())
    const ldadd = 0xb8200020
    const crc32b = 0x1ac24020
    expect(decoder.decode(ldadd)?.name).toBe('LDADD_32_memop')
    expect(decoder.decode(crc32b)?.name).toBe('CRC32B_32C_dp_2src')
    expect(plain.decode(ldadd)).toBeUndefined()
    expect(plain.decode(crc32b)).toBeUndefined()
  })

  it('leaves PMULL of 64 bits UNDEFINED without FEAT_PMULL, and that of bytes as it is (DDI 0487 C7.2 PMULL)', () => {
    const aes = new Decoder(rows, new Set(['FEAT_AES']))
    for (const q of [0, 0x40000000]) {
      const [bytes, doublewords] = [0x0e22e020 + q, 0x0ee2e020 + q]
      expect(decoder.decode(doublewords)?.name).toBe('PMULL_asimddiff_L')
      expect(aes.decode(doublewords)).toBeUndefined()
      expect(aes.decode(bytes)?.name).toBe('PMULL_asimddiff_L')
      for (const size of [1, 2]) expect(decoder.decode(bytes + size * 0x400000)).toBeUndefined()
    }
  })

  it.each([
    ['add x0, x1, x2, with shift 11 (reserved)', 0x8bc20020],
    ['add w0, w1, w2, lsl #32 (imm6<5> set)', 0x0b028020],
    ['add x0, x1, x2, uxtx #5', 0x8b227420],
    ['and x0, x1, with imms all ones', 0x9240fc20],
    ['and w0, w1, with a reserved element', 0x1200f420],
    ['movz w0, lsl #32', 0x52c00000],
    ['ubfm w0, w1 with imms<5> set', 0x5300bc20],
    ['casp with an odd register', 0x48217c82],
    ['ldr x0, [x1, w2, uxtb]', 0xf8620820],
    ['ld2 {v0.1d, v1.1d}', 0x0c408c20],
    ['msr to PSTATE field op1 7', 0xd507401f],
  ])('leaves %s unallocated', (_what, word) => {
    expect(decoder.decode(word)).toBeUndefined()
  })
})
