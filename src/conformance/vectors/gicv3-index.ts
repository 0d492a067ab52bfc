/** All conformance vectors of GICv3, by subject. The ITS has its own. */

import type { Vector } from './build.ts'
import { gicv3El3AccessVectors } from './gicv3-el3-access.ts'
import { gicv3El3BankVectors } from './gicv3-el3-banks.ts'
import { gicv3El3HandlingVectors } from './gicv3-el3-handling.ts'
import { gicv3El3SgiVectors } from './gicv3-el3-sgis.ts'
import { gicv3El3ViewVectors } from './gicv3-el3-views.ts'
import { gicv3InterfaceVectors } from './gicv3-interface.ts'
import { gicv3LpiVectors } from './gicv3-lpis.ts'
import { gicv3OptionVectors } from './gicv3-options.ts'
import { gicv3PriorityVectors } from './gicv3-priorities.ts'
import { gicv3RegisterVectors } from './gicv3-registers.ts'
import { gicv3RoutingVectors } from './gicv3-routing.ts'
import { gicv3SecurityVectors } from './gicv3-security.ts'

/** What each subject is, as a heading. */
export const gicv3Subjects: Readonly<Record<string, readonly Vector[]>> = {
  'Registers of the Distributor and the Redistributors': gicv3RegisterVectors,
  'System registers, states and groups': gicv3InterfaceVectors,
  'Priorities, mask and preemption': gicv3PriorityVectors,
  'SGIs, and routes of SPIs': gicv3RoutingVectors,
  'LPIs by their tables': gicv3LpiVectors,
  'Two Security states': gicv3SecurityVectors,
  'EL3 and SCR_EL3: what can be reached': gicv3El3AccessVectors,
  'EL3 and SCR_EL3: banked registers': gicv3El3BankVectors,
  'EL3 and SCR_EL3: signals, acknowledging and ending': gicv3El3HandlingVectors,
  'EL3 and SCR_EL3: SGIs': gicv3El3SgiVectors,
  'EL3 and SCR_EL3: views of priorities': gicv3El3ViewVectors,
  'What a GICv3 may leave out': gicv3OptionVectors,
}

/** All of GICv3's, but for the ITS. */
export const gicv3Vectors: readonly Vector[] = Object.values(gicv3Subjects).flat()
