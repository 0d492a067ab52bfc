/** The PL011 against its manual (DDI 0183), on the bus and by the register table, as a driver would use it. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AccessSize, silentPolicy } from '../../mmio/index.ts'
import { SavedStateError } from '../saved-state.ts'
import { cpu0, onBus } from '../testing/on-bus.ts'
import { Pl011 } from './pl011.ts'
import type { Pl011Options } from './pl011-options.ts'
import { Pl011Interrupt as Interrupt, pl011Table, Pl011Error as ReceiveError } from './pl011-registers.ts'
import type { Pl011State } from './pl011-state.ts'

const [DR, RSR, FR, IBRD, FBRD, LCR_H, CR, IFLS, IMSC, RIS, MIS, ICR, DMACR] = [
  0x00, 0x04, 0x18, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x44, 0x48,
] as const
const FEN = 0x70
const RXFE = 0x10
const TXFF = 0x20
const RXFF = 0x40
const TXFE = 0x80
const BUSY = 0x08

function setUp(options: Pl011Options = {}) {
  const sent: number[] = []
  const levels: boolean[] = []
  const uart = new Pl011({
    transmit: (character) => {
      sent.push(character)
      return true
    },
    interrupt: (level) => levels.push(level),
    ...options,
  })
  return { uart, sent, levels, ...onBus(uart.frame) }
}

/** With a host that takes no character until it is told to. */
function stalled(options: Pl011Options = {}) {
  const host = { takes: 0 }
  const sent: number[] = []
  const made = setUp({
    transmit: (character) => {
      if (host.takes === 0) return false
      host.takes--
      sent.push(character)
      return true
    },
    ...options,
  })
  return {
    ...made,
    sent,
    take: (count: number) => {
      host.takes = count
      made.uart.transmitReady()
    },
  }
}

describe('PL011 registers', () => {
  it('have the reset values of DDI 0183 table 3-1', () => {
    const { read, write } = setUp()
    write(DR, 0x41)
    const expected: [number, number][] = [
      [DR, 0],
      [RSR, 0],
      [FR, TXFE | RXFE],
      [0x20, 0],
      [IBRD, 0],
      [FBRD, 0],
      [LCR_H, 0],
      [CR, 0x300],
      [IFLS, 0x12],
      [IMSC, 0],
      [MIS, 0],
      [DMACR, 0],
    ]
    for (const [offset, value] of expected) expect(read(offset), `offset ${offset}`).toBe(value)
    for (const { offset, reset } of pl011Table.rows)
      if (reset !== undefined && offset !== RIS) expect(read(offset), `offset ${offset}`).toBe(reset)
  })

  it('identify the part as PL011 of Arm, revision r1p3, at every width (DDI 0183 3.3.15 and 3.3.16)', () => {
    const { read } = setUp()
    for (const size of [1, 2, 4] as const)
      expect(Array.from({ length: 8 }, (_, i) => read(0xfe0 + i * 4, size))).toEqual([
        0x11, 0x10, 0x14, 0x00, 0x0d, 0xf0, 0x05, 0xb1,
      ])
  })

  it('keep the bits they have and no others', () => {
    const { read, write } = setUp()
    const widths: [number, number][] = [
      [0x20, 0xff],
      [IBRD, 0xffff],
      [FBRD, 0x3f],
      [LCR_H, 0xff],
      [CR, 0xff87],
      [IFLS, 0x3f],
      [IMSC, 0x7ff],
      [DMACR, 7],
    ]
    for (const [offset, bits] of widths) {
      write(offset, 0xffffffff)
      expect(read(offset), `offset ${offset}`).toBe(bits)
      write(offset, 0)
      expect(read(offset), `offset ${offset}`).toBe(0)
    }
  })

  it('may be written by byte and halfword, which leaves the rest of the register', () => {
    const { read, write } = setUp()
    write(CR, 0x0f01)
    write(CR + 1, 0x03, 1)
    expect(read(CR)).toBe(0x0301)
    write(IMSC, 0x7ff, 2)
    expect(read(IMSC + 1, 1)).toBe(7)
  })

  it('refuse writes to what is read-only and reads of what is write-only', () => {
    const { read, write } = setUp()
    for (const offset of [FR, RIS, MIS, 0xfe0]) expect(() => write(offset, 1)).toThrow(/: mode/)
    expect(() => read(ICR)).toThrow(/: mode/)
    expect(() => read(0x08)).toThrow(/: reserved/)
  })
})

describe('PL011 transmitting', () => {
  it('hands each character on, whatever the width of the write, and only for lane 0 of UARTDR', () => {
    const { write, sent } = setUp()
    write(DR, 0x141)
    write(DR, 0x42, 2)
    write(DR, 0x43, 1)
    write(DR + 1, 0x44, 1)
    write(DR + 2, 0x45, 2)
    expect(sent).toEqual([0x41, 0x42, 0x43])
  })

  it('fills 16 characters of FIFO while the host takes none, then TXFF; what is written further is lost and counted', () => {
    const { uart, read, write, sent, take } = stalled()
    write(LCR_H, FEN)
    for (let i = 0; i < 16; i++) {
      expect(read(FR) & TXFF).toBe(0)
      write(DR, i)
    }
    expect(read(FR) & (TXFF | TXFE | BUSY)).toBe(TXFF | BUSY)
    write(DR, 99)
    expect(uart.lost).toBe(1)
    take(3)
    expect(sent).toEqual([0, 1, 2])
    expect(read(FR) & (TXFF | TXFE)).toBe(0)
    take(100)
    expect(sent).toEqual(Array.from({ length: 16 }, (_, i) => i))
    expect(read(FR) & (TXFF | TXFE | BUSY)).toBe(TXFE)
  })

  it('has a depth of one without FEN', () => {
    const { read, write } = stalled()
    write(DR, 1)
    expect(read(FR) & TXFF).toBe(TXFF)
  })

  it.each([
    [0, 2],
    [1, 4],
    [2, 8],
    [3, 12],
    [4, 14],
  ])('interrupts at TXIFLSEL %i when %i characters are left (DDI 0183 3.3.9)', (select, level) => {
    const { read, write, take } = stalled()
    write(LCR_H, FEN)
    write(IFLS, select)
    for (let i = 0; i < 16; i++) write(DR, i)
    take(16 - level - 1)
    expect(read(RIS) & Interrupt.TX).toBe(0)
    take(1)
    expect(read(RIS) & Interrupt.TX).toBe(Interrupt.TX)
    write(DR, 1)
    expect(read(RIS) & Interrupt.TX).toBe(0)
  })

  it('interrupts without FIFOs when its one character has gone, and a write clears that', () => {
    const { read, write, take } = stalled()
    expect(read(RIS)).toBe(0)
    write(DR, 1)
    expect(read(RIS)).toBe(0)
    take(1)
    expect(read(RIS)).toBe(Interrupt.TX)
    write(DR, 2)
    expect(read(RIS)).toBe(0)
  })

  it('is not confused by a host that says it is ready while it takes a character', () => {
    const sent: number[] = []
    const uart: Pl011 = new Pl011({
      transmit: (character) => {
        sent.push(character)
        uart.transmitReady()
        return true
      },
    })
    onBus(uart.frame).write(DR, 7)
    expect(sent).toEqual([7])
  })
})

describe('PL011 receiving', () => {
  it('gives characters in order, at any width, and RXFE after the last', () => {
    const { uart, read, write } = setUp()
    write(LCR_H, FEN)
    for (const character of [0x41, 0xff, 0]) expect(uart.receive(character)).toBe(true)
    expect([read(FR) & RXFE, read(DR), read(DR, 1), read(DR, 2), read(FR) & RXFE, read(DR)]).toEqual([
      0,
      0x41,
      0xff,
      0,
      RXFE,
      0,
    ])
  })

  it('shows full at 16 with FEN and at 1 without, and says so to the host', () => {
    for (const [control, depth] of [
      [FEN, 16],
      [0, 1],
    ] as const) {
      const { uart, read, write } = setUp()
      write(LCR_H, control)
      for (let i = 0; i < depth; i++) {
        expect([uart.canReceive, read(FR) & RXFF]).toEqual([true, 0])
        uart.receive(i)
      }
      expect([uart.canReceive, read(FR) & RXFF]).toEqual([false, RXFF])
    }
  })

  it('tells the host when there is room again, once', () => {
    let ready = 0
    const { uart, read } = setUp({ receiveReady: () => ready++ })
    uart.receive(1)
    expect(ready).toBe(0)
    read(DR)
    read(DR)
    expect(ready).toBe(1)
  })

  it('can be fed from the hook that tells of room, a character for each that is read', () => {
    const input = [...'a line of text'].map((c) => c.charCodeAt(0))
    const uart: Pl011 = new Pl011({ receiveReady: () => feed() })
    const feed = () => {
      while (uart.canReceive && input.length > 0) uart.receive(input.shift()!)
    }
    const { read } = onBus(uart.frame)
    feed()
    let text = ''
    for (let i = 0; i < 100 && !(read(FR) & RXFE); i++) text += String.fromCharCode(read(DR))
    expect(text).toBe('a line of text')
  })

  it('loses the character that finds it full and shows the overrun until there is room (DDI 0183 3.3.1, 3.3.2)', () => {
    const { uart, read, write } = setUp()
    uart.receive(0x41)
    expect(uart.receive(0x42)).toBe(false)
    expect(read(RIS) & Interrupt.OE).toBe(Interrupt.OE)
    expect(read(RSR)).toBe(8)
    expect(read(DR)).toBe(0x41 | ReceiveError.overrun)
    uart.receive(0x43)
    expect(read(DR)).toBe(0x43)
    expect(read(RSR)).toBe(8)
    write(RSR, 0)
    expect(read(RSR)).toBe(0)
    write(ICR, Interrupt.OE)
    expect(read(RIS) & Interrupt.OE).toBe(0)
  })

  it('keeps the errors of each character with it; UARTRSR shows those of the last one read', () => {
    const { uart, read, write } = setUp()
    write(LCR_H, FEN)
    uart.receive(0x41, ReceiveError.parity)
    uart.receive(0, ReceiveError.break)
    uart.receive(0x42)
    expect(read(RIS) & 0x780).toBe(Interrupt.PE | Interrupt.BE)
    expect([read(RSR), read(DR), read(RSR), read(DR), read(RSR), read(DR), read(RSR)]).toEqual([
      0,
      0x41 | ReceiveError.parity,
      2,
      ReceiveError.break,
      4,
      0x42,
      0,
    ])
  })

  it.each([
    [0, 2],
    [1, 4],
    [2, 8],
    [3, 12],
    [4, 14],
  ])('interrupts at RXIFLSEL %i from %i characters on, until there are fewer (DDI 0183 3.3.9)', (select, level) => {
    const { uart, read, write } = setUp({ startReceiveTimeout: () => {} })
    write(LCR_H, FEN)
    write(IFLS, select << 3)
    for (let i = 1; i <= level; i++) {
      expect(read(RIS)).toBe(0)
      uart.receive(i)
    }
    expect(read(RIS)).toBe(Interrupt.RX)
    read(DR)
    expect(read(RIS)).toBe(0)
  })

  it('interrupts with the first character, whatever RXIFLSEL says, where the host asks for what QEMU does', () => {
    const { uart, read, write } = setUp({ receiveAtOnce: true, startReceiveTimeout: () => {} })
    write(LCR_H, FEN)
    write(IFLS, 2 << 3)
    uart.receive(1)
    uart.receive(2)
    expect(read(RIS)).toBe(Interrupt.RX)
    read(DR)
    expect(read(RIS)).toBe(Interrupt.RX)
    read(DR)
    expect(read(RIS)).toBe(0)
  })

  it('interrupts for the timeout when 32 bit periods pass with a character waiting, until all are read', () => {
    let started = 0
    const { uart, read, write } = setUp({ startReceiveTimeout: () => started++ })
    write(LCR_H, FEN)
    uart.receiveTimeout()
    expect([started, read(RIS)]).toEqual([0, 0])
    uart.receive(1)
    uart.receive(2)
    expect([started, read(RIS)]).toEqual([2, 0])
    uart.receiveTimeout()
    expect(read(RIS)).toBe(Interrupt.RT)
    read(DR)
    expect(read(RIS)).toBe(Interrupt.RT)
    read(DR)
    expect(read(RIS)).toBe(0)
  })

  it('counts the line as idle after every character where the host has no notion of bit periods', () => {
    const { uart, read, write } = setUp()
    write(LCR_H, FEN)
    uart.receive(1)
    expect(read(RIS)).toBe(Interrupt.RT)
  })

  it('loses both FIFOs when FEN changes, and not when another bit of UARTLCR_H does', () => {
    const { uart, read, write } = setUp()
    write(LCR_H, FEN)
    uart.receive(1)
    write(LCR_H, FEN | 1)
    expect(read(FR) & RXFE).toBe(0)
    write(LCR_H, 0x60)
    expect([read(FR), read(RIS)]).toEqual([RXFE | TXFE, 0])
  })
})

describe('PL011 with a host that has input before the guest listens', () => {
  function piped(text: string) {
    const input = [...text].map((c) => c.charCodeAt(0))
    const feed = () => {
      while (made.uart.canReceive && input.length > 0) made.uart.receive(input.shift()!)
    }
    const clock = { now: 5 }
    const made = setUp({ waitForListener: () => clock.now, receiveReady: () => feed() })
    feed()
    return { input, feed, clock, ...made }
  }

  it("keeps the input through the start of Linux's driver, which unmasks the receive interrupt and empties the FIFO", () => {
    const { input, feed, clock, uart, read, write } = piped('abc')
    write(CR, 0x301)
    write(LCR_H, FEN)
    for (const character of 'console output') {
      expect(read(FR) & TXFF).toBe(0)
      write(DR, character.charCodeAt(0))
    }
    read(FR)
    expect(input).toHaveLength(3)
    write(IMSC, Interrupt.RX | Interrupt.RT)
    for (let i = 0; i < 32 && !(read(FR) & RXFE); i++) read(DR)
    write(IMSC, Interrupt.RX | Interrupt.RT)
    expect([input.length, uart.listensFrom]).toEqual([3, 5.01])
    clock.now = uart.listensFrom!
    feed()
    expect([read(DR), read(DR), read(DR), input.length]).toEqual([0x61, 0x62, 0x63, 0])
    write(IMSC, Interrupt.TX)
    expect([uart.listensFrom, uart.canReceive]).toEqual([undefined, false])
  })

  /** A guest that polls without pause, a read in a microsecond: a character, or undefined after `times` polls without one. */
  function poll({ clock, read }: ReturnType<typeof piped>, times: number): string | undefined {
    for (let i = 0; i < times; i++, clock.now += 1e-6) if (!(read(FR) & RXFE)) return String.fromCharCode(read(DR))
    return undefined
  }

  it('gives it to a guest that polls', () => {
    const guest = piped('help')
    guest.write(LCR_H, FEN)
    let text = ''
    for (let i = 0; i < 4; i++) {
      const character = poll(guest, 1000) ?? '?'
      text += character
      guest.write(DR, character.charCodeAt(0))
    }
    expect(text).toBe('help')
  })

  it('keeps what is typed ahead from a guest that looks in passing for a key that interrupts it, as U-Boot does', () => {
    const guest = piped('\nversion')
    guest.write(LCR_H, FEN)
    expect(poll(guest, 1000)).toBe('\n')
    guest.clock.now += 1
    for (let line = 0; line < 20; line++) {
      expect(poll(guest, 1)).toBeUndefined()
      for (const character of 'a line of a dump\r\n') guest.write(DR, character.charCodeAt(0))
    }
    expect(guest.input).toHaveLength('version'.length)
  })

  it('gives one character to a guest that polls each 20 ms and takes what there is until nothing came for 0.52 ms, as EDK2 does', () => {
    const guest = piped('\rver')
    guest.write(LCR_H, FEN)
    const turns: string[] = []
    for (let turn = 0; turn < 40; turn++) {
      let taken = ''
      if (!(guest.read(FR) & RXFE)) for (let c = poll(guest, 1); c !== undefined; c = poll(guest, 520)) taken += c
      if (taken !== '') turns.push(taken)
      guest.clock.now += 0.02
    }
    expect(turns).toEqual(['\r', 'v', 'e', 'r'])
  })

  it('tells the host of the room that an emptied FIFO leaves', () => {
    let ready = 0
    const { uart, write } = setUp({ receiveReady: () => ready++ })
    uart.receive(1)
    write(LCR_H, FEN)
    expect([uart.canReceive, ready]).toEqual([true, 1])
  })
})

describe('PL011 UARTCR', () => {
  it('lets characters through at once as QEMU does, and only when enabled where the host asks for the real thing', () => {
    const lenient = setUp()
    lenient.write(DR, 1)
    expect([lenient.sent, lenient.uart.canReceive]).toEqual([[1], true])

    const strict = setUp({ strictEnable: true })
    strict.write(DR, 1)
    expect([strict.sent, strict.uart.canReceive, strict.uart.receive(2)]).toEqual([[], false, false])
    strict.write(CR, 0x101)
    expect([strict.sent, strict.uart.canReceive]).toEqual([[1], false])
    strict.write(CR, 0x201)
    strict.write(DR, 3)
    expect([strict.sent, strict.uart.canReceive]).toEqual([[1], true])
  })

  it('loops characters and modem outputs back with LBE, and none goes out or comes in (DDI 0183 3.3.8)', () => {
    const { uart, read, write, sent } = setUp()
    write(LCR_H, FEN)
    write(CR, 0x0381)
    write(DR, 0x5a)
    expect([uart.canReceive, uart.receive(1)]).toEqual([false, false])
    expect([read(DR), sent, read(FR) & 0x107]).toEqual([0x5a, [], 0])
    write(CR, 0x0f81)
    expect(read(FR) & 0x107).toBe(0x003)
    expect(read(RIS) & 0xf).toBe(Interrupt.CTS | Interrupt.DSR)
    write(CR, 0x0301)
    write(DR, 0x41)
    expect(sent).toEqual([0x41])
  })

  it('overruns in loopback when nobody reads, in bounded work', () => {
    const { read, write } = setUp()
    write(LCR_H, FEN)
    write(CR, 0x0381)
    for (let i = 0; i < 20; i++) write(DR, i)
    expect(read(RIS) & Interrupt.OE).toBe(Interrupt.OE)
    expect(Array.from({ length: 16 }, () => read(DR) & 0xff)).toEqual(Array.from({ length: 16 }, (_, i) => i))
  })

  it('latches an interrupt for each modem input that changes', () => {
    const { uart, read, write } = setUp()
    uart.setModem({ cts: true, dcd: true })
    expect([read(FR) & 0x107, read(RIS)]).toEqual([5, Interrupt.CTS | Interrupt.DCD])
    write(ICR, 0x7ff)
    uart.setModem({ cts: true, dcd: false, ri: true })
    expect([read(FR) & 0x107, read(RIS)]).toEqual([0x101, Interrupt.DCD | Interrupt.RI])
  })
})

describe('the PL011 interrupt output', () => {
  it('is the OR of the masked interrupts, and tells of changes only', () => {
    const { uart, read, write, levels } = setUp()
    uart.receive(1)
    expect(levels).toEqual([])
    write(IMSC, Interrupt.RX)
    write(IMSC, Interrupt.RX | Interrupt.RT)
    expect([levels, read(MIS)]).toEqual([[true], Interrupt.RX | Interrupt.RT])
    read(DR)
    expect(levels).toEqual([true, false])
    uart.receive(1)
    write(ICR, Interrupt.RX)
    expect(levels).toEqual([true, false, true])
    write(ICR, Interrupt.RT)
    expect(levels).toEqual([true, false, true, false])
    read(DR)
    write(IMSC, 0)
    expect(levels).toHaveLength(4)
  })

  it('falls by a byte write of UARTICR for the interrupts of that byte alone', () => {
    const { uart, read, write } = setUp()
    uart.receive(1)
    uart.receive(2)
    write(ICR + 1, 0xff, 1)
    expect(read(RIS)).toBe(Interrupt.RX | Interrupt.RT)
    write(ICR, 0xff, 1)
    expect(read(RIS)).toBe(0)
  })
})

describe('PL011 under any use', () => {
  const size = fc.constantFrom<AccessSize>(1, 2, 4, 8)
  const step = fc.oneof(
    fc.record({
      op: fc.constant('write' as const),
      offset: fc.nat({ max: 0x4b }),
      size,
      value: fc.nat({ max: 0xffff }),
    }),
    fc.record({ op: fc.constant('read' as const), offset: fc.nat({ max: 0x4b }), size }),
    fc.record({ op: fc.constant('receive' as const), value: fc.nat({ max: 0x7ff }) }),
    fc.record({ op: fc.constant('idle' as const) }),
  )

  it('peeks without an effect, holds the line to its registers, and goes on from a snapshot as if never stopped', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), fc.nat({ max: 60 }), (steps, stop) => {
        const sent: number[][] = [[], []]
        const make = (into: number[]) =>
          new Pl011({ transmit: (character) => into.length % 5 !== 4 && into.push(character) > 0 })
        let uart = make(sent[0]!)
        let bus = onBus(uart.frame, 0x1000, silentPolicy)
        const other = make(sent[1]!)
        const otherBus = onBus(other.frame, 0x1000, silentPolicy)
        for (const [i, step] of steps.entries()) {
          if (i === stop) {
            const saved = JSON.parse(JSON.stringify(uart.snapshot()))
            uart = make(sent[0]!)
            uart.restore(saved)
            bus = onBus(uart.frame, 0x1000, silentPolicy)
          }
          for (const [device, { read, write }] of [
            [uart, bus],
            [other, otherBus],
          ] as const) {
            if (step.op === 'write') write(step.offset, step.value, step.size)
            else if (step.op === 'read') read(step.offset, step.size)
            else if (step.op === 'receive') device.receive(step.value, step.value & 0x700)
            else device.receiveTimeout()
            const before = device.snapshot()
            for (let offset = 0; offset < 0x1000; offset += 4) device.frame.peek(offset, 4, cpu0)
            expect(device.snapshot()).toEqual(before)
            expect(device.interrupt.level).toBe((before.ris & before.imsc) !== 0)
          }
        }
        expect(uart.snapshot()).toEqual(other.snapshot())
        expect(sent[0]).toEqual(sent[1])
      }),
      { numRuns: 60 },
    )
  })

  const good: Pl011State = new Pl011().snapshot()
  it.each<[string, unknown, RegExp]>([
    ['nothing', null, /is no object/],
    ['a list', [], /is no object/],
    ['another device', { ...good, kind: 'PL031' }, /kind "PL031"/],
    ['another version', { ...good, version: 2 }, /version 2, and 1 is supported/],
    ['an unknown key', { ...good, extra: 1 }, /unknown key "extra"/],
    ['a missing key', { ...good, cr: undefined }, /cr must be/],
    ['a value out of its range', { ...good, imsc: 0x800 }, /imsc must be a whole number from 0 to 2047/],
    ['too many characters', { ...good, receive: Array(17).fill(0) }, /receive must be a list of at most 16/],
    ['a character that is none', { ...good, transmit: [1, 'a'] }, /transmit\[1\] must be/],
  ])('refuses to restore %s, by name, and stays as it is', (_, state, message) => {
    const { uart, write } = setUp()
    write(IMSC, 5)
    const before = uart.snapshot()
    expect(() => uart.restore(state)).toThrow(SavedStateError)
    expect(() => uart.restore(state)).toThrow(message)
    expect(uart.snapshot()).toEqual(before)
  })

  it('is as new after a reset, with its line low', () => {
    const { uart, write, levels } = setUp()
    write(IMSC, 0x7ff)
    uart.receive(1)
    uart.reset()
    expect(uart.snapshot()).toEqual(good)
    expect(levels).toEqual([true, false])
  })
})
