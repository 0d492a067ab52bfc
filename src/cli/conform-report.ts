/** What the conformance vectors came to, for a terminal and as JSON: a row for each subject, then every failure with its steps. */

import { describeConfig, traceLine } from '../conformance/fuzz/format.ts'
import type { JsonVectors } from '../conformance/json.ts'
import { GICV2_DEVIATIONS } from '../conformance/qemu/deviations.ts'
import { GICV3_DEVIATIONS } from '../conformance/qemu/deviations-gicv3.ts'
import type { VectorFailure } from '../conformance/run-vectors.ts'
import type { Machine, Outcome } from '../conformance/suite.ts'
import type { Result } from '../conformance/target.ts'
import type { VectorStep } from '../conformance/vectors/index.ts'
import type { Style } from './style.ts'
import { counted, duration, grouped } from './style.ts'

export interface Report {
  readonly target: 'model' | 'qemu'
  readonly wiring: string | undefined
  readonly machines: readonly Machine[]
  readonly outcomes: readonly Outcome[]
  /** The listed deviation that a failure of the vector of this name is due to. */
  deviationOf(vector: string): string | undefined
  readonly seconds: number
}

interface Row {
  readonly version: 2 | 3
  readonly subject: string
  passed: number
  /** Failed as a listed deviation has it. */
  deviating: number
  failed: number
  /** Apply to none of the machines. */
  leftOut: number
}

type Verdict = 'passed' | 'deviating' | 'failed' | 'leftOut'

function verdictOf(outcome: Outcome, report: Report): Verdict {
  if (outcome.ran.length === 0) return 'leftOut'
  if (outcome.failed.length === 0) return 'passed'
  return report.deviationOf(outcome.vector.name) === undefined ? 'failed' : 'deviating'
}

const versionOf = ({ vector }: Outcome): 2 | 3 => (vector.clause.startsWith('IHI 0048') ? 2 : 3)

function rowsOf(report: Report): Row[] {
  const rows = new Map<string, Row>()
  for (const outcome of report.outcomes) {
    const version = versionOf(outcome)
    const key = `${version} ${outcome.subject}`
    const row = rows.get(key) ?? { version, subject: outcome.subject, passed: 0, deviating: 0, failed: 0, leftOut: 0 }
    row[verdictOf(outcome, report)]++
    rows.set(key, row)
  }
  return [...rows.values()]
}

const titles = new Map([...GICV2_DEVIATIONS, ...GICV3_DEVIATIONS].map(({ id, title }) => [id, title]))
const hex = (value: number | bigint) => `0x${value.toString(16)}`

/** A step as a line of a trace. What a read answered is only shown where it is known: expected, or wrong. */
function stepLine({ step, expect }: VectorStep, failure: VectorFailure | undefined, style: Style): string {
  const expected: Result = { status: 'ok', value: BigInt(expect?.value ?? 0) }
  const line = traceLine(failure?.taken ?? step, failure?.actual ?? expected)
  if (failure === undefined) {
    const silent = expect === undefined && (step.op === 'read' || step.op === 'mrs' || step.op === 'load')
    return style.dim(`      ${silent ? line.replace(/ 0x0(?=$| #)/, ' …') : line}`)
  }
  const { actual, expected: wanted } = failure
  const bits = wanted.mask >>> 0 === 0xffff_ffff ? '' : ` in bits ${hex(wanted.mask >>> 0)}`
  const should =
    actual.status === 'ok' || wanted.mask !== 0 ? `should be ${hex(wanted.value)}${bits}` : 'should succeed'
  const answer = actual.status === 'ok' ? '' : `: ${actual.status}`
  const register = failure.register === undefined ? '' : ` (${failure.register})`
  const fields = failure.fields.length === 0 ? '' : style.dim(` (${failure.fields.join('; ')})`)
  return `    ${style.bad('>')} ${style.bold(line)}${register}${answer}  ${style.bad(should)}${fields}`
}

function failureLines({ subject, vector, failed }: Outcome, style: Style): string[] {
  const [first, ...others] = failed
  if (first === undefined) return []
  const lines = [
    `${style.bad('✘')} ${style.bold(vector.name)} (${vector.clause}; ${subject})`,
    `    on ${describeConfig(first.machine.config)}${others.length > 0 ? `, and on ${others.length} more` : ''}:`,
  ]
  for (const [i, step] of vector.steps.entries())
    lines.push(
      stepLine(
        step,
        first.failures.find((failure) => failure.step === i),
        style,
      ),
    )
  return lines
}

export function conformLines(report: Report, style: Style): string[] {
  const { target, wiring, machines, outcomes, seconds } = report
  const rows = rowsOf(report)
  const onQemu = target === 'qemu'
  const sum = (verdict: Verdict) => rows.reduce((all, row) => all + row[verdict], 0)
  const widths = Math.max(...rows.map(({ subject }) => subject.length)) + 9
  const cells = (row: Row) =>
    [row.passed, ...(onQemu ? [row.deviating] : []), row.failed, row.leftOut].map((n) => (n === 0 ? '·' : grouped(n)))
  const heads = ['pass', ...(onQemu ? ['deviate'] : []), 'fail', 'left out']
  const line = (label: string, texts: readonly string[]) =>
    `${label.padEnd(widths)}${texts.map((text) => text.padStart(10)).join('')}`
  const lines: string[] = []
  for (const outcome of outcomes)
    if (verdictOf(outcome, report) === 'failed') lines.push(...failureLines(outcome, style), '')
  const what = onQemu
    ? "QEMU's GIC"
    : `this GIC, a bus range for each ${wiring === 'frame' ? 'frame' : 'group of registers'}`
  const where = machines.length === 1 ? describeConfig(machines[0]!.config) : counted(machines.length, 'machine')
  lines.push(`${style.bold(`Conformance vectors on ${what}`)}: ${where}, in ${duration(seconds)}`)
  lines.push(style.dim(`  ${line('', heads)}`))
  for (const row of rows) {
    const mark = row.failed > 0 ? style.bad('✘') : row.passed > 0 ? style.good('✔') : style.dim('·')
    lines.push(`${mark} ${line(`GICv${row.version}  ${row.subject}`, cells(row))}`)
  }
  if (onQemu && sum('deviating') > 0) lines.push('', ...deviationLines(report, style))
  const ran = outcomes.reduce((all, outcome) => all + outcome.ran.length, 0)
  const failed = sum('failed')
  const applied = outcomes.length - sum('leftOut')
  lines.push('')
  if (sum('leftOut') > 0) lines.push(`${counted(sum('leftOut'), 'vector')} left out: of another machine than these`)
  const tail = `${counted(applied, 'vector')}, ${counted(ran, 'run')}`
  const deviating = sum('deviating') > 0 ? `, ${grouped(sum('deviating'))} fail as listed` : ''
  lines.push(
    failed === 0
      ? `${style.good(deviating === '' ? 'all pass' : 'no unlisted failure')}: ${tail}${deviating}`
      : `${style.bad(`${counted(failed, 'vector')} of ${grouped(applied)} failed`)}, ${counted(ran, 'run')}${deviating}`,
  )
  return lines
}

/** What QEMU is known to do otherwise, with the vectors that show it. */
function deviationLines(report: Report, style: Style): string[] {
  const byDeviation = new Map<string, string[]>()
  for (const outcome of report.outcomes) {
    if (verdictOf(outcome, report) !== 'deviating') continue
    const id = report.deviationOf(outcome.vector.name) ?? ''
    byDeviation.set(id, [...(byDeviation.get(id) ?? []), outcome.vector.name])
  }
  const lines = ['Listed deviations of QEMU, and the vectors that show them:']
  for (const [id, names] of byDeviation) {
    lines.push(`  ${style.bold(id)}  ${titles.get(id) ?? ''}`)
    for (const name of names) lines.push(style.dim(`      ${name}`))
  }
  return lines
}

/** The vectors themselves, a line each below their subject. */
export function listLines(documents: JsonVectors, style: Style): string[] {
  const lines = documents.subjects.flatMap(({ gic, subject, vectors }) => [
    `${style.bold(`GICv${gic}  ${subject}`)} (${vectors.length})`,
    ...vectors.map(({ name, clause }) => `  ${name} ${style.dim(clause)}`),
  ])
  const count = documents.subjects.reduce((sum, { vectors }) => sum + vectors.length, 0)
  return [...lines, '', counted(count, 'vector')]
}

/** Everything as JSON has it: 64-bit values as hexadecimal strings. */
export function conformJson(report: Report): unknown {
  const { target, wiring, machines, outcomes, seconds } = report
  const rows = rowsOf(report)
  const plain = (value: unknown): unknown =>
    JSON.parse(JSON.stringify(value, (_, each: unknown) => (typeof each === 'bigint' ? hex(each) : each)))
  return {
    ok: rows.every(({ failed }) => failed === 0),
    target,
    ...(wiring === undefined ? {} : { wiring }),
    machines: machines.map(({ config }) => config),
    seconds,
    subjects: rows,
    failures: outcomes
      .filter(({ failed }) => failed.length > 0)
      .map(({ subject, vector, failed }) => ({
        subject,
        name: vector.name,
        clause: vector.clause,
        deviation: report.deviationOf(vector.name) ?? null,
        on: failed.map(({ machine, failures }) => ({ machine: machine.config, failures: plain(failures) })),
      })),
  }
}
