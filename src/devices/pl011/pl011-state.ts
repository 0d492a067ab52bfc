/** The state of the PL011 as plain JSON, and the check of what claims to be one. */

import { type ListenerState, POLLS } from '../listener.ts'
import { checkState, flag, list, timeOrNull, whole } from '../saved-state.ts'
import { ALL_INTERRUPTS, DEPTH } from './pl011-registers.ts'

/** Plain JSON. `receive` holds characters with their error bits. */
export interface Pl011State extends ListenerState {
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
