/**
 * Doorbells in the style of KVM's ioeventfd: a write of the right width and value at the right place calls a function, and
 * goes no further. They stand before a device (or nothing) and pass on what is not theirs. They keep no register state.
 */

import type { Access, AccessSize, Device } from './access.ts'
import { Outcome } from './outcome.ts'

/** A write that rings: where, how wide, and which value, where it is to be one. */
export interface Doorbell {
  /** Named in a conflict. */
  readonly name: string
  /** From the base of the range, in bytes; a write must start exactly here. */
  readonly offset: number
  /** Width of the write in bytes. */
  readonly size: AccessSize | 'any'
  /** Only this value rings it: a whole number that `size` holds, unsigned. Not together with `any`. */
  readonly match?: number | bigint
  /** Called with the write; the access is valid only during the call. */
  readonly ring: (access: Access) => void
}

/** Two doorbells would answer one write; both are named. */
export class DoorbellConflictError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'DoorbellConflictError'
}

/** A doorbell with its match as the two words that an access carries. */
interface Placed {
  readonly bell: Doorbell
  readonly matched: boolean
  readonly low: number
  readonly high: number
}

export class Doorbells implements Device {
  /** Stands in errors, and in what lists a bus. */
  readonly name: string
  readonly #behind: Device | undefined
  /** By offset. */
  readonly #places = new Map<number, Placed[]>()

  /** What no doorbell takes goes to `behind`; without one it is refused. */
  constructor(name: string, behind?: Device) {
    this.name = name
    this.#behind = behind
  }

  /** Throws a DoorbellConflictError when a write could ring this one and one that is there, a RangeError for a bad match. */
  add(bell: Doorbell): void {
    const placed = place(bell)
    const there = this.#places.get(bell.offset) ?? []
    const other = there.find((one) => bothRing(one, placed))
    if (other !== undefined)
      throw new DoorbellConflictError(
        `${this.name}: doorbells ${bell.name} and ${other.bell.name} at offset 0x${bell.offset.toString(16)} would ring together`,
      )
    there.push(placed)
    this.#places.set(bell.offset, there)
  }

  /** Throws a RangeError when it is not here. */
  remove(bell: Doorbell): void {
    const there = this.#places.get(bell.offset)
    const at = there?.findIndex((placed) => placed.bell === bell) ?? -1
    if (there === undefined || at < 0) throw new RangeError(`${this.name}: doorbell ${bell.name} is not here`)
    there.splice(at, 1)
    if (there.length === 0) this.#places.delete(bell.offset)
  }

  /** Rings where a doorbell matches, and passes every other access on to the device behind. */
  access(access: Access): number {
    const there = this.#places.get(access.offset)
    if (there !== undefined && access.write)
      for (let i = 0; i < there.length; i++) {
        const placed = there[i]!
        if (placed.bell.size !== 'any' && placed.bell.size !== access.size) continue
        if (placed.matched && (placed.low !== access.low || placed.high !== access.high)) continue
        placed.bell.ring(access)
        return Outcome.ok
      }
    if (this.#behind !== undefined) return this.#behind.access(access)
    return there !== undefined && !access.write ? Outcome.mode : Outcome.reserved
  }
}

function place(bell: Doorbell): Placed {
  const { name, offset, size, match } = bell
  if (!Number.isSafeInteger(offset) || offset < 0)
    throw new RangeError(`doorbell ${name}: ${offset} is no offset in a range`)
  if (match === undefined) return { bell, matched: false, low: 0, high: 0 }
  if (size === 'any') throw new RangeError(`doorbell ${name}: a match needs a width`)
  if (typeof match === 'number' && !Number.isSafeInteger(match))
    throw new RangeError(`doorbell ${name}: ${match} is no whole number`)
  const value = BigInt(match)
  if (value < 0n || value >= 1n << BigInt(size * 8))
    throw new RangeError(`doorbell ${name}: ${match} does not fit ${size} bytes`)
  return {
    bell,
    matched: true,
    low: Number(BigInt.asIntN(32, value)),
    high: Number(BigInt.asIntN(32, value >> 32n)),
  }
}

function bothRing(a: Placed, b: Placed): boolean {
  if (a.bell.size !== 'any' && b.bell.size !== 'any' && a.bell.size !== b.bell.size) return false
  return !a.matched || !b.matched || (a.low === b.low && a.high === b.high)
}
