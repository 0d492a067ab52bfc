/**
 * The closed set of things that an access can come to, and what a bus owner may turn each of them into.
 * No input from a guest has any other result; what an outcome means to the guest is the bus owner's policy, not the device's.
 */

export const Outcome = {
  /** The register took the access (it may still have ignored bits of it). */
  ok: 0,
  /** No range holds the whole of the access. */
  unmapped: 1,
  /** The register is not accessible at this width. */
  width: 2,
  /** The offset is not a multiple of the width. */
  misaligned: 3,
  /** No register is declared at this offset. */
  reserved: 4,
  /** A write of a read-only register, or a read of a write-only one. */
  mode: 5,
  /** The initiator's security state, or its not being a CPU, hides the register. */
  denied: 6,
} as const

export type Outcome = (typeof Outcome)[keyof typeof Outcome]
/** The outcomes by name, as events and errors have them. */
export type OutcomeName = keyof typeof Outcome

/** The name of each outcome, by its number. */
export const outcomeNames = Object.keys(Outcome) as OutcomeName[]

/** What a refused access becomes: read-as-zero and write-ignored, an external abort, or a thrown error (for development). */
export type Response = 'raz-wi' | 'abort' | 'throw'

/** What the owner of a bus does about each outcome but `ok`; RAZ/WI where nothing is said. */
export type Policy = Readonly<Partial<Record<Exclude<OutcomeName, 'ok'>, Response>>>

/** As hardware and QEMU do: nothing there is an abort, a register's refusal is RAZ/WI. */
export const defaultPolicy: Policy = { unmapped: 'abort' }

/** Every refusal throws: for tests and for bringing up a guest. */
export const strictPolicy: Policy = {
  unmapped: 'throw',
  width: 'throw',
  misaligned: 'throw',
  reserved: 'throw',
  mode: 'throw',
  denied: 'throw',
}

/** Every refusal is RAZ/WI. */
export const silentPolicy: Policy = {}
