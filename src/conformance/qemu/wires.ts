/**
 * The GIC's input wires on QEMU's 'virt', and how each is driven. A device that the guest itself can command costs one
 * access; any other wire costs a pause, in which QEMU's qtest protocol sets it. A wire has one way, never both.
 */

import type { TargetConfig } from '../target.ts'
import { REGION_BASE, SPI_COUNT } from './protocol.ts'

/** A store to a device, or a system register written by the CPU whose wire it is. */
export type Drive =
  | { by: 'store'; address: number; size: 1 | 4; value: number }
  | { by: 'register'; register: string; value: number }
  /** The number of the GIC's own input, for qtest. */
  | { by: 'qtest'; input: number }

interface Wire {
  high: Drive
  low: Drive
}

const UART_IMSC = 0x09000038
const GPIO = 0x09030000
const GPIO_IE = GPIO + 0x410
const ECAM = 0x3f000000
const EDU_BAR = 0x10000000
const store = (address: number, value: number, size: 1 | 4 = 4): Drive => ({ by: 'store', address, size, value })
const register = (name: string, value: number): Drive => ({ by: 'register', register: name, value })

/** The PCI slots of four `edu` devices. Slot n's INTA is SPI 35 + n mod 4. */
export const EDU_SLOTS = [1, 2, 3, 4] as const
const eduBar = (slot: number): number => EDU_BAR + slot * 0x100000

/** Devices that a board has anyway. */
const BOARD_SPIS: readonly [number, Wire][] = [
  // The UART's transmit interrupt is always raised once a character has been sent; its mask makes the wire.
  [33, { high: store(UART_IMSC, 0x20), low: store(UART_IMSC, 0) }],
  // Likewise the GPIO's pin 7, made level-sensitive below.
  [39, { high: store(GPIO_IE, 0x80), low: store(GPIO_IE, 0) }],
]
const EDU_SPIS: readonly [number, Wire][] = EDU_SLOTS.map((slot): [number, Wire] => [
  35 + (slot % 4),
  { high: store(eduBar(slot) + 0x60, 1), low: store(eduBar(slot) + 0x64, 1) },
])

/** QEMU refuses an `edu` on a board without MSIs, and such is a GICv3 without an ITS. */
export const hasEdu = (config: TargetConfig): boolean => config.version === 2 || config.its

const bare: ReadonlyMap<number, Wire> = new Map(BOARD_SPIS)
const full: ReadonlyMap<number, Wire> = new Map([...BOARD_SPIS, ...EDU_SPIS])
const spisOf = (config: TargetConfig): ReadonlyMap<number, Wire> => (hasEdu(config) ? full : bare)

const PPIS: ReadonlyMap<number, Wire> = new Map<number, Wire>([
  // An overflow of PMU event counter 0, and timers whose time has long come.
  [23, { high: register('PMOVSSET_EL0', 1), low: register('PMOVSCLR_EL0', 1) }],
  [27, { high: register('CNTV_CTL_EL0', 1), low: register('CNTV_CTL_EL0', 0) }],
  [30, { high: register('CNTP_CTL_EL0', 1), low: register('CNTP_CTL_EL0', 0) }],
])

/** INTIDs whose wires cost no pause. A fuzzer does well to use mostly these. */
export const fastSpis = (config: TargetConfig): readonly number[] => [...spisOf(config).keys()].sort((a, b) => a - b)
export const FAST_PPIS: readonly number[] = [...PPIS.keys()]

/** Once after each reset, on CPU 0: makes the devices ready to drive their wires. */
export const deviceSetup = (config: TargetConfig): readonly Drive[] => [
  ...(hasEdu(config) ? EDU_SLOTS : []).flatMap((slot) => [
    store(ECAM + (slot << 15) + 0x10, eduBar(slot)),
    store(ECAM + (slot << 15) + 0x04, 2),
  ]),
  // Whichever level the pin has, one of these two makes it a pending interrupt, and it stays so.
  store(GPIO + 0x404, 0x80),
  store(GPIO + 0x40c, 0x80),
  store(GPIO + 0x40c, 0),
  // QEMU 7.2 does not reset its UART.
  ...[...spisOf(config).values()].map((wire) => wire.low),
]

/** Once after each reset, on every CPU. */
export const cpuSetup = (config: TargetConfig): readonly Drive[] => [
  register('PMCR_EL0', 1),
  register('PMINTENSET_EL1', 1),
  // Not a wire: QEMU does not reset GICC_APRn and GICC_NSAPRn: a system reset leaves them, and with them priorities, active.
  ...(config.version === 2 ? [0xd0, 0xd4, 0xd8, 0xdc, 0xe0, 0xe4, 0xe8, 0xec] : []).map((offset) =>
    store(REGION_BASE.gicc + offset, 0),
  ),
]

export function driveSpi(config: TargetConfig, intid: number, level: 0 | 1): Drive {
  const wire = spisOf(config).get(intid)
  if (wire !== undefined) return level === 1 ? wire.high : wire.low
  if (!Number.isInteger(intid) || intid < 32 || intid >= 32 + SPI_COUNT)
    throw new RangeError(`QEMU's 'virt' has no wire for SPI ${intid}: INTIDs 32 to ${31 + SPI_COUNT}`)
  return { by: 'qtest', input: intid - 32 }
}

export function drivePpi(intid: number, cpu: number, level: 0 | 1): Drive {
  const wire = PPIS.get(intid)
  if (wire !== undefined) return level === 1 ? wire.high : wire.low
  if (!Number.isInteger(intid) || intid < 16 || intid > 31)
    throw new RangeError(`INTID ${intid} is not a PPI: 16 to 31`)
  return { by: 'qtest', input: SPI_COUNT + 32 * cpu + intid }
}
