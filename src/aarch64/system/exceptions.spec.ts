/** Exceptions and returns as a guest sees them: vectors, syndromes, saved state, masks (DDI 0487 D1.10 to D1.14). */
import { beforeEach, describe, expect, it } from 'vitest'
import { CODE, DATA, RAM, TestMachine, VECTORS } from '../testing/machine.ts'

const SVC = 0xd4024681 // svc #0x1234
const BRK = 0xd4200aa0 // brk #0x55
const HVC = 0xd4000002 // hvc #0
const SMC = 0xd4000023 // smc #1
const ERET = 0xd69f03e0
const NOP = 0xd503201f
const WFI = 0xd503207f
const WFE = 0xd503205f
const SEVL = 0xd50320bf
const SEV = 0xd503209f
const YIELD = 0xd503203f
const BR = 0xd61f0000 // br x0
const UNMASK_IRQ = 0xd50342ff // msr daifclr, #2
const MASK_IRQ = 0xd50342df // msr daifset, #2
const LDR_SP = 0xf94003e1 // ldr x1, [sp]
const FADD = 0x1e622820 // fadd d0, d1, d2
const MRS_MIDR = 0xd5380003 // mrs x3, midr_el1
const MRS_CTR = 0xd53b0020 // mrs x0, ctr_el0
const DC_CVAU = 0xd50b7b20 // dc cvau, x0
const DC_ZVA = 0xd50b7420 // dc zva, x0
const MSR_SPSEL_0 = 0xd50040bf
const MRS_SP_EL0 = 0xd5384102 // mrs x2, sp_el0
const HLT = 0xd4400000
const UDF = 0x00000000

let m: TestMachine
let calls: string[] = []
beforeEach(() => {
  m ??= new TestMachine(
    {},
    {
      hypercall: (cpu, conduit, immediate) => {
        calls.push(`cpu ${cpu} ${conduit} ${immediate}`)
        return conduit === 'hvc'
      },
    },
  )
  calls = []
  m.unknown.length = 0
  m.cluster.setIrq(0, false)
  m.cluster.setFiq(0, false)
  m.cluster.start(0, BigInt(CODE), 0n)
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.setSystem('CPACR_EL1', 0x300000n)
})

const vector = (offset: number) => BigInt(VECTORS + offset)

describe('synchronous exceptions', () => {
  it('go to the vector of the stack pointer or Exception level they come from (D1.10.2)', () => {
    m.program([SVC])
    m.run(1)
    expect(m.cluster.pc(0)).toBe(vector(0x200))
    m.program([SVC])
    m.mode(1, 0)
    m.run(1)
    expect(m.cluster.pc(0)).toBe(vector(0x000))
    m.program([SVC])
    m.mode(0, 0)
    m.run(1)
    expect(m.cluster.pc(0)).toBe(vector(0x400))
    expect(m.cluster.pstate(0) & 0x3cf).toBe(0x3c5)
  })

  it('return after SVC and at BRK, with the immediate in ESR_EL1', () => {
    m.program([NOP, SVC])
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x15, il: 1, iss: 0x1234 })
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 8))
    m.program([BRK])
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0x3c, il: 1, iss: 0x55 })
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
  })

  it('save PSTATE in SPSR_EL1, mask everything, and ERET puts it back', () => {
    m.program([UNMASK_IRQ, SVC])
    m.program([ERET], VECTORS + 0x200)
    m.program([UNMASK_IRQ, SVC, NOP])
    m.cluster.cpus[0]!.setWord(0x130, 0b1010)
    m.run(2)
    expect(m.system('SPSR_EL1') & 0xf00003ffn).toBe(0xa0000345n)
    expect(m.cluster.pstate(0) & 0x3ff).toBe(0x3c5)
    m.run(1)
    expect(m.cluster.pstate(0) & 0xf00003ff).toBe(0xa0000345 | 0)
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 8))
  })

  it.each([
    ['an unallocated word', 0xffffffff],
    ['UDF', UDF],
    ['HLT while halting debug is not there', HLT],
  ])('are UNDEFINED with EC 0 for %s, and reported', (_what, word) => {
    m.program([word])
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0, il: 1, iss: 0 })
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
    expect(m.unknown).toEqual([`cpu 0 instruction 0x${word.toString(16)}`])
  })

  it('are a PC alignment fault for a misaligned branch target, with FAR_EL1 (D1.13.5)', () => {
    m.program([BR])
    m.setX(0, CODE + 2)
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x22, il: 1, iss: 0 })
    expect(m.system('FAR_EL1')).toBe(BigInt(CODE + 2))
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 2))
  })

  it('are an SP alignment fault only while SCTLR_EL1.SA is set (D1.8.2)', () => {
    m.translate()
    m.map(BigInt(DATA), BigInt(DATA) | (1n << 10n) | 3n)
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') | 8n)
    m.program([LDR_SP])
    m.setX(31, DATA + 8)
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0x26, il: 1, iss: 0 })
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~8n)
    m.program([LDR_SP])
    m.setX(31, DATA + 8)
    m.setSystem('ESR_EL1', 0n)
    m.run(1)
    expect(m.system('ESR_EL1')).toBe(0n)
  })

  it('are an SP alignment fault at EL0 by SCTLR_EL1.SA0 instead, and not for an ADD to SP (D1.8.2)', () => {
    for (const [sa0, ec, after] of [
      [0n, 0x15, 3],
      [0x10n, 0x26, 2],
    ] as const) {
      m.setSystem('SCTLR_EL1', (m.system('SCTLR_EL1') & ~0x18n) | sa0)
      // Without the MMU memory is Device: the access is aligned by its offset, so that SP alone is not.
      m.program([0x910003ff, 0xf94007e1, SVC]) // add sp, sp, #0; ldr x1, [sp, #8]
      m.mode(0, 0)
      m.setX(31, DATA + 8)
      m.run(after)
      expect(m.syndrome().ec).toBe(ec)
    }
  })

  it.each([
    [0n, 1, true],
    [1n, 1, false],
    [1n, 0, true],
    [2n, 1, true],
    [3n, 0, false],
  ])('trap FP and SIMD by CPACR_EL1.FPEN %i at EL%i', (fpen, el, trapped) => {
    m.setSystem('CPACR_EL1', fpen << 20n)
    m.mode(el, el)
    m.program([FADD])
    m.setSystem('ESR_EL1', 0n)
    m.run(1)
    if (trapped) expect(m.syndrome()).toEqual({ ec: 0x07, il: 1, iss: 0x1e00000 })
    else expect(m.system('ESR_EL1')).toBe(0n)
  })
})

describe('what EL0 may not do', () => {
  it('is UNDEFINED for registers of EL1 and for ERET', () => {
    for (const word of [MRS_MIDR, ERET, MRS_SP_EL0]) {
      m.program([word])
      m.mode(0, 0)
      m.run(1)
      expect(m.syndrome()).toEqual({ ec: 0, il: 1, iss: 0 })
    }
  })

  it.each([
    ['CTR_EL0 by UCT', MRS_CTR, 15n, 0x32c001],
    ['DC CVAU by UCI', DC_CVAU, 26n, 0x12dc16],
    ['DC ZVA by DZE', DC_ZVA, 14n, 0x12dc08],
    ['DAIFSet by UMA', MASK_IRQ, 9n, 0x0cd004],
  ])('traps %s with EC 0x18 and the encoding in the ISS', (_what, word, bit, iss) => {
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~(1n << bit))
    m.program([word])
    m.setX(0, DATA)
    m.mode(0, 0)
    m.run(1)
    expect(m.syndrome().ec).toBe(0x18)
    // Op0 21:20, Op2 19:17, Op1 16:14, CRn 13:10, Rt 9:5, CRm 4:1, direction 0.
    const Rt = word & 31
    const expected =
      (((word >>> 19) & 3) << 20) |
      (((word >>> 5) & 7) << 17) |
      (((word >>> 16) & 7) << 14) |
      (((word >>> 12) & 15) << 10) |
      (Rt << 5) |
      (((word >>> 8) & 15) << 1) |
      ((word >>> 21) & 1)
    expect(m.syndrome().iss).toBe(expected)
    expect(iss).toBeGreaterThan(0)
  })

  it('traps WFI and WFE by nTWI and nTWE, unless there is nothing to wait for', () => {
    m.setSystem('SCTLR_EL1', m.system('SCTLR_EL1') & ~((1n << 16n) | (1n << 18n)))
    m.program([WFI])
    m.mode(0, 0)
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 1, il: 1, iss: 0x1e00000 })
    m.program([WFE])
    m.mode(0, 0)
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 1, il: 1, iss: 0x1e00001 })
    m.program([SEVL, WFE, NOP])
    m.mode(0, 0)
    m.setSystem('ESR_EL1', 0n)
    expect(m.run(3)).toBe('budget')
    expect(m.system('ESR_EL1')).toBe(0n)
  })
})

describe('illegal exception returns (D1.11.4)', () => {
  it.each([
    ['EL2', 0b01001n],
    ['AArch32', 0b10000n],
    ['EL0 with SP_EL1', 0b00001n],
    ['a reserved bit', 0b00111n],
  ])('to %s keep the mode, and the next instruction is an Illegal Execution state exception', (_what, mode) => {
    m.setSystem('SPSR_EL1', mode | 0x800003c0n)
    m.setSystem('ELR_EL1', BigInt(RAM + 0x5000))
    m.program([ERET])
    m.run(1)
    expect(m.cluster.pstate(0) & 0x1fffff).toBe(0x1003c5)
    m.run(1)
    expect(m.syndrome()).toEqual({ ec: 0x0e, il: 1, iss: 0 })
    expect(m.system('ELR_EL1')).toBe(BigInt(RAM + 0x5000))
    expect(m.system('SPSR_EL1') & 0x80100000n).toBe(0x80100000n)
  })
})

describe('Illegal Execution state', () => {
  const illegal = 0x800000c9n // EL2h, with I and F set

  it.each([1n, 0n])('has PSTATE.PAN %i, as NZCV and DAIF, from SPSR_EL1 (pseudocode SetPSTATEFromPSR)', (pan) => {
    m.setSystem('PAN', (1n - pan) << 22n)
    m.setSystem('SPSR_EL1', illegal | (pan << 22n))
    m.setSystem('ELR_EL1', BigInt(RAM + 0x5000))
    m.program([ERET])
    m.run(1)
    expect(m.cluster.pstate(0)).toBe((0x801000c5 | (Number(pan) << 22)) >>> 0)
  })

  it('gives way to a PC alignment fault and to an Instruction Abort, which clear it (D1.13.4)', () => {
    m.setSystem('SPSR_EL1', illegal)
    m.setSystem('ELR_EL1', BigInt(RAM + 0x5002))
    m.program([ERET])
    m.run(2)
    expect(m.syndrome()).toEqual({ ec: 0x22, il: 1, iss: 0 })
    expect(m.system('SPSR_EL1')).toBe(0x801000c5n)
    expect(m.cluster.pstate(0) & 0x100000).toBe(0)
    m.setSystem('SPSR_EL1', illegal)
    m.setSystem('ELR_EL1', 0x8000000000n)
    m.program([ERET])
    m.run(2)
    expect(m.syndrome().ec).toBe(0x21)
    expect(m.system('FAR_EL1')).toBe(0x8000000000n)
    expect(m.system('SPSR_EL1')).toBe(0x801000c5n)
  })
})

describe('an SError interrupt', () => {
  it('is taken at 0x180 with its class in ESR_EL1 once PSTATE.A is clear (D1.10.2, D13.2.37)', () => {
    m.program([NOP], VECTORS + 0x380)
    m.program([NOP, 0xd50344ff, NOP]) // msr daifclr, #4
    m.cluster.setSError(0, true)
    m.run(1)
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 4))
    expect(m.system('ISR_EL1')).toBe(0x100n)
    m.run(2)
    m.cluster.setSError(0, false)
    expect(m.syndrome()).toEqual({ ec: 0x2f, il: 1, iss: 0 })
    expect(m.cluster.pc(0)).toBe(vector(0x380 + 4))
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 8))
  })
})

describe('interrupts', () => {
  it('are taken when unmasked, IRQ at 0x80 and FIQ at 0x100, and FIQ first', () => {
    m.program([NOP], VECTORS + 0x280)
    m.program([UNMASK_IRQ, NOP, NOP])
    m.cluster.setIrq(0, true)
    m.run(1)
    m.run(1)
    expect(m.cluster.pc(0)).toBe(vector(0x280 + 4))
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 4))
    m.program([NOP], VECTORS + 0x300)
    m.program([0xd50343ff, NOP]) // msr daifclr, #3
    m.cluster.setFiq(0, true)
    m.run(2)
    expect(m.cluster.pc(0)).toBe(vector(0x304))
  })

  it('are taken before the instruction after the one that unmasks them', () => {
    m.program([NOP], VECTORS + 0x280)
    m.program([NOP, UNMASK_IRQ, 0x91000400, 0x91000400]) // add x0, x0, #1
    m.setX(0, 0)
    m.cluster.setIrq(0, true)
    m.run(3)
    expect(m.x(0)).toBe(0n)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE + 8))
  })

  it('show in ISR_EL1 whether masked or not', () => {
    m.cluster.setIrq(0, true)
    expect(m.system('ISR_EL1')).toBe(0x80n)
    m.cluster.setFiq(0, true)
    expect(m.system('ISR_EL1')).toBe(0xc0n)
  })

  it('end a WFI even when masked, and no instruction runs before one comes', () => {
    m.program([WFI, 0x91000400])
    m.setX(0, 0)
    expect(m.run(10)).toBe('wfi')
    expect(m.run(10)).toBe('wfi')
    expect(m.cluster.isWaiting(0)).toBe(true)
    expect(m.x(0)).toBe(0n)
    m.cluster.setIrq(0, true)
    m.run(1)
    expect(m.x(0)).toBe(1n)
  })
})

describe('giving up the turn', () => {
  it('is reported for WFE, YIELD and WFI, after the instruction', () => {
    m.program([YIELD, WFE, NOP])
    expect(m.run(10)).toBe('yield')
    // ERET and reset leave the event register as it is: the first WFE may fall through.
    m.program([WFE, WFE, NOP])
    expect(m.run(10)).toBe('wfe')
    expect(m.cluster.pc(0)).toBeGreaterThan(BigInt(CODE))
  })

  it('does not happen for WFE after SEV or an event from outside', () => {
    m.program([SEV, WFE, NOP, NOP])
    expect(m.run(4)).toBe('budget')
    m.program([WFE, NOP])
    m.cluster.setEvent(0)
    expect(m.run(2)).toBe('budget')
  })
})

describe('hypercalls', () => {
  it('reach the embedder with PC after them; what it refuses is UNDEFINED', () => {
    m.program([HVC])
    m.run(1)
    expect(calls).toEqual(['cpu 0 hvc 0'])
    expect(m.cluster.pc(0)).toBe(BigInt(CODE + 4))
    m.program([SMC])
    m.run(1)
    expect(calls).toEqual(['cpu 0 hvc 0', 'cpu 0 smc 1'])
    expect(m.syndrome().ec).toBe(0)
    expect(m.system('ELR_EL1')).toBe(BigInt(CODE))
  })

  it('are UNDEFINED at EL0', () => {
    m.program([HVC])
    m.mode(0, 0)
    m.run(1)
    expect(calls).toEqual([])
    expect(m.syndrome().ec).toBe(0)
  })
})

describe('stack pointers', () => {
  it('are banked by Exception level and SPSel, and SP_EL0 is no register while it is the stack pointer', () => {
    m.setX(31, 0x1111n)
    m.setSystem('SP_EL0', 0x2222n)
    m.program([MSR_SPSEL_0])
    m.run(1)
    expect(m.x(31)).toBe(0x2222n)
    m.program([MRS_SP_EL0])
    m.run(1)
    expect(m.syndrome().ec).toBe(0)
    // The exception has selected SP_EL1 again.
    expect(m.x(31)).toBe(0x1111n)
    m.program([MRS_SP_EL0])
    m.run(1)
    expect(m.x(2)).toBe(0x2222n)
  })
})

describe('a guest that faults for ever', () => {
  it('uses up its budget and comes back', () => {
    m.setSystem('VBAR_EL1', 0x7f0000000800n & ~0x7ffn)
    m.program([SVC])
    expect(m.run(10_000)).toBe('budget')
    expect(m.syndrome().ec).toBe(0x21)
  })
})
