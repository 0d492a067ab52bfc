/** Vectors on GICv3 priorities: the mask, the best pending interrupt, preemption by every binary point, the running priority. */

import { irqOf, type Vector } from './build.ts'
import { ack, d, eoi, mrs, msr, open3, pend3, pendPrivate, private3, spi3, unpend3, vector3 } from './gicv3-build.ts'

/**
 * A running interrupt of priority 0xb8, which five bits can hold: by the binary point of Group 0, the greatest value that
 * preempts it, and the least one that does not ('Priority grouping', its table).
 */
const splits = [
  { bpr: 2, preempts: 0xb0, not: 0xb8 },
  { bpr: 3, preempts: 0xa8, not: 0xb0 },
  { bpr: 4, preempts: 0x98, not: 0xa0 },
  { bpr: 5, preempts: 0x78, not: 0x80 },
  { bpr: 6, preempts: 0x78, not: 0x80 },
  // No bit is left for the group: nothing preempts.
  { bpr: 7, preempts: undefined, not: 0x00 },
] as const

type Split = (typeof splits)[number]

/** Runs SPI 40 at 0xb8, then tries 41 at the priority that must not preempt it, then 42 at the one that must. */
function preemption(split: Split, group: 0 | 1) {
  const iar = group === 0 ? 'IAR0' : 'IAR1'
  const eoir = group === 0 ? 'EOIR0' : 'EOIR1'
  return [
    spi3(40, { priority: 0xb8, group }),
    spi3(41, { priority: split.not, group }),
    spi3(42, { priority: split.preempts ?? 0, group }),
    pend3(40),
    mrs(0, iar).is(40),
    pend3(41),
    mrs(0, iar).is(1023),
    ...(split.preempts === undefined
      ? [pend3(42), mrs(0, iar).is(1023)]
      : [unpend3(41), pend3(42), mrs(0, iar).is(42), msr(0, eoir, 42)]),
    msr(0, eoir, 40),
    mrs(0, 'RPR').is(0xff),
  ]
}

const byBinaryPoint = splits.flatMap((split) => [
  vector3(
    `ICC_BPR0_EL1 ${split.bpr} decides what preempts Group 0`,
    'Priority grouping',
    { priorityBits: 5 },
    open3({ group0: true }),
    msr(0, 'BPR0', split.bpr),
    preemption(split, 0),
  ),
  // Non-secure Group 1's binary point of n + 1 leaves as much as Group 0's of n.
  ...(split.bpr === 7
    ? []
    : [
        vector3(
          `ICC_BPR1_EL1 ${split.bpr + 1} decides what preempts Group 1`,
          'Priority grouping',
          { priorityBits: 5 },
          open3(),
          msr(0, 'BPR0', 6),
          msr(0, 'BPR1', split.bpr + 1),
          preemption(split, 1),
        ),
      ]),
  vector3(
    `With CBPR, ICC_BPR0_EL1 ${split.bpr} decides what preempts Group 1`,
    'ICC_CTLR_EL1',
    { priorityBits: 5 },
    open3(),
    msr(0, 'BPR1', 4),
    msr(0, 'BPR0', split.bpr),
    msr(0, 'CTLR', 1),
    preemption(split, 1),
  ),
])

/** "The priority returned is the group priority as if the BPR ... was set to the minimum value": 0xb8 has five bits. */
const asMinimum = splits.flatMap(({ bpr }) => [
  vector3(
    `ICC_RPR_EL1 is as if ICC_BPR0_EL1 ${bpr} were the minimum`,
    'ICC_RPR_EL1',
    { priorityBits: 5 },
    open3({ group0: true }),
    msr(0, 'BPR0', bpr),
    spi3(40, { priority: 0xb8, group: 0 }),
    pend3(40),
    mrs(0, 'IAR0').is(40),
    mrs(0, 'RPR').is(0xb8),
    msr(0, 'EOIR0', 40),
    mrs(0, 'RPR').is(0xff),
  ),
  vector3(
    `ICC_RPR_EL1 is as if ICC_BPR1_EL1 ${Math.min(7, bpr + 1)} were the minimum${bpr === 7 ? ', with CBPR too' : ''}`,
    'ICC_RPR_EL1',
    { priorityBits: 5 },
    open3(),
    ...(bpr === 7 ? [msr(0, 'BPR0', 7), msr(0, 'CTLR', 1)] : [msr(0, 'BPR1', bpr + 1)]),
    spi3(40, { priority: 0xb8 }),
    pend3(40),
    ack(0).is(40),
    mrs(0, 'RPR').is(0xb8),
    eoi(0, 40),
    mrs(0, 'RPR').is(0xff),
  ),
])

const mask = [
  ...[0x08, 0x80, 0xf0, 0xf8].map((priority) =>
    vector3(
      `ICC_PMR_EL1 of 0x${priority.toString(16)} masks that priority and not the next better one`,
      'Priority masking',
      {},
      open3(),
      spi3(40, { priority }),
      spi3(41, { priority: priority - 8 }),
      msr(0, 'PMR', priority),
      pend3(40),
      irqOf(0).is(0),
      ack(0).is(1023),
      pend3(41),
      irqOf(0).is(1),
      ack(0).is(41),
    ),
  ),
  vector3(
    'ICC_PMR_EL1 of 0 masks everything, priority 0 too',
    'Priority masking',
    {},
    open3(),
    spi3(40, { priority: 0 }),
    msr(0, 'PMR', 0),
    pend3(40),
    irqOf(0).is(0),
    ack(0).is(1023),
    msr(0, 'PMR', 8),
    irqOf(0).is(1),
  ),
  vector3(
    'The lowest priority, 0xf8, is signalled with the mask at 0xff only where it has more bits',
    'Priority masking',
    { priorityBits: 5 },
    open3(),
    spi3(40, { priority: 0xf8 }),
    pend3(40),
    // The mask reads as 0xf8, which is not greater than the priority.
    irqOf(0).is(0),
    ack(0).is(1023),
  ),
  vector3(
    'ICC_HPPIR1_EL1 is not subject to the mask, nor to what runs',
    'ICC_HPPIR1_EL1',
    {},
    open3(),
    spi3(40),
    pend3(40),
    msr(0, 'PMR', 0x10),
    mrs(0, 'HPPIR1').is(40),
    msr(0, 'PMR', 0xff),
    ack(0).is(40),
    spi3(41, { priority: 0xf0 }),
    pend3(41),
    mrs(0, 'HPPIR1').is(41),
    ack(0).is(1023),
  ),
]

const choice = [
  vector3(
    'Of several pending interrupts the one of the best priority comes first',
    'Interrupt prioritization',
    {},
    open3(),
    [
      [40, 0x80],
      [41, 0x20],
      [42, 0x60],
      [43, 0x40],
    ].map(([intid, priority]) => spi3(intid!, { priority: priority! })),
    [40, 41, 42, 43].map(pend3),
    [41, 43, 42, 40].flatMap((intid) => [ack(0).is(intid), eoi(0, intid)]),
    ack(0).is(1023),
  ),
  vector3(
    'SGIs, PPIs and SPIs are chosen by priority alone',
    'Interrupt prioritization',
    {},
    open3(),
    private3(0, 3, 0x60),
    private3(0, 27, 0x20),
    spi3(40, { priority: 0x40 }),
    pendPrivate(0, 3),
    pendPrivate(0, 27),
    pend3(40),
    [27, 40, 3].flatMap((intid) => [ack(0).is(intid), eoi(0, intid)]),
  ),
  vector3(
    'A change of priority of a pending interrupt changes who comes first',
    'GICD_IPRIORITYR<n>',
    {},
    open3(),
    spi3(40, { priority: 0x40 }),
    spi3(41, { priority: 0x80 }),
    pend3(40),
    pend3(41),
    mrs(0, 'HPPIR1').is(40),
    d.write8('IPRIORITYR', 41, 0x20),
    mrs(0, 'HPPIR1').is(41),
    ack(0).is(41),
  ),
  vector3(
    'The best priority is the best of either group',
    'Interrupt prioritization',
    {},
    open3({ group0: true }),
    spi3(40, { priority: 0x40 }),
    spi3(70, { group: 0, priority: 0x20 }),
    pend3(40),
    mrs(0, 'HPPIR1').is(40),
    pend3(70),
    mrs(0, 'HPPIR1').is(1023),
    mrs(0, 'HPPIR0').is(70),
  ),
]

const running = [
  vector3(
    'An interrupt of equal priority waits, one of a better priority preempts, and each ends what it began',
    'Preemption',
    {},
    open3(),
    spi3(40, { priority: 0x80 }),
    spi3(41, { priority: 0x80 }),
    spi3(42, { priority: 0x40 }),
    pend3(40),
    ack(0).is(40),
    pend3(41),
    irqOf(0).is(0),
    pend3(42),
    irqOf(0).is(1),
    ack(0).is(42),
    mrs(0, 'RPR').is(0x40),
    eoi(0, 42),
    mrs(0, 'RPR').is(0x80),
    irqOf(0).is(0),
    eoi(0, 40),
    ack(0).is(41),
  ),
  vector3(
    'Three levels of preemption, and back',
    'Preemption',
    { priorityBits: 5 },
    open3(),
    [
      [40, 0xc0],
      [41, 0x80],
      [42, 0x40],
      [43, 0x00],
    ].flatMap(([intid, priority]) => [
      spi3(intid!, { priority: priority! }),
      pend3(intid!),
      ack(0).is(intid!),
      mrs(0, 'RPR').is(priority!),
    ]),
    // Levels 24, 16, 8 and 0 of 32.
    mrs(0, 'AP1R0').is(0x0101_0101),
    eoi(0, 43),
    mrs(0, 'RPR').is(0x40),
    mrs(0, 'AP1R0').is(0x0101_0100),
    eoi(0, 42),
    mrs(0, 'RPR').is(0x80),
    eoi(0, 41),
    mrs(0, 'RPR').is(0xc0),
    eoi(0, 40),
    mrs(0, 'RPR').is(0xff),
    mrs(0, 'AP1R0').is(0),
  ),
  vector3(
    'What runs on one PE does not hold another one back',
    'Preemption',
    { cpus: 2 },
    open3({ pes: 2 }),
    spi3(40, { priority: 0x20 }),
    spi3(41, { priority: 0xa0, to: 1 }),
    pend3(40),
    ack(0).is(40),
    pend3(41),
    irqOf(1).is(1),
    ack(1).is(41),
    mrs(0, 'RPR').is(0x20),
    mrs(1, 'RPR').is(0xa0),
  ),
  vector3(
    'The subpriority chooses among interrupts that do not preempt each other',
    'Priority grouping',
    {},
    open3(),
    msr(0, 'BPR1', 6),
    spi3(40, { priority: 0xb0 }),
    spi3(41, { priority: 0x88 }),
    pend3(40),
    pend3(41),
    ack(0).is(41),
    irqOf(0).is(0),
    eoi(0, 41),
    ack(0).is(40),
  ),
  vector3(
    'Interrupts that share a group priority do not preempt each other',
    'Priority grouping',
    {},
    open3(),
    msr(0, 'BPR1', 6),
    spi3(40, { priority: 0xb0 }),
    spi3(41, { priority: 0xa0 }),
    pend3(40),
    ack(0).is(40),
    pend3(41),
    // 0xb0 and 0xa0 share the group priority 0x80.
    irqOf(0).is(0),
  ),
  vector3(
    'A write of ICC_BPR0_EL1 changes at once what preempts Group 0',
    'ICC_BPR0_EL1',
    {},
    open3({ group0: true }),
    spi3(40, { priority: 0xb8, group: 0 }),
    spi3(41, { priority: 0xa8, group: 0 }),
    pend3(40),
    mrs(0, 'IAR0').is(40),
    msr(0, 'BPR0', 6),
    pend3(41),
    mrs(0, 'IAR0').is(1023),
    msr(0, 'BPR0', 3),
    mrs(0, 'IAR0').is(41),
  ),
  vector3(
    'Written active priorities are the running priority',
    'System register access to the Active Priorities registers',
    { priorityBits: 5 },
    open3(),
    msr(0, 'AP1R0', 0x0001_0000),
    mrs(0, 'RPR').is(0x80),
    spi3(40, { priority: 0x80 }),
    spi3(41, { priority: 0x78 }),
    pend3(40),
    irqOf(0).is(0),
    pend3(41),
    irqOf(0).is(1),
    msr(0, 'AP1R0', 0),
    mrs(0, 'RPR').is(0xff),
  ),
]

export const gicv3PriorityVectors: readonly Vector[] = [...byBinaryPoint, ...asMinimum, ...mask, ...choice, ...running]
