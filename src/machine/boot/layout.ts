/** Where the initial RAM disk and the device tree go, beside a kernel that has its place. It moves no bytes. */

import type { Place } from '../board/virt-map.ts'
import { type LoadedKernel, MIB, mib, NoRoomError } from './loaded.ts'

/** Where things go in memory. */
export interface BootLayout {
  /** Undefined where there is none. */
  readonly initrd: { readonly start: number; readonly end: number } | undefined
  /** Where the device tree goes. */
  readonly dtb: number
}

/**
 * Places the initial RAM disk and the device tree in what the kernel leaves: the disk in the middle of the memory or 128 MiB
 * up, the tree behind it. An ELF file is told of no tree, and looks for it where QEMU puts it: at the start of the memory, or,
 * when it is there itself, at the start of the flash. Sizes are in bytes. Throws a LoaderError when something does not fit.
 */
export function layOut(
  kernel: LoadedKernel,
  ram: Place,
  initrdSize: number | undefined,
  dtbSize: number,
  flash?: Place,
): BootLayout {
  const end = ram.base + ram.size
  const found = kernel.bootProtocol ? undefined : [ram, flash].find((place) => place && isFree(kernel, place, dtbSize))
  if (found !== undefined && initrdSize === undefined) return { initrd: undefined, dtb: found.base }
  const middle = ram.base + Math.min(ram.size / 2, 128 * MIB)
  const start = alignUp(Math.max(middle, kernel.end), 0x1000)
  const behind = start + (initrdSize ?? 0)
  if (behind > end)
    throw new NoRoomError(
      `the initial RAM disk of ${mib(initrdSize ?? 0)} does not fit: ${mib(Math.max(0, end - start))} of the memory's ${mib(ram.size)} are left behind the kernel`,
    )
  const initrd = initrdSize === undefined ? undefined : { start, end: behind }
  if (found !== undefined) return { initrd, dtb: found.base }
  const dtb = alignUp(behind, 2 * MIB)
  if (dtb + dtbSize > end)
    throw new NoRoomError(
      `the device tree of ${dtbSize} bytes does not fit behind the kernel and the initial RAM disk in ${mib(ram.size)} of memory`,
    )
  return { initrd, dtb }
}

/** Whether nothing is loaded into the first bytes of a place, and there are that many. */
function isFree(kernel: LoadedKernel, { base, size }: Place, length: number): boolean {
  return (
    length <= size &&
    kernel.segments.every((segment) => segment.address >= base + length || segment.address + segment.size <= base)
  )
}

function alignUp(value: number, alignment: number): number {
  return Math.ceil(value / alignment) * alignment
}
