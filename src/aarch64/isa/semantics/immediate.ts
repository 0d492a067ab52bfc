/**
 * Data processing with immediates: add and subtract, logical, move wide, bitfield, extract, PC-relative addresses
 * (DDI 0487 C4.1, "Data Processing -- Immediate").
 */

import { MEMORY } from '../../state/state.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm6, imm12, imm16, op30, opc30, Rd, Rm, Rn, S29, sf } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { bitmaskImmediate, hex, signed, x, xsp } from '../text.ts'
import { pushAddFlags, pushLogicalFlags, pushSubFlags } from './flags.ts'

/** d = n + m or n - m, with flags when S: the tail of all add and subtract classes. `pushN` and `pushM` push operands of the width. */
export function addSubtract(e: Emitter, pushN: () => void, pushM: () => void, stackDestination: boolean): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const subtract = e.fixed(op30) === 1
  const type = wide ? i64 : i32
  const compute = () => {
    pushN()
    pushM()
    code.op(subtract ? type.sub : type.add)
  }
  if (e.fixed(S29) === 0) {
    if (stackDestination) e.setRsp(Rd, wide, compute)
    else e.setR(Rd, wide, compute)
    return
  }
  const name = wide ? 'i64' : 'i32'
  const a = code.local(name)
  const b = code.local(name)
  const result = code.local(name)
  pushN()
  code.tee(a)
  pushM()
  code.tee(b)
  code.op(subtract ? type.sub : type.add).set(result)
  e.setR(Rd, wide, () => code.get(result))
  e.setNzcv(() => (subtract ? pushSubFlags : pushAddFlags)(e, wide, a, b, result))
  code.release(a, b, result)
}

const sh: Field = [22, 22]

function addSubtractImmediate(e: Emitter): void {
  const wide = e.fixed(sf) === 1
  addSubtract(
    e,
    () => e.rsp(Rn, wide),
    () => {
      e.bits(imm12, e.fixed(sh) * 12)
      if (wide) e.code.op(i64.extend_i32_u)
    },
    true,
  )
}

const addSubtractImmediateRows = group({
  fields: 'sf:31 op:30 S:29 sh:22 imm12:21-10 Rn:9-5 Rd:4-0',
  split: [sh],
  emit: addSubtractImmediate,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const n = xsp(word, Rn, wide)
    const value = bitsOf(word, imm12)
    const amount = `#${hex(value)}${bitsOf(word, sh) ? ', lsl #12' : ''}`
    if (bitsOf(word, S29)) {
      if (bitsOf(word, Rd) === 31) return `${name === 'subs' ? 'cmp' : 'cmn'} ${n}, ${amount}`
      return `${name} ${x(word, Rd, wide)}, ${n}, ${amount}`
    }
    const d = xsp(word, Rd, wide)
    if (name === 'add' && value === 0 && (bitsOf(word, Rd) === 31 || bitsOf(word, Rn) === 31)) return `mov ${d}, ${n}`
    return `${name} ${d}, ${n}, ${amount}`
  },
  encodings: [
    ['ADD_32_addsub_imm', '000100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['ADD_64_addsub_imm', '100100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_32S_addsub_imm', '001100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['ADDS_64S_addsub_imm', '101100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_32_addsub_imm', '010100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['SUB_64_addsub_imm', '110100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_32S_addsub_imm', '011100010xxxxxxxxxxxxxxxxxxxxxxx'],
    ['SUBS_64S_addsub_imm', '111100010xxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const bitmaskField: Field = [22, 10]

function pushBitmask(e: Emitter, wide: boolean): void {
  const { code } = e
  const known = e.known(bitmaskField)
  if (known !== undefined) {
    const value = bitmaskImmediate(known >>> 12, (known >>> 6) & 63, known & 63) ?? 0n
    if (wide) code.i64(value)
    else code.i32(Number(BigInt.asIntN(32, value)))
  } else {
    e.bits(bitmaskField, 3)
    code.memory(wide ? i64.load : i32.load, MEMORY.bitmasks)
  }
}

function logicalImmediate(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const opc = e.fixed(opc30)
  const type = wide ? i64 : i32
  const compute = () => {
    e.r(Rn, wide)
    pushBitmask(e, wide)
    code.op(opc === 1 ? type.or : opc === 2 ? type.xor : type.and)
  }
  if (opc !== 3) {
    e.setRsp(Rd, wide, compute)
    return
  }
  const result = code.local(wide ? 'i64' : 'i32')
  compute()
  code.set(result)
  e.setR(Rd, wide, () => code.get(result))
  e.setNzcv(() => pushLogicalFlags(e, wide, result))
  code.release(result)
}

const logicalImmediateRows = group({
  fields: 'sf:31 opc:30-29 N:22 immr:21-16 imms:15-10 Rn:9-5 Rd:4-0',
  emit: logicalImmediate,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const value = bitmaskImmediate(bitsOf(word, [22, 22]), bitsOf(word, [21, 16]), bitsOf(word, imm6)) ?? 0n
    const amount = `#${hex(wide ? value : BigInt.asUintN(32, value))}`
    if (name === 'ands') {
      if (bitsOf(word, Rd) === 31) return `tst ${x(word, Rn, wide)}, ${amount}`
      return `ands ${x(word, Rd, wide)}, ${x(word, Rn, wide)}, ${amount}`
    }
    return `${name} ${xsp(word, Rd, wide)}, ${x(word, Rn, wide)}, ${amount}`
  },
  // An element of all ones is reserved (DecodeBitMasks): for each element size, S is all ones.
  unallocated: [
    'xxxxxxxxx1xxxxxx111111xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx011111xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx101111xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx110111xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx111011xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx111101xxxxxxxxxx',
    'xxxxxxxxx0xxxxxx11111xxxxxxxxxxx',
  ],
  encodings: [
    ['AND_32_log_imm', '0001001000xxxxxxxxxxxxxxxxxxxxxx'],
    ['AND_64_log_imm', '100100100xxxxxxxxxxxxxxxxxxxxxxx'],
    ['ORR_32_log_imm', '0011001000xxxxxxxxxxxxxxxxxxxxxx'],
    ['ORR_64_log_imm', '101100100xxxxxxxxxxxxxxxxxxxxxxx'],
    ['EOR_32_log_imm', '0101001000xxxxxxxxxxxxxxxxxxxxxx'],
    ['EOR_64_log_imm', '110100100xxxxxxxxxxxxxxxxxxxxxxx'],
    ['ANDS_32S_log_imm', '0111001000xxxxxxxxxxxxxxxxxxxxxx'],
    ['ANDS_64S_log_imm', '111100100xxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const hw: Field = [22, 21]

function moveWide(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const position = e.fixed(hw) * 16
  const opc = e.fixed(opc30)
  const type = wide ? i64 : i32
  const immediate = () => {
    if (!wide) e.bits(imm16, position)
    else {
      e.bits(imm16)
      code.op(i64.extend_i32_u)
      if (position > 0) code.i64(position).op(i64.shl)
    }
  }
  e.setR(Rd, wide, () => {
    if (opc === 3) {
      e.r(Rd, wide)
      const hole = BigInt.asIntN(64, ~(0xffffn << BigInt(position)))
      if (wide) code.i64(hole)
      else code.i32(Number(BigInt.asIntN(32, hole)))
      code.op(type.and)
    }
    immediate()
    if (opc === 3) code.op(type.or)
    if (opc === 0) {
      if (wide) code.i64(-1)
      else code.i32(-1)
      code.op(type.xor)
    }
  })
}

const moveWideRows = group({
  fields: 'sf:31 opc:30-29 hw:22-21 imm16:20-5 Rd:4-0',
  split: [hw],
  emit: moveWide,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const position = bitsOf(word, hw) * 16
    const value = bitsOf(word, imm16)
    const d = x(word, Rd, wide)
    if (name === 'movk' || (value === 0 && position !== 0))
      return `${name} ${d}, #${hex(value)}${position ? `, lsl #${position}` : ''}`
    const shiftedValue = BigInt(value) << BigInt(position)
    if (name === 'movz') return `mov ${d}, #${hex(shiftedValue)}`
    return `mov ${d}, #${hex(BigInt.asUintN(wide ? 64 : 32, ~shiftedValue))}`
  },
  encodings: [
    ['MOVN_32_movewide', '0001001010xxxxxxxxxxxxxxxxxxxxxx'],
    ['MOVN_64_movewide', '100100101xxxxxxxxxxxxxxxxxxxxxxx'],
    ['MOVZ_32_movewide', '0101001010xxxxxxxxxxxxxxxxxxxxxx'],
    ['MOVZ_64_movewide', '110100101xxxxxxxxxxxxxxxxxxxxxxx'],
    ['MOVK_32_movewide', '0111001010xxxxxxxxxxxxxxxxxxxxxx'],
    ['MOVK_64_movewide', '111100101xxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const immr: Field = [21, 16]
const imms: Field = [15, 10]

/**
 * All three are two shifts: left until bit `imms` is at the top, then right until it is where it belongs, which is
 * `immr - imms - 1` modulo the width both when the field moves down and when it moves up.
 */
function bitfield(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const opc = e.fixed(opc30)
  const type = wide ? i64 : i32
  const name = wide ? 'i64' : 'i32'
  const up = code.local(name)
  const down = code.local(name)
  const count = (local: number, push: () => void) => {
    push()
    if (wide) code.op(i64.extend_i32_u)
    code.set(local)
  }
  count(up, () => {
    code.i32(wide ? 63 : 31)
    e.bits(imms)
    code.op(i32.sub)
  })
  count(down, () => {
    e.bits(immr)
    e.bits(imms)
    code.op(i32.sub).i32(1).op(i32.sub)
    if (wide) code.i32(63).op(i32.and)
  })
  const move = (right: number) => {
    code.get(up).op(type.shl).get(down).op(right)
  }
  e.setR(Rd, wide, () => {
    e.r(Rn, wide)
    move(opc === 0 ? type.shr_s : type.shr_u)
    if (opc === 1) {
      if (wide) code.i64(-1)
      else code.i32(-1)
      move(type.shr_u)
      if (wide) code.i64(-1)
      else code.i32(-1)
      code.op(type.xor)
      e.r(Rd, wide)
      code.op(type.and, type.or)
    }
  })
  code.release(up, down)
}

const bitfieldRows = group({
  fields: 'sf:31 opc:30-29 N:22 immr:21-16 imms:15-10 Rn:9-5 Rd:4-0',
  emit: bitfield,
  text: (word, name) => {
    const wide = bitsOf(word, sf)
    const width = wide ? 64 : 32
    const r = bitsOf(word, immr)
    const s = bitsOf(word, imms)
    const registers = `${x(word, Rd, wide)}, ${x(word, Rn, wide)}`
    const narrow = `${x(word, Rd, wide)}, ${x(word, Rn, false)}`
    if (name !== 'bfm') {
      const letter = name === 'ubfm' ? 'u' : 's'
      if (s === width - 1) return `${name === 'ubfm' ? 'lsr' : 'asr'} ${registers}, #${r}`
      if (name === 'ubfm' && s + 1 === r) return `lsl ${registers}, #${width - r}`
      if (s < r) return `${letter}bfiz ${registers}, #${width - r}, #${s + 1}`
      if (r === 0 && s === 7 && !(wide && letter === 'u')) return `${letter}xtb ${narrow}`
      if (r === 0 && s === 15 && !(wide && letter === 'u')) return `${letter}xth ${narrow}`
      if (r === 0 && s === 31 && letter === 's') return `sxtw ${narrow}`
      return `${letter}bfx ${registers}, #${r}, #${s - r + 1}`
    }
    if (s < r) return `bfi ${registers}, #${width - r}, #${s + 1}`
    return `bfxil ${registers}, #${r}, #${s - r + 1}`
  },
  encodings: [
    [
      'SBFM_32M_bitfield',
      '0001001100xxxxxxxxxxxxxxxxxxxxxx',
      ['xxxxxxxxxx1xxxxxxxxxxxxxxxxxxxxx', 'xxxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx'],
    ],
    ['SBFM_64M_bitfield', '1001001101xxxxxxxxxxxxxxxxxxxxxx'],
    [
      'BFM_32M_bitfield',
      '0011001100xxxxxxxxxxxxxxxxxxxxxx',
      ['xxxxxxxxxx1xxxxxxxxxxxxxxxxxxxxx', 'xxxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx'],
    ],
    ['BFM_64M_bitfield', '1011001101xxxxxxxxxxxxxxxxxxxxxx'],
    [
      'UBFM_32M_bitfield',
      '0101001100xxxxxxxxxxxxxxxxxxxxxx',
      ['xxxxxxxxxx1xxxxxxxxxxxxxxxxxxxxx', 'xxxxxxxxxxxxxxxx1xxxxxxxxxxxxxxx'],
    ],
    ['UBFM_64M_bitfield', '1101001101xxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

function extract(e: Emitter): void {
  const { code } = e
  const wide = e.fixed(sf) === 1
  const type = wide ? i64 : i32
  const lsb = (invert: boolean) => {
    e.bits(imms)
    if (invert) code.i32(wide ? 63 : 31).op(i32.xor)
    if (wide) code.op(i64.extend_i32_u)
  }
  e.setR(Rd, wide, () => {
    e.r(Rm, wide)
    lsb(false)
    code.op(type.shr_u)
    e.r(Rn, wide)
    // Left by width - lsb, in two steps so that lsb 0 leaves nothing.
    if (wide) code.i64(1)
    else code.i32(1)
    code.op(type.shl)
    lsb(true)
    code.op(type.shl, type.or)
  })
}

const extractRows = group({
  fields: 'sf:31 op21:30-29 N:22 o0:21 Rm:20-16 imms:15-10 Rn:9-5 Rd:4-0',
  emit: extract,
  text: (word) => {
    const wide = bitsOf(word, sf)
    if (bitsOf(word, Rn) === bitsOf(word, Rm))
      return `ror ${x(word, Rd, wide)}, ${x(word, Rn, wide)}, #${bitsOf(word, imms)}`
    return `extr ${x(word, Rd, wide)}, ${x(word, Rn, wide)}, ${x(word, Rm, wide)}, #${bitsOf(word, imms)}`
  },
  encodings: [
    ['EXTR_32_extract', '00010011100xxxxx0xxxxxxxxxxxxxxx'],
    ['EXTR_64_extract', '10010011110xxxxxxxxxxxxxxxxxxxxx'],
  ],
})

const immhi: Field = [23, 5]
const immlo: Field = [30, 29]

function pcRelative(e: Emitter): void {
  const { code } = e
  const page = e.fixed(sf) === 1
  e.setX(Rd, () => {
    e.pc()
    if (page) code.i64(~0xfffn).op(i64.and)
    e.signedBits(immhi, 2)
    e.bits(immlo)
    code.op(i32.or, i64.extend_i32_s)
    if (page) code.i64(12).op(i64.shl)
    code.op(i64.add)
  })
}

const pcRelativeRows = group({
  fields: 'op:31 immlo:30-29 immhi:23-5 Rd:4-0',
  emit: pcRelative,
  text: (word, name, address) => {
    const offset = signed(word, immhi) * 4 + bitsOf(word, immlo)
    const from = name === 'adrp' ? address & ~0xfffn : address
    const distance = name === 'adrp' ? BigInt(offset) << 12n : BigInt(offset)
    return `${name} ${x(word, Rd, true)}, ${hex(BigInt.asUintN(64, from + distance))}`
  },
  encodings: [
    ['ADR_only_pcreladdr', '0xx10000xxxxxxxxxxxxxxxxxxxxxxxx'],
    ['ADRP_only_pcreladdr', '1xx10000xxxxxxxxxxxxxxxxxxxxxxxx'],
  ],
})

export const immediateRows: readonly Row[] = [
  ...addSubtractImmediateRows,
  ...logicalImmediateRows,
  ...moveWideRows,
  ...bitfieldRows,
  ...extractRows,
  ...pcRelativeRows,
]
