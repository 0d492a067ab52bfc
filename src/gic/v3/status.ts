/**
 * GICD_STATUSR and GICR_STATUSR: what accesses a frame refused, for Secure and Non-secure software apart in a GIC that
 * supports two Security states. Only what the registers name is recorded: neither a width, an alignment nor a Security state.
 */

import { type Access, type Initiator, Outcome } from '../../mmio/index.ts'

/** RRD and WRD: a read, a write, of a reserved location; RWOD, WROD: a read of a write-only, a write of a read-only one. */
const Status = { RRD: 1 << 0, WRD: 1 << 1, RWOD: 1 << 2, WROD: 1 << 3 } as const

const read: Partial<Record<Outcome, number>> = { [Outcome.reserved]: Status.RRD, [Outcome.mode]: Status.RWOD }
const written: Partial<Record<Outcome, number>> = { [Outcome.reserved]: Status.WRD, [Outcome.mode]: Status.WROD }

/** "If the GIC implementation supports two Security states this register is Banked": by the access, whatever DS is. */
interface States {
  readonly config: { readonly security: boolean }
}

interface Savable {
  readonly config: { readonly security: boolean; readonly statusRegisters: boolean }
}

export class StatusRegisters {
  secure = 0
  nonSecure = 0

  reset(): void {
    this.secure = 0
    this.nonSecure = 0
  }

  read(gic: States, by: Initiator): number {
    return gic.config.security && by.secure ? this.secure : this.nonSecure
  }

  /** Bits written as 1 are cleared. */
  clear(gic: States, by: Initiator, bits: number): void {
    this.assign(gic, by, this.read(gic, by) & ~bits)
  }

  assign(gic: States, by: Initiator, value: number): void {
    if (gic.config.security && by.secure) this.secure = value & 15
    else this.nonSecure = value & 15
  }

  /** The copy of a Security state, whether there are two of them now or one: the Non-secure one is that of a GIC with one. */
  save(gic: Savable, by: Initiator): number {
    return gic.config.security && by.secure ? this.secure : this.nonSecure
  }

  restore({ config }: Savable, by: Initiator, value: number): void {
    if (!config.statusRegisters) return
    if (config.security && by.secure) this.secure = value & 15
    else this.nonSecure = value & 15
  }

  record(gic: States, access: Access, outcome: Outcome): void {
    const { write, by } = access
    const bit = write ? written[outcome] : read[outcome]
    if (bit !== undefined) this.assign(gic, by, this.read(gic, by) | bit)
  }
}
