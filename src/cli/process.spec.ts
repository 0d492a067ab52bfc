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

/** STR Wt, [Xn, #offset] and LDR (DDI 0487 C6.2). */
const str = (rt: number, rn: number, offset = 0) => (0xb900_0000 | (offset << 8) | (rn << 5) | rt) >>> 0
const ldr = (rt: number, rn: number, offset = 0) => (0xb940_0000 | (offset << 8) | (rn << 5) | rt) >>> 0
const { movz, movk, hvc, wfi } = a64
/** GICC_IAR into X8 and back to GICC_EOIR, with the CPU interface at X2. */
const takeInterrupt = [ldr(8, 2, 0xc), str(8, 2, 0x10)]
/** A guest whose CPU 0 sends an SGI to CPU 1 and sleeps for 100 ticks, for ever; CPU 1 sleeps until then. GICv2, interrupts masked. */
const twoSleepers = words(
  // CPU_ON (DEN 0022) for CPU 1, at the last part of this.
  ...[movz(0, 3), movk(0, 0xc400, 1), movz(1, 1), 0x1000_0342, movz(3, 0), hvc],
  // GICD_CTLR, GICD_ISENABLER0 with SGI 1 and PPI 27, GICC_PMR, GICC_CTLR.
  ...[movz(1, 0x0800, 1), movz(2, 0x0801, 1), movz(3, 1), str(3, 1), movz(4, 0x0800, 1), movk(4, 2), str(4, 1, 0x100)],
  ...[movz(5, 0xff), str(5, 2, 4), str(3, 2)],
  // What goes to GICD_SGIR: SGI 1 to all but the sender. A character says that it begins.
  ...[movz(9, 1), movk(9, 0x0100, 1), movz(10, 0x0900, 1), movz(11, 0x21), str(11, 10)],
  // CNTV_TVAL_EL0, CNTV_CTL_EL0, the SGI, and sleep.
  ...[movz(7, 100), 0xd51b_e307, 0xd51b_e323, str(9, 1, 0xf00), wfi, ...takeInterrupt, 0x17ff_fff9],
  ...[movz(2, 0x0801, 1), movz(3, 1), movz(5, 0xff), str(5, 2, 4), str(3, 2)],
  ...[wfi, ...takeInterrupt, 0x17ff_fffd],
)

/** A guest that prints a character and then reads item 0 of fw_cfg, 1 GiB of it, into memory by DMA, for ever: the command is at 0x43f00000. */
const asksForever = words(
  ...[movz(1, 0x0900, 1), movz(2, 0x21), str(2, 1)],
  // Big-endian: length 0x40000000, and to 0x44000000.
  ...[movz(4, 0x43f0, 1), movz(5, 0x40), str(5, 4, 4), str(31, 4, 8), movz(5, 0x44), str(5, 4, 12)],
  // Select item 0 and read; the command's address to the low half of FW_CFG_DMA.
  ...[movz(3, 0x0a00, 1), movz(1, 0x0902, 1), movz(2, 0xf043), str(3, 4), str(2, 1, 0x14), 0x17ff_fffe],
)

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
      // STR W2, [X1], the UART's data register, and back to it.
      const kernel = join(folder, 'prints')
      writeFileSync(kernel, words(movz(1, 0x0900, 1), movz(2, 0x21), 0xb900_0022, 0x17ff_ffff))
      const child = spawn(process.execPath, [launcher, 'run', '--kernel', kernel, '-m', '4M'], {
        stdio: ['ignore', 'pipe', 'inherit'],
      })
      const ended = once(child, 'exit')
      await once(child.stdout, 'readable')
      // Long enough for every buffer on the way to be full.
      await delay(500)
      child.kill('SIGTERM')
      expect((await ended)[0]).toBe(143)
    } finally {
      rmSync(folder, { recursive: true })
    }
  })

  it.skipIf(process.platform === 'win32')(
    'hears a signal while CPUs sleep at the pace of the host and make way for each other',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'vgic-process-'))
      try {
        const kernel = join(folder, 'sleeps')
        writeFileSync(kernel, twoSleepers)
        const child = spawn(
          process.execPath,
          [launcher, 'run', '--kernel', kernel, '-m', '4M', '--smp', '2', '--clock', 'host'],
          { stdio: ['pipe', 'pipe', 'inherit'] },
        )
        const ended = once(child, 'exit')
        await once(child.stdout, 'readable')
        await delay(700)
        child.kill('SIGTERM')
        const late = delay(10_000).then(() => child.kill('SIGKILL'))
        expect((await Promise.race([ended, late.then(() => ended)]))[0]).toBe(143)
      } finally {
        rmSync(folder, { recursive: true })
      }
    },
  )

  it.skipIf(process.platform === 'win32').each([
    ['a signal', [], 143],
    ['--host-timeout', ['--host-timeout', '1'], 124],
  ])('ends at %s though its guest asks fw_cfg for a gigabyte again and again', async (_, options, status) => {
    const folder = mkdtempSync(join(tmpdir(), 'vgic-process-'))
    try {
      const kernel = join(folder, 'asks')
      writeFileSync(kernel, asksForever)
      const args = ['run', '--kernel', kernel, '-m', '2G', ...options]
      const child = spawn(process.execPath, [launcher, ...args], { stdio: ['ignore', 'pipe', 'ignore'] })
      const ended = once(child, 'exit')
      await once(child.stdout, 'readable')
      await delay(500)
      const start = performance.now()
      if (status === 143) child.kill('SIGTERM')
      const late = delay(10_000).then(() => child.kill('SIGKILL'))
      expect((await Promise.race([ended, late.then(() => ended)]))[0]).toBe(status)
      expect(performance.now() - start).toBeLessThan(3000)
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
