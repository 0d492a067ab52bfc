/** `vgic fetch debian` where it cannot: one line of what is missing, and nothing left behind. What it fetches is for the guests' tests. */

import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { main } from './main.ts'

const folder = mkdtempSync(join(tmpdir(), 'vgic-debian-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A folder of programs that do nothing but end with a status. */
function tools(name: string, status: number, ...programs: string[]): string {
  const path = join(folder, name)
  mkdirSync(path)
  for (const program of programs) writeFileSync(join(path, program), `#!/bin/sh\nexit ${status}\n`, { mode: 0o755 })
  return path
}

async function fetch(env: Record<string, string>, command: readonly string[] = ['fetch', 'debian']) {
  const ran = { status: 0, out: '', err: '' }
  const output = (key: 'out' | 'err') => ({
    write: (text: string) => {
      ran[key] += text
    },
    isTerminal: false,
    columns: 80,
  })
  async function* nothing() {}
  ran.status = await main(command, { out: output('out'), err: output('err'), env, input: nothing() })
  return ran
}

describe.skipIf(process.platform === 'win32')('vgic fetch debian', () => {
  const all = tools('all', 1, 'apt-get', 'apt-cache', 'dpkg-deb')
  const some = tools('some', 1, 'apt-get')

  it.each([['fetch', 'debian'], ['linux']])(
    'names every tool that is missing, and makes nothing (%s)',
    async (...command) => {
      const cache = join(folder, 'unused')
      const ran = await fetch({ PATH: some, XDG_CACHE_HOME: cache }, command)
      expect(ran).toMatchObject({ status: 2, out: '' })
      expect(ran.err).toMatch(/^vgic: apt-cache, dpkg-deb not found: [^\n]*\n$/)
      expect(existsSync(cache)).toBe(false)
    },
  )

  it('says where the cache cannot be, and how to name another place', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const { status, err } = await fetch({ PATH: all, XDG_CACHE_HOME: file })
    expect(status).toBe(2)
    expect(err).toBe(
      `vgic: ${join(file, 'vgic')}: no folder can be made there (ENOTDIR); XDG_CACHE_HOME names another place\n`,
    )
  })

  it.skipIf(!existsSync('/proc/self'))('says so where a system takes no folder, too', async () => {
    const { status, err } = await fetch({ PATH: all, XDG_CACHE_HOME: '/proc/self/none' })
    expect([status, err.split('\n').length]).toEqual([2, 2])
  })

  it('takes away what a fetch that was interrupted left, but not what another one is at', async () => {
    const cache = join(folder, 'cache', 'vgic')
    // No process has a number as high as that; this one is alive.
    for (const name of ['fetch-99999999-x', `fetch-${process.pid}-x`]) mkdirSync(join(cache, name), { recursive: true })
    const { status, err } = await fetch({ PATH: all, XDG_CACHE_HOME: join(folder, 'cache') })
    expect([status, err]).toEqual([2, expect.stringContaining('vgic: apt-get update failed: status 1\n')])
    expect(readdirSync(cache)).toEqual([`fetch-${process.pid}-x`])
  })
})
