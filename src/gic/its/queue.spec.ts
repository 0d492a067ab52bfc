/** The command queue: its ring, slices of bounded work, stalls, and a guest that corrupts it. */

import { describe, expect, it } from 'vitest'
import { Its } from './its.ts'
import { assemble, ITT, QUEUE, Rig } from './testing/rig.ts'

const SYNC = assemble('SYNC')

function fill(rig: Rig, count: number, words = SYNC): void {
  for (let i = 0; i < count; i++) rig.put(32 * i, words)
}

const executed = (rig: Rig) => rig.events.filter(({ kind }) => kind === 'its-command').length

describe('the ring (IHI 0069 5.2)', () => {
  it('wraps at the end of the queue', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_0001n | BigInt(QUEUE))
    rig.write(0x000, 1)
    for (let i = 0; i < 600; i++) {
      const offset = rig.its.cwriter
      expect(rig.command('MAPC', { ICID: i, RDbase: i % 4, V: 1 })).toBe(0)
      expect(rig.read(0x090)).toBe((offset + 32) % 8192)
    }
    expect(rig.its.translation.collection(599)).toBe(0)
  })

  it('executes what lies across the end in one go', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_0000n | BigInt(QUEUE))
    rig.write(0x000, 1)
    fill(rig, 128)
    rig.write(0x088, 0xfe0)
    rig.events.length = 0
    rig.write(0x088, 0x40)
    expect(executed(rig)).toBe(3)
    expect(rig.read(0x090)).toBe(0x40)
  })

  it('ignores a GITS_CWRITER beyond the queue, and says so', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_0000n | BigInt(QUEUE))
    rig.write(0x000, 1)
    fill(rig, 1)
    rig.write(0x088, 0x1000)
    expect([rig.read(0x088), rig.read(0x090)]).toEqual([0, 0])
    expect(rig.events.at(-1)).toMatchObject({ kind: 'its-misuse', code: 'its-queue-overrun', cpu: 0 })
    rig.write(0x088, 0x20)
    expect(rig.read(0x090)).toBe(0x20)
  })

  it('executes nothing while GITS_CWRITER is beyond a queue that was made smaller', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write(0x088, 0x8000)
    rig.write64(0x080, 0x8000_0000_0000_0000n | BigInt(QUEUE))
    rig.write(0x000, 1)
    expect(executed(rig)).toBe(0)
    expect(rig.its.pending).toBe(false)
    fill(rig, 1)
    rig.write(0x088, 0x20)
    expect(executed(rig)).toBe(1)
  })
})

describe('slices', () => {
  it('one write executes as many commands as the slice says; run and reads of GITS_CREADR the rest', () => {
    const rig = new Rig({ slice: 10 })
    let called = 0
    rig.its.onPending = () => called++
    fill(rig, 35)
    rig.write(0x088, 35 * 32)
    expect([executed(rig), called, rig.its.pending]).toEqual([10, 1, true])
    expect(rig.its.run(5)).toBe(true)
    expect(executed(rig)).toBe(15)
    expect(rig.read(0x090)).toBe(25 * 32)
    expect(rig.its.run()).toBe(false)
    expect([executed(rig), called, rig.its.pending]).toEqual([35, 3, false])
  })

  it('a full queue of 32,767 commands is finished by polling, each command once', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_00ffn | BigInt(QUEUE))
    rig.write(0x000, 1)
    fill(rig, 32768)
    rig.write(0x088, 32767 * 32)
    let polls = 0
    while (rig.read(0x090) !== 32767 * 32) polls++
    expect(polls).toBe(30)
    expect(executed(rig)).toBe(32767)
  })

  it('INVALL and MOVALL use a slice up by the LPIs that they look at, and by no more where none pend', () => {
    const rig = new Rig({ slice: 1024 })
    rig.command('MAPC', { ICID: 0, RDbase: 0, V: 1 })
    for (const pe of [0, 1]) for (let i = 0; i < 512; i++) rig.targets.setLpi(pe, 8192 + i)
    const offset = rig.its.cwriter
    for (let i = 0; i < 100; i++)
      rig.put(offset + 32 * i, assemble(i % 2 ? 'INVALL' : 'MOVALL', i % 2 ? {} : { RDbase1: 1, RDbase2: 0 }))
    rig.events.length = 0
    rig.write(0x088, offset + 32 * 100)
    // 512 LPIs are 64 commands' worth: the first MOVALL (65) sees them, no further one (1) does, every INVALL (65) does.
    expect(executed(rig)).toBe(1 + 2 * Math.floor((1024 - 65) / 66) + 1)
    for (const pe of [0, 1]) rig.targets.pending[pe]!.clear()
    rig.its.run()
    expect(executed(rig)).toBe(100)
  })

  it('what commands and MSIs do is settled once each time', () => {
    const rig = new Rig()
    let settled = 0
    const { memory, targets } = rig
    const its = new Its({}, { memory, targets, settle: () => settled++ })
    for (const offset of [0x080, 0x084, 0x100, 0x104, 0x108, 0x10c, 0x000])
      its.frames.control.restore(offset, rig.read(offset), rig.cpu)
    fill(rig, 3)
    its.cwriter = 0x60
    expect(settled).toBe(0)
    its.run()
    expect(settled).toBe(1)
    its.run()
    expect(settled).toBe(1)
    its.signal(0, 0)
    expect(settled).toBe(2)
  })

  it('a command that makes the GIC call back does not start the queue again', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    const set = rig.targets.setLpi.bind(rig.targets)
    rig.targets.setLpi = (pe, intid) => {
      rig.its.run()
      return set(pe, intid)
    }
    const offset = rig.its.cwriter
    rig.put(offset, assemble('INT', { DeviceID: 3, EventID: 1 }))
    rig.put(offset + 32, SYNC)
    rig.events.length = 0
    rig.write(0x088, offset + 64)
    expect(executed(rig)).toBe(2)
    expect(rig.read(0x090)).toBe(offset + 64)
  })
})

describe('a command error with onError stall (IHI 0069 5.3, GITS_CREADR.Stalled)', () => {
  it('stops the queue at the command, until GITS_CWRITER.Retry, which tries it again', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.put(0, assemble('INVALL', { ICID: 7 }))
    rig.put(32, SYNC)
    rig.write(0x088, 0x40)
    expect(rig.read(0x090)).toBe(0x01)
    rig.write(0x088, 0x40)
    expect(rig.read(0x090)).toBe(0x01)
    rig.write(0x088, 0x41)
    expect(rig.read(0x090)).toBe(0x01)
    rig.put(0, assemble('MAPC', { ICID: 7, RDbase: 0, V: 1 }))
    rig.write(0x088, 0x40)
    expect(rig.read(0x090)).toBe(0x01)
    rig.write(0x088, 0x41)
    expect(rig.read(0x090)).toBe(0x40)
    expect(rig.read(0x088)).toBe(0x40)
  })

  it('Retry has no effect on a queue that is not stalled', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.put(0, SYNC)
    rig.write(0x088, 0x21)
    expect([rig.read(0x088), rig.read(0x090)]).toEqual([0x20, 0x20])
  })

  it('does not stop MSIs', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.map(3, 1, 8200)
    rig.command('INVALL', { ICID: 7 })
    expect(rig.its.signal(3, 1)).toBe(0)
  })
})

describe('a queue that is not memory', () => {
  it('stalls at the first command there, in either configuration, and can be retried', () => {
    for (const onError of ['ignore', 'stall'] as const) {
      const rig = new Rig({ onError })
      rig.write(0x000, 0)
      rig.write64(0x080, 0x8000_0000_0000_001fn | 0x5fff_0000n)
      rig.write(0x000, 1)
      for (let i = 0; i < 2048; i++) rig.memory.write32(0x5fff_0000 + 32 * i, 5)
      rig.write(0x088, 0x1_0040)
      while (rig.its.pending) rig.read(0x090)
      expect(rig.read(0x090)).toBe(0x1_0001)
      expect(rig.events.at(-1)).toMatchObject({ kind: 'its-misuse', code: 'its-queue-unreachable' })
      rig.write(0x088, 0x1_0041)
      expect(rig.read(0x090)).toBe(0x1_0001)
    }
  })

  it('has bits 15:12 of its address taken as zero (12.19.2)', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_0000n | BigInt(QUEUE) | 0xf000n)
    expect(rig.its.queueBase).toBe(QUEUE)
  })
})

describe('memory that commands use', () => {
  it('does not grow an ITS: 8,192 devices of 65,536 events each on one page of guest memory', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x100, 0x8000_0000_0000_0207n | 0x4400_0000n)
    rig.write(0x000, 1)
    rig.its.events.active = false
    const words = assemble('MAPD', { Size: 15, ITT_addr: ITT / 256, V: 1 })
    const event = assemble('MAPTI', { pINTID: 8192 })
    for (let device = 0; device < 65536; device += 8) {
      words[1] = device
      event[1] = device
      event[2] = (device / 8) & 0xff
      rig.put(0, words)
      rig.put(32, event)
      rig.its.creadr = 0
      rig.its.cwriter = 64
      rig.its.run()
      expect(rig.its.creadr).toBe(64)
    }
    // Only the device table, one page of translations, the collection table and the queue were touched.
    expect(rig.memory.pages.size).toBeLessThan(140)
    expect(rig.its.lookup(65528, 5)).not.toBe(3)
  })
})
