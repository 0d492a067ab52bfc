/**
 * What the parts of an ITS - its registers, commands, queue, tables' format and snapshot - ask of the whole. `its.ts` is the
 * whole; no part imports it.
 */

import type { Events, ItsMisuseCode } from '../events.ts'
import type { GuestMemory } from '../memory.ts'
import type { CheckedItsConfig } from './config.ts'
import type { LpiTargets } from './lpi-targets.ts'
import type { Reason } from './reasons.ts'
import type { Translation } from './translate.ts'
import type { Verdicts } from './verdicts.ts'

export interface ItsState {
  readonly config: CheckedItsConfig
  readonly memory: GuestMemory
  readonly targets: LpiTargets
  readonly events: Events
  readonly translation: Translation
  /** GITS_TYPER, low word first. */
  readonly typer: readonly [number, number]
  enabled: boolean
  /** GITS_CBASER, low word first. */
  readonly cbaser: Int32Array
  /** Offsets in the queue, in bytes. */
  creadr: number
  cwriter: number
  /** GITS_CREADR.Stalled: a command failed and waits for GITS_CWRITER.Retry. */
  stalled: boolean
  /** GITS_BASER0 and GITS_BASER1, low words first. */
  readonly baser: Int32Array
  statusr: number
  /** GITS_UMSIR: EventID, DeviceID. */
  readonly umsir: Int32Array
  /** Follow from GITS_CBASER; in bytes. */
  readonly queueBase: number
  readonly queueSize: number
  /** The command in execution. */
  readonly words: Int32Array
  /** LPIs that it has looked at, of which there may be any number. */
  lpisSeen: number
  readonly verdicts: Verdicts
  /** GITS_CTLR. */
  readonly ctlr: number
  /** Bits of GITS_STATUSR that this ITS has. */
  readonly statusrBits: number
  /** Commands wait and could be executed now. */
  readonly pending: boolean
  setEnabled(enabled: boolean): void
  /** Executes waiting commands; whether any are left. */
  run(): boolean
  /** A device's MSI. */
  signal(deviceId: number, eventId: number): Reason
  /** The PE that an RDbase field names, or -1. */
  peOf(rdBase: number): number
  /** Whether GITS_BASER.Page_Size may have this value. */
  hasPageSize(page: number): boolean
  hasIndirect(table: number): boolean
  configureTables(): void
  configureQueue(): void
  misuse(code: ItsMisuseCode, cpu: number, what: string): void
}
