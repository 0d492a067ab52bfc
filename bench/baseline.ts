/**
 * What everything is held against: a bare megamorphic indirect call. One call site sees eight receivers of different hidden
 * classes, each with a method of its own, in an order that no branch predictor learns. Each method does one addition.
 */

import type { Loop } from './measure.ts'

interface Receiver {
  access(offset: number, value: number): number
}

/** Lets a literal have fields of its own, which is what makes its hidden class one of its own. */
function receiver<T extends Receiver>(literal: T): Receiver {
  return literal
}

const receivers: readonly Receiver[] = [
  receiver({ a: 1, access: (offset, value) => (offset + value) | 0 }),
  receiver({ b: 1, access: (offset, value) => (offset - value) | 0 }),
  receiver({ c: 1, access: (offset, value) => (value - offset) | 0 }),
  receiver({ d: 1, access: (offset, value) => (offset ^ value) | 0 }),
  receiver({ e: 1, access: (offset, value) => offset | value | 0 }),
  receiver({ f: 1, access: (offset, value) => (offset & value) | 0 }),
  receiver({ g: 1, access: (offset, value) => (offset + ~value) | 0 }),
  receiver({ h: 1, access: (offset, value) => (~offset + value) | 0 }),
]

const STEPS = 1 << 16

/** Numbers from 0 to `choices` - 1 in an unpredictable order, the same in every run: a power of two of them. */
export function unpredictable(choices: number): Uint8Array {
  const order = new Uint8Array(STEPS)
  let state = 0x2545_f491
  for (let i = 0; i < STEPS; i++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    order[i] = (state >>> 8) % choices
  }
  return order
}

export const ORDER_MASK = STEPS - 1

const order = unpredictable(receivers.length)

export const megamorphicCall: Loop = (count) => {
  let sum = 0
  for (let i = 0; i < count; i++) sum = (sum + receivers[order[i & ORDER_MASK]!]!.access(i & 0xfff, sum)) | 0
  return sum
}
