/** The package's entry: the GIC and the bus to put it on. */

export * from './gic/index.ts'
export * from './mmio/index.ts'
