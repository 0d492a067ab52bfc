/**
 * The floors of the house: which folder may import which, checked on the import lines of every file. Also what every file
 * has to have, and what none may contain. It says nothing of what the folders do.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { dirname, join, normalize, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

interface Floor {
  readonly folder: string
  /** The folders that it may import; all stand above it in this list. */
  readonly imports: readonly string[]
  /** Where it may use Node: nowhere, everywhere, or in these files and folders. Everything else runs in a browser too. */
  readonly node: 'nowhere' | 'everywhere' | readonly string[]
}

const floors: readonly Floor[] = [
  { folder: 'mmio', imports: [], node: 'nowhere' },
  { folder: 'aarch64', imports: [], node: ['aarch64/differential/', 'aarch64/isa/fp/differential/'] },
  // Registers, lines and guest memory; no CPU, and no board.
  { folder: 'devices', imports: ['mmio'], node: ['devices/file-disk.ts'] },
  { folder: 'gic', imports: ['mmio'], node: 'nowhere' },
  { folder: 'trace', imports: ['gic', 'mmio'], node: 'nowhere' },
  // A vector prints as lines of a trace.
  { folder: 'conformance', imports: ['gic', 'mmio', 'trace'], node: ['conformance/qemu/', 'conformance/fuzz/run.ts'] },
  {
    folder: 'machine',
    imports: ['mmio', 'devices', 'gic', 'aarch64', 'trace'],
    node: ['machine/testing/'],
  },
  {
    folder: 'inspector',
    imports: ['mmio', 'gic', 'trace', 'conformance', 'aarch64', 'devices', 'machine'],
    node: 'nowhere',
  },
  {
    folder: 'cli',
    imports: ['mmio', 'gic', 'trace', 'conformance', 'aarch64', 'devices', 'machine', 'inspector'],
    node: 'everywhere',
  },
  // The files beside the folders: entries and what is generated from all of them.
  {
    folder: '.',
    imports: ['mmio', 'gic', 'trace', 'conformance', 'aarch64', 'devices', 'machine', 'inspector', 'cli'],
    node: 'nowhere',
  },
]

const root = fileURLToPath(new URL('..', import.meta.url))
const source = join(root, 'src')

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => !/^(node_modules|dist|\.git|\.cache|coverage)$/.test(name))
    .flatMap((entry) => {
      const path = join(folder, entry.name)
      return statSync(path).isDirectory() ? filesBelow(path) : [path]
    })
}

/** A source file by its path from src/, with forward slashes. */
interface SourceFile {
  readonly path: string
  readonly text: string
  readonly floor: string
  readonly isSpec: boolean
  readonly imports: readonly string[]
}

const importPattern = /(?:\bfrom|\bimport)\s*\(?\s*(['"])([^'"\n]+)\1/g

function importsOf(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  return [...code.matchAll(importPattern)].map((match) => match[2]!)
}

function readSource(path: string): SourceFile {
  const text = readFileSync(path, 'utf8')
  const fromSource = relative(source, path).split(sep).join('/')
  const [first = '', ...rest] = fromSource.split('/')
  return {
    path: fromSource,
    text,
    floor: rest.length === 0 ? '.' : first,
    isSpec: /\.spec\.ts$/.test(fromSource),
    imports: importsOf(text),
  }
}

const files = filesBelow(source)
  .filter((path) => /\.(ts|tsx|mts)$/.test(path))
  .map(readSource)

/** Where a relative import leads, from src/. */
function targetOf(file: SourceFile, specifier: string): string {
  const target = normalize(join(dirname(file.path), specifier))
  return target.split(sep).join('/')
}

/** The folder below src/ that a relative import leads to; undefined when it leads out of src/. */
function floorOf(file: SourceFile, specifier: string): string | undefined {
  const target = targetOf(file, specifier)
  if (target.startsWith('..')) return undefined
  return target.includes('/') ? target.split('/')[0] : '.'
}

const isRelative = (specifier: string) => specifier.startsWith('.')
const isNode = (specifier: string) => specifier.startsWith('node:') || builtinModules.includes(specifier)

function mayUseNode(path: string): boolean {
  if (/\.spec\.ts$/.test(path)) return true
  const floor = path.includes('/') ? path.split('/')[0] : '.'
  const node = floors.find(({ folder }) => folder === floor)?.node ?? 'nowhere'
  if (typeof node === 'string') return node === 'everywhere'
  return node.some((place) => path.startsWith(place))
}

/** Faults as lines, so that a failure names every file at once. */
function faults(find: (file: SourceFile) => readonly string[]): string[] {
  return files.flatMap((file) => find(file).map((what) => `src/${file.path}: ${what}`))
}

describe('the floors of the house', () => {
  it('finds imports of every form, and none in comments', () => {
    const lines = [
      "/* import './a' */",
      "// from './b'",
      "import c from './c'",
      'import {\n d } from "./d"',
      "import './e'",
      "export * from './f'",
      "await import('./g')",
    ]
    expect(importsOf(lines.join('\n'))).toEqual(['./c', './d', './e', './f', './g'])
  })

  it('lists each folder of src/ once, after the folders that it may import', () => {
    const listed = floors.map(({ folder }) => folder)
    expect(new Set(listed).size).toBe(listed.length)
    expect([...new Set(files.map(({ floor }) => floor))].filter((floor) => !listed.includes(floor))).toEqual([])
    for (const [i, { folder, imports }] of floors.entries())
      for (const lower of imports) expect(listed.slice(0, i), `${folder} imports ${lower}`).toContain(lower)
  })

  it('lets a folder import only the floors under it', () => {
    const wrong = faults((file) => {
      const allowed = floors.find(({ folder }) => folder === file.floor)?.imports ?? []
      return file.imports.filter(isRelative).flatMap((specifier) => {
        const target = floorOf(file, specifier)
        if (target === undefined) return file.isSpec ? [] : [`imports ${specifier}, outside of src/`]
        return target === file.floor || allowed.includes(target) ? [] : [`${file.floor}/ may not import ${target}/`]
      })
    })
    expect(wrong).toEqual([])
  })

  it('has no circle of imports, types included: a part that needs the whole declares what it uses of it', () => {
    const known = new Set(files.map(({ path }) => path))
    const targets = new Map(
      files.map((file) => [
        file.path,
        file.imports
          .filter(isRelative)
          .map((name) => targetOf(file, name))
          .filter((path) => known.has(path)),
      ]),
    )
    const done = new Set<string>()
    const circles: string[] = []
    const follow = (path: string, way: readonly string[]) => {
      if (way.includes(path)) circles.push([...way.slice(way.indexOf(path)), path].join(' -> '))
      else if (!done.has(path)) {
        for (const next of targets.get(path) ?? []) follow(next, [...way, path])
        done.add(path)
      }
    }
    for (const path of targets.keys()) follow(path, [])
    expect(circles).toEqual([])
  })

  it('keeps Node out of everything that runs in a browser', () => {
    const wrong = faults((file) => {
      if (mayUseNode(file.path)) return []
      const globals = file.text
        .replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '')
        .match(/\b(process\.\w+|Buffer\.\w+|require\(|__dirname)/)
      const through = file.imports.filter((name) => isRelative(name) && mayUseNode(targetOf(file, name)))
      return [...file.imports.filter(isNode), ...through, ...(globals ? [globals[0]] : [])].map(
        (what) => `uses ${what}`,
      )
    })
    expect(wrong).toEqual([])
  })

  it('has no dependency at run time, and none in a test that package.json does not declare', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, object>
    expect(manifest['dependencies']).toBeUndefined()
    const declared = Object.keys(manifest['devDependencies'] ?? {})
    const wrong = faults((file) =>
      file.imports
        .filter((specifier) => !isRelative(specifier) && !isNode(specifier))
        .filter((specifier) => !file.isSpec || !declared.some((name) => `${specifier}/`.startsWith(`${name}/`)))
        .map((specifier) => `imports the package ${specifier}`),
    )
    expect(wrong).toEqual([])
  })
})

describe('every file of the project', () => {
  const everything = filesBelow(root)

  it('of source opens with a comment that says what it is', () => {
    const wrong = everything
      .filter((path) => /\.(ts|mts|tsx|mjs)$/.test(path))
      .filter((path) => !/^(#!.*\n)?\s*(\/\*\*|\/\/)/.test(readFileSync(path, 'utf8')))
    expect(wrong.map((path) => relative(root, path)).filter((path) => !/^vitest\..*config\.ts$/.test(path))).toEqual([])
  })

  it('is free of the paths of one particular machine, and of the host of a package registry', () => {
    const folders = ['work', 'home', 'root', 'tmp', 'Users'].join('|')
    const forbidden = [
      new RegExp(`(?<![\\w.)\\]}-])/(?:${folders})/\\w`),
      new RegExp(['registry', 'npmjs'].join('\\.')),
      /"resolved": +"http/,
    ]
    const wrong = everything
      .filter((path) => /\.(ts|mts|mjs|js|json|md|sh|c|S|ld|yml|yaml|html)$|[/\\](run|LICENSE|\.npmrc)$/.test(path))
      .filter((path) => {
        const text = readFileSync(path, 'utf8')
        return forbidden.some((pattern) => pattern.test(text))
      })
    expect(wrong.map((path) => relative(root, path))).toEqual([])
  })
})
