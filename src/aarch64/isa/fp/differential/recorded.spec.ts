/**
 * Every floating-point and SIMD instruction on 24 cases against what QEMU 7.2 (Cortex-A57) did with them, as digests, for machines
 * without QEMU. A digest does not say what differs: fp.qemu.spec.ts does.
 */
import { expect, it } from 'vitest'
import recorded from '../testdata/qemu-digests.json' with { type: 'json' }
import { digests } from './compare.ts'
import { recording } from './recording.ts'
import { runInterpreter } from './runners.ts'

it('all instructions leave the registers and flags that were recorded on QEMU', () => {
  expect(digests(recording(), runInterpreter)).toEqual(recorded)
})
