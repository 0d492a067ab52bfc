/** Pages for replay: every device gets an entry, and none that software has provided is replaced. */

import { describe, expect, it } from 'vitest'
import { lendPages } from './lend.ts'
import { Reason } from './reasons.ts'
import { DEVICES, Rig } from './testing/rig.ts'

const VALID = 1n << 63n
const PAGES = 0x5000_0000

function rigWith(deviceTable: bigint): Rig {
  const rig = new Rig()
  rig.write(0x000, 0)
  rig.write64(0x100, deviceTable)
  rig.write(0x000, 1)
  return rig
}

describe('lendPages', () => {
  it('gives a table of two levels every page that it lacks, aligned, and apart', () => {
    const rig = rigWith(VALID | (1n << 62n) | 0x200n | BigInt(DEVICES))
    rig.memory.write64(DEVICES + 8, VALID | 0x4500_0000n)
    expect(lendPages(rig.its, PAGES + 1)).toBe(PAGES + 8 * 0x1_0000)
    const descriptors = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => rig.memory.read64(DEVICES + 8 * i))
    expect(descriptors[1]).toBe(VALID | 0x4500_0000n)
    expect(descriptors[0]).toBe(VALID | BigInt(PAGES + 0x1_0000))
    expect(new Set(descriptors).size).toBe(8)
    for (const device of [0, 8192, 65535]) {
      rig.map(device, 1, 8200)
      expect(rig.its.signal(device, 1)).toBe(Reason.delivered)
    }
  })

  it('leaves flat tables, tables that are not Valid, and descriptors that are not memory', () => {
    for (const table of [VALID | BigInt(DEVICES), (1n << 62n) | BigInt(DEVICES), VALID | (1n << 62n) | 0x7000_0000n]) {
      const rig = rigWith(table)
      const { writes } = rig.memory
      expect(lendPages(rig.its, PAGES)).toBeGreaterThanOrEqual(PAGES)
      expect(rig.memory.writes).toBe(writes)
    }
  })
})
