// Writes the coverage table of the register tables into README.md, and that of the CPU into docs/cpu.md, between their two
// markers. Needs dist/, as run.mjs makes it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coverageTable, cpuCoverage } from '../dist/coverage.js'
import { root } from './build.mjs'

for (const [page, made] of [
  ['README.md', coverageTable()],
  [join('docs', 'cpu.md'), cpuCoverage()],
]) {
  const path = join(root, page)
  const text = readFileSync(path, 'utf8')
  const updated = text.replace(
    /(<!-- coverage -->\n)[\s\S]*?(\n<!-- end of coverage -->)/,
    (_, before, after) => `${before}\n${made}\n${after}`,
  )
  if (updated !== text) writeFileSync(path, updated)
  process.stdout.write(updated === text ? `${page} is current\n` : `${page}: coverage written\n`)
}
