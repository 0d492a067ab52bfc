/**
 * Two ways to run a list of one-instruction cases on our own code: each word compiled with its fields constant, and the interpreter of
 * a whole CPU. Both change the cases in place, as QEMU does.
 */
import { Cluster } from '../../../cluster.ts'
import { STATE } from '../../../state/state.ts'
import type { Row } from '../../row.ts'
import { compile, cpuAddress, Decoder } from './constant-tier.ts'
import { CASE, caseBytes } from './qemu.ts'

/** ESR_EL1 of an UNDEFINED instruction: EC 0, IL. */
const undefinedSyndrome = 0x02000000

/** Copies a case into a state block at `base` of the linear memory. */
function load(memory: Uint8Array, base: number, cases: Uint8Array, index: number): void {
  const start = index * caseBytes
  const from = new DataView(cases.buffer, cases.byteOffset + start, caseBytes)
  const to = new DataView(memory.buffer, memory.byteOffset + base)
  memory.set(cases.subarray(start, start + 512), base + STATE.V)
  memory.set(cases.subarray(start + CASE.X, start + CASE.X + 128), base + STATE.X)
  to.setUint32(STATE.FPCR, from.getUint32(CASE.FPCR, true), true)
  to.setUint32(STATE.FPSR, from.getUint32(CASE.FPSR, true), true)
  to.setUint32(STATE.NZCV, from.getUint32(CASE.NZCV, true) >>> 28, true)
}

function save(memory: Uint8Array, base: number, cases: Uint8Array, index: number): void {
  const start = index * caseBytes
  const to = new DataView(cases.buffer, cases.byteOffset + start, caseBytes)
  const from = new DataView(memory.buffer, memory.byteOffset + base)
  cases.set(memory.subarray(base + STATE.V, base + STATE.V + 512), start)
  cases.set(memory.subarray(base + STATE.X, base + STATE.X + 128), start + CASE.X)
  to.setUint32(CASE.FPSR, from.getUint32(STATE.FPSR, true), true)
  to.setUint32(CASE.NZCV, (from.getUint32(STATE.NZCV, true) << 28) >>> 0, true)
}

const syndrome = (cases: Uint8Array, index: number, value: number): void =>
  new DataView(cases.buffer, cases.byteOffset + index * caseBytes).setUint32(CASE.ESR, value, true)

/** Every word compiled by itself. `table` decodes them. */
export function runConstant(words: Uint32Array, cases: Uint8Array, table: readonly Row[]): void {
  const decoder = new Decoder(table)
  const allocated = [...words.keys()].filter((i) => decoder.find(words[i]!) !== undefined)
  const compiled = compile(
    allocated.map((i) => words[i]!),
    table,
  )
  const memory = new Uint8Array(compiled.memory.buffer)
  for (let i = 0; i < words.length; i++) syndrome(cases, i, undefinedSyndrome)
  for (const [position, i] of allocated.entries()) {
    load(memory, cpuAddress, cases, i)
    compiled.run(position)
    save(memory, cpuAddress, cases, i)
    syndrome(cases, i, 0)
  }
}

const codeAddress = 0x40000000n

/** Every word on the interpreter, at EL1 with the MMU off. */
export function runInterpreter(words: Uint32Array, cases: Uint8Array): void {
  const size = 0x10000
  const cluster = new Cluster({
    cpus: 1,
    memory: [{ base: Number(codeAddress), size }],
    bus: { high: 0, abort: false, read: () => 0, write: () => {} },
  })
  const cpu = cluster.cpus[0]!
  const memory = new Uint8Array(cluster.linear.buffer)
  cluster.start(0, codeAddress, 0n)
  const code = cluster.view(Number(codeAddress), size)!
  const view = new DataView(code.buffer, code.byteOffset, code.byteLength)
  cpu.setWord(STATE.FP_TRAP, 0)
  for (let i = 0; i < words.length; i++) {
    view.setUint32(0, words[i]!, true)
    load(memory, cpu.base, cases, i)
    cluster.setPc(0, codeAddress)
    cluster.run(0, 1)
    const retired = cluster.pc(0) === codeAddress + 4n
    if (retired) save(memory, cpu.base, cases, i)
    else cpu.setWord(STATE.FP_TRAP, 0)
    syndrome(cases, i, retired ? 0 : undefinedSyndrome)
  }
}
