/**
 * QEMU's firmware configuration device in its MMIO form: numbered items of bytes, read through a data port or by DMA, and a
 * directory of named ones. Items are read-only: what firmware writes is refused, as by QEMU for items without a writer.
 * Its registers are a table but for the data port, which takes as many bytes as an access is wide: a row of a table sees words.
 */

import { type Access, type Device, dword, Frame, Outcome, registerTable, word } from '../mmio/index.ts'
import type { GuestMemory } from './memory.ts'
import { checkState, whole } from './saved-state.ts'

/** Items that every guest may ask for; files follow from 0x20 on. */
export const FwCfgItem = {
  /** 'QEMU', in ASCII. */
  signature: 0x0000,
  /** Bit 0: the data port; bit 1: DMA. Little-endian. */
  id: 0x0001,
  /** CPUs at the start, 16 bits, little-endian. */
  cpus: 0x0005,
  /** The most CPUs that there may be, 16 bits, little-endian. */
  maxCpus: 0x000f,
  /** Number of files, then name, size and item of each, big-endian. */
  fileDirectory: 0x0019,
} as const
const FIRST_FILE = 0x0020
const MAX_FILES = 0xffe0

/** Bits of the DMA control word; its upper half is the item to select. */
const Dma = { error: 1, read: 2, skip: 4, select: 8, write: 16 } as const

const SIGNATURE = 'QEMU'
/** 'QEMU' and ' CFG', as little-endian words. */
const DMA_SIGNATURE = [0x554d_4551, 0x4746_4320] as const

/** Bytes that one step of a DMA copies: it bounds the memory that a request costs, whatever its length. */
const CHUNK = 0x1_0000
/** Bytes of one DMA that are moved before it makes way for the host: it bounds the time that a request costs at once. */
const SLICE = 0x40_0000

/** What the device offers. */
export interface FwCfgOptions {
  /** Items by number, beside those that there always are. */
  items?: ReadonlyMap<number, Uint8Array>
  /** Files by name, at most 55 bytes of ASCII. */
  files?: ReadonlyMap<string, Uint8Array>
  /** Where DMA goes; without it there is none, and the device says so. */
  memory?: GuestMemory
  /**
   * Called when more than a slice of a DMA is left: `resume` goes on with it. Its control word stands meanwhile as it was, and the CPU
   * that asked is to wait: DMA of QEMU's device is over when the write is, and drivers count on it. Without this all is moved at
   * once, however long that takes.
   */
  later?: () => void
}

/** Plain JSON. The items are the machine's and not saved. */
export interface FwCfgState {
  /** What this is the state of. */
  kind: 'fw_cfg'
  /** Raised when the meaning of a member changes. */
  version: 2
  /** The item that reads are of. */
  selector: number
  /** Bytes of it that were read. */
  position: number
  /** Upper half of a DMA address that was written, in `| 0` form. */
  dmaHigh: number
  /** Bytes left of the DMA under way; 0: there is none. */
  left: number
  /** Address of its command. */
  command: number
  /** Where it writes next. */
  address: number
}

export class FwCfg implements Device {
  /** Stands in errors, and in what lists a bus. */
  readonly name = 'fw_cfg'
  /** The registers but for the data port. */
  readonly frame: Frame<FwCfg>
  /** Length of the device's range in bytes. */
  readonly size = 0x18

  readonly #items = new Map<number, Uint8Array>()
  readonly #memory: GuestMemory | undefined
  #selector = 0
  #position = 0
  #dmaHigh = 0
  readonly #later: (() => void) | undefined
  /** The DMA under way, as a snapshot has it. */
  readonly #transfer = { left: 0, command: 0, address: 0 }

  /** Throws a RangeError for a file name that does not fit, or too many files. */
  constructor(options: FwCfgOptions = {}) {
    this.#memory = options.memory
    this.#later = options.later
    this.#items.set(FwCfgItem.signature, ascii(SIGNATURE))
    this.#items.set(FwCfgItem.id, Uint8Array.of(options.memory === undefined ? 1 : 3, 0, 0, 0))
    for (const [number, bytes] of options.items ?? []) this.#items.set(number, bytes)
    this.#addFiles(options.files ?? new Map())
    this.frame = new Frame<FwCfg>(fwCfgTable, this)
  }

  /** Selects item 0, and forgets a DMA address and what DMA is under way. */
  reset(): void {
    this.select(0)
    this.#dmaHigh = 0
    this.#transfer.left = 0
  }

  /** The data port takes as many bytes of the item as the access is wide, in the order of memory; the rest is a frame. */
  access(access: Access): number {
    if (access.offset >= 8) return this.frame.access(access)
    if (access.write) return Outcome.mode
    for (let i = 0; i < access.size; i++) {
      const value = this.#next() << ((i & 3) * 8)
      if (i < 4) access.low |= value
      else access.high |= value
    }
    return Outcome.ok
  }

  /** Makes an item the one that is read, from its start on. */
  select(item: number): void {
    this.#selector = item & 0xffff
    this.#position = 0
  }

  /** It has guest memory to read and write. */
  get hasDma(): boolean {
    return this.#memory !== undefined
  }

  /** A write of the DMA address's words, as they stand in the register: the low one starts the transfer. */
  dmaAddress(high: boolean, value: number): void {
    if (high) this.#dmaHigh = value
    else {
      const address = (this.#dmaHigh >>> 0) * 2 ** 32 + (value >>> 0)
      this.#dmaHigh = 0
      if (this.#memory !== undefined) this.#begin(this.#memory, address)
    }
  }

  /** Goes on with a DMA that was more than a slice. */
  resume(): void {
    if (this.#memory !== undefined && this.#transfer.left > 0) this.#goOn(this.#memory)
  }

  /** The state, as plain JSON. */
  snapshot(): FwCfgState {
    return {
      kind: 'fw_cfg',
      version: 2,
      selector: this.#selector,
      position: this.#position,
      dmaHigh: this.#dmaHigh >>> 0,
      ...this.#transfer,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    checkState('fw_cfg', 2, SHAPE, state)
    const saved = state as FwCfgState
    this.#selector = saved.selector
    this.#position = saved.position
    this.#dmaHigh = saved.dmaHigh | 0
    this.#transfer.left = saved.left
    this.#transfer.command = saved.command
    this.#transfer.address = saved.address
    if (saved.left > 0) this.#wait()
  }

  get #item(): Uint8Array | undefined {
    return this.#items.get(this.#selector & ~WRITE_CHANNEL)
  }

  /** The next byte of the item; beyond its end, 0. */
  #next(): number {
    const item = this.#item
    if (item === undefined || this.#position >= item.length) return 0
    return item[this.#position++]!
  }

  /** Begins one DMA command. All of it is in guest memory, big-endian: control, length, address. */
  #begin(memory: GuestMemory, command: number): void {
    // A command outside of memory has no place for its own error.
    if (!memory.contains(command, 16)) return
    const transfer = this.#transfer
    const control = big32(memory, command)
    const length = big32(memory, command + 4)
    const address = big32(memory, command + 8) * 2 ** 32 + big32(memory, command + 12)
    // Another CPU that does not wait for the first is refused: what is under way is one transfer, not a list.
    if (transfer.left > 0) {
      memory.write32(command, swap(Dma.error))
      return
    }
    if (control & Dma.select) this.select(control >>> 16)
    let failed = false
    if (control & Dma.read) {
      failed = !memory.contains(address, length)
      if (!failed) {
        transfer.command = command
        transfer.address = address
        transfer.left = length
        this.#goOn(memory)
        return
      }
    } else if (control & Dma.write) failed = true
    else if (control & Dma.skip) this.#position = Math.min(this.#position + length, this.#item?.length ?? 0)
    memory.write32(command, failed ? swap(Dma.error) : 0)
  }

  /** Moves what this slice has room for, and says so where that is the end: until then the command stands as it was. */
  #goOn(memory: GuestMemory): void {
    const transfer = this.#transfer
    const item = this.#item ?? NOTHING
    const zeros = new Uint8Array(Math.min(transfer.left, CHUNK))
    for (let slice = this.#later === undefined ? transfer.left : SLICE; transfer.left > 0 && slice > 0; ) {
      const most = Math.min(transfer.left, CHUNK, slice)
      const part = item.subarray(this.#position, this.#position + most)
      const piece = part.length > 0 ? part : zeros.subarray(0, most)
      // A saved state may be of another memory.
      if (!memory.contains(transfer.address, piece.length) || !memory.contains(transfer.command, 16)) {
        transfer.left = 0
        return
      }
      memory.write(transfer.address, piece)
      this.#position += part.length
      slice -= piece.length
      transfer.address += piece.length
      transfer.left -= piece.length
    }
    if (transfer.left > 0) this.#wait()
    else memory.write32(transfer.command, 0)
  }

  #wait(): void {
    if (this.#later === undefined) this.resume()
    else this.#later()
  }

  #addFiles(files: ReadonlyMap<string, Uint8Array>): void {
    if (files.size > MAX_FILES) throw new RangeError(`fw_cfg: ${files.size} files are over the limit of ${MAX_FILES}`)
    const directory = new DataView(new ArrayBuffer(4 + 64 * files.size))
    directory.setUint32(0, files.size)
    // By name: firmware prints the directory, and a listing should not depend on who added what when.
    const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
    for (const [i, [name, bytes]] of sorted.entries()) {
      if (!/^[\x21-\x7e]{1,55}$/.test(name)) throw new RangeError(`fw_cfg: ${JSON.stringify(name)} is no file name`)
      const at = 4 + i * 64
      directory.setUint32(at, bytes.length)
      directory.setUint16(at + 4, FIRST_FILE + i)
      for (const [j, byte] of ascii(name).entries()) directory.setUint8(at + 8 + j, byte)
      this.#items.set(FIRST_FILE + i, bytes)
    }
    this.#items.set(FwCfgItem.fileDirectory, new Uint8Array(directory.buffer))
  }
}

const NOTHING = new Uint8Array(0)

/** Bit of an item's number that asked for writing, long ago; QEMU ignores it. */
const WRITE_CHANNEL = 0x4000

const SHAPE = {
  selector: whole(0, 0xffff),
  position: whole(0, 2 ** 32),
  dmaHigh: whole(0, 0xffff_ffff),
  left: whole(0, 0xffff_ffff),
  command: whole(0, Number.MAX_SAFE_INTEGER),
  address: whole(0, Number.MAX_SAFE_INTEGER),
}

function ascii(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0))
}

function swap(value: number): number {
  return (value << 24) | ((value & 0xff00) << 8) | ((value >>> 8) & 0xff00) | (value >>> 24) | 0
}

function big32(memory: GuestMemory, address: number): number {
  return swap(memory.read32(address)) >>> 0
}

/** Little-endian view of big-endian registers: the first byte in memory is the most significant. */
export const fwCfgTable = registerTable<FwCfg>('fw_cfg', 0x18, [
  word('FW_CFG_SELECTOR', 0x08, {
    widths: [2],
    write: (device, _, value, mask) => {
      if (mask & 0xff) device.select(((value & 0xff) << 8) | ((value >>> 8) & 0xff))
    },
    narrow: 'lanes',
    restore: false,
  }),
  dword('FW_CFG_DMA', 0x10, {
    read: (device, index) => (device.hasDma ? DMA_SIGNATURE[index]! : 0),
    write: (device, index, value) => device.dmaAddress(index === 0, swap(value)),
    restore: false,
  }),
])
