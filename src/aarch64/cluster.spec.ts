/** The interface that a board uses: several CPUs, power, hooks, memory views, snapshots, budgets, determinism. */
import { describe, expect, it } from 'vitest'
import type { Feature } from './isa/row.ts'
import { CODE, DATA, RAM, TestMachine, VECTORS } from './testing/machine.ts'

const NOP = 0xd503201f
const LOOP = 0x14000000 // b .
const LDXR = 0xc85f7c01 // ldxr x1, [x0]
const STXR = 0xc8027c03 // stxr w2, x3, [x0]
const STR = 0xf9000003 // str x3, [x0]
const CLREX = 0xd5033f5f
const ADD = 0x91000400 // add x0, x0, #1
const MRS_IAR = 0xd538cc00 // mrs x0, icc_iar1_el1
const MSR_EOIR = 0xd518cc20 // msr icc_eoir1_el1, x0
const MRS_IMPDEF = 0xd538f200 // mrs x0, s3_0_c15_c2_0
const MRS_ID_RESERVED = 0xd53803e0 // mrs x0, s3_0_c0_c3_7
const MRS_ISAR0 = 0xd5380600 // mrs x0, id_aa64isar0_el1
const MRS_MPIDR = 0xd53800a0 // mrs x0, mpidr_el1
const MSR_MIDR = 0xd5180000 // msr midr_el1, x0
const STRB = 0x39000001 // strb w1, [x0]

describe('a cluster', () => {
  it.each([0.5, 12.5, -1, Number.NaN])(
    'refuses a budget of %d instructions: a part of one is never used up',
    (budget) => {
      const m = new TestMachine()
      m.program([0x1400_0000]) // b .
      expect(() => m.run(budget)).toThrow(/budget: .* is not a whole number/)
      expect(m.cluster.retired(0)).toBe(0)
    },
  )

  it.each([0.5, Number.NaN, 2 ** 53])('refuses a machine time of %d', (time) => {
    const m = new TestMachine()
    expect(() => m.cluster.setTime(0, time)).toThrow(/time: .* is not a whole number/)
  })

  it('runs exactly its budget, and counts every instruction once', () => {
    const m = new TestMachine()
    m.program([LOOP])
    expect(m.run(12_345)).toBe('budget')
    expect(m.cluster.retired(0)).toBe(12_345)
    expect(m.cluster.time(0)).toBe(12_345)
    m.program([ADD, ADD, ADD, LOOP])
    m.setX(0, 0)
    m.run(2)
    expect(m.x(0)).toBe(2n)
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 8))
  })

  it('executes across a page boundary without losing an instruction', () => {
    const m = new TestMachine()
    m.program([ADD, ADD, ADD, ADD, LOOP], CODE + 0xff8)
    m.setX(0, 0)
    m.run(5)
    expect(m.x(0)).toBe(4n)
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 0x1008))
  })

  it('fetches what was last written, by the guest or by DMA, with nothing to invalidate', () => {
    const m = new TestMachine()
    m.program([NOP, NOP, LOOP])
    m.run(3)
    m.cluster.view(CODE + 4, 4)!.set([0x00, 0x04, 0x00, 0x91]) // add x0, x0, #1
    m.cluster.setPc(0, BigInt(CODE))
    m.setX(0, 5)
    m.run(2)
    expect(m.x(0)).toBe(6n)
  })

  it('starts a CPU at its entry with its argument, and not before', () => {
    const m = new TestMachine({ cpus: 2 })
    m.cluster.reset(1)
    expect(m.cluster.isOn(1)).toBe(false)
    expect(m.run(10, 1)).toBe('halted')
    m.cluster.start(1, BigInt(CODE), 0x1234n)
    expect(m.x(0, 1)).toBe(0x1234n)
    expect(m.cluster.pstate(1)).toBe(0x3c5)
    m.program([LOOP], CODE, 1)
    expect(m.run(10, 1)).toBe('budget')
    m.cluster.powerOff(1)
    expect(m.run(10, 1)).toBe('halted')
  })

  it('gives each CPU its own MPIDR_EL1, by default as QEMU does', () => {
    const m = new TestMachine({ cpus: 18 })
    for (const [cpu, affinity] of [
      [0, 0n],
      [15, 15n],
      [17, 0x101n],
    ] as const) {
      m.program([MRS_MPIDR], CODE, cpu)
      m.run(1, cpu)
      expect(m.x(0, cpu)).toBe(0x80000000n | affinity)
    }
  })

  it('keeps an exclusive reservation while the CPU runs, and loses it when another one did (B2.9)', () => {
    const m = new TestMachine({ cpus: 2 })
    const prepare = () => {
      m.program([LDXR, STXR, LOOP])
      m.setX(0, DATA)
      m.setX(2, 9)
      m.setX(3, 77)
    }
    m.program([LOOP], CODE + 0x100, 1)
    prepare()
    m.run(1)
    m.run(1)
    expect(m.x(2)).toBe(0n)
    expect(m.quad(DATA)).toBe(77n)
    prepare()
    m.run(1)
    m.run(1, 1)
    m.run(1)
    expect(m.x(2)).toBe(1n)
    m.program([LDXR, CLREX, STXR])
    m.run(3)
    expect(m.x(2)).toBe(1n)
  })

  it.each([
    [0, 1],
    [1, 0],
  ])(
    'fails the store exclusive of CPU %i when CPU %i has stored in between, and both see that store (B2.9)',
    (one, other) => {
      const m = new TestMachine({ cpus: 2 })
      m.setQuad(DATA, 1n)
      m.program([LDXR, STXR, LOOP], CODE, one)
      m.program([STR, LDXR, STXR, LOOP], CODE + 0x100, other)
      for (const cpu of [one, other]) m.setX(0, DATA, cpu)
      m.setX(3, 77, one)
      m.setX(3, 55, other)
      m.run(1, one)
      m.run(1, other)
      m.run(1, one)
      expect(m.x(2, one)).toBe(1n)
      expect(m.quad(DATA)).toBe(55n)
      // The other way round: the last reservation is the one that holds.
      m.program([LDXR, STXR, LOOP], CODE, one)
      m.run(1, one)
      m.setX(3, 66, other)
      m.run(2, other)
      expect(m.x(2, other)).toBe(0n)
      m.run(1, one)
      expect([m.x(2, one), m.quad(DATA)]).toEqual([1n, 66n])
    },
  )

  it('hands system registers that it does not have to the embedder, and what nobody has is UNDEFINED', () => {
    const seen: string[] = []
    const m = new TestMachine(
      {},
      {
        systemRegisters: {
          high: 0,
          known: false,
          read(cpu, encoding) {
            seen.push(`read ${cpu} ${encoding.toString(16)}`)
            this.known = ((encoding >>> 7) & 15) === 12
            this.high = 1
            return -1
          },
          write(cpu, encoding, low, high) {
            seen.push(`write ${cpu} ${encoding.toString(16)} ${high}:${low}`)
            return true
          },
        },
      },
    )
    m.program([MRS_IAR, MSR_EOIR])
    m.run(2)
    expect(m.x(0)).toBe(0x1ffffffffn)
    // ICC_IAR1_EL1 and ICC_EOIR1_EL1 are S3_0_C12_C12_0 and _1.
    expect(seen).toEqual(['read 0 c660', 'write 0 c661 1:-1'])
    m.program([MRS_IMPDEF])
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0, il: 1, iss: 0 })
    m.program([MRS_IAR])
    m.mode(0, 0)
    m.run(1)
    expect(m.syndrome().ec).toBe(0)
  })

  it('reads the reserved ID space as zero and refuses writes to ID registers', () => {
    const m = new TestMachine()
    m.program([MRS_ID_RESERVED])
    m.setX(0, 1)
    m.run(1)
    expect(m.x(0)).toBe(0n)
    m.program([MSR_MIDR])
    m.run(1)
    expect(m.syndrome().ec).toBe(0)
  })

  it('shows in its ID registers the features that it has, and no others', () => {
    const isar0 = (features: Feature[]) => {
      const m = new TestMachine({ features })
      m.program([MRS_ISAR0])
      m.run(1)
      return [m.x(0), m.system('ID_AA64MMFR1_EL1')]
    }
    expect(isar0([])).toEqual([0n, 0n])
    expect(isar0(['FEAT_CRC32'])).toEqual([0x10000n, 0n])
    expect(isar0(['FEAT_LSE', 'FEAT_PAN'])).toEqual([0x200000n, 0x100000n])
    expect(isar0(['FEAT_AES', 'FEAT_SHA1', 'FEAT_SHA256'])).toEqual([0x1110n, 0n])
    expect(isar0(['FEAT_AES', 'FEAT_PMULL'])).toEqual([0x20n, 0n])
    expect(() => isar0(['FEAT_PMULL'])).toThrow('FEAT_PMULL needs FEAT_AES')
  })

  it('has AES with PMULL, SHA-1, SHA-256, CRC32, LSE and PAN unless told otherwise (ID_AA64ISAR0_EL1, ID_AA64MMFR1_EL1)', () => {
    const m = new TestMachine()
    expect([m.system('ID_AA64ISAR0_EL1'), m.system('ID_AA64MMFR1_EL1')]).toEqual([0x0021_1120n, 0x10_0000n])
  })

  it('does not report a read of the ID space at EL0, which kernels emulate, but one at EL1 of what nobody has', () => {
    // MRS X0, S3_0_C0_C7_7, which is reserved, RAZ at EL1 where it is allocated; S3_0_C15_C2_0 is nobody's.
    const read = (word: number, el0: boolean) => {
      const m = new TestMachine()
      m.setSystem('SPSR_EL1', el0 ? 0n : 5n)
      m.setSystem('ELR_EL1', BigInt(CODE + 4))
      m.program([0xd69f03e0, word]) // eret
      m.run(2)
      return m.unknown
    }
    expect(read(0xd538_07e0, true)).toEqual([])
    expect(read(0xd538_f200, true)).toEqual(['cpu 0 register 0xd538f200'])
    expect(read(0xd538_f200, false)).toEqual(['cpu 0 register 0xd538f200'])
  })

  it('stops inside a bus access when told to, with the instruction complete', () => {
    const m = new TestMachine()
    const { cluster } = m
    m.program([STRB, ADD, LOOP])
    m.setX(0, 0x09000000n)
    m.setX(1, 0x141n)
    const push = m.accesses.push.bind(m.accesses)
    m.accesses.push = (text: string) => {
      cluster.stop(0)
      return push(text)
    }
    expect(m.run(100)).toBe('debug')
    expect([...m.accesses]).toEqual(['cpu 0 write 1 at 0x9000000 0:41'])
    expect(cluster.pc(0)).toBe(BigInt(CODE + 4))
    expect(cluster.retired(0)).toBe(1)
  })

  it('does not wake or end anything when told to stop a CPU that is not running', () => {
    const m = new TestMachine()
    m.program([0xd503207f, ADD, LOOP]) // wfi
    m.setX(0, 0)
    expect(m.run(10)).toBe('wfi')
    m.cluster.stop(0)
    expect(m.run(10)).toBe('wfi')
    expect(m.x(0)).toBe(0n)
  })

  it('gives views of memory, and none outside of it', () => {
    const m = new TestMachine()
    expect(m.cluster.view(RAM, 0x100000)?.length).toBe(0x100000)
    expect(m.cluster.view(RAM + 1, 0x100000)).toBeUndefined()
    expect(m.cluster.view(0x3fffffff, 1)).toBeUndefined()
  })

  it('restores a CPU to what it was', () => {
    const m = new TestMachine()
    m.program([ADD, ADD, ADD, LOOP])
    m.setX(0, 0)
    m.run(1)
    const saved = m.cluster.saveCpu(0)
    m.run(2)
    m.setSystem('VBAR_EL1', 0n)
    m.cluster.restoreCpu(0, saved)
    expect(m.cluster.retired(0)).toBe(1)
    expect(m.system('VBAR_EL1')).toBe(BigInt(VECTORS))
    m.run(2)
    expect(m.x(0)).toBe(3n)
    expect(() => m.cluster.restoreCpu(0, new Uint8Array(3))).toThrow('this is not the state of a CPU')
  })

  it('does the same thing however a run is cut into budgets', () => {
    const outcome = (slices: number[]) => {
      const m = new TestMachine({ instructionsPerTick: 3 })
      // x0 += CNTVCT; x1 += x0, for ever
      m.program([0xd53be042, 0x8b020000, 0x8b000021, 0x17fffffd])
      m.setX(0, 0)
      m.setX(1, 0)
      for (const slice of slices) m.run(slice)
      return [m.x(0), m.x(1), m.cluster.pc(0), m.cluster.retired(0)]
    }
    expect(outcome([1, 2, 3, 994])).toEqual(outcome([1000]))
    expect(outcome(Array.from({ length: 100 }, () => 10))).toEqual(outcome([1000]))
  })

  it('refuses what it cannot be', () => {
    expect(() => new TestMachine({ cpus: 0 })).toThrow('1 to 64')
    expect(() => new TestMachine({ memory: [{ base: 1, size: 4096 }] })).toThrow('4 KiB')
    expect(() => new TestMachine({ memory: [{ base: 0, size: 2 ** 32 }] })).toThrow('below 4 GiB')
    expect(() => new TestMachine({ instructionsPerTick: 0.5 })).toThrow('whole number')
  })
})
