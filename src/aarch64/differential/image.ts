/**
 * The memory image of a batch of one-instruction test cases: what agent.S expects, and what it leaves. The same image runs on QEMU and on
 * this CPU. Layout only: what the cases are is decided in cases.ts.
 */
import { agentWords } from './agent.ts'

export const ram = { base: 0x40000000, size: 0x8000000 } as const
export const entry = 0x40200000
const header = 0x41000000
const table = 0x41001000
export const cases = 0x42000000
export const caseBytes = 2048
export const code = 0x46000000
export const codeBytes = 64
/** The first instruction of a case is at this offset in its code. */
export const entryOffset = 32
export const maximumCases = 32768
/** Memory that a case may use: 1024 bytes at this offset in it. */
export const window = { offset: 1024, bytes: 1024 } as const

export const at = {
  x: 0,
  sp: 248,
  v: 256,
  nzcv: 768,
  fpcr: 776,
  fpsr: 784,
  esr: 792,
  far: 800,
  elr: 808,
  spsr: 816,
} as const

/** Add it to an address of memory for one that EL0 may use. */
export const userAlias = 0x40000000

export interface Case {
  /** Up to seven instructions; the last one is the one under test. */
  readonly words: readonly number[]
  /** X0 to X30, then SP. */
  readonly x: readonly bigint[]
  /** 64 halves of V0 to V31, low half first. */
  readonly v: readonly bigint[]
  readonly nzcv: number
  readonly fpcr: number
  readonly fpsr: number
  /** Seed of the bytes of the memory window. */
  readonly memory: number
}

export function caseAddress(index: number): number {
  return cases + index * caseBytes
}

/** A small generator of bytes for memory windows. */
export function fillBytes(bytes: Uint8Array, seed: number): void {
  let state = seed | 1
  for (let index = 0; index < bytes.length; index++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0
    bytes[index] = state >>> 23
  }
}

const brk = 0xd420eee0

/** What all cases of a batch have in common. */
export interface Setting {
  /** EL0 has the same memory at `userAlias` further up. */
  readonly user?: boolean
  /** Bits of SCTLR_EL1 that are set besides M, C and I. */
  readonly sctlr?: bigint
  /** Writes what else the cases need into memory, which starts at `ram.base`. */
  readonly fill?: (memory: DataView) => void
}

/** Writes the batch over the RAM that starts at `ram.base`. */
export function writeImage(memory: Uint8Array, batch: readonly Case[], setting: Setting): void {
  const { user, sctlr = 0n, fill } = setting
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
  const word = (address: number, value: number) => view.setUint32(address - ram.base, value >>> 0, true)
  const quad = (address: number, value: bigint) =>
    view.setBigUint64(address - ram.base, BigInt.asUintN(64, value), true)
  // A stray access may read anything: nothing of an earlier batch may be left.
  memory.fill(0)
  for (const [index, value] of agentWords().entries()) word(entry + 4 * index, value)
  quad(header, BigInt(batch.length))
  quad(header + 24, sctlr)
  fill?.(view)
  // One 1 GiB block of Normal memory, for EL1 only, at 1 GiB.
  quad(table, 0n)
  quad(table + 8, 0x40000000n | 0x705n)
  quad(table + 16, user ? 0x40000000n | 0x745n : 0n)
  for (const [index, one] of batch.entries()) {
    const to = caseAddress(index)
    for (const [register, value] of one.x.entries()) quad(to + at.x + 8 * register, value)
    for (const [half, value] of one.v.entries()) quad(to + at.v + 8 * half, value)
    quad(to + at.nzcv, BigInt(one.nzcv) << 28n)
    quad(to + at.fpcr, BigInt(one.fpcr))
    quad(to + at.fpsr, BigInt(one.fpsr))
    for (const offset of [at.esr, at.far, at.elr, at.spsr]) quad(to + offset, 0n)
    const start = to - ram.base + window.offset
    fillBytes(memory.subarray(start, start + window.bytes), one.memory)
    const from = code + index * codeBytes
    for (let offset = 0; offset < codeBytes; offset += 4) word(from + offset, brk)
    // ldr x30, [x0, #240]; ldr x0, [x0]
    word(from + entryOffset - 8, 0xf940781e)
    word(from + entryOffset - 4, 0xf9400000)
    for (const [place, value] of one.words.entries()) word(from + entryOffset + 4 * place, value)
  }
}
