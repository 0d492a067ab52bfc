/** One access through bus, table and handler against a bare megamorphic call: on the GIC, and over eight different tables. */

import { type AccessSize, type Bus, cpuInitiator, type Initiator } from 'vgic/mmio'
import { megamorphicCall, ORDER_MASK, unpredictable } from './baseline.ts'
import { GICD, type Machine, offsets, tableAt } from './machine.ts'
import type { Loop } from './measure.ts'
import { against, type Section } from './row.ts'

const LIMIT = 4

export const ISENABLER1 = GICD + 0x104
export const ICENABLER1 = GICD + 0x184
export const PRIORITY_OF_34 = GICD + 0x400 + 34

export function reads(bus: Bus, address: number, size: AccessSize, by: Initiator): Loop {
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum = (sum + bus.read(address, size, by)) | 0
    return sum
  }
}

/** Writes that change something each time: the value goes to two addresses in turn, with another bit of it flipped. */
export function writes(bus: Bus, even: number, odd: number, size: AccessSize, value: number, by: Initiator): Loop {
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) {
      const address = (i & 1) === 0 ? even : odd
      sum = (sum + bus.write(address, size, value ^ ((i & 2) << 5), 0, by)) | 0
    }
    return sum
  }
}

function readsOfEight(bus: Bus, offset: number, size: AccessSize, by: Initiator): Loop {
  const order = unpredictable(8)
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++) sum = (sum + bus.read(tableAt(order[i & ORDER_MASK]!) + offset, size, by)) | 0
    return sum
  }
}

function writesOfEight(bus: Bus, offset: number, size: AccessSize, by: Initiator): Loop {
  const order = unpredictable(8)
  return (count) => {
    let sum = 0
    for (let i = 0; i < count; i++)
      sum = (sum + bus.write(tableAt(order[i & ORDER_MASK]!) + offset, size, i, 0, by)) | 0
    return sum
  }
}

export function accessSection({ bus, cpus }: Machine, mixed: Bus): Section {
  const by = cpus[0]!
  const other = cpuInitiator(0)
  const subject = (name: string, loop: Loop) => ({ name, loop, limit: LIMIT })
  return {
    title: 'One access through bus, table and handler',
    baseline: 'a bare megamorphic call',
    rows: against(megamorphicCall, [
      subject('read GICD_TYPER: a constant', reads(bus, GICD + 4, 4, by)),
      subject('read GICD_ISENABLER1: a bank word', reads(bus, ISENABLER1, 4, by)),
      subject('read GICD_IPRIORITYR8 byte 2: a byte lane', reads(bus, PRIORITY_OF_34, 1, by)),
      subject('write GICD_TYPER: a constant, refused', writes(bus, GICD + 4, GICD + 4, 4, 0, by)),
      subject('write GICD_ISENABLER1, then GICD_ICENABLER1', writes(bus, ISENABLER1, ICENABLER1, 4, 1 << 20, by)),
      subject('write GICD_IPRIORITYR8 byte 2', writes(bus, PRIORITY_OF_34, PRIORITY_OF_34, 1, 0x80, by)),
      subject('read a constant, 8 tables in random order', readsOfEight(mixed, offsets.constant, 4, other)),
      subject('read a bank word, 8 tables in random order', readsOfEight(mixed, offsets.bank, 4, other)),
      subject('read a byte lane, 8 tables in random order', readsOfEight(mixed, offsets.byte, 1, other)),
      subject('write a bank word, 8 tables in random order', writesOfEight(mixed, offsets.bank, 4, other)),
      subject('write a byte lane, 8 tables in random order', writesOfEight(mixed, offsets.byte, 1, other)),
    ]),
  }
}
