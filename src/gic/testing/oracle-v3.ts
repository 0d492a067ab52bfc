/**
 * IHI 0069 written down once more, as simply as can be: an object for each interrupt, a walk over all of them for each
 * question. It is the other opinion that the model is held against; it shares no code with it, and knows nothing of speed.
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

type IntGroup = 'G0' | 'G1S' | 'G1NS'
const groups: readonly IntGroup[] = ['G0', 'G1S', 'G1NS']

interface Irq {
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

interface Pe {
  el: number
  secure: boolean
  scrFiq: boolean
  scrIrq: boolean
  sctlrNmi: boolean
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

/** What waits for a PE. Lower sorts first: priority, then non-maskable, then INTID. */
interface Waiting {
  intid: number
  group: IntGroup
  priority: number
  nmi: boolean
}

export type Access = { outcome: 'ok' | 'undefined' | 'trap'; value: bigint }
const ok = (value: bigint | number): Access => ({ outcome: 'ok', value: BigInt(value) })

const banks: readonly { name: string; at: number; extended: number; bits: 1 | 2 | 8 }[] = [
  { name: 'IGROUPR', at: 0x080, extended: 0x1000, bits: 1 },
  { name: 'ISENABLER', at: 0x100, extended: 0x1200, bits: 1 },
  { name: 'ICENABLER', at: 0x180, extended: 0x1400, bits: 1 },
  { name: 'ISPENDR', at: 0x200, extended: 0x1600, bits: 1 },
  { name: 'ICPENDR', at: 0x280, extended: 0x1800, bits: 1 },
  { name: 'ISACTIVER', at: 0x300, extended: 0x1a00, bits: 1 },
  { name: 'ICACTIVER', at: 0x380, extended: 0x1c00, bits: 1 },
  { name: 'IPRIORITYR', at: 0x400, extended: 0x2000, bits: 8 },
  { name: 'ICFGR', at: 0xc00, extended: 0x3000, bits: 2 },
  { name: 'IGRPMODR', at: 0xd00, extended: 0x3400, bits: 1 },
  { name: 'NSACR', at: 0xe00, extended: 0x3600, bits: 2 },
  { name: 'INMIR', at: 0xf80, extended: 0x3b00, bits: 1 },
]

export class OracleV3 {
  readonly config: OracleConfigV3
  /** Guest memory of the LPI tables, from address 0 on: this oracle's own copy. */
  readonly memory: Uint8Array
  readonly pes: Pe[]
  twoStates: boolean
  forwarded: Record<IntGroup, boolean> = { G0: false, G1S: false, G1NS: false }
  #private: Map<number, Irq>[]
  #shared: Map<number, Irq>
  readonly #byAffinity = new Map<number, number>()

  constructor(config: OracleConfigV3, memory: Uint8Array) {
    this.config = config
    this.memory = memory
    this.twoStates = config.security
    config.affinities.forEach((affinity, pe) => {
      this.#byAffinity.set(affinity, pe)
    })
    const range = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i)
    const fresh = (intids: number[], owner?: number) =>
      new Map(intids.map((intid) => [intid, this.#fresh(intid, owner)]))
    const ppis = [...range(0, 32), ...range(1056, config.extendedPpis)]
    this.#private = range(0, config.cpus).map((pe) => fresh(ppis, pe))
    this.#shared = fresh([...range(32, config.intids - 32), ...range(4096, config.extendedSpis)])
    this.pes = range(0, config.cpus).map(() => ({
      ...{ el: 1, secure: false, scrFiq: false, scrIrq: false, sctlrNmi: false },
      ...this.#freshInterface(),
      ...this.#freshRedistributor(),
    }))
  }

  #fresh(intid: number, owner: number | undefined): Irq {
    return {
      ...{
        intid,
        owner,
        enabled: false,
        latch: false,
        line: false,
        message: false,
        active: false,
        groupBit: false,
        modifierBit: false,
      },
      ...{ edge: intid < 16, nmi: false, priority: 0, nsAccess: 0, routeLow: 0, aff3: 0 },
    }
  }

  get #minimumBpr(): number {
    return 7 - Math.min(7, this.config.priorityBits)
  }

  #freshInterface() {
    const least = this.#minimumBpr
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
    for (const all of [...this.#private, this.#shared])
      for (const irq of all.values()) Object.assign(irq, { ...this.#fresh(irq.intid, irq.owner), line: irq.line })
    this.twoStates = this.config.security
    this.forwarded = { G0: false, G1S: false, G1NS: false }
    for (const pe of this.pes) Object.assign(pe, this.#freshInterface(), this.#freshRedistributor())
  }

  // ---- interrupts ----

  irq(intid: number, pe: number): Irq | undefined {
    return this.#private[pe]!.get(intid) ?? this.#shared.get(intid)
  }

  isPending({ latch, edge, line, message }: Irq): boolean {
    return latch || (!edge && (line || message))
  }

  groupOf(irq: Irq): IntGroup {
    if (irq.groupBit) return 'G1NS'
    return this.twoStates && irq.modifierBit ? 'G1S' : 'G0'
  }

  #isNmi(irq: Irq): boolean {
    return irq.nmi && this.groupOf(irq) !== 'G0'
  }

  setLine(intid: number, pe: number, level: boolean): void {
    const irq = this.irq(intid, pe)!
    if (irq.edge && level && !irq.line) irq.latch = true
    irq.line = level
  }

  setExecution(pe: number, state: Partial<Pick<Pe, 'el' | 'secure' | 'scrFiq' | 'scrIrq' | 'sctlrNmi'>>): void {
    Object.assign(this.pes[pe]!, state)
  }

  /** 1 of N goes to the first PE that takes part: which one is IMPLEMENTATION DEFINED (4.7.2), and this is the model's choice. */
  #isFor(irq: Irq, pe: number): boolean {
    if (irq.owner !== undefined) return true
    if (irq.routeLow >= 0x8000_0000) {
      const group = this.groupOf(irq)
      return this.pes.findIndex((each) => !each.asleep && each.enable[group] && !each.dpg[group]) === pe
    }
    return this.#byAffinity.get(irq.aff3 * 2 ** 24 + irq.routeLow) === pe
  }

  #waiting(pe: number): Waiting[] {
    const { asleep, lpis } = this.pes[pe]!
    if (asleep) return []
    const all: Waiting[] = []
    for (const list of [this.#private[pe]!, this.#shared])
      for (const irq of list.values()) {
        if (!irq.enabled || irq.active || !this.isPending(irq)) continue
        const group = this.groupOf(irq)
        if (!this.forwarded[group] || !this.#isFor(irq, pe)) continue
        const nmi = this.#isNmi(irq)
        all.push({ intid: irq.intid, group, nmi, priority: nmi ? this.#nmiPriority(group) : irq.priority })
      }
    if (this.forwarded.G1NS)
      for (const [intid, byte] of lpis ?? [])
        if (byte % 2 === 1) all.push({ intid, group: 'G1NS', nmi: false, priority: this.#lpiPriority(byte) })
    return all.sort((a, b) => a.priority - b.priority || Number(b.nmi) - Number(a.nmi) || a.intid - b.intid)
  }

  #nmiPriority(group: IntGroup): number {
    return this.twoStates && group === 'G1NS' ? 0x80 : 0
  }

  #lpiPriority(byte: number): number {
    const priority = byte - (byte % 4)
    return this.twoStates ? 128 + priority / 2 : priority
  }

  // ---- CPU interface ----

  /** Bits of a priority below the group priority, for an interrupt group. */
  #subpriorityBits(pe: Pe, group: IntGroup): number {
    if (group === 'G0') return pe.bpr.G0 + 1
    if (group === 'G1S') return (pe.cbpr[0] ? pe.bpr.G0 : pe.bpr.G1S) + 1
    return pe.cbpr[1] ? pe.bpr.G0 + 1 : pe.bpr.G1NS
  }

  #cut(priority: number, bits: number): number {
    return Math.floor(priority / 2 ** bits) * 2 ** bits
  }

  #levelBits(): number {
    return this.#minimumBpr + 1
  }

  /** Priority and group of what runs. */
  #running(pe: Pe): { priority: number; group: IntGroup; nmi: boolean } | undefined {
    const all = groups.flatMap((group) => [
      ...(pe.activeNmi[group] ? [{ priority: this.#nmiPriority(group), group, nmi: true }] : []),
      ...[...pe.active[group]].map((level) => ({ priority: level * 2 ** this.#levelBits(), group, nmi: false })),
    ])
    return all.sort((a, b) => a.priority - b.priority || Number(b.nmi) - Number(a.nmi))[0]
  }

  signalled(index: number): Waiting | undefined {
    const pe = this.pes[index]!
    const best = this.#waiting(index).find(({ group }) => pe.enable[group])
    if (best === undefined || !this.#passesMask(pe, best)) return undefined
    const running = this.#running(pe)
    if (running === undefined) return best
    const bits = this.#subpriorityBits(pe, best.group)
    const [mine, theirs] = [this.#cut(best.priority, bits), this.#cut(running.priority, bits)]
    if (!best.nmi) return mine < theirs ? best : undefined
    const nmis = groups.filter((group) => pe.activeNmi[group]).map((group) => this.#nmiPriority(group))
    return mine <= theirs && nmis.every((priority) => priority > best.priority) ? best : undefined
  }

  #passesMask(pe: Pe, { priority, nmi }: Waiting): boolean {
    if (!nmi) return this.#cut(priority, 8 - this.config.priorityBits) < pe.pmr
    if (priority === 0) return true
    return pe.el === 3 || pe.secure ? pe.pmr > 0x80 : pe.pmr >= 0x80
  }

  /** The wires of a PE that is signalled this. */
  outputs(index: number, signalled: Waiting | undefined): { irq: boolean; fiq: boolean } {
    const pe = this.pes[index]!
    const group = signalled?.group
    if (group === undefined) return { irq: false, fiq: false }
    const own = !this.twoStates || (pe.el !== 3 && (group === 'G1S') === pe.secure)
    const fiq = group === 'G0' || !own
    return { irq: !fiq, fiq }
  }

  /** What ICC_IAR0 or ICC_HPPIR0, and ICC_IAR1 or ICC_HPPIR1, make of an interrupt (4.6.3, 2.2.1). */
  #shown(pe: Pe, of: 0 | 1, waiting: Waiting | undefined): number {
    if (waiting === undefined) return 1023
    const { group, intid } = waiting
    const seesSecure = !this.twoStates || pe.el === 3 || pe.secure
    if (of === 0) {
      if (group === 'G0') return seesSecure ? intid : 1023
      if (pe.el !== 3) return 1023
      return group === 'G1S' ? 1020 : 1021
    }
    if (group === 'G0') return 1023
    if (!this.twoStates || pe.el === 3) return intid
    return (group === 'G1S') === pe.secure ? intid : 1023
  }

  #acknowledge(index: number, register: 'IAR0' | 'IAR1' | 'NMIAR1'): number {
    const pe = this.pes[index]!
    const best = this.signalled(index)
    const intid = this.#shown(pe, register === 'IAR0' ? 0 : 1, best)
    if (best === undefined || intid !== best.intid) return intid
    if (register === 'IAR1' && best.nmi && pe.sctlrNmi) return 1022
    if (register === 'NMIAR1' && !best.nmi) return 1023
    if (best.nmi) pe.activeNmi[best.group] = true
    else {
      // ICC_RPR_EL1: as if the binary point were the minimum.
      pe.active[best.group].add(this.#cut(best.priority, this.#levelBits()) / 2 ** this.#levelBits())
    }
    if (intid >= 8192) pe.lpis!.delete(intid)
    else Object.assign(this.irq(intid, index)!, { active: true, latch: false })
    return intid
  }

  #exists(intid: number, pe: number): boolean {
    if (intid >= 8192) return this.config.lpis !== undefined && intid < 2 ** this.config.lpis.intidBits
    return this.irq(intid, pe) !== undefined
  }

  #isSplit(pe: Pe): boolean {
    if (pe.el === 3 && this.config.security) return pe.eoiModeEl3
    return pe.eoiMode[this.config.security && pe.secure ? 0 : 1]
  }

  #endOfInterrupt(index: number, intid: number, of: 0 | 1): void {
    const pe = this.pes[index]!
    const running = this.#running(pe)
    if (!this.#exists(intid, index) || running === undefined || (running.group === 'G0') !== (of === 0)) return
    const seesSecure = !this.twoStates || pe.el === 3 || pe.secure
    if (running.group !== 'G1NS' && !seesSecure) return
    if (running.group === 'G1NS' && this.twoStates && pe.el !== 3 && pe.secure) return
    if (running.nmi) pe.activeNmi[running.group] = false
    else pe.active[running.group].delete(Math.min(...pe.active[running.group]))
    const irq = this.irq(intid, index)
    if (!this.#isSplit(pe) && irq && (seesSecure || this.groupOf(irq) === 'G1NS')) irq.active = false
  }

  #deactivate(index: number, intid: number): void {
    const pe = this.pes[index]!
    const irq = this.irq(intid, index)
    if (!this.#isSplit(pe) || irq === undefined) return
    const group = this.groupOf(irq)
    const routed = group === 'G0' ? pe.scrFiq : pe.scrIrq
    const own = !this.twoStates || pe.secure || group === 'G1NS'
    if (pe.el === 3 || (own && !routed)) irq.active = false
  }

  // ---- SGIs ----

  #sgi(index: number, register: string, value: bigint): void {
    const field = (lsb: number, width: number) => Number((value >> BigInt(lsb)) & ((1n << BigInt(width)) - 1n))
    const sender = this.pes[index]!
    const rss = this.config.affinities.some((affinity) => affinity % 256 > 15)
    for (let pe = 0; pe < this.config.cpus; pe++) {
      if (field(40, 1) === 1) {
        if (pe === index) continue
      } else {
        const affinity = this.config.affinities[pe]!
        const aff0 = affinity % 256
        const cluster = field(48, 8) * 2 ** 24 + field(32, 8) * 2 ** 16 + field(16, 8) * 2 ** 8
        const first = rss ? field(44, 4) * 16 : 0
        if (affinity - aff0 !== cluster || aff0 < first || aff0 > first + 15 || field(aff0 - first, 1) === 0) continue
      }
      const irq = this.irq(field(24, 4), pe)!
      if (this.#forwards(sender, register, this.groupOf(irq), irq.nsAccess)) irq.latch = true
    }
  }

  /** The table of 'Use of control registers for SGI forwarding', as rows. EL3 is Secure whatever SCR_EL3.NS is. */
  #forwards(sender: Pe, register: string, group: IntGroup, nsAccess: number): boolean {
    const secure = this.config.security && (sender.secure || sender.el === 3)
    const [zero, one] = this.twoStates ? [nsAccess >= 1, nsAccess >= 2] : [true, false]
    const rows: Record<string, Partial<Record<IntGroup, boolean>>> = secure
      ? {
          ICC_SGI0R_EL1: { G0: true },
          // With one Security state, Secure Group 1 is Group 0 to the Distributor.
          ICC_SGI1R_EL1: this.twoStates ? { G1S: true } : { G0: true },
          ICC_ASGI1R_EL1: { G1NS: true },
        }
      : {
          ICC_SGI0R_EL1: { G0: zero },
          ICC_SGI1R_EL1: { G0: zero, G1S: one, G1NS: true },
          ICC_ASGI1R_EL1: { G0: zero, G1S: one },
        }
    return rows[register]![group] ?? false
  }

  // ---- system registers ----

  #check(pe: Pe, name: string): 'ok' | 'undefined' | 'trap' {
    const { config } = this
    if (pe.el === 0) return 'undefined'
    if (name.endsWith('_EL3')) return pe.el === 3 && config.security ? 'ok' : 'undefined'
    if (name.endsWith('_EL2')) return config.el2 && (pe.el === 2 || (pe.el === 3 && !pe.secure)) ? 'ok' : 'undefined'
    const n = /AP[01]R(\d)/.exec(name)
    if (n && Number(n[1]) > 0 && Number(n[1]) * 32 >= 2 ** Math.min(7, config.priorityBits)) return 'undefined'
    if (name === 'ICC_NMIAR1_EL1' && !(config.nmi && pe.sctlrNmi)) return 'undefined'
    if (!config.security || pe.el === 3 || name === 'ICC_SRE_EL1') return 'ok'
    const zero = /IAR0|EOIR0|HPPIR0|BPR0|AP0R|IGRPEN0/.test(name)
    const one = /IAR1|EOIR1|HPPIR1|BPR1|AP1R|IGRPEN1/.test(name)
    const trapped = zero ? pe.scrFiq : one ? pe.scrIrq : pe.scrFiq && pe.scrIrq
    return trapped ? 'trap' : 'ok'
  }

  /** Whether this PE sees priorities as Non-secure software that cannot reach Group 0 does (4.8.6). */
  #shifted(pe: Pe): boolean {
    return this.twoStates && pe.el !== 3 && !pe.secure && pe.scrFiq
  }

  #own1(pe: Pe): 'G1S' | 'G1NS' {
    return this.config.security && pe.secure ? 'G1S' : 'G1NS'
  }

  /** Non-secure software does not see, nor set, active priorities of the Secure half. */
  #reaches(pe: Pe, group: IntGroup, level: number): boolean {
    if (!this.twoStates || pe.el === 3 || pe.secure || group === 'G0') return true
    return level >= 2 ** Math.min(7, this.config.priorityBits) / 2
  }

  #identification(): number {
    const { config } = this
    const rss = config.affinities.some((affinity) => affinity % 256 > 15)
    const extended = config.extendedPpis + config.extendedSpis > 0
    return (config.priorityBits - 1) * 2 ** 8 + 2 ** 11 + 2 ** 15 + (rss ? 2 ** 18 : 0) + (extended ? 2 ** 19 : 0)
  }

  mrs(index: number, name: string): Access {
    const pe = this.pes[index]!
    const outcome = this.#check(pe, name)
    if (outcome !== 'ok') return { outcome, value: 0n }
    const bit = (value: boolean, at: number) => (value ? 2 ** at : 0)
    const one = this.#own1(pe)
    const bank = one === 'G1S' ? 0 : 1
    const ap = /AP([01])R(\d)/.exec(name)
    if (ap) {
      const group = ap[1] === '0' ? 'G0' : one
      const first = Number(ap[2]) * 32
      const word = [...pe.active[group]].filter(
        (level) => level >= first && level < first + 32 && this.#reaches(pe, group, level),
      )
      const nmi = first === 0 && group !== 'G0' && pe.activeNmi[group]
      return ok(word.reduce((sum, level) => sum + 2n ** BigInt(level - first), nmi ? 2n ** 63n : 0n))
    }
    switch (name) {
      case 'ICC_PMR_EL1':
        if (!this.#shifted(pe)) return ok(pe.pmr)
        return ok(pe.pmr >= 0x80 ? (pe.pmr - 0x80) * 2 : 0)
      case 'ICC_IAR0_EL1':
        return ok(this.#acknowledge(index, 'IAR0'))
      case 'ICC_IAR1_EL1':
        return ok(this.#acknowledge(index, 'IAR1'))
      case 'ICC_NMIAR1_EL1':
        return ok(this.#acknowledge(index, 'NMIAR1'))
      case 'ICC_HPPIR0_EL1':
      case 'ICC_HPPIR1_EL1': {
        const best = this.#waiting(index)[0]
        const enabled = best !== undefined && pe.enable[best.group] ? best : undefined
        return ok(this.#shown(pe, name === 'ICC_HPPIR0_EL1' ? 0 : 1, enabled))
      }
      case 'ICC_BPR0_EL1':
        return ok(pe.bpr.G0)
      case 'ICC_BPR1_EL1':
        if (!pe.cbpr[bank] || pe.el === 3) return ok(pe.bpr[one])
        return ok(one === 'G1S' ? pe.bpr.G0 : Math.min(7, pe.bpr.G0 + 1))
      case 'ICC_RPR_EL1': {
        const secureReader = this.twoStates && (pe.el === 3 || pe.secure)
        const nmis = secureReader
          ? (pe.activeNmi.G1S ? 2n ** 63n : 0n) + (pe.activeNmi.G1NS ? 2n ** 62n : 0n)
          : pe.activeNmi.G1NS
            ? 2n ** 63n
            : 0n
        const running = this.#running(pe)
        if (running === undefined) return ok(nmis + 0xffn)
        if (running.nmi && !secureReader && running.group === 'G1NS') return ok(nmis)
        if (!this.#shifted(pe)) return ok(nmis + BigInt(running.priority))
        return ok(nmis + BigInt(running.priority >= 0x80 ? (running.priority - 0x80) * 2 : 0))
      }
      case 'ICC_CTLR_EL1':
        return ok(bit(pe.cbpr[bank], 0) + bit(pe.eoiMode[bank], 1) + this.#identification())
      case 'ICC_CTLR_EL3':
        return ok(
          bit(pe.cbpr[0], 0) +
            bit(pe.cbpr[1], 1) +
            bit(pe.eoiModeEl3, 2) +
            bit(pe.eoiMode[0], 3) +
            bit(pe.eoiMode[1], 4) +
            this.#identification(),
        )
      case 'ICC_SRE_EL1':
        return ok(7)
      case 'ICC_SRE_EL2':
      case 'ICC_SRE_EL3':
        return ok(15)
      case 'ICC_IGRPEN0_EL1':
        return ok(bit(pe.enable.G0, 0))
      case 'ICC_IGRPEN1_EL1':
        return ok(bit(pe.enable[one], 0))
      case 'ICC_IGRPEN1_EL3':
        return ok(bit(pe.enable.G1NS, 0) + bit(pe.enable.G1S, 1))
      default:
        return { outcome: 'undefined', value: 0n }
    }
  }

  msr(index: number, name: string, value: bigint): Access['outcome'] {
    const pe = this.pes[index]!
    const outcome = this.#check(pe, name)
    if (outcome !== 'ok') return outcome
    const flag = (at: number) => ((value >> BigInt(at)) & 1n) === 1n
    const low = Number(value & 0xffff_ffffn)
    const one = this.#own1(pe)
    const bank = one === 'G1S' ? 0 : 1
    const ap = /AP([01])R(\d)/.exec(name)
    if (ap) {
      const group = ap[1] === '0' ? 'G0' : one
      const first = Number(ap[2]) * 32
      for (let n = 0; n < 32 && first + n < 2 ** Math.min(7, this.config.priorityBits); n++)
        if (!this.#reaches(pe, group, first + n)) continue
        else if (flag(n)) pe.active[group].add(first + n)
        else pe.active[group].delete(first + n)
      if (first === 0 && group !== 'G0' && this.config.nmi) pe.activeNmi[group] = flag(63)
      return 'ok'
    }
    const point = (least: number) => Math.max(low & 7, least)
    const least = this.#minimumBpr
    switch (name) {
      case 'ICC_PMR_EL1': {
        const kept = (priority: number) => this.#cut(priority, 8 - this.config.priorityBits)
        if (!this.#shifted(pe)) pe.pmr = kept(low & 0xff)
        else if (pe.pmr >= 0x80) pe.pmr = kept(0x80 + Math.floor((low & 0xff) / 2))
        return 'ok'
      }
      case 'ICC_EOIR0_EL1':
      case 'ICC_EOIR1_EL1':
        this.#endOfInterrupt(index, low & 0xff_ffff, name === 'ICC_EOIR0_EL1' ? 0 : 1)
        return 'ok'
      case 'ICC_DIR_EL1':
        this.#deactivate(index, low & 0xff_ffff)
        return 'ok'
      case 'ICC_SGI0R_EL1':
      case 'ICC_SGI1R_EL1':
      case 'ICC_ASGI1R_EL1':
        this.#sgi(index, name, value)
        return 'ok'
      case 'ICC_BPR0_EL1':
        pe.bpr.G0 = point(least)
        return 'ok'
      case 'ICC_BPR1_EL1':
        if (pe.el !== 3 && pe.cbpr[bank]) {
          if (one === 'G1S') pe.bpr.G0 = point(least)
        } else pe.bpr[one] = point(one === 'G1S' ? least : least + 1)
        return 'ok'
      case 'ICC_CTLR_EL1':
        pe.eoiMode[bank] = flag(1)
        if (!this.twoStates) {
          pe.cbpr[bank] = flag(0)
        }
        return 'ok'
      case 'ICC_CTLR_EL3':
        pe.cbpr = [flag(0), flag(1)]
        pe.eoiModeEl3 = flag(2)
        pe.eoiMode = [flag(3), flag(4)]
        return 'ok'
      case 'ICC_IGRPEN0_EL1':
        pe.enable.G0 = flag(0)
        return 'ok'
      case 'ICC_IGRPEN1_EL1':
        pe.enable[one] = flag(0)
        return 'ok'
      case 'ICC_IGRPEN1_EL3':
        pe.enable.G1NS = flag(0)
        pe.enable.G1S = flag(1)
        return 'ok'
      case 'ICC_SRE_EL1':
      case 'ICC_SRE_EL2':
      case 'ICC_SRE_EL3':
        return 'ok'
      default:
        return 'undefined'
    }
  }

  // ---- banks ----

  /** The interrupts of a bank's 32-bit word, from its lowest bits up. */
  #bankWord(frame: 'gicd' | number, offset: number) {
    for (const bank of banks) {
      const per = 32 / bank.bits
      const size = (count: number) => (count * bank.bits) / 8
      const list = (first: number) => Array.from({ length: per }, (_, i) => first + i)
      const within = (at: number, count: number) => offset >= at && offset < at + size(count)
      const index = (at: number) => ((offset - at) * 8) / bank.bits
      if (frame === 'gicd') {
        // Bytes and bit pairs of INTIDs 1020 to 1023 do not exist.
        if (within(bank.at, bank.bits === 8 ? 1020 : 1024))
          return { bank, irqs: list(index(bank.at)).map((n) => (n < 32 ? undefined : this.#shared.get(n))) }
        if (within(bank.extended, 1024))
          return { bank, irqs: list(index(bank.extended)).map((n) => this.#shared.get(4096 + n)) }
      } else if (within(bank.at, bank.name === 'NSACR' ? 16 : 96)) {
        const first = index(bank.at)
        return { bank, irqs: list(first).map((n) => this.#private[frame]!.get(n < 32 ? n : 1056 + n - 32)) }
      }
    }
    return undefined
  }

  #isVisible(irq: Irq, secure: boolean, level: number): boolean {
    if (!this.twoStates || secure || this.groupOf(irq) === 'G1NS') return true
    return irq.owner === undefined && level > 0 && irq.nsAccess >= level
  }

  #readField(name: string, irq: Irq, secure: boolean): number {
    const ns = this.twoStates && !secure
    const seen = (level = 0) => this.#isVisible(irq, secure, level)
    const flag = (value: boolean) => (value ? 1 : 0)
    switch (name) {
      case 'IGROUPR':
        return flag(!ns && irq.groupBit)
      case 'ISENABLER':
      case 'ICENABLER':
        return flag(seen() && irq.enabled)
      case 'ISPENDR':
        return flag(seen(1) && this.isPending(irq))
      case 'ICPENDR':
        return flag(seen(2) && this.isPending(irq))
      case 'ISACTIVER':
      case 'ICACTIVER':
        return flag(seen(2) && irq.active)
      case 'IPRIORITYR':
        if (!seen()) return 0
        return ns ? (irq.priority * 2) & 0xff : irq.priority
      case 'ICFGR':
        return seen() && irq.edge ? 2 : 0
      case 'IGRPMODR':
        return flag(this.twoStates && secure && irq.modifierBit)
      case 'NSACR':
        return this.twoStates && secure ? irq.nsAccess : 0
      default:
        return flag(this.config.nmi && seen() && this.groupOf(irq) !== 'G0' && irq.nmi)
    }
  }

  #writeField(name: string, irq: Irq, secure: boolean, value: number): void {
    const ns = this.twoStates && !secure
    const seen = (level = 0) => this.#isVisible(irq, secure, level)
    const on = value === 1
    switch (name) {
      case 'IGROUPR':
        if (!ns) irq.groupBit = on
        return
      case 'ISENABLER':
        if (on && seen()) irq.enabled = true
        return
      case 'ICENABLER':
        if (on && seen()) irq.enabled = false
        return
      case 'ISPENDR':
        if (on && seen(1)) irq.latch = true
        return
      case 'ICPENDR':
        if (on && seen(2)) irq.latch = false
        return
      case 'ISACTIVER':
        if (on && seen()) irq.active = true
        return
      case 'ICACTIVER':
        if (on && seen()) irq.active = false
        return
      case 'IPRIORITYR':
        if (seen())
          irq.priority = this.#cut(ns ? 128 + Math.floor(value / 2) : value, 8 - this.config.distributorPriorityBits)
        return
      case 'ICFGR':
        if (seen() && irq.intid >= 16) irq.edge = value >= 2
        return
      case 'IGRPMODR':
        if (this.twoStates && secure) irq.modifierBit = on
        return
      case 'NSACR':
        if (this.twoStates && secure && (irq.intid < 16 || irq.owner === undefined)) irq.nsAccess = value
        return
      default:
        if (this.config.nmi && seen() && this.groupOf(irq) !== 'G0') irq.nmi = on
    }
  }

  // ---- Distributor and Redistributor ----

  read(frame: 'gicd' | number, offset: number, size: number, secure: boolean): number {
    const word = offset - (offset % 4)
    const sgi = frame === 'gicd' ? word : word - 0x10000
    const found = sgi >= 0 ? this.#bankWord(frame, sgi) : undefined
    if (found) {
      if (size !== 4 && !(size === 1 && found.bank.bits === 8)) return 0
      const { bank, irqs } = found
      let value = 0
      irqs.forEach((irq, i) => {
        if (irq) value += this.#readField(bank.name, irq, secure) * 2 ** (i * bank.bits)
      })
      return size === 1 ? Math.floor(value / 2 ** ((offset % 4) * 8)) % 256 : value
    }
    if (size !== 4) return 0
    return frame === 'gicd' ? this.#readDistributor(offset, secure) : this.#readRedistributor(frame, offset, secure)
  }

  write(frame: 'gicd' | number, offset: number, size: number, value: number, secure: boolean): void {
    const word = offset - (offset % 4)
    const sgi = frame === 'gicd' ? word : word - 0x10000
    const found = sgi >= 0 ? this.#bankWord(frame, sgi) : undefined
    if (found) {
      const { bank, irqs } = found
      if (size === 1 && bank.bits === 8) {
        const irq = irqs[offset % 4]
        if (irq) this.#writeField(bank.name, irq, secure, value % 256)
      } else if (size === 4)
        irqs.forEach((irq, i) => {
          if (irq) this.#writeField(bank.name, irq, secure, Math.floor(value / 2 ** (i * bank.bits)) % 2 ** bank.bits)
        })
      return
    }
    if (size === 2 && frame === 'gicd' && [0x40, 0x48, 0x50, 0x58].includes(offset))
      this.#message(offset, value, secure)
    if (size !== 4) return
    if (frame === 'gicd') this.#writeDistributor(offset, value, secure)
    else this.#writeRedistributor(frame, offset, value, secure)
  }

  #message(offset: number, value: number, secure: boolean): void {
    const irq = this.#shared.get(value % 8192)
    const set = offset === 0x40 || offset === 0x50
    if (irq === undefined || !this.config.messageSpis) return
    if (offset >= 0x50 && (!this.twoStates || !secure)) return
    if (!this.#isVisible(irq, secure, set ? 1 : 2)) return
    // A level that messages keep, apart from the wire's (GICD_SETSPI_NSR, GICD_CLRSPI_NSR).
    if (!set) irq.message = irq.latch = false
    else if (irq.edge) irq.latch = true
    else irq.message = true
  }

  #route(offset: number): Irq | undefined {
    if (offset >= 0x6000 && offset < 0x6000 + 8 * 1020) return this.#shared.get(Math.floor((offset - 0x6000) / 8))
    if (offset >= 0x8000 && offset < 0x8000 + 8 * 1024)
      return this.#shared.get(4096 + Math.floor((offset - 0x8000) / 8))
    return undefined
  }

  #readDistributor(offset: number, secure: boolean): number {
    const { config, forwarded } = this
    const bit = (value: boolean, at: number) => (value ? 2 ** at : 0)
    if (offset === 0) {
      if (!this.twoStates) return bit(forwarded.G0, 0) + bit(forwarded.G1NS, 1) + 0x50
      if (!secure) return bit(forwarded.G1NS, 1) + 0x10
      return bit(forwarded.G0, 0) + bit(forwarded.G1NS, 1) + bit(forwarded.G1S, 2) + 0x30
    }
    if (offset === 4) {
      const most = config.extendedSpis ? 13 : config.extendedPpis ? 11 : 10
      return (
        (config.extendedSpis ? (config.extendedSpis / 32 - 1) * 2 ** 27 + 2 ** 8 : 0) +
        bit(
          config.affinities.some((affinity) => affinity % 256 > 15),
          26,
        ) +
        bit(!config.oneOfN, 25) +
        2 ** 24 +
        ((config.lpis?.intidBits ?? most) - 1) * 2 ** 19 +
        bit(config.lpis !== undefined, 17) +
        bit(config.messageSpis, 16) +
        bit(this.twoStates, 10) +
        bit(config.nmi, 9) +
        Math.ceil(config.intids / 32) -
        1
      )
    }
    const irq = this.#route(offset)
    if (irq === undefined || !this.#isVisible(irq, secure, 3)) return 0
    return offset % 8 === 4 ? irq.aff3 : irq.routeLow
  }

  #writeDistributor(offset: number, value: number, secure: boolean): void {
    const flag = (at: number) => Math.floor(value / 2 ** at) % 2 === 1
    if (offset === 0) {
      this.forwarded.G1NS = flag(1)
      if (this.twoStates && !secure) return
      this.forwarded.G0 = flag(0)
      if (!this.twoStates) return
      this.forwarded.G1S = flag(2)
      if (flag(6)) {
        this.twoStates = false
        this.forwarded.G1S = false
      }
      return
    }
    if ([0x40, 0x48, 0x50, 0x58].includes(offset)) {
      this.#message(offset, value, secure)
      return
    }
    const irq = this.#route(offset)
    if (irq === undefined || !this.#isVisible(irq, secure, 3)) return
    if (offset % 8 === 4) irq.aff3 = value % 256
    else irq.routeLow = (value % 2 ** 24) + (this.config.oneOfN && flag(31) ? 2 ** 31 : 0)
  }

  #readRedistributor(index: number, offset: number, secure: boolean): number {
    const { config } = this
    const pe = this.pes[index]!
    const bit = (value: boolean, at: number) => (value ? 2 ** at : 0)
    const half = (value: bigint) => Number((offset % 8 === 4 ? value >> 32n : value) & 0xffff_ffffn)
    switch (offset) {
      case 0x00: {
        const hidden = this.twoStates && !secure
        return (
          bit(pe.lpis !== undefined, 0) +
          bit(config.lpis !== undefined, 1) +
          bit(config.invalidateRegisters, 2) +
          bit(!hidden && pe.dpg.G0, 24) +
          bit(pe.dpg.G1NS, 25) +
          bit(!hidden && this.twoStates && pe.dpg.G1S, 26)
        )
      }
      case 0x08:
        return (
          bit(config.lpis !== undefined, 0) +
          bit(config.directLpis, 3) +
          bit(index === config.cpus - 1, 4) +
          bit(config.oneOfN, 5) +
          index * 2 ** 8 +
          2 ** 24 +
          (config.extendedPpis / 32) * 2 ** 27
        )
      case 0x0c:
        return config.affinities[index]!
      case 0x14:
        return pe.asleep && !(this.twoStates && !secure) ? 6 : 0
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

  #writeRedistributor(index: number, offset: number, value: number, secure: boolean): void {
    const { config } = this
    const pe = this.pes[index]!
    const flag = (at: number) => Math.floor(value / 2 ** at) % 2 === 1
    const ns = this.twoStates && !secure
    const merge = (old: bigint, mask: bigint) =>
      (offset % 8 === 4 ? (old & 0xffff_ffffn) + (BigInt(value) << 32n) : (old & ~0xffff_ffffn) + BigInt(value)) & mask
    const address = 0x000f_ffff_0000_0000n
    switch (offset) {
      case 0x00:
        if (config.oneOfN) {
          pe.dpg.G1NS = flag(25)
          if (!ns) pe.dpg.G0 = flag(24)
          if (!ns && this.twoStates) pe.dpg.G1S = flag(26)
        }
        if (config.lpis !== undefined && flag(0) !== (pe.lpis !== undefined)) this.#enableLpis(pe, flag(0))
        return
      case 0x14:
        if (!ns) pe.asleep = flag(1)
        return
      case 0x70:
      case 0x74:
        if (config.lpis !== undefined && pe.lpis === undefined)
          pe.propbaser = merge(pe.propbaser, address + 0x0700_0000_ffff_ff9fn)
        return
      case 0x78:
      case 0x7c:
        if (config.lpis === undefined || pe.lpis !== undefined) return
        if (offset === 0x7c) pe.pendingTableZero = flag(30)
        pe.pendbaser = merge(pe.pendbaser, address + 0x0700_0000_ffff_0f80n)
        return
      case 0x40:
        if (config.directLpis && this.#covers(pe, value) && !pe.lpis!.has(value))
          pe.lpis!.set(value, this.#configuration(pe, value))
        return
      case 0x48:
        if (config.directLpis && this.#covers(pe, value)) pe.lpis!.delete(value)
        return
      case 0xa0:
        if ((config.invalidateRegisters || config.directLpis) && this.#covers(pe, value) && pe.lpis!.has(value))
          pe.lpis!.set(value, this.#configuration(pe, value))
        return
      case 0xb0:
        if (config.invalidateRegisters || config.directLpis)
          for (const intid of [...(pe.lpis?.keys() ?? [])]) pe.lpis!.set(intid, this.#configuration(pe, intid))
    }
  }

  #lpiEnd(pe: Pe): number {
    const bits = Number(pe.propbaser & 31n) + 1
    return bits < 14 ? 8192 : 2 ** Math.min(bits, this.config.lpis!.intidBits)
  }

  #covers(pe: Pe, intid: number): boolean {
    return pe.lpis !== undefined && intid >= 8192 && intid < this.#lpiEnd(pe)
  }

  #configuration(pe: Pe, intid: number): number {
    const at = Number(pe.propbaser & 0x000f_ffff_ffff_f000n) + intid - 8192
    return this.memory[at] ?? 0
  }

  #enableLpis(pe: Pe, enable: boolean): void {
    const table = Number(pe.pendbaser & 0x000f_ffff_ffff_0000n)
    if (!enable) {
      for (let intid = 8192; intid < this.#lpiEnd(pe); intid++) {
        const at = table + Math.floor(intid / 8)
        if (at >= this.memory.length) break
        const mask = 2 ** (intid % 8)
        this.memory[at] = (this.memory[at]! & ~mask) | (pe.lpis!.has(intid) ? mask : 0)
      }
      pe.lpis = undefined
      return
    }
    pe.lpis = new Map()
    if (!pe.pendingTableZero)
      for (let intid = 8192; intid < this.#lpiEnd(pe); intid++)
        if (((this.memory[table + Math.floor(intid / 8)] ?? 0) >> (intid % 8)) & 1)
          pe.lpis.set(intid, this.#configuration(pe, intid))
    pe.pendingTableZero = false
  }
}
