/**
 * Guests that mean harm: every register of every device written with anything, PSCI called at random, instructions at random. The
 * machine goes on, or says that it ended; what the guest gets is the architecture's. Files that are none are in boot.spec.ts.
 */

import { describe, expect, it } from 'vitest'
import { bytesBase, OverlayDisk } from '../devices/disk.ts'
import { cpuInitiator } from '../mmio/index.ts'
import { virtMap } from './board/virt-map.ts'
import { a64, booted, words } from './testing/guest.ts'
import type { VirtOptions } from './virt.ts'

/** `npm run test:long` gives both: more of it, from another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 1)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

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

/** How much work a guest has devices do by a few instructions, again and again, in 20 ms of machine time, after which the host has its turn. */
describe('a guest that has devices work as much as they can', () => {
  const store = (rt: number, rn: number) => 0xb900_0000 | (rn << 5) | rt
  const back = (count: number) => (0x1400_0000 | (-count & 0x3ff_ffff)) >>> 0
  const counted = 0x9100_06f7 // ADD X23, X23, #1

  const command = 0x43f0_0000
  const dma = words(
    ...from(1, virtMap.fwCfg.base + 0x14),
    movz(2, 0xf043), // the command's address, big-endian
    ...from(3, 0x0a00_0000), // select item 0, and read
    ...from(4, command),
    store(3, 4),
    store(2, 1),
    counted,
    0xb940_0085, // LDR W5, [X4]: the control word
    0x2a05_00c6, // ORR W6, W6, W5
    back(5),
  )
  const runDma = async (mib: number, time: number) => {
    const { machine } = await booted(dma, { gic: 2, memory: 128 * 2 ** 20 })
    const view = new DataView(machine.ram.bytes.buffer, machine.ram.bytes.byteOffset)
    view.setUint32(command - machine.ram.base + 4, mib * 2 ** 20)
    view.setUint32(command - machine.ram.base + 12, 0x4400_0000)
    machine.ram.write(0x4400_0000 + mib * 2 ** 20 - 1, Uint8Array.of(0xff))
    expect(machine.run(time)).toBe('budget')
    return { machine, last: machine.ram.read8(0x4400_0000 + mib * 2 ** 20 - 1) }
  }

  it.each([3, 4, 40, 64])('gets 4 GB/s of fw_cfg by DMA of %i MiB, which is over when the write is', async (mib) => {
    const { machine, last } = await runDma(mib, 20e6)
    const done = Number(machine.cluster.register(0, 23))
    expect(last).toBe(0)
    expect(done).toBeGreaterThan(0)
    expect(done * mib).toBeLessThanOrEqual(20e6 / 2 ** 18 + 2 * mib)
    expect(machine.cluster.register(0, 6)).toBe(0n)
  })

  it('waits for the rest of a long DMA while the host has its turns, and other CPUs theirs', async () => {
    const { machine, last } = await runDma(64, 2e6)
    expect([machine.cluster.register(0, 23), last]).toEqual([0n, 0xff])
    expect(machine.run(20e6)).toBe('budget')
    expect(machine.cluster.register(0, 23)).toBe(1n)
  })

  it.each([
    ['erases a block of flash 0', virtMap.flash0.base, 0x20_0020, 0xd0_00d0],
    ['erases a block of flash 1', virtMap.flash1.base, 0x20_0020, 0xd0_00d0],
    ['switches flash 0 to its status and back', virtMap.flash0.base, 0x70_0070, 0xff_00ff],
  ])('%s no more than some hundred times', async (_, base, first, second) => {
    const program = words(
      ...from(1, base),
      ...from(2, first),
      ...from(3, second),
      store(2, 1),
      store(3, 1),
      counted,
      back(3),
    )
    const { machine } = await booted(program, { gic: 3, cpus: 8 })
    expect(machine.run(20e6)).toBe('budget')
    expect(Number(machine.cluster.register(0, 23))).toBeGreaterThan(100)
    expect(Number(machine.cluster.register(0, 23))).toBeLessThan(700)
  })

  it('has a virtio device walk long chains once, and then waits as long as that takes', async () => {
    const [base, rings] = [virtMap.virtio.base + 31 * 0x200, 0x4040_0000]
    // X5 += 1024; STRH W5, [X2, #2]: the available ring is full again; STR WZR, [X1, #0x50]: QueueNotify.
    const kick = [0x1110_00a5, 0x7900_0445, 0xb900_503f]
    const program = words(...from(1, base), ...from(2, rings + 0x8000), ...kick, counted, back(4))
    const { machine } = await booted(program, { legacyVirtio: false })
    const { ram } = machine
    // Every chain is the same one, of 64 descriptors for a byte each: the random numbers that the device gives.
    for (let i = 0; i < 64; i++) {
      ram.write64(rings + 16 * i, BigInt(rings + 0x2_0000))
      ram.write32(rings + 16 * i + 8, 1)
      ram.write16(rings + 16 * i + 12, i < 63 ? 3 : 2)
      ram.write16(rings + 16 * i + 14, i + 1)
    }
    const set = (offset: number, value: number) => machine.bus.write32(base + offset, value, cpuInitiator(0))
    for (const status of [0, 1, 3]) set(0x70, status)
    for (const [offset, value] of [
      [0x24, 1],
      [0x20, 1],
      [0x70, 11],
      [0x30, 0],
      [0x38, 1024],
      [0x80, rings],
      [0x90, rings + 0x8000],
      [0xa0, rings + 0xa000],
      [0x44, 1],
      [0x70, 15],
    ] as const)
      set(offset, value)
    expect(machine.run(400_000)).toBe('budget')
    expect(ram.read16(rings + 0xa002)).toBe(1024)
    expect(machine.cluster.register(0, 23)).toBe(0n)
    expect(machine.run(20e6)).toBe('budget')
    expect(Number(machine.cluster.register(0, 23))).toBeGreaterThan(4)
    expect(Number(machine.cluster.register(0, 23))).toBeLessThan(20)
  })

  it('leaves other CPUs their turns', async () => {
    // CPU_ON for CPU 1, which counts X23; CPU 0 erases flash.
    const program = words(
      ...[...from(0, 0xc400_0003), movz(1, 1), 0x1000_0162, hvc],
      ...[
        ...from(1, virtMap.flash1.base),
        ...from(2, 0x20_0020),
        ...from(3, 0xd0_00d0),
        store(2, 1),
        store(3, 1),
        back(2),
      ],
      ...[counted, back(1)],
    )
    const { machine } = await booted(program, { gic: 2, cpus: 2 })
    expect(machine.run(20e6)).toBe('budget')
    expect(Number(machine.cluster.register(1, 23))).toBeGreaterThan(9e6)
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
  it.each(Array.from({ length: 2 * times }, (_, i) => seed + i))('runs to its limit, for seed %i', async (each) => {
    let state = each
    const program = words(
      ...Array.from({ length: 20_000 }, () => {
        state = Math.imul(state ^ (state >>> 15), 0x2c1b_3c6d) + 0x9e37_79b9
        return (state ^ (state >>> 12)) >>> 0
      }),
    )
    const { machine } = await booted(program, { gic: 3, its: true, cpus: 2 })
    expect(['budget', 'waiting', 'halted']).toContain(machine.run(100_000))
  })
})
