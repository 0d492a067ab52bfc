/**
 * Breakpoints, watchpoints and software steps as a guest meets them, ours beside QEMU's (guests/debug-probe): 300 breakpoints, 1,500
 * watchpoints and 64 runs of steps at EL1, some with debug exceptions off there. Where QEMU 7.2 differs, the rule and its clause stand here.
 */

import { beforeAll, describe, expect, it } from 'vitest'
import { type Findings, probe } from '../testing/probe.ts'

/** Bits of each register that are not RES0, or RES1, on a CPU without EL2, EL3 and AArch32: QEMU keeps what is written. */
const meaning: readonly (readonly [name: RegExp, bits: bigint, why: string])[] = [
  [/^dbgbvr/, ~3n, 'bits 1:0 of an address are RES0 (DDI 0487, DBGBVR<n>_EL1)'],
  [/^dbgbcr/, 0xff_e006n, 'BAS is RES1 without AArch32; bits 12:9, 4:3 and 63:24 are RES0 (DDI 0487, DBGBCR<n>_EL1)'],
  [/^dbgwvr/, ~7n, 'bits 2:0 of an address are RES0 (DDI 0487, DBGWVR<n>_EL1)'],
  [/^dbgwcr/, 0x1f1f_fffen, 'bits 23:21 and 63:29 are RES0 (DDI 0487, DBGWCR<n>_EL1)'],
]

/** In what `enables` says, the OS Lock: locked, breakpoints and watchpoints make no exceptions (DDI 0487 H6.5, D2.3); QEMU's do. */
const LOCKED = 1n

const words = (value = '') => value.split(' ').filter(Boolean).map(BigInt)

describe('a guest that debugs itself', () => {
  let found: Findings
  beforeAll(async () => {
    found = await probe(2, 2 ** 28, 'debug-probe')
    expect(found.qemu.has('end') && found.ours.has('end')).toBe(true)
  }, 120_000)

  /** The findings whose name begins so, by name: QEMU's and ours. */
  const both = (start: string) =>
    [...found.qemu]
      .filter(([name]) => name.startsWith(start))
      .map(([name, value]) => [name, words(value), words(found.ours.get(name))] as const)

  it.each(meaning)('reads back of %s what has a meaning', (name, bits) => {
    const findings = both('dbg').filter(([finding]) => name.test(finding))
    expect(findings).toHaveLength(8)
    for (const [finding, [theirs = -1n], [ours = -1n]] of findings)
      expect([finding, ours & BigInt.asUintN(64, bits)]).toEqual([finding, theirs & BigInt.asUintN(64, bits)])
  })

  it('meets its breakpoints with the same syndrome at the same instruction (DDI 0487 D2.8, AArch64.BreakpointMatch)', () => {
    let met = 0
    for (const [finding, theirs, ours] of both('breakpoint')) {
      // Place, control, enables; then how many exceptions, syndrome, ELR.
      const expected = theirs[2]! & LOCKED ? [...theirs.slice(0, 3), 0n] : theirs
      expect([finding, ours]).toEqual([finding, expected])
      met += Number(ours[3])
    }
    expect(met).toBeGreaterThan(60)
  })

  it('meets its watchpoints with the same syndrome, instruction and address (DDI 0487 D2.10, AArch64.WatchpointMatch)', () => {
    let met = 0
    for (const [finding, theirs, ours] of both('watchpoint')) {
      // Kind of access, its place, the watched place, control, enables; then how many exceptions, syndrome, ELR, FAR.
      const expected = theirs[4]! & LOCKED ? [...theirs.slice(0, 5), 0n] : theirs
      expect([finding, ours]).toEqual([finding, expected])
      met += Number(ours[5])
    }
    expect(met).toBeGreaterThan(30)
  })

  it('steps through branches, exclusives, SVC and DAIF with the same syndrome at each (DDI 0487 D2.11)', () => {
    // MSR DAIFSet at 0x28 sets PSTATE.D: from then on no step is taken (D2.11.3). QEMU takes one more.
    const whileMasked = 0x2cn
    let steps = 0
    for (const [finding, [, ...all], [, ...ours]] of both('step')) {
      const theirs = all.filter((entry) => entry >> 32n !== whileMasked)
      const length = Math.min(theirs.length, ours.length)
      expect([finding, ours.slice(0, length)]).toEqual([finding, theirs.slice(0, length)])
      // A run ends after so many exceptions, of which QEMU has that one more.
      expect(Math.abs(theirs.length - ours.length)).toBeLessThanOrEqual(1)
      steps += ours.length
    }
    expect(steps).toBeGreaterThan(400)
  })
})
