/**
 * What all loads and stores share: which register file, size and extension an encoding means, and moving elements between
 * memory and registers. Addressing modes are in load-store.ts, exclusives and atomics in their own files.
 */

import { STATE } from '../../state/state.ts'
import { i64 } from '../../wasm/opcodes.ts'
import type { Access, AccessOptions, Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'

/** Unsigned loads to i64, by log2 of the size. */
export const loadUnsigned = [i64.load8_u, i64.load16_u, i64.load32_u, i64.load] as const
/** Signed loads to i64. */
export const loadSigned = [i64.load8_s, i64.load16_s, i64.load32_s, i64.load] as const
export const storeOpcodes = [i64.store8, i64.store16, i64.store32, i64.store] as const
export const sizes = [1, 2, 4, 8] as const

export interface Transfer {
  readonly kind: 'load' | 'store' | 'prefetch'
  /** log2 of the bytes of one register: 0 to 4. */
  readonly log2: number
  readonly signed: boolean
  /** A signed load to a W register: the upper half is zero all the same. */
  readonly narrow: boolean
  readonly vector: boolean
}

/** Meaning of size, V and opc in the classes of single loads and stores (DDI 0487 C4.1, "Loads and Stores"). */
export function singleTransfer(size: number, vector: boolean, opc: number): Transfer {
  if (vector) {
    const log2 = opc & 2 ? 4 : size
    return { kind: opc & 1 ? 'load' : 'store', log2, signed: false, narrow: false, vector }
  }
  if (opc === 2 && size === 3) return { kind: 'prefetch', log2: 3, signed: false, narrow: false, vector }
  return { kind: opc === 0 ? 'store' : 'load', log2: size, signed: opc >= 2, narrow: opc === 3, vector }
}

/** The elements that a register of this size moves as: 128 bits are two of 64. */
export function elements(log2: number): number {
  return log2 === 4 ? 2 : 1
}

export function loadAccess(transfer: Transfer): Access {
  const log2 = Math.min(transfer.log2, 3)
  return { bytes: sizes[log2]!, opcode: (transfer.signed ? loadSigned : loadUnsigned)[log2]! }
}

export function storeAccess(transfer: Transfer): Access {
  const log2 = Math.min(transfer.log2, 3)
  return { bytes: sizes[log2]!, opcode: storeOpcodes[log2]! }
}

/** Reads the register of a store into i64 locals. */
export function readRegister(e: Emitter, transfer: Transfer, field: Field, locals: number[]): void {
  const { code } = e
  if (!transfer.vector) {
    const local = code.local('i64')
    e.x(field)
    code.set(local)
    locals.push(local)
    return
  }
  for (let part = 0; part < elements(transfer.log2); part++) {
    const local = code.local('i64')
    e.lane(field, i64.load, 8 * part)
    code.set(local)
    locals.push(local)
  }
}

/** Writes the register of a load from i64 locals, taking as many as it needs from `locals` at `at`. */
export function writeRegister(
  e: Emitter,
  transfer: Transfer,
  field: Field,
  locals: readonly number[],
  at: number,
): void {
  const { code } = e
  const local = locals[at]!
  if (!transfer.vector) {
    e.setX(field, () => {
      code.get(local)
      if (transfer.narrow) code.i64(0xffffffffn).op(i64.and)
    })
    return
  }
  const address = code.local('i32')
  e.vAddress(field)
  code.tee(address).get(local).memory(i64.store, STATE.V)
  code.get(address)
  if (transfer.log2 === 4) code.get(locals[at + 1]!)
  else code.i64(0)
  code.memory(i64.store, STATE.V + 8)
  code.release(address)
}

/** Moves one or two registers from or to the address in a local. */
export function transferRegisters(
  e: Emitter,
  transfer: Transfer,
  address: number,
  registers: readonly Field[],
  options: AccessOptions = {},
): void {
  const { code } = e
  const locals: number[] = []
  if (transfer.log2 === 4) options = { ...options, alignment: 16 }
  if (transfer.kind === 'store') {
    for (const field of registers) readRegister(e, transfer, field, locals)
    e.stores(storeAccess(transfer), address, locals, options)
  } else {
    const count = elements(transfer.log2)
    for (let index = 0; index < registers.length * count; index++) locals.push(code.local('i64'))
    e.loads(loadAccess(transfer), address, locals, options)
    for (const [index, field] of registers.entries()) writeRegister(e, transfer, field, locals, index * count)
  }
  code.release(...locals)
}

/** Pushes an i32 field's value as the i64 offset that it is. */
export function pushSigned(e: Emitter, field: Field, scale: number): void {
  e.signedBits(field, scale)
  e.code.op(i64.extend_i32_s)
}

export function pushUnsigned(e: Emitter, field: Field, scale: number): void {
  e.bits(field, scale)
  e.code.op(i64.extend_i32_u)
}
