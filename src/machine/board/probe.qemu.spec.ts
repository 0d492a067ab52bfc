/**
 * The board as a guest finds it, ours beside QEMU's `virt` (guests/board-probe): the state at the start, PSCI, accesses to
 * nothing, empty virtio slots, the UART's receive interrupt. Each difference is listed here, with the clause that it is by.
 */

import { describe, expect, it } from 'vitest'
import { probe } from '../testing/probe.ts'

/** PSCI_VERSION 1.0, where QEMU 7.2 implements 1.1: SYSTEM_RESET2 and the like are not here (and PSCI_FEATURES says so in both). */
const VERSION = '0x10000 esr 0x0 changed 0x0'
const NOT_SUPPORTED = '0xffffffffffffffff esr 0x0 changed 0x0'
const INVALID = '0xfffffffffffffffe esr 0x0 changed 0x0'
const SUCCESS = '0x0 esr 0x0 changed 0x0'
/** The window of PCI Express, of which this board has none: nothing is there, and QEMU's reads as ones. */
const ABORT = (write: boolean) => `esr 0x960000${write ? '5' : '1'}0 far 0x3eff0000`

const DIFFERENT: readonly (readonly [finding: string, ours: string, why: string])[] = [
  [
    'entry SCTLR',
    '0x30d50998',
    'without AArch32 SED and ITD are RES1 and CP15BEN is RES0, without FEAT_LSMAOC bits 29 and 28 are RES1 (DDI 0487, SCTLR_EL1)',
  ],
  ['secondary SCTLR', '0x30d50998', 'the same'],
  ['hvc0 0x84000000, 1, 2, 3', VERSION, 'PSCI 1.0'],
  ['hvc1 0x84000000, 0, 0, 0', VERSION, 'PSCI 1.0; any immediate is a call in both'],
  ['hvc0 0xdead00084000000, 1, 2, 3', VERSION, 'the function is in W0 (Arm DEN 0028)'],
  ['smc0 0x84000000, 0, 0, 0', VERSION, 'SMC is a conduit here too; undefined in QEMU without EL3'],
  ['smc0 0x8400ffff, 0, 0, 0', NOT_SUPPORTED, 'the same'],
  ['hvc0 0xc4000004, 1, 4, 0', INVALID, 'an affinity level that there is not (Arm DEN 0022, AFFINITY_INFO)'],
  ['hvc0 0x84000004, 0x100000001, 0, 0', '0x1 esr 0x0 changed 0x0', 'arguments of a 32-bit call are W registers'],
  ['context by the 32-bit call', '0x9abcdef0', 'the same'],
  [
    'suspend to 0x1010000',
    SUCCESS,
    'a power level above the core is entered as its standby (Arm DEN 0022, CPU_SUSPEND)',
  ],
  ['suspend to 0x3010000', SUCCESS, 'the same'],
  ['suspend to 0x100000000', INVALID, 'the upper half of power_state is reserved'],
  ['load4 0x3eff0000', ABORT(false), 'no PCI Express'],
  ['load8 0x3eff0000', ABORT(false), 'no PCI Express'],
  ['store4 0x3eff0000', ABORT(true), 'no PCI Express'],
  [
    'zero 0x8060000',
    'esr 0x96000061 far 0x8060000',
    'DC ZVA of Device memory is an Alignment fault (DDI 0487, DC ZVA)',
  ],
  [
    'load2 0x8060001',
    'esr 0x96000021 far 0x8060001',
    'so is an unaligned load with the MMU off (DDI 0487, alignment of accesses to Device memory)',
  ],
  ['walk by a table nowhere', '0x96000015', 'an external abort on a walk of level 1 (DDI 0487, ESR_EL1)'],
  ['walk by an entry to nowhere', '0x96000016', 'and of level 2; an Address size fault in QEMU'],
]

describe.each([2, 3] as const)('a guest on a GICv%i', (gic) => {
  it("finds what it finds on QEMU's board, but for what is listed", async () => {
    const { qemu, ours } = await probe(gic)
    expect(qemu.has('end') && qemu.size).toBeGreaterThan(200)
    const expected = new Map(qemu)
    for (const [finding, value] of DIFFERENT) {
      expect(qemu.get(finding), `${finding} is no longer different`).not.toBe(value)
      expected.set(finding, value)
    }
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(expected))
  })
})
