/** Opens a trace by name, and runs it through a machine from its first event to its last. Prints nothing itself. */

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import type {
  Explanation,
  MachineDescription,
  MachineState,
  MsiExplanation,
  ReplayMachine,
  ReplayResult,
  TraceHeader,
} from '../trace/index.ts'
import { createMachine, Replayer, readTrace, TraceError } from '../trace/index.ts'
import type { Io } from './command.ts'
import { UsageError } from './command.ts'
import { FileError, unreadable } from './file-error.ts'
import type { Progress } from './progress.ts'
import { printable } from './style.ts'

export interface FileReplayOptions {
  limit: number
  context: number
  stopAt: number | undefined
  /** Takes the place of what the header says. */
  machine: MachineDescription | undefined
  /** Whether what the traffic does wrong is listed. */
  misuse?: boolean
  /** What to explain when the replay is over. */
  explain: readonly Wanted[]
}

/** An interrupt, or a device's message to the ITS, that is to be explained; `text` is how it was asked for. */
export type Wanted = { text: string } & ({ intid: number; cpu: number } | { deviceId: number; eventId: number })

export interface Misuse {
  readonly message: string
  count: number
  /** Number of the event, from 1. */
  readonly event: number
}

/** So many different ones are kept. */
const MOST_MISUSE = 200

export interface FileReplay {
  header: TraceHeader
  result: ReplayResult
  /** What the traffic did wrong, by how it is said: how often, and at which event first. At most so many as are kept. */
  misuse: readonly Misuse[]
  /** Messages first, then interrupts, those that messages lead to among them. */
  messages: MsiExplanation[]
  explanations: Explanation[]
  /** The state where it stopped or ended, if it was to stop early. */
  state: MachineState | undefined
  /** Why the file could not be replayed to its end. */
  error: string | undefined
  /** Whether the error is only that the file is not as long as its header says. */
  countDiffers: boolean
  /** From opening the file to the last event, in seconds. */
  seconds: number
}

/** The bytes of a file, counted as they pass. */
async function* bytesOf(
  source: AsyncIterable<Uint8Array>,
  name: string,
  seen: (bytes: number) => void,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of source) {
      seen(chunk.length)
      yield chunk
    }
  } catch (error) {
    throw unreadable(name, error)
  }
}

async function sizeOf(name: string): Promise<number | undefined> {
  try {
    const found = await stat(name)
    if (found.isDirectory()) throw new FileError(`${printable(name)}: cannot be read: it is a directory`)
    return found.isFile() ? found.size : undefined
  } catch (error) {
    throw error instanceof FileError ? error : unreadable(name, error)
  }
}

/** `file:line: what`, or `file: what` where it is about the whole file. */
function located(name: string, error: unknown): FileError {
  if (error instanceof FileError) return error
  if (!(error instanceof TraceError)) throw error
  const at = error.line > 0 ? `:${error.line}` : ''
  return new FileError(`${printable(name)}${at}: ${error.message}`)
}

function machineOf(header: TraceHeader, given: MachineDescription | undefined): ReplayMachine {
  const description = given ?? header.machine
  if (description === undefined) {
    throw new TraceError(
      0,
      "the header names no machine; put a line like '# machine: -machine virt,gic-version=2 -smp 4' at the top, or give --machine",
    )
  }
  return createMachine(description)
}

interface Explained {
  message: MsiExplanation | undefined
  interrupt: Explanation | undefined
}

/** Undefined when the machine does not have what is to be explained. */
function explain(machine: ReplayMachine, wanted: Wanted): Explained | undefined {
  if ('intid' in wanted) {
    const interrupt = machine.explain(wanted.intid, wanted.cpu)
    return interrupt && { message: undefined, interrupt }
  }
  const message = machine.explainMessage(wanted.deviceId, wanted.eventId)
  if (message === undefined) return undefined
  const { intid, pe } = message
  return { message, interrupt: intid === undefined || pe === undefined ? undefined : machine.explain(intid, pe) }
}

function whatThereIs({ description }: ReplayMachine, wanted: Wanted): string {
  if (!('intid' in wanted)) return 'no ITS'
  const { cpus, intids, version } = description
  return `CPU 0 to ${cpus - 1} and INTID 0 to ${intids - 1}${version === 3 ? ', and LPIs from 8192 on' : ''}`
}

/**
 * Replays the file.
 * @throws FileError when there is nothing to replay: no such file, no machine, no events
 * @throws UsageError when the machine does not have what is to be explained
 */
export async function replayFile(
  name: string,
  options: FileReplayOptions,
  io: Io,
  progress: Progress,
): Promise<FileReplay> {
  const start = performance.now()
  let bytes = 0
  const size = name === '-' ? undefined : await sizeOf(name)
  const source = bytesOf(name === '-' ? io.input : createReadStream(name), name, (n) => {
    bytes += n
  })
  try {
    const trace = await readTrace(source)
    const { header, batches } = trace
    try {
      const machine = machineOf(header, options.machine)
      for (const wanted of options.explain) {
        if (explain(machine, wanted) !== undefined) continue
        throw new UsageError(
          `--explain ${wanted.text}: the machine of ${printable(name)} has ${whatThereIs(machine, wanted)}`,
        )
      }
      const replayer = new Replayer(machine, {
        limit: options.limit,
        context: options.context,
        ...(options.stopAt === undefined ? {} : { stopAt: options.stopAt }),
      })
      const misuse = new Map<string, Misuse>()
      if (options.misuse)
        machine.hearMisuse?.((message) => {
          const known = misuse.get(message)
          if (known !== undefined) known.count++
          else if (misuse.size < MOST_MISUSE) misuse.set(message, { message, count: 1, event: replayer.events })
        })
      let error: string | undefined
      let countDiffers = false
      try {
        for await (const batch of batches) {
          const goesOn = replayer.take(batch)
          progress.update(size === undefined ? undefined : bytes / size, replayer.events)
          if (!goesOn) break
        }
      } catch (cause) {
        error = located(name, cause).message
      }
      const short = header.events !== undefined && replayer.events < header.events
      const result = replayer.finish(error === undefined && !short)
      if (error === undefined && result.stoppedAt === undefined) {
        const { events } = header
        if (result.events === 0) error = `${printable(name)}: there is no event in it`
        else if (events !== undefined && events !== result.events) {
          countDiffers = true
          error = `${printable(name)}: the header promises ${events} events, and there are ${result.events}: it is cut short or was changed`
        }
      }
      const explained = options.explain.map((wanted) => explain(machine, wanted))
      return {
        header,
        result,
        misuse: [...misuse.values()],
        messages: explained.flatMap((each) => each?.message ?? []),
        explanations: explained.flatMap((each) => each?.interrupt ?? []),
        state: options.stopAt === undefined ? undefined : machine.state(),
        error,
        countDiffers,
        seconds: (performance.now() - start) / 1000,
      }
    } finally {
      await batches.return()
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw located(name, error)
  }
}
