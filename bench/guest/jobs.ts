/**
 * Whole processes: Debian to its shell, a job there, and off again, ours and QEMU's by turns. Times are CPU seconds, of all threads:
 * what else the machine does changes them least. It knows no row and no limit.
 */

import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { median } from '../measure.ts'
import { append, prompt } from './boot-plan.ts'
import { qemuCommand } from './qemu.ts'

export interface Guest {
  readonly kernel: string
  readonly initrd: string
  readonly cpus: number
  /** Guest memory in MiB. */
  readonly memory: number
}

/** What is typed at the prompt; nothing for the boot alone. */
export const jobs = {
  boot: '',
  '300 x fork and exec': 'i=0; while [ $i -lt 300 ]; do /bin/busybox true; i=$((i+1)); done',
  'md5sum of 20 MB': 'dd if=/dev/zero bs=1000000 count=20 2>/dev/null | md5sum',
  'gzip -9 of 2 MB': 'cat /bin/busybox /bin/busybox >/f; dd if=/f bs=1000 count=2000 2>/dev/null | gzip -9 | wc -c',
  'awk, a loop of 400,000': "awk 'BEGIN { for (i = 0; i < 400000; i++) s += i * 3 % 7; print s }'",
} as const
export type JobName = keyof typeof jobs

/** The last command says that all before it came to their ends. */
const ENDED = /^ended 42\r?$/m
const LIMIT = 600_000

/** Seconds of user and system time of a shell's children, as its `times` has it in the second line: 1m2.34s 0m0.56s. */
function childSeconds(times: string): number {
  const found = [...(times.split('\n')[1] ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return found.length === 2
    ? found.reduce((sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds), 0)
    : Number.NaN
}

/** CPU seconds of a process that boots the guest and does a job in it; NaN where it did not come to its end. */
function seconds(command: readonly string[], job: JobName): Promise<number> {
  return new Promise((resolve) => {
    const script = '"$@" 3>&-; times >&3'
    const child = spawn('sh', ['-c', script, 'sh', ...command], {
      stdio: ['pipe', 'pipe', 'ignore', 'pipe'],
      detached: true,
    })
    const limit = setTimeout(() => process.kill(-child.pid!), LIMIT)
    let text = ''
    let times = ''
    let typed = false
    child.stdin!.on('error', () => {})
    child.stdout!.on('data', (data: Buffer) => {
      text += data.toString('latin1')
      if (typed || !prompt.test(text)) return
      typed = true
      child.stdin!.write([jobs[job], 'echo ended $((6 * 7))', 'poweroff -f'].map((line) => `${line}\n`).join(''))
    })
    child.stdio[3]!.on('data', (data: Buffer) => {
      times += data.toString('latin1')
    })
    child.on('error', () => resolve(Number.NaN))
    child.on('close', () => {
      clearTimeout(limit)
      resolve(ENDED.test(text) ? childSeconds(times) : Number.NaN)
    })
  })
}

function ourCommand({ kernel, initrd, cpus, memory }: Guest): string[] {
  const program = fileURLToPath(new URL('./command.js', import.meta.url))
  const files = ['--kernel', kernel, '--initrd', initrd, '--append', append]
  return [
    process.execPath,
    program,
    'run',
    ...files,
    '--smp',
    String(cpus),
    '--memory',
    `${memory}M`,
    '--clock',
    'guest',
  ]
}

export interface Times {
  readonly ours: readonly number[]
  /** As many, or none where there is no QEMU. */
  readonly theirs: readonly number[]
}

/** Times of each plan, round by round: every plan's turn comes in every round, and ours and QEMU's are neighbours. */
export async function timesOf(
  plans: readonly { readonly guest: Guest; readonly job: JobName }[],
  rounds: number,
  qemu: boolean,
): Promise<Times[]> {
  const times = plans.map(() => ({ ours: [] as number[], theirs: [] as number[] }))
  for (let round = 0; round < rounds; round++)
    for (const [i, { guest, job }] of plans.entries()) {
      const ours = await seconds(ourCommand(guest), job)
      if (Number.isNaN(ours))
        throw new Error(`Debian on ${guest.cpus} CPUs with ${guest.memory} MiB: '${job}' did not end`)
      times[i]!.ours.push(ours)
      if (qemu) times[i]!.theirs.push(await seconds(qemuCommand(guest, append), job))
    }
  return times
}

/** What is left of each round when that round's boot is taken off. */
export function lessBoot(job: Times, boot: Times): Times {
  return {
    ours: job.ours.map((value, round) => value - boot.ours[round]!),
    theirs: job.theirs.map((value, round) => value - boot.theirs[round]!),
  }
}

/** Medians of both, and the least and the greatest ratio of a round. */
export function summary({ ours, theirs }: Times): {
  ours: number
  theirs: number
  spread: readonly [number, number] | null
} {
  const ratios = theirs.map((value, round) => ours[round]! / value).filter(Number.isFinite)
  return {
    ours: median(ours),
    theirs: theirs.length === 0 ? Number.NaN : median(theirs),
    spread: ratios.length === 0 ? null : [Math.min(...ratios), Math.max(...ratios)],
  }
}
