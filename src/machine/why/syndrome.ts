/** What an exception was, in words, from its syndrome: ESR_EL1 of DDI 0487 D17.2.37. It knows no machine. */

const classes: Readonly<Record<number, string>> = {
  0: 'an undefined instruction',
  1: 'a trapped WFI or WFE',
  7: 'a trapped FP or SIMD instruction',
  13: 'a Branch Target exception',
  14: 'an illegal execution state',
  21: 'an SVC',
  22: 'an HVC',
  23: 'an SMC',
  24: 'a trapped MSR, MRS or system instruction',
  32: 'an Instruction Abort from EL0',
  33: 'an Instruction Abort',
  34: 'a PC alignment fault',
  36: 'a Data Abort from EL0',
  37: 'a Data Abort',
  38: 'an SP alignment fault',
  47: 'an SError interrupt',
  48: 'a breakpoint from EL0',
  49: 'a breakpoint',
  50: 'a software step from EL0',
  51: 'a software step',
  52: 'a watchpoint from EL0',
  53: 'a watchpoint',
  60: 'a BRK',
}

/** Fault status codes without a level: DFSC and IFSC. */
const faults: Readonly<Record<number, string>> = {
  16: 'synchronous external abort: nothing answers at that physical address',
  33: 'alignment fault',
  48: 'TLB conflict abort',
  53: 'an exclusive or atomic access to memory that has none',
}

/** Fault status codes with a level in bits 1:0. */
const levelled = ['address size fault', 'translation fault', 'access flag fault', 'permission fault'] as const

/** Exception class. */
export const classOf = (syndrome: number): number => syndrome >>> 26

/** Whether FAR_EL1 belongs to it. */
export function isAbort(syndrome: number): boolean {
  const ec = classOf(syndrome)
  return ec >= 0x20 && ec <= 0x25
}

function faultOf(status: number): string {
  if (status < 0x10) return `${levelled[status >>> 2]} of level ${status & 3}`
  if (status >= 0x14 && status < 0x18) return `external abort on the translation table walk, level ${status & 3}`
  return faults[status] ?? `fault status 0x${status.toString(16)}`
}

/** `a Data Abort (translation fault of level 1, on a write)`. */
export function describeSyndrome(syndrome: number): string {
  const ec = classOf(syndrome)
  const name = classes[ec] ?? `an exception of class 0x${ec.toString(16)}`
  if (!isAbort(syndrome) || ec === 0x22) return name
  const data = ec >= 0x24 ? `, on a ${(syndrome >>> 6) & 1 ? 'write' : 'read'}` : ''
  return `${name} (${faultOf(syndrome & 0x3f)}${data})`
}
