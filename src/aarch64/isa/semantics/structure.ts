/**
 * Loads and stores of SIMD structures: LD1 to LD4, ST1 to ST4 of whole registers and of one lane, and the replicating loads
 * (DDI 0487 C4.1, "Advanced SIMD load/store multiple structures" and "single structure").
 */

import { STATE } from '../../state/state.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { Rm, Rn, Rt } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { spName, xName } from '../text.ts'
import { loadUnsigned, sizes, storeOpcodes } from './memory.ts'

const Q: Field = [30, 30]
const L: Field = [22, 22]
const post: Field = [23, 23]
const opcode: Field = [15, 12]
const size: Field = [11, 10]

/** By opcode: how many registers, and how many of them one structure spans. */
const shapes: Readonly<Record<number, readonly [registers: number, elements: number]>> = {
  0: [4, 4],
  2: [4, 1],
  4: [3, 3],
  6: [3, 1],
  7: [1, 1],
  8: [2, 2],
  10: [2, 1],
}

const movers = new Map<string, LibraryFunction>()

/** (cpu, Rt): moves elements between STATE.SCRATCH, where structures lie as in memory, and the registers from Vt on. */
function mover(structure: number, log2: number, wide: boolean, load: boolean): LibraryFunction {
  const name = `${load ? 'deinterleave' : 'interleave'}${structure}_${8 << log2}_${wide ? 128 : 64}`
  let found = movers.get(name)
  if (!found) {
    found = {
      name,
      parameters: ['i32', 'i32'],
      results: [],
      body: (code) => {
        const lanes = (wide ? 16 : 8) >>> log2
        for (let register = 0; register < structure; register++) {
          const vector = code.local('i32')
          code.get(0).get(1).i32(register).op(i32.add).i32(31).op(i32.and).i32(4).op(i32.shl, i32.add).set(vector)
          for (let lane = 0; lane < lanes; lane++) {
            const memory = STATE.SCRATCH + ((lane * structure + register) << log2)
            const inRegister = STATE.V + (lane << log2)
            code.get(load ? vector : 0)
            code.get(load ? 0 : vector).memory(loadUnsigned[log2]!, load ? memory : inRegister)
            code.memory(storeOpcodes[log2]!, load ? inRegister : memory)
          }
          if (load && !wide)
            code
              .get(vector)
              .i64(0)
              .memory(i64.store, STATE.V + 8)
          code.release(vector)
        }
      },
    }
    movers.set(name, found)
  }
  return found
}

/** Xn or SP plus the bytes moved, or plus Xm. */
function writeBack(e: Emitter, address: number, bytes: number): void {
  if (e.fixed(post) === 0) return
  e.setXsp(Rn, () => {
    e.code.get(address)
    if (e.known(Rm) === 31) e.code.i64(bytes)
    else e.x(Rm)
    e.code.op(i64.add)
  })
}

function multiple(e: Emitter): void {
  const { code } = e
  const [registers, structure] = shapes[e.fixed(opcode)]!
  const wide = e.fixed(Q) === 1
  const log2 = e.fixed(size)
  const load = e.fixed(L) === 1
  const perRegister = wide ? 2 : 1
  const address = code.local('i64')
  const locals = Array.from({ length: registers * perRegister }, () => code.local('i64'))
  const options = { alignment: 1 << log2 }
  e.base(Rn)
  code.set(address)
  if (load) {
    e.loads({ bytes: 8, opcode: i64.load }, address, locals, options)
    if (structure === 1) {
      for (let register = 0; register < registers; register++) {
        e.vAddress(Rt, register)
        code.get(locals[register * perRegister]!).memory(i64.store, STATE.V)
        e.vAddress(Rt, register)
        if (wide) code.get(locals[register * 2 + 1]!)
        else code.i64(0)
        code.memory(i64.store, STATE.V + 8)
      }
    } else {
      for (const [index, local] of locals.entries())
        e.setState(i64.store, STATE.SCRATCH + 8 * index, () => code.get(local))
      e.cpu()
      e.bits(Rt)
      e.call(mover(structure, log2, wide, true))
    }
  } else {
    if (structure === 1) {
      for (let register = 0; register < registers; register++) {
        for (let part = 0; part < perRegister; part++) {
          e.vAddress(Rt, register)
          code.memory(i64.load, STATE.V + 8 * part).set(locals[register * perRegister + part]!)
        }
      }
    } else {
      e.cpu()
      e.bits(Rt)
      e.call(mover(structure, log2, wide, false))
      for (const [index, local] of locals.entries()) {
        e.state(i64.load, STATE.SCRATCH + 8 * index)
        code.set(local)
      }
    }
    e.stores({ bytes: 8, opcode: i64.store }, address, locals, options)
  }
  writeBack(e, address, 8 * locals.length)
  code.release(address, ...locals)
}

function list(word: number, count: number, suffix: string): string {
  const first = bitsOf(word, Rt)
  return `{${Array.from({ length: count }, (_, index) => `v${(first + index) & 31}.${suffix}`).join(', ')}}`
}

function addressText(word: number, bytes: number): string {
  const base = `[${spName(bitsOf(word, Rn), true)}]`
  if (bitsOf(word, post) === 0) return base
  const m = bitsOf(word, Rm)
  return `${base}, ${m === 31 ? `#${bytes}` : xName(m, true)}`
}

const arrangement = (word: number): string => {
  const log2 = bitsOf(word, size)
  return `${(bitsOf(word, Q) ? 16 : 8) >>> log2}${'bhsd'[log2]}`
}

const multipleRows = group({
  fields: 'Q:30 L:22 Rm:20-16 opcode:15-12 size:11-10 Rn:9-5 Rt:4-0',
  split: [Q, size],
  fp: true,
  emit: multiple,
  text: (word, name) => {
    const [registers] = shapes[bitsOf(word, opcode)]!
    return `${name} ${list(word, registers, arrangement(word))}, ${addressText(word, registers * (bitsOf(word, Q) ? 16 : 8))}`
  },
  encodings: [
    ['LD1_asisdlse_R1_1v', '0x001100010000000111xxxxxxxxxxxx'],
    ['ST1_asisdlse_R1_1v', '0x001100000000000111xxxxxxxxxxxx'],
    ['LD1_asisdlse_R2_2v', '0x001100010000001010xxxxxxxxxxxx'],
    ['ST1_asisdlse_R2_2v', '0x001100000000001010xxxxxxxxxxxx'],
    ['LD1_asisdlse_R3_3v', '0x001100010000000110xxxxxxxxxxxx'],
    ['ST1_asisdlse_R3_3v', '0x001100000000000110xxxxxxxxxxxx'],
    ['LD1_asisdlse_R4_4v', '0x001100010000000010xxxxxxxxxxxx'],
    ['ST1_asisdlse_R4_4v', '0x001100000000000010xxxxxxxxxxxx'],
    ['LD1_asisdlsep_I1_i1', '0x001100110111110111xxxxxxxxxxxx'],
    ['ST1_asisdlsep_I1_i1', '0x001100100111110111xxxxxxxxxxxx'],
    ['LD1_asisdlsep_R1_r1', '0x001100110xxxxx0111xxxxxxxxxxxx'],
    ['ST1_asisdlsep_R1_r1', '0x001100100xxxxx0111xxxxxxxxxxxx'],
    ['LD1_asisdlsep_I2_i2', '0x001100110111111010xxxxxxxxxxxx'],
    ['ST1_asisdlsep_I2_i2', '0x001100100111111010xxxxxxxxxxxx'],
    ['LD1_asisdlsep_R2_r2', '0x001100110xxxxx1010xxxxxxxxxxxx'],
    ['ST1_asisdlsep_R2_r2', '0x001100100xxxxx1010xxxxxxxxxxxx'],
    ['LD1_asisdlsep_I3_i3', '0x001100110111110110xxxxxxxxxxxx'],
    ['ST1_asisdlsep_I3_i3', '0x001100100111110110xxxxxxxxxxxx'],
    ['LD1_asisdlsep_R3_r3', '0x001100110xxxxx0110xxxxxxxxxxxx'],
    ['ST1_asisdlsep_R3_r3', '0x001100100xxxxx0110xxxxxxxxxxxx'],
    ['LD1_asisdlsep_I4_i4', '0x001100110111110010xxxxxxxxxxxx'],
    ['ST1_asisdlsep_I4_i4', '0x001100100111110010xxxxxxxxxxxx'],
    ['LD1_asisdlsep_R4_r4', '0x001100110xxxxx0010xxxxxxxxxxxx'],
    ['ST1_asisdlsep_R4_r4', '0x001100100xxxxx0010xxxxxxxxxxxx'],
    ['LD2_asisdlse_R2', '0x001100010000001000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST2_asisdlse_R2', '0x001100000000001000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD2_asisdlsep_I2_i', '0x001100110111111000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST2_asisdlsep_I2_i', '0x001100100111111000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD2_asisdlsep_R2_r', '0x001100110xxxxx1000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST2_asisdlsep_R2_r', '0x001100100xxxxx1000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD3_asisdlse_R3', '0x001100010000000100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST3_asisdlse_R3', '0x001100000000000100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD3_asisdlsep_I3_i', '0x001100110111110100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST3_asisdlsep_I3_i', '0x001100100111110100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD3_asisdlsep_R3_r', '0x001100110xxxxx0100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST3_asisdlsep_R3_r', '0x001100100xxxxx0100xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD4_asisdlse_R4', '0x001100010000000000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST4_asisdlse_R4', '0x001100000000000000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD4_asisdlsep_I4_i', '0x001100110111110000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST4_asisdlsep_I4_i', '0x001100100111110000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['LD4_asisdlsep_R4_r', '0x001100110xxxxx0000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
    ['ST4_asisdlsep_R4_r', '0x001100100xxxxx0000xxxxxxxxxxxx', ['x0xxxxxxxxxxxxxxxxxx11xxxxxxxxxx']],
  ],
})

const R: Field = [21, 21]
const scale: Field = [15, 14]
const opcodeLow: Field = [13, 13]
const lane: Field = [12, 10]

function lanes(word: (field: Field) => number): { structure: number; log2: number } {
  const kind = word(scale)
  return { structure: ((word(opcodeLow) << 1) | word(R)) + 1, log2: kind === 2 && word([10, 10]) ? 3 : kind }
}

function singleLane(e: Emitter): void {
  const { code } = e
  const { structure, log2 } = lanes((field) => e.fixed(field))
  const bytes = sizes[log2]!
  const address = code.local('i64')
  const locals = Array.from({ length: structure }, () => code.local('i64'))
  // Q:S:size is the offset in bytes; for elements above a byte its low bits are fixed by the encoding.
  const offset = code.local('i32')
  e.bits(Q, 3)
  if (log2 < 3) {
    e.bits(lane)
    code.op(i32.or)
  }
  code.set(offset)
  e.base(Rn)
  code.set(address)
  const at = (register: number) => {
    e.vAddress(Rt, register)
    code.get(offset).op(i32.add)
  }
  if (e.fixed(L)) {
    e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, locals)
    for (const [register, local] of locals.entries()) {
      at(register)
      code.get(local).memory(storeOpcodes[log2]!, STATE.V)
    }
  } else {
    for (const [register, local] of locals.entries()) {
      at(register)
      code.memory(loadUnsigned[log2]!, STATE.V).set(local)
    }
    e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, locals)
  }
  writeBack(e, address, structure * bytes)
  code.release(address, offset, ...locals)
}

const singleRows = group({
  fields: 'Q:30 L:22 R:21 Rm:20-16 opcode:15-13 S:12 size:11-10 Rn:9-5 Rt:4-0',
  fp: true,
  emit: singleLane,
  text: (word, name) => {
    const { structure, log2 } = lanes((field) => bitsOf(word, field))
    const index = ((bitsOf(word, Q) << 3) | (log2 < 3 ? bitsOf(word, lane) : 0)) >>> log2
    return `${name} ${list(word, structure, 'bhsd'[log2]!)}[${index}], ${addressText(word, structure << log2)}`
  },
  encodings: [
    ['LD1_asisdlso_B1_1b', '0x00110101000000000xxxxxxxxxxxxx'],
    ['ST1_asisdlso_B1_1b', '0x00110100000000000xxxxxxxxxxxxx'],
    ['LD1_asisdlso_H1_1h', '0x00110101000000010xx0xxxxxxxxxx'],
    ['ST1_asisdlso_H1_1h', '0x00110100000000010xx0xxxxxxxxxx'],
    ['LD1_asisdlso_S1_1s', '0x00110101000000100x00xxxxxxxxxx'],
    ['ST1_asisdlso_S1_1s', '0x00110100000000100x00xxxxxxxxxx'],
    ['LD1_asisdlso_D1_1d', '0x00110101000000100001xxxxxxxxxx'],
    ['ST1_asisdlso_D1_1d', '0x00110100000000100001xxxxxxxxxx'],
    ['LD1_asisdlsop_B1_i1b', '0x00110111011111000xxxxxxxxxxxxx'],
    ['ST1_asisdlsop_B1_i1b', '0x00110110011111000xxxxxxxxxxxxx'],
    ['LD1_asisdlsop_BX1_r1b', '0x001101110xxxxx000xxxxxxxxxxxxx'],
    ['ST1_asisdlsop_BX1_r1b', '0x001101100xxxxx000xxxxxxxxxxxxx'],
    ['LD1_asisdlsop_D1_i1d', '0x00110111011111100001xxxxxxxxxx'],
    ['ST1_asisdlsop_D1_i1d', '0x00110110011111100001xxxxxxxxxx'],
    ['LD1_asisdlsop_DX1_r1d', '0x001101110xxxxx100001xxxxxxxxxx'],
    ['ST1_asisdlsop_DX1_r1d', '0x001101100xxxxx100001xxxxxxxxxx'],
    ['LD1_asisdlsop_H1_i1h', '0x00110111011111010xx0xxxxxxxxxx'],
    ['ST1_asisdlsop_H1_i1h', '0x00110110011111010xx0xxxxxxxxxx'],
    ['LD1_asisdlsop_HX1_r1h', '0x001101110xxxxx010xx0xxxxxxxxxx'],
    ['ST1_asisdlsop_HX1_r1h', '0x001101100xxxxx010xx0xxxxxxxxxx'],
    ['LD1_asisdlsop_S1_i1s', '0x00110111011111100x00xxxxxxxxxx'],
    ['ST1_asisdlsop_S1_i1s', '0x00110110011111100x00xxxxxxxxxx'],
    ['LD1_asisdlsop_SX1_r1s', '0x001101110xxxxx100x00xxxxxxxxxx'],
    ['ST1_asisdlsop_SX1_r1s', '0x001101100xxxxx100x00xxxxxxxxxx'],
    ['LD2_asisdlso_B2_2b', '0x00110101100000000xxxxxxxxxxxxx'],
    ['ST2_asisdlso_B2_2b', '0x00110100100000000xxxxxxxxxxxxx'],
    ['LD2_asisdlso_H2_2h', '0x00110101100000010xx0xxxxxxxxxx'],
    ['ST2_asisdlso_H2_2h', '0x00110100100000010xx0xxxxxxxxxx'],
    ['LD2_asisdlso_S2_2s', '0x00110101100000100x00xxxxxxxxxx'],
    ['ST2_asisdlso_S2_2s', '0x00110100100000100x00xxxxxxxxxx'],
    ['LD2_asisdlso_D2_2d', '0x00110101100000100001xxxxxxxxxx'],
    ['ST2_asisdlso_D2_2d', '0x00110100100000100001xxxxxxxxxx'],
    ['LD2_asisdlsop_B2_i2b', '0x00110111111111000xxxxxxxxxxxxx'],
    ['ST2_asisdlsop_B2_i2b', '0x00110110111111000xxxxxxxxxxxxx'],
    ['LD2_asisdlsop_BX2_r2b', '0x001101111xxxxx000xxxxxxxxxxxxx'],
    ['ST2_asisdlsop_BX2_r2b', '0x001101101xxxxx000xxxxxxxxxxxxx'],
    ['LD2_asisdlsop_H2_i2h', '0x00110111111111010xx0xxxxxxxxxx'],
    ['ST2_asisdlsop_H2_i2h', '0x00110110111111010xx0xxxxxxxxxx'],
    ['LD2_asisdlsop_HX2_r2h', '0x001101111xxxxx010xx0xxxxxxxxxx'],
    ['ST2_asisdlsop_HX2_r2h', '0x001101101xxxxx010xx0xxxxxxxxxx'],
    ['LD2_asisdlsop_S2_i2s', '0x00110111111111100x00xxxxxxxxxx'],
    ['ST2_asisdlsop_S2_i2s', '0x00110110111111100x00xxxxxxxxxx'],
    ['LD2_asisdlsop_SX2_r2s', '0x001101111xxxxx100x00xxxxxxxxxx'],
    ['ST2_asisdlsop_SX2_r2s', '0x001101101xxxxx100x00xxxxxxxxxx'],
    ['LD2_asisdlsop_D2_i2d', '0x00110111111111100001xxxxxxxxxx'],
    ['ST2_asisdlsop_D2_i2d', '0x00110110111111100001xxxxxxxxxx'],
    ['LD2_asisdlsop_DX2_r2d', '0x001101111xxxxx100001xxxxxxxxxx'],
    ['ST2_asisdlsop_DX2_r2d', '0x001101101xxxxx100001xxxxxxxxxx'],
    ['LD3_asisdlso_B3_3b', '0x00110101000000001xxxxxxxxxxxxx'],
    ['ST3_asisdlso_B3_3b', '0x00110100000000001xxxxxxxxxxxxx'],
    ['LD3_asisdlso_H3_3h', '0x00110101000000011xx0xxxxxxxxxx'],
    ['ST3_asisdlso_H3_3h', '0x00110100000000011xx0xxxxxxxxxx'],
    ['LD3_asisdlso_S3_3s', '0x00110101000000101x00xxxxxxxxxx'],
    ['ST3_asisdlso_S3_3s', '0x00110100000000101x00xxxxxxxxxx'],
    ['LD3_asisdlso_D3_3d', '0x00110101000000101001xxxxxxxxxx'],
    ['ST3_asisdlso_D3_3d', '0x00110100000000101001xxxxxxxxxx'],
    ['LD3_asisdlsop_B3_i3b', '0x00110111011111001xxxxxxxxxxxxx'],
    ['ST3_asisdlsop_B3_i3b', '0x00110110011111001xxxxxxxxxxxxx'],
    ['LD3_asisdlsop_BX3_r3b', '0x001101110xxxxx001xxxxxxxxxxxxx'],
    ['ST3_asisdlsop_BX3_r3b', '0x001101100xxxxx001xxxxxxxxxxxxx'],
    ['LD3_asisdlsop_H3_i3h', '0x00110111011111011xx0xxxxxxxxxx'],
    ['ST3_asisdlsop_H3_i3h', '0x00110110011111011xx0xxxxxxxxxx'],
    ['LD3_asisdlsop_HX3_r3h', '0x001101110xxxxx011xx0xxxxxxxxxx'],
    ['ST3_asisdlsop_HX3_r3h', '0x001101100xxxxx011xx0xxxxxxxxxx'],
    ['LD3_asisdlsop_S3_i3s', '0x00110111011111101x00xxxxxxxxxx'],
    ['ST3_asisdlsop_S3_i3s', '0x00110110011111101x00xxxxxxxxxx'],
    ['LD3_asisdlsop_SX3_r3s', '0x001101110xxxxx101x00xxxxxxxxxx'],
    ['ST3_asisdlsop_SX3_r3s', '0x001101100xxxxx101x00xxxxxxxxxx'],
    ['LD3_asisdlsop_D3_i3d', '0x00110111011111101001xxxxxxxxxx'],
    ['ST3_asisdlsop_D3_i3d', '0x00110110011111101001xxxxxxxxxx'],
    ['LD3_asisdlsop_DX3_r3d', '0x001101110xxxxx101001xxxxxxxxxx'],
    ['ST3_asisdlsop_DX3_r3d', '0x001101100xxxxx101001xxxxxxxxxx'],
    ['LD4_asisdlso_B4_4b', '0x00110101100000001xxxxxxxxxxxxx'],
    ['ST4_asisdlso_B4_4b', '0x00110100100000001xxxxxxxxxxxxx'],
    ['LD4_asisdlso_H4_4h', '0x00110101100000011xx0xxxxxxxxxx'],
    ['ST4_asisdlso_H4_4h', '0x00110100100000011xx0xxxxxxxxxx'],
    ['LD4_asisdlso_S4_4s', '0x00110101100000101x00xxxxxxxxxx'],
    ['ST4_asisdlso_S4_4s', '0x00110100100000101x00xxxxxxxxxx'],
    ['LD4_asisdlso_D4_4d', '0x00110101100000101001xxxxxxxxxx'],
    ['ST4_asisdlso_D4_4d', '0x00110100100000101001xxxxxxxxxx'],
    ['LD4_asisdlsop_B4_i4b', '0x00110111111111001xxxxxxxxxxxxx'],
    ['ST4_asisdlsop_B4_i4b', '0x00110110111111001xxxxxxxxxxxxx'],
    ['LD4_asisdlsop_BX4_r4b', '0x001101111xxxxx001xxxxxxxxxxxxx'],
    ['ST4_asisdlsop_BX4_r4b', '0x001101101xxxxx001xxxxxxxxxxxxx'],
    ['LD4_asisdlsop_H4_i4h', '0x00110111111111011xx0xxxxxxxxxx'],
    ['ST4_asisdlsop_H4_i4h', '0x00110110111111011xx0xxxxxxxxxx'],
    ['LD4_asisdlsop_HX4_r4h', '0x001101111xxxxx011xx0xxxxxxxxxx'],
    ['ST4_asisdlsop_HX4_r4h', '0x001101101xxxxx011xx0xxxxxxxxxx'],
    ['LD4_asisdlsop_S4_i4s', '0x00110111111111101x00xxxxxxxxxx'],
    ['ST4_asisdlsop_S4_i4s', '0x00110110111111101x00xxxxxxxxxx'],
    ['LD4_asisdlsop_SX4_r4s', '0x001101111xxxxx101x00xxxxxxxxxx'],
    ['ST4_asisdlsop_SX4_r4s', '0x001101101xxxxx101x00xxxxxxxxxx'],
    ['LD4_asisdlsop_D4_i4d', '0x00110111111111101001xxxxxxxxxx'],
    ['ST4_asisdlsop_D4_i4d', '0x00110110111111101001xxxxxxxxxx'],
    ['LD4_asisdlsop_DX4_r4d', '0x001101111xxxxx101001xxxxxxxxxx'],
    ['ST4_asisdlsop_DX4_r4d', '0x001101101xxxxx101001xxxxxxxxxx'],
  ],
})

/** Copies of an element all over a 64-bit word. */
const copies = [0x0101010101010101n, 0x0001000100010001n, 0x0000000100000001n, 1n] as const

function replicate(e: Emitter): void {
  const { code } = e
  const { structure } = lanes((field) => e.fixed(field))
  const log2 = e.fixed(size)
  const bytes = sizes[log2]!
  const address = code.local('i64')
  const locals = Array.from({ length: structure }, () => code.local('i64'))
  e.base(Rn)
  code.set(address)
  e.loads({ bytes, opcode: loadUnsigned[log2]! }, address, locals)
  for (const [register, local] of locals.entries()) {
    e.vAddress(Rt, register)
    code.get(local).i64(copies[log2]!).op(i64.mul).tee(local).memory(i64.store, STATE.V)
    e.vAddress(Rt, register)
    if (e.fixed(Q)) code.get(local)
    else code.i64(0)
    code.memory(i64.store, STATE.V + 8)
  }
  writeBack(e, address, structure * bytes)
  code.release(address, ...locals)
}

const replicateRows = group({
  fields: 'Q:30 L:22 R:21 Rm:20-16 opcode:15-13 S:12 size:11-10 Rn:9-5 Rt:4-0',
  split: [Q, size],
  fp: true,
  emit: replicate,
  text: (word, name) => {
    const { structure } = lanes((field) => bitsOf(word, field))
    return `${name} ${list(word, structure, arrangement(word))}, ${addressText(word, structure << bitsOf(word, size))}`
  },
  encodings: [
    ['LD1R_asisdlso_R1', '0x001101010000001100xxxxxxxxxxxx'],
    ['LD1R_asisdlsop_R1_i', '0x001101110111111100xxxxxxxxxxxx'],
    ['LD1R_asisdlsop_RX1_r', '0x001101110xxxxx1100xxxxxxxxxxxx'],
    ['LD2R_asisdlso_R2', '0x001101011000001100xxxxxxxxxxxx'],
    ['LD2R_asisdlsop_R2_i', '0x001101111111111100xxxxxxxxxxxx'],
    ['LD2R_asisdlsop_RX2_r', '0x001101111xxxxx1100xxxxxxxxxxxx'],
    ['LD3R_asisdlso_R3', '0x001101010000001110xxxxxxxxxxxx'],
    ['LD3R_asisdlsop_R3_i', '0x001101110111111110xxxxxxxxxxxx'],
    ['LD3R_asisdlsop_RX3_r', '0x001101110xxxxx1110xxxxxxxxxxxx'],
    ['LD4R_asisdlso_R4', '0x001101011000001110xxxxxxxxxxxx'],
    ['LD4R_asisdlsop_R4_i', '0x001101111111111110xxxxxxxxxxxx'],
    ['LD4R_asisdlsop_RX4_r', '0x001101111xxxxx1110xxxxxxxxxxxx'],
  ],
})

export const structureRows: readonly Row[] = [...multipleRows, ...singleRows, ...replicateRows]
