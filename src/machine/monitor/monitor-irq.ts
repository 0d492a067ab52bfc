/** The monitor's table of interrupts: those that are enabled, pending or active, by the GIC's own registers. It changes nothing. */

import { GicV3, kindOf } from '../../gic/index.ts'
import { cpuInitiator } from '../../mmio/index.ts'
import type { VirtMachine } from '../virt.ts'
import type { History } from '../why/history.ts'
import { hex, table } from './monitor-text.ts'

interface Row {
  readonly intid: number
  /** Whom it goes to. */
  readonly to: string
  readonly enabled: boolean
  readonly pending: boolean
  readonly active: boolean
  readonly priority: number
}

const FIRST_LPI = 8192

/** @param most rows of LPIs of one kind */
export function interruptLines(
  machine: VirtMachine,
  nameOf: (intid: number) => string,
  most: number,
  history?: History,
): string[] {
  const { gic, options } = machine
  const rows = [...banked(machine), ...shared(machine), ...(gic instanceof GicV3 ? messages(gic, most) : [])]
    // SGIs are always enabled on many implementations, so that alone says nothing.
    .filter(({ intid, enabled, pending, active }) => pending || active || (enabled && intid >= 16))
    .sort((a, b) => a.intid - b.intid)
    .map(({ intid, to, enabled, pending, active, priority }) => [
      String(intid),
      kindOf(intid),
      to,
      hex(priority, 2),
      [enabled ? 'enabled' : '', pending ? 'pending' : '', active ? 'active' : ''].filter(Boolean).join(' '),
      ...(history === undefined ? [] : [String(taken(history, intid, to, options.cpus))]),
      nameOf(intid),
    ])
  const count = history === undefined ? [] : ['taken']
  const lines = table(['INTID', 'kind', 'to', 'priority', 'state', ...count, ''], rows)
  if (history === undefined) lines.push("'track on', or run --track, counts from then on how often each is taken")
  for (let cpu = 0; cpu < options.cpus; cpu++) {
    const wires = [gic.irq(cpu) ? 'IRQ' : '', gic.fiq(cpu) ? 'FIQ' : ''].filter(Boolean).join(' and ')
    if (wires !== '') lines.push(`CPU ${cpu}: ${wires} is signalled`)
  }
  return lines
}

/** By the CPU whose own it is, or by all together. */
function taken(history: History, intid: number, to: string, cpus: number): number {
  if (intid < 32) return history.taken(intid, Number(to.slice(4)))
  return Array.from({ length: cpus }, (_, cpu) => history.taken(intid, cpu)).reduce((sum, count) => sum + count, 0)
}

type Peek = (offset: number, size: 1 | 4) => number

/** What the registers of a Distributor, or of a Redistributor's second frame, say of one interrupt. */
function stateOf(peek: Peek, intid: number): Omit<Row, 'intid' | 'to'> {
  const bit = (bank: number) => ((peek(bank + 4 * (intid >> 5), 4) >>> (intid & 31)) & 1) === 1
  return { enabled: bit(0x100), pending: bit(0x200), active: bit(0x300), priority: peek(0x400 + intid, 1) & 0xff }
}

/** SGIs and PPIs: every CPU has its own. */
function* banked({ gic, options }: VirtMachine): Generator<Row> {
  for (let intid = 0; intid < 32; intid++)
    for (let cpu = 0; cpu < options.cpus; cpu++) {
      const by = cpuInitiator(cpu)
      const peek: Peek =
        gic instanceof GicV3
          ? (offset, size) => gic.frames.gicr[cpu]!.peek(0x1_0000 + offset, size, by)
          : (offset, size) => gic.frames.gicd.peek(offset, size, by)
      yield { intid, to: `CPU ${cpu}`, ...stateOf(peek, intid) }
    }
}

function* shared({ gic, options }: VirtMachine): Generator<Row> {
  const { gicd } = gic.frames
  const by = cpuInitiator(0)
  const peek: Peek = (offset, size) => gicd.peek(offset, size, by)
  for (let intid = 32; intid < gic.config.intids; intid++)
    yield {
      intid,
      to: gic instanceof GicV3 ? affinity(gic, peek, intid) : targets(peek, intid, options.cpus),
      ...stateOf(peek, intid),
    }
}

/** GICD_ITARGETSR, which is RAZ/WI where there is one CPU: that has them all (IHI 0048 4.3.12). */
function targets(peek: Peek, intid: number, cpuCount: number): string {
  if (cpuCount === 1) return 'CPU 0'
  const mask = peek(0x800 + intid, 1) & 0xff
  const cpus = Array.from({ length: 8 }, (_, cpu) => cpu).filter((cpu) => (mask >>> cpu) & 1)
  return cpus.length === 0 ? 'nobody' : `CPU ${cpus.join(',')}`
}

/** GICD_IROUTER, by the CPU that has that affinity. */
function affinity({ config }: GicV3, peek: Peek, intid: number): string {
  const low = peek(0x6000 + 8 * intid, 4)
  if (low < 0) return 'any PE'
  const route = ((low & 0xff_ffff) | (peek(0x6004 + 8 * intid, 4) << 24)) >>> 0
  const cpu = config.affinities.indexOf(route)
  const name = [24, 16, 8, 0].map((shift) => (route >>> shift) & 0xff).join('.')
  return cpu >= 0 ? `CPU ${cpu}` : `${name}, nobody`
}

/** LPIs: pending ones are some PE's; one that is only enabled, in the table of the first PE that has one, is its message's. */
function* messages(gic: GicV3, most: number): Generator<Row> {
  const pending = new Set<number>()
  for (const { pe, lpis } of gic.redistributors)
    for (const intid of (lpis?.pendingList() ?? []).slice(0, most)) {
      pending.add(intid)
      const configuration = lpis!.configurationOf(intid)
      const enabled = (configuration & 1) === 1
      yield { intid, to: `CPU ${pe}`, enabled, pending: true, active: false, priority: lpis!.priorityOf(configuration) }
    }
  const lpis = gic.redistributors.find((redistributor) => redistributor.lpis !== undefined)?.lpis
  if (lpis === undefined) return
  for (let intid = FIRST_LPI, left = most; intid < lpis.end && left > 0; intid++) {
    const configuration = lpis.configurationOf(intid)
    if ((configuration & 1) === 0 || pending.has(intid)) continue
    left--
    yield {
      intid,
      to: 'its message',
      enabled: true,
      pending: false,
      active: false,
      priority: lpis.priorityOf(configuration),
    }
  }
}
