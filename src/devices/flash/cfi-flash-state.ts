/** The state of a bank of flash as plain JSON, and the check of what claims to be one. */

import { checkState, hexBytes, list, object, whole } from '../saved-state.ts'
import { BLOCK, BUFFER, expectations, modes } from './cfi-chip.ts'

/** Plain JSON: the blocks that differ from what the flash was made with, and the two chips. */
export interface CfiFlashState {
  kind: 'CFI flash'
  version: 1
  blocks: { index: number; bytes: string }[]
  chips: {
    mode: number
    expected: number
    status: number
    block: number
    left: number
    buffer: { offset: number; value: number; mask: number }[]
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
