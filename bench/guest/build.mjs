// Assembles programs.S into programs.ts, with GNU as and objcopy for aarch64. Only for whoever changes a program.

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const names = ['idle', 'alu', 'memory', 'call', 'uartRead', 'gicRead', 'eoi', 'self', 'ipi', 'timer']
const here = (name) => fileURLToPath(new URL(name, import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vgic-programs-'))
const lines = [
  '/** The words of programs.S, as hexadecimal without leading zeroes, written by build.mjs; `n*word` is n times that word. */',
  '',
  'export const programs = {',
]
for (const gic of [2, 3]) {
  lines.push(`  ${gic}: {`)
  for (const [number, name] of names.entries()) {
    const object = join(folder, 'o')
    execFileSync('aarch64-linux-gnu-as', [
      ...['--defsym', `PROGRAM=${number}`, '--defsym', `GIC=${gic}`, '-o', object, here('programs.S')],
    ])
    execFileSync('aarch64-linux-gnu-objcopy', ['-O', 'binary', '-j', '.text', object, `${object}.bin`])
    const bytes = readFileSync(`${object}.bin`)
    const words = Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readUInt32LE(i * 4).toString(16))
    const runs = []
    for (const word of words) {
      const last = runs.at(-1)
      if (last?.word === word) last.count++
      else runs.push({ word, count: 1 })
    }
    const text = runs.map(({ word, count }) => (count > 1 ? `${count}*${word}` : word)).join(' ')
    lines.push(`    ${name}:`, `      '${text}',`)
  }
  lines.push('  },')
}
lines.push('} as const', '')
writeFileSync(here('programs.ts'), lines.join('\n'))
rmSync(folder, { recursive: true })
