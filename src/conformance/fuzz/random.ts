/**
 * A small seeded generator of random numbers (Chris Doty-Humphrey's sfc32): the same seed gives the same numbers on
 * every host. Not for anything but tests.
 */

export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** Two 32-bit words of seed: a run's, and which of its cases. */
  constructor(seed: number, stream = 0) {
    this.#a = seed >>> 0
    this.#b = stream >>> 0
    this.#c = 0x9e3779b9
    for (let n = 0; n < 12; n++) this.word()
  }

  /** 32 random bits. */
  word(): number {
    const result = (this.#a + this.#b + this.#counter++) >>> 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) >>> 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + result) >>> 0
    return result
  }

  /** 0 to n - 1. */
  below(n: number): number {
    return Math.floor((this.word() / 0x1_0000_0000) * n)
  }

  /** True once in n times. */
  oneIn(n: number): boolean {
    return this.below(n) === 0
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** Changes the order of a list, in place. */
  shuffle<T>(list: T[]): T[] {
    for (let n = list.length - 1; n > 0; n--) {
      const other = this.below(n + 1)
      const one = list[n]!
      list[n] = list[other]!
      list[other] = one
    }
    return list
  }

  /** One of the keys, each as often as its weight says. */
  weighted<T extends string>(weights: Readonly<Record<T, number>>): T {
    const entries = Object.entries(weights) as [T, number][]
    let at = this.below(entries.reduce((sum, [, weight]) => sum + weight, 0))
    for (const [key, weight] of entries) {
      at -= weight
      if (at < 0) return key
    }
    return entries[0]![0]
  }
}
