/**
 * A rig for the specs of the ITS: sparse guest memory, Redistributors that keep pending LPIs in sets and say what was asked of
 * them, an ITS on both with tables and a queue, and helpers to write commands. Not part of the package.
 */

import { Access, type AccessSize, cpuInitiator, type Frame, type Initiator, Outcome } from '../../../mmio/index.ts'
import type { GicEvent } from '../../events.ts'
import type { GuestMemory } from '../../memory.ts'
import { assembleCommand, type CommandFields } from '../assemble.ts'
import type { ItsConfig } from '../config.ts'
import { Its } from '../its.ts'
import type { LpiTargets } from '../lpi-targets.ts'

export { assembleCommand as assemble, type CommandFields } from '../assemble.ts'

/** Pages appear when they are written; what is not there reads as zero. Refuses what `contains` denies, loudly. */
export class SparseMemory implements GuestMemory {
  readonly base: number
  readonly size: number
  readonly pages = new Map<number, DataView>()
  /** Accesses made. */
  reads = 0
  writes = 0

  constructor(base = 0x4000_0000, size = 0x2000_0000) {
    this.base = base
    this.size = size
  }

  contains(address: number, length: number): boolean {
    return address >= this.base && address + length <= this.base + this.size
  }

  read32(address: number): number {
    this.reads++
    this.#check(address, 4)
    return this.pages.get(Math.floor(address / 4096))?.getInt32(address % 4096, true) ?? 0
  }

  write32(address: number, value: number): void {
    this.writes++
    this.#check(address, 4)
    this.#page(address).setInt32(address % 4096, value, true)
  }

  read8(address: number): number {
    this.#check(address, 1)
    return this.pages.get(Math.floor(address / 4096))?.getUint8(address % 4096) ?? 0
  }

  write8(address: number, value: number): void {
    this.#check(address, 1)
    this.#page(address).setUint8(address % 4096, value)
  }

  read64(address: number): bigint {
    return (BigInt(this.read32(address + 4) >>> 0) << 32n) | BigInt(this.read32(address) >>> 0)
  }

  write64(address: number, value: bigint): void {
    this.write32(address, Number(value & 0xffff_ffffn) | 0)
    this.write32(address + 4, Number(value >> 32n) | 0)
  }

  #page(address: number): DataView {
    const number = Math.floor(address / 4096)
    let page = this.pages.get(number)
    if (page === undefined) {
      page = new DataView(new ArrayBuffer(4096))
      this.pages.set(number, page)
    }
    return page
  }

  #check(address: number, size: number): void {
    if (!this.contains(address, size) || address % size !== 0)
      throw new Error(`the ITS accessed ${size} bytes at 0x${address.toString(16)}, which it was told is not memory`)
  }
}

export class FakeTargets implements LpiTargets {
  readonly pes: number
  readonly lpiEnd: number
  readonly pending: Set<number>[]
  readonly enabled: boolean[]
  readonly calls: string[] = []

  constructor(pes = 4, lpiEnd = 65536) {
    this.pes = pes
    this.lpiEnd = lpiEnd
    this.pending = Array.from({ length: pes }, () => new Set())
    this.enabled = Array.from({ length: pes }, () => true)
  }

  setLpi(pe: number, intid: number): boolean {
    this.#check(pe, intid)
    if (!this.enabled[pe]) return false
    this.pending[pe]!.add(intid)
    return true
  }

  clearLpi(pe: number, intid: number): boolean {
    this.#check(pe, intid)
    return this.pending[pe]!.delete(intid)
  }

  invalidateLpi(pe: number, intid: number): void {
    this.#check(pe, intid)
    this.calls.push(`invalidate ${intid} on ${pe}`)
  }

  invalidateAllLpis(pe: number): number {
    this.#check(pe, 8192)
    this.calls.push(`invalidate all on ${pe}`)
    return this.pending[pe]!.size
  }

  moveLpi(from: number, to: number, intid: number): void {
    this.#check(from, intid)
    this.#check(to, intid)
    if (this.enabled[to] && this.pending[from]!.delete(intid)) this.pending[to]!.add(intid)
  }

  moveAllLpis(from: number, to: number): number {
    this.#check(from, 8192)
    this.#check(to, 8192)
    const moved = this.pending[from]!.size
    for (const intid of this.pending[from]!) this.moveLpi(from, to, intid)
    return moved
  }

  peAt(rdBase: number): number {
    const pe = (rdBase - 0x080a_0000) / 0x2_0000
    return Number.isInteger(pe) && pe >= 0 && pe < this.pes ? pe : -1
  }

  #check(pe: number, intid: number): void {
    if (!Number.isInteger(pe) || pe < 0 || pe >= this.pes) throw new Error(`the ITS names PE ${pe}`)
    if (!Number.isInteger(intid) || intid < 8192 || intid >= this.lpiEnd) throw new Error(`the ITS names LPI ${intid}`)
  }
}

export const QUEUE = 0x4200_0000
export const DEVICES = 0x4210_0000
export const COLLECTIONS = 0x4220_0000
export const ITT = 0x4230_0000

/** An ITS with 64 KiB of device table, collection table and queue, enabled unless said. */
export class Rig {
  readonly memory: SparseMemory
  readonly targets: FakeTargets
  readonly its: Its
  readonly events: GicEvent[] = []
  readonly cpu: Initiator = cpuInitiator(0)

  constructor(
    config: ItsConfig = {},
    options: { enable?: boolean; targets?: FakeTargets; memory?: SparseMemory } = {},
  ) {
    this.memory = options.memory ?? new SparseMemory()
    this.targets = options.targets ?? new FakeTargets()
    this.its = new Its(config, { memory: this.memory, targets: this.targets })
    this.its.events.listen((event) => this.events.push(event), false)
    if (options.enable ?? true) {
      this.write64(0x100, 0x8000_0000_0000_0200n | BigInt(DEVICES))
      this.write64(0x108, 0x8000_0000_0000_0200n | BigInt(COLLECTIONS))
      this.write64(0x080, 0x8000_0000_0000_000fn | BigInt(QUEUE))
      this.write(0x000, 1)
    }
  }

  access(frame: Frame<Its>, offset: number, size: AccessSize, write: boolean, value = 0n, by = this.cpu) {
    const access = new Access()
    access.offset = offset
    access.size = size
    access.write = write
    access.by = by
    if (write) {
      access.low = Number(BigInt.asIntN(32, value))
      access.high = Number(BigInt.asIntN(32, value >> 32n))
    }
    const outcome = frame.access(access)
    const result = (BigInt(access.high >>> 0) << 32n) | BigInt(access.low >>> 0)
    return { outcome, value: outcome === Outcome.ok ? result : 0n }
  }

  read(offset: number): number {
    return Number(this.access(this.its.frames.control, offset, 4, false).value)
  }

  read64(offset: number): bigint {
    return this.access(this.its.frames.control, offset, 8, false).value
  }

  write(offset: number, value: number): Outcome {
    return this.access(this.its.frames.control, offset, 4, true, BigInt(value)).outcome
  }

  write64(offset: number, value: bigint): Outcome {
    return this.access(this.its.frames.control, offset, 8, true, value).outcome
  }

  /** Puts a command at an offset of the queue, without telling. */
  put(offset: number, words: Int32Array): void {
    words.forEach((word, i) => {
      this.memory.write32(this.its.queueBase + offset + 4 * i, word)
    })
  }

  /** Writes a command behind the last one, advances GITS_CWRITER, and returns the error that it came to. */
  command(name: string, fields: CommandFields = {}): number {
    return this.raw(assembleCommand(name, fields))
  }

  raw(words: Int32Array): number {
    const offset = this.its.cwriter
    this.put(offset, words)
    this.events.length = 0
    this.write(0x088, (offset + 32) % this.its.queueSize)
    const event = this.events.find((each) => each.kind === 'its-command')
    if (event?.kind !== 'its-command') throw new Error('the command was not executed')
    return event.error
  }

  /** Device, event, LPI and collection in one go. */
  map(deviceId: number, eventId: number, intid: number, icid = 0, pe = 0): void {
    const results = [
      this.command('MAPC', { ICID: icid, RDbase: pe, V: 1 }),
      this.command('MAPD', { DeviceID: deviceId, Size: 4, ITT_addr: (ITT + deviceId * 0x1000) / 256, V: 1 }),
      this.command('MAPTI', { DeviceID: deviceId, EventID: eventId, pINTID: intid, ICID: icid }),
    ]
    if (results.some((error) => error !== 0)) throw new Error(`mapping failed: ${results}`)
  }
}
