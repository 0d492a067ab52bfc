/** The flash bank as drivers use it: CFI query, identification, erase and programming, a chip on each half of the bus. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { onBus } from '../testing/on-bus.ts'
import { CfiFlash, type CfiFlashOptions } from './cfi-flash.ts'

const BLOCK = 0x4_0000
const both = (value: number) => (value << 16) | value

function setUp(options: CfiFlashOptions = {}) {
  const plain: boolean[] = []
  const flash = new CfiFlash({ size: 4 * BLOCK, plainChanged: (now) => plain.push(now), ...options })
  const port = onBus(flash, flash.size)
  /** As EDK2 does: status of both chips, then back to contents. */
  const finish = () => {
    port.write(0, both(0x70))
    const status = port.read(0)
    port.write(0, both(0x50))
    port.write(0, both(0xff))
    return status
  }
  const program = (offset: number, value: number) => {
    port.write(offset, both(0x40))
    port.write(offset, value)
    return finish()
  }
  const erase = (offset: number) => {
    port.write(offset, both(0x20))
    port.write(offset, both(0xd0))
    return finish()
  }
  const buffered = (offset: number, values: readonly number[], confirm = both(0xd0)) => {
    port.write(offset, both(0xe8))
    expect(port.read(offset) & 0x0080_0080).toBe(0x0080_0080)
    port.write(offset, both(values.length - 1))
    for (const [i, value] of values.entries()) port.write(offset + i * 4, value)
    port.write(offset, confirm)
    return finish()
  }
  return { flash, plain, program, erase, buffered, finish, ...port }
}

const OK = both(0x80)
const SEQUENCE = both(0xb0)

describe('flash contents', () => {
  it('read as given, erased after that, at every width', () => {
    const { read, flash } = setUp({ contents: Uint8Array.of(1, 2, 3, 4, 5) })
    expect([read(0), read(4), read(3, 1), read(2, 2), read(BLOCK)]).toEqual([
      0x04030201, 0xffffff05, 4, 0x0403, 0xffffffff,
    ])
    const bytes = new Uint8Array(3)
    flash.read(3, bytes)
    expect([...bytes]).toEqual([4, 5, 0xff])
  })

  it('are programmed by clearing bits, and set by nothing but an erase of the block', () => {
    const { read, program, erase } = setUp()
    expect(program(0x100, 0x0ff0_1234)).toBe(OK)
    expect(program(0x100, 0xf0ff_ffff)).toBe(OK)
    expect(read(0x100)).toBe(0x00f0_1234)
    program(BLOCK, 0)
    expect(erase(0x80)).toBe(OK)
    expect([read(0x100), read(BLOCK)]).toEqual([0xffffffff, 0])
  })

  it('are never changed in what was given, nor in the blocks beside', () => {
    const contents = new Uint8Array(2 * BLOCK).fill(0x5a)
    const { read, erase } = setUp({ contents })
    erase(BLOCK)
    expect(contents.every((byte) => byte === 0x5a)).toBe(true)
    expect([read(BLOCK - 4), read(BLOCK), read(2 * BLOCK - 4), read(2 * BLOCK)]).toEqual([
      0x5a5a5a5a, 0xffffffff, 0xffffffff, 0xffffffff,
    ])
  })

  it('take a buffer of up to 32 words at once', () => {
    const { read, buffered } = setUp()
    const values = Array.from({ length: 32 }, (_, i) => (i * 0x01010101) >>> 0)
    expect(buffered(0x200, values)).toBe(OK)
    expect(values.map((_, i) => read(0x200 + i * 4))).toEqual(values)
    expect(buffered(0x400, [7])).toBe(OK)
    expect([read(0x400), read(0x404)]).toEqual([7, 0xffffffff])
  })

  it('stay as they are when a buffer is not confirmed, is too long, or leaves its block', () => {
    const { read, write, buffered, finish } = setUp()
    expect(buffered(0x200, [1, 2], both(0xff))).toBe(SEQUENCE)
    write(0, both(0xe8))
    write(0, both(32))
    expect(finish()).toBe(SEQUENCE)
    expect(buffered(BLOCK - 4, [1, 2])).toBe(SEQUENCE)
    expect([read(0x200), read(BLOCK - 4), read(BLOCK)]).toEqual([0xffffffff, 0xffffffff, 0xffffffff])
  })

  it('stay as they are when an erase is not confirmed', () => {
    const { read, write, program, finish } = setUp()
    program(0, 1)
    write(0, both(0x20))
    write(0, both(0xff))
    expect(finish()).toBe(SEQUENCE)
    expect(read(0)).toBe(1)
  })

  it('do not change at all where the bank is read-only, whatever is written', () => {
    const { flash, read, write, program, erase, plain } = setUp({ readOnly: true, contents: Uint8Array.of(1, 2, 3, 4) })
    for (const command of [0x70, 0x90, 0x98, 0x20, 0xe8]) write(0, both(command))
    program(0, 0)
    erase(0)
    expect([read(0), flash.plain, plain]).toEqual([0x04030201, true, []])
  })
})

describe('the two chips', () => {
  it('answer the CFI query side by side, as one chip of 16 bits each', () => {
    const { flash, read, write, plain } = setUp()
    write(0x55 * 4, both(0x98))
    const query = (at: number) => {
      const value = read(at * 4)
      expect(value >>> 16).toBe(value & 0xffff)
      return value & 0xffff
    }
    const word = (at: number) => query(at) | (query(at + 1) << 8)
    expect(String.fromCharCode(query(0x10), query(0x11), query(0x12))).toBe('QRY')
    expect([word(0x13), word(0x15)]).toEqual([1, 0x31])
    expect(2 ** query(0x27) * 2).toBe(flash.size)
    expect(query(0x2c)).toBe(1)
    // One erase region: blocks less one, and the block of a chip in units of 256 bytes.
    expect([word(0x2d) + 1, word(0x2f) * 256 * 2]).toEqual([flash.size / BLOCK, BLOCK])
    // The buffer of a chip in bytes: 32 words of 16 bits.
    expect(2 ** word(0x2a)).toBe(64)
    expect(String.fromCharCode(query(0x31), query(0x32), query(0x33))).toBe('PRI')
    expect([read(0x4000), flash.plain, plain]).toEqual([0, false, [false]])
    write(0, both(0xff))
    expect([read(0x40), plain]).toEqual([0xffffffff, [false, true]])
  })

  it('identify themselves, and say that a block is not locked', () => {
    const { read, write } = setUp()
    write(0, both(0x90))
    expect([read(0), read(4), read(8), read(0x10008)]).toEqual([both(0x89), both(0x18), 0, 0])
  })

  it('take commands each for itself: a halfword reaches one, and the other goes on', () => {
    const { read, write } = setUp({ contents: Uint8Array.of(1, 2, 3, 4) })
    write(2, 0x90, 2)
    expect(read(0)).toBe(0x0089_0201)
    write(0, 0x40, 2)
    write(0, 0x0001, 2)
    expect(read(0)).toBe(0x0089_0080)
    write(0, 0xff, 2)
    expect(read(0)).toBe(0x0089_0001)
  })

  it('take a byte on their low lines as a command, and program the lane of a byte alone', () => {
    const { read, write, finish } = setUp()
    write(1, 0x90, 1)
    expect(read(0, 2)).toBe(0xffff)
    write(0, 0x40, 1)
    write(1, 0x12, 1)
    finish()
    expect(read(0)).toBe(0xffff12ff)
  })

  it('go back to contents with F0, as a driver of the other command set sends first', () => {
    const { flash, write } = setUp()
    write(0, both(0x70))
    write(0, both(0xf0))
    expect(flash.plain).toBe(true)
  })

  it('keep their errors until the status is cleared', () => {
    const { read, write } = setUp()
    write(0, both(0x20))
    write(0, both(0))
    expect(read(0)).toBe(SEQUENCE)
    write(0, both(0x70))
    expect(read(0)).toBe(SEQUENCE)
    write(0, both(0x50))
    expect(read(0)).toBe(OK)
  })

  it('are reset to reading contents, which stay', () => {
    const { flash, read, write, program } = setUp()
    program(0, 5)
    write(0, both(0xe8))
    flash.reset()
    expect([flash.plain, read(0)]).toEqual([true, 5])
  })
})

describe('a flash bank', () => {
  it('goes on from a snapshot in the middle of a command, and keeps what was programmed', () => {
    const { flash, write, program } = setUp({ contents: new Uint8Array(100).fill(7) })
    program(BLOCK, 0x1234)
    write(0, both(0xe8))
    write(0, both(1))
    write(0, 0x11)
    const saved = JSON.parse(JSON.stringify(flash.snapshot()))
    const other = setUp({ contents: new Uint8Array(100).fill(7) })
    other.flash.restore(saved)
    expect(other.flash.snapshot()).toEqual(saved)
    other.write(4, 0x22)
    other.write(0, both(0xd0))
    expect(other.finish()).toBe(OK)
    expect([other.read(0), other.read(4), other.read(8), other.read(BLOCK)]).toEqual([1, 2, 0x07070707, 0x1234])
  })

  it('refuses a snapshot of a larger bank, and one that is none, and stays as it is', () => {
    const { flash } = setUp()
    const saved = flash.snapshot()
    const bytes = 'ff'.repeat(BLOCK)
    expect(() => flash.restore({ ...saved, blocks: [{ index: 4, bytes }] })).toThrow(/does not fit this bank/)
    expect(() => flash.restore({ ...saved, blocks: [{ index: 0, bytes: 'ff' }] })).toThrow(/does not fit this bank/)
    expect(() => flash.restore({ ...saved, blocks: [{ index: 0, bytes: 'f' }] })).toThrow(/blocks\[0\] bytes must be/)
    expect(() => flash.restore({ ...saved, chips: [] })).toThrow(/has 2 chips/)
    expect(flash.snapshot()).toEqual(saved)
  })

  it.each([0, 1000, 3 * BLOCK, BLOCK / 2, -BLOCK, Number.NaN])('refuses to be %d bytes', (size) => {
    expect(() => new CfiFlash({ size })).toThrow(/times a power of two/)
  })

  it('refuses contents that do not fit, with both sizes', () => {
    expect(() => new CfiFlash({ size: BLOCK, contents: new Uint8Array(BLOCK + 1) })).toThrow(
      'flash: contents of 262145 bytes do not fit 262144',
    )
  })

  it('takes any accesses in any order, and grows by its own blocks at most', () => {
    const write = fc.record({
      offset: fc.oneof(fc.constantFrom(0, 4, BLOCK, 4 * BLOCK - 4), fc.nat({ max: 4 * BLOCK - 1 })),
      size: fc.constantFrom<1 | 2 | 4 | 8>(1, 2, 4, 8),
      value: fc.oneof(fc.constantFrom(0x20, 0x40, 0xe8, 0xd0, 0xff, 0x98, 1).map(both), fc.integer()),
    })
    fc.assert(
      fc.property(fc.array(write, { maxLength: 100 }), (writes) => {
        const { flash, bus } = setUp()
        for (const { offset, size, value } of writes) {
          const at = 0x0900_0000 + offset - (offset % size)
          bus.write(at, size, value, value, { cpu: 0, secure: false, bigEndian: false })
          bus.read(at, size, { cpu: 0, secure: false, bigEndian: false })
        }
        const { blocks, chips } = flash.snapshot()
        expect(blocks.length).toBeLessThanOrEqual(4)
        for (const { buffer } of chips) expect(buffer.length).toBeLessThanOrEqual(32)
      }),
      { numRuns: 20 },
    )
  })
})
