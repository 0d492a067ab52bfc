/**
 * A guest of a few instructions that sets up all that an interrupt needs, step by step: vectors, GIC, timer, UART, PSTATE. A spec
 * leaves a step out or does it otherwise, and so closes one gate. Node only, as its neighbours.
 */

import { virtMap } from '../board/virt-map.ts'
import { a64, words } from './guest.ts'

const { movz, movk, loop } = a64

/** Where a flat binary starts, and where in it the vectors are. */
export const START = virtMap.ram.base + 0x8_0000
export const VECTORS = START + 0x800

/** X2 = value. */
function constant(value: bigint | number, register = 2): number[] {
  const part = (i: number) => Number((BigInt.asUintN(64, BigInt(value)) >> BigInt(16 * i)) & 0xffffn)
  return [movz(register, part(0)), ...[1, 2, 3].map((i) => movk(register, part(i), i))]
}

/** A 32-bit store to a device: STR W2, [X1]. */
export const store = (address: number, value: number): number[] => [
  ...constant(address, 1),
  ...constant(value),
  0xb900_0022,
]

/** MSR (register): op0, op1, CRn, CRm, op2. */
export function msr([op0, op1, crn, crm, op2]: readonly number[], value: bigint | number): number[] {
  return [
    ...constant(value),
    (0xd510_0002 | ((op0! - 2) << 19) | (op1! << 16) | (crn! << 12) | (crm! << 8) | (op2! << 5)) >>> 0,
  ]
}

export const register = {
  VBAR_EL1: [3, 0, 12, 0, 0],
  CNTV_CTL_EL0: [3, 3, 14, 3, 1],
  CNTV_CVAL_EL0: [3, 3, 14, 3, 2],
  ICC_PMR_EL1: [3, 0, 4, 6, 0],
  ICC_IGRPEN1_EL1: [3, 0, 12, 12, 7],
} as const

const { gicd, gicc, gicr } = virtMap
const SGI_BASE = gicr.base + 0x1_0000

/** The steps by name, in their order: PPI 27 of the virtual timer, due at once, and SPI 33 of the UART, with its transmit interrupt. */
export const steps = (gic: 2 | 3) => ({
  vectors: msr(register.VBAR_EL1, VECTORS),
  distributor: store(gicd.base, gic === 2 ? 1 : 0x12),
  ...(gic === 2
    ? {
        priorityMask: store(gicc.base + 4, 0xff),
        cpuInterface: store(gicc.base, 1),
        enable27: store(gicd.base + 0x100, 1 << 27),
        target33: store(gicd.base + 0x820, 0x0100),
      }
    : {
        priorityMask: msr(register.ICC_PMR_EL1, 0xff),
        cpuInterface: msr(register.ICC_IGRPEN1_EL1, 1),
        group27: store(SGI_BASE + 0x80, 0xffff_ffff),
        group33: store(gicd.base + 0x84, 0xffff_ffff),
        enable27: store(SGI_BASE + 0x100, 1 << 27),
        target33: [...store(gicd.base + 0x6000 + 8 * 33, 0), ...store(gicd.base + 0x6000 + 8 * 33 + 4, 0)],
      }),
  enable33: store(gicd.base + 0x104, 1 << 1),
  compare: msr(register.CNTV_CVAL_EL0, 0),
  timer: msr(register.CNTV_CTL_EL0, 1),
  uartMask: [],
  last: [],
  /** MSR DAIFClr, #3 */
  unmask: [0xd503_43ff],
})

export type Step = keyof ReturnType<typeof steps> | 'group27' | 'group33'

/** The guest with some steps done otherwise; it ends in a loop, as do all its handlers. */
export function interruptGuest(gic: 2 | 3, changed: Partial<Record<Step, readonly number[]>> = {}): Uint8Array {
  const code = Object.values({ ...steps(gic), ...changed }).flat()
  const padding = Array.from({ length: 0x200 - code.length }, () => loop)
  const vectors = Array.from({ length: 0x200 }, () => loop)
  return words(...code, ...padding, ...vectors)
}
