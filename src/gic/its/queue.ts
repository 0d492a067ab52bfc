/**
 * The command queue: fetches commands from guest memory between GITS_CREADR and GITS_CWRITER and executes them, in slices of
 * bounded work. What a command does is in `commands.ts`.
 */

import { commandOf, errorMessage, errorName, NOT_MODELLED, UNKNOWN_COMMAND } from './commands.ts'
import { LPIS_A_COMMAND } from './config.ts'
import type { ItsState } from './state.ts'
import { COMMAND_SIZE } from './verdicts.ts'

/** Reads the command at an address into `words`; false when it is not memory. */
export function fetchCommand(its: ItsState, address: number, words: Int32Array): boolean {
  if (!its.memory.contains(address, COMMAND_SIZE)) return false
  for (let i = 0; i < 8; i++) words[i] = its.memory.read32(address + i * 4)
  return true
}

/** Executes one command. Returns 0, an error's number, UNKNOWN_COMMAND or NOT_MODELLED. */
export function execute(its: ItsState, words: Int32Array): number {
  const command = commandOf(words)
  if (command === undefined) return UNKNOWN_COMMAND
  return command.run === undefined ? NOT_MODELLED : command.run(its, words)
}

/**
 * Executes commands until the queue is empty, stalls, or `budget` units of work are done. A command error has no other
 * effect than its report, or with `onError: 'stall'` stops the queue at the command, for GITS_CWRITER.Retry to try it again.
 */
export function runQueue(its: ItsState, budget: number): void {
  const { words, events } = its
  while (budget > 0 && its.pending) {
    const offset = its.creadr
    if (!fetchCommand(its, its.queueBase + offset, words)) {
      its.stalled = true
      its.misuse('its-queue-unreachable', -1, `0x${(its.queueBase + offset).toString(16)}`)
      return
    }
    const command = commandOf(words)
    its.lpisSeen = 0
    const error = execute(its, words)
    its.verdicts.record(offset, words, error)
    budget -= 1 + Math.ceil(its.lpisSeen / LPIS_A_COMMAND)
    if (events.active) report(its, offset, command?.name ?? `opcode 0x${(words[0]! & 0xff).toString(16)}`, error)
    if (error !== 0 && its.config.onError === 'stall') {
      its.stalled = true
      return
    }
    its.creadr = offset + COMMAND_SIZE >= its.queueSize ? 0 : offset + COMMAND_SIZE
  }
}

function report(its: ItsState, offset: number, command: string, error: number): void {
  const { events, config } = its
  events.emit({ kind: 'its-command', its: config.number, offset, command, error })
  if (error === 0) return
  const name = errorName(error)
  const message = errorMessage(command, error)
  events.emit({ kind: 'its-error', its: config.number, offset, command, error, name, message })
}
