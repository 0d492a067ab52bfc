/**
 * Stage 1 translation of the EL1&0 regime (DDI 0487 D5) as generated code: 4, 16 and 64 KiB granules, up to 48 bits. It answers where
 * an address is and what may be done there, or which fault it is. It caches nothing and takes no exception.
 */
import { reverseBytes } from '../isa/semantics/library.ts'
import { SCTLR, SLOT } from '../state/cpu.ts'
import { MEMORY, REGION, WALK } from '../state/state.ts'
import type { Code } from '../wasm/code.ts'
import type { LibraryFunction } from '../wasm/module.ts'
import { i32, i64 } from '../wasm/opcodes.ts'

/** What an access does, and the bits of what is allowed. */
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

const low48 = 0xffff_ffff_ffffn

/** (physical address) -> address of the entry of its region in MEMORY.regions, or 0. */
export const regionOf: LibraryFunction = {
  name: 'regionOf',
  parameters: ['i64'],
  results: ['i32'],
  body: (code) => {
    const entry = code.local('i32')
    code.i32(MEMORY.regions).set(entry)
    code.loop()
    code.get(0).get(entry).memory(i64.load, REGION.base).op(i64.sub)
    code.get(entry).memory(i64.load, REGION.size).op(i64.lt_u).if()
    code.get(entry).return().end()
    code.get(entry).i32(REGION.bytes).op(i32.add).tee(entry)
    // A region without a size ends the table.
    code.memory(i64.load, REGION.size).op(i64.eqz, i32.eqz).brIf(0)
    code.end()
    code.i32(0)
  },
}

/** (physical address) -> where it may be read in the linear memory, or 0. */
export const readable: LibraryFunction = {
  name: 'readable',
  parameters: ['i64'],
  results: ['i32'],
  body: (code, module) => {
    const entry = code.local('i32')
    code.get(0).call(module.indexOf(regionOf)).tee(entry).if()
    code.get(entry).memory(i32.load, REGION.access).i32(READ).op(i32.and).if()
    code.get(0).op(i32.wrap_i64).get(entry).memory(i32.load, REGION.addend).op(i32.add).return()
    code.end().end()
    code.i32(0)
  },
}

const setResult = (code: Code, store: number, offset: number, push: () => void): void => {
  code.i32(MEMORY.walk)
  push()
  code.memory(store, offset)
}

/** Pushes bits [msb:lsb] of an i64 local as i32. */
function bitsOf(code: Code, local: number, lsb: number, width: number): void {
  code.get(local).i64(lsb).op(i64.shr_u, i32.wrap_i64)
  if (width < 32) code.i32(2 ** width - 1).op(i32.and)
}

/** The parameters of `walk`. */
const [CPU, ADDRESS, KIND, EL, PAN] = [0, 1, 2, 3, 4]

/** With the MMU off. Bits above the physical address size must be zero, but for a tag byte, which needs TBI even here. */
function flat(code: Code, tcr: number): void {
  code.get(ADDRESS)
  code.get(tcr).i64(37).op(i64.shr_u).i64(1).op(i64.and).i64(1).op(i64.sub)
  code.i64(0x00ff_ffff_ffff_ffffn).op(i64.or, i64.and).i64(physicalBits).op(i64.shr_u, i64.eqz, i32.eqz).if()
  code.i32(FAULT.addressSize).return().end()
  setResult(code, i64.store, WALK.address, () =>
    code
      .get(ADDRESS)
      .i64(2n ** BigInt(physicalBits) - 1n)
      .op(i64.and),
  )
  setResult(code, i32.store, WALK.allowed, () => code.i32(READ | WRITE | EXECUTE))
  // Data is Device-nGnRnE; instructions are Normal.
  setResult(code, i32.store, WALK.device, () => code.get(KIND).i32(EXECUTE).op(i32.ne))
  setResult(code, i32.store, WALK.nonGlobal, () => code.i32(0))
  setResult(code, i32.store, WALK.shift, () => code.i32(12))
  setResult(code, i32.store, WALK.attribute, () => code.i32(0))
  setResult(code, i32.store, WALK.shareability, () => code.i32(2))
  code.i32(-1).return()
}

/** Leaves what EL0 or EL1 may do in `allowed`, by a descriptor and the hierarchical attributes of the tables before it. */
function permissions(code: Code, descriptor: number, tables: number, sctlr: number, allowed: number): void {
  const user = code.local('i32')
  const write = code.local('i32')
  const bit = (push: () => void, position: number) => {
    push()
    if (position > 0) code.i32(position).op(i32.shr_u)
    code.i32(1).op(i32.and)
  }
  // Bits of `tables`: PXNTable 0, UXNTable 1, APTable 3:2. `user` is what EL0 may access at all, `write` what is not read-only.
  bitsOf(code, descriptor, 6, 1)
  bit(() => code.get(tables).i32(-1).op(i32.xor), 2)
  code.op(i32.and).set(user)
  code.i32(1)
  bitsOf(code, descriptor, 7, 1)
  bit(() => code.get(tables), 3)
  code.op(i32.or, i32.sub).set(write)
  const wxn = () => bit(() => code.get(sctlr), Math.log2(SCTLR.WXN))
  code.get(EL).op(i32.eqz).if()
  code.get(write).get(user).op(i32.and).set(write)
  code.get(user)
  code.get(write).i32(1).op(i32.shl, i32.or)
  bitsOf(code, descriptor, 54, 1)
  bit(() => code.get(tables), 1)
  code.op(i32.or)
  wxn()
  code.get(write).op(i32.and, i32.or, i32.eqz).i32(2).op(i32.shl, i32.or).set(allowed)
  code.else()
  // What EL0 may write, EL1 may not execute.
  bitsOf(code, descriptor, 53, 1)
  bit(() => code.get(tables), 0)
  code.op(i32.or)
  code.get(user)
  wxn()
  code.op(i32.or).get(write).op(i32.and, i32.or, i32.eqz).i32(2).op(i32.shl)
  code.i32(0)
  code.get(write).i32(1).op(i32.shl).i32(READ).op(i32.or)
  code.get(PAN).get(user).op(i32.and).select()
  code.op(i32.or).set(allowed)
  code.end()
  code.release(user, write)
}

/** (cpu, address, one of READ, WRITE and EXECUTE or several, EL, PSTATE.PAN if it applies) -> -1 with WALK, or a fault status code. */
export const walk: LibraryFunction = {
  name: 'walk',
  parameters: ['i32', 'i64', 'i32', 'i32', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    const i32s = () => code.local('i32')
    const i64s = () => code.local('i64')
    const [sctlr, upper, field, granule, size, stride] = [i32s(), i32s(), i32s(), i32s(), i32s(), i32s()]
    const [level, shift, width, tables, allowed, host] = [i32s(), i32s(), i32s(), i32s(), i32s(), i32s()]
    const [tcr, table, descriptor, limit] = [i64s(), i64s(), i64s(), i64s()]
    const fault = (status: number, plus?: number) => {
      code.i32(status)
      if (plus !== undefined) code.get(plus).op(i32.add)
      code.return()
    }
    /** A fault unless the i64 local is an address below the limit. */
    const checkSize = (address: number, plus?: number) => {
      code.get(address).get(limit).op(i64.shr_u, i64.eqz, i32.eqz).if()
      fault(FAULT.addressSize, plus)
      code.end()
    }

    code.get(CPU).memory(i32.load, SLOT.SCTLR_EL1).set(sctlr)
    code.get(CPU).memory(i64.load, SLOT.TCR_EL1).set(tcr)
    code.get(sctlr).i32(SCTLR.M).op(i32.and, i32.eqz).if()
    flat(code, tcr)
    code.end()

    // --- the range: TTBR0's or TTBR1's, which have their fields 16 bits apart
    bitsOf(code, ADDRESS, 55, 1)
    code.set(upper)
    code.get(tcr).op(i32.wrap_i64).get(upper).i32(4).op(i32.shl, i32.shr_u).set(field)
    // Granules in the order of TG0 and of TG1, a byte each; a reserved value is 4 KiB.
    code.i32(0x100c0e0c).i32(0x0c0e100c).get(upper).select()
    code.get(field).i32(14).op(i32.shr_u).i32(3).op(i32.and).i32(3).op(i32.shl, i32.shr_u).i32(0xff).op(i32.and)
    code.set(granule)
    // Without a larger or smaller range being implemented, TxSZ out of 16 to 39 behaves as the nearest in range.
    code.get(field).i32(0x3f).op(i32.and).set(width)
    code.get(width).i32(39).get(width).i32(39).op(i32.lt_u).select().set(width)
    code.i32(64).get(width).i32(16).get(width).i32(16).op(i32.gt_u).select().op(i32.sub).set(size)
    // All bits from the range's top up (less a tag byte) must equal the bit that selects the range.
    code.get(ADDRESS).i64(0).get(upper).op(i64.extend_i32_u, i64.sub, i64.xor)
    code.get(tcr).i64(37).get(upper).op(i64.extend_i32_u, i64.add, i64.shr_u).i64(1).op(i64.and).i64(1).op(i64.sub)
    code.i64(0x00ff_ffff_ffff_ffffn).op(i64.or, i64.and)
    code.get(size).op(i64.extend_i32_u, i64.shr_u, i64.eqz, i32.eqz)
    // EPD
    code.get(field).i32(0x80).op(i32.and, i32.or).if()
    fault(FAULT.translation)
    code.end()

    // --- the first table, aligned to its size
    code.get(granule).i32(3).op(i32.sub).set(stride)
    code.i32(4).get(size).get(granule).op(i32.sub).get(stride).op(i32.add).i32(1).op(i32.sub).get(stride)
    code.op(i32.div_u, i32.sub).set(level)
    // IPS 0, 1 and 2 are 32, 36 and 40 bits; no more are implemented.
    bitsOf(code, tcr, 32, 3)
    code.set(width).get(width).i32(2).get(width).i32(2).op(i32.lt_u).select()
    code.i32(2).op(i32.shl).i32(32).op(i32.add, i64.extend_i32_u).set(limit)
    const shiftOfLevel = () => {
      code.get(granule).get(stride).i32(3).get(level).op(i32.sub, i32.mul, i32.add).set(shift)
    }
    shiftOfLevel()
    code.get(CPU).get(upper).i32(3).op(i32.shl, i32.add).memory(i64.load, SLOT.TTBR0_EL1).i64(low48).op(i64.and)
    code.get(size).get(shift).op(i32.sub).i32(3).op(i32.add).set(width)
    code.i64(-1).get(width).i32(4).get(width).i32(4).op(i32.gt_u).select().op(i64.extend_i32_u, i64.shl)
    code.op(i64.and).set(table)
    checkSize(table)
    code.i32(0).set(tables)

    code.loop()
    shiftOfLevel()
    // As many bits as a table has entries; the first one may have fewer.
    code.get(size).get(shift).op(i32.sub).set(width)
    code.get(width).get(stride).get(width).get(stride).op(i32.lt_u).select().set(width)
    code.get(table)
    code.get(ADDRESS).get(shift).op(i64.extend_i32_u, i64.shr_u)
    code.i64(-1).get(width).op(i64.extend_i32_u, i64.shl).i64(-1).op(i64.xor, i64.and)
    code.i64(3).op(i64.shl, i64.add).tee(descriptor)
    code.call(module.indexOf(readable)).tee(host).op(i32.eqz).if()
    fault(FAULT.externalOnWalk, level)
    code.end()
    code.get(host).memory(i64.load).set(descriptor)
    code.get(sctlr).i32(SCTLR.EE).op(i32.and).if()
    code
      .get(descriptor)
      .call(module.indexOf(reverseBytes(8)))
      .set(descriptor)
    code.end()

    // --- a table of the next level
    code.get(descriptor).i64(3).op(i64.and).i64(3).op(i64.eq).get(level).i32(3).op(i32.lt_u, i32.and).if()
    code.get(descriptor).i64(low48).op(i64.and)
    code.i64(-1).get(granule).op(i64.extend_i32_u, i64.shl, i64.and).set(table)
    checkSize(table, level)
    code.get(tables).get(descriptor).i64(59).op(i64.shr_u, i32.wrap_i64, i32.or).set(tables)
    code.get(level).i32(1).op(i32.add).set(level)
    code.br(1)
    code.end()
    code.end()

    // --- invalid; a block where the granule has none; or a reserved encoding at level 3
    bitsOf(code, descriptor, 0, 2)
    code.set(width)
    code.get(width).i32(1).op(i32.and, i32.eqz)
    code.get(width).i32(1).op(i32.eq)
    code.get(level).i32(3).op(i32.eq).get(level).op(i32.eqz, i32.or)
    code.get(level).i32(1).op(i32.eq).get(granule).i32(12).op(i32.ne, i32.and, i32.or)
    code.op(i32.and, i32.or).if()
    fault(FAULT.translation, level)
    code.end()

    // --- a page or a block
    const mask = limit
    code.get(descriptor).i64(low48).op(i64.and)
    code.i64(-1).get(shift).op(i64.extend_i32_u, i64.shl, i64.and).set(table)
    checkSize(table, level)
    code.i64(-1).get(shift).op(i64.extend_i32_u, i64.shl).set(mask)
    code.get(descriptor).i64(0x400).op(i64.and, i64.eqz).if()
    fault(FAULT.accessFlag, level)
    code.end()
    setResult(code, i64.store, WALK.address, () => {
      code.get(ADDRESS).get(mask).i64(-1).op(i64.xor, i64.and).get(table).op(i64.or)
    })
    permissions(code, descriptor, tables, sctlr, allowed)
    code.get(CPU)
    bitsOf(code, descriptor, 2, 3)
    code.op(i32.add).memory(i32.load8_u, SLOT.MAIR_EL1).set(width)
    setResult(code, i32.store, WALK.attribute, () => code.get(width))
    // Before permissions: an unaligned access to Device memory is an Alignment fault even where it is not permitted.
    setResult(code, i32.store, WALK.device, () => code.get(width).i32(0xf0).op(i32.and, i32.eqz))
    code.get(allowed).get(KIND).op(i32.and, i32.eqz).if()
    fault(FAULT.permission, level)
    code.end()
    setResult(code, i32.store, WALK.allowed, () => code.get(allowed))
    setResult(code, i32.store, WALK.nonGlobal, () => bitsOf(code, descriptor, 11, 1))
    setResult(code, i32.store, WALK.shift, () => code.get(shift))
    setResult(code, i32.store, WALK.shareability, () => bitsOf(code, descriptor, 8, 2))
    code.i32(-1)
  },
}
