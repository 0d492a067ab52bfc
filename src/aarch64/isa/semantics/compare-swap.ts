/**
 * Compare and swap of one register and of two (FEAT_LSE; DDI 0487 C4.1). All CPUs run in one thread: a load and a store are one access.
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Field } from '../fields.ts'
import { Rn, Rs, Rt } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { x } from '../text.ts'
import { loadUnsigned, sizes, storeOpcodes } from './memory.ts'
import { atomic, bit30, memoryOperand, size } from './ordering.ts'

const swapRows = group({
  fields: 'size:31-30 L:22 Rs:20-16 o0:15 Rt2:14-10 Rn:9-5 Rt:4-0',
  feature: 'FEAT_LSE',
  emit: (e) => {
    const { code } = e
    const log2 = e.fixed(size)
    const bytes = sizes[log2]!
    const address = code.local('i64')
    const old = code.local('i64')
    const fresh = code.local('i64')
    e.base(Rn)
    code.set(address)
    e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, [old], atomic)
    code.get(old)
    e.x(Rs)
    if (log2 < 3) code.i64((1n << BigInt(8 * bytes)) - 1n).op(i64.and)
    code.op(i64.eq).if()
    e.x(Rt)
    code.set(fresh)
    e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, [fresh], atomic)
    code.end()
    e.setX(Rs, () => code.get(old))
    code.release(address, old, fresh)
  },
  text: (word, name) => {
    const wide = bitsOf(word, size) === 3
    return `${name} ${x(word, Rs, wide)}, ${x(word, Rt, wide)}, ${memoryOperand(word)}`
  },
  encodings: [
    ['CAS_C32_comswap', '10001000101xxxxx011111xxxxxxxxxx'],
    ['CASA_C32_comswap', '10001000111xxxxx011111xxxxxxxxxx'],
    ['CASAL_C32_comswap', '10001000111xxxxx111111xxxxxxxxxx'],
    ['CASL_C32_comswap', '10001000101xxxxx111111xxxxxxxxxx'],
    ['CAS_C64_comswap', '11001000101xxxxx011111xxxxxxxxxx'],
    ['CASA_C64_comswap', '11001000111xxxxx011111xxxxxxxxxx'],
    ['CASAL_C64_comswap', '11001000111xxxxx111111xxxxxxxxxx'],
    ['CASL_C64_comswap', '11001000101xxxxx111111xxxxxxxxxx'],
    ['CASB_C32_comswap', '00001000101xxxxx011111xxxxxxxxxx'],
    ['CASAB_C32_comswap', '00001000111xxxxx011111xxxxxxxxxx'],
    ['CASALB_C32_comswap', '00001000111xxxxx111111xxxxxxxxxx'],
    ['CASLB_C32_comswap', '00001000101xxxxx111111xxxxxxxxxx'],
    ['CASH_C32_comswap', '01001000101xxxxx011111xxxxxxxxxx'],
    ['CASAH_C32_comswap', '01001000111xxxxx011111xxxxxxxxxx'],
    ['CASALH_C32_comswap', '01001000111xxxxx111111xxxxxxxxxx'],
    ['CASLH_C32_comswap', '01001000101xxxxx111111xxxxxxxxxx'],
  ],
})

const swapPairRows = group({
  fields: 'sz:30 L:22 Rs:20-16 o0:15 Rt2:14-10 Rn:9-5 Rt:4-0',
  feature: 'FEAT_LSE',
  // Odd register numbers: the pair would be split.
  unallocated: ['xxxxxxxxxxxxxxx1xxxxxxxxxxxxxxxx', 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx1'],
  emit: (e) => {
    const { code } = e
    const log2 = 2 + e.fixed(bit30)
    const bytes = sizes[log2]!
    const address = code.local('i64')
    const low = code.local('i64')
    const high = code.local('i64')
    const first = code.local('i64')
    const second = code.local('i64')
    const match = (old: number, odd: number) => {
      code.get(old)
      e.xOdd(Rs, odd)
      if (log2 < 3) code.i64(0xffffffffn).op(i64.and)
      code.op(i64.eq)
    }
    e.base(Rn)
    code.set(address)
    e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, [low, high], atomic)
    match(low, 0)
    match(high, 1)
    code.op(i32.and).if()
    e.xOdd(Rt, 0)
    code.set(first)
    e.xOdd(Rt, 1)
    code.set(second)
    e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, [first, second], atomic)
    code.end()
    e.setXOdd(Rs, 0, () => code.get(low))
    e.setXOdd(Rs, 1, () => code.get(high))
    code.release(address, low, high, first, second)
  },
  text: (word, name) => {
    const wide = bitsOf(word, bit30)
    const one = (field: Field) => `${x(word, field, wide)}, ${x(word | (1 << field[1]), field, wide)}`
    return `${name} ${one(Rs)}, ${one(Rt)}, ${memoryOperand(word)}`
  },
  encodings: [
    ['CASP_CP32_comswappr', '00001000001xxxxx011111xxxxxxxxxx'],
    ['CASPA_CP32_comswappr', '00001000011xxxxx011111xxxxxxxxxx'],
    ['CASPAL_CP32_comswappr', '00001000011xxxxx111111xxxxxxxxxx'],
    ['CASPL_CP32_comswappr', '00001000001xxxxx111111xxxxxxxxxx'],
    ['CASP_CP64_comswappr', '01001000001xxxxx011111xxxxxxxxxx'],
    ['CASPA_CP64_comswappr', '01001000011xxxxx011111xxxxxxxxxx'],
    ['CASPAL_CP64_comswappr', '01001000011xxxxx111111xxxxxxxxxx'],
    ['CASPL_CP64_comswappr', '01001000001xxxxx111111xxxxxxxxxx'],
  ],
})

export const compareSwapRows: readonly Row[] = [...swapRows, ...swapPairRows]
