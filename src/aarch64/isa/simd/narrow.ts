/**
 * Saturation of wide lanes to the range of narrow ones, for the saturating extracts and the saturating narrowing shifts
 * (DDI 0487, SatQ). The result is still in wide lanes; `narrowInto` and scalar writes take their low halves.
 */

import { v128 } from '../../wasm/opcodes.ts'
import type { Push } from '../emitter.ts'
import type { Lanes, Size } from './lanes.ts'
import * as L from './lanes.ts'

/** From signed or unsigned lanes to signed or unsigned narrow ones. */
export interface Narrowing {
  readonly from: 'signed' | 'unsigned'
  readonly to: 'signed' | 'unsigned'
}

/** `size` is the narrow one. Sets FPSR.QC if a lane is out of range. */
export function saturateNarrow(k: Lanes, size: Size, { from, to }: Narrowing, wide: Push): Push {
  const w = (size + 1) as Size
  const bits = BigInt(8 << size)
  const value = k.keep(wide)
  const largest = k.constant(w, to === 'signed' ? (1n << (bits - 1n)) - 1n : (1n << bits) - 1n)
  const above = k.keep(from === 'signed' ? k.op(L.gtS[w], value, largest) : k.greaterUnsigned(w, value, largest))
  if (from === 'unsigned') {
    k.saturatedIf(above)
    return k.select(above, largest, value)
  }
  const smallest = k.constant(w, to === 'signed' ? -(1n << (bits - 1n)) : 0n)
  const below = k.keep(k.op(L.gtS[w], smallest, value))
  k.saturatedIf(k.op(v128.or, above, below))
  return k.select(above, largest, k.select(below, smallest, value))
}
