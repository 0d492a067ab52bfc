/** `npm run bench`: runs every section and prints a table for people, or with `--json` one array of rows. */

import { accessSection } from './access.ts'
import { allocationSection } from './allocation.ts'
import { flatSection } from './flat.ts'
import { gicv3FlatSection, gicv3Section } from './gicv3.ts'
import { interruptSection } from './interrupt.ts'
import { acquaint, machine, mixedBus } from './machine.ts'
import { replaySection } from './replay.ts'
import { isOver, type Row, type Section } from './row.ts'
import { wiringSection } from './wiring.ts'

/** This file's own place is in the build; the trace is in the package. */
const trace = new URL('../../../traces/linux-gicv2-smp4.trace.gz', import.meta.url)

function figure(value: number | null, unit: string): string {
  if (value === null) return ''
  const digits = unit === 'ranges' || value >= 10_000 ? 0 : unit === 'bytes' ? 3 : 1
  return `${value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })} ${unit}`
}

function line(row: Row): string {
  const { name, value, unit, baseline, ratio, limit } = row
  const verdict = limit === null ? '' : isOver(row) ? `OVER ${limit}` : `<= ${limit}`
  const cells = [figure(value, unit), figure(baseline, unit), ratio === null ? '' : ratio.toFixed(2)]
  return `  ${name.padEnd(64)}${cells.map((cell) => cell.padStart(16)).join('')}   ${verdict}`.trimEnd()
}

function print(section: Section): void {
  process.stdout.write(`\n${section.title}\n  held against: ${section.baseline}\n`)
  for (const row of section.rows) process.stdout.write(`${line(row)}\n`)
}

const json = process.argv.includes('--json')
const unknown = process.argv.slice(2).find((arg) => arg !== '--json')
if (unknown !== undefined) {
  process.stderr.write(`bench: unknown option '${unknown}'; there is --json\n`)
  process.exit(2)
}

const mixed = mixedBus()
const frame = machine({ cpus: 4, intids: 1020 })
acquaint(mixed, [frame, machine({ cpus: 1, intids: 64 }, 'group')])
const rows: Row[] = []
if (!json) process.stdout.write('vgic benchmark: medians of interleaved rounds; ratio to what is measured beside it\n')
for (const run of [
  () => accessSection(frame, mixed),
  () => interruptSection(machine({ cpus: 4, intids: 1020 })),
  flatSection,
  gicv3Section,
  gicv3FlatSection,
  wiringSection,
  () => replaySection(trace),
  allocationSection,
]) {
  const section = await run()
  // Sections measure the same accesses for different reasons: a name has to say which.
  rows.push(...section.rows.map((row) => ({ ...row, name: `${section.title}: ${row.name.trim()}` })))
  if (!json) print(section)
}

const over = rows.filter(isOver)
if (json) process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`)
else process.stdout.write(`\n${over.length === 0 ? 'No row is' : `${over.length} rows are`} over the limit.\n`)
