/** The engine as a build leaves it: the same bytes and the same table as one that is emitted. */

import { expect, it } from 'vitest'
import { generate } from './engine.ts'
import { pack, unpack } from './prebuilt.ts'

it('is the same when it was packed and unpacked', () => {
  const { key, bytes, dispatch } = generate(new Set(['FEAT_LSE']))
  const packed = pack(key, bytes, dispatch)
  const { bytes: again, dispatch: table } = unpack(packed)
  expect(packed.key).toBe('FEAT_LSE')
  expect(Buffer.compare(again, bytes)).toBe(0)
  expect(table).toEqual(dispatch)
})

it('has a run of equal places that is longer than a count holds', () => {
  const dispatch = new Uint16Array(0x2_0000).fill(7, 1)
  expect(unpack(pack('', new Uint8Array(0), dispatch)).dispatch).toEqual(dispatch)
})
