/**
 * What generated code does itself where it once asked the host: constants, SP_EL0 and cache maintenance by address. The second time must
 * be as the first, and the Exception level, SCTLR_EL1 and the translation decide each time (DDI 0487 D5.11.2, D13.2).
 */
import { beforeEach, describe, expect, it } from 'vitest'
import { AF, CODE, DATA, EL0, RAM, READ_ONLY, TestMachine, VALID_PAGE } from '../testing/machine.ts'

const MRS_CTR = 0xd53b0020 // mrs x0, ctr_el0
const MRS_DCZID = 0xd53b00e0 // mrs x0, dczid_el0
const MRS_MIDR = 0xd5380000 // mrs x0, midr_el1
const MSR_SP_EL0 = 0xd5184100 // msr sp_el0, x0
const MRS_SP_EL0 = 0xd5384102 // mrs x2, sp_el0
const LDR = 0xf9400001 // ldr x1, [x0]
const TLBI_VAE1 = 0xd5088722 // tlbi vae1, x2
const maintenance = [
  ['IC IVAU', 0xd50b7520],
  ['DC CVAC', 0xd50b7a20],
  ['DC CVAU', 0xd50b7b20],
  ['DC CIVAC', 0xd50b7e20],
] as const

const [UMA, DZE, UCT, UCI] = [1n << 9n, 1n << 14n, 1n << 15n, 1n << 26n]
const VA = BigInt(RAM + 0x30000)
/** ISS of a data abort of cache maintenance: CM and WnR. */
const CM = 0x140

let m: TestMachine
beforeEach(() => {
  m = new TestMachine()
})

function step(word: number, x0: bigint): 'ok' | { ec: number; iss: number } {
  m.program([word])
  m.setX(0, x0)
  m.run(1)
  if (m.cluster.pc(0) === BigInt(CODE + 4)) return 'ok'
  const { ec, iss } = m.syndrome()
  return { ec, iss }
}

const allow = (bits: bigint, yes: boolean) =>
  m.setSystem('SCTLR_EL1', yes ? m.system('SCTLR_EL1') | bits : m.system('SCTLR_EL1') & ~bits)

describe('identification registers', () => {
  it('read at EL1 what they are by name, each of them, and are read-only (D13.1)', () => {
    for (const name of ['MIDR_EL1', 'CTR_EL0', 'DCZID_EL0', 'CLIDR_EL1', 'CCSIDR_EL1']) {
      const before = m.system(name)
      expect(before, name).not.toBe(0n)
      expect(m.cluster.setSystemRegister(0, name, 5n), name).toBe(false)
      expect(m.system(name), name).toBe(before)
    }
    expect(step(MRS_MIDR, 0n)).toBe('ok')
    expect(m.x(0)).toBe(m.system('MIDR_EL1'))
    // MSR to MIDR_EL1 is UNDEFINED.
    expect(step(MRS_MIDR & ~(1 << 21), 0n)).toEqual({ ec: 0, iss: 0 })
  })

  it('at EL0: CTR_EL0 traps unless SCTLR_EL1.UCT, again and again as that changes; MIDR_EL1 is UNDEFINED', () => {
    for (const yes of [false, true, false, true]) {
      allow(UCT, yes)
      allow(UMA, !yes)
      m.mode(0, 0)
      const outcome = step(MRS_CTR, 0n)
      expect(outcome).toEqual(yes ? 'ok' : { ec: 0x18, iss: 0x32c001 })
      if (yes) expect(m.x(0)).toBe(m.system('CTR_EL0'))
      m.mode(0, 0)
      expect(step(MRS_MIDR, 0n)).toEqual({ ec: 0, iss: 0 })
    }
  })

  it('at EL0: DCZID_EL0.DZP is 1 unless SCTLR_EL1.DZE, and 0 at EL1 (D13.2.38)', () => {
    for (const yes of [false, true, false]) {
      allow(DZE, yes)
      m.mode(0, 0)
      expect(step(MRS_DCZID, 0n)).toBe('ok')
      expect(m.x(0)).toBe(yes ? 4n : 0x14n)
      m.mode(1, 1)
      expect(step(MRS_DCZID, 0n)).toBe('ok')
      expect(m.x(0)).toBe(4n)
    }
  })
})

describe('MSR SP_EL0', () => {
  it('writes it while SP_EL1 is the stack pointer; is UNDEFINED while it is that itself, and at EL0 (D13.2.122)', () => {
    m.mode(1, 1)
    expect(step(MSR_SP_EL0, 0x1234n)).toBe('ok')
    expect(step(MRS_SP_EL0, 0n)).toBe('ok')
    expect(m.x(2)).toBe(0x1234n)
    m.mode(0, 0)
    expect(m.x(31)).toBe(0x1234n)
    expect(step(MSR_SP_EL0, 1n)).toEqual({ ec: 0, iss: 0 })
    m.mode(1, 0)
    expect(step(MSR_SP_EL0, 1n)).toEqual({ ec: 0, iss: 0 })
    expect(m.system('SP_EL0')).toBe(0x1234n)
  })
})

describe.each(maintenance)('%s', (_name, word) => {
  const map = (permissions: bigint) => m.map(VA, BigInt(DATA) | AF | VALID_PAGE | permissions)

  it('is done on a page that translates, known or not, and aborts as a write with CM where none does, also after TLBI', () => {
    m.translate()
    map(0n)
    for (let round = 0; round < 3; round++) expect(step(word, VA + 0x47n)).toBe('ok')
    expect(step(word, VA + 0x1000n)).toEqual({ ec: 0x25, iss: CM | 7 })
    m.map(VA, 0n)
    m.setX(2, VA >> 12n)
    expect(step(TLBI_VAE1, 0n)).toBe('ok')
    expect(step(word, VA + 0x47n)).toEqual({ ec: 0x25, iss: CM | 7 })
    expect(m.system('FAR_EL1')).toBe(VA + 0x47n)
  })

  it('at EL0 traps unless SCTLR_EL1.UCI, on a known page too, and aborts where EL0 may not read what EL1 may', () => {
    m.translate({ user: true })
    map(EL0 | READ_ONLY)
    m.map(VA + 0x1000n, BigInt(DATA) | AF | VALID_PAGE)
    allow(UCI, true)
    expect(step(LDR, VA + 0x1000n)).toBe('ok')
    m.mode(0, 0)
    for (let round = 0; round < 2; round++) {
      allow(UCI, true)
      expect(step(LDR, VA)).toBe('ok')
      expect(step(word, VA)).toBe('ok')
      allow(UCI, false)
      m.mode(0, 0)
      expect(step(word, VA)).toMatchObject({ ec: 0x18 })
      m.mode(0, 0)
      allow(UCI, true)
      expect(step(word, VA + 0x1000n)).toEqual({ ec: 0x24, iss: CM | 0xf })
      m.mode(0, 0)
    }
  })
})
