/**
 * The registers of the PL011 as its manual has them (DDI 0183, table 3-1): offsets, bits and reset values. What they do is in
 * `pl011.ts`.
 */

import { bit, bits, notModelled, registerTable, stored, word } from '../../mmio/index.ts'
import { PRIMECELL_WIDTHS, primecellIds } from '../primecell.ts'

/** What the registers show of a UART, and what they do to it. Values are the registers' own. */
export interface Pl011Registers {
  /** UARTDR, as a read shows it, and the read, which takes the character. */
  readonly data: number
  readData(): number
  writeData(character: number): void
  readonly rsr: number
  clearErrors(): void
  /** UARTFR; a read by the guest also tells that its driver polls. */
  readonly flags: number
  readFlags(): number
  lcrH: number
  cr: number
  ifls: number
  imsc: number
  readonly ris: number
  clearInterrupts(mask: number): void
  /** Registers that are kept and have no effect, by Cell. */
  readonly cells: Int32Array
}

/** Bits of UARTRIS, UARTMIS, UARTIMSC and UARTICR. */
export const Pl011Interrupt = {
  /** Ring indicator changed. */
  RI: 1 << 0,
  /** Clear to send changed. */
  CTS: 1 << 1,
  /** Carrier detect changed. */
  DCD: 1 << 2,
  /** Data set ready changed. */
  DSR: 1 << 3,
  /** The receive FIFO is as full as UARTIFLS says. */
  RX: 1 << 4,
  /** The transmit FIFO is as empty as UARTIFLS says. */
  TX: 1 << 5,
  /** Characters wait, and none has come for a while. */
  RT: 1 << 6,
  /** Framing error. */
  FE: 1 << 7,
  /** Parity error. */
  PE: 1 << 8,
  /** Break. */
  BE: 1 << 9,
  /** Overrun: a character was lost. */
  OE: 1 << 10,
} as const
export const ALL_INTERRUPTS = 0x7ff

/** Errors of a received character, as UARTDR shows them above its data. */
export const Pl011Error = { framing: 1 << 8, parity: 1 << 9, break: 1 << 10, overrun: 1 << 11 } as const

/** Bits of UARTFR. */
export const Flag = {
  CTS: 1 << 0,
  DSR: 1 << 1,
  DCD: 1 << 2,
  BUSY: 1 << 3,
  RXFE: 1 << 4,
  TXFF: 1 << 5,
  RXFF: 1 << 6,
  TXFE: 1 << 7,
  RI: 1 << 8,
} as const

/** Characters in each FIFO when FIFOs are enabled (DDI 0183, revision 3 and 4 of the part: 16); 1 when they are not. */
export const DEPTH = 16

export const LCR_H_FEN = 1 << 4

/** Bits of UARTCR that have an effect here; the modem outputs only in loopback. */
export const Control = {
  UARTEN: 1 << 0,
  LBE: 1 << 7,
  TXE: 1 << 8,
  RXE: 1 << 9,
  DTR: 1 << 10,
  RTS: 1 << 11,
  Out1: 1 << 12,
  Out2: 1 << 13,
} as const
export const CR_RESET = Control.TXE | Control.RXE
export const IFLS_RESET = 0x12

/** Words of `cells`, which are kept and have no effect. */
export const Cell = { ILPR: 0, IBRD: 1, FBRD: 2, DMACR: 3 } as const

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

/** The table of the registers, over whatever has them. */
export const pl011Table = registerTable<Pl011Registers>('PL011', 0x1000, [
  word('UARTDR', 0x000, {
    ...WIDTHS,
    read: (uart) => uart.readData(),
    peek: (uart) => uart.data,
    write: (uart, _, value, mask) => {
      if (mask & 0xff) uart.writeData(value)
    },
    narrow: 'lanes',
    restore: false,
    fields: { DATA: bits(7, 0), FE: bit(8), PE: bit(9), BE: bit(10), OE: bit(11) },
  }),
  word('UARTRSR_ECR', 0x004, {
    ...WIDTHS,
    read: (uart) => uart.rsr,
    write: (uart) => uart.clearErrors(),
    restore: false,
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
  stored('UARTILPR', 0x020, (uart) => uart.cells, { ...WIDTHS, start: Cell.ILPR, mask: 0xff, reset: 0 }),
  stored('UARTIBRD', 0x024, (uart) => uart.cells, { ...WIDTHS, start: Cell.IBRD, mask: 0xffff, reset: 0 }),
  stored('UARTFBRD', 0x028, (uart) => uart.cells, { ...WIDTHS, start: Cell.FBRD, mask: 0x3f, reset: 0 }),
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
    restore: false,
    fields: INTERRUPTS,
  }),
  stored('UARTDMACR', 0x048, (uart) => uart.cells, { ...WIDTHS, start: Cell.DMACR, mask: 7, reset: 0 }),
  notModelled('UARTTCR', 0x080, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTITIP', 0x084, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTITOP', 0x088, { ...WIDTHS, note: 'integration test' }),
  notModelled('UARTTDR', 0x08c, { ...WIDTHS, note: 'integration test' }),
  ...primecellIds<Pl011Registers>('UART', 0x0014_1011),
])
