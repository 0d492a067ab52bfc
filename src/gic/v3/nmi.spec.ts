/** Non-maskable interrupts of a GICv3 (FEAT_GICv3_NMI): their wire, their acknowledge, and what runs above and below them. */

import { describe, expect, it } from 'vitest'
import type { GicEvent, GicV3Config } from '../index.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'

const NMI = 1n << 63n
const NMI_NS = 1n << 62n
const EL3 = { el: 3, secure: true, sctlrNmi: true }
const EL3_NS = { el: 3, secure: false, sctlrNmi: true }
const S_EL1 = { el: 1, secure: true, sctlrNmi: true }
const NS_EL1 = { el: 1, secure: false, sctlrNmi: true }

/** One PE, open to everything. SPIs 40 to 43, of priority 0xa0: 40 and 41 are non-maskable, 41 and 43 are Secure. */
function rigOf(config: GicV3Config = {}): RigV3 {
  const rig = new RigV3(gicOf({ cpus: 1, intids: 96, nmi: true, security: true, el2: true, ...config }))
  rig.write('gicd', 0, 7, true)
  rig.write('gicd', 0x84, 0b0101 << 8, true)
  rig.write('gicd', 0xd04, 0b1010 << 8, true)
  rig.write('gicd', 0xf84, 0b0011 << 8, true)
  rig.write('gicd', 0x104, 0b1111 << 8, true)
  for (let intid = 40; intid < 44; intid++) priority(rig, intid, 0xa0)
  rig.write(0, 0x14, 0, true)
  rig.gic.setExecution(0, rig.gic.config.security ? EL3_NS : NS_EL1)
  rig.msr(0, 'ICC_PMR_EL1', 0xff)
  rig.msr(0, 'ICC_IGRPEN1_EL1', 1)
  if (rig.gic.config.security) rig.msr(0, 'ICC_IGRPEN1_EL3', 3)
  return rig
}

const priority = (rig: RigV3, intid: number, value: number) => rig.write('gicd', 0x400 + intid, value, true, 1)
const mrs = (rig: RigV3, name: string) => rig.mrs(0, `ICC_${name}_EL1`).value
const wires = ({ gic }: RigV3) => [gic.irq(0), gic.fiq(0), gic.superpriority(0)]

describe('The superpriority of IRQ and FIQ (DDI 0487, FEAT_NMI)', () => {
  it.each([
    [NS_EL1, 40, [true, false, true]],
    [NS_EL1, 41, [false, true, true]],
    [S_EL1, 41, [true, false, true]],
    [EL3, 40, [false, true, true]],
    [NS_EL1, 42, [true, false, false]],
    [NS_EL1, 43, [false, true, false]],
  ])('goes with the wire of a non-maskable interrupt: from %o, SPI %i', (where, intid, levels) => {
    const rig = rigOf()
    rig.gic.setExecution(0, where)
    rig.gic.setSpi(intid, true)
    expect(wires(rig)).toEqual(levels)
    rig.gic.setExecution(0, { sctlrNmi: false })
    expect(wires(rig), 'whether it matters, SCTLR_ELx.NMI says to the PE').toEqual(levels)
    rig.gic.setSpi(intid, false)
    expect(wires(rig)).toEqual([false, false, false])
  })

  it('comes and goes while the IRQ stays high, and is told before it', () => {
    const rig = rigOf()
    rig.gic.setExecution(0, NS_EL1)
    const told: string[] = []
    rig.gic.onOutput = (_, line, level) => told.push(`${line} ${level}, superpriority is ${rig.gic.superpriority(0)}`)
    rig.gic.onSuperpriority = (_, level) => told.push(`superpriority ${level}`)
    const events: GicEvent[] = []
    rig.gic.listen((event) => events.push(event))
    rig.gic.setSpi(42, true)
    rig.gic.setSpi(40, true)
    rig.gic.setSpi(42, false)
    rig.gic.setSpi(40, false)
    const expected = [
      'irq true, superpriority is false',
      'superpriority true',
      'superpriority false',
      'irq false, superpriority is false',
    ]
    expect(told).toEqual(expected)
    expect(events.filter((event) => event.kind === 'signal').map((e) => `${e.line} ${e.level}`)).toEqual(
      expected.map((text) => text.split(',')[0]),
    )
  })

  it('is never there where nothing is non-maskable', () => {
    const rig = rigOf({ nmi: false })
    rig.gic.onSuperpriority = () => expect.fail('there is no such wire')
    rig.gic.setExecution(0, NS_EL1)
    rig.gic.setSpi(40, true)
    expect(wires(rig)).toEqual([true, false, false])
  })
})

describe('ICC_NMIAR1_EL1 and ICC_IAR1_EL1', () => {
  it.each([
    [NS_EL1, 40],
    [S_EL1, 41],
    [EL3, 40],
    [EL3, 41],
    [EL3_NS, 41],
  ])(
    'from %o: 1022 is for SPI %i while SCTLR_ELx.NMI is 1, and the register is UNDEFINED while it is 0',
    (where, intid) => {
      const rig = rigOf()
      rig.gic.setExecution(0, where)
      rig.gic.setSpi(intid, true)
      expect([mrs(rig, 'IAR1'), mrs(rig, 'HPPIR1')]).toEqual([1022n, BigInt(intid)])
      rig.gic.setExecution(0, { sctlrNmi: false })
      expect(rig.mrs(0, 'ICC_NMIAR1_EL1').outcome).toBe('undefined')
      rig.gic.setExecution(0, { sctlrNmi: true })
      expect(mrs(rig, 'NMIAR1')).toBe(BigInt(intid))
    },
  )

  it.each([
    [NS_EL1, 41],
    [S_EL1, 40],
  ])('from %o show nothing of the other Security state: SPI %i', (where, intid) => {
    const rig = rigOf()
    rig.gic.setExecution(0, where)
    rig.gic.setSpi(intid, true)
    expect([mrs(rig, 'IAR1'), mrs(rig, 'NMIAR1')]).toEqual([1023n, 1023n])
  })

  it('take a non-maskable interrupt as any other while SCTLR_ELx.NMI is 0', () => {
    const rig = rigOf()
    rig.gic.setExecution(0, { ...NS_EL1, sctlrNmi: false })
    rig.gic.setSpi(40, true)
    expect(mrs(rig, 'IAR1')).toBe(40n)
    expect(mrs(rig, 'RPR')).toBe(NMI)
  })
})

describe('An active NMI', () => {
  it('stays so while a better interrupt of its own group runs above it, and until it is ended itself (ICC_AP1R0_EL1.NMI)', () => {
    const rig = rigOf()
    rig.gic.setExecution(0, NS_EL1)
    rig.gic.setSpi(40, true)
    expect(mrs(rig, 'NMIAR1')).toBe(40n)
    // Secure software has given a Non-secure interrupt a priority that is better than any Non-secure NMI's, 0x80.
    priority(rig, 42, 0x40)
    rig.gic.setSpi(42, true)
    expect(mrs(rig, 'IAR1')).toBe(42n)
    rig.msr(0, 'ICC_EOIR1_EL1', 42)
    expect(mrs(rig, 'AP1R0') & NMI, 'the NMI is not dropped').toBe(NMI)
    rig.gic.setExecution(0, EL3_NS)
    expect(mrs(rig, 'AP1R0'), 'the other one is').toBe(NMI)
    expect(mrs(rig, 'RPR')).toBe(NMI_NS | 0x80n)
    rig.msr(0, 'ICC_EOIR1_EL1', 40)
    expect([mrs(rig, 'AP1R0'), mrs(rig, 'RPR')]).toEqual([0n, 0xffn])
  })

  it('runs above an interrupt of its own priority, and is ended first', () => {
    const rig = rigOf({ security: false })
    priority(rig, 42, 0)
    rig.gic.setSpi(42, true)
    expect(mrs(rig, 'IAR1')).toBe(42n)
    rig.gic.setSpi(40, true)
    expect(mrs(rig, 'NMIAR1')).toBe(40n)
    expect(mrs(rig, 'AP1R0')).toBe(NMI | 1n)
    rig.msr(0, 'ICC_EOIR1_EL1', 40)
    expect(mrs(rig, 'AP1R0')).toBe(1n)
  })

  it('is shown to each Security state by ICC_RPR_EL1: .NMI is the reader’s own, .NMI_NS the Non-secure one to EL3 and Secure EL1', () => {
    const rig = rigOf()
    rig.gic.setSpi(40, true)
    expect(mrs(rig, 'NMIAR1')).toBe(40n)
    const seen = () =>
      [EL3, EL3_NS, S_EL1, NS_EL1].map((where) => {
        rig.gic.setExecution(0, where)
        return mrs(rig, 'RPR')
      })
    expect(seen()).toEqual([NMI_NS | 0x80n, NMI_NS | 0x80n, NMI_NS | 0x80n, NMI])
    rig.gic.setExecution(0, EL3)
    rig.gic.setSpi(41, true)
    expect(mrs(rig, 'NMIAR1')).toBe(41n)
    expect(seen()).toEqual([NMI | NMI_NS, NMI | NMI_NS, NMI | NMI_NS, NMI])
  })

  it('is in the copy of ICC_AP1R0_EL1 of its group, at EL3 by SCR_EL3.NS', () => {
    const rig = rigOf()
    rig.gic.setExecution(0, EL3)
    rig.msr(0, 'ICC_AP1R0_EL1', NMI)
    rig.gic.setExecution(0, EL3_NS)
    expect(mrs(rig, 'AP1R0')).toBe(0n)
    rig.gic.setExecution(0, S_EL1)
    expect(mrs(rig, 'AP1R0')).toBe(NMI)
  })
})
