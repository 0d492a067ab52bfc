// Writes the coverage table of the register tables into README.md, between its two markers. Needs dist/, as run.mjs makes it.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { coverageTable } from '../dist/coverage.js'
import { root } from './build.mjs'

const readme = join(root, 'README.md')
const text = readFileSync(readme, 'utf8')
const updated = text.replace(
  /(<!-- coverage -->\n)[\s\S]*?(\n<!-- end of coverage -->)/,
  (_, before, after) => `${before}\n${coverageTable()}\n${after}`,
)
if (updated !== text) writeFileSync(readme, updated)
process.stdout.write(updated === text ? 'README.md is current\n' : 'README.md: coverage table written\n')
