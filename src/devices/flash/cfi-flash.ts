/**
 * A bank of NOR flash as on QEMU's virt board: two 16-bit chips side by side on a 32-bit bus, with the Intel command set and
 * the CFI query. Operations take no time: status is always ready. Suspend, protection registers and locking are not modelled.
 * It has no registers, and so no table: every address takes commands, and reads as what its chip is in the mode for.
 */

import type { Access, Device } from '../../mmio/index.ts'
import { Outcome } from '../../mmio/index.ts'
import { SavedStateError } from '../saved-state.ts'
import {
  answer,
  BLOCK,
  BUFFER,
  blockOf,
  type Chip,
  CONFIRM,
  cfiTable,
  command,
  type Expected,
  expectations,
  modes,
  newChip,
  SEQUENCE_ERROR,
} from './cfi-chip.ts'
import { type CfiFlashState, checkFlash } from './cfi-flash-state.ts'

/** What a bank of flash is made with. */
export interface CfiFlashOptions {
  /** Stands in errors, and in what lists a bus. */
  name?: string
  /** Length of the bank in bytes: a power of two from 256 KiB on; 64 MiB unless given. */
  size?: number
  /** Contents from the start on. Not copied until it is changed, and never changed itself. */
  contents?: Uint8Array
  /** What each byte behind the contents is: erased, 0xff, unless given. */
  blank?: number
  /** Writes have no effect at all, not as commands either, as for a ROM. */
  readOnly?: boolean
  /** Called when reads begin or cease to be plain contents: the time to map or unmap the bank as memory. */
  plainChanged?: (plain: boolean) => void
  /** Called when contents changed. */
  written?: (offset: number, length: number) => void
}

export class CfiFlash implements Device {
  /** As it was made with. */
  readonly name: string
  /** Length of the bank in bytes. */
  readonly size: number
  /** Programming and erasing fail. */
  readonly readOnly: boolean

  readonly #contents: Uint8Array
  readonly #blank: number
  /** Blocks that were programmed or erased, by number. */
  readonly #changed = new Map<number, Uint8Array>()
  readonly #chips: readonly [Chip, Chip] = [newChip(), newChip()]
  readonly #cfi: Uint8Array
  readonly #options: CfiFlashOptions
  #plain = true

  /** Throws a RangeError for contents larger than the bank, or a bank of an odd size. */
  constructor(options: CfiFlashOptions = {}) {
    this.name = options.name ?? 'flash'
    this.size = options.size ?? 0x400_0000
    this.readOnly = options.readOnly ?? false
    this.#options = options
    this.#contents = options.contents ?? new Uint8Array(0)
    this.#blank = options.blank ?? 0xff
    if (!Number.isInteger(Math.log2(this.size / BLOCK)) || this.size < BLOCK || this.size > 2 ** 34)
      throw new RangeError(`${this.name}: ${this.size} bytes are not ${BLOCK} times a power of two`)
    if (this.#contents.length > this.size)
      throw new RangeError(`${this.name}: contents of ${this.#contents.length} bytes do not fit ${this.size}`)
    this.#cfi = cfiTable(this.size)
  }

  /** Whether reads are plain contents now: neither chip is in another mode. */
  get plain(): boolean {
    return this.#plain
  }

  /** Back to reading contents, which stay. */
  reset(): void {
    for (const chip of this.#chips) Object.assign(chip, newChip())
    this.#settle()
  }

  /** Contents of the bank from `offset` on, whatever mode the chips are in. */
  read(offset: number, into: Uint8Array): void {
    for (let done = 0; done < into.length; ) {
      const at = offset + done
      const part = into.subarray(done, done + BLOCK - (at % BLOCK))
      const changed = this.#changed.get(Math.floor(at / BLOCK))
      if (changed !== undefined) part.set(changed.subarray(at % BLOCK, (at % BLOCK) + part.length))
      else {
        const contents = this.#contents.subarray(at, at + part.length)
        part.fill(this.#blank, contents.length)
        part.set(contents)
      }
      done += part.length
    }
  }

  /** Puts bytes in as they are, as a programmer does that has the chips in its socket. */
  load(offset: number, bytes: Uint8Array): void {
    if (offset + bytes.length > this.size)
      throw new RangeError(`${this.name}: ${bytes.length} bytes do not fit at ${offset}`)
    for (let done = 0; done < bytes.length; ) {
      const at = offset + done
      const part = bytes.subarray(done, done + BLOCK - (at % BLOCK))
      this.#block(Math.floor(at / BLOCK)).set(part, at % BLOCK)
      done += part.length
    }
    this.#options.written?.(offset, bytes.length)
  }

  /** An access on the bus: a read of contents, status or identification, or a command. */
  access(access: Access): number {
    const { offset, size } = access
    if (offset % size !== 0) return Outcome.misaligned
    if (!access.write) {
      access.low = this.#readWord(offset, Math.min(size, 4))
      if (size === 8) access.high = this.#readWord(offset + 4, 4)
      return Outcome.ok
    }
    if (this.readOnly) return Outcome.ok
    this.#writeWord(offset, Math.min(size, 4), access.low)
    if (size === 8) this.#writeWord(offset + 4, 4, access.high)
    this.#settle()
    return Outcome.ok
  }

  /** The state, as plain JSON. */
  snapshot(): CfiFlashState {
    return {
      kind: 'CFI flash',
      version: 1,
      blocks: [...this.#changed].sort(([a], [b]) => a - b).map(([index, bytes]) => ({ index, bytes: toHex(bytes) })),
      chips: this.#chips.map(({ mode, expected, status, block, left, buffer }) => ({
        mode: modes.indexOf(mode),
        expected: expectations.indexOf(expected),
        status,
        block,
        left,
        buffer: buffer.map((word) => ({ ...word })),
      })),
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    const saved = checkFlash(state)
    const fits = ({ index, bytes }: { index: number; bytes: string }) =>
      index < this.size / BLOCK && bytes.length === BLOCK * 2
    if (!saved.blocks.every(fits)) throw new SavedStateError('saved state of CFI flash: a block does not fit this bank')
    if (saved.chips.length !== 2) throw new SavedStateError('saved state of CFI flash: a bank has 2 chips')
    for (const { block, buffer } of saved.chips)
      if (block >= this.size || buffer.some(({ offset }) => offset >= this.size))
        throw new SavedStateError('saved state of CFI flash: an offset is beyond this bank')
    this.#changed.clear()
    for (const { index, bytes } of saved.blocks) this.#changed.set(index, fromHex(bytes))
    for (const [i, { mode, expected, ...rest }] of saved.chips.entries())
      Object.assign(this.#chips[i]!, {
        ...rest,
        mode: modes[mode]!,
        expected: expectations[expected]!,
        buffer: rest.buffer.map((word) => ({ ...word })),
      })
    this.#settle()
  }

  #byte(offset: number): number {
    const changed = this.#changed.get(Math.floor(offset / BLOCK))
    if (changed !== undefined) return changed[offset % BLOCK]!
    return offset < this.#contents.length ? this.#contents[offset]! : this.#blank
  }

  #readWord(offset: number, size: number): number {
    let value = 0
    for (let i = 0; i < size; i++) {
      const chip = this.#chips[((offset + i) >>> 1) & 1]!
      const byte =
        chip.mode === 'array'
          ? this.#byte(offset + i)
          : (answer(chip, offset, this.#cfi) >>> (((offset + i) & 1) * 8)) & 0xff
      value |= byte << (i * 8)
    }
    return value
  }

  /** Gives each chip the half of a write that is on its lines. */
  #writeWord(offset: number, size: number, value: number): void {
    if (size === 4) {
      this.#write(this.#chips[0], offset, value & 0xffff, 0xffff)
      this.#write(this.#chips[1], offset + 2, value >>> 16, 0xffff)
      return
    }
    const shift = (offset & 1) * 8
    const mask = size === 2 ? 0xffff : 0xff << shift
    this.#write(this.#chips[(offset >>> 1) & 1]!, offset & ~1, (value << shift) & mask, mask)
  }

  /** One write to one chip; `offset` is that of the chip's 16-bit word in the bank, `mask` the lanes of it that are driven. */
  #write(chip: Chip, offset: number, value: number, mask: number): void {
    const expected = chip.expected
    if (expected === 'command') {
      if (mask & 0xff) command(chip, value & 0xff, offset)
      return
    }
    chip.expected = this.#follow(chip, expected, offset, value, mask)
  }

  /** A write within a command of several; returns what the next one is for. */
  #follow(chip: Chip, expected: Expected, offset: number, value: number, mask: number): Expected {
    const confirmed = (value & 0xff) === CONFIRM
    if (expected === 'word') this.#program(offset, value, mask)
    else if (expected === 'erase') {
      if (confirmed) this.#erase(chip, offset)
      else chip.status |= SEQUENCE_ERROR
    } else if (expected === 'count') {
      chip.left = value + 1
      chip.block = blockOf(offset)
      chip.buffer = []
      if (chip.left <= BUFFER) return 'buffer'
      chip.status |= SEQUENCE_ERROR
    } else if (expected === 'buffer') {
      chip.buffer.push({ offset, value, mask })
      chip.left--
      return chip.left > 0 ? 'buffer' : 'confirm'
    } else if (expected === 'confirm') {
      // A buffer is for one block; what is beyond it spoils the whole, and nothing is programmed.
      if (confirmed && chip.buffer.every((word) => blockOf(word.offset) === chip.block))
        for (const word of chip.buffer) this.#program(word.offset, word.value, word.mask)
      else chip.status |= SEQUENCE_ERROR
      chip.buffer = []
    }
    return 'command'
  }

  /** Flash programs by clearing bits; only an erase sets them. */
  #program(offset: number, value: number, mask: number): void {
    const bytes = this.#block(Math.floor(offset / BLOCK))
    const at = offset % BLOCK
    bytes[at]! &= value | ~mask
    bytes[at + 1]! &= (value | ~mask) >> 8
    this.#options.written?.(offset, 2)
  }

  /** Erases this chip's half of a block: every other 16 bits. */
  #erase(chip: Chip, offset: number): void {
    const block = blockOf(offset)
    const bytes = this.#block(block / BLOCK)
    for (let i = this.#chips.indexOf(chip) * 2; i < BLOCK; i += 4) {
      bytes[i] = 0xff
      bytes[i + 1] = 0xff
    }
    this.#options.written?.(block, BLOCK)
  }

  /** The block's own copy. */
  #block(index: number): Uint8Array {
    let bytes = this.#changed.get(index)
    if (bytes === undefined) {
      bytes = new Uint8Array(BLOCK).fill(this.#blank)
      bytes.set(this.#contents.subarray(index * BLOCK, (index + 1) * BLOCK))
      this.#changed.set(index, bytes)
    }
    return bytes
  }

  #settle(): void {
    const plain = this.#chips.every((chip) => chip.mode === 'array')
    if (plain === this.#plain) return
    this.#plain = plain
    this.#options.plainChanged?.(plain)
  }
}

function toHex(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += byte.toString(16).padStart(2, '0')
  return text
}

function fromHex(text: string): Uint8Array {
  return Uint8Array.from({ length: text.length / 2 }, (_, i) => Number.parseInt(text.slice(i * 2, i * 2 + 2), 16))
}
