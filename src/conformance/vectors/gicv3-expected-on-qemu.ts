/**
 * The GICv3 vectors that QEMU does not pass, each under what QEMU does instead, seen in 7.2; numbered as in
 * `../qemu/deviations-gicv3.ts`, which has reproductions of all but Q3-13, QEMU's leave to differ. A vector that QEMU fails and that is not here is
 * wrong, or has found a deviation that nobody has listed.
 */

interface Deviation {
  readonly id: string
  readonly what: string
  /** The clause that decides, or says that it is optional. */
  readonly clause: string
  /** Newer versions are known to pass. */
  readonly mended?: true
  readonly vectors: readonly string[]
}

export const gicv3VectorDeviations: readonly Deviation[] = [
  {
    id: 'Q3-1',
    what: 'GICD_TYPER.ITLinesNumber is one too small',
    clause: 'GICD_TYPER',
    mended: true,
    vectors: ['GICD_TYPER says how many INTIDs there are: 288'],
  },
  {
    id: 'Q3-2',
    what: 'GICD_IROUTER keeps its RES0 bits',
    clause: 'GICD_IROUTER<n>',
    vectors: ['GICD_IROUTER keeps no RES0 bit'],
  },
  {
    id: 'Q3-3',
    what: 'a Redistributor that is asleep delivers all the same',
    clause: 'GICR_WAKER',
    vectors: [
      'A Redistributor that is asleep forwards nothing, and forwards when it wakes',
      'An SGI may be sent to a PE whose Redistributor sleeps, and waits there',
      'A PE whose Redistributor sleeps is not given LPIs',
    ],
  },
  {
    id: 'Q3-14',
    what: 'ICC_PMR_EL1 keeps what is written to its RES0 bits 63:8',
    clause: 'ICC_PMR_EL1',
    vectors: ['ICC_PMR_EL1 keeps 5 bits, and resets to 0'],
  },
  {
    id: 'Q3-10',
    what: 'with one Security state ICC_SGI1R_EL1 does not reach SGIs of Group 0',
    clause: 'Use of control registers for SGI forwarding',
    vectors: [
      'ICC_SGI1R_EL1 reaches SGIs of either group with one Security state',
      'ICC_SGI1R_EL1 at Non-secure EL1 reaches an SGI of Group 0 (DS 1)',
    ],
  },
  {
    id: 'Q3-11',
    what: 'GICR_WAKER shows itself to Non-secure accesses',
    clause: 'GICR_WAKER',
    vectors: ['GICR_WAKER is RAZ/WI to Non-secure accesses'],
  },
  {
    id: 'Q3-12',
    what: 'ICC_CTLR_EL3 shows the Non-secure EOImode and CBPR for the Secure ones, too',
    clause: 'ICC_CTLR_EL3',
    vectors: [
      'ICC_CTLR_EL1.EOImode is banked, and ICC_CTLR_EL3 shows both',
      'ICC_CTLR_EL3 shows EOImode of the two banks and of EL3 (DS 0)',
      'ICC_CTLR_EL3 shows EOImode of the two banks and of EL3 (DS 1)',
    ],
  },
  {
    id: 'Q3-22',
    what: 'ICC_RPR_EL1 is the running priority cut to the binary point of its interrupt',
    clause: 'ICC_RPR_EL1',
    vectors: [
      ...[3, 4, 5, 6, 7].map((bpr) => `ICC_RPR_EL1 is as if ICC_BPR0_EL1 ${bpr} were the minimum`),
      ...[4, 5, 6, 7].map((bpr) => `ICC_RPR_EL1 is as if ICC_BPR1_EL1 ${bpr} were the minimum`),
      'ICC_RPR_EL1 is as if ICC_BPR1_EL1 7 were the minimum, with CBPR too',
    ],
  },
  {
    id: 'Q3-9',
    what: 'GICR_PENDBASER.PTZ reads as it was written',
    clause: 'GICR_PENDBASER',
    vectors: ['GICR_PENDBASER.PTZ reads as 0'],
  },
  {
    id: 'Q3-13',
    what: 'there is no GICR_INVLPIR and no GICR_INVALLR, which are optional where GICR_CTLR.IR and GICR_TYPER.DirectLPI are 0',
    clause: 'GICR_CTLR',
    vectors: [
      'GICR_INVLPIR reads the configuration of one LPI again',
      'An LPI that its configuration does not enable is not signalled, and is once it does and is invalidated',
      'An LPI that is disabled and invalidated is withdrawn, and stays pending',
      'A better priority in the configuration counts once it is invalidated',
    ],
  },
  {
    id: 'Q3-15',
    what: 'the Non-secure ICC_AP1R0_EL1 cannot be written, where there is EL3',
    clause: 'ICC_AP1R<n>_EL1',
    vectors: [
      'The active priority of Non-secure Group 1 is in ICC_AP1R0_EL1 of SCR_EL3.NS 1, and can be restored at EL3 (DS 0)',
      'The active priority of Group 1 is in ICC_AP1R0_EL1 of SCR_EL3.NS 1, and can be restored at EL3 (DS 1)',
    ],
  },
  {
    id: 'Q3-16',
    what: 'with GICD_CTLR.DS 1 a Group 1 interrupt is signalled as FIQ at EL3 and at Secure EL1',
    clause: 'Interrupt assignment to IRQ and FIQ signals',
    vectors: [
      'Group 1 is signalled at EL3 with SCR_EL3.NS 0 as IRQ (DS 1)',
      'Group 1 is signalled at EL3 with SCR_EL3.NS 1 as IRQ (DS 1)',
      'Group 1 is signalled at Secure EL1 as IRQ (DS 1)',
    ],
  },
  {
    id: 'Q3-17',
    what: 'with two Security states Secure ICC_SGI1R_EL1 reaches SGIs of Group 0 too',
    clause: 'Use of control registers for SGI forwarding',
    vectors: ['EL3 with SCR_EL3.NS 0', 'EL3 with SCR_EL3.NS 1', 'Secure EL1'].map(
      (place) => `ICC_SGI1R_EL1 at ${place} does not reach an SGI of Group 0 (DS 0)`,
    ),
  },
  {
    id: 'Q3-20',
    what: 'GICR_NSACR does not let Non-secure ICC_SGI1R_EL1 send Secure SGIs',
    clause: 'GICR_NSACR',
    vectors: [
      'GICR_NSACR 1 lets ICC_SGI1R_EL1 at Non-secure EL1 send an SGI of Group 0',
      'GICR_NSACR 2 lets ICC_SGI1R_EL1 at Non-secure EL1 send an SGI of Group 0',
      'GICR_NSACR 2 lets ICC_SGI1R_EL1 at Non-secure EL1 send an SGI of Secure Group 1',
    ],
  },
  {
    id: 'Q3-18',
    what: 'with GICD_CTLR.DS 1 and SCR_EL3.FIQ 1 Non-secure EL1 sees priorities shifted',
    clause: 'Software accesses of interrupt priority',
    vectors: [
      'ICC_PMR_EL1 at Non-secure EL1 with SCR_EL3.FIQ 1 is read as it is (DS 1)',
      'ICC_PMR_EL1 at Non-secure EL1 with SCR_EL3.FIQ 1 is written as it is (DS 1)',
      'ICC_RPR_EL1 at Non-secure EL1 with SCR_EL3.FIQ 1 shows Group 0 at 0x40 as 0x40 (DS 1)',
      'ICC_RPR_EL1 at Non-secure EL1 with SCR_EL3.FIQ 1 shows Group 1 at 0xc0 as 0xc0 (DS 1)',
    ],
  },
  {
    id: 'Q3-19',
    what: 'ICC_SRE_EL2 can be reached at EL3 with SCR_EL3.NS 0, where no Secure EL2 is enabled',
    clause: 'ICC_SRE_EL2',
    vectors: ['ICC_SRE_EL2 is UNDEFINED at EL3 with SCR_EL3.NS 0, where no Secure EL2 is enabled'],
  },
]

/** Deviation by the name of the vector. */
export const gicv3ExpectedOnQemu: ReadonlyMap<string, Deviation> = new Map(
  gicv3VectorDeviations.flatMap((deviation) => deviation.vectors.map((name) => [name, deviation] as const)),
)
