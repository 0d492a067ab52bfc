/** What a machine may be asked to be, and what it says of itself; the defaults, and the check that there can be such a one. */

import type { Disk } from '../../devices/disk.ts'
import type { OutcomeName } from '../../mmio/index.ts'
import type { Recorder } from '../recorder.ts'
import type { Clock } from '../scheduler.ts'
import { checkOwnDevices, type OwnDevice } from './own-devices.ts'
import { MOST_MEMORY, VIRTIO_SLOTS } from './virt-map.ts'

/** What a machine may be asked to be. */
export interface VirtOptions {
  /** CPUs: 1 to 8 with a GICv2, to 64 with a GICv3. */
  cpus?: number
  /** Bytes of RAM: a multiple of 1 MiB, up to 3 GiB. */
  memory?: number
  /** The GIC's architecture version; 2 unless given. */
  gic?: 2 | 3
  /** An ITS beside a GICv3. */
  its?: boolean
  /** Contents of the first flash bank, from its start on; else it is blank, and so is the second. */
  firmware?: Uint8Array | undefined
  /** Items of the firmware configuration device, by number, beside those that there always are. */
  fwCfg?: ReadonlyMap<number, Uint8Array> | undefined
  /** A virtio block device each. */
  disks?: readonly Disk[]
  /** Serial numbers by the place in `disks`: up to 20 bytes of ASCII. */
  serials?: readonly (string | undefined)[]
  /** Devices of your own: the board gives each a place, an SPI and a node in the device tree. */
  devices?: readonly OwnDevice[]
  /** Slots of virtio, 0 to 31, for devices that are to have one of their own; the others take the last ones that are free. */
  slots?: VirtioSlots
  /** A virtio console, which then has the input; what it is sent goes where the UART's output goes. */
  virtioConsole?: boolean
  /** The legacy interface of virtio in place of version 2: QEMU's default for this board, and so the one here. */
  legacyVirtio?: boolean
  /** Takes what the guest sends through the UART. */
  console?: (character: number) => void
  /** Seconds since 1970 when the machine starts, for the RTC. */
  epoch?: number
  /** Host time that idle CPUs follow; without it idle time is skipped, and a run is the same each time. */
  clock?: Clock | undefined
  /** Seed of the entropy device. */
  seed?: number
  /** Longest turn of a CPU in instructions. */
  slice?: number
  /** Hears of everything that goes into the GIC and comes out of it. */
  recorder?: Recorder | undefined
}

/** By the place in `disks`, and of the console and the entropy device. */
export interface VirtioSlots {
  readonly disks?: readonly (number | undefined)[]
  readonly console?: number | undefined
  readonly rng?: number | undefined
}

/**
 * Why a machine stopped: the guest switched it off, or asked for a reset; somebody stopped it; its CPUs all wait, or are all
 * off (`halted`), and no instruction will run until something comes from outside; or it ran what it was to run.
 */
export type StopReason = 'off' | 'reset' | 'stopped' | 'waiting' | 'halted' | 'budget'

/** Something the machine noticed that a person may want to know. */
export type MachineEvent =
  | { kind: 'unknown'; cpu: number; what: 'instruction' | 'register'; word: number; pc: bigint }
  | { kind: 'unmapped'; cpu: number; address: number; write: boolean }
  /** A device refused an access: it has no such register, or not of that width, alignment or direction. */
  | { kind: 'refused'; cpu: number; address: number; size: number; write: boolean; outcome: OutcomeName }
  /** A PSCI call was not carried out. */
  | { kind: 'psci'; cpu: number; pc: bigint; what: string; why: string }
  /** A CPU takes the same exception at the same place again and again: once for each such row. */
  | { kind: 'exception-loop'; cpu: number; says: string; remedy: string }
  | { kind: 'device'; message: string }

/** Options that the machine is built around; the rest are values, each with a default. */
const parts = ['firmware', 'fwCfg', 'clock', 'recorder'] as const

/** The options that are values and not parts: each with its default where it was not given. */
export type CompleteOptions = Required<Omit<VirtOptions, (typeof parts)[number]>>

/** Throws a RangeError that names the option for a machine that there cannot be. */
export function complete(given: Partial<CompleteOptions>): CompleteOptions {
  const defaults: CompleteOptions = {
    cpus: 1,
    memory: 256 * 2 ** 20,
    gic: 2,
    its: false,
    disks: [],
    serials: [],
    devices: [],
    slots: {},
    virtioConsole: false,
    legacyVirtio: true,
    console: () => {},
    epoch: 0,
    seed: 1,
    slice: 20_000,
  }
  for (const key of Object.keys(given))
    if (!Object.hasOwn(defaults, key))
      throw new RangeError(`${key}: no such option; there are ${[...Object.keys(defaults), ...parts].join(', ')}`)
  const wanted = Object.entries(given).filter(([, value]) => value !== undefined)
  const options: CompleteOptions = { ...defaults, ...Object.fromEntries(wanted) }
  const { cpus, memory, gic, its, disks, virtioConsole } = options
  if (gic !== 2 && gic !== 3) throw new RangeError(`gic: ${gic}; there is 2 and 3`)
  if (!Number.isInteger(memory) || memory < 2 ** 20 || memory > MOST_MEMORY || memory % 2 ** 20 !== 0)
    throw new RangeError(`memory: ${memory} bytes is not a whole number of MiB from 1 to 3072`)
  const most = gic === 2 ? 8 : 64
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > most)
    throw new RangeError(`cpus: ${cpus}; with a GICv${gic} there are 1 to ${most}`)
  checkOwnDevices(options.devices)
  const room = VIRTIO_SLOTS - Number(virtioConsole)
  if (disks.length > room) throw new RangeError(`disks: ${disks.length}; there is room for ${room}`)
  if (its && gic === 2) throw new RangeError('its: an ITS needs a GICv3')
  return options
}
