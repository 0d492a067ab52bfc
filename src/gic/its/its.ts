/**
 * An Interrupt Translation Service (IHI 0069 chapter 5): turns MSIs into LPIs by tables in guest memory, which software
 * keeps up by commands in a queue. It owns the registers' state and the two frames; what LPIs are then is the Redistributors'
 * business (`LpiTargets`).
 */

import { type Access, Frame, Outcome } from '../../mmio/index.ts'
import { Events, type ItsMisuseCode, itsMisuseMessages } from '../events.ts'
import type { GuestMemory } from '../memory.ts'
import { unpackCollections } from './abi-collections.ts'
import { type CheckedItsConfig, checkItsConfig, type ItsConfig, typerOf } from './config.ts'
import type { LpiTargets } from './lpi-targets.ts'
import { runQueue } from './queue.ts'
import { type MsiOutcome, outcomeOf, Reason, reasons } from './reasons.ts'
import { baserFixed, controlRegisters, translationRegisters } from './registers.ts'
import { checkIts, checkPlaces, type ItsSnapshot, restoreIts, snapshotIts } from './snapshot.ts'
import type { ItsState } from './state.ts'
import { Table } from './tables.ts'
import { Translation } from './translate.ts'
import { Verdicts } from './verdicts.ts'

const PAGE_SIZES = [4096, 16384, 65536, 65536]

/** What an ITS stands on. */
export interface ItsSurroundings {
  /** Where tables and queue are. */
  readonly memory: GuestMemory
  /** The Redistributors: a GicV3. */
  readonly targets: LpiTargets
  /** Where its events go; a stream of its own unless given. */
  readonly events?: Events
  /** Called after commands and MSIs: where the GIC brings its outputs up to date. */
  readonly settle?: () => void
}

/** An Interrupt Translation Service (IHI 0069 5): two frames, tables and a command queue in guest memory. */
export class Its implements ItsState {
  /** What it was made with, defaults among them. */
  readonly config: CheckedItsConfig
  /** Where tables and queue are. */
  readonly memory: GuestMemory
  /** The Redistributors. */
  readonly targets: LpiTargets
  /** The stream that it reports to. */
  readonly events: Events
  /** 64 KiB each: `control` at the ITS's base, `translation` directly above. */
  readonly frames: { readonly control: Frame<Its>; readonly translation: Frame<Its> }
  /** The tables, as it reads and writes them. */
  readonly translation: Translation
  /** GITS_TYPER, low word first. */
  readonly typer: readonly [number, number]

  /** GITS_CTLR.Enabled. */
  enabled = false
  /** GITS_CBASER, low word first. */
  readonly cbaser = new Int32Array(2)
  /** Offsets in the queue, in bytes. */
  creadr = 0
  /** GITS_CWRITER, in bytes. */
  cwriter = 0
  /** GITS_CREADR.Stalled: a command failed and waits for GITS_CWRITER.Retry. */
  stalled = false
  /** GITS_BASER0 and GITS_BASER1, low words first. */
  readonly baser = new Int32Array(4)
  /** GITS_STATUSR. */
  statusr = 0
  /** GITS_UMSIR: EventID, DeviceID. */
  readonly umsir = new Int32Array(2)

  /** Follow from GITS_CBASER; in bytes. */
  queueBase = 0
  /** Bytes of the queue. */
  queueSize = 4096

  /**
   * Called when a slice has left commands in the queue, and after a restore that has: whoever embeds the ITS calls `run` some
   * time later, or the commands wait until the guest looks at GITS_CREADR.
   */
  onPending: (() => void) | undefined

  /** The command in execution. */
  readonly words = new Int32Array(8)
  lpisSeen = 0
  /** What became of commands, for `decodeQueue`. */
  readonly verdicts = new Verdicts()
  readonly #settle: (() => void) | undefined
  #running = false

  /** Throws a ConfigError that says what is not allowed, and what is. */
  constructor(config: ItsConfig, surroundings: ItsSurroundings) {
    this.config = checkItsConfig(config)
    this.memory = surroundings.memory
    this.targets = surroundings.targets
    this.events = surroundings.events ?? new Events()
    this.typer = typerOf(this.config)
    this.translation = new Translation(
      this.memory,
      new Table(this.memory, this.config.deviceIdBits),
      new Table(this.memory, this.config.collectionIdBits),
      this.targets,
      this.config.eventIdBits,
    )
    this.#settle = surroundings.settle
    const name = this.config.number === 0 ? 'GITS' : `GITS${this.config.number}`
    this.frames = {
      control: new Frame<Its>(controlRegisters, this, { name, refused: recordRefusal }),
      translation: new Frame<Its>(translationRegisters, this, { name: `${name} translation` }),
    }
    this.reset()
  }

  /** Reset of the registers. Guest memory is the guest's. */
  reset(): void {
    this.enabled = false
    this.cbaser.fill(0)
    this.creadr = 0
    this.cwriter = 0
    this.stalled = false
    this.statusr = 0
    this.umsir.fill(0)
    this.translation.packed = false
    if (this.translation.places.knowledge === 'only') this.translation.places.knowledge = 'noted'
    this.verdicts.clear()
    const largest = Math.max(...this.config.pageSizes)
    for (const [i, fixed] of baserFixed.entries()) {
      this.baser[2 * i] = PAGE_SIZES.indexOf(largest) << 8
      this.baser[2 * i + 1] = fixed
    }
    this.configureTables()
    this.configureQueue()
  }

  /** GITS_CTLR. Between accesses nothing is under way: Quiescent is 1. */
  get ctlr(): number {
    return (1 << 31) | (this.enabled ? 1 : 0)
  }

  /** A write of GITS_CTLR.Enabled. */
  setEnabled(enabled: boolean): void {
    this.enabled = enabled
    this.run()
  }

  /** Bits of GITS_STATUSR that this ITS has. */
  get statusrBits(): number {
    return (this.config.statusRegisters ? 0xf : 0) | (this.config.umsi ? 0x3f0 : 0)
  }

  /** Commands wait and could be executed now. */
  get pending(): boolean {
    return (
      this.creadr !== this.cwriter &&
      this.enabled &&
      !this.stalled &&
      this.cbaser[1]! < 0 &&
      this.cwriter < this.queueSize &&
      this.creadr < this.queueSize
    )
  }

  /** Executes waiting commands, up to `budget` units of work (`ItsConfig.slice` unless given). Whether any are left. */
  run(budget: number = this.config.slice): boolean {
    if (this.#running || !this.pending) return false
    if (this.translation.packed) unpackCollections(this.translation)
    this.#running = true
    try {
      runQueue(this, budget)
    } finally {
      this.#running = false
    }
    this.#settle?.()
    const left = this.pending
    if (left) this.onPending?.()
    return left
  }

  /**
   * A device's MSI: what a write of `eventId` to GITS_TRANSLATER by device `deviceId` does; both are unsigned 32-bit. Returns
   * a Reason: `Reason.delivered` (0), or the first missing link; `outcomeOf` makes delivered, unmapped or error of it.
   */
  signal(deviceId: number, eventId: number): Reason {
    const { translation } = this
    if (translation.packed && this.enabled) unpackCollections(translation)
    let reason = this.lookup(deviceId, eventId)
    // Whoever sees the LPI come may send another MSI at once, which walks elsewhere.
    const { intid, pe } = translation.entries
    if (reason === Reason.delivered && !this.targets.setLpi(pe, intid)) reason = Reason.lpisDisabled
    if (reason !== Reason.delivered && this.config.umsi && this.enabled) this.#recordUnmapped(reason, deviceId, eventId)
    if (this.events.active) this.#report(reason, deviceId, eventId, intid, pe)
    this.#settle?.()
    return reason
  }

  /** Where an MSI would go, without sending it: `translation.entries.intid` and `.pe` when it is `Reason.delivered`. */
  lookup(deviceId: number, eventId: number): Reason {
    return this.enabled ? this.translation.walk(deviceId, eventId) : Reason.disabled
  }

  /** The registers' state as plain JSON. Tables and queue are in guest memory, which the embedder saves with it. */
  snapshot(): ItsSnapshot {
    return snapshotIts(this)
  }

  /** Throws the SnapshotError that `restore` would, and changes nothing. `where` names the whole in its message. */
  checkSnapshot(snapshot: unknown, where?: string): void {
    checkIts(this, snapshot, where)
  }

  /** Takes a snapshot's state over, or throws a SnapshotError that names what is wrong with it and changes nothing. */
  restore(snapshot: unknown): void {
    restoreIts(this, snapshot)
    this.resume()
  }

  /**
   * After `restoreTables`, the places in guest memory whose entries count, as pairs of an address and how many entries follow each
   * other from there. Null as a rule: whatever is in the tables counts.
   */
  entryPlaces(): readonly number[] | null {
    return this.translation.places.save()
  }

  /** Puts back what `entryPlaces` gave; throws a SnapshotError for anything else, and changes nothing. */
  restoreEntryPlaces(places: readonly number[] | null): void {
    checkPlaces(this, places, 'entryPlaces')
    this.translation.places.restore(places)
  }

  /** Goes on with commands that wait, by `onPending`: to be called when registers and memory are restored one by one. */
  resume(): void {
    if (this.pending) this.onPending?.()
  }

  /** The PE that an RDbase field names, or -1 (IHI 0069 5.3, 'RDbase'). */
  peOf(rdBase: number): number {
    if (this.config.pta === 0) return rdBase < this.targets.pes ? rdBase : -1
    const pe = this.targets.peAt(rdBase * 65536)
    return pe < this.targets.pes ? pe : -1
  }

  /** Whether GITS_BASER.Page_Size may have this value; the reserved one stands for 64 KiB. */
  hasPageSize(page: number): boolean {
    return (this.config.pageSizes as readonly number[]).includes(PAGE_SIZES[page]!)
  }

  /** Whether a table may have two levels: 0 is that of devices, 1 that of collections. */
  hasIndirect(table: number): boolean {
    const { indirect } = this.config
    return indirect === 'all' || (indirect === 'devices' && table === 0)
  }

  /** GITS_BASERn changed. */
  configureTables(): void {
    this.translation.devices.configure(this.baser[0]!, this.baser[1]!)
    this.translation.collections.configure(this.baser[2]!, this.baser[3]!)
  }

  /** Bits 15:12 of the queue's address are treated as zero (IHI 0069 12.19.2). */
  configureQueue(): void {
    this.queueBase = (this.cbaser[1]! & 0xf_ffff) * 2 ** 32 + ((this.cbaser[0]! & 0xffff_0000) >>> 0)
    this.queueSize = ((this.cbaser[0]! & 0xff) + 1) * 4096
  }

  /** Reports what software did that it should not. */
  misuse(code: ItsMisuseCode, cpu: number, what: string): void {
    if (!this.events.active) return
    const { number } = this.config
    this.events.emit({ kind: 'its-misuse', its: number, code, cpu, message: itsMisuseMessages[code](what) })
  }

  #recordUnmapped(reason: Reason, deviceId: number, eventId: number): void {
    if (reason === Reason.lpisDisabled) return
    if (this.statusr & 0x10) {
      this.statusr |= 0x20
      return
    }
    this.statusr |= 0x10 | (reasons[reason]!.syndrome << 6)
    this.umsir[0] = eventId
    this.umsir[1] = deviceId
  }

  #report(reason: Reason, deviceId: number, eventId: number, intid: number, pe: number): void {
    const known = reason === Reason.delivered || reason === Reason.lpisDisabled
    this.events.emit({
      kind: 'msi',
      its: this.config.number,
      deviceId,
      eventId,
      outcome: outcomeOf(reason) satisfies MsiOutcome,
      reason: reasons[reason]!.name,
      intid: known ? intid : -1,
      pe: known ? pe : -1,
    })
  }
}

/** GITS_STATUSR: accesses of reserved locations, writes of read-only and reads of write-only ones. */
function recordRefusal(its: Its, access: Access, outcome: Outcome): void {
  let bits = 0
  if (outcome === Outcome.reserved) bits = access.write ? 2 : 1
  else if (outcome === Outcome.mode) bits = access.write ? 8 : 4
  its.statusr |= bits & its.statusrBits
}
