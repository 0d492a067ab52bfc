/** The machine that a trace's header asks for, built from what this package models. */

import { GicV2Machine } from './gicv2-machine.ts'
import { GicV3Machine } from './gicv3-machine.ts'
import type { MachineDescription } from './header.ts'
import type { ReplayMachine } from './machine.ts'

export function createMachine(description: MachineDescription): ReplayMachine {
  return description.version === 2 ? new GicV2Machine(description) : new GicV3Machine(description)
}
