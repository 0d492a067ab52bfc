/**
 * The words that GICv3 vectors are written in, beside those of `build.ts`, and where the registers are, from IHI 0069: written
 * down here once more, so that no vector takes an offset from the tables that it tests.
 */

import type { AccessSize, Execution, Region } from '../target.ts'
import { flatten, type Needs, type Question, question, type Steps, type Vector, type VectorStep } from './build.ts'

/** Offset of the first register, how many there are, and the distance between them. */
type Place = readonly [offset: number, count?: number, step?: number]

const distributor: Readonly<Record<string, Place>> = {
  CTLR: [0x0000],
  TYPER: [0x0004],
  IIDR: [0x0008],
  STATUSR: [0x0010],
  SETSPI_NSR: [0x0040],
  CLRSPI_NSR: [0x0048],
  SETSPI_SR: [0x0050],
  CLRSPI_SR: [0x0058],
  IGROUPR: [0x0080, 32],
  ISENABLER: [0x0100, 32],
  ICENABLER: [0x0180, 32],
  ISPENDR: [0x0200, 32],
  ICPENDR: [0x0280, 32],
  ISACTIVER: [0x0300, 32],
  ICACTIVER: [0x0380, 32],
  IPRIORITYR: [0x0400, 255],
  ITARGETSR: [0x0800, 255],
  ICFGR: [0x0c00, 64],
  IGRPMODR: [0x0d00, 32],
  NSACR: [0x0e00, 64],
  SGIR: [0x0f00],
  CPENDSGIR: [0x0f10, 4],
  SPENDSGIR: [0x0f20, 4],
  INMIR: [0x0f80, 32],
  E_IGROUPR: [0x1000, 32],
  E_ISENABLER: [0x1200, 32],
  E_ISPENDR: [0x1600, 32],
  E_ICPENDR: [0x1800, 32],
  E_ISACTIVER: [0x1a00, 32],
  E_IPRIORITYR: [0x2000, 256],
  E_ICFGR: [0x3000, 64],
  E_IROUTER: [0x8000, 1024, 8],
  IROUTER: [0x6000, 1020, 8],
  PIDR2: [0xffe8],
}

const redistributor: Readonly<Record<string, Place>> = {
  CTLR: [0x0000],
  IIDR: [0x0004],
  TYPER: [0x0008, 2],
  STATUSR: [0x0010],
  WAKER: [0x0014],
  SETLPIR: [0x0040, 2],
  CLRLPIR: [0x0048, 2],
  PROPBASER: [0x0070, 2],
  PENDBASER: [0x0078, 2],
  INVLPIR: [0x00a0, 2],
  INVALLR: [0x00b0, 2],
  SYNCR: [0x00c0],
  PIDR2: [0xffe8],
  IGROUPR: [0x1_0080],
  ISENABLER: [0x1_0100],
  ICENABLER: [0x1_0180],
  ISPENDR: [0x1_0200],
  ICPENDR: [0x1_0280],
  ISACTIVER: [0x1_0300],
  ICACTIVER: [0x1_0380],
  IPRIORITYR: [0x1_0400, 8],
  ICFGR: [0x1_0c00, 2],
  IGRPMODR: [0x1_0d00],
  NSACR: [0x1_0e00],
  INMIR: [0x1_0f80],
  E_IGROUPR: [0x1_0084, 2],
  E_ISENABLER: [0x1_0104, 2],
  E_ISPENDR: [0x1_0204, 2],
  E_IPRIORITYR: [0x1_0420, 16],
}

const FRAME = 0x2_0000

/** Offset of a register by its name, with its number if it is one of several: `ISENABLER1`; a 64-bit one's upper half is 1. */
function offsetOf(places: Readonly<Record<string, Place>>, name: string): number {
  const [, stem = '', digits = ''] = places[name] ? [name, name] : (/^(.*?)(\d+)$/.exec(name) ?? [])
  const found = places[stem]
  if (found === undefined || Number(digits) >= (found[1] ?? 1))
    throw new RangeError(`${name}: no such register of a GICv3`)
  return found[0] + Number(digits) * (found[2] ?? 4)
}

/** A vector of GICv3, unless said with one Security state. The clause is a section's title, or a register, in IHI 0069. */
export function vector3(name: string, clause: string, needs: Needs, ...steps: readonly Steps[]): Vector {
  return {
    name,
    clause: `IHI 0069, ${clause}`,
    needs: { version: 3, security: false, ...needs },
    steps: flatten(steps),
  }
}

interface Frame {
  read(register: string, size?: AccessSize): Question
  write(register: string, value: number | bigint, size?: AccessSize): VectorStep
  /** The byte of an interrupt in a bank of bytes. */
  read8(bank: string, index: number): Question
  write8(bank: string, index: number, value: number): VectorStep
}

function frame(
  region: Region,
  places: Readonly<Record<string, Place>>,
  cpu: number,
  base: number,
  secure: boolean | undefined,
): Frame {
  const at = (offset: number, size: AccessSize) => ({
    cpu,
    region,
    offset: base + offset,
    size,
    ...(secure === undefined ? {} : { secure }),
  })
  const place = (name: string) => offsetOf(places, name)
  return {
    read: (register, size = 4) => question({ op: 'read', ...at(place(register), size) }),
    write: (register, value, size = 4) => ({ step: { op: 'write', ...at(place(register), size), value } }),
    read8: (bank, index) => question({ op: 'read', ...at(place(`${bank}0`) + index, 1) }),
    write8: (bank, index, value) => ({ step: { op: 'write', ...at(place(`${bank}0`) + index, 1), value } }),
  }
}

export interface Speaker {
  /** The Distributor. */
  readonly d: Frame
  /** The Redistributor of a PE, accessed by that PE or another one. */
  r(pe: number, by?: number): Frame
  /** A system register by its name without `ICC_`, and without `_EL1`: `PMR`, `CTLR_EL3`; or `ISR_EL1`, which is the PE's. */
  mrs(pe: number, register: string): Question
  msr(pe: number, register: string, value: number | bigint): VectorStep
}

function speaker(secure: boolean | undefined, at?: Execution): Speaker {
  const state = { ...(secure === undefined ? {} : { secure }), ...(at === undefined ? {} : { at }) }
  const full = (name: string) => (name === 'ISR_EL1' ? name : `ICC_${name}${name.includes('_EL') ? '' : '_EL1'}`)
  return {
    d: frame('gicd', distributor, 0, 0, secure),
    r: (pe, by = pe) => frame('gicr', redistributor, by, pe * FRAME, secure),
    mrs: (pe, register) => question({ op: 'mrs', cpu: pe, register: full(register), ...state }),
    msr: (pe, register, value) => ({ step: { op: 'msr', cpu: pe, register: full(register), value, ...state } }),
  }
}

/** Accesses in the only Security state, or the Secure one of two. */
export const { d, r, mrs, msr } = speaker(undefined)
export const S = speaker(true)
export const NS = speaker(false)

/** System registers where a PE with EL3 executes; memory as software there reaches it first: Secure at EL3. */
export const where = (at: Execution): Speaker => speaker(at.el === 3 || !at.ns, at)

/** An access to a system register that is UNDEFINED. */
export const undefinedAccess = ({ step }: VectorStep): VectorStep => ({
  step,
  expect: { value: 0, mask: 0, status: 'undefined' },
})

export const ack = (pe: number): Question => mrs(pe, 'IAR1')
export const eoi = (pe: number, intid: number): VectorStep => msr(pe, 'EOIR1', intid)

const [GRP0, GRP1] = [1, 2]

/** Forwards both groups, wakes Redistributors 0 to `pes` - 1, unmasks all priorities and enables Group 1 (and 0) there. */
export function open3(options: { pes?: number; group0?: boolean } = {}): VectorStep[] {
  const { pes = 1, group0 = false } = options
  const steps = [d.write('CTLR', GRP0 | GRP1)]
  for (let pe = 0; pe < pes; pe++) {
    steps.push(r(pe).write('WAKER', 0), r(pe).write('IGROUPR', 0xffff_ffff))
    steps.push(msr(pe, 'PMR', 0xff), msr(pe, 'IGRPEN1', 1))
    if (group0) steps.push(msr(pe, 'IGRPEN0', 1))
  }
  return steps
}

const one = (bank: string, intid: number) => `${bank}${Math.floor(intid / 32)}`
const bit = (intid: number) => 2 ** (intid % 32)

/** An SPI that is enabled, routed to affinity 0.0.0.`to` (0), of a priority (0xa0) and group (1), edge-triggered. */
export function spi3(
  intid: number,
  options: { to?: number; priority?: number; group?: 0 | 1; level?: boolean } = {},
): VectorStep[] {
  const { to = 0, priority = 0xa0, group = 1, level = false } = options
  return [
    d.write(`ICFGR${Math.floor(intid / 16)}`, level ? 0 : 0xaaaa_aaaa),
    // The SPIs of one register are in one group here, so that no vector reads to write.
    d.write(one('IGROUPR', intid), group === 1 ? 0xffff_ffff : 0),
    d.write8('IPRIORITYR', intid, priority),
    d.write(`IROUTER${intid}`, BigInt(to), 8),
    d.write(one('ISENABLER', intid), bit(intid)),
  ]
}

/** Makes an SPI pending by software, or takes that back. */
export const pend3 = (intid: number): VectorStep => d.write(one('ISPENDR', intid), bit(intid))
export const unpend3 = (intid: number): VectorStep => d.write(one('ICPENDR', intid), bit(intid))

/** A private interrupt of a PE, enabled, of a priority. */
export const private3 = (pe: number, intid: number, priority = 0xa0): VectorStep[] => [
  r(pe).write8('IPRIORITYR', intid, priority),
  r(pe).write('ISENABLER', bit(intid)),
]
export const pendPrivate = (pe: number, intid: number): VectorStep => r(pe).write('ISPENDR', bit(intid))

/** The value of ICC_SGI1R_EL1 and its like. */
export function sgiValue(
  intid: number,
  to: { list?: number; aff1?: number; aff2?: number; aff3?: number; irm?: boolean; rs?: number },
): bigint {
  const { list = 0, aff1 = 0, aff2 = 0, aff3 = 0, irm = false, rs = 0 } = to
  const field = (value: number, lsb: number) => BigInt(value) << BigInt(lsb)
  return (
    field(list, 0) |
    field(aff1, 16) |
    field(intid, 24) |
    field(aff2, 32) |
    field(irm ? 1 : 0, 40) |
    field(rs, 44) |
    field(aff3, 48)
  )
}
