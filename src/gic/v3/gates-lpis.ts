/**
 * What an LPI passes on its PE's Redistributor instead of the Distributor's banks: the tables in memory, and what the
 * Redistributor read of them (IHI 0069 5.1). How its message gets there is the ITS's `explainMsi`.
 */

import type { Gate } from '../gates.ts'
import { advice, type Remedy, type RemedyAction, remedy } from '../remedy.ts'
import { write } from './actions.ts'
import { FIRST_LPI } from './lpis.ts'
import { isCovered, lpisOf, type Subject } from './subject.ts'

const where = (address: number) => `0x${address.toString(16)}`
const ENABLE = 1

const redistributor = (s: Subject) => s.gic.redistributors[s.cpu.pe]!

/** What memory has of the LPI now, whatever the Redistributor read: its byte's address, and the byte. */
function byteOf(s: Subject): { address: number; value: number; isMemory: boolean } {
  const lpis = lpisOf(s)!
  const address = lpis.configuration + s.intid - FIRST_LPI
  return { address, value: lpis.configurationOf(s.intid), isMemory: s.gic.memory?.contains(address, 1) === true }
}

/** Whether the Redistributor lets it pass: of a pending LPI as it was read when it became so, or was invalidated last. */
function isEnabled(s: Subject): boolean {
  const lpis = lpisOf(s)!
  return lpis.isPending(s.intid) ? lpis.listedPriority(s.intid) >= 0 : (byteOf(s).value & ENABLE) !== 0
}

export const lpiGates: readonly Gate<Subject>[] = [
  {
    name: 'LPIs enabled',
    cause: 'configuration',
    open: (s) => lpisOf(s) !== undefined,
    report: (s, open) => ({
      register: 'GICR_CTLR',
      field: 'EnableLPIs',
      value: open ? 1 : 0,
      says: open ? 'the Redistributor takes LPIs.' : `PE ${s.cpu.pe}'s Redistributor does not take LPIs.`,
    }),
    remedy: (s) =>
      s.gic.memory === undefined
        ? advice('Give the GIC the memory that LPI tables are in: it was made without.')
        : tablesRemedy(s, redistributor(s).lpiEnd <= s.intid),
  },
  {
    name: 'covered by the tables',
    cause: 'configuration',
    needs: () => ['LPIs enabled'],
    open: (s) => isCovered(s) && byteOf(s).isMemory,
    report: (s) => {
      const lpis = lpisOf(s)
      const idBits = redistributor(s).propbaserLow & 31
      return {
        register: 'GICR_PROPBASER',
        field: isCovered(s) ? 'Physical_Address' : 'IDbits',
        value: isCovered(s) ? lpis!.configuration : idBits,
        says: !isCovered(s)
          ? `the configuration table ends before INTID ${lpis?.end ?? FIRST_LPI}${ignored(s)}.`
          : byteOf(s).isMemory
            ? `its byte of the configuration table is at ${where(byteOf(s).address)}${ignored(s)}.`
            : `its byte of the configuration table, at ${where(byteOf(s).address)}, is not memory.`,
      }
    },
    remedy: (s) => tablesRemedy(s, true),
  },
  {
    name: 'pending',
    cause: 'source',
    needs: () => ['LPIs enabled', 'covered by the tables'],
    open: (s) => isCovered(s) && lpisOf(s)!.isPending(s.intid),
    report: (s, open) => ({
      register: isCovered(s)
        ? `LPI pending byte at ${where(lpisOf(s)!.pendingTable + (s.intid >>> 3))}`
        : 'LPI pending byte',
      field: `bit[${s.intid & 7}]`,
      value: open ? 1 : 0,
      says: open ? 'it is pending on this Redistributor.' : `it is not pending on PE ${s.cpu.pe}.`,
    }),
    remedy: (s) =>
      s.gic.config.directLpis
        ? remedy([write('GICR_SETLPIR', s.cpu.pe, s.intid, { size: 8 })])
        : {
            text: 'Its message has not come, or went to another PE: explain the message from its DeviceID and EventID.',
            actions: [{ do: 'message', intid: s.intid, cpu: s.cpu.pe }],
          },
  },
  {
    name: 'enabled',
    cause: 'configuration',
    needs: () => ['LPIs enabled', 'covered by the tables'],
    open: (s) => isCovered(s) && isEnabled(s),
    report: (s, open) => {
      const covered = isCovered(s)
      const { address, value } = covered ? byteOf(s) : { address: 0, value: 0 }
      return {
        register: covered ? `LPI configuration byte at ${where(address)}` : 'LPI configuration byte',
        field: 'Enable',
        value: value & ENABLE,
        says: covered ? enabledSays(open, value) : '',
      }
    },
    remedy: (s) => {
      const { address, value } = byteOf(s)
      return value & ENABLE
        ? remedy([invalidate(s)], { after: orCommand(s) })
        : remedy([{ do: 'memory', address, size: 1, value: value | ENABLE, high: 0 }, invalidate(s)], {
            after: orCommand(s),
          })
    },
  },
]

/** A base register that was written since does not say where the tables are. */
function ignored(s: Subject): string {
  const { ignoredTables } = redistributor(s)
  return ignoredTables === ''
    ? ''
    : `; ${ignoredTables} was written since, which EnableLPIs makes UNPREDICTABLE, and was ignored`
}

function enabledSays(open: boolean, byte: number): string {
  if (open)
    return byte & ENABLE
      ? 'its configuration enables it.'
      : 'its configuration was read when it enabled it; the byte does not any more, and has not been read since.'
  return byte & ENABLE
    ? 'its configuration byte enables it now, but was read when it did not.'
    : 'its configuration byte does not enable it.'
}

const orCommand = (s: Subject) => (s.gic.config.invalidateRegisters ? ', or use the command INV' : '')

/** Makes the Redistributor read the LPI's configuration again (IHI 0069 5.1.1). */
export function invalidate(s: Subject): RemedyAction {
  return s.gic.config.invalidateRegisters
    ? write('GICR_INVLPIR', s.cpu.pe, s.intid, { size: 8 })
    : { do: 'invalidate', intid: s.intid, cpu: s.cpu.pe }
}

/**
 * EnableLPIs with tables that have the LPI: where `anew`, greater ones, which can be given only while EnableLPIs is 0.
 * GICR_PENDBASER.PTZ says of the new pending table that it is zero.
 */
function tablesRemedy(s: Subject, anew: boolean): Remedy {
  const { pe } = s.cpu
  const bits = s.gic.config.lpis!.intidBits
  const ctlr = redistributor(s).ctlr({ cpu: pe, secure: false, bigEndian: false })
  const enable = write('GICR_CTLR', pe, ctlr | 1, { field: 'EnableLPIs' })
  if (!anew) return remedy([enable])
  const PTZ = 1 << 30
  const tables: RemedyAction[] = [
    write('GICR_PROPBASER', pe, bits - 1, { size: 8, memory: { bytes: 2 ** bits - FIRST_LPI, align: 0x1000 } }),
    write('GICR_PENDBASER', pe, 0, { size: 8, high: PTZ, memory: { bytes: 2 ** bits / 8, align: 0x1_0000 } }),
  ]
  const disable = write('GICR_CTLR', pe, ctlr & ~1)
  return remedy(lpisOf(s) === undefined ? [...tables, enable] : [disable, ...tables, enable])
}

/** The byte's priority, for an LPI that no mask lets pass. */
export function setLpiPriority(s: Subject, priority: number): RemedyAction[] {
  const { address, value } = byteOf(s)
  return [{ do: 'memory', address, size: 1, value: (value & 3) | (priority & 0xfc), high: 0 }, invalidate(s)]
}
