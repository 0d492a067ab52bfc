/**
 * `vgic run` as a process of its own, spoken with as a person would: a line is typed when the guest printed what it is an
 * answer to. Idle time follows the host's clock, as at a terminal, so that a run is not the same each time.
 */

import { spawn } from 'node:child_process'
import { type Ended, program } from './boot-guest.ts'

export interface Turn {
  /** What has to be in the output, behind what the turn before waited for. */
  readonly after: string
  readonly line: string
}

/** Guest seconds, which go on while the guest waits for a line, however slow the host is to type it. */
const LIMIT = '120'

/** Runs the command to its end. What never comes is the limit's to end. */
export function converse(args: readonly string[], turns: readonly Turn[]): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [program, ...args, '--clock', 'host', '--timeout', LIMIT], {
      stdio: ['pipe', 'pipe', 'pipe'],
    })
    const ended: Ended = { status: null, out: '', err: '' }
    let turn = 0
    let heard = 0
    child.stdout.on('data', (data: Buffer) => {
      ended.out += data.toString('latin1').replaceAll('\r', '')
      for (; turn < turns.length; turn++) {
        const { after, line } = turns[turn]!
        const at = ended.out.indexOf(after, heard)
        if (at < 0) return
        heard = at + after.length
        child.stdin.write(`${line}\n`)
      }
      child.stdin.end()
    })
    child.stderr.on('data', (data: Buffer) => {
      ended.err += data.toString('latin1')
    })
    child.on('error', reject)
    child.on('close', (status) => resolve({ ...ended, status }))
    child.stdin.on('error', () => {})
  })
}
