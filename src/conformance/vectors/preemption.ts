/** Vectors on preemption: group priority by every binary point, of either group, and shared with CBPR (IHI 0048B 3.3.1, 3.3.3). */

import { ack, enabled, eoi, irqOf, open, pend, read, type Vector, vector, write } from './build.ts'

/**
 * A running interrupt of priority 0xbf, by IHI 0048B table 3-2: the group priority that its binary point leaves of it, the
 * highest value that preempts it, and the lowest one that does not.
 */
const splits = [
  { bpr: 0, running: 0xbe, preempts: 0xbd, not: 0xbe },
  { bpr: 1, running: 0xbc, preempts: 0xbb, not: 0xbc },
  { bpr: 2, running: 0xb8, preempts: 0xb7, not: 0xb8 },
  { bpr: 3, running: 0xb0, preempts: 0xaf, not: 0xb0 },
  { bpr: 4, running: 0xa0, preempts: 0x9f, not: 0xa0 },
  { bpr: 5, running: 0x80, preempts: 0x7f, not: 0x80 },
  { bpr: 6, running: 0x80, preempts: 0x7f, not: 0x80 },
  // No bit is left for the group: nothing preempts.
  { bpr: 7, running: 0x00, preempts: undefined, not: 0x00 },
] as const

type Split = (typeof splits)[number]

/** Runs SPI 40 at 0xbf, then tries 41 at the priority that must not preempt it, then 42 at the one that must. */
function preemption(split: Split, group: 0 | 1) {
  return [
    enabled(40, { priority: 0xbf, group: 0 }),
    enabled(41, { priority: split.not }),
    enabled(42, { priority: split.preempts ?? 0 }),
    ...(group === 1 ? [write(0, 'GICD_IGROUPR1', 0x700)] : []),
    pend(40),
    ack(0).is(40),
    read(0, 'GICC_RPR').is(split.running),
    pend(41),
    irqOf(0).is(0),
    ack(0).is(1023, 0x3ff),
    ...(split.preempts === undefined
      ? [pend(42), irqOf(0).is(0)]
      : [write(0, 'GICD_ICPENDR1', 0x200), pend(42), irqOf(0).is(1), ack(0).is(42), eoi(0, 42)]),
    read(0, 'GICC_RPR').is(split.running),
    eoi(0, 40),
    read(0, 'GICC_RPR').is(0xff),
  ]
}

const needs = { priorityBits: 8, security: false } as const
/** AckCtl, so that GICC_IAR takes Group 1 as well. */
const ACK_CTL = 4
const CBPR = 0x10

const byBinaryPoint = splits.flatMap((split) => [
  vector(
    `GICC_BPR ${split.bpr} decides what preempts Group 0`,
    '3.3.3',
    { ...needs },
    open(),
    write(0, 'GICC_BPR', split.bpr),
    preemption(split, 0),
  ),
  // Group 1's binary point of n+1 leaves as much as Group 0's of n (table 3-3); 0 does not exist.
  ...(split.bpr === 7
    ? []
    : [
        vector(
          `GICC_ABPR ${split.bpr + 1} decides what preempts Group 1`,
          '3.3.3',
          { ...needs },
          open({ groups: 3, ctlr: ACK_CTL }),
          write(0, 'GICC_BPR', 6),
          write(0, 'GICC_ABPR', split.bpr + 1),
          preemption(split, 1),
        ),
      ]),
  vector(
    `With CBPR, GICC_BPR ${split.bpr} decides what preempts Group 1`,
    '4.4.1',
    { ...needs },
    open({ groups: 3, ctlr: ACK_CTL | CBPR }),
    write(0, 'GICC_BPR', split.bpr),
    write(0, 'GICC_ABPR', 4),
    preemption(split, 1),
  ),
])

export const preemptionVectors: readonly Vector[] = [
  ...byBinaryPoint,
  vector(
    'An interrupt of equal priority does not preempt',
    '3.3.1',
    {},
    open(),
    enabled(40),
    enabled(41),
    pend(40),
    ack(0).is(40),
    pend(41),
    irqOf(0).is(0),
    ack(0).is(1023, 0x3ff),
    eoi(0, 40),
    irqOf(0).is(1),
    ack(0).is(41),
  ),
  vector(
    'An interrupt of a worse priority waits',
    '3.3.1',
    {},
    open(),
    enabled(40, { priority: 0x40 }),
    enabled(41, { priority: 0x80 }),
    pend(40),
    ack(0).is(40),
    pend(41),
    irqOf(0).is(0),
    eoi(0, 40),
    ack(0).is(41),
  ),
  vector(
    'An interrupt of a better priority preempts',
    '3.3.1',
    {},
    open(),
    enabled(40, { priority: 0x80 }),
    enabled(41, { priority: 0x40 }),
    pend(40),
    ack(0).is(40),
    pend(41),
    irqOf(0).is(1),
    ack(0).is(41),
  ),
  vector(
    'The subpriority chooses among pending interrupts that do not preempt each other',
    '3.3.3',
    { priorityBits: 8 },
    open(),
    write(0, 'GICC_BPR', 4),
    enabled(40, { priority: 0x8f }),
    enabled(41, { priority: 0x81 }),
    pend(40),
    pend(41),
    ack(0).is(41),
    irqOf(0).is(0),
    eoi(0, 41),
    ack(0).is(40),
  ),
  vector(
    'A Group 0 interrupt preempts a Group 1 one of a worse priority',
    '3.3.1',
    { security: false },
    open({ groups: 3, ctlr: ACK_CTL }),
    enabled(40, { priority: 0x80, group: 1 }),
    pend(40),
    ack(0).is(40),
    enabled(41, { priority: 0x40 }),
    pend(41),
    irqOf(0).is(1),
    ack(0).is(41),
    read(0, 'GICC_RPR').is(0x40),
  ),
  vector(
    'A Group 1 interrupt preempts a Group 0 one of a worse priority',
    '3.3.1',
    { security: false },
    open({ groups: 3, ctlr: ACK_CTL }),
    enabled(40, { priority: 0x80 }),
    pend(40),
    ack(0).is(40),
    enabled(41, { priority: 0x40, group: 1 }),
    pend(41),
    irqOf(0).is(1),
    ack(0).is(41),
    read(0, 'GICC_RPR').is(0x40),
    eoi(0, 41),
    read(0, 'GICC_RPR').is(0x80),
  ),
  vector(
    'A running priority of Group 0 holds Group 1 of the same priority back',
    '3.3.1',
    { security: false },
    open({ groups: 3, ctlr: ACK_CTL }),
    enabled(40),
    pend(40),
    ack(0).is(40),
    enabled(41, { group: 1 }),
    pend(41),
    irqOf(0).is(0),
  ),
  vector(
    'Active priorities of Group 1 are in GICC_NSAPR, those of Group 0 in GICC_APR',
    '4.4.13',
    { security: false, priorityBits: 8 },
    open({ groups: 3, ctlr: ACK_CTL }),
    enabled(40, { priority: 0, group: 1 }),
    pend(40),
    ack(0).is(40),
    read(0, 'GICC_NSAPR0').is(1),
    read(0, 'GICC_APR0').is(0),
    eoi(0, 40),
    read(0, 'GICC_NSAPR0').is(0),
  ),
  vector(
    'Preemption on one CPU does not depend on what another one runs',
    '3.3.1',
    { cpus: 2 },
    open({ cpus: 2 }),
    enabled(40, { priority: 0x20, targets: 1 }),
    enabled(41, { priority: 0xa0, targets: 2 }),
    pend(40),
    ack(0).is(40),
    pend(41),
    irqOf(1).is(1),
    ack(1).is(41),
    read(0, 'GICC_RPR').is(0x20),
    read(1, 'GICC_RPR').is(0xa0),
  ),
]
