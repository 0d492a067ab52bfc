/** What software asked for last with each SGI: the value that each source wrote, and how. `explain` alone reads it; no state follows from it. */

const SGIS = 16

export class SgiLog {
  /** By source * 16 + SGI; `how` is 0 where nothing was asked for, and otherwise the GIC version's own code. */
  readonly low: Int32Array
  readonly high: Int32Array
  readonly how: Uint8Array
  /** The state was restored since, and what had been asked for is not known. */
  forgotten = false

  constructor(sources: number) {
    this.low = new Int32Array(sources * SGIS)
    this.high = new Int32Array(sources * SGIS)
    this.how = new Uint8Array(sources * SGIS)
  }

  note(source: number, sgi: number, how: number, low: number, high: number): void {
    const at = source * SGIS + sgi
    this.how[at] = how
    this.low[at] = low
    this.high[at] = high
  }

  clear(forgotten = false): void {
    this.how.fill(0)
    this.forgotten = forgotten
  }

  /** Where there is no request at all; `who` is a CPU or a PE. */
  noneSays(who: string): string {
    return `no ${who} has sent it${this.forgotten ? ' since the state was restored' : ''}.`
  }

  /** The last request of each source for an SGI, the source that is asked about first. */
  requests(sgi: number, first: number): { source: number; how: number; low: number; high: number }[] {
    const found = []
    for (let at = sgi; at < this.how.length; at += SGIS) {
      const how = this.how[at]!
      if (how === 0) continue
      const request = { source: (at - sgi) / SGIS, how, low: this.low[at]!, high: this.high[at]! }
      if (request.source === first) found.unshift(request)
      else found.push(request)
    }
    return found
  }
}

/** What became of the requests for an SGI that is not pending on a PE: the one that tells most. */
export type SgiFate = 'taken' | 'filtered' | 'elsewhere'

export const fates: readonly SgiFate[] = ['filtered', 'taken', 'elsewhere']

/** In words; `request` says who wrote what, and for whom. */
export const fateSays: Readonly<Record<SgiFate, (request: string) => string>> = {
  filtered: (request) => `it was sent and not let through: ${request}.`,
  taken: (request) => `it is not pending any more since it was sent: ${request}.`,
  elsewhere: (request) => `it was not sent here: ${request}.`,
}
