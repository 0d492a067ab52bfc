/** A Redistributor's first frame, and LPIs by their tables in guest memory: all of a table is read and written, whenever there is cause. */

import { bitAt, type OracleState, type Pe } from './state.ts'

const ADDRESS_HIGH = 0x000f_ffff_0000_0000n
const OUTER_CACHE = 0x0700_0000_0000_0000n

// ---- LPIs ----

function lpiEnd(gic: OracleState, pe: Pe): number {
  const bits = Number(pe.propbaser & 31n) + 1
  return bits < 14 ? 8192 : 2 ** Math.min(bits, gic.config.lpis!.intidBits)
}

const covers = (gic: OracleState, pe: Pe, intid: number): boolean =>
  pe.lpis !== undefined && intid >= 8192 && intid < lpiEnd(gic, pe)

function configuration(gic: OracleState, pe: Pe, intid: number): number {
  const at = Number(pe.propbaser & 0x000f_ffff_ffff_f000n) + intid - 8192
  return gic.memory[at] ?? 0
}

const tableOf = (pe: Pe): number => Number(pe.pendbaser & 0x000f_ffff_ffff_0000n)

function enableLpis(gic: OracleState, pe: Pe): void {
  pe.lpis = new Map()
  if (!pe.pendingTableZero)
    for (let intid = 8192; intid < lpiEnd(gic, pe); intid++) {
      const byte = gic.memory[tableOf(pe) + Math.floor(intid / 8)] ?? 0
      if ((byte >> (intid % 8)) & 1) pe.lpis.set(intid, configuration(gic, pe, intid))
    }
  pe.pendingTableZero = false
}

function disableLpis(gic: OracleState, pe: Pe): void {
  const { memory } = gic
  for (let intid = 8192; intid < lpiEnd(gic, pe); intid++) {
    const at = tableOf(pe) + Math.floor(intid / 8)
    if (at >= memory.length) break
    const mask = 2 ** (intid % 8)
    memory[at] = (memory[at]! & ~mask) | (pe.lpis!.has(intid) ? mask : 0)
  }
  pe.lpis = undefined
}

/** GICR_SETLPIR, GICR_CLRLPIR, GICR_INVLPIR, GICR_INVALLR. */
function lpiRegister(gic: OracleState, pe: Pe, offset: number, intid: number): void {
  const { directLpis, invalidateRegisters } = gic.config
  const invalidates = invalidateRegisters || directLpis
  const read = (each: number) => pe.lpis!.set(each, configuration(gic, pe, each))
  if (offset === 0x40 && directLpis && covers(gic, pe, intid) && !pe.lpis!.has(intid)) read(intid)
  if (offset === 0x48 && directLpis && covers(gic, pe, intid)) pe.lpis!.delete(intid)
  if (offset === 0xa0 && invalidates && covers(gic, pe, intid) && pe.lpis!.has(intid)) read(intid)
  if (offset === 0xb0 && invalidates) for (const each of [...(pe.lpis?.keys() ?? [])]) read(each)
}

// ---- registers ----

export function readRedistributor(gic: OracleState, index: number, offset: number, secure: boolean): number {
  const { config } = gic
  const pe = gic.pes[index]!
  const hidden = gic.twoStates && !secure
  const half = (value: bigint) => Number((offset % 8 === 4 ? value >> 32n : value) & 0xffff_ffffn)
  switch (offset) {
    case 0x00:
      return (
        bitAt(pe.lpis !== undefined, 0) +
        bitAt(config.lpis !== undefined, 1) +
        bitAt(config.invalidateRegisters, 2) +
        bitAt(!hidden && pe.dpg.G0, 24) +
        bitAt(pe.dpg.G1NS, 25) +
        bitAt(!hidden && gic.twoStates && pe.dpg.G1S, 26)
      )
    case 0x08:
      return (
        bitAt(config.lpis !== undefined, 0) +
        bitAt(config.directLpis, 3) +
        bitAt(index === config.cpus - 1, 4) +
        bitAt(config.oneOfN, 5) +
        index * 2 ** 8 +
        2 ** 24 +
        (config.extendedPpis / 32) * 2 ** 27
      )
    case 0x0c:
      return config.affinities[index]!
    case 0x14:
      return pe.asleep && !hidden ? 6 : 0
    case 0x70:
    case 0x74:
      return half(pe.propbaser)
    case 0x78:
    case 0x7c:
      return half(pe.pendbaser)
    default:
      return 0
  }
}

function writeControl(gic: OracleState, pe: Pe, value: number, hidden: boolean): void {
  const flag = (at: number) => Math.floor(value / 2 ** at) % 2 === 1
  if (gic.config.oneOfN) {
    pe.dpg.G1NS = flag(25)
    if (!hidden) pe.dpg.G0 = flag(24)
    if (!hidden && gic.twoStates) pe.dpg.G1S = flag(26)
  }
  if (gic.config.lpis === undefined || flag(0) === (pe.lpis !== undefined)) return
  if (flag(0)) enableLpis(gic, pe)
  else disableLpis(gic, pe)
}

export function writeRedistributor(
  gic: OracleState,
  index: number,
  offset: number,
  value: number,
  secure: boolean,
): void {
  const pe = gic.pes[index]!
  const hidden = gic.twoStates && !secure
  const merge = (old: bigint, low: bigint) => {
    const whole =
      offset % 8 === 4 ? (old & 0xffff_ffffn) + (BigInt(value) << 32n) : (old & ~0xffff_ffffn) + BigInt(value)
    return whole & (ADDRESS_HIGH + OUTER_CACHE + low)
  }
  // The base registers are read-only while LPIs are enabled.
  const bases = gic.config.lpis !== undefined && pe.lpis === undefined
  switch (offset) {
    case 0x00:
      writeControl(gic, pe, value, hidden)
      return
    case 0x14:
      if (!hidden) pe.asleep = Math.floor(value / 2) % 2 === 1
      return
    case 0x70:
    case 0x74:
      if (bases) pe.propbaser = merge(pe.propbaser, 0xffff_ff9fn)
      return
    case 0x78:
    case 0x7c:
      if (!bases) return
      if (offset === 0x7c) pe.pendingTableZero = Math.floor(value / 2 ** 30) % 2 === 1
      pe.pendbaser = merge(pe.pendbaser, 0xffff_0f80n)
      return
    default:
      lpiRegister(gic, pe, offset, value)
  }
}
