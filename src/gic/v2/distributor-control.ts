/** The Distributor registers of a GICv2 that are not banks: control, type, and the generation of SGIs (IHI 0048 4.3.1, 4.3.2, 4.3.15). */

import type { Initiator } from '../../mmio/index.ts'
import { filterSays, isLetThrough, NON_SECURE, requestSays, SECURE, targetsOf } from './sgi-request.ts'
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

/** GICD_SGIR: makes the SGI pending on the CPUs that it asks for, as far as their groups let it through. */
export function sendSgi(gic: GicV2State, _index: number, value: number, _mask: number, by: Initiator): void {
  const { irqs } = gic
  if (by.cpu < 0 || by.cpu >= gic.config.cpus) return
  const sgi = value & 15
  const targets = targetsOf(gic, by.cpu, value)
  irqs.sgis.note(by.cpu, sgi, by.secure ? SECURE : NON_SECURE, value, 0)
  if (targets < 0) {
    if (gic.events.active)
      gic.misuse('sgi-reserved-filter', by.cpu, sgi, String(sgi), `: ${requestSays(gic, by.cpu, value)}`)
    return
  }
  let reached = false
  let filtered = -1
  for (let cpu = 0; cpu < gic.config.cpus; cpu++) {
    if (!((targets >>> cpu) & 1)) continue
    if (isLetThrough(gic, cpu, value, by.secure)) {
      irqs.addSgi(cpu, sgi, 1 << by.cpu)
      reached = true
    } else filtered = cpu
  }
  if (reached || !gic.events.active) return
  const why = filtered < 0 ? '' : `, but ${filterSays(gic, filtered, value, by.secure)}`
  gic.misuse('sgi-no-target', by.cpu, sgi, String(sgi), `: ${requestSays(gic, by.cpu, value)}${why}`)
}
