/**
 * Generated code that fills a CPU's software TLBs from the translation tables, and the slow path of an access that only needed that.
 * What is anything else (a fault, a device, an access that is misaligned or crosses a page, a watched page) is the host's.
 */
import { SCTLR, SLOT } from '../state/cpu.ts'
import { ACCESS, fetchMiss, findSpace } from '../state/host.ts'
import { BUS_TLB, CPU_AREA, MEMORY, REGION, STATE, TLB, TLB_NOTES, WALK } from '../state/state.ts'
import type { Code } from '../wasm/code.ts'
import type { LibraryFunction, Module } from '../wasm/module.ts'
import { i32, i64 } from '../wasm/opcodes.ts'
import { EXECUTE, READ, regionOf, WRITE, walk } from './walk.ts'

const CPU = 0
const tlbMask = (TLB.entries - 1) * TLB.entryBytes
const busMask = (BUS_TLB.entries - 1) * BUS_TLB.entryBytes

const result = (code: Code, load: number, offset: number) => code.i32(MEMORY.walk).memory(load, offset)

/** Pushes an offset of `entries` of 32 bytes for the page of the i64 local. */
function offsetOf(code: Code, address: number, mask: number): void {
  code.get(address).i64(7).op(i64.shr_u, i32.wrap_i64).i32(mask).op(i32.and)
}

/** (cpu, address, kind, EL): enters a page of the bus, whose physical address is below 4 GiB; what the entry had for another page goes. */
const enterBus: LibraryFunction = {
  name: 'enterBus',
  parameters: ['i32', 'i64', 'i32', 'i32'],
  results: [],
  body: (code) => {
    const entry = code.local('i32')
    const mine = code.local('i32')
    const tag = code.local('i64')
    code.get(CPU).i32(CPU_AREA.busTlb).op(i32.add)
    offsetOf(code, 1, busMask)
    code.op(i32.add).set(entry)
    code.get(1).i64(~0xfffn).op(i64.and)
    code.get(3).op(i64.extend_i32_u).i64(BUS_TLB.elShift).op(i64.shl, i64.or).set(tag)
    // The tags are neighbours, read before write: the other one is 8 bytes on, or back.
    code.get(entry).get(2).i32(WRITE).op(i32.eq).i32(3).op(i32.shl, i32.add).set(mine)
    code.get(mine).get(tag).memory(i64.store, BUS_TLB.read)
    code.get(mine).get(entry).op(i32.sub).i32(8).op(i32.xor).get(entry).op(i32.add).tee(mine)
    code.memory(i64.load, BUS_TLB.read).get(tag).op(i64.ne).if()
    code.get(mine).i64(-1).memory(i64.store, BUS_TLB.read).end()
    code.get(entry)
    result(code, i32.load, WALK.address).i32(~0xfff).op(i32.and).memory(i32.store, BUS_TLB.page)
    code
      .get(CPU)
      .i32(1)
      .memory(i32.store, CPU_AREA.notes + TLB_NOTES.anyBus)
    code
      .get(CPU)
      .get(CPU)
      .memory(i32.load, CPU_AREA.notes + TLB_NOTES.nonGlobalBus)
    result(code, i32.load, WALK.nonGlobal)
      .op(i32.or)
      .memory(i32.store, CPU_AREA.notes + TLB_NOTES.nonGlobalBus)
  },
}

/** Notes that the entry at the address in the local is one that a change of the address space must drop: the EL1 TLB has all of them. */
function list(code: Code, entry: number): void {
  const listed = code.local('i32')
  const offset = CPU_AREA.notes + TLB_NOTES.listed
  code.get(CPU).memory(i32.load, offset).tee(listed).i32(TLB_NOTES.mostListed).op(i32.lt_u).if()
  code.get(CPU).get(listed).i32(2).op(i32.shl, i32.add).get(entry)
  code.memory(i32.store, CPU_AREA.notes + TLB_NOTES.list)
  code.end()
  code.get(CPU).get(listed).i32(TLB_NOTES.mostListed).op(i32.le_u).get(listed).op(i32.add).memory(i32.store, offset)
  code.release(listed)
}

/** Marks the part of the address space that a block is in: a TLBI by address must drop it whole. */
function markBlock(code: Code): void {
  const part = (shift: number, base: number) => {
    code.get(1).i64(shift).op(i64.shr_u, i32.wrap_i64).i32(0xfff).op(i32.and)
    code
      .get(CPU)
      .op(i32.add)
      .i32(1)
      .memory(i32.store8, CPU_AREA.blocks + base)
  }
  code
    .get(CPU)
    .i32(1)
    .memory(i32.store, CPU_AREA.notes + TLB_NOTES.anyBlocks)
  result(code, i32.load, WALK.shift).i32(21).op(i32.le_u).if()
  part(21, 0)
  code.else()
  part(30, 0x1000)
  code.end()
}

/** Decides whose the TLB of EL0 is, if it is not decided. */
function settleSpace(code: Code, module: Module): void {
  code.get(CPU).memory(i32.load, STATE.TLB_UNPRIVILEGED).i32(MEMORY.emptyTlb).op(i32.eq).if()
  code.get(CPU).call(module.indexOf(findSpace)).end()
}

/**
 * (cpu, address, READ, WRITE or EXECUTE, EL, PSTATE.PAN if it applies, what may be entered) -> a fault status code, or -1 with WALK: where
 * the address is, and in WALK.host 0 when that is the bus's. The TLB of the EL, or that of the bus, has it then, if it may.
 */
export const refill: LibraryFunction = {
  name: 'refill',
  parameters: ['i32', 'i64', 'i32', 'i32', 'i32', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    const [ADDRESS, KIND, EL, PAN, MAY] = [1, 2, 3, 4, 5]
    const status = code.local('i32')
    const region = code.local('i32')
    const access = code.local('i32')
    const host = code.local('i32')
    const allowed = code.local('i32')
    const entry = code.local('i32')
    code.get(CPU).get(ADDRESS).get(KIND).get(EL).get(PAN).call(module.indexOf(walk)).tee(status)
    code.i32(0).op(i32.ge_s).if().get(status).return().end()

    result(code, i64.load, WALK.address).call(module.indexOf(regionOf)).tee(region).if()
    code.get(region).memory(i32.load, REGION.access).set(access)
    result(code, i32.load, WALK.address).get(region).memory(i32.load, REGION.addend).op(i32.add).set(host)
    code.else().i32(0).set(access).end()
    // What may be written at its place may be read there too.
    code.i32(MEMORY.walk).get(host).i32(0)
    code.get(access).get(KIND).i32(WRITE).op(i32.and).i32(READ).op(i32.or, i32.and)
    code.get(KIND).i32(WRITE).op(i32.and).i32(READ).op(i32.or, i32.eq).select().memory(i32.store, WALK.host)
    result(code, i32.load, WALK.host).op(i32.eqz).if()
    code.get(KIND).i32(EXECUTE).op(i32.ne).get(MAY).get(KIND).op(i32.and, i32.eqz, i32.eqz, i32.and)
    result(code, i64.load, WALK.address).i64(32).op(i64.shr_u, i64.eqz, i32.and).if()
    code.get(CPU).get(ADDRESS).get(KIND).get(EL).call(module.indexOf(enterBus)).end()
    code.i32(-1).return()
    code.end()

    result(code, i32.load, WALK.allowed).get(access).i32(EXECUTE).op(i32.or, i32.and).get(MAY).op(i32.and).set(allowed)
    // Accesses that may need an alignment check stay in the host; fetches from such a page are still direct.
    const only = (bits: () => void) => {
      code.get(allowed)
      bits()
      code.op(i32.and).set(allowed)
    }
    const executing = () => code.get(KIND).i32(EXECUTE).op(i32.and)
    code.get(CPU).memory(i32.load, SLOT.SCTLR_EL1).i32(SCTLR.A).op(i32.and)
    result(code, i32.load, WALK.device).op(i32.or).if()
    only(executing)
    code.end()
    // With the MMU off a page is Normal memory to fetches alone.
    code.get(CPU).memory(i32.load, SLOT.SCTLR_EL1).i32(SCTLR.M).op(i32.and, i32.eqz).if()
    only(executing)
    code.end()
    code.get(allowed).op(i32.eqz).if().i32(-1).return().end()

    code.get(EL).op(i32.eqz).if()
    settleSpace(code, module)
    code.get(CPU).memory(i32.load, STATE.TLB_UNPRIVILEGED).set(entry)
    code.else()
    code
      .get(CPU)
      .i32(1)
      .memory(i32.store, CPU_AREA.notes + TLB_NOTES.anyEl1)
    code.get(CPU).i32(CPU_AREA.tlb1).op(i32.add).set(entry)
    code.end()
    code.get(entry)
    offsetOf(code, ADDRESS, tlbMask)
    code.op(i32.add).set(entry)
    for (const [bit, tag] of [TLB.read, TLB.write, TLB.execute].entries()) {
      code.get(entry).get(ADDRESS).i64(~0xfffn).op(i64.and).i64(-1)
      code
        .get(allowed)
        .i32(1 << bit)
        .op(i32.and)
        .select()
        .memory(i64.store, tag)
    }
    code.get(entry).get(host).get(ADDRESS).op(i32.wrap_i64, i32.sub).memory(i32.store, TLB.addend)
    code.get(EL).op(i32.eqz, i32.eqz)
    result(code, i32.load, WALK.nonGlobal).op(i32.and).if()
    list(code, entry)
    code.end()
    result(code, i32.load, WALK.shift).i32(12).op(i32.gt_u).if()
    markBlock(code)
    code.end()
    code.i32(-1)
  },
}

const ofHalves = (callee: LibraryFunction, name: string, count: number): LibraryFunction => ({
  name,
  parameters: Array.from({ length: count }, () => 'i32' as const),
  results: ['i32'],
  body: (code, module) => {
    code.get(0).get(1).op(i64.extend_i32_u).get(2).op(i64.extend_i32_u).i64(32).op(i64.shl, i64.or)
    for (let argument = 3; argument < count; argument++) code.get(argument)
    code.call(module.indexOf(callee))
  },
})

/** `walk` and `refill` for the host, which passes an address as its halves. */
export const hostWalk = ofHalves(walk, 'hostWalk', 6)
export const hostRefill = ofHalves(refill, 'hostRefill', 7)

/**
 * (cpu, address, info, READ or WRITE) -> where an element is in the linear memory, when it is there, aligned, in one page and allowed;
 * else 0. The info word is that of slowLoad and slowStore.
 */
const reach: LibraryFunction = {
  name: 'reach',
  parameters: ['i32', 'i64', 'i32', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    const [ADDRESS, INFO, KIND] = [1, 2, 3]
    const entry = code.local('i32')
    const el = code.local('i32')
    code.get(CPU).memory(i32.load, STATE.WATCHES)
    code.get(ADDRESS).op(i32.wrap_i64).get(INFO).i32(8).op(i32.shr_u).i32(1).op(i32.sub, i32.and, i32.or)
    code.get(ADDRESS).op(i32.wrap_i64).i32(0xfff).op(i32.and).get(INFO).i32(31).op(i32.and, i32.add)
    code.i32(0x1000).op(i32.gt_u, i32.or).if().i32(0).return().end()

    code.get(CPU).memory(i32.load, STATE.EL).set(el)
    code.get(INFO).i32(ACCESS.unprivileged).op(i32.and).if().i32(0).set(el).end()
    code.get(el).op(i32.eqz).if()
    settleSpace(code, module)
    code.end()
    // The space may have known the page, or the first element of a pair has brought it in.
    code.get(CPU).i32(CPU_AREA.tlb1).op(i32.add).get(CPU).memory(i32.load, STATE.TLB_UNPRIVILEGED).get(el).select()
    offsetOf(code, ADDRESS, tlbMask)
    code.op(i32.add).tee(entry)
    code.get(KIND).i32(WRITE).op(i32.eq).i32(3).op(i32.shl, i32.add).memory(i64.load, TLB.read)
    code.get(ADDRESS).i64(~0xfffn).op(i64.and, i64.eq).if()
    code.get(ADDRESS).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).return().end()

    code.get(CPU).get(ADDRESS).get(KIND).get(el)
    // PSTATE.PAN is nothing to an access as EL0's.
    code.get(CPU).memory(i32.load, STATE.PAN).i32(0).get(el).select()
    code
      .i32(READ | WRITE | EXECUTE)
      .call(module.indexOf(refill))
      .i32(0)
      .op(i32.ge_s)
      .if()
      .i32(0)
      .return()
      .end()
    result(code, i32.load, WALK.host)
  },
}

/** Loads that move an element of so many bytes, and stores. */
const moves = [
  [8, i64.load, i64.store],
  [4, i32.load, i32.store],
  [2, i32.load16_u, i32.store16],
  [1, i32.load8_u, i32.store8],
] as const

function reachFor(code: Code, module: Module, address: number, info: number, kind: number): number {
  const host = code.local('i32')
  code.get(CPU).get(address).get(info)
  if (kind === WRITE) code.i32(WRITE)
  else code.i32(WRITE).i32(READ).get(info).i32(ACCESS.atomic).op(i32.and).select()
  code.call(module.indexOf(reach)).tee(host).if()
  return host
}

/** Moves the element between STATE.VALUE and memory when only the TLB had to be filled, and returns 0: no fault. Parameters as those of slowRead. */
export function moveIfReached(code: Code, module: Module, kind: number): void {
  const [ADDRESS, INFO] = [2, 3]
  const host = reachFor(code, module, ADDRESS, INFO, kind)
  for (const [bytes, load, store] of moves) {
    code.get(INFO).i32(31).op(i32.and).i32(bytes).op(i32.eq).if()
    const [to, toOffset, from, fromOffset] = kind === WRITE ? [host, 0, CPU, STATE.VALUE] : [CPU, STATE.VALUE, host, 0]
    code.get(to).get(from).memory(load, fromOffset).memory(store, toOffset)
    code.i32(0).return().end()
  }
  code.end()
  code.release(host)
}

/** (cpu, address, READ or WRITE) -> where it is in the linear memory, when that is allowed and nothing has to be looked at; else 0. */
export const reachPlain: LibraryFunction = {
  name: 'reachPlain',
  parameters: ['i32', 'i64', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    code
      .get(CPU)
      .get(1)
      .i32(1 << 8)
      .get(2)
      .call(module.indexOf(reach))
  },
}

/** (cpu): makes the page of STATE.PC fetchable, or takes an exception. */
export const fetchPage: LibraryFunction = {
  name: 'fetchPage',
  parameters: ['i32'],
  results: [],
  body: (code, module) => {
    const pc = code.local('i64')
    code.get(CPU).memory(i64.load, STATE.PC).set(pc)
    code.block()
    code.get(CPU).memory(i32.load, STATE.WATCHES).get(pc).op(i32.wrap_i64).i32(3).op(i32.and, i32.or).brIf(0)
    // A tag byte may have to be taken off.
    code.get(pc).i64(8).op(i64.shl).i64(8).op(i64.shr_s).get(pc).op(i64.ne).brIf(0)
    code
      .get(CPU)
      .get(pc)
      .i32(EXECUTE)
      .get(CPU)
      .memory(i32.load, STATE.EL)
      .i32(0)
      .i32(READ | WRITE | EXECUTE)
    code.call(module.indexOf(refill)).i32(0).op(i32.ge_s).brIf(0)
    result(code, i32.load, WALK.host).op(i32.eqz).brIf(0)
    code.return().end()
    code.get(CPU).call(module.indexOf(fetchMiss))
  },
}
