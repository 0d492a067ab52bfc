/**
 * One of the two 16-bit chips of a bank of NOR flash: what its commands make of it, and what it answers when it does not read as
 * its contents. The contents, and the writes of a command that follow its first one, are the bank's.
 */

/** Bytes of both chips that one erase clears. */
export const BLOCK = 0x4_0000
/** 16-bit words that a chip's write buffer holds. */
export const BUFFER = 32

/** Commands that say what a chip answers from then on; F0 is the reset of AMD's set, which drivers send when they probe. */
const READS: Readonly<Record<number, Mode>> = {
  [0xff]: 'array',
  [0xf0]: 'array',
  [0x70]: 'status',
  [0x90]: 'id',
  [0x98]: 'cfi',
}
/** Commands of several writes: what the next one is for. */
const SEQUENCES: Readonly<Record<number, Expected>> = {
  [0x10]: 'word',
  [0x40]: 'word',
  [0x20]: 'erase',
  [0x60]: 'lock',
  [0xe8]: 'count',
}
const CLEAR_STATUS = 0x50
export const CONFIRM = 0xd0

const Status = { ready: 0x80, eraseError: 0x20, programError: 0x10 } as const
export const SEQUENCE_ERROR = Status.eraseError | Status.programError

/** What a chip answers to a read. */
export const modes = ['array', 'status', 'id', 'cfi'] as const
export type Mode = (typeof modes)[number]
/** What a chip takes the next write for. */
export const expectations = ['command', 'word', 'erase', 'lock', 'count', 'buffer', 'confirm'] as const
export type Expected = (typeof expectations)[number]

export interface Chip {
  mode: Mode
  expected: Expected
  status: number
  /** The block of a buffered write or an erase, as an offset in the bank. */
  block: number
  /** Words that the buffer still waits for. */
  left: number
  /** Offsets in the bank, and words to program there with the mask of the lanes that were written. */
  buffer: { offset: number; value: number; mask: number }[]
}

export function newChip(): Chip {
  return { mode: 'array', expected: 'command', status: Status.ready, block: 0, left: 0, buffer: [] }
}

export function blockOf(offset: number): number {
  return offset - (offset % BLOCK)
}

/** A first write. From the first write of several on, reads are status. */
export function command(chip: Chip, code: number, offset: number): void {
  const next = SEQUENCES[code]
  if (next !== undefined) {
    chip.expected = next
    chip.block = blockOf(offset)
    chip.mode = 'status'
  } else if (code === CLEAR_STATUS) chip.status = Status.ready
  else chip.mode = READS[code] ?? chip.mode
}

/** What a chip in another mode than array has on its 16 lines at this offset of the bank. */
export function answer(chip: Chip, offset: number, cfi: Uint8Array): number {
  if (chip.mode === 'status') return chip.status
  const word = Math.floor(offset / 4)
  if (chip.mode === 'cfi') return word < cfi.length ? cfi[word]! : 0
  // Manufacturer Intel, and QEMU's device number; the third word of a block is its lock: open.
  return [0x89, 0x18][word & 0xff] ?? 0
}

/** The query table of one chip, a byte for each of its words from 0 on (JEDEC JESD68). */
export function cfiTable(bankSize: number): Uint8Array {
  const table = new Uint8Array(0x40)
  const blocks = bankSize / BLOCK - 1
  const blockSize = BLOCK / 2 / 256
  table.set([0x51, 0x52, 0x59, 0x01, 0x00, 0x31, 0x00], 0x10)
  // Vcc 4.5 to 5.5 V; typical times, and their maxima as powers of two of them.
  table.set([0x45, 0x55, 0, 0, 7, 7, 10, 0, 4, 4, 4, 0], 0x1b)
  table.set([Math.log2(bankSize / 2), 1, 0, Math.log2(BUFFER * 2), 0, 1], 0x27)
  table.set([blocks & 0xff, blocks >> 8, blockSize & 0xff, blockSize >> 8], 0x2d)
  // The primary table of the command set: no optional features.
  table.set([0x50, 0x52, 0x49, 0x31, 0x30], 0x31)
  return table
}
