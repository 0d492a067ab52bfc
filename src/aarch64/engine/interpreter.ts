/**
 * The interpreter tier: one wasm function per instruction variant, (cpu, opcode, ip) -> ip, where ip is the host address that the
 * opcode was fetched from, and 0 as a result means "PC is in the state block". It knows no instruction; `run-loop.ts` calls them.
 */
import { type Access, type AccessOptions, Emitter, type Push } from '../isa/emitter.ts'
import type { Field } from '../isa/fields.ts'
import { reachPlain } from '../memory/refill.ts'
import { deviceRead, deviceWrite, fetch, slowRead, slowWrite, tlbEntry } from '../memory/tlb-lookup.ts'
import { READ, WRITE } from '../memory/walk.ts'
import { ACCESS, EXCEPTION, effect, exception } from '../state/host.ts'
import { MEMORY, STATE, TLB } from '../state/state.ts'
import { Code } from '../wasm/code.ts'
import type { Module, Signature } from '../wasm/module.ts'
import { i32, i64, v128 } from '../wasm/opcodes.ts'

export const handlerSignature: Signature = { parameters: ['i32', 'i32', 'i32'], results: ['i32'] }

/** Parameters of a handler, and locals of the run loop. */
export const CPU = 0
const OPCODE = 1
export const IP = 2
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

  override whereReadable(address: number, slow: Push): void {
    const { code } = this
    const entry = this.hit(TLB.read, 1, address, {})
    code.op(i32.eqz).if()
    code.get(CPU).get(address).i32(READ).call(this.module.indexOf(reachPlain)).op(i32.eqz).if()
    slow()
    code.end().end()
    code.release(entry)
  }

  override zeroBlock(address: number, slow: Push): void {
    const { code } = this
    const host = code.local('i32')
    const entry = this.hit(TLB.write, 64, address, {})
    code.if()
    code.get(address).op(i32.wrap_i64).get(entry).memory(i32.load, TLB.addend).op(i32.add).set(host)
    code.else()
    code.get(CPU).get(address).i32(WRITE).call(this.module.indexOf(reachPlain)).tee(host).op(i32.eqz).if()
    slow()
    code.end()
    code.end()
    for (let part = 0; part < 4; part++)
      code
        .get(host)
        .v128([])
        .memory(v128.store, 16 * part)
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

/** What a handler is made from: opcode bits it takes for granted, and its semantics. */
export interface Variant {
  readonly mask: number
  readonly value: number
  /** Bits of `mask` that dispatch has not looked at, so that the handler must. */
  readonly check: number
  readonly fp: boolean
  readonly emit: (e: Emitter) => void
}

/** Emits a handler's body: what is still to be checked, then its semantics. */
export function emitBody(emitter: InterpreterEmitter, { value, check, fp, emit }: Variant): void {
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
