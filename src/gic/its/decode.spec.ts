/** The decoder of command queues: fields, states, verdicts of what was executed and of what waits. */

import { describe, expect, it } from 'vitest'
import { saveTables } from './abi.ts'
import { decodeCommand, decodeQueue } from './decode.ts'
import { assemble, ITT, Rig } from './testing/rig.ts'

const texts = (rig: Rig, all = false) => decodeQueue(rig.its, { all }).map(({ text }) => text)

/** Commands that wait, because the ITS is disabled. */
function waiting(...commands: Parameters<typeof assemble>[]): Rig {
  const rig = new Rig()
  rig.write(0x000, 0)
  for (const [i, command] of commands.entries()) rig.put(32 * i, assemble(...command))
  rig.write(0x088, 32 * commands.length)
  return rig
}

describe('decodeQueue', () => {
  it('tries waiting commands in their order, so that one may build on another', () => {
    const rig = waiting(
      ['MAPTI', { DeviceID: 8, EventID: 1, pINTID: 8193, ICID: 1 }],
      ['MAPD', { DeviceID: 8, Size: 0, ITT_addr: ITT / 256, V: 1 }],
      ['MAPTI', { DeviceID: 8, EventID: 1, pINTID: 8193, ICID: 1 }],
      ['INV', { DeviceID: 8, EventID: 1 }],
      ['MAPC', { ICID: 1, RDbase: 1, V: 1 }],
      ['INV', { DeviceID: 8, EventID: 1 }],
      ['VMAPP', {}],
    )
    expect(texts(rig)).toEqual([
      '0x00000  MAPTI    DeviceID=0x8  EventID=0x1  pINTID=0x2001  ICID=0x1  MAPTI_UNMAPPED_DEVICE (0x010a04) [waiting]',
      '0x00020  MAPD     DeviceID=0x8  Size=0x0  ITT_addr=0x423000  V=0x1  ok [waiting]',
      '0x00040  MAPTI    DeviceID=0x8  EventID=0x1  pINTID=0x2001  ICID=0x1  ok [waiting]',
      '0x00060  INV      DeviceID=0x8  EventID=0x1  INV_ITE_INVALID (0x010c10) [waiting]',
      '0x00080  MAPC     ICID=0x1  RDbase=0x1  V=0x1  ok [waiting]',
      '0x000a0  INV      DeviceID=0x8  EventID=0x1  ok [waiting]',
      '0x000c0  VMAPP    vPEID=0x0  V=0x0  NOT_MODELLED [waiting]',
    ])
  })

  it('says beforehand what execution says then', () => {
    const rig = waiting(
      ['MAPC', { ICID: 1, RDbase: 9, V: 1 }],
      ['MAPC', { ICID: 1, RDbase: 1, V: 1 }],
      ['MAPD', { DeviceID: 8, Size: 31, ITT_addr: ITT / 256, V: 1 }],
      ['MAPD', { DeviceID: 8, Size: 2, ITT_addr: ITT / 256, V: 1 }],
      ['MAPTI', { DeviceID: 8, EventID: 8, pINTID: 8193, ICID: 1 }],
      ['MAPTI', { DeviceID: 8, EventID: 7, pINTID: 8193, ICID: 1 }],
      ['INT', { DeviceID: 8, EventID: 7 }],
      ['DISCARD', { DeviceID: 8, EventID: 7 }],
      ['INT', { DeviceID: 8, EventID: 7 }],
    )
    const foreseen = decodeQueue(rig.its).map(({ error }) => error)
    expect(rig.memory.read64(0x4220_0008)).toBe(0n)
    rig.write(0x000, 1)
    const executed = rig.events.flatMap((event) => (event.kind === 'its-command' ? [event.error] : []))
    expect(foreseen).toEqual(executed)
    expect(executed).toEqual([0x010902, 0, 0x010802, 0, 0x010a05, 0, 0, 0, 0x010307])
  })

  it('shows what was executed with the verdict of then, and nothing for what has been overwritten since', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_4200_0000n)
    rig.write(0x000, 1)
    rig.command('INVALL', { ICID: 3 })
    rig.command('MAPC', { ICID: 3, RDbase: 0, V: 1 })
    const known = () => decodeQueue(rig.its, { all: true }).filter(({ error }) => error !== undefined)
    expect(known().map(({ text, state }) => [text, state])).toEqual([
      ['0x00000  INVALL   ICID=0x3  INVALL_UNMAPPED_COLLECTION (0x010d09)', 'executed'],
      ['0x00020  MAPC     ICID=0x3  RDbase=0x0  V=0x1  ok', 'executed'],
    ])
    rig.put(0, assemble('INVALL', { ICID: 4 }))
    expect(known()).toHaveLength(1)
    expect(decodeQueue(rig.its, { all: true })).toHaveLength(128)
    expect(texts(rig, true)).toContain('0x00000  INVALL   ICID=0x4  not executed since reset')
    rig.its.reset()
    expect(rig.its.verdicts.of(32, assemble('MAPC', { ICID: 3, RDbase: 0, V: 1 }))).toBeUndefined()
  })

  it('marks the command that a queue is stalled at', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.put(0, assemble('INVALL', { ICID: 3 }))
    rig.put(32, assemble('SYNC', { RDbase: 0 }))
    rig.write(0x088, 0x40)
    expect(texts(rig)).toEqual([
      '0x00000  INVALL   ICID=0x3  INVALL_UNMAPPED_COLLECTION (0x010d09) [stalled]',
      '0x00020  SYNC     RDbase=0x0  ok [waiting]',
    ])
  })

  it('reads around the end of the ring, and stops where memory ends', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_4200_0000n)
    rig.its.creadr = 0xfe0
    rig.write(0x088, 0x20)
    expect(decodeQueue(rig.its).map(({ offset }) => offset)).toEqual([0xfe0, 0])
    rig.write64(0x080, 0x8000_0000_7000_0000n)
    rig.write(0x088, 0x20)
    expect(decodeQueue(rig.its)).toEqual([])
  })

  it('knows packed collections, and leaves them packed', () => {
    const rig = new Rig()
    rig.command('MAPC', { ICID: 600, RDbase: 1, V: 1 })
    saveTables(rig.its)
    rig.write(0x000, 0)
    const offset = rig.its.cwriter
    rig.put(offset, assemble('INVALL', { ICID: 600 }))
    rig.write(0x088, offset + 32)
    const before = rig.memory.writes
    expect(decodeQueue(rig.its).map(({ error }) => error)).toEqual([0])
    expect(rig.memory.writes).toBe(before)
  })
})

describe('decodeCommand', () => {
  it('names opcodes that are no commands by their number', () => {
    expect(decodeCommand(new Int32Array([0x77, 1, 2, 3, 4, 5, 6, 7]))).toEqual({ command: 'opcode 0x77', fields: {} })
  })
})
