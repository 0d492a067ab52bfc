/** The identification registers that every Arm PrimeCell has in the last 32 bytes of its frame, one byte in a word each. */

import { constant, type Row } from '../mmio/index.ts'

/** Widths at which the APB bridge of the board lets a PrimeCell's registers be reached. */
export const PRIMECELL_WIDTHS = [1, 2, 4] as const

/** PeriphID0 to 3 and PCellID0 to 3 at 0xFE0 to 0xFFC; `prefix` is the part's own, as in UARTPeriphID0. */
export function primecellIds<D>(prefix: string, periphId: number): Row<D>[] {
  const id = (name: string, offset: number, value: number) =>
    Array.from({ length: 4 }, (_, i) =>
      constant<D>(`${prefix}${name}${i}`, offset + i * 4, (value >>> (i * 8)) & 0xff, { widths: PRIMECELL_WIDTHS }),
    )
  return [...id('PeriphID', 0xfe0, periphId), ...id('PCellID', 0xff0, 0xb105_f00d)]
}
