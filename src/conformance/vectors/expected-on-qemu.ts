/**
 * The vectors that QEMU does not pass, each with the deviation that explains it (src/conformance/qemu/deviations.ts). A
 * vector that QEMU fails and that is not here is wrong, or has found a deviation that nobody has listed.
 */

const byDeviation: Readonly<Record<string, readonly string[]>> = {
  'Q2-1': ['GICD_ITARGETSR keeps no bit of a CPU that does not exist'],
  'Q2-2': [
    'An SPI of several targets is signalled to all of them, and one acknowledge takes it from the others',
    'An SPI of several targets is active for all of them: a level that stays is not given to another CPU',
    'An edge after the acknowledge may be pending for another CPU, but waits for the end',
  ],
  'Q2-3': ['An edge that arrives while there is no target is delivered once there is one'],
  'Q2-4': ['A pending edge whose target changes goes to the new one, and to it alone'],
  'Q2-5': [
    'GICD_ISPENDR0 and GICD_ICPENDR0 are banked: each CPU has its own PPIs',
    'GICD_ISPENDR0 makes a PPI of the writing CPU pending',
    'GICD_ICPENDR0 clears a PPI of the writing CPU alone',
  ],
  'Q2-7': ['GICC_DIR may come from another CPU than the acknowledge'],
  'Q2-8': ['GICC_HPPIR tells the source CPU of an SGI, as GICC_IAR does'],
  'Q2-9': ['GICC_HPPIR does not depend on GICC_PMR'],
  'Q2-10': [
    'A Group 0 interrupt that the Distributor does not forward does not hide one of Group 1',
    'A pending interrupt moved to a group that is off is withdrawn, and back in the other one signalled again',
  ],
  'Q2-11': [
    'GICD_SPENDSGIR as a word makes four SGIs pending at once',
    'GICD_SPENDSGIR keeps no source that does not exist',
  ],
  'Q2-12': [
    'GICD_PPISR shows the wires of PPIs 16 to 31 in bits 0 to 15',
    'GICD_SPISR shows the wires of SPIs, not their pending state',
    'GICC_AIAR takes a Group 1 interrupt and GICC_AEOIR ends it',
    'GICC_AIAR gives 1023 when the highest pending interrupt is of Group 0',
    'GICC_AHPPIR tells a Group 1 interrupt, and 1023 for one of Group 0',
    'GICC_AEOIR follows EOImode',
    'GICD_NSACR is RAZ/WI to Non-secure accesses',
    'GICD_NSACR 1 grants the pending bits of GICD_ISPENDR',
    'GICD_NSACR 2 grants GICD_ICPENDR',
    'GICD_NSACR0 is banked',
    'Every register of GICD_NSACR of SPIs keeps its 16 fields',
    'A Secure read of GICC_AIAR takes Group 1, and GICC_AEOIR ends it',
    'A Secure read of GICC_AIAR gives 1023 while Group 0 is highest',
    'A Secure read of GICC_HPPIR gives 1022 while Group 1 is highest, GICC_AHPPIR the interrupt',
  ],
  'Q2-16': [
    'GICC_CTLR keeps the four bypass disable bits',
    'Non-secure GICC_CTLR bits 5 and 6 are the bypass disable bits of Group 1',
  ],
  'Q2-18': ['GICC_IAR gives 1023, not 1022, for a Group 1 interrupt that the running priority holds back'],
  'Q2-20': [
    'A Secure GICD_SGIR with NSATT 0 reaches CPUs where the SGI is of Group 0',
    'A Secure GICD_SGIR with NSATT 1 reaches CPUs where the SGI is of Group 1',
    'A Non-secure GICD_SGIR reaches Group 1 alone, whatever NSATT says',
    'A Non-secure GICD_SGIR reaches a Group 0 SGI that the target’s GICD_NSACR0 grants',
  ],
  'Q2-21': [
    'The target byte of a Group 0 interrupt is RAZ/WI to Non-secure accesses',
    'GICD_NSACR 2 does not grant GICD_ITARGETSR',
  ],
  'Q2-22': [
    'An MSI leaves its SPI’s wire as it is: a level-sensitive one whose wire is high stays pending',
    'An MSI is an edge whatever its SPI’s wire does: one whose wire has been high for long is pending again',
  ],
}

/** Deviation by the name of the vector. */
export const expectedOnQemu: ReadonlyMap<string, string> = new Map(
  Object.entries(byDeviation).flatMap(([deviation, names]) => names.map((name) => [name, deviation] as const)),
)
