/** The modem lines of the PL011: inputs as the host sets them, or the outputs in loopback, and what their changes latch. */

import { Control, Flag, Pl011Interrupt } from './pl011-registers.ts'

export interface ModemInputs {
  cts?: boolean
  dsr?: boolean
  dcd?: boolean
  ri?: boolean
}

export class ModemLines {
  /** The lines as UARTFR has them. */
  levels = 0
  /** The inputs, in the bits of UARTFR. */
  #inputs = 0
  #control = 0

  get inputs(): number {
    return this.#inputs
  }

  /** Levels, true where asserted; what is not named stays. Returns the lines that changed. */
  set({ cts, dsr, dcd, ri }: ModemInputs): number {
    const place = (now: boolean | undefined, mask: number) => (now === undefined ? this.#inputs & mask : now ? mask : 0)
    return this.restore(
      place(cts, Flag.CTS) | place(dsr, Flag.DSR) | place(dcd, Flag.DCD) | place(ri, Flag.RI),
      this.#control,
    )
  }

  /** A new value of UARTCR: in loopback the modem outputs are the modem inputs (DDI 0183 3.3.8, LBE). Returns as `set`. */
  setControl(cr: number): number {
    return this.restore(this.#inputs, cr)
  }

  restore(inputs: number, cr: number): number {
    const before = this.levels
    const to = (output: number, input: number) => (cr & output ? input : 0)
    const looped =
      to(Control.RTS, Flag.CTS) | to(Control.DTR, Flag.DSR) | to(Control.Out1, Flag.DCD) | to(Control.Out2, Flag.RI)
    this.#inputs = inputs
    this.#control = cr
    this.levels = cr & Control.LBE ? looped : inputs
    return before ^ this.levels
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
