/** The Distributor's registers that are not a bank: GICD_CTLR, GICD_TYPER, routes, and the messages of SPIs. */

import { reachesField } from './security.ts'
import { bitAt, type Irq, type OracleState } from './state.ts'

/** GICD_SETSPI_NSR, CLRSPI_NSR, SETSPI_SR, CLRSPI_SR. */
const MESSAGES = [0x40, 0x48, 0x50, 0x58]
export const isMessage = (offset: number): boolean => MESSAGES.includes(offset)

export function message(gic: OracleState, offset: number, value: number, secure: boolean): void {
  const irq = gic.shared.get(value % 8192)
  const set = offset === 0x40 || offset === 0x50
  if (irq === undefined || !gic.config.messageSpis) return
  if (offset >= 0x50 && (!gic.twoStates || !secure)) return
  if (!reachesField(gic, irq, secure, set ? 1 : 2)) return
  // A level that messages keep, apart from the wire's (GICD_SETSPI_NSR, GICD_CLRSPI_NSR).
  if (!set) irq.message = irq.latch = false
  else if (irq.edge) irq.latch = true
  else irq.message = true
}

/** The SPI whose GICD_IROUTER this is, where an access reaches it. */
function routed(gic: OracleState, offset: number, secure: boolean): Irq | undefined {
  const find = (from: number, count: number, first: number) =>
    offset >= from && offset < from + 8 * count ? gic.shared.get(first + Math.floor((offset - from) / 8)) : undefined
  const irq = find(0x6000, 1020, 0) ?? find(0x8000, 1024, 4096)
  return irq !== undefined && reachesField(gic, irq, secure, 3) ? irq : undefined
}

function control({ twoStates, forwarded }: OracleState, secure: boolean): number {
  if (!twoStates) return bitAt(forwarded.G0, 0) + bitAt(forwarded.G1NS, 1) + 0x50
  if (!secure) return bitAt(forwarded.G1NS, 1) + 0x10
  return bitAt(forwarded.G0, 0) + bitAt(forwarded.G1NS, 1) + bitAt(forwarded.G1S, 2) + 0x30
}

function typer({ config, twoStates }: OracleState): number {
  const most = config.extendedSpis ? 13 : config.extendedPpis ? 11 : 10
  const rss = config.affinities.some((affinity) => affinity % 256 > 15)
  return (
    (config.extendedSpis ? (config.extendedSpis / 32 - 1) * 2 ** 27 + 2 ** 8 : 0) +
    bitAt(rss, 26) +
    bitAt(!config.oneOfN, 25) +
    2 ** 24 +
    ((config.lpis?.intidBits ?? most) - 1) * 2 ** 19 +
    bitAt(config.lpis !== undefined, 17) +
    bitAt(config.messageSpis, 16) +
    bitAt(twoStates, 10) +
    bitAt(config.nmi, 9) +
    Math.ceil(config.intids / 32) -
    1
  )
}

export function readDistributor(gic: OracleState, offset: number, secure: boolean): number {
  if (offset === 0) return control(gic, secure)
  if (offset === 4) return typer(gic)
  const irq = routed(gic, offset, secure)
  if (irq === undefined) return 0
  return offset % 8 === 4 ? irq.aff3 : irq.routeLow
}

export function writeDistributor(gic: OracleState, offset: number, value: number, secure: boolean): void {
  const flag = (at: number) => Math.floor(value / 2 ** at) % 2 === 1
  if (offset === 0) {
    gic.forwarded.G1NS = flag(1)
    if (gic.twoStates && !secure) return
    gic.forwarded.G0 = flag(0)
    if (!gic.twoStates) return
    // DS cannot be taken back, and leaves no Secure Group 1 to forward.
    gic.forwarded.G1S = flag(2) && !flag(6)
    if (flag(6)) gic.twoStates = false
    return
  }
  if (isMessage(offset)) {
    message(gic, offset, value, secure)
    return
  }
  const irq = routed(gic, offset, secure)
  if (irq === undefined) return
  if (offset % 8 === 4) irq.aff3 = value % 256
  else irq.routeLow = (value % 2 ** 24) + (gic.config.oneOfN && flag(31) ? 2 ** 31 : 0)
}
