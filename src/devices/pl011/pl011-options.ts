/** What a host may ask of the PL011, and is asked by it. */

import type { LineListener } from '../line.ts'

/** What a UART is wired to, and how it takes input. */
export interface Pl011Options {
  /**
   * Takes a character that the guest sends; false when it cannot now: the character then waits in the FIFO until
   * `transmitReady`. Anything else is yes.
   */
  transmit?: (character: number) => boolean | undefined
  /** The combined interrupt UARTINTR; called on change only. */
  interrupt?: LineListener
  /** Called when there is room for `receive` again after there was none. */
  receiveReady?: () => void
  /**
   * Starts the receive timeout of 32 bit periods over again; the host calls `receiveTimeout` when it ends. Without it the
   * line counts as idle after every character, so that the timeout interrupt comes with the character.
   */
  startReceiveTimeout?: () => void
  /**
   * Nothing is sent or received unless UARTCR has UARTEN with TXE or RXE, as the part does. Without it the UART works as soon as
   * it is touched, as QEMU's does, on which many small guests rely.
   */
  strictEnable?: boolean
  /**
   * The receive interrupt comes with the first character whatever UARTIFLS says, as with QEMU's, on which drivers rely that
   * unmask it alone and not the timeout.
   */
  receiveAtOnce?: boolean
  /**
   * Machine time in seconds. With it, characters are taken from the host only while the guest listens: it has unmasked a
   * receive interrupt some time ago, or it polls, and then one at a time. For input that does not wait for a person, as from
   * a pipe: a driver that starts up throws away what it finds in the FIFO, and Linux's unmasks the interrupt before it does.
   * Firmware throws away what was typed while it was busy, be it to look for a Ctrl-C (U-Boot) or to start a shell (EDK2).
   */
  waitForListener?: () => number
}
