/**
 * IHI 0048 written down once more, as simply as can be: an object for each interrupt, a walk over all of them for each
 * question. It is the other opinion that the model is held against; it shares no code with it, and knows nothing of speed.
 */

export interface OracleConfig {
  cpus: number
  intids: number
  priorityBits: number
  security: boolean
  sgiEnable: 'always' | 'programmable'
  ppiConfig: 'fixed' | 'programmable'
}

interface Irq {
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

interface Interface {
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

export type OracleFrame = 'gicd' | 'gicc'

const flag = (value: number, bit: number) => ((value >>> bit) & 1) === 1
const num = (value: boolean, bit: number) => (value ? 2 ** bit : 0)

export class OracleV2 {
  readonly config: OracleConfig
  readonly interfaces: Interface[]
  groupEnable: [boolean, boolean] = [false, false]
  readonly #private: Irq[][]
  readonly #shared: Irq[]
  readonly #priorityMask: number
  /** Bits of a priority below the coarsest group priority of BPR's minimum. */
  readonly #minimumBpr: number

  constructor(config: OracleConfig) {
    this.config = config
    this.#priorityMask = 256 - 2 ** (8 - config.priorityBits)
    this.#minimumBpr = Math.max(0, 7 - config.priorityBits)
    this.#private = Array.from({ length: config.cpus }, () => Array.from({ length: 32 }, (_, i) => this.#fresh(i)))
    this.#shared = Array.from({ length: config.intids - 32 }, (_, i) => this.#fresh(i + 32))
    this.interfaces = Array.from({ length: config.cpus }, () => ({
      enable: [false, false],
      ackCtl: false,
      fiqEn: false,
      cbpr: false,
      bypass: [false, false, false, false],
      eoiModeS: false,
      eoiModeNS: false,
      pmr: 0,
      bpr: this.#minimumBpr,
      abpr: this.#minimumBpr + 1,
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
    return intid < 32 ? this.#private[cpu]?.[intid] : this.#shared[intid - 32]
  }

  // ---- state ----

  isPending(irq: Irq): boolean {
    if (irq.intid < 16) return irq.sources.length > 0
    return irq.latch || (!irq.edge && irq.line)
  }

  #isFor(irq: Irq, cpu: number): boolean {
    if (irq.intid < 32 || this.config.cpus === 1) return true
    return flag(irq.targets, cpu)
  }

  setLine(intid: number, cpu: number, level: boolean): void {
    const irq = this.irq(intid, cpu)!
    if (irq.edge && level && !irq.line) irq.latch = true
    irq.line = level
  }

  /** Every gate but the CPU interface's: what the Distributor forwards. Lowest priority value first, then lowest INTID. */
  #best(cpu: number, wanted: (irq: Irq) => boolean): Irq | undefined {
    let best: Irq | undefined
    for (let intid = 0; intid < this.config.intids; intid++) {
      const irq = this.irq(intid, cpu)!
      if (!irq.enabled || irq.active || !this.isPending(irq) || !this.#isFor(irq, cpu)) continue
      if (!this.groupEnable[irq.group] || !wanted(irq)) continue
      if (best === undefined || irq.priority < best.priority) best = irq
    }
    return best
  }

  running(cpu: number): number {
    const [zero, one] = this.interfaces[cpu]!.activePriorities
    return Math.min(256, ...zero, ...one)
  }

  /** Tables 3-2 and 3-3: the binary point splits a priority; Group 1's own one leaves a bit more to the group. */
  groupPriority(irq: Irq, cpu: number, priority = irq.priority): number {
    const { bpr, abpr, cbpr } = this.interfaces[cpu]!
    const subpriorityBits = irq.group === 0 || cbpr ? bpr + 1 : abpr
    return Math.floor(priority / 2 ** subpriorityBits) * 2 ** subpriorityBits
  }

  /** The interrupt that an acknowledge by this CPU would take. */
  signalled(cpu: number): Irq | undefined {
    const own = this.interfaces[cpu]!
    const irq = this.#best(cpu, ({ group }) => own.enable[group])
    if (irq === undefined || irq.priority >= own.pmr) return undefined
    const running = this.running(cpu)
    if (running === 256) return irq
    // A preempting interrupt is better in its own group priority bits: 3.3.2 compares group priorities.
    return this.groupPriority(irq, cpu) < this.groupPriority(irq, cpu, running) ? irq : undefined
  }

  outputs(cpu: number): { irq: boolean; fiq: boolean } {
    const irq = this.signalled(cpu)
    const fiq = irq !== undefined && irq.group === 0 && this.interfaces[cpu]!.fiqEn
    return { irq: irq !== undefined && !fiq, fiq }
  }

  // ---- CPU interface ----

  #filter(irq: Irq | undefined, cpu: number, nonSecureView: boolean): number {
    if (irq === undefined) return 1023
    if (nonSecureView && irq.group === 0) return 1023
    if (!nonSecureView && irq.group === 1 && !this.interfaces[cpu]!.ackCtl) return 1022
    return irq.intid < 16 ? irq.intid + Math.min(...irq.sources) * 1024 : irq.intid
  }

  acknowledge(cpu: number, nonSecureView: boolean): number {
    const irq = this.signalled(cpu)
    const answer = this.#filter(irq, cpu, nonSecureView)
    if (irq === undefined || answer === 1022 || answer === 1023) return answer
    irq.active = true
    irq.latch = false
    if (irq.intid < 16) irq.sources = irq.sources.filter((source) => source !== answer >>> 10)
    this.interfaces[cpu]!.activePriorities[irq.group].add(this.groupPriority(irq, cpu))
    return answer
  }

  #highestPending(cpu: number, nonSecureView: boolean): number {
    const irq = this.#best(cpu, () => true)
    if (irq !== undefined && !this.interfaces[cpu]!.enable[irq.group]) return 1023
    return this.#filter(irq, cpu, nonSecureView)
  }

  #endOfInterrupt(cpu: number, value: number, nonSecureView: boolean, split: boolean): void {
    const irq = this.irq(value & 0x3ff, cpu)
    if (irq === undefined || (nonSecureView && irq.group === 0) || this.running(cpu) === 256) return
    const priorities = this.interfaces[cpu]!.activePriorities[irq.group]
    priorities.delete(Math.min(...priorities))
    if (!split) irq.active = false
  }

  #deactivate(cpu: number, value: number, nonSecureView: boolean, split: boolean): void {
    const irq = this.irq(value & 0x3ff, cpu)
    if (irq === undefined || !split || (nonSecureView && irq.group === 0)) return
    irq.active = false
  }

  #readInterface(offset: number, cpu: number, secure: boolean): number {
    const ns = this.config.security && !secure
    const own = this.interfaces[cpu]
    if (offset === 0xfc) return 0x0002043b
    if (own === undefined) return 0
    const secureOnly = [0x1c, 0x20, 0x28, 0xe0, 0xe4, 0xe8, 0xec]
    if (ns && secureOnly.includes(offset)) return 0
    const upper = (value: number) => (value >= 0x80 ? (value - 0x80) * 2 : 0)
    switch (offset) {
      case 0x00:
        if (ns) return num(own.enable[1], 0) + num(own.bypass[2], 5) + num(own.bypass[3], 6) + num(own.eoiModeNS, 9)
        return (
          num(own.enable[0], 0) +
          num(own.enable[1], 1) +
          num(own.ackCtl, 2) +
          num(own.fiqEn, 3) +
          num(own.cbpr, 4) +
          own.bypass.reduce((sum, each, i) => sum + num(each, 5 + i), 0) +
          num(own.eoiModeS, 9) +
          num(own.eoiModeNS, 10)
        )
      case 0x04:
        return ns ? upper(own.pmr) : own.pmr
      case 0x08:
        if (!ns) return own.bpr
        return own.cbpr ? Math.min(7, own.bpr + 1) : own.abpr
      case 0x0c:
        return this.acknowledge(cpu, ns)
      case 0x14: {
        const running = this.running(cpu)
        if (running === 256) return 0xff
        return ns ? upper(running) : running
      }
      case 0x18:
        return this.#highestPending(cpu, ns)
      case 0x1c:
        return own.abpr
      case 0x20:
        return this.acknowledge(cpu, true)
      case 0x28:
        return this.#highestPending(cpu, true)
    }
    if (offset >= 0xd0 && offset < 0xf0 && offset % 4 === 0) return this.#readActivePriorities(offset, cpu, ns)
    return 0
  }

  /** Bit b of active priorities register n is level 32n + b; Non-secure reads of APR see the upper half of NSAPR. */
  #levelAt(offset: number, bit: number, ns: boolean): { group: 0 | 1; priority: number } | undefined {
    const levels = 2 ** (7 - this.#minimumBpr)
    const group = offset >= 0xe0 || ns ? 1 : 0
    let level = ((offset - 0xd0) % 16) * 8 + bit
    if (ns && level >= levels / 2) return undefined
    if (ns) level += levels / 2
    return level < levels ? { group, priority: level * (256 / levels) } : undefined
  }

  #readActivePriorities(offset: number, cpu: number, ns: boolean): number {
    let value = 0
    for (let bit = 0; bit < 32; bit++) {
      const at = this.#levelAt(offset, bit, ns)
      if (at && this.interfaces[cpu]!.activePriorities[at.group].has(at.priority)) value += 2 ** bit
    }
    return value
  }

  #writeInterface(offset: number, value: number, cpu: number, secure: boolean): void {
    const ns = this.config.security && !secure
    const own = this.interfaces[cpu]
    if (own === undefined) return
    const secureOnly = [0x1c, 0x24, 0xe0, 0xe4, 0xe8, 0xec]
    if (ns && secureOnly.includes(offset)) return
    const splitMode = ns ? own.eoiModeNS : own.eoiModeS
    const setAbpr = () => {
      own.abpr = Math.max(value & 7, this.#minimumBpr + 1)
    }
    switch (offset) {
      case 0x00:
        if (ns) {
          own.enable[1] = flag(value, 0)
          own.bypass[2] = flag(value, 5)
          own.bypass[3] = flag(value, 6)
          own.eoiModeNS = flag(value, 9)
          return
        }
        own.enable = [flag(value, 0), flag(value, 1)]
        own.ackCtl = flag(value, 2)
        own.fiqEn = flag(value, 3)
        own.cbpr = flag(value, 4)
        own.bypass = [flag(value, 5), flag(value, 6), flag(value, 7), flag(value, 8)]
        own.eoiModeS = flag(value, 9)
        if (this.config.security) own.eoiModeNS = flag(value, 10)
        return
      case 0x04:
        if (!ns) own.pmr = value & this.#priorityMask
        else if (own.pmr >= 0x80) own.pmr = (0x80 + ((value & 0xff) >> 1)) & this.#priorityMask
        return
      case 0x08:
        if (!ns) own.bpr = Math.max(value & 7, this.#minimumBpr)
        else if (!own.cbpr) setAbpr()
        return
      case 0x10:
        this.#endOfInterrupt(cpu, value, ns, splitMode)
        return
      case 0x1c:
        setAbpr()
        return
      case 0x24:
        this.#endOfInterrupt(cpu, value, true, splitMode)
        return
      case 0x1000:
        this.#deactivate(cpu, value, ns, splitMode)
        return
    }
    if (offset >= 0xd0 && offset < 0xf0 && offset % 4 === 0)
      for (let bit = 0; bit < 32; bit++) {
        const at = this.#levelAt(offset, bit, ns)
        if (at === undefined) continue
        const set = own.activePriorities[at.group]
        if (flag(value, bit)) set.add(at.priority)
        else set.delete(at.priority)
      }
  }

  // ---- Distributor ----

  /** Whether this access sees the interrupt's fields, in a register that GICD_NSACR opens from `level` on (4: never). */
  #sees(irq: Irq, secure: boolean, level: number): boolean {
    if (!this.config.security || secure || irq.group === 1) return true
    // For SGIs level 3 is reserved and treated as 2.
    const granted = irq.intid < 16 ? Math.min(irq.nsAccess, 2) : irq.nsAccess
    return granted >= level
  }

  /** One field of one interrupt in a bank, as the register shows it. */
  #readField(bank: number, irq: Irq, cpu: number, secure: boolean): number {
    const ns = this.config.security && !secure
    switch (bank) {
      case 0x080:
        return ns ? 0 : irq.group
      case 0x100:
      case 0x180:
        return this.#sees(irq, secure, 4) && irq.enabled ? 1 : 0
      case 0x200:
        return this.#sees(irq, secure, 1) && this.isPending(irq) ? 1 : 0
      case 0x280:
        return this.#sees(irq, secure, 2) && this.isPending(irq) ? 1 : 0
      case 0x300:
      case 0x380:
        return this.#sees(irq, secure, 2) && irq.active ? 1 : 0
      case 0x400:
        if (!this.#sees(irq, secure, 4)) return 0
        return ns ? (irq.priority * 2) % 256 : irq.priority
      case 0x800:
        if (this.config.cpus === 1 || !this.#sees(irq, secure, 3)) return 0
        return irq.intid < 32 ? 2 ** cpu : irq.targets
      case 0xc00:
        return this.#sees(irq, secure, 4) && irq.edge ? 2 : 0
      case 0xe00:
        return ns || !this.config.security ? 0 : irq.nsAccess
    }
    return 0
  }

  #writeField(bank: number, irq: Irq, value: number, secure: boolean): void {
    const ns = this.config.security && !secure
    const { intid } = irq
    switch (bank) {
      case 0x080:
        if (!ns) irq.group = value === 1 ? 1 : 0
        return
      case 0x100:
      case 0x180:
        if (intid < 16 && this.config.sgiEnable === 'always') return
        if (value === 1 && this.#sees(irq, secure, 4)) irq.enabled = bank === 0x100
        return
      case 0x200:
        if (value === 1 && intid >= 16 && this.#sees(irq, secure, 1)) irq.latch = true
        return
      case 0x280:
        if (value === 1 && intid >= 16 && this.#sees(irq, secure, 2)) irq.latch = false
        return
      case 0x300:
      case 0x380:
        if (value === 1 && this.#sees(irq, secure, 4)) irq.active = bank === 0x300
        return
      case 0x400:
        if (this.#sees(irq, secure, 4)) irq.priority = (ns ? 0x80 + Math.floor(value / 2) : value) & this.#priorityMask
        return
      case 0x800:
        if (this.config.cpus > 1 && intid >= 32 && this.#sees(irq, secure, 3))
          irq.targets = value & (2 ** this.config.cpus - 1)
        return
      case 0xc00:
        if (intid < 16 || (intid < 32 && this.config.ppiConfig === 'fixed')) return
        if (this.#sees(irq, secure, 4)) irq.edge = value >= 2
        return
      case 0xe00:
        if (!ns && this.config.security && (intid < 16 || intid >= 32)) irq.nsAccess = value
        return
    }
  }

  /** The bank that a Distributor offset lies in, and its bits for each interrupt. */
  #bankOf(offset: number): { bank: number; bits: number } | undefined {
    for (const bank of [0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380])
      if (offset >= bank && offset < bank + 0x80) return { bank, bits: 1 }
    for (const bank of [0x400, 0x800]) if (offset >= bank && offset < bank + 0x3fc) return { bank, bits: 8 }
    for (const bank of [0xc00, 0xe00]) if (offset >= bank && offset < bank + 0x100) return { bank, bits: 2 }
    return undefined
  }

  #readDistributor(offset: number, size: number, cpu: number, secure: boolean): number {
    const ns = this.config.security && !secure
    const isCpu = cpu >= 0 && cpu < this.config.cpus
    const found = this.#bankOf(offset)
    if (found) {
      if (size === 1 && found.bits !== 8) return 0
      let value = 0
      const first = ((offset - found.bank) * 8) / found.bits
      for (let i = 0; i < (size * 8) / found.bits; i++) {
        const irq = this.irq(first + i, cpu)
        if (irq) value += this.#readField(found.bank, irq, cpu, secure) * 2 ** (i * found.bits)
      }
      return value
    }
    if (offset >= 0xf10 && offset < 0xf30) {
      let value = 0
      for (let i = 0; i < size; i++) {
        const irq = this.irq((offset + i) % 16, isCpu ? cpu : -1)
        if (irq && this.#sees(irq, secure, 4)) for (const source of irq.sources) value += 2 ** (8 * i + source)
      }
      return value
    }
    if (size !== 4) return 0
    if (offset === 0) {
      const [zero, one] = this.groupEnable
      return ns ? num(one, 0) : num(zero, 0) + num(one, 1)
    }
    if (offset === 4)
      return Math.ceil(this.config.intids / 32) - 1 + (this.config.cpus - 1) * 32 + (this.config.security ? 1024 : 0)
    if (offset === 8) return 0x43b
    if (offset >= 0xd00 && offset < 0xd80) {
      let value = 0
      for (let i = 0; i < 32; i++) {
        const irq =
          offset === 0xd00 ? (i < 16 ? this.irq(16 + i, cpu) : undefined) : this.irq((offset - 0xd00) * 8 + i, cpu)
        if (irq?.line && this.#sees(irq, secure, 4)) value += 2 ** i
      }
      return value
    }
    if (offset >= 0xfd0) return [4, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1][(offset - 0xfd0) / 4]!
    return 0
  }

  #writeDistributor(offset: number, size: number, value: number, cpu: number, secure: boolean): void {
    const ns = this.config.security && !secure
    const isCpu = cpu >= 0 && cpu < this.config.cpus
    const found = this.#bankOf(offset)
    if (found) {
      if (size === 1 && found.bits !== 8) return
      const first = ((offset - found.bank) * 8) / found.bits
      for (let i = 0; i < (size * 8) / found.bits; i++) {
        const irq = this.irq(first + i, cpu)
        if (irq) this.#writeField(found.bank, irq, (value >>> (i * found.bits)) % 2 ** found.bits, secure)
      }
      return
    }
    if (offset >= 0xf10 && offset < 0xf30) {
      for (let i = 0; i < size; i++) {
        const irq = this.irq((offset + i) % 16, isCpu ? cpu : -1)
        if (!irq || !this.#sees(irq, secure, 4)) continue
        for (let source = 0; source < this.config.cpus; source++) {
          if (!flag(value, 8 * i + source)) continue
          irq.sources = irq.sources.filter((each) => each !== source)
          if (offset >= 0xf20) irq.sources.push(source)
        }
      }
      return
    }
    if (size !== 4) return
    if (offset === 0) {
      if (!ns) this.groupEnable = [flag(value, 0), flag(value, 1)]
      else this.groupEnable[1] = flag(value, 0)
    }
    if (offset === 0xf00 && isCpu) this.#sendSgi(value, cpu, secure)
  }

  #sendSgi(value: number, cpu: number, secure: boolean): void {
    const filter = (value >>> 24) % 4
    for (let target = 0; target < this.config.cpus; target++) {
      const irq = this.irq(value % 16, target)!
      if (filter === 0 && !flag(value, 16 + target)) continue
      if (filter === 1 && target === cpu) continue
      if (filter === 2 && target !== cpu) continue
      if (filter === 3) continue
      if (this.config.security && secure && irq.group !== ((value >>> 15) & 1)) continue
      if (this.config.security && !secure && irq.group === 0 && irq.nsAccess === 0) continue
      if (!irq.sources.includes(cpu)) irq.sources.push(cpu)
    }
  }

  // ---- accesses ----

  /** Only words, and bytes where IHI 0048 4.1.4 has them; anything else reads as zero and is not written. */
  #isAllowed(frame: OracleFrame, offset: number, size: number): boolean {
    if (offset % size !== 0) return false
    if (size === 4) return true
    const bytes = (offset >= 0x400 && offset < 0xc00) || (offset >= 0xf10 && offset < 0xf30)
    return size === 1 && frame === 'gicd' && bytes
  }

  read(frame: OracleFrame, offset: number, size: number, cpu: number, secure: boolean): number {
    if (!this.#isAllowed(frame, offset, size)) return 0
    return frame === 'gicd'
      ? this.#readDistributor(offset, size, cpu, secure)
      : this.#readInterface(offset, cpu, secure)
  }

  write(frame: OracleFrame, offset: number, size: number, value: number, cpu: number, secure: boolean): void {
    if (!this.#isAllowed(frame, offset, size)) return
    if (frame === 'gicd') this.#writeDistributor(offset, size, value, cpu, secure)
    else this.#writeInterface(offset, value, cpu, secure)
  }

  /** Cold reset: everything but the input wires. */
  reset(): void {
    const fresh = new OracleV2(this.config)
    for (const irq of [...this.#private.flat(), ...this.#shared])
      Object.assign(irq, { ...this.#fresh(irq.intid), line: irq.line })
    this.groupEnable = [false, false]
    fresh.interfaces.forEach((own, cpu) => {
      Object.assign(this.interfaces[cpu]!, own)
    })
  }
}
