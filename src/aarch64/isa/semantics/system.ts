/**
 * System instructions: exception generation, barriers, hints, PSTATE, system registers and SYS. What is frequent is emitted; the
 * rest goes to the host with its opcode. Which registers there are is the register table's business.
 */

import {
  EFFECT,
  EXCEPTION,
  externalRead,
  externalWrite,
  readRegister,
  systemInstruction,
  writeRegister,
} from '../../state/host.ts'
import { SCTLR, SLOT } from '../../state/slot.ts'
import { DIRECT, MEMORY, STATE } from '../../state/state.ts'
import { i32, i64 } from '../../wasm/opcodes.ts'
import type { Emitter } from '../emitter.ts'
import type { Field } from '../fields.ts'
import { imm16, Rt } from '../fields.ts'
import { bitsOf, group, type Row } from '../row.ts'
import { hex, x } from '../text.ts'

const opc: Field = [23, 21]
const LL: Field = [1, 0]

const exceptionRows = group({
  fields: 'opc:23-21 imm16:20-5 op2:4-2 LL:1-0',
  emit: (e) => {
    const kind =
      e.fixed(opc) === 1
        ? EXCEPTION.brk
        : ([EXCEPTION.undefined, EXCEPTION.svc, EXCEPTION.hvc, EXCEPTION.smc] as const)[e.fixed(LL)]!
    e.raise(kind, () => e.bits(imm16))
  },
  text: (word, name) => `${name} #${hex(bitsOf(word, imm16))}`,
  encodings: [
    ['BRK_EX_exception', '11010100001xxxxxxxxxxxxxxxx00000'],
    ['HVC_EX_exception', '11010100000xxxxxxxxxxxxxxxx00010'],
    ['SMC_EX_exception', '11010100000xxxxxxxxxxxxxxxx00011'],
    ['SVC_EX_exception', '11010100000xxxxxxxxxxxxxxxx00001'],
  ],
})

/** HLT and DCPSn are UNDEFINED while halting debug is not there. UDF is UNDEFINED for ever. */
const undefinedRows = group({
  fields: 'opc:23-21 imm16:20-5 op2:4-2 LL:1-0',
  emit: (e) => e.raise(EXCEPTION.undefined, () => e.word()),
  text: (word, name) => `${name} #${hex(name === 'udf' ? word & 0xffff : bitsOf(word, imm16))}`,
  encodings: [
    ['DCPS1_DC_exception', '11010100101xxxxxxxxxxxxxxxx00001'],
    ['DCPS2_DC_exception', '11010100101xxxxxxxxxxxxxxxx00010'],
    ['DCPS3_DC_exception', '11010100101xxxxxxxxxxxxxxxx00011'],
    ['HLT_EX_exception', '11010100010xxxxxxxxxxxxxxxx00000'],
    ['UDF_only_perm_undef', '0000000000000000xxxxxxxxxxxxxxxx'],
  ],
})

const CRm: Field = [11, 8]
const barrierOpcode: Field = [7, 5]
const barrierNames =
  'reserved oshld oshst osh reserved nshld nshst nsh reserved ishld ishst ish reserved ld st sy'.split(' ')

const barrierRows = group({
  fields: 'CRm:11-8 op2:7-5 Rt:4-0',
  // One thread runs all CPUs and every access is done before the next begins: barriers have nothing to wait for.
  emit: (e) => {
    if (e.fixed(barrierOpcode) === 2) e.setState(i32.store, STATE.MONITOR_SIZE, () => e.code.i32(0))
  },
  text: (word, name) => {
    const kind = bitsOf(word, CRm)
    if (name === 'isb' || name === 'clrex') return kind === 15 ? name : `${name} #${kind}`
    if (name === 'dsb' && (kind === 0 || kind === 4)) return kind ? 'pssbb' : 'ssbb'
    return `${name} ${barrierNames[kind] === 'reserved' ? `#${kind}` : barrierNames[kind]}`
  },
  encodings: [
    ['CLREX_BN_barriers', '11010101000000110011xxxx01011111'],
    ['DMB_BO_barriers', '11010101000000110011xxxx10111111'],
    ['DSB_BO_barriers', '11010101000000110011xxxx10011111'],
    ['ISB_BI_barriers', '11010101000000110011xxxx11011111'],
  ],
})

const hintNames: Readonly<Record<number, string>> = {
  6: 'dgh',
  7: 'xpaclri',
  8: 'pacia1716',
  10: 'pacib1716',
  12: 'autia1716',
  14: 'autib1716',
  16: 'esb',
  17: 'psb csync',
  18: 'tsb csync',
  24: 'paciaz',
  25: 'paciasp',
  26: 'pacibz',
  27: 'pacibsp',
  28: 'autiaz',
  29: 'autiasp',
  30: 'autibz',
  31: 'autibsp',
  32: 'bti',
  34: 'bti c',
  36: 'bti j',
  38: 'bti jc',
}
const hintField: Field = [11, 5]

const hintRows = group({
  fields: 'CRm:11-8 op2:7-5',
  merge: true,
  // YIELD, WFE, WFI, SEV and SEVL are hints 1 to 5. All others are NOPs, or instructions of features that are not there.
  emit: (e) => {
    const { code } = e
    e.bits(hintField)
    code.i32(1).op(i32.sub).i32(5).op(i32.lt_u).if()
    e.effect(EFFECT.hint)
    code.end()
  },
  text: (word, name) =>
    name === 'hint' ? (hintNames[bitsOf(word, hintField)] ?? `hint #${hex(bitsOf(word, hintField))}`) : name,
  encodings: [
    ['CSDB_HI_hints', '11010101000000110010001010011111'],
    ['HINT_HM_hints', '11010101000000110010xxxxxxx11111'],
    ['NOP_HI_hints', '11010101000000110010000000011111'],
    ['SEV_HI_hints', '11010101000000110010000010011111'],
    ['SEVL_HI_hints', '11010101000000110010000010111111'],
    ['WFE_HI_hints', '11010101000000110010000001011111'],
    ['WFI_HI_hints', '11010101000000110010000001111111'],
    ['YIELD_HI_hints', '11010101000000110010000000111111'],
  ],
})

const op1: Field = [18, 16]
const op2: Field = [7, 5]

/** MSR DAIFSet and DAIFClr at EL1 and above are emitted; SPSel, PAN, and all of it at EL0, where it may trap, goes to the host. */
function statusImmediate(e: Emitter): void {
  const { code } = e
  if (e.known(op1) === 3) {
    const clear = e.fixed(op2) === 7
    const daif = code.local('i32')
    e.state(i32.load, STATE.DAIF)
    e.bits(CRm)
    if (clear) code.i32(15).op(i32.xor, i32.and)
    else code.op(i32.or)
    code.set(daif)
    e.state(i32.load, STATE.EL)
    code.op(i32.eqz)
    if (clear) {
      // An interrupt that this unmasks is taken before the next instruction: the host ends the run.
      e.state(i32.load, STATE.LINES)
      code.get(daif).i32(-1).op(i32.xor, i32.and, i32.or)
    }
    code.if()
    e.effect(EFFECT.pstate)
    code.end()
    e.setState(i32.store, STATE.DAIF, () => code.get(daif))
    code.release(daif)
    return
  }
  e.effect(EFFECT.pstate)
}

const statusRows = group({
  fields: 'op1:18-16 CRm:11-8 op2:7-5',
  // All but PAN, SPSel, DAIFSet and DAIFClr belong to features that are not there.
  unallocated: [
    'xxxxxxxxxxxxx000xxxxxxxx0xxxxxxx',
    'xxxxxxxxxxxxx000xxxxxxxx11xxxxxx',
    'xxxxxxxxxxxxx001xxxxxxxxxxxxxxxx',
    'xxxxxxxxxxxxx010xxxxxxxxxxxxxxxx',
    'xxxxxxxxxxxxx1xxxxxxxxxxxxxxxxxx',
    'xxxxxxxxxxxxx011xxxxxxxx0xxxxxxx',
    'xxxxxxxxxxxxx011xxxxxxxx10xxxxxx',
  ],
  emit: statusImmediate,
  variants: ['xxxxxxxxxxxxx011xxxxxxxx110xxxxx', 'xxxxxxxxxxxxx011xxxxxxxx111xxxxx'],
  text: (word) => {
    const field = `${bitsOf(word, op1)}:${bitsOf(word, op2)}`
    const names: Record<string, string> = {
      '0:3': 'uao',
      '0:4': 'pan',
      '0:5': 'spsel',
      '3:6': 'daifset',
      '3:7': 'daifclr',
    }
    return `msr ${names[field] ?? field}, #${hex(bitsOf(word, CRm))}`
  },
  encodings: [['MSR_SI_pstate', '1101010100000xxx0100xxxxxxx11111']],
})

const registerField: Field = [19, 5]

/** The generic name of a system register encoding: S3_0_C1_C0_0. */
export function genericRegisterName(word: number): string {
  return `s${2 + bitsOf(word, [19, 19])}_${bitsOf(word, op1)}_c${bitsOf(word, [15, 12])}_c${bitsOf(word, CRm)}_${bitsOf(word, op2)}`
}

/** Pushes whether the register in the opcode is plain storage that this EL may access; leaves its offset in the local. */
function pushPlain(e: Emitter, table: number, entry: number): void {
  const { code } = e
  e.bits(registerField, 1)
  code.memory(i32.load16_u, table).tee(entry)
  e.state(i32.load, STATE.DIRECT)
  code.op(i32.and)
}

/** Bits 19:5 of a register's encoding as a pattern. */
function registerPattern(o0: number, op1Value: number, CRn: number, CRmValue: number, op2Value: number): string {
  const bits = (value: number, width: number) => value.toString(2).padStart(width, '0')
  return `xxxxxxxxxxxx${o0}${bits(op1Value, 3)}${bits(CRn, 4)}${bits(CRmValue, 4)}${bits(op2Value, 3)}xxxxx`
}

const SP_EL0 = 0b1_000_0100_0001_000
const DAIF = 0b1_011_0100_0010_001
const CNTVCT_EL0 = 0b1_011_1110_0000_010
const frequentReads = [registerPattern(1, 0, 4, 1, 0), registerPattern(1, 3, 4, 2, 1), registerPattern(1, 3, 14, 0, 2)]
const frequentWrites = [registerPattern(1, 0, 4, 1, 0), registerPattern(1, 3, 4, 2, 1)]

/** MRS in the host. */
function readSlowly(e: Emitter, value: number): void {
  e.savePc()
  e.cpu()
  e.word()
  e.call(readRegister)
  e.leaveOnFault()
  e.state(i64.load, STATE.VALUE)
  e.code.set(value)
}

/** All of op0 to op2. */
const encodingField: Field = [20, 5]

/** MRS of a register that is the embedder's, if there is one. */
function readExternal(e: Emitter, value: number): void {
  const { code } = e
  e.savePc()
  e.setState(i32.store, STATE.FAULT, () => code.i32(0))
  e.state(i32.load, STATE.INDEX)
  e.bits(encodingField)
  e.call(externalRead)
  code.op(i64.extend_i32_u)
  e.state(i64.load32_u, STATE.VALUE + 4)
  code.i64(32).op(i64.shl, i64.or).set(value)
  e.state(i32.load, STATE.FAULT)
  code.if()
  readSlowly(e, value)
  code.end()
}

/** MSR of one. */
function writeExternal(e: Emitter): void {
  const { code } = e
  e.savePc()
  e.state(i32.load, STATE.INDEX)
  e.bits(encodingField)
  e.w(Rt)
  e.x(Rt)
  code.i64(32).op(i64.shr_u, i32.wrap_i64)
  e.call(externalWrite)
  code.op(i32.eqz).if()
  writeSlowly(e)
  code.end()
}

/** As `Cpu.spendCounterRead`. */
function spendCounterRead(e: Emitter): void {
  const { code } = e
  const time = code.local('i64')
  e.state(i64.load32_u, STATE.COUNTER_READ)
  code.set(time)
  const move = (load: number, store: number, offset: number, by: number) =>
    e.setState(store, offset, () => {
      e.state(load, offset)
      code.get(time).op(by)
    })
  move(i64.load, i64.store, STATE.END, i64.sub)
  move(i64.load32_s, i64.store32, STATE.LEFT, i64.sub)
  move(i64.load, i64.store, STATE.TIME_OFFSET, i64.add)
  code.release(time)
}

/** Reads a frequent register into the i64 local, when nothing stands in the way; the condition is pushed by the first function. */
function readFrequent(e: Emitter, key: number, value: number): boolean {
  const { code } = e
  if (key === SP_EL0) {
    // While SP_EL0 is the stack pointer it is not accessible as a register.
    e.state(i32.load, STATE.EL)
    e.state(i32.load, STATE.SPSEL)
    code.op(i32.and).if()
    e.state(i64.load, SLOT.SP_EL0)
  } else if (key === DAIF) {
    e.state(i32.load, STATE.EL)
    code.if()
    e.state(i32.load, STATE.DAIF)
    code.i32(6).op(i32.shl, i64.extend_i32_u)
  } else if (key === CNTVCT_EL0) {
    e.state(i32.load, STATE.EL)
    e.state(i32.load, SLOT.CNTKCTL_EL1)
    code.i32(2).op(i32.and, i32.or).if()
    // Retired instructions are END - LEFT.
    e.state(i64.load, STATE.END)
    e.state(i64.load32_s, STATE.LEFT)
    code.op(i64.sub)
    e.state(i64.load, STATE.TIME_OFFSET)
    code.op(i64.add)
    e.state(i64.load32_u, STATE.PER_TICK)
    code.op(i64.div_u)
    e.state(i64.load, SLOT.CNTVOFF)
    code.op(i64.sub).set(value)
    spendCounterRead(e)
    code.get(value)
  } else return false
  code.set(value).else()
  readSlowly(e, value)
  code.end()
  return true
}

const readRows = group({
  fields: 'L:21 o0:19 op1:18-16 CRn:15-12 CRm:11-8 op2:7-5 Rt:4-0',
  variants: frequentReads,
  emit: (e) => {
    const { code } = e
    const entry = code.local('i32')
    const value = code.local('i64')
    if (!readFrequent(e, e.known(registerField) ?? 0, value)) {
      pushPlain(e, MEMORY.registerReads, entry)
      code.if()
      code.get(entry).i32(DIRECT.external).op(i32.and).if()
      readExternal(e, value)
      code.else()
      e.cpu()
      code.get(entry).i32(0xff8).op(i32.and, i32.add).memory(i64.load).set(value)
      code.end()
      code.else()
      readSlowly(e, value)
      code.end()
    }
    e.setX(Rt, () => code.get(value))
    code.release(entry, value)
  },
  text: (word) => `mrs ${x(word, Rt, true)}, ${genericRegisterName(word)}`,
  encodings: [['MRS_RS_systemmove', '110101010011xxxxxxxxxxxxxxxxxxxx']],
})

/** MSR in the host. Ends the instruction. */
function writeSlowly(e: Emitter): void {
  e.setState(i64.store, STATE.VALUE, () => e.x(Rt))
  e.savePc()
  e.cpu()
  e.word()
  e.call(writeRegister)
  e.leave()
}

const writeRows = group({
  fields: 'L:21 o0:19 op1:18-16 CRn:15-12 CRm:11-8 op2:7-5 Rt:4-0',
  variants: frequentWrites,
  emit: (e) => {
    const { code } = e
    const entry = code.local('i32')
    if (e.known(registerField) === DAIF) {
      e.w(Rt)
      code.i32(6).op(i32.shr_u).i32(15).op(i32.and).set(entry)
      e.state(i32.load, STATE.EL)
      code.op(i32.eqz)
      e.state(i32.load, STATE.LINES)
      code.get(entry).i32(-1).op(i32.xor, i32.and, i32.or).if()
      writeSlowly(e)
      code.end()
      e.setState(i32.store, STATE.DAIF, () => code.get(entry))
      code.release(entry)
      return
    }
    if (e.known(registerField) === SP_EL0) {
      e.state(i32.load, STATE.EL)
      e.state(i32.load, STATE.SPSEL)
      code.op(i32.and, i32.eqz).if()
      writeSlowly(e)
      code.end()
      e.setState(i64.store, SLOT.SP_EL0, () => e.x(Rt))
      code.release(entry)
      return
    }
    pushPlain(e, MEMORY.registerWrites, entry)
    code.op(i32.eqz).if()
    writeSlowly(e)
    code.end()
    code.get(entry).i32(DIRECT.external).op(i32.and).if()
    writeExternal(e)
    code.else()
    e.cpu()
    code.get(entry).i32(0xff8).op(i32.and, i32.add)
    e.x(Rt)
    code.memory(i64.store)
    code.end()
    code.release(entry)
  },
  text: (word) => `msr ${genericRegisterName(word)}, ${x(word, Rt, true)}`,
  encodings: [['MSR_SR_systemmove', '110101010001xxxxxxxxxxxxxxxxxxxx']],
})

const DC_ZVA = 0b1_011_0111_0100_001

function sysSlowly(e: Emitter): void {
  e.setState(i64.store, STATE.VALUE, () => e.x(Rt))
  e.savePc()
  e.cpu()
  e.word()
  e.call(systemInstruction)
  e.leave()
}

/** IC IVAU and DC CVAC, CVAU, CIVAC: nothing but that the address must translate, for a read at EL0, where SCTLR_EL1.UCI allows them. */
const cacheMaintenance = [5, 10, 11, 14].map((CRmValue) => registerPattern(1, 3, 7, CRmValue, 1))

function maintainCache(e: Emitter): void {
  const { code } = e
  e.state(i32.load, STATE.EL)
  code.op(i32.eqz)
  e.state(i32.load, SLOT.SCTLR_EL1)
  code.i32(SCTLR.UCI).op(i32.and, i32.eqz, i32.and).if()
  sysSlowly(e)
  code.end()
  const address = code.local('i64')
  e.x(Rt)
  code.set(address)
  e.whereReadable(address, () => sysSlowly(e))
  code.release(address)
}

function zeroByAddress(e: Emitter): void {
  const { code } = e
  const address = code.local('i64')
  e.state(i32.load, STATE.ZERO_TRAP)
  code.if()
  sysSlowly(e)
  code.end()
  e.x(Rt)
  code.i64(~63n).op(i64.and).set(address)
  e.zeroBlock(address, () => sysSlowly(e))
  code.release(address)
}

const sysRows = group({
  fields: 'L:21 op1:18-16 CRn:15-12 CRm:11-8 op2:7-5 Rt:4-0',
  variants: [registerPattern(1, 3, 7, 4, 1), ...cacheMaintenance],
  emit: (e) => {
    const known = e.known(registerField)
    if (known === undefined || e.fixed([21, 21])) sysSlowly(e)
    else if (known === DC_ZVA) zeroByAddress(e)
    else maintainCache(e)
  },
  text: (word, name) => {
    const operands = `#${bitsOf(word, op1)}, c${bitsOf(word, [15, 12])}, c${bitsOf(word, CRm)}, #${bitsOf(word, op2)}`
    if (name === 'sysl') return `sysl ${x(word, Rt, true)}, ${operands}`
    return `sys ${operands}${bitsOf(word, Rt) === 31 ? '' : `, ${x(word, Rt, true)}`}`
  },
  encodings: [
    ['SYS_CR_systeminstrs', '1101010100001xxxxxxxxxxxxxxxxxxx'],
    ['SYSL_RC_systeminstrs', '1101010100101xxxxxxxxxxxxxxxxxxx'],
  ],
})

export const systemRows: readonly Row[] = [
  ...exceptionRows,
  ...undefinedRows,
  ...barrierRows,
  ...hintRows,
  ...statusRows,
  ...readRows,
  ...writeRows,
  ...sysRows,
]
