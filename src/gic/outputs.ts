/**
 * The output wires of a PE as bits of a byte. What drives them is in each version's `delivery.ts`. `superpriority` is a GICv3's
 * alone: the IRQ or FIQ that is high beside it comes from a non-maskable interrupt (DDI 0487, FEAT_NMI).
 */

export const Output = { irq: 1, fiq: 2, superpriority: 4 } as const
