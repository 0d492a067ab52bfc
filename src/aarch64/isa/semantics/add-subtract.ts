/**
 * Additions and subtractions of registers: shifted, extended, and with carry (DDI 0487 C4.1, "Data Processing -- Register").
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { op30, option, Rd, Rm, Rn, S29, sf, shiftType } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { extendNames, shiftedRegister, three, x, xsp } from '../text.ts'
import { pushCarryFlags } from './flags.ts'
import { addSubtract } from './immediate.ts'
import { pushShifted, unshifted, wideShift } from './shifted.ts'

const addSubtractShiftedRows = group({
  fields: 'sf:31 op:30 S:29 shift:23-22 Rm:20-16 imm6:15-10 Rn:9-5 Rd:4-0',
  split: [shiftType],
  variants: unshifted,
  unallocated: ['xxxxxxxx11xxxxxxxxxxxxxxxxxxxxxx', ...wideShift],
  emit: (e) => {
    const wide = e.fixed(sf) === 1
    addSubtract(
      e,
      () => e.r(Rn, wide),
      () => pushShifted(e),
      false,
    )
  },
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const m = shiftedRegister(word, wide)
    const n = x(word, Rn, wide)
    const d = x(word, Rd, wide)
    if (name === 'subs' && bitsOf(word, Rd) === 31) return `cmp ${n}, ${m}`
    if (name === 'adds' && bitsOf(word, Rd) === 31) return `cmn ${n}, ${m}`
    if (name.startsWith('sub') && bitsOf(word, Rn) === 31) return `neg${name.slice(3)} ${d}, ${m}`
    return `${name} ${d}, ${n}, ${m}`
  },
  encodings: [
    ['ADD_32_addsub_shift', '00001011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ADD_64_addsub_shift', '10001011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_32_addsub_shift', '00101011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_64_addsub_shift', '10101011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_32_addsub_shift', '01001011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_64_addsub_shift', '11001011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_32_addsub_shift', '01101011xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_64_addsub_shift', '11101011xx0xxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const imm3: Field = [12, 10]

/** Pushes Rm extended by `option` and shifted left by imm3 (ExtendReg). */
function pushExtended(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const kind = e.fixed(option)
  if (wide) {
    e.x(Rm)
    if (kind === 0) code.i64(0xff).op(i64.and)
    else if (kind === 1) code.i64(0xffff).op(i64.and)
    else if (kind === 2) code.i64(0xffffffffn).op(i64.and)
    else if (kind === 4) code.op(i64.extend8_s)
    else if (kind === 5) code.op(i64.extend16_s)
    else if (kind === 6) code.op(i64.extend32_s)
    e.bits(imm3)
    code.op(i64.extend_i32_u, i64.shl)
  } else {
    e.w(Rm)
    if (kind === 0) code.i32(0xff).op(i32.and)
    else if (kind === 1) code.i32(0xffff).op(i32.and)
    else if (kind === 4) code.op(i32.extend8_s)
    else if (kind === 5) code.op(i32.extend16_s)
    e.bits(imm3)
    code.op(i32.shl)
  }
}

const addSubtractExtendedRows = group({
  fields: 'sf:31 op:30 S:29 opt:23-22 Rm:20-16 option:15-13 imm3:12-10 Rn:9-5 Rd:4-0',
  split: [option],
  unallocated: [
    'xxxxxxxx1xxxxxxxxxxxxxxxxxxxxxxx',
    'xxxxxxxxx1xxxxxxxxxxxxxxxxxxxxxx',
    'xxxxxxxxxxxxxxxxxxx101xxxxxxxxxx',
    'xxxxxxxxxxxxxxxxxxx11xxxxxxxxxxx',
  ],
  emit: (e) => {
    const wide = e.fixed(sf) === 1
    addSubtract(
      e,
      () => e.rsp(Rn, wide),
      () => pushExtended(e),
      true,
    )
  },
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const kind = bitsOf(word, option)
    const amount = bitsOf(word, imm3)
    const m = x(word, Rm, wide && (kind & 3) === 3)
    const plain =
      kind === (wide ? 3 : 2) && (bitsOf(word, Rn) === 31 || (bitsOf(word, Rd) === 31 && !bitsOf(word, S29)))
    const extend = plain ? (amount ? `, lsl #${amount}` : '') : `, ${extendNames[kind]}${amount ? ` #${amount}` : ''}`
    const n = xsp(word, Rn, wide)
    if (bitsOf(word, S29)) {
      if (bitsOf(word, Rd) === 31) return `${name === 'subs' ? 'cmp' : 'cmn'} ${n}, ${m}${extend}`
      return `${name} ${x(word, Rd, wide)}, ${n}, ${m}${extend}`
    }
    return `${name} ${xsp(word, Rd, wide)}, ${n}, ${m}${extend}`
  },
  encodings: [
    ['ADD_32_addsub_ext', '00001011001xxxxxxxxxxxxxxxxxxxxx'],
    ['ADD_64_addsub_ext', '10001011001xxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_32S_addsub_ext', '00101011001xxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_64S_addsub_ext', '10101011001xxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_32_addsub_ext', '01001011001xxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_64_addsub_ext', '11001011001xxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_32S_addsub_ext', '01101011001xxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_64S_addsub_ext', '11101011001xxxxxxxxxxxxxxxxxxxxx'],
  ],
})

function addSubtractCarry(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const name = wide ? 'i64' : 'i32'
  const a = code.local(name)
  const b = code.local(name)
  const result = code.local(name)
  const carry = code.local('i32')
  e.r(Rn, wide)
  code.set(a)
  e.r(Rm, wide)
  if (e.fixed(op30)) {
    if (wide) code.i64(-1)
    else code.i32(-1)
    code.op(type.xor)
  }
  code.set(b)
  e.nzcv()
  code.i32(1).op(i32.shr_u).i32(1).op(i32.and).set(carry)
  code.get(a).get(b).op(type.add).get(carry)
  if (wide) code.op(i64.extend_i32_u)
  code.op(type.add).set(result)
  e.setR(Rd, wide, () => code.get(result))
  if (e.fixed(S29)) e.setNzcv(() => pushCarryFlags(e, wide, a, b, carry, result))
  code.release(a, b, result, carry)
}

const addSubtractCarryRows = group({
  fields: 'sf:31 op:30 S:29 Rm:20-16 Rn:9-5 Rd:4-0',
  emit: addSubtractCarry,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    if (name.startsWith('sbc') && bitsOf(word, Rn) === 31)
      return `ngc${name.slice(3)} ${x(word, Rd, wide)}, ${x(word, Rm, wide)}`
    return three(word, name)
  },
  encodings: [
    ['ADC_32_addsub_carry', '00011010000xxxxx000000xxxxxxxxxx'],
    ['ADC_64_addsub_carry', '10011010000xxxxx000000xxxxxxxxxx'],
    ['ADCS_32_addsub_carry', '00111010000xxxxx000000xxxxxxxxxx'],
    ['ADCS_64_addsub_carry', '10111010000xxxxx000000xxxxxxxxxx'],
    ['SBC_32_addsub_carry', '01011010000xxxxx000000xxxxxxxxxx'],
    ['SBC_64_addsub_carry', '11011010000xxxxx000000xxxxxxxxxx'],
    ['SBCS_32_addsub_carry', '01111010000xxxxx000000xxxxxxxxxx'],
    ['SBCS_64_addsub_carry', '11111010000xxxxx000000xxxxxxxxxx'],
  ],
})

export const addSubtractRows: readonly Row[] = [
  ...addSubtractShiftedRows,
  ...addSubtractExtendedRows,
  ...addSubtractCarryRows,
]
