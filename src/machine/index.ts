/**
 * The machine around the GIC: CPUs and board, what it starts with, its monitor; and all of `vgic/devices`.
 */

export * from '../devices/index.ts'
export * from './board/own-devices.ts'
export * from './board/virt-map.ts'
export * from './boot/boot.ts'
export { elfSymbols } from './boot/elf-symbols.ts'
export * from './boot/layout.ts'
export { type LoadedKernel, LoaderError, type LoadOptions, type LoadSegment, storeSegments } from './boot/loaded.ts'
export * from './boot/loader.ts'
export { gunzip, isGzip } from './boot/unpack.ts'
export * from './device-tree/fdt.ts'
export * from './device-tree/virt-dtb.ts'
export { Monitor, type MonitorControl, type MonitorOptions } from './monitor/monitor.ts'
export * from './psci.ts'
export { describeVirt, Recorder } from './recorder.ts'
export { type Clock, INSTRUCTIONS_PER_SECOND } from './scheduler.ts'
export * from './virt.ts'
export { type CodeSymbol, type LoadedAt, Symbols } from './why/symbols.ts'
