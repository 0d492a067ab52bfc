/**
 * What an operation leaves on the heap: nothing, shown against a loop that allocates one small object each time. A round
 * in which the collector ran says nothing and is taken again.
 */

import { memoryUsage } from 'node:process'
import { ICENABLER1, ISENABLER1, PRIORITY_OF_34, reads, writes } from './access.ts'
import { life } from './interrupt.ts'
import { enable, GICD, machine } from './machine.ts'
import type { Loop } from './measure.ts'
import type { Row, Section } from './row.ts'

const OPERATIONS = 100_000
const ROUNDS = 8
/** Share of the control's growth that compilations and timers may leave. */
const LIMIT = 0.01

/** Keeps what the control allocates from being optimized away. */
let kept: { value: number } | undefined

const control: Loop = (count) => {
  for (let i = 0; i < count; i++) kept = { value: i }
  return kept!.value
}

/** Bytes an operation: the least of several rounds. */
function growth(loop: Loop): number {
  for (let i = 0; i < 5; i++) loop(OPERATIONS)
  let least = Number.POSITIVE_INFINITY
  for (let round = 0, tries = 0; round < ROUNDS && tries < 100; tries++) {
    const before = memoryUsage().heapUsed
    loop(OPERATIONS)
    const grown = memoryUsage().heapUsed - before
    if (grown < 0) continue
    round++
    least = Math.min(least, grown)
  }
  return least / OPERATIONS
}

export function allocationSection(): Section {
  const own = machine({ cpus: 4, intids: 1020 })
  const by = own.cpus[0]!
  enable(own, 40, 0)
  const baseline = growth(control)
  const row = (name: string, loop: Loop): Row => {
    const value = growth(loop)
    return { name, value, unit: 'bytes', baseline, ratio: value / baseline, limit: LIMIT }
  }
  return {
    title: 'Growth of the heap for each operation',
    baseline: 'a loop that allocates one object',
    rows: [
      row('read GICD_TYPER', reads(own.bus, GICD + 4, 4, by)),
      row('read GICD_ISENABLER1', reads(own.bus, ISENABLER1, 4, by)),
      row('read GICD_IPRIORITYR8 byte 2', reads(own.bus, PRIORITY_OF_34, 1, by)),
      row('write GICD_ISENABLER1, GICD_ICENABLER1', writes(own.bus, ISENABLER1, ICENABLER1, 4, 1 << 20, by)),
      row('write GICD_IPRIORITYR8 byte 2', writes(own.bus, PRIORITY_OF_34, PRIORITY_OF_34, 1, 0x80, by)),
      row('an interrupt: raise, acknowledge, lower, end', life(own, 40, 0)),
    ],
  }
}
