/** The configuration of an ITS, its limits, what is wrong with one that is outside of them, and GITS_TYPER as it follows from one. */

import { ConfigError, integerIn, oneOf } from '../config.ts'

/** A page of its tables, in bytes. */
export type PageSize = 4096 | 16384 | 65536

/** What an ITS may be asked to be; each has a default. */
export interface ItsConfig {
  /** Number of this ITS, for events and names. */
  number?: number
  /** Width of a DeviceID, 1 to 32 bits. */
  deviceIdBits?: number
  /** Width of an EventID, 1 to 32 bits. */
  eventIdBits?: number
  /** Width of a collection's ICID, 1 to 16 bits. */
  collectionIdBits?: number
  /** GITS_TYPER.PTA: an RDbase is a PE number (0), or the address of a Redistributor (1). */
  pta?: 0 | 1
  /** What GITS_TYPER.ITT_entry_size reports, in bytes: 8 to 16. An entry takes 8, always. */
  ittEntrySize?: number
  /** Page sizes that GITS_BASER accepts, in bytes. */
  pageSizes?: readonly PageSize[]
  /** Which tables may have two levels. */
  indirect?: 'none' | 'devices' | 'all'
  /** What a command error does (IMPLEMENTATION DEFINED, IHI 0069 5.3): the command has no effect and the next one runs, or the queue stalls. */
  onError?: 'ignore' | 'stall'
  /**
   * How much work one register access may cause, in commands; every `LPIS_A_COMMAND` LPIs that INVALL and MOVALL look at
   * count as one more. What is left over waits for the next access of GITS_CWRITER or GITS_CREADR, or for `run`.
   */
  slice?: number
  /** GITS_STATUSR records bad accesses of the control frame; without, it is RAZ/WI. */
  statusRegisters?: boolean
  /** Unmapped MSIs are recorded in GITS_STATUSR and GITS_UMSIR (GITS_TYPER.UMSI). */
  umsi?: boolean
  /** GITS_IIDR. */
  iidr?: number
}

/** A configuration with its defaults. */
export interface CheckedItsConfig extends Required<ItsConfig> {}

/** LPIs that are as much work as a command is. */
export const LPIS_A_COMMAND = 8

/** As QEMU's virt board has it, but for GITS_STATUSR, which that leaves out. */
const defaults: CheckedItsConfig = {
  number: 0,
  deviceIdBits: 16,
  eventIdBits: 16,
  collectionIdBits: 16,
  pta: 0,
  ittEntrySize: 12,
  pageSizes: [4096, 16384, 65536],
  indirect: 'all',
  onError: 'ignore',
  slice: 1024,
  statusRegisters: true,
  umsi: false,
  iidr: 0x043b,
}

export function checkItsConfig(config: ItsConfig): CheckedItsConfig {
  for (const key of Object.keys(config))
    if (!Object.hasOwn(defaults, key))
      throw new ConfigError(`${key}: no such option of an ITS; there are ${Object.keys(defaults).join(', ')}`)
  const given = Object.fromEntries(Object.entries(config).filter(([, value]) => value !== undefined))
  const full: CheckedItsConfig = { ...defaults, ...given }
  integerIn('number', full.number, 0, 255)
  integerIn('deviceIdBits', full.deviceIdBits, 1, 32)
  integerIn('eventIdBits', full.eventIdBits, 1, 32)
  integerIn('collectionIdBits', full.collectionIdBits, 1, 16)
  integerIn('pta', full.pta, 0, 1)
  integerIn('ittEntrySize', full.ittEntrySize, 8, 16)
  integerIn('slice', full.slice, 1, 32768)
  integerIn('iidr', full.iidr, 0, 0xffff_ffff)
  oneOf('indirect', full.indirect, ['none', 'devices', 'all'])
  oneOf('onError', full.onError, ['ignore', 'stall'])
  oneOf('statusRegisters', full.statusRegisters, [false, true])
  oneOf('umsi', full.umsi, [false, true])
  if (!Array.isArray(full.pageSizes) || full.pageSizes.length === 0)
    throw new ConfigError('pageSizes: an ITS has at least one page size')
  for (const size of full.pageSizes) oneOf('pageSizes', size, [4096, 16384, 65536])
  if (full.umsi && !full.statusRegisters) throw new ConfigError('umsi: needs statusRegisters, which it is reported in')
  return full
}

/** GITS_TYPER as two words, low first (IHI 0069 12.19.15). No virtual LPIs, no collections in hardware (HCC 0), SEIS 0. */
export function typerOf(config: CheckedItsConfig): readonly [low: number, high: number] {
  const low =
    1 |
    ((config.ittEntrySize - 1) << 4) |
    ((config.eventIdBits - 1) << 8) |
    ((config.deviceIdBits - 1) << 13) |
    (config.pta << 19)
  const high = (config.collectionIdBits - 1) | (1 << 4) | ((config.umsi ? 1 : 0) << 12)
  return [low, high]
}
