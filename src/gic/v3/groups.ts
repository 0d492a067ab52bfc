/** Interrupt groups of a GICv3, the sets of candidates that a PE has for them, and the priority of a Non-secure NMI. Numbers alone. */

/** Interrupt groups as sets of candidates. With one Security state, Group 1 is Non-secure Group 1. */
export const Group = { G0: 0, G1S: 1, G1NS: 2 } as const
/** The sets of a PE: one for each group, then those of non-maskable interrupts of Group 1. */
export const SETS = 5
export const NMI_SETS = 2

/** Priority of a Non-secure non-maskable interrupt where there are two Security states; any other's is 0 (ICC_RPR_EL1). */
export const NON_SECURE_NMI = 0x80
