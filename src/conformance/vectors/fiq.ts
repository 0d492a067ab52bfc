/** Vectors on Group 0 as FIQ: GICC_CTLR.FIQEn, with one Security state (IHI 0048B 4.4.1). */

import { ack, bitOf, enabled, eoi, fiqOf, irqOf, open, pend, ppi, type Vector, vector, write } from './build.ts'

const needs = { security: false } as const
const ACK_CTL = 4
const FIQ_EN = 8
const both = open({ groups: 3 })
const group1 = enabled(40, { group: 1 })
const group0 = enabled(41)

export const fiqVectors: readonly Vector[] = [
  vector(
    'With FIQEn, Group 0 is signalled as FIQ',
    '4.4.1',
    needs,
    open({ groups: 3, ctlr: FIQ_EN }),
    group0,
    pend(41),
    fiqOf(0).is(1),
    irqOf(0).is(0),
    ack(0).is(41),
    fiqOf(0).is(0),
  ),
  vector(
    'With FIQEn, Group 1 is still signalled as IRQ',
    '4.4.1',
    needs,
    open({ groups: 3, ctlr: FIQ_EN }),
    group1,
    pend(40),
    fiqOf(0).is(0),
    irqOf(0).is(1),
  ),
  vector(
    'Without FIQEn, Group 0 is signalled as IRQ',
    '4.4.1',
    needs,
    both,
    group0,
    pend(41),
    fiqOf(0).is(0),
    irqOf(0).is(1),
    write(0, 'GICC_CTLR', 3 | FIQ_EN),
    fiqOf(0).is(1),
    irqOf(0).is(0),
  ),
  vector(
    'Only the highest pending interrupt is signalled: a FIQ, then the IRQ',
    '4.4.1',
    needs,
    open({ groups: 3, ctlr: FIQ_EN | ACK_CTL }),
    group1,
    enabled(41, { priority: 0x20 }),
    pend(40),
    pend(41),
    fiqOf(0).is(1),
    irqOf(0).is(0),
    ack(0).is(41),
    fiqOf(0).is(0),
    eoi(0, 41),
    irqOf(0).is(1),
    ack(0).is(40),
  ),
  vector(
    'A pending interrupt moved to the other group is signalled as that',
    '4.3.4',
    needs,
    open({ groups: 3, ctlr: FIQ_EN }),
    enabled(40),
    pend(40),
    fiqOf(0).is(1),
    write(0, 'GICD_IGROUPR1', bitOf(40)),
    fiqOf(0).is(0),
    irqOf(0).is(1),
  ),
  vector(
    'Groups are each CPU’s own for PPIs',
    '4.3.4',
    { security: false, cpus: 2 },
    open({ cpus: 2, groups: 3, ctlr: FIQ_EN }),
    [0, 1].map((cpu) => write(cpu, 'GICD_ISENABLER0', bitOf(20))),
    write(1, 'GICD_IGROUPR0', bitOf(20)),
    ppi(0, 20, 1),
    ppi(1, 20, 1),
    fiqOf(0).is(1),
    irqOf(0).is(0),
    fiqOf(1).is(0),
    irqOf(1).is(1),
  ),
]
