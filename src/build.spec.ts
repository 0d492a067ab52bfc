/** When dist/ is built again: where the source is another one, whatever the times of its files say. The build itself is not run here. */

import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const { checksum }: { checksum: (folder: string, names: readonly string[]) => string } = await import(
  new URL('../scripts/build.mjs', import.meta.url).href
)

describe('the checksum of the source', () => {
  let folder = ''
  const write = (name: string, text: string, seconds = 1000) => {
    writeFileSync(join(folder, name), text)
    utimesSync(join(folder, name), seconds, seconds)
  }
  const sum = () => checksum(folder, ['package.json'])

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'vgic-build-'))
    mkdirSync(join(folder, 'src', 'gic'), { recursive: true })
    write('src/gic/a.ts', 'one')
    write('package.json', '{}')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it.each([
    ['a file of the same length and time', () => write('src/gic/a.ts', 'two')],
    ['one more file', () => write('src/b.ts', '')],
    ['a file that is gone', () => rmSync(join(folder, 'src/gic/a.ts'))],
    ['what the build is told', () => write('package.json', '[]')],
  ])('is another one for %s', (_what, change) => {
    const before = sum()
    change()
    expect(sum()).not.toBe(before)
  })

  it.each([
    ['a file that was only touched', () => write('src/gic/a.ts', 'one', 2000)],
    ['a test', () => write('src/gic/a.spec.ts', 'it()')],
  ])('is the same for %s', (_what, change) => {
    const before = sum()
    change()
    expect(sum()).toBe(before)
  })
})
