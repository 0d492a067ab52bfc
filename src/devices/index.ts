/**
 * Devices on the framework's buses, each by itself: UART, clock, GPIO, flash, fw_cfg, virtio, and the guest memory they reach. No
 * CPU, and no board. Disks in files are in `file-disk.ts`, for Node alone.
 */

export * from './disk.ts'
export * from './flash/cfi-flash.ts'
export type { CfiFlashState } from './flash/cfi-flash-state.ts'
export * from './fw-cfg.ts'
export * from './line.ts'
export * from './memory.ts'
export * from './pl011/pl011.ts'
export type { Pl011Options } from './pl011/pl011-options.ts'
export { Pl011Error, Pl011Interrupt, pl011Table } from './pl011/pl011-registers.ts'
export type { Pl011State } from './pl011/pl011-state.ts'
export * from './pl031.ts'
export * from './pl061.ts'
export { SavedStateError } from './saved-state.ts'
export * from './virtio/virtio-blk.ts'
export * from './virtio/virtio-console.ts'
export * from './virtio/virtio-device.ts'
export type { VirtioFeatures } from './virtio/virtio-features.ts'
export * from './virtio/virtio-mmio.ts'
export { virtioLegacyTable } from './virtio/virtio-mmio-legacy.ts'
export { virtioMmioTable } from './virtio/virtio-mmio-registers.ts'
export type { VirtioMmioState } from './virtio/virtio-mmio-state.ts'
export * from './virtio/virtio-rng.ts'
export * from './virtio/virtqueue.ts'
