/** RangeIndex against a plain list of spans: the same finds and the same refusals after any history. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { RangeIndex, type Span } from './range-index.ts'

/** Finds by walking, and refuses by comparing all with all. */
class PlainList {
  spans: Span[] = []

  find(address: number): Span | undefined {
    return this.spans.find(({ base, size }) => address >= base && address < base + size)
  }

  /** Whether the change is taken. */
  replace(removed: readonly Span[], added: readonly Span[]): boolean {
    const next = [...this.spans.filter((span) => !removed.includes(span)), ...added]
    for (const [i, a] of next.entries())
      for (const b of next.slice(i + 1)) if (a.base < b.base + b.size && b.base < a.base + a.size) return false
    this.spans = next
    return true
  }
}

function holder(index: RangeIndex<Span>, address: number): Span | undefined {
  const span = index.find(address)
  return span !== undefined && address >= span.base && address < span.base + span.size ? span : undefined
}

// Places where the map changes its level: words, pages, blocks, the end of the mapped 4 GiB, and beyond.
const anchor = fc.constantFrom(
  0,
  0x1000,
  0x3f_f000,
  0x40_0000,
  0x800_0000,
  0x800_1000,
  2 ** 32 - 0x1000,
  2 ** 32,
  2 ** 40,
)
const nudge = fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 0x2000 }))
const size = fc.oneof(
  fc.integer({ min: 1, max: 9 }),
  fc.integer({ min: 1, max: 0x3000 }),
  fc.constantFrom(0x1000, 0x40_0000, 0x40_0004, 0x1000_0000, 2 ** 33),
)
const span = fc.record({ base: fc.tuple(anchor, nudge).map(([a, n]) => a + n), size })
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('add' as const), spans: fc.array(span, { minLength: 1, maxLength: 4 }) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('remove' as const),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      op: fc.constant('move' as const),
      picks: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
      by: fc.constantFrom(1, 3, 4, -4, 64, 0x1000, -0x1000, 0x40_0000),
    }),
  },
)

describe('RangeIndex', () => {
  it('finds and refuses as a plain list does, through any additions, removals and moves', () => {
    let taken = 0
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.array(fc.tuple(anchor, nudge), { maxLength: 20 }),
        (steps, probes) => {
          const index = new RangeIndex<Span>()
          const list = new PlainList()
          for (const change of steps) {
            let removed: Span[] = []
            let added: Span[] = []
            if (change.op === 'add') added = change.spans
            else {
              if (list.spans.length === 0) continue
              removed = [...new Set(change.picks.map((pick) => list.spans[pick % list.spans.length]!))]
              if (change.op === 'move') added = removed.map(({ base, size }) => ({ base: base + change.by, size }))
              if (added.some(({ base }) => base < 0)) continue
            }
            const before = [...index.sorted]
            const conflict = index.replace(removed, added)
            const accepted = list.replace(removed, added)
            expect(conflict === undefined).toBe(accepted)
            if (accepted) taken++
            else {
              refused++
              expect(index.sorted).toEqual(before)
              const [a, b] = conflict!
              expect(a.base < b.base + b.size && b.base < a.base + a.size).toBe(true)
            }
            expect(index.sorted).toEqual([...list.spans].sort((a, b) => a.base - b.base))
            for (const { base, size } of list.spans)
              for (const address of [base - 1, base, base + 1, base + (size >>> 1), base + size - 1, base + size])
                expect(holder(index, address)).toBe(list.find(address))
          }
          for (const [a, n] of probes) expect(holder(index, a + n)).toBe(list.find(a + n))
        },
      ),
      { numRuns: 400 },
    )
    // The test is worth something only while both ways are taken often.
    expect(taken).toBeGreaterThan(500)
    expect(refused).toBeGreaterThan(100)
  })

  it('refuses to remove a span that it does not hold, and keeps what it has', () => {
    const index = new RangeIndex<Span>()
    const here = { base: 0, size: 4 }
    index.replace([], [here])
    expect(() => index.replace([here, { base: 0, size: 4 }], [])).toThrow(RangeError)
    expect(index.sorted).toEqual([here])
    expect(index.find(0)).toBe(here)
  })

  it('finds nothing at addresses that are none', () => {
    const index = new RangeIndex<Span>()
    index.replace([], [{ base: 0x1000, size: 0x1000 }])
    for (const address of [Number.NaN, -1, -0x1000, 2 ** 32 + 0x1000, Number.POSITIVE_INFINITY])
      expect(holder(index, address)).toBeUndefined()
  })
})
