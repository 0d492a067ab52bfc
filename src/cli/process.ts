/** Joins the command to the process it runs in: streams, environment, exit status, a reader that went away. */

import type { Io, Output } from './command.ts'
import { ExitStatus } from './command.ts'
import { ProcessHost } from './host.ts'
import { internalError, main } from './main.ts'

/** A reader that went away, as `head` does: what comes after that is for nobody, and no fault. */
const goneReader: ReadonlySet<string | undefined> = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

/** @param failed called once when the stream takes no more for another reason, such as a full disk */
function outputOf(stream: NodeJS.WriteStream, failed: (reason: string) => void): Output {
  let closed = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (!closed && !goneReader.has(error.code)) failed(error.code === 'ENOSPC' ? 'no space left' : error.message)
    closed = true
  })
  return {
    write(text) {
      if (!closed) stream.write(text)
    },
    isTerminal: stream.isTTY === true,
    get columns() {
      return stream.columns ?? 80
    },
  }
}

/** Runs the command line of this process and leaves its status as the process's. */
export async function runProcess(): Promise<void> {
  let lost = false
  const err = outputOf(process.stderr, () => {})
  const out = outputOf(process.stdout, (reason) => {
    lost = true
    err.write(`vgic: the output cannot be written: ${reason}\n`)
    process.exitCode = ExitStatus.unusable
  })
  const io: Io = {
    out,
    err,
    env: process.env,
    input: process.stdin,
    host: new ProcessHost(),
  }
  // Nothing of this package throws outside of a command's promise; if something does, it is still one line.
  process.on('uncaughtException', (error) => {
    err.write(`vgic: ${internalError(error, process.env)}\n`)
    process.exit(ExitStatus.unusable)
  })
  const status = await main(process.argv.slice(2), io)
  // Whoever sent a signal does not wait for a reader that takes nothing.
  if (status > 128) process.exit(status)
  process.exitCode = lost ? ExitStatus.unusable : status
  // A pipe that stays open must not keep the process.
  process.stdin.destroy()
}
