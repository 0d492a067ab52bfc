/** The virtio console on the whole board: what the guest writes comes out, and input goes to it in place of the UART. */

import { expect, it } from 'vitest'
import { cpuInitiator } from '../mmio/index.ts'
import { virtMap } from './board/virt-map.ts'
import { VirtMachine } from './virt.ts'

const SLOT = virtMap.virtio.base + 31 * 0x200
const RAM = virtMap.ram.base
const cpu0 = cpuInitiator(0)

it('a virtio console is in the last slot, takes the input once the guest lends a buffer, and its output joins the UART’s', () => {
  let out = ''
  const console = (character: number) => (out += String.fromCharCode(character))
  const machine = new VirtMachine({ memory: 2 ** 20, virtioConsole: true, legacyVirtio: false, console })
  const write = (offset: number, value: number) => machine.bus.write(SLOT + offset, 4, value, 0, cpu0)
  const { ram } = machine
  expect(machine.bus.read(SLOT + 8, 4, cpu0)).toBe(3)
  for (const status of [0, 1, 3, 11]) write(0x70, status)
  for (const queue of [0, 1]) {
    const at = RAM + queue * 0x4000
    write(0x30, queue)
    write(0x38, 8)
    for (const [i, offset] of [0x80, 0x90, 0xa0].entries()) write(offset, at + i * 0x1000)
    write(0x44, 1)
    // One buffer of 8 bytes: to fill in queue 0, full in queue 1.
    ram.write64(at, BigInt(RAM + 0x1_0000 + queue * 0x100))
    ram.write32(at + 8, 8)
    ram.write16(at + 12, queue === 0 ? 2 : 0)
    ram.write16(at + 0x1002, 1)
  }
  write(0x70, 15)
  // WFI for ever: time is skipped.
  ram.write32(RAM + 0x2_0000, 0xd503_207f | 0)
  ram.write32(RAM + 0x2_0004, 0x17ff_ffff)
  ram.write(RAM + 0x1_0100, new TextEncoder().encode('from it\n'))
  machine.bus.write(virtMap.uart.base, 4, 0x3e, 0, cpu0)
  write(0x50, 1)
  expect(out).toBe('>from it\n')

  machine.type(new TextEncoder().encode('to it, and more'))
  expect(machine.untyped).toBe(15)
  // A driver lends its buffers before it is up; a little later they are used. Eight characters fit, and the rest waits.
  write(0x50, 0)
  expect(machine.untyped).toBe(15)
  machine.boot(RAM + 0x2_0000)
  machine.run(11e6)
  expect(new TextDecoder().decode(ram.bytes.subarray(0x1_0000, 0x1_0009))).toBe('to it, a\0')
  expect(machine.untyped).toBe(7)
  expect(machine.uart.data).toBe(0)
  ram.write16(RAM + 0x1002, 2)
  write(0x50, 0)
  expect(new TextDecoder().decode(ram.bytes.subarray(0x1_0000, 0x1_0007))).toBe('nd more')
  expect(machine.untyped).toBe(0)
})
