/**
 * The registers of the virtio transport over MMIO as they were before version 1.0 (Virtual I/O Device 1.2, 4.2.4): a queue is
 * one block of memory, by the number of its first page. QEMU's `virt` has this interface unless it is told otherwise.
 */

import { registerTable, word } from '../../mmio/index.ts'
import { config, features, identity, running, type VirtioTransport } from './virtio-mmio-registers.ts'

/** The table of the legacy registers, over whatever has them. */
export const virtioLegacyTable = registerTable<VirtioTransport>('virtio-mmio-legacy', 0x200, [
  ...identity(1),
  ...features.filter(({ offset }) => offset < 0x028),
  word('GuestPageSize', 0x028, {
    write: (transport, _, value) => {
      // A power of two; of anything else the lowest bit counts, as with QEMU.
      transport.pageShift = value === 0 ? 0 : 31 - Math.clz32(value & -value)
    },
    restore: false,
  }),
  ...features.filter(({ offset }) => offset >= 0x028),
  word('QueueNumMax', 0x034, { read: (transport) => transport.queue?.maxSize ?? 0 }),
  word('QueueNum', 0x038, {
    write: (transport, _, value) => {
      const queue = transport.queue
      if (queue !== undefined && !queue.ready) queue.size = value & 0xffff
    },
    restore: false,
  }),
  word('QueueAlign', 0x03c, {
    write: (transport, _, value) => {
      const queue = transport.queue
      if (queue !== undefined && !queue.ready && value !== 0) queue.alignment = value >>> 0
    },
    restore: false,
  }),
  word('QueuePFN', 0x040, {
    read: (transport) =>
      transport.queue?.ready ? Math.floor(transport.queue.descriptors / 2 ** transport.pageShift) | 0 : 0,
    write: (transport, _, value) => transport.setQueueAddress((value >>> 0) * 2 ** transport.pageShift),
    restore: false,
  }),
  ...running,
  ...config,
])
