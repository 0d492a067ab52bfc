/**
 * The Arm PrimeCell UART PL011 (DDI 0183), without its wire: characters go to a function and come from one, at once. Character
 * format, baud rate, hardware flow control, IrDA and DMA requests are kept as written and have no effect.
 */

import { bit, bits, Frame, type FrameOptions, notModelled, registerTable, stored, word } from '../mmio/index.ts'
import { Fifo } from './fifo.ts'
import { Line, type LineListener } from './line.ts'
import { PRIMECELL_WIDTHS, primecellIds } from './primecell.ts'
import { checkState, flag, list, whole } from './saved-state.ts'

/** Characters in each FIFO when FIFOs are enabled (DDI 0183, revision 3 and 4 of the part: 16); 1 when they are not. */
const DEPTH = 16

/** Bits of UARTRIS, UARTMIS, UARTIMSC and UARTICR. */
export const Interrupt = {
  RI: 1 << 0,
  CTS: 1 << 1,
  DCD: 1 << 2,
  DSR: 1 << 3,
  RX: 1 << 4,
  TX: 1 << 5,
  RT: 1 << 6,
  FE: 1 << 7,
  PE: 1 << 8,
  BE: 1 << 9,
  OE: 1 << 10,
} as const
const ALL_INTERRUPTS = 0x7ff

/** Errors of a received character, as UARTDR shows them above its data. */
export const ReceiveError = { framing: 1 << 8, parity: 1 << 9, break: 1 << 10, overrun: 1 << 11 } as const

const LCR_H_FEN = 1 << 4
const CR_UARTEN = 1 << 0
const CR_LBE = 1 << 7
const CR_TXE = 1 << 8
const CR_RXE = 1 << 9
const CR_RESET = CR_TXE | CR_RXE
const IFLS_RESET = 0x12

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
   * Machine time in seconds. With it, characters are taken from the host only while the guest listens: it polls, or has
   * unmasked a receive interrupt some time ago. For input that does not wait for a person, as from a pipe: a driver that
   * starts up throws away what it finds in the FIFO, and Linux's unmasks the interrupt before it does.
   */
  waitForListener?: () => number
}

/** How long a receive interrupt must be unmasked until the driver counts as started, in seconds of machine time. */
const START_UP = 0.01

/** Reads of UARTFR in a row, with nothing sent and nothing set between, that count as polling for input. */
const POLLS = 8

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
  /** Seconds of machine time; null while receive interrupts are masked. */
  listensFrom: number | null
}

/** Cells that are kept and have no effect. */
const ILPR = 0
const IBRD = 1
const FBRD = 2
const DMACR = 3

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
    this.#listensFrom = undefined
    this.settle()
  }

  /** Whether `receive` would take a character now: the host's flow control. */
  get canReceive(): boolean {
    if (this.#options.waitForListener && !this.listening) return false
    return this.#receiverOn && !(this.#cr & CR_LBE) && this.#receive.length < this.depth
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
   * A character from the line, with errors from ReceiveError if it has any. Returns false when it is lost: the FIFO is full,
   * which the guest sees as an overrun, or the receiver is off.
   */
  receive(character: number, errors = 0): boolean {
    if (!this.#receiverOn || this.#cr & CR_LBE) return false
    return this.#take((character & 0xff) | (errors & 0x700))
  }

  /** The 32 bit periods since the last character are over (DDI 0183 2.8.1, UARTRTINTR). */
  receiveTimeout(): void {
    if (this.#receive.length === 0) return
    this.#ris |= Interrupt.RT
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
      place(inputs.cts, FR_CTS) | place(inputs.dsr, FR_DSR) | place(inputs.dcd, FR_DCD) | place(inputs.ri, FR_RI)
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
    return this.#receive.front | (this.#overrun ? ReceiveError.overrun : 0)
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
    if (this.#receive.length < this.#receiveLevel) this.#ris &= ~Interrupt.RX
    if (this.#receive.length === 0) this.#ris &= ~Interrupt.RT
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
    if (this.#transmit.length > this.#transmitLevel) this.#ris &= ~Interrupt.TX
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
    if (this.#polls < POLLS && ++this.#polls === POLLS && this.canReceive) this.#options.receiveReady?.()
    return this.flags
  }

  /** UARTFR as a read would show it. */
  get flags(): number {
    const empty = this.#transmit.length === 0
    return (
      this.#modemFlags |
      (empty ? FR_TXFE : FR_BUSY) |
      (this.#transmit.length >= this.depth ? FR_TXFF : 0) |
      (this.#receive.length === 0 ? FR_RXFE : 0) |
      (this.#receive.length >= this.depth ? FR_RXFF : 0)
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
      this.#ris &= ~(Interrupt.RX | Interrupt.RT)
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
    const receives = (value & (Interrupt.RX | Interrupt.RT)) !== 0
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
      ilpr: this.cells[ILPR]!,
      ibrd: this.cells[IBRD]!,
      fbrd: this.cells[FBRD]!,
      lcrH: this.#lcrH,
      cr: this.#cr,
      ifls: this.#ifls,
      imsc: this.#imsc,
      ris: this.#ris,
      dmacr: this.cells[DMACR]!,
      modem: this.#modem,
      polls: this.#polls,
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
    this.#listensFrom = saved.listensFrom ?? undefined
    this.settle()
  }

  get #receiverOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (CR_UARTEN | CR_RXE)) === (CR_UARTEN | CR_RXE)
  }

  get #transmitterOn(): boolean {
    return !this.#options.strictEnable || (this.#cr & (CR_UARTEN | CR_TXE)) === (CR_UARTEN | CR_TXE)
  }

  get #receiveLevel(): number {
    return this.#lcrH & LCR_H_FEN ? LEVELS[(this.#ifls >>> 3) & 7]! : 1
  }

  get #transmitLevel(): number {
    return this.#lcrH & LCR_H_FEN ? LEVELS[this.#ifls & 7]! : 0
  }

  /** In loopback the modem outputs are the modem inputs (DDI 0183 3.3.8, LBE). */
  get #modemFlags(): number {
    if (!(this.#cr & CR_LBE)) return this.#modem
    const to = (position: number, mask: number) => ((this.#cr >>> position) & 1 ? mask : 0)
    return to(11, FR_CTS) | to(10, FR_DSR) | to(12, FR_DCD) | to(13, FR_RI)
  }

  #latchModem(before: number): void {
    const changed = before ^ this.flags
    if (changed & FR_CTS) this.#ris |= Interrupt.CTS
    if (changed & FR_DSR) this.#ris |= Interrupt.DSR
    if (changed & FR_DCD) this.#ris |= Interrupt.DCD
    if (changed & FR_RI) this.#ris |= Interrupt.RI
  }

  #take(character: number): boolean {
    if (this.#receive.length >= this.depth) {
      this.#overrun = true
      this.#rsr |= 8
      this.#ris |= Interrupt.OE
      this.settle()
      return false
    }
    this.#receive.push(character)
    if (character & ReceiveError.framing) this.#ris |= Interrupt.FE
    if (character & ReceiveError.parity) this.#ris |= Interrupt.PE
    if (character & ReceiveError.break) this.#ris |= Interrupt.BE
    if (this.#receive.length >= this.#receiveLevel) this.#ris |= Interrupt.RX
    if (this.#options.startReceiveTimeout !== undefined) this.#options.startReceiveTimeout()
    else this.#ris |= Interrupt.RT
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
        if (this.#cr & CR_LBE) {
          if (this.#receiverOn) this.#take(character)
        } else if (this.#options.transmit?.(character) === false) break
        this.#transmit.shift()
        if (this.#transmit.length <= this.#transmitLevel) this.#ris |= Interrupt.TX
      }
    } finally {
      this.#sending = false
    }
  }
}

const FR_CTS = 1 << 0
const FR_DSR = 1 << 1
const FR_DCD = 1 << 2
const FR_BUSY = 1 << 3
const FR_RXFE = 1 << 4
const FR_TXFF = 1 << 5
const FR_RXFF = 1 << 6
const FR_TXFE = 1 << 7
const FR_RI = 1 << 8

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
  listensFrom: (value: unknown) =>
    value === null || (typeof value === 'number' && Number.isFinite(value)) ? undefined : 'must be null or a time',
}

const WIDTHS = { widths: PRIMECELL_WIDTHS }

const INTERRUPTS = {
  RI: bit(0),
  CTS: bit(1),
  DCD: bit(2),
  DSR: bit(3),
  RX: bit(4),
  TX: bit(5),
  RT: bit(6),
  FE: bit(7),
  PE: bit(8),
  BE: bit(9),
  OE: bit(10),
}

/** DDI 0183, table 3-1. */
export const pl011Table = registerTable<Pl011>('PL011', 0x1000, [
  word('UARTDR', 0x000, {
    ...WIDTHS,
    read: (uart) => uart.readData(),
    peek: (uart) => uart.data,
    write: (uart, _, value, mask) => {
      if (mask & 0xff) uart.writeData(value)
    },
    narrow: 'lanes',
    restore: () => {},
    fields: { DATA: bits(7, 0), FE: bit(8), PE: bit(9), BE: bit(10), OE: bit(11) },
  }),
  word('UARTRSR_ECR', 0x004, {
    ...WIDTHS,
    read: (uart) => uart.rsr,
    write: (uart) => uart.clearErrors(),
    restore: () => {},
    reset: 0,
    fields: { FE: bit(0), PE: bit(1), BE: bit(2), OE: bit(3) },
  }),
  word('UARTFR', 0x018, {
    ...WIDTHS,
    read: (uart) => uart.readFlags(),
    peek: (uart) => uart.flags,
    reset: 0x90,
    fields: {
      CTS: bit(0),
      DSR: bit(1),
      DCD: bit(2),
      BUSY: bit(3),
      RXFE: bit(4),
      TXFF: bit(5),
      RXFF: bit(6),
      TXFE: bit(7),
      RI: bit(8),
    },
  }),
  stored('UARTILPR', 0x020, (uart) => uart.cells, { ...WIDTHS, start: ILPR, mask: 0xff, reset: 0 }),
  stored('UARTIBRD', 0x024, (uart) => uart.cells, { ...WIDTHS, start: IBRD, mask: 0xffff, reset: 0 }),
  stored('UARTFBRD', 0x028, (uart) => uart.cells, { ...WIDTHS, start: FBRD, mask: 0x3f, reset: 0 }),
  word('UARTLCR_H', 0x02c, {
    ...WIDTHS,
    read: (uart) => uart.lcrH,
    write: (uart, _, value) => {
      uart.lcrH = value
    },
    reset: 0,
    fields: { BRK: bit(0), PEN: bit(1), EPS: bit(2), STP2: bit(3), FEN: bit(4), WLEN: bits(6, 5), SPS: bit(7) },
  }),
  word('UARTCR', 0x030, {
    ...WIDTHS,
    read: (uart) => uart.cr,
    write: (uart, _, value) => {
      uart.cr = value
    },
    reset: CR_RESET,
    fields: {
      UARTEN: bit(0),
      SIREN: bit(1),
      SIRLP: bit(2),
      LBE: bit(7),
      TXE: bit(8),
      RXE: bit(9),
      DTR: bit(10),
      RTS: bit(11),
      Out1: bit(12),
      Out2: bit(13),
      RTSEn: bit(14),
      CTSEn: bit(15),
    },
  }),
  word('UARTIFLS', 0x034, {
    ...WIDTHS,
    read: (uart) => uart.ifls,
    write: (uart, _, value) => {
      uart.ifls = value
    },
    reset: IFLS_RESET,
    fields: { TXIFLSEL: bits(2, 0), RXIFLSEL: bits(5, 3) },
  }),
  word('UARTIMSC', 0x038, {
    ...WIDTHS,
    read: (uart) => uart.imsc,
    write: (uart, _, value) => {
      uart.imsc = value
    },
    reset: 0,
    fields: INTERRUPTS,
  }),
  word('UARTRIS', 0x03c, { ...WIDTHS, read: (uart) => uart.ris, reset: 0, fields: INTERRUPTS }),
  word('UARTMIS', 0x040, { ...WIDTHS, read: (uart) => uart.ris & uart.imsc, reset: 0, fields: INTERRUPTS }),
  word('UARTICR', 0x044, {
    ...WIDTHS,
    write: (uart, _, value) => uart.clearInterrupts(value),
    narrow: 'lanes',
    restore: () => {},
    fields: INTERRUPTS,
  }),
  stored('UARTDMACR', 0x048, (uart) => uart.cells, { ...WIDTHS, start: DMACR, mask: 7, reset: 0 }),
  notModelled('UARTTCR', 0x080, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTITIP', 0x084, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTITOP', 0x088, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTTDR', 0x08c, { ...WIDTHS, note: 'integration test' }),
  ...primecellIds<Pl011>('UART', 0x0014_1011),
])
