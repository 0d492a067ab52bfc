/** Watchpoints as a guest sees them (DDI 0487 D2.9): which accesses match, the syndrome and FAR_EL1, and what holds them back. */
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { AF, CODE, DATA, DEVICE, TestMachine, EL0 as USER, VALID_PAGE, VECTORS } from '../testing/machine.ts'

const NOP = 0xd503201f
const LDR = 0xf9400001 // ldr x1, [x0]
const STR = 0xf9000001 // str x1, [x0]
const LDRB = 0x39400001
const STRB = 0x39000001
const LDP = 0xa9400801 // ldp x1, x2, [x0]
const STP = 0xa9000801
const LDTR = 0xf8400801 // ldtr x1, [x0]
const SWP = 0xf8218002 // swp x1, x2, [x0]
const STR_Q = 0x3d800001 // str q1, [x0]
const DC_ZVA = 0xd50b7420
const PRFM = 0xf9800000
const AT = 0xd5087800 // at s1e1r, x0
const DC_CIVAC = 0xd50b7e20
const ERET = 0xd69f03e0

const MDE = 1n << 15n
const KDE = 1n << 13n
const E = 1n
const EL1 = 2n
const EL0 = 4n
const LOAD = 8n
const STORE = 16n
const BAS = (bits: number) => BigInt(bits) << 5n
const MASK = (bits: number) => BigInt(bits) << 24n
const WnR = 0x40

let m: TestMachine
beforeAll(() => {
  m = new TestMachine()
})
beforeEach(() => {
  m.cluster.start(0, BigInt(CODE), 0n)
  m.accesses.length = 0
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.program(
    Array.from({ length: 512 }, () => NOP),
    VECTORS,
  )
  m.setSystem('CPACR_EL1', 0x300000n)
  m.translate()
  const data = BigInt(DATA)
  for (const page of [0n, 0x1000n, 0x2000n]) m.map(data + page, (data + page) | AF | VALID_PAGE | USER)
  m.setSystem('OSLAR_EL1', 0n)
  m.setSystem('MDSCR_EL1', MDE | KDE)
  m.setSystem('DAIF', 0n)
  m.setSystem('PAN', 0n)
})

function watch(n: number, value: number, control: bigint): void {
  m.setSystem(`DBGWVR${n}_EL1`, BigInt(value))
  m.setSystem(`DBGWCR${n}_EL1`, control)
}

/** Executes one instruction with X0 at the address, after the page was entered into the TLB; whether a watchpoint was taken. */
function access(word: number, address: number): boolean {
  m.setSystem('ESR_EL1', 0n)
  m.setX(0, address)
  m.program([word])
  m.run(1)
  return m.syndrome().ec === 0x35
}

const both = E | EL1 | LOAD | STORE
const iss = (write: boolean) => ({ ec: 0x35, il: 1, iss: (write ? WnR : 0) | 0x22 })

describe('a watchpoint', () => {
  it.each([0, 1, 2, 3])('%i of the four is taken before the access: EC 0x35, WnR, FAR_EL1, ELR_EL1 (D2.9.8)', (n) => {
    watch(n, DATA + 8, both | BAS(0xff))
    m.setQuad(DATA + 8, 7n)
    m.setX(1, 5)
    expect(access(STR, DATA + 8)).toBe(true)
    expect(m.syndrome()).toEqual(iss(true))
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 8))
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
    expect(m.quad(DATA + 8)).toBe(7n)
    m.setSystem('DAIF', 0n)
    expect(access(LDR, DATA + 8)).toBe(true)
    expect(m.syndrome()).toEqual(iss(false))
    expect(m.x(1)).toBe(5n)
  })

  it('takes the tags of its page away that were there, and lets the rest of the page be accessed', () => {
    expect(access(STR, DATA + 8)).toBe(false)
    watch(0, DATA + 8, both | BAS(0xff))
    expect(access(STR, DATA)).toBe(false)
    expect(access(STR, DATA + 16)).toBe(false)
    expect(access(STR, DATA + 0x1008)).toBe(false)
    expect(access(STR, DATA + 8)).toBe(true)
    watch(0, DATA + 8, 0n)
    m.setSystem('DAIF', 0n)
    expect(access(STR, DATA + 8)).toBe(false)
  })

  it.each([
    ['loads', LOAD, true, false],
    ['stores', STORE, false, true],
    ['neither', 0n, false, false],
  ])('with LSC of %s matches those (DBGWCR<n>_EL1.LSC)', (_name, lsc, load, store) => {
    watch(0, DATA, E | EL1 | lsc | BAS(0xff))
    expect(access(LDR, DATA)).toBe(load)
    m.setSystem('DAIF', 0n)
    expect(access(STR, DATA)).toBe(store)
  })

  it('matches any byte that BAS selects, and no other (D2.9.4)', () => {
    for (const [bas, first, last] of [
      [0xff, 0, 7],
      [0x01, 0, 0],
      [0x80, 7, 7],
      [0x3c, 2, 5],
    ] as const) {
      watch(0, DATA + 0x20, both | BAS(bas))
      for (let byte = -1; byte <= 8; byte++) {
        m.setSystem('DAIF', 0n)
        expect(access(STRB, DATA + 0x20 + byte), `BAS ${bas} byte ${byte}`).toBe(byte >= first && byte <= last)
      }
    }
    watch(0, DATA + 0x20, both)
    m.setSystem('DAIF', 0n)
    expect(access(STR, DATA + 0x20)).toBe(false)
    // A word: DBGWVR<n>_EL1[2] is 1, and BAS[7:4] are ignored.
    watch(0, DATA + 0x24, both | BAS(0xf8))
    expect(access(LDRB, DATA + 0x28)).toBe(false)
    expect(access(LDRB, DATA + 0x27)).toBe(true)
  })

  it('matches all of the range that MASK makes (D2.9.5)', () => {
    watch(0, DATA, both | BAS(0xff) | MASK(13))
    for (const [offset, taken] of [
      [0, true],
      [0x1ff8, true],
      [0x2000, false],
    ] as const) {
      m.setSystem('DAIF', 0n)
      expect(access(LDR, DATA + offset), offset.toString(16)).toBe(taken)
    }
  })

  it('has the lowest watched address of the access in FAR_EL1 (D2.9.8.2)', () => {
    watch(0, DATA + 0x20, both | BAS(0x30))
    expect(access(LDR, DATA + 0x20)).toBe(true)
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 0x24))
    m.setSystem('DAIF', 0n)
    expect(access(LDR, DATA + 0x1e)).toBe(true)
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 0x24))
    m.setSystem('DAIF', 0n)
    expect(access(LDRB, DATA + 0x25)).toBe(true)
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 0x25))
  })

  it.each([
    ['the second register of LDP', LDP, 0, false],
    ['the second register of STP', STP, 0, true],
    ['the upper half of a vector', STR_Q, 0, true],
  ])('matches %s', (_name, word, offset, write) => {
    watch(0, DATA + 0x40 + 8, both | BAS(0xff))
    expect(access(word, DATA + 0x40 + offset)).toBe(true)
    expect(m.syndrome()).toEqual(iss(write))
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 0x48))
  })

  it('matches an access across the end of a page on either side', () => {
    for (const place of [0xff8, 0x1000]) {
      watch(0, DATA + place, both | BAS(0xff))
      m.setSystem('DAIF', 0n)
      expect(access(STR, DATA + 0xffc), place.toString(16)).toBe(true)
    }
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 0x1000))
  })

  it('takes an atomic for a load and a store: WnR is 0 when its load would match (ESR_EL1.WnR)', () => {
    for (const [lsc, write] of [
      [LOAD, false],
      [STORE, true],
      [LOAD | STORE, false],
    ] as const) {
      watch(0, DATA, E | EL1 | lsc | BAS(0xff))
      m.setSystem('DAIF', 0n)
      expect(access(SWP, DATA)).toBe(true)
      expect(m.syndrome()).toEqual(iss(write))
    }
  })

  it('takes DC ZVA for a store of its block, and is not matched by PRFM, AT and other cache maintenance (D2.9.6)', () => {
    watch(0, DATA + 0x80 + 0x18, both | BAS(0xff))
    m.setQuad(DATA + 0x80, 9n)
    expect(access(DC_ZVA, DATA + 0x84)).toBe(true)
    expect(m.syndrome()).toEqual(iss(true))
    expect(m.quad(DATA + 0x80)).toBe(9n)
    m.setSystem('DAIF', 0n)
    for (const word of [PRFM, AT, DC_CIVAC]) expect(access(word, DATA + 0x98)).toBe(false)
    expect(access(DC_ZVA, DATA + 0xc0)).toBe(false)
  })

  it('takes an unprivileged access of EL1 for one of EL0 (pseudocode AArch64.WatchpointMatch)', () => {
    watch(0, DATA, E | EL0 | LOAD | STORE | BAS(0xff))
    expect(access(LDR, DATA)).toBe(false)
    expect(access(LDTR, DATA)).toBe(true)
    expect(m.syndrome()).toEqual(iss(false))
    watch(0, DATA, both | BAS(0xff))
    m.setSystem('DAIF', 0n)
    expect(access(LDTR, DATA)).toBe(false)
  })

  it('is taken from EL0 with EC 0x34, without KDE and with PSTATE.D set', () => {
    m.setSystem('MDSCR_EL1', MDE)
    m.translate({ user: true })
    const data = BigInt(DATA)
    m.map(data, data | AF | VALID_PAGE | USER)
    m.setSystem('MDSCR_EL1', MDE)
    watch(0, DATA, E | EL0 | LOAD | BAS(0xff))
    m.program([LDR], CODE)
    m.program([ERET], VECTORS)
    m.setX(0, DATA)
    m.setSystem('SPSR_EL1', 0x3c0n)
    m.setSystem('ELR_EL1', BigInt(CODE))
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x34, il: 1, iss: 0x22 })
    expect(m.system('FAR_EL1')).toBe(data)
  })

  it.each([
    ['MDSCR_EL1.MDE clear', 'MDSCR_EL1', KDE],
    ['MDSCR_EL1.KDE clear', 'MDSCR_EL1', MDE],
    ['PSTATE.D set', 'DAIF', 0x200n],
    ['the OS Lock locked', 'OSLAR_EL1', 1n],
    ['E clear', 'DBGWCR0_EL1', EL1 | LOAD | BAS(0xff)],
    ['a link to a breakpoint that is none of context', 'DBGWCR0_EL1', both | BAS(0xff) | (1n << 20n) | (2n << 16n)],
  ])('does nothing with %s', (_what, name, value) => {
    watch(0, DATA, both | BAS(0xff))
    m.setSystem(name, value)
    expect(access(LDR, DATA)).toBe(false)
  })

  it('is linked to a context by a breakpoint (D2.9.3)', () => {
    m.setSystem('CONTEXTIDR_EL1', 0xffffffffn)
    m.setSystem('DBGBVR4_EL1', 0xffffffffn)
    m.setSystem('DBGBCR4_EL1', E | (3n << 20n))
    watch(0, DATA, both | BAS(0xff) | (1n << 20n) | (4n << 16n))
    expect(access(LDR, DATA)).toBe(true)
    m.setSystem('DAIF', 0n)
    m.setSystem('CONTEXTIDR_EL1', 0n)
    expect(access(LDR, DATA)).toBe(false)
  })

  it('comes after an abort of the access (D1.13.4)', () => {
    watch(0, DATA + 0x5000, both | BAS(0xff))
    expect(access(LDR, DATA + 0x5000)).toBe(false)
    expect(m.syndrome().ec).toBe(0x25)
  })

  it('keeps a device that it watches from being accessed, and from the TLB of devices', () => {
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~1n)
    expect(access(LDR, DEVICE)).toBe(false)
    expect(m.accesses).toHaveLength(1)
    watch(0, DEVICE, both | BAS(0xff))
    expect(access(LDR, DEVICE + 8)).toBe(false)
    expect(access(LDR, DEVICE)).toBe(true)
    expect(m.accesses).toHaveLength(2)
  })

  it('reads RES0 bits as zero (DDI 0487 DBGWCR<n>_EL1, DBGWVR<n>_EL1)', () => {
    watch(1, -1, (1n << 64n) - 2n)
    expect(m.system('DBGWVR1_EL1')).toBe(0xffffffff_fffffffcn)
    expect(m.system('DBGWCR1_EL1')).toBe(0x1f1ffffen)
  })
})
