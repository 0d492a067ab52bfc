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
    vectors: ['ICC_SGI1R_EL1 reaches SGIs of either group with one Security state'],
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
    vectors: ['ICC_CTLR_EL1.EOImode is banked, and ICC_CTLR_EL3 shows both'],
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
]

/** Deviation by the name of the vector. */
export const gicv3ExpectedOnQemu: ReadonlyMap<string, Deviation> = new Map(
  gicv3VectorDeviations.flatMap((deviation) => deviation.vectors.map((name) => [name, deviation] as const)),
)
