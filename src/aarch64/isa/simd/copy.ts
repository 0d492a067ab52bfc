/**
 * Advanced SIMD copy: DUP, INS, SMOV, UMOV between elements and general registers (DDI 0487, C4.1 "Advanced SIMD copy", "Advanced
 * SIMD scalar copy"). The lowest set bit of imm5 gives the element size, the bits above it the index.
 */

import { STATE } from '../../state/state.ts'
import { i32, i64, v128 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { type Size, splat, type Width, writeV } from './lanes.ts'
import { element, isScalar, Q, Rd, Rn, SCALAR, scalarName, vectorName } from './shape.ts'

const IMM5: Field = [20, 16]
const IMM4: Field = [14, 11]
const noImm5 = 'xxxxxxxxxxxx0000xxxxxxxxxxxxxxxx'
const no1D = 'x0x0xxxxxxxx1000xxxxxxxxxxxxxxxx'

/** The encodings of one size within imm5<3:0>: a handler for each, because the field's other bits are an index. */
const bySize = [
  'xxxxxxxxxxxxxxx1xxxxxxxxxxxxxxxx',
  'xxxxxxxxxxxxxx10xxxxxxxxxxxxxxxx',
  'xxxxxxxxxxxxx100xxxxxxxxxxxxxxxx',
  'xxxxxxxxxxxx1000xxxxxxxxxxxxxxxx',
]
const SPLIT: Field = [19, 16]

const sizeFrom = (imm: number): Size => (31 - Math.clz32(imm & -imm)) as Size
const sizeOf = (e: Emitter): Size => sizeFrom(e.fixed(SPLIT))

/** Pushes the address, less STATE.V, of the element of `register` that the top bits of the field index. */
function elementAddress(e: Emitter, register: Field, index: Field, size: Size): void {
  e.vAddress(register)
  e.bits([index[0], index[1] + size + (index === IMM4 ? 0 : 1)], size)
  e.code.op(i32.add)
}

const load = [i32.load8_u, i32.load16_u, i32.load, i64.load]
const loadSigned = [i32.load8_s, i32.load16_s, i32.load]
const loadSigned64 = [i64.load8_s, i64.load16_s, i64.load32_s]
const store = [i32.store8, i32.store16, i32.store, i64.store]
const loadSplat = [v128.load8_splat, v128.load16_splat, v128.load32_splat, v128.load64_splat]

const indexText = (word: number): string => {
  const imm5 = bitsOf(word, IMM5)
  const size = sizeFrom(imm5)
  return `v${bitsOf(word, Rn)}.${element(size)}[${imm5 >> (size + 1)}]`
}

const general = (word: number, register: number, wide: boolean): string => {
  const number = bitsOf(word, [4 + register, register])
  return number === 31 ? (wide ? 'xzr' : 'wzr') : `${wide ? 'x' : 'w'}${number}`
}

const duplicateElement = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [Q, SPLIT],
  unallocated: [noImm5, no1D],
  emit: (e) => {
    const size = sizeOf(e)
    const width = isScalar(e) ? ((8 << size) as Width) : e.fixed(Q) ? 128 : 64
    writeV(e, Rd, width, () => {
      elementAddress(e, Rn, IMM5, size)
      e.code.memory(loadSplat[size]!, STATE.V)
    })
  },
  text: (word, mnemonic) => {
    const size = sizeFrom(bitsOf(word, IMM5))
    const d = bitsOf(word, Rd)
    const to = bitsOf(word, SCALAR) ? scalarName(size, d) : vectorName(d, size, bitsOf(word, Q))
    return `${mnemonic} ${to}, ${indexText(word)}`
  },
  encodings: [
    ['DUP_asimdins_DV_v', '0x001110000xxxxx000001xxxxxxxxxx'],
    ['DUP_asisdone_only', '01011110000xxxxx000001xxxxxxxxxx'],
  ],
})

const duplicateGeneral = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [Q, SPLIT],
  unallocated: [noImm5, no1D],
  emit: (e) => {
    const size = sizeOf(e)
    writeV(e, Rd, e.fixed(Q) ? 128 : 64, () => {
      e.r(Rn, size === 3)
      e.code.op(splat[size])
    })
  },
  text: (word, mnemonic) => {
    const size = sizeFrom(bitsOf(word, IMM5))
    return `${mnemonic} ${vectorName(bitsOf(word, Rd), size, bitsOf(word, Q))}, ${general(word, 5, size === 3)}`
  },
  encodings: [['DUP_asimdins_DR_r', '0x001110000xxxxx000011xxxxxxxxxx']],
})

const insertText = (word: number): string => {
  const imm5 = bitsOf(word, IMM5)
  const size = sizeFrom(imm5)
  return `v${bitsOf(word, Rd)}.${element(size)}[${imm5 >> (size + 1)}]`
}

const insertElement = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [SPLIT],
  unallocated: [noImm5],
  emit: (e) => {
    const size = sizeOf(e)
    elementAddress(e, Rd, IMM5, size)
    elementAddress(e, Rn, IMM4, size)
    e.code.memory(load[size]!, STATE.V).memory(store[size]!, STATE.V)
  },
  text: (word, mnemonic) => {
    const size = sizeFrom(bitsOf(word, IMM5))
    return `${mnemonic} ${insertText(word)}, v${bitsOf(word, Rn)}.${element(size)}[${bitsOf(word, IMM4) >> size}]`
  },
  encodings: [['INS_asimdins_IV_v', '01101110000xxxxx0xxxx1xxxxxxxxxx']],
})

const insertGeneral = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [SPLIT],
  unallocated: [noImm5],
  emit: (e) => {
    const size = sizeOf(e)
    elementAddress(e, Rd, IMM5, size)
    e.r(Rn, size === 3)
    e.code.memory(store[size]!, STATE.V)
  },
  text: (word, mnemonic) => `${mnemonic} ${insertText(word)}, ${general(word, 5, sizeFrom(bitsOf(word, IMM5)) === 3)}`,
  encodings: [['INS_asimdins_IR_r', '01001110000xxxxx000111xxxxxxxxxx']],
})

const moveText = (word: number, mnemonic: string): string =>
  `${mnemonic} ${general(word, 0, bitsOf(word, Q) === 1)}, ${indexText(word)}`

const unsignedMove = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [SPLIT],
  emit: (e) => {
    const size = sizeOf(e)
    e.setR(Rd, size === 3, () => {
      elementAddress(e, Rn, IMM5, size)
      e.code.memory(load[size]!, STATE.V)
    })
  },
  text: moveText,
  encodings: [
    ['UMOV_asimdins_W_w', '00001110000xxxxx001111xxxxxxxxxx', [noImm5, bySize[3]!]],
    ['UMOV_asimdins_X_x', '01001110000x1000001111xxxxxxxxxx'],
  ],
})

const signedMove = group({
  fields: 'Q:30 op:29 imm5:20-16 imm4:14-11 Rn:9-5 Rd:4-0',
  fp: true,
  split: [SPLIT],
  unallocated: [noImm5, bySize[3]!],
  emit: (e) => {
    const size = sizeOf(e)
    const wide = e.fixed(Q)
    e.setR(Rd, wide, () => {
      elementAddress(e, Rn, IMM5, size)
      e.code.memory((wide ? loadSigned64 : loadSigned)[size]!, STATE.V)
    })
  },
  text: moveText,
  encodings: [
    ['SMOV_asimdins_W_w', '00001110000xxxxx001011xxxxxxxxxx', [bySize[2]!]],
    ['SMOV_asimdins_X_x', '01001110000xxxxx001011xxxxxxxxxx'],
  ],
})

export const rows: readonly Row[] = [
  duplicateElement,
  duplicateGeneral,
  insertElement,
  insertGeneral,
  unsignedMove,
  signedMove,
].flat()
