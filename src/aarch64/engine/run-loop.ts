/**
 * The run loop of the interpreter tier, with the most frequent handlers inside it. What a handler does is `interpreter.ts` and the
 * semantics'.
 */

import { fetchPage } from '../memory/refill.ts'
import { fetch } from '../memory/tlb-lookup.ts'
import { MEMORY, STATE } from '../state/state.ts'
import { Code } from '../wasm/code.ts'
import type { Module } from '../wasm/module.ts'
import { i32, i64 } from '../wasm/opcodes.ts'
import { CPU, emitBody, handlerSignature, InterpreterEmitter, IP, type Variant } from './interpreter.ts'

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
  code.get(CPU).call(module.indexOf(fetchPage))
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
