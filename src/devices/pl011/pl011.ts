/**
 * The Arm PrimeCell UART PL011 (DDI 0183), without its wire: characters go to a function and come from one, at once. Character
 * format, baud rate, hardware flow control, IrDA and DMA requests are kept as written and have no effect.
 */

import { Frame, type FrameOptions, type InterruptSource, maskedStatus, type SourceGate } from '../../mmio/index.ts'
import { Line } from '../line.ts'
import { Listener } from '../listener.ts'
import { Fifo } from './fifo.ts'
import { type ModemInputs, ModemLines, modemInterrupts } from './pl011-modem.ts'
import type { Pl011Options } from './pl011-options.ts'
import {
  ALL_INTERRUPTS,
  Cell,
  Control,
  CR_RESET,
  DEPTH,
  Flag,
  IFLS_RESET,
  LCR_H_FEN,
  Pl011Error,
  Pl011Interrupt,
  type Pl011Registers,
  pl011Table,
} from './pl011-registers.ts'
import { checkPl011, type Pl011State } from './pl011-state.ts'

const { TXFE, BUSY, TXFF, RXFE, RXFF } = Flag

/** Levels of UARTIFLS in characters; the reserved encodings act as the last one. */
const LEVELS = [2, 4, 8, 12, 14, 14, 14, 14] as const

/**
 * A PrimeCell UART (DDI 0183): two FIFOs of 16, an interrupt line, and loopback. Characters cross at once: there is
 * no baud rate.
 */
export class Pl011 implements Pl011Registers, InterruptSource {
  readonly name = 'UART'
  /** Its registers, 4 KiB, to be put on a bus. */
  readonly frame: Frame<Pl011>
  /** UARTINTR. */
  readonly interrupt: Line
  /** Characters that the guest wrote while the transmit FIFO was full, and that are lost. */
  lost = 0
  /** ILPR, IBRD, FBRD, DMACR. */
  readonly cells = new Int32Array(4)

  readonly #options: Pl011Options
  readonly #listener: Listener
  readonly #receive = new Fifo(DEPTH)
  readonly #transmit = new Fifo(DEPTH)
  #sending = false
  #overrun = false
  #rsr = 0
  #lcrH = 0
  #cr = CR_RESET
  #ifls = IFLS_RESET
  #imsc = 0
  #ris = 0
  readonly #modem = new ModemLines()

  constructor(options: Pl011Options = {}, frame: FrameOptions<Pl011> = {}) {
    this.#options = options
    this.#listener = new Listener(options.waitForListener)
    this.interrupt = new Line(options.interrupt)
    this.frame = new Frame<Pl011>(pl011Table, this, { ...frame, settle: (device) => device.settle() })
  }

  /** Back to the state after UARTRST. */
  reset(): void {
    this.#receive.clear()
    this.#transmit.clear()
    this.#overrun = false
    this.#rsr = 0
    this.cells.fill(0)
    this.#lcrH = 0
    this.#cr = CR_RESET
    this.#modem.restore(this.#modem.inputs, CR_RESET)
    this.#ifls = IFLS_RESET
    this.#imsc = 0
    this.#ris = 0
    this.#listener.reset()
    this.settle()
  }

  /** Whether `receive` would take a character now: the host's flow control. */
  get canReceive(): boolean {
    if (this.#options.waitForListener && !this.listening) return false
    return this.#receiverOn && !(this.#cr & Control.LBE) && this.#receive.length < this.depth
  }

  /** With `waitForListener`: whether the guest waits for input, by an interrupt or by polling. */
  get listening(): boolean {
    return this.#listener.listening
  }

  /** With `waitForListener`: the machine time in seconds from which on the guest listens, where that is known by now. */
  get listensFrom(): number | undefined {
    return this.#listener.from
  }

  /**
   * A character from the line, with errors from Pl011Error if it has any. Returns false when it is lost: the FIFO is full,
   * which the guest sees as an overrun, or the receiver is off.
   */
  receive(character: number, errors = 0): boolean {
    if (!this.#receiverOn || this.#cr & Control.LBE) return false
    this.#listener.given()
    return this.#take((character & 0xff) | (errors & 0x700))
  }

  /** The 32 bit periods since the last character are over (DDI 0183 2.8.1, UARTRTINTR). */
  receiveTimeout(): void {
    if (this.#receive.length === 0) return
    this.#ris |= Pl011Interrupt.RT
    this.settle()
  }

  /** The host can take characters again. */
  transmitReady(): void {
    this.#send()
    this.settle()
  }

  /** Levels of the modem inputs, true where asserted; each change latches its interrupt. */
  setModem(inputs: ModemInputs): void {
    this.#ris |= modemInterrupts(this.#modem.set(inputs))
    this.settle()
  }

  /** How many characters a FIFO holds now. */
  get depth(): number {
    return this.#lcrH & LCR_H_FEN ? DEPTH : 1
  }

  /** UARTDR as a read would show it. */
  get data(): number {
    if (this.#receive.length === 0) return 0
    return this.#receive.front | (this.#overrun ? Pl011Error.overrun : 0)
  }

  /** A read of UARTDR. */
  readData(): number {
    const data = this.data
    if (this.#receive.length === 0) return 0
    const wasFull = !this.canReceive
    this.#receive.shift()
    this.#overrun = false
    // UARTRSR shows the errors of the character read last; its overrun bit stays until UARTECR is written.
    this.#rsr = (this.#rsr & 8) | ((data >>> 8) & 7)
    if (this.#receive.length < this.#receiveLevel) this.#ris &= ~Pl011Interrupt.RX
    if (this.#receive.length === 0) this.#ris &= ~Pl011Interrupt.RT
    if (wasFull && this.canReceive) this.#options.receiveReady?.()
    return data
  }

  /** A write of UARTDR. */
  writeData(character: number): void {
    this.#listener.busy()
    if (this.#transmit.length >= this.depth) {
      this.lost++
      return
    }
    this.#transmit.push(character & 0xff)
    if (this.#transmit.length > this.#transmitLevel) this.#ris &= ~Pl011Interrupt.TX
    this.#send()
  }

  /** UARTRSR: errors of the character read last, in bits 3:0. */
  get rsr(): number {
    return this.#rsr
  }

  /** A write of UARTECR. */
  clearErrors(): void {
    this.#rsr = 0
  }

  /** A read of UARTFR. */
  readFlags(): number {
    if (this.#listener.poll() && this.canReceive) this.#options.receiveReady?.()
    return this.flags
  }

  /** UARTFR as a read would show it. */
  get flags(): number {
    const sent = this.#transmit.length
    const received = this.#receive.length
    const { depth } = this
    return (
      this.#modem.levels |
      (sent === 0 ? TXFE : BUSY) |
      (sent >= depth ? TXFF : 0) |
      (received === 0 ? RXFE : 0) |
      (received >= depth ? RXFF : 0)
    )
  }

  /** UARTLCR_H. */
  get lcrH(): number {
    return this.#lcrH
  }

  /** Turning the FIFOs on or off empties them: what is in the one form has no place in the other. */
  set lcrH(value: number) {
    const couldReceive = this.canReceive
    this.#listener.busy()
    if ((this.#lcrH ^ value) & LCR_H_FEN) {
      this.#receive.clear()
      this.#transmit.clear()
      this.#overrun = false
      this.#ris &= ~(Pl011Interrupt.RX | Pl011Interrupt.RT)
    }
    this.#lcrH = value & 0xff
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  /** UARTCR. */
  get cr(): number {
    return this.#cr
  }

  /** A write of the register. */
  set cr(value: number) {
    const couldReceive = this.canReceive
    this.#listener.busy()
    this.#cr = value & 0xff87
    this.#ris |= modemInterrupts(this.#modem.setControl(this.#cr))
    this.#send()
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  /** UARTIFLS. */
  get ifls(): number {
    return this.#ifls
  }

  /** A new level counts from the next character on, as the interrupts follow transitions (DDI 0183 3.3.9). */
  set ifls(value: number) {
    this.#ifls = value & 0x3f
  }

  /** UARTIMSC, bits of Pl011Interrupt. */
  get imsc(): number {
    return this.#imsc
  }

  /** A write of the register. */
  set imsc(value: number) {
    const couldReceive = this.canReceive
    this.#listener.busy()
    this.#listener.unmask((value & (Pl011Interrupt.RX | Pl011Interrupt.RT)) !== 0)
    this.#imsc = value & ALL_INTERRUPTS
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  /** UARTRIS, bits of Pl011Interrupt. */
  get ris(): number {
    return this.#ris
  }

  /** A write of UARTICR; bits of Pl011Interrupt. */
  clearInterrupts(mask: number): void {
    this.#ris &= ~mask
  }

  /** Brings the interrupt output up to date; the frame calls it after each access. */
  settle(): void {
    this.interrupt.set((this.#ris & this.#imsc) !== 0)
  }

  /** UARTINTR, by UARTRIS and UARTIMSC (DDI 0183 3.3.11). */
  interruptGates(): SourceGate[] {
    const gates = maskedStatus(
      { register: 'UARTRIS', value: this.#ris },
      { register: 'UARTIMSC', value: this.#imsc },
      Pl011Interrupt,
    )
    if (this.#ris !== 0 || (this.#imsc & Pl011Interrupt.TX) === 0) return gates
    // Drivers that wait for it before they send wait for ever (3.3.9: it follows a transition).
    const says = 'the device has nothing to report: TX comes when a character leaves, not because there is room.'
    return gates.map((gate) => (gate.open ? gate : { ...gate, says, remedy: 'Write a character to UARTDR.' }))
  }

  /** The state, as plain JSON. */
  snapshot(): Pl011State {
    return {
      kind: 'PL011',
      version: 1,
      receive: this.#receive.toArray(),
      transmit: this.#transmit.toArray(),
      overrun: this.#overrun,
      rsr: this.#rsr,
      ilpr: this.cells[Cell.ILPR]!,
      ibrd: this.cells[Cell.IBRD]!,
      fbrd: this.cells[Cell.FBRD]!,
      lcrH: this.#lcrH,
      cr: this.#cr,
      ifls: this.#ifls,
      imsc: this.#imsc,
      ris: this.#ris,
      dmacr: this.cells[Cell.DMACR]!,
      modem: this.#modem.inputs,
      ...this.#listener.snapshot(),
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    const saved = checkPl011(state)
    const depth = saved.lcrH & LCR_H_FEN ? DEPTH : 1
    this.#receive.fill(saved.receive.slice(0, depth))
    this.#transmit.fill(saved.transmit.slice(0, depth))
    this.#overrun = saved.overrun
    this.#rsr = saved.rsr
    this.cells.set([saved.ilpr, saved.ibrd, saved.fbrd, saved.dmacr])
    this.#lcrH = saved.lcrH
    this.#cr = saved.cr
    this.#ifls = saved.ifls
    this.#imsc = saved.imsc
    this.#ris = saved.ris
    this.#modem.restore(saved.modem, saved.cr)
    this.#listener.restore(saved)
    this.settle()
  }

  get #receiverOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (Control.UARTEN | Control.RXE)) === (Control.UARTEN | Control.RXE)
  }

  get #transmitterOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (Control.UARTEN | Control.TXE)) === (Control.UARTEN | Control.TXE)
  }

  get #receiveLevel(): number {
    return this.#lcrH & LCR_H_FEN && !this.#options.receiveAtOnce ? LEVELS[(this.#ifls >>> 3) & 7]! : 1
  }

  get #transmitLevel(): number {
    return this.#lcrH & LCR_H_FEN ? LEVELS[this.#ifls & 7]! : 0
  }

  #take(character: number): boolean {
    if (this.#receive.length >= this.depth) {
      this.#overrun = true
      this.#rsr |= 8
      this.#ris |= Pl011Interrupt.OE
      this.settle()
      return false
    }
    this.#receive.push(character)
    if (character & Pl011Error.framing) this.#ris |= Pl011Interrupt.FE
    if (character & Pl011Error.parity) this.#ris |= Pl011Interrupt.PE
    if (character & Pl011Error.break) this.#ris |= Pl011Interrupt.BE
    if (this.#receive.length >= this.#receiveLevel) this.#ris |= Pl011Interrupt.RX
    if (this.#options.startReceiveTimeout !== undefined) this.#options.startReceiveTimeout()
    else this.#ris |= Pl011Interrupt.RT
    this.settle()
    return true
  }

  /** Sends what can go. A host that answers a character from within `transmit` does not start it anew. */
  #send(): void {
    if (this.#sending) return
    this.#sending = true
    try {
      while (this.#transmit.length > 0 && this.#transmitterOn) {
        const character = this.#transmit.front
        if (this.#cr & Control.LBE) {
          if (this.#receiverOn) this.#take(character)
        } else if (this.#options.transmit?.(character) === false) break
        this.#transmit.shift()
        if (this.#transmit.length <= this.#transmitLevel) this.#ris |= Pl011Interrupt.TX
      }
    } finally {
      this.#sending = false
    }
  }
}
