/**
 * Snapshots as plain JSON with a schema: a table of named parts, each of which knows how to save itself, how to check what
 * it is given, and how to take it over. A snapshot is checked whole before any of it is taken over.
 */

/** What is wrong with a snapshot: names the part. */
export class SnapshotError extends Error {
  override readonly name = 'SnapshotError'
}

export interface Part {
  save(): unknown
  /** Throws a SnapshotError, naming `where`, when the value is not one that this part could have saved. */
  check(value: unknown, where: string): void
  load(value: unknown): void
}

export type Schema = Readonly<Record<string, Part>>

type WordArray = Int32Array | Uint8Array | Float64Array

/**
 * A typed array, saved as its numbers; words in `| 0` form are saved unsigned. `allowed` gives the bits that element `i` may
 * have: all unless given. `limit` is the greatest value of an element: what the array can hold unless given.
 */
export function array(words: WordArray, allowed?: (i: number) => number, limit?: number): Part {
  const least = 0
  const most = limit ?? (words instanceof Uint8Array ? 0xff : words instanceof Int32Array ? 0xffff_ffff : 2 ** 53 - 1)
  return {
    save: () => Array.from(words, (value) => (words instanceof Int32Array ? value >>> 0 : value)),
    check: (value, where) => {
      if (!Array.isArray(value) || value.length !== words.length)
        throw new SnapshotError(`${where}: expected an array of ${words.length} numbers`)
      for (const [i, each] of value.entries()) {
        checkInteger(each, least, most, `${where}[${i}]`)
        if (allowed !== undefined) checkBits(each, allowed(i), `${where}[${i}]`)
      }
    },
    load: (value) => {
      for (const [i, each] of (value as number[]).entries()) words[i] = each
    },
  }
}

/** A whole number in a range, behind a getter and a setter; `allowed` gives the bits that it may have. */
export function integer(
  get: () => number,
  set: (value: number) => void,
  least: number,
  most: number,
  allowed = -1,
): Part {
  return {
    save: get,
    check: (value, where) => {
      checkInteger(value, least, most, where)
      checkBits(value, allowed, where)
    },
    load: (value) => set(value as number),
  }
}

export function flag(get: () => boolean, set: (value: boolean) => void): Part {
  return {
    save: get,
    check: (value, where) => {
      if (typeof value !== 'boolean') throw new SnapshotError(`${where}: expected true or false`)
    },
    load: (value) => set(value as boolean),
  }
}

/** Named parts in one. */
export function group(schema: Schema): Part {
  return {
    save: () => Object.fromEntries(Object.entries(schema).map(([name, part]) => [name, part.save()])),
    check: (value, where) => {
      const given = checkRecord(value, where)
      for (const name of Object.keys(given))
        if (!Object.hasOwn(schema, name)) throw new SnapshotError(`${where}.${name}: no such part`)
      for (const [name, part] of Object.entries(schema)) {
        if (!Object.hasOwn(given, name)) throw new SnapshotError(`${where}.${name}: missing`)
        part.check(given[name], `${where}.${name}`)
      }
    },
    load: (value) => {
      const given = value as Record<string, unknown>
      for (const [name, part] of Object.entries(schema)) part.load(given[name])
    },
  }
}

/** A part whose values have more to be than each by itself: `further` throws a SnapshotError where they cannot be together. */
export function refined<T>(part: Part, further: (value: T, where: string) => void): Part {
  return {
    ...part,
    check: (value, where) => {
      part.check(value, where)
      further(value as T, where)
    },
  }
}

/** GICD_NSACR is kept as 'at least 1', 'at least 2' and '3': each level has the ones above it. */
export function checkAccessLevels(levels: readonly (readonly number[])[], where: string): void {
  for (const level of [1, 2])
    for (const [i, bits] of levels[level]!.entries())
      if (bits & ~levels[level - 1]![i]!)
        throw new SnapshotError(`${where}[${level}][${i}]: grants what ${where}[${level - 1}][${i}] does not`)
}

/** A fixed number of like parts. */
export function list(parts: readonly Part[]): Part {
  return {
    save: () => parts.map((part) => part.save()),
    check: (value, where) => {
      if (!Array.isArray(value) || value.length !== parts.length)
        throw new SnapshotError(`${where}: expected an array of ${parts.length}`)
      for (const [i, part] of parts.entries()) part.check(value[i], `${where}[${i}]`)
    },
    load: (value) => {
      for (const [i, part] of parts.entries()) part.load((value as unknown[])[i])
    },
  }
}

/** A value that must be as given, in any order of its keys: a format's name, its version, a configuration. */
export function exactly(expected: unknown, what: string): Part {
  const text = JSON.stringify(expected)
  const plain = JSON.parse(text) as unknown
  return {
    save: () => structuredClone(plain),
    check: (value, where) => checkSame(value, plain, where, what),
    load: () => {},
  }
}

/** Walks what is expected, not what is given: a snapshot may be as deep, or as circular, as it likes. */
function checkSame(value: unknown, expected: unknown, where: string, what: string): void {
  if (typeof expected !== 'object' || expected === null) {
    if (value !== expected)
      throw new SnapshotError(
        `${where}: ${what} is ${JSON.stringify(expected)} here, and ${brief(value)} in the snapshot`,
      )
    return
  }
  const given = Array.isArray(expected) ? checkList(value, where, expected.length) : checkRecord(value, where)
  for (const name of Object.keys(given))
    if (!Object.hasOwn(expected, name))
      throw new SnapshotError(
        `${where}.${name}: ${what} has no such part here, and ${brief(given[name])} in the snapshot`,
      )
  for (const [name, each] of Object.entries(expected))
    checkSame(Object.hasOwn(given, name) ? given[name] : undefined, each, `${where}.${name}`, what)
}

function brief(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40))
  if (value === undefined) return 'nothing'
  return typeof value === 'object' && value !== null ? 'an object' : String(value)
}

function checkRecord(value: unknown, where: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new SnapshotError(`${where}: expected an object`)
  return value as Record<string, unknown>
}

function checkList(value: unknown, where: string, length: number): Record<string, unknown> {
  if (!Array.isArray(value) || value.length !== length)
    throw new SnapshotError(`${where}: expected an array of ${length}`)
  return value as unknown as Record<string, unknown>
}

function checkBits(value: number, allowed: number, where: string): void {
  const extra = (value & ~allowed) >>> 0
  if (extra !== 0) throw new SnapshotError(`${where}: bits 0x${extra.toString(16)} cannot be set in this configuration`)
}

export function checkInteger(value: unknown, least: number, most: number, where: string): asserts value is number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < least || value > most)
    throw new SnapshotError(`${where}: expected a whole number from ${least} to ${most}`)
}
