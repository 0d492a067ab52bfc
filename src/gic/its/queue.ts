/**
 * The command queue: fetches commands from guest memory between GITS_CREADR and GITS_CWRITER and executes them, in slices of
 * bounded work. What a command does is in `commands.ts`.
 */

import { commandOf, errorMessage, errorName, NOT_MODELLED, UNKNOWN_COMMAND } from './commands.ts'
import type { Its } from './its.ts'

/** Bytes of a command. */
export const COMMAND_SIZE = 32

/** The most commands that a queue holds: 256 pages of 4 KiB. */
const MOST_COMMANDS = 32768

/** What became of the commands at each place of the queue, for the decoder: the verdict, and a sum of the words that had it. */
export class Verdicts {
  readonly errors = new Int32Array(MOST_COMMANDS)
  readonly sums = new Int32Array(MOST_COMMANDS)

  clear(): void {
    this.sums.fill(0)
  }

  record(offset: number, words: Int32Array, error: number): void {
    const at = offset / COMMAND_SIZE
    this.errors[at] = error
    this.sums[at] = sumOf(words)
  }

  /** The verdict on the command at this place, if these words are the ones that had it. */
  of(offset: number, words: Int32Array): number | undefined {
    const at = offset / COMMAND_SIZE
    return this.sums[at] === sumOf(words) ? this.errors[at] : undefined
  }
}

/** Never 0, which stands for a place where nothing was executed. */
function sumOf(words: Int32Array): number {
  let sum = 0x811c_9dc5
  for (let i = 0; i < 8; i++) sum = Math.imul(sum ^ words[i]!, 0x0100_0193) ^ (words[i]! >>> 15)
  return sum | 1
}

/** Reads the command at an address into `words`; false when it is not memory. */
export function fetchCommand(its: Its, address: number, words: Int32Array): boolean {
  if (!its.memory.contains(address, COMMAND_SIZE)) return false
  for (let i = 0; i < 8; i++) words[i] = its.memory.read32(address + i * 4)
  return true
}

/** Executes one command. Returns 0, an error's number, UNKNOWN_COMMAND or NOT_MODELLED. */
export function execute(its: Its, words: Int32Array): number {
  const command = commandOf(words)
  if (command === undefined) return UNKNOWN_COMMAND
  return command.run === undefined ? NOT_MODELLED : command.run(its, words)
}

/**
 * Executes commands until the queue is empty, stalls, or `budget` units of work are done. A command error has no other
 * effect than its report, or with `onError: 'stall'` stops the queue at the command, for GITS_CWRITER.Retry to try it again.
 */
export function runQueue(its: Its, budget: number): void {
  const { words, events } = its
  while (budget > 0 && its.pending) {
    const offset = its.creadr
    if (!fetchCommand(its, its.queueBase + offset, words)) {
      its.stalled = true
      its.misuse('its-queue-unreachable', -1, `0x${(its.queueBase + offset).toString(16)}`)
      return
    }
    const command = commandOf(words)
    const error = execute(its, words)
    its.verdicts.record(offset, words, error)
    budget -= command?.cost ?? 1
    if (events.active) report(its, offset, command?.name ?? `opcode 0x${(words[0]! & 0xff).toString(16)}`, error)
    if (error !== 0 && its.config.onError === 'stall') {
      its.stalled = true
      return
    }
    its.creadr = offset + COMMAND_SIZE >= its.queueSize ? 0 : offset + COMMAND_SIZE
  }
}

function report(its: Its, offset: number, command: string, error: number): void {
  const { events, config } = its
  events.emit({ kind: 'its-command', its: config.number, offset, command, error })
  if (error === 0) return
  const name = errorName(error)
  const message = errorMessage(command, error)
  events.emit({ kind: 'its-error', its: config.number, offset, command, error, name, message })
}
