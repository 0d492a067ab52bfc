/**
 * What an ITS asks of the Redistributors: to make LPIs pending, to take them back, to move them, and to look at their
 * configuration again. The Redistributors are in `v3/`; an ITS knows them only by PE number.
 */

export interface LpiTargets {
  /** PEs, numbered from 0 as GICR_TYPER.Processor_Number does. */
  readonly pes: number
  /** First INTID beyond the LPIs that exist; LPIs start at 8192. */
  readonly lpiEnd: number
  /** Makes an LPI pending on a PE. False when that PE's GICR_CTLR.EnableLPIs is 0 or its tables do not cover the INTID. */
  setLpi(pe: number, intid: number): boolean
  /** Takes an LPI's pending state; false where the PE does not have it. */
  clearLpi(pe: number, intid: number): boolean
  /** Reads the configuration of one LPI, or of all that pend, from memory again. Of all: how many that were. */
  invalidateLpi(pe: number, intid: number): void
  /** Reads the configuration of all pending LPIs anew; returns how many. */
  invalidateAllLpis(pe: number): number
  /**
   * Takes the pending state of one LPI, or of all, from a PE to another. Commands involving LPIs are ignored in a Redistributor
   * whose GICR_CTLR.EnableLPIs is 0: an LPI that the other PE cannot hold goes on pending where it does. Of all: how many
   * were looked at.
   */
  moveLpi(from: number, to: number, intid: number): void
  /** Moves all pending LPIs to another PE; returns how many were looked at. */
  moveAllLpis(from: number, to: number): number
  /** The PE whose Redistributor's RD_base is this physical address (GITS_TYPER.PTA 1), or -1. */
  peAt(rdBase: number): number
}
