/**
 * Where the registers of a GICv2 are, from IHI 0048B tables 4-1 and 4-2: written down here once more, so that no vector
 * takes an offset from the tables that it tests.
 */

import type { Region } from '../target.ts'

/** Offset of the first register, and how many there are, 4 bytes apart. */
const registers: Readonly<Record<string, readonly [offset: number, count: number]>> = {
  GICD_CTLR: [0x000, 1],
  GICD_TYPER: [0x004, 1],
  GICD_IIDR: [0x008, 1],
  GICD_IGROUPR: [0x080, 32],
  GICD_ISENABLER: [0x100, 32],
  GICD_ICENABLER: [0x180, 32],
  GICD_ISPENDR: [0x200, 32],
  GICD_ICPENDR: [0x280, 32],
  GICD_ISACTIVER: [0x300, 32],
  GICD_ICACTIVER: [0x380, 32],
  GICD_IPRIORITYR: [0x400, 255],
  GICD_ITARGETSR: [0x800, 255],
  GICD_ICFGR: [0xc00, 64],
  GICD_PPISR: [0xd00, 1],
  GICD_SPISR: [0xd04, 31],
  GICD_NSACR: [0xe00, 64],
  GICD_SGIR: [0xf00, 1],
  GICD_CPENDSGIR: [0xf10, 4],
  GICD_SPENDSGIR: [0xf20, 4],
  GICD_ICPIDR2: [0xfe8, 1],
  GICC_CTLR: [0x0000, 1],
  GICC_PMR: [0x0004, 1],
  GICC_BPR: [0x0008, 1],
  GICC_IAR: [0x000c, 1],
  GICC_EOIR: [0x0010, 1],
  GICC_RPR: [0x0014, 1],
  GICC_HPPIR: [0x0018, 1],
  GICC_ABPR: [0x001c, 1],
  GICC_AIAR: [0x0020, 1],
  GICC_AEOIR: [0x0024, 1],
  GICC_AHPPIR: [0x0028, 1],
  GICC_APR: [0x00d0, 4],
  GICC_NSAPR: [0x00e0, 4],
  GICC_IIDR: [0x00fc, 1],
  GICC_DIR: [0x1000, 1],
  V2M_MSI_TYPER: [0x008, 1],
  V2M_MSI_SETSPI_NS: [0x040, 1],
  V2M_MSI_IIDR: [0xfcc, 1],
}

const regions: Readonly<Record<string, Region>> = { GICD: 'gicd', GICC: 'gicc', V2M_: 'v2m' }

/** Region and offset of a register by its name, with its number if it is one of several: `GICD_ISENABLER1`. */
export function place(name: string): { region: Region; offset: number } {
  const region = regions[name.slice(0, 4)]
  const plain = registers[name]
  if (region !== undefined && plain !== undefined) return { region, offset: plain[0] }
  const [, stem = '', digits = ''] = /^(.*?)(\d+)$/.exec(name) ?? []
  const found = registers[stem]
  if (region === undefined || found === undefined || Number(digits) >= found[1])
    throw new RangeError(`${name}: no such register of a GICv2`)
  return { region, offset: found[0] + Number(digits) * 4 }
}

/** Offsets of a frame where IHI 0048B has no register. */
export const reserved = {
  gicd: [0x00c, 0x010, 0x040, 0x07c, 0x7fc, 0xbfc, 0xf04, 0xf0c, 0xf30, 0xf80, 0xfcc],
  gicc: [0x002c, 0x0030, 0x003c, 0x00c0, 0x00f0, 0x0100, 0x0ffc, 0x1004, 0x1ffc],
} as const
