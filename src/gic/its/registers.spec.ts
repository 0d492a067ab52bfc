/** The registers of an ITS against Arm's descriptions, QEMU's values, and their rules of access. */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { deviceInitiator, Outcome, type Row } from '../../mmio/index.ts'
import { Reason } from './reasons.ts'
import { controlRegisters, translationRegisters, virtualSgiRegisters } from './registers.ts'
import { COLLECTIONS, DEVICES, QUEUE, Rig } from './testing/rig.ts'

interface Fact {
  name: string
  component: string
  offset: string
  access: string[]
  bits: number
  fields: [name: string, msb: number, lsb: number][]
  n?: [string, string]
}

const facts = (
  JSON.parse(readFileSync(new URL('./testdata/gits-registers.json', import.meta.url), 'utf8')) as { registers: Fact[] }
).registers

const tables = [controlRegisters, translationRegisters, virtualSgiRegisters]

describe('the ITS register tables and Arm’s descriptions', () => {
  it.each(facts.map((fact) => [fact.name, fact] as const))('agree on %s', (name, fact) => {
    const row = tables
      .flatMap((table) => table.rows as readonly Row<never>[])
      .find((each) => each.name === name.replace('<n>', 'n'))!
    expect(row).toBeDefined()
    const offset = Number(fact.offset.split(' ')[0]) & 0xffff
    expect([row.offset, row.width * 8, row.mode]).toEqual([offset, fact.bits, fact.access[0]])
    if (fact.n !== undefined) expect(row.count).toBe(Number(fact.n[1]) + 1)
    const theirs = fact.fields.filter(([field]) => !/^RES|^IMPL/.test(field))
    const fields = Object.fromEntries(theirs.map(([field, msb, lsb]) => [field, { msb, lsb }]))
    expect(row.fields).toEqual(fields)
  })

  it('declare every GITS register, and have none but these and the identification registers', () => {
    const known = new Set([...facts.map(({ name }) => name.replace('<n>', 'n')), 'GITS_PIDRn', 'GITS_CIDRn'])
    expect(new Set(tables.flatMap((table) => table.rows.map(({ name }) => name)))).toEqual(known)
  })
})

describe('a reset ITS', () => {
  it('shows what QEMU’s virt board shows', () => {
    const rig = new Rig({}, { enable: false })
    expect(rig.read64(0x008)).toBe(0x1f_0001_efb1n)
    expect(rig.read(0x008)).toBe(0x0001_efb1)
    expect(rig.read(0x00c)).toBe(0x1f)
    expect(rig.read(0x004)).toBe(0x43b)
    expect(rig.read(0x000)).toBe(0x8000_0000)
    expect(rig.read64(0x100)).toBe(0x0107_0000_0000_0200n)
    expect(rig.read64(0x108)).toBe(0x0407_0000_0000_0200n)
    for (let n = 2; n < 8; n++) expect(rig.read64(0x100 + 8 * n)).toBe(0n)
    expect(rig.read(0xffe8)).toBe(0x3b)
  })

  it('has GITS_TYPER follow its configuration (IHI 0069 12.19.15)', () => {
    const rig = new Rig(
      { deviceIdBits: 20, eventIdBits: 9, collectionIdBits: 3, pta: 1, ittEntrySize: 8, umsi: true },
      { enable: false },
    )
    expect(controlRegisters.decode(0x008, rig.read(0x008), rig.read(0x00c))).toMatchObject({
      Devbits: 19,
      ID_bits: 8,
      CIDbits: 2,
      CIL: 1,
      PTA: 1,
      ITT_entry_size: 7,
      UMSI: 1,
      Physical: 1,
      Virtual: 0,
      HCC: 0,
    })
  })

  it('has come back by reset, with its registers as at first', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    rig.its.reset()
    const fresh = new Rig({}, { enable: false })
    for (const offset of [0x000, 0x040, 0x080, 0x084, 0x088, 0x090, 0x100, 0x104, 0x108, 0x10c])
      expect(rig.read(offset)).toBe(fresh.read(offset))
  })
})

describe('GITS_BASERn (IHI 0069 12.19.1)', () => {
  it('keeps all bits but Type and Entry_Size', () => {
    const rig = new Rig({}, { enable: false })
    rig.write64(0x100, 0xffff_ffff_ffff_ffffn)
    expect(rig.read64(0x100)).toBe(0xf9e7_ffff_ffff_ffffn)
    rig.write64(0x108, 0xffff_ffff_ffff_ffffn)
    expect(rig.read64(0x108)).toBe(0xfce7_ffff_ffff_ffffn)
    rig.write64(0x110, 0xffff_ffff_ffff_ffffn)
    expect(rig.read64(0x110)).toBe(0n)
  })

  it('takes its halves one by one', () => {
    const rig = new Rig({}, { enable: false })
    rig.write(0x104, 0x8000_0001)
    rig.write(0x100, 0x4000_0203)
    expect(rig.read64(0x100)).toBe(0x8107_0001_4000_0203n)
    expect(rig.its.translation.devices.base).toBe(0x1_4000_0000)
  })

  it('ignores writes while enabled, and says so', () => {
    const rig = new Rig()
    const before = rig.read64(0x100)
    rig.events.length = 0
    rig.write64(0x100, 0n)
    expect(rig.read64(0x100)).toBe(before)
    expect(rig.events).toContainEqual(expect.objectContaining({ kind: 'its-misuse', code: 'its-register-locked' }))
  })

  it('keeps Page_Size where software asks for a page size that there is not', () => {
    const rig = new Rig({ pageSizes: [4096, 16384] }, { enable: false })
    expect(rig.read(0x100)).toBe(0x100)
    rig.write(0x100, 0x200)
    expect(rig.read(0x100)).toBe(0x100)
    rig.write(0x100, 0x000)
    expect(rig.read(0x100)).toBe(0)
  })

  it('has Indirect RAZ/WI where tables are flat', () => {
    const rig = new Rig({ indirect: 'devices' }, { enable: false })
    rig.write64(0x100, 1n << 62n)
    rig.write64(0x108, 1n << 62n)
    expect(rig.read64(0x100)).toBe(0x4107_0000_0000_0000n)
    expect(rig.read64(0x108)).toBe(0x0407_0000_0000_0000n)
  })
})

describe('the command queue registers', () => {
  it('GITS_CBASER keeps no reserved bit (12.19.2)', () => {
    const rig = new Rig({}, { enable: false })
    rig.write64(0x080, 0xffff_ffff_ffff_ffffn)
    const decoded = controlRegisters.decode(0x080, -1, -1)
    expect(Object.keys(decoded)).toHaveLength(6)
    expect(rig.read64(0x080)).toBe(0xb8ef_ffff_ffff_fcffn)
  })

  it('a write of GITS_CBASER sets GITS_CREADR to 0 and ends a stall (12.19.2, 12.19.3)', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.map(0, 0, 8192)
    rig.command('INT', { DeviceID: 9, EventID: 0 })
    expect(rig.read(0x090)).toBe(0x61)
    rig.write(0x000, 0)
    rig.write64(0x080, 0x8000_0000_0000_0000n | BigInt(QUEUE))
    expect(rig.read(0x090)).toBe(0)
  })

  it('GITS_CBASER ignores writes while enabled', () => {
    const rig = new Rig()
    const before = rig.read64(0x080)
    rig.write64(0x080, 0n)
    expect(rig.read64(0x080)).toBe(before)
  })

  it('GITS_CWRITER keeps an offset only, and Retry reads as zero (12.19.5)', () => {
    const rig = new Rig({}, { enable: false })
    rig.write64(0x080, 0x8000_0000_0000_00ffn | BigInt(QUEUE))
    rig.write64(0x088, 0xffff_ffff_ffff_ffffn)
    expect(rig.read64(0x088)).toBe(0xf_ffe0n)
    expect(rig.read64(0x090)).toBe(0n)
  })

  it('GITS_CREADR is read-only', () => {
    const rig = new Rig()
    expect(rig.write(0x090, 0x40)).toBe(Outcome.mode)
    expect(rig.read(0x090)).toBe(0)
  })

  it('a disabled ITS executes nothing, and an enabled one what was waiting (GITS_CTLR.Enabled)', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.memory.write32(QUEUE, 0x05)
    rig.write(0x088, 0x20)
    expect(rig.read(0x090)).toBe(0)
    rig.write(0x000, 1)
    expect(rig.read(0x090)).toBe(0x20)
  })

  it('a queue that is not Valid executes nothing', () => {
    const rig = new Rig()
    rig.write(0x000, 0)
    rig.write64(0x080, BigInt(QUEUE))
    rig.write(0x000, 1)
    rig.write(0x088, 0x20)
    expect(rig.read(0x090)).toBe(0)
    expect(rig.its.pending).toBe(false)
  })
})

describe('GITS_TRANSLATER (IHI 0069 12.20.1)', () => {
  const send = (rig: Rig, offset: number, size: 1 | 2 | 4 | 8, value: number, by = deviceInitiator(3)) =>
    rig.access(rig.its.frames.translation, offset, size, true, BigInt(value), by).outcome

  it('takes a 32-bit write, with the DeviceID of the writer', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200, 2, 1)
    expect(send(rig, 0x40, 4, 1)).toBe(Outcome.ok)
    expect([...rig.targets.pending[1]!]).toEqual([8200])
  })

  it('takes a 16-bit write of bits 15:0 as one with bits 31:16 zero, and ignores one of bits 31:16', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    rig.map(3, 0, 8201)
    rig.events.length = 0
    expect(send(rig, 0x42, 2, 1)).toBe(Outcome.ok)
    expect(rig.events).toEqual([])
    expect(send(rig, 0x40, 2, 1)).toBe(Outcome.ok)
    expect([...rig.targets.pending[0]!]).toEqual([8200])
  })

  it('sees DeviceID 0 in a CPU’s write', () => {
    const rig = new Rig()
    rig.map(0, 1, 8200)
    send(rig, 0x40, 4, 1, rig.cpu)
    expect([...rig.targets.pending[0]!]).toEqual([8200])
  })

  it.each([
    [1, Outcome.width],
    [8, Outcome.width],
  ] as const)('refuses a write of %i bytes', (size, outcome) => {
    expect(send(new Rig(), 0x40, size, 0)).toBe(outcome)
  })

  it('cannot be read', () => {
    const rig = new Rig()
    expect(rig.access(rig.its.frames.translation, 0x40, 4, false).outcome).toBe(Outcome.mode)
  })

  it('ignores a write while the ITS is disabled', () => {
    const rig = new Rig()
    rig.map(3, 1, 8200)
    rig.write(0x000, 0)
    send(rig, 0x40, 4, 1)
    expect(rig.targets.pending[0]!.size).toBe(0)
    expect(rig.events.at(-1)).toMatchObject({ kind: 'msi', outcome: 'error', reason: 'disabled', intid: -1, pe: -1 })
  })
})

describe('GITS_STATUSR (IHI 0069 12.19.13)', () => {
  it('records each kind of bad access, until 1 is written to its bit', () => {
    const rig = new Rig()
    rig.read(0x020)
    expect(rig.read(0x040)).toBe(1)
    rig.write(0x020, 0)
    expect(rig.read(0x040)).toBe(3)
    rig.write(0x004, 0)
    expect(rig.read(0x040)).toBe(0xb)
    rig.write(0x040, 0x2)
    expect(rig.read(0x040)).toBe(0x9)
  })

  it('is RAZ/WI where it is left out', () => {
    const rig = new Rig({ statusRegisters: false })
    rig.read(0x020)
    expect(rig.read(0x040)).toBe(0)
  })

  it('reports the first unmapped MSI with its syndrome, and that more came (GITS_TYPER.UMSI)', () => {
    const rig = new Rig({ umsi: true })
    rig.map(3, 1, 8200)
    rig.its.signal(3, 1)
    expect(rig.read(0x040)).toBe(0)
    rig.its.signal(5, 7)
    expect(controlRegisters.decode(0x040, rig.read(0x040))).toMatchObject({ UMSI: 1, Overflow: 0, Syndrome: 0b0011 })
    expect(rig.read64(0x048)).toBe(0x5_0000_0007n)
    rig.its.signal(3, 2)
    expect(controlRegisters.decode(0x040, rig.read(0x040))).toMatchObject({ UMSI: 1, Overflow: 1, Syndrome: 0b0011 })
    expect(rig.read64(0x048)).toBe(0x5_0000_0007n)
    rig.write(0x040, 0x30)
    expect(rig.read(0x040)).toBe(0)
    rig.its.signal(3, 2)
    expect(controlRegisters.decode(0x040, rig.read(0x040))).toMatchObject({ UMSI: 1, Syndrome: 0b0101 })
  })
})

describe('the other doors', () => {
  it('peek has no effect, where a read of GITS_CREADR drives a queue on', () => {
    const rig = new Rig({ slice: 1 })
    for (let i = 0; i < 4; i++) rig.put(32 * i, new Int32Array([5, 0, 0, 0, 0, 0, 0, 0]))
    rig.write(0x088, 0x80)
    const peek = () => rig.its.frames.control.peek(0x090, 4, rig.cpu)
    expect([peek(), peek()]).toEqual([0x20, 0x20])
    expect(rig.read(0x090)).toBe(0x40)
    expect(peek()).toBe(0x40)
  })

  it('restore puts back what was saved without an effect: CBASER, BASERs, CREADR, CWRITER, then CTLR', () => {
    const rig = new Rig({ slice: 1 })
    for (let i = 0; i < 4; i++) rig.put(32 * i, new Int32Array([5, 0, 0, 0, 0, 0, 0, 0]))
    rig.write(0x088, 0x80)
    const { control } = rig.its.frames
    const saved = [0x080, 0x084, 0x100, 0x104, 0x108, 0x10c, 0x090, 0x088, 0x000].map(
      (offset) => [offset, control.peek(offset, 4, rig.cpu)] as const,
    )
    const other = new Rig({ slice: 1 }, { enable: false, memory: rig.memory })
    for (const [offset, value] of saved) other.its.frames.control.restore(offset, value, other.cpu)
    for (const [offset, value] of saved) expect(other.its.frames.control.peek(offset, 4, other.cpu)).toBe(value)
    expect(other.its.pending).toBe(true)
    expect(other.its.translation.devices.base).toBe(DEVICES)
    expect(other.its.translation.collections.base).toBe(COLLECTIONS)
    other.its.run()
    expect(other.read(0x090)).toBe(0x60)
  })

  it('registers that are not modelled read as zero, and the table says which they are', () => {
    const gaps = controlRegisters.rows.filter(({ modelling }) => modelling === 'not-modelled').map(({ name }) => name)
    expect(gaps).toEqual(['GITS_MPAMIDR', 'GITS_PARTIDR', 'GITS_MPIDR'])
    expect(new Rig().read(0x014)).toBe(0)
  })
})

describe('a configuration', () => {
  it.each([
    [{ deviceIdBits: 0 }, 'deviceIdBits: 0 is not a whole number from 1 to 32'],
    [{ collectionIdBits: 17 }, 'collectionIdBits: 17 is not a whole number from 1 to 16'],
    [{ ittEntrySize: 7 }, 'ittEntrySize: 7 is not a whole number from 8 to 16'],
    [{ pageSizes: [] }, 'pageSizes: an ITS has at least one page size'],
    [{ pageSizes: [8192] }, 'pageSizes: 8192 is not 4096 or 16384 or 65536'],
    [{ onError: 'abort' }, 'onError: abort is not ignore or stall'],
    [{ umsi: true, statusRegisters: false }, 'umsi: needs statusRegisters, which it is reported in'],
    [{ devices: 3 }, 'devices: no such option of an ITS; there are'],
  ])('%o is refused in one line', (config, message) => {
    expect(() => new Rig(config as never, { enable: false })).toThrow(message)
  })

  it('works at its smallest', () => {
    const rig = new Rig({ deviceIdBits: 1, eventIdBits: 1, collectionIdBits: 1 })
    expect(rig.command('MAPC', { ICID: 1, RDbase: 3, V: 1 })).toBe(0)
    expect(rig.command('MAPD', { DeviceID: 1, Size: 0, ITT_addr: 0x42300000 / 256, V: 1 })).toBe(0)
    expect(rig.command('MAPTI', { DeviceID: 1, EventID: 1, pINTID: 8192, ICID: 1 })).toBe(0)
    expect(rig.its.signal(1, 1)).toBe(Reason.delivered)
    expect(rig.its.signal(2, 1)).toBe(Reason.deviceOutOfRange)
    expect(rig.its.signal(1, 2)).toBe(Reason.eventOutOfRange)
  })
})
