/** The Distributor registers of a GICv2 that are not banks: control, type, and the generation of SGIs (IHI 0048 4.3.1, 4.3.2, 4.3.15). */

import type { Initiator } from '../../mmio/index.ts'
import type { GicV2State } from './state.ts'

function nonSecure(gic: GicV2State, by: Initiator): boolean {
  return gic.config.security && !by.secure
}

export function readDistributorControl(gic: GicV2State, _index: number, by: Initiator): number {
  return nonSecure(gic, by) ? (gic.ctlr >>> 1) & 1 : gic.ctlr
}

export function writeDistributorControl(
  gic: GicV2State,
  _index: number,
  value: number,
  _mask: number,
  by: Initiator,
): void {
  const ctlr = nonSecure(gic, by) ? (gic.ctlr & 1) | ((value & 1) << 1) : value & 3
  if (ctlr === gic.ctlr) return
  gic.ctlr = ctlr
  gic.irqs.dirty = gic.allCpus
}

/** No lockable SPIs (LSPI 0): there is no CFGSDISABLE input. */
export function distributorTyper(gic: GicV2State): number {
  const { cpus, intids, security } = gic.config
  return (security ? 1 << 10 : 0) | ((cpus - 1) << 5) | (Math.ceil(intids / 32) - 1)
}

const FILTER_LIST = 0
const FILTER_OTHERS = 1
const FILTER_SELF = 2

/**
 * GICD_SGIR. With the Security Extensions, Secure software says which group the SGI must be in on its target (NSATT);
 * Non-secure software reaches Group 1 SGIs, and those that the target's GICD_NSACR0 grants.
 */
export function sendSgi(gic: GicV2State, _index: number, value: number, _mask: number, by: Initiator): void {
  const { irqs, allCpus } = gic
  if (by.cpu < 0 || by.cpu >= gic.config.cpus) return
  const sgi = value & 15
  const filter = (value >>> 24) & 3
  const self = 1 << by.cpu
  let targets = 0
  if (filter === FILTER_LIST) targets = (value >>> 16) & allCpus
  else if (filter === FILTER_OTHERS) targets = allCpus & ~self
  else if (filter === FILTER_SELF) targets = self
  else {
    gic.misuse('sgi-reserved-filter', by.cpu, sgi)
    return
  }

  const wantedGroup = (value >>> 15) & 1
  let reached = false
  for (let cpu = 0; cpu < gic.config.cpus; cpu++) {
    if (!((targets >>> cpu) & 1)) continue
    const group = (irqs.group[cpu]! >>> sgi) & 1
    if (gic.config.security) {
      const allowed = by.secure ? group === wantedGroup : group === 1 || ((irqs.nsacr[0][cpu]! >>> sgi) & 1) === 1
      if (!allowed) continue
    }
    irqs.addSgi(cpu, sgi, self)
    reached = true
  }
  if (!reached) gic.misuse('sgi-no-target', by.cpu, sgi)
}
