/** The virtio block device (Virtual I/O Device 1.2, 5.2): requests in any layout, errors by status, bounded work. */

import { describe, expect, it } from 'vitest'
import { bytesBase, type Disk, OverlayDisk, readOnlyDisk } from '../disk.ts'
import { BUFFERS, type Buffer, driver } from '../testing/virtio-driver.ts'
import { VirtioBlk } from './virtio-blk.ts'

const DATA = BUFFERS + 0x1000
const STATUS = BUFFERS + 0x800

function setUp(disk?: Disk, memorySize?: number, later?: () => void) {
  const bytes = Uint8Array.from({ length: 64 * 512 }, (_, i) => (i >> 9) + (i & 1))
  const device = new VirtioBlk({
    disk: disk ?? new OverlayDisk(bytesBase(bytes)),
    serial: 'vgic-0',
    ...(later && { later }),
  })
  const made = driver(device, memorySize)
  made.up()
  let first = 0
  /** One request with its header in one buffer; returns its status and the bytes that the device says it wrote. */
  const request = (type: number, sector: number | bigint, data: readonly Buffer[] = [], header = 16) => {
    made.ram.write32(BUFFERS, type)
    made.ram.write32(BUFFERS + 4, 0)
    made.ram.write64(BUFFERS + 8, BigInt(sector))
    made.ram.write8(STATUS, 0xee)
    const chain = [{ address: BUFFERS, length: header }, ...data, { address: STATUS, length: 1, write: true }]
    made.submit(0, chain, first)
    first = (first + chain.length) % 8 > 4 ? 0 : first
    return { status: made.ram.read8(STATUS), written: made.collect(0)[0]?.written }
  }
  const at = (offset: number, length = 1) => [...made.ram.bytes.subarray(0x1_1000 + offset, 0x1_1000 + offset + length)]
  return { device, request, at, ...made }
}

const into = (length: number, address = DATA): Buffer => ({ address, length, write: true })
const from = (length: number, address = DATA): Buffer => ({ address, length })

describe('virtio-blk', () => {
  it('tells its capacity in sectors, and the limits of a request', () => {
    const { read } = setUp()
    expect([read(0x100), read(0x104), read(0x108), read(0x10c), read(0x114)]).toEqual([64, 0, 0, 254, 512])
  })

  it('reads sectors into any buffers', () => {
    const { request, at } = setUp()
    expect(request(0, 5, [into(100), into(924, DATA + 100)])).toEqual({ status: 0, written: 1025 })
    expect([at(0, 2), at(511), at(512, 2), at(1023), at(1024)]).toEqual([[5, 6], [6], [6, 7], [7], [0]])
  })

  it('writes sectors, which a read then shows', () => {
    const { request, at, ram } = setUp()
    ram.bytes.fill(0x55, 0x1_1000, 0x1_1200)
    expect(request(1, 7, [from(512)])).toEqual({ status: 0, written: 1 })
    request(0, 6, [into(1536)])
    expect([at(511), at(512, 2), at(1023), at(1024)]).toEqual([[7], [0x55, 0x55], [0x55], [8]])
  })

  it('takes the header in pieces, and with data behind it in one buffer', () => {
    const { request, ram, submit, collect } = setUp()
    ram.write32(BUFFERS + 0x200, 1)
    ram.write64(BUFFERS + 0x208, 3n)
    ram.bytes.fill(0x77, 0x1_0210, 0x1_0410)
    submit(0, [from(3, BUFFERS + 0x200), from(525, BUFFERS + 0x203), into(1, STATUS)])
    expect([ram.read8(STATUS), collect(0)]).toEqual([0, [{ head: 0, written: 1 }]])
    expect(request(0, 3, [into(512)]).status).toBe(0)
    expect(ram.read8(DATA + 511)).toBe(0x77)
  })

  it('puts its status into the last writable byte, wherever that is', () => {
    const { ram, submit } = setUp()
    ram.write32(BUFFERS, 0)
    ram.write64(BUFFERS + 8, 0n)
    ram.bytes.fill(0xee, 0x1_1000, 0x1_1300)
    submit(0, [from(16, BUFFERS), into(513)])
    expect([ram.read8(DATA + 511), ram.read8(DATA + 512), ram.read8(DATA + 513)]).toEqual([1, 0, 0xee])
  })

  it('flushes, and gives its serial number in 20 bytes', () => {
    let flushed = 0
    const disk = { size: 512, readOnly: false, read: () => {}, write: () => {}, flush: () => flushed++ }
    const { request, at } = setUp(disk)
    expect([request(4, 0), flushed]).toEqual([{ status: 0, written: 1 }, 1])
    expect(request(8, 0, [into(20)])).toEqual({ status: 0, written: 21 })
    expect(String.fromCharCode(...at(0, 6), ...at(19))).toBe('vgic-0\0')
  })

  it.each<[string, number, number | bigint, readonly Buffer[], number]>([
    ['a read beyond the end', 0, 63, [into(1024)], 1],
    ['a read far beyond the end', 0, 2n ** 64n - 1n, [into(512)], 1],
    ['a write beyond the end', 1, 64, [from(512)], 1],
    ['half a sector', 0, 0, [into(100)], 1],
    ['an unknown request', 99, 0, [into(512)], 2],
  ])('answers %s by status', (_, type, sector, data, status) => {
    const { request, at, broken } = setUp()
    expect(request(type, sector, data)).toEqual({ status, written: 1 })
    expect([at(0, 4), broken]).toEqual([[0, 0, 0, 0], []])
  })

  it('answers a header that is too short with an error', () => {
    const { request } = setUp()
    expect(request(0, 0, [], 15).status).toBe(1)
  })

  it('gives back a chain that has no place for a status', () => {
    const { submit, collect, broken } = setUp()
    submit(0, [from(16, BUFFERS)])
    expect([collect(0), broken]).toEqual([[{ head: 0, written: 0 }], []])
  })

  it('offers a read-only disk as such, and refuses to write it', () => {
    const { request, read, write } = setUp(readOnlyDisk(bytesBase(new Uint8Array(512))))
    write(0x14, 0)
    expect(read(0x10) & 32).toBe(32)
    expect([request(1, 0, [from(512)]).status, request(0, 0, [into(512)]).status]).toEqual([1, 0])
  })

  it('makes an I/O error of a host that fails, and goes on', () => {
    let fails = true
    const act = () => {
      if (fails) throw new Error('the host is out of disk')
    }
    const { request, broken } = setUp({ size: 512, readOnly: false, read: act, write: act, flush: act })
    expect([request(0, 0, [into(512)]).status, request(1, 0, [from(512)]).status, request(4, 0).status]).toEqual([
      1, 1, 1,
    ])
    fails = false
    expect([request(0, 0, [into(512)]).status, broken]).toEqual([0, []])
  })

  describe('with requests that are long', () => {
    const mebi = 0x10_0000
    /** A disk of a TiB whose bytes tell their sector, and how much of it was moved. */
    function long(later?: () => void) {
      const moved: number[] = []
      const disk = {
        size: 2 ** 40,
        readOnly: false,
        read: (offset: number, part: Uint8Array) => {
          moved.push(part.length)
          for (let i = 0; i < part.length; i += 512) part[i] = (offset + i) / 512
        },
        write: (_: number, part: Uint8Array) => moved.push(part.length),
        flush: () => {},
      }
      const made = setUp(disk, 32 * mebi, later)
      return { moved, ...made, total: () => moved.reduce((sum, count) => sum + count, 0) }
    }

    it('moves as many bytes as a request asks for, in pieces', () => {
      const { request, moved, total, at } = long()
      // What U-Boot's `virtio read ADDRESS 0 0x2001` asks for: a sector more than 4 MiB.
      expect(request(0, 2 ** 30 + 7, [into(0x2001 * 512)])).toEqual({ status: 0, written: 0x2001 * 512 + 1 })
      expect([total(), Math.max(...moved)]).toEqual([0x2001 * 512, 0x1_0000])
      expect([at(0), at(0x2000 * 512)]).toEqual([[7], [7]])
      expect(request(1, 0, [from(20 * mebi)])).toEqual({ status: 0, written: 1 })
      expect(total()).toBe(0x2001 * 512 + 20 * mebi)
    })

    it('moves a bounded part at a time where it can be called again, and ends each request once', () => {
      let calls = 0
      const { device, request, total, collect, at } = long(() => calls++)
      expect(request(0, 0, [into(9 * mebi)]).written).toBe(undefined)
      expect([calls, total()]).toEqual([1, 4 * mebi])
      device.notify(0)
      expect(total()).toBe(4 * mebi)
      device.resume()
      expect([calls, total(), collect(0)]).toEqual([2, 8 * mebi, []])
      device.resume()
      expect([calls, total(), collect(0)]).toEqual([3, 9 * mebi, [{ head: 0, written: 9 * mebi + 1 }]])
      expect([at(4 * mebi + 512), at(9 * mebi - 512)]).toEqual([[1], [255]])
      device.resume()
      expect([calls, collect(0)]).toEqual([3, []])
    })

    it('moves no more for many requests than for a long one, though the driver resets the device between them', () => {
      let calls = 0
      const { device, request, total, up } = long(() => calls++)
      for (let n = 0; n < 20; n++) {
        up()
        request(0, 0, [into(mebi)])
      }
      expect([calls, total()]).toEqual([1, 4 * mebi])
      device.resume()
      expect([calls, total()]).toEqual([2, 5 * mebi])
    })

    it('lets the host flush four times in a slice', () => {
      let flushed = 0
      const disk = { size: 512, readOnly: false, read: () => {}, write: () => {}, flush: () => flushed++ }
      const { device, request } = setUp(disk, undefined, () => {})
      for (let n = 0; n < 6; n++) request(4, 0)
      expect(flushed).toBe(4)
      device.resume()
      expect(flushed).toBe(6)
    })

    it('begins with a new request when the driver reset the device in the middle of one', () => {
      const { device, request, total, up } = long(() => {})
      request(0, 0, [into(9 * mebi)])
      up()
      device.resume()
      expect(total()).toBe(4 * mebi)
      request(0, 0, [into(mebi)])
      expect(total()).toBe(5 * mebi)
    })

    it('goes on with what waits when its state is restored', () => {
      let calls = 0
      const { device, request } = long(() => calls++)
      request(0, 0, [into(9 * mebi)])
      device.restore(device.snapshot())
      expect(calls).toBe(2)
    })
  })

  it('restores its own state and no other', () => {
    const { device } = setUp()
    device.restore(device.snapshot())
    expect(() => device.restore({ kind: 'virtio-rng', version: 1 })).toThrow(/kind "virtio-rng"/)
  })
})
