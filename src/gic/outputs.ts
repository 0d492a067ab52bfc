/** The output wires of a PE as bits of a byte. What drives them is in each version's `delivery.ts`. */

export const Output = { irq: 1, fiq: 2 } as const
