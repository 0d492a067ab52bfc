/**
 * AES-128, SHA-1 and SHA-256 of random data, computed with the instructions alone as FIPS 197 and FIPS 180-4 use them, against another
 * implementation of the standards.
 */
import { createCipheriv, createDecipheriv, createHash } from 'node:crypto'
import { expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { Random } from '../fp/differential/cases.ts'
import { compile, cpuAddress } from '../fp/differential/constant-tier.ts'
import { cryptoRows } from './crypto.ts'
import { subBytes } from './crypto-aes.ts'

/** v0 <- v0, v1, v2 */
const code = {
  aese: 0x4e284820,
  aesd: 0x4e285820,
  aesmc: 0x4e286820,
  aesimc: 0x4e287820,
  sha1c: 0x5e020020,
  sha1p: 0x5e021020,
  sha1m: 0x5e022020,
  sha1h: 0x5e280820,
  sha1su0: 0x5e023020,
  sha1su1: 0x5e281820,
  sha256h: 0x5e024020,
  sha256h2: 0x5e025020,
  sha256su0: 0x5e282820,
  sha256su1: 0x5e026020,
} as const
const names = Object.keys(code) as (keyof typeof code)[]
const compiled = compile(
  names.map((name) => code[name]),
  cryptoRows,
)
const registers = new Uint8Array(compiled.memory.buffer, cpuAddress + STATE.V, 48)

/** Runs one instruction on up to three registers of 16 bytes. */
function run(name: keyof typeof code, ...operands: Uint8Array[]): Uint8Array {
  registers.fill(0)
  for (const [index, operand] of operands.entries()) registers.set(operand, 16 * index)
  compiled.run(names.indexOf(name))
  return registers.slice(0, 16)
}

const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, i) => byte ^ b[i]!)
const none = new Uint8Array(16)
const bytes = (random: Random, length: number): Uint8Array => Uint8Array.from({ length }, () => random.below(256))

/** FIPS 197, 5.2: eleven round keys. */
function expandKey(key: Uint8Array): Uint8Array[] {
  const all = [...key]
  let constant = 1
  for (let at = 16; at < 176; at += 4) {
    let word = all.slice(at - 4, at)
    if (at % 16 === 0) {
      word = [1, 2, 3, 0].map((i) => subBytes[word[i]!]!)
      word[0]! ^= constant
      constant = (constant << 1) ^ (constant & 0x80 ? 0x11b : 0)
    }
    for (const [i, byte] of word.entries()) all.push(byte ^ all[at - 16 + i]!)
  }
  return Array.from({ length: 11 }, (_, round) => Uint8Array.from(all.slice(16 * round, 16 * round + 16)))
}

it('AESE and AESMC encrypt, AESD and AESIMC decrypt, a block of AES-128 (FIPS 197)', () => {
  const random = new Random(11)
  for (let repeat = 0; repeat < 20; repeat++) {
    const [key, block] = [bytes(random, 16), bytes(random, 16)]
    const keys = expandKey(key)
    let state = block
    for (let round = 0; round < 9; round++) state = run('aesmc', none, run('aese', state, keys[round]!))
    state = xor(run('aese', state, keys[9]!), keys[10]!)
    const cipher = createCipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    expect(Buffer.from(state).toString('hex')).toBe(cipher.update(block).toString('hex'))
    let back = block
    for (let round = 10; round > 1; round--) {
      const roundKey = round === 10 ? keys[10]! : run('aesimc', none, keys[round]!)
      back = run('aesimc', none, run('aesd', back, roundKey))
    }
    back = xor(run('aesd', back, run('aesimc', none, keys[1]!)), keys[0]!)
    const decipher = createDecipheriv('aes-128-ecb', key, null).setAutoPadding(false)
    expect(Buffer.from(back).toString('hex')).toBe(decipher.update(block).toString('hex'))
  }
})

const vector = (words: readonly number[]): Uint8Array => new Uint8Array(Uint32Array.from(words).buffer)
const wordsOf = (v: Uint8Array): number[] => [...new Uint32Array(v.slice().buffer)]
const add = (a: Uint8Array, b: Uint8Array): Uint8Array => vector(wordsOf(a).map((word, i) => word + wordsOf(b)[i]!))

/** The one padded block of a short message, as four vectors of words. */
function paddedBlock(message: Uint8Array): Uint8Array[] {
  const block = new Uint8Array(64)
  block.set(message)
  block[message.length] = 0x80
  const view = new DataView(block.buffer)
  view.setUint32(60, message.length * 8)
  return [0, 1, 2, 3].map((v) => vector([0, 1, 2, 3].map((w) => view.getUint32(16 * v + 4 * w))))
}

const digest = (...state: number[]): string => state.map((word) => (word >>> 0).toString(16).padStart(8, '0')).join('')

/** floor(2^32 * root(n)) modulo 2^32, by bisection in integers. */
function fractionOfRoot(n: number, degree: 2 | 3): number {
  const target = BigInt(n) << BigInt(32 * degree)
  let low = 0n
  let high = 1n << 40n
  while (high - low > 1n) {
    const middle = (low + high) >> 1n
    if (middle ** BigInt(degree) <= target) low = middle
    else high = middle
  }
  return Number(low & 0xffffffffn)
}

const primes = Array.from({ length: 312 }, (_, i) => i).filter(
  (n) => n > 1 && !Array.from({ length: n }, (_, i) => i).some((d) => d > 1 && n % d === 0),
)

it('the SHA256 instructions compress a block (FIPS 180-4, 6.2)', () => {
  const random = new Random(12)
  const constants = primes.slice(0, 64).map((p) => fractionOfRoot(p, 3))
  const initial = primes.slice(0, 8).map((p) => fractionOfRoot(p, 2))
  for (let length = 0; length < 56; length += 5) {
    const message = bytes(random, length)
    const m = paddedBlock(message)
    let [abcd, efgh] = [vector(initial.slice(0, 4)), vector(initial.slice(4))]
    for (let group = 0; group < 16; group++) {
      const at = (offset: number): Uint8Array => m[(group + offset) % 4]!
      const wk = add(at(0), vector(constants.slice(4 * group, 4 * group + 4)))
      const old = abcd
      abcd = run('sha256h', abcd, efgh, wk)
      efgh = run('sha256h2', efgh, old, wk)
      m[group % 4] = run('sha256su1', run('sha256su0', at(0), at(1)), at(2), at(3))
    }
    const state = [...wordsOf(abcd), ...wordsOf(efgh)].map((word, i) => word + initial[i]!)
    expect(digest(...state)).toBe(createHash('sha256').update(message).digest('hex'))
  }
})

it('the SHA1 instructions compress a block (FIPS 180-4, 6.1)', () => {
  const random = new Random(13)
  const constants = [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6]
  const initial = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0]
  const mix = ['sha1c', 'sha1p', 'sha1m', 'sha1p'] as const
  for (let length = 0; length < 56; length += 5) {
    const message = bytes(random, length)
    const m = paddedBlock(message)
    let abcd = vector(initial.slice(0, 4))
    let e = vector([initial[4]!, 0, 0, 0])
    for (let group = 0; group < 20; group++) {
      const at = (offset: number): Uint8Array => m[(group + offset) % 4]!
      const phase = Math.floor(group / 5)
      const wk = add(at(0), vector(Array.from({ length: 4 }, () => constants[phase]!)))
      const next = run('sha1h', none, abcd)
      abcd = run(mix[phase]!, abcd, e, wk)
      e = next
      m[group % 4] = run('sha1su1', run('sha1su0', at(0), at(1), at(2)), at(3))
    }
    const state = [...wordsOf(abcd), wordsOf(e)[0]!].map((word, i) => word + initial[i]!)
    expect(digest(...state)).toBe(createHash('sha1').update(message).digest('hex'))
  }
})
