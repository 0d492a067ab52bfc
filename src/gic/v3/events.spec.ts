/** What a GICv3 tells: one stream of accesses, changes, signals, acknowledges and misuse, and nothing to nobody. */

import { describe, expect, it } from 'vitest'
import type { GicEvent } from '../index.ts'
import { gicOf, RigV3 } from '../testing/rig-v3.ts'
import { CONFIGURATION_TABLE, pendingTableOf, stepsOf } from '../testing/steps-v3.ts'

/** One PE, awake, everything open for Group 1, SPI 42 enabled in it. */
function opened(): { rig: RigV3; heard: GicEvent[] } {
  const rig = new RigV3(
    gicOf({ cpus: 2, intids: 64, lpis: { intidBits: 14 }, directLpis: true, statusRegisters: true }),
  )
  rig.write('gicd', 0, 3)
  rig.write('gicd', 0x84, 1 << 10)
  rig.write('gicd', 0x104, 1 << 10)
  rig.write(0, 0x14, 0)
  rig.write(0, 0x10080, -1)
  rig.write(0, 0x10100, -1)
  rig.msr(0, 'ICC_PMR_EL1', 0xff)
  rig.msr(0, 'ICC_IGRPEN1_EL1', 1)
  const heard: GicEvent[] = []
  rig.gic.listen((event) => heard.push(event), { accesses: false })
  return { rig, heard }
}

const short = (event: GicEvent): string => {
  if (event.kind === 'state') return `${event.intid} ${event.state} ${event.value}`
  if (event.kind === 'signal') return `${event.line} ${event.level}`
  if (event.kind === 'acknowledge') return `${event.register} ${event.intid}`
  if (event.kind === 'misuse') return event.code
  return `${event.kind} ${'intid' in event ? event.intid : ''}`
}

describe('The events of a GICv3', () => {
  it('tell the life of an SPI from wire to deactivation', () => {
    const { rig, heard } = opened()
    rig.gic.setSpi(42, true)
    rig.mrs(0, 'ICC_IAR1_EL1')
    rig.gic.setSpi(42, false)
    rig.msr(0, 'ICC_EOIR1_EL1', 42)
    expect(heard.map(short)).toEqual([
      '42 line 1',
      '42 pending 1',
      'irq true',
      '42 active 1',
      '42 pending 1',
      'ICC_IAR1_EL1 42',
      'irq false',
      '42 line 0',
      '42 pending 0',
      'priority-drop 42',
      '42 active 0',
      'deactivate 42',
    ])
  })

  it('tell an LPI that is taken and ended, which has no active state', () => {
    const { rig, heard } = opened()
    rig.memory[CONFIGURATION_TABLE] = 1
    rig.write(0, 0x70, CONFIGURATION_TABLE + 13)
    rig.write(0, 0x78, pendingTableOf(0), false, 8)
    rig.write(0, 0, 1)
    rig.write(0, 0x40, 8192)
    rig.mrs(0, 'ICC_IAR1_EL1')
    rig.msr(0, 'ICC_EOIR1_EL1', 8192)
    expect(heard.map(short).filter((text) => !text.includes('pending'))).toEqual([
      'irq true',
      'ICC_IAR1_EL1 8192',
      'irq false',
      'priority-drop 8192',
    ])
  })

  it.each<[string, (rig: RigV3) => void]>([
    ['eoi-without-acknowledge', (rig) => rig.msr(0, 'ICC_EOIR1_EL1', 42)],
    ['eoi-invalid-intid', (rig) => rig.msr(0, 'ICC_EOIR1_EL1', 700)],
    ['deactivate-without-split', (rig) => rig.msr(0, 'ICC_DIR_EL1', 42)],
    ['sgi-no-target', (rig) => rig.msr(0, 'ICC_SGI1R_EL1', 0x10_0001)],
    ['reserved-register', (rig) => rig.read(0, 0x30)],
    ['bad-access', (rig) => rig.write('gicd', 4, 1)],
    ['bad-access', (rig) => rig.read('gicd', 0, false, 8)],
    [
      'eoi-of-another',
      (rig) => {
        rig.gic.setSpi(42, true)
        rig.mrs(0, 'ICC_IAR1_EL1')
        rig.msr(0, 'ICC_EOIR1_EL1', 3)
      },
    ],
    [
      'eoi-other-group',
      (rig) => {
        rig.gic.setSpi(42, true)
        rig.mrs(0, 'ICC_IAR1_EL1')
        rig.msr(0, 'ICC_EOIR0_EL1', 42)
      },
    ],
    [
      'deactivate-not-active',
      (rig) => {
        rig.msr(0, 'ICC_CTLR_EL1', 2)
        rig.msr(0, 'ICC_DIR_EL1', 42)
      },
    ],
    ['config-while-enabled', (rig) => rig.write('gicd', 0xc08, 2 << 20)],
    ['message-no-target', (rig) => rig.write('gicd', 0x40, 700)],
  ])('name misuse: %s', (code, act) => {
    const { rig, heard } = opened()
    act(rig)
    const misuse = heard.filter((event) => event.kind === 'misuse')
    expect(misuse.map((event) => event.code)).toEqual([code])
    expect(misuse[0]!.message.length).toBeGreaterThan(20)
  })

  it('name a message that the Security state of its SPI keeps out (GICD_SETSPI_NSR, GICD_NSACR<n>)', () => {
    const rig = new RigV3(gicOf({ intids: 64, security: true }))
    const said: string[] = []
    rig.gic.listen((event) => {
      if (event.kind === 'misuse') said.push(event.message)
    })
    rig.write('gicd', 0x40, 42)
    expect(said).toEqual(['Non-secure message for SPI 42, which is Secure, and GICD_NSACR does not grant it: ignored'])
    rig.write('gicd', 0xe08, 1 << 20, true)
    rig.write('gicd', 0x40, 42)
    rig.write('gicd', 0x50, 42, true)
    expect(said).toHaveLength(1)
  })

  it('say what was asked for, and what would have been right', () => {
    const { rig, heard } = opened()
    const said = (act: () => void) => {
      heard.length = 0
      act()
      return heard.flatMap((event) => (event.kind === 'misuse' ? [event.message] : []))
    }
    expect(said(() => rig.msr(0, 'ICC_SGI1R_EL1', 0x310_0021))).toEqual([
      'SGI 3 reaches no CPU: PE 0 wrote 0x3100021 to ICC_SGI1R_EL1, which asks for 0.0.16.0, which no PE has; 0.0.16.5, which no PE has',
    ])
    rig.gic.setSpi(42, true)
    rig.mrs(0, 'ICC_IAR1_EL1')
    expect(said(() => rig.msr(0, 'ICC_EOIR0_EL1', 42))).toEqual([
      'end of interrupt 42 by ICC_EOIR0_EL1, but what runs is of another group or Security state: ignored: INTID 42 runs, which 0x2a to ICC_EOIR1_EL1 ends',
    ])
    expect(said(() => rig.write('gicd', 4, 7))).toEqual([
      'access to GICD_TYPER that it does not allow: a 4-byte write of 0x7, and it is read-only',
    ])
  })

  it('do not change what a GIC does, and stop with the last listener', () => {
    const config = { cpus: 3, intids: 96, security: true, nmi: true }
    const one = new RigV3(gicOf(config))
    const other = new RigV3(gicOf(config))
    let told = 0
    const stop = other.gic.listen(() => told++)
    const full = {
      ...one.gic.config,
      affinities: [0, 1, 2],
    }
    for (const step of stepsOf(77, full, 1500)) expect(other.take(step)).toEqual(one.take(step))
    expect(other.gic.snapshot()).toEqual(one.gic.snapshot())
    expect(told).toBeGreaterThan(1500)
    stop()
    told = 0
    for (const step of stepsOf(78, full, 100)) other.take(step)
    expect(told).toBe(0)
    expect(other.gic.events.active).toBe(false)
  })
})
