/**
 * What opens a closed gate, as data: the things to do in order, and the sentence made from them. A person reads the sentence,
 * a test or a page carries the actions out. It knows no registers: a gate names them.
 */

/** Memory that an action needs: its address goes into the value's address field. */
export interface MemoryNeed {
  readonly bytes: number
  /** A power of two. */
  readonly align: number
}

/** One thing to do, by software on a PE, by a device, or by nobody: to wait. 64-bit values are two unsigned words. */
export type RemedyAction =
  /** A write to a register of a frame, which has the name that access events give it: `GICD`, `GICR 3`. */
  | {
      readonly do: 'write'
      readonly frame: string
      readonly register: string
      readonly offset: number
      readonly size: 1 | 4 | 8
      readonly value: number
      readonly high: number
      /** Who writes: it matters where a register is banked. */
      readonly cpu: number
      readonly secure: boolean
      /** The one field that this is about; the others of `value` are as they are now. */
      readonly field?: string
      readonly memory?: MemoryNeed
    }
  /** MSR, from the exception level and Security state (at EL3: SCR_EL3.NS is 0) in which it does what is wanted. */
  | {
      readonly do: 'sysreg'
      readonly register: string
      readonly value: number
      readonly high: number
      readonly cpu: number
      readonly el: 0 | 1 | 2 | 3
      readonly secure: boolean
    }
  /** A write to memory. */
  | {
      readonly do: 'memory'
      readonly address: number
      readonly size: 1 | 8
      readonly value: number
      readonly high: number
      readonly memory?: MemoryNeed
    }
  /** An input wire of the GIC; `cpu` is -1 for one that all share. */
  | { readonly do: 'line'; readonly intid: number; readonly cpu: number; readonly level: boolean }
  /** A command in the queue of an ITS: its four doublewords, low word first. */
  | {
      readonly do: 'command'
      readonly command: string
      readonly words: readonly number[]
      readonly memory?: MemoryNeed
    }
  /** A device's message that an ITS translates to this LPI on this PE. */
  | { readonly do: 'message'; readonly intid: number; readonly cpu: number }
  /** Nothing, until the PE has taken that interrupt, quietened its source and ended it. */
  | { readonly do: 'wait'; readonly intid: number; readonly cpu: number }

export interface Remedy {
  /** One or two sentences. */
  readonly text: string
  /** In order; empty where no software and no device can do it: the text says who can. */
  readonly actions: readonly RemedyAction[]
}

const hex = (value: number) => `0x${value.toString(16)}`

/** A value of two words, as software writes it. */
export function hexWords(low: number, high: number): string {
  return high === 0 ? hex(low >>> 0) : `0x${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, '0')}`
}
