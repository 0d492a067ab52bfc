/**
 * Saved state of a device as plain JSON, and the check that it is what it says before any of it is used. A state is an object
 * of numbers, booleans, short strings and lists of them, with `kind` and `version`. It is not a file format.
 */

/** Saved state that cannot be restored: says where and why. */
export class SavedStateError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'SavedStateError'
}

/** Says what is wrong with a value, or nothing. */
export type Check = (value: unknown) => string | undefined

/** Every key of a state, with the check of its value. */
export type Shape = Readonly<Record<string, Check>>

export function whole(min: number, max: number): Check {
  return (value) =>
    typeof value === 'number' && Number.isSafeInteger(value) && value >= min && value <= max
      ? undefined
      : `must be a whole number from ${min} to ${max}`
}

/** A register's 32-bit value, unsigned. */
export const word32 = whole(0, 0xffff_ffff)

export const flag: Check = (value) => (typeof value === 'boolean' ? undefined : 'must be true or false')

/** Hexadecimal text of at most `max` bytes: how a state carries contents. */
export function hexBytes(max: number): Check {
  return (value) =>
    typeof value === 'string' && value.length <= max * 2 && /^([0-9a-f]{2})*$/.test(value)
      ? undefined
      : `must be at most ${max} bytes in hexadecimal`
}

export function list(each: Check, maxLength: number): Check {
  return (value) => {
    if (!Array.isArray(value) || value.length > maxLength) return `must be a list of at most ${maxLength}`
    for (const [i, item] of value.entries()) {
      const fault = each(item)
      if (fault !== undefined) return `[${i}] ${fault}`
    }
    return undefined
  }
}

/** A time of which it may be that there is none. */
export const timeOrNull: Check = (value) =>
  value === null || (typeof value === 'number' && Number.isFinite(value)) ? undefined : 'must be null or a time'

/** A state within a state. */
export function object(shape: Shape): Check {
  return (value) => faultOf(value, shape)
}

/** Throws a SavedStateError unless `state` is of this kind and version and has exactly the keys of `shape`, each as it must be. */
export function checkState(kind: string, version: number, shape: Shape, state: unknown): void {
  const refuse = (why: string): never => {
    throw new SavedStateError(`saved state of ${kind}: ${why}`)
  }
  if (typeof state !== 'object' || state === null || Array.isArray(state)) refuse('is no object')
  const { kind: itsKind, version: itsVersion, ...rest } = state as Record<string, unknown>
  if (itsKind !== kind) refuse(`is of kind ${JSON.stringify(itsKind)}`)
  if (itsVersion !== version) refuse(`has version ${JSON.stringify(itsVersion)}, and ${version} is supported`)
  const fault = faultOf(rest, shape)
  if (fault !== undefined) refuse(fault)
}

function faultOf(value: unknown, shape: Shape): string | undefined {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'must be an object'
  for (const key of Object.keys(value))
    if (!Object.hasOwn(shape, key)) return `has an unknown key ${JSON.stringify(key)}`
  for (const [key, check] of Object.entries(shape)) {
    if (!Object.hasOwn(value, key)) return `lacks ${key}`
    const fault = check((value as Record<string, unknown>)[key])
    if (fault !== undefined) return fault.startsWith('[') ? `${key}${fault}` : `${key} ${fault}`
  }
  return undefined
}
