/**
 * The Arm PrimeCell UART PL011 (DDI 0183), without its wire: characters go to a function and come from one, at once. Character
 * format, baud rate, hardware flow control, IrDA and DMA requests are kept as written and have no effect.
 */

import { Frame, type FrameOptions } from '../mmio/index.ts'
import { Fifo } from './fifo.ts'
import { Line, type LineListener } from './line.ts'
import {
  ALL_INTERRUPTS,
  Cell,
  Control,
  CR_RESET,
  Flag,
  IFLS_RESET,
  LCR_H_FEN,
  Pl011Error,
  Pl011Interrupt,
  pl011Table,
} from './pl011-registers.ts'
import { checkState, flag, list, whole } from './saved-state.ts'

/** Characters in each FIFO when FIFOs are enabled (DDI 0183, revision 3 and 4 of the part: 16); 1 when they are not. */
const DEPTH = 16

/** Levels of UARTIFLS in characters; the reserved encodings act as the last one. */
const LEVELS = [2, 4, 8, 12, 14, 14, 14, 14] as const

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
   * Machine time in seconds. With it, characters are taken from the host only while the guest listens: it has unmasked a
   * receive interrupt some time ago, or it polls, and then one at a time. For input that does not wait for a person, as from
   * a pipe: a driver that starts up throws away what it finds in the FIFO, and Linux's unmasks the interrupt before it does.
   * Firmware throws away what was typed while it was busy, be it to look for a Ctrl-C (U-Boot) or to start a shell (EDK2).
   */
  waitForListener?: () => number
}

/** How long a receive interrupt must be unmasked until the driver counts as started, in seconds of machine time. */
const START_UP = 0.01

/** Reads of UARTFR in a row, with nothing sent and nothing set between, that count as polling for input. */
const POLLS = 8

/**
 * Seconds behind a character in which polling does not count. EDK2 waits for two characters at 38400 baud, 0.52 ms, whether
 * there is more, and would take all that was typed ahead in one turn.
 */
const CHARACTER_GAP = 0.000_6

/** Plain JSON. `receive` holds characters with their error bits. */
export interface Pl011State {
  kind: 'PL011'
  version: 1
  receive: number[]
  transmit: number[]
  overrun: boolean
  rsr: number
  ilpr: number
  ibrd: number
  fbrd: number
  lcrH: number
  cr: number
  ifls: number
  imsc: number
  ris: number
  dmacr: number
  modem: number
  polls: number
  /** Seconds of machine time. */
  pollsFrom: number
  /** Seconds of machine time; null while receive interrupts are masked. */
  listensFrom: number | null
}

export class Pl011 {
  readonly frame: Frame<Pl011>
  /** UARTINTR. */
  readonly interrupt: Line
  /** Characters that the guest wrote while the transmit FIFO was full, and that are lost. */
  lost = 0
  /** ILPR, IBRD, FBRD, DMACR. */
  readonly cells = new Int32Array(4)

  readonly #options: Pl011Options
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
  #modem = 0
  #polls = 0
  #pollsFrom = 0
  #listensFrom: number | undefined

  constructor(options: Pl011Options = {}, frame: FrameOptions<Pl011> = {}) {
    this.#options = options
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
    this.#ifls = IFLS_RESET
    this.#imsc = 0
    this.#ris = 0
    this.#polls = 0
    this.#pollsFrom = 0
    this.#listensFrom = undefined
    this.settle()
  }

  /** Whether `receive` would take a character now: the host's flow control. */
  get canReceive(): boolean {
    if (this.#options.waitForListener && !this.listening) return false
    return this.#receiverOn && !(this.#cr & Control.LBE) && this.#receive.length < this.depth
  }

  /** With `waitForListener`: whether the guest waits for input, by an interrupt or by polling. */
  get listening(): boolean {
    const now = this.#options.waitForListener?.() ?? 0
    return this.#polls === POLLS || (this.#listensFrom !== undefined && now >= this.#listensFrom)
  }

  /** With `waitForListener`: the machine time in seconds from which on the guest listens, where that is known by now. */
  get listensFrom(): number | undefined {
    return this.#listensFrom
  }

  /**
   * A character from the line, with errors from Pl011Error if it has any. Returns false when it is lost: the FIFO is full,
   * which the guest sees as an overrun, or the receiver is off.
   */
  receive(character: number, errors = 0): boolean {
    if (!this.#receiverOn || this.#cr & Control.LBE) return false
    // Who polls has to ask as often again for the next one.
    this.#polls = 0
    this.#pollsFrom = (this.#options.waitForListener?.() ?? 0) + CHARACTER_GAP
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
  setModem(inputs: { cts?: boolean; dsr?: boolean; dcd?: boolean; ri?: boolean }): void {
    const place = (now: boolean | undefined, mask: number) => (now === undefined ? this.#modem & mask : now ? mask : 0)
    const modem =
      place(inputs.cts, Flag.CTS) |
      place(inputs.dsr, Flag.DSR) |
      place(inputs.dcd, Flag.DCD) |
      place(inputs.ri, Flag.RI)
    const before = this.flags
    this.#modem = modem
    this.#latchModem(before)
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
    this.#polls = 0
    if (this.#transmit.length >= this.depth) {
      this.lost++
      return
    }
    this.#transmit.push(character & 0xff)
    if (this.#transmit.length > this.#transmitLevel) this.#ris &= ~Pl011Interrupt.TX
    this.#send()
  }

  get rsr(): number {
    return this.#rsr
  }

  clearErrors(): void {
    this.#rsr = 0
  }

  /** A read of UARTFR. */
  readFlags(): number {
    if (this.#options.waitForListener) this.#countPoll(this.#options.waitForListener())
    return this.flags
  }

  #countPoll(now: number): void {
    if (this.#polls === POLLS || now < this.#pollsFrom) return
    if (++this.#polls === POLLS && this.canReceive) this.#options.receiveReady?.()
  }

  /** UARTFR as a read would show it. */
  get flags(): number {
    const empty = this.#transmit.length === 0
    return (
      this.#modemFlags |
      (empty ? Flag.TXFE : Flag.BUSY) |
      (this.#transmit.length >= this.depth ? Flag.TXFF : 0) |
      (this.#receive.length === 0 ? Flag.RXFE : 0) |
      (this.#receive.length >= this.depth ? Flag.RXFF : 0)
    )
  }

  get lcrH(): number {
    return this.#lcrH
  }

  /** Turning the FIFOs on or off empties them: what is in the one form has no place in the other. */
  set lcrH(value: number) {
    const couldReceive = this.canReceive
    this.#polls = 0
    if ((this.#lcrH ^ value) & LCR_H_FEN) {
      this.#receive.clear()
      this.#transmit.clear()
      this.#overrun = false
      this.#ris &= ~(Pl011Interrupt.RX | Pl011Interrupt.RT)
    }
    this.#lcrH = value & 0xff
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  get cr(): number {
    return this.#cr
  }

  set cr(value: number) {
    const before = this.flags
    const couldReceive = this.canReceive
    this.#polls = 0
    this.#cr = value & 0xff87
    this.#latchModem(before)
    this.#send()
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  get ifls(): number {
    return this.#ifls
  }

  /** A new level counts from the next character on, as the interrupts follow transitions (DDI 0183 3.3.9). */
  set ifls(value: number) {
    this.#ifls = value & 0x3f
  }

  get imsc(): number {
    return this.#imsc
  }

  set imsc(value: number) {
    const couldReceive = this.canReceive
    this.#polls = 0
    const receives = (value & (Pl011Interrupt.RX | Pl011Interrupt.RT)) !== 0
    if (!receives) this.#listensFrom = undefined
    else this.#listensFrom ??= (this.#options.waitForListener?.() ?? 0) + START_UP
    this.#imsc = value & ALL_INTERRUPTS
    if (!couldReceive && this.canReceive) this.#options.receiveReady?.()
  }

  get ris(): number {
    return this.#ris
  }

  clearInterrupts(mask: number): void {
    this.#ris &= ~mask
  }

  /** Brings the interrupt output up to date; the frame calls it after each access. */
  settle(): void {
    this.interrupt.set((this.#ris & this.#imsc) !== 0)
  }

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
      modem: this.#modem,
      polls: this.#polls,
      pollsFrom: this.#pollsFrom,
      listensFrom: this.#listensFrom ?? null,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    checkState('PL011', 1, SHAPE, state)
    const saved = state as Pl011State
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
    this.#modem = saved.modem
    this.#polls = saved.polls
    this.#pollsFrom = saved.pollsFrom
    this.#listensFrom = saved.listensFrom ?? undefined
    this.settle()
  }

  get #receiverOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (Control.UARTEN | Control.RXE)) === (Control.UARTEN | Control.RXE)
  }

  get #transmitterOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (Control.UARTEN | Control.TXE)) === (Control.UARTEN | Control.TXE)
  }

  get #receiveLevel(): number {
    return this.#lcrH & LCR_H_FEN ? LEVELS[(this.#ifls >>> 3) & 7]! : 1
  }

  get #transmitLevel(): number {
    return this.#lcrH & LCR_H_FEN ? LEVELS[this.#ifls & 7]! : 0
  }

  /** In loopback the modem outputs are the modem inputs (DDI 0183 3.3.8, LBE). */
  get #modemFlags(): number {
    if (!(this.#cr & Control.LBE)) return this.#modem
    const to = (output: number, input: number) => (this.#cr & output ? input : 0)
    return (
      to(Control.RTS, Flag.CTS) | to(Control.DTR, Flag.DSR) | to(Control.Out1, Flag.DCD) | to(Control.Out2, Flag.RI)
    )
  }

  #latchModem(before: number): void {
    const changed = before ^ this.flags
    if (changed & Flag.CTS) this.#ris |= Pl011Interrupt.CTS
    if (changed & Flag.DSR) this.#ris |= Pl011Interrupt.DSR
    if (changed & Flag.DCD) this.#ris |= Pl011Interrupt.DCD
    if (changed & Flag.RI) this.#ris |= Pl011Interrupt.RI
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

const SHAPE = {
  receive: list(whole(0, 0x7ff), DEPTH),
  transmit: list(whole(0, 0xff), DEPTH),
  overrun: flag,
  rsr: whole(0, 15),
  ilpr: whole(0, 0xff),
  ibrd: whole(0, 0xffff),
  fbrd: whole(0, 0x3f),
  lcrH: whole(0, 0xff),
  cr: whole(0, 0xffff),
  ifls: whole(0, 0x3f),
  imsc: whole(0, ALL_INTERRUPTS),
  ris: whole(0, ALL_INTERRUPTS),
  dmacr: whole(0, 7),
  modem: whole(0, 0x1ff),
  polls: whole(0, POLLS),
  pollsFrom: (value: unknown) => (Number.isFinite(value) ? undefined : 'must be a time'),
  listensFrom: (value: unknown) => (value === null || Number.isFinite(value) ? undefined : 'must be null or a time'),
}
