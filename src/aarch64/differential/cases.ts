/**
 * Random test cases for the rows of the decode table: a random word of the row, random registers, and addresses that mostly hit
 * the case's memory window. What the architecture leaves CONSTRAINED UNPREDICTABLE is not generated. Seeded: the same seed, the same cases.
 */
import { bitsOf, patternBits, type Row } from '../isa/row.ts'
import { floatOperands } from './float-operands.ts'
import { type Case, caseAddress, code, codeBytes, entryOffset, window } from './image.ts'
import { Random } from './random.ts'

const suffix = (row: Row): string => row.name.slice(row.name.indexOf('_', row.name.indexOf('_') + 1) + 1)

/** What a one-instruction case cannot hold: it depends on identity or on more state, reaches PSCI, or waits for what never comes. */
const excluded = /_(systemmove|systeminstrs)$|^(ERET|HVC|SMC|WFI)_/

export function testable(row: Row): boolean {
  return !excluded.test(row.name)
}

/** Arithmetic, comparisons and conversions of floating-point numbers, scalar and vector. */
const isFloat = ({ fp, name }: Row): boolean => fp && /^(F(?!MOV_)|[SU]CVTF|U?R(ECPE|SQRTE))/.test(name)

const isMemory = (name: string): boolean =>
  /_(ldst|loadlit|comswap|memop|asisdls)/.test(name) || /_(ldstord|ldstexcl)/.test(name)

function unpredictable(row: Row, word: number): boolean {
  if (/_hints$/.test(row.name)) return bitsOf(word, [11, 5]) === 3 // WFI: there is nothing to end it
  if (/_pstate$/.test(row.name)) return bitsOf(word, [18, 16]) !== 3 // SPSel and PAN, of which the agent needs one and QEMU's core lacks the other
  const t = bitsOf(word, [4, 0])
  const n = bitsOf(word, [9, 5])
  const t2 = bitsOf(word, [14, 10])
  const s = bitsOf(word, [20, 16])
  const load = bitsOf(word, [22, 22]) === 1
  const { name } = row
  const vector = bitsOf(word, [26, 26]) === 1
  if (/_ldst(na)?pair/.test(name)) {
    const writeback = /_(pre|post)$/.test(name)
    if (load && t === t2) return true
    return writeback && !vector && n !== 31 && (n === t || n === t2)
  }
  if (/_ldst_imm(pre|post)/.test(name)) return !vector && n !== 31 && n === t
  if (/_ldstexcl/.test(name)) {
    if (load) return /ldstexclp/.test(name) && t === t2
    return s === t || (s === n && n !== 31) || (/ldstexclp/.test(name) && s === t2)
  }
  return false
}

/** Registers that an access takes its address from are set so that it mostly falls in the window, aligned or not. */
function aim(random: Random, row: Row, word: number, x: bigint[], middle: bigint): void {
  const n = bitsOf(word, [9, 5])
  const strict = /_(ldstord|ldstexcl|comswap|memop)/.test(row.name)
  const offset = random.below(8) === 0 ? random.below(64) : random.below(strict ? 4 : 8) * (strict ? 16 : 8)
  if (random.below(40) !== 0) x[n] = middle + BigInt(offset)
  if (/_ldst_pos$/.test(row.name)) {
    // A scaled offset of 12 bits reaches beyond the window: take most of it back.
    const vector = bitsOf(word, [26, 26]) === 1
    const log2 = vector && bitsOf(word, [23, 23]) ? 4 : bitsOf(word, [31, 30])
    if (random.below(40) !== 0) x[n] = middle + BigInt(offset) - BigInt(bitsOf(word, [21, 10]) << log2)
  }
  // QEMU's board leaves its device tree at the start of memory, which is not part of the image.
  if (x[n]! > 0x3ffff000n && x[n]! < 0x40200000n) x[n] = middle
  // Across the end of what is mapped, an access may fault on either side.
  if (x[n]! > 0x7fff0000n && x[n]! < 0x80010000n) x[n] = middle
  if (/_regoff$/.test(row.name)) {
    const m = bitsOf(word, [20, 16])
    if (m !== n)
      x[m] = random.below(2)
        ? BigInt(random.below(12))
        : BigInt.asUintN(random.below(2) ? 64 : 32, -BigInt(random.below(12)))
  }
}

/** In instructions: to a BRK before or after, not to the instruction itself or to what loads its registers. */
function branchOffset(random: Random): number {
  return random.below(2) ? random.below(6) - 8 : random.below(7) + 1
}

/** Branch offsets are kept inside the code of the case. */
function shortBranch(row: Row, word: number, random: Random): number {
  const offset = branchOffset(random)
  const put = (msb: number, lsb: number, value: number) => {
    const mask = (((1 << (msb - lsb + 1)) - 1) << lsb) >>> 0
    return ((word & ~mask) | ((value << lsb) & mask)) >>> 0
  }
  if (/_(condbranch|compbranch)$/.test(row.name)) return put(23, 5, offset)
  if (/_testbranch$/.test(row.name)) return put(18, 5, offset)
  if (/_branch_imm$/.test(row.name)) return put(25, 0, offset)
  if (/_loadlit$/.test(row.name)) return put(23, 5, offset)
  if (/_ldst(na)?pair/.test(row.name)) return put(21, 15, random.below(24) - 12)
  return word
}

export function randomCase(row: Row, index: number, random: Random): Case | undefined {
  const { mask, value } = patternBits(row.pattern)
  let word = ((random.word() & ~mask) | value) >>> 0
  word = ((shortBranch(row, word, random) & ~mask) | value) >>> 0
  if (unpredictable(row, word)) return undefined
  const x = Array.from({ length: 32 }, () => random.value())
  const v = Array.from({ length: 64 }, () => random.value())
  const here = BigInt(caseAddress(index) + window.offset)
  const middle = here + BigInt(window.bytes / 2)
  x[31] = middle + BigInt(random.below(8) * 16 + (random.below(12) ? 0 : random.below(16)))
  if (isFloat(row) && random.below(4) !== 0) floatOperands(random, row, word, v)
  if (isMemory(row.name)) aim(random, row, word, x, middle)
  const words = [word]
  if (/_branch_reg$/.test(row.name) && random.below(10) !== 0)
    x[bitsOf(word, [9, 5])] = BigInt(
      code + index * codeBytes + entryOffset + 4 * branchOffset(random) + (random.below(12) ? 0 : 2),
    )
  const goal = x[bitsOf(word, [9, 5])]!
  // QEMU marks "no reservation" by this address, and so takes a store to it for one that may succeed.
  if (/_ldstexcl/.test(row.name) && goal === 0xffffffffffffffffn) return undefined
  // QEMU looks a misaligned target up before it looks at its alignment; architecture has it the other way (DDI 0487 D1.13.4).
  if (/_branch_reg$/.test(row.name) && goal & 3n && goal >> 30n !== 1n) return undefined
  if (/_ldstexcl[rp]$/.test(row.name) && bitsOf(word, [22, 22]) === 0 && random.below(4) !== 0) {
    // A store exclusive that may succeed needs its load: same size and base, to registers that are not otherwise used.
    const pair = suffix(row) === 'ldstexclp'
    const n = bitsOf(word, [9, 5])
    const free = [0, 1, 2, 3, 4, 5].filter((r) => r !== n && r !== bitsOf(word, [4, 0]) && r !== bitsOf(word, [14, 10]))
    words.unshift(
      ((word & 0xffe07fe0 & ~(31 << 10)) | 0x005f0000 | (1 << 22) | ((pair ? free[1]! : 31) << 10) | free[0]!) >>> 0,
    )
  }
  return {
    words,
    x,
    v,
    nzcv: random.below(16),
    fpcr: random.below(3) ? 0 : (random.below(32) << 22) >>> 0,
    // With IXC set, one more inexact result changes nothing, and instructions may take another way.
    fpsr: [0, 0, 0x10, 0x10, random.word() & 0x0800009f][random.below(5)]!,
    memory: random.word(),
  }
}

/**
 * The model of QEMU that a row is held against: an ARMv8.0 core has all that is claimed and nothing else, but for LSE; the one
 * with LSE has half-precision arithmetic too, which is UNDEFINED here.
 */
export function modelFor(row: Row): 'cortex-a57' | 'neoverse-n1' {
  return row.feature === 'FEAT_LSE' ? 'neoverse-n1' : 'cortex-a57'
}

/** A batch that takes the rows in turn. */
export function randomBatch(rows: readonly Row[], count: number, seed: number): Case[] {
  const random = new Random(seed)
  const batch: Case[] = []
  for (let next = random.below(rows.length); batch.length < count; next++) {
    const one = randomCase(rows[next % rows.length]!, batch.length, random)
    if (one) batch.push(one)
  }
  return batch
}
