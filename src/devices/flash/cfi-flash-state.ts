/** The state of a bank of flash as plain JSON, and the check of what claims to be one. */

import { checkState, hexBytes, list, object, whole } from '../saved-state.ts'
import { BLOCK, BUFFER, expectations, modes } from './cfi-chip.ts'

/** Plain JSON: the blocks that differ from what the flash was made with, and the two chips. */
export interface CfiFlashState {
  /** What this is the state of. */
  kind: 'CFI flash'
  /** Raised when the meaning of a member changes. */
  version: 1
  /** Those whose contents are no longer what they were at first. */
  blocks: {
    /** Number of the block, from 0. */
    index: number
    /** All of its bytes, as hexadecimal digits. */
    bytes: string
  }[]
  /** The two chips side by side. */
  chips: {
    /** What reads show: contents, status, identification or CFI query, by number. */
    mode: number
    /** What the next write is taken for, by number. */
    expected: number
    /** The status register. */
    status: number
    /** Address that the command in progress is about, in bytes. */
    block: number
    /** Words that a buffered write still waits for. */
    left: number
    /** Words that were written to the buffer so far. */
    buffer: {
      /** In bytes. */
      offset: number
      /** 16 bits. */
      value: number
      /** The lanes of them that were written. */
      mask: number
    }[]
  }[]
}

const anywhere = whole(0, 2 ** 40)
const SHAPE = {
  blocks: list(object({ index: whole(0, 0xffff), bytes: hexBytes(BLOCK) }), 0x1_0000),
  chips: list(
    object({
      mode: whole(0, modes.length - 1),
      expected: whole(0, expectations.length - 1),
      status: whole(0, 0xff),
      block: anywhere,
      left: whole(0, BUFFER),
      buffer: list(object({ offset: anywhere, value: whole(0, 0xffff), mask: whole(0, 0xffff) }), BUFFER),
    }),
    2,
  ),
}

/** Throws a SavedStateError for anything but a state. */
export function checkFlash(state: unknown): CfiFlashState {
  checkState('CFI flash', 1, SHAPE, state)
  return state as CfiFlashState
}
