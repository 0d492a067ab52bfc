/**
 * The functions that generated code calls in the embedder: everything rare, or long, or not about instructions. Arguments are
 * small; 64-bit operands pass through the state block. Declarations only.
 */
import type { HostFunction } from '../wasm/module.ts'

const host = (
  name: string,
  parameters: HostFunction['parameters'],
  results: HostFunction['results'] = [],
): HostFunction => ({
  name,
  parameters,
  results,
  host: true,
})

/** (cpu, info): reads STATE.ADDRESS to STATE.VALUE, or takes an exception and sets STATE.FAULT. */
export const slowLoad = host('slowLoad', ['i32', 'i32'])
/** (cpu, info): writes STATE.VALUE to STATE.ADDRESS, or takes an exception and sets STATE.FAULT. */
export const slowStore = host('slowStore', ['i32', 'i32'])
/** (CPU number, physical address, bytes) -> low word: a read of the bus at an aligned address; FAULT is 0 before, the upper half goes to VALUE. */
export const busRead = host('busRead', ['i32', 'i32', 'i32'], ['i32'])
/** (CPU number, physical address, bytes, low word): a write to the bus; the upper half is in VALUE. */
export const busWrite = host('busWrite', ['i32', 'i32', 'i32', 'i32'])
/** (cpu): makes the page of STATE.PC fetchable, or takes an exception. */
export const fetchMiss = host('fetchMiss', ['i32'])
/** (cpu): STATE.TLB_UNPRIVILEGED becomes the TLB of the present address space. */
export const findSpace = host('findSpace', ['i32'])
/** (cpu, kind, immediate): takes the exception, a value of EXCEPTION, of the instruction at STATE.PC. */
export const exception = host('exception', ['i32', 'i32', 'i32'])
/** (cpu, opcode): MRS to STATE.VALUE, or takes an exception and sets STATE.FAULT. */
export const readRegister = host('readRegister', ['i32', 'i32'])
/** (cpu, opcode): MSR (register) from STATE.VALUE; STATE.PC is the instruction's on entry and where to go on after it. */
export const writeRegister = host('writeRegister', ['i32', 'i32'])
/** (CPU number, encoding) -> low word of a register that the embedder has; the upper half goes to VALUE, and FAULT says that there is none. */
export const externalRead = host('externalRead', ['i32', 'i32'], ['i32'])
/** (CPU number, encoding, low word, upper half) -> not 0 when the embedder has such a register and took the value. */
export const externalWrite = host('externalWrite', ['i32', 'i32', 'i32', 'i32'], ['i32'])
/** (cpu, opcode): SYS and SYSL; STATE.VALUE is the operand; PC as for writeRegister. */
export const systemInstruction = host('systemInstruction', ['i32', 'i32'])
/** (cpu, kind, argument): a value of EFFECT; PC as for writeRegister. */
export const effect = host('effect', ['i32', 'i32', 'i32'])

export const hostFunctions = [
  slowLoad,
  slowStore,
  busRead,
  busWrite,
  fetchMiss,
  findSpace,
  exception,
  readRegister,
  writeRegister,
  externalRead,
  externalWrite,
  systemInstruction,
  effect,
] as const

/** `info` of slowLoad and slowStore: bytes in bits 4:0, the alignment that may be required in bits 15:8, and these. */
export const ACCESS = { unprivileged: 0x20, aligned: 0x40, atomic: 0x80 } as const

/** `kind` of exception(): where an instruction itself raises one. */
export const EXCEPTION = {
  undefined: 0,
  svc: 1,
  hvc: 2,
  smc: 3,
  brk: 4,
  fpAccess: 5,
  spAlignment: 6,
  hlt: 7,
  traps: 8,
} as const

/** `kind` of effect(). */
export const EFFECT = { eret: 0, hint: 1, pstate: 2 } as const
