/** The generation of SGIs by ICC_SGI0R_EL1, ICC_SGI1R_EL1 and ICC_ASGI1R_EL1 (IHI 0069 12.1.10). Whom they reach is in `sgi-request.ts`. */

import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { isSecureAccess } from './security.ts'
import {
  clusterOf,
  filterSays,
  firstOf,
  howOf,
  isForOthers,
  reaches,
  requestSays,
  type SgiRegister,
} from './sgi-request.ts'
import type { GicV3State } from './state.ts'

export type { SgiRegister }

export function sendSgi(gic: GicV3State, cpu: CpuInterfaceV3, register: SgiRegister, low: number, high: number): void {
  const sgi = (low >>> 24) & 15
  const secure = isSecureAccess(gic, cpu)
  gic.irqs.sgis.note(cpu.pe, sgi, howOf(register, secure), low, high)
  let reached = false
  let filtered = -1
  if (isForOthers(high)) {
    for (let pe = 0; pe < gic.config.cpus; pe++) {
      if (pe === cpu.pe) continue
      if (deliver(gic, secure, register, sgi, pe)) reached = true
      else filtered = pe
    }
  } else {
    const cluster = clusterOf(low, high)
    const first = firstOf(gic, high)
    for (let list = low & 0xffff; list !== 0; list &= list - 1) {
      const aff0 = first + 31 - Math.clz32(list & -list)
      const pe = gic.irqs.peWithAffinity((cluster | aff0) >>> 0)
      if (pe < 0) continue
      if (deliver(gic, secure, register, sgi, pe)) reached = true
      else filtered = pe
    }
  }
  if (reached || !gic.events.active) return
  const why = filtered < 0 ? '' : `, but ${filterSays(gic, filtered, sgi, register, secure)}`
  gic.misuse('sgi-no-target', cpu.pe, sgi, String(sgi), `: ${requestSays(gic, cpu.pe, register, low, high)}${why}`)
}

function deliver(gic: GicV3State, secure: boolean, register: SgiRegister, sgi: number, pe: number): boolean {
  if (!reaches(gic, secure, register, sgi, pe, gic.irqs.groupOf(pe, sgi))) return false
  gic.irqs.assign(gic.irqs.latch, 'pending', pe, -1, 1 << sgi)
  return true
}
