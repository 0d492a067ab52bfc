/**
 * What a subcommand of `vgic` is, and what it may use of the world around it. No command touches `process` itself, so
 * that a test can run any of them.
 */

import { parseArgs } from 'node:util'

/** A stream that a command writes to. */
export interface Output {
  write(text: string): void
  readonly isTerminal: boolean
  /** Its width in characters. */
  readonly columns: number
}

export interface Io {
  readonly out: Output
  readonly err: Output
  readonly env: Readonly<Record<string, string | undefined>>
  /** Standard input, for a file named `-`. */
  readonly input: AsyncIterable<Uint8Array>
  /** The terminal, pipes and signals of the process, for a command that lives with them; tests may leave it out. */
  readonly host?: Host
}

/** What a running machine needs of the process that it is in. */
export interface Host {
  /** Both standard input and output are terminals. */
  readonly interactive: boolean
  /** Bytes to standard output, as they are. */
  write(bytes: Uint8Array): void
  /** Bytes that the reader of standard output has not taken yet. */
  readonly backlog: number
  /** Nobody reads standard output any more. */
  readonly gone: boolean
  /** Until the reader has taken all. */
  drained(): Promise<void>
  /** Whether keys come one by one and unchanged. Whatever ends the process ends that too. */
  setRaw(on: boolean): void
  /** Calls `hear` at a signal that asks the process to end, in place of ending it; the result takes that back. */
  onSignal(hear: (signal: 'SIGINT' | 'SIGTERM' | 'SIGHUP' | 'SIGQUIT') => void): () => void
}

/** How a command ended. */
export const ExitStatus = {
  ok: 0,
  /** It ran, and found what it was looking for: a divergence, a failed vector. */
  found: 1,
  /** It could not run: a wrong command line, a file that is not what it should be. */
  unusable: 2,
  /** The guest asked for a reset, and was not allowed one. */
  reset: 3,
  /** A limit of time was reached. */
  timeout: 124,
  /** 128 and the signal's number, as shells have it. */
  hangup: 129,
  interrupted: 130,
  quit: 131,
  terminated: 143,
} as const

export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus]

export interface Command {
  readonly name: string
  /** Shown by `--help`: usage, options, examples. */
  readonly help: string
  run(args: readonly string[], io: Io): Promise<ExitStatus>
}

/** A wrong command line, or something that it names: one line for the user, and status 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

type OptionSpecs = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>
type Parsed<T extends OptionSpecs> = ReturnType<
  typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>
>

/**
 * The options and files of a command line.
 * @throws UsageError that names the option at fault
 */
export function parseOptions<T extends OptionSpecs>(args: readonly string[], options: T, command: string): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true })
  } catch (error) {
    const said = error instanceof Error ? (error.message.split(/[.\n]/)[0] ?? '') : String(error)
    const reason = said.replace(
      /^Option '([^' ]*).*(argument is ambiguous|argument missing)$/,
      "Option '$1' wants a value",
    )
    throw new UsageError(`${reason}; 'vgic ${command} --help' lists the options`)
  }
}

/** A whole number of an option, in decimal. */
export function wholeNumber(text: string | undefined, option: string, least: number): number | undefined {
  if (text === undefined) return undefined
  const value = /^[0-9]{1,15}$/.test(text) ? Number(text) : -1
  if (value < least) throw new UsageError(`--${option} wants a whole number from ${least} up, not '${text}'`)
  return value
}
