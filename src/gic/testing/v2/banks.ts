/** The Distributor's banks: one field of one interrupt, and who sees it (IHI 0048 4.3). */

import type { Irq, OracleState } from './state.ts'

/** Whether this access sees the interrupt's fields, in a register that GICD_NSACR opens from `level` on (4: never). */
export function sees(gic: OracleState, irq: Irq, secure: boolean, level: number): boolean {
  if (!gic.config.security || secure || irq.group === 1) return true
  // For SGIs level 3 is reserved and treated as 2.
  const granted = irq.intid < 16 ? Math.min(irq.nsAccess, 2) : irq.nsAccess
  return granted >= level
}

/** One field of one interrupt in a bank, as the register shows it. */
export function readField(gic: OracleState, bank: number, irq: Irq, cpu: number, secure: boolean): number {
  const ns = gic.config.security && !secure
  switch (bank) {
    case 0x080:
      return ns ? 0 : irq.group
    case 0x100:
    case 0x180:
      return sees(gic, irq, secure, 4) && irq.enabled ? 1 : 0
    case 0x200:
      return sees(gic, irq, secure, 1) && gic.isPending(irq) ? 1 : 0
    case 0x280:
      return sees(gic, irq, secure, 2) && gic.isPending(irq) ? 1 : 0
    case 0x300:
    case 0x380:
      return sees(gic, irq, secure, 2) && irq.active ? 1 : 0
    case 0x400:
      if (!sees(gic, irq, secure, 4)) return 0
      return ns ? (irq.priority * 2) % 256 : irq.priority
    case 0x800:
      if (gic.config.cpus === 1 || !sees(gic, irq, secure, 3)) return 0
      return irq.intid < 32 ? 2 ** cpu : irq.targets
    case 0xc00:
      return sees(gic, irq, secure, 4) && irq.edge ? 2 : 0
    case 0xe00:
      return ns || !gic.config.security ? 0 : irq.nsAccess
  }
  return 0
}

export function writeField(gic: OracleState, bank: number, irq: Irq, value: number, secure: boolean): void {
  const ns = gic.config.security && !secure
  const { intid } = irq
  switch (bank) {
    case 0x080:
      if (!ns) irq.group = value === 1 ? 1 : 0
      return
    case 0x100:
    case 0x180:
      if (intid < 16 && gic.config.sgiEnable === 'always') return
      if (value === 1 && sees(gic, irq, secure, 4)) irq.enabled = bank === 0x100
      return
    case 0x200:
      if (value === 1 && intid >= 16 && sees(gic, irq, secure, 1)) irq.latch = true
      return
    case 0x280:
      if (value === 1 && intid >= 16 && sees(gic, irq, secure, 2)) irq.latch = false
      return
    case 0x300:
    case 0x380:
      if (value === 1 && sees(gic, irq, secure, 4)) irq.active = bank === 0x300
      return
    case 0x400:
      if (sees(gic, irq, secure, 4)) irq.priority = (ns ? 0x80 + Math.floor(value / 2) : value) & gic.priorityMask
      return
    case 0x800:
      if (gic.config.cpus > 1 && intid >= 32 && sees(gic, irq, secure, 3))
        irq.targets = value & (2 ** gic.config.cpus - 1)
      return
    case 0xc00:
      if (intid < 16 || (intid < 32 && gic.config.ppiConfig === 'fixed')) return
      if (sees(gic, irq, secure, 4)) irq.edge = value >= 2
      return
    case 0xe00:
      if (!ns && gic.config.security && (intid < 16 || intid >= 32)) irq.nsAccess = value
      return
  }
}

/** The bank that a Distributor offset lies in, and its bits for each interrupt. */
export function bankOf(offset: number): { bank: number; bits: number } | undefined {
  for (const bank of [0x080, 0x100, 0x180, 0x200, 0x280, 0x300, 0x380])
    if (offset >= bank && offset < bank + 0x80) return { bank, bits: 1 }
  for (const bank of [0x400, 0x800]) if (offset >= bank && offset < bank + 0x3fc) return { bank, bits: 8 }
  for (const bank of [0xc00, 0xe00]) if (offset >= bank && offset < bank + 0x100) return { bank, bits: 2 }
  return undefined
}
