/** What explain says: each case that costs a beginner days, with the register, field, value and remedy. */

import { describe, expect, it } from 'vitest'
import { formatExplanation, type GateReport, GicV2, type GicV2Config } from '../index.ts'
import { Rig } from '../testing/rig-v2.ts'

const SPI = 42
/** The SPI's bit of a one-bit bank's register 1. */
const bit = 1 << (SPI - 32)

/** Two CPUs, SPI 42 edge-triggered, pending, enabled, targeted at CPU 0, of priority 0xa0: everything open. */
function opened(config: GicV2Config = {}): Rig {
  const rig = new Rig(new GicV2({ cpus: 2, intids: 64, ...config }))
  const secure = true
  rig.write('gicd', 0x000, 3, 0, secure)
  rig.write('gicd', 0xc00 + 8, 2 << ((SPI - 32) * 2), 0, secure)
  rig.write('gicd', 0x104, bit, 0, secure)
  rig.write('gicd', 0x400 + SPI, 0xa0, 0, secure, 1)
  rig.write('gicd', 0x800 + SPI, 1, 0, secure, 1)
  for (const cpu of [0, 1]) {
    rig.write('gicc', 0x00, 3, cpu, secure)
    rig.write('gicc', 0x04, 0xff, cpu, secure)
  }
  rig.write('gicd', 0x204, bit, 0, secure)
  return rig
}

function closed(rig: Rig, intid = SPI, cpu = 0): GateReport {
  const explanation = rig.gic.explain(intid, cpu)
  expect(explanation.deliverable, explanation.summary).toBe(false)
  expect(explanation.summary).toContain(explanation.mend[0]!.says)
  return explanation.closed!
}

describe('explain names the gate that holds an interrupt back', () => {
  it('and says so when all are open', () => {
    const { gic } = opened()
    const { deliverable, line, gates, summary } = gic.explain(SPI, 0)
    expect({ deliverable, line, summary }).toEqual({
      deliverable: true,
      line: 'irq',
      summary: 'SPI 42 is signalled to CPU 0 as IRQ: an acknowledge takes it.',
    })
    expect(gates.map(({ gate }) => gate)).toEqual([
      'exists',
      'pending',
      'enabled',
      'not active',
      'targeted',
      'group enabled in the Distributor',
      'group enabled in the CPU interface',
      'priority mask',
      'running priority',
      'best pending',
    ])
    expect(gates.every(({ open, remedy }) => open && remedy === undefined)).toBe(true)
  })

  it('the Distributor is off (GICD_CTLR, IHI 0048 4.3.1)', () => {
    const rig = opened()
    rig.write('gicd', 0, 0)
    expect(closed(rig)).toMatchObject({ register: 'GICD_CTLR', field: 'EnableGrp0', value: 0 })
    expect(closed(rig).remedy).toContain('Set GICD_CTLR.EnableGrp0')
  })

  it('its group is off in the Distributor, though the other one is on', () => {
    const rig = opened()
    rig.write('gicd', 0x84, bit)
    rig.write('gicd', 0, 1)
    expect(closed(rig)).toMatchObject({ register: 'GICD_CTLR', field: 'EnableGrp1', value: 0 })
    expect(closed(rig).remedy).toBe(
      'Set GICD_CTLR.EnableGrp1 (write 0x3), or move it to Group 0 (GICD_IGROUPR1 bit 10).',
    )
  })

  it('its group is off in the CPU interface (GICC_CTLR, IHI 0048 4.4.1)', () => {
    const rig = opened()
    rig.write('gicc', 0, 2)
    expect(closed(rig)).toMatchObject({ register: 'GICC_CTLR', field: 'EnableGrp0', value: 0 })
    expect(closed(rig).remedy).toContain('set GICC_CTLR.EnableGrp0 (write 0x3) on CPU 0')
  })

  it('it is not enabled (GICD_ISENABLER, IHI 0048 4.3.5)', () => {
    const rig = opened()
    rig.write('gicd', 0x184, bit)
    expect(closed(rig)).toMatchObject({
      register: 'GICD_ISENABLER1',
      field: 'Set_enable_bit[10]',
      value: 0,
      remedy: 'Write 0x400 to GICD_ISENABLER1.',
    })
  })

  it('a PPI is not enabled on this CPU, whose register is banked', () => {
    const rig = opened()
    rig.gic.setPpi(1, 27, true)
    expect(closed(rig, 27, 1)).toMatchObject({
      register: 'GICD_ISENABLER0',
      field: 'Set_enable_bit[27]',
      remedy: 'Write 0x8000000 to GICD_ISENABLER0 from CPU 1 (the register is banked).',
    })
  })

  it('it is not targeted at this CPU (GICD_ITARGETSR, IHI 0048 4.3.12)', () => {
    expect(closed(opened(), SPI, 1)).toMatchObject({
      register: 'GICD_ITARGETSR10',
      field: 'CPU_targets_offset_2B',
      value: 1,
      remedy: 'Write byte 0x3 to GICD_ITARGETSR10 (offset 0x82a), or 0x2 to have it go to CPU 1 alone.',
    })
  })

  it('GICC_PMR is 0, as it is after reset (IHI 0048 4.4.2)', () => {
    const rig = opened()
    rig.write('gicc', 4, 0)
    expect(closed(rig)).toMatchObject({ register: 'GICC_PMR', field: 'Priority', value: 0 })
    expect(closed(rig).says).toBe('the mask is 0, which lets no priority pass, as it is after reset.')
    expect(closed(rig).remedy).toBe('Write 0xff to GICC_PMR on CPU 0.')
  })

  it('its priority is not above a mask of the same value', () => {
    const rig = opened()
    rig.write('gicc', 4, 0xa0)
    expect(closed(rig)).toMatchObject({ register: 'GICC_PMR', value: 0xa0 })
    expect(closed(rig).remedy).toBe(
      'Write 0xff to GICC_PMR on CPU 0, or write a lower value to its byte of GICD_IPRIORITYR10.',
    )
    expect(closed(rig).says).toBe('its priority is 0xa0, and the mask lets values below 0xa0 pass only.')
  })

  it('what runs has a priority that it does not preempt (GICC_RPR, IHI 0048 4.4.6)', () => {
    const rig = opened()
    expect(rig.read('gicc', 0xc)).toBe(SPI)
    rig.write('gicd', 0x400 + 43, 0xa0, 0, false, 1)
    rig.write('gicd', 0x800 + 43, 1, 0, false, 1)
    rig.write('gicd', 0x104, bit << 1)
    rig.write('gicd', 0x204, bit << 1)
    expect(closed(rig, 43)).toMatchObject({ register: 'GICC_RPR', field: 'Priority', value: 0xa0 })
    expect(closed(rig, 43)).toMatchObject({
      says: 'SPI 42 runs at priority 0xa0; its own group priority is 0xa0, and only values below 0xa0 preempt.',
      actions: [{ do: 'write', register: 'GICC_EOIR', value: SPI, cpu: 0 }],
    })
  })

  it('it is active and was never ended (GICD_ISACTIVER, IHI 0048 3.2.4)', () => {
    const rig = opened()
    expect(rig.read('gicc', 0xc)).toBe(SPI)
    rig.write('gicd', 0x204, bit)
    expect(closed(rig)).toMatchObject({
      register: 'GICD_ISACTIVER1',
      field: 'Set_active_bit[10]',
      value: 1,
      remedy: 'Write 0x2a to GICC_EOIR on CPU 0 when its handler is done.',
    })
  })

  it('it was ended and, with EOImode 1, never deactivated (IHI 0048 3.2.1)', () => {
    const rig = opened()
    rig.write('gicc', 0, 3 | (1 << 9))
    rig.read('gicc', 0xc)
    expect(closedAfterPending(rig).remedy).toBe(
      'Write 0x2a to GICC_EOIR on CPU 0, then write 0x2a to GICC_DIR on CPU 0 when its handler is done (GICC_CTLR.EOImode is set).',
    )
    rig.write('gicc', 0x10, SPI)
    expect(closed(rig).says).toBe('it is still active: CPU 0 dropped its priority and has not deactivated it.')
    expect(closed(rig).remedy).toBe('Write 0x2a to GICC_DIR on CPU 0 (GICC_CTLR.EOImode is set).')
    rig.write('gicc', 0x1000, SPI)
    expect(rig.gic.explain(SPI, 0).deliverable).toBe(true)
  })

  it('an active SGI is ended with its source in the value (IHI 0048 4.4.5)', () => {
    const rig = opened()
    for (const sender of [1, 1]) {
      rig.write('gicd', 0xf00, 0x1_0005, sender)
      rig.read('gicc', 0xc)
    }
    expect(closed(rig, 5).remedy).toBe('Write 0x405 to GICC_EOIR on CPU 0 when its handler is done.')
  })

  it('it was made active by a write, and no CPU runs it', () => {
    const rig = opened()
    rig.write('gicd', 0x304, bit)
    expect(closed(rig).remedy).toBe('Write 0x400 to GICD_ICACTIVER1.')
    expect(closed(rig).says).toContain('no CPU runs it')
  })

  it('its level dropped before it was acknowledged (IHI 0048 3.2.4)', () => {
    const rig = opened()
    rig.write('gicd', 0xc08, 0)
    rig.write('gicd', 0x284, bit)
    rig.gic.setSpi(SPI, true)
    expect(rig.gic.explain(SPI, 0).deliverable).toBe(true)
    rig.gic.setSpi(SPI, false)
    expect(closed(rig)).toMatchObject({ register: 'GICD_ISPENDR1', field: 'Set_pending_bit[10]', value: 0 })
    expect(closed(rig).says).toContain('its line dropped before any CPU acknowledged it')
    expect(closed(rig).remedy).toContain('Keep the line high')
  })

  it('but not of one that was acknowledged and was active when its level dropped', () => {
    const rig = opened()
    rig.write('gicd', 0xc08, 0)
    rig.write('gicd', 0x284, bit)
    rig.gic.setSpi(SPI, true)
    rig.write('gicc', 0x10, rig.read('gicc', 0xc))
    rig.write('gicd', 0x304, bit)
    rig.gic.setSpi(SPI, false)
    rig.write('gicd', 0x384, bit)
    expect(closed(rig).says).toBe('its line is low.')
  })

  it('its edge has been taken, and the line only stays high (IHI 0048 3.2.4)', () => {
    const rig = opened()
    rig.gic.setSpi(SPI, true)
    rig.read('gicc', 0xc)
    rig.write('gicc', 0x10, SPI)
    expect(closed(rig)).toMatchObject({ register: 'GICD_ISPENDR1', value: 0 })
    expect(closed(rig).says).toContain('its line is high, but that edge has been taken already')
    expect(closed(rig).remedy).toContain('Lower and raise the line again')
  })

  it('nothing has happened on its line yet, by its trigger', () => {
    const rig = new Rig(new GicV2({ intids: 64 }))
    expect(closed(rig, 40)).toMatchObject({
      says: 'its line is low.',
      remedy: 'Raise its line, or write GICD_ISPENDR.',
    })
    rig.write('gicd', 0xc08, 2 << 16)
    expect(closed(rig, 40).says).toBe('no edge has arrived on its line.')
    expect(closed(rig, 3)).toMatchObject({ says: 'no CPU has sent it.', remedy: 'Send it with GICD_SGIR.' })
  })

  it('it is active on another CPU: that one ends it, and no other interrupt of this CPU (IHI 0048 3.2.4)', () => {
    const rig = opened()
    rig.write('gicd', 0x800 + SPI, 2, 0, true, 1)
    expect(rig.read('gicc', 0xc, 1)).toBe(SPI)
    rig.write('gicd', 0x800 + SPI, 1, 0, true, 1)
    rig.write('gicd', 0x204, bit)
    expect(closed(rig)).toMatchObject({
      says: 'it is still active: CPU 1 acknowledged it and has not ended it.',
      remedy: 'Write 0x2a to GICC_EOIR on CPU 1 when its handler is done.',
      actions: [{ do: 'write', frame: 'GICC', register: 'GICC_EOIR', value: SPI, cpu: 1 }],
    })
  })

  it('one that preempted it ends first: a drop takes the best active priority of the group (IHI 0048 4.4.5)', () => {
    const rig = opened()
    expect(rig.read('gicc', 0xc)).toBe(SPI)
    rig.write('gicd', 0xf00, 0x1_0000)
    expect(rig.read('gicc', 0xc)).toBe(0)
    rig.write('gicd', 0x204, bit)
    const report = rig.gic.explain(SPI, 0).gates.find(({ gate }) => gate === 'not active')!
    expect(report.remedy).toBe(
      '1 that preempted it on CPU 0 end first. Write 0x0 to GICC_EOIR on CPU 0, then write 0x2a to GICC_EOIR on CPU 0 when its handler is done.',
    )
  })

  it('a mask in the Secure half is not for Non-secure software to open (IHI 0048 3.8.1)', () => {
    const rig = opened({ security: true })
    rig.write('gicd', 0x84, bit, 0, true)
    rig.write('gicc', 4, 0x40, 0, true)
    expect(closed(rig)).toMatchObject({ gate: 'priority mask', actions: [{ register: 'GICC_PMR', secure: true }] })
    expect(closed(rig).remedy).toContain('by a Secure access')
    rig.write('gicc', 4, 0x80, 0, true)
    expect(closed(rig).actions).toMatchObject([{ register: 'GICC_PMR', secure: false }])
    expect(closed(rig).says).toBe(
      'its priority is 0xa0 (0x40 to Non-secure software), and the mask lets values below 0x80 pass only.',
    )
  })

  it('whether another is ahead of it is not decided while it is not even enabled', () => {
    const rig = opened()
    rig.write('gicd', 0xf00, 0x1_0000)
    rig.write('gicd', 0x184, bit)
    const { gates, mend, summary } = rig.gic.explain(SPI, 0)
    expect(gates.at(-1)).toMatchObject({
      gate: 'best pending',
      open: false,
      state: 'depends',
      waitsFor: ['enabled'],
      remedy: undefined,
      says: 'not decided before these are open: enabled.',
    })
    expect(mend.map(({ gate }) => gate)).toEqual(['enabled'])
    expect(summary).toBe(
      'SPI 42 is not signalled to CPU 0: it is not enabled in the Distributor. Write 0x400 to GICD_ISENABLER1.',
    )
  })

  it('what software set up is mended before a line that is merely low, and the summary says how many more are closed', () => {
    const rig = new Rig(new GicV2({ intids: 64 }))
    const { closed: first, mend, summary } = rig.gic.explain(40, 0)
    expect(first?.gate).toBe('pending')
    expect(mend.map(({ gate }) => gate)).toEqual([
      'enabled',
      'group enabled in the Distributor',
      'group enabled in the CPU interface',
      'priority mask',
      'pending',
    ])
    expect(summary).toContain('it is not enabled in the Distributor. Write 0x100 to GICD_ISENABLER1. 4 more gates')
  })

  it('another one is ahead of it', () => {
    const rig = opened()
    rig.write('gicd', 0xf00, 0x1_0000)
    expect(closed(rig)).toMatchObject({ register: 'GICC_HPPIR', field: 'Interrupt_ID', value: 0 })
    expect(closed(rig).says).toBe(
      "SGI 0 of priority 0x0 (this one's is 0xa0, and lower values come first) is ahead of it.",
    )
  })

  it('it does not exist (GICD_TYPER, IHI 0048 4.3.2)', () => {
    for (const [intid, says] of [
      [64, /^this GIC has INTIDs 0 to 63 only\.$/],
      [1019, /^this GIC has INTIDs 0 to 63 only\.$/],
      [1020, /are no interrupts/],
      [1023, /are no interrupts/],
      [1024, /only, and no GICv2 has one above 1019\.$/],
      [2 ** 40, /only, and no GICv2 has one above 1019\.$/],
      ...[-1, 5.5, Number.NaN].map((intid) => [intid, /is a whole number/] as const),
    ] as const) {
      const explanation = opened().gic.explain(intid, 0)
      expect(explanation.closed).toMatchObject({ register: 'GICD_TYPER', field: 'ITLinesNumber', value: 1 })
      expect(explanation.closed!.says).toMatch(says)
      expect(explanation.gates).toHaveLength(1)
    }
  })

  it('and refuses to speak of a CPU that does not exist', () => {
    expect(() => opened().gic.explain(SPI, 2)).toThrow('CPU 2: this GIC has CPUs 0 to 1')
  })

  it('on lines of text, a gate a line', () => {
    const rig = opened()
    rig.write('gicc', 4, 0)
    const lines = formatExplanation(rig.gic.explain(SPI, 0))
    expect(lines).toHaveLength(11)
    expect(lines.filter((line) => line.includes('CLOSED'))).toEqual([
      '  CLOSED priority mask                       GICC_PMR.Priority = 0x0: the mask is 0, which lets no priority pass, as it is after reset.',
    ])
  })
})

describe('Of an SGI that is not pending, explain says what was sent to whom (GICD_SGIR, IHI 0048 4.3.15)', () => {
  const says = (rig: Rig, cpu: number) => rig.gic.explain(5, cpu).gates.find(({ gate }) => gate === 'pending')!.says

  it('sent to others, to nobody, to itself, or to all but the sender', () => {
    const rig = opened()
    expect(says(rig, 0)).toBe('no CPU has sent it.')
    rig.write('gicd', 0xf00, 0x1_0005, 1)
    expect(says(rig, 1)).toBe('it was not sent here: CPU 1 wrote 0x10005 to GICD_SGIR, which asks for CPU 0.')
    rig.write('gicd', 0xf00, 0xf0_0005, 1)
    expect(says(rig, 1)).toContain('CPU 1 wrote 0xf00005 to GICD_SGIR, which asks for no CPU that there is.')
    rig.write('gicd', 0xf00, 0x100_0005, 1)
    expect(says(rig, 1)).toContain('asks for all CPUs but itself.')
    rig.write('gicd', 0xf00, 0x200_0005, 0)
    expect(says(rig, 1)).toContain('all CPUs but itself.')
  })

  it('sent and taken since', () => {
    const rig = opened()
    rig.write('gicd', 0xf00, 0x1_0005, 1)
    expect(rig.read('gicc', 0xc)).toBe(0x405)
    expect(says(rig, 0)).toBe(
      'it is not pending any more since it was sent: CPU 1 wrote 0x10005 to GICD_SGIR, which asks for CPU 0.',
    )
  })

  it('sent, and not let through to the group that it has there', () => {
    const rig = opened({ security: true })
    rig.write('gicd', 0xf00, 0x1_0005, 1, false)
    expect(says(rig, 0)).toBe(
      'it was sent and not let through: CPU 1 wrote 0x10005 to GICD_SGIR, which asks for CPU 0, but it is in Group 0 on CPU 0, and GICD_NSACR0 does not grant it to Non-secure software.',
    )
    rig.write('gicd', 0xf00, 0x1_8005, 1, true)
    expect(says(rig, 0)).toContain('it is in Group 0 on CPU 0, and NSATT asks for Group 1.')
  })

  it('a reset forgets', () => {
    const rig = opened()
    rig.write('gicd', 0xf00, 0x1_0005, 1)
    rig.gic.reset()
    expect(says(rig, 0)).toBe('no CPU has sent it.')
  })
})

describe('whyNothing says why an acknowledge gives no interrupt', () => {
  it('1023: nothing is pending', () => {
    expect(new GicV2().whyNothing(0)).toBe('1023: nothing is pending for this CPU.')
  })

  it('1023: what is pending is held back by a gate, told of the one that got furthest', () => {
    const rig = opened()
    rig.gic.setSpi(50, true)
    rig.write('gicc', 4, 0)
    expect(rig.gic.whyNothing(0)).toContain('1023: SPI 42 is not signalled to CPU 0: the mask is 0')
  })

  it('1023: a Non-secure read may not see Group 0 (IHI 0048 3.2.5)', () => {
    const rig = opened({ security: true })
    expect(rig.read('gicc', 0xc, 0, false)).toBe(1023)
    expect(rig.gic.whyNothing(0, 'non-secure')).toContain('SPI 42 is signalled, but it is in Group 0')
    expect(rig.gic.whyNothing(0, 'secure')).toBeUndefined()
  })

  it('1022: a Secure read with AckCtl 0 may not take Group 1 (IHI 0048 3.2.5)', () => {
    const rig = opened()
    rig.write('gicd', 0x84, bit)
    expect(rig.read('gicc', 0xc)).toBe(1022)
    expect(rig.gic.whyNothing(0)).toBe(
      '1022: SPI 42 is signalled, but it is in Group 1: read GICC_AIAR, or set GICC_CTLR.AckCtl.',
    )
    expect(rig.read('gicc', 0x20)).toBe(SPI)
  })
})

function closedAfterPending(rig: Rig): GateReport {
  rig.write('gicd', 0x204, bit)
  return closed(rig)
}
