/**
 * The save and restore door of the ICC_* system registers: the state behind each of them, whatever the PE executes now, as
 * Secure software at EL3 would see it. No access is checked and nothing is acknowledged; `icc-registers.ts` makes accesses.
 * A GIC with two Security states has a Secure and a Non-secure copy of some: the caller names the one that it means.
 */

import type { CheckedConfigV3 } from './config.ts'
import { Bank, type CpuInterfaceV3 } from './cpu-interface.ts'
import { Group } from './groups.ts'
import { iccEncoding } from './icc-registers.ts'

const NMI_HIGH = 1 << 31

/** A system register that has a state of its own: what `saveSysreg` and `restoreSysreg` of a GICv3 carry. */
export interface StateSysreg {
  /** As in `ICC_PMR_EL1`. */
  readonly name: string
  /** op0 to op2, as `encodeSysreg` packs them. */
  readonly encoding: number
  /** There are a Secure and a Non-secure copy, where there are two Security states. */
  readonly banked: boolean
}

interface IccState extends StateSysreg {
  /** Not there in some configurations. */
  exists(cpu: CpuInterfaceV3, config: CheckedConfigV3): boolean
  saveLow(cpu: CpuInterfaceV3, bank: number): number
  saveHigh(cpu: CpuInterfaceV3, bank: number): number
  restore(cpu: CpuInterfaceV3, bank: number, low: number, high: number, config: CheckedConfigV3): void
}

type Options = Partial<Omit<IccState, 'name' | 'encoding' | 'saveLow' | 'restore'>> &
  Pick<IccState, 'saveLow' | 'restore'>

function state(name: string, options: Options): IccState {
  return { banked: false, exists: () => true, saveHigh: () => 0, ...options, name, encoding: iccEncoding(name)! }
}

function group1(bank: number): 1 | 2 {
  return bank === Bank.S ? Group.G1S : Group.G1NS
}

/** Bit `at` of a word becomes the lowest of `value`. */
function withBit(word: number, at: number, value: number): number {
  return (word & ~(1 << at)) | ((value & 1) << at)
}

function point(cpu: CpuInterfaceV3, group: 0 | 1 | 2, value: number): void {
  cpu.bpr[group] = Math.max(value & 7, cpu.minimumBpr + (group === Group.G1NS ? 1 : 0))
}

function activePriorities(n: number): IccState[] {
  const exists = (cpu: CpuInterfaceV3) => n < cpu.aprRegisters
  const assign = (cpu: CpuInterfaceV3, group: 0 | 1 | 2, low: number) => {
    cpu.apr[group][n] = low & cpu.existingLevels(n)
    cpu.updateRunning()
  }
  return [
    state(`ICC_AP0R${n}_EL1`, {
      exists,
      saveLow: (cpu) => cpu.apr[Group.G0][n]!,
      restore: (cpu, _bank, low) => assign(cpu, Group.G0, low),
    }),
    state(`ICC_AP1R${n}_EL1`, {
      banked: true,
      exists,
      saveLow: (cpu, bank) => cpu.apr[group1(bank)][n]!,
      saveHigh: (cpu, bank) => (n === 0 && (cpu.activeNmi >>> group1(bank)) & 1 ? NMI_HIGH : 0),
      restore: (cpu, bank, low, high, { nmi }) => {
        if (n === 0 && nmi) cpu.activeNmi = withBit(cpu.activeNmi, group1(bank), high >>> 31)
        assign(cpu, group1(bank), low)
      },
    }),
  ]
}

const states: readonly IccState[] = [
  state('ICC_PMR_EL1', {
    saveLow: (cpu) => cpu.pmr,
    restore: (cpu, _bank, low) => {
      cpu.pmr = low & cpu.priorityMask
    },
  }),
  state('ICC_BPR0_EL1', {
    saveLow: (cpu) => cpu.bpr[Group.G0]!,
    restore: (cpu, _bank, low) => point(cpu, Group.G0, low),
  }),
  // The copy itself, also while CBPR shows ICC_BPR0_EL1 in its place.
  state('ICC_BPR1_EL1', {
    banked: true,
    saveLow: (cpu, bank) => cpu.bpr[group1(bank)]!,
    restore: (cpu, bank, low) => point(cpu, group1(bank), low),
  }),
  state('ICC_CTLR_EL1', {
    banked: true,
    saveLow: (cpu, bank) => ((cpu.cbpr >>> bank) & 1) | (((cpu.eoiMode >>> bank) & 1) << 1),
    restore: (cpu, bank, low) => {
      cpu.cbpr = withBit(cpu.cbpr, bank, low)
      cpu.eoiMode = withBit(cpu.eoiMode, bank, low >>> 1)
    },
  }),
  state('ICC_CTLR_EL3', {
    exists: (_, { security }) => security,
    saveLow: (cpu) => cpu.cbpr | (cpu.eoiModeEl3 ? 1 << 2 : 0) | (cpu.eoiMode << 3),
    restore: (cpu, _bank, low) => {
      cpu.cbpr = low & 3
      cpu.eoiModeEl3 = ((low >>> 2) & 1) === 1
      cpu.eoiMode = (low >>> 3) & 3
    },
  }),
  state('ICC_IGRPEN0_EL1', {
    saveLow: (cpu) => (cpu.enables >>> Group.G0) & 1,
    restore: (cpu, _bank, low) => {
      cpu.enables = withBit(cpu.enables, Group.G0, low)
    },
  }),
  state('ICC_IGRPEN1_EL1', {
    banked: true,
    saveLow: (cpu, bank) => (cpu.enables >>> group1(bank)) & 1,
    restore: (cpu, bank, low) => {
      cpu.enables = withBit(cpu.enables, group1(bank), low)
    },
  }),
  state('ICC_IGRPEN1_EL3', {
    exists: (_, { security }) => security,
    saveLow: (cpu) => ((cpu.enables >>> Group.G1NS) & 1) | (((cpu.enables >>> Group.G1S) & 1) << 1),
    restore: (cpu, _bank, low) => {
      cpu.enables = withBit(withBit(cpu.enables, Group.G1NS, low), Group.G1S, low >>> 1)
    },
  }),
  ...[0, 1, 2, 3].flatMap(activePriorities),
]

/**
 * Every system register that has a state of its own, there or not in a configuration (`saveSysreg` says undefined). Those of
 * EL3 show the same state as the two copies of EL1's.
 */
export const stateSysregs: readonly StateSysreg[] = states

const byEncoding = new Map(states.map((each) => [each.encoding, each]))

export function iccStateOf(encoding: number): IccState | undefined {
  return byEncoding.get(encoding)
}
