/** The ICC_* registers: what MRS answers and what MSR keeps. Which of them can be reached, and whose bank it is, is security.ts's. */

import { runningOn, waiting } from './delivery.ts'
import { acknowledge, deactivate, endOfInterrupt, sendSgi } from './handling.ts'
import { access, bankOf, isSecureAccess, isShifted, nonSecureView, reachesLevel, shows } from './security.ts'
import { type Access, bitAt, cut, type OracleState, ok, type Pe } from './state.ts'

/** Below EL3, CBPR makes ICC_BPR1_EL1 another view of ICC_BPR0_EL1. */
const isCommon = (pe: Pe, bank: number): boolean => pe.el !== 3 && pe.cbpr[bank]!

function identification({ config }: OracleState): number {
  const rss = config.affinities.some((affinity) => affinity % 256 > 15)
  const extended = config.extendedPpis + config.extendedSpis > 0
  return (config.priorityBits - 1) * 2 ** 8 + 2 ** 11 + 2 ** 15 + bitAt(rss, 18) + bitAt(extended, 19)
}

/** ICC_AP0R<n> and ICC_AP1R<n> by their names. */
const activeRegister = (name: string) => {
  const [, of, n] = /AP([01])R(\d)/.exec(name) ?? []
  return of === undefined ? undefined : { of, first: Number(n) * 32 }
}

function running(gic: OracleState, pe: Pe): bigint {
  // With DS 1 bit 63 is that of any NMI, and they are of the one Group 1.
  const secure = gic.twoStates && isSecureAccess(gic, pe)
  const nmi = secure ? pe.activeNmi.G1S : pe.activeNmi.G1NS
  const nmis = (nmi ? 2n ** 63n : 0n) + (secure && pe.activeNmi.G1NS ? 2n ** 62n : 0n)
  const found = runningOn(gic, pe)
  if (found === undefined) return nmis + 0xffn
  // The priority of a Non-secure NMI is 0x80, which Non-secure reads see as 0.
  if (found.nmi && found.group === 'G1NS' && !secure) return nmis
  return nmis + BigInt(isShifted(gic, pe) ? nonSecureView(found.priority) : found.priority)
}

export function mrs(gic: OracleState, index: number, name: string): Access {
  const pe = gic.pes[index]!
  const outcome = access(gic, pe, name)
  if (outcome !== 'ok') return { outcome, value: 0n }
  const one = bankOf(gic, pe)
  const bank = one === 'G1S' ? 0 : 1
  const active = activeRegister(name)
  if (active) {
    const { of, first } = active
    const group = of === '0' ? 'G0' : one
    const word = [...pe.active[group]].filter(
      (level) => level >= first && level < first + 32 && reachesLevel(gic, pe, group, level),
    )
    const nmi = first === 0 && group !== 'G0' && pe.activeNmi[group]
    return ok(word.reduce((sum, level) => sum + 2n ** BigInt(level - first), nmi ? 2n ** 63n : 0n))
  }
  switch (name) {
    case 'ICC_PMR_EL1':
      return ok(isShifted(gic, pe) ? nonSecureView(pe.pmr) : pe.pmr)
    case 'ICC_IAR0_EL1':
      return ok(acknowledge(gic, index, 'IAR0'))
    case 'ICC_IAR1_EL1':
      return ok(acknowledge(gic, index, 'IAR1'))
    case 'ICC_NMIAR1_EL1':
      return ok(acknowledge(gic, index, 'NMIAR1'))
    case 'ICC_HPPIR0_EL1':
    case 'ICC_HPPIR1_EL1': {
      const best = waiting(gic, index)[0]
      if (best === undefined || !pe.enable[best.group]) return ok(1023)
      return ok(shows(gic, pe, name === 'ICC_HPPIR0_EL1' ? 0 : 1, best.group, best.intid))
    }
    case 'ICC_BPR0_EL1':
      return ok(pe.bpr.G0)
    case 'ICC_BPR1_EL1':
      if (!isCommon(pe, bank)) return ok(pe.bpr[one])
      return ok(one === 'G1S' ? pe.bpr.G0 : Math.min(7, pe.bpr.G0 + 1))
    case 'ICC_RPR_EL1':
      return ok(running(gic, pe))
    case 'ICC_CTLR_EL1':
      return ok(bitAt(pe.cbpr[bank], 0) + bitAt(pe.eoiMode[bank], 1) + identification(gic))
    case 'ICC_CTLR_EL3': {
      const control = [...pe.cbpr, pe.eoiModeEl3, ...pe.eoiMode]
      return ok(control.reduce((sum, value, at) => sum + bitAt(value, at), identification(gic)))
    }
    case 'ICC_SRE_EL1':
      return ok(7)
    case 'ICC_SRE_EL2':
    case 'ICC_SRE_EL3':
      return ok(15)
    case 'ICC_IGRPEN0_EL1':
      return ok(bitAt(pe.enable.G0, 0))
    case 'ICC_IGRPEN1_EL1':
      return ok(bitAt(pe.enable[one], 0))
    case 'ICC_IGRPEN1_EL3':
      return ok(bitAt(pe.enable.G1NS, 0) + bitAt(pe.enable.G1S, 1))
    default:
      return { outcome: 'undefined', value: 0n }
  }
}

function writeMask(gic: OracleState, pe: Pe, value: number): void {
  const kept = (priority: number) => cut(priority, 8 - gic.config.priorityBits)
  if (!isShifted(gic, pe)) pe.pmr = kept(value)
  else if (pe.pmr >= 0x80) pe.pmr = kept(0x80 + Math.floor(value / 2))
}

export function msr(gic: OracleState, index: number, name: string, value: bigint): Access['outcome'] {
  const pe = gic.pes[index]!
  const outcome = access(gic, pe, name)
  if (outcome !== 'ok') return outcome
  const flag = (at: number) => ((value >> BigInt(at)) & 1n) === 1n
  const low = Number(value & 0xffff_ffffn)
  const one = bankOf(gic, pe)
  const bank = one === 'G1S' ? 0 : 1
  const active = activeRegister(name)
  if (active) {
    const { of, first } = active
    const group = of === '0' ? 'G0' : one
    for (let n = 0; n < 32 && first + n < 2 ** Math.min(7, gic.config.priorityBits); n++) {
      if (!reachesLevel(gic, pe, group, first + n)) continue
      if (flag(n)) pe.active[group].add(first + n)
      else pe.active[group].delete(first + n)
    }
    if (first === 0 && group !== 'G0' && gic.config.nmi) pe.activeNmi[group] = flag(63)
    return 'ok'
  }
  const point = (least: number) => Math.max(low & 7, least)
  const least = gic.minimumBpr
  switch (name) {
    case 'ICC_PMR_EL1':
      writeMask(gic, pe, low & 0xff)
      return 'ok'
    case 'ICC_EOIR0_EL1':
    case 'ICC_EOIR1_EL1':
      endOfInterrupt(gic, index, low & 0xff_ffff, name === 'ICC_EOIR0_EL1' ? 0 : 1)
      return 'ok'
    case 'ICC_DIR_EL1':
      deactivate(gic, index, low & 0xff_ffff)
      return 'ok'
    case 'ICC_SGI0R_EL1':
    case 'ICC_SGI1R_EL1':
    case 'ICC_ASGI1R_EL1':
      sendSgi(gic, index, name, value)
      return 'ok'
    case 'ICC_BPR0_EL1':
      pe.bpr.G0 = point(least)
      return 'ok'
    case 'ICC_BPR1_EL1':
      if (!isCommon(pe, bank)) pe.bpr[one] = point(one === 'G1S' ? least : least + 1)
      else if (one === 'G1S') pe.bpr.G0 = point(least)
      return 'ok'
    case 'ICC_CTLR_EL1':
      pe.eoiMode[bank] = flag(1)
      // Read-only where there is EL3 and DS is 0.
      if (!gic.twoStates) pe.cbpr[bank] = flag(0)
      return 'ok'
    case 'ICC_CTLR_EL3':
      pe.cbpr = [flag(0), flag(1)]
      pe.eoiModeEl3 = flag(2)
      pe.eoiMode = [flag(3), flag(4)]
      return 'ok'
    case 'ICC_IGRPEN0_EL1':
      pe.enable.G0 = flag(0)
      return 'ok'
    case 'ICC_IGRPEN1_EL1':
      pe.enable[one] = flag(0)
      return 'ok'
    case 'ICC_IGRPEN1_EL3':
      pe.enable.G1NS = flag(0)
      pe.enable.G1S = flag(1)
      return 'ok'
    case 'ICC_SRE_EL1':
    case 'ICC_SRE_EL2':
    case 'ICC_SRE_EL3':
      return 'ok'
    default:
      return 'undefined'
  }
}
