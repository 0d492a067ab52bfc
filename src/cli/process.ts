/** Joins the command to the process it runs in: streams, environment, exit status, a reader that went away. */

import type { Io, Output } from './command.ts'
import { main } from './main.ts'

/** A stream whose reader may close it at any time, as `head` does: what comes after that is for nobody. */
function outputOf(stream: NodeJS.WriteStream): Output {
  let closed = false
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'ERR_STREAM_DESTROYED') throw error
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
  const io: Io = {
    out: outputOf(process.stdout),
    err: outputOf(process.stderr),
    env: process.env,
    input: process.stdin,
  }
  process.exitCode = await main(process.argv.slice(2), io)
}
