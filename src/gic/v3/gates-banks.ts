/**
 * The gates of GICv3's interrupts that have bits in the Distributor and the Redistributors: SGIs, PPIs and SPIs, extended or
 * not. The conditions are the ones that deliver (`../gates.ts`, `irqs.ts`).
 */

import { activeGate, enabledGate, type Gate, pendingGate } from '../gates.ts'
import { type Remedy, type RemedyAction, remedy } from '../remedy.ts'
import { deactivate, endAll, isSplitFor, routeTo, sendToSelf, setBit } from './actions.ts'
import type { CpuInterfaceV3 } from './cpu-interface.ts'
import { interfaceGroupOpen, redistributorOpen } from './delivery.ts'
import { IRM } from './irqs.ts'
import { droppedOn, type Running, runningDownTo } from './running.ts'
import { sgiSays } from './sgi-request.ts'
import { affinityName, bitOf, groupName, registerOf, type Subject } from './subject.ts'

export const bankGates: readonly Gate<Subject>[] = [
  {
    name: pendingGate.name,
    cause: 'source',
    open: (s) => ((pendingGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISPENDR', s.intid, 32),
      field: `Set_pending_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: pendingSays(s, open),
    }),
    remedy: pendingRemedy,
  },
  {
    name: enabledGate.name,
    cause: 'configuration',
    open: (s) => ((enabledGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISENABLER', s.intid, 32),
      field: `Set_enable_bit[${s.bit}]`,
      value: open ? 1 : 0,
      says: open ? 'it is enabled.' : 'it is not enabled.',
    }),
    remedy: (s) => remedy([setBit(s.gic, 'ISENABLER', s.intid, s.group, s.cpu.pe)]),
  },
  {
    name: activeGate.name,
    cause: 'handling',
    open: (s) => ((activeGate.word(s.gic.irqs, s.word) >>> s.bit) & 1) === 1,
    report: (s, open) => ({
      register: registerOf('ISACTIVER', s.intid, 32),
      field: `Set_active_bit[${s.bit}]`,
      value: open ? 0 : 1,
      says: open ? 'it is not active.' : activeSays(s),
    }),
    remedy: endRemedy,
  },
  {
    name: 'targeted',
    cause: 'configuration',
    needs: (s) => (isOneOfN(s) && !takesPart(s) ? ['Redistributor awake', 'group enabled in the CPU interface'] : []),
    open: targetsPe,
    report: (s, open) => {
      const owner = s.gic.irqs.ownerOf(s.word) >= 0
      const { affinities } = s.gic.config
      return {
        register: owner ? 'GICR_TYPER' : registerOf('IROUTER', s.intid, 1),
        field: owner ? 'Affinity_Value' : isOneOfN(s) ? 'Interrupt_Routing_Mode' : 'Aff3.Aff2.Aff1.Aff0',
        value: owner ? affinities[s.cpu.pe]! : isOneOfN(s) ? 1 : routeOf(s),
        says: open ? 'it is routed to this PE.' : routedElsewhere(s),
      }
    },
    remedy: (s) =>
      remedy([routeTo(s.gic, s.intid, s.group, s.cpu.pe)], {
        after: ` (this PE's affinity is ${affinityName(s.gic.config.affinities[s.cpu.pe]!)})`,
      }),
  },
]

/** The affinity in GICD_IROUTER. */
function routeOf({ gic, word, bit }: Subject): number {
  const slot = word * 32 + bit
  return ((gic.irqs.routeLow[slot]! & 0xff_ffff) | (gic.irqs.routeHigh[slot]! << 24)) >>> 0
}

function isOneOfN(s: Subject): boolean {
  return (
    s.gic.irqs.targetOf(s.word, s.bit) === s.gic.config.cpus && (s.gic.irqs.routeLow[s.word * 32 + s.bit]! & IRM) !== 0
  )
}

/** What a PE needs to be chosen for 1-of-N interrupts of a group, besides GICR_CTLR.DPG. */
function takesPart(s: Subject): boolean {
  return redistributorOpen(s.gic, s.cpu.pe) && interfaceGroupOpen(s.cpu, s.group)
}

function targetsPe(s: Subject): boolean {
  const target = s.gic.irqs.targetOf(s.word, s.bit)
  return target === s.cpu.pe || (target === s.gic.config.cpus && s.gic.irqs.recipients.chosen[s.group] === s.cpu.pe)
}

function routedElsewhere(s: Subject): string {
  const { irqs, config } = s.gic
  const target = irqs.targetOf(s.word, s.bit)
  if (target < 0) return `its route names affinity ${affinityName(routeOf(s))}, which no PE has.`
  if (target < config.cpus) return `it is routed to PE ${target}.`
  const recipient = irqs.recipients.chosen[s.group]!
  return recipient < 0
    ? `it may go to any PE that takes ${groupName(s.gic, s.group)} (GICR_CTLR.DPG), and none does.`
    : `it may go to any PE, and PE ${recipient} takes it.`
}

function pendingSays(s: Subject, open: boolean): string {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  if (open) {
    if (bitOf(s, irqs.latch)) return 'it is pending (latched).'
    return bitOf(s, irqs.line) ? 'it is pending (its level is high).' : 'it is pending (a message asserts its level).'
  }
  if (s.intid < 16) return sgiSays(s.gic, s.intid, s.cpu.pe)
  if (!edge && bitOf(s, irqs.withdrawn))
    return 'it is level-sensitive and its line dropped before any PE acknowledged it.'
  if (edge && bitOf(s, irqs.line))
    return 'it is edge-triggered; its line is high, but that edge has been taken already.'
  return edge ? 'no edge has arrived on its line.' : 'its line is low.'
}

function pendingRemedy(s: Subject): Remedy {
  const { irqs } = s.gic
  const edge = bitOf(s, irqs.edge) === 1
  const wire = { do: 'line', intid: s.intid, cpu: irqs.ownerOf(s.word) } as const
  const high: RemedyAction = { ...wire, level: true }
  const low: RemedyAction = { ...wire, level: false }
  const trigger = registerOf('ICFGR', s.intid, 16)
  const latch = registerOf('ISPENDR', s.intid, 32)
  if (s.intid < 16) {
    const sent = sendToSelf(s.gic, s.cpu, s.intid, s.group)
    return { text: `Send it with ${sent.register}.`, actions: [sent] }
  }
  if (!edge && bitOf(s, irqs.withdrawn))
    return {
      text: `Keep the line high until the handler has quietened the device, or make it edge-triggered in ${trigger}.`,
      actions: [high],
    }
  if (edge && bitOf(s, irqs.line))
    return { text: `Lower and raise the line again, or make it level-sensitive in ${trigger}.`, actions: [low, high] }
  return edge
    ? { text: `Pulse its line, or write ${latch}.`, actions: [high, low] }
    : { text: `Raise its line, or write ${latch}.`, actions: [high] }
}

/** The PE that acknowledged an active interrupt and has not dropped its priority, with what has to be ended up to it. */
function runner(s: Subject): { cpu: CpuInterfaceV3; running: Running[] } | undefined {
  for (const cpu of handlers(s)) {
    const running = runningDownTo(s.gic, cpu, s.intid)
    if (running !== undefined) return { cpu, running }
  }
  return undefined
}

/** The PEs that may have taken it. */
function handlers(s: Subject): readonly CpuInterfaceV3[] {
  return s.gic.irqs.ownerOf(s.word) >= 0 ? [s.cpu] : s.gic.cpus
}

function dropper(s: Subject): CpuInterfaceV3 | undefined {
  return handlers(s).find((cpu) => isSplitFor(s.gic, cpu, s.group) && droppedOn(cpu, s.intid))
}

function activeSays(s: Subject): string {
  const at = runner(s)
  if (at !== undefined) return `it is still active: PE ${at.cpu.pe} acknowledged it and has not ended it.`
  const dropped = dropper(s)
  return dropped === undefined
    ? 'it is active, but no PE runs it: a write made it so, or what should have ended it named another INTID, or left that to ICC_DIR_EL1.'
    : `it is still active: PE ${dropped.pe} dropped its priority and has not deactivated it.`
}

/** An active interrupt is ended by the PE whose running priority it is; once that has dropped it is only deactivated. */
function endRemedy(s: Subject): Remedy {
  const { gic, intid, group } = s
  const at = runner(s)
  if (at !== undefined) {
    const first = at.running.length - 1
    const before = first > 0 ? `${first} that preempted it on PE ${at.cpu.pe} end first.` : undefined
    const after = ` when its handler is done${isSplitFor(gic, at.cpu, group) ? ' (EOImode is set)' : ''}`
    return remedy(endAll(gic, at.cpu, at.running), before === undefined ? { after } : { before, after })
  }
  const dropped = dropper(s)
  if (dropped !== undefined) return remedy([deactivate(gic, dropped, intid, group)], { after: ' (EOImode is set)' })
  return remedy([setBit(gic, 'ICACTIVER', intid, group, s.cpu.pe)])
}
