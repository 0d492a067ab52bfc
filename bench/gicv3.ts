/**
 * A GICv3 and its ITS: an interrupt's life through the ICC_* registers, MSIs from the device's write to the end, SGIs, and
 * ITS commands; and what must not grow, with PEs and with LPIs.
 */

import { assembleCommand, ByteMemory, type CommandFields, GicV3, type GicV3Config, Its, iccEncoding } from 'vgic'
import { Bus, cpuInitiator, deviceInitiator } from 'vgic/mmio'
import { megamorphicCall } from './baseline.ts'
import type { Loop } from './measure.ts'
import { against, pair, type Row, type Section } from './row.ts'

const LIMIT = 12
const FLAT = 1.3

const GICD = 0x0800_0000
const ITS = 0x0808_0000
const GICR = 0x1000_0000
const RAM = 0x4000_0000
const QUEUE = RAM + 0x1_0000
const DEVICES = RAM + 0x2_0000
const COLLECTIONS = RAM + 0x3_0000
const ITT = RAM + 0x4_0000
const CONFIGURATION = RAM + 0x10_0000
const PENDING = RAM + 0x20_0000
const SPI = 40
const LPI = 8192
const QUEUE_BYTES = 0x1_0000

const IAR1 = iccEncoding('ICC_IAR1_EL1')!
const EOIR1 = iccEncoding('ICC_EOIR1_EL1')!
const SGI1R = iccEncoding('ICC_SGI1R_EL1')!

const by = cpuInitiator(0)

/** A GICv3 that is switched on for every PE, with all interrupts Group 1, of priority 0xA0. */
function machine(config: GicV3Config) {
  const memory = new ByteMemory(RAM, new Uint8Array(0x30_0000))
  const gic = new GicV3(config, { memory })
  const bus = new Bus()
  bus.register(...gic.frames.gicd.wire(GICD), ...gic.wireRedistributors([GICR]))
  bus.write32(GICD, 0x12, by)
  for (let spi = 32; spi < gic.config.intids; spi++) bus.write8(GICD + 0x400 + spi, 0xa0, by)
  for (let word = 1; word < gic.config.intids / 32; word++) bus.write32(GICD + 0x80 + word * 4, 0xffff_ffff, by)
  for (let pe = 0; pe < gic.config.cpus; pe++) {
    const redistributor = GICR + pe * 0x2_0000
    bus.write32(redistributor + 0x14, 0, by)
    bus.write32(redistributor + 0x1_0080, 0xffff_ffff, by)
    bus.write32(redistributor + 0x1_0100, 0xffff, by)
    gic.writeSysreg(pe, iccEncoding('ICC_PMR_EL1')!, 0xf0)
    gic.writeSysreg(pe, iccEncoding('ICC_IGRPEN1_EL1')!, 1)
  }
  return { gic, bus, memory }
}

/** Raises an SPI's line, acknowledges, lowers it and ends it, on the PE that it is routed to. */
function spiLife(config: GicV3Config, pe: number): Loop {
  const { gic, bus } = machine(config)
  const affinity = gic.config.affinities[pe]!
  bus.write64(GICD + 0x6000 + SPI * 8, BigInt(affinity & 0xff_ffff), by)
  bus.write32(GICD + 0x104, 1 << (SPI - 32), by)
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      gic.setSpi(SPI, true)
      const taken = gic.readSysreg(pe, IAR1)
      gic.setSpi(SPI, false)
      gic.writeSysreg(pe, EOIR1, taken)
      sum = (sum + taken) | 0
    }
    if (sum !== Math.imul(count, SPI)) throw new Error('the SPI was not delivered each time')
    return sum
  }
}

/** A machine with LPIs on, all enabled in memory at priority 0xA0, and those from `LPI` + 1 on pending, `pending` in all. */
function lpiMachine(pending: number) {
  const own = machine({ cpus: 4, lpis: { intidBits: 17 } })
  own.memory.bytes.fill(0xa3, CONFIGURATION - RAM, PENDING - RAM)
  own.memory.write8(CONFIGURATION, 0x83)
  own.bus.write64(GICR + 0x70, BigInt(CONFIGURATION) | 16n, by)
  own.bus.write64(GICR + 0x78, BigInt(PENDING) | (1n << 62n), by)
  own.bus.write32(GICR, 1, by)
  for (let i = 1; i < pending; i++) own.gic.setLpi(0, LPI + i)
  return own
}

function lpiLife(pending: number): Loop {
  const { gic } = lpiMachine(pending)
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      gic.setLpi(0, LPI)
      const taken = gic.readSysreg(0, IAR1)
      gic.writeSysreg(0, EOIR1, taken)
      sum = (sum + taken) | 0
    }
    if (sum !== Math.imul(count, LPI)) throw new Error('the LPI was not delivered each time')
    return sum
  }
}

/** An ITS that has mapped EventID 0 of device 8 to `LPI` on PE 0. */
function itsMachine(pending: number) {
  const own = lpiMachine(pending)
  const { gic, bus, memory } = own
  const its = new Its({}, { memory, targets: gic, events: gic.events })
  bus.register(...its.frames.control.wire(ITS), ...its.frames.translation.wire(ITS + 0x1_0000))
  bus.write64(ITS + 0x100, (1n << 63n) | BigInt(DEVICES) | 0x200n, by)
  bus.write64(ITS + 0x108, (1n << 63n) | BigInt(COLLECTIONS) | 0x200n, by)
  bus.write64(ITS + 0x80, (1n << 63n) | BigInt(QUEUE) | BigInt(QUEUE_BYTES / 0x1000 - 1), by)
  bus.write32(ITS, 1, by)
  const put = (offset: number, name: string, fields: CommandFields) => {
    assembleCommand(name, fields).forEach((word, i) => {
      memory.write32(QUEUE + offset + i * 4, word)
    })
  }
  put(0, 'MAPC', { ICID: 0, RDbase: 0, V: 1 })
  put(32, 'MAPD', { DeviceID: 8, Size: 3, ITT_addr: ITT / 256, V: 1 })
  put(64, 'MAPTI', { DeviceID: 8, EventID: 0, pINTID: LPI, ICID: 0 })
  bus.write32(ITS + 0x88, 96, by)
  return { ...own, its, put }
}

/** From a device's write to GITS_TRANSLATER over the acknowledge to the end. */
function msiLife(pending: number): Loop {
  const { gic, bus } = itsMachine(pending)
  const device = deviceInitiator(8)
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      bus.write(ITS + 0x1_0040, 4, 0, 0, device)
      const taken = gic.readSysreg(0, IAR1)
      gic.writeSysreg(0, EOIR1, taken)
      sum = (sum + taken) | 0
    }
    if (sum !== Math.imul(count, LPI)) throw new Error('the MSI was not delivered each time')
    return sum
  }
}

/** An SGI from PE 0 to `targets` PEs, each of which acknowledges and ends it; an operation is one target's share. */
function sgiLife(targets: number): Loop {
  const { gic } = machine({ cpus: 512 })
  const toAllOthers = targets === 511
  return (count) => {
    let taken = 0
    for (let sent = 0; sent < count; sent += targets) {
      // INTID 5; to one: Aff0 1 of the first cluster; to all others: IRM, bit 40.
      gic.writeSysreg(0, SGI1R, (5 << 24) | (toAllOthers ? 0 : 2), toAllOthers ? 1 << 8 : 0)
      for (let pe = 1; pe <= targets; pe++) {
        const intid = gic.readSysreg(pe, IAR1)
        if (intid === 5) taken++
        gic.writeSysreg(pe, EOIR1, intid)
      }
    }
    if (taken < count) throw new Error('the SGI was not delivered each time')
    return taken
  }
}

/** The last PE goes to sleep and wakes, and takes Group 1 off and on, while no PE takes 1-of-N interrupts (GICR_CTLR.DPG1NS). */
function comingAndGoing(cpus: number): Loop {
  const { gic, bus } = machine({ cpus })
  for (let pe = 0; pe < cpus; pe++) bus.write32(GICR + pe * 0x2_0000, 1 << 25, by)
  const pe = cpus - 1
  const waker = GICR + pe * 0x2_0000 + 0x14
  const IGRPEN1 = iccEncoding('ICC_IGRPEN1_EL1')!
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      gic.writeSysreg(pe, IGRPEN1, 0)
      bus.write(waker, 4, 2, 0, by)
      sum += bus.read(waker, 4, by)
      bus.write(waker, 4, 0, 0, by)
      gic.writeSysreg(pe, IGRPEN1, 1)
    }
    if (sum !== count * 6) throw new Error('the PE did not sleep each time')
    return sum
  }
}

/** Commands of a full queue, half of it for each write of GITS_CWRITER: MAPTI, INV and SYNC in turn. */
function itsCommands(): Loop {
  const { bus, its, put } = itsMachine(1)
  const half = QUEUE_BYTES / 2
  for (let offset = 0, i = 0; offset < QUEUE_BYTES; offset += 32, i++) {
    if (i % 3 === 0) put(offset, 'MAPTI', { DeviceID: 8, EventID: i & 15, pINTID: LPI + (i & 15), ICID: 0 })
    else if (i % 3 === 1) put(offset, 'INV', { DeviceID: 8, EventID: 0 })
    else put(offset, 'SYNC', { RDbase: 0 })
  }
  let at = 0
  return (count) => {
    for (let done = 0; done < count; done += half / 32) {
      at = half - at
      bus.write(ITS + 0x88, 4, at, 0, by)
      while (its.pending) its.run()
    }
    if (its.creadr !== at) throw new Error('the queue was not executed')
    return at
  }
}

/** Also as a rate, which is how commands are usually told. */
function rate(name: string, row: Row): Row {
  return { name, value: 1e9 / row.value, unit: 'commands/s', baseline: null, ratio: null, limit: null }
}

export function gicv3Section(): Section {
  const rows = against(megamorphicCall, [
    { name: 'SPI: raise, acknowledge, lower, end', loop: spiLife({ cpus: 4, intids: 1020 }, 0), limit: LIMIT },
    { name: 'LPI: pending, acknowledge, end', loop: lpiLife(1), limit: LIMIT },
    { name: 'MSI: write to the ITS, acknowledge, end', loop: msiLife(1), limit: null },
    { name: 'SGI to 1 PE: send, acknowledge, end', loop: sgiLife(1), limit: null },
    { name: 'SGI to 511 PEs, for each of them', loop: sgiLife(511), limit: null },
    { name: 'ITS command: MAPTI, INV and SYNC in turn', loop: itsCommands(), limit: null },
  ])
  return {
    title: 'GICv3 and ITS',
    baseline: 'a bare megamorphic call',
    rows: [...rows, rate('ITS commands', rows.at(-1)!)],
  }
}

export function gicv3FlatSection(): Section {
  return {
    title: 'GICv3, flat: the same in a small and in a large machine',
    baseline: 'the small one',
    rows: [
      ...pair(
        'SPI, 4 / 512 PEs (to the last PE)',
        spiLife({ cpus: 4, intids: 288 }, 3),
        spiLife({ cpus: 512, intids: 288 }, 511),
        FLAT,
      ),
      ...pair('LPI, 16 / 65,536 LPIs, all others pending', lpiLife(16), lpiLife(65_536), FLAT),
      ...pair('MSI, 16 / 65,536 LPIs, all others pending', msiLife(16), msiLife(65_536), FLAT),
      ...pair('SGI to 1 / 511 PEs, for each of them', sgiLife(1), sgiLife(511), FLAT),
      ...pair('a PE sleeps and wakes, 4 / 512 PEs', comingAndGoing(4), comingAndGoing(512), FLAT),
    ],
  }
}
