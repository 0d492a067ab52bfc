/** The virtio console (Virtual I/O Device 1.2, 5.3): both directions, at the pace of either side. */

import { describe, expect, it } from 'vitest'
import { BUFFERS, driver } from '../testing/virtio-driver.ts'
import { VirtioConsole, type VirtioConsoleOptions } from './virtio-console.ts'

function setUp(options: VirtioConsoleOptions = {}) {
  const out: string[] = []
  const device = new VirtioConsole({ transmit: (bytes) => out.push(new TextDecoder().decode(bytes)), ...options })
  return { device, out, ...driver(device) }
}

const text = (value: string) => new TextEncoder().encode(value)

describe('virtio-console', () => {
  it('hands on what the guest writes, in order, over the pieces of a chain', () => {
    const { ram, up, submit, collect, out } = setUp()
    up()
    ram.write(BUFFERS, text('hello, world'))
    submit(1, [
      { address: BUFFERS, length: 5 },
      { address: BUFFERS + 5, length: 7 },
    ])
    submit(1, [{ address: BUFFERS, length: 1 }], 2)
    expect(out.join('|')).toBe('hello, world|h')
    expect(collect(1)).toEqual([
      { head: 0, written: 0 },
      { head: 2, written: 0 },
    ])
  })

  it('takes at most 1 MiB of one chain', () => {
    const { up, submit, out } = setUp()
    up()
    submit(
      1,
      Array.from({ length: 8 }, () => ({ address: BUFFERS, length: 0x8_0000 })),
    )
    expect(out.join('').length).toBe(0x10_0000)
  })

  it('lets 1 MiB out in a slice, and what is more when the next one begins', () => {
    let calls = 0
    const { device, up, submit, out, collect } = setUp({ later: () => calls++ })
    up()
    const sent = () => out.join('').length
    for (let n = 0; n < 4; n++) submit(1, [{ address: BUFFERS, length: 0x8_0000 }], n)
    expect([calls, sent(), collect(1).length]).toEqual([1, 0x10_0000, 2])
    device.resume()
    expect([calls, sent(), collect(1).length]).toEqual([2, 0x20_0000, 2])
    submit(1, [{ address: BUFFERS, length: 1 }])
    expect(sent()).toBe(0x20_0000)
    device.restore(device.snapshot())
    device.resume()
    expect(sent()).toBe(0x20_0001)
  })

  it('gives the guest as much as its buffers hold, and takes the rest when there are more', () => {
    let ready = 0
    const { device, ram, up, submit, collect, levels } = setUp({ receiveReady: () => ready++ })
    expect([device.canReceive, device.receive(text('too early'))]).toEqual([false, 0])
    up()
    expect([device.canReceive, device.receive(text('too early'))]).toEqual([false, 0])
    submit(0, [{ address: BUFFERS, length: 4, write: true }])
    submit(0, [{ address: BUFFERS + 4, length: 4, write: true }], 1)
    expect([ready, device.canReceive, levels]).toEqual([2, true, []])
    expect(device.receive(text('abcdefghij'))).toBe(8)
    expect(collect(0).map(({ written }) => written)).toEqual([4, 4])
    expect(new TextDecoder().decode(ram.bytes.subarray(0x1_0000, 0x1_0008))).toBe('abcdefgh')
    expect([device.canReceive, levels]).toEqual([false, [true]])
  })

  it('keeps a buffer for later when there is nothing for it', () => {
    const { device, up, submit, collect } = setUp()
    up()
    submit(0, [{ address: BUFFERS, length: 4, write: true }])
    expect([device.receive(text('')), collect(0)]).toEqual([0, []])
    expect([device.receive(text('x')), collect(0)]).toEqual([1, [{ head: 0, written: 1 }]])
  })

  it('can be fed from the hook that tells of buffers', () => {
    const input = [...text('one line of input')]
    const device: VirtioConsole = new VirtioConsole({
      receiveReady: () => {
        input.splice(0, device.receive(Uint8Array.from(input)))
      },
    })
    const { ram, up, submit } = driver(device)
    up()
    for (let i = 0; input.length > 0 && i < 100; i++)
      submit(0, [{ address: BUFFERS + 3 * i, length: 3, write: true }], i % 8)
    expect(new TextDecoder().decode(ram.bytes.subarray(0x1_0000, 0x1_0011))).toBe('one line of input')
  })

  it('waits until the driver had time to come up, where the host has a clock: what comes before, Linux throws away', () => {
    let now = 5
    const { device, up, submit, collect, write } = setUp({ waitForListener: () => now })
    up()
    submit(0, [{ address: BUFFERS, length: 4, write: true }])
    expect([device.canReceive, device.listensFrom]).toEqual([false, 5.01])
    now = 5.01
    expect(device.canReceive).toBe(true)
    const saved = JSON.parse(JSON.stringify(device.snapshot()))
    const other = new VirtioConsole({ waitForListener: () => now })
    other.restore(saved)
    expect(other.listensFrom).toBe(5.01)
    expect([device.receive(text('x')), collect(0)]).toEqual([1, [{ head: 0, written: 1 }]])
    write(0x70, 0)
    expect(device.listensFrom).toBeUndefined()
  })

  it('gives back a buffer that holds nothing, and does not take that for room', () => {
    const { device, up, submit, collect } = setUp()
    up()
    submit(0, [{ address: BUFFERS, length: 4 }])
    expect([device.receive(text('abc')), collect(0)]).toEqual([0, [{ head: 0, written: 0 }]])
  })

  it('shows the size of the terminal, and tells of a new one', () => {
    const { device, read, up, levels } = setUp({ columns: 132, rows: 43 })
    up()
    expect([read(0x100, 2), read(0x102, 2)]).toEqual([132, 43])
    const generation = read(0xfc)
    device.resize(100, 30)
    expect([read(0x100), read(0xfc) - generation, read(0x60), levels]).toEqual([(30 << 16) | 100, 1, 2, [true]])
    const other = new VirtioConsole()
    other.restore(JSON.parse(JSON.stringify(device.snapshot())))
    expect([...other.config]).toEqual([...device.config])
  })
})
