/** The command as a process: its launcher, its exit status, and readers and disks that take no more. */

import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { a64, words } from '../machine/testing/guest.ts'

const launcher = fileURLToPath(new URL('../../bin/vgic.js', import.meta.url))
const trace = fileURLToPath(new URL('../../traces/linux-gicv2-smp4.trace.gz', import.meta.url))

function run(args: string[], stdout: 'pipe' | number = 'pipe') {
  const {
    status,
    stdout: out,
    stderr: err,
  } = spawnSync(process.execPath, [launcher, ...args], {
    stdio: ['ignore', stdout, 'pipe'],
    encoding: 'utf8',
  })
  return { status, out, err }
}

describe('the vgic process', () => {
  // The launcher builds what is out of date, once, and says so; then it is silent.
  beforeAll(() => {
    expect(run(['--version']).status).toBe(0)
  })

  it('leaves its status to whoever started it', () => {
    expect(run(['replay', trace])).toMatchObject({ status: 0, err: '', out: expect.stringContaining('no divergence') })
    expect(run(['replay', '/no/such/file'])).toEqual({
      status: 2,
      out: '',
      err: 'vgic: /no/such/file: cannot be read: no such file\n',
    })
  })

  it.skipIf(process.platform === 'win32')('is quiet when its reader goes away, and still tells what it found', () => {
    const script = `"$0" "$1" replay --json "$2" | head -c 1 >/dev/null; exit "\${PIPESTATUS[0]}"`
    const { status, stderr } = spawnSync('bash', ['-c', script, process.execPath, launcher, trace], {
      encoding: 'utf8',
    })
    expect(stderr).toBe('')
    expect(status).toBe(0)
  })

  it.skipIf(!existsSync('/dev/full'))('says in one line that its output cannot be written', () => {
    expect(run(['replay', trace], openSync('/dev/full', 'w'))).toMatchObject({
      status: 2,
      err: 'vgic: the output cannot be written: no space left\n',
    })
  })

  it.skipIf(process.platform === 'win32')('ends at a signal though nobody takes what its guest prints', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'vgic-process-'))
    try {
      const { movz } = a64
      // STR W2, [X1], the UART's data register, and back to it.
      const kernel = join(folder, 'prints')
      writeFileSync(kernel, words(movz(1, 0x0900, 1), movz(2, 0x21), 0xb900_0022, 0x17ff_ffff))
      const child = spawn(process.execPath, [launcher, 'run', '--kernel', kernel, '-m', '4M'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      await once(child.stdout, 'readable')
      // Long enough for every buffer on the way to be full.
      await delay(1000)
      child.kill('SIGTERM')
      expect((await ended)[0]).toBe(143)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it('finds the bundled trace from any folder', () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'vgic-elsewhere-'))
    try {
      const { status } = spawnSync(process.execPath, [launcher, 'start'], { cwd: elsewhere, encoding: 'utf8' })
      expect(status).toBe(0)
    } finally {
      rmSync(elsewhere, { recursive: true })
    }
  })
})
