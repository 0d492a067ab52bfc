/** The configuration of a GICv3, its limits, and what is wrong with one that is outside of them. */

import { ConfigError, integerIn, oneOf } from '../config.ts'

/** What a GICv3 may be asked to be; each has a default. */
export interface GicV3Config {
  /** PEs, 1 to 512. */
  cpus?: number
  /**
   * Affinity of each PE, as Aff3 in bits 31:24 down to Aff0 in bits 7:0. Unless given, 16 PEs share an Aff1 value, as Linux
   * guests expect: PE 17 is 0.0.1.1.
   */
  affinities?: readonly number[] | undefined
  /** INTIDs including SGIs and PPIs: a multiple of 32 from 32 to 992, or 1,020. */
  intids?: number
  /** Extended SPIs from INTID 4096 on: a multiple of 32 from 0 to 1,024 (GICv3.1). */
  extendedSpis?: number
  /** Extended PPIs from INTID 1056 on: 0, 32 or 64 (GICv3.1). */
  extendedPpis?: number
  /** Priority bits of the CPU interface, 5 to 8 (4 to 8 without `security`), and of the Distributor, as many or more. */
  priorityBits?: number
  /**
   * Implemented bits of a priority in the Distributor, at least as many as in the CPU interface, up to 8; 8 unless
   * given.
   */
  distributorPriorityBits?: number
  /** Two Security states: GICD_CTLR.DS is 0 after reset, and may be set. Without it DS is 1 for good. */
  security?: boolean
  /** The PEs have EL2: only whether ICC_SRE_EL2 exists. */
  el2?: boolean
  /** SPIs may be routed to any PE that takes part (GICD_IROUTER.Interrupt_Routing_Mode; GICD_TYPER.No1N 0). */
  oneOfN?: boolean
  /** Message-based SPIs: GICD_SETSPI and GICD_CLRSPI (GICD_TYPER.MBIS). */
  messageSpis?: boolean
  /** Non-maskable interrupts (FEAT_GICv3_NMI). */
  nmi?: boolean
  /** GICD_STATUSR and GICR_STATUSR record refused accesses; RAZ/WI otherwise. */
  statusRegisters?: boolean
  /** LPIs: how wide INTIDs are, 14 to 20 bits. 16 bits give LPIs 8192 to 65535. */
  lpis?: { intidBits: number } | undefined
  /** GICR_INVLPIR, GICR_INVALLR and GICR_SYNCR work, and GICR_CTLR.IR says so. */
  invalidateRegisters?: boolean
  /** GICR_SETLPIR and GICR_CLRLPIR work (GICR_TYPER.DirectLPI), and so do the three above, whatever GICR_CTLR.IR says. */
  directLpis?: boolean
  /** Redistributors in each contiguous region, in the order of PEs: where `wireRedistributors` puts them, each from a base of its own. */
  regions?: readonly number[] | undefined
  /**
   * A Redistributor whose PE sleeps (GICR_WAKER) forwards nothing. Without it the register reads the same and stops nothing, as on
   * QEMU's board, whose firmware need not wake a PE: for the replay of what was recorded there.
   */
  sleep?: boolean
  /** GICD_IIDR and GICR_IIDR. */
  iidr?: number
}

export interface CheckedConfigV3 extends Required<GicV3Config> {
  readonly affinities: readonly number[]
  readonly regions: readonly number[]
}

const defaults = {
  cpus: 1,
  affinities: undefined,
  intids: 288,
  extendedSpis: 0,
  extendedPpis: 0,
  priorityBits: 5,
  distributorPriorityBits: 8,
  security: false,
  el2: false,
  oneOfN: true,
  messageSpis: true,
  nmi: false,
  statusRegisters: true,
  lpis: undefined,
  invalidateRegisters: true,
  directLpis: false,
  regions: undefined,
  sleep: true,
  // Implementer Arm (JEP106 0x43B), product and revision 0, as QEMU's.
  iidr: 0x0000_043b,
} satisfies GicV3Config

const flags = [
  'security',
  'el2',
  'sleep',
  'oneOfN',
  'messageSpis',
  'nmi',
  'statusRegisters',
  'invalidateRegisters',
  'directLpis',
] as const

/** Throws a ConfigError that says what is not allowed, and what is. */
export function checkConfigV3(config: GicV3Config): CheckedConfigV3 {
  for (const key of Object.keys(config))
    if (!Object.hasOwn(defaults, key))
      throw new ConfigError(`${key}: no such option; there are ${Object.keys(defaults).join(', ')}`)
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  const full = { ...defaults, ...given } as Required<GicV3Config>
  integerIn('cpus', full.cpus, 1, 512)
  integerIn('intids', full.intids, 32, 1020)
  if (full.intids % 32 !== 0 && full.intids !== 1020)
    throw new ConfigError(`intids: ${full.intids} is not a multiple of 32 from 32 to 992, nor 1020`)
  integerIn('extendedSpis', full.extendedSpis, 0, 1024)
  if (full.extendedSpis % 32 !== 0) throw new ConfigError(`extendedSpis: ${full.extendedSpis} is not a multiple of 32`)
  if (![0, 32, 64].includes(full.extendedPpis))
    throw new ConfigError(`extendedPpis: ${full.extendedPpis} is not 0, 32 or 64`)
  // ICC_CTLR_EL1.PRIbits: 32 levels at least with two Security states, 16 with one.
  integerIn('priorityBits', full.priorityBits, full.security ? 5 : 4, 8)
  integerIn('distributorPriorityBits', full.distributorPriorityBits, full.priorityBits, 8)
  for (const name of flags) oneOf(name, full[name], [true, false])
  integerIn('iidr', full.iidr, 0, 0xffff_ffff)
  if (full.lpis !== undefined && (typeof full.lpis !== 'object' || full.lpis === null))
    throw new ConfigError(`lpis: ${String(full.lpis)} is not { intidBits }`)
  if (full.lpis !== undefined) integerIn('lpis.intidBits', full.lpis.intidBits, 14, 20)
  else if (full.directLpis) throw new ConfigError('directLpis: there are no LPIs; give lpis too')
  const affinities =
    full.affinities ?? Array.from({ length: full.cpus }, (_, pe) => (Math.floor(pe / 16) << 8) | (pe % 16))
  if (!Array.isArray(affinities)) throw new ConfigError(`affinities: ${String(affinities)} is no list`)
  checkAffinities(affinities, full.cpus)
  const regions = full.regions ?? [full.cpus]
  if (!Array.isArray(regions)) throw new ConfigError(`regions: ${String(regions)} is no list`)
  for (const [i, count] of regions.entries()) integerIn(`regions[${i}]`, count, 1, full.cpus)
  const sum = regions.reduce((all, count) => all + count, 0)
  if (sum !== full.cpus)
    throw new ConfigError(`regions: they hold ${sum} redistributors, and there are ${full.cpus} PEs`)
  return { ...full, affinities, regions }
}

function checkAffinities(affinities: readonly number[], cpus: number): void {
  if (affinities.length !== cpus) throw new ConfigError(`affinities: ${affinities.length} given for ${cpus} PEs`)
  const seen = new Map<number, number>()
  for (const [pe, affinity] of affinities.entries()) {
    integerIn(`affinities[${pe}]`, affinity, 0, 0xffff_ffff)
    const other = seen.get(affinity)
    if (other !== undefined)
      throw new ConfigError(`affinities: PEs ${other} and ${pe} both have 0x${affinity.toString(16)}`)
    seen.set(affinity, pe)
  }
}
