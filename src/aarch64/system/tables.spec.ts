/** The tables that generated code looks into, against what they stand for. */
import { expect, it } from 'vitest'
import { bitmaskImmediate } from '../isa/text.ts'
import { MEMORY } from '../state/state.ts'
import { fillTables } from './tables.ts'

it('have every bitmask immediate, and 0 where N:immr:imms is reserved (DecodeBitMasks)', () => {
  const buffer = new ArrayBuffer(MEMORY.emptyTlb)
  fillTables(buffer, new Map(), false)
  const table = new BigUint64Array(buffer, MEMORY.bitmasks, 8192)
  for (const [index, value] of table.entries())
    expect(value, `${index}`).toBe(bitmaskImmediate(index >>> 12, (index >>> 6) & 63, index & 63) ?? 0n)
})
