/** The `vgic` command: finds the subcommand, and turns whatever goes wrong into one line and an exit status. */

import type { Command, Io } from './command.ts'
import { ExitStatus, UsageError } from './command.ts'
import { commandList, loadCommand } from './commands.ts'
import { FileError } from './file-error.ts'
import { printable } from './style.ts'
import { version } from './version.ts'

function helpText(): string {
  const width = Math.max(...commandList.map(({ name }) => name.length))
  const list = commandList.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`).join('\n')
  return `Usage: vgic COMMAND [options]

A virtual Arm Generic Interrupt Controller, and the means to hold it against real traffic.

${list}

  vgic COMMAND --help    the options of a command, with an example
  vgic --version         the version

Example:
  vgic replay traces/linux-gicv2-smp4.trace.gz
`
}

async function find(name: string): Promise<Command> {
  const command = await loadCommand(name)
  if (command === undefined)
    throw new UsageError(`unknown command '${printable(name).slice(0, 60)}'; 'vgic --help' lists them`)
  return command
}

async function dispatch(args: readonly string[], io: Io): Promise<ExitStatus> {
  const [first, ...rest] = args
  if (first === undefined || first === '--help' || first === '-h' || (first === 'help' && rest.length === 0)) {
    io.out.write(helpText())
    return ExitStatus.ok
  }
  if (first === '--version' || first === '-V') {
    io.out.write(`${version}\n`)
    return ExitStatus.ok
  }
  if (first === 'help') {
    io.out.write((await find(rest[0] ?? '')).help)
    return ExitStatus.ok
  }
  if (first.startsWith('-'))
    throw new UsageError(`unknown option '${printable(first).slice(0, 60)}'; 'vgic --help' lists what there is`)
  const command = await find(first)
  const end = rest.indexOf('--')
  const options = end < 0 ? rest : rest.slice(0, end)
  if (options.includes('--help') || options.includes('-h')) {
    io.out.write(command.help)
    return ExitStatus.ok
  }
  return command.run(rest, io)
}

/** A fault of ours: still one line for the user; the stack is for whoever asks for it. */
export function internalError(error: unknown, env: Io['env']): string {
  const detail = error instanceof Error ? error : new Error(String(error))
  const shown = (env['VGIC_DEBUG'] ?? '') === '' ? `${detail.name}: ${detail.message.split('\n')[0]}` : detail.stack
  return `internal error: ${shown} (VGIC_DEBUG=1 shows where)`
}

/**
 * Runs a command line.
 * @param args the words behind `vgic`
 * @returns the exit status; whatever went wrong is one line on `io.err`
 */
export async function main(args: readonly string[], io: Io): Promise<ExitStatus> {
  try {
    return await dispatch(args, io)
  } catch (error) {
    if (error instanceof UsageError || error instanceof FileError) {
      io.err.write(`vgic: ${error.message}\n`)
      return ExitStatus.unusable
    }
    io.err.write(`vgic: ${internalError(error, io.env)}\n`)
    return ExitStatus.unusable
  }
}
