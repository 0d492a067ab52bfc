/** Translation of the EL1&0 regime as a guest sees it: what is reached, which fault, with which syndrome (DDI 0487 D5, D13.2.37). */
import { beforeEach, describe, expect, it } from 'vitest'
import {
  AF,
  CODE,
  DATA,
  DEVICE,
  DEVICE_MEMORY,
  EL0,
  NG,
  PXN,
  RAM,
  READ_ONLY,
  TestMachine,
  UXN,
  VALID_PAGE,
  VECTORS,
} from '../testing/machine.ts'

const LDR = 0xf9400001 // ldr x1, [x0]
const STR = 0xf9000001 // str x1, [x0]
const LDTR = 0xf8400801 // ldtr x1, [x0]
const STTR = 0xf8000801 // sttr x1, [x0]
const LDXR = 0xc85f7c01 // ldxr x1, [x0]
const CASP = 0x48227c04 // casp x2, x3, x4, x5, [x0]
const LDP = 0xa9400801 // ldp x1, x2, [x0]
const BR = 0xd61f0000 // br x0
const AT_S1E1R = 0xd5087800
const AT_S1E0W = 0xd5087860
const MRS_PAR = 0xd5387405 // mrs x5, par_el1
const TLBI_VAE1 = 0xd5088721 // tlbi vae1, x1
const TLBI_VMALLE1 = 0xd508871f
const DC_ZVA = 0xd50b7420
const DC_IVAC = 0xd5087620
const DC_CVAC = 0xd50b7a20
const IC_IVAU = 0xd50b7520
const MSR_PAN_1 = 0xd500419f

const VA = BigInt(RAM + 0x30000)
const HIGH = 0xffff000000003000n
const page = (permissions: bigint) => BigInt(DATA) | AF | VALID_PAGE | permissions

let m: TestMachine
beforeEach(() => {
  m ??= new TestMachine()
  m.cluster.start(0, BigInt(CODE), 0n)
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.accesses.length = 0
  m.aborting = false
  m.setQuad(DATA, 0x1122334455667788n)
})

/** Runs one instruction on an address; true when it took a synchronous exception to EL1. */
function access(word: number, address: bigint): boolean {
  m.program([word])
  m.setX(0, address)
  m.run(1)
  return m.cluster.pc(0) !== BigInt(CODE + 4)
}

describe('translation', () => {
  it('is flat with the MMU off, and data is Device: unaligned accesses fault (D5.2.9)', () => {
    expect(access(LDR, BigInt(DATA))).toBe(false)
    expect(m.x(1)).toBe(0x1122334455667788n)
    expect(access(LDR, BigInt(DATA + 1))).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x21 })
    expect(m.system('FAR_EL1')).toBe(BigInt(DATA + 1))
  })

  it('reaches pages of both ranges and lets Normal memory be unaligned', () => {
    m.translate()
    m.map(VA, page(0n))
    m.map(HIGH, page(0n))
    expect(access(LDR, VA)).toBe(false)
    expect(m.x(1)).toBe(0x1122334455667788n)
    expect(access(LDR, HIGH + 1n)).toBe(false)
    expect(m.x(1) & 0xffffffffffffffn).toBe(0x11223344556677n)
  })

  it.each([0, 1, 2, 3])('reports a translation fault at level %i', (level) => {
    m.translate()
    m.map(VA, page(0n))
    const present = m.quad(m.entry(VA, level))
    m.setQuad(m.entry(VA, level), 0n)
    // Cutting level 0 to 2 takes the code with it: the fault is the fetch's, with an instruction abort's class.
    const faulted = access(LDR, VA)
    expect(faulted).toBe(true)
    const { ec, iss } = m.syndrome()
    expect(ec).toBe(level === 3 ? 0x25 : 0x21)
    expect(iss).toBe(0x04 + level)
    m.setQuad(m.entry(VA, level), present)
  })

  it('sets WnR for a store and FAR to its address', () => {
    m.translate()
    expect(access(STR, VA + 8n)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x47 })
    expect(m.system('FAR_EL1')).toBe(VA + 8n)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
  })

  it('faults on a clear access flag, which hardware does not set (D5.4.8)', () => {
    m.translate()
    m.map(VA, BigInt(DATA) | VALID_PAGE)
    expect(access(LDR, VA)).toBe(true)
    expect(m.syndrome().iss).toBe(0x0b)
  })

  it('maps blocks of 2 MiB and 1 GiB, and refuses a block at level 0', () => {
    m.translate()
    m.map(HIGH, BigInt(RAM) | AF | 1n, 2)
    expect(access(LDR, 0xffff000000020000n)).toBe(false)
    expect(m.x(1)).toBe(0x1122334455667788n)
    m.setQuad(m.entry(HIGH, 1), BigInt(RAM) | AF | 1n)
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    expect(access(LDR, 0xffff000000020000n)).toBe(false)
    m.setQuad(m.entry(HIGH, 0), BigInt(RAM) | AF | 1n)
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    expect(access(LDR, 0xffff000000020000n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x04)
  })

  it('faults outside of both ranges, and where EPD disables walks', () => {
    m.translate()
    expect(access(LDR, 0x0001000000000000n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x04)
    m.map(HIGH, page(0n))
    m.setSystem('TCR_EL1', m.system('TCR_EL1') | (1n << 23n))
    expect(access(LDR, HIGH)).toBe(true)
    expect(m.syndrome().iss).toBe(0x04)
  })

  it('reports an address size fault for an output address beyond IPS', () => {
    m.translate()
    m.map(VA, (1n << 41n) | AF | VALID_PAGE)
    expect(access(LDR, VA)).toBe(true)
    expect(m.syndrome().iss).toBe(0x03)
  })

  it('ignores the top byte where TBI is on, and not where it is off (D5.1.4)', () => {
    m.translate()
    m.map(VA, page(0n))
    expect(access(LDR, VA | (0x5an << 56n))).toBe(true)
    m.setSystem('TCR_EL1', m.system('TCR_EL1') | (1n << 37n))
    expect(access(LDR, VA | (0x5an << 56n))).toBe(false)
    expect(m.x(1)).toBe(0x1122334455667788n)
  })

  it.each([
    [12n, 0n, 16],
    [14n, 2n, 16],
    [16n, 1n, 22],
  ])('walks a granule of 2^%i bytes', (granule, tg0, t0sz) => {
    const root = RAM + 0x40000
    const next = RAM + 0x50000
    const size = 64n - BigInt(t0sz)
    const stride = granule - 3n
    const levels = Math.ceil(Number(size - granule) / Number(stride))
    for (let offset = 0; offset < 0x20000; offset += 8) m.setQuad(root + offset, 0n)
    const address = BigInt(RAM)
    // Tables one behind the other; then a block or page that maps the first of memory flat.
    let table = root
    for (let level = 4 - levels; ; level++) {
      const shift = granule + stride * BigInt(3 - level)
      const at = table + Number((address >> shift) & ((1n << stride) - 1n)) * 8
      const pageLevel = level === 3
      const blockLevel = level === 2
      if (blockLevel || pageLevel) {
        m.setQuad(at, (address & ~((1n << shift) - 1n)) | AF | (pageLevel ? 3n : 1n))
        break
      }
      const target = table === root ? next : table + 0x10000
      m.setQuad(at, BigInt(target) | 3n)
      table = target
    }
    m.setSystem('MAIR_EL1', 0xffn)
    m.setSystem('TCR_EL1', BigInt(t0sz) | (tg0 << 14n) | (1n << 23n) | (2n << 32n))
    m.setSystem('TTBR0_EL1', BigInt(root))
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') | 1n)
    expect(access(LDR, BigInt(DATA))).toBe(false)
    expect(m.x(1)).toBe(0x1122334455667788n)
  })
})

describe('permissions', () => {
  it('refuses a store to a read-only page at level 3 with WnR', () => {
    m.translate()
    m.map(VA, page(READ_ONLY))
    expect(access(LDR, VA)).toBe(false)
    expect(access(STR, VA)).toBe(true)
    expect(m.syndrome().iss).toBe(0x4f)
  })

  it('gives WnR 0 for an atomic whose read would fault, and 1 when only its write does', () => {
    m.translate()
    m.map(VA, page(READ_ONLY))
    expect(access(CASP, VA)).toBe(true)
    expect(m.syndrome().iss).toBe(0x4f)
    expect(access(CASP, VA + 0x1000n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x07)
  })

  it('keeps EL0 from pages without AP[1], and applies EL0 permissions to LDTR and STTR at EL1', () => {
    m.translate({ user: true })
    m.map(VA, page(0n))
    expect(access(LDTR, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x0f })
    m.map(VA, page(EL0 | READ_ONLY))
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    expect(access(LDTR, VA)).toBe(false)
    expect(access(STTR, VA)).toBe(true)
    m.map(VA, page(0n))
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    m.mode(0, 0)
    expect(access(LDR, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x24, il: 1, iss: 0x0f })
  })

  it('lets table attributes take rights away (APTable, XNTable)', () => {
    m.translate()
    m.map(HIGH, page(0n))
    const entry = m.entry(HIGH, 1)
    m.setQuad(entry, m.quad(entry) | (1n << 62n))
    expect(access(LDR, HIGH)).toBe(false)
    expect(access(STR, HIGH)).toBe(true)
    expect(m.syndrome().iss).toBe(0x4f)
    m.setQuad(entry, (m.quad(entry) & ~(1n << 62n)) | (1n << 59n))
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    m.setX(0, HIGH)
    m.program([BR])
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x21, il: 1, iss: 0x0f })
  })

  it.each([
    ['PXN at EL1', PXN, 1, 0x21],
    ['UXN at EL0', EL0 | READ_ONLY | UXN, 0, 0x20],
    ['a page that EL0 may write, at EL1', EL0, 1, 0x21],
  ])('refuses to execute with %s', (_what, permissions, el, ec) => {
    m.translate({ user: true })
    m.map(VA, page(permissions))
    m.setX(0, VA)
    m.mode(el, el)
    m.program([BR])
    m.run(2)
    expect(m.syndrome()).toEqual({ ec, il: 1, iss: 0x0f })
    expect(m.system('FAR_EL1')).toBe(VA)
  })

  it('does not execute what is writable when WXN is set', () => {
    m.translate()
    m.map(VA, page(0n))
    m.map(BigInt(CODE), BigInt(CODE) | AF | VALID_PAGE | READ_ONLY)
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') | (1n << 19n))
    m.setX(0, VA)
    m.program([BR])
    m.run(2)
    expect(m.syndrome().iss).toBe(0x0f)
  })

  it('keeps EL1 from user pages while PSTATE.PAN is set, but not LDTR', () => {
    m.translate()
    m.map(VA, page(EL0))
    expect(access(LDR, VA)).toBe(false)
    m.program([MSR_PAN_1, LDTR, LDR])
    m.setX(0, VA)
    m.run(3)
    expect(m.syndrome().iss).toBe(0x0f)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 8))
  })
})

describe('the TLB', () => {
  it('keeps a translation until TLBI names it, and then uses the new one', () => {
    m.translate()
    m.map(VA, page(0n))
    m.setQuad(DATA + 0x1000, 42n)
    expect(access(LDR, VA)).toBe(false)
    m.map(VA, BigInt(DATA + 0x1000) | AF | VALID_PAGE)
    m.setX(1, VA >> 12n)
    m.setX(0, VA)
    m.program([TLBI_VAE1, LDR])
    m.run(2)
    expect(m.x(1)).toBe(42n)
  })

  it('drops all of a block when TLBI names one address in it', () => {
    m.translate()
    m.map(HIGH, BigInt(RAM) | AF | 1n, 2)
    expect(access(LDR, 0xffff000000020000n)).toBe(false)
    m.setQuad(m.entry(HIGH, 2), 0n)
    m.setX(1, 0xffff000000000000n >> 12n)
    m.setX(0, 0xffff000000020000n)
    m.program([TLBI_VAE1, LDR])
    m.run(2)
    expect(m.syndrome().iss).toBe(0x06)
  })

  it('drops non-global pages when the ASID changes, and keeps global ones', () => {
    m.translate()
    const other = VA + 0x1000n
    m.map(VA, page(NG))
    m.map(other, page(0n))
    expect(access(LDR, VA)).toBe(false)
    expect(access(LDR, other)).toBe(false)
    m.map(VA, 0n)
    m.map(other, 0n)
    m.setSystem('TTBR0_EL1', m.system('TTBR0_EL1') | (7n << 48n))
    expect(access(LDR, VA)).toBe(true)
    expect(m.syndrome().iss).toBe(0x07)
    m.program([TLBI_VMALLE1, LDR])
    m.setX(0, other)
    m.run(2)
    expect(m.syndrome().iss).toBe(0x07)
  })
})

describe('AT', () => {
  it('gives the physical address and attributes in PAR_EL1, or the fault (D13.2.100)', () => {
    m.translate()
    m.map(VA, page(READ_ONLY))
    m.program([AT_S1E1R, MRS_PAR])
    m.setX(0, VA + 0x123n)
    m.run(2)
    expect(m.x(5) & 1n).toBe(0n)
    expect(m.x(5) & 0xfffffffff000n).toBe(BigInt(DATA))
    expect(m.x(5) >> 56n).toBe(0xffn)
    m.program([AT_S1E0W, MRS_PAR])
    m.run(2)
    expect(m.x(5) & 0x7fn).toBe(1n | (0x0fn << 1n))
  })
})

describe('cache maintenance by address', () => {
  it('needs a translation, and DC IVAC one that may be written; the fault is that of a write with CM (DC IVAC, D13.2.37)', () => {
    m.translate()
    m.map(VA, page(READ_ONLY))
    for (const word of [DC_CVAC, IC_IVAU, DC_IVAC]) {
      expect(access(word, VA + 0x1000n)).toBe(true)
      expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x147 })
      expect(m.system('FAR_EL1')).toBe(VA + 0x1000n)
    }
    expect(access(DC_CVAC, VA)).toBe(false)
    expect(access(DC_IVAC, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x14f })
    m.map(VA, page(0n))
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    expect(access(DC_IVAC, VA)).toBe(false)
  })
})

describe('a table outside of memory', () => {
  beforeEach(() => {
    m.translate()
    m.map(VA, page(0n))
    m.setQuad(m.entry(HIGH, 0), 0x0fffff0003n)
  })

  it('is an external abort on the walk at the level that was read from it (D13.2.37)', () => {
    expect(access(LDR, HIGH)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x15 })
  })

  it('is taken as a Data Abort of AT too, with CM and WnR, and leaves no PAR_EL1 to read (D5.2.11)', () => {
    expect(access(AT_S1E1R, HIGH + 8n)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x155 })
    expect(m.system('FAR_EL1')).toBe(HIGH + 8n)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
  })
})

describe('accesses', () => {
  it('that are not aligned fault so on Device memory before they fault on its permissions (D5.2.11)', () => {
    m.translate()
    m.map(VA, page(READ_ONLY | DEVICE_MEMORY))
    expect(access(STR, VA + 1n)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x61 })
    expect(access(STR, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x4f })
    expect(access(DC_ZVA, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x61 })
  })

  it('cross a page into another physical page, and fault on the second with its address', () => {
    m.translate()
    m.map(VA, BigInt(DATA + 0x3000) | AF | VALID_PAGE)
    m.map(VA + 0x1000n, page(0n))
    m.setQuad(DATA + 0x3ff8, 0xaabbccdd00000000n)
    expect(access(LDR, VA + 0xffcn)).toBe(false)
    expect(m.x(1)).toBe(0x55667788aabbccddn)
    m.setX(1, 0x0102030405060708n)
    m.program([STR])
    m.run(1)
    expect(m.quad(DATA + 0x3ff8) >> 32n).toBe(0x05060708n)
    expect(m.quad(DATA) & 0xffffffffn).toBe(0x01020304n)
    m.map(VA + 0x1000n, 0n)
    m.setSystem('TCR_EL1', m.system('TCR_EL1'))
    expect(access(LDR, VA + 0xffcn)).toBe(true)
    expect(m.system('FAR_EL1')).toBe(VA + 0x1000n)
  })

  it('fault when an exclusive or an atomic is not aligned, though Normal memory may be', () => {
    m.translate()
    m.map(VA, page(0n))
    expect(access(LDXR, VA + 4n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x21)
    expect(access(CASP, VA + 8n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x21)
  })

  it('fault on any misalignment while SCTLR_EL1.A is set; a pair is aligned to one register', () => {
    m.translate()
    m.map(VA, page(0n))
    expect(access(LDR, VA + 4n)).toBe(false)
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') | 2n)
    expect(access(LDR, VA + 4n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x21)
    expect(access(LDP, VA + 8n)).toBe(false)
  })

  it('reach the bus with address, size and value, and turn its abort into an external abort', () => {
    m.translate()
    m.map(VA, BigInt(DEVICE) | AF | VALID_PAGE | DEVICE_MEMORY)
    m.answer = -2
    m.answerHigh = 0x7fffffff
    expect(access(LDR, VA + 0x18n)).toBe(false)
    expect(m.x(1)).toBe(0x7ffffffffffffffen)
    m.setX(1, 0x123456789abcdef0n)
    expect(access(STR, VA)).toBe(false)
    expect(m.accesses).toEqual(['cpu 0 read 8 at 0x9000018', 'cpu 0 write 8 at 0x9000000 12345678:9abcdef0'])
    m.aborting = true
    expect(access(LDR, VA)).toBe(true)
    expect(m.syndrome()).toEqual({ ec: 0x25, il: 1, iss: 0x10 })
    expect(m.system('FAR_EL1')).toBe(VA)
  })

  it('send writes to flash to the bus and read it directly, until it is switched to the bus', () => {
    m.cluster.view(0, 8)!.set([1, 2, 3, 4, 5, 6, 7, 8])
    expect(access(LDR, 0n)).toBe(false)
    expect(m.x(1)).toBe(0x0807060504030201n)
    access(STR, 0x10n)
    expect(m.accesses).toEqual(['cpu 0 write 8 at 0x10 8070605:4030201'])
    m.cluster.setDirect(0, false)
    m.answer = 0x80
    m.answerHigh = 0
    access(LDR, 0n)
    expect(m.x(1)).toBe(0x80n)
    m.cluster.setDirect(0, true)
  })

  it('zero 64 aligned bytes by DC ZVA, and fault as a write', () => {
    m.translate()
    m.map(VA, page(0n))
    for (let offset = 0; offset < 256; offset += 8) m.setQuad(DATA + offset, -1n)
    expect(access(DC_ZVA, VA + 0x7bn)).toBe(false)
    expect([m.quad(DATA + 0x38), m.quad(DATA + 0x40), m.quad(DATA + 0x78), m.quad(DATA + 0x80)]).toEqual([
      0xffffffffffffffffn,
      0n,
      0n,
      0xffffffffffffffffn,
    ])
    expect(access(DC_ZVA, VA + 0x1008n)).toBe(true)
    expect(m.syndrome().iss).toBe(0x47)
    expect(m.system('FAR_EL1')).toBe(VA + 0x1008n)
  })
})
