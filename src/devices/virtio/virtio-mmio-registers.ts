/**
 * The registers of the virtio transport over MMIO, version 2 (Virtual I/O Device 1.2, 4.2.2). All are 32 bits wide, and configuration space
 * is bytes. What they do is in `virtio-mmio.ts`.
 */

import { bit, type Row, registerTable, word } from '../../mmio/index.ts'
import type { VirtioFeatures } from './virtio-features.ts'
import type { Virtqueue } from './virtqueue.ts'

/** What the registers show of a transport, and what they do to it. Values are the registers' own. */
export interface VirtioTransport {
  /** 0: nothing is plugged in. */
  readonly deviceId: number
  /** What is offered, and the words of it that DeviceFeaturesSel and DriverFeaturesSel choose. */
  readonly features: Pick<VirtioFeatures, 'device' | 'deviceSel' | 'driverSel'>
  /** A write of DriverFeatures. */
  takeFeatures(value: number): void
  queueSel: number
  /** log2 of GuestPageSize. */
  pageShift: number
  /** The one that QueueSel chooses, where there is one. */
  readonly queue: Virtqueue | undefined
  setQueueReady(ready: boolean): void
  /** QueuePFN, as an address in bytes. */
  setQueueAddress(address: number): void
  notify(queue: number): void
  readonly interruptStatus: number
  acknowledge(mask: number): void
  status: number
  readonly configGeneration: number
  configWord(index: number): number
}

type Area = 'descriptors' | 'driver' | 'device'

/** Both halves of a ring's address. They are settled with QueueReady: a later write has no effect. */
function address(name: string, offset: number, area: Area): Row<VirtioTransport>[] {
  return [0, 1].map((half) =>
    word(`${name}${half === 0 ? 'Low' : 'High'}`, offset + half * 4, {
      write: (transport, _, value) => {
        const queue = transport.queue
        if (queue === undefined || queue.ready) return
        const old = queue[area]
        const low = half === 0 ? value >>> 0 : old % 2 ** 32
        // 52 bits are more than there is memory, and exact as a number.
        const high = half === 1 ? (value >>> 0) & 0xf_ffff : Math.floor(old / 2 ** 32)
        const beyond = half === 1 && value >>> 20 !== 0
        queue[area] = beyond ? Number.MAX_SAFE_INTEGER : high * 2 ** 32 + low
      },
      restore: false,
    }),
  )
}

/** What both versions of the interface begin with. The vendor is QEMU's: small drivers look for it. */
export function identity(version: 1 | 2): Row<VirtioTransport>[] {
  return [
    word('MagicValue', 0x000, { read: () => 0x7472_6976, reset: 0x7472_6976 }),
    word('Version', 0x004, { read: () => version, reset: version }),
    word('DeviceID', 0x008, { read: (transport) => transport.deviceId }),
    word('VendorID', 0x00c, { read: () => 0x554d_4551, reset: 0x554d_4551, note: "'QEMU'" }),
  ]
}

/** Features by halves, and the choice of a queue. */
export const features: readonly Row<VirtioTransport>[] = [
  word('DeviceFeatures', 0x010, { read: (transport) => transport.features.device }),
  word('DeviceFeaturesSel', 0x014, {
    write: (transport, _, value) => {
      transport.features.deviceSel = value
    },
    restore: false,
  }),
  word('DriverFeatures', 0x020, {
    write: (transport, _, value) => {
      transport.takeFeatures(value)
    },
    restore: false,
  }),
  word('DriverFeaturesSel', 0x024, {
    write: (transport, _, value) => {
      transport.features.driverSel = value
    },
    restore: false,
  }),
  word('QueueSel', 0x030, {
    write: (transport, _, value) => {
      transport.queueSel = value
    },
    restore: false,
  }),
]

/** What a driver uses while it is up. */
export const running: readonly Row<VirtioTransport>[] = [
  word('QueueNotify', 0x050, { write: (transport, _, value) => transport.notify(value >>> 0), restore: false }),
  word('InterruptStatus', 0x060, {
    read: (transport) => transport.interruptStatus,
    fields: { UsedBuffer: bit(0), ConfigurationChange: bit(1) },
  }),
  word('InterruptACK', 0x064, { write: (transport, _, value) => transport.acknowledge(value), restore: false }),
  word('Status', 0x070, {
    read: (transport) => transport.status,
    write: (transport, _, value) => {
      transport.status = value
    },
    restore: false,
    fields: {
      ACKNOWLEDGE: bit(0),
      DRIVER: bit(1),
      DRIVER_OK: bit(2),
      FEATURES_OK: bit(3),
      DEVICE_NEEDS_RESET: bit(6),
      FAILED: bit(7),
    },
  }),
]

export const config: readonly Row<VirtioTransport>[] = [
  word('Config_n', 0x100, { count: 64, widths: [1, 2, 4], read: (transport, index) => transport.configWord(index) }),
]

/** The table of the registers of version 2, over whatever has them. */
export const virtioMmioTable = registerTable<VirtioTransport>('virtio-mmio', 0x200, [
  ...identity(2),
  ...features,
  word('QueueSizeMax', 0x034, { read: (transport) => transport.queue?.maxSize ?? 0 }),
  word('QueueSize', 0x038, {
    write: (transport, _, value) => {
      const queue = transport.queue
      if (queue !== undefined && !queue.ready) queue.size = value & 0xffff
    },
    restore: false,
  }),
  word('QueueReady', 0x044, {
    read: (transport) => Number(transport.queue?.ready ?? false),
    write: (transport, _, value) => transport.setQueueReady((value & 1) !== 0),
    restore: false,
    fields: { Ready: bit(0) },
  }),
  ...running,
  ...address('QueueDesc', 0x080, 'descriptors'),
  ...address('QueueDriver', 0x090, 'driver'),
  ...address('QueueDevice', 0x0a0, 'device'),
  // No shared memory: a length of -1 says so (4.2.2.1).
  word('SHMSel', 0x0ac, { write: () => {} }),
  word('SHMLenLow', 0x0b0, { read: () => -1 }),
  word('SHMLenHigh', 0x0b4, { read: () => -1 }),
  word('SHMBaseLow', 0x0b8, { read: () => -1 }),
  word('SHMBaseHigh', 0x0bc, { read: () => -1 }),
  word('ConfigGeneration', 0x0fc, { read: (transport) => transport.configGeneration }),
  ...config,
])
