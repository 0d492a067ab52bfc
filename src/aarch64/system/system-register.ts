/**
 * What a system register is to this CPU, and the builders that tables of them are written with: storage, constants, and what is
 * computed. The tables are registers.ts, timer-registers.ts and debug-registers.ts.
 */

import type { Debug } from '../debug/debug.ts'
import type { Feature } from '../isa/row.ts'
import type { Pmu } from '../pmu/pmu.ts'
import { type Cpu, SLOT } from '../state/cpu.ts'
import type { Timer } from './timer.ts'

export type Encoding = readonly [op0: number, op1: number, CRn: number, CRm: number, op2: number]

/** How an access by EL0 ends. `trap` goes to EL1 with EC 0x18; `undefined` is what a register without EL0 access does. */
export type Verdict = 'ok' | 'trap' | 'undefined'

/** What a register may need besides the CPU's own state. */
export interface Surroundings {
  readonly cpu: Cpu
  readonly timer: Timer
  readonly debug: Debug
  readonly pmu: Pmu
  readonly identity: Identity
}

/** What the embedder decides about a CPU's identity. */
export interface Identity {
  readonly features: ReadonlySet<Feature>
  readonly mpidr: bigint
  /** ID_AA64PFR0_EL1.GIC: ICC_* system registers are there. */
  readonly gicSystemRegisters: boolean
  readonly counterFrequency: number
}

export interface SystemRegister {
  readonly name: string
  /** The name for MSR, where one encoding is two registers. */
  readonly writeName: string | undefined
  readonly encoding: Encoding
  readonly access: 'rw' | 'ro' | 'wo'
  /** EL0: not at all unless given; `uct` is a read where SCTLR_EL1.UCT is set, and a trap where not. */
  readonly el0: 'ro' | 'rw' | 'uct' | undefined | ((cpu: Cpu, write: boolean) => Verdict)
  /** Storage in the state block, when reading it is nothing but reading that. */
  readonly slot: number | undefined
  /** Bits that a write may change; the others keep their value. */
  readonly mask: bigint
  readonly reset: (around: Surroundings) => bigint
  readonly read: ((around: Surroundings) => bigint) | undefined
  readonly write: ((around: Surroundings, value: bigint) => void) | undefined
  /** Trapped by CPACR_EL1.FPEN like an FP instruction. */
  readonly fp: boolean
  /** A counter, or what is compared with one: software reads it again and again until something is due. */
  readonly timed: boolean
}

export const all = (1n << 64n) - 1n
let nextSlot: number = SLOT.TABLE

type Options = Partial<Omit<SystemRegister, 'name' | 'encoding' | 'reset'>> & { readonly reset?: bigint }

export function register(name: string, encoding: Encoding, options: Options): SystemRegister {
  const { reset = 0n } = options
  return {
    writeName: undefined,
    access: 'rw',
    el0: undefined,
    slot: undefined,
    mask: all,
    read: undefined,
    write: undefined,
    fp: false,
    timed: false,
    ...options,
    name,
    encoding,
    reset: () => reset,
  }
}

/** A register that is storage; `changed` runs after a write that the storage took. */
export function stored(
  name: string,
  encoding: Encoding,
  options: Options & { readonly changed?: (around: Surroundings, before: bigint) => void } = {},
): SystemRegister {
  const slot = options.slot ?? nextSlot
  if (options.slot === undefined) nextSlot += 8
  const { changed, mask = all, ...rest } = options
  const write =
    changed || mask !== all
      ? (around: Surroundings, value: bigint) => {
          const before = around.cpu.quad(slot)
          around.cpu.setQuad(slot, (before & ~mask) | (value & mask))
          changed?.(around, before)
        }
      : undefined
  return register(name, encoding, { ...rest, mask, slot, write })
}

/** A register that always reads the same. Storage too, so that generated code reads it without a call. */
export function constant(
  name: string,
  encoding: Encoding,
  value: bigint | ((identity: Identity) => bigint),
  options: Options = {},
): SystemRegister {
  const slot = nextSlot
  nextSlot += 8
  return {
    ...register(name, encoding, { access: 'ro', slot, ...options }),
    reset: ({ identity }) => (typeof value === 'function' ? value(identity) : value),
  }
}

export function computed(
  name: string,
  encoding: Encoding,
  read: ((around: Surroundings) => bigint) | undefined,
  write: ((around: Surroundings, value: bigint) => void) | undefined,
  options: Options = {},
): SystemRegister {
  return register(name, encoding, { access: read ? (write ? 'rw' : 'ro') : 'wo', read, write, ...options })
}

export const ignore = () => {}
export const zero = () => 0n

export function onSctlr(bit: number): (cpu: Cpu) => Verdict {
  return (cpu) => (cpu.word(SLOT.SCTLR_EL1) & bit ? 'ok' : 'trap')
}
