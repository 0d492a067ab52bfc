/**
 * What CPUs with the same features share: the decoder, the dispatch table, and the compiled module of all handlers and the run loop.
 * Made once for each set of features in a process, or for the default ones when the package is built; instances differ in memory and host functions alone.
 */
import { Decoder, indexEntries } from '../isa/decode.ts'
import { fpExact } from '../isa/fp/exact.ts'
import type { Feature } from '../isa/row.ts'
import { rows } from '../isa/rows.ts'
import { hostRefill, hostWalk } from '../memory/refill.ts'
import { hostFunctions } from '../state/host.ts'
import { wasm } from '../wasm/api.ts'
import { Module } from '../wasm/module.ts'
import { hotRows } from './hot.ts'
import { prebuilt, unpack } from './prebuilt.ts'
import { emitRun } from './run-loop.ts'

export interface Engine {
  readonly decoder: Decoder
  /** Places in the function table by index bits of an opcode; goes to MEMORY.decode. */
  readonly dispatch: Uint16Array
  /** A WebAssembly.Module that exports what `Exports` has. */
  readonly module: object
  /** Bytes of the module. */
  readonly size: number
}

const engines = new Map<string, Engine>()

const keyOf = (features: ReadonlySet<Feature>): string => [...features].sort().join()

/** Emits the module of these features, and the dispatch table into it: what a build does once for the default ones. */
export function generate(
  features: ReadonlySet<Feature>,
  decoder = new Decoder(rows, features),
): { key: string; bytes: Uint8Array<ArrayBuffer>; dispatch: Uint16Array<ArrayBuffer> } {
  const dispatch = new Uint16Array(indexEntries)
  const module = new Module([...hostFunctions, fpExact], 1)
  const inline = decoder.emitHandlers(module, dispatch, hotRows)
  module.export('run', emitRun(module, inline))
  for (const entry of [hostWalk, hostRefill]) module.export(entry.name, module.indexOf(entry))
  return { key: keyOf(features), bytes: module.encode(), dispatch }
}

export function engineFor(features: ReadonlySet<Feature>): Engine {
  const key = keyOf(features)
  let engine = engines.get(key)
  if (!engine) {
    let decoder: Decoder | undefined
    // Only a disassembler asks for it where the module was there.
    const lazily = () => {
      decoder ??= new Decoder(rows, features)
      return decoder
    }
    const { bytes, dispatch } = prebuilt?.key === key ? unpack(prebuilt) : generate(features, lazily())
    const module = new wasm.Module(bytes)
    engine = {
      get decoder() {
        return lazily()
      },
      dispatch,
      module,
      size: bytes.length,
    }
    engines.set(key, engine)
  }
  return engine
}
