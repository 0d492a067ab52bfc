/**
 * Exclusives, and loads and stores with acquire and release (DDI 0487 B2.9, C4.1). All CPUs run in one thread, so ordering is given; the
 * reservation is one per CPU and is cleared when another CPU runs.
 */

import { STATE } from '../../state/state.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { Rn, Rs, Rt, Rt2 } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { x } from '../text.ts'
import { loadUnsigned, sizes, storeOpcodes } from './memory.ts'
import { aligned, bit30, L22, memoryOperand, size } from './ordering.ts'

/** LDAR, STLR. */
const orderedRows = group({
  fields: 'size:31-30 L:22 Rs:20-16 o0:15 Rt2:14-10 Rn:9-5 Rt:4-0',
  emit: (e) => {
    const { code } = e
    const log2 = e.fixed(size)
    const bytes = sizes[log2]!
    const address = code.local('i64')
    const value = code.local('i64')
    e.base(Rn)
    code.set(address)
    if (e.fixed(L22)) {
      e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, [value], aligned)
      e.setX(Rt, () => code.get(value))
    } else {
      e.x(Rt)
      code.set(value)
      e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, [value], aligned)
    }
    code.release(address, value)
  },
  text: (word, name) => `${name} ${x(word, Rt, bitsOf(word, size) === 3)}, ${memoryOperand(word)}`,
  encodings: [
    ['LDAR_LR32_ldstord', '1000100011011111111111xxxxxxxxxx'],
    ['LDAR_LR64_ldstord', '1100100011011111111111xxxxxxxxxx'],
    ['LDARB_LR32_ldstord', '0000100011011111111111xxxxxxxxxx'],
    ['LDARH_LR32_ldstord', '0100100011011111111111xxxxxxxxxx'],
    ['STLR_SL32_ldstord', '1000100010011111111111xxxxxxxxxx'],
    ['STLR_SL64_ldstord', '1100100010011111111111xxxxxxxxxx'],
    ['STLRB_SL32_ldstord', '0000100010011111111111xxxxxxxxxx'],
    ['STLRH_SL32_ldstord', '0100100010011111111111xxxxxxxxxx'],
  ],
})

function loadExclusive(e: Emitter, log2: number, registers: readonly Field[]): void {
  const { code } = e
  const bytes = sizes[log2]!
  const address = code.local('i64')
  const values = registers.map(() => code.local('i64'))
  e.base(Rn)
  code.set(address)
  e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, values, aligned)
  e.setState(i64.store, STATE.MONITOR, () => code.get(address))
  e.setState(i32.store, STATE.MONITOR_SIZE, () => code.i32(bytes * registers.length))
  for (const [index, field] of registers.entries()) e.setX(field, () => code.get(values[index]!))
  code.release(address, ...values)
}

function storeExclusive(e: Emitter, log2: number, registers: readonly Field[]): void {
  const { code } = e
  const bytes = sizes[log2]!
  const address = code.local('i64')
  const values = registers.map(() => code.local('i64'))
  e.base(Rn)
  code.set(address)
  for (const [index, field] of registers.entries()) {
    e.x(field)
    code.set(values[index]!)
  }
  e.state(i64.load, STATE.MONITOR)
  code.get(address).op(i64.eq)
  e.state(i32.load, STATE.MONITOR_SIZE)
  code
    .i32(bytes * registers.length)
    .op(i32.eq, i32.and)
    .if()
  e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, values, aligned)
  e.setX(Rs, () => code.i64(0))
  code.else()
  e.setX(Rs, () => code.i64(1))
  code.end()
  e.setState(i32.store, STATE.MONITOR_SIZE, () => code.i32(0))
  code.release(address, ...values)
}

const exclusiveSingleRows = group({
  fields: 'size:31-30 L:22 Rs:20-16 o0:15 Rt2:14-10 Rn:9-5 Rt:4-0',
  emit: (e) => (e.fixed(L22) ? loadExclusive : storeExclusive)(e, e.fixed(size), [Rt]),
  text: (word, name) => {
    const status = bitsOf(word, L22) ? '' : `${x(word, Rs, false)}, `
    return `${name} ${status}${x(word, Rt, bitsOf(word, size) === 3)}, ${memoryOperand(word)}`
  },
  encodings: [
    ['LDAXR_LR32_ldstexclr', '1000100001011111111111xxxxxxxxxx'],
    ['LDAXR_LR64_ldstexclr', '1100100001011111111111xxxxxxxxxx'],
    ['LDAXRB_LR32_ldstexclr', '0000100001011111111111xxxxxxxxxx'],
    ['LDAXRH_LR32_ldstexclr', '0100100001011111111111xxxxxxxxxx'],
    ['LDXR_LR32_ldstexclr', '1000100001011111011111xxxxxxxxxx'],
    ['LDXR_LR64_ldstexclr', '1100100001011111011111xxxxxxxxxx'],
    ['LDXRB_LR32_ldstexclr', '0000100001011111011111xxxxxxxxxx'],
    ['LDXRH_LR32_ldstexclr', '0100100001011111011111xxxxxxxxxx'],
    ['STLXR_SR32_ldstexclr', '10001000000xxxxx111111xxxxxxxxxx'],
    ['STLXR_SR64_ldstexclr', '11001000000xxxxx111111xxxxxxxxxx'],
    ['STLXRB_SR32_ldstexclr', '00001000000xxxxx111111xxxxxxxxxx'],
    ['STLXRH_SR32_ldstexclr', '01001000000xxxxx111111xxxxxxxxxx'],
    ['STXR_SR32_ldstexclr', '10001000000xxxxx011111xxxxxxxxxx'],
    ['STXR_SR64_ldstexclr', '11001000000xxxxx011111xxxxxxxxxx'],
    ['STXRB_SR32_ldstexclr', '00001000000xxxxx011111xxxxxxxxxx'],
    ['STXRH_SR32_ldstexclr', '01001000000xxxxx011111xxxxxxxxxx'],
  ],
})

const exclusivePairRows = group({
  fields: 'sz:30 L:22 Rs:20-16 o0:15 Rt2:14-10 Rn:9-5 Rt:4-0',
  emit: (e) => (e.fixed(L22) ? loadExclusive : storeExclusive)(e, 2 + e.fixed(bit30), [Rt, Rt2]),
  text: (word, name) => {
    const wide = bitsOf(word, bit30)
    const status = bitsOf(word, L22) ? '' : `${x(word, Rs, false)}, `
    return `${name} ${status}${x(word, Rt, wide)}, ${x(word, Rt2, wide)}, ${memoryOperand(word)}`
  },
  encodings: [
    ['LDAXP_LP32_ldstexclp', '10001000011111111xxxxxxxxxxxxxxx'],
    ['LDAXP_LP64_ldstexclp', '11001000011111111xxxxxxxxxxxxxxx'],
    ['LDXP_LP32_ldstexclp', '10001000011111110xxxxxxxxxxxxxxx'],
    ['LDXP_LP64_ldstexclp', '11001000011111110xxxxxxxxxxxxxxx'],
    ['STLXP_SP32_ldstexclp', '10001000001xxxxx1xxxxxxxxxxxxxxx'],
    ['STLXP_SP64_ldstexclp', '11001000001xxxxx1xxxxxxxxxxxxxxx'],
    ['STXP_SP32_ldstexclp', '10001000001xxxxx0xxxxxxxxxxxxxxx'],
    ['STXP_SP64_ldstexclp', '11001000001xxxxx0xxxxxxxxxxxxxxx'],
  ],
})

export const exclusiveRows: readonly Row[] = [...orderedRows, ...exclusiveSingleRows, ...exclusivePairRows]
