/** The state of the PL011 as plain JSON, and the check of what claims to be one. */

import { type ListenerState, POLLS } from '../listener.ts'
import { checkState, flag, list, timeOrNull, whole } from '../saved-state.ts'
import { ALL_INTERRUPTS, DEPTH } from './pl011-registers.ts'

/** Plain JSON. `receive` holds characters with their error bits. */
export interface Pl011State extends ListenerState {
  /** What this is the state of. */
  kind: 'PL011'
  /** Raised when the meaning of a member changes. */
  version: 1
  /** Characters that wait in the receive FIFO, errors in bits 11:8. */
  receive: number[]
  /** Characters that wait to be sent. */
  transmit: number[]
  /** A character was lost since the one read last. */
  overrun: boolean
  /** UARTRSR. */
  rsr: number
  /** UARTILPR. */
  ilpr: number
  /** UARTIBRD. */
  ibrd: number
  /** UARTFBRD. */
  fbrd: number
  /** UARTLCR_H. */
  lcrH: number
  /** UARTCR. */
  cr: number
  /** UARTIFLS. */
  ifls: number
  /** UARTIMSC. */
  imsc: number
  /** UARTRIS but for what follows from FIFOs and wires. */
  ris: number
  /** UARTDMACR. */
  dmacr: number
  /** The modem's input wires, as UARTFR has them. */
  modem: number
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
  listensFrom: timeOrNull,
}

/** Throws a SavedStateError for anything but a state. */
export function checkPl011(state: unknown): Pl011State {
  checkState('PL011', 1, SHAPE, state)
  return state as Pl011State
}
