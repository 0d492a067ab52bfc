/** A guest in a real terminal: it is raw while the guest has it, and as it was before, however that ends. */

import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { demoImage } from './demo.ts'
import { hasTerminal, Terminal } from './testing/terminal.ts'

const launcher = fileURLToPath(new URL('../../bin/vgic.js', import.meta.url))
const folder = mkdtempSync(join(tmpdir(), 'vgic-terminal-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The bundled guest, when it has said all and waits for keys. */
async function waiting(more: readonly string[] = [], env: Readonly<Record<string, string>> = {}): Promise<Terminal> {
  const terminal = new Terminal(['run', '--kernel', demoImage, '--append', 'stay', '-m', '8M', ...more], env)
  await terminal.until(/q switches the machine off/)
  return terminal
}

// Each has a terminal and a process of its own, and waits for them most of the time.
describe.skipIf(!hasTerminal).concurrent('a guest in a terminal', () => {
  // The launcher builds what is out of date, and says so.
  beforeAll(() => expect(spawnSync(process.execPath, [launcher, '--version']).status).toBe(0))

  it('gets keys raw, Ctrl-C among them, until Ctrl-A x', async () => {
    const terminal = await waiting()
    await terminal.untilRaw()
    terminal.type('\x03\x1a\x1c')
    await delay(300)
    terminal.type('\x01x')
    expect(await terminal.ended()).toEqual({ status: 0, restored: true })
  })

  it('leaves the terminal as it was when it switches the machine off', async () => {
    const terminal = await waiting()
    terminal.type('q')
    expect(await terminal.ended()).toEqual({ status: 0, restored: true })
    expect(terminal.shown).toContain('switching off')
  })

  it('is asked about in the monitor, which goes away with the machine', async () => {
    const terminal = await waiting()
    terminal.type('\x01cwhy 44\r')
    await terminal.until(/CLOSED enabled/)
    terminal.type('quit\r')
    expect(await terminal.ended()).toEqual({ status: 0, restored: true })
    // What comes behind it starts on a line of its own.
    expect(terminal.shown).toMatch(/\nstatus=/)
  })

  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('leaves the terminal as it was at %s, and says so with %i', async (signal, status) => {
    const terminal = await waiting()
    await terminal.untilRaw()
    process.kill(terminal.pid, signal)
    expect(await terminal.ended()).toEqual({ status, restored: true })
  })

  it('leaves the terminal as it was at the limit of --timeout, and says so on a line of its own', async () => {
    const terminal = await waiting(['--timeout', '1'])
    expect(await terminal.ended()).toEqual({ status: 124, restored: true })
    expect(terminal.shown).toMatch(/\nvgic: the limit is reached: [^\n]*\n/)
  })

  it('leaves the terminal as it was at a fault of ours, with one line and no stack', async () => {
    const path = join(folder, 'fault.mjs')
    // Where nothing catches it; the guest has the terminal by then.
    const when = `setInterval(() => { if (process.stdin.isRaw) throw new TypeError('a fault') }, 100).unref()`
    writeFileSync(path, `if (process.argv.includes('stay')) ${when}\n`)
    const terminal = new Terminal(['run', '--kernel', demoImage, '--append', 'stay', '-m', '8M'], {
      NODE_OPTIONS: `--import ${path}`,
    })
    expect(await terminal.ended()).toEqual({ status: 2, restored: true })
    expect(terminal.shown).toContain('vgic: internal error: TypeError: a fault (VGIC_DEBUG=1 shows where)\n')
    expect(terminal.shown).not.toMatch(/\n +at /)
  })

  it('has the terminal raw again when it goes on after a stop', async () => {
    const terminal = await waiting()
    await terminal.untilRaw()
    // The shell gives the terminal its own modes, and back it goes.
    process.kill(terminal.pid, 'SIGSTOP')
    terminal.makeSane()
    expect(terminal.isRaw).toBe(false)
    process.kill(terminal.pid, 'SIGCONT')
    await terminal.untilRaw()
    terminal.type('\x01x')
    expect(await terminal.ended()).toEqual({ status: 0, restored: true })
  })

  it('ends when the terminal goes away', async () => {
    const terminal = await waiting()
    await terminal.close()
  })

  it.skipIf(!existsSync('/proc/self/stat'))(
    'costs no processor time while it waits for a key',
    { concurrent: false },
    async () => {
      const terminal = await waiting()
      /** In hundredths of a second: user and system time (proc(5)). */
      const used = () => {
        const fields = readFileSync(`/proc/${terminal.pid}/stat`, 'latin1').split(') ')[1]!.split(' ')
        return Number(fields[11]) + Number(fields[12])
      }
      await delay(1000)
      const before = used()
      await delay(2000)
      expect(used() - before).toBeLessThan(10)
      terminal.type('\x01x')
      expect(await terminal.ended()).toEqual({ status: 0, restored: true })
    },
  )
})
