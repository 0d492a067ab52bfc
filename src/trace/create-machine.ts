/** The machine that a trace's header asks for, built from what this package models; what it does not is refused here. */

import { TraceError } from './event.ts'
import { GicV2Machine } from './gicv2-machine.ts'
import type { MachineDescription } from './header.ts'
import type { ReplayMachine } from './machine.ts'

/** @throws TraceError for a machine that is not modelled */
export function createMachine(description: MachineDescription): ReplayMachine {
  if (description.version === 2) return new GicV2Machine(description)
  throw new TraceError(0, 'the machine has a GICv3, which this version does not model yet; traces of a GICv2 replay')
}
