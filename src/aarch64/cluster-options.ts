/** What CPUs may be asked to be: the options of a cluster, their defaults, and where guest memory begins behind the CPUs' own. */

import { type Feature, features } from './isa/row.ts'
import type { Bus, MemoryRegion } from './memory/physical.ts'
import type { Hooks } from './state/hooks.ts'
import { CPU_AREA, MEMORY, REGION } from './state/state.ts'

export interface ClusterOptions {
  readonly cpus: number
  readonly memory: readonly MemoryRegion[]
  readonly bus: Bus
  readonly hooks?: Hooks
  /** Default: all that there are: FEAT_AES, FEAT_PMULL, FEAT_SHA1, FEAT_SHA256 and FEAT_CRC32, as a Cortex-A57 has, and FEAT_LSE and FEAT_PAN. */
  readonly features?: readonly Feature[]
  /** ID_AA64PFR0_EL1.GIC. Default false. */
  readonly gicSystemRegisters?: boolean
  /** Hz, CNTFRQ_EL0. Default 62,500,000. */
  readonly counterFrequency?: number
  /** Instructions of machine time per counter tick. Default 16: 1,000 million instructions are one second. */
  readonly instructionsPerTick?: number
  /**
   * Machine time, in instructions, that a guest's read of a counter or a timer takes beside that of the instruction; default 0.
   * A guest that waits by reading the counter executes so much less of its loop for the same wait.
   */
  readonly counterReadTime?: number
  /** Affinity of a CPU for MPIDR_EL1; default: 16 CPUs to an Aff1, as QEMU's virt with GICv3. */
  readonly mpidr?: (cpu: number) => bigint
}

const isWhole = (value: number, least: number, most: number) =>
  Number.isInteger(value) && value >= least && value <= most

/** The options with their defaults. Throws an Error that names one that cannot be. */
export function complete(options: ClusterOptions) {
  const perTick = options.instructionsPerTick ?? 16
  const counterRead = options.counterReadTime ?? 0
  if (!isWhole(perTick, 1, 2 ** 31 - 1)) throw new Error('instructionsPerTick is a whole number from 1 on')
  if (!isWhole(counterRead, 0, 1000)) throw new Error('counterReadTime is a whole number from 0 to 1000')
  if (!isWhole(options.cpus, 1, 64)) throw new Error('a cluster has 1 to 64 CPUs')
  const present = new Set<Feature>(options.features ?? features)
  // ID_AA64ISAR0_EL1.AES is 2 for both, and has no value for FEAT_PMULL alone.
  if (present.has('FEAT_PMULL') && !present.has('FEAT_AES')) throw new Error('FEAT_PMULL needs FEAT_AES')
  return {
    features: present,
    perTick,
    counterRead,
    frequency: options.counterFrequency ?? 62_500_000,
    mpidr: options.mpidr ?? ((cpu: number) => 0x80000000n | (BigInt(cpu >> 4) << 8n) | BigInt(cpu & 15)),
  }
}

const WASM_PAGE = 0x10000

/** Where guest memory starts in the linear memory, and how many pages of 64 KiB that has. Throws an Error for too much. */
export function layOut(cpus: number, memory: readonly MemoryRegion[]): { guest: number; pages: number } {
  const guest = Math.ceil((MEMORY.cpus + cpus * CPU_AREA.bytes) / WASM_PAGE) * WASM_PAGE
  if (memory.length >= REGION.most) throw new Error(`there are at most ${REGION.most - 1} memory regions`)
  let bytes = guest
  for (const { base, size } of memory) {
    if (base % 4096 || size % 4096 || size <= 0) throw new Error('a memory region is a whole number of 4 KiB pages')
    bytes += size
  }
  const pages = Math.ceil(bytes / WASM_PAGE)
  if (pages > 65536) throw new Error('all memory together must stay below 4 GiB')
  return { guest, pages }
}
