/**
 * The Arm PrimeCell GPIO PL061 (DDI 0190): eight pins, each an input or an output, with level and edge interrupts. On the board
 * pin 3 is the power button. Hardware control of pins (GPIOAFSEL) is kept as written and has no effect.
 */

import {
  Frame,
  type FrameOptions,
  type InterruptSource,
  maskedStatus,
  notModelled,
  type Row,
  registerTable,
  type SourceGate,
  stored,
  word,
} from '../mmio/index.ts'
import { Line, type LineListener } from './line.ts'
import { PRIMECELL_WIDTHS, primecellIds } from './primecell.ts'
import { checkState, whole } from './saved-state.ts'

/** What the pins are wired to. */
export interface Pl061Options {
  /** The interrupt GPIOINTR; called on change only. */
  interrupt?: LineListener
  /** Levels of the pins that are outputs, a bit each; called on change only. `driven` has a 1 for each output. */
  output?: (levels: number, driven: number) => void
}

/** Plain JSON; each value has a bit for each pin. */
export interface Pl061State {
  /** What this is the state of. */
  kind: 'PL061'
  /** Raised when the meaning of a member changes. */
  version: 1
  /** Levels that outputs are driven to, a bit a pin. */
  data: number
  /** Levels of the input wires. */
  inputs: number
  /** GPIODIR: 1 is an output. */
  direction: number
  /** GPIOIS: 1 is level-sensitive. */
  sense: number
  /** GPIOIBE. */
  bothEdges: number
  /** GPIOIEV: 1 is a rising edge or a high level. */
  event: number
  /** GPIOIE. */
  mask: number
  /** Edges that have come. */
  latched: number
  /** GPIOAFSEL. */
  alternate: number
}

/** A PrimeCell GPIO (DDI 0190): eight pins that may interrupt by level or edge. */
export class Pl061 implements InterruptSource {
  readonly name = 'GPIO'
  /** Its registers, 4 KiB, to be put on a bus. */
  readonly frame: Frame<Pl061>
  /** GPIOINTR. */
  readonly interrupt: Line
  /** GPIODIR: 1 is an output. */
  direction = 0
  /** GPIOIS: 1 is level-sensitive. */
  sense = 0
  /** GPIOIBE: 1 is both edges, whatever GPIOIEV says. */
  bothEdges = 0
  /** GPIOIEV: 1 is the rising edge, or the high level. */
  event = 0
  /** GPIOIE. */
  mask = 0
  /** GPIOAFSEL. */
  readonly alternate = new Int32Array(1)

  readonly #output: ((levels: number, driven: number) => void) | undefined
  /** What was written for outputs. */
  #data = 0
  #inputs = 0
  /** Edges seen and not cleared. */
  #latched = 0
  /** Pin levels at the last look, for edges. */
  #seen = 0
  #shown = 0

  constructor(options: Pl061Options = {}, frame: FrameOptions<Pl061> = {}) {
    this.interrupt = new Line(options.interrupt)
    this.#output = options.output
    this.frame = new Frame<Pl061>(pl061Table, this, { ...frame, settle: (device) => device.settle() })
  }

  /** Back to the state after reset: all pins are inputs. Their levels are the board's and stay. */
  reset(): void {
    this.direction = 0
    this.sense = 0
    this.bothEdges = 0
    this.event = 0
    this.mask = 0
    this.alternate[0] = 0
    this.#data = 0
    this.#latched = 0
    this.#seen = this.levels
    this.settle()
  }

  /** The level that the board puts on a pin, 0 to 7. On a pin that is an output it has no effect yet. */
  setInput(pin: number, level: boolean): void {
    if (!(Number.isInteger(pin) && pin >= 0 && pin < 8))
      throw new RangeError(`PL061: there is no pin ${pin}, only 0 to 7`)
    this.#inputs = level ? this.#inputs | (1 << pin) : this.#inputs & ~(1 << pin)
    this.settle()
  }

  /** Levels of all pins. */
  get levels(): number {
    return (this.#data & this.direction) | (this.#inputs & ~this.direction & 0xff)
  }

  /** A write of GPIODATA with these address bits [9:2]: changes outputs only. */
  writeData(pins: number, value: number): void {
    const written = pins & this.direction
    this.#data = (this.#data & ~written) | (value & written)
  }

  /** GPIORIS. */
  get raw(): number {
    const active = ~(this.levels ^ this.event) & this.sense & 0xff
    return active | (this.#latched & ~this.sense)
  }

  /** Clears edges; a level stays while it is there. */
  clear(mask: number): void {
    this.#latched &= ~mask
  }

  /** Looks for edges and brings the outputs up to date; the frame calls it after each write. */
  settle(): void {
    const levels = this.levels
    const changed = levels ^ this.#seen
    this.#seen = levels
    const wanted = this.bothEdges | ~(levels ^ this.event)
    this.#latched |= changed & wanted & ~this.sense & 0xff
    this.interrupt.set((this.raw & this.mask) !== 0)
    const shown = (this.direction << 8) | (levels & this.direction)
    if (shown === this.#shown) return
    this.#shown = shown
    this.#output?.(levels & this.direction, this.direction)
  }

  /** GPIOINTR, by GPIORIS and GPIOIE, a bit for each pin (DDI 0190 3.2). */
  interruptGates(): SourceGate[] {
    return maskedStatus({ register: 'GPIORIS', value: this.raw }, { register: 'GPIOIE', value: this.mask }, PINS)
  }

  /** The state, as plain JSON. */
  snapshot(): Pl061State {
    return {
      kind: 'PL061',
      version: 1,
      data: this.#data,
      inputs: this.#inputs,
      direction: this.direction,
      sense: this.sense,
      bothEdges: this.bothEdges,
      event: this.event,
      mask: this.mask,
      latched: this.#latched,
      alternate: this.alternate[0]!,
    }
  }

  /** Throws a SavedStateError, and changes nothing, for anything but what `snapshot` gives. */
  restore(state: unknown): void {
    checkState('PL061', 1, SHAPE, state)
    const saved = state as Pl061State
    this.#data = saved.data
    this.#inputs = saved.inputs
    this.direction = saved.direction
    this.sense = saved.sense
    this.bothEdges = saved.bothEdges
    this.event = saved.event
    this.mask = saved.mask
    this.#latched = saved.latched
    this.alternate[0] = saved.alternate
    this.#seen = this.levels
    this.settle()
  }
}

const PINS = Object.fromEntries(Array.from({ length: 8 }, (_, pin) => [`pin ${pin}`, 1 << pin]))

const byte = whole(0, 0xff)
const SHAPE = {
  data: byte,
  inputs: byte,
  direction: byte,
  sense: byte,
  bothEdges: byte,
  event: byte,
  mask: byte,
  latched: byte,
  alternate: byte,
}

const WIDTHS = { widths: PRIMECELL_WIDTHS }

/** A register of one bit for each pin, kept in a property of the device. */
function pins(name: string, offset: number, key: 'direction' | 'sense' | 'bothEdges' | 'event' | 'mask'): Row<Pl061> {
  return word(name, offset, {
    ...WIDTHS,
    read: (gpio) => gpio[key],
    write: (gpio, _, value) => {
      gpio[key] = value & 0xff
    },
    reset: 0,
  })
}

/** DDI 0190, table 3-1. */
export const pl061Table = registerTable<Pl061>('PL061', 0x1000, [
  word('GPIODATAn', 0x000, {
    ...WIDTHS,
    count: 256,
    read: (gpio, index) => gpio.levels & index,
    write: (gpio, index, value, mask) => gpio.writeData(index & mask, value),
    narrow: 'lanes',
    restore: false,
    note: 'one register at 256 addresses: the address bits [9:2] are a mask of the pins',
  }),
  pins('GPIODIR', 0x400, 'direction'),
  pins('GPIOIS', 0x404, 'sense'),
  pins('GPIOIBE', 0x408, 'bothEdges'),
  pins('GPIOIEV', 0x40c, 'event'),
  pins('GPIOIE', 0x410, 'mask'),
  word('GPIORIS', 0x414, { ...WIDTHS, read: (gpio) => gpio.raw, reset: 0 }),
  word('GPIOMIS', 0x418, { ...WIDTHS, read: (gpio) => gpio.raw & gpio.mask, reset: 0 }),
  word('GPIOIC', 0x41c, {
    ...WIDTHS,
    write: (gpio, _, value) => gpio.clear(value),
    narrow: 'lanes',
    restore: false,
  }),
  stored('GPIOAFSEL', 0x420, (gpio) => gpio.alternate, { ...WIDTHS, mask: 0xff, reset: 0 }),
  notModelled('GPIOITCR', 0x600, { ...WIDTHS, note: 'integration test' }),
  notModelled('GPIOITIP1', 0x604, { ...WIDTHS, note: 'integration test' }),
  notModelled('GPIOITIP2', 0x608, { ...WIDTHS, note: 'integration test' }),
  notModelled('GPIOITOP1', 0x60c, { ...WIDTHS, note: 'integration test' }),
  notModelled('GPIOITOP2', 0x610, { ...WIDTHS, note: 'integration test' }),
  notModelled('GPIOITOP3', 0x614, { ...WIDTHS, note: 'integration test' }),
  ...primecellIds<Pl061>('GPIO', 0x0004_1061),
])
