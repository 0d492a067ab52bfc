/** Configurations that no GIC can have: both versions refuse them alike, in one sentence that names the option. */

import { describe, expect, it } from 'vitest'
import { ConfigError, GicV2, type GicV2Config, GicV3, type GicV3Config } from './index.ts'

const both = [
  ['an option that there is not', { cpu: 4 }, /^cpu: no such option; there are cpus, /],
  ['no CPUs', { cpus: 0 }, /^cpus: 0 is not a whole number from 1 to (8|512)$/],
  ['a number as text', { cpus: '2' }, /^cpus: 2 is not a whole number/],
  [
    'INTIDs that no GICD_TYPER can tell',
    { intids: 100 },
    /^intids: 100 is not a multiple of 32 from 32 to 992, nor 1020$/,
  ],
  ['a flag that is none', { security: 'yes' }, /^security: yes is not true or false$/],
  ['priority bits beyond eight', { priorityBits: 9 }, /^priorityBits: 9 is not a whole number from [45] to 8$/],
] as const

describe('a configuration', () => {
  it.each(both)('with %s is refused by GICv2 and GICv3 alike', (_, config, message) => {
    for (const make of [() => new GicV2(config as GicV2Config), () => new GicV3(config as GicV3Config)]) {
      expect(make).toThrow(ConfigError)
      expect(make).toThrow(message)
    }
  })

  it.each(['el2', 'oneOfN', 'messageSpis', 'nmi', 'statusRegisters', 'invalidateRegisters', 'directLpis'])(
    'of a GICv3 has true or false for %s',
    (name) => expect(() => new GicV3({ [name]: 1 } as GicV3Config)).toThrow(`${name}: 1 is not true or false`),
  )

  it.each([
    [{ lpis: 16 }, 'lpis: 16 is not { intidBits }'],
    [{ affinities: 3 }, 'affinities: 3 is no list'],
    [{ regions: '1' }, 'regions: 1 is no list'],
    [{ iidr: -1 }, 'iidr: -1 is not a whole number from 0 to 4294967295'],
  ])('of a GICv3 that has %j is refused', (config, message) => {
    expect(() => new GicV3(config as unknown as GicV3Config)).toThrow(message)
  })

  it('takes an option that is given as undefined as not given', () => {
    expect(new GicV2({ cpus: undefined } as unknown as GicV2Config).config.cpus).toBe(1)
    expect(new GicV3({ cpus: undefined } as unknown as GicV3Config).config.cpus).toBe(1)
  })
})
