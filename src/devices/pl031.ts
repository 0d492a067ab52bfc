/**
 * The Arm PrimeCell real-time clock PL031 (DDI 0224): a counter of seconds with one alarm. Seconds come from a function, so the
 * machine decides whether they are the host's or virtual; the machine also calls when an alarm is due.
 */

import {
  bit,
  Frame,
  type FrameOptions,
  type InterruptSource,
  maskedStatus,
  notModelled,
  registerTable,
  type SourceGate,
  word,
} from '../mmio/index.ts'
import { Line, type LineListener } from './line.ts'
import { PRIMECELL_WIDTHS, primecellIds } from './primecell.ts'
import { checkState, flag, whole, word32 } from './saved-state.ts'

const WRAP = 2 ** 32

/** What a real-time clock goes by. */
export interface Pl031Options {
  /** Seconds since some origin, of which the fraction does not count; must not go back. The RTC shows the same until it is loaded. */
  now: () => number
  /** The interrupt RTCINTR; called on change only. */
  interrupt?: LineListener
}

/** Plain JSON. `offset` is what RTCDR is ahead of the machine's seconds; `due` the count at which RTCMR matches next. */
export interface Pl031State {
  /** What this is the state of. */
  kind: 'PL031'
  /** Raised when the meaning of a member changes. */
  version: 1
  /** Seconds that the count is ahead of the machine's. */
  offset: number
  /** Count at which the alarm comes next. */
  due: number
  /** RTCMR. */
  mr: number
  /** RTCLR. */
  lr: number
  /** RTCIMSC. */
  imsc: boolean
  /** RTCRIS. */
  ris: boolean
}

/** A PrimeCell real-time clock (DDI 0224): a counter of seconds with one alarm. */
export class Pl031 implements InterruptSource {
  readonly name = 'RTC'
  /** Its registers, 4 KiB, to be put on a bus. */
  readonly frame: Frame<Pl031>
  /** RTCINTR. */
  readonly interrupt: Line

  readonly #now: () => number
  /** The count, which does not wrap, is the machine's whole seconds and this. */
  #offset = 0
  /** The count at which the alarm comes next. */
  #due: number
  #mr = 0
  #lr = 0
  #imsc = false
  #ris = false

  constructor(options: Pl031Options, frame: FrameOptions<Pl031> = {}) {
    this.#now = options.now
    this.interrupt = new Line(options.interrupt)
    this.#due = this.#matchAfter(this.#count)
    this.frame = new Frame<Pl031>(pl031Table, this, { ...frame, settle: (device) => device.update() })
  }

  /** Back to the state after reset, in which the board's RTC runs and shows the machine's time. */
  reset(): void {
    this.#offset = 0
    this.#mr = 0
    this.#lr = 0
    this.#imsc = false
    this.#ris = false
    this.#due = this.#matchAfter(this.#count)
    this.update()
  }

  /** The machine's time, in the seconds of `now`, at which the interrupt rises unless the guest does something before. */
  get nextAlarm(): number | undefined {
    return this.#imsc && !this.#ris ? this.#due - this.#offset : undefined
  }

  /** Raises the interrupt when its time has come. */
  update(): void {
    const count = this.#count
    if (count >= this.#due) {
      this.#ris = true
      this.#due = this.#matchAfter(count)
    }
    this.interrupt.set(this.#ris && this.#imsc)
  }

  /** RTCDR. */
  get data(): number {
    return (this.#count % WRAP) | 0
  }

  /** RTCMR: the count at which the alarm comes. */
  get match(): number {
    return this.#mr
  }

  /** A match that is the present second is an alarm at once. */
  set match(value: number) {
    this.#mr = value
    this.#due = this.#matchAfter(this.#count - 1)
  }

  /** RTCLR: the count that was loaded last. */
  get load(): number {
    return this.#lr
  }

  /** A write of the register. */
  set load(value: number) {
    this.#lr = value
    this.#offset = (value >>> 0) - Math.floor(this.#now())
    if (this.#count < 0) this.#offset += WRAP
    this.#due = this.#matchAfter(this.#count - 1)
  }

  /** RTCIMSC: the alarm may interrupt. */
  get mask(): boolean {
    return this.#imsc
  }

  /** A write of the register. */
  set mask(on: boolean) {
    this.#imsc = on
  }

  /** RTCRIS. */
  get raw(): boolean {
    return this.#ris || this.#count >= this.#due
  }

  /** A write of RTCICR: takes the alarm back. */
  clear(): void {
    this.update()
    this.#ris = false
  }

  /** RTCINTR, by RTCRIS and RTCIMSC; an alarm that is to come says when (DDI 0224 3.3). */
  interruptGates(): SourceGate[] {
    const [alarm, mask] = maskedStatus(
      { register: 'RTCRIS', value: Number(this.raw) },
      { register: 'RTCIMSC', value: Number(this.#imsc) },
      { 'the alarm': 1 },
    )
    if (alarm!.open) return [alarm!, mask!]
    const past = this.#mr >>> 0 <= this.data >>> 0
    const when = past
      ? 'that second is past, and the alarm comes when they are equal'
      : `the alarm is due in ${this.#due - this.#count} s`
    const says = `RTCMR is ${this.#mr >>> 0} and RTCDR ${this.data >>> 0}: ${when}.`
    const remedy = past ? 'Write a second that is still to come to RTCMR.' : 'Wait, or write a nearer second to RTCMR.'
    return [{ ...alarm!, says, remedy }, mask!]
  }

  /** The state, as plain JSON. */
  snapshot(): Pl031State {
    return {
      kind: 'PL031',
      version: 1,
      offset: this.#offset,
      due: this.#due,
      mr: this.#mr >>> 0,
      lr: this.#lr >>> 0,
      imsc: this.#imsc,
      ris: this.#ris,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    checkState('PL031', 1, SHAPE, state)
    const saved = state as Pl031State
    this.#offset = saved.offset
    this.#due = saved.due
    this.#mr = saved.mr | 0
    this.#lr = saved.lr | 0
    this.#imsc = saved.imsc
    this.#ris = saved.ris
    this.update()
  }

  get #count(): number {
    return Math.floor(this.#now()) + this.#offset
  }

  /** The next count above `count` at which the low 32 bits are the match. */
  #matchAfter(count: number): number {
    return count + 1 + ((this.#mr - ((count + 1) % WRAP)) >>> 0)
  }
}

const FAR = 2 ** 52
const SHAPE = { offset: whole(-FAR, FAR), due: whole(0, FAR), mr: word32, lr: word32, imsc: flag, ris: flag }

const WIDTHS = { widths: PRIMECELL_WIDTHS }

// A read may come between the second of the alarm and the machine's call: the peek beside it makes the frame raise the line.
const raw = (rtc: Pl031) => Number(rtc.raw)
const masked = (rtc: Pl031) => Number(rtc.raw && rtc.mask)

/** DDI 0224, table 3-1. */
export const pl031Table = registerTable<Pl031>('PL031', 0x1000, [
  word('RTCDR', 0x000, { ...WIDTHS, read: (rtc) => rtc.data }),
  word('RTCMR', 0x004, {
    ...WIDTHS,
    read: (rtc) => rtc.match,
    write: (rtc, _, value) => {
      rtc.match = value
    },
    reset: 0,
  }),
  word('RTCLR', 0x008, {
    ...WIDTHS,
    read: (rtc) => rtc.load,
    write: (rtc, _, value) => {
      rtc.load = value
    },
    reset: 0,
  }),
  word('RTCCR', 0x00c, {
    ...WIDTHS,
    read: () => 1,
    write: () => {},
    reset: 1,
    fields: { Start: bit(0) },
    note: 'the clock of the board runs from reset on, and once started it cannot be stopped',
  }),
  word('RTCIMSC', 0x010, {
    ...WIDTHS,
    read: (rtc) => Number(rtc.mask),
    write: (rtc, _, value) => {
      rtc.mask = (value & 1) !== 0
    },
    reset: 0,
    fields: { IMSC: bit(0) },
  }),
  word('RTCRIS', 0x014, { ...WIDTHS, read: raw, peek: raw, reset: 0, fields: { RIS: bit(0) } }),
  word('RTCMIS', 0x018, { ...WIDTHS, read: masked, peek: masked, reset: 0, fields: { MIS: bit(0) } }),
  word('RTCICR', 0x01c, {
    ...WIDTHS,
    write: (rtc, _, value) => {
      if (value & 1) rtc.clear()
    },
    narrow: 'lanes',
    restore: false,
    fields: { ICR: bit(0) },
  }),
  notModelled('RTCITCR', 0x080, { ...WIDTHS, note: 'integration test' }),
  notModelled('RTCITIP', 0x084, { ...WIDTHS, note: 'integration test' }),
  notModelled('RTCITOP', 0x088, { ...WIDTHS, note: 'integration test' }),
  notModelled('RTCTOFFSET', 0x08c, { ...WIDTHS, note: 'integration test' }),
  notModelled('RTCTCOUNT', 0x090, { ...WIDTHS, note: 'integration test' }),
  // Revision 1, that of QEMU's board: tests for it compare all of the identification.
  ...primecellIds<Pl031>('RTC', 0x0014_1031),
])
