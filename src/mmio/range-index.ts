/**
 * Finds the range of an address in constant time: a three-level map of the low 4 GiB (4 MiB blocks, 4 KiB pages, 4-byte
 * words), which goes only as deep as the ranges in it need; above 4 GiB, and where two ranges share a word, a binary search.
 * It keeps ranges disjoint. It does not know what they are for.
 */

export interface Span {
  readonly base: number
  readonly size: number
}

const BLOCK_BITS = 22
const PAGE_BITS = 12
const BLOCK = 2 ** BLOCK_BITS
const PAGE = 2 ** PAGE_BITS
const MAPPED = 2 ** 32
/** Entries of a map: the pages of a block, or the words of a page. */
const ENTRIES = 1024

/** Codes of a map entry: nothing here; search for it; above, the number of a span; below, where a deeper map begins, negated. */
const NOTHING = 0
const SEARCH = -1

export class RangeIndex<T extends Span> {
  /** Spans in the order of addresses. */
  sorted: T[] = []

  /** Spans by number, from 1 on; numbers are reused. */
  readonly #spans: (T | undefined)[] = [undefined]
  readonly #free: number[] = []
  readonly #numbers = new Map<T, number>()
  /** All maps one after the other, 1,024 entries each, that of the blocks first: in one array, so that each step is one load. */
  #maps = new Int32Array(8 * ENTRIES)
  #mapCount = 1
  readonly #freeMaps: number[] = []

  /** The span that may hold `address`: the caller checks that it does. */
  find(address: number): T | undefined {
    if (!(address < MAPPED)) return this.#search(address)
    const maps = this.#maps
    let entry = maps[address >>> BLOCK_BITS]!
    if (entry < SEARCH) entry = maps[((address >>> PAGE_BITS) & 1023) - entry]!
    if (entry < SEARCH) entry = maps[((address >>> 2) & 1023) - entry]!
    if (entry > NOTHING) return this.#spans[entry]
    return entry === SEARCH ? this.#search(address) : undefined
  }

  /**
   * Takes `removed` out and puts `added` in, as one step. When that would make two spans overlap, changes nothing and
   * returns the two. Throws, and changes nothing, when a span to remove is not here.
   */
  replace(removed: readonly T[], added: readonly T[]): [T, T] | undefined {
    const gone = new Set(removed)
    for (const span of gone)
      if (!this.#numbers.has(span))
        throw new RangeError('a range that is not registered here cannot be removed or moved')
    const fresh = [...added].sort((a, b) => a.base - b.base)
    const conflict = overlapAmong(fresh) ?? this.#overlap(fresh, gone)
    if (conflict) return conflict

    this.sorted = merge(without(this.sorted, gone), fresh)
    for (const span of gone) {
      const number = this.#numbers.get(span)!
      this.#numbers.delete(span)
      this.#spans[number] = undefined
      this.#free.push(number)
    }
    for (const span of fresh) {
      const number = this.#free.pop() ?? this.#spans.length
      this.#spans[number] = span
      this.#numbers.set(span, number)
    }
    this.#remap([...gone, ...fresh])
    return undefined
  }

  /** A new span and the one that it would overlap, of those that stay. */
  #overlap(fresh: readonly T[], gone: ReadonlySet<T>): [T, T] | undefined {
    for (const span of fresh)
      for (let i = firstEndingAfter(this.sorted, span.base); i < this.sorted.length; i++) {
        const other = this.sorted[i]!
        if (other.base >= span.base + span.size) break
        if (!gone.has(other)) return [span, other]
      }
    return undefined
  }

  #search(address: number): T | undefined {
    const at = upperBound(this.sorted, address) - 1
    return at < 0 ? undefined : this.sorted[at]
  }

  /** Draws the map anew wherever one of these spans is or was. */
  #remap(changed: readonly T[]): void {
    const byBlock = new Map<number, T[]>()
    for (const span of changed) {
      const last = Math.min(span.base + span.size, MAPPED) - 1
      for (let block = Math.floor(span.base / BLOCK); block * BLOCK <= last; block++) {
        const spans = byBlock.get(block)
        if (spans === undefined) byBlock.set(block, [span])
        else spans.push(span)
      }
    }
    for (const [block, spans] of byBlock) this.#remapBlock(block, spans)
  }

  #remapBlock(block: number, changed: readonly T[]): void {
    const start = block * BLOCK
    const whole = this.#only(start, BLOCK)
    const entry = this.#maps[block]!
    if (whole !== undefined) {
      this.#release(entry, true)
      this.#maps[block] = whole
      return
    }
    let map: number
    const pages = new Set<number>()
    if (entry < SEARCH) map = -entry
    else {
      map = this.#allocate()
      this.#maps[block] = -map
      // A span that had the block to itself is drawn again page by page.
      if (entry > NOTHING) for (let page = 0; page < 1024; page++) pages.add(start / PAGE + page)
    }
    if (pages.size === 0)
      for (const { base, size } of changed) {
        const end = Math.min(base + size, start + BLOCK)
        for (let page = Math.floor(Math.max(base, start) / PAGE); page * PAGE < end; page++) pages.add(page)
      }
    for (const page of pages) this.#remapPage(map, page)
  }

  #remapPage(map: number, page: number): void {
    const at = map + (page & 1023)
    const start = page * PAGE
    const whole = this.#only(start, PAGE)
    const entry = this.#maps[at]!
    if (whole !== undefined) {
      this.#release(entry, false)
      this.#maps[at] = whole
      return
    }
    const words = entry < SEARCH ? -entry : this.#allocate()
    this.#maps[at] = -words
    const codes = this.#entries(words)
    codes.fill(NOTHING)
    for (let i = firstEndingAfter(this.sorted, start); i < this.sorted.length; i++) {
      const span = this.sorted[i]!
      if (span.base >= start + PAGE) break
      const code = this.#numbers.get(span)!
      const first = Math.max(span.base, start) - start
      const end = Math.min(span.base + span.size, start + PAGE) - start
      for (let word = first >>> 2; word * 4 < end; word++) codes[word] = codes[word] === NOTHING ? code : SEARCH
    }
  }

  /** The code of a stretch that at most one span touches, or undefined when more do. */
  #only(start: number, length: number): number | undefined {
    const at = firstEndingAfter(this.sorted, start)
    const span = this.sorted[at]
    if (span === undefined || span.base >= start + length) return NOTHING
    const next = this.sorted[at + 1]
    return next === undefined || next.base >= start + length ? this.#numbers.get(span)! : undefined
  }

  /** Where a map that is not in use begins. */
  #allocate(): number {
    const free = this.#freeMaps.pop()
    if (free !== undefined) return free
    if (this.#mapCount * ENTRIES === this.#maps.length) {
      const grown = new Int32Array(this.#maps.length * 2)
      grown.set(this.#maps)
      this.#maps = grown
    }
    return this.#mapCount++ * ENTRIES
  }

  /** The entries of one map: valid until the next map is allocated. */
  #entries(map: number): Int32Array {
    return this.#maps.subarray(map, map + ENTRIES)
  }

  #release(entry: number, deep: boolean): void {
    if (entry >= SEARCH) return
    const map = -entry
    const codes = this.#entries(map)
    if (deep) for (let i = 0; i < codes.length; i++) this.#release(codes[i]!, false)
    codes.fill(NOTHING)
    this.#freeMaps.push(map)
  }
}

/** Index of the first span whose base is above `address`. */
function upperBound<T extends Span>(spans: readonly T[], address: number): number {
  let low = 0
  let high = spans.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (spans[middle]!.base <= address) low = middle + 1
    else high = middle
  }
  return low
}

function firstEndingAfter<T extends Span>(spans: readonly T[], address: number): number {
  const at = upperBound(spans, address) - 1
  const span = spans[at]
  return span !== undefined && span.base + span.size > address ? at : at + 1
}

function overlapAmong<T extends Span>(spans: readonly T[]): [T, T] | undefined {
  for (let i = 1; i < spans.length; i++)
    if (spans[i]!.base < spans[i - 1]!.base + spans[i - 1]!.size) return [spans[i]!, spans[i - 1]!]
  return undefined
}

/** May change `spans` itself: the usual case of one device less is no copy of the whole. */
function without<T extends Span>(spans: T[], gone: ReadonlySet<T>): T[] {
  if (gone.size === 0) return spans
  if (gone.size > 1) return spans.filter((span) => !gone.has(span))
  const [span] = gone
  spans.splice(upperBound(spans, span!.base) - 1, 1)
  return spans
}

function merge<T extends Span>(kept: T[], fresh: readonly T[]): T[] {
  if (fresh.length === 0) return kept
  // The usual case of one device more: no copy and no sort of the whole.
  if (fresh.length === 1) {
    kept.splice(upperBound(kept, fresh[0]!.base), 0, fresh[0]!)
    return kept
  }
  return [...kept, ...fresh].sort((a, b) => a.base - b.base)
}
