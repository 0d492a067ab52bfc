/** Frames: what becomes of an access of any width at any offset, the kinds of rows, the three doors, the two wirings. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Access, type AccessSize, cpuInitiator, deviceInitiator, type Initiator, laneMask } from './access.ts'
import { Bus } from './bus.ts'
import { Frame } from './frame.ts'
import { Outcome, outcomeNames, silentPolicy, strictPolicy } from './outcome.ts'
import { type BankMode, perIrq } from './per-irq.ts'
import { constant, dword, notModelled, type Row, razWi, stored, word } from './register.ts'
import { registerTable } from './register-table.ts'

const cpu0 = cpuInitiator(0)

class Device {
  readonly words = new Int32Array(64)
  readonly log: string[] = []
  settled = 0
  hits = 0
}

const WIDTHS = { widths: [1, 2, 4] as const }

/** A device as the README's are, in TypeScript: its frame's type is said, and the frame is made of `this`. */
class Owner {
  value = 7
  readonly frame: Frame<Owner> = new Frame(owned, this)
}

const owned = registerTable<Owner>('OWNED', 0x10, [word('OWNED_VALUE', 0x0, { read: (owner) => owner.value })])

function frameOf(rows: readonly Row<Device>[], options: { security?: boolean } = {}): Frame<Device> {
  const table = registerTable('T', 0x100, rows)
  return new Frame(table, new Device(), { ...options, settle: (device) => device.settled++ })
}

function read(frame: Frame<Device>, offset: number, size: AccessSize, by: Initiator = cpu0): string {
  const access = Object.assign(new Access(), { offset, size, by })
  const outcome = frame.access(access)
  const value = size === 8 ? `${(access.high >>> 0).toString(16)}_` : ''
  return outcome === Outcome.ok ? value + (access.low >>> 0).toString(16) : outcomeNames[outcome]!
}

function write(
  frame: Frame<Device>,
  offset: number,
  size: AccessSize,
  low: number,
  by: Initiator = cpu0,
  high = 0,
): string {
  return outcomeNames[frame.access(Object.assign(new Access(), { write: true, offset, size, low, high, by }))]!
}

/** Logs what a handler is given. */
const spy: Pick<Row<Device>, 'read' | 'write'> = {
  read: (device, index) => {
    device.log.push(`read ${index}`)
    return device.words[index]!
  },
  write: (device, index, value, mask) => {
    device.log.push(`write ${index} ${(value >>> 0).toString(16)} ${(mask >>> 0).toString(16)}`)
    device.words[index] = (device.words[index]! & ~mask) | value
  },
}

describe('an access of a frame', () => {
  const rows = [word<Device>('A', 0x10, { ...spy, ...WIDTHS }), dword<Device>('B', 0x18, spy)]

  it('reaches the device that made the frame of itself', () => {
    const access = Object.assign(new Access(), { offset: 0, size: 4, by: cpu0 })
    expect(new Owner().frame.access(access)).toBe(Outcome.ok)
    expect(access.low).toBe(7)
  })

  it('reads every lane of a word that allows 8 and 16 bits', () => {
    const frame = frameOf(rows)
    frame.device.words[0] = 0x81828384 | 0
    expect([0, 1, 2, 3].map((lane) => read(frame, 0x10 + lane, 1))).toEqual(['84', '83', '82', '81'])
    expect([0, 2].map((lane) => read(frame, 0x10 + lane, 2))).toEqual(['8384', '8182'])
    expect(read(frame, 0x10, 4)).toBe('81828384')
  })

  it('writes every lane of a word and leaves the others, at every offset and width', () => {
    for (const [size, value] of [
      [1, 0xee],
      [2, 0xbeef],
      [4, 0xfeedbeef | 0],
    ] as const)
      for (let lane = 0; lane < 4; lane += size) {
        const frame = frameOf(rows)
        frame.device.words[0] = 0x11223344
        expect(write(frame, 0x10 + lane, size, value)).toBe('ok')
        const mask = laneMask(lane, size)
        expect(frame.device.words[0]).toBe((0x11223344 & ~mask) | ((value << (lane * 8)) & mask))
      }
  })

  it('at any offset and width is ok where a row holds it, and else refused by what is wrong first', () => {
    const frame = frameOf(rows)
    const seen = new Set<string>()
    for (let offset = 0; offset < 0x110; offset++)
      for (const size of [1, 2, 4, 8] as const) {
        const aligned = offset % size === 0
        const inA = offset >= 0x10 && offset < 0x14
        const inB = offset >= 0x18 && offset < 0x20
        const expected = !aligned
          ? 'misaligned'
          : inA
            ? size === 8
              ? 'width'
              : 'ok'
            : inB
              ? size < 4
                ? 'width'
                : 'ok'
              : 'reserved'
        expect(write(frame, offset, size, 0), `write of ${size} at ${offset}`).toBe(expected)
        expect(read(frame, offset, size) === expected || expected === 'ok', `read of ${size} at ${offset}`).toBe(true)
        seen.add(expected)
      }
    expect(seen).toEqual(new Set(['ok', 'misaligned', 'width', 'reserved']))
  })

  it('reaches a 64-bit register whole, low word first, or as two halves', () => {
    const frame = frameOf(rows)
    write(frame, 0x18, 8, 0x11111111, cpu0, 0x22222222)
    write(frame, 0x1c, 4, 0x33333333)
    expect(frame.device.log).toEqual([
      'write 0 11111111 ffffffff',
      'write 1 22222222 ffffffff',
      'write 1 33333333 ffffffff',
    ])
    frame.device.log.length = 0
    expect(read(frame, 0x18, 8)).toBe('33333333_11111111')
    expect(read(frame, 0x18, 4)).toBe('11111111')
    expect(read(frame, 0x1c, 4)).toBe('33333333')
    expect(frame.device.log).toEqual(['read 0', 'read 1', 'read 0', 'read 1'])
  })

  it('of 64 bits to two adjacent words is refused', () => {
    const frame = frameOf([word('A', 0x10, spy), word('B', 0x14, spy)])
    expect(read(frame, 0x10, 8)).toBe('width')
    expect(frame.device.log).toEqual([])
  })

  it('merges a narrow write into what a peek reads, for words and doublewords, so that a handler sees whole words', () => {
    const frame = frameOf([
      word<Device>('A', 0x10, { ...spy, ...WIDTHS }),
      dword<Device>('B', 0x18, { ...spy, widths: [1, 2, 4, 8], peek: (device, index) => device.words[index]! }),
    ])
    frame.device.words.set([0x11223344, 0x55667788])
    write(frame, 0x12, 1, 0xee)
    write(frame, 0x1c, 2, 0xbeef)
    expect(frame.device.log.filter((line) => line.startsWith('write'))).toEqual([
      'write 0 11ee3344 ffffffff',
      'write 1 5566beef ffffffff',
    ])
    expect(frame.device.log).toHaveLength(3)
  })

  it('leaves the missing lanes zero and says so by the mask, where a written 1 acts', () => {
    const frame = frameOf([
      word<Device>('W1C', 0, {
        ...WIDTHS,
        narrow: 'lanes',
        read: (d) => d.words[0]!,
        write: (d, _, value, mask) => {
          d.log.push((mask >>> 0).toString(16))
          d.words[0]! &= ~value
        },
      }),
    ])
    frame.device.words[0] = -1
    write(frame, 1, 1, 0x0f)
    expect([read(frame, 0, 4), frame.device.log]).toEqual(['fffff0ff', ['ff00']])
  })

  it('of a read-only register refuses writes, of a write-only one reads, and no handler runs', () => {
    const frame = frameOf([
      word<Device>('RO', 0, { read: spy.read }),
      word<Device>('WO', 4, { write: spy.write }),
      word<Device>('ROX', 8, { ...spy, mode: 'RO' }),
    ])
    expect(write(frame, 0, 4, 1)).toBe('mode')
    expect(read(frame, 4, 4)).toBe('mode')
    expect(write(frame, 8, 4, 1)).toBe('mode')
    expect(frame.device.log).toEqual([])
    expect(read(frame, 0, 4)).toBe('0')
    expect(write(frame, 4, 4, 1)).toBe('ok')
  })

  it('of a Secure register is denied to a Non-secure initiator only where the frame has Security states', () => {
    const rows = [word<Device>('S', 0, { ...spy, secure: true })]
    const secure = cpuInitiator(0, { secure: true })
    const two = frameOf(rows, { security: true })
    expect([write(two, 0, 4, 5), read(two, 0, 4), write(two, 0, 4, 5, secure), read(two, 0, 4, secure)]).toEqual([
      'denied',
      'denied',
      'ok',
      '5',
    ])
    expect([two.peek(0, 4, cpu0), two.peek(0, 4, secure)]).toEqual([0, 5])
    expect(two.restore(0, 9, cpu0)).toBe(Outcome.denied)
    const one = frameOf(rows)
    expect([write(one, 0, 4, 5), read(one, 0, 4)]).toEqual(['ok', '5'])
  })

  it('settles the device after a write and after a read with an effect, and after nothing else', () => {
    const frame = frameOf([
      word<Device>('A', 0, spy),
      word<Device>('B', 4, { read: (device) => device.hits++, peek: (device) => device.hits }),
    ])
    const settles = (act: () => unknown) => {
      const before = frame.device.settled
      act()
      return frame.device.settled - before
    }
    expect(settles(() => read(frame, 0, 4))).toBe(0)
    expect(settles(() => write(frame, 0, 4, 1))).toBe(1)
    expect(settles(() => read(frame, 4, 4))).toBe(1)
    expect(settles(() => frame.peek(4, 4, cpu0))).toBe(0)
    expect(settles(() => write(frame, 0, 8, 1))).toBe(0)
    expect(settles(() => read(frame, 8, 4))).toBe(0)
    expect(settles(() => frame.restore(0, 1, cpu0))).toBe(1)
  })
})

describe('kinds of rows', () => {
  it('constant reads its value, fixed or of the device, and is read-only', () => {
    const frame = frameOf([
      constant('C', 0, 0xdeadbeef, WIDTHS),
      constant('Dn', 4, (d, i) => d.words.length + i, { count: 2 }),
    ])
    expect([read(frame, 0, 4), read(frame, 3, 1), read(frame, 4, 4), read(frame, 8, 4), write(frame, 0, 4, 1)]).toEqual(
      ['deadbeef', 'de', '40', '41', 'mode'],
    )
    expect(frame.table.rows[0]).toMatchObject({ modelling: 'fixed', reset: 0xdeadbeef, mode: 'RO' })
  })

  it('RAZ/WI takes a write and reads zero', () => {
    const frame = frameOf([razWi('Z', 0)])
    expect([write(frame, 0, 4, -1), read(frame, 0, 4)]).toEqual(['ok', '0'])
  })

  it('stored keeps the bits of its mask, by lanes', () => {
    const frame = frameOf([
      stored('Sn', 0, (d) => d.words, { ...WIDTHS, mask: 0x0ff0ffff, count: 2 }),
      stored('T', 8, (d) => d.words, { start: 5 }),
    ])
    write(frame, 8, 4, 77)
    expect([frame.device.words[5], read(frame, 8, 4)]).toEqual([77, '4d'])
    write(frame, 4, 4, -1)
    expect(read(frame, 4, 4)).toBe('ff0ffff')
    write(frame, 5, 1, 0x12)
    write(frame, 6, 2, 0)
    expect([read(frame, 4, 4), read(frame, 0, 4)]).toEqual(['12ff', '0'])
    expect(frame.table.rows[0]!.modelling).toBe('stored')
  })

  it.each(['frame', 'group'] as const)(
    'not modelled is RAZ/WI, and an observer can name the CPU, the register and the address (%s wiring)',
    (wiring) => {
      const frame = frameOf([word('A', 0, spy), notModelled('SETSPIn', 0x40, { count: 4 })])
      const bus = new Bus(strictPolicy)
      bus.registerAll(frame.wire(0x0801_0000, wiring))
      const events: string[] = []
      frame.observer = (of, row, access) => {
        if (row?.modelling === 'not-modelled')
          events.push(
            `CPU ${access.by.cpu} ${access.write ? 'writes' : 'reads'} ${of.table.at(access.offset)?.name} at 0x${access.address.toString(16)}`,
          )
      }
      bus.read32(0x0801_0000, cpuInitiator(1))
      bus.write32(0x0801_0044, 0x1234, cpuInitiator(1))
      expect(bus.read32(0x0801_004c, cpuInitiator(2))).toBe(0)
      expect(events).toEqual(['CPU 1 writes SETSPI1 at 0x8010044', 'CPU 2 reads SETSPI3 at 0x801004c'])
    },
  )
})

describe('per-IRQ banks', () => {
  const view = {
    read: (device: Device, at: number) => device.words[at]!,
    assign: (device: Device, at: number, value: number, mask: number) => {
      device.words[at] = (device.words[at]! & ~mask) | (value & mask)
    },
  }
  const banksOf = (bank: BankMode, extra = {}) =>
    frameOf([perIrq<Device>('Bn', 0, { bits: 8, irqs: 64, bank, view, ...WIDTHS, ...extra })])

  it.each<[BankMode, number, number, string]>([
    ['replace', 0x0f0f0f0f, 4, 'f0f0f0f'],
    ['set', 0x0f0f0f0f, 4, '3f3f3f3f'],
    ['clear', 0x0f0f0f0f, 4, '30303030'],
    ['replace', 0x01, 1, '33330133'],
    ['set', 0x04, 1, '33333733'],
    ['clear', 0x01, 1, '33333233'],
  ])('%s, writing %d in %i bytes', (bank, value, size, expected) => {
    const frame = banksOf(bank)
    frame.device.words[3] = 0x33333333
    write(frame, size === 1 ? 13 : 12, size as AccessSize, value)
    expect(read(frame, 12, 4)).toBe(expected)
    expect([...frame.device.words].filter(Boolean)).toHaveLength(1)
  })

  it('give each CPU its own first words, and all the same words after them', () => {
    const frame = banksOf('replace', { banked: { irqs: 32, cpus: () => 3 } })
    for (const cpu of [0, 1, 2]) write(frame, 4, 4, 0x100 + cpu, cpuInitiator(cpu))
    write(frame, 32, 4, 0x500, cpuInitiator(1))
    expect([0, 1, 2].map((cpu) => read(frame, 4, 4, cpuInitiator(cpu)))).toEqual(['100', '101', '102'])
    expect([0, 1, 2].map((cpu) => read(frame, 32, 4, cpuInitiator(cpu)))).toEqual(['500', '500', '500'])
    // State: 8 words for each of the 3 CPUs, then the shared ones.
    expect([1, 9, 17, 24].map((at) => frame.device.words[at])).toEqual([0x100, 0x101, 0x102, 0x500])
  })

  it('are RAZ/WI in the banked words for who is no CPU of the device, and not in the shared ones', () => {
    const frame = banksOf('replace', { banked: { irqs: 32, cpus: () => 2 } })
    frame.device.words.fill(0x77)
    for (const by of [deviceInitiator(), cpuInitiator(2), cpuInitiator(1000)]) {
      expect([write(frame, 0, 4, 0x99, by), read(frame, 0, 4, by)]).toEqual(['ok', '0'])
      expect(read(frame, 32, 4, by)).toBe('77')
    }
    expect(frame.device.words.every((value) => value === 0x77)).toBe(true)
  })

  it('are RAZ/WI in the excluded words (IHI 0069 12.9: INTIDs 0 to 31 are in the redistributors)', () => {
    const frame = banksOf('set', { excluded: 32 })
    frame.device.words.fill(0x70)
    expect([write(frame, 28, 4, 0xf), read(frame, 28, 4)]).toEqual(['ok', '0'])
    expect([write(frame, 32, 4, 0xf), read(frame, 32, 4)]).toEqual(['ok', '7f'])
    expect(frame.device.words[7]).toBe(0x70)
  })

  it('of 64 bits answer whole and by halves', () => {
    const frame = frameOf([perIrq<Device>('Bn', 0, { bits: 64, irqs: 4, bank: 'replace', view, first: 32 })])
    expect(write(frame, 8, 8, 1, cpu0, 2)).toBe('ok')
    expect([read(frame, 8, 4), read(frame, 12, 4), read(frame, 8, 8)]).toEqual(['1', '2', '2_1'])
    expect(frame.table.at(8)?.name).toBe('B33')
  })

  it('are restored by the bank that sets, whatever was there, and not once more by the one that clears', () => {
    for (const [bank, expected] of [
      ['set', 0x0f],
      ['replace', 0x0f],
      ['clear', 0x30],
    ] as const) {
      const frame = banksOf(bank)
      frame.device.words[0] = 0x30
      expect(frame.restore(0, 0x0f, cpu0)).toBe(Outcome.ok)
      expect(frame.device.words[0]).toBe(expected)
    }
  })

  it('that are read-only have nothing to restore, and those with a peek of their own have a read with an effect', () => {
    const frame = banksOf('replace', { mode: 'RO' })
    frame.restore(0, 0x0f, cpu0)
    expect(frame.device.words[0]).toBe(0)
    expect(banksOf('replace', { peek: () => 0 }).table.rows[0]!.readHasEffect).toBe(true)
  })
})

describe('the doors beside the access', () => {
  it('peek never runs the read, and answers what the peek does, by lanes', () => {
    const frame = frameOf([word<Device>('IAR', 0, { read: (d) => d.hits++, peek: (d) => 0xaabb0000 + d.hits })])
    expect([frame.peek(0, 4, cpu0) >>> 0, frame.peek(2, 1, cpu0), frame.peek(2, 2, cpu0)]).toEqual([
      0xaabb0000, 0xbb, 0xaabb,
    ])
    expect(frame.device.hits).toBe(0)
    read(frame, 0, 4)
    expect(frame.peek(0, 1, cpu0)).toBe(1)
  })

  it('peek and restore answer nothing where nothing is: write-only, absent, beyond the frame', () => {
    const frame = frameOf([word<Device>('WO', 0, { ...spy, mode: 'WO' })])
    frame.device.words[0] = 7
    expect([0, 4, 0x100, -4, 2 ** 32].map((offset) => frame.peek(offset, 4, cpu0))).toEqual([0, 0, 0, 0, 0])
    expect([4, 0x100, -4, 2 ** 32].map((offset) => frame.restore(offset, 1, cpu0))).toEqual(
      Array(4).fill(Outcome.reserved),
    )
    expect(frame.restore(2, 1, cpu0)).toBe(Outcome.misaligned)
    expect(frame.device.log).toEqual([])
  })

  it('restore has its own handler, which need not be the write', () => {
    const frame = frameOf([
      word<Device>('W1C', 0, {
        read: (d) => d.words[0]!,
        write: (d, _, value) => {
          d.words[0]! &= ~value
        },
        restore: (d, _, value) => {
          d.words[0] = value
        },
      }),
      word<Device>('RO', 4, { read: (d) => d.words[1]! }),
    ])
    frame.restore(0, 0xf0, cpu0)
    expect(read(frame, 0, 4)).toBe('f0')
    expect(frame.restore(4, 1, cpu0)).toBe(Outcome.ok)
    expect(read(frame, 4, 4)).toBe('0')
  })

  it('save gives what restore takes back, which a peek may show otherwise, and nothing where nothing is', () => {
    const frame = frameOf(
      [
        word<Device>('A', 0, { read: (d) => d.words[0]! & 0xf0, save: (d) => d.words[0]!, write: () => {} }),
        word<Device>('B', 4, { ...spy, secure: true }),
      ],
      { security: true },
    )
    frame.device.words.set([0xff, 0, 7])
    expect([frame.peek(0, 4, cpu0), frame.save(0, cpu0)]).toEqual([0xf0, 0xff])
    expect([4, 8, 0x100, -4].map((offset) => frame.save(offset, cpu0))).toEqual([0, 0, 0, 0])
  })

  it('the words of a frame that carry state are those that restore puts back, for each CPU and Security state with a copy', () => {
    const view = { read: () => 0, assign: () => {} }
    const rows = [
      word<Device>('An', 0, { ...spy, count: 2 }),
      word<Device>('COMMAND', 8, { write: () => {}, restore: false }),
      word<Device>('RO', 12, { read: () => 0 }),
      constant<Device>('ID', 16, 1),
      word<Device>('COPIES', 20, { ...spy, securityCopies: true }),
      perIrq<Device>('SETn', 24, { bits: 1, irqs: 64, bank: 'set', view, banked: { irqs: 32, cpus: () => 2 } }),
      perIrq<Device>('CLEARn', 32, { bits: 1, irqs: 64, bank: 'clear', view }),
      word<Device>('OWN', 40, { ...spy, cpuWords: 1 }),
    ]
    const words = [...frameOf(rows).stateWords(2)]
    expect(words.map(({ offset, cpu, secure }) => `${offset} ${cpu} ${secure ? 'S' : 'NS'}`)).toEqual([
      ...['0 0 S', '4 0 S'],
      ...['20 0 S', '20 0 NS'],
      ...['24 0 S', '24 1 S', '28 0 S'],
      ...['40 0 S', '40 1 S'],
    ])
  })
})

describe('the two wirings', () => {
  const kind = fc.constantFrom('word', 'bytes', 'dword', 'constant', 'raz', 'wo', 'ro', 'set', 'secure', 'not modelled')
  const plan = fc.array(fc.record({ kind, gap: fc.nat({ max: 2 }), count: fc.integer({ min: 1, max: 3 }) }), {
    maxLength: 12,
  })
  const view = {
    read: (device: Device, at: number) => device.words[at]!,
    assign: (device: Device, at: number, value: number, mask: number) => {
      device.words[at] = (device.words[at]! & ~mask) | (value & mask)
    },
  }

  function rowsOf(parts: readonly { kind: string; gap: number; count: number }[]): Row<Device>[] {
    const rows: Row<Device>[] = []
    let offset = 0
    for (const [i, { kind, gap, count }] of parts.entries()) {
      offset += gap * 4
      if (kind === 'dword') offset = (offset + 7) & ~7
      const at = i * 4
      const handlers = {
        count,
        read: (d: Device, index: number) => {
          d.hits++
          return d.words[at + index]!
        },
        write: (d: Device, index: number, value: number) => {
          d.hits++
          d.words[at + index] = value
        },
        peek: (d: Device, index: number) => d.words[at + index]!,
      }
      const name = `${kind.toUpperCase()}_${i}_n`
      const row =
        kind === 'word'
          ? word(name, offset, handlers)
          : kind === 'bytes'
            ? word(name, offset, { ...handlers, ...WIDTHS })
            : kind === 'dword'
              ? dword(name, offset, handlers)
              : kind === 'constant'
                ? constant<Device>(name, offset, 0x1234 + i, { count })
                : kind === 'raz'
                  ? razWi<Device>(name, offset, { count })
                  : kind === 'wo'
                    ? word(name, offset, { ...handlers, mode: 'WO' })
                    : kind === 'ro'
                      ? word(name, offset, { ...handlers, mode: 'RO' })
                      : kind === 'set'
                        ? perIrq<Device>(name, offset, { bits: 1, irqs: 32 * count, bank: 'set', view, widths: [1, 4] })
                        : kind === 'secure'
                          ? word(name, offset, { ...handlers, secure: true })
                          : notModelled<Device>(name, offset, { count })
      rows.push(row)
      offset += row.width * row.count
    }
    return rows
  }

  const access = fc.record({
    write: fc.boolean(),
    offset: fc.oneof(
      { weight: 3, arbitrary: fc.nat({ max: 0x20 }).map((n) => n * 4) },
      { weight: 2, arbitrary: fc.integer({ min: -9, max: 0x80 }) },
      { weight: 1, arbitrary: fc.integer({ min: 0x80, max: 0x10c }) },
    ),
    size: fc.constantFrom<AccessSize>(1, 2, 4, 4, 8),
    value: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    by: fc.constantFrom(cpu0, cpuInitiator(1, { secure: true }), cpuInitiator(0, { bigEndian: true })),
  })

  it('answer alike: every value, every state, and within a register group every outcome', () => {
    let answered = 0
    let across = 0
    fc.assert(
      fc.property(plan, fc.array(access, { minLength: 20, maxLength: 60 }), (parts, accesses) => {
        const rows = rowsOf(parts)
        const [one, many] = (['frame', 'group'] as const).map((wiring) => {
          const frame = frameOf(rows, { security: true })
          const bus = new Bus(silentPolicy)
          bus.registerAll(frame.wire(0x1_0000, wiring))
          const seen: string[] = []
          frame.observer = (_, row, { offset, size, low, high }, outcome) =>
            seen.push(`${row?.name} ${offset} ${size} ${low} ${high} ${outcome}`)
          return { frame, bus, seen }
        })
        for (const { write, offset, size, value, by } of accesses) {
          const results = [one!, many!].map(({ bus, seen }) => {
            seen.length = 0
            const address = 0x1_0000 + offset
            if (write) bus.write(address, size, Number(value & 0xffffffffn), Number(value >> 32n), by)
            else bus.read(address, size, by)
            return { outcome: bus.outcome, seen: [...seen] }
          })
          const groups = many!.bus.ranges()
          const inGroup = groups.some(
            ({ base, size: length }) => 0x1_0000 + offset >= base && 0x1_0000 + offset + size <= base + length,
          )
          if (inGroup || offset < 0 || offset + size > 0x100) expect(results[1]).toEqual(results[0])
          else {
            across++
            expect(results[1]!.outcome).toBe(Outcome.unmapped)
            expect([Outcome.misaligned, Outcome.width, Outcome.reserved]).toContain(results[0]!.outcome)
          }
          if (results[0]!.outcome === Outcome.ok) answered++
          if (!write) {
            const answers = [one!, many!].map(({ bus }) => bus.read64(0x1_0000 + (offset & ~7), by))
            expect(answers[1]).toBe(answers[0])
          }
        }
        expect(many!.frame.device).toEqual(one!.frame.device)
      }),
      { numRuns: 300 },
    )
    // The test is worth something only while accesses are answered, and some lie across two groups.
    expect(answered).toBeGreaterThan(500)
    expect(across).toBeGreaterThan(50)
  })

  it('refuse a base that is not aligned to the frame, by name', () => {
    const frame = new Frame(registerTable<object>('SMALL', 0x100, [word('R', 0, { read: () => 0 })]), {})
    expect(() => frame.wire(0x1080)).toThrow('SMALL: base 0x1080 is not a multiple of 0x100')
    expect(() => frame.wire(0x1002, 'group')).toThrow('SMALL: base 0x1002')
    expect(frame.wire(0x1100)).toHaveLength(1)
  })

  it('cover the same bytes, the one with a range for the frame, the other with one for each row and each gap', () => {
    const frame = frameOf([word('A', 0, spy), word('B', 4, spy), dword('Cn', 0x10, { ...spy, count: 2 })])
    expect(frame.wire(0x1000)).toEqual([{ base: 0x1000, size: 0x100, device: frame }])
    expect(frame.wire(0x1000, 'group').map(({ base, size, device }) => [base, size, device.name])).toEqual([
      [0x1000, 4, 'A'],
      [0x1004, 4, 'B'],
      [0x1008, 8, 'T (reserved)'],
      [0x1010, 16, 'Cn'],
      [0x1020, 0xe0, 'T (reserved)'],
    ])
  })

  it('leave an access as it was, so that who observes the bus sees the offset in the range', () => {
    const frame = frameOf([word('A', 0x20, spy)])
    const bus = new Bus()
    bus.registerAll(frame.wire(0x1000, 'group'))
    const seen: number[] = []
    bus.observer = (range, access) => seen.push(range!.base + access.offset)
    for (const address of [0x1020, 0x1008, 0x10f8]) bus.read32(address, cpu0)
    expect(seen).toEqual([0x1020, 0x1008, 0x10f8])
  })

  it("leave nothing behind when a group cannot be registered: the seed thread's half-failed registration kept its array", () => {
    const frame = frameOf([word('A', 0, spy), word('B', 4, spy), word('C', 8, spy)])
    const bus = new Bus()
    const [wall] = bus.register({ base: 0x1008, size: 4, device: { name: 'wall', access: () => Outcome.ok } })
    expect(() => bus.register(...frame.wire(0x1000, 'group'))).toThrow(/C \[0x00001008, 0x0000100b\] overlaps wall/)
    expect(bus.ranges()).toEqual([wall])
    expect(bus.write32(0x1000, 1, cpu0)).toBe(Outcome.unmapped)
    expect(frame.device.log).toEqual([])
  })
})
