/**
 * One WebAssembly function body under construction: opcodes go straight into bytes, locals are handed out by type.
 * It checks nothing about types; the engine's validator does. It does not know what an AArch64 instruction is.
 */
import { Bytes } from './bytes.ts'

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'
export const valueTypeCode: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

const emptyBlock = 0x40

/** A function that a body may call: an import, or a library function that the module builder emits when it is first used. */
export type Callee = number

export class Code {
  readonly bytes = new Bytes(128)
  readonly parameters: readonly ValueType[]
  readonly locals: ValueType[] = []
  /** How many blocks are open: a branch to a block opened at depth d is `br(depth - d)`. */
  depth = 0
  private readonly free = new Map<ValueType, number[]>()

  constructor(parameters: readonly ValueType[]) {
    this.parameters = parameters
  }

  /** A local that is nobody else's until `release`. Its value is undefined: it may be a used one. */
  local(type: ValueType): number {
    const reused = this.free.get(type)?.pop()
    if (reused !== undefined) return reused
    this.locals.push(type)
    return this.parameters.length + this.locals.length - 1
  }

  release(...locals: number[]): void {
    for (const index of locals) {
      const type = this.locals[index - this.parameters.length]
      if (type === undefined) throw new Error(`local ${index} is a parameter`)
      const list = this.free.get(type)
      if (list) list.push(index)
      else this.free.set(type, [index])
    }
  }

  /** One or more opcodes that take no immediate. */
  op(...opcodes: number[]): this {
    for (const opcode of opcodes) {
      if (opcode > 0xff) {
        this.bytes.byte(opcode >>> 8)
        this.bytes.u32(opcode & 0xff)
      } else this.bytes.byte(opcode)
    }
    return this
  }

  i32(value: number): this {
    this.bytes.byte(0x41)
    this.bytes.s32(value)
    return this
  }

  i64(value: bigint | number): this {
    this.bytes.byte(0x42)
    // Small ones, which most are, have the same bytes as 32-bit numbers, and cost no bigint.
    if (typeof value === 'number' && (value | 0) === value) this.bytes.s32(value)
    else this.bytes.s64(BigInt(value))
    return this
  }

  f64(value: number): this {
    this.bytes.byte(0x44)
    const view = new Uint8Array(new Float64Array([value]).buffer)
    for (const one of view) this.bytes.byte(one)
    return this
  }

  f32(value: number): this {
    this.bytes.byte(0x43)
    const view = new Uint8Array(new Float32Array([value]).buffer)
    for (const one of view) this.bytes.byte(one)
    return this
  }

  /** A v128 constant of 16 bytes, lowest lane first. */
  v128(lanes: readonly number[]): this {
    this.op(0xfd0c)
    for (let index = 0; index < 16; index++) this.bytes.byte(lanes[index] ?? 0)
    return this
  }

  /** i8x16.shuffle: 16 lane indices, 0 to 31. */
  shuffle(lanes: readonly number[]): this {
    this.op(0xfd0d)
    for (let index = 0; index < 16; index++) this.bytes.byte(lanes[index] ?? 0)
    return this
  }

  /** An operation with a lane index: extract and replace. */
  lane(opcode: number, index: number): this {
    this.op(opcode)
    this.bytes.byte(index)
    return this
  }

  get(local: number): this {
    this.bytes.byte(0x20)
    this.bytes.u32(local)
    return this
  }

  set(local: number): this {
    this.bytes.byte(0x21)
    this.bytes.u32(local)
    return this
  }

  tee(local: number): this {
    this.bytes.byte(0x22)
    this.bytes.u32(local)
    return this
  }

  /** A load or a store of the one memory. The alignment hint is "none": guests are free to misalign. */
  memory(opcode: number, offset = 0): this {
    this.op(opcode)
    this.bytes.u32(0)
    this.bytes.u32(offset)
    return this
  }

  /** memory.fill: address, byte and length are on the stack. */
  fill(): this {
    this.op(0xfc0b)
    this.bytes.byte(0)
    return this
  }

  block(result?: ValueType): this {
    this.depth++
    this.bytes.byte(0x02)
    this.bytes.byte(result === undefined ? emptyBlock : valueTypeCode[result])
    return this
  }

  loop(result?: ValueType): this {
    this.depth++
    this.bytes.byte(0x03)
    this.bytes.byte(result === undefined ? emptyBlock : valueTypeCode[result])
    return this
  }

  /** `if`; the condition is on the stack. */
  if(result?: ValueType): this {
    this.depth++
    this.bytes.byte(0x04)
    this.bytes.byte(result === undefined ? emptyBlock : valueTypeCode[result])
    return this
  }

  else(): this {
    this.bytes.byte(0x05)
    return this
  }

  end(): this {
    this.depth--
    this.bytes.byte(0x0b)
    return this
  }

  br(depth: number): this {
    this.bytes.byte(0x0c)
    this.bytes.u32(depth)
    return this
  }

  brIf(depth: number): this {
    this.bytes.byte(0x0d)
    this.bytes.u32(depth)
    return this
  }

  brTable(depths: readonly number[], otherwise: number): this {
    this.bytes.byte(0x0e)
    this.bytes.u32(depths.length)
    for (const depth of depths) this.bytes.u32(depth)
    this.bytes.u32(otherwise)
    return this
  }

  return(): this {
    this.bytes.byte(0x0f)
    return this
  }

  call(callee: Callee): this {
    this.bytes.byte(0x10)
    this.bytes.u32(callee)
    return this
  }

  /** call_indirect through table 0; the table index is on top of the stack. */
  callIndirect(type: number, tail = false): this {
    this.bytes.byte(tail ? 0x13 : 0x11)
    this.bytes.u32(type)
    this.bytes.u32(0)
    return this
  }

  returnCall(callee: Callee): this {
    this.bytes.byte(0x12)
    this.bytes.u32(callee)
    return this
  }

  drop(): this {
    this.bytes.byte(0x1a)
    return this
  }

  /** a b condition -> condition ? a : b */
  select(): this {
    this.bytes.byte(0x1b)
    return this
  }

  unreachable(): this {
    this.bytes.byte(0x00)
    return this
  }

  /** The body as the code section wants it, without its length. */
  encode(into: Bytes): void {
    const runs: [number, ValueType][] = []
    for (const type of this.locals) {
      const last = runs[runs.length - 1]
      if (last && last[1] === type) last[0]++
      else runs.push([1, type])
    }
    into.u32(runs.length)
    for (const [count, type] of runs) {
      into.u32(count)
      into.byte(valueTypeCode[type])
    }
    into.append(this.bytes)
    into.byte(0x0b)
  }
}
