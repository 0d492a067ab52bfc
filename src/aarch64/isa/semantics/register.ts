/**
 * Data processing on registers: shifted, extended and carrying add and subtract, logical, conditional, one, two and three sources
 * (DDI 0487 C4.1, "Data Processing -- Register").
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { cond, imm6, op30, opc30, option, Ra, Rd, Rm, Rn, S29, sf, shiftType } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { conditionNames, extendNames, hex, shiftedRegister, x, xsp } from '../text.ts'
import { pushAddFlags, pushCarryFlags, pushLogicalFlags, pushSubFlags } from './flags.ts'
import { addSubtract } from './immediate.ts'
import { countLeadingSign, crc32, reverseBits32, reverseBits64, reverseBytes, smulh, umulh } from './library.ts'

/** Pushes Rm shifted by imm6, where the amount is not known to be 0. */
function pushShifted(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  e.r(Rm, wide)
  if (e.known(imm6) === 0) return
  e.bits(imm6)
  if (wide) code.op(i64.extend_i32_u)
  code.op([type.shl, type.shr_u, type.shr_s, type.rotr][e.fixed(shiftType)]!)
}

/** A shift by 0 is by far the most frequent: it gets a handler without the shift. */
const unshifted = ['xxxxxxxx00xxxxxx000000xxxxxxxxxx']
/** imm6<5> must be 0 in the 32-bit forms. */
const wideShift = ['0xxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx']

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

const three = (word: number, name: string): string => {
  const wide = bitsOf(word, sf)
  return `${name} ${x(word, Rd, wide)}, ${x(word, Rn, wide)}, ${x(word, Rm, wide)}`
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

const N21: Field = [21, 21]

function logicalShifted(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const opc = e.fixed(opc30)
  const type = wide ? i64 : i32
  const compute = () => {
    e.r(Rn, wide)
    pushShifted(e)
    if (e.fixed(N21)) {
      if (wide) code.i64(-1)
      else code.i32(-1)
      code.op(type.xor)
    }
    code.op(opc === 1 ? type.or : opc === 2 ? type.xor : type.and)
  }
  if (opc !== 3) {
    e.setR(Rd, wide, compute)
    return
  }
  const result = code.local(wide ? 'i64' : 'i32')
  compute()
  code.set(result)
  e.setR(Rd, wide, () => code.get(result))
  e.setNzcv(() => pushLogicalFlags(e, wide, result))
  code.release(result)
}

const logicalShiftedRows = group({
  fields: 'sf:31 opc:30-29 shift:23-22 N:21 Rm:20-16 imm6:15-10 Rn:9-5 Rd:4-0',
  split: [shiftType],
  variants: unshifted,
  unallocated: wideShift,
  emit: logicalShifted,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const m = shiftedRegister(word, wide)
    const d = x(word, Rd, wide)
    const zero = bitsOf(word, Rn) === 31
    if (name === 'orr' && zero && bitsOf(word, imm6) === 0 && bitsOf(word, shiftType) === 0) return `mov ${d}, ${m}`
    if (name === 'orn' && zero) return `mvn ${d}, ${m}`
    if (name === 'ands' && bitsOf(word, Rd) === 31) return `tst ${x(word, Rn, wide)}, ${m}`
    return `${name} ${d}, ${x(word, Rn, wide)}, ${m}`
  },
  encodings: [
    ['AND_32_log_shift', '00001010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['AND_64_log_shift', '10001010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ANDS_32_log_shift', '01101010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ANDS_64_log_shift', '11101010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['BIC_32_log_shift', '00001010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['BIC_64_log_shift', '10001010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['BICS_32_log_shift', '01101010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['BICS_64_log_shift', '11101010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['EON_32_log_shift', '01001010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['EON_64_log_shift', '11001010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['EOR_32_log_shift', '01001010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['EOR_64_log_shift', '11001010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ORN_32_log_shift', '00101010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['ORN_64_log_shift', '10101010xx1xxxxxxxxxxxxxxxxxxxxx'],
    ['ORR_32_log_shift', '00101010xx0xxxxxxxxxxxxxxxxxxxxx'],
    ['ORR_64_log_shift', '10101010xx0xxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const imm5: Field = [20, 16]
const nzcvField: Field = [3, 0]
const immediateForm: Field = [11, 11]

function conditionalCompare(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const name = wide ? 'i64' : 'i32'
  const a = code.local(name)
  const b = code.local(name)
  const result = code.local(name)
  const flags = code.local('i32')
  e.condition(cond)
  code.if()
  e.r(Rn, wide)
  code.tee(a)
  if (e.fixed(immediateForm)) {
    e.bits(imm5)
    if (wide) code.op(i64.extend_i32_u)
  } else e.r(Rm, wide)
  code.tee(b)
  const subtract = e.fixed(op30) === 1
  code.op(subtract ? type.sub : type.add).set(result)
  ;(subtract ? pushSubFlags : pushAddFlags)(e, wide, a, b, result)
  code.set(flags).else()
  e.bits(nzcvField)
  code.set(flags).end()
  e.setNzcv(() => code.get(flags))
  code.release(a, b, result, flags)
}

const conditionalCompareRows = group({
  fields: 'sf:31 op:30 S:29 Rm:20-16 cond:15-12 o2:10 Rn:9-5 o3:4 nzcv:3-0',
  emit: conditionalCompare,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const second = bitsOf(word, immediateForm) ? `#${hex(bitsOf(word, imm5))}` : x(word, Rm, wide)
    return `${name} ${x(word, Rn, wide)}, ${second}, #${hex(bitsOf(word, nzcvField))}, ${conditionNames[bitsOf(word, cond)]}`
  },
  encodings: [
    ['CCMN_32_condcmp_imm', '00111010010xxxxxxxxx10xxxxx0xxxx'],
    ['CCMN_64_condcmp_imm', '10111010010xxxxxxxxx10xxxxx0xxxx'],
    ['CCMP_32_condcmp_imm', '01111010010xxxxxxxxx10xxxxx0xxxx'],
    ['CCMP_64_condcmp_imm', '11111010010xxxxxxxxx10xxxxx0xxxx'],
    ['CCMN_32_condcmp_reg', '00111010010xxxxxxxxx00xxxxx0xxxx'],
    ['CCMN_64_condcmp_reg', '10111010010xxxxxxxxx00xxxxx0xxxx'],
    ['CCMP_32_condcmp_reg', '01111010010xxxxxxxxx00xxxxx0xxxx'],
    ['CCMP_64_condcmp_reg', '11111010010xxxxxxxxx00xxxxx0xxxx'],
  ],
})

const o2: Field = [10, 10]

function conditionalSelect(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const constant = (value: number) => {
    if (wide) code.i64(value)
    else code.i32(value)
  }
  e.setR(Rd, wide, () => {
    e.r(Rn, wide)
    const invert = e.fixed(op30) === 1
    const increment = e.fixed(o2) === 1
    if (invert && increment) constant(0)
    e.r(Rm, wide)
    if (invert && increment) code.op(type.sub)
    else if (invert) {
      constant(-1)
      code.op(type.xor)
    } else if (increment) {
      constant(1)
      code.op(type.add)
    }
    e.condition(cond)
    code.select()
  })
}

const conditionalSelectRows = group({
  fields: 'sf:31 op:30 S:29 Rm:20-16 cond:15-12 o2:10 Rn:9-5 Rd:4-0',
  emit: conditionalSelect,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const condition = bitsOf(word, cond)
    const inverse = conditionNames[condition ^ 1]
    const n = bitsOf(word, Rn)
    const d = x(word, Rd, wide)
    if (n === bitsOf(word, Rm) && condition < 14 && name !== 'csel') {
      if (n === 31 && name === 'csinc') return `cset ${d}, ${inverse}`
      if (n === 31 && name === 'csinv') return `csetm ${d}, ${inverse}`
      const alias = name === 'csinc' ? 'cinc' : name === 'csinv' ? 'cinv' : 'cneg'
      if (n !== 31 || alias === 'cneg') return `${alias} ${d}, ${x(word, Rn, wide)}, ${inverse}`
    }
    return `${name} ${d}, ${x(word, Rn, wide)}, ${x(word, Rm, wide)}, ${conditionNames[condition]}`
  },
  encodings: [
    ['CSEL_32_condsel', '00011010100xxxxxxxxx00xxxxxxxxxx'],
    ['CSEL_64_condsel', '10011010100xxxxxxxxx00xxxxxxxxxx'],
    ['CSINC_32_condsel', '00011010100xxxxxxxxx01xxxxxxxxxx'],
    ['CSINC_64_condsel', '10011010100xxxxxxxxx01xxxxxxxxxx'],
    ['CSINV_32_condsel', '01011010100xxxxxxxxx00xxxxxxxxxx'],
    ['CSINV_64_condsel', '11011010100xxxxxxxxx00xxxxxxxxxx'],
    ['CSNEG_32_condsel', '01011010100xxxxxxxxx01xxxxxxxxxx'],
    ['CSNEG_64_condsel', '11011010100xxxxxxxxx01xxxxxxxxxx'],
  ],
})

const opcode15: Field = [15, 10]

function oneSource(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const opcode = e.fixed(opcode15)
  e.setR(Rd, wide, () => {
    e.r(Rn, wide)
    if (opcode === 0) e.call(wide ? reverseBits64 : reverseBits32)
    else if (opcode < 4) {
      if (!wide) code.op(i64.extend_i32_u)
      // The container is 16, 32 or 64 bits.
      e.call(reverseBytes(opcode === 1 ? 2 : opcode === 2 ? 4 : 8))
      if (!wide) code.op(i32.wrap_i64)
    } else if (opcode === 4) code.op(wide ? i64.clz : i32.clz)
    else {
      if (!wide) code.op(i64.extend_i32_s)
      e.call(countLeadingSign)
      if (!wide) code.i64(32).op(i64.sub, i32.wrap_i64)
    }
  })
}

const oneSourceRows = group({
  fields: 'sf:31 S:29 opcode2:20-16 opcode:15-10 Rn:9-5 Rd:4-0',
  emit: oneSource,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    return `${name} ${x(word, Rd, wide)}, ${x(word, Rn, wide)}`
  },
  encodings: [
    ['CLS_32_dp_1src', '0101101011000000000101xxxxxxxxxx'],
    ['CLS_64_dp_1src', '1101101011000000000101xxxxxxxxxx'],
    ['CLZ_32_dp_1src', '0101101011000000000100xxxxxxxxxx'],
    ['CLZ_64_dp_1src', '1101101011000000000100xxxxxxxxxx'],
    ['RBIT_32_dp_1src', '0101101011000000000000xxxxxxxxxx'],
    ['RBIT_64_dp_1src', '1101101011000000000000xxxxxxxxxx'],
    ['REV_32_dp_1src', '0101101011000000000010xxxxxxxxxx'],
    ['REV_64_dp_1src', '1101101011000000000011xxxxxxxxxx'],
    ['REV16_32_dp_1src', '0101101011000000000001xxxxxxxxxx'],
    ['REV16_64_dp_1src', '1101101011000000000001xxxxxxxxxx'],
    ['REV32_64_dp_1src', '1101101011000000000010xxxxxxxxxx'],
  ],
})

function twoSource(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const opcode = e.fixed(opcode15)
  const name = wide ? 'i64' : 'i32'
  const constant = (value: number) => {
    if (wide) code.i64(value)
    else code.i32(value)
  }
  if (opcode >= 8) {
    e.setR(Rd, wide, () => {
      e.r(Rn, wide)
      e.r(Rm, wide)
      // wasm takes the amount modulo the width, as A64 does.
      code.op([type.shl, type.shr_u, type.shr_s, type.rotr][opcode - 8]!)
    })
    return
  }
  const a = code.local(name)
  const b = code.local(name)
  const quotient = () =>
    code
      .get(a)
      .get(b)
      .op(opcode === 2 ? type.div_u : type.div_s)
  e.r(Rn, wide)
  code.set(a)
  e.r(Rm, wide)
  code.set(b)
  e.setR(Rd, wide, () => {
    code.get(b).op(type.eqz).if(name)
    constant(0)
    code.else()
    if (opcode === 2) quotient()
    else {
      // The quotient of the most negative number by -1 overflows in wasm; in A64 it wraps.
      code.get(b)
      constant(-1)
      code.op(type.eq).if(name)
      constant(0)
      code.get(a).op(type.sub).else()
      quotient()
      code.end()
    }
    code.end()
  })
  code.release(a, b)
}

const twoSourceRows = group({
  fields: 'sf:31 S:29 Rm:20-16 opcode:15-10 Rn:9-5 Rd:4-0',
  emit: twoSource,
  text: (word, name) =>
    three(word, name.endsWith('v') && name !== 'sdiv' && name !== 'udiv' ? name.slice(0, -1) : name),
  encodings: [
    ['ASRV_32_dp_2src', '00011010110xxxxx001010xxxxxxxxxx'],
    ['ASRV_64_dp_2src', '10011010110xxxxx001010xxxxxxxxxx'],
    ['LSLV_32_dp_2src', '00011010110xxxxx001000xxxxxxxxxx'],
    ['LSLV_64_dp_2src', '10011010110xxxxx001000xxxxxxxxxx'],
    ['LSRV_32_dp_2src', '00011010110xxxxx001001xxxxxxxxxx'],
    ['LSRV_64_dp_2src', '10011010110xxxxx001001xxxxxxxxxx'],
    ['RORV_32_dp_2src', '00011010110xxxxx001011xxxxxxxxxx'],
    ['RORV_64_dp_2src', '10011010110xxxxx001011xxxxxxxxxx'],
    ['SDIV_32_dp_2src', '00011010110xxxxx000011xxxxxxxxxx'],
    ['SDIV_64_dp_2src', '10011010110xxxxx000011xxxxxxxxxx'],
    ['UDIV_32_dp_2src', '00011010110xxxxx000010xxxxxxxxxx'],
    ['UDIV_64_dp_2src', '10011010110xxxxx000010xxxxxxxxxx'],
  ],
})

const C12: Field = [12, 12]
const sz: Field = [11, 10]

function checksum(e: Emitter): void {
  const { code } = e
  const size = e.fixed(sz)
  e.setW(Rd, () => {
    e.w(Rn)
    e.x(Rm)
    code.i32(1 << size)
    e.call(crc32(e.fixed(C12) === 1))
  })
}

const checksumRows = group({
  fields: 'sf:31 S:29 Rm:20-16 C:12 sz:11-10 Rn:9-5 Rd:4-0',
  feature: 'FEAT_CRC32',
  emit: checksum,
  text: (word, name) => `${name} ${x(word, Rd, false)}, ${x(word, Rn, false)}, ${x(word, Rm, bitsOf(word, sf))}`,
  encodings: [
    ['CRC32B_32C_dp_2src', '00011010110xxxxx010000xxxxxxxxxx'],
    ['CRC32H_32C_dp_2src', '00011010110xxxxx010001xxxxxxxxxx'],
    ['CRC32W_32C_dp_2src', '00011010110xxxxx010010xxxxxxxxxx'],
    ['CRC32X_64C_dp_2src', '10011010110xxxxx010011xxxxxxxxxx'],
    ['CRC32CB_32C_dp_2src', '00011010110xxxxx010100xxxxxxxxxx'],
    ['CRC32CH_32C_dp_2src', '00011010110xxxxx010101xxxxxxxxxx'],
    ['CRC32CW_32C_dp_2src', '00011010110xxxxx010110xxxxxxxxxx'],
    ['CRC32CX_64C_dp_2src', '10011010110xxxxx010111xxxxxxxxxx'],
  ],
})

const op31: Field = [23, 21]
const o0: Field = [15, 15]

function threeSource(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const kind = e.fixed(op31)
  if (kind === 2 || kind === 6) {
    e.setX(Rd, () => {
      e.x(Rn)
      e.x(Rm)
      e.call(kind === 2 ? smulh : umulh)
    })
    return
  }
  e.setR(Rd, wide, () => {
    e.r(Ra, wide)
    for (const field of [Rn, Rm]) {
      if (kind === 0) e.r(field, wide)
      else {
        e.w(field)
        code.op(kind === 1 ? i64.extend_i32_s : i64.extend_i32_u)
      }
    }
    code.op(type.mul, e.fixed(o0) ? type.sub : type.add)
  })
}

const threeSourceRows = group({
  fields: 'sf:31 op54:30-29 op31:23-21 Rm:20-16 o0:15 Ra:14-10 Rn:9-5 Rd:4-0',
  emit: threeSource,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const kind = bitsOf(word, op31)
    const operands = `${x(word, Rd, wide)}, ${x(word, Rn, wide && (kind & 3) !== 1)}, ${x(word, Rm, wide && (kind & 3) !== 1)}`
    if ((kind & 3) === 2) return `${name} ${operands}`
    if (bitsOf(word, Ra) === 31) {
      const alias: Record<string, string> = {
        madd: 'mul',
        msub: 'mneg',
        smaddl: 'smull',
        smsubl: 'smnegl',
        umaddl: 'umull',
        umsubl: 'umnegl',
      }
      return `${alias[name] ?? name} ${operands}`
    }
    return `${name} ${operands}, ${x(word, Ra, wide)}`
  },
  encodings: [
    ['MADD_32A_dp_3src', '00011011000xxxxx0xxxxxxxxxxxxxxx'],
    ['MADD_64A_dp_3src', '10011011000xxxxx0xxxxxxxxxxxxxxx'],
    ['MSUB_32A_dp_3src', '00011011000xxxxx1xxxxxxxxxxxxxxx'],
    ['MSUB_64A_dp_3src', '10011011000xxxxx1xxxxxxxxxxxxxxx'],
    ['SMADDL_64WA_dp_3src', '10011011001xxxxx0xxxxxxxxxxxxxxx'],
    ['SMSUBL_64WA_dp_3src', '10011011001xxxxx1xxxxxxxxxxxxxxx'],
    ['SMULH_64_dp_3src', '10011011010xxxxx011111xxxxxxxxxx'],
    ['UMADDL_64WA_dp_3src', '10011011101xxxxx0xxxxxxxxxxxxxxx'],
    ['UMSUBL_64WA_dp_3src', '10011011101xxxxx1xxxxxxxxxxxxxxx'],
    ['UMULH_64_dp_3src', '10011011110xxxxx011111xxxxxxxxxx'],
  ],
})

export const registerRows: readonly Row[] = [
  ...addSubtractShiftedRows,
  ...addSubtractExtendedRows,
  ...addSubtractCarryRows,
  ...logicalShiftedRows,
  ...conditionalCompareRows,
  ...conditionalSelectRows,
  ...oneSourceRows,
  ...twoSourceRows,
  ...checksumRows,
  ...threeSourceRows,
]
