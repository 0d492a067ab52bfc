/**
 * The gates inside a PE, behind the GIC: what keeps a signalled interrupt from its handler (DDI 0487 D1.13, D1.10). They are asked
 * in the order in which an interrupt meets them. Nothing here changes anything.
 */

import type { Cluster } from '../../aarch64/index.ts'
import type { GateReport, OutputLine } from '../../gic/index.ts'
import { describeExceptionLoop, inExceptionLoop } from './exception-loop.ts'
import { type Symbols, withSymbol } from './symbols.ts'

/** What the machine knows of a CPU's power beside whether it is on. */
export interface PowerStory {
  /** X1 of CPU_ON for this CPU. */
  readonly affinity: number
  /** What became of the last CPU_ON for it, where that was refused. */
  readonly refused: string | undefined
}

/** A report but for what follows from the rest. */
type Found = Omit<GateReport, 'state' | 'waitsFor' | 'actions'>

const hex = (value: number | bigint) => `0x${value.toString(16)}`

export function peGates(
  cluster: Cluster,
  cpu: number,
  line: OutputLine,
  power: PowerStory,
  symbols?: Symbols,
): GateReport[] {
  const found = [powered(cluster, cpu, power)]
  // A PE that is off has no state to speak of.
  if (found[0]!.open)
    found.push(progress(cluster, cpu, symbols), vector(cluster, cpu, line), unmasked(cluster, cpu, line, symbols))
  return found.map((gate) => ({ ...gate, state: gate.open ? 'open' : 'closed', waitsFor: [], actions: [] }))
}

function powered(cluster: Cluster, cpu: number, { affinity, refused }: PowerStory): Found {
  const open = cluster.isOn(cpu)
  return {
    gate: 'PE on',
    open,
    cause: 'absent',
    register: 'PSCI',
    field: 'AFFINITY_INFO',
    value: open ? 0 : 1,
    says: open
      ? `CPU ${cpu} is powered on.`
      : `CPU ${cpu} is powered off.${refused === undefined ? '' : ` The last CPU_ON for it was refused: ${refused}.`}`,
    remedy: open
      ? undefined
      : `Call PSCI CPU_ON (X0 = 0xc4000003) with X1 = ${hex(affinity)} and the address to start at in X2, from a CPU that runs.`,
  }
}

function progress(cluster: Cluster, cpu: number, symbols: Symbols | undefined): Found {
  const open = !inExceptionLoop(cluster, cpu)
  const story = open ? { says: `CPU ${cpu} gets on.`, remedy: undefined } : describeExceptionLoop(cluster, cpu, symbols)
  // Nothing else is worth mending as long as the PE takes one exception for ever.
  const value = Number(cluster.systemRegister(cpu, 'ESR_EL1') ?? 0n)
  return { gate: 'PE gets on', open, cause: 'absent', register: 'ESR_EL1', field: '', value, ...story }
}

/** Offsets of the vectors of IRQ and FIQ (DDI 0487 D1.10.2). */
const OFFSETS = { irq: 0x80, fiq: 0x100 } as const

function vector(cluster: Cluster, cpu: number, line: OutputLine): Found {
  const pstate = cluster.pstate(cpu)
  const from = ((pstate >>> 2) & 3) === 0 ? 0x400 : pstate & 1 ? 0x200 : 0
  const vbar = cluster.systemRegister(cpu, 'VBAR_EL1') ?? 0n
  const address = BigInt.asUintN(64, (vbar & ~0x7ffn) + BigInt(from + OFFSETS[line]))
  const physical = cluster.fetchAddress(cpu, address, 1)
  const bytes = physical < 0 ? undefined : cluster.view(physical, 4)
  const where = `the ${line.toUpperCase()} vector, at ${hex(address)},`
  const wrong =
    physical < 0
      ? `${where} cannot be fetched: the MMU does not map it as executable at EL1.`
      : bytes === undefined
        ? `${where} is physical address ${hex(physical)}, where there is no memory.`
        : bytes.every((byte) => byte === 0)
          ? `${where} holds zeros, which are no instruction${vbar === 0n ? ': VBAR_EL1 was never set' : ''}.`
          : undefined
  return {
    gate: 'vector',
    open: wrong === undefined,
    cause: 'configuration',
    register: 'VBAR_EL1',
    field: '',
    value: Number(vbar),
    says: wrong ?? `${where} is there.`,
    remedy: wrong && 'Write the address of a table of vectors to VBAR_EL1, 2 KiB aligned and mapped.',
  }
}

const BITS = { irq: { field: 'I', shift: 7, clear: 2 }, fiq: { field: 'F', shift: 6, clear: 1 } } as const

function unmasked(cluster: Cluster, cpu: number, line: OutputLine, symbols: Symbols | undefined): Found {
  const { field, shift, clear } = BITS[line]
  const masked = ((cluster.pstate(cpu) >>> shift) & 1) === 1
  const waits = cluster.isWaiting(cpu)
  const state = waits ? 'waits in WFI' : `runs at ${withSymbol(symbols, cluster.pc(cpu))}`
  const taken = cluster.takenInterrupt(cpu)
  const inHandler = masked && taken.line !== undefined
  return {
    gate: 'unmasked by the PE',
    open: !masked,
    // A handler that runs has the mask set, and so has a kernel that idles: it is looked at last.
    cause: 'turn',
    register: 'PSTATE',
    field,
    value: Number(masked),
    says: inHandler
      ? `CPU ${cpu} took an ${taken.line.toUpperCase()} at ${withSymbol(symbols, taken.link)} and has not returned since (ERET): it ${state} with PSTATE.${field} = 1.`
      : masked
        ? `CPU ${cpu} ${state} with PSTATE.${field} = 1: ${waits ? 'an interrupt ends the wait, but is not taken' : `it takes no ${line.toUpperCase()}`}.`
        : `CPU ${cpu} ${state} and takes an ${line.toUpperCase()} when it comes.`,
    remedy: inHandler
      ? 'If that is the handler still, see that it acknowledges what is signalled, quietens its device, ends it and returns (ERET).'
      : masked
        ? `Clear PSTATE.${field}: MSR DAIFClr, #${clear}, or an ERET with that bit of SPSR_EL1 clear.${line === 'fiq' ? ' It comes as an FIQ because it is in Group 0: in Group 1 it is an IRQ.' : ''}`
        : undefined,
  }
}
