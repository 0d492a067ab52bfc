/** The state of the virtio transport as plain JSON, and the check of what claims to be one, and to be of this slot. */

import type { GuestMemory } from '../memory.ts'
import { checkState, flag, list, object, SavedStateError, whole, word32 } from '../saved-state.ts'
import { Virtqueue, VirtqueueError, type VirtqueueState } from './virtqueue.ts'

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

/** What a state must fit. */
interface Slot {
  readonly name: string
  readonly legacy: boolean
  readonly deviceId: number
  readonly memory: GuestMemory
  readonly queues: readonly Virtqueue[]
}

/** Throws a SavedStateError for anything but a state of such a slot; what the device itself keeps is the device's to check. */
export function checkFits(state: unknown, slot: Slot): VirtioMmioState {
  checkState('virtio-mmio', 1, SHAPE, state)
  const saved = state as VirtioMmioState
  if (saved.legacy !== slot.legacy)
    throw new SavedStateError('saved state of virtio-mmio: is of the other version of the interface')
  if (saved.deviceId !== slot.deviceId || saved.queues.length !== slot.queues.length)
    throw new SavedStateError(`saved state of virtio-mmio: is of another device than ${slot.name}`)
  // Tried on copies: a ring that is not in this memory must leave all as it is.
  try {
    for (const [i, queue] of saved.queues.entries()) new Virtqueue(slot.memory, slot.queues[i]!.maxSize).restore(queue)
  } catch (error) {
    if (error instanceof VirtqueueError) throw new SavedStateError(`saved state of virtio-mmio: has ${error.message}`)
    throw error
  }
  return saved
}
