/**
 * The synchronous exceptions of a CPU one after another, as far as they are one and the same: a CPU that takes the same exception
 * at the same place again and again gets nowhere. Kept at each exception, looked at by whoever wants to know.
 */

export class ExceptionRow {
  /** How often the last exception was taken in a row. */
  length = 0
  /** ESR_EL1, ELR_EL1 and FAR_EL1 of it. */
  syndrome = 0
  link = 0n
  fault = 0n
  /** Of the exception before the row, which is where it may have begun; a syndrome of -1 is none. */
  syndromeBefore = -1
  linkBefore = 0n

  taken(syndrome: number, link: bigint, fault: bigint): void {
    if (this.length > 0 && syndrome === this.syndrome && link === this.link && fault === this.fault) {
      this.length++
      return
    }
    this.syndromeBefore = this.length === 0 ? -1 : this.syndrome
    this.linkBefore = this.link
    this.syndrome = syndrome
    this.link = link
    this.fault = fault
    this.length = 1
  }

  /**
   * A return ends the row, but for aborts: calls and instructions that a kernel emulates come again and again, while an abort of
   * the same access that comes again was not mended.
   */
  returned(): void {
    const ec = this.syndrome >>> 26
    if (ec < 0x20 || ec > 0x25) this.length = 0
  }
}
