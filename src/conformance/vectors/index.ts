/** All conformance vectors of GICv2, by subject. */

import { accessMatrixVectors } from './access-matrix.ts'
import type { Vector } from './build.ts'
import { endingVectors } from './ending.ts'
import { fiqVectors } from './fiq.ts'
import { groupVectors } from './groups.ts'
import { highestPendingVectors } from './highest-pending.ts'
import { pendingRegisterVectors } from './pending-registers.ts'
import { preemptionVectors } from './preemption.ts'
import { priorityVectors } from './priorities.ts'
import { registerVectors } from './registers.ts'
import { routingVectors } from './routing.ts'
import { securityVectors } from './security.ts'
import { securityBankedVectors } from './security-banked.ts'
import { securityInterfaceVectors } from './security-interface.ts'
import { securitySgiVectors } from './security-sgis.ts'
import { sgiVectors } from './sgis.ts'
import { stateVectors } from './states.ts'
import { v2mVectors } from './v2m.ts'
import { wireVectors } from './wires.ts'

export { type Expected, type Needs, type Part, parts, type Vector, type VectorStep } from './build.ts'

/** What each subject is, as a heading. */
export const gicv2Subjects: Readonly<Record<string, readonly Vector[]>> = {
  'Register map': accessMatrixVectors,
  'Registers and banks': registerVectors,
  'States: level, edge, latch': stateVectors,
  'Pending, enable and active registers': pendingRegisterVectors,
  'Input wires': wireVectors,
  'Priorities and mask': priorityVectors,
  'Running priority, highest pending, active priorities': highestPendingVectors,
  'Preemption and binary points': preemptionVectors,
  'Software-generated interrupts': sgiVectors,
  'Targets and 1 of N': routingVectors,
  'Priority drop and deactivation': endingVectors,
  'Groups and AckCtl': groupVectors,
  FIQ: fiqVectors,
  'Security: Distributor': securityVectors,
  'Security: SGIs': securitySgiVectors,
  'Security: banked registers': securityBankedVectors,
  'Security: CPU interface': securityInterfaceVectors,
  GICv2m: v2mVectors,
}

/** All of GICv2's. */
export const gicv2Vectors: readonly Vector[] = Object.values(gicv2Subjects).flat()
