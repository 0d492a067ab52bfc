/** The engine as a build leaves it: the same bytes and the same table as one that is emitted. dist/ is the build's, as `npm test` makes it. */

import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { features } from '../isa/row.ts'
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

it('is in dist/ byte for byte what this source emits for the default features', () => {
  const bundled = readFileSync(new URL('../../../dist/aarch64/shared.js', import.meta.url), 'utf8')
  const field = (name: string) => new RegExp(`"${name}": "([^"]*)"`).exec(bundled)?.[1] ?? `no ${name} in dist/`
  const found = { key: field('key'), module: field('module'), dispatch: field('dispatch') }
  const { key, bytes, dispatch } = generate(new Set(features))
  expect(found.key).toBe(key)
  const { bytes: module, dispatch: table } = unpack(found)
  expect(Buffer.compare(module, bytes), 'dist/ has the engine of other source: npm run build').toBe(0)
  expect(Buffer.compare(new Uint8Array(table.buffer), new Uint8Array(dispatch.buffer))).toBe(0)
})
