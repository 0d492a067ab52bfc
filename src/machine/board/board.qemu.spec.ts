/**
 * Our devices and QEMU's own (Debian package qemu-system-arm), put to the same accesses. What they do not agree on is said
 * here, with who is right by the manual, and kept out of the way of the rest.
 */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bytesBase, OverlayDisk } from '../../devices/disk.ts'
import { CfiFlash } from '../../devices/flash/cfi-flash.ts'
import { FwCfg } from '../../devices/fw-cfg.ts'
import { Pl011 } from '../../devices/pl011/pl011.ts'
import { Pl031 } from '../../devices/pl031.ts'
import { Pl061 } from '../../devices/pl061.ts'
import { VirtioBlk } from '../../devices/virtio/virtio-blk.ts'
import { VirtioMmio } from '../../devices/virtio/virtio-mmio.ts'
import { SeededBytes } from '../../devices/virtio/virtio-rng.ts'
import { Transcript } from '../testing/qtest.ts'
import { virtMap } from './virt-map.ts'

/** Numbers from a seed, which a failure prints. */
function random(seed: number) {
  const bytes = new SeededBytes(seed)
  const below = (limit: number) => (bytes.next() >>> 0) % limit
  return { below, pick: <T>(items: readonly T[]): T => items[below(items.length)]!, word: () => bytes.next() >>> 0 }
}

const SEEDS = [1, 2, 3]

describe('PL011', () => {
  // Registers, and the bits that there are: QEMU keeps those that there are not (DDI 0183 has them read as zero).
  // UARTCR is without LBE, which QEMU 7.2 has not; UARTLCR_H and UARTIFLS give equal levels, as its receiver has one.
  const WRITABLE = [
    [0x24, 0xffff],
    [0x28, 0x3f],
    [0x2c, 0xff],
    [0x30, 0xff03],
    [0x38, 0x7ff],
    [0x44, 0x7ff],
    [0x00, 0xff],
    [0x04, 0xff],
  ] as const
  const READABLE = [0x00, 0x04, 0x18, 0x24, 0x28, 0x2c, 0x30, 0x34, 0x38, 0x3c, 0x40, 0x48]

  it.each(SEEDS)('agrees on every register, through any writes (seed %i)', async (seed) => {
    const transcript = new Transcript()
    transcript.bus.register(...new Pl011().frame.wire(virtMap.uart.base))
    const { pick, word } = random(seed)
    for (let offset = 0xfe0; offset < 0x1000; offset += 4) transcript.read(virtMap.uart.base + offset)
    for (let i = 0; i < 1500; i++) {
      const [offset, mask] = pick(WRITABLE)
      transcript.write(virtMap.uart.base + offset, word() & mask)
      for (let j = 0; j < 3; j++) transcript.read(virtMap.uart.base + pick(READABLE), pick([1, 2, 4] as const))
    }
    expect(await transcript.differences()).toEqual([])
  })
})

describe('PL031', () => {
  // Not compared: a write of 0 to RTCICR, which clears in QEMU (as an older manual says) and not with us (DDI 0224 3.3.8).
  it.each(SEEDS)('agrees on every register, with a clock that stands still (seed %i)', async (seed) => {
    const epoch = Date.UTC(2027, 0, 15, 8) / 1000
    const transcript = new Transcript()
    transcript.bus.register(...new Pl031({ now: () => epoch }).frame.wire(virtMap.rtc.base))
    const { pick, below, word } = random(seed)
    for (let offset = 0xfe0; offset < 0x1000; offset += 4) transcript.read(virtMap.rtc.base + offset)
    for (let i = 0; i < 1000; i++) {
      const near = pick([epoch, 100, 0, 0xffffffff, word()])
      const [offset, value] = pick([
        [0x04, near + below(2)],
        [0x08, near],
        [0x10, below(2)],
        [0x1c, 1],
      ] as const)
      transcript.write(virtMap.rtc.base + offset, value)
      for (const register of [0x00, 0x04, 0x08, 0x0c, 0x10, 0x14, 0x18]) transcript.read(virtMap.rtc.base + register)
    }
    expect(await transcript.differences(['-rtc', 'base=2027-01-15T08:00:00,clock=vm'])).toEqual([])
  })
})

describe('PL061', () => {
  // Not compared: GPIORIS. QEMU latches levels until GPIOIC, where DDI 0190 3.3.9 clears edges alone. And a pin that was an
  // output and becomes an input keeps its level in QEMU: the directions are set once here.
  it.each(SEEDS)('agrees on data, directions and masks (seed %i)', async (seed) => {
    const transcript = new Transcript()
    transcript.bus.register(...new Pl061().frame.wire(virtMap.gpio.base))
    const { pick, below } = random(seed)
    const base = virtMap.gpio.base
    for (let offset = 0xfe0; offset < 0x1000; offset += 4) transcript.read(base + offset)
    transcript.write(base + 0x400, below(256))
    for (let i = 0; i < 1000; i++) {
      const offset = pick([below(256) * 4, below(256) * 4, 0x404, 0x408, 0x40c, 0x410, 0x41c])
      transcript.write(base + offset, below(256))
      for (const register of [below(256) * 4, 0x400, 0x404, 0x408, 0x40c, 0x410]) transcript.read(base + register)
    }
    // The firmware switch has ACPI off: with it the GPIO is not on the board.
    expect(await transcript.differences(['-machine', 'acpi=off'])).toEqual([])
  })
})

describe('fw_cfg', () => {
  it('agrees on signature, features and the number of CPUs, by the port and by DMA', async () => {
    const transcript = new Transcript()
    const device = new FwCfg({ memory: transcript.ram, items: new Map([[5, Uint8Array.of(1, 0)]]) })
    const { base } = virtMap.fwCfg
    transcript.bus.register({ base, size: device.size, device })
    const select = (item: number) => transcript.write(base + 8, ((item & 0xff) << 8) | (item >> 8), 2)
    const dma = (control: number, length: number, address: number) => {
      const command = new DataView(new ArrayBuffer(16))
      command.setUint32(0, control)
      command.setUint32(4, length)
      command.setUint32(12, address)
      transcript.store(0x4000_1000, new Uint8Array(command.buffer))
      transcript.write(base + 0x10, 0)
      transcript.write(base + 0x14, 0x0010_0040)
      transcript.load(0x4000_1000, 16)
    }
    for (const item of [0, 1, 5, 0x7777]) {
      select(item)
      for (const size of [1, 1, 2, 4, 8, 1] as const) transcript.read(base, size)
    }
    transcript.read(base + 0x10, 8)
    transcript.store(0x4000_2000, new Uint8Array(64).fill(0xee))
    for (const [control, length] of [
      [0x0000_000a, 3],
      [0x2, 6],
      [0x0001_000a, 4],
      [0x0005_0008, 0],
      [0x4, 1],
      [0x2, 2],
      [0x0000_0018, 4],
    ] as const) {
      dma(control, length, 0x4000_2000)
      transcript.load(0x4000_2000, 16)
    }
    expect(await transcript.differences()).toEqual([])
  })
})

describe('flash', () => {
  const both = (value: number) => (value << 16) | value
  const { base } = virtMap.flash1

  // Not compared: programming over what is not erased, which clears bits in a chip and stores the value in QEMU; and status
  // after 0x50, which clears even the ready bit in QEMU until the next operation.
  it.each(SEEDS)(
    'agrees on contents and status through the commands that EDK2 and U-Boot use (seed %i)',
    async (seed) => {
      const transcript = new Transcript()
      // QEMU's bank without a file is all zero.
      const flash = new CfiFlash({ contents: new Uint8Array(virtMap.flash1.size) })
      transcript.bus.register({ base, size: flash.size, device: flash })
      const { pick, below, word } = random(seed)
      const read = (offset: number) => transcript.read(base + offset)
      const write = (offset: number, value: number) => transcript.write(base + offset, value)
      const erase = (offset: number) => {
        write(offset & ~0x3ffff, both(0x20))
        write(offset & ~0x3ffff, both(0xd0))
        read(offset)
      }
      /** Erases the block unless these words of it are erased. */
      const clear = (offset: number, words: number) => {
        const bytes = new Uint8Array(words * 4)
        flash.read(offset, bytes)
        if (!bytes.every((byte) => byte === 0xff)) erase(offset)
      }
      const program = (offset: number) => {
        clear(offset, 1)
        write(offset, both(0x40))
        write(offset, word())
        read(offset)
      }
      const buffer = (offset: number, count: number) => {
        clear(offset, count)
        write(offset, both(0xe8))
        read(offset)
        write(offset, both(count - 1))
        for (let j = 0; j < count; j++) write(offset + j * 4, word())
        write(offset, both(0xd0))
        read(offset)
      }
      const identify = (offset: number) => {
        write(offset, both(0x90))
        read(offset & ~0x3ffff)
        read((offset & ~0x3ffff) + 4)
      }
      const status = (offset: number) => {
        write(offset, both(0x70))
        read(offset)
      }
      const offsets = [0, 4, 0x100, 0x3ff80, 0x3fffc, 0x40000, 0x71234]
      for (let i = 0; i < 300; i++) {
        const offset = pick(offsets)
        const what = pick([erase, program, program, buffer, buffer, identify, status])
        what(offset, 1 + below(offset === 0x3fffc ? 1 : 32))
        write(offset, both(0xff))
        for (const place of offsets) read(place)
        read(pick(offsets.slice(0, 4)) + below(32) * 4)
      }
      expect(await transcript.differences()).toEqual([])
    },
  )

  it('agrees on the parts of the CFI query that say what there is', async () => {
    const transcript = new Transcript()
    transcript.bus.register({ base, size: virtMap.flash1.size, device: new CfiFlash() })
    transcript.write(base + 0x55 * 4, both(0x98))
    // Not compared: voltages, times and the size of the buffer, which is QEMU's own; ours is a real chip's 64 bytes.
    for (const word of [0x10, 0x11, 0x12, 0x13, 0x14, 0x27, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33])
      transcript.read(base + word * 4)
    expect(await transcript.differences()).toEqual([])
  })
})

describe('virtio-mmio', () => {
  const { base } = virtMap.virtio
  // QEMU puts the first device of the command line into the last slot.
  const slot = base + 31 * 0x200
  let directory = ''
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'vgic-board-'))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  it.each([false, true])(
    'agrees on the life of a block device: start, requests, errors, what is on the disk, reset (legacy: %s)',
    async (legacy) => {
      const bytes = Uint8Array.from({ length: 64 * 512 }, (_, i) => (i >> 9) ^ (i & 0xff))
      const path = join(directory, 'disk.img')
      writeFileSync(path, bytes)

      const transcript = new Transcript()
      const disk = new OverlayDisk(bytesBase(bytes))
      const transport = new VirtioMmio({
        memory: transcript.ram,
        legacy,
        device: new VirtioBlk({ disk, serial: 'vgic-0' }),
      })
      transcript.bus.register(...transport.frame.wire(slot))
      const register = (offset: number, value: number, pause = 0) => transcript.write(slot + offset, value, 4, pause)
      const read = (offset: number) => transcript.read(slot + offset)

      const [rings, header, data, status] = [0x4000_0000, 0x4000_8000, 0x4000_9000, 0x4000_8800]
      let available = 0
      let lengths = true
      // The legacy interface has one block: the available ring right behind the descriptors, the used ring on the next page.
      const [driver, used] = legacy ? [rings + 128, rings + 0x1000] : [rings + 0x1000, rings + 0x2000]
      function start(): void {
        for (const value of [0, 1, 3]) register(0x70, value)
        if (!legacy) {
          register(0x24, 1)
          register(0x20, 1)
        }
        register(0x24, 0)
        register(0x20, 0)
        if (!legacy) register(0x70, 11)
        read(0x70)
        register(0x30, 0)
        register(0x38, 8)
        if (legacy) {
          read(0x40)
          register(0x3c, 4096)
          register(0x40, rings / 4096)
          read(0x40)
        } else {
          for (const [offset, address] of [
            [0x80, rings],
            [0x90, driver],
            [0xa0, used],
          ] as const) {
            register(offset, address)
            register(offset + 4, 0)
          }
          register(0x44, 1)
        }
        register(0x70, legacy ? 7 : 15)
        transcript.store(driver, new Uint8Array(64))
        transcript.store(used, new Uint8Array(128))
        available = 0
      }
      function request(type: number, sector: number, length: number, write: boolean): void {
        const words = new DataView(new ArrayBuffer(16))
        words.setUint32(0, type, true)
        words.setBigUint64(8, BigInt(sector), true)
        transcript.store(header, new Uint8Array(words.buffer))
        transcript.store(status, Uint8Array.of(0xee))
        const chain = [
          { address: header, length: 16, flags: 0 },
          ...(length > 0 ? [{ address: data, length, flags: write ? 2 : 0 }] : []),
          { address: status, length: 1, flags: 2 },
        ]
        const table = new DataView(new ArrayBuffer(chain.length * 16))
        for (const [i, { address, length, flags }] of chain.entries()) {
          const last = i === chain.length - 1
          table.setBigUint64(i * 16, BigInt(address), true)
          table.setUint32(i * 16 + 8, length, true)
          table.setUint16(i * 16 + 12, flags | (last ? 0 : 1), true)
          table.setUint16(i * 16 + 14, last ? 0 : i + 1, true)
        }
        transcript.store(rings, new Uint8Array(table.buffer))
        transcript.store(driver + 4 + 2 * (available++ % 8), Uint8Array.of(0, 0))
        transcript.store(driver + 2, Uint8Array.of(available & 0xff, available >> 8))
        register(0x50, 0, 60)
        transcript.load(status, 1)
        // The used ring's index and entries, then what was read.
        transcript.load(used + 2, lengths ? 2 + 8 * 8 : 2)
        transcript.load(data, 2048)
        read(0x60)
        register(0x64, 1)
        read(0x60)
      }

      const state = [legacy ? 0x40 : 0x44, 0x60, 0x70]
      for (const offset of [0x00, 0x04, 0x08, 0x0c, 0x34, 0x100, 0x104]) read(offset)
      if (legacy) register(0x28, 4096)
      start()
      for (const offset of state) read(offset)
      request(0, 5, 1024, true)
      transcript.store(data, new Uint8Array(1024).fill(0x5a))
      request(1, 6, 1024, false)
      request(0, 5, 2048, true)
      request(4, 0, 0, false)
      // Not compared: the length of a read that failed. QEMU says that it wrote the data, which it did not (2.7.8.2).
      lengths = false
      request(0, 63, 1024, true)
      request(1, 64, 512, false)
      request(99, 0, 512, true)
      lengths = true
      register(0x70, 0)
      for (const offset of state) read(offset)
      start()
      request(0, 6, 512, true)
      const drive = `if=none,id=disk,file=${path},format=raw,snapshot=on`
      const device = [
        '-global',
        `virtio-mmio.force-legacy=${legacy}`,
        '-drive',
        drive,
        '-device',
        'virtio-blk-device,drive=disk',
      ]
      expect(await transcript.differences(device)).toEqual([])
    },
  )

  it.each([false, true])('agrees on a slot without a device (legacy: %s)', async (legacy) => {
    const transcript = new Transcript()
    transcript.bus.register(...new VirtioMmio({ memory: transcript.ram, legacy }).frame.wire(base))
    for (let offset = 0; offset < 0x200; offset += 4) {
      // Not compared: the lengths of shared memory, -1 by the specification wherever there is none (4.2.2.1).
      if (offset < 0xb0 || offset > 0xbc) transcript.read(base + offset)
      transcript.write(base + offset, 0xffff_ffff)
    }
    for (const offset of [0x00, 0x04, 0x08, 0x0c, 0x40, 0x44, 0x60, 0x70]) transcript.read(base + offset)
    expect(await transcript.differences(['-global', `virtio-mmio.force-legacy=${legacy}`])).toEqual([])
  })
})
