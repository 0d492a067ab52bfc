/**
 * The things to do that mend the way of an MSI through an ITS: registers, tables and commands. It decides nothing of when they
 * are wanted; where software has a choice (the LPI, the collection, the PE), it takes the first.
 */

import type { MemoryNeed, RemedyAction } from '../remedy.ts'
import { assembleCommand, type CommandFields } from './assemble.ts'
import type { CheckedItsConfig } from './config.ts'
import { controlRegisters } from './registers.ts'
import type { ItsState } from './state.ts'
import { ENTRY, type Table } from './tables.ts'

const PAGE_SIZES = [4096, 16384, 65536] as const
const VALID_HIGH = 0x8000_0000
const INDIRECT_HIGH = 0x4000_0000
/** GITS_BASER.Size counts pages less one, in 8 bits. */
const MOST_PAGES = 256

/** What the actions need of an ITS. */
type Subject = Pick<
  ItsState,
  'config' | 'memory' | 'cbaser' | 'stalled' | 'queueBase' | 'queueSize' | 'cwriter' | 'hasIndirect'
>

function write(
  its: Subject,
  register: string,
  value: number,
  options: { size?: 8; high?: number; memory?: MemoryNeed; field?: string } = {},
): RemedyAction {
  const { number } = its.config
  const frame = number === 0 ? 'GITS' : `GITS${number}`
  const offset = controlRegisters.offsetOf(register)!
  return { do: 'write', frame, register, offset, size: 4, value, high: 0, cpu: 0, secure: false, ...options }
}

export function enable(its: Subject): RemedyAction {
  return write(its, 'GITS_CTLR', 1, { field: 'Enabled' })
}

/** What may only be written while the ITS is disabled. */
function whileDisabled(its: Subject, actions: readonly RemedyAction[]): RemedyAction[] {
  return [write(its, 'GITS_CTLR', 0), ...actions, enable(its)]
}

/** A table that has `id`, in pages of the greatest size: flat if it fits so, of two levels if it does not. None when neither does. */
export function newTable(its: Subject, table: 0 | 1, id: number): RemedyAction[] {
  const pageSize = Math.max(...its.config.pageSizes)
  const perPage = pageSize / ENTRY
  let pages = Math.floor(id / perPage) + 1
  const indirect = pages > MOST_PAGES
  if (indirect) pages = Math.floor((pages - 1) / perPage) + 1
  if (pages > MOST_PAGES || (indirect && !its.hasIndirect(table))) return []
  const low = (PAGE_SIZES.indexOf(pageSize as (typeof PAGE_SIZES)[number]) << 8) | (pages - 1)
  const high = VALID_HIGH + (indirect ? INDIRECT_HIGH : 0)
  const memory = { bytes: pages * pageSize, align: pageSize }
  return whileDisabled(its, [write(its, `GITS_BASER${table}`, low, { size: 8, high, memory })])
}

/** A second-level page for an ID of a table of two levels. */
export function newPage(table: Table, id: number): RemedyAction {
  const memory = { bytes: table.pageSize, align: table.pageSize }
  return { do: 'memory', address: table.descriptor(id), size: 8, value: 0, high: VALID_HIGH, memory }
}

/** Whether a command that is written now is executed. */
export function takesCommands(its: Subject): boolean {
  const { cbaser, stalled, memory, queueBase, queueSize, cwriter } = its
  return cbaser[1]! < 0 && !stalled && cwriter < queueSize && memory.contains(queueBase, queueSize)
}

/** A queue of one page, empty. */
export function newQueue(its: Subject): RemedyAction[] {
  const memory = { bytes: 4096, align: 0x1_0000 }
  return whileDisabled(its, [
    write(its, 'GITS_CBASER', 0, { size: 8, high: VALID_HIGH, memory }),
    write(its, 'GITS_CWRITER', 0, { size: 8 }),
  ])
}

export function command(
  { config }: Pick<ItsState, 'config'>,
  name: string,
  fields: CommandFields,
  memory?: MemoryNeed,
): RemedyAction {
  const words = Array.from(assembleCommand(name, fields), (word) => word >>> 0)
  const action = { do: 'command', its: config.number, command: name, words } as const
  return memory === undefined ? action : { ...action, memory }
}

/** MAPD with a translation table that has the event. */
export function mapDevice(its: ItsState, deviceId: number, eventId: number): RemedyAction {
  const bits = Math.max(1, 32 - Math.clz32(eventId))
  const memory = { bytes: 2 ** bits * its.config.ittEntrySize, align: 256 }
  return command(its, 'MAPD', { DeviceID: deviceId, Size: bits - 1, V: 1 }, memory)
}

/** Beyond what the ITS has at all: nothing maps them. */
export function isBeyond(config: CheckedItsConfig, field: 'deviceIdBits' | 'eventIdBits', id: number): boolean {
  return id >= 2 ** config[field]
}
