/**
 * Rows as the decode table may ask for them: it emits a handler for every combination of a row's split fields, also for those that
 * the row calls unallocated and that nothing reaches. Such a combination has no semantics to emit.
 */
import { patternBits, type Row } from '../row.ts'

export function guard(row: Row): Row {
  return {
    ...row,
    emit: (e) => {
      const unreachable = row.unallocated
        .map(patternBits)
        .some(({ mask, value }) => (e.mask & mask) >>> 0 === mask && (e.value & mask) >>> 0 === value)
      if (unreachable) e.code.unreachable()
      else row.emit(e)
    },
  }
}
