/**
 * The CPU interface at EL3, with GICD_CTLR.DS 0 and 1, and what each Security state may reach, register by register: from
 * the text and access pseudocode of Arm's register descriptions, and IHI 0069's tables. NMIs are in `nmi.spec.ts`.
 */

import { describe, expect, it } from 'vitest'
import type { GicV3Config } from '../index.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'

type Group = 'G0' | 'G1S' | 'G1NS'
/** SPIs 40 to 42, one for each group. */
const spi = { G0: 40, G1S: 41, G1NS: 42 } as const

const EL3 = { el: 3, secure: true }
const EL3_NS = { el: 3, secure: false }
const S_EL1 = { el: 1, secure: true }
const NS_EL1 = { el: 1, secure: false }
const NS_EL2 = { el: 2, secure: false }

/** One PE, everything enabled and unmasked, at EL3; with DS set, SPI 41 is in Group 0 as `modifier` does not count. */
function rigOf({ ds = false, ...config }: GicV3Config & { ds?: boolean } = {}): RigV3 {
  const rig = new RigV3(gicOf({ cpus: 1, intids: 96, security: true, el2: true, ...config }))
  if (ds) rig.write('gicd', 0, 1 << 6, true)
  rig.write('gicd', 0, 7, true)
  rig.write('gicd', 0x84, 1 << 10, true)
  rig.write('gicd', 0xd04, 1 << 9, true)
  rig.write('gicd', 0x104, 7 << 8, true)
  for (const intid of Object.values(spi)) rig.write('gicd', 0x400 + intid, 0xa0, true, 1)
  rig.write(0, 0x14, 0, true)
  at(rig, EL3)
  rig.msr(0, 'ICC_PMR_EL1', 0xff)
  rig.msr(0, 'ICC_IGRPEN0_EL1', 1)
  rig.msr(0, 'ICC_IGRPEN1_EL3', 3)
  return rig
}

const at = (rig: RigV3, where: { el?: number; secure?: boolean; scrFiq?: boolean; scrIrq?: boolean }) =>
  rig.gic.setExecution(0, where)
const mrs = (rig: RigV3, name: string) => Number(rig.mrs(0, `ICC_${name}`).value)
const raise = (rig: RigV3, group: Group) => rig.gic.setSpi(spi[group], true)
const active = (rig: RigV3, group: Group) => (rig.read('gicd', 0x304, true) >>> (spi[group] - 32)) & 1

describe('SGIs from EL3', () => {
  /** What each register reaches: a row for each register, for targets in Group 0, Secure Group 1, Non-secure Group 1. */
  const ALL: readonly Group[] = ['G0', 'G1S', 'G1NS']
  const reached = (rig: RigV3, register: string, nsacr = 0) =>
    ALL.filter((group) => {
      rig.write(0, 0x10080, group === 'G1NS' ? 0xffff : 0, true)
      rig.write(0, 0x10d00, group === 'G1S' ? 0xffff : 0, true)
      rig.write(0, 0x10e00, (nsacr * 0x5555_5555) | 0, true)
      rig.write(0, 0x10280, 0xffff, true)
      rig.msr(0, `ICC_${register}_EL1`, (5n << 24n) | 1n)
      return rig.read(0, 0x10200, true) !== 0
    })

  it.each([EL3, EL3_NS, S_EL1])(
    'are Secure accesses, whatever SCR_EL3.NS is, as those of Secure EL1 are: %o (ICC_SGI1R_EL1, note on EL3)',
    (where) => {
      const rig = rigOf()
      at(rig, where)
      for (const nsacr of [0, 1, 2]) {
        expect(reached(rig, 'SGI0R', nsacr)).toEqual(['G0'])
        expect(reached(rig, 'SGI1R', nsacr)).toEqual(['G1S'])
        expect(reached(rig, 'ASGI1R', nsacr)).toEqual(['G1NS'])
      }
    },
  )

  it.each([
    ['SGI0R', [[], ['G0'], ['G0']]],
    ['SGI1R', [['G1NS'], ['G0', 'G1NS'], ['G0', 'G1S', 'G1NS']]],
    ['ASGI1R', [[], ['G0'], ['G0', 'G1S']]],
  ] as const)(
    'by %s of Non-secure software reach as far as GICR_NSACR says (GICR_NSACR.NS_access 0, 1, 2)',
    (register, rows) => {
      const rig = rigOf()
      at(rig, NS_EL1)
      for (const [nsacr, groups] of rows.entries()) expect(reached(rig, register, nsacr)).toEqual(groups)
    },
  )

  it.each([
    [NS_EL1, { SGI0R: ['G0', 'G1S'], SGI1R: ['G0', 'G1S', 'G1NS'], ASGI1R: ['G0', 'G1S'] }],
    [EL3, { SGI0R: ['G0', 'G1S'], SGI1R: ['G0', 'G1S'], ASGI1R: ['G1NS'] }],
    [EL3_NS, { SGI0R: ['G0', 'G1S'], SGI1R: ['G0', 'G1S'], ASGI1R: ['G1NS'] }],
  ] as const)(
    'with DS, where Secure Group 1 is Group 0 to the Distributor (GICD_IGRPMODR<n>): from %o, %o',
    (where, rows) => {
      const rig = rigOf({ ds: true })
      at(rig, where)
      for (const [register, groups] of Object.entries(rows)) expect(reached(rig, register), register).toEqual(groups)
    },
  )
})

describe('The banked ICC_* registers are banked by SCR_EL3.NS alone', () => {
  for (const ds of [false, true])
    for (const el of [1, 3])
      it(`at EL${el} with GICD_CTLR.DS ${ds ? 1 : 0} ("elsif HaveEL(EL3) then if SCR_EL3.NS == '0'")`, () => {
        const rig = rigOf({ ds, priorityBits: 7 })
        const values = {
          IGRPEN1_EL1: [1, 0],
          BPR1_EL1: [5, 6],
          AP1R2_EL1: [0x100, 0x200],
        } as const
        for (const [i, secure] of [true, false].entries()) {
          at(rig, { el, secure })
          for (const [name, pair] of Object.entries(values)) rig.msr(0, `ICC_${name}`, pair[i]!)
          rig.msr(0, 'ICC_CTLR_EL1', secure ? 2 : 0)
        }
        for (const [i, secure] of [true, false].entries()) {
          at(rig, { el, secure })
          for (const [name, pair] of Object.entries(values)) expect(mrs(rig, name), name).toBe(pair[i])
          expect(mrs(rig, 'CTLR_EL1') & 3).toBe(secure ? 2 : 0)
        }
        at(rig, EL3)
        expect(mrs(rig, 'IGRPEN1_EL3')).toBe(2)
        expect(mrs(rig, 'CTLR_EL3') & 0x1f).toBe(1 << 3)
      })

  it('and ICC_CTLR_EL1.CBPR, which DS makes writable, with them', () => {
    const rig = rigOf({ ds: true })
    at(rig, EL3_NS)
    rig.msr(0, 'ICC_CTLR_EL1', 1)
    expect(mrs(rig, 'CTLR_EL3') & 3).toBe(2)
    at(rig, EL3)
    expect(mrs(rig, 'CTLR_EL1') & 1).toBe(0)
    rig.msr(0, 'ICC_CTLR_EL1', 1)
    expect(mrs(rig, 'CTLR_EL3') & 3).toBe(3)
  })
})

describe('Special INTIDs (IHI 0069 2.2.1)', () => {
  const rows = [
    // Where, DS, and what IAR0 and IAR1 make of each group's interrupt.
    [EL3, false, { G0: [40, 1023], G1S: [1020, 41], G1NS: [1021, 42] }],
    [EL3_NS, false, { G0: [40, 1023], G1S: [1020, 41], G1NS: [1021, 42] }],
    [S_EL1, false, { G0: [40, 1023], G1S: [1023, 41], G1NS: [1023, 1023] }],
    [NS_EL1, false, { G0: [1023, 1023], G1S: [1023, 1023], G1NS: [1023, 42] }],
    [NS_EL2, false, { G0: [1023, 1023], G1S: [1023, 1023], G1NS: [1023, 42] }],
    [EL3, true, { G0: [40, 1023], G1S: [41, 1023], G1NS: [1021, 42] }],
    [EL3_NS, true, { G0: [40, 1023], G1S: [41, 1023], G1NS: [1021, 42] }],
    [NS_EL1, true, { G0: [40, 1023], G1S: [41, 1023], G1NS: [1023, 42] }],
    [NS_EL2, true, { G0: [40, 1023], G1S: [41, 1023], G1NS: [1023, 42] }],
  ] as const

  it.each(rows)('of ICC_IAR0, IAR1, HPPIR0 and HPPIR1 from %o with DS %s', (where, ds, groups) => {
    for (const [group, wanted] of Object.entries(groups))
      for (const of of [0, 1] as const) {
        const rig = rigOf({ ds })
        raise(rig, group as Group)
        at(rig, where)
        expect(mrs(rig, `HPPIR${of}_EL1`), `HPPIR${of} of ${group}`).toBe(wanted[of])
        expect(mrs(rig, `IAR${of}_EL1`), `IAR${of} of ${group}`).toBe(wanted[of])
        expect(active(rig, group as Group)).toBe(wanted[of] < 1020 ? 1 : 0)
      }
  })

  it('are 1023 to a PE without EL3', () => {
    const rig = new RigV3(gicOf({ cpus: 1, intids: 96 }))
    rig.write('gicd', 0, 3)
    rig.write('gicd', 0x84, -1)
    rig.write('gicd', 0x104, -1)
    rig.write(0, 0x14, 0)
    for (const [name, value] of Object.entries({ PMR: 0xff, IGRPEN0: 1, IGRPEN1: 1 }))
      rig.msr(0, `ICC_${name}_EL1`, value)
    rig.gic.setSpi(42, true)
    expect([mrs(rig, 'IAR0_EL1'), mrs(rig, 'HPPIR0_EL1'), mrs(rig, 'IAR1_EL1')]).toEqual([1023, 1023, 42])
  })
})

describe('Non-secure software', () => {
  it('holds no Secure interrupt back by ICC_AP1R<n>_EL1: active priorities of the Secure half are RAZ/WI to it', () => {
    for (const priorityBits of [5, 6, 7, 8]) {
      const rig = rigOf({ priorityBits })
      const registers = Math.max(1, 2 ** Math.min(7, priorityBits) / 32)
      at(rig, { ...NS_EL1, scrFiq: true })
      for (let n = 0; n < registers; n++) rig.msr(0, `ICC_AP1R${n}_EL1`, 0xffff_ffffn)
      const seen = Array.from({ length: registers }, (_, n) => mrs(rig, `AP1R${n}_EL1`))
      const half = { 1: [0xffff_0000], 2: [0, 0xffff_ffff], 4: [0, 0, 0xffff_ffff, 0xffff_ffff] }
      expect(seen).toEqual(half[registers as 1 | 2 | 4])
      at(rig, EL3)
      expect(mrs(rig, 'RPR_EL1')).toBe(0x80)
      rig.write('gicd', 0x400 + spi.G1S, 0x40, true, 1)
      raise(rig, 'G1S')
      expect(mrs(rig, 'IAR1_EL1')).toBe(spi.G1S)
    }
  })

  it('neither ends nor clears what EL3 wrote there; EL3 writes all of the Non-secure copy', () => {
    const rig = rigOf()
    at(rig, EL3_NS)
    rig.msr(0, 'ICC_AP1R0_EL1', 0x0001_0002)
    at(rig, NS_EL1)
    expect(mrs(rig, 'AP1R0_EL1')).toBe(0x0001_0000)
    rig.msr(0, 'ICC_AP1R0_EL1', 0)
    at(rig, EL3_NS)
    expect(mrs(rig, 'AP1R0_EL1')).toBe(2)
  })

  it.each(['G0', 'G1S'] as const)(
    'deactivates no %s interrupt by ICC_EOIR1_EL1, though its own drops in priority',
    (group) => {
      const rig = rigOf()
      rig.write('gicd', 0x400 + spi[group], 0xf0, true, 1)
      raise(rig, group)
      expect(mrs(rig, group === 'G0' ? 'IAR0_EL1' : 'IAR1_EL1')).toBe(spi[group])
      at(rig, NS_EL1)
      raise(rig, 'G1NS')
      expect(mrs(rig, 'IAR1_EL1')).toBe(spi.G1NS)
      rig.msr(0, 'ICC_EOIR1_EL1', spi[group])
      expect([active(rig, group), active(rig, 'G1NS')]).toEqual([1, 1])
      at(rig, EL3)
      expect(mrs(rig, 'RPR_EL1'), 'its own is dropped').toBe(0xf0)
    },
  )

  it.each(['G0', 'G1S'] as const)(
    'deactivates no %s interrupt by ICC_DIR_EL1, nor drops its priority by ICC_EOIR1_EL1',
    (group) => {
      const rig = rigOf()
      raise(rig, group)
      mrs(rig, group === 'G0' ? 'IAR0_EL1' : 'IAR1_EL1')
      at(rig, NS_EL1)
      rig.msr(0, 'ICC_CTLR_EL1', 2)
      rig.msr(0, 'ICC_EOIR1_EL1', spi[group])
      rig.msr(0, 'ICC_DIR_EL1', spi[group])
      expect(active(rig, group)).toBe(1)
      at(rig, EL3)
      expect(mrs(rig, 'RPR_EL1')).toBe(0xa0)
    },
  )
})

describe('ICC_DIR_EL1 deactivates below EL3 what is not routed there', () => {
  const rows = [
    [S_EL1, 'G0', { scrFiq: false }, true],
    [S_EL1, 'G0', { scrFiq: true }, false],
    [S_EL1, 'G1S', { scrIrq: false }, true],
    [S_EL1, 'G1S', { scrIrq: true }, false],
    [S_EL1, 'G1NS', { scrIrq: false }, true],
    [NS_EL2, 'G1NS', { scrIrq: false }, true],
    [NS_EL2, 'G1NS', { scrIrq: true }, false],
    [EL3, 'G1NS', { scrIrq: true, scrFiq: true }, true],
  ] as const

  it.each(rows)('from %o: %s with %o, %s', (where, group, routed, ends) => {
    const rig = rigOf()
    rig.msr(0, 'ICC_CTLR_EL3', 7 << 2)
    raise(rig, group)
    mrs(rig, group === 'G0' ? 'IAR0_EL1' : 'IAR1_EL1')
    at(rig, { ...where, scrFiq: false, scrIrq: false, ...routed })
    rig.msr(0, 'ICC_DIR_EL1', spi[group])
    expect(active(rig, group)).toBe(ends ? 0 : 1)
  })
})

describe('EOImode is that of EL3 there, and of the Security state below it (ICC_EOIR1_EL1)', () => {
  for (const ds of [false, true])
    it.each([
      [EL3, 1 << 2],
      [EL3_NS, 1 << 2],
      [S_EL1, 1 << 3],
      [NS_EL1, 1 << 4],
    ])(`with DS ${ds ? 1 : 0}: %o has bit %i of ICC_CTLR_EL3`, (where, bit) => {
      for (const mode of [bit, 0x1c & ~bit]) {
        const group = where === NS_EL1 || ds ? 'G1NS' : 'G1S'
        const rig = rigOf({ ds })
        rig.msr(0, 'ICC_CTLR_EL3', mode)
        at(rig, where)
        raise(rig, group)
        expect(mrs(rig, 'IAR1_EL1')).toBe(spi[group])
        rig.msr(0, 'ICC_EOIR1_EL1', spi[group])
        expect(active(rig, group), `ICC_CTLR_EL3 ${mode}`).toBe(mode === bit ? 1 : 0)
      }
    })
})

describe('ICC_BPR1_EL1 with CBPR (its text)', () => {
  it('is ICC_BPR0_EL1 to Secure EL1, one more to Non-secure EL1, which cannot write it, and itself to EL3', () => {
    const rig = rigOf({ priorityBits: 7 })
    for (const where of [EL3, EL3_NS]) {
      at(rig, where)
      rig.msr(0, 'ICC_BPR1_EL1', 3)
    }
    rig.msr(0, 'ICC_BPR0_EL1', 5)
    rig.msr(0, 'ICC_CTLR_EL3', 3)
    const seen = () =>
      [EL3, EL3_NS, S_EL1, NS_EL1, NS_EL2].map((where) => {
        at(rig, where)
        return mrs(rig, 'BPR1_EL1')
      })
    expect(seen()).toEqual([3, 3, 5, 6, 6])
    at(rig, NS_EL2)
    rig.msr(0, 'ICC_BPR1_EL1', 2)
    expect(seen()).toEqual([3, 3, 5, 6, 6])
    at(rig, S_EL1)
    rig.msr(0, 'ICC_BPR1_EL1', 7)
    expect(seen()).toEqual([3, 3, 7, 7, 7])
    at(rig, EL3_NS)
    rig.msr(0, 'ICC_BPR1_EL1', 4)
    expect(seen()).toEqual([3, 4, 7, 7, 7])
  })
})

describe('ICC_PMR_EL1 and ICC_RPR_EL1', () => {
  const views = [
    [EL3, true],
    [EL3_NS, true],
    [S_EL1, true],
    [NS_EL1, true],
    [NS_EL1, false],
  ] as const

  it.each(views)(
    'from %o with SCR_EL3.FIQ %s: shifted for Non-secure software that Group 0 is hidden from',
    (where, scrFiq) => {
      const rig = rigOf({ priorityBits: 8 })
      const shifted = where === NS_EL1 && scrFiq
      for (const [held, view] of [
        [0xff, 0xfe],
        [0xc0, 0x80],
        [0x80, 0],
        [0x7f, 0],
      ] as const) {
        at(rig, EL3)
        rig.msr(0, 'ICC_PMR_EL1', held)
        at(rig, { ...where, scrFiq })
        expect(mrs(rig, 'PMR_EL1')).toBe(shifted ? view : held)
      }
      rig.msr(0, 'ICC_PMR_EL1', 0xf0)
      at(rig, EL3)
      expect(mrs(rig, 'PMR_EL1'), 'a mask in the Secure half stays').toBe(shifted ? 0x7f : 0xf0)
    },
  )

  it('are not shifted with DS, whatever SCR_EL3.FIQ is', () => {
    const rig = rigOf({ ds: true })
    at(rig, { ...NS_EL1, scrFiq: true })
    rig.msr(0, 'ICC_PMR_EL1', 0x70)
    expect(mrs(rig, 'PMR_EL1')).toBe(0x70)
  })

  it('shows the running priority as if the binary point were the minimum (ICC_RPR_EL1.Priority)', () => {
    for (const [group, point] of [
      ['G0', 'BPR0_EL1'],
      ['G1S', 'BPR1_EL1'],
    ] as const) {
      const rig = rigOf({ priorityBits: 5 })
      rig.msr(0, `ICC_${point}`, 6)
      rig.write('gicd', 0x400 + spi[group], 0x6c, true, 1)
      raise(rig, group)
      mrs(rig, group === 'G0' ? 'IAR0_EL1' : 'IAR1_EL1')
      expect(mrs(rig, 'RPR_EL1'), group).toBe(0x68)
      expect(mrs(rig, group === 'G0' ? 'AP0R0_EL1' : 'AP1R0_EL1'), group).toBe(1 << (0x68 >> 3))
      rig.write('gicd', 0x400 + spi.G0, 0x40, true, 1)
      raise(rig, 'G0')
      if (group === 'G1S') expect(mrs(rig, 'IAR0_EL1'), 'Group 0 has the finer point').toBe(spi.G0)
      else expect(mrs(rig, 'IAR0_EL1')).toBe(1023)
    }
  })
})

describe('Which ICC_* registers there are at EL3', () => {
  it.each([
    [EL3, true, 'undefined'],
    [EL3_NS, true, 'ok'],
    [NS_EL2, true, 'ok'],
    [EL3_NS, false, 'undefined'],
  ] as const)('ICC_SRE_EL2 from %o, with EL2 %s, is %s ("if !EL2Enabled() then UNDEFINED")', (where, el2, outcome) => {
    const rig = rigOf({ el2 })
    at(rig, where)
    expect(rig.mrs(0, 'ICC_SRE_EL2').outcome).toBe(outcome)
    expect(rig.msr(0, 'ICC_SRE_EL2', 0)).toBe(outcome)
  })

  it('none of those of EL1 traps at EL3, and below it FIQ traps Group 0, IRQ Group 1, both together the common ones', () => {
    const rig = rigOf()
    const names = {
      PMR: 'both',
      CTLR: 'both',
      RPR: 'both',
      BPR0: 'fiq',
      IGRPEN0: 'fiq',
      AP0R0: 'fiq',
      BPR1: 'irq',
      IGRPEN1: 'irq',
      AP1R0: 'irq',
      SRE: 'no',
    }
    for (const scrFiq of [false, true])
      for (const scrIrq of [false, true])
        for (const where of [EL3, EL3_NS, S_EL1, NS_EL1, NS_EL2])
          for (const [name, trap] of Object.entries(names)) {
            at(rig, { ...where, scrFiq, scrIrq })
            const traps = { both: scrFiq && scrIrq, fiq: scrFiq, irq: scrIrq, no: false }[trap]
            expect(rig.mrs(0, `ICC_${name}_EL1`).outcome).toBe(where.el < 3 && traps ? 'trap' : 'ok')
          }
  })
})

describe('Four priority bits (ICC_CTLR_EL1.PRIbits: 16 levels, where there is one Security state)', () => {
  const rig = () => {
    const one = new RigV3(gicOf({ cpus: 1, intids: 96, priorityBits: 4 }))
    one.write('gicd', 0, 3)
    one.write('gicd', 0x104, -1)
    one.write(0, 0x14, 0)
    one.msr(0, 'ICC_IGRPEN0_EL1', 1)
    return one
  }

  it('are said by PRIbits, kept by ICC_PMR_EL1, and leave a binary point of at least 3', () => {
    const one = rig()
    expect((mrs(one, 'CTLR_EL1') >>> 8) & 7).toBe(3)
    one.msr(0, 'ICC_PMR_EL1', 0xff)
    expect(mrs(one, 'PMR_EL1')).toBe(0xf0)
    for (const name of ['BPR0_EL1', 'BPR1_EL1']) one.msr(0, `ICC_${name}`, 0)
    expect([mrs(one, 'BPR0_EL1'), mrs(one, 'BPR1_EL1')]).toEqual([3, 4])
  })

  it('are 16 active priorities, in ICC_AP0R0_EL1 and ICC_AP1R0_EL1 alone', () => {
    const one = rig()
    one.msr(0, 'ICC_PMR_EL1', 0xff)
    one.msr(0, 'ICC_AP1R0_EL1', 0xffff_ffff)
    expect([mrs(one, 'AP1R0_EL1'), one.mrs(0, 'ICC_AP1R1_EL1').outcome]).toEqual([0xffff, 'undefined'])
    one.msr(0, 'ICC_AP1R0_EL1', 0)
    one.write('gicd', 0x400 + 40, 0xe0, false, 1)
    one.gic.setSpi(40, true)
    expect([mrs(one, 'IAR0_EL1'), mrs(one, 'RPR_EL1'), mrs(one, 'AP0R0_EL1')]).toEqual([40, 0xe0, 1 << 14])
  })
})

describe('PMHE and E1NWF', () => {
  it('are RAZ/WI: no priority-based routing (ICC_CTLR_EL3.PMHE), no PE that sleeps is picked (GICD_CTLR.E1NWF)', () => {
    for (const ds of [false, true]) {
      const rig = rigOf({ ds })
      for (const name of ['CTLR_EL1', 'CTLR_EL3']) {
        rig.msr(0, `ICC_${name}`, 1 << 6)
        expect(mrs(rig, name) & (1 << 6)).toBe(0)
      }
      rig.write('gicd', 0, 1 << 7, true)
      expect(rig.read('gicd', 0, true) & (1 << 7)).toBe(0)
    }
  })
})
