/**
 * What a GIC tells whoever listens: one typed stream of accesses, state changes, signals, acknowledgements and misuse.
 * Nothing is built or called when nobody listens. Events describe; they never decide.
 */

import type { OutcomeName } from '../mmio/index.ts'

/** An output wire of a CPU interface. */
export type OutputLine = 'irq' | 'fiq'

/** A part of an interrupt's state, as events name it. */
export type StateName =
  | 'line'
  | 'pending'
  | 'enabled'
  | 'active'
  | 'group'
  | 'modifier'
  | 'nmi'
  | 'priority'
  | 'target'
  | 'config'

/** Software did what the architecture leaves UNPREDICTABLE, forbids, or ignores. */
export type MisuseCode =
  | 'eoi-without-acknowledge'
  | 'eoi-of-another'
  | 'eoi-wrong-source'
  | 'eoi-hidden-group'
  | 'eoi-other-group'
  | 'eoi-invalid-intid'
  | 'deactivate-without-split'
  | 'deactivate-not-active'
  | 'deactivate-wrong-source'
  | 'deactivate-hidden-group'
  | 'config-while-enabled'
  | 'lpi-tables-in-use'
  | 'sgi-reserved-filter'
  | 'sgi-no-target'
  | 'message-no-target'
  | 'message-hidden-group'
  | 'reserved-register'
  | 'not-modelled'
  | 'bad-access'

export type ItsMisuseCode = 'its-register-locked' | 'its-queue-overrun' | 'its-queue-unreachable'

/** The same of an ITS; `what` is the register, the offset, or the address. */
export const itsMisuseMessages: Readonly<Record<ItsMisuseCode, (what: string) => string>> = {
  'its-register-locked': (register) => `write to ${register} while GITS_CTLR.Enabled is 1: UNPREDICTABLE, ignored`,
  'its-queue-overrun': (offset) => `GITS_CWRITER written with ${offset}, beyond the command queue: ignored`,
  'its-queue-unreachable': (address) => `the command queue at ${address} is not memory: stalled`,
}

/** What each misuse was, for a person; `what` is the INTID, or the register. Where it is known, what was asked for or would be right follows. */
export const misuseMessages: Readonly<Record<MisuseCode, (what: string) => string>> = {
  'eoi-without-acknowledge': (intid) => `end of interrupt ${intid}, but none is running: ignored`,
  'eoi-of-another': (intid) => `end of interrupt ${intid}, which is not the one acknowledged last and still running`,
  'eoi-wrong-source': (intid) => `end of SGI ${intid}, which is not who sent it`,
  'eoi-other-group': (intid) =>
    `end of interrupt ${intid}, but what runs is of another group or Security state: ignored`,
  'eoi-hidden-group': (intid) => `Non-secure end of interrupt ${intid}, which is in Group 0: ignored`,
  'eoi-invalid-intid': (intid) => `end of interrupt ${intid}, which does not exist: ignored`,
  'deactivate-without-split': (intid) =>
    `deactivation of interrupt ${intid} while EOImode is 0: ignored, as the end (EOIR) deactivates`,
  'deactivate-not-active': (intid) => `deactivation of interrupt ${intid}, which is not active`,
  'deactivate-wrong-source': (intid) => `deactivation of SGI ${intid}, which is not who sent it`,
  'deactivate-hidden-group': (intid) => `Non-secure deactivation of interrupt ${intid}, which is in Group 0: ignored`,
  'config-while-enabled': (intid) =>
    `trigger of interrupt ${intid} changed while it is enabled: UNPREDICTABLE, so disable it first`,
  'lpi-tables-in-use': (register) =>
    `write to ${register} while GICR_CTLR.EnableLPIs is 1: UNPREDICTABLE, ignored, so clear EnableLPIs first`,
  'sgi-reserved-filter': (intid) => `SGI ${intid} with the reserved target list filter 0b11: ignored`,
  'sgi-no-target': (intid) => `SGI ${intid} reaches no CPU`,
  'message-no-target': (intid) => `message for interrupt ${intid}, which is no SPI of this GIC: ignored`,
  'message-hidden-group': (intid) =>
    `Non-secure message for SPI ${intid}, which is Secure, and GICD_NSACR does not grant it: ignored`,
  'reserved-register': (register) => `access to ${register}, where no register is`,
  'not-modelled': (register) => `access to ${register}, which is not modelled: read as zero, write ignored`,
  'bad-access': (register) => `access to ${register} that it does not allow`,
}

/** Something that a GIC or an ITS did, or was asked to: what `listen` hears. */
export type GicEvent =
  | {
      kind: 'access'
      frame: string
      /** The register's name, or undefined where none is declared. */
      register: string | undefined
      offset: number
      size: number
      write: boolean
      /** Words of the value written or read, unsigned. */
      low: number
      high: number
      cpu: number
      secure: boolean
      outcome: OutcomeName
    }
  /** A bit or field of one interrupt changed. `cpu` is -1 for an interrupt that all CPUs share. */
  | { kind: 'state'; intid: number; cpu: number; state: StateName; value: number }
  /** An output wire changed. */
  | { kind: 'signal'; cpu: number; line: OutputLine | 'superpriority'; level: boolean }
  /** An acknowledge register was read. `intid` is 1020 to 1023 when there was nothing to give; `reason` then says why. */
  | { kind: 'acknowledge'; cpu: number; intid: number; source: number; register: string; reason: string | undefined }
  | { kind: 'priority-drop'; cpu: number; intid: number }
  | { kind: 'deactivate'; cpu: number; intid: number }
  /** An ITS executed a command of its queue. `error` is 0, a command error's number (IHI 0069 5.3), or -1 when it is none of the known ones. */
  | { kind: 'its-command'; its: number; offset: number; command: string; error: number }
  /** A command failed: `name` as the specification's, `MAPD_DEVICE_OOR`. */
  | { kind: 'its-error'; its: number; offset: number; command: string; error: number; name: string; message: string }
  /** Software used an ITS as the architecture does not allow, or lent it a queue that is not memory. `cpu` is -1 where no CPU is to blame. */
  | { kind: 'its-misuse'; its: number; code: ItsMisuseCode; cpu: number; message: string }
  /** A device's write to GITS_TRANSLATER. `intid` and `pe` are -1 as far as the translation did not get to them. */
  | {
      kind: 'msi'
      its: number
      deviceId: number
      eventId: number
      outcome: 'delivered' | 'unmapped' | 'error'
      reason: string
      intid: number
      pe: number
    }
  | { kind: 'misuse'; code: MisuseCode; cpu: number; intid: number; message: string }

/** Called with each event, while the call that causes it is still running. */
export type GicListener = (event: GicEvent) => void

/** The listeners of one GIC. `active` guards the building of an event: `if (events.active) events.emit({…})`. */
export class Events {
  active = false
  readonly #listeners = new Set<{ readonly hear: GicListener; readonly accesses: boolean }>()

  /** Adds a listener, and returns the function that takes it off again. It hears of accesses only if `accesses`. */
  listen(hear: GicListener, accesses: boolean): () => void {
    // An entry of its own: a function that listens twice is taken off twice.
    const entry = { hear, accesses }
    this.#listeners.add(entry)
    this.active = true
    return () => {
      this.#listeners.delete(entry)
      this.active = this.#listeners.size > 0
    }
  }

  emit(event: GicEvent): void {
    for (const { hear, accesses } of this.#listeners) if (accesses || event.kind !== 'access') hear(event)
  }
}
