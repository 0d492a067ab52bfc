/**
 * The tables in the linear memory that generated code looks into, the same for all CPUs: conditions, bitmask immediates, and the
 * system registers that need no call out. The decode table is the engine's.
 */

import { bitmaskImmediate } from '../isa/text.ts'
import { DIRECT, MEMORY } from '../state/state.ts'
import { isReservedId } from './registers.ts'
import type { SystemRegister } from './system-register.ts'

/** `external`: whether the embedder has registers of its own, which are among those that the CPU has not. */
export function fillTables(
  buffer: ArrayBuffer,
  registers: ReadonlyMap<number, SystemRegister>,
  external: boolean,
): void {
  fillConditions(new Uint16Array(buffer, MEMORY.conditions, 16))
  fillBitmasks(new Uint32Array(buffer, MEMORY.bitmasks, 2 * 8192))
  fillDirect(buffer, registers, external)
}

/** By N:immr:imms, two words each: immr rotates what the others describe, all of its copies alike. */
function fillBitmasks(words: Uint32Array): void {
  for (let n = 0; n < 2; n++) {
    for (let imms = 0; imms < 64; imms++) {
      const value = bitmaskImmediate(n, 0, imms)
      if (value === undefined) continue
      let low = Number(value & 0xffffffffn)
      let high = Number(value >> 32n)
      for (let immr = 0; immr < 64; immr++) {
        const at = 2 * ((n << 12) | (immr << 6) | imms)
        words[at] = low
        words[at + 1] = high
        const carry = low & 1
        low = (low >>> 1) | (high << 31)
        high = (high >>> 1) | (carry << 31)
      }
    }
  }
}

/** Bit NZCV of each condition's entry (DDI 0487 C1.2.4). */
function fillConditions(conditions: Uint16Array): void {
  for (let condition = 0; condition < 16; condition++) {
    for (let nzcv = 0; nzcv < 16; nzcv++) {
      const [n, z, c, v] = [8, 4, 2, 1].map((bit) => (nzcv & bit) !== 0)
      const base = [z, c, n, v, c && !z, n === v, n === v && !z, true][condition >> 1]
      const holds = (condition & 1) === 1 && condition !== 15 ? !base : base
      if (holds) conditions[condition]! |= 1 << nzcv
    }
  }
}

/** Keys from here on have op0 3. */
const op0Of3 = 1 << 14

/** Where the storage of the registers is whose MRS, or MSR, is nothing but a load, or a store, and at which Exception levels. */
function fillDirect(buffer: ArrayBuffer, registers: ReadonlyMap<number, SystemRegister>, external: boolean): void {
  const reads = new Uint16Array(buffer, MEMORY.registerReads, 32768)
  const writes = new Uint16Array(buffer, MEMORY.registerWrites, 32768)
  if (external)
    for (let key = op0Of3; key < reads.length; key++)
      if (!registers.has(key) && !isReservedId(key)) reads[key] = writes[key] = DIRECT.external
  for (const [key, { slot, encoding, el0, read, write, access }] of registers) {
    if (slot === undefined || encoding[0] < 2 || typeof el0 === 'function') continue
    if (!read && access !== 'wo') reads[key] = slot | (el0 === undefined ? 0 : el0 === 'uct' ? DIRECT.uct : DIRECT.el0)
    if (!write && access === 'rw') writes[key] = slot | (el0 === 'rw' ? DIRECT.el0 : 0)
  }
}
