/** The modem lines of the PL011: inputs as the host sets them, or the outputs in loopback, and what their changes latch. */

import { Control, Flag, Pl011Interrupt } from './pl011-registers.ts'

export interface ModemInputs {
  cts?: boolean
  dsr?: boolean
  dcd?: boolean
  ri?: boolean
}

export class ModemLines {
  /** Bits of UARTFR. */
  inputs = 0

  /** Levels, true where asserted; what is not named stays. */
  set({ cts, dsr, dcd, ri }: ModemInputs): void {
    const place = (now: boolean | undefined, mask: number) => (now === undefined ? this.inputs & mask : now ? mask : 0)
    this.inputs = place(cts, Flag.CTS) | place(dsr, Flag.DSR) | place(dcd, Flag.DCD) | place(ri, Flag.RI)
  }

  /** The lines as UARTFR has them. In loopback the modem outputs are the modem inputs (DDI 0183 3.3.8, LBE). */
  flags(cr: number): number {
    if (!(cr & Control.LBE)) return this.inputs
    const to = (output: number, input: number) => (cr & output ? input : 0)
    return (
      to(Control.RTS, Flag.CTS) | to(Control.DTR, Flag.DSR) | to(Control.Out1, Flag.DCD) | to(Control.Out2, Flag.RI)
    )
  }
}

/** What changes of the lines, as bits of UARTFR, latch in UARTRIS. */
export function modemInterrupts(changed: number): number {
  const latch = (flag: number, interrupt: number) => (changed & flag ? interrupt : 0)
  return (
    latch(Flag.CTS, Pl011Interrupt.CTS) |
    latch(Flag.DSR, Pl011Interrupt.DSR) |
    latch(Flag.DCD, Pl011Interrupt.DCD) |
    latch(Flag.RI, Pl011Interrupt.RI)
  )
}
