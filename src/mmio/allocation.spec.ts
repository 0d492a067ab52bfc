/** What a 32-bit access leaves on the heap: nothing. The meter is held against loops that do allocate. */

import { memoryUsage } from 'node:process'
import { describe, expect, it } from 'vitest'
import { type Access, cpuInitiator } from './access.ts'
import { Bus } from './bus.ts'
import { Frame, type Wiring } from './frame.ts'
import { Outcome } from './outcome.ts'
import { perIrq } from './per-irq.ts'
import { constant, word } from './register.ts'
import { registerTable } from './register-table.ts'

const CALLS = 20_000

/**
 * Bytes that one call of `act` leaves on the heap: the least of many rounds, since a round with a collection or a
 * compilation in it says nothing. A round is short enough that its garbage does not fill the young generation.
 */
function bytesEach(act: (i: number) => void): number {
  for (let i = 0; i < 100_000; i++) act(i)
  let least = Number.POSITIVE_INFINITY
  let rounds = 0
  for (let round = 0; round < 100 && rounds < 8; round++) {
    const before = memoryUsage().heapUsed
    for (let i = 0; i < CALLS; i++) act(i)
    const grown = memoryUsage().heapUsed - before
    // A collection in between makes it smaller, and by more than the round itself could add.
    if (grown < 0) continue
    rounds++
    least = Math.min(least, grown)
  }
  expect(rounds).toBe(8)
  return least / CALLS
}

const state = new Int32Array(64)
const rows = [
  constant<null>('ID', 0x00, 0xdeadbeef),
  word<null>('CTLR', 0x04, {
    read: () => state[0]!,
    write: (_, __, value) => {
      state[0] = value
    },
    widths: [1, 2, 4],
  }),
  perIrq<null>('BANKn', 0x10, {
    bits: 1,
    irqs: 256,
    bank: 'set',
    widths: [1, 4],
    banked: { irqs: 32, cpus: () => 4 },
    view: {
      read: (_, at) => state[at]!,
      assign: (_, at, value, mask) => {
        state[at] = (state[at]! & ~mask) | (value & mask)
      },
    },
  }),
]

describe('the meter', () => {
  it('sees an object a call, and a number that is not small', () => {
    const kept: unknown[] = [0]
    expect(
      bytesEach((i) => {
        kept[0] = { i }
      }),
    ).toBeGreaterThan(12)
    expect(
      bytesEach((i) => {
        kept[0] = i + 0.5
      }),
    ).toBeGreaterThan(8)
  })

  it('sees that a 64-bit read as a bigint allocates', () => {
    const bus = new Bus()
    const device = {
      name: 'ones',
      access: (access: Access) => {
        access.low = -1
        access.high = -1
        return Outcome.ok
      },
    }
    bus.register({ base: 0, size: 8, device })
    const kept: unknown[] = [0]
    expect(
      bytesEach(() => {
        kept[0] = bus.read64(0, cpu0)
      }),
    ).toBeGreaterThan(8)
  })
})

const cpu0 = cpuInitiator(0)

describe.each<Wiring>(['frame', 'group'])('with one range for each %s', (wiring) => {
  // Below 2^31, above it and above 4 GiB: an address may be a number that a careless path would box.
  it.each([0x0800_0000, 0xf000_0000, 0x10_0000_0000])(
    'an access of 32 bits or fewer at %d allocates nothing',
    (base) => {
      const bus = new Bus()
      const frame = new Frame(registerTable<null>('T', 0x1000, rows), null)
      bus.registerAll(frame.wire(base, wiring))
      const by = [cpu0, cpuInitiator(3), cpuInitiator(1, { bigEndian: true })]
      const [id, control, lane, bank, banked, gap, nowhere] = [0, 4, 6, 0x20, 0x11, 0x800, 0x1000].map(
        (at) => base + at,
      )
      let sum = 0
      const each = bytesEach((i) => {
        const initiator = by[i % 3]!
        sum ^= bus.read(id!, 4, initiator)
        bus.write(control!, 4, -i, 0, initiator)
        bus.write(lane!, 2, i, 0, initiator)
        sum ^= bus.read(control!, 4, initiator)
        bus.write(bank!, 4, -1, 0, initiator)
        sum ^= bus.read(bank!, 4, initiator)
        bus.write(banked!, 1, 0x80, 0, initiator)
        sum ^= bus.read(banked!, 1, initiator)
        sum ^= bus.read(gap!, 4, initiator)
        sum ^= bus.read(nowhere!, 4, initiator)
      })
      expect(sum).not.toBe(1.5)
      // Ten accesses a call; one boxed number in a hundred calls would show.
      expect(each).toBeLessThan(0.16)
    },
  )
})
