/**
 * Logical operations on shifted registers (DDI 0487 C4.1, "Data Processing -- Register").
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm6, opc30, Rd, Rn, sf, shiftType } from '../fields.ts'
import { bitsOf, group } from '../row.ts'
import { shiftedRegister, x } from '../text.ts'
import { pushLogicalFlags } from './flags.ts'
import { pushShifted, unshifted, wideShift } from './shifted.ts'

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

export const logicalShiftedRows = group({
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
