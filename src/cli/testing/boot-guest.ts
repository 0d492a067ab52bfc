/** `vgic run` as a process of its own with a real guest, its input piped in at once. It fetches nothing: scripts/guests.mjs does. */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cacheFolder } from '../debian.ts'

export const program = fileURLToPath(new URL('../../../bin/vgic.js', import.meta.url))

/** A file that scripts/guests.mjs put into the cache. */
export const cached = (...name: string[]): string => join(cacheFolder(process.env), ...name)

export interface Ended {
  status: number | null
  /** What the guest printed, and the answers of --ask, without carriage returns. */
  out: string
  err: string
}

/** Runs the command to its end; `lines` are typed before the guest starts. */
export function vgic(args: readonly string[], lines: readonly string[] = []): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
    const ended: Ended = { status: null, out: '', err: '' }
    child.stdout.on('data', (data: Buffer) => {
      ended.out += data.toString('latin1').replaceAll('\r', '')
    })
    child.stderr.on('data', (data: Buffer) => {
      ended.err += data.toString('latin1')
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ ...ended, status }))
    child.stdin.on('error', () => {})
    child.stdin.end(lines.map((line) => `${line}\n`).join(''))
  })
}

/** Debian's cloud kernel with the tiny RAM disk, or with another. */
export const linux = (initrd = cached('debian', 'initrd')): string[] => [
  'run',
  ...[
    '--kernel',
    cached('debian', 'kernel'),
    '--initrd',
    initrd,
    '--append',
    'console=ttyAMA0 cryptomgr.notests quiet',
  ],
  ...['--timeout', '10', '--stats'],
]
