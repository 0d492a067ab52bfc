/** The files that `vgic run` makes a machine of: kernel, firmware, disks, symbols. What cannot be used is an error that names it. */

import { type Disk, OverlayDisk, readOnlyDisk } from '../devices/disk.ts'
import { openBase, openDisk } from '../devices/file-disk.ts'
import { virtMap } from '../machine/board/virt-map.ts'
import type { BootFiles } from '../machine/boot/boot.ts'
import { isElf } from '../machine/boot/elf.ts'
import { elfSymbols } from '../machine/boot/elf-symbols.ts'
import { type LoadedKernel, LoaderError, NoRoomError } from '../machine/boot/loaded.ts'
import type { Symbols } from '../machine/why/symbols.ts'
import { FileError } from './file-error.ts'
import { readInputFile } from './input-file.ts'
import type { DriveOption, RunOptions } from './run-options.ts'
import { printable } from './style.ts'

/** Device trees and flash banks are no larger. */
const DTB_LIMIT = 16 * 2 ** 20

const MORE = '; --memory gives more'

/** What the options name, read and no larger than it may be. */
export async function readFiles(options: RunOptions): Promise<BootFiles & { firmware: Uint8Array | undefined }> {
  const read = async (path: string | undefined, limit: number, help?: string) =>
    path === undefined ? undefined : readInputFile(path, limit, help)
  const firmware = await read(options.bios, virtMap.flash0.size)
  if (firmware?.length === 0) throw new FileError(`${printable(options.bios ?? '')}: the firmware is empty`)
  return {
    kernel: await read(options.kernel, options.memory, MORE),
    initrd: await read(options.initrd, options.memory, MORE),
    dtb: await read(options.dtb, DTB_LIMIT),
    append: options.append,
    loads: await Promise.all(
      options.loaders.map(async ({ file, ...rest }) => ({ ...rest, bytes: await readInputFile(file, options.memory) })),
    ),
    firmware,
  }
}

/** Which file it is about, what is wrong, and what helps. */
export function fileError(error: LoaderError, options: RunOptions): FileError {
  const name = error.about === undefined ? undefined : options[error.about]
  const help = error instanceof NoRoomError ? MORE : ''
  return new FileError(`${name === undefined ? '' : `${printable(name)}: `}${error.message}${help}`)
}

/** The most that a file of symbols may have: a kernel with its debug information is some hundreds of MiB. */
const SYMBOLS_LIMIT = 2 ** 30

/** Names for the guest's code: of the file that was given for it, which must have them, or of the kernel, which may. */
export async function readSymbols(
  file: string | undefined,
  bytes: Uint8Array | undefined,
  kernel: LoadedKernel | undefined,
): Promise<Symbols | undefined> {
  const image = kernel?.kind === 'Linux Image' ? kernel.entry : undefined
  try {
    if (file !== undefined) return elfSymbols(await readInputFile(file, SYMBOLS_LIMIT), image)
    return bytes !== undefined && isElf(bytes) ? elfSymbols(bytes) : undefined
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error
    if (file !== undefined) throw new FileError(`--symbols ${printable(file)}: ${error.message}`)
    return undefined
  }
}

/** A disk as its mode says, and what closes its file. */
export function openDrive({ file, mode }: DriveOption): { disk: Disk; close(): void } {
  try {
    if (mode === 'write') {
      const disk = openDisk(file)
      return { disk, close: () => disk.close() }
    }
    const base = openBase(file)
    const disk = mode === 'readonly' ? readOnlyDisk(base) : new OverlayDisk(base, { limit: 2 ** 30 })
    return { disk, close: () => base.close() }
  } catch (error) {
    throw new FileError(`--drive ${printable(error instanceof Error ? error.message : String(error))}`)
  }
}
