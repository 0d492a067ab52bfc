/** What both GIC versions need to check a configuration. */

/** A configuration that no GIC can have: says what, where and what is allowed. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
}

export function integerIn(name: string, value: number, least: number, most: number): void {
  if (!Number.isInteger(value) || value < least || value > most)
    throw new ConfigError(`${name}: ${value} is not a whole number from ${least} to ${most}`)
}

export function oneOf(name: string, value: unknown, allowed: readonly unknown[]): void {
  if (!allowed.includes(value)) throw new ConfigError(`${name}: ${String(value)} is not ${allowed.join(' or ')}`)
}
