/** The GICv3 Interrupt Translation Service. It knows the Redistributors by `LpiTargets` only. */

export { restoreTables, saveTables, type TablesReport } from './abi.ts'
export { assembleCommand, type CommandFields } from './assemble.ts'
export { type Command as ItsCommand, commands as itsCommands, errorName as itsErrorName } from './commands.ts'
export type { CheckedItsConfig, ItsConfig, PageSize } from './config.ts'
export { type DecodedCommand, decodeCommand, decodeQueue } from './decode.ts'
export { explainMsi, formatMsiExplanation, type MsiExplanation } from './explain-msi.ts'
export { Its, type ItsSurroundings } from './its.ts'
export { lendPages } from './lend.ts'
export type { LpiTargets } from './lpi-targets.ts'
export {
  type MsiOutcome,
  outcomeOf,
  Reason as MsiReason,
  type ReasonName as MsiReasonName,
  reasons as msiReasons,
} from './reasons.ts'
export {
  controlRegisters as itsRegisters,
  translationRegisters as itsTranslationRegisters,
  virtualSgiRegisters,
} from './registers.ts'
export { type ItsSnapshot, itsPart } from './snapshot.ts'
