/** fw_cfg against QEMU's docs/specs/fw_cfg: the port, the directory, DMA. */

import { describe, expect, it } from 'vitest'
import { silentPolicy } from '../mmio/index.ts'
import { FwCfg, FwCfgItem, type FwCfgOptions } from './fw-cfg.ts'
import { Ram } from './memory.ts'
import { cpu0, onBus } from './testing/on-bus.ts'

const [DATA, SELECTOR, DMA] = [0x00, 0x08, 0x10] as const
const BASE = 0x4000_0000
const text = (value: string) => new TextEncoder().encode(value)

function setUp(options: FwCfgOptions = {}) {
  const device = new FwCfg(options)
  const port = onBus(device, device.size)
  const select = (item: number) => port.write(SELECTOR, ((item & 0xff) << 8) | (item >> 8), 2)
  const bytes = (count: number) => Array.from({ length: count }, () => port.read(DATA, 1))
  return { device, select, bytes, ...port }
}

function withMemory(options: FwCfgOptions = {}) {
  const ram = new Ram(BASE, new Uint8Array(0x4_0000))
  const made = setUp({ memory: ram, ...options })
  const view = new DataView(ram.bytes.buffer)
  /** Puts a command at offset 0x100 of memory, runs it, and returns its control word. */
  const dma = (control: number, length: number, address: number, high = 0) => {
    view.setUint32(0x100, control)
    view.setUint32(0x104, length)
    view.setUint32(0x108, high)
    view.setUint32(0x10c, address)
    made.bus.write64(0x0900_0000 + DMA, BigInt.asUintN(64, swap64(BigInt(BASE + 0x100))), cpu0)
    return view.getUint32(0x100)
  }
  return { ...made, ram, dma }
}

function swap64(value: bigint): bigint {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, value)
  return view.getBigUint64(0, true)
}

describe('fw_cfg', () => {
  it('says QEMU in item 0, and in item 1 whether there is DMA', () => {
    const { select, bytes } = setUp()
    expect(bytes(6)).toEqual([...text('QEMU'), 0, 0])
    select(FwCfgItem.id)
    expect(bytes(4)).toEqual([1, 0, 0, 0])
    const other = withMemory()
    other.select(FwCfgItem.id)
    expect(other.bytes(4)).toEqual([3, 0, 0, 0])
  })

  it('gives bytes in the order of memory at every width, and starts over with each selection', () => {
    const { select, read, bus } = setUp()
    expect(read(DATA, 2)).toBe(0x4551)
    expect(read(DATA, 2)).toBe(0x554d)
    select(0)
    expect(read(DATA, 4)).toBe(0x554d4551)
    select(0)
    expect(bus.read64(0x0900_0000, cpu0)).toBe(0x554d4551n)
  })

  it('takes a big-endian selector of 16 bits and no other', () => {
    const { select, bytes } = setUp({ items: new Map([[FwCfgItem.cpus, Uint8Array.of(4, 0)]]) })
    select(FwCfgItem.cpus)
    expect(bytes(3)).toEqual([4, 0, 0])
    const { write, read } = setUp()
    expect(() => write(SELECTOR, 1, 4)).toThrow(/width/)
    expect(() => write(DATA, 1, 1)).toThrow(/mode/)
    expect(() => read(SELECTOR, 2)).toThrow(/mode/)
  })

  it('reads zero for an item that is not there, and beyond the end of one that is', () => {
    const { select, bytes } = setUp()
    select(0x7777)
    expect(bytes(3)).toEqual([0, 0, 0])
  })

  it('has a directory of its files, big-endian, by which each is found', () => {
    const { select, bytes } = setUp({
      files: new Map([
        ['opt/b', text('two!')],
        ['etc/a', text('one')],
      ]),
    })
    select(FwCfgItem.fileDirectory)
    const directory = new DataView(Uint8Array.from(bytes(4 + 128)).buffer)
    expect(directory.getUint32(0)).toBe(2)
    const files = [4, 68].map((at) => ({
      size: directory.getUint32(at),
      item: directory.getUint16(at + 4),
      name: String.fromCharCode(...Array.from({ length: 56 }, (_, i) => directory.getUint8(at + 8 + i))).replace(
        /\0+$/,
        '',
      ),
    }))
    expect(files.map(({ name, size }) => [name, size])).toEqual([
      ['etc/a', 3],
      ['opt/b', 4],
    ])
    select(files[1]!.item)
    expect(bytes(5)).toEqual([...text('two!'), 0])
  })

  it.each(['', 'x'.repeat(56), 'a b', 'ä'])('refuses %j as a file name', (name) => {
    expect(() => setUp({ files: new Map([[name, text('x')]]) })).toThrow(/is no file name/)
  })

  it('shows "QEMU CFG" in the DMA register, in the order of memory, and 0 without DMA', () => {
    const { bus } = withMemory()
    const value = bus.read64(0x0900_0000 + DMA, cpu0)
    const shown = Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(i * 8)) & 0xffn))
    expect(String.fromCharCode(...shown)).toBe('QEMU CFG')
    expect(setUp().read(DMA)).toBe(0)
  })

  it('selects and reads by DMA, and goes on where it was; zeros follow the end', () => {
    const { ram, dma } = withMemory({ items: new Map([[0x30, text('abcdef')]]) })
    ram.bytes.fill(0xff, 0x200, 0x220)
    expect(dma(0x0030_000a, 2, BASE + 0x200)).toBe(0)
    expect(dma(0x4, 1, 0)).toBe(0)
    expect(dma(0x2, 6, BASE + 0x202)).toBe(0)
    expect([...ram.bytes.subarray(0x200, 0x209)]).toEqual([...text('abdef'), 0, 0, 0, 0xff])
  })

  it('takes the address in two halves, high first, and starts with the low one', () => {
    const { ram, write, select } = withMemory()
    select(0)
    new DataView(ram.bytes.buffer).setUint32(0x100, 2)
    new DataView(ram.bytes.buffer).setUint32(0x104, 4)
    new DataView(ram.bytes.buffer).setUint32(0x10c, BASE + 0x200)
    write(DMA, 0)
    expect(ram.bytes[0x200]).toBe(0)
    write(DMA + 4, 0x0001_0040)
    expect([...ram.bytes.subarray(0x200, 0x204)]).toEqual([...text('QEMU')])
  })

  it('refuses writes by DMA, and transfers to where there is no memory, by the error bit', () => {
    const { ram, dma } = withMemory()
    const before = ram.bytes.slice(0x200)
    expect(dma(0x10, 4, BASE + 0x200)).toBe(1)
    expect(dma(0x2, 4, 0x1000)).toBe(1)
    expect(dma(0x2, 0xffff_ffff, BASE)).toBe(1)
    expect(dma(0x2, 4, BASE, 0xffff_ffff)).toBe(1)
    expect(Buffer.compare(ram.bytes.subarray(0x200), before)).toBe(0)
  })

  it('ignores a command that is not in memory', () => {
    const { write, ram } = withMemory()
    write(DMA, 0xffff_ffff)
    write(DMA + 4, 0xffff_ffff)
    expect(ram.bytes.every((byte) => byte === 0)).toBe(true)
  })

  it('fills all of memory with a long read, in one pass and no more', () => {
    const { ram, dma } = withMemory()
    ram.bytes.fill(0xff, 0x1_0000)
    expect(dma(0x0000_000a, 0x3_0000, BASE + 0x1_0000)).toBe(0)
    expect([...ram.bytes.subarray(0x1_0000, 0x1_0005)]).toEqual([...text('QEMU'), 0])
    expect(ram.bytes.subarray(0x1_0004).every((byte) => byte === 0)).toBe(true)
  })

  describe('with somebody who goes on later', () => {
    /** Commands at 0x100 and 0x120 of 16 MiB of memory, and how many bytes were written since the last look. */
    function bounded() {
      const ram = new Ram(BASE, new Uint8Array(0x100_0000))
      let moved = 0
      let calls = 0
      const memory = Object.create(ram, {
        write: {
          value: (address: number, from: Uint8Array) => {
            moved += from.length
            ram.write(address, from)
          },
        },
        contains: { value: (address: number, length: number) => ram.contains(address, length) },
        read32: { value: (address: number) => ram.read32(address) },
        write32: { value: (address: number, value: number) => ram.write32(address, value) },
      }) as Ram
      const options = { memory, items: new Map([[0x30, text('abcdef')]]), later: () => calls++ }
      const device = new FwCfg(options)
      const { bus } = onBus(device, device.size)
      const view = new DataView(ram.bytes.buffer)
      const start = (at: number, control: number, length: number, address: number) => {
        view.setUint32(at, control)
        view.setUint32(at + 4, length)
        view.setUint32(at + 12, address)
        bus.write64(0x0900_0000 + DMA, BigInt.asUintN(64, swap64(BigInt(BASE + at))), cpu0)
        return view.getUint32(at)
      }
      const taken = () => {
        const bytes = moved
        moved = 0
        return bytes
      }
      return { ram, device, options, start, taken, control: (at: number) => view.getUint32(at), calls: () => calls }
    }

    it('moves 4 MiB at once and the rest at each resume, and the control word says when it is over', () => {
      const { ram, device, start, taken, control, calls } = bounded()
      ram.bytes.fill(0xff, 0x1000)
      expect(start(0x100, 0x0030_000a, 0x90_0000, BASE + 0x1000)).toBe(0x0030_000a)
      expect([taken(), calls()]).toEqual([0x40_0000, 1])
      device.resume()
      expect([taken(), calls(), control(0x100)]).toEqual([0x40_0000, 2, 0x0030_000a])
      device.resume()
      expect([taken(), calls(), control(0x100)]).toEqual([0x10_0000, 2, 0])
      expect([...ram.bytes.subarray(0x1000, 0x1007)]).toEqual([...text('abcdef'), 0])
      expect(ram.bytes.subarray(0x1006, 0x90_1000).every((byte) => byte === 0)).toBe(true)
      expect(ram.bytes[0x90_1000]).toBe(0xff)
    })

    it('refuses a second command while one is under way, which goes on', () => {
      const { device, start, taken, control } = bounded()
      start(0x100, 0x0030_000a, 0x50_0000, BASE + 0x1000)
      expect(start(0x120, 0x0030_000a, 4, BASE + 0x1000)).toBe(1)
      device.resume()
      expect([taken(), control(0x100), control(0x120)]).toEqual([0x50_0000, 0, 1])
      expect(start(0x120, 0x0030_000a, 4, BASE + 0x1000)).toBe(0)
    })

    it('goes on in a machine that is restored, and a reset forgets it', () => {
      const { ram, device, options, start, control, calls } = bounded()
      ram.bytes.fill(0xff, 0x1000)
      start(0x100, 0x0030_000a, 0x50_0000, BASE + 0x1000)
      const other = new FwCfg(options)
      other.restore(JSON.parse(JSON.stringify(device.snapshot())))
      expect(calls()).toBe(2)
      other.resume()
      expect([control(0x100), ram.bytes[0x50_0fff], ram.bytes[0x50_1000]]).toEqual([0, 0, 0xff])
      device.reset()
      expect(device.snapshot().left).toBe(0)
    })
  })

  it('goes on from a snapshot in the middle of an item', () => {
    const { device, bytes } = setUp()
    bytes(2)
    const other = new FwCfg()
    other.restore(JSON.parse(JSON.stringify(device.snapshot())))
    expect(onBus(other, other.size, silentPolicy).read(DATA, 2)).toBe(0x554d)
    expect(() => other.restore({ ...device.snapshot(), selector: 65536 })).toThrow(/selector must be/)
    other.reset()
    expect(other.snapshot()).toEqual(new FwCfg().snapshot())
  })
})
