/**
 * The interrupts of a GICv3 that are enabled, pending or active, read as software would: through the Redistributors' frames
 * and the Distributor's, without any effect. LPIs have no such registers and come from where they are kept.
 */

import type { GicV3 } from '../gic/index.ts'
import type { Initiator } from '../mmio/index.ts'
import type { InterruptState } from './machine.ts'

/** A frame of whichever device. */
export interface AnyFrame {
  readonly table: {
    readonly size: number
    at(offset: number): { readonly name: string; readonly row: { readonly name: string } } | undefined
    decode(offset: number, low: number, high?: number): Record<string, number>
  }
  peek(offset: number, size: 1 | 2 | 4, by: Initiator): number
}

/** Offset of SGI_base in a Redistributor's frames. */
const sgiBase = 0x10000
/** Pending LPIs that are listed: there may be 57,344 on each PE. */
const mostLpis = 1024

/** @param by who looks, by CPU: with two Security states, Secure accesses see everything */
export function interruptStates(gic: GicV3, by: (cpu: number) => Initiator): InterruptState[] {
  const found: InterruptState[] = []
  const { cpus, intids } = gic.config
  const add = (frame: AnyFrame, base: number, intid: number, cpu: number | undefined) => {
    const who = by(cpu ?? 0)
    const bit = (bank: number) => ((frame.peek(base + bank + 4 * (intid >> 5), 4, who) >>> (intid & 31)) & 1) === 1
    const [enabled, pending, active] = [bit(0x100), bit(0x200), bit(0x300)]
    if (!pending && !active && (!enabled || intid < 16)) return
    const priority = frame.peek(base + 0x400 + intid, 1, who) & 0xff
    const route = cpu === undefined ? routeText(frame.peek(0x6000 + 8 * intid, 4, who)) : ''
    found.push({ intid, cpu, enabled, pending, active, priority, route })
  }
  for (let intid = 0; intid < 32; intid++)
    for (let cpu = 0; cpu < cpus; cpu++) {
      const frame = gic.frames.gicr[cpu]
      if (frame !== undefined) add(frame, sgiBase, intid, cpu)
    }
  for (let intid = 32; intid < intids; intid++) add(gic.frames.gicd, 0, intid, undefined)
  let room = mostLpis
  for (const { pe, lpis } of gic.redistributors) {
    if (lpis === undefined) continue
    for (const intid of lpis.pendingList()) {
      if (room-- <= 0) return found
      const configuration = lpis.configurationOf(intid)
      found.push({
        intid,
        cpu: pe,
        enabled: (configuration & 1) === 1,
        pending: true,
        active: false,
        priority: lpis.priorityOf(configuration),
        route: '',
      })
    }
  }
  return found
}

/** GICD_IROUTER without Aff3, as the architecture writes affinities. */
function routeText(low: number): string {
  return low < 0 ? 'any PE' : `affinity ${(low >>> 16) & 0xff}.${(low >>> 8) & 0xff}.${low & 0xff}`
}
