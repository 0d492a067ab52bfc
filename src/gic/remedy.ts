/**
 * What opens a closed gate, as data: the things to do in order, and the sentence made from them. A person reads the sentence,
 * a test or a page carries the actions out. It knows no registers: a gate names them.
 */

/** Memory that an action needs: its address goes into the value's address field. */
export interface MemoryNeed {
  /** How many, from there on. */
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
      /** Secure software has another view of the register: it must not write this value. */
      readonly nonSecureOnly?: boolean
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
      /** Secure state has its own copy of the register, or another use of it. */
      readonly nonSecureOnly?: boolean
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
  /** A command in the queue of an ITS: its four doublewords, low word first; the address of memory goes into the third. */
  | {
      readonly do: 'command'
      readonly its: number
      readonly command: string
      readonly words: readonly number[]
      readonly memory?: MemoryNeed
    }
  /** The LPI's configuration is read again: an INV or INVALL of an ITS where the Redistributor has no register for it. */
  | { readonly do: 'invalidate'; readonly intid: number; readonly cpu: number }
  /** A device's message that an ITS translates to this LPI on this PE. */
  | { readonly do: 'message'; readonly intid: number; readonly cpu: number }
  /** Nothing, until the PE has taken that interrupt, quietened its source and ended it. */
  | { readonly do: 'wait'; readonly intid: number; readonly cpu: number }

/** What opens a gate: a sentence, and the same as things to do. */
export interface Remedy {
  /** One or two sentences. */
  readonly text: string
  /** In order; empty where no software and no device can do it: the text says who can. */
  readonly actions: readonly RemedyAction[]
}

/** A value of two words, as software writes it. */
export function hexWords(low: number, high: number): string {
  return high === 0 ? hex(low) : `0x${(high >>> 0).toString(16)}${(low >>> 0).toString(16).padStart(8, '0')}`
}

export function hex(value: number): string {
  return `0x${(value >>> 0).toString(16)}`
}

/** A remedy in the words of its actions, with what a person should know before and after them. */
export function remedy(actions: readonly RemedyAction[], words: { before?: string; after?: string } = {}): Remedy {
  const { before, after } = words
  const goesOn = before !== undefined && /[,:]$/.test(before)
  const told = goesOn ? tellLower(actions) : tell(actions)
  const text = before === undefined ? told : `${before} ${told}`
  return { text: `${text}${after ?? ''}.`, actions }
}

/** What only somebody else can do: no action goes with it. */
export function advice(text: string): Remedy {
  return { text, actions: [] }
}

/** The actions as one sentence without its full stop. */
export function tell(actions: readonly RemedyAction[]): string {
  const parts = actions.map(told)
  return parts.map((part, i) => (i === 0 ? part : part[0]!.toLowerCase() + part.slice(1))).join(', then ')
}

/** The same, to go on in a sentence. */
export function tellLower(actions: readonly RemedyAction[]): string {
  const text = tell(actions)
  return text[0]!.toLowerCase() + text.slice(1)
}

function told(action: RemedyAction): string {
  switch (action.do) {
    case 'write':
      return writeTold(action) + memoryTold(action.memory)
    case 'sysreg': {
      const { register, value, high, cpu, el, secure, nonSecureOnly } = action
      return `Write ${hexWords(value, high)} to ${register} on PE ${cpu}${levelTold(el, secure, nonSecureOnly)}`
    }
    case 'memory':
      return `Write ${action.size === 1 ? 'byte ' : ''}${hexWords(action.value, action.high)} to memory at 0x${action.address.toString(16)}${memoryTold(action.memory)}`
    case 'line':
      return action.level ? 'Raise its line' : 'Lower its line'
    case 'command':
      return `Use the command ${action.command}${memoryTold(action.memory)}`
    case 'invalidate':
      return 'Invalidate it (INV or INVALL)'
    case 'message':
      return 'Send its message'
    case 'wait':
      return `Wait until CPU ${action.cpu} has taken INTID ${action.intid} and ended it`
  }
}

function writeTold(action: Extract<RemedyAction, { do: 'write' }>): string {
  const { frame, register, offset, size, value, high, cpu, secure, nonSecureOnly, field } = action
  const number = hexWords(value, high)
  const what =
    field !== undefined
      ? `${(value | high) === 0 ? 'Clear' : 'Set'} ${register}.${field}${(value | high) === 0 ? '' : ` (write ${number})`}`
      : size === 1
        ? `Write byte ${number} to ${register} (offset ${hex(offset)})`
        : `Write ${number} to ${register}`
  const banked =
    frame === 'GICC'
      ? ` on CPU ${cpu}`
      : /^GICD_\D+0$/.test(register)
        ? ` from CPU ${cpu} (the register is banked)`
        : ''
  const owner = /^GICR (\d+)$/.exec(frame)
  return `${what}${banked}${owner ? ` in PE ${owner[1]}'s Redistributor` : ''}${accessTold(secure, nonSecureOnly)}`
}

function accessTold(secure: boolean, nonSecureOnly: boolean | undefined): string {
  return secure ? ' by a Secure access' : nonSecureOnly ? ' by a Non-secure access' : ''
}

function levelTold(el: number, secure: boolean, nonSecureOnly: boolean | undefined): string {
  if (el === 3) return secure ? ' at EL3' : ' at EL3 with SCR_EL3.NS set'
  return secure ? ' in Secure state' : nonSecureOnly ? ' in Non-secure state' : ''
}

function memoryTold(memory: MemoryNeed | undefined): string {
  return memory === undefined ? '' : ` with the address of ${memory.bytes} zeroed bytes`
}
