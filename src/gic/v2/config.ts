/** The configuration of a GICv2, its limits, and what is wrong with one that is outside of them. */

import { ConfigError, integerIn, oneOf } from '../config.ts'

/** What a GICv2 may be asked to be; each has a default. */
export interface GicV2Config {
  /** CPU interfaces, 1 to 8. */
  cpus?: number
  /** INTIDs including SGIs and PPIs: a multiple of 32 from 32 to 992, or 1,020. */
  intids?: number
  /** Implemented priority bits, 4 to 8; at least 5 with the Security Extensions (IHI 0048 3.3). */
  priorityBits?: number
  /** The Security Extensions: banked and filtered views, Secure and Non-secure accesses. */
  security?: boolean
  /** Whether software may disable SGIs. Implementations differ (IHI 0048 4.3.5); GIC-400 and QEMU keep them enabled. */
  sgiEnable?: 'always' | 'programmable'
  /** Whether software may change the trigger of a PPI (IHI 0048 4.3.13). */
  ppiConfig?: 'fixed' | 'programmable'
  /** GICD_IIDR and GICC_IIDR. */
  distributorIidr?: number
  /** GICC_IIDR. */
  cpuInterfaceIidr?: number
  /** A GICv2m frame that turns MSIs into these SPIs: `count` of them from INTID `base` on. */
  msi?: { base: number; count: number } | undefined
}

export interface CheckedConfig extends Required<GicV2Config> {}

export function checkConfig(config: GicV2Config): CheckedConfig {
  const known = new Set<string>(Object.keys(defaults))
  for (const key of Object.keys(config))
    if (!known.has(key)) throw new ConfigError(`${key}: no such option; there are ${[...known].join(', ')}`)
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  const full: CheckedConfig = { ...defaults, ...given }
  integerIn('cpus', full.cpus, 1, 8)
  integerIn('intids', full.intids, 32, 1020)
  if (full.intids % 32 !== 0 && full.intids !== 1020)
    throw new ConfigError(`intids: ${full.intids} is not a multiple of 32 from 32 to 992, nor 1020`)
  integerIn('priorityBits', full.priorityBits, full.security ? 5 : 4, 8)
  oneOf('security', full.security, [true, false])
  oneOf('sgiEnable', full.sgiEnable, ['always', 'programmable'])
  oneOf('ppiConfig', full.ppiConfig, ['fixed', 'programmable'])
  integerIn('distributorIidr', full.distributorIidr, 0, 0xffff_ffff)
  integerIn('cpuInterfaceIidr', full.cpuInterfaceIidr, 0, 0xffff_ffff)
  if (full.msi !== undefined) {
    if (typeof full.msi !== 'object' || full.msi === null)
      throw new ConfigError(`msi: ${String(full.msi)} is not { base, count }`)
    const { base, count } = full.msi
    integerIn('msi.base', base, 32, full.intids - 1)
    integerIn('msi.count', count, 1, full.intids - base)
  }
  return full
}

const defaults: CheckedConfig = {
  cpus: 1,
  intids: 288,
  priorityBits: 8,
  security: false,
  sgiEnable: 'always',
  ppiConfig: 'programmable',
  // Implementer Arm (JEP106 0x43B), product and revision 0, as QEMU's; Linux wants architecture version 2 in GICC_IIDR.
  distributorIidr: 0x0000_043b,
  cpuInterfaceIidr: 0x0002_043b,
  msi: undefined,
}
