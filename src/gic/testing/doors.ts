/**
 * Everything that the doors of a GIC carry, each as a thing to put back into another one: what a spec does in a random order.
 * It does not compare; snapshots do.
 */

import type { Frame } from '../../mmio/index.ts'
import type { GicV2, GicV3 } from '../index.ts'
import type { Its } from '../its/index.ts'
import { Output } from '../outputs.ts'
import { stateSysregs } from '../v3/icc-state.ts'
import { by } from './rig-v2.ts'

/** Puts one saved thing into another GIC. `what` names it, for a failing spec. */
export interface Saved<G> {
  readonly what: string
  restore(into: G): void
}

/** The registers of a frame, found again in another device by `frameOf`. */
function registers<G, D>(from: G, frameOf: (device: G) => Frame<D>, cpus: number): Saved<G>[] {
  const frame = frameOf(from)
  return [...frame.stateWords(cpus)].map(({ offset, cpu, secure }) => {
    const value = frame.save(offset, by(cpu, secure))
    return {
      what: `${frame.name} 0x${offset.toString(16)} of CPU ${cpu} is 0x${(value >>> 0).toString(16)}`,
      restore: (into) => frameOf(into).restore(offset, value, by(cpu, secure)),
    }
  })
}

export function savedV2(gic: GicV2): Saved<GicV2>[] {
  const { cpus } = gic.config
  const saved = [
    ...registers(gic, ({ frames }) => frames.gicd, cpus),
    ...registers(gic, ({ frames }) => frames.gicc, cpus),
  ]
  for (let intid = 0; intid < 1024; intid += 32)
    for (let cpu = 0; cpu < (intid === 0 ? cpus : 1); cpu++) {
      const levels = gic.lineLevels(intid, cpu)
      saved.push({
        what: `lines from ${intid} on of CPU ${cpu}`,
        restore: (into) => into.restoreLineLevels(intid, levels, cpu),
      })
    }
  for (const { cpu, legacy } of gic.cpus) {
    for (let sgi = 0; sgi < 16; sgi++) {
      const source = gic.activeSgiSource(cpu, sgi)
      saved.push({
        what: `source of SGI ${sgi} of CPU ${cpu}`,
        restore: (into) => into.restoreActiveSgiSource(cpu, sgi, source),
      })
    }
    saved.push({ what: 'legacy IRQ', restore: (into) => into.setLegacy(cpu, 'irq', (legacy & Output.irq) !== 0) })
    saved.push({ what: 'legacy FIQ', restore: (into) => into.setLegacy(cpu, 'fiq', (legacy & Output.fiq) !== 0) })
  }
  return saved
}

export function savedV3(gic: GicV3): Saved<GicV3>[] {
  const { cpus } = gic.config
  const saved = registers(gic, ({ frames }) => frames.gicd, 1)
  for (let pe = 0; pe < cpus; pe++) {
    saved.push(...registers(gic, ({ frames }) => frames.gicr[pe]!, 1))
    const lpis = gic.pendingLpis(pe)
    saved.push({ what: `LPIs of PE ${pe}`, restore: (into) => into.restorePendingLpis(pe, lpis) })
    const { el, secure, scrFiq, scrIrq, sctlrNmi } = gic.cpus[pe]!
    saved.push({
      what: `where PE ${pe} executes`,
      restore: (into) => into.setExecution(pe, { el, secure, scrFiq, scrIrq, sctlrNmi }),
    })
    for (const { name, encoding, banked } of stateSysregs)
      for (const copy of banked ? [true, false] : [false]) {
        const value = gic.saveSysreg(pe, encoding, copy)
        if (value === undefined) continue
        saved.push({
          what: `${name} of PE ${pe} is 0x${value.toString(16)}`,
          restore: (into) => into.restoreSysreg(pe, encoding, value, copy),
        })
      }
    for (const intid of [0, 1056, 1088]) saved.push(lines(gic, intid, pe))
  }
  for (let intid = 32; intid < 1024; intid += 32) saved.push(lines(gic, intid, 0), messages(gic, intid))
  for (let intid = 4096; intid < 5120; intid += 32) saved.push(lines(gic, intid, 0), messages(gic, intid))
  return saved
}

function lines(gic: GicV3, intid: number, pe: number): Saved<GicV3> {
  const levels = gic.lineLevels(intid, pe)
  return { what: `lines from ${intid} on of PE ${pe}`, restore: (into) => into.restoreLineLevels(intid, levels, pe) }
}

function messages(gic: GicV3, intid: number): Saved<GicV3> {
  const levels = gic.messageLevels(intid)
  return { what: `messages from ${intid} on`, restore: (into) => into.restoreMessageLevels(intid, levels) }
}

export function savedIts(its: Its): Saved<Its>[] {
  return registers(its, ({ frames }) => frames.control, 1)
}
