/**
 * The words that ITS vectors are written in: tables and queue in guest memory, commands, messages, and what a PE then takes.
 * Where the tables lie, and how many PEs and events there are, is chosen here once; nothing is known of any ITS.
 */

import type { Region, Step } from '../target.ts'
import type { Vector, VectorStep } from './build.ts'

const GUEST_MEMORY = 0x4300_0000
const at = (page: number): number => GUEST_MEMORY + page * 0x1_0000
const QUEUE = at(0)
const QUEUE_BYTES = 0x1000
const DEVICE_TABLE = at(1)
const COLLECTION_TABLE = at(2)
const PROPERTIES = at(3)
const PENDING = 8
const REDISTRIBUTOR = 0x2_0000
const VALID = 1n << 63n

/** The first LPI, and what most vectors have: two PEs, and devices of 32 EventIDs. */
export const LPI = 8192
export const PES = 2
export const EVENT_BITS = 5
/** Beyond the device table and the collection table, of 4 KiB each, however small their entries are; and beyond all IDs. */
export const BEYOND_TABLE = 0x1000
export const BEYOND_IDS = 0x2_0000

/** Where a device's translation table may lie: room for 16384 events of 16 bytes. */
export const table = (number: number): number => at(16 + 4 * number)

export const Opcode = {
  MOVI: 0x01,
  INT: 0x03,
  CLEAR: 0x04,
  SYNC: 0x05,
  MAPD: 0x08,
  MAPC: 0x09,
  MAPTI: 0x0a,
  MAPI: 0x0b,
  INV: 0x0c,
  INVALL: 0x0d,
  MOVALL: 0x0e,
  DISCARD: 0x0f,
} as const
export type CommandName = keyof typeof Opcode

/** Four doublewords. */
export type Command = readonly [bigint, bigint, bigint, bigint]

const onDevice = (name: CommandName, device: number): bigint => BigInt(Opcode[name]) | (BigInt(device) << 32n)
const rdBase = (pe: number): bigint => BigInt(pe) << 16n

/** INT, CLEAR, INV and DISCARD name an event; MOVI its new collection too. */
export const onEvent = (name: CommandName, device: number, event: number, icid = 0): Command => [
  onDevice(name, device),
  BigInt(event),
  BigInt(icid),
  0n,
]
export const int = (device: number, event: number): Command => onEvent('INT', device, event)
export const movi = (device: number, event: number, icid: number): Command => onEvent('MOVI', device, event, icid)
/** `bits` of EventID; 0 unmaps. */
export const mapd = (device: number, bits: number, itt = table(0)): Command =>
  bits === 0
    ? [onDevice('MAPD', device), 0n, 0n, 0n]
    : [onDevice('MAPD', device), BigInt(bits - 1), VALID | BigInt(itt), 0n]
/** No PE unmaps. */
export const mapc = (icid: number, pe: number | undefined): Command => [
  BigInt(Opcode.MAPC),
  0n,
  BigInt(icid) | (pe === undefined ? 0n : VALID | rdBase(pe)),
  0n,
]
export const mapti = (device: number, event: number, intid: number, icid: number): Command => [
  onDevice('MAPTI', device),
  BigInt(event) | (BigInt(intid) << 32n),
  BigInt(icid),
  0n,
]
export const mapi = (device: number, event: number, icid: number): Command => onEvent('MAPI', device, event, icid)
export const invall = (icid: number): Command => [BigInt(Opcode.INVALL), 0n, BigInt(icid), 0n]
export const movall = (from: number, to: number): Command => [BigInt(Opcode.MOVALL), 0n, rdBase(from), rdBase(to)]
export const sync = (pe: number): Command => [BigInt(Opcode.SYNC), 0n, rdBase(pe), 0n]

/** Writes a vector down step by step, because where a command goes depends on those before it. */
export class ItsScript {
  readonly steps: VectorStep[] = []
  #tail = 0

  #do(step: Step, value?: number, mask = 0xffff_ffff): this {
    this.steps.push(value === undefined ? { step } : { step, expect: { value, mask } })
    return this
  }

  write(region: Region, offset: number, value: number | bigint, size: 2 | 4 | 8 = 4, cpu = 0): this {
    return this.#do({ op: 'write', cpu, region, offset, size, value })
  }

  reads(region: Region, offset: number, value: number, mask = 0xffff_ffff): this {
    return this.#do({ op: 'read', cpu: 0, region, offset, size: 4 }, value, mask)
  }

  store(address: number, ...words: bigint[]): this {
    return this.#do({ op: 'store', address, words })
  }

  /** The byte of 8 LPIs from `LPI` on: priority 0xa0 and enabled, unless others are given. */
  properties(...bytes: number[]): this {
    let word = 0n
    for (let n = 7; n >= 0; n--) word = (word << 8n) | BigInt(bytes[n] ?? 0xa1)
    return this.store(PROPERTIES, word)
  }

  /** LPIs on for PEs 0 to `PES` - 1, where they may take all priorities. */
  processors(options: { pending?: readonly bigint[]; off?: number } = {}): this {
    this.properties()
    this.write('gicd', 0x000, 2)
    // LPIs pending from before: bit n of the table is INTID n (IHI 0069 5.1.2).
    if (options.pending) this.store(at(PENDING) + LPI / 8, ...options.pending)
    for (let pe = 0; pe < PES; pe++) {
      const frame = pe * REDISTRIBUTOR
      const zero = options.pending === undefined ? 1n << 62n : 0n
      this.write('gicr', frame + 0x014, 0)
        .write('gicr', frame + 0x070, BigInt(PROPERTIES) | 15n, 8)
        .write('gicr', frame + 0x078, BigInt(at(PENDING + pe)) | zero, 8)
      if (pe !== options.off) this.write('gicr', frame, 1)
      this.#do({ op: 'msr', cpu: pe, register: 'ICC_PMR_EL1', value: 0xff })
      this.#do({ op: 'msr', cpu: pe, register: 'ICC_IGRPEN1_EL1', value: 1 })
    }
    return this
  }

  /** Tables of 4 KiB each and a queue of 4 KiB, and GITS_CTLR.Enabled. */
  service(): this {
    return this.write('its', 0x100, VALID | BigInt(DEVICE_TABLE), 8)
      .write('its', 0x108, VALID | BigInt(COLLECTION_TABLE), 8)
      .queue()
      .enable(1)
  }

  /** GITS_CBASER, which sets GITS_CREADR to 0. */
  queue(): this {
    this.#tail = 0
    return this.write('its', 0x080, VALID | BigInt(QUEUE), 8)
  }

  enable(value: 0 | 1): this {
    return this.write('its', 0x000, value)
  }

  /** Processors, service, collection n for PE n, device 5, and its events 0 and 1 as the first LPIs of PE 0. */
  mapped(): this {
    return this.processors()
      .service()
      .commands(mapc(0, 0), mapc(1, 1), mapd(5, EVENT_BITS), mapti(5, 0, LPI, 0), mapti(5, 1, LPI + 1, 0))
  }

  /** Commands with one write of GITS_CWRITER, after which GITS_CREADR has come to it. */
  commands(...all: readonly Command[]): this {
    return this.wait(...all).done()
  }

  /** Commands that may have to wait. */
  wait(...all: readonly Command[]): this {
    for (const command of all) {
      this.store(QUEUE + this.#tail, ...command)
      this.#tail = (this.#tail + 32) % QUEUE_BYTES
    }
    return this.write('its', 0x088, this.#tail, 8)
  }

  /** GITS_CREADR is at GITS_CWRITER, and not stalled. */
  done(): this {
    return this.reads('its', 0x090, this.#tail)
  }

  /** A message by PE 0, whose DeviceID is 0 on the board. */
  message(event: number, size: 2 | 4 = 4): this {
    return this.write('itst', 0x040, event, size)
  }

  irq(pe: number, level: 0 | 1): this {
    return this.#do({ op: 'lines' }, level * 2 ** (2 * pe + 1), 2 ** (2 * pe + 1))
  }

  acknowledges(pe: number, intid: number): this {
    return this.#do({ op: 'mrs', cpu: pe, register: 'ICC_IAR1_EL1' }, intid)
  }

  ends(pe: number, intid: number): this {
    return this.#do({ op: 'msr', cpu: pe, register: 'ICC_EOIR1_EL1', value: intid })
  }

  /** The IRQ is there, and an acknowledge gives this LPI, which is then ended. */
  takes(pe: number, intid: number): this {
    return this.irq(pe, 1).acknowledges(pe, intid).ends(pe, intid)
  }

  /** No IRQ, and nothing to acknowledge, on these PEs. */
  quiet(...pes: readonly number[]): this {
    for (const pe of pes) this.irq(pe, 0).acknowledges(pe, 1023)
    return this
  }
}

/** Offset in the queue that the next command goes to after `count` of them; for GITS_CREADR. */
export const queueOffset = (count: number): number => (count * 32) % QUEUE_BYTES
export const QUEUE_COMMANDS = QUEUE_BYTES / 32

/** A vector for a GICv3 with an ITS. `clause` is the rest of 'IHI 0069 5.3': a command's name, or another section whole. */
export function itsVector(name: string, clause: string, write: (script: ItsScript) => ItsScript): Vector {
  const needs = { version: 3 as const, its: true, cpus: PES, security: false }
  return { name, clause: `IHI 0069 ${clause}`, needs, steps: write(new ItsScript()).steps }
}
