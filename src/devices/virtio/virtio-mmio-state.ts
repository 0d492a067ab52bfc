/** The state of the virtio transport as plain JSON, and the check of what claims to be one. */

import { checkState, flag, list, object, whole, word32 } from '../saved-state.ts'
import type { VirtqueueState } from './virtqueue.ts'

/** Plain JSON. */
export interface VirtioMmioState {
  /** What this is the state of. */
  kind: 'virtio-mmio'
  /** Raised when the meaning of a member changes. */
  version: 1
  /** The interface of before version 1.0. */
  legacy: boolean
  /** Of the device in the slot; 0 for none. */
  deviceId: number
  /** Status. */
  status: number
  /** DeviceFeaturesSel. */
  deviceFeaturesSel: number
  /** DriverFeaturesSel. */
  driverFeaturesSel: number
  /** Features that the driver took, low word first. */
  driverFeatures: number[]
  /** QueueSel. */
  queueSel: number
  /** InterruptStatus. */
  interruptStatus: number
  /** ConfigGeneration. */
  configGeneration: number
  /** Of the legacy interface: how far a page number is shifted to be an address. */
  pageShift: number
  /** In the order of their numbers. */
  queues: VirtqueueState[]
  /** What the device itself keeps. */
  device: unknown
}

const ADDRESS = whole(0, Number.MAX_SAFE_INTEGER)
const SHAPE = {
  legacy: flag,
  deviceId: word32,
  status: whole(0, 0xff),
  deviceFeaturesSel: word32,
  driverFeaturesSel: word32,
  driverFeatures: list(word32, 2),
  queueSel: word32,
  interruptStatus: whole(0, 3),
  configGeneration: whole(0, 0xff),
  pageShift: whole(0, 31),
  queues: list(
    object({
      size: whole(0, 0xffff),
      ready: flag,
      descriptors: ADDRESS,
      driver: ADDRESS,
      device: ADDRESS,
      alignment: whole(1, 2 ** 31),
      lastAvailable: whole(0, 0xffff),
      used: whole(0, 0xffff),
    }),
    64,
  ),
  device: () => undefined,
}

/** Throws a SavedStateError for anything but a state. */
export function checkTransport(state: unknown): VirtioMmioState {
  checkState('virtio-mmio', 1, SHAPE, state)
  return state as VirtioMmioState
}
