/** What explain says of a GICv3: each case that costs a beginner days, with the register, field, value and remedy. */

import { describe, expect, it } from 'vitest'
import { formatExplanation, type GateReport, type GicV3Config } from '../index.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, pendingTableOf } from '../testing/steps-v3.ts'

const SPI = 42
const bit = 1 << (SPI - 32)
const LPI = 8200

/** Two PEs, SPI 42 in Group 1, edge-triggered, pending, enabled, routed to PE 0, of priority 0xa0: everything open. */
function opened(config: GicV3Config = {}): RigV3 {
  const rig = new RigV3(gicOf({ cpus: 2, intids: 64, ...config }))
  const secure = true
  rig.write('gicd', 0, config.security ? 7 : 3, secure)
  rig.write('gicd', 0x084, bit, secure)
  rig.write('gicd', 0xc00 + 8, 2 << ((SPI - 32) * 2), secure)
  rig.write('gicd', 0x400 + SPI, 0xa0, secure, 1)
  rig.write('gicd', 0x104, bit, secure)
  rig.write('gicd', 0x204, bit, secure)
  for (const pe of [0, 1]) {
    rig.write(pe, 0x14, 0, secure)
    rig.msr(pe, 'ICC_PMR_EL1', 0xff)
    rig.msr(pe, 'ICC_IGRPEN0_EL1', 1)
    rig.msr(pe, 'ICC_IGRPEN1_EL1', 1)
  }
  return rig
}

/** An LPI that is pending, and enabled at 0xa0, on PE 0. */
function withLpi(): RigV3 {
  const rig = opened({ lpis: { intidBits: 14 }, directLpis: true })
  rig.write('gicd', 0x284, bit)
  rig.memory[CONFIGURATION_TABLE + LPI - 8192] = 0xa1
  rig.write(0, 0x70, CONFIGURATION_TABLE + 13, false, 8)
  rig.write(0, 0x78, pendingTableOf(0), false, 8)
  rig.write(0, 0, 1)
  rig.write(0, 0x40, LPI)
  return rig
}

function closed(rig: RigV3, intid = SPI, pe = 0): GateReport {
  const explanation = rig.gic.explain(intid, pe)
  expect(explanation.deliverable, explanation.summary).toBe(false)
  expect(explanation.summary).toContain(explanation.mend[0]!.says)
  return explanation.closed!
}

const where = ({ register, field, value }: GateReport) => `${register}.${field} = ${value}`

describe('explain names the gate of a GICv3 that holds an interrupt back', () => {
  it('and says so when all are open', () => {
    const { deliverable, line, summary } = opened().gic.explain(SPI, 0)
    expect({ deliverable, line, summary }).toEqual({
      deliverable: true,
      line: 'irq',
      summary: 'SPI 42 is signalled to CPU 0 as IRQ: an acknowledge takes it.',
    })
  })

  it('a Redistributor that sleeps (GICR_WAKER)', () => {
    const rig = opened()
    rig.write(0, 0x14, 2)
    expect(where(closed(rig))).toBe('GICR_WAKER.ChildrenAsleep = 1')
    expect(closed(rig).remedy).toContain('GICR_WAKER.ProcessorSleep')
    rig.write(0, 0x14, 0)
    expect(rig.gic.explain(SPI, 0).deliverable).toBe(true)
  })

  it('a group that the Distributor does not forward, by the name that it has in one Security state and in two', () => {
    const rig = opened()
    rig.write('gicd', 0, 1)
    expect(where(closed(rig))).toBe('GICD_CTLR.EnableGrp1 = 0')
    const two = opened({ security: true })
    two.write('gicd', 0, 5, true)
    expect(where(closed(two))).toBe('GICD_CTLR.EnableGrp1NS = 0')
    two.write('gicd', 0x84, 0, true)
    two.write('gicd', 0xd04, bit, true)
    two.write('gicd', 0, 3, true)
    expect(where(closed(two))).toBe('GICD_CTLR.EnableGrp1S = 0')
  })

  it('a group that the interface does not signal', () => {
    const rig = opened()
    rig.msr(0, 'ICC_IGRPEN1_EL1', 0)
    expect(where(closed(rig))).toBe('ICC_IGRPEN1_EL1.Enable = 0')
    rig.write('gicd', 0x84, 0)
    rig.msr(0, 'ICC_IGRPEN0_EL1', 0)
    expect(where(closed(rig))).toBe('ICC_IGRPEN0_EL1.Enable = 0')
  })

  it('an interrupt that is not enabled, and whose registers those are', () => {
    const rig = opened()
    rig.write('gicd', 0x184, bit)
    expect(where(closed(rig))).toBe(`GICD_ISENABLER1.Set_enable_bit[${SPI - 32}] = 0`)
    rig.gic.setPpi(1, 27, true)
    expect(where(closed(rig, 27, 1))).toBe('GICR_ISENABLER0.Set_enable_bit[27] = 0')
    expect(closed(rig, 27, 1).remedy).toContain("in PE 1's Redistributor")
  })

  it('one that is routed elsewhere, nowhere, or to any PE of which none, or another, takes it', () => {
    const rig = opened()
    expect(closed(rig, SPI, 1).says).toBe('it is routed to PE 0.')
    rig.write('gicd', 0x6000 + SPI * 8, 7)
    expect(where(closed(rig))).toBe('GICD_IROUTER42.Aff3.Aff2.Aff1.Aff0 = 7')
    expect(closed(rig).says).toBe('its route names affinity 0.0.0.7, which no PE has.')
    rig.write('gicd', 0x6000 + SPI * 8, 1 << 31)
    expect(rig.gic.explain(SPI, 0).deliverable).toBe(true)
    expect(closed(rig, SPI, 1).says).toBe('it may go to any PE, and PE 0 takes it.')
    for (const pe of [0, 1]) rig.write(pe, 0x14, 2)
    expect(rig.gic.explain(SPI, 0).gates.find(({ gate }) => gate === 'targeted')).toMatchObject({
      state: 'depends',
      waitsFor: ['Redistributor awake'],
    })
  })

  it('a priority mask of 0, which is what it is after a reset, and one that is too low', () => {
    const rig = opened()
    rig.msr(0, 'ICC_PMR_EL1', 0)
    expect(where(closed(rig))).toBe('ICC_PMR_EL1.Priority = 0')
    expect(closed(rig).says).toBe('the mask is 0, which lets no priority pass, as it is after reset.')
    expect(closed(rig).remedy).toBe('Write 0xff to ICC_PMR_EL1 on PE 0.')
    rig.msr(0, 'ICC_PMR_EL1', 0xa0)
    expect(closed(rig).says).toBe('its priority is 0xa0, and the mask lets values below 0xa0 pass only.')
  })

  it('what runs, and what was never ended or never deactivated', () => {
    const rig = opened()
    expect(rig.mrs(0, 'ICC_IAR1_EL1').value).toBe(42n)
    rig.gic.setPpi(0, 27, true)
    rig.write(0, 0x10080, 1 << 27)
    rig.write(0, 0x10100, 1 << 27)
    rig.write(0, 0x10400 + 27, 0xa0, false, 1)
    expect(where(closed(rig, 27))).toBe('ICC_RPR_EL1.Priority = 160')
    rig.write('gicd', 0x204, bit)
    expect(where(closed(rig))).toBe(`GICD_ISACTIVER1.Set_active_bit[${SPI - 32}] = 1`)
    expect(closed(rig).remedy).toBe('Write 0x2a to ICC_EOIR1_EL1 on PE 0 when its handler is done.')
    rig.msr(0, 'ICC_CTLR_EL1', 2)
    expect(closed(rig).remedy).toContain('ICC_DIR_EL1')
  })

  it('a level that was withdrawn before anyone looked', () => {
    const rig = opened()
    rig.write('gicd', 0x284, bit)
    rig.write('gicd', 0xc08, 0)
    rig.gic.pulseSpi(SPI)
    expect(closed(rig).says).toBe('it is level-sensitive and its line dropped before any PE acknowledged it.')
    expect(closed(rig).remedy).toContain('GICD_ICFGR2')
  })

  it('a better one that is ahead', () => {
    const rig = opened()
    rig.write(0, 0x10100, 1 << 3)
    rig.write(0, 0x10080, 1 << 3)
    rig.msr(0, 'ICC_SGI1R_EL1', (3n << 24n) | 1n)
    expect(closed(rig).gate).toBe('best pending')
    expect(closed(rig).says).toBe(
      "SGI 3 of priority 0x0 (this one's is 0xa0, and lower values come first) is ahead of it.",
    )
  })

  it('an INTID that is not there', () => {
    const rig = opened()
    for (const intid of [64, 1000, 1023, 1056, 4096, 8192, 2 ** 24, -1, 1.5])
      expect(closed(rig, intid).gate, String(intid)).toBe('exists')
  })

  it('where the INTIDs of its kind end, by the field that tells software so (IHI 0069 12.9.38)', () => {
    const extended = { extendedSpis: 64, extendedPpis: 32, lpis: { intidBits: 14 } }
    const first = (intid: number) => where(opened(extended).gic.explain(intid, 0).gates[0]!)
    expect(first(SPI)).toBe('GICD_TYPER.ITLinesNumber = 1')
    expect(first(1056)).toBe('GICR_TYPER.PPInum = 1')
    expect(first(4096)).toBe('GICD_TYPER.ESPI_range = 1')
    expect(first(LPI)).toBe('GICD_TYPER.IDbits = 13')
  })
})

describe('explain follows an LPI', () => {
  it('that everything lets through', () => {
    const rig = withLpi()
    expect(rig.gic.explain(LPI, 0)).toMatchObject({ deliverable: true, line: 'irq' })
    expect(rig.mrs(0, 'ICC_IAR1_EL1').value).toBe(BigInt(LPI))
  })

  it('to a Redistributor that takes none', () => {
    expect(where(closed(withLpi(), LPI, 1))).toBe('GICR_CTLR.EnableLPIs = 0')
  })

  it('beyond what its configuration table covers', () => {
    const rig = opened({ lpis: { intidBits: 16 } })
    rig.write(0, 0x70, CONFIGURATION_TABLE + 13, false, 8)
    rig.write(0, 0, 1)
    expect(where(closed(rig, 16384))).toBe('GICR_PROPBASER.IDbits = 13')
    expect(closed(rig, 16383).gate).toBe('pending')
  })

  it('whose tables stay where they are when GICR_PROPBASER is written while EnableLPIs is 1 (IHI 0069, GICR_PROPBASER)', () => {
    const rig = withLpi()
    const said: string[] = []
    rig.gic.listen((event) => {
      if (event.kind === 'misuse') said.push(event.message)
    })
    const covered = () => rig.gic.explain(LPI, 0).gates.find(({ gate }) => gate === 'covered by the tables')!.says
    rig.write(0, 0x70, CONFIGURATION_TABLE + 13, false, 8)
    expect([said, covered()]).toEqual([[], 'its byte of the configuration table is at 0x1008.'])
    rig.write(0, 0x70, 0x2000 + 13, false, 8)
    expect(said).toEqual([
      'write to GICR_PROPBASER while GICR_CTLR.EnableLPIs is 1: UNPREDICTABLE, ignored, so clear EnableLPIs first',
    ])
    expect(covered()).toBe(
      'its byte of the configuration table is at 0x1008; GICR_PROPBASER was written since, which EnableLPIs makes UNPREDICTABLE, and was ignored.',
    )
    rig.write(0, 0, 0)
    rig.write(0, 0, 1)
    expect(covered()).toBe('its byte of the configuration table is at 0x1008.')
  })

  it('that is not pending', () => {
    const rig = withLpi()
    rig.write(0, 0x48, LPI)
    expect(closed(rig, LPI).says).toBe('it is not pending on PE 0.')
    const gate = () => rig.gic.explain(LPI, 0).gates.find(({ gate }) => gate === 'enabled')
    expect(gate()).toMatchObject({
      open: true,
      register: 'LPI configuration byte at 0x1008',
      field: 'Enable',
      value: 1,
      says: 'its configuration enables it.',
    })
    rig.memory[CONFIGURATION_TABLE + LPI - 8192] = 0xa0
    expect(gate()).toMatchObject({ open: false, value: 0 })
  })

  it('whose configuration does not enable it, did not when it was read, or does only since', () => {
    const rig = withLpi()
    rig.memory[CONFIGURATION_TABLE + LPI - 8192] = 0xa0
    // Not read yet: it is still delivered (5.1.1: configuration may be cached until it is invalidated).
    expect(rig.gic.explain(LPI, 0).deliverable).toBe(true)
    rig.write(0, 0xa0, LPI)
    expect(closed(rig, LPI).says).toBe('its configuration byte does not enable it.')
    rig.memory[CONFIGURATION_TABLE + LPI - 8192] = 0xa1
    expect(closed(rig, LPI).remedy).toBe(
      "Write 0x2008 to GICR_INVLPIR in PE 0's Redistributor, or use the command INV.",
    )
    rig.write(0, 0xb0, 0)
    expect(rig.gic.explain(LPI, 0).deliverable).toBe(true)
  })
})

describe('Of an SGI that is not pending, explain says what was sent to whom (IHI 0069 12.1.10)', () => {
  const says = (rig: RigV3, pe: number) => rig.gic.explain(3, pe).gates.find(({ gate }) => gate === 'pending')!.says
  const request = (list: bigint, high = 0n) => (high << 32n) | (3n << 24n) | list

  it('to other affinities than this PE has, to one that no PE has, to all others', () => {
    const rig = opened({ affinities: [0, 0x101] })
    expect(says(rig, 0)).toBe('no PE has sent it.')
    rig.msr(0, 'ICC_SGI1R_EL1', request(0x1_0002n))
    expect(says(rig, 0)).toBe(
      'it was not sent here: PE 0 wrote 0x3010002 to ICC_SGI1R_EL1, which asks for 0.0.1.1, which is PE 1.',
    )
    rig.msr(0, 'ICC_SGI1R_EL1', request(0x2n))
    expect(says(rig, 0)).toBe(
      'it was not sent here: PE 0 wrote 0x3000002 to ICC_SGI1R_EL1, which asks for 0.0.0.1, which no PE has.',
    )
    rig.msr(0, 'ICC_SGI1R_EL1', request(0n, 0x100n))
    expect(says(rig, 0)).toContain('asks for every PE but itself.')
    rig.msr(0, 'ICC_SGI1R_EL1', request(0n))
    expect(says(rig, 0)).toContain('asks for nobody: its TargetList is 0.')
  })

  it('and not let through to the group that it has there, which GICR_NSACR could grant', () => {
    const rig = opened({ security: true })
    rig.msr(0, 'ICC_SGI1R_EL1', request(2n))
    expect(says(rig, 1)).toBe(
      'it was sent and not let through: PE 0 wrote 0x3000002 to ICC_SGI1R_EL1, which asks for 0.0.0.1, which is PE 1, but it is in Group 0 on PE 1, which a Non-secure write of ICC_SGI1R_EL1 does not reach, as GICR_NSACR does not grant it.',
    )
  })
})

describe('An acknowledge that gives nothing is explained', () => {
  it('1023: nothing pending, or what waits for what', () => {
    const rig = opened()
    expect(rig.gic.whyNothing(1)).toBe(
      "1023: SPI 42 is not signalled to CPU 1: it is routed to PE 0. Write 0x1 to GICD_IROUTER42 (this PE's affinity is 0.0.0.1).",
    )
    expect(new RigV3(gicOf({})).gic.whyNothing(0)).toBe('1023: nothing is pending for this PE.')
    expect(rig.gic.whyNothing(0)).toBeUndefined()
    rig.msr(0, 'ICC_PMR_EL1', 0)
    expect(rig.gic.whyNothing(0)).toContain('the mask is 0')
  })

  it('1023 to the register of the other group', () => {
    const rig = opened()
    expect(rig.gic.whyNothing(0, 'IAR0')).toBe(
      '1023: SPI 42 is signalled, but in Group 1, which ICC_IAR0_EL1 does not take here: read ICC_IAR1_EL1.',
    )
  })

  it('1020 and 1021 to EL3, which is told whose it is, and 1022 where a non-maskable interrupt waits', () => {
    const rig = opened({ security: true, nmi: true })
    rig.gic.setExecution(0, { el: 3, secure: true })
    expect(rig.mrs(0, 'ICC_IAR0_EL1').value).toBe(1021n)
    expect(rig.gic.whyNothing(0, 'IAR0')).toContain('1021')
    rig.write('gicd', 0xd04, bit, true)
    rig.write('gicd', 0x084, 0, true)
    rig.msr(0, 'ICC_IGRPEN1_EL3', 3)
    expect(rig.mrs(0, 'ICC_IAR0_EL1').value).toBe(1020n)
    rig.write('gicd', 0xf84, bit, true)
    rig.gic.setExecution(0, { el: 1, sctlrNmi: true })
    expect(rig.mrs(0, 'ICC_IAR1_EL1').value).toBe(1022n)
    expect(rig.gic.whyNothing(0, 'IAR1')).toContain('1022')
    expect(rig.mrs(0, 'ICC_NMIAR1_EL1').value).toBe(42n)
  })

  it('in text: a line a gate, the closed ones marked', () => {
    const rig = opened()
    rig.msr(0, 'ICC_PMR_EL1', 0)
    const text = formatExplanation(rig.gic.explain(SPI, 0))
    expect(text.filter((line) => line.includes('CLOSED'))).toHaveLength(1)
    expect(text[0]).toMatch(/^SPI 42 is not signalled to CPU 0: /)
  })
})
