/**
 * What a machine starts with: kernel, initial RAM disk, device tree or firmware, as bytes, put where the boot protocol wants
 * them. It opens no files, and a plan can be carried out again: that is a reset.
 */

import type { OwnDevice } from '../board/own-devices.ts'
import { type Place, virtMap } from '../board/virt-map.ts'
import { cells64, decodeFdt, encodeFdt, encodeValue, FdtError, type FdtNode, stringsOf } from '../device-tree/fdt.ts'
import { initrdAddress, psciNode, virtDtb } from '../device-tree/virt-dtb.ts'
import type { VirtMachine } from '../virt.ts'
import { elf, isElf } from './elf.ts'
import { layOut } from './layout.ts'
import { checkFits, type LoadedKernel, LoaderError, storeSegments } from './loaded.ts'
import { loadKernel } from './loader.ts'
import { gunzip, isGzip } from './unpack.ts'

/** What a machine starts with. */
export interface BootFiles {
  /** An Image, an ELF file or a flat binary. */
  kernel?: Uint8Array | undefined
  /** An initial RAM disk. */
  initrd?: Uint8Array | undefined
  /** A device tree in place of the board's own; memory, command line and initial RAM disk are entered into it. */
  dtb?: Uint8Array | undefined
  /** Kernel command line. */
  append?: string | undefined
  /** Files that are put into memory beside, as by QEMU's generic loader. */
  loads?: readonly BootLoad[]
}

/** A file that is put into memory beside the kernel. */
export interface BootLoad {
  /** The file's contents. */
  bytes: Uint8Array
  /** Where a flat file goes; an ELF file, unless `raw`, goes where it says. */
  address?: number | undefined
  /** Goes to its address as it is, an ELF file too. */
  raw?: boolean
  /** The first CPU starts at its beginning, or at an ELF file's entry, in place of the kernel's. */
  start?: boolean
}

/** The board that the files are for: what its device tree says, and how much fits. */
export interface BootBoard {
  /** CPUs. */
  cpus: number
  /** Bytes of RAM. */
  memory: number
  /** The GIC's architecture version. */
  gic: 2 | 3
  /** An ITS beside a GICv3. */
  its?: boolean
  /** Devices of the embedder's own: the machine's `devices` option, for their nodes. */
  devices?: readonly OwnDevice[]
  /** The machine has firmware in its flash, and starts there; a kernel is then the firmware's to load, from `fwCfgItems`. */
  firmware?: boolean
  /** Randomness for the guest's kernel: the same bytes make the same run. */
  rngSeed?: Uint8Array
}

/** Files that were read and checked, ready to be put into a machine, as often as it is reset. */
export interface BootPlan {
  /** Undefined where firmware starts. */
  readonly kernel: LoadedKernel | undefined
  /** Fills the machine's memory and powers its first CPU on. */
  start(machine: VirtMachine): void
}

/**
 * Kernel, RAM disk and command line as firmware finds them in fw_cfg: sizes, and bytes (QEMU, docs/specs/fw_cfg). A kernel is
 * unpacked for it, as by QEMU: firmware starts it as an EFI program.
 * @throws LoaderError for a kernel that is damaged, or is unpacked to more than `limit` bytes
 */
export async function fwCfgItems({ kernel, initrd, append }: BootFiles, limit: number): Promise<FwCfgItems> {
  const items = new Map<number, Uint8Array>()
  const add = (size: number, data: number, bytes: Uint8Array | undefined) => {
    if (bytes === undefined) return
    const length = new Uint8Array(4)
    new DataView(length.buffer).setUint32(0, bytes.length, true)
    items.set(size, length)
    items.set(data, bytes)
  }
  add(0x08, 0x11, kernel && isGzip(kernel) ? await gunzip(kernel, limit) : kernel)
  add(0x0b, 0x12, initrd)
  add(0x14, 0x15, append === undefined ? undefined : new TextEncoder().encode(`${append}\0`))
  return items
}

/** Items of the firmware configuration device, by number. */
export type FwCfgItems = ReadonlyMap<number, Uint8Array>

/** A device tree may take this much: a kernel maps no more than 2 MiB for it (Documentation/arch/arm64/booting). */
const DTB_LIMIT = 2 * 2 ** 20

/**
 * Reads the files and finds a place for each.
 * @throws LoaderError, with one clear line, for what is none of its kind or does not fit
 */
export async function planBoot(files: BootFiles, board: BootBoard): Promise<BootPlan> {
  const ram = { base: virtMap.ram.base, size: board.memory }
  const { initrd, append } = files
  const given = files.dtb === undefined ? undefined : ofTree(() => decodeFdt(files.dtb!))
  if (append?.includes('\0')) throw new LoaderError('the command line contains a zero character')
  const tree = (place: { start: number; end: number } | undefined): Uint8Array =>
    given === undefined
      ? virtDtb({
          cpus: board.cpus,
          memory: board.memory,
          gic: board.gic,
          its: board.its ?? false,
          devices: board.devices ?? [],
          ...(append === undefined ? {} : { bootargs: append }),
          ...(board.rngSeed === undefined ? {} : { rngSeed: board.rngSeed }),
          ...(place === undefined ? {} : { initrd: place }),
        })
      : ofTree(() => encodeFdt({ ...given, root: completed(given.root, board.memory, append, place) }))

  const flash = virtMap.flash0
  const loads = (files.loads ?? []).map((load) => loadFile(load, { ram, flash }))
  const first = loads[(files.loads ?? []).findIndex(({ start }) => start)]
  /** Carries out what is common to all: files beside first, as they may go where the rest does not. */
  const begin = (machine: VirtMachine, entry: number, argument: number) => {
    for (const { segments } of loads) store(machine, segments)
    machine.boot(first?.entry ?? entry, first === undefined ? argument : 0)
  }

  if (files.kernel === undefined || board.firmware) {
    if (!board.firmware && first === undefined) throw new LoaderError('there is neither a kernel nor firmware to start')
    if (initrd !== undefined && files.kernel === undefined) throw new LoaderError('an initial RAM disk needs a kernel')
    const dtb = tree(undefined)
    if (dtb.length > ram.size) throw new LoaderError(`the device tree of ${dtb.length} bytes does not fit the memory`)
    return {
      kernel: undefined,
      start: (machine) => {
        machine.load(ram.base, dtb)
        begin(machine, flash.base, 0)
      },
    }
  }

  const kernel = await loadKernel(files.kernel, { ram, flash }).catch((error: unknown) => about('kernel', error))
  if (initrd?.length === 0) about('initrd', new LoaderError('the initial RAM disk is empty'))
  const size = tree(initrd === undefined ? undefined : { start: 0, end: 0 }).length
  if (size > DTB_LIMIT) throw new LoaderError(`the device tree of ${size} bytes is larger than 2 MiB`)
  const at = layOut(kernel, ram, initrd?.length, size, flash)
  const dtb = tree(at.initrd)
  return {
    kernel,
    start: (machine) => {
      store(machine, kernel.segments)
      if (at.initrd !== undefined && initrd !== undefined) machine.load(at.initrd.start, initrd)
      machine.load(at.dtb, dtb)
      begin(machine, kernel.entry, kernel.bootProtocol ? at.dtb : 0)
    },
  }
}

function store(machine: VirtMachine, segments: LoadedKernel['segments']): void {
  storeSegments({ write: (address, bytes) => machine.load(address, bytes) }, segments)
}

/** A file for the generic loader: an ELF file by its own addresses, or bytes for one. */
function loadFile({ bytes, address, raw }: BootLoad, places: { ram: Place; flash: Place }): LoadedKernel {
  if (bytes.length === 0) throw new LoaderError('a file to load is empty')
  if (!raw && isElf(bytes)) return elf(bytes, places)
  if (address === undefined) throw new LoaderError('a file to load is no ELF file, and there is no address for it')
  checkFits('a file to load', address, bytes.length, [places.ram, places.flash])
  const end = address + bytes.length
  const segments = [{ address, bytes, size: bytes.length }]
  return { kind: 'flat binary', entry: address, segments, start: address, end, bootProtocol: false }
}

/** A step with the device tree that was given. */
function ofTree<T>(step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!(error instanceof FdtError)) throw error
    return about('dtb', new LoaderError(`the device tree cannot be used: ${error.message}`))
  }
}

function about(file: NonNullable<LoaderError['about']>, error: unknown): never {
  if (error instanceof LoaderError) error.about ??= file
  throw error
}

/** The tree with what only the machine knows: as QEMU does, its memory, PSCI, the command line and where the RAM disk is. */
function completed(
  root: FdtNode,
  memory: number,
  append: string | undefined,
  initrd: { start: number; end: number } | undefined,
): FdtNode {
  const cells = (name: string) => {
    const value = root.properties.get(name)
    return value === undefined || value.length !== 4 ? 2 : (value[3] ?? 2)
  }
  const number = (value: number, width: number) => (width === 1 ? [value >>> 0] : cells64(value))
  const reg = [...number(virtMap.ram.base, cells('#address-cells')), ...number(memory, cells('#size-cells'))]
  const isMemory = (node: FdtNode) => stringsOf(node.properties.get('device_type')).includes('memory')
  const children = root.children.filter((node) => !['chosen', 'psci'].includes(node.name) && !isMemory(node))
  const old = root.children.find((node) => node.name === 'chosen')
  const chosen = new Map(old?.properties)
  if (append !== undefined) chosen.set('bootargs', encodeValue(append))
  if (initrd !== undefined) {
    chosen.set('linux,initrd-start', encodeValue(initrdAddress(initrd.start)))
    chosen.set('linux,initrd-end', encodeValue(initrdAddress(initrd.end)))
  }
  const bank: FdtNode = {
    name: `memory@${virtMap.ram.base.toString(16)}`,
    properties: new Map([
      ['device_type', encodeValue('memory')],
      ['reg', encodeValue(reg)],
    ]),
    children: [],
  }
  return {
    ...root,
    children: [psciNode(), bank, { name: 'chosen', properties: chosen, children: old?.children ?? [] }, ...children],
  }
}
