/**
 * Where a translation can end: at an LPI made pending, or at the first link that is missing. One table from which MSIs,
 * command errors, GITS_STATUSR and `explain` take their words. It decides nothing.
 */

export const Reason = {
  delivered: 0,
  disabled: 1,
  noDeviceTable: 2,
  deviceOutOfRange: 3,
  deviceTableMemory: 4,
  deviceUnmapped: 5,
  eventOutOfRange: 6,
  ittMemory: 7,
  eventUnmapped: 8,
  intidInvalid: 9,
  noCollectionTable: 10,
  collectionOutOfRange: 11,
  collectionTableMemory: 12,
  collectionUnmapped: 13,
  targetInvalid: 14,
  lpisDisabled: 15,
} as const

export type Reason = (typeof Reason)[keyof typeof Reason]
/** A reason, by name. */
export type ReasonName = keyof typeof Reason

/** What became of an MSI: an LPI is pending; nothing is mapped for it; or tables and state that cannot be used. */
export type MsiOutcome = 'delivered' | 'unmapped' | 'error'

export interface ReasonRow {
  readonly name: ReasonName
  readonly outcome: MsiOutcome
  /** Last byte of a command error's number for this (IHI 0069 5.3); 0 where no command reports it. */
  readonly suffix: number
  /** GITS_STATUSR.Syndrome. */
  readonly syndrome: number
}

/**
 * Indexed by Reason. An entry that is not memory is one that the guest did not provide: out of range of its table. A
 * collection that cannot be used makes the translation table entry that names it invalid (0x10).
 */
export const reasons: readonly ReasonRow[] = [
  { name: 'delivered', outcome: 'delivered', suffix: 0, syndrome: 0 },
  { name: 'disabled', outcome: 'error', suffix: 0, syndrome: 0 },
  { name: 'noDeviceTable', outcome: 'unmapped', suffix: 0x01, syndrome: 0b0010 },
  { name: 'deviceOutOfRange', outcome: 'unmapped', suffix: 0x01, syndrome: 0b0010 },
  { name: 'deviceTableMemory', outcome: 'error', suffix: 0x01, syndrome: 0b0010 },
  { name: 'deviceUnmapped', outcome: 'unmapped', suffix: 0x04, syndrome: 0b0011 },
  { name: 'eventOutOfRange', outcome: 'unmapped', suffix: 0x05, syndrome: 0b0100 },
  { name: 'ittMemory', outcome: 'error', suffix: 0x05, syndrome: 0b0100 },
  { name: 'eventUnmapped', outcome: 'unmapped', suffix: 0x07, syndrome: 0b0101 },
  { name: 'intidInvalid', outcome: 'error', suffix: 0x10, syndrome: 0 },
  { name: 'noCollectionTable', outcome: 'unmapped', suffix: 0x10, syndrome: 0b0111 },
  { name: 'collectionOutOfRange', outcome: 'unmapped', suffix: 0x10, syndrome: 0b0111 },
  { name: 'collectionTableMemory', outcome: 'error', suffix: 0x10, syndrome: 0b0111 },
  { name: 'collectionUnmapped', outcome: 'unmapped', suffix: 0x10, syndrome: 0b0111 },
  { name: 'targetInvalid', outcome: 'error', suffix: 0x10, syndrome: 0 },
  { name: 'lpisDisabled', outcome: 'error', suffix: 0, syndrome: 0 },
]

/** Whether a message with this reason was delivered, found nothing mapped, or met an error. */
export function outcomeOf(reason: Reason): MsiOutcome {
  return reasons[reason]!.outcome
}
