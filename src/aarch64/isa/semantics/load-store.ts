/**
 * Loads and stores of one or two registers, general or SIMD&FP, in every addressing mode (DDI 0487 C4.1, "Loads and Stores").
 * Exclusives, ordered accesses, atomics and structures are elsewhere.
 */

import { i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm7, imm9, imm12, imm19, option, Rm, Rn, Rt, Rt2 } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { extendNames, signed, spName, target, x, xName } from '../text.ts'
import { pushSigned, pushUnsigned, singleTransfer, type Transfer, transferRegisters } from './memory.ts'

const size: Field = [31, 30]
const VR: Field = [26, 26]
const opc: Field = [23, 22]
const S12: Field = [12, 12]
const index: Field = [11, 10]

function single(e: Emitter): Transfer {
  return singleTransfer(e.fixed(size), e.fixed(VR) === 1, e.fixed(opc))
}

function transferOf(word: number): Transfer {
  return singleTransfer(bitsOf(word, size), bitsOf(word, VR) === 1, bitsOf(word, opc))
}

const prefetchNames = ['pldl1keep', 'pldl1strm', 'pldl2keep', 'pldl2strm', 'pldl3keep', 'pldl3strm']

/** The register operand of a load or store. */
function register(word: number, transfer: Transfer, field: Field): string {
  const n = bitsOf(word, field)
  if (transfer.kind === 'prefetch') {
    const kind = ['pld', 'pli', 'pst'][n >>> 3]
    const level = (n >>> 1) & 3
    return kind && level < 3 ? `${kind}${(prefetchNames[(level << 1) | (n & 1)] ?? '').slice(3)}` : `#${n}`
  }
  if (transfer.vector) return `${'bhsdq'[transfer.log2]}${n}`
  const wide = transfer.log2 === 3 || (transfer.signed && !transfer.narrow)
  return xName(n, wide)
}

function baseName(word: number): string {
  return spName(bitsOf(word, Rn), true)
}

/** Base plus an unsigned, scaled immediate. */
const positive = {
  fields: 'size:31-30 VR:26 opc:23-22 imm12:21-10 Rn:9-5 Rt:4-0',
  emit: (e: Emitter) => {
    const transfer = single(e)
    if (transfer.kind === 'prefetch') return
    const { code } = e
    const address = code.local('i64')
    e.base(Rn)
    pushUnsigned(e, imm12, transfer.log2)
    code.op(i64.add).set(address)
    transferRegisters(e, transfer, address, [Rt])
    code.release(address)
  },
  text: (word: number, name: string) => {
    const transfer = transferOf(word)
    const offset = bitsOf(word, imm12) << transfer.log2
    return `${name} ${register(word, transfer, Rt)}, [${baseName(word)}${offset ? `, #${offset}` : ''}]`
  },
}

/** Base plus or minus a byte offset: unscaled, unprivileged, pre- and post-indexed, told apart by bits 11:10. */
const nineBits = {
  fields: 'size:31-30 VR:26 opc:23-22 imm9:20-12 Rn:9-5 Rt:4-0',
  emit: (e: Emitter) => {
    const transfer = single(e)
    if (transfer.kind === 'prefetch') return
    const { code } = e
    const mode = e.fixed(index)
    const address = code.local('i64')
    const writeback = code.local('i64')
    e.base(Rn)
    code.tee(address)
    pushSigned(e, imm9, 0)
    code.op(i64.add).set(writeback)
    transferRegisters(e, transfer, mode === 1 ? address : writeback, [Rt], { unprivileged: mode === 2 })
    if (mode & 1) e.setXsp(Rn, () => code.get(writeback))
    code.release(address, writeback)
  },
  text: (word: number, name: string) => {
    const transfer = transferOf(word)
    const offset = signed(word, imm9)
    const mode = bitsOf(word, index)
    const r = register(word, transfer, Rt)
    if (mode === 1) return `${name} ${r}, [${baseName(word)}], #${offset}`
    if (mode === 3) return `${name} ${r}, [${baseName(word)}, #${offset}]!`
    return `${name} ${r}, [${baseName(word)}${offset ? `, #${offset}` : ''}]`
  },
}

/** Pushes Rm extended by `option` and shifted by the size when S is set, as i64. */
function pushOffsetRegister(e: Emitter, log2: number): void {
  const { code } = e
  const kind = e.fixed(option)
  if (kind === 2 || kind === 6) {
    e.w(Rm)
    code.op(kind === 2 ? i64.extend_i32_u : i64.extend_i32_s)
  } else e.x(Rm)
  if (e.fixed(S12) && log2 > 0) code.i64(log2).op(i64.shl)
}

const registerOffset = {
  fields: 'size:31-30 VR:26 opc:23-22 Rm:20-16 option:15-13 S:12 Rn:9-5 Rt:4-0',
  split: [option, S12],
  // option<1> == 0 would extend a byte or a halfword.
  unallocated: ['xxxxxxxxxxxxxxxxx0xxxxxxxxxxxxxx'],
  emit: (e: Emitter) => {
    const transfer = single(e)
    if (transfer.kind === 'prefetch') return
    const { code } = e
    const address = code.local('i64')
    e.base(Rn)
    pushOffsetRegister(e, transfer.log2)
    code.op(i64.add).set(address)
    transferRegisters(e, transfer, address, [Rt])
    code.release(address)
  },
  text: (word: number, name: string) => {
    const transfer = transferOf(word)
    const kind = bitsOf(word, option)
    const scaled = bitsOf(word, S12)
    const extend =
      kind === 3
        ? scaled
          ? `, lsl #${transfer.log2}`
          : ''
        : `, ${extendNames[kind]}${scaled ? ` #${transfer.log2}` : ''}`
    return `${name} ${register(word, transfer, Rt)}, [${baseName(word)}, ${x(word, Rm, kind & 1)}${extend}]`
  },
}

const literalOpc: Field = [31, 30]

function literalTransfer(opcValue: number, vector: boolean): Transfer {
  if (vector) return { kind: 'load', log2: opcValue + 2, signed: false, narrow: false, vector }
  if (opcValue === 3) return { kind: 'prefetch', log2: 3, signed: false, narrow: false, vector }
  return { kind: 'load', log2: opcValue === 1 ? 3 : 2, signed: opcValue === 2, narrow: false, vector }
}

const literal = {
  fields: 'opc:31-30 VR:26 imm19:23-5 Rt:4-0',
  emit: (e: Emitter) => {
    const transfer = literalTransfer(e.fixed(literalOpc), e.fixed(VR) === 1)
    if (transfer.kind === 'prefetch') return
    const { code } = e
    const address = code.local('i64')
    e.pc()
    pushSigned(e, imm19, 2)
    code.op(i64.add).set(address)
    transferRegisters(e, transfer, address, [Rt])
    code.release(address)
  },
  text: (word: number, name: string, address: bigint) =>
    `${name} ${register(word, literalTransfer(bitsOf(word, literalOpc), bitsOf(word, VR) === 1), Rt)}, ${target(address, signed(word, imm19) * 4)}`,
}

const L22: Field = [22, 22]
const pairMode: Field = [25, 23]

function pairTransfer(opcValue: number, vector: boolean, load: boolean): Transfer {
  const kind = load ? 'load' : 'store'
  if (vector) return { kind, log2: opcValue + 2, signed: false, narrow: false, vector }
  return { kind, log2: opcValue & 2 ? 3 : 2, signed: opcValue === 1, narrow: false, vector }
}

/** Pairs: no-allocate, post-indexed, offset and pre-indexed, told apart by bits 25:23. */
const pair = {
  fields: 'opc:31-30 VR:26 L:22 imm7:21-15 Rt2:14-10 Rn:9-5 Rt:4-0',
  emit: (e: Emitter) => {
    const transfer = pairTransfer(e.fixed(size), e.fixed(VR) === 1, e.fixed(L22) === 1)
    const { code } = e
    const mode = e.fixed(pairMode)
    const address = code.local('i64')
    const moved = code.local('i64')
    e.base(Rn)
    code.tee(address)
    pushSigned(e, imm7, transfer.log2)
    code.op(i64.add).set(moved)
    transferRegisters(e, transfer, mode === 1 ? address : moved, [Rt, Rt2])
    if (mode & 1) e.setXsp(Rn, () => code.get(moved))
    code.release(address, moved)
  },
  text: (word: number, name: string) => {
    const transfer = pairTransfer(bitsOf(word, size), bitsOf(word, VR) === 1, bitsOf(word, L22) === 1)
    const offset = signed(word, imm7) * (1 << transfer.log2)
    const mode = bitsOf(word, pairMode)
    const registers = `${register(word, transfer, Rt)}, ${register(word, transfer, Rt2)}`
    if (mode === 1) return `${name} ${registers}, [${baseName(word)}], #${offset}`
    if (mode === 3) return `${name} ${registers}, [${baseName(word)}, #${offset}]!`
    return `${name} ${registers}, [${baseName(word)}${offset ? `, #${offset}` : ''}]`
  },
}

const general = [
  ...group({
    ...positive,
    encodings: [
      ['LDR_32_ldst_pos', '1011100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_64_ldst_pos', '1111100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRB_32_ldst_pos', '0011100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRH_32_ldst_pos', '0111100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSB_32_ldst_pos', '0011100111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSB_64_ldst_pos', '0011100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSH_32_ldst_pos', '0111100111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSH_64_ldst_pos', '0111100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSW_64_ldst_pos', '1011100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['PRFM_P_ldst_pos', '1111100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_32_ldst_pos', '1011100100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_64_ldst_pos', '1111100100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STRB_32_ldst_pos', '0011100100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STRH_32_ldst_pos', '0111100100xxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
  ...group({
    ...nineBits,
    encodings: [
      ['LDR_32_ldst_immpost', '10111000010xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_64_ldst_immpost', '11111000010xxxxxxxxx01xxxxxxxxxx'],
      ['LDRB_32_ldst_immpost', '00111000010xxxxxxxxx01xxxxxxxxxx'],
      ['LDRH_32_ldst_immpost', '01111000010xxxxxxxxx01xxxxxxxxxx'],
      ['LDRSB_32_ldst_immpost', '00111000110xxxxxxxxx01xxxxxxxxxx'],
      ['LDRSB_64_ldst_immpost', '00111000100xxxxxxxxx01xxxxxxxxxx'],
      ['LDRSH_32_ldst_immpost', '01111000110xxxxxxxxx01xxxxxxxxxx'],
      ['LDRSH_64_ldst_immpost', '01111000100xxxxxxxxx01xxxxxxxxxx'],
      ['LDRSW_64_ldst_immpost', '10111000100xxxxxxxxx01xxxxxxxxxx'],
      ['STR_32_ldst_immpost', '10111000000xxxxxxxxx01xxxxxxxxxx'],
      ['STR_64_ldst_immpost', '11111000000xxxxxxxxx01xxxxxxxxxx'],
      ['STRB_32_ldst_immpost', '00111000000xxxxxxxxx01xxxxxxxxxx'],
      ['STRH_32_ldst_immpost', '01111000000xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_32_ldst_immpre', '10111000010xxxxxxxxx11xxxxxxxxxx'],
      ['LDR_64_ldst_immpre', '11111000010xxxxxxxxx11xxxxxxxxxx'],
      ['LDRB_32_ldst_immpre', '00111000010xxxxxxxxx11xxxxxxxxxx'],
      ['LDRH_32_ldst_immpre', '01111000010xxxxxxxxx11xxxxxxxxxx'],
      ['LDRSB_32_ldst_immpre', '00111000110xxxxxxxxx11xxxxxxxxxx'],
      ['LDRSB_64_ldst_immpre', '00111000100xxxxxxxxx11xxxxxxxxxx'],
      ['LDRSH_32_ldst_immpre', '01111000110xxxxxxxxx11xxxxxxxxxx'],
      ['LDRSH_64_ldst_immpre', '01111000100xxxxxxxxx11xxxxxxxxxx'],
      ['LDRSW_64_ldst_immpre', '10111000100xxxxxxxxx11xxxxxxxxxx'],
      ['STR_32_ldst_immpre', '10111000000xxxxxxxxx11xxxxxxxxxx'],
      ['STR_64_ldst_immpre', '11111000000xxxxxxxxx11xxxxxxxxxx'],
      ['STRB_32_ldst_immpre', '00111000000xxxxxxxxx11xxxxxxxxxx'],
      ['STRH_32_ldst_immpre', '01111000000xxxxxxxxx11xxxxxxxxxx'],
      ['LDTR_32_ldst_unpriv', '10111000010xxxxxxxxx10xxxxxxxxxx'],
      ['LDTR_64_ldst_unpriv', '11111000010xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRB_32_ldst_unpriv', '00111000010xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRH_32_ldst_unpriv', '01111000010xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRSB_32_ldst_unpriv', '00111000110xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRSB_64_ldst_unpriv', '00111000100xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRSH_32_ldst_unpriv', '01111000110xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRSH_64_ldst_unpriv', '01111000100xxxxxxxxx10xxxxxxxxxx'],
      ['LDTRSW_64_ldst_unpriv', '10111000100xxxxxxxxx10xxxxxxxxxx'],
      ['STTR_32_ldst_unpriv', '10111000000xxxxxxxxx10xxxxxxxxxx'],
      ['STTR_64_ldst_unpriv', '11111000000xxxxxxxxx10xxxxxxxxxx'],
      ['STTRB_32_ldst_unpriv', '00111000000xxxxxxxxx10xxxxxxxxxx'],
      ['STTRH_32_ldst_unpriv', '01111000000xxxxxxxxx10xxxxxxxxxx'],
      ['LDUR_32_ldst_unscaled', '10111000010xxxxxxxxx00xxxxxxxxxx'],
      ['LDUR_64_ldst_unscaled', '11111000010xxxxxxxxx00xxxxxxxxxx'],
      ['LDURB_32_ldst_unscaled', '00111000010xxxxxxxxx00xxxxxxxxxx'],
      ['LDURH_32_ldst_unscaled', '01111000010xxxxxxxxx00xxxxxxxxxx'],
      ['LDURSB_32_ldst_unscaled', '00111000110xxxxxxxxx00xxxxxxxxxx'],
      ['LDURSB_64_ldst_unscaled', '00111000100xxxxxxxxx00xxxxxxxxxx'],
      ['LDURSH_32_ldst_unscaled', '01111000110xxxxxxxxx00xxxxxxxxxx'],
      ['LDURSH_64_ldst_unscaled', '01111000100xxxxxxxxx00xxxxxxxxxx'],
      ['LDURSW_64_ldst_unscaled', '10111000100xxxxxxxxx00xxxxxxxxxx'],
      ['PRFUM_P_ldst_unscaled', '11111000100xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_32_ldst_unscaled', '10111000000xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_64_ldst_unscaled', '11111000000xxxxxxxxx00xxxxxxxxxx'],
      ['STURB_32_ldst_unscaled', '00111000000xxxxxxxxx00xxxxxxxxxx'],
      ['STURH_32_ldst_unscaled', '01111000000xxxxxxxxx00xxxxxxxxxx'],
    ],
  }),
  ...group({
    ...registerOffset,
    encodings: [
      ['LDR_32_ldst_regoff', '10111000011xxxxxxxxx10xxxxxxxxxx'],
      ['LDR_64_ldst_regoff', '11111000011xxxxxxxxx10xxxxxxxxxx'],
      ['LDRB_32B_ldst_regoff', '00111000011xxxxxxxxx10xxxxxxxxxx'],
      ['LDRB_32BL_ldst_regoff', '00111000011xxxxx011x10xxxxxxxxxx'],
      ['LDRH_32_ldst_regoff', '01111000011xxxxxxxxx10xxxxxxxxxx'],
      ['LDRSB_32B_ldst_regoff', '00111000111xxxxxxxxx10xxxxxxxxxx'],
      ['LDRSB_32BL_ldst_regoff', '00111000111xxxxx011x10xxxxxxxxxx'],
      ['LDRSB_64B_ldst_regoff', '00111000101xxxxxxxxx10xxxxxxxxxx'],
      ['LDRSB_64BL_ldst_regoff', '00111000101xxxxx011x10xxxxxxxxxx'],
      ['LDRSH_32_ldst_regoff', '01111000111xxxxxxxxx10xxxxxxxxxx'],
      ['LDRSH_64_ldst_regoff', '01111000101xxxxxxxxx10xxxxxxxxxx'],
      ['LDRSW_64_ldst_regoff', '10111000101xxxxxxxxx10xxxxxxxxxx'],
      ['PRFM_P_ldst_regoff', '11111000101xxxxxx1xx10xxxxxxxxxx'],
      ['STR_32_ldst_regoff', '10111000001xxxxxxxxx10xxxxxxxxxx'],
      ['STR_64_ldst_regoff', '11111000001xxxxxxxxx10xxxxxxxxxx'],
      ['STRB_32B_ldst_regoff', '00111000001xxxxxxxxx10xxxxxxxxxx'],
      ['STRB_32BL_ldst_regoff', '00111000001xxxxx011x10xxxxxxxxxx'],
      ['STRH_32_ldst_regoff', '01111000001xxxxxxxxx10xxxxxxxxxx'],
    ],
  }),
  ...group({
    ...literal,
    encodings: [
      ['LDR_32_loadlit', '00011000xxxxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_64_loadlit', '01011000xxxxxxxxxxxxxxxxxxxxxxxx'],
      ['LDRSW_64_loadlit', '10011000xxxxxxxxxxxxxxxxxxxxxxxx'],
      ['PRFM_P_loadlit', '11011000xxxxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
  ...group({
    ...pair,
    encodings: [
      ['LDNP_32_ldstnapair_offs', '0010100001xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDNP_64_ldstnapair_offs', '1010100001xxxxxxxxxxxxxxxxxxxxxx'],
      ['STNP_32_ldstnapair_offs', '0010100000xxxxxxxxxxxxxxxxxxxxxx'],
      ['STNP_64_ldstnapair_offs', '1010100000xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_32_ldstpair_post', '0010100011xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_64_ldstpair_post', '1010100011xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDPSW_64_ldstpair_post', '0110100011xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_32_ldstpair_post', '0010100010xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_64_ldstpair_post', '1010100010xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_32_ldstpair_pre', '0010100111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_64_ldstpair_pre', '1010100111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDPSW_64_ldstpair_pre', '0110100111xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_32_ldstpair_pre', '0010100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_64_ldstpair_pre', '1010100110xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_32_ldstpair_off', '0010100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_64_ldstpair_off', '1010100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDPSW_64_ldstpair_off', '0110100101xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_32_ldstpair_off', '0010100100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_64_ldstpair_off', '1010100100xxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
]

const vector = [
  ...group({
    ...positive,
    fp: true,
    encodings: [
      ['LDR_B_ldst_pos', '0011110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_H_ldst_pos', '0111110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_S_ldst_pos', '1011110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_D_ldst_pos', '1111110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_Q_ldst_pos', '0011110111xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_B_ldst_pos', '0011110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_H_ldst_pos', '0111110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_S_ldst_pos', '1011110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_D_ldst_pos', '1111110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STR_Q_ldst_pos', '0011110110xxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
  ...group({
    ...nineBits,
    fp: true,
    encodings: [
      ['LDR_B_ldst_immpost', '00111100010xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_H_ldst_immpost', '01111100010xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_S_ldst_immpost', '10111100010xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_D_ldst_immpost', '11111100010xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_Q_ldst_immpost', '00111100110xxxxxxxxx01xxxxxxxxxx'],
      ['STR_B_ldst_immpost', '00111100000xxxxxxxxx01xxxxxxxxxx'],
      ['STR_H_ldst_immpost', '01111100000xxxxxxxxx01xxxxxxxxxx'],
      ['STR_S_ldst_immpost', '10111100000xxxxxxxxx01xxxxxxxxxx'],
      ['STR_D_ldst_immpost', '11111100000xxxxxxxxx01xxxxxxxxxx'],
      ['STR_Q_ldst_immpost', '00111100100xxxxxxxxx01xxxxxxxxxx'],
      ['LDR_B_ldst_immpre', '00111100010xxxxxxxxx11xxxxxxxxxx'],
      ['LDR_H_ldst_immpre', '01111100010xxxxxxxxx11xxxxxxxxxx'],
      ['LDR_S_ldst_immpre', '10111100010xxxxxxxxx11xxxxxxxxxx'],
      ['LDR_D_ldst_immpre', '11111100010xxxxxxxxx11xxxxxxxxxx'],
      ['LDR_Q_ldst_immpre', '00111100110xxxxxxxxx11xxxxxxxxxx'],
      ['STR_B_ldst_immpre', '00111100000xxxxxxxxx11xxxxxxxxxx'],
      ['STR_H_ldst_immpre', '01111100000xxxxxxxxx11xxxxxxxxxx'],
      ['STR_S_ldst_immpre', '10111100000xxxxxxxxx11xxxxxxxxxx'],
      ['STR_D_ldst_immpre', '11111100000xxxxxxxxx11xxxxxxxxxx'],
      ['STR_Q_ldst_immpre', '00111100100xxxxxxxxx11xxxxxxxxxx'],
      ['LDUR_B_ldst_unscaled', '00111100010xxxxxxxxx00xxxxxxxxxx'],
      ['LDUR_H_ldst_unscaled', '01111100010xxxxxxxxx00xxxxxxxxxx'],
      ['LDUR_S_ldst_unscaled', '10111100010xxxxxxxxx00xxxxxxxxxx'],
      ['LDUR_D_ldst_unscaled', '11111100010xxxxxxxxx00xxxxxxxxxx'],
      ['LDUR_Q_ldst_unscaled', '00111100110xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_B_ldst_unscaled', '00111100000xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_H_ldst_unscaled', '01111100000xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_S_ldst_unscaled', '10111100000xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_D_ldst_unscaled', '11111100000xxxxxxxxx00xxxxxxxxxx'],
      ['STUR_Q_ldst_unscaled', '00111100100xxxxxxxxx00xxxxxxxxxx'],
    ],
  }),
  ...group({
    ...registerOffset,
    fp: true,
    encodings: [
      ['LDR_B_ldst_regoff', '00111100011xxxxxxxxx10xxxxxxxxxx'],
      ['LDR_BL_ldst_regoff', '00111100011xxxxx011x10xxxxxxxxxx'],
      ['LDR_H_ldst_regoff', '01111100011xxxxxxxxx10xxxxxxxxxx'],
      ['LDR_S_ldst_regoff', '10111100011xxxxxxxxx10xxxxxxxxxx'],
      ['LDR_D_ldst_regoff', '11111100011xxxxxxxxx10xxxxxxxxxx'],
      ['LDR_Q_ldst_regoff', '00111100111xxxxxxxxx10xxxxxxxxxx'],
      ['STR_B_ldst_regoff', '00111100001xxxxxxxxx10xxxxxxxxxx'],
      ['STR_BL_ldst_regoff', '00111100001xxxxx011x10xxxxxxxxxx'],
      ['STR_H_ldst_regoff', '01111100001xxxxxxxxx10xxxxxxxxxx'],
      ['STR_S_ldst_regoff', '10111100001xxxxxxxxx10xxxxxxxxxx'],
      ['STR_D_ldst_regoff', '11111100001xxxxxxxxx10xxxxxxxxxx'],
      ['STR_Q_ldst_regoff', '00111100101xxxxxxxxx10xxxxxxxxxx'],
    ],
  }),
  ...group({
    ...literal,
    fp: true,
    encodings: [
      ['LDR_S_loadlit', '00011100xxxxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_D_loadlit', '01011100xxxxxxxxxxxxxxxxxxxxxxxx'],
      ['LDR_Q_loadlit', '10011100xxxxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
  ...group({
    ...pair,
    fp: true,
    encodings: [
      ['LDNP_S_ldstnapair_offs', '0010110001xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDNP_D_ldstnapair_offs', '0110110001xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDNP_Q_ldstnapair_offs', '1010110001xxxxxxxxxxxxxxxxxxxxxx'],
      ['STNP_S_ldstnapair_offs', '0010110000xxxxxxxxxxxxxxxxxxxxxx'],
      ['STNP_D_ldstnapair_offs', '0110110000xxxxxxxxxxxxxxxxxxxxxx'],
      ['STNP_Q_ldstnapair_offs', '1010110000xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_S_ldstpair_post', '0010110011xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_D_ldstpair_post', '0110110011xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_Q_ldstpair_post', '1010110011xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_S_ldstpair_post', '0010110010xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_D_ldstpair_post', '0110110010xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_Q_ldstpair_post', '1010110010xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_S_ldstpair_pre', '0010110111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_D_ldstpair_pre', '0110110111xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_Q_ldstpair_pre', '1010110111xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_S_ldstpair_pre', '0010110110xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_D_ldstpair_pre', '0110110110xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_Q_ldstpair_pre', '1010110110xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_S_ldstpair_off', '0010110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_D_ldstpair_off', '0110110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['LDP_Q_ldstpair_off', '1010110101xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_S_ldstpair_off', '0010110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_D_ldstpair_off', '0110110100xxxxxxxxxxxxxxxxxxxxxx'],
      ['STP_Q_ldstpair_off', '1010110100xxxxxxxxxxxxxxxxxxxxxx'],
    ],
  }),
]

export const loadStoreRows: readonly Row[] = [...general, ...vector]
