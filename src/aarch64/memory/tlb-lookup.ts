/**
 * Generated code that looks into a CPU's software TLBs: where an instruction is fetched from, and what an access does that found
 * nothing there, or a device. The entries are made in `refill.ts`; which instruction accesses what is not known here.
 */
import { busRead, busWrite, slowLoad, slowStore } from '../state/host.ts'
import { BUS_TLB, CPU_AREA, STATE, TLB } from '../state/state.ts'
import type { Code } from '../wasm/code.ts'
import type { HostFunction, LibraryFunction, Module } from '../wasm/module.ts'
import { i32, i64 } from '../wasm/opcodes.ts'
import { moveIfReached } from './refill.ts'
import { READ, WRITE } from './walk.ts'

/** The first parameter of every function here. */
const CPU = 0

const tlbMask = (TLB.entries - 1) * TLB.entryBytes

/** Pushes the address of the TLB entry for the i64 local `address`. */
export function tlbEntry(code: Code, address: number, table: number): void {
  code.get(CPU).memory(i32.load, table)
  code.get(address).i64(7).op(i64.shr_u, i32.wrap_i64).i32(tlbMask).op(i32.and, i32.add)
}

/** (cpu, pc) -> ip, or 0 with STATE.PC set when the page must be looked up first. */
export const fetch: LibraryFunction = {
  name: 'fetch',
  parameters: ['i32', 'i64'],
  results: ['i32'],
  body: (code) => {
    const pc = 1
    const entry = code.local('i32')
    tlbEntry(code, pc, STATE.TLB)
    code.tee(entry).memory(i64.load, TLB.execute)
    // Bits 1:0 stay in the comparison: a misaligned PC never hits.
    code.get(pc).i64(~0xffcn).op(i64.and, i64.eq).if()
    const ip = code.local('i32')
    code.get(pc).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).set(ip)
    code.get(CPU).get(pc).get(ip).op(i64.extend_i32_u, i64.sub).memory(i64.store, STATE.PC_DELTA)
    code.get(ip).return()
    code.end()
    code.get(CPU).get(pc).memory(i64.store, STATE.PC)
    code.i32(0)
  },
}

/** (cpu, pc, address, info) -> not 0 when the access faulted. The element is in STATE.VALUE: afterwards, or before for a write. */
function slowAccess(name: string, callee: HostFunction, kind: number): LibraryFunction {
  return {
    name,
    parameters: ['i32', 'i64', 'i64', 'i32'],
    results: ['i32'],
    body: (code, module) => {
      moveIfReached(code, module, kind)
      code.get(0).get(1).memory(i64.store, STATE.PC)
      code.get(0).get(2).memory(i64.store, STATE.ADDRESS)
      code.get(0).get(3).call(module.indexOf(callee))
      code.get(0).memory(i32.load, STATE.FAULT)
    },
  }
}

export const slowRead = slowAccess('slowRead', slowLoad, READ)
export const slowWrite = slowAccess('slowWrite', slowStore, WRITE)

/** Bytes of the element in an info word. */
const infoBytes = 31

/**
 * Pushes whether the access hits in the bus TLB, with `entry` set: the page, the level, and an address aligned to the element
 * and to whatever else the info word asks for, as Device memory has it.
 */
function busHit(code: Code, tag: number, entry: number): void {
  code.get(0).get(2).i64(7).op(i64.shr_u, i32.wrap_i64)
  code
    .i32((BUS_TLB.entries - 1) * BUS_TLB.entryBytes)
    .op(i32.and, i32.add)
    .tee(entry)
  code.memory(i64.load, CPU_AREA.busTlb + tag)
  code.get(3).i32(8).op(i32.shr_u).i32(1).op(i32.sub)
  code.get(3).i32(infoBytes).op(i32.and).i32(1).op(i32.sub, i32.or, i64.extend_i32_u).i64(~0xfffn).op(i64.or)
  code.get(2).op(i64.and)
  code.get(0).memory(i64.load32_u, STATE.EL).i64(BUS_TLB.elShift).op(i64.shl, i64.or, i64.eq)
}

/** Pushes the number of the CPU, the physical address and the size of an access that hit. */
function busArguments(code: Code, entry: number): void {
  code.get(0).get(1).memory(i64.store, STATE.PC)
  code.get(0).get(2).memory(i64.store, STATE.ADDRESS)
  code.get(0).i32(0).memory(i32.store, STATE.FAULT)
  code.get(0).memory(i32.load, STATE.INDEX)
  code.get(entry).memory(i32.load, CPU_AREA.busTlb + BUS_TLB.page)
  code.get(2).op(i32.wrap_i64).i32(0xfff).op(i32.and, i32.or)
  code.get(3).i32(infoBytes).op(i32.and)
}

/** As `slow`, for what may be a device's register: the page is looked for in the bus TLB first. */
function deviceAccess(name: string, slow: LibraryFunction, tag: number, hit: (code: Code, module: Module) => void) {
  const { parameters, results } = slow
  const body = (code: Code, module: Module): void => {
    const entry = code.local('i32')
    busHit(code, tag, entry)
    code.if()
    busArguments(code, entry)
    hit(code, module)
    code.get(0).memory(i32.load, STATE.FAULT).return().end()
    code.get(0).get(1).get(2).get(3).call(module.indexOf(slow))
  }
  return { name, parameters, results, body } satisfies LibraryFunction
}

export const deviceRead = deviceAccess('deviceRead', slowRead, BUS_TLB.read, (code, module) => {
  const value = code.local('i32')
  code.call(module.indexOf(busRead)).set(value)
  code.get(0).get(value).memory(i32.store, STATE.VALUE)
})

export const deviceWrite = deviceAccess('deviceWrite', slowWrite, BUS_TLB.write, (code, module) => {
  code.get(0).memory(i32.load, STATE.VALUE).call(module.indexOf(busWrite))
})
