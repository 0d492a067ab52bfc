/**
 * What the agent inside QEMU and its host agree on: the host's half of guests/qemu-agent/protocol.h and agent.c.
 * And QEMU's 'virt' as far as both must know it. Nothing here is known to any other target.
 */

export { GUEST_MEMORY_BASE, GUEST_MEMORY_SIZE, REGION_BASE } from '../layout.ts'

export const RAM_BASE = 0x40000000
export const RAM_SIZE = 0x04000000

export const MAILBOX = 0x42000000
export const COMMANDS = 0x42010000
export const MAX_COMMANDS = 65_536
export const COMMAND_SIZE = 24
/** PEs that the agent can sample the lines of, in one 64-bit word. */
export const MAX_CPUS = 32

/** Offsets of the mailbox's 32-bit words. */
export const MAILBOX_WORDS = { cpus: 0, aff0: 4, go: 8, count: 12, done: 16, resume: 20, pauses: 24 } as const

export const KIND = { access: 0, accessEl1: 1, accessEl3: 2, lines: 3, pause: 4, systemReset: 5 } as const

/** A command's status that is no ESR: an interrupt was taken to EL3 instead. */
export const STATUS_TAKEN = 0xfc000000
/** SCR_EL3 of a lent access: its RES1 bits and RW, and the bits that count here. */
export const SCR = { always: 0x430, ns: 1, irq: 2, fiq: 4 } as const

/** What the agent says on the UART. */
export const SAYS = { ready: 0x52, done: 0x44, pause: 0x50, broken: 0x58 } as const

/** At EL3 the agent's translation table shows every device once more, for Non-secure accesses. */
export const NON_SECURE_ALIAS = 0x1_0000_0000

/** 'virt' wires up this many SPIs, whichever its GIC. */
export const SPI_COUNT = 256
