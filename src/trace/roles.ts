/**
 * What a replay must know of a register beyond its value: which ones identify an implementation, and which take or give
 * back an interrupt. Offsets only; names and fields come from the machine.
 */

import type { Region } from './event.ts'

export type Role =
  | 'plain'
  /** Tells who made it and how large it is: differs between sound implementations, so it is reported and never a divergence. */
  | 'identity'
  /** A read takes an interrupt. */
  | 'acknowledge'
  /** A read names the interrupt that the next acknowledge would take. */
  | 'highest'
  | 'end'
  | 'deactivate'
  /** A write makes SGIs. */
  | 'generate'
  /** A write makes an SPI pending, as an MSI does. */
  | 'message'

interface Span {
  readonly role: Role
  readonly from: number
  /** The last byte. */
  readonly to: number
}

const at = (role: Role, from: number, to = from + 3): Span => ({ role, from, to })

const cpuInterface: readonly Span[] = [
  at('acknowledge', 0x0c),
  at('end', 0x10),
  at('highest', 0x18),
  at('acknowledge', 0x20),
  at('end', 0x24),
  at('highest', 0x28),
  at('identity', 0xfc),
  at('identity', 0xfd0, 0xfff),
  at('deactivate', 0x1000),
]

const roles: Readonly<Record<Region, readonly Span[]>> = {
  // GICD_TYPER, GICD_IIDR, GICD_TYPER2, and the CoreSight identification of GICv2's 4 KiB and GICv3's 64 KiB frame.
  gicd: [at('identity', 0x4, 0xf), at('generate', 0xf00), at('identity', 0xfd0, 0xfff), at('identity', 0xffd0, 0xffff)],
  gicc: cpuInterface,
  gicv: cpuInterface,
  // MSI_SETSPI_NS, MSI_TYPER, MSI_IIDR of the GICv2m frame.
  v2m: [at('identity', 0x8), at('message', 0x40), at('identity', 0xfcc), at('identity', 0xfd0, 0xfff)],
  gich: [at('identity', 0x4)],
  // GITS_IIDR, GITS_TYPER, GITS_MPAMIDR.
  its: [at('identity', 0x4, 0x13), at('identity', 0xffd0, 0xffff)],
  itst: [],
  // GICR_IIDR, GICR_TYPER, GICR_MPAMIDR, in every RD_base; its frames are told apart below.
  gicr: [at('identity', 0x4, 0xf), at('identity', 0x18), at('identity', 0xffd0, 0xffff)],
}

/** The role of the register at an offset. */
export function roleOf(region: Region, offset: number): Role {
  let within = offset
  if (region === 'gicr') {
    // An RD_base and an SGI_base take turns, 64 KiB each; both end in identification registers.
    within = offset & 0xffff
    const sgiBase = (offset & 0x1_0000) !== 0
    if (sgiBase && within < 0xffd0) return 'plain'
  }
  for (const span of roles[region]) if (within >= span.from && within <= span.to) return span.role
  return 'plain'
}

const registerRoles: Readonly<Record<string, Role>> = {
  ICC_IAR0_EL1: 'acknowledge',
  ICC_IAR1_EL1: 'acknowledge',
  ICC_NMIAR1_EL1: 'acknowledge',
  ICC_HPPIR0_EL1: 'highest',
  ICC_HPPIR1_EL1: 'highest',
  ICC_EOIR0_EL1: 'end',
  ICC_EOIR1_EL1: 'end',
  ICC_DIR_EL1: 'deactivate',
  ICC_SGI0R_EL1: 'generate',
  ICC_SGI1R_EL1: 'generate',
  ICC_ASGI1R_EL1: 'generate',
  ICH_VTR_EL2: 'identity',
}

/** The role of a system register. */
export function roleOfRegister(name: string): Role {
  return Object.hasOwn(registerRoles, name) ? (registerRoles[name] ?? 'plain') : 'plain'
}

/** Bits of a read that are compared. */
export interface CompareMask {
  readonly low: number
  readonly high: number
}

const everything: CompareMask = { low: -1, high: -1 }

/**
 * The ITS's and the redistributors' table registers let an implementation choose which cacheability and shareability it
 * offers (IHI 0069, 12.19.1 and 12.11.30): what a read returns there is its own affair, as an identification is.
 */
const attributes: readonly { region: Region; from: number; to: number; mask: CompareMask }[] = [
  // GITS_CBASER: InnerCache [61:59], OuterCache [55:53], Shareability [11:10].
  { region: 'its', from: 0x80, to: 0x87, mask: { low: ~0xc00, high: ~0x38e0_0000 } },
  // GITS_BASERn: those, and Type [58:56], Entry_Size [52:48], Indirect [62], Page_Size [9:8] where it is fixed.
  { region: 'its', from: 0x100, to: 0x13f, mask: { low: ~0xf00, high: ~0x7fff_0000 } },
  // GICR_PROPBASER, GICR_PENDBASER: OuterCache [58:56], Shareability [11:10], InnerCache [9:7].
  { region: 'gicr', from: 0x70, to: 0x77, mask: { low: ~0xf80, high: ~0x0700_0000 } },
  // And of the latter PTZ [62], which is write-only and which QEMU reads back: no judgement of ours is to hang on that.
  { region: 'gicr', from: 0x78, to: 0x7f, mask: { low: ~0xf80, high: ~0x4700_0000 } },
]

/** Which bits of a read of the register at an offset tell about behaviour. `high` is of the 64-bit register, whatever the access. */
export function compareMask(region: Region, offset: number): CompareMask {
  if (region !== 'its' && region !== 'gicr') return everything
  if (region === 'gicr' && (offset & 0x1_0000) !== 0) return everything
  const within = region === 'gicr' ? offset & 0xffff : offset
  for (const row of attributes) if (row.region === region && within >= row.from && within <= row.to) return row.mask
  return everything
}
