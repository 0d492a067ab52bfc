/**
 * A frame: one register table bound to one device. It carries an access from offset to handler (alignment, row, width,
 * mode, security, lanes) and has the three doors of a register: access, peek, and save with restore. It knows neither addresses nor buses;
 * `wire` gives the ranges to register, one for the frame or one for each register group.
 */

import type { Access, AccessSize, Device, Initiator } from './access.ts'
import { extractLanes, laneMask } from './access.ts'
import type { RangeSpec } from './bus.ts'
import { EFFECT, FIGURES, READ, SECURE, START, WRITE } from './gates.ts'
import { Outcome } from './outcome.ts'
import type { ReadHandler, Row, WriteHandler } from './register.ts'
import { type RegisterTable, rowSize } from './register-table.ts'

const { ok: OK, width: WIDTH, misaligned: MISALIGNED, reserved: RESERVED, mode: MODE, denied: DENIED } = Outcome

/** One bus range for the whole frame, or one for each row of its table (and for each gap between rows). */
export type Wiring = 'frame' | 'group'

/** What a frame does beside its table's handlers. */
export interface FrameOptions<D> {
  /** Name on the bus; the table's unless given. */
  name?: string
  /** Registers marked Secure are hidden from Non-secure accesses; without it a frame has no Security states. */
  security?: boolean
  /** Called once after an access that may have changed state: where a device brings its outputs up to date. */
  settle?: (device: D) => void
  /** Called when the frame is wired to a base address: where a device learns what it needs of its place on the bus. */
  wired?: (device: D, base: number) => void
  /** Called after an access that was refused: where a device records it, as GICD_STATUSR does. */
  refused?: (device: D, access: Access, outcome: Outcome) => void
}

/** A word of a frame's state, and who saves and restores it: a Secure initiator sees all of it. */
export interface StateWord {
  /** In bytes, from the base of the frame. */
  readonly offset: number
  /** The CPU whose copy it is; 0 where there is one for all. */
  readonly cpu: number
  /** Saved and restored by a Secure initiator, or by a Non-secure one. */
  readonly secure: boolean
}

/** Called after each access of a frame, with the row that answered if there is one. The access is valid only during the call. */
export type FrameObserver<D> = (frame: Frame<D>, row: Row<D> | undefined, access: Access, outcome: Outcome) => void

/**
 * One register table bound to one device: what a bus calls, and the doors of a debugger (`peek`) and of save and
 * restore.
 */
export class Frame<D> implements Device {
  /** The table's, unless it was given another. */
  readonly name: string
  /** What the frame was made from. */
  readonly table: RegisterTable<D>
  /** What the table's handlers get. */
  readonly device: D
  /** Called after every access when set. */
  observer: FrameObserver<D> | undefined
  /** Registers marked Secure are hidden from Non-secure accesses. A device with a switch for that (GICD_CTLR.DS) sets it. */
  security: boolean

  readonly #rows: readonly Row<D>[]
  readonly #map: Uint16Array
  readonly #figures: Int32Array
  readonly #readers: readonly ReadHandler<D>[]
  readonly #writers: readonly WriteHandler<D>[]
  readonly #settle: ((device: D) => void) | undefined
  readonly #wired: ((device: D, base: number) => void) | undefined
  readonly #refused: ((device: D, access: Access, outcome: Outcome) => void) | undefined

  /** The table alone says what D is: `this` of a class that may be extended is a device of its table. */
  constructor(table: RegisterTable<D>, device: NoInfer<D>, options: FrameOptions<D> = {}) {
    this.name = options.name ?? table.name
    this.table = table
    this.device = device
    this.#rows = table.rows
    this.#map = table.map
    this.#figures = table.gates.figures
    this.#readers = table.gates.read
    this.#writers = table.gates.write
    this.security = options.security ?? false
    this.#settle = options.settle
    this.#wired = options.wired
    this.#refused = options.refused
  }

  /** Length in bytes. */
  get size(): number {
    return this.table.size
  }

  /** Carries one access out, from its offset to the handler, and returns what it came to. */
  access(access: Access): Outcome {
    return this.#perform(this.#map[access.offset >>> 2] ?? 0, access)
  }

  /**
   * What a read of `size` bytes would return, in `| 0` form, without any effect; the high word of an 8-byte one is at
   * offset + 4. A register that an access could not read (write-only, hidden, absent) peeks as 0.
   */
  peek(offset: number, size: 1 | 2 | 4, by: Initiator): number {
    const row = this.table.at(offset)?.row
    if (row === undefined || row.mode === 'WO' || (this.security && row.secure && !by.secure)) return 0
    return extractLanes(row.peek(this.device, (offset - row.offset) >>> 2, by) | 0, offset, size)
  }

  /**
   * The word that `restore` takes back: a peek's, but for registers that show more than their own state, or less. A pending
   * bit of GICD_ISPENDR is saved without the level of its line, which is saved apart.
   */
  save(offset: number, by: Initiator): number {
    const row = this.table.at(offset)?.row
    if (row === undefined || (this.security && row.secure && !by.secure)) return 0
    return row.save(this.device, (offset - row.offset) >>> 2, by) | 0
  }

  /** Every word that `restore` puts back: with each CPU, and each Security state, that has a copy of it. */
  *stateWords(cpus: number): Generator<StateWord> {
    for (const row of this.#rows) {
      if (!row.carriesState) continue
      for (let index = 0; index < rowSize(row) / 4; index++)
        for (let cpu = 0; cpu < (index < row.cpuWords ? cpus : 1); cpu++)
          for (const secure of row.securityCopies ? [true, false] : [true])
            yield { offset: row.offset + index * 4, cpu, secure }
    }
  }

  /** Puts a saved word back. Order does not matter to a device, and no side effect of a write happens. */
  restore(offset: number, value: number, by: Initiator): Outcome {
    if (offset & 3) return Outcome.misaligned
    const row = this.table.at(offset)?.row
    if (row === undefined) return Outcome.reserved
    if (this.security && row.secure && !by.secure) return Outcome.denied
    row.restore(this.device, (offset - row.offset) >>> 2, value | 0, -1, by)
    this.#settle?.(this.device)
    return Outcome.ok
  }

  /**
   * The ranges to put on a bus so that this frame answers from `base` on. Both wirings answer every access that lies in one
   * register group alike. An access across two groups lies in no one range: in group wiring the bus says `unmapped` where
   * the frame says `misaligned`, `width` or `reserved`.
   */
  wire(base: number, wiring: Wiring = 'frame'): RangeSpec[] {
    // A register's alignment on the bus is that in its frame only where the frame is aligned: to its size, up to a page.
    const alignment = Math.min(4096, 2 ** Math.floor(Math.log2(this.size)))
    if (base % alignment !== 0)
      throw new RangeError(`${this.name}: base 0x${base.toString(16)} is not a multiple of 0x${alignment.toString(16)}`)
    this.#wired?.(this.device, base)
    if (wiring === 'frame') return [{ base, size: this.size, device: this }]
    const ranges: RangeSpec[] = []
    let end = 0
    const gapUpTo = (offset: number) => {
      if (offset > end) ranges.push(this.#group(base, end, offset - end, `${this.name} (reserved)`))
    }
    for (const row of this.#rows) {
      gapUpTo(row.offset)
      end = row.offset + rowSize(row)
      ranges.push(this.#group(base, row.offset, rowSize(row), row.name))
    }
    gapUpTo(this.size)
    return ranges
  }

  #group(base: number, offset: number, size: number, name: string): RangeSpec {
    const number = this.#map[offset >>> 2] ?? 0
    const device: Device = { name, access: (access) => this.#shifted(number, access, offset) }
    return { base: base + offset, size, device }
  }

  /** The thread's proposal: the bus has found the register group already, so there is nothing to look up. */
  #shifted(number: number, access: Access, origin: number): Outcome {
    access.offset += origin
    const outcome = this.#perform(number, access)
    access.offset -= origin
    return outcome
  }

  /** An access of row `number` - 1, or of none where that is 0. */
  #perform(number: number, access: Access): Outcome {
    const { offset, size, by, write } = access
    const figures = this.#figures
    const own = number << FIGURES
    const gate = figures[own | (write ? WRITE : READ)]!
    if ((gate & size) === 0 || (offset & (size - 1)) !== 0 || ((gate & SECURE) !== 0 && this.security && !by.secure))
      return this.#refuse(number, access)
    const index = (offset - figures[own | START]!) >>> 2
    if (write) {
      const writer = this.#writers[number]!
      if (size === 4) writer(this.device, index, access.low, -1, by)
      else this.#write(writer, index, access)
    } else {
      const reader = this.#readers[number]!
      if (size === 4) access.low = reader(this.device, index, by) | 0
      else this.#read(reader, index, access)
    }
    if ((gate & EFFECT) !== 0 && this.#settle !== undefined) this.#settle(this.device)
    if (this.observer !== undefined) this.observer(this, this.#rows[number - 1], access, OK)
    return OK
  }

  /** Of any width but 4 bytes. */
  #read(read: ReadHandler<D>, index: number, access: Access): void {
    const { size, by } = access
    const low = read(this.device, index, by)
    if (size === 8) {
      access.low = low | 0
      access.high = read(this.device, index + 1, by) | 0
    } else access.low = extractLanes(low, access.offset, size)
  }

  /** Of any width but 4 bytes. */
  #write(write: WriteHandler<D>, index: number, access: Access): void {
    const { size, by } = access
    if (size === 8) {
      write(this.device, index, access.low, -1, by)
      write(this.device, index + 1, access.high, -1, by)
    } else this.#writeLanes(write, index, access, size)
  }

  #writeLanes(write: WriteHandler<D>, index: number, access: Access, size: AccessSize): void {
    const { offset } = access
    write(this.device, index, access.low << ((offset & 3) * 8), laneMask(offset, size), access.by)
  }

  /** Says why a gate is closed, in the order in which the checks count. */
  #refuse(number: number, access: Access): Outcome {
    const { offset, size } = access
    const row = this.#rows[number - 1]
    const outcome =
      (offset & (size - 1)) !== 0
        ? MISALIGNED
        : row === undefined
          ? RESERVED
          : (row.widths & size) === 0
            ? WIDTH
            : row.mode === (access.write ? 'RO' : 'WO')
              ? MODE
              : DENIED
    if (this.#refused !== undefined) this.#refused(this.device, access, outcome)
    if (this.observer !== undefined) this.observer(this, row, access, outcome)
    return outcome
  }
}
