/** The ITS on a real GICv3 and a bus: from a device's write to an acknowledge, and `explain` from one end to the other. */

import { describe, expect, it } from 'vitest'
import { Bus, cpuInitiator, deviceInitiator } from '../../mmio/index.ts'
import { ByteMemory } from '../memory.ts'
import { GicV3 } from '../v3/gic.ts'
import { iccEncoding } from '../v3/icc-registers.ts'
import { explainMsi } from './explain-msi.ts'
import { Its } from './its.ts'
import { Reason } from './reasons.ts'
import { assemble, type CommandFields } from './testing/rig.ts'

const ITS = 0x0808_0000
const GICR = 0x080a_0000
const RAM = 0x4000_0000
const QUEUE = RAM + 0x1_0000
const DEVICES = RAM + 0x2_0000
const COLLECTIONS = RAM + 0x3_0000
const ITT = RAM + 0x4_0000
const CONFIGURATION = RAM + 0x5_0000
const PENDING = RAM + 0x6_0000

/** Four PEs, up to the point where Linux starts to use LPIs; PTA 1 names PEs by the addresses of their Redistributors. */
function board(pta: 0 | 1) {
  const memory = new ByteMemory(RAM, new Uint8Array(0x10_0000))
  const gic = new GicV3({ cpus: 4, lpis: { intidBits: 16 } }, { memory })
  const its = new Its({ pta }, { memory, targets: gic, events: gic.events })
  const bus = new Bus()
  bus.register(...gic.wireRedistributors([GICR]))
  bus.register(...gic.frames.gicd.wire(0x0800_0000))
  bus.register(...its.frames.control.wire(ITS), ...its.frames.translation.wire(ITS + 0x1_0000))
  const cpu = cpuInitiator(0)
  bus.write32(0x0800_0000, 0x12, cpu)
  for (let pe = 0; pe < 4; pe++) {
    const rd = GICR + pe * 0x2_0000
    bus.write32(rd + 0x14, 0, cpu)
    bus.write64(rd + 0x70, BigInt(CONFIGURATION) | 15n, cpu)
    bus.write64(rd + 0x78, BigInt(PENDING + pe * 0x1_0000) | (1n << 62n), cpu)
    bus.write32(rd, 1, cpu)
    gic.writeSysreg(pe, iccEncoding('ICC_PMR_EL1')!, 0xf0)
    gic.writeSysreg(pe, iccEncoding('ICC_IGRPEN1_EL1')!, 1)
  }
  memory.bytes.fill(0xa3, CONFIGURATION - RAM, CONFIGURATION - RAM + 64)
  bus.write64(ITS + 0x100, (1n << 63n) | BigInt(DEVICES) | 0x200n, cpu)
  bus.write64(ITS + 0x108, (1n << 63n) | BigInt(COLLECTIONS) | 0x200n, cpu)
  bus.write64(ITS + 0x080, (1n << 63n) | BigInt(QUEUE) | 15n, cpu)
  bus.write32(ITS, 1, cpu)
  const command = (name: string, fields: CommandFields) => {
    assemble(name, fields).forEach((word, i) => {
      memory.write32(QUEUE + its.cwriter + 4 * i, word)
    })
    bus.write32(ITS + 0x88, its.cwriter + 32, cpu)
    expect(bus.read32(ITS + 0x90, cpu)).toBe(its.cwriter)
  }
  const rdBase = (pe: number) => (pta === 1 ? (GICR + pe * 0x2_0000) / 65536 : pe)
  command('MAPC', { ICID: 0, RDbase: rdBase(2), V: 1 })
  command('MAPC', { ICID: 1, RDbase: rdBase(3), V: 1 })
  command('MAPD', { DeviceID: 8, Size: 3, ITT_addr: ITT / 256, V: 1 })
  command('MAPTI', { DeviceID: 8, EventID: 1, pINTID: 8193, ICID: 0 })
  const msi = () => bus.write32(ITS + 0x1_0040, 1, deviceInitiator(8))
  const acknowledge = (pe: number) => gic.readSysreg(pe, iccEncoding('ICC_IAR1_EL1')!)
  return { memory, gic, its, bus, command, rdBase, msi, acknowledge }
}

describe.each([0, 1] as const)('an ITS and a GICv3 (GITS_TYPER.PTA %i)', (pta) => {
  it('take a device’s MSI to the PE of its collection', () => {
    const { gic, msi, acknowledge } = board(pta)
    msi()
    expect([0, 1, 2, 3].map((pe) => gic.irq(pe))).toEqual([false, false, true, false])
    expect(acknowledge(2)).toBe(8193)
    expect(gic.irq(2)).toBe(false)
    expect(acknowledge(2)).toBe(1023)
  })

  it('move a pending LPI with MOVI and MOVALL, and take it back with CLEAR and DISCARD', () => {
    const { gic, command, rdBase, msi, acknowledge } = board(pta)
    msi()
    command('MOVI', { DeviceID: 8, EventID: 1, ICID: 1 })
    expect([gic.irq(2), gic.irq(3)]).toEqual([false, true])
    command('MOVALL', { RDbase1: rdBase(3), RDbase2: rdBase(0) })
    expect([gic.irq(3), gic.irq(0)]).toEqual([false, true])
    expect(acknowledge(0)).toBe(8193)
    msi()
    command('CLEAR', { DeviceID: 8, EventID: 1 })
    expect(gic.irq(3)).toBe(false)
    command('INT', { DeviceID: 8, EventID: 1 })
    expect(gic.irq(3)).toBe(true)
    command('DISCARD', { DeviceID: 8, EventID: 1 })
    expect(gic.irq(3)).toBe(false)
  })

  it('unmap with DISCARD what it names, where whoever sees the LPI go sends another MSI at once (IHI 0069 5.3, DISCARD)', () => {
    const { gic, its, command, acknowledge } = board(pta)
    command('MAPTI', { DeviceID: 8, EventID: 2, pINTID: 8194, ICID: 1 })
    its.signal(8, 1)
    gic.onOutput = (_, line, level) => line === 'irq' && !level && its.signal(8, 2)
    command('DISCARD', { DeviceID: 8, EventID: 1 })
    expect(its.lookup(8, 1)).toBe(Reason.eventUnmapped)
    expect(its.lookup(8, 2)).toBe(Reason.delivered)
    expect(acknowledge(3)).toBe(8194)
  })

  it('move no LPI to a PE whose EnableLPIs is 0, and lose none: it pends where it did (GICR_CTLR.EnableLPIs, 5.3)', () => {
    const { gic, bus, command, rdBase, msi, acknowledge } = board(pta)
    bus.write32(GICR + 3 * 0x2_0000, 0, cpuInitiator(3))
    msi()
    command('MOVI', { DeviceID: 8, EventID: 1, ICID: 1 })
    expect(gic.irq(2)).toBe(true)
    command('MOVALL', { RDbase1: rdBase(2), RDbase2: rdBase(3) })
    expect(gic.irq(2)).toBe(true)
    // The mapping is the ITS's, and is as MOVI says.
    bus.write32(GICR + 3 * 0x2_0000, 1, cpuInitiator(3))
    expect([gic.irq(2), gic.irq(3)]).toEqual([true, false])
    expect(acknowledge(2)).toBe(8193)
    msi()
    expect(acknowledge(3)).toBe(8193)
  })

  it('move no LPI to a PE whose GICR_PROPBASER.IDbits does not reach it', () => {
    const { gic, memory, bus, command, rdBase } = board(pta)
    const rd = GICR + 3 * 0x2_0000
    bus.write32(rd, 0, cpuInitiator(3))
    bus.write64(rd + 0x70, BigInt(CONFIGURATION) | 13n, cpuInitiator(3))
    bus.write32(rd, 1, cpuInitiator(3))
    memory.write8(CONFIGURATION + 40000 - 8192, 0xa3)
    for (const intid of [8194, 40000]) gic.setLpi(2, intid)
    command('MOVALL', { RDbase1: rdBase(2), RDbase2: rdBase(3) })
    expect(gic.redistributors.map(({ lpis }) => lpis!.pendingList())).toEqual([[], [], [40000], [8194]])
  })

  it('have an LPI that was enabled in memory delivered after INV', () => {
    const { gic, memory, command, msi } = board(pta)
    memory.write8(CONFIGURATION + 1, 0xa2)
    msi()
    expect(gic.irq(2)).toBe(false)
    memory.write8(CONFIGURATION + 1, 0xa3)
    command('INV', { DeviceID: 8, EventID: 1 })
    expect(gic.irq(2)).toBe(true)
  })

  it('do not look at the configuration of an LPI that pends already, until INV or INVALL (IHI 0069 5.1.1)', () => {
    const { gic, memory, command, msi } = board(pta)
    memory.write8(CONFIGURATION + 1, 0xa2)
    msi()
    memory.write8(CONFIGURATION + 1, 0xa3)
    msi()
    expect(gic.irq(2)).toBe(false)
    command('INVALL', { ICID: 0 })
    expect(gic.irq(2)).toBe(true)
  })

  it('go on from a snapshot, with an LPI pending and a command waiting, as if they had never stopped', () => {
    const one = board(pta)
    one.msi()
    const saved = JSON.parse(JSON.stringify({ gic: one.gic.snapshot(), its: one.its.snapshot() }))
    const two = board(pta)
    two.memory.bytes.set(one.memory.bytes)
    two.gic.restore(saved.gic)
    two.its.restore(saved.its)
    for (const { gic, command, acknowledge } of [one, two]) {
      expect(gic.irq(2)).toBe(true)
      command('MOVI', { DeviceID: 8, EventID: 1, ICID: 1 })
      expect([gic.irq(2), gic.irq(3)]).toEqual([false, true])
      expect(acknowledge(3)).toBe(8193)
    }
    expect(two.its.snapshot()).toEqual(one.its.snapshot())
    expect(two.gic.snapshot()).toEqual(one.gic.snapshot())
    expect(() => two.its.restore({ ...saved.its, version: 1 })).toThrow('snapshot.version')
    expect(() => two.its.restore({ ...saved.its, more: 1 })).toThrow('snapshot.more: no such part')
    expect(two.its.snapshot()).toEqual(one.its.snapshot())
  })

  it('explain an MSI from the device to the PE', () => {
    const { gic, its, msi } = board(pta)
    msi()
    const { intid, pe, mapped } = explainMsi(its, 8, 1)
    expect([mapped, intid, pe]).toEqual([true, 8193, 2])
    expect(gic.explain(intid!, pe!).deliverable).toBe(true)
  })
})
