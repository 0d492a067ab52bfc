/** The Performance Monitors as a guest sees them (DDI 0487 D7): what is counted where, overflow and its interrupt, and who may look. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CODE, DATA, TestMachine, VECTORS } from '../testing/machine.ts'
import { EVENT } from './pmu.ts'

const NOP = 0xd503201f
const SVC = 0xd4000001
const UDF = 0
const ERET = 0xd69f03e0
const LDR = 0xf9400001 // ldr x1, [x0]
const MRS_PMCCNTR = 0xd53b9d02 // mrs x2, pmccntr_el0
const B = 0x14000000 // b .

const CYCLES = 1n << 31n
const E = 1n
const P = 1n << 31n
const U = 1n << 30n
const EN = 1n

let m: TestMachine
let interrupts: string[] = []
beforeEach(() => {
  m ??= new TestMachine({}, { pmuOutput: (cpu, level) => interrupts.push(`cpu ${cpu} ${level ? 'high' : 'low'}`) })
  m.cluster.start(0, BigInt(CODE), 0n)
  interrupts = []
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.program(
    Array.from({ length: 512 }, () => NOP),
    VECTORS,
  )
  m.program(Array.from({ length: 512 }, () => NOP))
  m.setX(0, DATA)
})

function counter(n: number, event: number, filter = 0n): void {
  m.setSystem(`PMEVTYPER${n}_EL0`, BigInt(event) | filter)
  m.setSystem('PMCNTENSET_EL0', 1n << BigInt(n))
}

/** At EL0, at CODE. */
function atUser(words: readonly number[]): void {
  m.program(words)
  m.mode(0, 0)
}

describe('the counters', () => {
  it('count instructions: the cycle counter and an event each for a cycle and a retired instruction (D7.11.3)', () => {
    m.setSystem('PMCR_EL0', E)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    counter(0, EVENT.CPU_CYCLES)
    counter(5, EVENT.INST_RETIRED)
    m.run(100)
    expect(m.system('PMCCNTR_EL0')).toBe(100n)
    expect(m.system('PMEVCNTR0_EL0')).toBe(100n)
    expect(m.system('PMEVCNTR5_EL0')).toBe(100n)
    expect(m.system('PMEVCNTR1_EL0')).toBe(0n)
  })

  it('count to the instruction that reads them', () => {
    m.setSystem('PMCR_EL0', E)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    m.program([NOP, NOP, MRS_PMCCNTR, NOP])
    m.run(4)
    expect(m.x(2)).toBe(3n)
  })

  it('stand still without PMCR_EL0.E, and without their bit of PMCNTENSET_EL0', () => {
    m.setSystem('PMCR_EL0', E)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    m.run(10)
    m.setSystem('PMCNTENCLR_EL0', CYCLES)
    m.run(10)
    expect(m.system('PMCCNTR_EL0')).toBe(10n)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    m.setSystem('PMCR_EL0', 0n)
    m.run(10)
    expect(m.system('PMCCNTR_EL0')).toBe(10n)
    m.setSystem('PMCR_EL0', E)
    m.run(10)
    expect(m.system('PMCCNTR_EL0')).toBe(20n)
  })

  it('leave out the level that P or U name (PMEVTYPER<n>_EL0, PMCCFILTR_EL0)', () => {
    m.setSystem('PMCR_EL0', E)
    m.setSystem('PMCCFILTR_EL0', P)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    counter(0, EVENT.INST_RETIRED, P)
    counter(1, EVENT.INST_RETIRED, U)
    counter(2, EVENT.INST_RETIRED)
    atUser([NOP, NOP, NOP, SVC])
    m.run(4 + 6)
    expect(m.system('PMCCNTR_EL0')).toBe(4n)
    expect(m.system('PMEVCNTR0_EL0')).toBe(4n)
    expect(m.system('PMEVCNTR1_EL0')).toBe(6n)
    expect(m.system('PMEVCNTR2_EL0')).toBe(10n)
  })

  it('do not take an instruction for retired that ended in an exception; SVC is one that retires', () => {
    m.setSystem('PMCR_EL0', E)
    for (const [words, retired] of [
      [[NOP, SVC], 2n],
      [[NOP, UDF], 1n],
    ] as const) {
      m.setSystem('PMCR_EL0', E | 2n)
      counter(0, EVENT.INST_RETIRED, P)
      counter(1, EVENT.CPU_CYCLES, P)
      atUser(words)
      m.run(5)
      expect(m.system('PMEVCNTR0_EL0')).toBe(retired)
      expect(m.system('PMEVCNTR1_EL0')).toBe(2n)
    }
  })

  it('count exceptions and returns', () => {
    m.setSystem('PMCR_EL0', E)
    counter(0, EVENT.EXC_TAKEN)
    counter(1, EVENT.EXC_RETURN)
    m.program([ERET], VECTORS + 0x400)
    atUser([SVC, SVC, SVC, B])
    m.run(20)
    expect(m.system('PMEVCNTR0_EL0')).toBe(3n)
    expect(m.system('PMEVCNTR1_EL0')).toBe(3n)
  })

  it('count what PMSWINC_EL0 names, where the event is SW_INCR', () => {
    m.setSystem('PMCR_EL0', E)
    counter(0, EVENT.SW_INCR)
    counter(1, EVENT.INST_RETIRED)
    m.setSystem('PMSWINC_EL0', 7n)
    m.setSystem('PMSWINC_EL0', 1n)
    expect(m.system('PMEVCNTR0_EL0')).toBe(2n)
    expect(m.system('PMEVCNTR1_EL0')).toBe(0n)
  })

  it('go on in the next, with an event of CHAIN there, when an even one runs over (D7.11.3)', () => {
    m.setSystem('PMCR_EL0', E)
    counter(2, EVENT.INST_RETIRED)
    counter(3, EVENT.CHAIN)
    m.setSystem('PMEVCNTR2_EL0', 0xfffffffen)
    m.setSystem('PMEVCNTR3_EL0', 4n)
    m.run(5)
    expect(m.system('PMEVCNTR2_EL0')).toBe(3n)
    expect(m.system('PMEVCNTR3_EL0')).toBe(5n)
    expect(m.system('PMOVSSET_EL0')).toBe(4n)
  })

  it('are set to zero by PMCR_EL0.P, all but the cycle counter, and by C, which is that one', () => {
    m.setSystem('PMEVCNTR3_EL0', 9n)
    m.setSystem('PMCCNTR_EL0', 9n)
    m.setSystem('PMCR_EL0', 2n)
    expect([m.system('PMEVCNTR3_EL0'), m.system('PMCCNTR_EL0')]).toEqual([0n, 9n])
    m.setSystem('PMEVCNTR3_EL0', 9n)
    m.setSystem('PMCR_EL0', 4n)
    expect([m.system('PMEVCNTR3_EL0'), m.system('PMCCNTR_EL0')]).toEqual([9n, 0n])
  })

  it('go on where they were after a snapshot', () => {
    m.setSystem('PMCR_EL0', E)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    m.run(7)
    const saved = m.cluster.saveCpu(0)
    m.run(100)
    m.cluster.restoreCpu(0, saved)
    m.run(5)
    expect(m.system('PMCCNTR_EL0')).toBe(12n)
  })
})

describe('an overflow', () => {
  it.each([
    ['an event counter', 'PMEVCNTR1_EL0', 2n ** 32n - 50n, 2n],
    ['the cycle counter, of 64 bits', 'PMCCNTR_EL0', 2n ** 64n - 50n, CYCLES],
  ])('of %s interrupts at its instruction, until PMOVSCLR_EL0 or PMINTENCLR_EL1 (D7.6)', (_what, name, value, bit) => {
    m.setSystem('PMCR_EL0', E)
    counter(1, EVENT.INST_RETIRED)
    m.setSystem('PMCNTENSET_EL0', CYCLES)
    m.setSystem(name, value)
    m.setSystem('PMINTENSET_EL1', bit)
    m.run(49)
    expect(interrupts).toEqual([])
    m.run(1)
    expect(interrupts).toEqual(['cpu 0 high'])
    expect(m.system('PMOVSCLR_EL0')).toBe(bit)
    m.setSystem('PMINTENCLR_EL1', bit)
    expect(interrupts.pop()).toBe('cpu 0 low')
    m.setSystem('PMINTENSET_EL1', bit)
    expect(interrupts.pop()).toBe('cpu 0 high')
    m.setSystem('PMOVSCLR_EL0', bit)
    expect(interrupts.pop()).toBe('cpu 0 low')
  })

  it('interrupts in the middle of a run, at the same instruction whatever its budget', () => {
    m.mode(0, 0)
    m.setSystem('PMCR_EL0', E)
    counter(0, EVENT.INST_RETIRED, P)
    m.setSystem('PMEVCNTR0_EL0', 2n ** 32n - 1000n)
    m.setSystem('PMINTENSET_EL1', 1n)
    const machine = new TestMachine({}, { pmuOutput: (cpu, level) => level && machine.cluster.setIrq(cpu, true) })
    machine.cluster.restoreCpu(0, m.cluster.saveCpu(0))
    machine.program([B])
    machine.program([NOP, B], VECTORS + 0x480)
    machine.cluster.setPc(0, BigInt(CODE))
    machine.setSystem('DAIF', 0n)
    machine.run(1000 + 8)
    expect(machine.system('ELR_EL1')).toBe(BigInt(CODE))
    expect(machine.cluster.pc(0)).toBe(BigInt(VECTORS + 0x484))
    // Of EL1 nothing was counted.
    expect(machine.system('PMEVCNTR0_EL0')).toBe(0n)
  })

  it('does not interrupt without PMCR_EL0.E', () => {
    m.setSystem('PMINTENSET_EL1', 1n)
    m.setSystem('PMOVSSET_EL0', 1n)
    expect(interrupts).toEqual([])
    m.setSystem('PMCR_EL0', E)
    expect(interrupts).toEqual(['cpu 0 high'])
  })
})

describe('the registers', () => {
  it('say six counters, LC, and the events that are counted (PMCR_EL0, PMCEID0_EL0, ID_AA64DFR0_EL1.PMUVer)', () => {
    expect(m.system('PMCR_EL0')).toBe(0x3040n)
    m.setSystem('PMCR_EL0', 0xffffffffn)
    expect(m.system('PMCR_EL0')).toBe(0x3041n)
    expect(m.system('PMCEID0_EL0')).toBe(0x40020701n)
    expect((m.system('ID_AA64DFR0_EL1') >> 8n) & 15n).toBe(1n)
  })

  it('have bits for the counters that there are, and RES0 for the others', () => {
    m.setSystem('PMCNTENSET_EL0', 0xffffffff_ffffffffn)
    expect(m.system('PMCNTENCLR_EL0')).toBe(0x8000003fn)
    m.setSystem('PMEVTYPER0_EL0', 0xffffffff_ffffffffn)
    expect(m.system('PMEVTYPER0_EL0')).toBe(0xc00003ffn)
    m.setSystem('PMCCFILTR_EL0', 0xffffffff_ffffffffn)
    expect(m.system('PMCCFILTR_EL0')).toBe(0xc0000000n)
  })

  it("are reached by PMSELR_EL0 too: 31 is the cycle counter's filter, and a number between is no counter", () => {
    for (const [selected, type, value] of [
      [2n, 0x40000008n, 77n],
      [31n, 0x40000000n, 0n],
      [6n, 0n, 0n],
    ] as const) {
      m.setSystem('PMSELR_EL0', selected)
      m.setSystem('PMXEVTYPER_EL0', 0x40000008n)
      m.setSystem('PMXEVCNTR_EL0', 77n)
      expect(m.system('PMXEVTYPER_EL0')).toBe(type)
      expect(m.system('PMXEVCNTR_EL0')).toBe(value)
    }
    expect(m.system('PMEVTYPER2_EL0')).toBe(0x40000008n)
    expect(m.system('PMCCFILTR_EL0')).toBe(0x40000000n)
  })

  it.each([
    ['PMCCNTR_EL0', MRS_PMCCNTR, 4n],
    ['PMEVCNTR0_EL0', 0xd53be802, 8n],
    ['PMSELR_EL0', 0xd53b9ca2, 8n],
    ['PMSWINC_EL0 (write)', 0xd51b9c82, 2n],
    ['PMCNTENSET_EL0', 0xd53b9c22, 0n],
  ])('trap EL0 with EC 0x18 unless PMUSERENR_EL0 lets it: %s', (_name, word, bit) => {
    for (const [enabled, ec] of [
      [0n, 0x18],
      [EN, 0],
      [bit, bit ? 0 : 0x18],
    ] as const) {
      m.setSystem('ESR_EL1', 0n)
      m.setSystem('PMUSERENR_EL0', enabled)
      atUser([word])
      m.run(1)
      expect(m.syndrome().ec, `PMUSERENR_EL0 ${enabled}`).toBe(ec)
    }
  })
})

it('a Data Abort on the way is no retired instruction, and is a cycle', () => {
  m.setSystem('PMCR_EL0', E)
  counter(0, EVENT.INST_RETIRED)
  counter(1, EVENT.CPU_CYCLES)
  m.setX(0, 1n << 50n)
  m.program([NOP, LDR, NOP])
  m.run(4)
  expect(m.syndrome().ec).toBe(0x25)
  expect(m.system('PMEVCNTR0_EL0')).toBe(3n)
  expect(m.system('PMEVCNTR1_EL0')).toBe(4n)
})
