/**
 * Accesses of a page that is not memory, again and again: the second one is found in the bus TLB, and must come to the same as the
 * first; what changes the translation must change it too (DDI 0487 D5.10, TLB maintenance).
 */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  AF,
  CODE,
  DEVICE,
  DEVICE_MEMORY,
  EL0,
  RAM,
  READ_ONLY,
  TestMachine,
  VALID_PAGE,
  VECTORS,
} from '../testing/machine.ts'

const LDR_W = 0xb9400001 // ldr w1, [x0]
const LDR_X = 0xf9400001 // ldr x1, [x0]
const LDRSB = 0x39800001 // ldrsb x1, [x0]
const LDRH = 0x79400001 // ldrh w1, [x0]
const STR_W = 0xb9000001 // str w1, [x0]
const STR_X = 0xf9000001 // str x1, [x0]
const STRB = 0x39000001 // strb w1, [x0]
const LDP_W = 0x29400801 // ldp w1, w2, [x0]
const TLBI_VAE1 = 0xd5088722 // tlbi vae1, x2

const VA = BigInt(RAM + 0x30000)
const page = (physical: number, permissions = 0n) => BigInt(physical) | AF | VALID_PAGE | DEVICE_MEMORY | permissions

let m: TestMachine
beforeEach(() => {
  m = new TestMachine()
})

function access(word: number, address: bigint): 'ok' | number {
  m.program([word])
  m.setX(0, address)
  m.run(1)
  return m.cluster.pc(0) === BigInt(CODE + 4) ? 'ok' : m.syndrome().iss
}

function seen(): string[] {
  return m.accesses.splice(0)
}

describe('an access of a page of the bus that was accessed before', () => {
  it('has every width, sign extension and value, with the MMU off and on', () => {
    for (const on of [false, true]) {
      if (on) {
        m.translate()
        m.map(VA, page(DEVICE))
      }
      const base = on ? VA : BigInt(DEVICE)
      m.answer = 0x81838587 | 0
      m.answerHigh = 0x01020304
      for (let round = 0; round < 2; round++) {
        expect(access(LDR_W, base + 8n)).toBe('ok')
        expect(m.x(1)).toBe(0x81838587n)
        expect(access(LDR_X, base + 8n)).toBe('ok')
        expect(m.x(1)).toBe(0x0102030481838587n)
        m.answer = 0x87
        expect(access(LDRSB, base + 3n)).toBe('ok')
        expect(m.x(1)).toBe(0xffffffffffffff87n)
        m.answer = 0x8587
        expect(access(LDRH, base + 2n)).toBe('ok')
        expect(m.x(1)).toBe(0x8587n)
        m.answer = 0x81838587 | 0
        m.setX(1, 0x1122334455667788n)
        expect(access(STR_W, base + 4n)).toBe('ok')
        expect(access(STRB, base + 5n)).toBe('ok')
        expect(access(STR_X, base + 0x10n)).toBe('ok')
        expect(seen()).toEqual([
          'cpu 0 read 4 at 0x9000008',
          'cpu 0 read 8 at 0x9000008',
          'cpu 0 read 1 at 0x9000003',
          'cpu 0 read 2 at 0x9000002',
          'cpu 0 write 4 at 0x9000004 0:55667788',
          'cpu 0 write 1 at 0x9000005 0:88',
          'cpu 0 write 8 at 0x9000010 11223344:55667788',
        ])
      }
    }
  })

  it('goes where the tables say after a TLBI by its address, and after the MMU went off', () => {
    m.translate()
    m.map(VA, page(DEVICE))
    access(LDR_W, VA)
    m.setQuad(m.entry(VA), page(DEVICE + 0x1000))
    m.setX(2, VA >> 12n)
    m.program([TLBI_VAE1])
    m.run(1)
    access(LDR_W, VA + 4n)
    expect(seen()).toEqual(['cpu 0 read 4 at 0x9000000', 'cpu 0 read 4 at 0x9001004'])
    m.map(BigInt(DEVICE), page(DEVICE + 0x2000))
    access(LDR_W, BigInt(DEVICE))
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~1n)
    access(LDR_W, BigInt(DEVICE))
    expect(seen()).toEqual(['cpu 0 read 4 at 0x9002000', 'cpu 0 read 4 at 0x9000000'])
  })

  it('faults on alignment as the first one does: Device memory (D5.4.5), also for a pair', () => {
    m.translate()
    m.map(VA, page(DEVICE))
    for (let round = 0; round < 2; round++) {
      expect(access(LDR_W, VA)).toBe('ok')
      expect(access(LDR_W, VA + 2n)).toBe(0x21)
      expect(access(LDP_W, VA + 4n)).toBe('ok')
      expect(access(LDP_W, VA + 2n)).toBe(0x21)
      expect(seen()).toEqual(['cpu 0 read 4 at 0x9000000', 'cpu 0 read 4 at 0x9000004', 'cpu 0 read 4 at 0x9000008'])
    }
  })

  it('is no write where only reads are allowed, and nothing to EL0 that is for EL1 alone (permission faults)', () => {
    m.translate({ user: true })
    m.map(VA, page(DEVICE, READ_ONLY))
    expect(access(LDR_W, VA)).toBe('ok')
    expect(access(STR_W, VA)).toBe(0x4f)
    m.mode(0, 0)
    expect(access(LDR_W, VA)).toBe(0x0f)
    m.map(VA + 0x1000n, page(DEVICE, EL0))
    m.mode(0, 0)
    for (let round = 0; round < 2; round++) {
      expect(access(LDR_W, VA + 0x1000n)).toBe('ok')
      expect(access(STR_W, VA + 0x1000n)).toBe('ok')
    }
    expect(seen()).toHaveLength(5)
  })

  it('is an external abort with its address where the bus says so (ESR_EL1.DFSC 0x10), and leaves the register alone', () => {
    m.translate()
    m.map(VA, page(DEVICE))
    expect(access(LDR_W, VA)).toBe('ok')
    m.aborting = true
    m.setX(1, 77)
    expect(access(LDR_W, VA + 0x24n)).toBe(0x10)
    expect(m.x(1)).toBe(77n)
    expect(m.system('FAR_EL1')).toBe(VA + 0x24n)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
    m.aborting = false
    expect(access(STR_W, VA)).toBe('ok')
    m.aborting = true
    expect(access(STR_W, VA + 0x28n)).toBe(0x50)
    expect(m.system('FAR_EL1')).toBe(VA + 0x28n)
    expect(m.cluster.pc(0)).toBe(BigInt(VECTORS + 0x200))
  })

  it('is none of page 0 on a CPU that has made no access: a null pointer faults, at both levels, and is no instruction either', () => {
    for (const el of [0, 1]) {
      const fresh = new TestMachine()
      fresh.translate({ user: true })
      fresh.mode(el, el)
      for (const word of [LDR_W, STR_W, LDR_X]) {
        fresh.program([word])
        fresh.setX(0, 0n)
        fresh.mode(el, el)
        fresh.run(1)
        expect(fresh.syndrome()).toEqual({ ec: el ? 0x25 : 0x24, il: 1, iss: word === STR_W ? 0x45 : 0x05 })
      }
      fresh.mode(el, el)
      fresh.cluster.setPc(0, 0n)
      fresh.run(1)
      expect(fresh.syndrome()).toEqual({ ec: el ? 0x21 : 0x20, il: 1, iss: 0x05 })
      expect(fresh.accesses).toEqual([])
    }
  })

  it('is one of the CPU that makes it', () => {
    const two = new TestMachine({ cpus: 2 })
    for (const cpu of [0, 1, 0, 1]) {
      two.program([LDR_W], CODE, cpu)
      two.setX(0, DEVICE, cpu)
      two.run(1, cpu)
    }
    expect(two.accesses).toEqual([0, 1, 0, 1].map((cpu) => `cpu ${cpu} read 4 at 0x9000000`))
  })
})
