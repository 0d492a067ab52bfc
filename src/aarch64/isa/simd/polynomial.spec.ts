/**
 * PMULL and PMULL2 of 64 bits: against PolynomialMult() as the manual writes it, in bigint, and as AES-GCM uses them, against the
 * vectors of its specification and another implementation.
 */
import { createCipheriv } from 'node:crypto'
import { expect, it } from 'vitest'
import { STATE } from '../../state/state.ts'
import { Random } from '../fp/differential/cases.ts'
import { compile, cpuAddress } from '../fp/differential/constant-tier.ts'
import { rows } from './three-different.ts'

/** pmull v0.1q, v1.1d, v2.1d; pmull2 v0.1q, v1.2d, v2.2d; pmull v1.1q, v1.1d, v1.1d */
const compiled = compile([0x0ee2e020, 0x4ee2e020, 0x0ee1e021], rows)
const registers = new DataView(compiled.memory.buffer, cpuAddress + STATE.V, 48)
const at = (register: number): bigint =>
  registers.getBigUint64(16 * register, true) | (registers.getBigUint64(16 * register + 8, true) << 64n)
function set(register: number, value: bigint): void {
  registers.setBigUint64(16 * register, BigInt.asUintN(64, value), true)
  registers.setBigUint64(16 * register + 8, value >> 64n, true)
}

/** What is left in V0, whose old value must not matter. */
function run(which: 'pmull' | 'pmull2', a: bigint, b: bigint): bigint {
  set(0, (1n << 128n) - 1n)
  set(1, a)
  set(2, b)
  compiled.run(which === 'pmull' ? 0 : 1)
  return at(0)
}

/** PolynomialMult(op1, op2) of 64 bits. */
function polynomialMult(a: bigint, b: bigint): bigint {
  let result = 0n
  for (let i = 0n; i < 64n; i++) if ((a >> i) & 1n) result ^= b << i
  return result
}

const low = (v: bigint): bigint => BigInt.asUintN(64, v)
const ones = (1n << 64n) - 1n

it('PMULL multiplies the lower halves and PMULL2 the upper ones, to 128 bits (DDI 0487, C7.2 PMULL)', () => {
  const random = new Random(21)
  const word = () => BigInt(random.below(2 ** 16))
  const half = () => (word() << 48n) | (word() << 32n) | (word() << 16n) | word()
  const special = [0n, 1n, 1n << 63n, 1n << 31n, 1n << 32n, 0xffffffffn, ones, 0x5555555555555555n]
  const pairs = special.flatMap((a) => special.map((b) => [a, b] as const))
  for (let repeat = 0; repeat < 500; repeat++) pairs.push([half(), half()])
  for (const [a, b] of pairs) {
    const [otherA, otherB] = [half(), half()]
    expect(run('pmull', (otherA << 64n) | a, (otherB << 64n) | b)).toBe(polynomialMult(a, b))
    expect(run('pmull2', (a << 64n) | otherA, (b << 64n) | otherB)).toBe(polynomialMult(a, b))
  }
})

it('PMULL takes its operands before it writes a register that is one of them', () => {
  set(1, ones)
  compiled.run(2)
  expect(at(1)).toBe(polynomialMult(ones, ones))
})

/** A block as a polynomial: GCM has the coefficient of x^0 in the first byte's highest bit. Its own inverse. */
function polynomial(block: Uint8Array): bigint {
  let value = 0n
  for (let i = 0; i < 128; i++) if ((block[i >> 3]! >> (7 - (i & 7))) & 1) value |= 1n << BigInt(i)
  return value
}
function blockOf(value: bigint): Uint8Array {
  const block = new Uint8Array(16)
  for (let i = 0; i < 128; i++) if ((value >> BigInt(i)) & 1n) block[i >> 3]! |= 0x80 >> (i & 7)
  return block
}

/** The product in GCM's field: four PMULLs, and what reaches x^128 and beyond taken off by x^7 + x^2 + x + 1. */
function fieldProduct(a: bigint, b: bigint): bigint {
  const swapped = (low(b) << 64n) | (b >> 64n)
  const middle = run('pmull', a, swapped) ^ run('pmull2', a, swapped)
  let product = run('pmull', a, b) ^ (middle << 64n) ^ (run('pmull2', a, b) << 128n)
  for (let bit = 255n; bit >= 128n; bit--) if ((product >> bit) & 1n) product ^= ((1n << 128n) | 0x87n) << (bit - 128n)
  return product
}

function ghash(key: Uint8Array, blocks: readonly Uint8Array[]): Uint8Array {
  const h = polynomial(key)
  return blockOf(blocks.reduce((sum, block) => fieldProduct(sum ^ polynomial(block), h), 0n))
}

const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const hex = (block: Uint8Array): string => Buffer.from(block).toString('hex')

it('PMULL and PMULL2 compute GHASH of test case 2 of the Galois/Counter Mode specification (McGrew, Viega; appendix B)', () => {
  const key = bytes('66e94bd4ef8a2c3b884cfa59ca342b2e')
  const cipherText = bytes('0388dace60b6a392f328c2b971b2fe78')
  const lengths = bytes('00000000000000000000000000000080')
  expect(hex(ghash(key, [cipherText]))).toBe('5e2ec746917062882c85b0685353deb7')
  expect(hex(ghash(key, [cipherText, lengths]))).toBe('f38cbb1ad69223dcc3457ae5b6b0f885')
})

it('PMULL and PMULL2 compute the tags of AES-128-GCM (NIST SP 800-38D, 7.1)', () => {
  const random = new Random(22)
  const some = (length: number) => Uint8Array.from({ length }, () => random.below(256))
  const ecb = (key: Uint8Array, block: Uint8Array) =>
    createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block)
  for (let blocks = 0; blocks < 8; blocks++) {
    const [key, nonce, text] = [some(16), some(12), some(16 * blocks)]
    const cipher = createCipheriv('aes-128-gcm', key, nonce)
    const cipherText = cipher.update(text)
    cipher.final()
    const lengths = new Uint8Array(16)
    new DataView(lengths.buffer).setUint32(12, 128 * blocks)
    const chain = Array.from({ length: blocks }, (_, i) => cipherText.subarray(16 * i, 16 * i + 16))
    const sum = ghash(ecb(key, new Uint8Array(16)), [...chain, lengths])
    const first = ecb(key, Uint8Array.from([...nonce, 0, 0, 0, 1]))
    expect(hex(sum.map((byte, i) => byte ^ first[i]!))).toBe(cipher.getAuthTag().toString('hex'))
  }
})
