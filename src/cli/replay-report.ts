/** How a replay looks in a terminal: the summary, each divergence with its reason, an explanation, a state. */

import type { GateReport } from '../gic/index.ts'
import type {
  CpuState,
  Divergence,
  Explanation,
  InterruptState,
  MachineState,
  MsiExplanation,
  OutputLevel,
  ReplayResult,
} from '../trace/index.ts'
import type { Style } from './style.ts'
import { counted, duration, grouped } from './style.ts'

type Fields = Readonly<Record<string, number>>

function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

/** Fields by name; those that are 0 go without saying where there are many. */
export function fieldList(fields: Fields): string {
  const entries = Object.entries(fields)
  const shown = entries.length > 4 ? entries.filter(([, value]) => value !== 0) : entries
  return shown.map(([name, value]) => `${name} ${value}`).join(', ')
}

function levelText(level: OutputLevel['recorded']): string {
  return level === 1 ? 'goes high' : level === 0 ? 'goes low' : `is ${level}`
}

/** A gate on one line; what would open it stands in the summary above. */
function gateLine(gate: GateReport, width: number, style: Style): string {
  const mark = { open: style.good('open  '), closed: style.bad('closed'), depends: style.dim('waits ') }[gate.state]
  const field = gate.field === '' ? gate.register : `${gate.register}.${gate.field}`
  return `    ${mark}  ${gate.gate.padEnd(width)}  ${gate.says}  ${style.dim(`${field} = 0x${gate.value.toString(16)}`)}`
}

function reasonLines(summary: string, good: boolean, gates: readonly GateReport[], style: Style): string[] {
  const width = Math.max(0, ...gates.map(({ gate }) => gate.length))
  return [`  ${good ? style.good(summary) : style.bold(summary)}`, ...gates.map((gate) => gateLine(gate, width, style))]
}

/** What is true of an interrupt in one sentence, and every gate on its way in order. */
export function explanationLines({ summary, deliverable, gates }: Explanation, style: Style): string[] {
  return reasonLines(summary, deliverable, gates, style)
}

/** Where a device's message goes, and every link on its way through the ITS up to the first that is missing. */
export function messageLines({ summary, mapped, gates }: MsiExplanation, style: Style): string[] {
  return reasonLines(summary, mapped, gates, style)
}

export function divergenceLines(file: string, number: number, divergence: Divergence, style: Style): string[] {
  const { line, event, text, what, recorded, ours, refused, outputs, acknowledged, before, explanations } = divergence
  const lines = [`${style.bold(`${file}:${line}`)}: ${style.bad(`divergence ${number}`)}: ${what} (event ${event})`]
  for (const earlier of before) lines.push(style.dim(`  ${String(earlier.line).padStart(8)}  ${earlier.text}`))
  lines.push(`  ${String(line).padStart(8)}  ${style.bold(text)}`)
  if (recorded !== undefined && ours !== undefined) {
    const width = Math.max(recorded.value.length, ours.value.length)
    lines.push(`  recorded  ${recorded.value.padEnd(width)}  ${fieldList(recorded.fields)}`.trimEnd())
    lines.push(`  ours      ${ours.value.padEnd(width)}  ${fieldList(ours.fields)}`.trimEnd())
  }
  if (refused !== undefined) lines.push(`  this model refused the access: ${refused}`)
  for (const output of outputs ?? []) {
    const name = `${output.signal.toUpperCase()} of CPU ${output.cpu}`
    lines.push(`  ${name}: recorded ${levelText(output.recorded)}, ours ${levelText(output.ours)}`)
  }
  if (acknowledged !== undefined) {
    const { cpu, intid, line: at } = acknowledged
    lines.push(`  next, the recorded CPU ${cpu} acknowledged INTID ${intid} (line ${at})`)
  }
  for (const explanation of explanations) lines.push(...explanationLines(explanation, style))
  return lines
}

/** What a replay found, in a few lines. */
export function summaryLines(result: ReplayResult, seconds: number): string[] {
  const { machine, reads, outputs, divergenceCount } = result
  const features = [
    `GICv${machine.version}${machine.its ? ' with ITS' : ''}`,
    counted(machine.cpus, 'CPU'),
    `${machine.intids} INTIDs`,
    ...(machine.secure ? ['two Security states'] : []),
    ...(machine.virtualization ? ['EL2'] : []),
  ]
  const rate = grouped(result.events / Math.max(seconds, 1e-6))
  const lines = [
    `  ${features.join(', ')}; ${counted(result.events, 'event')} in ${duration(seconds)} (${rate} events/s)`,
  ]
  const agree = divergenceCount === 0 ? 'all agree' : 'compared'
  lines.push(`  ${counted(reads.compared, 'read')} and ${counted(outputs.compared, 'output change')}: ${agree}`)
  const transients = outputs.recordedTransients + outputs.ourTransients
  if (transients > 0)
    lines.push(`  ${counted(transients, 'output')} changed and changed back within one store: not judged`)
  if (reads.identity > 0) {
    const differing = result.identity.map(
      (d) => `${d.name} (recorded ${d.recorded}, ours ${d.ours}, ${grouped(d.count)}×)`,
    )
    const which = differing.length === 0 ? 'all the same' : `different: ${differing.join('; ')}`
    lines.push(`  ${counted(reads.identity, 'read')} of identification registers, not judged: ${which}`)
  }
  for (const { name, accesses } of result.unmodelled) {
    lines.push(`  ${name} is not modelled: ${counted(accesses, 'access', 'accesses')} counted, not judged`)
  }
  for (const { name, accesses, reason } of result.refused) {
    lines.push(`  ${name}: ${counted(accesses, 'access', 'accesses')} refused by this model (${reason})`)
  }
  return lines
}

function stateWord(interrupt: InterruptState): string {
  const words = [
    interrupt.enabled ? 'enabled' : '',
    interrupt.pending ? 'pending' : '',
    interrupt.active ? 'active' : '',
  ]
  return words.filter((word) => word !== '').join(' ')
}

function cpuLines(state: CpuState, style: Style): string[] {
  const lines = [
    `  CPU ${state.cpu}: IRQ ${state.irq ? style.good('high') : 'low'}, FIQ ${state.fiq ? style.good('high') : 'low'}`,
  ]
  const registerWidth = Math.max(12, ...state.registers.map(({ name }) => name.length))
  for (const register of state.registers) {
    const fields = fieldList(register.fields)
    lines.push(
      `    ${register.name.padEnd(registerWidth)} ${hex(register.value).padEnd(12)} ${style.dim(fields)}`.trimEnd(),
    )
  }
  return lines
}

/** The controller at one moment: its outputs, its CPU interfaces, and each interrupt that is not idle. */
export function stateLines(state: MachineState, style: Style): string[] {
  const { control } = state
  const lines = [`  ${control.name} ${hex(control.value)}  ${style.dim(fieldList(control.fields))}`.trimEnd()]
  for (const cpu of state.cpus) lines.push(...cpuLines(cpu, style))
  lines.push('  Interrupts that are enabled, pending or active:')
  for (const interrupt of state.interrupts) {
    const owner = interrupt.cpu === undefined ? interrupt.route : `CPU ${interrupt.cpu}`
    const priority = `priority 0x${interrupt.priority.toString(16).padStart(2, '0')}`
    lines.push(
      `    INTID ${String(interrupt.intid).padStart(4)}  ${owner.padEnd(16)} ${priority}  ${stateWord(interrupt)}`,
    )
  }
  return lines
}
