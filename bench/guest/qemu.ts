/** The same programs on QEMU's virt board, where it is installed: the time of a pass from the difference of two counts. */

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median } from '../measure.ts'
import { type Gic, image, type ProgramName } from './program.ts'

const QEMU = 'qemu-system-aarch64'

/** The first line of its version, or undefined where there is none. */
export function qemuVersion(): string | undefined {
  const { status, stdout } = spawnSync(QEMU, ['--version'], { encoding: 'utf8' })
  return status === 0 ? stdout.split('\n')[0] : undefined
}

function machineOptions(gic: Gic, cpus: number, memory: string): string[] {
  const board = ['-machine', `virt,gic-version=${gic}`, '-cpu', 'cortex-a57', '-smp', String(cpus), '-m', memory]
  return [...board, '-display', 'none', '-monitor', 'none', '-nic', 'none']
}

/** Nanoseconds of a pass; `most` passes are run, and compared with next to none. NaN where the guest did not end by itself. */
export function qemuPass(name: ProgramName, gic: Gic, most: number, rounds = 3): number {
  const folder = mkdtempSync(join(tmpdir(), 'vgic-bench-'))
  const file = join(folder, 'guest.bin')
  const time = (count: number): number => {
    writeFileSync(file, image(name, gic, count))
    const options = [...machineOptions(gic, name === 'ipi' ? 2 : 1, '64M'), '-serial', 'none', '-kernel', file]
    const start = performance.now()
    const { status } = spawnSync(QEMU, options, { timeout: 20_000, stdio: 'ignore' })
    return status === 0 ? performance.now() - start : Number.NaN
  }
  try {
    const times: number[] = []
    for (let round = 0; round < rounds; round++) times.push(((time(most) - time(16)) * 1e6) / most)
    return times.some(Number.isNaN) ? Number.NaN : median(times)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** QEMU with a Linux guest whose console is its standard input and output. */
export function qemuCommand(
  guest: { kernel: string; initrd: string; cpus: number; memory: number },
  append: string,
): [string, ...string[]] {
  const board = [...machineOptions(2, guest.cpus, `${guest.memory}M`), '-serial', 'stdio']
  return [QEMU, ...board, '-kernel', guest.kernel, '-initrd', guest.initrd, '-append', append]
}

/** Seconds until the console has said `prompt`. */
export function qemuBoot(files: { kernel: string; initrd: string; append: string; cpus: number }, prompt: RegExp) {
  const [program, ...options] = qemuCommand({ ...files, memory: 256 }, files.append)
  return new Promise<number>((resolve) => {
    const start = performance.now()
    const child = spawn(program, options, { stdio: ['pipe', 'pipe', 'ignore'] })
    const limit = setTimeout(() => child.kill(), 120_000)
    let text = ''
    let seconds = Number.NaN
    child.stdout.on('data', (data: Buffer) => {
      text = (text + data.toString('latin1')).slice(-4096)
      if (!prompt.test(text)) return
      seconds = (performance.now() - start) / 1000
      child.kill()
    })
    child.on('error', () => resolve(Number.NaN))
    child.on('close', () => {
      clearTimeout(limit)
      resolve(seconds)
    })
  })
}
