/**
 * Stage 1 translation of the EL1&0 regime (DDI 0487 D5): 4, 16 and 64 KiB granules, up to 48 bits. It answers where an address is and
 * what may be done there, or which fault it is; it does not cache and takes no exception. 64-bit values are pairs of 32-bit numbers.
 */
import { type Cpu, SCTLR, SLOT } from '../state/cpu.ts'
import type { PhysicalMemory } from './physical.ts'

/** What an access does, and the bits of `Translation.allowed`. */
export const READ = 1
export const WRITE = 2
export const EXECUTE = 4

/** Fault status codes (ESR_ELx.DFSC, IFSC); the level is added. */
export const FAULT = {
  addressSize: 0x00,
  translation: 0x04,
  accessFlag: 0x08,
  permission: 0x0c,
  external: 0x10,
  externalOnWalk: 0x14,
  alignment: 0x21,
} as const

/** Largest physical address: 40 bits (ID_AA64MMFR0_EL1.PARange 2). */
export const physicalBits = 40

const outputBits = [32, 36, 40, 42, 44, 48] as const
const two32 = 2 ** 32

export class Translation {
  /** Physical address. */
  address = 0
  /** READ, WRITE and EXECUTE that the current EL may do. */
  allowed = 0
  /** Device memory: accesses must be aligned. */
  device = false
  nonGlobal = false
  /** Size of the page or block. */
  bytes = 4096
  /** MAIR attribute, for PAR_EL1. */
  attribute = 0
  shareability = 0
}

/** Bits [shift+width-1:shift] of a 48-bit pair; width up to 13. */
function indexBits(low: number, high: number, shift: number, width: number): number {
  const mask = (1 << width) - 1
  if (shift >= 32) return (high >>> (shift - 32)) & mask
  if (shift + width <= 32) return (low >>> shift) & mask
  return ((low >>> shift) | (high << (32 - shift))) & mask
}

export class Mmu {
  private readonly memory: PhysicalMemory
  private readonly words: Uint32Array
  private readonly bytes: DataView
  readonly result = new Translation()

  constructor(memory: PhysicalMemory) {
    this.memory = memory
    this.words = new Uint32Array(memory.bytes.buffer)
    this.bytes = new DataView(memory.bytes.buffer)
  }

  /**
   * Translates for an access of `kind` by `el`. Returns -1 and fills `result`, or a fault status code; a permission fault fills
   * `result.device`. `pan` applies PSTATE.PAN (not to unprivileged accesses). Permission to do something else than `kind` is in
   * `result.allowed`.
   */
  translate(cpu: Cpu, low: number, high: number, kind: number, el: number, pan: boolean): number {
    const { result } = this
    const sctlr = cpu.word(SLOT.SCTLR_EL1)
    if ((sctlr & SCTLR.M) === 0) {
      // Flat. Bits above the physical address size must be zero, but for a tag byte, which needs TBI even here.
      const tbi = (cpu.word(SLOT.TCR_EL1 + 4) >>> 5) & 1
      if ((tbi ? high & 0x00ffffff : high) >>> (physicalBits - 32) !== 0) return FAULT.addressSize
      result.address = (high & 0xff) * two32 + low
      result.allowed = READ | WRITE | EXECUTE
      // Data is Device-nGnRnE; instructions are Normal.
      result.device = kind !== EXECUTE
      result.nonGlobal = false
      result.bytes = 4096
      result.attribute = 0
      result.shareability = 2
      return -1
    }
    const tcrLow = cpu.word(SLOT.TCR_EL1)
    const tcrHigh = cpu.word(SLOT.TCR_EL1 + 4)
    const upper = (high & 0x00800000) !== 0
    const field = upper ? tcrLow >>> 16 : tcrLow
    const tbi = (tcrHigh >>> (upper ? 6 : 5)) & 1
    const granule = upper ? [0, 14, 12, 16][tcrLow >>> 30] || 12 : [12, 16, 14, 12][(tcrLow >>> 14) & 3]!
    // Without a larger or smaller range being implemented, TxSZ out of 16 to 39 behaves as the nearest in range.
    const size = 64 - Math.min(39, Math.max(16, field & 0x3f))
    // All bits from the range's top up (less a tag byte) must equal the bit that selects the range.
    const top = upper ? 0xffffffff : 0
    const checked = tbi ? 0x00ffffff : 0xffffffff
    const outside =
      size >= 32
        ? ((high ^ top) & checked) >>> (size - 32)
        : ((high ^ top) & checked) | (size < 32 ? (low ^ top) >>> size : 0)
    if (outside !== 0) return FAULT.translation
    if ((field >>> 7) & 1) return FAULT.translation

    const stride = granule - 3
    let level = 4 - Math.ceil((size - granule) / stride)
    const ttbr = upper ? SLOT.TTBR1_EL1 : SLOT.TTBR0_EL1
    const tableLow = cpu.word(ttbr)
    const tableHigh = cpu.word(ttbr + 4)
    const ips = tcrHigh & 7
    const limit = 2 ** Math.min(physicalBits, outputBits[Math.min(ips, 5)]!)
    const firstWidth = size - granule - stride * (3 - level)
    // The table is aligned to its size.
    const alignment = 2 ** Math.max(firstWidth + 3, 4)
    let table = (tableHigh & 0xffff) * two32 + ((tableLow & ~1 & ~(alignment - 1)) >>> 0)
    if (table >= limit) return FAULT.addressSize
    let tablePermissions = 0
    const bigEndian = (sctlr & SCTLR.EE) !== 0

    for (;;) {
      const shift = granule + stride * (3 - level)
      const width = shift + stride > size ? size - shift : stride
      const at = table + indexBits(low, high & 0xffff, shift, width) * 8
      const host = this.memory.readable(at)
      if (host < 0) return FAULT.externalOnWalk + level
      let descriptor: number
      let descriptorHigh: number
      if (bigEndian) {
        descriptor = this.bytes.getUint32(host + 4)
        descriptorHigh = this.bytes.getUint32(host)
      } else {
        descriptor = this.words[host >>> 2]!
        descriptorHigh = this.words[(host >>> 2) + 1]!
      }
      if ((descriptor & 1) === 0) return FAULT.translation + level
      const isTable = (descriptor & 2) !== 0
      if (isTable && level < 3) {
        table = (descriptorHigh & 0xffff) * two32 + (((descriptor >>> granule) << granule) >>> 0)
        if (table >= limit) return FAULT.addressSize + level
        tablePermissions |= descriptorHigh >>> 27
        level++
        continue
      }
      // A block where the granule has none, or a reserved encoding at level 3.
      if (!isTable && (level === 3 || level === 0 || (level === 1 && granule !== 12))) return FAULT.translation + level
      const offsetLow = shift >= 32 ? low : low & ((2 ** shift - 1) | 0)
      const offsetHigh = shift > 32 ? high & ((1 << (shift - 32)) - 1) : 0
      const baseLow = shift >= 32 ? 0 : ((descriptor >>> shift) << shift) >>> 0
      const baseHigh = (descriptorHigh & 0xffff & (shift > 32 ? ~((1 << (shift - 32)) - 1) : -1)) >>> 0
      const address = (baseHigh + offsetHigh) * two32 + baseLow + (offsetLow >>> 0)
      if (address >= limit) return FAULT.addressSize + level
      if ((descriptor & 0x400) === 0) return FAULT.accessFlag + level

      // Bits of tablePermissions: PXNTable 0, UXNTable 1, APTable 3:2.
      let user = (descriptor >>> 6) & 1
      let readOnly = (descriptor >>> 7) & 1
      if (tablePermissions & 4) user = 0
      if (tablePermissions & 8) readOnly = 1
      const uxn = ((descriptorHigh >>> 22) | (tablePermissions >>> 1)) & 1
      const pxn = ((descriptorHigh >>> 21) | tablePermissions) & 1
      const wxn = (sctlr & SCTLR.WXN) !== 0
      let allowed: number
      if (el === 0) {
        const write = user && !readOnly
        allowed = (user ? READ : 0) | (write ? WRITE : 0) | (uxn || (wxn && write) ? 0 : EXECUTE)
      } else {
        const blocked = pan && user
        // What EL0 may write, EL1 may not execute.
        const noExecute = pxn || (user && !readOnly) || (wxn && !readOnly)
        allowed = (blocked ? 0 : READ) | (blocked || readOnly ? 0 : WRITE) | (noExecute ? 0 : EXECUTE)
      }
      const attributeIndex = (descriptor >>> 2) & 7
      const attribute = (cpu.word(SLOT.MAIR_EL1 + (attributeIndex & 4)) >>> ((attributeIndex & 3) * 8)) & 0xff
      // Before permissions: an unaligned access to Device memory is an Alignment fault even where it is not permitted.
      result.device = (attribute & 0xf0) === 0
      if ((allowed & kind) === 0) return FAULT.permission + level
      result.address = address
      result.allowed = allowed
      result.nonGlobal = (descriptor & 0x800) !== 0
      result.bytes = 2 ** shift
      result.attribute = attribute
      result.shareability = (descriptor >>> 8) & 3
      return -1
    }
  }
}
