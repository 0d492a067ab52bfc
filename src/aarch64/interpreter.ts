/**
 * The interpreter tier: one wasm function per instruction variant, (cpu, opcode, ip) -> ip, where ip is the host address that the
 * opcode was fetched from, and 0 as a result means "PC is in the state block". It emits the run loop too. It knows no instruction.
 */
import { type Access, type AccessOptions, Emitter, type Push } from './emitter.ts'
import { ACCESS, busRead, busWrite, EXCEPTION, effect, exception, fetchMiss, slowLoad, slowStore } from './host.ts'
import type { Field } from './row.ts'
import { BUS_TLB, CPU_AREA, MEMORY, STATE, TLB } from './state.ts'
import { Code } from './wasm/code.ts'
import type { LibraryFunction, Module, Signature } from './wasm/module.ts'
import { i32, i64, v128 } from './wasm/opcodes.ts'

export const handlerSignature: Signature = { parameters: ['i32', 'i32', 'i32'], results: ['i32'] }

const CPU = 0
const OPCODE = 1
const IP = 2
const tlbMask = (TLB.entries - 1) * TLB.entryBytes

/** Pushes the address of the TLB entry for the i64 local `address`. */
function tlbEntry(code: Code, address: number, table: number): void {
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

/** (cpu, pc, address, info) -> not 0 when the access faulted; the element is in STATE.VALUE. */
const slowRead: LibraryFunction = {
  name: 'slowRead',
  parameters: ['i32', 'i64', 'i64', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    code.get(0).get(1).memory(i64.store, STATE.PC)
    code.get(0).get(2).memory(i64.store, STATE.ADDRESS)
    code.get(0).get(3).call(module.indexOf(slowLoad))
    code.get(0).memory(i32.load, STATE.FAULT)
  },
}

/** (cpu, pc, address, info) -> not 0 when the access faulted; the element was put in STATE.VALUE before. */
const slowWrite: LibraryFunction = {
  name: 'slowWrite',
  parameters: ['i32', 'i64', 'i64', 'i32'],
  results: ['i32'],
  body: (code, module) => {
    code.get(0).get(1).memory(i64.store, STATE.PC)
    code.get(0).get(2).memory(i64.store, STATE.ADDRESS)
    code.get(0).get(3).call(module.indexOf(slowStore))
    code.get(0).memory(i32.load, STATE.FAULT)
  },
}

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

/** As slowRead, for what may be a device's register: the page is looked for in the bus TLB first. */
const deviceRead: LibraryFunction = {
  name: 'deviceRead',
  parameters: slowRead.parameters,
  results: slowRead.results,
  body: (code, module) => {
    const entry = code.local('i32')
    const value = code.local('i32')
    busHit(code, BUS_TLB.read, entry)
    code.if()
    busArguments(code, entry)
    code.call(module.indexOf(busRead)).set(value)
    code.get(0).get(value).memory(i32.store, STATE.VALUE)
    code.get(0).memory(i32.load, STATE.FAULT).return().end()
    code.get(0).get(1).get(2).get(3).call(module.indexOf(slowRead))
  },
}

/** As slowWrite, likewise. */
const deviceWrite: LibraryFunction = {
  name: 'deviceWrite',
  parameters: slowWrite.parameters,
  results: slowWrite.results,
  body: (code, module) => {
    const entry = code.local('i32')
    busHit(code, BUS_TLB.write, entry)
    code.if()
    busArguments(code, entry)
    code.get(0).memory(i32.load, STATE.VALUE).call(module.indexOf(busWrite))
    code.get(0).memory(i32.load, STATE.FAULT).return().end()
    code.get(0).get(1).get(2).get(3).call(module.indexOf(slowWrite))
  },
}

/** Accesses that are more than a plain load or store have all of their checks in the host. */
function isPlain({ unprivileged, aligned, atomic }: AccessOptions): boolean {
  return !unprivileged && !aligned && !atomic
}

export class InterpreterEmitter extends Emitter {
  /** Whether the semantic function ended the instruction itself. */
  ended = false

  override word(): void {
    this.code.get(OPCODE)
  }

  override cpu(): void {
    this.code.get(CPU)
  }

  override condition(field: Field): void {
    const { code } = this
    code.i32(1)
    const known = this.known(field)
    if (known !== undefined) code.i32(0).memory(i32.load16_u, MEMORY.conditions + 2 * known)
    else {
      this.bits(field, 1)
      code.memory(i32.load16_u, MEMORY.conditions)
    }
    this.nzcv()
    code.op(i32.shr_u, i32.and)
  }

  override pc(): void {
    this.code.get(IP).op(i64.extend_i32_u).get(CPU).memory(i64.load, STATE.PC_DELTA).op(i64.add)
  }

  override jump(push: Push): void {
    const { code } = this
    this.ended = true
    const target = code.local('i64')
    const local = code.local('i64')
    push()
    code.tee(target).get(CPU).memory(i64.load, STATE.PC_DELTA).op(i64.sub).tee(local)
    code.get(IP).op(i64.extend_i32_u, i64.xor).i64(~0xffcn).op(i64.and, i64.eqz).if()
    code.get(local).op(i32.wrap_i64)
    this.done()
    code.end()
    code.get(CPU).get(target).call(this.module.indexOf(fetch))
    this.done()
    code.release(target, local)
  }

  override jumpRelative(offset: Push, condition?: Push): void {
    const { code } = this
    this.ended = true
    const distance = code.local('i32')
    const target = code.local('i32')
    offset()
    if (condition) {
      code.i32(4)
      condition()
      code.select()
    }
    code.tee(distance).get(IP).op(i32.add).tee(target)
    code.get(IP).op(i32.xor).i32(~0xfff).op(i32.and, i32.eqz).if()
    code.get(target)
    this.done()
    code.end()
    code.get(CPU)
    this.pc()
    code.get(distance).op(i64.extend_i32_s, i64.add).call(this.module.indexOf(fetch))
    this.done()
    code.release(distance, target)
  }

  override leave(): void {
    this.code.i32(0)
    this.done()
  }

  /** The handler is done; the next ip is on the stack. */
  protected done(): void {
    this.code.return()
  }

  override leaveOnFault(): void {
    this.state(i32.load, STATE.FAULT)
    this.code.if()
    this.leave()
    this.code.end()
  }

  override raise(kind: number, immediate: Push): void {
    this.savePc()
    this.cpu()
    this.code.i32(kind)
    immediate()
    this.call(exception)
    this.leave()
  }

  override effect(kind: number): void {
    this.savePc()
    this.cpu()
    this.code.i32(kind)
    this.word()
    this.call(effect)
    this.leave()
  }

  override undefined(): void {
    this.raise(EXCEPTION.undefined, () => this.word())
  }

  override base(field: Field): void {
    const { code } = this
    const known = this.known(field)
    if (known !== undefined && known !== 31) {
      this.x(field)
      return
    }
    const address = code.local('i64')
    const index = code.local('i32')
    this.bits(field)
    code.tee(index).get(index).i32(1).op(i32.add).i32(5).op(i32.shr_u).tee(index)
    code.op(i32.add).i32(3).op(i32.shl)
    this.cpu()
    code.op(i32.add).memory(i64.load, STATE.X).tee(address)
    code.op(i32.wrap_i64).i32(0).get(index).op(i32.sub, i32.and)
    this.state(i32.load, STATE.SP_ALIGN)
    code.op(i32.and).if()
    this.raise(EXCEPTION.spAlignment, () => code.i32(0))
    code.end().get(address)
    code.release(address, index)
  }

  /** Pushes whether the access hits in the TLB; leaves the entry's address in a local, which it returns. */
  private hit(tag: number, bytes: number, address: number, options: AccessOptions): number {
    const { code } = this
    const entry = code.local('i32')
    tlbEntry(code, address, options.unprivileged ? STATE.TLB_UNPRIVILEGED : STATE.TLB)
    code.tee(entry).memory(i64.load, tag)
    // One comparison admits unaligned accesses and refuses those that cross into the next page; an access that must
    // be aligned keeps the low bits in the comparison, because a tag has none.
    if (options.aligned) code.get(address).i64(BigInt.asIntN(64, ~0xfffn | BigInt(bytes - 1)))
    else {
      code.get(address)
      if (bytes > 1) code.i64(bytes - 1).op(i64.add)
      code.i64(~0xfffn)
    }
    code.op(i64.and, i64.eq)
    return entry
  }

  /** The info word of one element: alignment is that of the whole, so the first one alone is checked. */
  private info(bytes: number, count: number, index: number, options: AccessOptions): number {
    const alignment = index > 0 ? 1 : options.aligned ? bytes * count : (options.alignment ?? bytes)
    return (
      bytes |
      (alignment << 8) |
      (options.unprivileged ? ACCESS.unprivileged : 0) |
      (options.aligned ? ACCESS.aligned : 0) |
      (options.atomic ? ACCESS.atomic : 0)
    )
  }

  override loads(access: Access, address: number, targets: readonly number[], options: AccessOptions = {}): void {
    const { code } = this
    const { bytes, opcode } = access
    const host = code.local('i32')
    const entry = this.hit(options.atomic ? TLB.write : TLB.read, bytes * targets.length, address, options)
    code.if()
    code.get(address).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).set(host)
    for (const [index, target] of targets.entries())
      code
        .get(host)
        .memory(opcode, index * bytes)
        .set(target)
    code.else()
    for (const [index, target] of targets.entries()) {
      this.cpu()
      this.pc()
      code.get(address)
      if (index > 0) code.i64(index * bytes).op(i64.add)
      code
        .i32(this.info(bytes, targets.length, index, options))
        .call(this.module.indexOf(isPlain(options) ? deviceRead : slowRead))
        .if()
      this.leave()
      code.end()
      this.state(opcode, STATE.VALUE)
      code.set(target)
    }
    code.end()
    code.release(host, entry)
  }

  override stores(access: Access, address: number, sources: readonly number[], options: AccessOptions = {}): void {
    const { code } = this
    const { bytes, opcode } = access
    const host = code.local('i32')
    const entry = this.hit(TLB.write, bytes * sources.length, address, options)
    code.if()
    code.get(address).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).set(host)
    for (const [index, source] of sources.entries())
      code
        .get(host)
        .get(source)
        .memory(opcode, index * bytes)
    code.else()
    for (const [index, source] of sources.entries()) {
      this.setState(opcode, STATE.VALUE, () => code.get(source))
      this.cpu()
      this.pc()
      code.get(address)
      if (index > 0) code.i64(index * bytes).op(i64.add)
      code
        .i32(this.info(bytes, sources.length, index, options))
        .call(this.module.indexOf(isPlain(options) ? deviceWrite : slowWrite))
        .if()
      this.leave()
      code.end()
    }
    code.end()
    code.release(host, entry)
  }

  override zeroBlock(address: number, slow: Push): void {
    const { code } = this
    const host = code.local('i32')
    const entry = this.hit(TLB.write, 64, address, {})
    code.if()
    code.get(address).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).set(host)
    for (let part = 0; part < 4; part++)
      code
        .get(host)
        .v128([])
        .memory(v128.store, 16 * part)
    code.else()
    slow()
    code.end()
    code.release(host, entry)
  }

  /** Ends the handler: on to the next instruction, unless the semantic function has ended it. */
  finish(): void {
    if (!this.ended) {
      this.code.get(IP).i32(4).op(i32.add)
      this.done()
    }
    this.code.unreachable()
  }
}

/** A handler inside the run loop: being done is a branch to the loop. */
class InlineEmitter extends InterpreterEmitter {
  /** Depth of the loop that dispatches, and of the block around it. */
  loop = 0

  protected override done(): void {
    const { code } = this
    code
      .set(IP)
      .get(IP)
      .i32(0xffc)
      .op(i32.and)
      .brIf(code.depth - this.loop)
    code.br(code.depth - this.loop + 1)
  }
}

/** What a handler is made from: opcode bits it takes for granted, and its semantics. */
export interface Variant {
  readonly mask: number
  readonly value: number
  /** Bits of `mask` that dispatch has not looked at, so that the handler must. */
  readonly check: number
  readonly fp: boolean
  readonly emit: (e: Emitter) => void
}

function emitBody(emitter: InterpreterEmitter, { value, check, fp, emit }: Variant): void {
  if (check !== 0) {
    emitter.word()
    emitter.code
      .i32(check)
      .op(i32.and)
      .i32(value & check)
      .op(i32.ne)
      .if()
    emitter.undefined()
    emitter.code.end()
  }
  if (fp) {
    emitter.state(i32.load, STATE.FP_TRAP)
    emitter.code.if()
    emitter.raise(EXCEPTION.fpAccess, () => emitter.code.i32(0))
    emitter.code.end()
  }
  emit(emitter)
  emitter.finish()
}

/** Emits one handler; returns its function index. */
export function emitHandler(module: Module, variant: Variant): number {
  const code = new Code(handlerSignature.parameters)
  emitBody(new InterpreterEmitter(code, module, variant.mask, variant.value), variant)
  return module.define(handlerSignature, code)
}

/** Pushes the table index of the handler for the opcode in a local. */
function handlerIndex(code: Code, opcode: number): void {
  code.get(opcode).i32(14).op(i32.shr_u).i32(0x3ff80).op(i32.and)
  code.get(opcode).i32(9).op(i32.shr_u).i32(0x7e).op(i32.and, i32.or)
  code.memory(i32.load16_u, MEMORY.decode)
}

/**
 * The run loop, (cpu): executes until STATE.LEFT is used up. Each instruction takes one off LEFT in memory, so anything that wants
 * the loop to end, or to know how far it is, uses that word. `inline` are the most frequent handlers: theirs are the first
 * places of the function table, and they are emitted into the loop, which spares them the call.
 */
export function emitRun(module: Module, inline: readonly Variant[]): number {
  // Locals 1 and 2 are what handlers have as parameters: opcode and ip.
  const code = new Code(['i32'])
  const opcode = code.local('i32')
  const ip = code.local('i32')
  const left = code.local('i32')
  const index = code.local('i32')
  code.loop()
  code.get(CPU).get(CPU).memory(i64.load, STATE.PC).call(module.indexOf(fetch)).tee(ip).op(i32.eqz).if()
  code.get(CPU).call(module.indexOf(fetchMiss))
  code.get(CPU).memory(i32.load, STATE.LEFT).i32(0).op(i32.gt_s).brIf(1)
  code.return()
  code.end()
  code.block()
  {
    code.loop()
    const loop = code.depth
    // Ends with an ip that is right: PC is made from it below.
    code.get(CPU).memory(i32.load, STATE.LEFT).tee(left).i32(0).op(i32.le_s).brIf(1)
    code.get(CPU).get(left).i32(1).op(i32.sub).memory(i32.store, STATE.LEFT)
    code.get(ip).memory(i32.load).set(opcode)
    handlerIndex(code, opcode)
    code.set(index)
    for (let count = 0; count <= inline.length; count++) code.block()
    code.get(index).brTable(
      inline.map((_, place) => place),
      inline.length,
    )
    for (const variant of inline) {
      code.end()
      const emitter = new InlineEmitter(code, module, variant.mask, variant.value)
      emitter.loop = loop
      emitBody(emitter, variant)
    }
    code.end()
    code.get(CPU).get(opcode).get(ip).get(index).callIndirect(module.type(handlerSignature)).tee(ip)
    // Both 0 ("PC is in the state block") and the first byte of a page leave the loop.
    code.i32(0xffc).op(i32.and).brIf(0)
    code.end()
  }
  code.end()
  code.get(ip).if()
  code.get(CPU).get(ip).op(i64.extend_i32_u).get(CPU).memory(i64.load, STATE.PC_DELTA).op(i64.add)
  code.memory(i64.store, STATE.PC).end()
  code.get(CPU).memory(i32.load, STATE.LEFT).i32(0).op(i32.gt_s).brIf(0)
  code.end()
  return module.define({ parameters: ['i32'], results: [] }, code)
}
