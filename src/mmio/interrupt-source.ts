/**
 * What a device says of its own interrupt line, when somebody asks why an interrupt does not come: the gates between what it has
 * to report and its wire, by register and field. A device declares them beside its registers. Asking changes nothing.
 */

/** One gate of a device: all of them open is a line that is high. */
export interface SourceGate {
  /** A few words, the same at every call. */
  readonly gate: string
  /** It lets the interrupt pass. */
  readonly open: boolean
  /**
   * What it is that closes this gate, when it is closed: `configuration` is what a driver sets up, as a mask; `source` that there
   * is nothing to report yet.
   */
  readonly cause: 'configuration' | 'source'
  /** The register and field that decide, as the device's manual names them. */
  readonly register: string
  /** The field in it. */
  readonly field: string
  /** The field's value now, unsigned. */
  readonly value: number
  /** One sentence on the state of the gate. */
  readonly says: string
  /** For a closed gate: one sentence on what opens it. */
  readonly remedy?: string | undefined
}

/** A device that says what keeps its interrupt wire low: the gates between what it does and its wire, in order. */
export interface InterruptSource {
  /** Name of the device, for a person. */
  readonly name: string
  /** The gates from the event to the wire, in this order. No side effect. */
  interruptGates(): readonly SourceGate[]
}

/** A register of interrupt bits: its name, its value, and a name for each bit that it has. */
export interface InterruptBits {
  /** By the device's manual. */
  readonly register: string
  /** Its bits now, unsigned. */
  readonly value: number
}

/** Names of the bits that are 1. */
export function namesOfBits(value: number, names: Readonly<Record<string, number>>): string {
  const set = Object.entries(names).filter(([, bits]) => (value & bits) !== 0)
  return set.map(([name]) => name).join(', ')
}

/**
 * The gates of the commonest kind of device: its line is high while a bit is 1 in both a raw status register and a mask register,
 * in which 1 lets the interrupt pass.
 */
export function maskedStatus(
  raw: InterruptBits,
  mask: InterruptBits,
  names: Readonly<Record<string, number>>,
): SourceGate[] {
  const both = raw.value & mask.value
  const passes = mask.value !== 0 && (raw.value === 0 || both !== 0)
  const happened = namesOfBits(raw.value, names)
  const allowed = namesOfBits(mask.value, names)
  return [
    {
      gate: 'something to report',
      open: raw.value !== 0,
      cause: 'source',
      register: raw.register,
      field: '',
      value: raw.value >>> 0,
      says: raw.value === 0 ? 'the device has nothing to report.' : `the device reports ${happened}.`,
      remedy: raw.value === 0 ? 'Wait for the event, or see to it that it happens.' : undefined,
    },
    {
      gate: 'unmasked',
      open: passes,
      cause: 'configuration',
      register: mask.register,
      field: '',
      value: mask.value >>> 0,
      says:
        mask.value === 0
          ? `every interrupt of the device is masked${happened === '' ? '' : `, and so is ${happened}`}.`
          : passes
            ? `the mask lets ${allowed} pass.`
            : `the mask lets only ${allowed} pass.`,
      remedy: passes
        ? undefined
        : `Set ${raw.value === 0 ? 'the bit of the interrupt' : `the bit of ${happened}`} in ${mask.register}.`,
    },
  ]
}
