/** The LPIs of a Redistributor beside a list of all that pend: the same best one after any changes, and memory that follows them. */

import { describe, expect, it } from 'vitest'
import { candidateKey, NONE } from '../candidates.ts'
import { ByteMemory, type GuestMemory } from '../memory.ts'
import { Random } from '../testing/random.ts'
import { LpiStore } from './lpi-store.ts'
import { Lpis } from './lpis.ts'

/** `npm run test:long` gives both: more of it, from another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 0)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const RAM = 0x4000_0000
const PENDING = RAM + 0x10_0000

/** Pending LPIs and the configuration bytes that were read of them: what IHI 0069 5.1 says, without an index of any kind. */
class Plain {
  readonly read = new Map<number, number>()

  best(shifted: boolean): number {
    let best = NONE
    for (const [intid, byte] of this.read) {
      if (!(byte & 1)) continue
      const priority = shifted ? 0x80 | ((byte & 0xfc) >>> 1) : byte & 0xfc
      best = Math.min(best, candidateKey(priority, intid))
    }
    return best
  }
}

function rig(bits: number, pes: number) {
  const memory = new ByteMemory(RAM, new Uint8Array(0x20_0000))
  const store = new LpiStore(2 ** bits - 8192)
  const state = { shifted: true }
  const lpis = Array.from({ length: pes }, () => new Lpis(memory, store, RAM, PENDING, 2 ** bits, () => state.shifted))
  const plain = lpis.map(() => new Plain())
  return { memory, store, state, lpis, plain }
}

describe.each([14, 16, 20])('LPIs of %i bits', (bits) => {
  it('have the best candidate of any that pend, by the configuration as it was read last (IHI 0069 5.1.1)', () => {
    const random = new Random(seed + bits)
    const { memory, state, lpis, plain } = rig(bits, 2)
    const configurationOf = (intid: number) => memory.bytes[intid - 8192]!
    const hot = Array.from({ length: 300 }, () => random.from(8192, 2 ** bits - 1))
    for (let i = 0; i < 40; i++) hot.push(8192 + i)
    for (let step = 0; step < 3_000 * times; step++) {
      const pe = random.below(2)
      const intid = random.pick(hot)
      const what = random.below(20)
      const own = plain[pe]!.read
      if (what < 8) {
        lpis[pe]!.setPending(intid)
        if (!own.has(intid)) own.set(intid, configurationOf(intid))
      } else if (what < 14) {
        lpis[pe]!.clearPending(intid)
        own.delete(intid)
      } else if (what < 17) {
        memory.write8(RAM + intid - 8192, random.chance(2) ? random.below(256) : 0x81)
        lpis[pe]!.refresh(intid)
        if (own.has(intid)) own.set(intid, configurationOf(intid))
      } else if (random.chance(40)) {
        expect(lpis[pe]!.refreshAll()).toBe(own.size)
        for (const one of own.keys()) own.set(one, configurationOf(one))
      } else if (random.chance(80)) {
        const other = plain[1 - pe]!.read
        expect(lpis[pe]!.moveAllTo(lpis[1 - pe]!)).toBe(own.size)
        for (const one of own.keys()) if (!other.has(one)) other.set(one, configurationOf(one))
        own.clear()
      } else if (random.chance(100)) {
        state.shifted = !state.shifted
        for (const each of lpis) each.securityDisabled()
      }
      for (const each of [0, 1]) {
        expect(lpis[each]!.best()).toBe(plain[each]!.best(state.shifted))
        expect(lpis[each]!.isPending(intid)).toBe(plain[each]!.read.has(intid))
      }
    }
    const sorted = (numbers: Iterable<number>) => [...numbers].sort((a, b) => a - b)
    for (const each of [0, 1]) expect(lpis[each]!.pendingList()).toEqual(sorted(plain[each]!.read.keys()))
  })

  it('write a pending table that they read again', () => {
    const random = new Random(seed + bits)
    const { memory, store, lpis } = rig(bits, 1)
    for (let i = 0; i < 500; i++) lpis[0]!.setPending(random.from(8192, 2 ** bits - 1))
    lpis[0]!.savePendingTable()
    // Each LPI is a bit at its number of the table (IHI 0069 5.1.2), and the bits of other INTIDs are nobody's.
    const inMemory = Array.from({ length: 2 ** bits }, (_, intid) => intid).filter(
      (intid) => (memory.bytes[PENDING - RAM + (intid >>> 3)]! >>> (intid & 7)) & 1,
    )
    expect(inMemory).toEqual(lpis[0]!.pendingList())
    const again = new Lpis(memory, store, RAM, PENDING, 2 ** bits, () => false)
    again.loadPendingTable()
    expect(again.pendingList()).toEqual(inMemory)
  })
})

describe('work', () => {
  it('of MOVALL and INVALL is one byte read for each LPI that pends, however many there could be', () => {
    let accesses = 0
    const memory: GuestMemory = {
      contains: () => true,
      read8: () => {
        accesses++
        return 0xa3
      },
      read32: () => expect.unreachable(),
      write8: () => expect.unreachable(),
      write32: () => expect.unreachable(),
    }
    const store = new LpiStore(2 ** 20 - 8192)
    const [one, two] = [0, 1].map(() => new Lpis(memory, store, RAM, PENDING, 2 ** 20, () => true))
    for (let i = 0; i < 1000; i++) one!.setPending(8192 + i * 1017)
    for (const act of [() => one!.moveAllTo(two!), () => two!.refreshAll()]) {
      accesses = 0
      expect(act()).toBe(1000)
      expect(accesses).toBe(1000)
    }
    accesses = 0
    expect([one!.moveAllTo(two!), one!.refreshAll(), accesses]).toEqual([0, 0, 0])
  })
})

describe('what LPIs are kept in', () => {
  /** Counts what is taken and given back. */
  class Counting extends LpiStore {
    blocks = 0
    levels = 0
    override takeBlock() {
      this.blocks++
      return super.takeBlock()
    }
    override giveBlock(block: Parameters<LpiStore['giveBlock']>[0]) {
      this.blocks--
      super.giveBlock(block)
    }
    override takeLevel() {
      this.levels++
      return super.takeLevel()
    }
    override giveLevel(level: Parameters<LpiStore['giveLevel']>[0]) {
      this.levels--
      super.giveLevel(level)
    }
  }

  it('follows what pends: nothing for idle Redistributors, a block and a level for some, and all of it comes back', () => {
    const memory = new ByteMemory(RAM, new Uint8Array(0x20_0000).fill(0xa3))
    const store = new Counting(2 ** 20 - 8192)
    const lpis = Array.from({ length: 512 }, () => new Lpis(memory, store, RAM, PENDING, 2 ** 20, () => true))
    expect([store.blocks, store.levels]).toEqual([0, 0])
    for (const each of lpis) each.setPending(9000)
    expect([store.blocks, store.levels]).toEqual([512, 0])
    for (const each of lpis) each.setPending(9001)
    expect([store.blocks, store.levels]).toEqual([512, 512])
    // One PE's LPIs that move from one to the next are never more than they are.
    for (let i = 0; i < 511; i++) lpis[i]!.moveAllTo(lpis[i + 1]!)
    expect([store.blocks, store.levels]).toEqual([1, 1])
    for (const intid of [9001, 9000]) lpis[511]!.clearPending(intid)
    expect([store.blocks, store.levels]).toEqual([0, 0])
    for (let intid = 8192; intid < 40_000; intid += 3) lpis[7]!.setPending(intid)
    lpis[7]!.clear()
    expect([store.blocks, store.levels, lpis[7]!.best(), lpis[7]!.pendingList()]).toEqual([0, 0, NONE, []])
  })

  it('is what was there before, where an LPI pends and is idle again and again', () => {
    const memory = new ByteMemory(RAM, new Uint8Array(0x20_0000).fill(0xa3))
    const store = new LpiStore(2 ** 16 - 8192)
    const lpis = new Lpis(memory, store, RAM, PENDING, 2 ** 16, () => true)
    for (const intid of [9000, 9001]) lpis.setPending(intid)
    for (const intid of [9000, 9001]) lpis.clearPending(intid)
    const block = store.takeBlock()
    const level = store.takeLevel()
    store.giveBlock(block)
    store.giveLevel(level)
    for (const intid of [9000, 9001]) lpis.setPending(intid)
    for (const intid of [9000, 9001]) lpis.clearPending(intid)
    expect(store.takeBlock()).toBe(block)
    expect(store.takeLevel()).toBe(level)
    expect([block.used, level.top, ...new Set(block.bytes), ...new Set(level.groups)]).toEqual([0, 0, 0, 0])
  })
})
