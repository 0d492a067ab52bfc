/**
 * Holds README.md to the project: its example is the one that runs here, its coverage table is what the register tables
 * say, and its commands and links lead somewhere. It does not judge the prose.
 */

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it, vi } from 'vitest'
import { coverageTable, cpuCoverage, tables } from './coverage.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** Every register table: the file that builds it, from src/, and its name there. */
function tablesBelow(folder = 'src'): { path: string; name: string }[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (entry.isDirectory()) return tablesBelow(path)
    if (!/(?<!\.spec)\.ts$/.test(path)) return []
    const found = read(path).matchAll(/const (\w+)[^=\n]* = registerTable</g)
    return [...found].map(([, name]) => ({ path: path.slice('src/'.length), name: name! }))
  })
}

// The examples import the package by its name, which is what was built.
beforeAll(() => {
  execFileSync(process.execPath, [join(root, 'scripts/build.mjs')], { stdio: 'ignore' })
})

describe('README.md', () => {
  const readme = read('README.md')

  it.each(['embedding.mjs', 'embedding-gicv3.mjs', 'machine.mjs'])(
    'shows the example %s, and the lines that it prints',
    async (name) => {
      const [, code = ''] = read(`examples/${name}`).split('\n\nimport ')
      expect(readme).toContain(`\`\`\`js\nimport ${code}\`\`\``)
      const log = vi.spyOn(console, 'log').mockImplementation(() => {})
      try {
        await import(/* @vite-ignore */ `../examples/${name}`)
        const printed = log.mock.calls.map(([line]) => String(line))
        expect(printed).toHaveLength(4)
        expect(readme).toContain(`\`\`\`text\n${printed.join('\n')}\n\`\`\``)
      } finally {
        log.mockRestore()
      }
    },
  )

  it('begins with a kernel whose timer does not fire, and the answer that its command gives', () => {
    const [, command = ''] = readme.match(/```sh\nnpx vgic (.*)\n```/) ?? []
    const args = [...command.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!)
    const options = { cwd: root, encoding: 'utf8', input: '', timeout: 60_000 } as const
    const ran = spawnSync(process.execPath, [join(root, 'bin/vgic.js'), ...args], options)
    const lines = ran.stdout.replaceAll('\r', '').split('\n').slice(0, 4)
    expect(lines[3]).toMatch(/^PPI 27 .* is not signalled/)
    expect(readme).toContain(`\`\`\`text\n${lines.join('\n')}\n\`\`\``)
  })

  it("has the coverage table that the register tables make ('npm run docs' writes it)", () => {
    const [, shown] = /<!-- coverage -->\n\n([\s\S]*?)\n\n<!-- end of coverage -->/.exec(readme) ?? []
    expect(shown).toBe(coverageTable())
  })

  it("has the CPU's coverage in docs/cpu.md as the CPU's tables make it ('npm run docs' writes it)", () => {
    const [, shown] = /<!-- coverage -->\n\n([\s\S]*?)\n\n<!-- end of coverage -->/.exec(read('docs/cpu.md')) ?? []
    expect(shown).toBe(cpuCoverage())
  })

  it('counts every register table there is (a new one goes into src/coverage.ts)', () => {
    const coverage = read('src/coverage.ts')
    const built = tablesBelow()
    const missing = built.filter(
      ({ path, name }) => !coverage.includes(`'./${path}'`) || !coverage.includes(`table: ${name} }`),
    )
    expect(missing).toEqual([])
    expect(tables.length).toBe(built.length)
  })

  it.each(['README.md', 'CONTRIBUTING.md', 'docs/io-bus.md', 'docs/board.md', 'docs/cpu.md'])(
    '%s links to files that exist',
    (page) => {
      const folder = page.includes('/') ? page.slice(0, page.lastIndexOf('/')) : ''
      const links = [...read(page).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, target]) => target!)
      expect(links.filter((target) => !existsSync(join(root, folder, target)))).toEqual([])
    },
  )

  it.each(['README.md', 'CONTRIBUTING.md'])('%s names only npm scripts that there are', (page) => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
    const named = [...read(page).matchAll(/(?:^|`)npm (?:run )?([a-z:]+)/gm)].map(([, name]) => name!)
    expect(named.filter((name) => !['install', 'ci'].includes(name) && scripts[name] === undefined)).toEqual([])
    expect(named).toContain('test')
  })
})

describe('CONTRIBUTING.md', () => {
  it('has code that compiles as it is written', () => {
    const samples = [...read('CONTRIBUTING.md').matchAll(/^( *)```ts\n([\s\S]*?)^ *```$/gm)]
    expect(samples.length).toBeGreaterThan(0)
    const folder = join(root, '.cache', 'contributing')
    rmSync(folder, { recursive: true, force: true })
    mkdirSync(folder, { recursive: true })
    for (const [i, [, indent = '', code = '']] of samples.entries())
      writeFileSync(join(folder, `sample-${i}.ts`), code.replaceAll(new RegExp(`^${indent}`, 'gm'), ''))
    const project = { extends: '../../tsconfig.json', include: ['*.ts'] }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(project))
    const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
    expect(spawnSync(process.execPath, [tsc, '-p', folder], { encoding: 'utf8' }).stdout).toBe('')
  })
})
