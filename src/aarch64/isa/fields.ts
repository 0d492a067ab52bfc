/**
 * Instruction fields that many encodings share, under the architecture's names. A field that only one class has is declared beside it.
 */
/** Most and least significant bit, both included. */
export type Field = readonly [msb: number, lsb: number]

export const Rd: Field = [4, 0]
export const Rt: Field = [4, 0]
export const Rn: Field = [9, 5]
export const Rm: Field = [20, 16]
export const Rs: Field = [20, 16]
export const Ra: Field = [14, 10]
export const Rt2: Field = [14, 10]
export const sf: Field = [31, 31]
export const op30: Field = [30, 30]
export const S29: Field = [29, 29]
export const opc30: Field = [30, 29]
export const shiftType: Field = [23, 22]
export const imm6: Field = [15, 10]
export const option: Field = [15, 13]
export const imm12: Field = [21, 10]
export const imm16: Field = [20, 5]
export const imm19: Field = [23, 5]
export const imm9: Field = [20, 12]
export const imm7: Field = [21, 15]
export const cond: Field = [15, 12]
