/** The MMIO framework: a bus, register tables, and the frames that join them. It does not know what a GIC is. */

export * from './access.ts'
export * from './bus.ts'
export * from './coalesced.ts'
export * from './doorbell.ts'
export * from './frame.ts'
export * from './interrupt-source.ts'
export * from './outcome.ts'
export * from './per-irq.ts'
export * from './register.ts'
export * from './register-table.ts'
