/** Anything at all: accesses, queue content and table content. No exception, no access outside of memory, bounded work and size. */

import { describe, expect, it } from 'vitest'
import { type AccessSize, deviceInitiator } from '../../mmio/index.ts'
import { Random } from '../testing/random.ts'
import { restoreTables, saveTables } from './abi.ts'
import { commands } from './commands.ts'
import type { ItsConfig } from './config.ts'
import { decodeQueue } from './decode.ts'
import { explainMsi } from './explain-msi.ts'
import { reasons } from './reasons.ts'
import { assemble, COLLECTIONS, DEVICES, FakeTargets, ITT, QUEUE, Rig, SparseMemory } from './testing/rig.ts'

/** `npm run test:long` gives both: more of it, from another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 2026)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

/** Small enough that random addresses meet each other. Anything outside throws, in the rig. */
const BASE = 0x4200_0000
const SIZE = 0x40_0000

const configs: readonly ItsConfig[] = [
  {},
  { onError: 'stall', umsi: true },
  { pta: 1, indirect: 'devices', slice: 3 },
  { deviceIdBits: 32, eventIdBits: 32, collectionIdBits: 3, indirect: 'none', pageSizes: [4096] },
]

function randomRig(config: ItsConfig): Rig {
  return new Rig(config, { memory: new SparseMemory(BASE, SIZE), targets: new FakeTargets(3, 9000) })
}

function anyWord(random: Random): number {
  return random.pick([
    () => random.word(),
    () => random.below(64),
    () => random.word() & random.word(),
    () => 0x8000_0000 | random.below(256),
    () => BASE + random.below(SIZE),
    () => 0,
  ])()
}

function scribble(rig: Rig, random: Random): void {
  const at = random.pick([DEVICES, COLLECTIONS, ITT, QUEUE, BASE, BASE + SIZE - 4096])
  for (let i = 0; i < 16; i++) rig.memory.write32(at + 4 * random.below(1024), anyWord(random) | 0)
}

function anyCommand(rig: Rig, random: Random): void {
  const words = Int32Array.from({ length: 8 }, () => anyWord(random))
  if (!random.chance(8)) {
    words[0] = random.pick(commands).opcode
    words[1] = random.below(random.pick([4, 64, 70000]))
    words[2] = random.below(random.pick([4, 64, 70000]))
    words[3] = random.from(8190, 9001)
    words[4] = random.below(8) | (random.below(5) << 16)
    words[5] = random.chance(4) ? 0 : 1 << 31
    if ((words[0] & 0xff) === 0x08 && !random.chance(4)) {
      words[2] = random.below(8)
      words[4] = ITT + 256 * random.below(64)
    }
  }
  // A stalled queue waits for its command to be corrected.
  const offset = (rig.its.stalled ? rig.its.creadr : rig.its.cwriter) % rig.its.queueSize
  if (!rig.memory.contains(rig.its.queueBase + offset, 32)) return
  rig.put(offset, words)
  const next = rig.its.stalled ? rig.its.cwriter : (offset + 32) % rig.its.queueSize
  rig.write(0x088, next | (random.chance(4) ? 0 : 1))
}

function anyAccess(rig: Rig, random: Random): void {
  const frame = random.chance(4) ? rig.its.frames.translation : rig.its.frames.control
  const offset = random.pick([
    () => random.below(0x150),
    () => 8 * random.below(0x28),
    () => random.below(0x1_0000),
    () => random.pick([0x40, 0x80, 0x84, 0x88, 0x90, 0x100, 0x104, 0x108, 0x10c]),
  ])()
  const size = random.pick([1, 2, 4, 4, 8, 8] as const) as AccessSize
  const value = (BigInt(anyWord(random) >>> 0) << 32n) | BigInt(anyWord(random) >>> 0)
  const by = random.chance(2) ? rig.cpu : deviceInitiator(random.below(70))
  rig.access(frame, offset, size, random.chance(2), value, by)
}

/** Programs tables and queue again, mostly into memory. */
function program(rig: Rig, random: Random): void {
  const flags = () => BigInt(random.pick([0x8000_0000, 0x8000_0000, 0x8000_0000, 0xc000_0000, 0])) << 32n
  rig.write(0x000, 0)
  rig.write64(
    0x100,
    flags() |
      BigInt(random.pick([DEVICES, DEVICES, DEVICES, QUEUE, BASE + SIZE - 4096, 0])) |
      BigInt(random.below(0x400)),
  )
  rig.write64(
    0x108,
    flags() | BigInt(random.pick([COLLECTIONS, COLLECTIONS, DEVICES, 0xffff_f000])) | BigInt(random.below(0x400)),
  )
  rig.write64(0x080, flags() | BigInt(random.pick([QUEUE, QUEUE, ITT, BASE + SIZE - 65536])) | BigInt(random.below(32)))
  rig.write(0x000, 1)
}

/** A guest that does everything right, for a moment: so that what is wrong afterwards is wrong with mappings in place. */
function behave(rig: Rig, random: Random): void {
  rig.write(0x000, 0)
  rig.write64(0x100, (1n << 63n) | BigInt(DEVICES))
  rig.write64(0x108, (1n << 63n) | BigInt(COLLECTIONS))
  rig.write64(0x080, (1n << 63n) | BigInt(QUEUE))
  rig.write64(0x088, 0n)
  rig.write(0x000, 1)
  const { pta } = rig.its.config
  const device = random.below(8)
  const batch = [
    assemble('MAPC', { ICID: device % 4, RDbase: pta === 1 ? 0x80a : device % 3, V: 1 }),
    assemble('MAPD', { DeviceID: device, Size: 3, ITT_addr: ITT / 256 + device, V: 1 }),
    assemble('MAPTI', { DeviceID: device, EventID: random.below(8), pINTID: 8192 + device, ICID: device % 4 }),
  ]
  for (const [i, words] of batch.entries()) rig.put(32 * i, words)
  rig.write(0x088, 96)
}

describe.each(configs.map((config) => [JSON.stringify(config), config] as const))('with %s', (_, config) => {
  it('no sequence of accesses, commands, MSIs and scribbling does harm', () => {
    const random = new Random(seed)
    const rig = randomRig(config)
    rig.its.events.active = false
    const seen = new Set<string>()
    for (let step = 0; step < 4_000 * times; step++) {
      const { reads } = rig.memory
      const what = random.below(20)
      if (what < 8) anyCommand(rig, random)
      else if (what < 12) anyAccess(rig, random)
      else if (what < 18) {
        const reason = rig.its.signal(
          random.below(random.pick([8, 64, 2 ** 32])),
          random.below(random.pick([8, 64, 2 ** 32])),
        )
        seen.add(reasons[reason]!.name)
      } else if (what === 18) scribble(rig, random)
      else if (random.chance(2)) program(rig, random)
      else behave(rig, random)
      if (random.chance(8)) rig.write(0x000, 1)
      // A step is at most a slice (or two halves of an access) of commands, of at most 30 reads each.
      expect(rig.memory.reads - reads).toBeLessThan(2 * (rig.its.config.slice + 64) * 30)
    }
    // The walks ended in many places, so that this is no fuzz of one early refusal.
    expect([...seen]).toEqual(
      expect.arrayContaining(['delivered', 'eventUnmapped', 'collectionUnmapped', 'intidInvalid']),
    )
    expect(seen.size).toBeGreaterThan(9)
  })

  it('nor do the tools that look at such an ITS, nor saving and restoring', () => {
    const random = new Random(seed + 1)
    const rig = randomRig(config)
    let left = 0
    let taken = 0
    for (let round = 0; round < 20 * times; round++) {
      if (random.chance(2)) program(rig, random)
      for (let i = 0; i < 5; i++) if (random.chance(2)) behave(rig, random)
      for (let i = 0; i < 20; i++) anyCommand(rig, random)
      if (random.chance(2)) scribble(rig, random)
      explainMsi(rig.its, random.below(64), random.below(64))
      expect(decodeQueue(rig.its, { all: random.chance(10) }).length).toBeLessThanOrEqual(32768)
      for (const tool of random.pick([[saveTables, restoreTables], [restoreTables], [saveTables, saveTables]])) {
        const before = rig.memory.reads + rig.memory.writes
        const { devices, events, collections, problems } = tool(rig.its)
        // Each place of memory at most a few times as a device, an event and a collection, and no place in any other number.
        expect(rig.memory.reads + rig.memory.writes - before).toBeLessThan(6 * 3 * (SIZE / 4))
        expect(problems.length).toBeLessThanOrEqual(17)
        expect(problems.join()).not.toContain('\n')
        if (problems.length > 0) left++
        if (devices > 0 && events > 0 && collections > 0) taken++
        scribble(rig, random)
      }
      rig.events.length = 0
    }
    expect(left).toBeGreaterThan(0)
    expect(taken).toBeGreaterThan(0)
  })
})
