/**
 * Conditional compare and select (DDI 0487 C4.1, "Data Processing -- Register").
 */

import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { cond, op30, Rd, Rm, Rn, sf } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { conditionNames, hex, x } from '../text.ts'
import { pushAddFlags, pushSubFlags } from './flags.ts'

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

export const conditionalRows: readonly Row[] = [...conditionalCompareRows, ...conditionalSelectRows]
