/**
 * The atomic memory operations of FEAT_LSE (DDI 0487 C4.1). All CPUs run in one thread: a load and a store are one access.
 */

import { i64 } from '../../wasm/opcodes.ts'
import type { Field } from '../fields.ts'
import { Rn, Rs, Rt } from '../fields.ts'
import { bitsOf, group } from '../row.ts'
import { x } from '../text.ts'
import { loadSigned, loadUnsigned, sizes, storeOpcodes } from './memory.ts'
import { atomic, memoryOperand, size } from './ordering.ts'

const o3: Field = [15, 15]
const memoryOperation: Field = [14, 12]

/** LDADD, LDCLR, LDEOR, LDSET, LD[SU]MAX, LD[SU]MIN, SWP. */
export const atomicRows = group({
  fields: 'size:31-30 VR:26 A:23 R:22 Rs:20-16 o3:15 opc:14-12 Rn:9-5 Rt:4-0',
  feature: 'FEAT_LSE',
  emit: (e) => {
    const { code } = e
    const log2 = e.fixed(size)
    const bytes = sizes[log2]!
    const operation = e.fixed(memoryOperation)
    const address = code.local('i64')
    const old = code.local('i64')
    const operand = code.local('i64')
    const fresh = code.local('i64')
    const compare = operation >= 4 && e.fixed(o3) === 0
    const signed = compare && operation < 6
    e.base(Rn)
    code.set(address)
    e.x(Rs)
    if (compare && log2 < 3) {
      if (signed) code.op([i64.extend8_s, i64.extend16_s, i64.extend32_s][log2]!)
      else code.i64((1n << BigInt(8 * bytes)) - 1n).op(i64.and)
    }
    code.set(operand)
    e.loads({ bytes, opcode: (signed ? loadSigned : loadUnsigned)[log2]! }, address, [old], atomic)
    if (e.fixed(o3)) code.get(operand)
    else if (compare) {
      code.get(old).get(operand).get(old).get(operand)
      code.op([i64.gt_s, i64.lt_s, i64.gt_u, i64.lt_u][operation - 4]!).select()
    } else {
      code.get(old).get(operand)
      if (operation === 1) code.i64(-1).op(i64.xor, i64.and)
      else code.op([i64.add, i64.and, i64.xor, i64.or][operation]!)
    }
    code.set(fresh)
    e.stores({ bytes, opcode: storeOpcodes[log2]! }, address, [fresh], atomic)
    e.setX(Rt, () => {
      code.get(old)
      if (signed && log2 < 3) code.i64((1n << BigInt(8 * bytes)) - 1n).op(i64.and)
    })
    code.release(address, old, operand, fresh)
  },
  text: (word, name) => {
    const wide = bitsOf(word, size) === 3
    const s = x(word, Rs, wide)
    if (bitsOf(word, Rt) === 31 && bitsOf(word, [23, 23]) === 0 && bitsOf(word, o3) === 0)
      return `${name.replace(/^ld/, 'st')} ${s}, ${memoryOperand(word)}`
    return `${name} ${s}, ${x(word, Rt, wide)}, ${memoryOperand(word)}`
  },
  encodings: [
    ['LDADD_32_memop', '10111000001xxxxx000000xxxxxxxxxx'],
    ['LDADDA_32_memop', '10111000101xxxxx000000xxxxxxxxxx'],
    ['LDADDAL_32_memop', '10111000111xxxxx000000xxxxxxxxxx'],
    ['LDADDL_32_memop', '10111000011xxxxx000000xxxxxxxxxx'],
    ['LDADD_64_memop', '11111000001xxxxx000000xxxxxxxxxx'],
    ['LDADDA_64_memop', '11111000101xxxxx000000xxxxxxxxxx'],
    ['LDADDAL_64_memop', '11111000111xxxxx000000xxxxxxxxxx'],
    ['LDADDL_64_memop', '11111000011xxxxx000000xxxxxxxxxx'],
    ['LDADDB_32_memop', '00111000001xxxxx000000xxxxxxxxxx'],
    ['LDADDAB_32_memop', '00111000101xxxxx000000xxxxxxxxxx'],
    ['LDADDALB_32_memop', '00111000111xxxxx000000xxxxxxxxxx'],
    ['LDADDLB_32_memop', '00111000011xxxxx000000xxxxxxxxxx'],
    ['LDADDH_32_memop', '01111000001xxxxx000000xxxxxxxxxx'],
    ['LDADDAH_32_memop', '01111000101xxxxx000000xxxxxxxxxx'],
    ['LDADDALH_32_memop', '01111000111xxxxx000000xxxxxxxxxx'],
    ['LDADDLH_32_memop', '01111000011xxxxx000000xxxxxxxxxx'],
    ['LDCLR_32_memop', '10111000001xxxxx000100xxxxxxxxxx'],
    ['LDCLRA_32_memop', '10111000101xxxxx000100xxxxxxxxxx'],
    ['LDCLRAL_32_memop', '10111000111xxxxx000100xxxxxxxxxx'],
    ['LDCLRL_32_memop', '10111000011xxxxx000100xxxxxxxxxx'],
    ['LDCLR_64_memop', '11111000001xxxxx000100xxxxxxxxxx'],
    ['LDCLRA_64_memop', '11111000101xxxxx000100xxxxxxxxxx'],
    ['LDCLRAL_64_memop', '11111000111xxxxx000100xxxxxxxxxx'],
    ['LDCLRL_64_memop', '11111000011xxxxx000100xxxxxxxxxx'],
    ['LDCLRB_32_memop', '00111000001xxxxx000100xxxxxxxxxx'],
    ['LDCLRAB_32_memop', '00111000101xxxxx000100xxxxxxxxxx'],
    ['LDCLRALB_32_memop', '00111000111xxxxx000100xxxxxxxxxx'],
    ['LDCLRLB_32_memop', '00111000011xxxxx000100xxxxxxxxxx'],
    ['LDCLRH_32_memop', '01111000001xxxxx000100xxxxxxxxxx'],
    ['LDCLRAH_32_memop', '01111000101xxxxx000100xxxxxxxxxx'],
    ['LDCLRALH_32_memop', '01111000111xxxxx000100xxxxxxxxxx'],
    ['LDCLRLH_32_memop', '01111000011xxxxx000100xxxxxxxxxx'],
    ['LDEOR_32_memop', '10111000001xxxxx001000xxxxxxxxxx'],
    ['LDEORA_32_memop', '10111000101xxxxx001000xxxxxxxxxx'],
    ['LDEORAL_32_memop', '10111000111xxxxx001000xxxxxxxxxx'],
    ['LDEORL_32_memop', '10111000011xxxxx001000xxxxxxxxxx'],
    ['LDEOR_64_memop', '11111000001xxxxx001000xxxxxxxxxx'],
    ['LDEORA_64_memop', '11111000101xxxxx001000xxxxxxxxxx'],
    ['LDEORAL_64_memop', '11111000111xxxxx001000xxxxxxxxxx'],
    ['LDEORL_64_memop', '11111000011xxxxx001000xxxxxxxxxx'],
    ['LDEORB_32_memop', '00111000001xxxxx001000xxxxxxxxxx'],
    ['LDEORAB_32_memop', '00111000101xxxxx001000xxxxxxxxxx'],
    ['LDEORALB_32_memop', '00111000111xxxxx001000xxxxxxxxxx'],
    ['LDEORLB_32_memop', '00111000011xxxxx001000xxxxxxxxxx'],
    ['LDEORH_32_memop', '01111000001xxxxx001000xxxxxxxxxx'],
    ['LDEORAH_32_memop', '01111000101xxxxx001000xxxxxxxxxx'],
    ['LDEORALH_32_memop', '01111000111xxxxx001000xxxxxxxxxx'],
    ['LDEORLH_32_memop', '01111000011xxxxx001000xxxxxxxxxx'],
    ['LDSET_32_memop', '10111000001xxxxx001100xxxxxxxxxx'],
    ['LDSETA_32_memop', '10111000101xxxxx001100xxxxxxxxxx'],
    ['LDSETAL_32_memop', '10111000111xxxxx001100xxxxxxxxxx'],
    ['LDSETL_32_memop', '10111000011xxxxx001100xxxxxxxxxx'],
    ['LDSET_64_memop', '11111000001xxxxx001100xxxxxxxxxx'],
    ['LDSETA_64_memop', '11111000101xxxxx001100xxxxxxxxxx'],
    ['LDSETAL_64_memop', '11111000111xxxxx001100xxxxxxxxxx'],
    ['LDSETL_64_memop', '11111000011xxxxx001100xxxxxxxxxx'],
    ['LDSETB_32_memop', '00111000001xxxxx001100xxxxxxxxxx'],
    ['LDSETAB_32_memop', '00111000101xxxxx001100xxxxxxxxxx'],
    ['LDSETALB_32_memop', '00111000111xxxxx001100xxxxxxxxxx'],
    ['LDSETLB_32_memop', '00111000011xxxxx001100xxxxxxxxxx'],
    ['LDSETH_32_memop', '01111000001xxxxx001100xxxxxxxxxx'],
    ['LDSETAH_32_memop', '01111000101xxxxx001100xxxxxxxxxx'],
    ['LDSETALH_32_memop', '01111000111xxxxx001100xxxxxxxxxx'],
    ['LDSETLH_32_memop', '01111000011xxxxx001100xxxxxxxxxx'],
    ['LDSMAX_32_memop', '10111000001xxxxx010000xxxxxxxxxx'],
    ['LDSMAXA_32_memop', '10111000101xxxxx010000xxxxxxxxxx'],
    ['LDSMAXAL_32_memop', '10111000111xxxxx010000xxxxxxxxxx'],
    ['LDSMAXL_32_memop', '10111000011xxxxx010000xxxxxxxxxx'],
    ['LDSMAX_64_memop', '11111000001xxxxx010000xxxxxxxxxx'],
    ['LDSMAXA_64_memop', '11111000101xxxxx010000xxxxxxxxxx'],
    ['LDSMAXAL_64_memop', '11111000111xxxxx010000xxxxxxxxxx'],
    ['LDSMAXL_64_memop', '11111000011xxxxx010000xxxxxxxxxx'],
    ['LDSMAXB_32_memop', '00111000001xxxxx010000xxxxxxxxxx'],
    ['LDSMAXAB_32_memop', '00111000101xxxxx010000xxxxxxxxxx'],
    ['LDSMAXALB_32_memop', '00111000111xxxxx010000xxxxxxxxxx'],
    ['LDSMAXLB_32_memop', '00111000011xxxxx010000xxxxxxxxxx'],
    ['LDSMAXH_32_memop', '01111000001xxxxx010000xxxxxxxxxx'],
    ['LDSMAXAH_32_memop', '01111000101xxxxx010000xxxxxxxxxx'],
    ['LDSMAXALH_32_memop', '01111000111xxxxx010000xxxxxxxxxx'],
    ['LDSMAXLH_32_memop', '01111000011xxxxx010000xxxxxxxxxx'],
    ['LDSMIN_32_memop', '10111000001xxxxx010100xxxxxxxxxx'],
    ['LDSMINA_32_memop', '10111000101xxxxx010100xxxxxxxxxx'],
    ['LDSMINAL_32_memop', '10111000111xxxxx010100xxxxxxxxxx'],
    ['LDSMINL_32_memop', '10111000011xxxxx010100xxxxxxxxxx'],
    ['LDSMIN_64_memop', '11111000001xxxxx010100xxxxxxxxxx'],
    ['LDSMINA_64_memop', '11111000101xxxxx010100xxxxxxxxxx'],
    ['LDSMINAL_64_memop', '11111000111xxxxx010100xxxxxxxxxx'],
    ['LDSMINL_64_memop', '11111000011xxxxx010100xxxxxxxxxx'],
    ['LDSMINB_32_memop', '00111000001xxxxx010100xxxxxxxxxx'],
    ['LDSMINAB_32_memop', '00111000101xxxxx010100xxxxxxxxxx'],
    ['LDSMINALB_32_memop', '00111000111xxxxx010100xxxxxxxxxx'],
    ['LDSMINLB_32_memop', '00111000011xxxxx010100xxxxxxxxxx'],
    ['LDSMINH_32_memop', '01111000001xxxxx010100xxxxxxxxxx'],
    ['LDSMINAH_32_memop', '01111000101xxxxx010100xxxxxxxxxx'],
    ['LDSMINALH_32_memop', '01111000111xxxxx010100xxxxxxxxxx'],
    ['LDSMINLH_32_memop', '01111000011xxxxx010100xxxxxxxxxx'],
    ['LDUMAX_32_memop', '10111000001xxxxx011000xxxxxxxxxx'],
    ['LDUMAXA_32_memop', '10111000101xxxxx011000xxxxxxxxxx'],
    ['LDUMAXAL_32_memop', '10111000111xxxxx011000xxxxxxxxxx'],
    ['LDUMAXL_32_memop', '10111000011xxxxx011000xxxxxxxxxx'],
    ['LDUMAX_64_memop', '11111000001xxxxx011000xxxxxxxxxx'],
    ['LDUMAXA_64_memop', '11111000101xxxxx011000xxxxxxxxxx'],
    ['LDUMAXAL_64_memop', '11111000111xxxxx011000xxxxxxxxxx'],
    ['LDUMAXL_64_memop', '11111000011xxxxx011000xxxxxxxxxx'],
    ['LDUMAXB_32_memop', '00111000001xxxxx011000xxxxxxxxxx'],
    ['LDUMAXAB_32_memop', '00111000101xxxxx011000xxxxxxxxxx'],
    ['LDUMAXALB_32_memop', '00111000111xxxxx011000xxxxxxxxxx'],
    ['LDUMAXLB_32_memop', '00111000011xxxxx011000xxxxxxxxxx'],
    ['LDUMAXH_32_memop', '01111000001xxxxx011000xxxxxxxxxx'],
    ['LDUMAXAH_32_memop', '01111000101xxxxx011000xxxxxxxxxx'],
    ['LDUMAXALH_32_memop', '01111000111xxxxx011000xxxxxxxxxx'],
    ['LDUMAXLH_32_memop', '01111000011xxxxx011000xxxxxxxxxx'],
    ['LDUMIN_32_memop', '10111000001xxxxx011100xxxxxxxxxx'],
    ['LDUMINA_32_memop', '10111000101xxxxx011100xxxxxxxxxx'],
    ['LDUMINAL_32_memop', '10111000111xxxxx011100xxxxxxxxxx'],
    ['LDUMINL_32_memop', '10111000011xxxxx011100xxxxxxxxxx'],
    ['LDUMIN_64_memop', '11111000001xxxxx011100xxxxxxxxxx'],
    ['LDUMINA_64_memop', '11111000101xxxxx011100xxxxxxxxxx'],
    ['LDUMINAL_64_memop', '11111000111xxxxx011100xxxxxxxxxx'],
    ['LDUMINL_64_memop', '11111000011xxxxx011100xxxxxxxxxx'],
    ['LDUMINB_32_memop', '00111000001xxxxx011100xxxxxxxxxx'],
    ['LDUMINAB_32_memop', '00111000101xxxxx011100xxxxxxxxxx'],
    ['LDUMINALB_32_memop', '00111000111xxxxx011100xxxxxxxxxx'],
    ['LDUMINLB_32_memop', '00111000011xxxxx011100xxxxxxxxxx'],
    ['LDUMINH_32_memop', '01111000001xxxxx011100xxxxxxxxxx'],
    ['LDUMINAH_32_memop', '01111000101xxxxx011100xxxxxxxxxx'],
    ['LDUMINALH_32_memop', '01111000111xxxxx011100xxxxxxxxxx'],
    ['LDUMINLH_32_memop', '01111000011xxxxx011100xxxxxxxxxx'],
    ['SWP_32_memop', '10111000001xxxxx100000xxxxxxxxxx'],
    ['SWPA_32_memop', '10111000101xxxxx100000xxxxxxxxxx'],
    ['SWPAL_32_memop', '10111000111xxxxx100000xxxxxxxxxx'],
    ['SWPL_32_memop', '10111000011xxxxx100000xxxxxxxxxx'],
    ['SWP_64_memop', '11111000001xxxxx100000xxxxxxxxxx'],
    ['SWPA_64_memop', '11111000101xxxxx100000xxxxxxxxxx'],
    ['SWPAL_64_memop', '11111000111xxxxx100000xxxxxxxxxx'],
    ['SWPL_64_memop', '11111000011xxxxx100000xxxxxxxxxx'],
    ['SWPB_32_memop', '00111000001xxxxx100000xxxxxxxxxx'],
    ['SWPAB_32_memop', '00111000101xxxxx100000xxxxxxxxxx'],
    ['SWPALB_32_memop', '00111000111xxxxx100000xxxxxxxxxx'],
    ['SWPLB_32_memop', '00111000011xxxxx100000xxxxxxxxxx'],
    ['SWPH_32_memop', '01111000001xxxxx100000xxxxxxxxxx'],
    ['SWPAH_32_memop', '01111000101xxxxx100000xxxxxxxxxx'],
    ['SWPALH_32_memop', '01111000111xxxxx100000xxxxxxxxxx'],
    ['SWPLH_32_memop', '01111000011xxxxx100000xxxxxxxxxx'],
  ],
})
