/** Brings the compiled module of the engine to life over one linear memory: what it imports as `host.ts` declares it, and what it exports. */

import { fpExactFor } from '../isa/fp/exact.ts'
import type { MemoryAccess } from '../memory/access.ts'
import type { Walker } from '../memory/mmu.ts'
import type { Cpu } from '../state/cpu.ts'
import { CPU_AREA, MEMORY } from '../state/state.ts'
import type { HostFunctions } from '../system/host-functions.ts'
import { type LinearMemory, wasm } from '../wasm/api.ts'

/** What the engine's module exports. `run` executes the CPU at an address of its state block. */
export interface Exports extends Walker {
  run(base: number): void
}

export function instantiate(
  module: object,
  memory: LinearMemory,
  cpus: readonly Cpu[],
  access: MemoryAccess,
  functions: HostFunctions,
): Exports {
  const areaShift = Math.log2(CPU_AREA.bytes)
  const cpuOf = (base: number): Cpu => cpus[(base - MEMORY.cpus) >>> areaShift]!
  const host = {
    memory,
    fpExact: fpExactFor(memory),
    slowLoad: (base: number, info: number) => access.access(cpuOf(base), info, false),
    slowStore: (base: number, info: number) => access.access(cpuOf(base), info, true),
    busRead: (index: number, address: number, bytes: number) => access.busRead(index, address >>> 0, bytes),
    busWrite: (index: number, address: number, bytes: number, low: number) =>
      access.busWrite(index, address >>> 0, bytes, low),
    fetchMiss: (base: number) => access.fetchMiss(cpuOf(base)),
    findSpace: (base: number) => cpuOf(base).tlb.findSpace(),
    exception: (base: number, kind: number, immediate: number) => functions.exception(cpuOf(base), kind, immediate),
    readRegister: (base: number, word: number) => functions.readRegister(cpuOf(base), word),
    writeRegister: (base: number, word: number) => functions.writeRegister(cpuOf(base), word),
    externalRead: (index: number, encoding: number) => functions.externalRead(index, encoding),
    externalWrite: (index: number, encoding: number, low: number, high: number) =>
      functions.externalWrite(index, encoding, low, high),
    systemInstruction: (base: number, word: number) => functions.systemInstruction(cpuOf(base), word),
    effect: (base: number, kind: number, word: number) => functions.effect(cpuOf(base), kind, word),
  }
  const instance = new wasm.Instance(module, { host })
  return instance.exports as unknown as Exports
}
