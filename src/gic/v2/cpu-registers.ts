/**
 * The register table of the GICv2 CPU interface (IHI 0048 4.4), in the specification's order: an 8 KiB frame, so that
 * GICC_DIR at 0x1000 is in it. Every register is the accessing CPU's own.
 */

import { bit, bits, constant, type Initiator, type ReadHandler, registerTable, word } from '../../mmio/index.ts'
import { type CpuInterface, Ctlr, IDLE, IDLE_PRIORITY } from './cpu-interface.ts'
import {
  acknowledge,
  deactivateInterrupt,
  endOfInterrupt,
  highestPending,
  peekAcknowledge,
  type View,
} from './delivery.ts'
import type { GicV2State } from './state.ts'

/** GICC_CTLR bits of a GIC without the Security Extensions: one EOImode. */
const WRITABLE = Ctlr.EOImodeNS - 1
const WRITABLE_SECURE = Ctlr.EOImodeNS * 2 - 1

const { EOImodeNS, EOImodeS } = Ctlr

function interfaceOf(gic: GicV2State, by: Initiator): CpuInterface | undefined {
  return gic.cpus[by.cpu]
}

function nonSecure(gic: GicV2State, by: Initiator): boolean {
  return gic.config.security && !by.secure
}

function viewOf(gic: GicV2State, by: Initiator): View {
  return nonSecure(gic, by) ? 'non-secure' : 'secure'
}

/** Whether priority drop and deactivation are apart for this access: each Security state has its own EOImode. */
function isSplit(cpu: CpuInterface, view: View): boolean {
  return (cpu.ctlr & (view === 'non-secure' ? EOImodeNS : EOImodeS)) !== 0
}

type Read = (gic: GicV2State, cpu: CpuInterface, by: Initiator, index: number) => number
type Write = (gic: GicV2State, cpu: CpuInterface, value: number, by: Initiator, index: number) => void

/** Handlers of a register of the accessing CPU; an initiator that is no CPU of this GIC finds RAZ/WI. */
function own(read?: Read, write?: Write) {
  const handlers: {
    read?: ReadHandler<GicV2State>
    write?: (gic: GicV2State, index: number, value: number, mask: number, by: Initiator) => void
    cpuWords: number
  } = { cpuWords: Number.POSITIVE_INFINITY }
  if (read)
    handlers.read = (gic, index, by) => {
      const cpu = interfaceOf(gic, by)
      return cpu === undefined ? 0 : read(gic, cpu, by, index)
    }
  if (write)
    handlers.write = (gic, index, value, _mask, by) => {
      const cpu = interfaceOf(gic, by)
      if (cpu === undefined) return
      write(gic, cpu, value, by, index)
      gic.irqs.dirty |= 1 << cpu.cpu
    }
  return handlers
}

const intidField = { CPUID: bits(12, 10), Interrupt_ID: bits(9, 0) }

export const cpuRegisters = registerTable<GicV2State>('GICC', 0x2000, [
  word('GICC_CTLR', 0x0000, {
    ...own(readControl, writeControl),
    reset: 0,
    fields: {
      EnableGrp0: bit(0),
      EnableGrp1: bit(1),
      AckCtl: bit(2),
      FIQEn: bit(3),
      CBPR: bit(4),
      FIQBypDisGrp0: bit(5),
      IRQBypDisGrp0: bit(6),
      FIQBypDisGrp1: bit(7),
      IRQBypDisGrp1: bit(8),
      EOImodeS: bit(9),
      EOImodeNS: bit(10),
    },
    note: 'The Non-secure view has EnableGrp1, FIQBypDisGrp1, IRQBypDisGrp1 and EOImodeNS as bits 0, 5, 6 and 9.',
  }),
  word('GICC_PMR', 0x0004, { ...own(readPriorityMask, writePriorityMask), reset: 0, fields: { Priority: bits(7, 0) } }),
  word('GICC_BPR', 0x0008, { ...own(readBinaryPoint, writeBinaryPoint), fields: { Binary_Point: bits(2, 0) } }),
  word('GICC_IAR', 0x000c, {
    // Not through own(): this and the end of an interrupt are on the path of every interrupt.
    read: (gic, _index, by) => {
      const cpu = interfaceOf(gic, by)
      return cpu === undefined ? 0 : acknowledge(gic, cpu, viewOf(gic, by), 'GICC_IAR')
    },
    peek: own((gic, cpu, by) => peekAcknowledge(gic, cpu, viewOf(gic, by))).read!,
    fields: intidField,
  }),
  word('GICC_EOIR', 0x0010, {
    write: (gic, _index, value, _mask, by) => {
      const cpu = interfaceOf(gic, by)
      if (cpu === undefined) return
      const view = viewOf(gic, by)
      endOfInterrupt(gic, cpu, value, view, isSplit(cpu, view))
    },
    restore: false,
    fields: intidField,
  }),
  word('GICC_RPR', 0x0014, { ...own(readRunningPriority), reset: IDLE_PRIORITY, fields: { Priority: bits(7, 0) } }),
  word('GICC_HPPIR', 0x0018, {
    ...own((gic, cpu, by) => highestPending(gic, cpu, viewOf(gic, by))),
    fields: intidField,
  }),
  word('GICC_ABPR', 0x001c, {
    ...own(
      (_, cpu) => cpu.abpr,
      (_, cpu, value) => setAliasedBinaryPoint(cpu, value),
    ),
    secure: true,
    fields: { Binary_Point: bits(2, 0) },
  }),
  word('GICC_AIAR', 0x0020, {
    ...own((gic, cpu) => acknowledge(gic, cpu, 'non-secure', 'GICC_AIAR')),
    peek: own((gic, cpu) => peekAcknowledge(gic, cpu, 'non-secure')).read!,
    secure: true,
    fields: intidField,
  }),
  word('GICC_AEOIR', 0x0024, {
    ...own(undefined, (gic, cpu, value, by) =>
      endOfInterrupt(gic, cpu, value, 'non-secure', isSplit(cpu, viewOf(gic, by))),
    ),
    secure: true,
    restore: false,
    fields: intidField,
  }),
  word('GICC_AHPPIR', 0x0028, {
    ...own((gic, cpu) => highestPending(gic, cpu, 'non-secure')),
    secure: true,
    fields: intidField,
  }),
  word('GICC_APRn', 0x00d0, { ...own(readActivePriorities, writeActivePriorities), count: 4, reset: 0 }),
  word('GICC_NSAPRn', 0x00e0, {
    ...own(
      (_, cpu, _by, index) => cpu.nsapr[index]!,
      (_, cpu, value, _by, index) => setActivePriorities(cpu, cpu.nsapr, index, value, -1),
    ),
    count: 4,
    secure: true,
    reset: 0,
  }),
  constant('GICC_IIDR', 0x00fc, (gic) => gic.config.cpuInterfaceIidr, {
    fields: {
      ProductID: bits(31, 20),
      Architecture_version: bits(19, 16),
      Revision: bits(15, 12),
      Implementer: bits(11, 0),
    },
  }),
  word('GICC_DIR', 0x1000, {
    ...own(undefined, (gic, cpu, value, by) => {
      const view = viewOf(gic, by)
      deactivateInterrupt(gic, cpu, value, view, isSplit(cpu, view))
    }),
    restore: false,
    fields: intidField,
  }),
])

export function readControl(gic: GicV2State, cpu: CpuInterface, by: Initiator): number {
  if (!nonSecure(gic, by)) return cpu.ctlr
  const { ctlr } = cpu
  return ((ctlr >>> 1) & 1) | ((ctlr >>> 2) & 0x60) | ((ctlr >>> 1) & 0x200)
}

function writeControl(gic: GicV2State, cpu: CpuInterface, value: number, by: Initiator): void {
  if (!gic.config.security) cpu.ctlr = value & WRITABLE
  else if (by.secure) cpu.ctlr = value & WRITABLE_SECURE
  else {
    const own = Ctlr.EnableGrp1 | Ctlr.FIQBypDisGrp1 | Ctlr.IRQBypDisGrp1 | Ctlr.EOImodeNS
    const written = ((value & 1) << 1) | ((value & 0x60) << 2) | ((value & 0x200) << 1)
    cpu.ctlr = (cpu.ctlr & ~own) | written
  }
}

/** Non-secure software sees the lower half of the priorities as all of them; a mask in the upper half hides from it (IHI 0048 3.8.1). */
function readPriorityMask(gic: GicV2State, cpu: CpuInterface, by: Initiator): number {
  if (!nonSecure(gic, by)) return cpu.pmr
  return cpu.pmr & 0x80 ? (cpu.pmr << 1) & 0xff : 0
}

function writePriorityMask(gic: GicV2State, cpu: CpuInterface, value: number, by: Initiator): void {
  if (!nonSecure(gic, by)) cpu.pmr = value & cpu.priorityMask
  else if (cpu.pmr & 0x80) cpu.pmr = (0x80 | ((value & 0xff) >>> 1)) & cpu.priorityMask
}

function readBinaryPoint(gic: GicV2State, cpu: CpuInterface, by: Initiator): number {
  if (!nonSecure(gic, by)) return cpu.bpr
  return cpu.ctlr & Ctlr.CBPR ? Math.min(cpu.bpr + 1, 7) : cpu.abpr
}

function writeBinaryPoint(gic: GicV2State, cpu: CpuInterface, value: number, by: Initiator): void {
  if (!nonSecure(gic, by)) cpu.bpr = Math.max(value & 7, cpu.minimumBpr)
  else if (!(cpu.ctlr & Ctlr.CBPR)) setAliasedBinaryPoint(cpu, value)
}

function setAliasedBinaryPoint(cpu: CpuInterface, value: number): void {
  cpu.abpr = Math.max(value & 7, cpu.minimumBpr + 1)
}

function readRunningPriority(gic: GicV2State, cpu: CpuInterface, by: Initiator): number {
  if (cpu.running === IDLE) return IDLE_PRIORITY
  if (!nonSecure(gic, by)) return cpu.running
  return cpu.running & 0x80 ? (cpu.running << 1) & 0xff : 0
}

/** Non-secure software sees the upper half of Group 1's active priorities, from bit 0 on (IHI 0048 4.4.14). */
function readActivePriorities(gic: GicV2State, cpu: CpuInterface, by: Initiator, index: number): number {
  if (!nonSecure(gic, by)) return cpu.apr[index]!
  const half = cpu.levels >>> 1
  if (half >= 32) return index < half >>> 5 ? cpu.nsapr[index + (half >>> 5)]! : 0
  return index === 0 ? cpu.nsapr[0]! >>> half : 0
}

function writeActivePriorities(gic: GicV2State, cpu: CpuInterface, value: number, by: Initiator, index: number): void {
  const half = cpu.levels >>> 1
  if (!nonSecure(gic, by)) setActivePriorities(cpu, cpu.apr, index, value, -1)
  else if (half >= 32) {
    if (index < half >>> 5) setActivePriorities(cpu, cpu.nsapr, index + (half >>> 5), value, -1)
  } else if (index === 0) setActivePriorities(cpu, cpu.nsapr, 0, value << half, -1 << half)
}

function setActivePriorities(
  cpu: CpuInterface,
  registers: Int32Array,
  index: number,
  value: number,
  mask: number,
): void {
  registers[index] = (registers[index]! & ~mask) | (value & mask & cpu.existingLevels(index))
  cpu.taken.fill(0)
  cpu.updateRunning()
}
