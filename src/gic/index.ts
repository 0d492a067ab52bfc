/** The GIC models: state, delivery and explanation. They do not know what a CPU or a machine is. */

export { ConfigError } from './config.ts'
export type { GicEvent, GicListener, MisuseCode, OutputLine, StateName } from './events.ts'
export { type Explanation, formatExplanation, formatGates, kindOf, mendingOrder } from './explain.ts'
export type { Cause, GateReport } from './gates.ts'
export * from './its/index.ts'
export { ByteMemory, type GuestMemory } from './memory.ts'
export type { MemoryNeed, Remedy, RemedyAction } from './remedy.ts'
export { SnapshotError } from './snapshot.ts'
export type { GicV2Config } from './v2/config.ts'
export { GicV2, type OutputCallback } from './v2/gic.ts'
export type { SnapshotV2 } from './v2/snapshot.ts'
export type { GicV3Config } from './v3/config.ts'
export { GicV3, type GicV3Options } from './v3/gic.ts'
export {
  encodeSysreg,
  type IccRegister,
  iccEncoding,
  iccRegister,
  iccRegisters,
  SysregOutcome,
} from './v3/icc-registers.ts'
export { type IccState, iccStates } from './v3/icc-state.ts'
export { REDISTRIBUTOR_STRIDE } from './v3/rd-bases.ts'
export type { SnapshotV3 } from './v3/snapshot.ts'
