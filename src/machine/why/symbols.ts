/**
 * Names of addresses of code: a table sorted by address, and the name and distance that stand beside a PC in a listing. It reads no
 * file (`elf-symbols.ts` does), and knows of no kernel that moved itself (KASLR): there is then no name, or a wrong one.
 */

/** A name for addresses from `start` up to, but not including, `end`. */
export interface CodeSymbol {
  /** First address, as the file has it. */
  readonly start: bigint
  /** First address behind it. */
  readonly end: bigint
  readonly name: string
}

/** Memory that is found under another address than the one it was linked for: before the MMU is on. */
export interface LoadedAt {
  /** Physical. */
  readonly address: bigint
  /** In bytes. */
  readonly size: bigint
  /** What it was linked for. */
  readonly linked: bigint
}

/** The functions of a program by address, sorted. */
export class Symbols {
  readonly #starts: BigUint64Array
  readonly #symbols: readonly CodeSymbol[]
  readonly #loaded: readonly LoadedAt[]

  /** @param symbols of several with one start, the last is shown */
  constructor(symbols: readonly CodeSymbol[], loaded: readonly LoadedAt[] = []) {
    this.#symbols = [...symbols].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0))
    this.#starts = BigUint64Array.from(this.#symbols, ({ start }) => start)
    this.#loaded = loaded
  }

  /** How many there are. */
  get size(): number {
    return this.#symbols.length
  }

  /** `name+0x12`, or `name` at its start; undefined where no symbol is. A physical address counts where no virtual one fits. */
  at(address: bigint): string | undefined {
    const found = this.#find(address)
    if (found !== undefined) return found
    const place = this.#loaded.find((at) => address >= at.address && address - at.address < at.size)
    return place && this.#find(address - place.address + place.linked)
  }

  #find(address: bigint): string | undefined {
    let [low, high] = [0, this.#starts.length]
    while (low < high) {
      const middle = (low + high) >>> 1
      if (this.#starts[middle]! <= address) low = middle + 1
      else high = middle
    }
    const symbol = this.#symbols[low - 1]
    if (symbol === undefined || address >= symbol.end) return undefined
    const distance = address - symbol.start
    return distance === 0n ? symbol.name : `${symbol.name}+0x${distance.toString(16)}`
  }
}

/** An address as it stands in a sentence: `0x40080010 (handler+0x10)`. */
export function withSymbol(symbols: Symbols | undefined, address: bigint): string {
  const name = symbols?.at(address)
  return `0x${address.toString(16)}${name === undefined ? '' : ` (${name})`}`
}
