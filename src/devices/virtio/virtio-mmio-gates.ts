/**
 * What keeps the interrupt of a virtio slot down, from the driver's first step to the used ring (Virtual I/O Device 1.2, 3.1 and
 * 4.2.2): gates for whoever asks. It looks at a transport, and changes nothing.
 */

import type { SourceGate } from '../../mmio/index.ts'
import { VirtioStatus } from './virtio-device.ts'
import type { Virtqueue } from './virtqueue.ts'

export interface VirtioLook {
  /** There is a device in the slot. */
  readonly present: boolean
  readonly legacy: boolean
  readonly status: number
  readonly interruptStatus: number
  readonly queues: readonly Pick<Virtqueue, 'ready' | 'wantsInterrupt'>[]
}

export function virtioGates({ present, legacy, status, interruptStatus, queues }: VirtioLook): SourceGate[] {
  const reported: SourceGate = {
    gate: 'something to report',
    open: interruptStatus !== 0,
    cause: 'source',
    register: 'InterruptStatus',
    field: '',
    value: interruptStatus,
    says:
      interruptStatus === 0
        ? 'the device has used no buffer since the driver acknowledged the last.'
        : `the device reports ${interruptStatus & 1 ? 'a used buffer' : 'a change of its configuration'}.`,
    remedy:
      interruptStatus === 0
        ? 'Make a buffer available that the device can use, and write the queue number to QueueNotify.'
        : undefined,
  }
  // InterruptStatus alone is the line.
  if (reported.open) return [reported]
  const configured = { cause: 'configuration' } as const
  if (!present) {
    const says = 'the slot is empty: nothing is there that could interrupt.'
    const remedy = 'Take the slot whose DeviceID is not 0.'
    return [
      { ...configured, gate: 'device present', open: false, register: 'DeviceID', field: '', value: 0, says, remedy },
    ]
  }
  const broken = (status & VirtioStatus.needsReset) !== 0
  const up = !broken && (status & VirtioStatus.driverOk) !== 0
  const ready = queues.filter((queue) => queue.ready)
  const wanted = ready.some((queue) => queue.wantsInterrupt)
  return [
    {
      ...configured,
      gate: 'driver up',
      open: up,
      register: 'Status',
      field: broken ? 'DEVICE_NEEDS_RESET' : 'DRIVER_OK',
      value: status,
      says: broken
        ? 'the driver broke the rules of a queue, and the device needs a reset.'
        : up
          ? 'the driver is up.'
          : 'the driver has not said that it is up.',
      remedy: up ? undefined : broken ? 'Write 0 to Status, and set the device up anew.' : 'Set DRIVER_OK in Status.',
    },
    {
      ...configured,
      gate: 'queue ready',
      open: ready.length > 0,
      register: legacy ? 'QueuePFN' : 'QueueReady',
      field: '',
      value: Number(ready.length > 0),
      says: `${ready.length} of ${queues.length} queues are in use.`,
      remedy: ready.length > 0 ? undefined : `Give a queue its rings, and write ${legacy ? 'its page' : '1'} there.`,
    },
    ...(ready.length === 0
      ? []
      : [
          {
            ...configured,
            gate: 'interrupt wanted',
            open: wanted,
            register: 'available ring',
            field: 'NO_INTERRUPT',
            value: Number(!wanted),
            says: wanted ? 'the driver wants an interrupt for a used buffer.' : 'the driver wants no interrupt.',
            remedy: wanted ? undefined : "Clear bit 0 of the flags of the queue's available ring.",
          },
        ]),
    reported,
  ]
}
