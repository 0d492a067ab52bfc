/** What `explain` says of an MSI: the missing link, by register or table entry, and that its remedy opens the link. */

import { describe, expect, it } from 'vitest'
import { Random } from '../testing/random.ts'
import { saveTables } from './abi.ts'
import { explainMsi, formatMsiExplanation } from './explain-msi.ts'
import { Reason, reasons } from './reasons.ts'
import { assemble, COLLECTIONS, DEVICES, ITT, QUEUE, Rig } from './testing/rig.ts'

const VALID = 1n << 63n

/** A mapped event, and then one link taken away. */
const broken: readonly [keyof typeof Reason, string, string, (rig: Rig) => void][] = [
  ['disabled', 'GITS_CTLR', 'Enabled', (rig) => rig.write(0x000, 0)],
  ['noDeviceTable', 'GITS_BASER0', 'Valid', (rig) => reprogram(rig, 0x100, BigInt(DEVICES))],
  ['deviceOutOfRange', 'GITS_BASER0', 'Size', (rig) => reprogram(rig, 0x100, VALID | 0x4211_0000n)],
  ['deviceTableMemory', 'GITS_BASER0', 'Size', (rig) => reprogram(rig, 0x100, VALID | 0x7000_0000n)],
  ['deviceUnmapped', 'device table entry 0x3 at 0x42100018', 'V', (rig) => rig.command('MAPD', { DeviceID: 3 })],
  [
    'eventOutOfRange',
    'device table entry 0x3 at 0x42100018',
    'Size',
    (rig) => rig.command('MAPD', { DeviceID: 3, Size: 0, ITT_addr: ITT / 256, V: 1 }),
  ],
  [
    'ittMemory',
    'device table entry 0x3 at 0x42100018',
    'Size',
    (rig) => rig.command('MAPD', { DeviceID: 3, Size: 4, ITT_addr: 1, V: 1 }),
  ],
  [
    'eventUnmapped',
    'translation table entry 0x4 at 0x42303020',
    'INTID',
    (rig) => rig.command('DISCARD', { DeviceID: 3, EventID: 4 }),
  ],
  [
    'intidInvalid',
    'translation table entry 0x4 at 0x42303020',
    'INTID',
    (rig) => rig.memory.write64(0x4230_3020, 27n << 16n),
  ],
  ['noCollectionTable', 'GITS_BASER1', 'Valid', (rig) => reprogram(rig, 0x108, BigInt(COLLECTIONS))],
  [
    'collectionOutOfRange',
    'collection table entry 0x258 at no address',
    'V',
    (rig) => reprogram(rig, 0x108, VALID | BigInt(COLLECTIONS)),
  ],
  [
    'collectionTableMemory',
    'collection table entry 0x258 at no address',
    'V',
    (rig) => reprogram(rig, 0x108, VALID | 0x7000_0000n | 0x200n),
  ],
  [
    'collectionUnmapped',
    'collection table entry 0x258 at 0x422012c0',
    'V',
    (rig) => rig.command('MAPC', { ICID: 600 }),
  ],
  [
    'targetInvalid',
    'collection table entry 0x258 at 0x422012c0',
    'RDbase',
    (rig) => rig.memory.write64(0x4220_12c0, VALID | (9n << 16n) | 600n),
  ],
]

function reprogram(rig: Rig, offset: number, value: bigint): void {
  rig.write(0x000, 0)
  rig.write64(offset, value)
  rig.write(0x000, 1)
}

function mapped(): Rig {
  const rig = new Rig()
  rig.map(3, 4, 8200, 600, 2)
  return rig
}

describe('explainMsi', () => {
  it('follows a mapped event to its LPI and PE', () => {
    const explanation = explainMsi(mapped().its, 3, 4)
    expect(explanation).toMatchObject({ mapped: true, intid: 8200, pe: 2, closed: undefined })
    expect(explanation.gates.map(({ gate }) => gate)).toEqual([
      'ITS enabled',
      'device table',
      'DeviceID in range',
      'device mapped',
      'EventID in range',
      'event mapped',
      'collection table',
      'collection mapped',
    ])
    expect(formatMsiExplanation(explanation)).toEqual([
      'EventID 0x4 of DeviceID 0x3 is LPI 8200 on PE 2.',
      '  open   ITS enabled        GITS_CTLR.Enabled = 0x1: the ITS translates.',
      '  open   device table       GITS_BASER0.Valid = 0x1: the device table is at 0x42100000.',
      '  open   DeviceID in range  GITS_BASER0.Size = 0x0: DeviceID 0x3 has an entry in the device table.',
      '  open   device mapped      device table entry 0x3 at 0x42100018.V = 0x1: DeviceID 0x3 has a translation table of 32 EventIDs.',
      '  open   EventID in range   device table entry 0x3 at 0x42100018.Size = 0x4: EventID 0x4 has an entry in the translation table.',
      '  open   event mapped       translation table entry 0x4 at 0x42303020.INTID = 0x2008: the event is LPI 8200, of collection 600.',
      '  open   collection table   GITS_BASER1.Valid = 0x1: the collection table is at 0x42200000.',
      '  open   collection mapped  collection table entry 0x258 at 0x422012c0.V = 0x1: collection 600 is of PE 2.',
    ])
  })

  it.each(broken)('names the missing link: %s', (reason, register, field, spoil) => {
    const rig = mapped()
    spoil(rig)
    const device = reason === 'deviceOutOfRange' ? 600 : 3
    expect(reasons[rig.its.lookup(device, 4)]!.name).toBe(reason)
    const explanation = explainMsi(rig.its, device, 4)
    expect(explanation).toMatchObject({ mapped: false, pe: undefined })
    expect(explanation.closed).toMatchObject({ open: false, register, field })
    expect(explanation.closed!.remedy).toMatch(/\.$/)
    expect(explanation.gates.at(-1)).toBe(explanation.closed)
    expect(explanation.summary).toContain(explanation.closed!.says)
    expect(explanation.intid).toBe(/^(noColl|coll|target)/.test(reason) ? 8200 : undefined)
  })

  it('covers every reason that a walk can end with', () => {
    const shown = new Set(broken.map(([reason]) => reason))
    const walked = reasons.map(({ name }) => name).filter((name) => name !== 'delivered' && name !== 'lpisDisabled')
    expect(new Set(walked)).toEqual(shown)
  })

  it('points at the first-level descriptor of a device without a page', () => {
    const rig = new Rig()
    reprogram(rig, 0x100, VALID | (1n << 62n) | BigInt(DEVICES))
    const { closed } = explainMsi(rig.its, 600, 0)
    expect(closed!.says).toBe(
      'DeviceID 0x258 has no second-level page: its descriptor in the device table is not valid.',
    )
    expect(closed!.remedy).toBe('Put the address of a zeroed page, with bit 63 set, at 0x42100008, and use MAPD.')
  })

  it('says when the command that is missed waits in the queue, or behind one that failed', () => {
    const rig = new Rig({ onError: 'stall', slice: 1 })
    const map = () => {
      rig.put(0, assemble('SYNC'))
      rig.put(32, assemble('MAPD', { DeviceID: 3, Size: 4, ITT_addr: ITT / 256, V: 1 }))
    }
    map()
    rig.write(0x088, 0x40)
    const remedy = () => explainMsi(rig.its, 3, 4).closed!.remedy
    expect(remedy()).toContain('Commands wait from offset 0x20 on: read GITS_CREADR until it is 0x40.')
    rig.put(32, assemble('INVALL', { ICID: 5 }))
    rig.read(0x090)
    expect(remedy()).toContain('The command queue is stalled at offset 0x20')
    map()
    rig.write(0x088, 0x41)
    expect(explainMsi(rig.its, 3, 4).closed!.gate).toBe('event mapped')
    rig.write(0x000, 0)
    rig.write64(0x080, BigInt(QUEUE))
    rig.write(0x000, 1)
    expect(remedy()).toContain('Commands wait, but GITS_CBASER.Valid is 0.')
  })

  it('says when the command that is missed stands in the queue and GITS_CWRITER was not moved (IHI 0069 5.3.1)', () => {
    const rig = new Rig()
    rig.put(0, assemble('SYNC'))
    rig.write(0x088, 0x20)
    rig.put(32, assemble('MAPD', { DeviceID: 3, Size: 4, ITT_addr: ITT / 256, V: 1 }))
    const remedy = () => explainMsi(rig.its, 3, 4).closed!.remedy
    expect(remedy()).toContain(
      'MAPD stands at offset 0x20 of the queue, where GITS_CWRITER has not passed it: write 0x40 there',
    )
    rig.write(0x088, 0x40)
    expect(explainMsi(rig.its, 3, 4).closed!.gate).toBe('event mapped')
    // What stands there is one that was executed a lap ago, or nothing.
    expect(remedy()).not.toContain('stands at')
    rig.write(0x088, 0x80)
    rig.write(0x088, 0)
    expect(remedy()).not.toContain('stands at')
  })

  it('names GITS_TYPER for a DeviceID that no table could hold', () => {
    expect(explainMsi(new Rig().its, 0x1_0000, 0).closed).toMatchObject({
      register: 'GITS_TYPER',
      field: 'Devbits',
      value: 15,
    })
  })

  it('leads by its remedies, one after the other, to a delivered MSI', () => {
    const rig = new Rig({}, { enable: false })
    const steps: string[] = []
    const apply: Record<string, () => void> = {
      'ITS enabled': () => rig.write(0x000, 1),
      'device table': () => reprogram(rig, 0x100, VALID | BigInt(DEVICES) | 0x200n),
      'device mapped': () => rig.command('MAPD', { DeviceID: 3, Size: 4, ITT_addr: ITT / 256, V: 1 }),
      'event mapped': () => rig.command('MAPTI', { DeviceID: 3, EventID: 4, pINTID: 8200, ICID: 2 }),
      'collection table': () => reprogram(rig, 0x108, VALID | BigInt(COLLECTIONS) | 0x200n),
      'collection mapped': () => rig.command('MAPC', { ICID: 2, RDbase: 1, V: 1 }),
    }
    rig.write64(0x080, VALID | 0x4200_000fn)
    for (let i = 0; i < 12; i++) {
      const { closed } = explainMsi(rig.its, 3, 4)
      if (closed === undefined) break
      steps.push(closed.gate)
      // MAPTI checks its collection against the table, so that this has to be there first.
      if (closed.gate === 'event mapped') apply['collection table']!()
      apply[closed.gate]!()
    }
    expect(steps).toEqual(['ITS enabled', 'device table', 'device mapped', 'event mapped', 'collection mapped'])
    expect(rig.its.signal(3, 4)).toBe(Reason.delivered)
  })

  it('gives its remedies as things to do: MAPD with its fields where IHI 0069 5.3.11 has them, and memory for its table', () => {
    const rig = mapped()
    rig.command('MAPD', { DeviceID: 3 })
    expect(explainMsi(rig.its, 3, 4).closed!.actions).toEqual([
      {
        do: 'command',
        its: 0,
        command: 'MAPD',
        // Three bits of EventID, and V in bit 63 of the third doubleword.
        words: [0x08, 3, 2, 0, 0, 0x8000_0000, 0, 0],
        memory: { bytes: 8 * rig.its.config.ittEntrySize, align: 256 },
      },
    ])
  })

  it('sets up a queue first where none takes commands, and nothing for a DeviceID that the ITS cannot have', () => {
    const rig = mapped()
    rig.command('MAPD', { DeviceID: 3 })
    reprogram(rig, 0x080, 0n)
    const told = explainMsi(rig.its, 3, 4).closed!.actions.map((each) =>
      each.do === 'write' ? each.register : each.do,
    )
    expect(told).toEqual(['GITS_CTLR', 'GITS_CBASER', 'GITS_CWRITER', 'GITS_CTLR', 'command'])
    expect(explainMsi(rig.its, 2 ** 16, 4).closed).toMatchObject({ gate: 'DeviceID in range', actions: [] })
  })

  it('agrees with what an MSI does, for any tables, and changes nothing', () => {
    const random = new Random(3)
    const rig = mapped()
    for (let i = 0; i < 3000; i++) {
      const where = random.pick([DEVICES, DEVICES + 24, ITT + 0x3020, COLLECTIONS + 600 * 8])
      const old = rig.memory.read64(where)
      if (random.chance(3)) rig.memory.write32(where + 4 * random.below(2), random.word() & random.word())
      if (random.chance(50)) saveTables(mapped().its)
      const [device, event] = [random.pick([0, 3, 3, 600]), random.pick([0, 4, 4, 40])]
      const pages = rig.memory.writes
      const explanation = explainMsi(rig.its, device, event)
      expect(rig.memory.writes).toBe(pages)
      const reason = rig.its.signal(device, event)
      expect(explanation.mapped).toBe(reason === Reason.delivered)
      if (explanation.mapped) expect(rig.targets.pending[explanation.pe!]!.has(explanation.intid!)).toBe(true)
      rig.memory.write64(where, old)
    }
  })
})
