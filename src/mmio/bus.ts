/**
 * The I/O bus: disjoint address ranges, each owned by a device, found in constant time. Any number of ranges; changes take
 * effect whole or not at all. It does not know what a register is: a device sees an offset, a width and an initiator.
 */

import { Access, type AccessSize, type Device, type Initiator, swapBytes } from './access.ts'
import { defaultPolicy, Outcome, outcomeNames, type Policy, type Response } from './outcome.ts'
import { RangeIndex } from './range-index.ts'

const { ok: OK, unmapped: UNMAPPED, width: WIDTH } = Outcome

/** Physical addresses are at most 52 bits wide (DDI 0487, FEAT_LPA), which a JavaScript number holds exactly. */
const ADDRESS_LIMIT = 2 ** 52

/** How deep accesses may nest (a device, or an observer, that makes one while it answers one): the next is unmapped. */
const MAX_DEPTH = 8

/** A range to be put on a bus: addresses, and the device that answers there. */
export interface RangeSpec {
  /** First address, in bytes. */
  readonly base: number
  /** Length in bytes. */
  readonly size: number
  /** Answers every access that lies in the range as a whole. */
  readonly device: Device
  /** Name of the range in errors and listings; the device's own unless given. */
  readonly name?: string
}

/** A registered range: the handle to unregister or move it by. Its counters are the bus's own. */
export interface Range {
  /** First address, in bytes. */
  readonly base: number
  /** Length in bytes. */
  readonly size: number
  /** Answers there. */
  readonly device: Device
  /** As it was given; the device's unless it was. */
  readonly name: string
  /** Accesses that this range has answered since it was registered, refused ones included. */
  reads: number
  /** Writes that have come to it so far. */
  writes: number
}

/** A range as the bus keeps it. The method is found once: looking it up at each access would be megamorphic. */
interface Entry extends Range {
  readonly access: Device['access']
}

/** Two ranges claim one address; both owners are named. */
export class RangeConflictError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'RangeConflictError'
  /** The one that was to be registered. */
  readonly range: RangeSpec
  /** The one that is there, or that stands beside it in the same call. */
  readonly other: RangeSpec

  constructor(range: RangeSpec, other: RangeSpec) {
    super(`${describeRange(range)} overlaps ${describeRange(other)}`)
    this.range = range
    this.other = other
  }
}

/** Thrown for a refused access where the policy says 'throw'. */
export class AccessError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'AccessError'
  /** What the access came to. */
  readonly outcome: Outcome

  constructor(outcome: Outcome, address: number, access: Access) {
    const what = `${access.write ? 'write' : 'read'} of ${access.size} bytes at ${hex(address)} by CPU ${access.by.cpu}`
    super(`${what}: ${outcomeNames[outcome]}`)
    this.outcome = outcome
  }
}

/** Valid only during the call, as its access is: `range` is undefined where none holds the whole access. */
export type AccessObserver = (range: Range | undefined, access: Access, outcome: Outcome) => void

/**
 * A bus of disjoint ranges of addresses up to 2^52. It finds the device of an access in a time that does not grow
 * with their number, and does with an access that fails what its policy says. Changes of a group of ranges take
 * effect for all of them or for none.
 */
export class Bus {
  /** What the last access came to. */
  outcome: Outcome = Outcome.ok
  /** Bits 63:32 of the last 8-byte read, in `| 0` form. */
  high = 0
  /** Called after every access when set. */
  observer: AccessObserver | undefined

  readonly #index = new RangeIndex<Entry>()
  readonly #responses: readonly Response[]
  /** The record of the next access: the first of a chain that no access in flight uses. */
  #free = recordsOf(MAX_DEPTH)

  constructor(policy: Policy = defaultPolicy) {
    this.#responses = outcomeNames.map((name) => (name === 'ok' ? 'raz-wi' : (policy[name] ?? 'raz-wi')))
  }

  /**
   * A load of `size` bytes. Returns the value's low word in `| 0` form (zero-extended for 1 and 2 bytes); bits 63:32 of an
   * 8-byte load are in `high`. A refused load returns 0, `outcome` says why, and `aborts(outcome)` whether it is an abort.
   */
  read(address: number, size: AccessSize, by: Initiator): number {
    const access = this.#free
    access.write = false
    access.size = size
    access.by = by
    access.low = 0
    access.high = 0
    const outcome = this.#perform(address, access)
    this.outcome = outcome
    if (outcome !== OK) {
      this.high = 0
      return 0
    }
    if (by.bigEndian) swapBytes(access)
    this.high = size === 8 ? access.high | 0 : 0
    return size === 1 ? access.low & 0xff : size === 2 ? access.low & 0xffff : access.low | 0
  }

  /** A store of `size` bytes; `low` and `high` are the value's words (bits above `size` are ignored). Returns the outcome. */
  write(address: number, size: AccessSize, low: number, high: number, by: Initiator): Outcome {
    const access = this.#free
    access.write = true
    access.size = size
    access.by = by
    access.low = size === 1 ? low & 0xff : size === 2 ? low & 0xffff : low | 0
    access.high = size === 8 ? high | 0 : 0
    if (by.bigEndian) swapBytes(access)
    const outcome = this.#perform(address, access)
    this.outcome = outcome
    return outcome
  }

  /** Whether the policy turns this outcome into an external abort. */
  aborts(outcome: Outcome): boolean {
    return this.#responses[outcome] === 'abort'
  }

  /** A byte; what the policy gives for an access that fails. */
  read8(address: number, by: Initiator): number {
    return this.read(address, 1, by)
  }

  /** A half word, 0 to 0xffff. */
  read16(address: number, by: Initiator): number {
    return this.read(address, 2, by)
  }

  /** The value as an unsigned number. */
  read32(address: number, by: Initiator): number {
    return this.read(address, 4, by) >>> 0
  }

  /** A double word, as an unsigned bigint. Debuggers and tests: it allocates. */
  read64(address: number, by: Initiator): bigint {
    const low = this.read(address, 8, by)
    return (BigInt(this.high >>> 0) << 32n) | BigInt(low >>> 0)
  }

  /** Stores the low byte of `value`, and returns what the access came to. */
  write8(address: number, value: number, by: Initiator): Outcome {
    return this.write(address, 1, value, 0, by)
  }

  /** Stores the low half word of `value`, and returns what the access came to. */
  write16(address: number, value: number, by: Initiator): Outcome {
    return this.write(address, 2, value, 0, by)
  }

  /** Stores a word, and returns what the access came to. */
  write32(address: number, value: number, by: Initiator): Outcome {
    return this.write(address, 4, value, 0, by)
  }

  /** Stores a double word, and returns what the access came to. It allocates, as `read64` does. */
  write64(address: number, value: bigint, by: Initiator): Outcome {
    return this.write(address, 8, Number(BigInt.asIntN(32, value)), Number(BigInt.asIntN(32, value >> 32n)), by)
  }

  /**
   * Adds all of the ranges, or none: throws a RangeConflictError that names both owners, or a RangeError for a range that
   * is empty, misplaced or beyond 52 bits of address.
   */
  register(...specs: readonly RangeSpec[]): Range[] {
    return this.#replace([], specs)
  }

  /** As `register`, for a group that is too large to be arguments of a call. */
  registerAll(specs: readonly RangeSpec[]): Range[] {
    return this.#replace([], specs)
  }

  /** Removes all of the ranges, or none: throws a RangeError when one is not on this bus. */
  unregister(...ranges: readonly Range[]): void {
    this.#replace(ranges, [])
  }

  /** As `unregister`, for a group that is too large to be arguments of a call. */
  unregisterAll(ranges: readonly Range[]): void {
    this.#replace(ranges, [])
  }

  /** Moves all of the ranges by `distance` bytes, or none. Returns their new handles; the counters go on. */
  move(ranges: readonly Range[], distance: number): Range[] {
    const moved = this.#replace(
      ranges,
      ranges.map((range) => ({ ...range, base: range.base + distance })),
    )
    moved.forEach((range, i) => {
      range.reads = ranges[i]!.reads
      range.writes = ranges[i]!.writes
    })
    return moved
  }

  /** The range that holds this address, if any. */
  rangeAt(address: number): Range | undefined {
    const range = this.#index.find(address)
    return range !== undefined && address >= range.base && address < range.base + range.size ? range : undefined
  }

  /** Every range in the order of addresses. */
  ranges(): readonly Range[] {
    return this.#index.sorted
  }

  #perform(address: number, access: AccessRecord): Outcome {
    const { size, next } = access
    let outcome: Outcome = UNMAPPED
    const range = this.#index.find(address)
    let owner: Range | undefined
    access.address = address
    access.offset = 0
    if (size !== 4 && size !== 1 && size !== 8 && size !== 2) outcome = WIDTH
    if (next !== undefined) {
      // The observer may make accesses too, so this one's record is its own until the observer has returned.
      this.#free = next
      try {
        if (range !== undefined && outcome === UNMAPPED) {
          const offset = address - range.base
          if (offset >= 0 && offset + size <= range.size) {
            owner = range
            if (access.write) range.writes++
            else range.reads++
            access.offset = offset
            outcome = range.access.call(range.device, access) as Outcome
          }
        }
        if (this.observer !== undefined) this.observer(owner, access, outcome)
      } finally {
        this.#free = access
      }
    }
    if (outcome !== OK && this.#responses[outcome] === 'throw') {
      this.outcome = outcome
      throw new AccessError(outcome, address, access)
    }
    return outcome
  }

  #replace(removed: readonly Range[], specs: readonly RangeSpec[]): Range[] {
    for (const spec of specs) checkSpec(spec)
    const added: Entry[] = specs.map(({ base, size, device, name }) => ({
      base,
      size,
      device,
      access: device.access,
      name: name ?? device.name,
      reads: 0,
      writes: 0,
    }))
    // The index refuses whatever was not registered here, so all that it takes is an Entry.
    const conflict = this.#index.replace(removed as readonly Entry[], added)
    if (conflict) throw new RangeConflictError(conflict[0], conflict[1])
    return added
  }
}

/** One access in flight, and the record of an access that it makes in turn: none beyond the deepest. */
class AccessRecord extends Access {
  readonly next: AccessRecord | undefined

  constructor(next: AccessRecord | undefined) {
    super()
    this.next = next
  }
}

function recordsOf(depth: number): AccessRecord {
  let first = new AccessRecord(undefined)
  for (let i = 0; i < depth; i++) first = new AccessRecord(first)
  return first
}

function checkSpec(spec: RangeSpec): void {
  const { base, size } = spec
  if (
    !Number.isSafeInteger(base) ||
    base < 0 ||
    !Number.isSafeInteger(size) ||
    size <= 0 ||
    base + size > ADDRESS_LIMIT
  )
    throw new RangeError(
      `${describeRange(spec)}: a range starts at a whole address, is not empty, and ends within 52 bits of address`,
    )
}

function describeRange(spec: RangeSpec): string {
  return `${spec.name ?? spec.device.name} [${hex(spec.base)}, ${hex(spec.base + spec.size - 1)}]`
}

function hex(value: number): string {
  return Number.isSafeInteger(value) && value >= 0 ? `0x${value.toString(16).padStart(8, '0')}` : String(value)
}
