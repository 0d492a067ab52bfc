/**
 * What a GICv2 remembers, an object for each interrupt and each CPU, for the brute-force oracle. No rules but what a reset and a
 * wire do, and what pending is; nothing here is fast.
 */

export interface OracleConfigV2 {
  cpus: number
  intids: number
  priorityBits: number
  security: boolean
  sgiEnable: 'always' | 'programmable'
  ppiConfig: 'fixed' | 'programmable'
}

export interface Irq {
  readonly intid: number
  enabled: boolean
  /** Pending by an edge or by software; of an SGI never used: its sources say. */
  latch: boolean
  line: boolean
  active: boolean
  group: 0 | 1
  edge: boolean
  priority: number
  targets: number
  /** CPUs whose SGI is pending. */
  sources: number[]
  nsAccess: number
}

export interface Interface {
  enable: [boolean, boolean]
  ackCtl: boolean
  fiqEn: boolean
  cbpr: boolean
  /** FIQBypDisGrp0, IRQBypDisGrp0, FIQBypDisGrp1, IRQBypDisGrp1. */
  bypass: [boolean, boolean, boolean, boolean]
  eoiModeS: boolean
  eoiModeNS: boolean
  pmr: number
  bpr: number
  abpr: number
  /** Group priorities that are active, of Group 0 and of Group 1. */
  activePriorities: [Set<number>, Set<number>]
}

export const flag = (value: number, bit: number) => ((value >>> bit) & 1) === 1
export const num = (value: boolean, bit: number) => (value ? 2 ** bit : 0)

export class OracleState {
  readonly config: OracleConfigV2
  readonly interfaces: Interface[]
  groupEnable: [boolean, boolean] = [false, false]
  readonly privates: Irq[][]
  readonly shared: Irq[]
  readonly priorityMask: number
  /** Bits of a priority below the coarsest group priority of BPR's minimum. */
  readonly minimumBpr: number

  constructor(config: OracleConfigV2) {
    this.config = config
    this.priorityMask = 256 - 2 ** (8 - config.priorityBits)
    this.minimumBpr = Math.max(0, 7 - config.priorityBits)
    this.privates = Array.from({ length: config.cpus }, () => Array.from({ length: 32 }, (_, i) => this.#fresh(i)))
    this.shared = Array.from({ length: config.intids - 32 }, (_, i) => this.#fresh(i + 32))
    this.interfaces = Array.from({ length: config.cpus }, () => ({
      enable: [false, false],
      ackCtl: false,
      fiqEn: false,
      cbpr: false,
      bypass: [false, false, false, false],
      eoiModeS: false,
      eoiModeNS: false,
      pmr: 0,
      bpr: this.minimumBpr,
      abpr: this.minimumBpr + 1,
      activePriorities: [new Set<number>(), new Set<number>()],
    }))
  }

  #fresh(intid: number): Irq {
    const sgi = intid < 16
    return {
      intid,
      enabled: sgi && this.config.sgiEnable === 'always',
      latch: false,
      line: false,
      active: false,
      group: 0,
      edge: sgi,
      priority: 0,
      targets: 0,
      sources: [],
      nsAccess: 0,
    }
  }

  irq(intid: number, cpu: number): Irq | undefined {
    return intid < 32 ? this.privates[cpu]?.[intid] : this.shared[intid - 32]
  }

  isPending(irq: Irq): boolean {
    if (irq.intid < 16) return irq.sources.length > 0
    return irq.latch || (!irq.edge && irq.line)
  }

  setLine(intid: number, cpu: number, level: boolean): void {
    const irq = this.irq(intid, cpu)!
    if (irq.edge && level && !irq.line) irq.latch = true
    irq.line = level
  }

  /** Cold reset: everything but the input wires. */
  reset(): void {
    const fresh = new OracleState(this.config)
    for (const irq of [...this.privates.flat(), ...this.shared])
      Object.assign(irq, { ...this.#fresh(irq.intid), line: irq.line })
    this.groupEnable = [false, false]
    fresh.interfaces.forEach((own, cpu) => {
      Object.assign(this.interfaces[cpu]!, own)
    })
  }
}
