/**
 * Random steps for a GICv3: accesses of every width by every PE, system registers, execution states, input changes, changes
 * of LPI tables, and interrupt handling that mostly makes sense. A step is data and does not depend on any state.
 */

import type { AccessSize } from '../../mmio/index.ts'
import type { OracleConfigV3 } from './oracle-v3.ts'
import { Random } from './random.ts'

export type Frame = 'gicd' | number

export interface Execution {
  el: number
  secure: boolean
  scrFiq: boolean
  scrIrq: boolean
  sctlrNmi: boolean
}

export type Step =
  | { op: 'read'; frame: Frame; offset: number; size: AccessSize; cpu: number; secure: boolean }
  | {
      op: 'write'
      frame: Frame
      offset: number
      size: AccessSize
      value: number
      high: number
      cpu: number
      secure: boolean
    }
  | { op: 'mrs'; pe: number; register: string }
  | { op: 'msr'; pe: number; register: string; value: bigint }
  /** Ends (or deactivates) what this PE acknowledged last and has not ended, or `otherwise` if nothing. */
  | { op: 'end'; pe: number; deactivate: boolean; otherwise: number; group: 0 | 1 }
  | { op: 'line'; intid: number; pe: number; level: boolean }
  | { op: 'execute'; pe: number; state: Execution }
  /** A byte of guest memory. */
  | { op: 'poke'; address: number; value: number }
  | { op: 'reset' }

/** Guest memory: the configuration table at 0x1000, and from 0x10000 on a pending table of 64 KiB for each PE. */
export const CONFIGURATION_TABLE = 0x1000
export const pendingTableOf = (pe: number): number => 0x1_0000 * (pe + 1)
export const memoryFor = (cpus: number): Uint8Array<ArrayBuffer> => new Uint8Array(0x1_0000 * (cpus + 1))

export const systemRegisters = [
  ...[
    'PMR',
    'IAR0',
    'IAR1',
    'NMIAR1',
    'EOIR0',
    'EOIR1',
    'HPPIR0',
    'HPPIR1',
    'BPR0',
    'BPR1',
    'DIR',
    'RPR',
    'CTLR',
    'SRE',
  ],
  ...['IGRPEN0', 'IGRPEN1', 'SGI0R', 'SGI1R', 'ASGI1R'],
  ...[0, 1, 2, 3].flatMap((n) => [`AP0R${n}`, `AP1R${n}`]),
]
  .map((name) => `ICC_${name}_EL1`)
  .concat('ICC_SRE_EL2', 'ICC_SRE_EL3', 'ICC_CTLR_EL3', 'ICC_IGRPEN1_EL3')
/** Which of them have no read, and which no write. */
export const writeOnly = /EOIR|DIR|SGI/
export const readOnly = /IAR|HPPIR|RPR/

const offsets = [
  0x80, 0x100, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380, 0x400, 0x400, 0xc00, 0xd00, 0xe00, 0xf80,
] as const
const bitsAt = (offset: number): number => (offset === 0x400 ? 8 : offset === 0xc00 || offset === 0xe00 ? 2 : 1)
const extendedOffsets: Readonly<Record<number, number>> = {
  ...{ 128: 0x1000, 256: 0x1200, 384: 0x1400, 512: 0x1600, 640: 0x1800, 768: 0x1a00, 896: 0x1c00, 1024: 0x2000 },
  ...{ 3072: 0x3000, 3328: 0x3400, 3584: 0x3600, 3968: 0x3b00 },
}

/** A configuration, from the smallest to the largest. */
export function randomConfig(random: Random, most = 1020, security = random.chance(2)): OracleConfigV3 {
  const cpus = random.chance(4) ? random.from(5, 20) : random.from(1, 4)
  const used = new Set<number>()
  const flat = random.chance(2)
  while (used.size < cpus)
    used.add(flat ? Math.floor(used.size / 16) * 256 + (used.size % 16) : (random.word() & 0x0301_0313) >>> 0)
  const priorityBits = random.from(security ? 5 : 4, 8)
  const lpis = random.chance(3) ? undefined : { intidBits: random.from(14, 16) }
  return {
    cpus,
    affinities: [...used],
    intids: random.pick([32, 64, 96, 288, 992, 1020].filter((count) => count <= most)),
    extendedSpis: random.chance(3) ? random.pick([32, 64]) : 0,
    extendedPpis: random.pick([0, 0, 32, 64]),
    priorityBits,
    distributorPriorityBits: random.from(priorityBits, 8),
    security,
    el2: random.chance(2),
    oneOfN: !random.chance(3),
    messageSpis: !random.chance(3),
    nmi: random.chance(2),
    lpis,
    directLpis: lpis !== undefined && !random.chance(4),
    invalidateRegisters: !random.chance(4),
  }
}

/** The steps of one run. A few interrupts are hot, so that they meet. */
export class StepSource {
  readonly #random: Random
  readonly #config: OracleConfigV3
  readonly #hot: number[]
  readonly #lpis: number[] = []
  readonly #priorities: number[]
  /** Steps to begin with, the first one last. */
  readonly #first: Step[] = []

  constructor(random: Random, config: OracleConfigV3) {
    this.#random = random
    this.#config = config
    const some = (first: number, end: number) => random.from(first, end - 1)
    this.#hot = [some(0, 16), some(0, 16), some(16, 32), some(16, 32)]
    if (config.extendedPpis) this.#hot.push(some(1056, 1056 + config.extendedPpis))
    if (config.extendedSpis) this.#hot.push(some(4096, 4096 + config.extendedSpis))
    if (config.intids > 32) for (let i = 0; i < 5; i++) this.#hot.push(some(32, config.intids))
    if (config.lpis) this.#lpis = [8192, 8193, some(8192, 2 ** config.lpis.intidBits), some(8192, 16384), 16383]
    this.#priorities = Array.from({ length: 4 }, () => random.below(256))
    if (!random.chance(5)) this.#open()
  }

  /** Lets interrupts through, as software does first. */
  #open(): void {
    const { cpus, security, intids, lpis, affinities } = this.#config
    const random = this.#random
    const write = (frame: Frame, offset: number, value: number, size: AccessSize = 4, high = 0) =>
      this.#first.push({ op: 'write', frame, offset, size, value, high, cpu: 0, secure: security })
    const msr = (pe: number, register: string, value: number) =>
      this.#first.push({ op: 'msr', pe, register, value: BigInt(value) })
    const home = { el: 1, secure: false, scrFiq: false, scrIrq: false, sctlrNmi: false }
    // Every third GIC of two Security states is told to have one; where there is EL3 nonetheless.
    const single = security && random.chance(3)
    if (single) write('gicd', 0, 0x40)
    for (let intid = 32; intid < intids; intid += 32) {
      write('gicd', 0x100 + intid / 8, 0xffff_ffff)
      write('gicd', 0x80 + intid / 8, random.word())
      write('gicd', 0xd00 + intid / 8, random.word())
    }
    for (const intid of this.#hot) {
      const aff = affinities[this.#pe()]!
      const base = intid >= 4096 ? 0x8000 + (intid - 4096) * 8 : 0x6000 + intid * 8
      if (intid >= 32 && (intid < 1024 || intid >= 4096))
        write('gicd', base, random.chance(4) ? 0x8000_0000 : aff & 0xff_ffff, 8, aff >>> 24)
      if (intid >= 32 && intid < 1024) write('gicd', 0x400 + intid, random.below(8) * 32, 1)
      if (intid < 32) for (let pe = 0; pe < cpus; pe++) write(pe, 0x10400 + intid, random.below(8) * 32, 1)
    }
    write('gicd', 0x1200, 0xffff_ffff)
    write('gicd', 0, security ? 7 : 3)
    for (let pe = 0; pe < cpus; pe++) {
      write(pe, 0x14, 0)
      write(pe, 0x10100, 0xffff_ffff)
      write(pe, 0x10104, 0xffff_ffff)
      write(pe, 0x10080, random.word())
      write(pe, 0x10d00, random.word())
      if (security) this.#first.push({ op: 'execute', pe, state: { ...home, el: 3 } })
      msr(pe, 'ICC_PMR_EL1', 0xff)
      msr(pe, 'ICC_IGRPEN0_EL1', 1)
      msr(pe, security ? 'ICC_IGRPEN1_EL3' : 'ICC_IGRPEN1_EL1', 3)
      if (security) this.#first.push({ op: 'execute', pe, state: { ...home, secure: random.chance(2) } })
      if (lpis) {
        write(pe, 0x70, CONFIGURATION_TABLE + random.from(13, 15), 8)
        write(pe, 0x78, random.chance(6) ? 0x7fff_0000 : pendingTableOf(pe), 8, random.chance(2) ? 1 << 30 : 0)
        write(pe, 0, 1)
      }
    }
    if (lpis)
      for (const intid of this.#lpis)
        this.#first.push({ op: 'poke', address: CONFIGURATION_TABLE + intid - 8192, value: random.word() & 0xff })
    this.#first.reverse()
  }

  next(): Step {
    const first = this.#first.pop()
    if (first !== undefined) return first
    const random = this.#random
    const kind = random.below(100)
    const pe = this.#pe()
    const secure = this.#config.security && !random.chance(3)
    if (kind < 17) return this.#line()
    if (kind < 39)
      return { op: 'mrs', pe, register: `ICC_${random.pick(['IAR0', 'IAR0', 'IAR1', 'IAR1', 'NMIAR1'])}_EL1` }
    if (kind < 51)
      return { op: 'end', pe, deactivate: random.chance(3), otherwise: this.#intid(), group: random.chance(3) ? 0 : 1 }
    if (kind < 62) return { op: 'write', ...this.#bankAccess(), value: this.#bankValue(), high: 0, cpu: pe, secure }
    if (kind < 67) return { op: 'read', ...this.#bankAccess(), cpu: pe, secure }
    if (kind < 73) return this.#sgi(pe)
    if (kind < 79) return this.#lpi(pe, secure)
    if (kind < 84) return this.#execute(pe)
    if (kind < 91) return this.#systemRead(pe)
    if (kind < 95) return this.#systemWrite(pe)
    if (kind < 97) return this.#control(pe, secure)
    if (random.chance(300)) return { op: 'reset' }
    return this.#anything(pe, secure)
  }

  /** Mostly one of the first few, where most interrupts are. */
  #pe(): number {
    const { cpus } = this.#config
    if (this.#random.chance(2)) return 0
    return this.#random.below(this.#random.chance(4) ? cpus : Math.min(3, cpus))
  }

  #intid(): number {
    const random = this.#random
    if (random.chance(6)) return random.below(this.#config.intids)
    return random.chance(5) && this.#lpis.length ? random.pick(this.#lpis) : random.pick(this.#hot)
  }

  #line(): Step {
    const random = this.#random
    const wired = this.#hot.filter((intid) => intid >= 16)
    return { op: 'line', intid: random.pick(wired), pe: this.#pe(), level: random.chance(2) }
  }

  /** A bank's word about a hot interrupt, where it is; sometimes where it is not. */
  #bankAccess(): { frame: Frame; offset: number; size: AccessSize } {
    const random = this.#random
    const intid = random.pick(this.#hot)
    if (intid >= 32 && (intid < 1024 || intid >= 4096) && random.chance(6)) {
      const base = intid >= 4096 ? 0x8000 + (intid - 4096) * 8 : 0x6000 + intid * 8
      const size = random.pick([4, 8] as const)
      return { frame: 'gicd', offset: base + (size === 4 && random.chance(2) ? 4 : 0), size }
    }
    const offset = random.pick(offsets)
    const bits = bitsAt(offset)
    const priv = intid < 32 || (intid >= 1056 && intid < 4096)
    const espi = intid >= 4096
    const index = espi ? intid - 4096 : intid >= 1056 ? intid - 1056 + 32 : intid
    const frame: Frame = priv && !random.chance(30) ? this.#pe() : 'gicd'
    const base = frame !== 'gicd' ? 0x10000 + offset : espi ? extendedOffsets[offset]! : offset
    const at = base + Math.floor((index * bits) / 8)
    return bits === 8 && random.chance(2) ? { frame, offset: at, size: 1 } : { frame, offset: at & ~3, size: 4 }
  }

  /** Bits about a hot interrupt, priorities that collide, all, nothing, or anything. */
  #bankValue(): number {
    const random = this.#random
    switch (random.below(6)) {
      case 0:
        return (1 << random.below(32)) >>> 0
      case 1:
        return (1 << (random.pick(this.#hot) & 31)) >>> 0
      case 2:
        return random.chance(4) ? 0 : 0xffff_ffff
      case 3:
        return random.pick(this.#config.affinities) & 0xff_ffff
      case 4:
        return this.#priorities.reduce((word, priority) => ((word << 8) | priority) >>> 0, 0)
      default:
        return random.word()
    }
  }

  #sgi(pe: number): Step {
    const random = this.#random
    const register = `ICC_${random.pick(['SGI1R', 'SGI1R', 'SGI0R', 'ASGI1R'])}_EL1`
    const sgi = BigInt(this.#hot[random.below(2)]!) << 24n
    if (random.chance(4)) return { op: 'msr', pe, register, value: sgi | (1n << 40n) | BigInt(random.word() & 0xffff) }
    const to = this.#config.affinities[this.#pe()]!
    const aff = (BigInt(to >>> 24) << 48n) | (BigInt((to >>> 16) & 0xff) << 32n) | (BigInt((to >>> 8) & 0xff) << 16n)
    const range = random.chance(5) ? random.below(16) : (to & 0xff) >>> 4
    const list = random.chance(3) ? random.word() & 0xffff : 1 << (to & 15)
    return { op: 'msr', pe, register, value: sgi | aff | (BigInt(range) << 44n) | BigInt(list) }
  }

  #lpi(pe: number, secure: boolean): Step {
    const random = this.#random
    const intid = this.#lpis.length ? random.pick(this.#lpis) : 8192
    const write = (offset: number, value: number, size: AccessSize = 4, high = 0): Step => ({
      ...{ op: 'write', frame: pe, offset, size, value, high, cpu: pe, secure },
    })
    const kind = random.below(20)
    if (kind < 9) return write(0x40, intid, random.pick([4, 8]))
    if (kind < 11) return write(0x48, intid)
    if (kind < 13) return write(0xa0, intid)
    if (kind < 14) return write(0xb0, 0)
    if (kind < 17)
      return {
        op: 'poke',
        address: CONFIGURATION_TABLE + intid - 8192,
        value: random.chance(3) ? 0 : random.word() & 0xff,
      }
    if (kind < 18) return { op: 'poke', address: pendingTableOf(pe) + (intid >>> 3), value: random.word() & 0xff }
    if (kind < 19) return write(0, random.chance(3) ? 0 : 1)
    return write(random.pick([0x70, 0x74, 0x78, 0x7c]), random.chance(2) ? random.word() : CONFIGURATION_TABLE + 13)
  }

  #execute(pe: number): Step {
    const random = this.#random
    const { security, el2, nmi } = this.#config
    const flag = () => random.chance(2)
    const secure = security && flag()
    const el = random.chance(20) ? 0 : random.pick([1, 1, ...(el2 && !secure ? [2] : []), ...(security ? [3] : [])])
    const state = {
      el,
      secure,
      scrFiq: security && flag(),
      scrIrq: security && random.chance(4),
      sctlrNmi: nmi && flag(),
    }
    return { op: 'execute', pe, state }
  }

  #systemRead(pe: number): Step {
    return { op: 'mrs', pe, register: this.#random.pick(systemRegisters.filter((name) => !writeOnly.test(name))) }
  }

  #systemWrite(pe: number): Step {
    const random = this.#random
    const names = systemRegisters.filter((name) => !readOnly.test(name) && !writeOnly.test(name))
    const register = random.chance(4) ? 'ICC_PMR_EL1' : random.pick(names)
    let value = BigInt(random.word())
    if (register === 'ICC_PMR_EL1' && !random.chance(3)) value = 0xffn
    if (register.includes('IGRPEN') && !random.chance(4)) value = 3n
    if (register.includes('_AP'))
      value = random.chance(4)
        ? value & BigInt(random.word()) & BigInt(random.word())
        : random.chance(8)
          ? 1n << 63n
          : 0n
    return { op: 'msr', pe, register, value }
  }

  /** The registers that would stop everything: mostly set to let interrupts through. */
  #control(pe: number, secure: boolean): Step {
    const random = this.#random
    const common = { op: 'write', size: 4, high: 0, cpu: pe, secure } as const
    const kind = random.below(8)
    if (kind < 4) {
      const value = random.chance(3) ? random.word() & 0xb7 : 7
      // DS cannot be undone: rarely.
      return { ...common, frame: 'gicd', offset: 0, value: random.chance(60) ? value | 0x40 : value & ~0x40 }
    }
    if (kind < 6) return { ...common, frame: pe, offset: 0x14, value: random.chance(3) ? 2 : 0 }
    return { ...common, frame: pe, offset: 0, value: (random.word() & 0x0700_0000) | (random.chance(8) ? 0 : 1) }
  }

  /** Messages, and any offset, any width, any value: what no driver does. */
  #anything(pe: number, secure: boolean): Step {
    const random = this.#random
    if (random.chance(2)) {
      const offset = random.pick([0x40, 0x40, 0x48, 0x50, 0x58])
      const value = random.chance(8) ? random.word() : random.pick(this.#hot)
      return { op: 'write', frame: 'gicd', offset, size: random.pick([2, 4]), value, high: 0, cpu: pe, secure }
    }
    const frame = random.pick<Frame>(['gicd', pe])
    const offset =
      random.below(random.pick([0x100, 0x1000, 0xc000])) + (frame === 'gicd' ? 0 : random.pick([0, 0x10000]))
    const size = random.pick([1, 2, 4, 8] as const)
    // GICD_CTLR apart, which could set DS.
    if (random.chance(2) || offset < 4 || offset === 0x10) return { op: 'read', frame, offset, size, cpu: pe, secure }
    return { op: 'write', frame, offset, size, value: random.word(), high: random.word(), cpu: pe, secure }
  }
}

/** The first `count` steps of a seed. */
export function stepsOf(seed: number, config: OracleConfigV3, count: number): Step[] {
  const source = new StepSource(new Random(seed), config)
  return Array.from({ length: count }, () => source.next())
}
