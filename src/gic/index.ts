/** The GIC models: state, delivery and explanation. They do not know what a CPU or a machine is. */

export type { GicEvent, GicListener, MisuseCode, OutputLine, StateName } from './events.ts'
export { type Explanation, formatExplanation, kindOf } from './explain.ts'
export type { GateReport } from './gates.ts'
export { SnapshotError } from './snapshot.ts'
export { ConfigError, type GicV2Config } from './v2/config.ts'
export { GicV2, type OutputCallback } from './v2/gic.ts'
export type { SnapshotV2 } from './v2/snapshot.ts'
