/** Random numbers from a seed, and values as they make trouble. What they are used for is in `cases.ts`. */

export class Random {
  private state: number

  constructor(seed: number) {
    this.state = seed >>> 0
  }

  /** 32 random bits (splitmix). */
  word(): number {
    this.state = (this.state + 0x9e3779b9) >>> 0
    let z = this.state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return (z ^ (z >>> 15)) >>> 0
  }

  below(limit: number): number {
    return this.word() % limit
  }

  quad(): bigint {
    return (BigInt(this.word()) << 32n) | BigInt(this.word())
  }

  /** 64 bits as they make trouble: small, near a power of two, all ones, a float, or anything. */
  value(): bigint {
    switch (this.below(10)) {
      case 0:
        return BigInt(this.below(4))
      case 1:
        return BigInt.asUintN(64, -BigInt(this.below(4)))
      case 2:
        return BigInt.asUintN(64, (1n << BigInt(this.below(64))) - BigInt(this.below(3)))
      case 3:
        return BigInt(this.word())
      case 4:
        return (BigInt(this.word()) << 32n) | BigInt(this.below(2) ? 0 : 0x80000000)
      case 5: {
        // Doubles and pairs of singles around the interesting exponents.
        const exponent = [0, 1, 0x3fe, 0x3ff, 0x400, 0x7fe, 0x7ff, 0x43e][this.below(8)]!
        return (BigInt(this.below(2)) << 63n) | (BigInt(exponent) << 52n) | (this.below(3) ? this.quad() >> 12n : 0n)
      }
      case 6: {
        const single = () =>
          ((this.below(2) << 31) |
            ([0, 1, 0x7e, 0x7f, 0x80, 0xfe, 0xff, 0x9e][this.below(8)]! << 23) |
            (this.below(3) ? this.word() >>> 9 : 0)) >>>
          0
        return (BigInt(single()) << 32n) | BigInt(single())
      }
      default:
        return this.quad()
    }
  }
}
