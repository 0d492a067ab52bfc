/**
 * Translations that are kept over a change of the address space: what TLB maintenance and changes of the controls must drop of a
 * space that is not the present one (DDI 0487 D5.10), and what must not be taken for another's.
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { SPACES, TLB_NOTES } from '../state/state.ts'
import { AF, CODE, DATA, EL0, NG, RAM, READ_ONLY, TestMachine, VALID_PAGE } from '../testing/machine.ts'

const LDR = 0xf9400001 // ldr x1, [x0]
const LDTR = 0xf8400801 // ldtr x1, [x0]
const STTR = 0xf8000801 // sttr x1, [x0]
const VA = BigInt(RAM + 0x30000)
const OTHER = DATA + 0x1000
const [ASID_A, ASID_B] = [0x0107n, 0x0207n]
const A1 = 1n << 22n

/** TLBI by its op2, of this CPU or of all in the Inner Shareable domain, with X2 as its operand. */
const tlbi = (op2: number, shareable: boolean) =>
  0xd5088002 | (shareable ? 0x300 : 0x700) | (op2 << 5) | (op2 === 0 ? 31 : 0)
const [VMALLE1, VAE1, ASIDE1, VAAE1, VALE1, VAALE1] = [0, 1, 2, 3, 5, 7] as const
const user = (physical: number, more = NG) => BigInt(physical) | AF | VALID_PAGE | EL0 | more

let m: TestMachine
let root: bigint
beforeEach(() => {
  m = new TestMachine({ cpus: 2 })
  m.setQuad(DATA, 1n)
  m.setQuad(OTHER, 2n)
  m.translate()
  root = m.system('TTBR0_EL1')
  for (const name of ['MAIR_EL1', 'TCR_EL1', 'TTBR0_EL1', 'TTBR1_EL1', 'SCTLR_EL1'])
    m.setSystem(name, m.system(name), 1)
})

function enter(asid: bigint, cpu = 0): void {
  m.setSystem('TTBR0_EL1', root | (asid << 48n), cpu)
}

/** What a load finds at VA, or the fault status. */
function load(word = LDTR, address = VA, cpu = 0): bigint | string {
  m.program([word], CODE, cpu)
  m.setX(0, address, cpu)
  m.run(1, cpu)
  return m.cluster.pc(cpu) === BigInt(CODE + 4) ? m.x(1, cpu) : `fault ${m.syndrome(cpu).iss.toString(16)}`
}

function execute(word: number, operand: bigint, cpu = 0): void {
  m.program([word], CODE, cpu)
  m.setX(2, operand, cpu)
  m.run(1, cpu)
  expect(m.cluster.pc(cpu)).toBe(BigInt(CODE + 4))
}

/** VA is known in space A, which the CPU has left; its page is another one by then. */
function leaveStale(more = NG): void {
  enter(ASID_A)
  m.map(VA, user(DATA, more))
  expect(load()).toBe(1n)
  enter(ASID_B)
  m.map(VA, user(OTHER, more))
}

describe('an address space that the CPU comes back to', () => {
  it('has the translations that it had, as nothing has invalidated them', () => {
    leaveStale()
    expect(load()).toBe(2n)
    enter(ASID_A)
    expect(load()).toBe(1n)
  })

  const page = VA >> 12n
  const named = [
    ['VMALLE1', VMALLE1, 0n],
    ['VAE1', VAE1, page | (ASID_A << 48n)],
    ['VALE1', VALE1, page | (ASID_A << 48n)],
    ['VAAE1', VAAE1, page],
    ['VAALE1', VAALE1, page],
    ['ASIDE1', ASIDE1, ASID_A << 48n],
  ] as const
  for (const [name, op2, operand] of named)
    for (const shareable of [false, true])
      it(`has none that TLBI ${name}${shareable ? 'IS' : ''} named while the CPU was in another`, () => {
        leaveStale()
        execute(tlbi(op2, shareable), operand)
        enter(ASID_A)
        expect(load()).toBe(2n)
      })

  for (const [name, op2, operand] of named)
    it(`has none that TLBI ${name}IS of another CPU named, in the space or out of it, at EL0 too`, () => {
      leaveStale()
      execute(tlbi(op2, true), operand, 1)
      enter(ASID_A)
      expect(load()).toBe(2n)
      m.map(VA, user(DATA))
      execute(tlbi(op2, true), operand, 1)
      expect(load()).toBe(1n)
      m.map(BigInt(CODE), BigInt(CODE) | AF | VALID_PAGE | EL0 | READ_ONLY)
      m.cluster.cpus[0]!.tlb.flushAll()
      m.mode(0, 0)
      expect(load(LDR)).toBe(1n)
      m.map(VA, user(OTHER))
      execute(tlbi(op2, true), operand, 1)
      expect(load(LDR)).toBe(2n)
    })

  it('keeps what TLBI ASIDE1 of another ASID, or TLBI VAE1 of another page, named', () => {
    leaveStale()
    execute(tlbi(ASIDE1, true), ASID_B << 48n)
    execute(tlbi(VAE1, true), (page + 1n) | (ASID_A << 48n))
    enter(ASID_A)
    expect(load()).toBe(1n)
  })

  it('loses a block by TLBI of any address in it', () => {
    enter(ASID_A)
    const high = 0xffff000000000000n
    const at = high + BigInt(DATA - RAM)
    m.map(high, BigInt(RAM) | AF | NG | EL0 | 1n, 2)
    expect(load(LDTR, at)).toBe(1n)
    enter(ASID_B)
    m.map(high, 0n, 2)
    execute(tlbi(VAE1, true), ((high >> 12n) & 0xfffffffffffn) | (ASID_A << 48n))
    enter(ASID_A)
    expect(load(LDTR, at)).toBe('fault 6')
  })

  it('loses a global page by TLBI VAE1 with whatever ASID', () => {
    leaveStale(0n)
    execute(tlbi(VAE1, true), page | (0x55n << 48n))
    enter(ASID_A)
    expect(load()).toBe(2n)
  })
})

describe('an ASID', () => {
  it('has 8 bits where TCR_EL1.AS is 0: the bits above it name no other one (D13.2.131)', () => {
    m.setSystem('TCR_EL1', m.system('TCR_EL1') & ~(1n << 36n))
    leaveStale()
    execute(tlbi(ASIDE1, true), 0xff07n << 48n)
    enter(ASID_A)
    expect(load()).toBe(2n)
  })

  it('has 16 bits where TCR_EL1.AS is 1: what the low 8 name alone stays', () => {
    leaveStale()
    execute(tlbi(ASIDE1, true), 0x0007n << 48n)
    enter(ASID_A)
    expect(load()).toBe(1n)
  })

  it('is that of TTBR1_EL1 where TCR_EL1.A1 is set', () => {
    m.setSystem('TCR_EL1', m.system('TCR_EL1') | A1)
    const high = m.system('TTBR1_EL1')
    const own = (asid: bigint) => m.setSystem('TTBR1_EL1', high | (asid << 48n))
    own(ASID_A)
    m.map(VA, user(DATA))
    expect(load()).toBe(1n)
    expect(load(LDR)).toBe(1n)
    own(ASID_B)
    m.map(VA, user(OTHER))
    expect(load()).toBe(2n)
    expect(load(LDR)).toBe(2n)
    execute(tlbi(ASIDE1, false), ASID_A << 48n)
    own(ASID_A)
    expect(load()).toBe(2n)
  })

  it('changes for EL1 what is not global, and nothing else', () => {
    enter(ASID_A)
    m.map(VA, user(DATA))
    m.map(VA + 0x1000n, BigInt(DATA) | AF | VALID_PAGE)
    expect(load(LDR)).toBe(1n)
    expect(load(LDR, VA + 0x1000n)).toBe(1n)
    m.map(VA, user(OTHER))
    m.map(VA + 0x1000n, BigInt(OTHER) | AF | VALID_PAGE)
    enter(ASID_B)
    expect(load(LDR)).toBe(2n)
    expect(load(LDR, VA + 0x1000n)).toBe(1n)
  })

  it('changes what is not global however many pages that is', () => {
    enter(ASID_A)
    const pages = TLB_NOTES.mostListed + 8
    const at = (index: number) => VA + BigInt(index * 0x1000)
    for (let index = 0; index < pages; index++) {
      m.map(at(index), user(DATA))
      expect(load(LDR, at(index))).toBe(1n)
    }
    for (let index = 0; index < pages; index++) m.map(at(index), user(OTHER))
    enter(ASID_B)
    for (let index = 0; index < pages; index++) expect(load(LDR, at(index))).toBe(2n)
  })

  it('is one of more than are kept: the oldest is walked for again', () => {
    for (let round = 0; round < 2; round++)
      for (let asid = 1; asid <= 2 * SPACES; asid++) {
        enter(BigInt(asid))
        m.map(VA, user(asid & 1 ? DATA : OTHER))
        execute(tlbi(ASIDE1, false), BigInt(asid) << 48n)
        expect(load()).toBe(asid & 1 ? 1n : 2n)
      }
    for (let asid = 1; asid <= 2 * SPACES; asid++) {
      m.map(VA, user(asid & 1 ? DATA : OTHER))
      enter(BigInt(asid))
      expect(load()).toBe(asid & 1 ? 1n : 2n)
    }
  })

  it('does not stand for its tables: another TTBR0_EL1 with the same ASID has its own translations', () => {
    enter(ASID_A)
    m.map(VA, user(DATA))
    expect(load()).toBe(1n)
    // The code stays: it is global, and of the EL1 TLB.
    m.setSystem('TTBR0_EL1', BigInt(RAM + 0x60000) | (ASID_A << 48n))
    expect(load()).toBe('fault 4')
  })
})

describe('a change of a control', () => {
  it.each([
    ['TCR_EL1', (value: bigint) => value | (1n << 37n)],
    ['MAIR_EL1', (value: bigint) => value | 0xff0000n],
  ])('of %s drops the translations of spaces that are not the present one', (name, change) => {
    leaveStale()
    m.setSystem(name, change(m.system(name)))
    enter(ASID_A)
    expect(load()).toBe(2n)
  })

  it('of SCTLR_EL1.M drops them, off and on again, and off is flat', () => {
    leaveStale()
    const sctlr = m.system('SCTLR_EL1')
    m.setQuad(Number(VA), 3n)
    m.setSystem('SCTLR_EL1', sctlr & ~1n)
    expect(load()).toBe(3n)
    m.setSystem('SCTLR_EL1', sctlr)
    enter(ASID_A)
    expect(load()).toBe(2n)
  })

  it('of TTBR0_EL1 to the value that it has drops nothing', () => {
    enter(ASID_A)
    m.map(VA, user(DATA))
    expect(load()).toBe(1n)
    m.map(VA, user(OTHER))
    enter(ASID_A)
    expect(load()).toBe(1n)
  })
})

describe('a watchpoint', () => {
  it('is seen in a page that a space which the CPU comes back to has known as plain memory (D2.10)', () => {
    enter(ASID_A)
    m.map(VA, user(DATA))
    expect(load()).toBe(1n)
    enter(ASID_B)
    m.setSystem('OSLAR_EL1', 0n)
    m.setSystem('MDSCR_EL1', (1n << 15n) | (1n << 13n))
    m.setSystem('DBGWVR0_EL1', VA)
    // BAS all, LSC both, PAC any EL, enabled.
    m.setSystem('DBGWCR0_EL1', 0x1fffn)
    enter(ASID_A)
    m.cluster.cpus[0]!.setWord(0x134, 0)
    expect(load(STTR)).toBe('fault 62')
    m.setSystem('DBGWCR0_EL1', 0n)
    expect(load(LDTR)).toBe(1n)
  })
})

describe('a snapshot', () => {
  it('does not say which of the tables was in use', () => {
    enter(ASID_A)
    m.map(VA, user(DATA))
    load()
    const before = m.cluster.saveCpu(0)
    m.cluster.restoreCpu(0, before)
    expect(load()).toBe(1n)
    m.cluster.restoreCpu(0, before)
    expect(m.cluster.saveCpu(0)).toEqual(before)
  })
})
