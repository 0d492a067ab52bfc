/**
 * The virtio devices of a command line for QEMU: which there are, and in which slot each is. Disks come from --drive, and the
 * entropy device is always there; naming them says where. It makes no devices.
 */

import type { VirtioSlots } from '../machine/board/virt-options.ts'
import { UsageError } from './command.ts'
import { printable } from './style.ts'

/** A --device line, taken apart. */
interface Line {
  readonly kind: string
  readonly properties: ReadonlyMap<string, string>
}

/** The properties of each device that have a meaning here; any other is refused. */
const known: Readonly<Record<string, readonly string[]>> = {
  'virtio-blk-device': ['drive', 'serial', 'id', 'bus'],
  'virtio-serial-device': ['id', 'bus'],
  'virtio-rng-device': ['id', 'bus'],
  virtconsole: ['chardev', 'id', 'name', 'bus'],
}

const SLOTS = 32

export const isVirtio = (text: string): boolean => Object.hasOwn(known, text.split(',')[0]!)

/**
 * Where the devices of these --device lines are, and the disks and the console that no line names. As QEMU does it, each takes the
 * slot of its bus=virtio-mmio-bus.N, or the last that is free when its turn comes. Throws a UsageError that names what is wrong.
 * @param drives the id of each --drive
 */
export function virtioOf(
  texts: readonly string[],
  drives: readonly (string | undefined)[],
): { virtioConsole: boolean; slots: VirtioSlots; serials: readonly (string | undefined)[] } {
  const lines = texts.map(lineOf)
  const virtioConsole = lines.some(({ kind }) => kind === 'virtconsole')
  const disks: (number | undefined)[] = drives.map(() => undefined)
  const serials: (string | undefined)[] = drives.map(() => undefined)
  let console: number | undefined
  let rng: number | undefined
  const taken = new Set<number>()
  const free = () => {
    for (let slot = SLOTS - 1; slot >= 0; slot--) if (!taken.has(slot)) return slot
    throw new UsageError(`--device: there are more virtio devices than the ${SLOTS} slots for them`)
  }
  const take = (slot = free()) => {
    taken.add(slot)
    return slot
  }
  const named = new Set(lines.map(({ kind, properties }) => kind === 'virtio-blk-device' && properties.get('drive')))
  for (const [i, id] of drives.entries()) if (id === undefined || !named.has(id)) disks[i] = take()
  for (const { kind, properties } of lines) {
    if (kind === 'virtconsole') continue
    const slot = slotOf(kind, properties.get('bus'))
    if (slot !== undefined && taken.has(slot)) fail(kind, `bus virtio-mmio-bus.${slot} is taken`)
    if (kind === 'virtio-blk-device') {
      const id = properties.get('drive') ?? fail(kind, 'it wants a drive=ID')
      const drive = drives.indexOf(id)
      if (drive < 0) fail(kind, `there is no --drive with id=${printable(id).slice(0, 60)}`)
      if (disks[drive] !== undefined) fail(kind, `drive ${printable(id).slice(0, 60)} is in use already`)
      disks[drive] = take(slot)
      serials[drive] = serialOf(kind, properties.get('serial'))
    } else if (kind === 'virtio-serial-device') {
      if (console !== undefined) fail(kind, 'there is one of these')
      // Without a console on it, nothing would show that it is there.
      if (virtioConsole) console = take(slot)
    } else if (rng !== undefined) fail(kind, 'there is one of these')
    else rng = take(slot)
  }
  if (virtioConsole) console ??= take()
  return { virtioConsole, slots: { disks, console, rng }, serials }
}

function fail(kind: string, why: string): never {
  throw new UsageError(`--device ${kind}: ${why}`)
}

function lineOf(text: string): Line {
  const [kind = '', ...parts] = text.split(/(?<!,),(?!,)/)
  const names = known[kind]!
  const properties = new Map<string, string>()
  for (const part of parts) {
    const [key = part, value = ''] = /^([^=]*)=(.*)$/s.exec(part.replaceAll(',,', ','))?.slice(1) ?? []
    if (kind === 'virtio-rng-device' && key === 'rng')
      fail(kind, 'its entropy comes from --seed, not from an -object; leave rng= out')
    if (!names.includes(key))
      fail(
        kind,
        `'${printable(part).slice(0, 60)}' is not known; ${names.slice(0, -1).join(', ')} and ${names.at(-1)} are`,
      )
    properties.set(key, value)
  }
  return { kind, properties }
}

/** The serial number that VIRTIO_BLK_T_GET_ID gives (Virtual I/O Device 1.2, 5.2.6): QEMU cuts a longer one off, unsaid. */
function serialOf(kind: string, serial: string | undefined): string | undefined {
  if (serial !== undefined && !/^[\x20-\x7e]{0,20}$/.test(serial))
    fail(kind, `serial '${printable(serial).slice(0, 60)}' is not up to 20 characters of ASCII`)
  return serial
}

function slotOf(kind: string, bus: string | undefined): number | undefined {
  if (bus === undefined) return undefined
  const slot = /^virtio-mmio-bus\.([0-9]{1,2})$/.exec(bus)?.[1]
  if (slot === undefined || Number(slot) >= SLOTS)
    fail(kind, `there is no bus '${printable(bus).slice(0, 60)}'; virtio-mmio-bus.0 to .${SLOTS - 1} there are`)
  return Number(slot)
}
