/**
 * The registers that have a field for each interrupt, in the Distributor and in the Redistributors: where they are, and what a field
 * is of an interrupt's state. The rule of who reaches it is security.ts's.
 */

import { reachesField } from './security.ts'
import { cut, type Irq, type OracleState } from './state.ts'

/** An access to a field: by whom, and whether it reaches the interrupt at a level of GICD_NSACR (0: never by it). */
interface By {
  readonly gic: OracleState
  readonly secure: boolean
  reaches(irq: Irq, level?: 0 | 1 | 2 | 3): boolean
  /** Non-secure, of two Security states. */
  readonly other: boolean
}

interface Bank {
  readonly at: number
  readonly extended: number
  readonly bits: 1 | 2 | 8
  read(irq: Irq, by: By): number | boolean
  write(irq: Irq, by: By, value: number): void
}

const row = (at: number, extended: number, bits: 1 | 2 | 8, read: Bank['read'], write: Bank['write']): Bank => ({
  ...{ at, extended, bits, read, write },
})
/** Only Secure software has it, and only where there are two Security states. */
const isSecures = ({ gic, secure }: By): boolean => gic.twoStates && secure
const isNmiBank = (irq: Irq, by: By): boolean => by.gic.config.nmi && by.reaches(irq) && by.gic.groupOf(irq) !== 'G0'

const IPRIORITYR = 0x400
const NSACR = 0xe00

const banks: readonly Bank[] = [
  // IGROUPR
  row(
    ...([0x080, 0x1000, 1] as const),
    (irq, { other }) => !other && irq.groupBit,
    (irq, { other }, value) => {
      if (!other) irq.groupBit = value === 1
    },
  ),
  // ISENABLER, ICENABLER
  row(
    ...([0x100, 0x1200, 1] as const),
    (irq, by) => by.reaches(irq) && irq.enabled,
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq)) irq.enabled = true
    },
  ),
  row(
    ...([0x180, 0x1400, 1] as const),
    (irq, by) => by.reaches(irq) && irq.enabled,
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq)) irq.enabled = false
    },
  ),
  // ISPENDR, ICPENDR
  row(
    ...([0x200, 0x1600, 1] as const),
    (irq, by) => by.reaches(irq, 1) && by.gic.isPending(irq),
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq, 1)) irq.latch = true
    },
  ),
  row(
    ...([0x280, 0x1800, 1] as const),
    (irq, by) => by.reaches(irq, 2) && by.gic.isPending(irq),
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq, 2)) irq.latch = false
    },
  ),
  // ISACTIVER, ICACTIVER: GICD_NSACR 2 grants to read them, and nothing grants to write.
  row(
    ...([0x300, 0x1a00, 1] as const),
    (irq, by) => by.reaches(irq, 2) && irq.active,
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq)) irq.active = true
    },
  ),
  row(
    ...([0x380, 0x1c00, 1] as const),
    (irq, by) => by.reaches(irq, 2) && irq.active,
    (irq, by, value) => {
      if (value === 1 && by.reaches(irq)) irq.active = false
    },
  ),
  // IPRIORITYR: Non-secure software has the lower half as its whole range.
  row(
    ...([IPRIORITYR, 0x2000, 8] as const),
    (irq, by) => {
      if (!by.reaches(irq)) return 0
      return by.other ? (irq.priority * 2) & 0xff : irq.priority
    },
    (irq, by, value) => {
      const whole = by.other ? 128 + Math.floor(value / 2) : value
      if (by.reaches(irq)) irq.priority = cut(whole, 8 - by.gic.config.distributorPriorityBits)
    },
  ),
  // ICFGR: an SGI's is read-only.
  row(
    ...([0xc00, 0x3000, 2] as const),
    (irq, by) => (by.reaches(irq) && irq.edge ? 2 : 0),
    (irq, by, value) => {
      if (by.reaches(irq) && irq.intid >= 16) irq.edge = value >= 2
    },
  ),
  // IGRPMODR, NSACR
  row(
    ...([0xd00, 0x3400, 1] as const),
    (irq, by) => isSecures(by) && irq.modifierBit,
    (irq, by, value) => {
      if (isSecures(by)) irq.modifierBit = value === 1
    },
  ),
  row(
    ...([NSACR, 0x3600, 2] as const),
    (irq, by) => (isSecures(by) ? irq.nsAccess : 0),
    (irq, by, value) => {
      if (isSecures(by) && (irq.intid < 16 || irq.owner === undefined)) irq.nsAccess = value
    },
  ),
  // INMIR
  row(
    ...([0xf80, 0x3b00, 1] as const),
    (irq, by) => isNmiBank(irq, by) && irq.nmi,
    (irq, by, value) => {
      if (isNmiBank(irq, by)) irq.nmi = value === 1
    },
  ),
]

type BankWord = { readonly bank: Bank; readonly irqs: readonly (Irq | undefined)[] }

/** The interrupts of a bank's 32-bit word, from its lowest bits up; undefined for an offset that is in no bank. */
export function bankWord(gic: OracleState, frame: 'gicd' | number, offset: number): BankWord | undefined {
  for (const bank of banks) {
    const size = (count: number) => (count * bank.bits) / 8
    const within = (at: number, count: number) => offset >= at && offset < at + size(count)
    const list = (at: number) => {
      const first = ((offset - at) * 8) / bank.bits
      return Array.from({ length: 32 / bank.bits }, (_, i) => first + i)
    }
    if (frame === 'gicd') {
      // Bytes and bit pairs of INTIDs 1020 to 1023 do not exist.
      if (within(bank.at, bank.at === IPRIORITYR ? 1020 : 1024))
        return { bank, irqs: list(bank.at).map((n) => (n < 32 ? undefined : gic.shared.get(n))) }
      if (within(bank.extended, 1024)) return { bank, irqs: list(bank.extended).map((n) => gic.shared.get(4096 + n)) }
    } else if (within(bank.at, bank.at === NSACR ? 16 : 96))
      return { bank, irqs: list(bank.at).map((n) => gic.private[frame]!.get(n < 32 ? n : 1056 + n - 32)) }
  }
  return undefined
}

const byOf = (gic: OracleState, secure: boolean): By => ({
  gic,
  secure,
  reaches: (irq, level = 0) => reachesField(gic, irq, secure, level),
  other: gic.twoStates && !secure,
})

/** A read of a whole word, or of a byte where an interrupt has one. */
export function readBank(gic: OracleState, { bank, irqs }: BankWord, offset: number, size: number, secure: boolean) {
  if (size !== 4 && !(size === 1 && bank.bits === 8)) return 0
  const by = byOf(gic, secure)
  const value = irqs.reduce(
    (sum, irq, i) => (irq === undefined ? sum : sum + Number(bank.read(irq, by)) * 2 ** (i * bank.bits)),
    0,
  )
  return size === 1 ? Math.floor(value / 2 ** ((offset % 4) * 8)) % 256 : value
}

export function writeBank(
  gic: OracleState,
  { bank, irqs }: BankWord,
  offset: number,
  size: number,
  value: number,
  secure: boolean,
): void {
  const by = byOf(gic, secure)
  if (size === 1 && bank.bits === 8) {
    const irq = irqs[offset % 4]
    if (irq) bank.write(irq, by, value % 256)
  } else if (size === 4)
    irqs.forEach((irq, i) => {
      if (irq) bank.write(irq, by, Math.floor(value / 2 ** (i * bank.bits)) % 2 ** bank.bits)
    })
}
