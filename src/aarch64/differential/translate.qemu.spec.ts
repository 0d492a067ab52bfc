/**
 * Translation on QEMU's Neoverse N1 and on this CPU: AT by random TCR_EL1 (size, granule, EPD, TBI, IPS) through random tables, whose
 * descriptors have every type, attribute and level. PAR_EL1 says where an address is, its memory attributes, or which fault it is.
 */
import { expect, it } from 'vitest'
import { differences } from './compare.ts'
import { at, type Case, caseAddress, ram } from './image.ts'
import { OwnMachine } from './own.ts'
import { runOnQemu } from './qemu.ts'
import { Random } from './random.ts'

const MSR_TTBR1_X1 = 0xd5182021
const MSR_TCR_X2 = 0xd5182042
const MSR_MAIR_X5 = 0xd518a205
const TLBI_VMALLE1 = 0xd508871f
const ISB = 0xd5033fdf
/** S1E1R, S1E1W, S1E0R, S1E0W of X3. */
const AT = [0xd5087803, 0xd5087823, 0xd5087843, 0xd5087863]
const MRS_X4_PAR = 0xd5387404

/** Tables of the largest granule's size: some for each granule and level, as a block is not allowed at every level. */
const pool = { base: 0x47000000, bytes: 0x10000, perLevel: 3 } as const
const levels = 4
const granules = [14, 12, 16] as const // by TCR_EL1.TG1 less one
const entries = pool.bytes / 8
/** The agent's own memory is attribute 1; the others are Device, Normal Non-cacheable, write-through, and write-back of sorts. */
const mair = 0xfff4_bb0c_0444_ff00n
/** TCR_EL1 of the agent for the lower range: 39 bits, 4 KiB. */
const lower = 0x3519n

function table(random: Random, granule: number, level: number): bigint {
  const group = (granule * levels + level) * pool.perLevel
  return BigInt(pool.base + (group + random.below(pool.perLevel)) * pool.bytes)
}

/** Above 32 bits where the board has nothing, or above 36 or 40: an external abort, or an address size fault. */
function outside(random: Random): bigint {
  const high = BigInt(1 + random.below(63)) << ([32n, 32n, 36n, 42n] as const)[random.below(4)]!
  return high < 1n << 38n || high >= 1n << 40n ? high : 1n << 37n
}

function descriptor(random: Random, granule: number, level: number): bigint {
  const kind = random.below(20)
  const isBlock = kind < 6 && (level === 2 || (level === 1 && granules[granule] === 12))
  const type = kind === 0 ? 0n : level === 3 && kind === 1 ? 1n : isBlock ? 1n : 3n
  const low = (BigInt(random.word()) & 0xbfcn) | (random.below(10) ? 0x400n : 0n)
  // All of the upper bits at times, which a table has for its hierarchy.
  const upper = random.below(3) ? 0n : BigInt(random.word()) & 0xffe00000n
  const target = random.below(16) ? table(random, granule, Math.min(3, level + 1)) : outside(random)
  return (upper << 32n) | target | low | type
}

/** PAR_EL1 less NS, which is UNKNOWN in Non-secure state, and SH where the memory type decides it, which QEMU 7.2 does not look at. */
function comparable(par: bigint): bigint {
  if (par & 1n) return par
  const attribute = par >> 56n
  const byType = (attribute & 0xf0n) === 0n || attribute === 0x44n
  return par & ~(1n << 9n) & ~(byType ? 0x180n : 0n)
}

it('AT finds what it finds on QEMU, by any table of any granule and size (DDI 0487 D5)', () => {
  const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000)
  const random = new Random(seed)
  const tables = BigUint64Array.from({ length: granules.length * levels * pool.perLevel * entries }, (_, index) => {
    const group = Math.floor(index / (entries * pool.perLevel))
    return descriptor(random, Math.floor(group / levels), group % levels)
  })
  const fill = (memory: DataView) => {
    for (const [index, value] of tables.entries()) memory.setBigUint64(pool.base - ram.base + 8 * index, value, true)
  }
  const batch: Case[] = []
  while (batch.length < 30_000) {
    const size = 16 + random.below(24)
    const granule = random.below(granules.length)
    const stride = granules[granule]! - 3
    const start = 4 - Math.ceil((64 - size - granules[granule]!) / stride)
    const tcr =
      lower |
      (BigInt(size) << 16n) |
      (BigInt(1 + granule) << 30n) |
      (BigInt(random.below(16) ? 0 : 1) << 23n) |
      (BigInt(random.below(2)) << 38n) |
      (BigInt(random.below(8) ? 2 : random.below(3)) << 32n)
    const inside = (-1n << BigInt(64 - size)) | (random.quad() & ((1n << BigInt(64 - size)) - 1n))
    const x = Array.from({ length: 32 }, () => random.value())
    x[1] = random.below(16) ? table(random, granule, start) : outside(random)
    x[2] = tcr
    // Bit 55 is set, so that it is the upper range; the tag may be anything.
    x[3] = random.below(4) ? inside : BigInt.asUintN(64, random.quad() | (1n << 55n))
    if (random.below(4) === 0) x[3] = BigInt.asUintN(56, inside) | (BigInt(random.below(256)) << 56n)
    x[5] = mair
    x[31] = BigInt(caseAddress(batch.length) + 1536)
    const words = [MSR_TTBR1_X1, MSR_TCR_X2, MSR_MAIR_X5, TLBI_VMALLE1, ISB, AT[random.below(4)]!, MRS_X4_PAR]
    batch.push({ words, x, v: Array.from({ length: 64 }, () => 0n), nzcv: 0, fpcr: 0, fpsr: 0, memory: 1 })
  }
  const expected = runOnQemu(batch, 'neoverse-n1', { fill }).slice()
  const actual = new OwnMachine().run(batch, { fill }).slice()
  const views = [expected, actual].map((memory) => new DataView(memory.buffer, memory.byteOffset, memory.byteLength))
  const kinds = new Set<string>()
  for (const [index] of batch.entries()) {
    const par = caseAddress(index) - ram.base + at.x + 8 * 4
    for (const view of views) {
      // After an external abort there is no PAR_EL1 in X4.
      const esr = view.getBigUint64(caseAddress(index) - ram.base + at.esr, true)
      if (esr >> 26n === 0x3cn) view.setBigUint64(par, comparable(view.getBigUint64(par, true)), true)
    }
    const value = views[0]!.getBigUint64(par, true)
    kinds.add(value & 1n ? `fault ${(value >> 1n) & 0x3fn}` : 'address')
  }
  const found = differences(batch, expected, actual).map(({ index, fields }) => {
    const { x, words } = batch[index]!
    const [ttbr, tcr, va] = [x[1]!, x[2]!, x[3]!].map((value) => value.toString(16))
    return `seed ${seed}: ${words[5]!.toString(16)} TTBR1 ${ttbr} TCR ${tcr} address ${va}: ${fields.join(', ')}`
  })
  expect(found.slice(0, 5), `${found.length} differences`).toEqual([])
  // Translation, access flag and permission faults of every level that has them, and address size faults.
  for (const status of [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 13, 14, 15]) expect(kinds).toContain(`fault ${status}`)
  expect(kinds).toContain('address')
})
