/** The FIFO against a plain list. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Fifo } from './fifo.ts'

describe('Fifo', () => {
  it('is a list with a capacity', () => {
    const step = fc.oneof(
      fc.integer({ min: -5, max: 5 }),
      fc.constantFrom('shift' as const, 'clear' as const, 'shift' as const),
    )
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(step), (capacity, steps) => {
        const fifo = new Fifo(capacity)
        let plain: number[] = []
        for (const what of steps) {
          if (what === 'shift') expect(fifo.shift()).toBe(plain.shift() ?? 0)
          else if (what === 'clear') {
            fifo.clear()
            plain = []
          } else {
            expect(fifo.push(what)).toBe(plain.length < capacity)
            if (plain.length < capacity) plain.push(what)
          }
          expect([fifo.toArray(), fifo.length, fifo.front]).toEqual([plain, plain.length, plain[0] ?? 0])
        }
      }),
    )
  })
})
