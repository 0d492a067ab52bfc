/**
 * Data processing with one, two and three sources: bits and bytes turned round and counted, divisions, shifts, checksums, products
 * (DDI 0487 C4.1, "Data Processing -- Register").
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { Ra, Rd, Rm, Rn, sf } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { three, x } from '../text.ts'
import { countLeadingSign, crc32, reverseBits32, reverseBits64, reverseBytes, smulh, umulh } from './library.ts'

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

export const sourceRows: readonly Row[] = [...oneSourceRows, ...twoSourceRows, ...checksumRows, ...threeSourceRows]
