/** The check of saved states: what it lets pass, and that it names the place of a fault. */

import { describe, expect, it } from 'vitest'
import { checkState, flag, hexBytes, list, object, SavedStateError, whole } from './saved-state.ts'

const shape = { a: whole(0, 9), b: flag, c: list(object({ d: hexBytes(2) }), 2) }
const good = { kind: 'X', version: 1, a: 9, b: true, c: [{ d: '' }, { d: '00ff' }] }

describe('checkState', () => {
  it('lets a state pass that has all keys, and no others, each in its range', () => {
    expect(() => checkState('X', 1, shape, good)).not.toThrow()
    expect(() => checkState('X', 1, shape, JSON.parse(JSON.stringify(good)))).not.toThrow()
  })

  it.each<[string, unknown]>([
    ['is no object', undefined],
    ['is no object', 'text'],
    ['is no object', []],
    ['is of kind undefined', {}],
    ['is of kind "Y"', { ...good, kind: 'Y' }],
    ['has version 2, and 1 is supported', { ...good, version: 2 }],
    ['has an unknown key "e"', { ...good, e: 1 }],
    ['has an unknown key "constructor"', { ...good, constructor: 1 }],
    ['lacks b', { kind: 'X', version: 1, a: 1, c: [] }],
    ['a must be a whole number from 0 to 9', { ...good, a: 10 }],
    ['a must be a whole number from 0 to 9', { ...good, a: 1.5 }],
    ['a must be a whole number from 0 to 9', { ...good, a: Number.NaN }],
    ['a must be a whole number from 0 to 9', { ...good, a: '1' }],
    ['b must be true or false', { ...good, b: 1 }],
    ['c must be a list of at most 2', { ...good, c: [{ d: '' }, { d: '' }, { d: '' }] }],
    ['c must be a list of at most 2', { ...good, c: { length: 1 } }],
    ['c[1] d must be at most 2 bytes in hexadecimal', { ...good, c: [{ d: '' }, { d: 'f' }] }],
    ['c[0] d must be at most 2 bytes in hexadecimal', { ...good, c: [{ d: '000000' }] }],
    ['c[0] must be an object', { ...good, c: [null] }],
  ])('refuses one that %s', (why, state) => {
    expect(() => checkState('X', 1, shape, state)).toThrow(SavedStateError)
    expect(() => checkState('X', 1, shape, state)).toThrow(`saved state of X: ${why}`)
  })
})
