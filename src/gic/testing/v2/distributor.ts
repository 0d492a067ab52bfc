/** The Distributor's registers by offset (IHI 0048 4.3), and the generation of SGIs. */

import { bankOf, readField, sees, writeField } from './banks.ts'
import { flag, num, type OracleState } from './state.ts'

export function readDistributor(gic: OracleState, offset: number, size: number, cpu: number, secure: boolean): number {
  const ns = gic.config.security && !secure
  const isCpu = cpu >= 0 && cpu < gic.config.cpus
  const found = bankOf(offset)
  if (found) {
    if (size === 1 && found.bits !== 8) return 0
    let value = 0
    const first = ((offset - found.bank) * 8) / found.bits
    for (let i = 0; i < (size * 8) / found.bits; i++) {
      const irq = gic.irq(first + i, cpu)
      if (irq) value += readField(gic, found.bank, irq, cpu, secure) * 2 ** (i * found.bits)
    }
    return value
  }
  if (offset >= 0xf10 && offset < 0xf30) {
    let value = 0
    for (let i = 0; i < size; i++) {
      const irq = gic.irq((offset + i) % 16, isCpu ? cpu : -1)
      if (irq && sees(gic, irq, secure, 4)) for (const source of irq.sources) value += 2 ** (8 * i + source)
    }
    return value
  }
  if (size !== 4) return 0
  if (offset === 0) {
    const [zero, one] = gic.groupEnable
    return ns ? num(one, 0) : num(zero, 0) + num(one, 1)
  }
  if (offset === 4)
    return Math.ceil(gic.config.intids / 32) - 1 + (gic.config.cpus - 1) * 32 + (gic.config.security ? 1024 : 0)
  if (offset === 8) return 0x43b
  if (offset >= 0xd00 && offset < 0xd80) {
    let value = 0
    for (let i = 0; i < 32; i++) {
      const irq =
        offset === 0xd00 ? (i < 16 ? gic.irq(16 + i, cpu) : undefined) : gic.irq((offset - 0xd00) * 8 + i, cpu)
      if (irq?.line && sees(gic, irq, secure, 4)) value += 2 ** i
    }
    return value
  }
  if (offset >= 0xfd0) return [4, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1][(offset - 0xfd0) / 4]!
  return 0
}

export function writeDistributor(
  gic: OracleState,
  offset: number,
  size: number,
  value: number,
  cpu: number,
  secure: boolean,
): void {
  const ns = gic.config.security && !secure
  const isCpu = cpu >= 0 && cpu < gic.config.cpus
  const found = bankOf(offset)
  if (found) {
    if (size === 1 && found.bits !== 8) return
    const first = ((offset - found.bank) * 8) / found.bits
    for (let i = 0; i < (size * 8) / found.bits; i++) {
      const irq = gic.irq(first + i, cpu)
      if (irq) writeField(gic, found.bank, irq, (value >>> (i * found.bits)) % 2 ** found.bits, secure)
    }
    return
  }
  if (offset >= 0xf10 && offset < 0xf30) {
    for (let i = 0; i < size; i++) {
      const irq = gic.irq((offset + i) % 16, isCpu ? cpu : -1)
      if (!irq || !sees(gic, irq, secure, 4)) continue
      for (let source = 0; source < gic.config.cpus; source++) {
        if (!flag(value, 8 * i + source)) continue
        irq.sources = irq.sources.filter((each) => each !== source)
        if (offset >= 0xf20) irq.sources.push(source)
      }
    }
    return
  }
  if (size !== 4) return
  if (offset === 0) {
    if (!ns) gic.groupEnable = [flag(value, 0), flag(value, 1)]
    else gic.groupEnable[1] = flag(value, 0)
  }
  if (offset === 0xf00 && isCpu) sendSgi(gic, value, cpu, secure)
}

function sendSgi(gic: OracleState, value: number, cpu: number, secure: boolean): void {
  const filter = (value >>> 24) % 4
  for (let target = 0; target < gic.config.cpus; target++) {
    const irq = gic.irq(value % 16, target)!
    if (filter === 0 && !flag(value, 16 + target)) continue
    if (filter === 1 && target === cpu) continue
    if (filter === 2 && target !== cpu) continue
    if (filter === 3) continue
    if (gic.config.security && secure && irq.group !== ((value >>> 15) & 1)) continue
    if (gic.config.security && !secure && irq.group === 0 && irq.nsAccess === 0) continue
    if (!irq.sources.includes(cpu)) irq.sources.push(cpu)
  }
}
