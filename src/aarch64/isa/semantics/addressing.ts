/**
 * The addressing modes of loads and stores of one or two registers, each with what is transferred and how it is written (DDI 0487 C4.1,
 * "Loads and Stores"). Which instructions have them is in `load-store.ts`.
 */

import { i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm7, imm9, imm12, imm19, option, Rm, Rn, Rt, Rt2 } from '../fields.ts'
import { bitsOf } from '../row.ts'
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
export const positive = {
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
export const nineBits = {
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

export const registerOffset = {
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

export const literal = {
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
export const pair = {
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
