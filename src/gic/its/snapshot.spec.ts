/** Snapshots of an ITS: its registers, checked whole before any of them is taken over. */

import { describe, expect, it } from 'vitest'
import { SnapshotError } from '../snapshot.ts'
import { saveTables } from './abi.ts'
import { itsPart } from './snapshot.ts'
import { assemble, Rig } from './testing/rig.ts'

/** Through JSON, as a file holds it. */
const save = (rig: Rig): Record<string, unknown> => JSON.parse(JSON.stringify(itsPart(rig.its).save()))

function load(rig: Rig, value: unknown): void {
  const part = itsPart(rig.its)
  part.check(value, 'its')
  part.load(value)
}

/** In the middle of a queue, and packed. */
function busy(): Rig {
  const rig = new Rig({ slice: 2, umsi: true })
  for (let i = 0; i < 8; i++) rig.put(32 * i, assemble('MAPC', { ICID: i, RDbase: i % 4, V: 1 }))
  rig.write(0x088, 0x100)
  rig.its.signal(9, 9)
  saveTables(rig.its)
  return rig
}

describe('the snapshot of an ITS', () => {
  it('with its memory makes another one that goes on alike', () => {
    const rig = busy()
    const other = new Rig({ slice: 2, umsi: true }, { enable: false, memory: rig.memory })
    load(other, save(rig))
    expect(save(other)).toEqual(save(rig))
    for (const offset of [0x000, 0x040, 0x048, 0x04c, 0x080, 0x084, 0x088, 0x100, 0x104, 0x108, 0x10c])
      expect(other.read(offset)).toBe(rig.read(offset))
    expect(other.its.pending).toBe(true)
    while (other.its.pending) other.its.run()
    expect(other.read(0x090)).toBe(0x100)
    for (let i = 0; i < 8; i++) expect(other.its.translation.collection(i)).toBe(0)
  })

  it('of a stalled one stays stalled', () => {
    const rig = new Rig({ onError: 'stall' })
    rig.command('INVALL', { ICID: 3 })
    const other = new Rig({ onError: 'stall' }, { enable: false, memory: rig.memory })
    load(other, save(rig))
    expect(other.read(0x090)).toBe(0x01)
  })

  it('is refused with a page size, a level of tables, or status bits that this ITS has not', () => {
    const rig = new Rig({ pageSizes: [4096], indirect: 'none', statusRegisters: false, umsi: false })
    const before = save(rig)
    const [low, high, ...rest] = before['baser'] as number[]
    for (const [wrong, message] of [
      [{ baser: [low! | 0x100, high, ...rest] }, 'its.baser[0]: no such Page_Size in this configuration'],
      [{ baser: [low, (high! | (1 << 30)) >>> 0, ...rest] }, 'its.baser[1]: bits 0x40000000 cannot be set'],
      [{ statusr: 1 }, 'its.statusr: bits 0x1 cannot be set'],
      [{ umsir: [1, 0] }, 'its.umsir[0]: bits 0x1 cannot be set'],
    ] as const)
      expect(() => load(rig, { ...before, ...wrong })).toThrow(message)
  })

  it.each<[string, string, unknown]>([
    ['enabled', 'its.enabled: expected true or false', 1],
    ['cbaser', 'its.cbaser[0]: bits 0x300 cannot be set', [0x300, 0]],
    ['baser', 'its.baser[1]: bits 0x2000000 cannot be set', [0, 0x0300_0000, 0, 0]],
    ['creadr', 'its.creadr: expected a whole number from 0 to 32767', 32768],
    ['cwriter', 'its.cwriter: expected a whole number from 0 to 32767', 0.5],
    ['statusr', 'its.statusr: expected a whole number from 0 to 1023', -1],
    ['umsir', 'its.umsir: expected an array of 2 numbers', []],
    ['baser', 'its.baser[1]: Type and Entry_Size of GITS_BASER0 are other ones here', [0, 0x0100_0000, 0, 0]],
    ['config', 'its.config.number: the configuration of the ITS is 0 here, and nothing in the snapshot', {}],
    ['tables', 'its.tables: no such part', {}],
  ])('is refused when %s is wrong, and nothing is taken over', (name, message, value) => {
    const rig = busy()
    const before = save(rig)
    const wrong = { ...before, [name]: value }
    expect(() => load(rig, wrong)).toThrow(SnapshotError)
    expect(() => load(rig, wrong)).toThrow(message)
    expect(save(rig)).toEqual(before)
  })
})
