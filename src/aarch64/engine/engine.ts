/**
 * What CPUs with the same features share: the decoder, the dispatch table, and the compiled module of all handlers and the run loop.
 * Made once for each set of features in a process; instances differ in memory and host functions alone.
 */
import { Decoder, indexEntries } from '../isa/decode.ts'
import { fpExact } from '../isa/fp/exact.ts'
import type { Feature } from '../isa/row.ts'
import { rows } from '../isa/rows.ts'
import { hostFunctions } from '../state/host.ts'
import { wasm } from '../wasm/api.ts'
import { Module } from '../wasm/module.ts'
import { hotRows } from './hot.ts'
import { emitRun } from './run-loop.ts'

export interface Engine {
  readonly decoder: Decoder
  /** Places in the function table by index bits of an opcode; goes to MEMORY.decode. */
  readonly dispatch: Uint16Array
  /** A WebAssembly.Module that exports `run`. */
  readonly module: object
  /** Bytes of the module. */
  readonly size: number
}

const engines = new Map<string, Engine>()

export function engineFor(features: ReadonlySet<Feature>): Engine {
  const key = [...features].sort().join()
  let engine = engines.get(key)
  if (!engine) {
    const decoder = new Decoder(rows, features)
    const dispatch = new Uint16Array(indexEntries)
    const module = new Module([...hostFunctions, fpExact], 1)
    const inline = decoder.emitHandlers(module, dispatch, hotRows)
    module.export('run', emitRun(module, inline))
    const bytes = module.encode()
    engine = { decoder, dispatch, module: new wasm.Module(bytes), size: bytes.length }
    engines.set(key, engine)
  }
  return engine
}
