/**
 * Where in guest memory the entries of an ITS's tables are, so that a save need not look through all of the tables for the few
 * that are mapped: a bit for each 8 bytes that a command or a restore has put an entry in, in pages that exist once they have one.
 * What an entry says is in memory alone (`tables.ts`); a guest cannot make this grow beyond a small part of its own memory.
 */

import { ENTRY } from './tables.ts'

const PAGE = 4096
const WORDS = PAGE / ENTRY / 32

/**
 * What is known of the entries in memory.
 * `noted`: whatever commands have mapped is noted here; memory decides what is mapped, as the architecture has it.
 * `unknown`: registers and memory were restored, or are of a snapshot: a save has to look through the tables.
 * `only`: tables were restored from a list of entries: what is not noted is what that list has left behind, and maps nothing.
 */
export type Knowledge = 'noted' | 'unknown' | 'only'

export class Places {
  knowledge: Knowledge = 'noted'
  readonly #pages = new Map<number, Int32Array>()
  /** Numbers of pages in order, made when asked for. */
  #order: number[] | undefined

  has(address: number): boolean {
    const page = this.#pages.get(Math.floor(address / PAGE))
    if (page === undefined) return false
    const bit = (address % PAGE) / ENTRY
    return ((page[bit >>> 5]! >>> (bit & 31)) & 1) === 1
  }

  add(address: number): void {
    const number = Math.floor(address / PAGE)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = new Int32Array(WORDS)
      this.#pages.set(number, page)
      this.#order = undefined
    }
    const bit = (address % PAGE) / ENTRY
    page[bit >>> 5]! |= 1 << (bit & 31)
  }

  delete(address: number): void {
    const page = this.#pages.get(Math.floor(address / PAGE))
    if (page === undefined) return
    const bit = (address % PAGE) / ENTRY
    page[bit >>> 5]! &= ~(1 << (bit & 31))
  }

  clear(): void {
    this.#pages.clear()
    this.#order = undefined
  }

  /** Memory or registers were put back from elsewhere. */
  forget(): void {
    if (this.knowledge === 'noted') this.knowledge = 'unknown'
  }

  /** As pairs of an address and how many follow each other from there; null where memory alone decides. */
  save(): number[] | null {
    return this.knowledge === 'only' ? this.#runs() : null
  }

  restore(saved: readonly number[] | null): void {
    this.clear()
    this.knowledge = saved === null ? 'unknown' : 'only'
    for (let i = 0; saved !== null && i < saved.length; i += 2)
      for (let n = 0; n < saved[i + 1]!; n++) this.add(saved[i]! + n * ENTRY)
  }

  /** Those from one address on and below another, in order. The visitor may take away the one that it is at. */
  each(from: number, to: number, visit: (address: number) => void): void {
    const order = this.#inOrder()
    for (let i = lowerBound(order, Math.floor(from / PAGE)); i < order.length; i++) {
      const base = order[i]! * PAGE
      if (base >= to) return
      const page = this.#pages.get(order[i]!)!
      for (let word = 0; word < WORDS; word++) {
        for (let bits = page[word]!; bits !== 0; bits &= bits - 1) {
          const address = base + (word * 32 + 31 - Math.clz32(bits & -bits)) * ENTRY
          if (address >= from && address < to) visit(address)
        }
      }
    }
  }

  #runs(): number[] {
    const runs: number[] = []
    let end = -1
    this.each(0, Number.POSITIVE_INFINITY, (address) => {
      if (address === end) runs[runs.length - 1]!++
      else runs.push(address, 1)
      end = address + ENTRY
    })
    return runs
  }

  /** Forgets pages that have none any more: tables come and go. */
  #inOrder(): number[] {
    if (this.#order !== undefined) return this.#order
    for (const [number, page] of this.#pages) if (page.every((word) => word === 0)) this.#pages.delete(number)
    this.#order = [...this.#pages.keys()].sort((a, b) => a - b)
    return this.#order
  }
}

/** The first index whose element is not less. */
function lowerBound(sorted: readonly number[], value: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >>> 1
    if (sorted[middle]! < value) low = middle + 1
    else high = middle
  }
  return low
}
