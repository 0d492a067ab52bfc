/** Breakpoints as a guest sees them (DDI 0487 D2.8): what they match, where they are taken, and what holds them back. */
import { beforeEach, describe, expect, it } from 'vitest'
import { CODE, TestMachine, VECTORS } from '../testing/machine.ts'

const ERET = 0xd69f03e0
const NOP = 0xd503201f
const ADD = 0x91000484 // add x4, x4, #1
const LOOP = 0x17ffffff // b .-4
const MSR_CONTEXTIDR = 0xd518d026 // msr contextidr_el1, x6
const BR = 0xd61f0000 // br x0

const MDE = 1n << 15n
const KDE = 1n << 13n
const E = 1n
const EL0 = 4n
const EL1 = 2n
const LINKED = 1n << 20n
const CONTEXT = 2n << 20n
const LINKED_CONTEXT = 3n << 20n
const BAS = 0x1e0n

let m: TestMachine
function start(): void {
  m.cluster.start(0, BigInt(CODE), 0n)
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.program(
    Array.from({ length: 512 }, () => NOP),
    VECTORS,
  )
  m.cluster.setPc(0, BigInt(CODE))
  m.setSystem('OSLAR_EL1', 0n)
  m.setSystem('MDSCR_EL1', MDE | KDE)
  m.setSystem('DAIF', 0n)
}
beforeEach(() => {
  m ??= new TestMachine()
  start()
})

const at = (offset: number) => BigInt(CODE + offset)

function breakpoint(n: number, value: bigint, control: bigint): void {
  m.setSystem(`DBGBVR${n}_EL1`, value)
  m.setSystem(`DBGBCR${n}_EL1`, control | BAS)
}

/** Where the CPU is after `count` instructions of CODE, all of which count in X4. */
function run(count: number): { pc: bigint; done: bigint } {
  m.program(Array.from({ length: 16 }, () => ADD))
  m.run(count)
  return { pc: m.cluster.pc(0), done: m.x(4) }
}

describe('a breakpoint', () => {
  it.each(Array.from({ length: 6 }, (_, n) => n))(
    '%i of the six stands before its instruction: EC 0x31, ELR_EL1 (D2.8.7)',
    (n) => {
      breakpoint(n, at(12), E | EL1)
      expect(run(3)).toEqual({ pc: at(12), done: 3n })
      m.run(1)
      expect(m.syndrome()).toEqual({ ec: 0x31, il: 1, iss: 0x22 })
      expect(m.system('ELR_EL1')).toBe(at(12))
      expect(m.system('SPSR_EL1') & 0x3cfn).toBe(5n)
      expect(m.cluster.pc(0)).toBe(BigInt(VECTORS + 0x204))
      expect(m.x(4)).toBe(3n)
    },
  )

  it('is taken from EL0 with EC 0x30, whatever PSTATE.D and MDSCR_EL1.KDE say (D2.4.1)', () => {
    m.setSystem('MDSCR_EL1', MDE)
    breakpoint(0, at(4), E | EL0)
    m.program([ERET], VECTORS)
    m.setSystem('SPSR_EL1', 0x3c0n)
    m.setSystem('ELR_EL1', at(0))
    m.cluster.setPc(0, BigInt(VECTORS))
    m.program([ADD, ADD], CODE)
    m.program([ERET], VECTORS)
    m.run(3)
    expect(m.syndrome()).toEqual({ ec: 0x30, il: 1, iss: 0x22 })
    expect(m.system('ELR_EL1')).toBe(at(4))
  })

  it.each([
    ['DBGBCR<n>_EL1.E clear', () => breakpoint(0, at(8), EL1)],
    ['PMC of EL0 alone', () => breakpoint(0, at(8), E | EL0)],
    ['another address of the page', () => breakpoint(0, at(0x100), E | EL1)],
    ['the same place in another page', () => breakpoint(0, at(0x1008), E | EL1)],
    ['HMC or SSC set, which name what is not there', () => breakpoint(0, at(8), E | EL1 | 0x2000n)],
    ['MDSCR_EL1.MDE clear', () => m.setSystem('MDSCR_EL1', KDE)],
    ['MDSCR_EL1.KDE clear', () => m.setSystem('MDSCR_EL1', MDE)],
    ['PSTATE.D set', () => m.setSystem('DAIF', 0x200n)],
    ['the OS Lock locked', () => m.setSystem('OSLAR_EL1', 1n)],
    ['the OS Double Lock set', () => m.setSystem('OSDLR_EL1', 1n)],
  ])('does nothing with %s', (_what, change) => {
    breakpoint(0, at(8), E | EL1)
    change()
    expect(run(5)).toEqual({ pc: at(20), done: 5n })
  })

  it('takes effect for the page that is executing, and ends with it', () => {
    m.program([0xd51000a8, 0xd5100089, ADD, ADD]) // msr dbgbcr0_el1, x8; msr dbgbvr0_el1, x9
    m.setX(8, E | EL1 | BAS)
    m.setX(9, at(12))
    m.run(4)
    expect(m.syndrome().ec).toBe(0x31)
    expect(m.system('ELR_EL1')).toBe(at(12))
    breakpoint(0, at(12), 0n)
    m.setSystem('DAIF', 0n)
    m.cluster.setPc(0, at(8))
    m.run(2)
    expect(m.cluster.pc(0)).toBe(at(16))
  })

  it('stands at the target of a branch from another page', () => {
    breakpoint(3, BigInt(VECTORS + 0x800), E | EL1)
    m.program([BR])
    m.setX(0, VECTORS + 0x800)
    m.run(2)
    expect(m.syndrome().ec).toBe(0x31)
    expect(m.system('ELR_EL1')).toBe(BigInt(VECTORS + 0x800))
  })

  it('with a linked address asks the context breakpoint that LBN names (D2.8.3)', () => {
    for (const [context, linked, taken] of [
      [7n, LINKED_CONTEXT, true],
      [8n, LINKED_CONTEXT, false],
      [7n, CONTEXT, false],
      [7n, 0n, false],
    ] as const) {
      start()
      m.setX(4, 0)
      m.setSystem('CONTEXTIDR_EL1', context)
      breakpoint(1, at(8), E | EL1 | LINKED | (5n << 16n))
      // PMC of the breakpoint that is linked to is not looked at.
      breakpoint(5, 7n, linked | E)
      run(3)
      expect(m.syndrome().ec === 0x31, `context ${context}, DBGBCR5_EL1 ${linked}`).toBe(taken)
      m.setSystem('ESR_EL1', 0n)
    }
  })

  it('linked to one that is not context-aware, or not there, does nothing (D2.8.6)', () => {
    for (const n of [3n, 15n]) {
      start()
      m.setX(4, 0)
      breakpoint(3, 0n, E | LINKED_CONTEXT)
      breakpoint(1, at(8), E | EL1 | LINKED | (n << 16n))
      expect(run(5)).toEqual({ pc: at(20), done: 5n })
    }
  })

  it('of context stands before the first instruction with that CONTEXTIDR_EL1 (D2.8.4)', () => {
    breakpoint(4, 0x1234n, E | EL1 | CONTEXT)
    m.setX(6, 0x1234)
    m.program([ADD, ADD, MSR_CONTEXTIDR, ADD])
    m.run(4)
    expect(m.syndrome().ec).toBe(0x31)
    expect(m.system('ELR_EL1')).toBe(at(12))
  })

  it('compares bits 48:2 of the address alone (D2.8.3)', () => {
    breakpoint(0, at(8) | (0x55n << 52n), E | EL1)
    run(3)
    expect(m.syndrome().ec).toBe(0x31)
    expect(m.system('ELR_EL1')).toBe(at(8))
  })

  it('lets an Instruction Abort of its page come first (D1.13.4)', () => {
    m.translate()
    breakpoint(0, 0x80000000n, E | EL1)
    m.program([BR])
    m.setX(0, 0x80000000)
    m.run(3)
    expect(m.syndrome().ec).toBe(0x21)
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~1n)
  })

  it('changes nothing but speed for the rest of its page: the same instructions, the same count', () => {
    breakpoint(0, at(0x40), E | EL1)
    m.program([ADD, LOOP])
    const before = m.cluster.retired(0)
    m.run(1001)
    expect(m.cluster.retired(0) - before).toBe(1001)
    expect(m.x(4)).toBe(501n)
    expect(m.cluster.pc(0)).toBe(at(4))
  })

  it('reads BAS as ones, which is RES1 without AArch32, and RES0 bits as zero (DDI 0487 DBGBCR<n>_EL1)', () => {
    m.setSystem('DBGBCR2_EL1', 0xffffffff_ffffff1en & ~1n)
    expect(m.system('DBGBCR2_EL1')).toBe(0xffe1e6n)
    m.setSystem('DBGBVR2_EL1', 0xffffffff_ffffffffn)
    expect(m.system('DBGBVR2_EL1')).toBe(0xffffffff_fffffffcn)
    m.setSystem('DBGBVR5_EL1', 0xffffffffn)
    expect(m.system('DBGBVR5_EL1')).toBe(0xffffffffn)
    m.setSystem('DBGBCR2_EL1', 0n)
    expect(m.system('DBGBCR2_EL1')).toBe(BAS)
  })
})
