/** GICv3 registers that are more than banks: STATUSR, messages, base registers, LPI commands, sleep, Last, DPG (IHI 0069 12.9 to 12.11). */

import { describe, expect, it } from 'vitest'
import { type GicV3Config, REDISTRIBUTOR_STRIDE } from '../index.ts'
import { by } from '../testing/rig-v2.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, memoryFor, pendingTableOf } from '../testing/steps-v3.ts'

const rigOf = (config: GicV3Config = {}) => new RigV3(gicOf({ cpus: 2, intids: 96, ...config }))
const pendingBit = (rig: RigV3, intid: number) => (rig.read('gicd', 0x204, true) >>> (intid - 32)) & 1

describe('GICD_STATUSR and GICR_STATUSR', () => {
  const [STATUSR, RRD, WRD, RWOD, WROD] = [0x10, 1, 2, 4, 8]

  it.each(['gicd', 1] as const)('of %s record what was refused, until a 1 is written', (frame) => {
    const rig = rigOf({ statusRegisters: true })
    const writeOnly = frame === 'gicd' ? 0x40 : 0xa0
    rig.read(frame, 0x30)
    expect(rig.read(frame, STATUSR)).toBe(RRD)
    rig.write(frame, 0x30, 1)
    expect(rig.read(frame, STATUSR)).toBe(RRD | WRD)
    rig.read(frame, writeOnly)
    rig.write(frame, 0x08, 1)
    expect(rig.read(frame, STATUSR)).toBe(RRD | WRD | RWOD | WROD)
    rig.write(frame, STATUSR, RWOD | RRD)
    expect(rig.read(frame, STATUSR)).toBe(WRD | WROD)
  })

  it('are there once for each Security state', () => {
    const rig = rigOf({ statusRegisters: true, security: true })
    rig.read('gicd', 0x30, false)
    rig.write(0, 0x08, 0, true)
    expect([rig.read('gicd', STATUSR, true), rig.read('gicd', STATUSR, false)]).toEqual([0, RRD])
    expect([rig.read(0, STATUSR, true), rig.read(0, STATUSR, false)]).toEqual([WROD, 0])
  })

  it('stay banked by the access while GICD_CTLR.DS is 1: the implementation supports two Security states', () => {
    const rig = rigOf({ statusRegisters: true, security: true })
    rig.write('gicd', 0, 1 << 6, true)
    rig.read('gicd', 0x30, true)
    expect([rig.read('gicd', STATUSR, true), rig.read('gicd', STATUSR, false)]).toEqual([RRD, 0])
  })

  it.each(['gicd', 1] as const)(
    'of %s record no width, no alignment and no Security state: they name none',
    (frame) => {
      const rig = rigOf({ statusRegisters: true, security: true })
      for (const size of [1, 2, 8] as const) rig.read(frame, 0, true, size)
      rig.write(frame, 0, 0, true, 1)
      rig.read(frame, 2, true, 4)
      // Secure software's register: RAZ/WI to a Non-secure access.
      const nsacr = frame === 'gicd' ? 0xe08 : 0x10e00
      rig.read(frame, nsacr, false)
      rig.write(frame, nsacr, 1, false)
      expect([rig.read(frame, STATUSR, true), rig.read(frame, STATUSR, false)]).toEqual([0, 0])
    },
  )

  it('are RAZ/WI where they are not implemented', () => {
    const rig = rigOf({ statusRegisters: false })
    rig.read('gicd', 0x30)
    expect(rig.read('gicd', STATUSR)).toBe(0)
  })
})

describe('A message-based SPI (GICD_SETSPI, GICD_CLRSPI)', () => {
  it('that is edge-triggered is pending once', () => {
    const rig = rigOf()
    rig.write('gicd', 0xc08, 2 << 20)
    rig.write('gicd', 0x40, 42)
    expect(pendingBit(rig, 42)).toBe(1)
    rig.write('gicd', 0x48, 42)
    expect(pendingBit(rig, 42)).toBe(0)
    rig.write('gicd', 0x40, 42, false, 2)
    rig.write('gicd', 0x284, 1 << 10)
    expect(pendingBit(rig, 42)).toBe(0)
  })

  it('that is level-sensitive stays pending until a message takes the level down', () => {
    const rig = rigOf()
    rig.write('gicd', 0x40, 42)
    rig.write('gicd', 0x284, 1 << 10)
    expect(pendingBit(rig, 42)).toBe(1)
    rig.write('gicd', 0x204, 1 << 10)
    rig.write('gicd', 0x48, 42)
    expect(pendingBit(rig, 42)).toBe(0)
  })

  it('is asserted by the message whatever its wire does, and by the wire whatever the message (GICD_SETSPI_NSR)', () => {
    const rig = rigOf()
    rig.write('gicd', 0x40, 42)
    rig.gic.setSpi(42, true)
    rig.gic.setSpi(42, false)
    expect(pendingBit(rig, 42), 'the wire fell; the message stands').toBe(1)
    rig.gic.setSpi(42, true)
    rig.write('gicd', 0x48, 42)
    expect(pendingBit(rig, 42), 'the message is gone; the wire is high').toBe(1)
    rig.gic.setSpi(42, false)
    expect(pendingBit(rig, 42)).toBe(0)
    rig.gic.setSpi(42, true)
    rig.write('gicd', 0x40, 42)
    rig.gic.setSpi(42, false)
    expect(pendingBit(rig, 42), 'a message to one whose wire was high').toBe(1)
  })

  it('is active and pending when it is acknowledged while asserted, and pending again after that (GICD_SETSPI_NSR)', () => {
    const rig = rigOf()
    rig.write('gicd', 0, 2)
    rig.write('gicd', 0x84, 1 << 10)
    rig.write('gicd', 0x104, 1 << 10)
    rig.write(0, 0x14, 0)
    rig.msr(0, 'ICC_PMR_EL1', 0xff)
    rig.msr(0, 'ICC_IGRPEN1_EL1', 1)
    rig.write('gicd', 0x40, 42)
    expect(rig.mrs(0, 'ICC_IAR1_EL1').value).toBe(42n)
    expect(pendingBit(rig, 42)).toBe(1)
    expect(rig.gic.irq(0)).toBe(false)
    rig.msr(0, 'ICC_EOIR1_EL1', 42)
    expect(rig.gic.irq(0)).toBe(true)
    rig.write('gicd', 0x48, 42)
    expect(rig.gic.irq(0)).toBe(false)
  })

  it('is asserted no more after a reset, and a wire that is high still is', () => {
    const rig = rigOf()
    rig.write('gicd', 0x40, 42)
    rig.write('gicd', 0x40, 43)
    rig.gic.setSpi(43, true)
    rig.gic.reset()
    expect(pendingBit(rig, 42)).toBe(0)
    expect(pendingBit(rig, 43)).toBe(1)
  })

  it('is not asserted as long as it is edge-triggered, and is again when it is level-sensitive again', () => {
    const rig = rigOf()
    rig.write('gicd', 0x40, 42)
    rig.write('gicd', 0xc08, 2 << 20)
    expect(pendingBit(rig, 42)).toBe(0)
    rig.write('gicd', 0xc08, 0)
    expect(pendingBit(rig, 42)).toBe(1)
    rig.write('gicd', 0xc08, 2 << 20)
    rig.write('gicd', 0x48, 42)
    rig.write('gicd', 0xc08, 0)
    expect(pendingBit(rig, 42)).toBe(0)
  })

  it('is Secure software’s where it is Secure, unless GICD_NSACR grants it', () => {
    const rig = rigOf({ security: true })
    rig.write('gicd', 0xc08, 2 << 20, true)
    rig.write('gicd', 0x40, 42, false)
    rig.write('gicd', 0x50, 42, false)
    expect(pendingBit(rig, 42)).toBe(0)
    rig.write('gicd', 0x50, 42, true)
    expect(pendingBit(rig, 42)).toBe(1)
    rig.write('gicd', 0x48, 42, false)
    expect(pendingBit(rig, 42)).toBe(1)
    // A Secure access to the Non-secure register reaches any SPI.
    rig.write('gicd', 0x48, 42, true)
    expect(pendingBit(rig, 42)).toBe(0)
    rig.write('gicd', 0xe08, 1 << 20, true)
    rig.write('gicd', 0x40, 42, false)
    expect(pendingBit(rig, 42)).toBe(1)
    rig.write('gicd', 0x48, 42, false)
    expect(pendingBit(rig, 42), 'clearing takes level 2').toBe(1)
    rig.write('gicd', 0xe08, 2 << 20, true)
    rig.write('gicd', 0x48, 42, false)
    expect(pendingBit(rig, 42)).toBe(0)
  })

  it('has no Secure register with one Security state: WI; and none at all without GICD_TYPER.MBIS', () => {
    const rig = rigOf()
    rig.write('gicd', 0x50, 42)
    expect(pendingBit(rig, 42)).toBe(0)
    const none = rigOf({ messageSpis: false })
    none.write('gicd', 0x40, 42)
    expect(pendingBit(none, 42)).toBe(0)
    for (const intid of [0, 31, 96, 1020, 1056, 4096, 8191]) rig.write('gicd', 0x40, intid)
    expect(rig.read('gicd', 0x204)).toBe(0)
  })
})

describe('GICR_PROPBASER, GICR_PENDBASER and GICR_CTLR.EnableLPIs', () => {
  const lpiConfig = { lpis: { intidBits: 16 }, directLpis: true }

  it('keep their fields, and PTZ reads as 0', () => {
    const rig = rigOf(lpiConfig)
    rig.write(0, 0x70, -1, false, 8, -1)
    expect([rig.read(0, 0x70), rig.read(0, 0x74)]).toEqual([0xffff_ff9f, 0x070f_ffff])
    rig.write(0, 0x78, -1, false, 8, -1)
    expect([rig.read(0, 0x78), rig.read(0, 0x7c)]).toEqual([0xffff_0f80, 0x070f_ffff])
  })

  it('are not changed while LPIs are enabled', () => {
    const rig = rigOf(lpiConfig)
    rig.write(0, 0x70, CONFIGURATION_TABLE + 15)
    rig.write(0, 0, 1)
    rig.write(0, 0x70, 0)
    rig.write(0, 0x78, -1)
    expect([rig.read(0, 0x70), rig.read(0, 0x78)]).toEqual([CONFIGURATION_TABLE + 15, 0])
  })

  it('cannot enable LPIs without LPIs, or without memory', () => {
    const none = rigOf()
    none.write(0, 0, 1)
    expect(none.read(0, 0) & 3).toBe(0)
  })

  it('load the pending table, unless PTZ says that it is zero, and save it when LPIs are disabled', () => {
    const rig = rigOf(lpiConfig)
    const table = pendingTableOf(0)
    rig.memory[table + 1024] = 0b1000_0010
    rig.write(0, 0x70, CONFIGURATION_TABLE + 15)
    rig.write(0, 0x78, table, false, 8)
    rig.write(0, 0, 1)
    expect(rig.gic.redistributors[0]!.lpis!.pendingList()).toEqual([8193, 8199])
    rig.write(0, 0x48, 8193)
    rig.write(0, 0x40, 65535)
    rig.write(0, 0, 0)
    expect([rig.memory[table + 1024], rig.memory[table + 8191]]).toEqual([0b1000_0000, 0x80])
    rig.write(0, 0x78, table, false, 8, 1 << 30)
    rig.write(0, 0, 1)
    expect(rig.gic.redistributors[0]!.lpis!.pendingList()).toEqual([])
    // PTZ counts once.
    rig.memory[table + 1024] = 1
    rig.gic.redistributors[0]!.lpis!.setPending(8200)
    rig.gic.savePendingTables()
    expect([rig.memory[table + 1024], rig.memory[table + 1025]]).toEqual([0, 1])
    rig.write(0, 0, 0)
    rig.write(0, 0, 1)
    expect(rig.gic.redistributors[0]!.lpis!.pendingList()).toEqual([8200])
  })

  it('leave the first 1,024 bytes of the pending table alone', () => {
    const rig = rigOf(lpiConfig)
    const table = pendingTableOf(1)
    rig.memory.fill(0xa5, table, table + 1024)
    rig.write(1, 0x70, CONFIGURATION_TABLE + 15)
    rig.write(1, 0x78, table, false, 8)
    rig.write(1, 0, 1)
    rig.write(1, 0, 0)
    expect(rig.memory.subarray(table, table + 1024).every((byte) => byte === 0xa5)).toBe(true)
  })

  it('take tables that are not memory, or wrap, as tables of zeros', () => {
    for (const [low, high] of [
      [0xffff_f000, 0x000f_ffff],
      [0x7000_0000, 0],
      [0xffff_0000, 0],
    ] as const) {
      const rig = rigOf(lpiConfig)
      rig.write(0, 0x70, low | 15, false, 8, high)
      rig.write(0, 0x78, low, false, 8, high)
      rig.write(0, 0, 1)
      expect(rig.read(0, 0) & 1).toBe(1)
      rig.write(0, 0x40, 8192)
      expect(rig.gic.redistributors[0]!.lpis!.pendingList()).toEqual([8192])
      expect(rig.gic.irq(0)).toBe(false)
      rig.gic.savePendingTables()
      rig.write(0, 0, 0)
      expect(rig.read(0, 0) & 1).toBe(0)
    }
  })

  it('GICR_SETLPIR, CLRLPIR, INVLPIR and INVALLR act on the owner, on LPIs that its tables cover, and on nothing else', () => {
    const rig = rigOf(lpiConfig)
    for (const pe of [0, 1]) {
      rig.write(pe, 0x70, CONFIGURATION_TABLE + 13)
      rig.write(pe, 0x78, pendingTableOf(pe), false, 8)
      rig.write(pe, 0, 1)
    }
    for (const intid of [0, 42, 1023, 8191, 16384, 65536, 0xffff_ffff]) rig.write(1, 0x40, intid)
    rig.bus.write(rig.address(1, 0x40), 8, 8192, 0, by(0, false))
    expect(rig.gic.redistributors.map(({ lpis }) => lpis!.pendingList())).toEqual([[], [8192]])
    rig.write(0, 0x48, 8192)
    expect(rig.gic.redistributors[1]!.lpis!.pendingList()).toEqual([8192])
    rig.write(1, 0x48, 8192)
    expect(rig.gic.redistributors[1]!.lpis!.pendingList()).toEqual([])
    // The upper half of a 64-bit register does nothing by itself.
    rig.write(1, 0x44, 8193)
    expect(rig.gic.redistributors[1]!.lpis!.pendingList()).toEqual([])
  })

  it('GICR_INVLPIR and INVALLR work where GICR_TYPER.DirectLPI is 1, whatever GICR_CTLR.IR; without both they do nothing', () => {
    for (const [config, works] of [
      [{ directLpis: true, invalidateRegisters: false }, true],
      [{ directLpis: false, invalidateRegisters: true }, true],
      [{ directLpis: false, invalidateRegisters: false }, false],
    ] as const)
      for (const [offset, value] of [
        [0xa0, 8192],
        [0xb0, 0],
      ] as const) {
        const rig = rigOf({ ...lpiConfig, ...config })
        rig.write(0, 0x14, 0)
        rig.write('gicd', 0, 2)
        rig.msr(0, 'ICC_PMR_EL1', 0xff)
        rig.msr(0, 'ICC_IGRPEN1_EL1', 1)
        rig.write(0, 0x70, CONFIGURATION_TABLE + 13)
        rig.write(0, 0x78, pendingTableOf(0), false, 8)
        rig.write(0, 0, 1)
        expect(rig.read(0, 0) & 4).toBe(config.invalidateRegisters ? 4 : 0)
        rig.gic.setLpi(0, 8192)
        rig.memory[CONFIGURATION_TABLE] = 1
        expect(rig.gic.irq(0)).toBe(false)
        rig.write(0, offset, value)
        expect(rig.gic.irq(0)).toBe(works)
        expect(rig.read(0, 0xc0), 'GICR_SYNCR.Busy').toBe(0)
      }
  })

  it('priorities of LPIs are in the Non-secure half where there are two Security states', () => {
    for (const [security, running] of [
      [false, 0x40],
      [true, 0xa0],
    ] as const) {
      const rig = rigOf({ ...lpiConfig, security, priorityBits: 8 })
      rig.memory[CONFIGURATION_TABLE] = 0x43
      rig.write(0, 0x70, CONFIGURATION_TABLE + 13, true)
      rig.write(0, 0x78, pendingTableOf(0), true, 8)
      rig.write(0, 0, 1, true)
      rig.write(0, 0x14, 0, true)
      rig.write('gicd', 0, 2, true)
      rig.msr(0, 'ICC_PMR_EL1', 0xff)
      rig.msr(0, 'ICC_IGRPEN1_EL1', 1)
      rig.write(0, 0x40, 8192)
      expect(rig.mrs(0, 'ICC_IAR1_EL1').value).toBe(8192n)
      expect(rig.mrs(0, 'ICC_RPR_EL1').value).toBe(BigInt(running))
    }
  })
})

describe('A Redistributor', () => {
  it('hides GICR_CTLR.DPG0 and DPG1S from Non-secure accesses, and has no DPG1S with one Security state', () => {
    const all = 0x0700_0000
    const rig = rigOf({ security: true })
    rig.write(0, 0, all, false)
    expect(rig.read(0, 0, true) & all).toBe(0x0200_0000)
    rig.write(0, 0, all, true)
    expect([rig.read(0, 0, true) & all, rig.read(0, 0, false) & all]).toEqual([all, 0x0200_0000])
    rig.write(0, 0, 0, false)
    expect(rig.read(0, 0, true) & all).toBe(0x0500_0000)
    const one = rigOf()
    one.write(0, 0, all)
    expect(one.read(0, 0) & all).toBe(0x0300_0000)
  })

  it('says Last at the end of each of several regions, and is where its region says', () => {
    const gic = gicOf({ cpus: 6, regions: [1, 3, 2] })
    const ranges = gic.wireRedistributors([0x100_0000, 0x200_0000, 0x300_0000])
    expect(ranges.map(({ base }) => base)).toEqual([
      0x100_0000,
      ...[0, 1, 2].map((n) => 0x200_0000 + n * REDISTRIBUTOR_STRIDE),
      0x300_0000,
      0x302_0000,
    ])
    const last = gic.frames.gicr.map((frame) => (frame.peek(8, 4, by(0, false)) >>> 4) & 1)
    expect(last).toEqual([1, 0, 0, 1, 0, 1])
    expect(() => gic.wireRedistributors([0, 0x100_0000])).toThrow('2 bases given for 3 regions')
    expect(() => gic.wireRedistributors([0x8000, 0x100_0000, 0x200_0000])).toThrow('not a multiple of 64 KiB')
  })

  const lastOf = (gic: ReturnType<typeof gicOf>) =>
    gic.frames.gicr.map((frame) => (frame.peek(8, 4, by(0, false)) >>> 4) & 1).join('')

  it('says Last where a contiguous run on the bus ends, though its regions may be split within it (GICR_TYPER.Last)', () => {
    const gic = gicOf({ cpus: 6, regions: [1, 3, 2] })
    gic.wireRedistributors([0x200_0000 - REDISTRIBUTOR_STRIDE, 0x200_0000, 0x300_0000])
    expect(lastOf(gic)).toBe('000101')
    // The second region below the first: its end is where the first begins.
    gic.wireRedistributors([0x200_0000 + 3 * REDISTRIBUTOR_STRIDE, 0x200_0000, 0x100_0000])
    expect(lastOf(gic)).toBe('100001')
    // Wired anew with a gap before each.
    gic.wireRedistributors([0x100_0000, 0x200_0000, 0x300_0000])
    expect(lastOf(gic)).toBe('100101')
  })

  it('says Last of frames that are wired one by one, by where they are', () => {
    const gic = gicOf({ cpus: 4 })
    for (const [pe, place] of [3, 0, 1, 5].entries())
      gic.frames.gicr[pe]!.wire(0x100_0000 + place * REDISTRIBUTOR_STRIDE)
    expect(lastOf(gic)).toBe('1011')
    gic.frames.gicr[3]!.wire(0x100_0000 + 2 * REDISTRIBUTOR_STRIDE, 'group')
    expect(lastOf(gic)).toBe('1000')
  })

  it('of each of 512 PEs with four-level affinity takes its own SGI and SPI', () => {
    const affinities = Array.from(
      { length: 512 },
      (_, pe) => (((pe & 1) << 24) | (((pe >>> 1) & 3) << 16) | ((pe >>> 3) << 8) | (pe & 7)) >>> 0,
    )
    const rig = new RigV3(gicOf({ cpus: 512, affinities, intids: 64 }, memoryFor(0)))
    rig.write('gicd', 0, 3)
    rig.write('gicd', 0x84, -1)
    rig.write('gicd', 0x104, -1)
    for (let pe = 0; pe < 512; pe++) {
      rig.write(pe, 0x14, 0)
      rig.write(pe, 0x10080, -1)
      rig.write(pe, 0x10100, -1)
      rig.msr(pe, 'ICC_PMR_EL1', 0xff)
      rig.msr(pe, 'ICC_IGRPEN1_EL1', 1)
      expect(rig.read(pe, 0x0c)).toBe(affinities[pe])
      expect((rig.read(pe, 8) >>> 8) & 0xffff).toBe(pe)
    }
    for (const pe of [0, 1, 255, 300, 511]) {
      const aff = affinities[pe]!
      const route =
        (BigInt(aff >>> 24) << 48n) | (BigInt((aff >>> 16) & 0xff) << 32n) | (BigInt((aff >>> 8) & 0xff) << 16n)
      rig.msr(7, 'ICC_SGI1R_EL1', route | (5n << 24n) | (1n << BigInt(aff & 15)))
      expect(rig.gic.cpus.filter((cpu) => rig.gic.irq(cpu.pe)).map((cpu) => cpu.pe)).toEqual([pe])
      expect(rig.mrs(pe, 'ICC_IAR1_EL1').value).toBe(5n)
      rig.msr(pe, 'ICC_EOIR1_EL1', 5)
      rig.write('gicd', 0x6000 + 40 * 8, aff & 0xff_ffff, false, 8, aff >>> 24)
      rig.gic.setSpi(40, true)
      expect(rig.mrs(pe, 'ICC_IAR1_EL1').value).toBe(40n)
      rig.gic.setSpi(40, false)
      rig.msr(pe, 'ICC_EOIR1_EL1', 40)
    }
    // To all but self (IRM): 511 others.
    rig.msr(3, 'ICC_SGI1R_EL1', (1n << 40n) | (9n << 24n))
    expect(rig.gic.cpus.filter((cpu) => rig.gic.irq(cpu.pe))).toHaveLength(511)
    expect(rig.gic.irq(3)).toBe(false)
  })
})
