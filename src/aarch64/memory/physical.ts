/**
 * Physical address space: which addresses are memory, and where that memory is in the linear memory. Everything else is the
 * embedder's bus. No translation, no CPU.
 */

import { MEMORY, REGION } from '../state/state.ts'
import { READ, WRITE } from './walk.ts'

export interface MemoryRegion {
  /** Physical address, a multiple of 4096. */
  readonly base: number
  /** Bytes, a multiple of 4096. */
  readonly size: number
  /** Flash: guest writes go to the bus; reads and instruction fetches are direct unless `direct` is false. */
  readonly readOnly?: boolean
}

/** What a guest's access outside of memory reaches. Values are 32-bit numbers, signed or unsigned alike (`| 0` form allocates nothing); an 8-byte access passes its upper half in `high`. */
export interface Bus {
  /** Upper half of an 8-byte read, left there by `read`. */
  high: number
  /** Set to true by `read` or `write` to raise a synchronous external abort; the CPU sets it back to false. */
  abort: boolean
  /** `size` is 1, 2, 4 or 8. Never called for an access that crosses a page. */
  read(cpu: number, address: number, size: number): number
  write(cpu: number, address: number, size: number, low: number, high: number): void
}

interface Mapped extends MemoryRegion {
  /** Offset in the linear memory. */
  readonly host: number
  direct: boolean
}

export class PhysicalMemory {
  readonly bytes: Uint8Array
  private readonly regions: Mapped[] = []
  private readonly table: DataView

  /** `host`: where the first region starts in the linear memory. */
  constructor(buffer: ArrayBuffer, host: number, regions: readonly MemoryRegion[]) {
    this.bytes = new Uint8Array(buffer)
    for (const region of regions) {
      this.regions.push({ ...region, host, direct: true })
      host += region.size
    }
    // The largest first: main memory is what nearly every look-up wants.
    this.regions.sort((a, b) => b.size - a.size)
    this.table = new DataView(buffer, MEMORY.regions, REGION.most * REGION.bytes)
    this.tell()
  }

  /** Writes the table that generated code looks into. */
  private tell(): void {
    for (const [index, { base, size, host, readOnly, direct }] of this.regions.entries()) {
      const at = index * REGION.bytes
      this.table.setBigUint64(at + REGION.base, BigInt(base), true)
      this.table.setBigUint64(at + REGION.size, BigInt(size), true)
      this.table.setInt32(at + REGION.addend, (host - base) | 0, true)
      this.table.setUint32(at + REGION.access, direct ? (readOnly ? READ : READ | WRITE) : 0, true)
    }
  }

  private find(address: number): Mapped | undefined {
    for (const region of this.regions) if (address >= region.base && address - region.base < region.size) return region
    return undefined
  }

  /** Offset in the linear memory of a physical address that may be read, or -1. */
  readable(address: number): number {
    const region = this.find(address)
    return region?.direct ? region.host + (address - region.base) : -1
  }

  /** Offset in the linear memory of a physical address that may be written, or -1. */
  writable(address: number): number {
    const region = this.find(address)
    return region?.direct && !region.readOnly ? region.host + (address - region.base) : -1
  }

  /** Whether reads of the region at this address go to memory; false sends them to the bus (flash in a command mode). */
  setDirect(address: number, direct: boolean): void {
    const region = this.find(address)
    if (!region) return
    region.direct = direct
    this.tell()
  }

  /** A view of memory for loaders and devices, or undefined when the range is not inside one region. */
  view(address: number, length: number): Uint8Array | undefined {
    const region = this.find(address)
    if (!region || length > region.size - (address - region.base)) return undefined
    const start = region.host + (address - region.base)
    return this.bytes.subarray(start, start + length)
  }
}
