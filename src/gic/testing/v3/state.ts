/**
 * What a GICv3 remembers, an object for each interrupt and each PE, for the brute-force oracle. No rules but what a reset and a
 * wire do, and which group an interrupt is in; nothing here is fast.
 */

export interface OracleConfigV3 {
  cpus: number
  affinities: readonly number[]
  intids: number
  extendedSpis: number
  extendedPpis: number
  priorityBits: number
  distributorPriorityBits: number
  security: boolean
  el2: boolean
  oneOfN: boolean
  messageSpis: boolean
  nmi: boolean
  lpis: { intidBits: number } | undefined
  directLpis: boolean
  invalidateRegisters: boolean
}

export type IntGroup = 'G0' | 'G1S' | 'G1NS'
export const groups: readonly IntGroup[] = ['G0', 'G1S', 'G1NS']

export interface Irq {
  readonly intid: number
  /** The PE that it is private to. */
  readonly owner: number | undefined
  enabled: boolean
  latch: boolean
  line: boolean
  message: boolean
  active: boolean
  groupBit: boolean
  modifierBit: boolean
  edge: boolean
  nmi: boolean
  priority: number
  nsAccess: number
  routeLow: number
  aff3: number
}

export interface Execution {
  el: number
  /** SCR_EL3.NS is 0: at EL3 that chooses banks, elsewhere it is the Security state. */
  secure: boolean
  scrFiq: boolean
  scrIrq: boolean
  sctlrNmi: boolean
}

export interface Pe extends Execution {
  pmr: number
  bpr: Record<IntGroup, number>
  enable: Record<IntGroup, boolean>
  /** Binary point of Group 1 shared with Group 0, and EOImode, for [Secure, Non-secure]. */
  cbpr: [boolean, boolean]
  eoiMode: [boolean, boolean]
  eoiModeEl3: boolean
  /** Active priorities at the coarsest binary point, as levels. */
  active: Record<IntGroup, Set<number>>
  activeNmi: Record<IntGroup, boolean>
  asleep: boolean
  dpg: Record<IntGroup, boolean>
  propbaser: bigint
  pendbaser: bigint
  pendingTableZero: boolean
  /** While LPIs are enabled: pending ones, with the configuration byte that was read last. */
  lpis: Map<number, number> | undefined
}

export type Access = { outcome: 'ok' | 'undefined' | 'trap'; value: bigint }
export const ok = (value: bigint | number): Access => ({ outcome: 'ok', value: BigInt(value) })

/** A priority without its lowest bits. */
export const cut = (priority: number, bits: number): number => Math.floor(priority / 2 ** bits) * 2 ** bits
export const bitAt = (value: boolean, at: number): number => (value ? 2 ** at : 0)

const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)

function freshIrq(intid: number, owner: number | undefined): Irq {
  const not = { enabled: false, latch: false, line: false, message: false, active: false }
  const bits = { groupBit: false, modifierBit: false, edge: intid < 16, nmi: false }
  return { intid, owner, ...not, ...bits, priority: 0, nsAccess: 0, routeLow: 0, aff3: 0 }
}

export class OracleState {
  readonly config: OracleConfigV3
  /** Guest memory of the LPI tables, from address 0 on: the oracle's own copy. */
  readonly memory: Uint8Array
  readonly pes: Pe[]
  /** GICD_CTLR.DS is 0. */
  twoStates: boolean
  forwarded: Record<IntGroup, boolean> = { G0: false, G1S: false, G1NS: false }
  readonly private: Map<number, Irq>[]
  readonly shared: Map<number, Irq>

  constructor(config: OracleConfigV3, memory: Uint8Array) {
    this.config = config
    this.memory = memory
    this.twoStates = config.security
    const fresh = (intids: number[], owner?: number) => new Map(intids.map((intid) => [intid, freshIrq(intid, owner)]))
    const ppis = [...range(0, 32), ...range(1056, config.extendedPpis)]
    this.private = range(0, config.cpus).map((pe) => fresh(ppis, pe))
    this.shared = fresh([...range(32, config.intids - 32), ...range(4096, config.extendedSpis)])
    this.pes = range(0, config.cpus).map(() => ({
      ...{ el: 1, secure: false, scrFiq: false, scrIrq: false, sctlrNmi: false },
      ...this.#freshInterface(),
      ...this.#freshRedistributor(),
    }))
  }

  /** The least ICC_BPR0_EL1, from the number of priority bits. */
  get minimumBpr(): number {
    return 7 - Math.min(7, this.config.priorityBits)
  }

  /** Bits of a priority below the finest group priority. */
  get levelBits(): number {
    return this.minimumBpr + 1
  }

  #freshInterface() {
    const least = this.minimumBpr
    return {
      pmr: 0,
      bpr: { G0: least, G1S: least, G1NS: least + 1 },
      enable: { G0: false, G1S: false, G1NS: false },
      cbpr: [false, false] as [boolean, boolean],
      eoiMode: [false, false] as [boolean, boolean],
      eoiModeEl3: false,
      active: { G0: new Set<number>(), G1S: new Set<number>(), G1NS: new Set<number>() },
      activeNmi: { G0: false, G1S: false, G1NS: false },
    }
  }

  #freshRedistributor() {
    return {
      asleep: true,
      dpg: { G0: false, G1S: false, G1NS: false },
      propbaser: 0n,
      pendbaser: 0n,
      pendingTableZero: false,
      lpis: undefined as Map<number, number> | undefined,
    }
  }

  /** Cold reset: everything but the input wires and where the PEs execute. */
  reset(): void {
    for (const all of [...this.private, this.shared])
      for (const irq of all.values()) Object.assign(irq, { ...freshIrq(irq.intid, irq.owner), line: irq.line })
    this.twoStates = this.config.security
    this.forwarded = { G0: false, G1S: false, G1NS: false }
    for (const pe of this.pes) Object.assign(pe, this.#freshInterface(), this.#freshRedistributor())
  }

  irq(intid: number, pe: number): Irq | undefined {
    return this.private[pe]!.get(intid) ?? this.shared.get(intid)
  }

  isPending({ latch, edge, line, message }: Irq): boolean {
    return latch || (!edge && (line || message))
  }

  groupOf(irq: Irq): IntGroup {
    if (irq.groupBit) return 'G1NS'
    return this.twoStates && irq.modifierBit ? 'G1S' : 'G0'
  }

  setLine(intid: number, pe: number, level: boolean): void {
    const irq = this.irq(intid, pe)!
    if (irq.edge && level && !irq.line) irq.latch = true
    irq.line = level
  }
}
