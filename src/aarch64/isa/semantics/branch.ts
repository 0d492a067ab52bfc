/**
 * Branches: conditional, immediate, register, compare and test (DDI 0487 C4.1, "Branches, Exception Generating and System instructions").
 * ERET is here too, since it is encoded with the register branches; what it does is the exception model's business.
 */

import { EFFECT } from '../../state/host.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm19, Rn, Rt, sf } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { conditionNames, signed, target, x } from '../text.ts'

const branchCondition: Field = [3, 0]
const imm26: Field = [25, 0]
const imm14: Field = [18, 5]
const op24: Field = [24, 24]
const b5: Field = [31, 31]
const b40: Field = [23, 19]
const linkBit: Field = [31, 31]

function link(e: Emitter): void {
  e.setRegister(30, () => {
    e.pc()
    e.code.i64(4).op(i64.add)
  })
}

const conditionalRows = group({
  fields: 'imm19:23-5 o0:4 cond:3-0',
  emit: (e) =>
    e.jumpRelative(
      () => e.signedBits(imm19, 2),
      () => e.condition(branchCondition),
    ),
  text: (word, _name, address) =>
    `b.${conditionNames[bitsOf(word, branchCondition)]} ${target(address, signed(word, imm19) * 4)}`,
  encodings: [['B_only_condbranch', '01010100xxxxxxxxxxxxxxxxxxx0xxxx']],
})

const immediateBranchRows = group({
  fields: 'op:31 imm26:25-0',
  emit: (e) => {
    if (e.fixed(linkBit)) link(e)
    e.jumpRelative(() => e.signedBits(imm26, 2))
  },
  text: (word, name, address) => `${name} ${target(address, signed(word, imm26) * 4)}`,
  encodings: [
    ['B_only_branch_imm', '000101xxxxxxxxxxxxxxxxxxxxxxxxxx'],
    ['BL_only_branch_imm', '100101xxxxxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const compareRows = group({
  fields: 'sf:31 op:24 imm19:23-5 Rt:4-0',
  emit: (e) =>
    e.jumpRelative(
      () => e.signedBits(imm19, 2),
      () => {
        const wide = e.fixed(sf) === 1
        e.r(Rt, wide)
        e.code.op(wide ? i64.eqz : i32.eqz)
        if (e.fixed(op24)) e.code.op(i32.eqz)
      },
    ),
  text: (word, name, address) =>
    `${name} ${x(word, Rt, bitsOf(word, sf))}, ${target(address, signed(word, imm19) * 4)}`,
  encodings: [
    ['CBNZ_32_compbranch', '00110101xxxxxxxxxxxxxxxxxxxxxxxx'],
    ['CBNZ_64_compbranch', '10110101xxxxxxxxxxxxxxxxxxxxxxxx'],
    ['CBZ_32_compbranch', '00110100xxxxxxxxxxxxxxxxxxxxxxxx'],
    ['CBZ_64_compbranch', '10110100xxxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const testRows = group({
  fields: 'b5:31 op:24 b40:23-19 imm14:18-5 Rt:4-0',
  split: [b5],
  emit: (e) =>
    e.jumpRelative(
      () => e.signedBits(imm14, 2),
      () => {
        const { code } = e
        // b5 says which word of the register holds the bit.
        e.x(Rt)
        if (e.fixed(b5)) code.i64(32).op(i64.shr_u)
        code.op(i32.wrap_i64)
        e.bits(b40)
        code.op(i32.shr_u).i32(1).op(i32.and)
        if (e.fixed(op24) === 0) code.i32(1).op(i32.xor)
      },
    ),
  text: (word, name, address) => {
    const bit = bitsOf(word, b5) * 32 + bitsOf(word, b40)
    return `${name} ${x(word, Rt, bit > 31)}, #${bit}, ${target(address, signed(word, imm14) * 4)}`
  },
  encodings: [
    ['TBNZ_only_testbranch', 'x0110111xxxxxxxxxxxxxxxxxxxxxxxx'],
    ['TBZ_only_testbranch', 'x0110110xxxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const operation: Field = [22, 21]

const registerBranchRows = group({
  fields: 'Z:24 op:22-21 op2:20-16 A:11 M:10 Rn:9-5 Rm:4-0',
  emit: (e) => {
    const { code } = e
    const goal = code.local('i64')
    // The target is read before X30 changes: BLR X30 is allowed.
    e.x(Rn)
    code.set(goal)
    if (e.fixed(operation) === 1) link(e)
    e.jump(() => code.get(goal))
    code.release(goal)
  },
  text: (word, name) => (name === 'ret' && bitsOf(word, Rn) === 30 ? 'ret' : `${name} ${x(word, Rn, true)}`),
  encodings: [
    ['BLR_64_branch_reg', '1101011000111111000000xxxxx00000'],
    ['BR_64_branch_reg', '1101011000011111000000xxxxx00000'],
    ['RET_64R_branch_reg', '1101011001011111000000xxxxx00000'],
  ],
})

const eretRows = group({
  fields: 'opc:24-21 op2:20-16 A:11 M:10 Rn:9-5 op4:4-0',
  emit: (e) => e.effect(EFFECT.eret),
  text: () => 'eret',
  encodings: [['ERET_64E_branch_reg', '11010110100111110000001111100000']],
})

/** DRPS is UNDEFINED outside Debug state, and there is no Debug state here. */
const drpsRows = group({
  fields: 'opc:24-21 op2:20-16 op3:15-10 Rn:9-5 op4:4-0',
  emit: (e) => e.undefined(),
  text: () => 'drps',
  encodings: [['DRPS_64E_branch_reg', '11010110101111110000001111100000']],
})

export const branchRows: readonly Row[] = [
  ...conditionalRows,
  ...immediateBranchRows,
  ...compareRows,
  ...testRows,
  ...registerBranchRows,
  ...eretRows,
  ...drpsRows,
]
