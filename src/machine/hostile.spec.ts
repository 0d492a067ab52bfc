/**
 * Guests that mean harm: every register of every device written with anything, PSCI called at random, instructions at random. The
 * machine goes on, or says that it ended; what the guest gets is the architecture's. Files that are none are in boot.spec.ts.
 */

import { describe, expect, it } from 'vitest'
import { bytesBase, OverlayDisk } from '../devices/disk.ts'
import { virtMap } from './board/virt-map.ts'
import { a64, booted, words } from './testing/guest.ts'
import type { VirtOptions } from './virt.ts'

const { movz, movk, hvc, loop } = a64

/** A flat binary that goes on behind each instruction that faults: its vectors are 2 KiB up, that of EL1's own at 0x200. */
function guarded(...code: number[]): Uint8Array {
  const program = new Uint8Array(0xa20)
  // ADR X0, the vectors; MSR VBAR_EL1, X0
  program.set(words(0x1000_4000, 0xd518_c000, ...code))
  // MRS X9, ELR_EL1; ADD X9, X9, #4; MSR ELR_EL1, X9; ERET
  program.set(words(0xd538_4029, 0x9100_1129, 0xd518_4029, 0xd69f_03e0), 0xa00)
  return program
}

/** X20 is the next of Marsaglia's 64-bit random numbers: EOR with LSL #13, LSR #7 and LSL #17 of itself. */
const random = [0xca14_3694, 0xca54_1e94, 0xca14_4694]

/** Leaves X20 in every register from X1 up to X22: words, a byte, a double word, and vectors are read. */
const scribble = [
  ...random,
  0xb940_0024, // LDR W4, [X1]
  0xb900_0034, // STR W20, [X1]
  0x3900_0434, // STRB W20, [X1, #1]
  0xf900_0034, // STR X20, [X1]
  0x3dc0_0020, // LDR Q0, [X1]
  0x9100_1021, // ADD X1, X1, #4
  0xeb16_003f, // CMP X1, X22
  0x54ff_fec3, // B.LO to the beginning
]

const from = (register: number, address: number) => [
  movz(register, address & 0xffff),
  movk(register, address >>> 16, 1),
]

const off = [...from(0, 0x8400_0008), hvc, loop]

describe('a guest that writes every register of every device', () => {
  it.each([
    ['a GICv2', { gic: 2 }, ['gicd', 'gicc', 'v2m']],
    ['a GICv3 with an ITS', { gic: 3, its: true }, ['gicd', 'its', 'gicr']],
  ] as const)('can still switch the machine off, with %s', async (_, options: VirtOptions, frames) => {
    const disks = [new OverlayDisk(bytesBase(new Uint8Array(5000)))]
    const places = [...frames, 'uart', 'rtc', 'fwCfg', 'gpio', 'virtio'] as const
    const sweeps = places.flatMap((name) => {
      const { base, size } = virtMap[name]
      return [...from(1, base), ...from(22, base + Math.min(size, 0x2_0000)), ...scribble]
    })
    const { machine } = await booted(guarded(movz(20, 0x4567), ...sweeps, ...off), { ...options, disks })
    expect(machine.run(20e6)).toBe('off')
    // Eight words of fw_cfg are the least of it.
    expect(machine.deviceAccesses).toBeGreaterThan(100_000)
  })
})

describe('a guest that calls PSCI at random (DEN 0022 5.1)', () => {
  it('is answered each time, and its limit holds', async () => {
    const program = guarded(
      movz(20, 0x4567),
      ...random,
      0x9240_1280, // AND X0, X20, #31
      movk(0, 0x8400, 1),
      0xd34c_4281, // UBFX X1, X20, #12, #5
      0xaa14_03e2, // MOV X2, X20
      0xd35e_fe83, // LSR X3, X20, #30
      0x5100_2005, // SUB W5, W0, #8: SYSTEM_OFF and SYSTEM_RESET are left out
      0x1200_10a5, // AND W5, W5, #31
      0x7100_04bf, // CMP W5, #1
      0x54ff_fea9, // B.LS to the random numbers
      0x1200_1005, // AND W5, W0, #31: so are CPU_SUSPEND and CPU_OFF
      0x5100_04a5, // SUB W5, W5, #1
      0x7100_04bf, // CMP W5, #1
      0x54ff_fe29, // B.LS
      hvc,
      0x9100_06f7, // ADD X23, X23, #1
      0x17ff_ffee, // B to the random numbers
    )
    const { machine } = await booted(program, { gic: 2, cpus: 4 })
    expect(machine.run(2e6)).toBe('budget')
    expect(machine.cluster.register(0, 23)).toBeGreaterThan(50_000n)
  })
})

describe('a guest of random words', () => {
  it.each([1, 2, 3, 4])('runs to its limit, for seed %i', async (seed) => {
    let state = seed
    const program = words(
      ...Array.from({ length: 20_000 }, () => {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9
        return (state ^ (state >>> 12)) >>> 0
      }),
    )
    const { machine } = await booted(program, { gic: 3, its: true, cpus: 2 })
    expect(['budget', 'waiting', 'halted']).toContain(machine.run(500_000))
  })
})
