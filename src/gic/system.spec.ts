/** A GIC, its ITS and their memory put back: in any order by hand, or by one call, which takes all of it or nothing. */

import { describe, expect, it } from 'vitest'
import { ByteMemory, GicV2, GicV3, Its, iccEncoding, restoreSystem, SnapshotError, snapshotSystem } from './index.ts'
import { assemble } from './its/testing/rig.ts'
import { by } from './testing/rig-v2.ts'

const [QUEUE, DEVICES, COLLECTIONS, ITT, CONFIGURATION, PENDING] = [1, 2, 3, 4, 5, 6].map((n) => n * 0x1_0000) as [
  number,
  number,
  number,
  number,
  number,
  number,
]

function system() {
  const memory = new ByteMemory(0, new Uint8Array(0x8_0000))
  const gic = new GicV3({ cpus: 2, intids: 64, lpis: { intidBits: 14 } }, { memory })
  const its = new Its({ slice: 4 }, { memory, targets: gic })
  return { memory, gic, its, itss: [its] }
}

const cpu = by(0, true)

/** Two devices' LPIs are mapped; one of them is pending, and six commands wait for their turn. */
function busy() {
  const all = system()
  const { memory, gic, its } = all
  const { control } = its.frames
  for (const [offset, value] of [
    [0x80, QUEUE],
    [0x84, 1 << 31],
    [0x100, DEVICES | 0x200],
    [0x104, 1 << 31],
    [0x108, COLLECTIONS | 0x200],
    [0x10c, 1 << 31],
    [0, 1],
  ] as const)
    control.restore(offset, value, cpu)
  gic.frames.gicd.restore(0, 0x52, cpu)
  for (const [pe, gicr] of gic.frames.gicr.entries()) {
    gicr.restore(0x14, 0, cpu)
    gicr.restore(0x70, CONFIGURATION | 13, cpu)
    gicr.restore(0x78, PENDING + pe * 0x1_0000, cpu)
    gicr.restore(0, 1, cpu)
    gic.restoreSysreg(pe, iccEncoding('ICC_PMR_EL1')!, 0xf0n)
    gic.restoreSysreg(pe, iccEncoding('ICC_IGRPEN1_EL1')!, 1n)
  }
  memory.bytes.fill(0xa3, CONFIGURATION, CONFIGURATION + 8)
  const commands = [
    assemble('MAPC', { ICID: 0, RDbase: 1, V: 1 }),
    assemble('MAPD', { DeviceID: 8, Size: 3, ITT_addr: ITT / 256, V: 1 }),
    assemble('MAPTI', { DeviceID: 8, EventID: 1, pINTID: 8193, ICID: 0 }),
    ...Array.from({ length: 6 }, (_, i) =>
      assemble('MAPTI', { DeviceID: 8, EventID: 2 + i, pINTID: 8194 + i, ICID: 0 }),
    ),
  ]
  for (const [n, words] of commands.entries())
    for (const [i, word] of words.entries()) memory.write32(QUEUE + n * 32 + i * 4, word)
  control.restore(0x88, 96, cpu)
  its.run()
  expect(its.signal(8, 1)).toBe(0)
  control.restore(0x88, 32 * commands.length, cpu)
  expect(its.pending).toBe(true)
  return all
}

/** What software sees go on: the LPI that pends, and the MSIs of the commands that waited. */
function goesOn({ gic, its }: ReturnType<typeof system>): unknown[] {
  while (its.pending) its.run()
  const acknowledged = [gic.readSysreg(1, iccEncoding('ICC_IAR1_EL1')!)]
  for (let event = 2; event < 8; event++) acknowledged.push(its.signal(8, event))
  return [acknowledged, gic.pendingLpis(1), gic.irq(1)]
}

const expected = [[8193, 0, 0, 0, 0, 0, 0], [8194, 8195, 8196, 8197, 8198, 8199], false]

describe('A GIC, its ITS and their memory', () => {
  it.each([
    ['memory', 'gic', 'its'],
    ['memory', 'its', 'gic'],
    ['gic', 'memory', 'its'],
    ['gic', 'its', 'memory'],
    ['its', 'memory', 'gic'],
    ['its', 'gic', 'memory'],
  ] as const)('restored as %s, %s, %s, and then resumed, go on as if they had never stopped', (...order) => {
    const one = busy()
    const saved = { memory: one.memory.bytes.slice(), gic: one.gic.snapshot(), its: one.its.snapshot() }
    const other = system()
    for (const part of order)
      if (part === 'memory') other.memory.bytes.set(saved.memory)
      else other[part].restore(saved[part])
    let asked = 0
    other.its.onPending = () => asked++
    other.gic.resume()
    other.its.resume()
    expect(asked).toBe(1)
    expect(other.gic.irq(1)).toBe(true)
    expect([other.gic.snapshot(), other.its.snapshot()]).toEqual([saved.gic, saved.its])
    expect(goesOn(other)).toEqual(expected)
    expect(goesOn(one)).toEqual(expected)
  })

  it('are restored by one call, memory when all is known to be good', () => {
    const one = busy()
    const saved = JSON.parse(JSON.stringify(snapshotSystem(one))) as { itss: { its: { creadr: number } }[] }
    const bytes = one.memory.bytes.slice()
    const other = system()
    const before = snapshotSystem(other)
    let loads = 0
    const load = () => {
      loads++
      other.memory.bytes.set(bytes)
    }
    const wrong = structuredClone(saved)
    wrong.itss[0]!.its.creadr = 32768
    expect(() => restoreSystem(other, wrong, load)).toThrow(SnapshotError)
    expect(() => restoreSystem(other, wrong, load)).toThrow(
      'snapshot.itss[0].its.creadr: expected a whole number from 0 to 32767',
    )
    expect(() => restoreSystem({ gic: other.gic }, saved, load)).toThrow('snapshot.itss: expected an array of 0')
    expect(snapshotSystem(other)).toEqual(before)
    expect(loads).toBe(0)
    restoreSystem(other, saved, load)
    expect(loads).toBe(1)
    expect(snapshotSystem(other)).toEqual(snapshotSystem(one))
    expect(goesOn(other)).toEqual(expected)
  })

  it('may be a GICv2 and nothing else; what is wrong is named from the whole on', () => {
    const gic = new GicV2({ intids: 64 })
    gic.setSpi(40, true)
    const saved = snapshotSystem({ gic })
    const other = new GicV2({ intids: 64 })
    restoreSystem({ gic: other }, saved)
    expect(other.snapshot()).toEqual(gic.snapshot())
    expect(() => restoreSystem({ gic: other }, { ...saved, gic: { ...gic.snapshot(), edge: [0, 0] } })).toThrow(
      'snapshot.gic.edge',
    )
    for (const bad of [undefined, null, 1, {}, [], { ...saved, version: 2 }])
      expect(() => restoreSystem({ gic: other }, bad)).toThrow(SnapshotError)
  })
})
