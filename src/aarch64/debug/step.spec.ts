/** Software step as a guest sees it (DDI 0487 D2.11): its state machine, syndromes, and what holds it back. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CODE, DATA, TestMachine, VECTORS } from '../testing/machine.ts'

const ERET = 0xd69f03e0
const NOP = 0xd503201f
const WFI = 0xd503207f
const SVC = 0xd4000001
const BRK = 0xd4200020
const HVC = 0xd4000002
const UDF = 0
const LDXR = 0xc85f7c01 // ldxr x1, [x0]
const LDAXP = 0xc87f8801 // ldaxp x1, x2, [x0]
const LDR = 0xf9400001 // ldr x1, [x0]
const CASP = 0x48227c04 // casp x2, x3, x4, x5, [x0]
const DAIFCLR_D = 0xd50348ff
const DAIFSET_D = 0xd50348df
const MSR_DAIF = 0xd51b4223 // msr daif, x3
const ADD = 0x91000484 // add x4, x4, #1
const LOOP = 0x17ffffff // b .-4

const MDSCR_SS = 1n
const MDSCR_KDE = 1n << 13n
const SPSR_SS = 1n << 21n
/** SPSR_EL1 of EL0, with nothing masked. */
const EL0 = 0n
const EL1_D = 0x205n
const ISV = 1 << 24
const EX = 1 << 6

let m: TestMachine
beforeEach(() => {
  m ??= new TestMachine({}, { hypercall: () => true })
  m.cluster.setIrq(0, false)
  m.cluster.start(0, BigInt(CODE), 0n)
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.program(
    Array.from({ length: 512 }, () => NOP),
    VECTORS,
  )
  m.cluster.setPc(0, BigInt(CODE))
  m.setSystem('OSLAR_EL1', 0n)
  m.setX(0, DATA)
})

/** Stands at an ERET to CODE. */
function returnTo(spsr: bigint, words: readonly number[]): void {
  m.program(words)
  m.program([ERET], VECTORS)
  m.setSystem('SPSR_EL1', spsr)
  m.setSystem('ELR_EL1', BigInt(CODE))
}

const at = (offset: number) => BigInt(CODE + offset)
const vector = (offset: number) => BigInt(VECTORS + offset)

describe('software step', () => {
  it('steps one instruction of EL0 when SPSR_EL1.SS was 1, and says that it did: EC 0x32, ISV (D2.11.4, ESR_EL1)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [ADD, ADD, ADD])
    m.run(3)
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: ISV | 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(4))
    expect(m.system('SPSR_EL1')).toBe(0n)
    expect(m.x(4)).toBe(1n)
    // The exception takes no instruction of its own: the third was the first of the vector.
    expect(m.cluster.pc(0)).toBe(vector(0x404))
    expect(m.cluster.pstate(0) & 0x3cf).toBe(0x3c5)
  })

  it('takes its exception at once when SPSR_EL1.SS was 0, without ISV: nothing was stepped (D2.11.3)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0, [ADD])
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(0))
    expect(m.x(4)).toBe(0n)
  })

  it.each([
    ['LDXR', LDXR, EX],
    ['LDAXP', LDAXP, EX],
    ['LDR', LDR, 0],
    ['CASP', CASP, 0],
  ])('says of %s whether it was a Load-Exclusive (ESR_EL1.EX)', (_name, word, ex) => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [word])
    m.run(3)
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: ISV | ex | 0x22 })
  })

  it('has SPSR_EL1.SS 0 after a stepped SVC, so that the handler returns to its exception (pseudocode AArch64.CallSupervisor)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [SVC, NOP])
    m.program([ERET], VECTORS + 0x400)
    m.run(2)
    expect(m.syndrome().ec).toBe(0x15)
    expect(m.system('SPSR_EL1')).toBe(0n)
    expect(m.system('ELR_EL1')).toBe(at(4))
    m.run(1)
    const pc = m.cluster.pc(0)
    expect(pc).toBe(at(4))
    m.program([NOP], VECTORS + 0x400)
    m.cluster.setPc(0, pc)
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(4))
  })

  it.each([
    ['BRK', BRK, 0x3c],
    ['UDF', UDF, 0],
    ['a misaligned Load-Exclusive', LDXR, 0x24],
  ])(
    'keeps SPSR_EL1.SS 1 for %s, which did not execute: after its handler the step is still to be done',
    (_what, word, ec) => {
      m.setSystem('MDSCR_EL1', MDSCR_SS)
      m.setX(0, DATA + 1)
      returnTo(EL0 | SPSR_SS, [word])
      m.run(3)
      expect(m.syndrome().ec).toBe(ec)
      expect(m.system('SPSR_EL1')).toBe(SPSR_SS)
      expect(m.system('ELR_EL1')).toBe(at(0))
    },
  )

  it('lets an interrupt come first, whose handler returns to the step (D2.11.7)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [ADD])
    m.cluster.setIrq(0, true)
    m.run(2)
    expect(m.cluster.pc(0)).toBe(vector(0x484))
    expect(m.system('SPSR_EL1')).toBe(SPSR_SS)
    expect(m.system('ELR_EL1')).toBe(at(0))
  })

  it('does not sleep in a stepped WFI', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') | (1n << 16n))
    returnTo(EL0 | SPSR_SS, [WFI])
    expect(m.run(3)).toBe('budget')
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: ISV | 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(4))
  })

  it('takes a stepped HVC that the embedder serves for one instruction', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS | MDSCR_KDE)
    returnTo(5n | SPSR_SS, [HVC])
    m.setSystem('DAIF', 0x3c0n)
    m.run(3)
    expect(m.syndrome()).toEqual({ ec: 0x33, il: 1, iss: ISV | 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(4))
  })

  it('steps a branch to itself once', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [NOP, LOOP])
    m.setSystem('ELR_EL1', at(4))
    m.run(3)
    expect(m.system('ELR_EL1')).toBe(at(0))
  })

  it.each([
    ['MSR DAIFClr', [DAIFCLR_D, ADD, ADD]],
    ['MSR DAIF', [MSR_DAIF, ADD, ADD]],
  ])(
    'of EL1 begins when %s clears PSTATE.D with MDSCR_EL1.KDE set, and ends when it is set (D2.4.1)',
    (_name, words) => {
      m.setSystem('MDSCR_EL1', MDSCR_SS | MDSCR_KDE)
      m.program(words)
      m.setX(3, 0x1c0)
      m.run(2)
      // PSTATE.SS was 0, so the exception was due at once.
      expect(m.syndrome()).toEqual({ ec: 0x33, il: 1, iss: 0x22 })
      expect(m.system('ELR_EL1')).toBe(at(4))
      expect(m.cluster.pc(0)).toBe(vector(0x204))
      expect(m.x(4)).toBe(0n)
      // Return to step it, and then an instruction that masks debug exceptions: no exception is due after it.
      returnTo(5n | SPSR_SS, [ADD, ADD])
      m.setSystem('ELR_EL1', at(4))
      m.run(3)
      expect(m.system('ELR_EL1')).toBe(at(8))
      returnTo(5n | SPSR_SS, [DAIFSET_D, ADD, ADD])
      m.run(4)
      expect(m.cluster.pc(0)).toBe(at(12))
      expect(m.x(4)).toBe(3n)
    },
  )

  it.each([
    ['the OS Lock', 'OSLAR_EL1', 1n],
    ['the OS Double Lock', 'OSDLR_EL1', 1n],
    ['MDSCR_EL1.SS clear', 'MDSCR_EL1', 0n],
  ])('does nothing with %s (pseudocode AArch64.GenerateDebugExceptionsFrom)', (_what, name, value) => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    m.setSystem(name, value)
    returnTo(EL0 | SPSR_SS, [ADD, ADD, ADD])
    m.run(4)
    expect(m.cluster.pc(0)).toBe(at(12))
  })

  it('does nothing at EL1 without MDSCR_EL1.KDE, or with PSTATE.D set; and ERET clears PSTATE.SS then', () => {
    for (const [mdscr, spsr] of [
      [MDSCR_SS, 5n],
      [MDSCR_SS | MDSCR_KDE, EL1_D],
    ] as const) {
      m.cluster.start(0, BigInt(CODE), 0n)
      m.setSystem('VBAR_EL1', BigInt(VECTORS))
      m.setSystem('OSLAR_EL1', 0n)
      m.setSystem('MDSCR_EL1', mdscr)
      returnTo(spsr | SPSR_SS, [ADD, ADD])
      m.run(3)
      expect(m.cluster.pc(0)).toBe(at(8))
      expect(m.cluster.pstate(0) & (1 << 21)).toBe(0)
    }
  })

  it('has PSTATE.SS 0 after a return from where debug exceptions are enabled (pseudocode DebugExceptionReturnSS)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS | MDSCR_KDE)
    m.program([DAIFCLR_D])
    m.program([ERET], CODE + 0x100)
    // Step the ERET itself: SPSR_EL1.SS of its own return does not count.
    m.setSystem('SPSR_EL1', 5n | SPSR_SS)
    m.setSystem('ELR_EL1', BigInt(CODE + 0x100))
    m.program([ERET], VECTORS)
    m.run(1)
    m.setSystem('SPSR_EL1', EL0 | SPSR_SS)
    m.setSystem('ELR_EL1', at(0x200))
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x32, il: 1, iss: ISV | 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(0x200))
  })

  it('comes before Illegal Execution state, which comes before the instruction (D1.13.4)', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | (1n << 20n), [NOP])
    m.run(2)
    expect(m.syndrome().ec).toBe(0x32)
    expect(m.system('SPSR_EL1')).toBe(1n << 20n)
    m.cluster.start(0, BigInt(CODE), 0n)
    m.setSystem('VBAR_EL1', BigInt(VECTORS))
    m.setSystem('OSLAR_EL1', 0n)
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | (1n << 20n) | SPSR_SS, [NOP])
    m.run(2)
    expect(m.syndrome().ec).toBe(0x0e)
    expect(m.system('SPSR_EL1')).toBe((1n << 20n) | SPSR_SS)
  })

  it('is the same after a snapshot between the step and its exception', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [LDXR])
    m.run(2)
    expect(m.syndrome().ec).not.toBe(0x32)
    const saved = m.cluster.saveCpu(0)
    const other = new TestMachine()
    other.program([NOP], VECTORS + 0x400)
    other.cluster.restoreCpu(0, saved)
    other.run(1)
    expect(other.syndrome()).toEqual({ ec: 0x32, il: 1, iss: ISV | EX | 0x22 })
  })

  it('retires the instructions of a guest that is stepped, and no others', () => {
    m.setSystem('MDSCR_EL1', MDSCR_SS)
    returnTo(EL0 | SPSR_SS, [ADD, LOOP])
    // The handler sets SPSR_EL1.SS and returns: mrs x5, spsr_el1; orr x5, x5, #1 << 21; msr spsr_el1, x5; eret
    m.program([0xd5384005, 0xb26b00a5, 0xd5184005, ERET], VECTORS + 0x400)
    m.program([ERET])
    m.program([ADD, LOOP], CODE + 0x100)
    m.setSystem('ELR_EL1', at(0x100))
    m.cluster.setPc(0, BigInt(CODE))
    const before = m.cluster.retired(0)
    m.run(1 + 5 * 100)
    expect(m.cluster.retired(0) - before).toBe(501)
    // Of five instructions one is the guest's.
    expect(m.x(4)).toBe(50n)
  })
})
