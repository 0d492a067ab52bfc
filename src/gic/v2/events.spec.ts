/** The event stream of a GICv2: each kind, each misuse, and that nothing is built when nobody listens. */

import { describe, expect, it } from 'vitest'
import { misuseMessages } from '../events.ts'
import { type GicEvent, GicV2, type GicV2Config, type MisuseCode } from '../index.ts'
import { Rig } from '../testing/rig-v2.ts'

const CPU1 = 1

/** A GIC that lets everything through, and the events since. */
function listening(config: GicV2Config = {}): {
  rig: Rig
  events: GicEvent[]
  of: (kind: GicEvent['kind']) => GicEvent[]
} {
  const rig = new Rig(new GicV2({ cpus: 2, intids: 64, ...config }))
  rig.write('gicd', 0x000, 3, 0, true)
  for (const cpu of [0, 1]) {
    rig.write('gicc', 0x00, 3, cpu, true)
    rig.write('gicc', 0x04, 0xff, cpu, true)
  }
  rig.write('gicd', 0x104, 0xffff_ffff, 0, true)
  for (let at = 0x820; at < 0x840; at += 4) rig.write('gicd', at, 0x0101_0101, 0, true)
  const events: GicEvent[] = []
  rig.gic.listen((event) => events.push(event))
  return { rig, events, of: (kind) => events.filter((event) => event.kind === kind) }
}

describe('The event stream of a GICv2', () => {
  it('tells every access: register, offset, width, direction, value, CPU, security state, outcome', () => {
    const { rig, of } = listening({ security: true })
    rig.write('gicd', 0x40a, 0xa5, CPU1, true, 1)
    rig.read('gicc', 0x14, 0, false)
    rig.read('gicc', 0xe0, 0, false)
    expect(of('access')).toEqual([
      {
        kind: 'access',
        frame: 'GICD',
        register: 'GICD_IPRIORITYR2',
        offset: 0x40a,
        size: 1,
        write: true,
        low: 0xa5,
        high: 0,
        cpu: 1,
        secure: true,
        outcome: 'ok',
      },
      expect.objectContaining({ register: 'GICC_RPR', write: false, low: 0xff, secure: false, outcome: 'ok' }),
      expect.objectContaining({ register: 'GICC_NSAPR0', low: 0, outcome: 'denied' }),
    ])
  })

  it('tells the changes of state that a write makes, bit by bit, and none where nothing changes', () => {
    const { rig, of } = listening()
    rig.write('gicd', 0x184, 0x9)
    rig.write('gicd', 0x184, 0x9)
    rig.write('gicd', 0x400, 0x80, CPU1, false, 1)
    rig.write('gicd', 0x400, 0x80, CPU1, false, 1)
    rig.write('gicd', 0x84, 1)
    rig.write('gicd', 0x821, 2, 0, false, 1)
    rig.write('gicd', 0xc08, 2)
    rig.write('gicd', 0x304, 4)
    expect(of('state')).toEqual([
      { kind: 'state', intid: 32, cpu: -1, state: 'enabled', value: 0 },
      { kind: 'state', intid: 35, cpu: -1, state: 'enabled', value: 0 },
      { kind: 'state', intid: 0, cpu: 1, state: 'priority', value: 0x80 },
      { kind: 'state', intid: 32, cpu: -1, state: 'group', value: 1 },
      { kind: 'state', intid: 33, cpu: -1, state: 'target', value: 2 },
      { kind: 'state', intid: 32, cpu: -1, state: 'config', value: 1 },
      { kind: 'state', intid: 34, cpu: -1, state: 'active', value: 1 },
    ])
  })

  it('tells the life of a level-sensitive interrupt from wire to deactivation', () => {
    const { rig, events } = listening()
    rig.gic.setSpi(40, true)
    rig.read('gicc', 0x0c)
    rig.gic.setSpi(40, false)
    rig.write('gicc', 0x10, 40)
    expect(events.filter(({ kind }) => kind !== 'access')).toEqual([
      { kind: 'state', intid: 40, cpu: -1, state: 'line', value: 1 },
      { kind: 'state', intid: 40, cpu: -1, state: 'pending', value: 1 },
      { kind: 'signal', cpu: 0, line: 'irq', level: true },
      { kind: 'state', intid: 40, cpu: -1, state: 'active', value: 1 },
      { kind: 'state', intid: 40, cpu: -1, state: 'pending', value: 1 },
      { kind: 'acknowledge', cpu: 0, intid: 40, source: 0, register: 'GICC_IAR', reason: undefined },
      { kind: 'signal', cpu: 0, line: 'irq', level: false },
      { kind: 'state', intid: 40, cpu: -1, state: 'line', value: 0 },
      { kind: 'state', intid: 40, cpu: -1, state: 'pending', value: 0 },
      { kind: 'priority-drop', cpu: 0, intid: 40 },
      { kind: 'state', intid: 40, cpu: -1, state: 'active', value: 0 },
      { kind: 'deactivate', cpu: 0, intid: 40 },
    ])
  })

  it('tells priority drop and deactivation apart with EOImode 1 (IHI 0048 3.2.1)', () => {
    const { rig, events, of } = listening()
    rig.write('gicc', 0, 0x203)
    rig.gic.pulseSpi(40)
    rig.gic.setSpi(40, true)
    rig.read('gicc', 0x0c)
    rig.write('gicc', 0x10, 40)
    expect(of('priority-drop')).toHaveLength(1)
    expect(of('deactivate')).toHaveLength(0)
    rig.write('gicc', 0x1000, 40)
    expect(of('deactivate')).toEqual([{ kind: 'deactivate', cpu: 0, intid: 40 }])
    expect(events.length).toBeGreaterThan(5)
  })

  it('tells the source of an SGI, and why a read gave 1023', () => {
    const { rig, of } = listening()
    rig.write('gicd', 0xf00, 0x1_0007, CPU1)
    rig.read('gicc', 0x0c)
    rig.read('gicc', 0x0c)
    expect(of('acknowledge')).toEqual([
      { kind: 'acknowledge', cpu: 0, intid: 7, source: 1, register: 'GICC_IAR', reason: undefined },
      {
        kind: 'acknowledge',
        cpu: 0,
        intid: 1023,
        source: 0,
        register: 'GICC_IAR',
        reason: '1023: nothing is pending for this CPU.',
      },
    ])
  })

  it('signals on FIQ for Group 0 with FIQEn (IHI 0048 4.4.1)', () => {
    const { rig, of } = listening()
    rig.write('gicc', 0, 0xb)
    rig.gic.setSpi(40, true)
    expect(of('signal')).toEqual([{ kind: 'signal', cpu: 0, line: 'fiq', level: true }])
  })
})

/** A way to each misuse; those of a register carry INTID -1. */
const misuses: Record<
  Exclude<MisuseCode, `its-${string}` | `message-${string}`>,
  { do: (rig: Rig) => void; intid: number; cpu?: number; config?: GicV2Config; says?: string }
> = {
  'eoi-without-acknowledge': { do: (rig) => rig.write('gicc', 0x10, 40), intid: 40 },
  'eoi-of-another': {
    do: (rig) => {
      rig.gic.setSpi(40, true)
      rig.read('gicc', 0x0c)
      rig.write('gicc', 0x10, 41)
    },
    intid: 41,
    says: 'end of interrupt 41, which is not the one acknowledged last and still running: INTID 40 runs, which 0x28 ends',
  },
  // The CPUID of an SGI's end is that of its acknowledge (IHI 0048 4.4.5).
  'eoi-wrong-source': {
    do: (rig) => {
      rig.write('gicd', 0xf00, 0x1_0007, CPU1)
      rig.read('gicc', 0x0c)
      rig.write('gicc', 0x10, 7)
    },
    intid: 7,
    says: 'end of SGI 7 as from CPU 0, which is not who sent it: CPU 1 sent the one that is active, which 0x407 ends',
  },
  'deactivate-wrong-source': {
    do: (rig) => {
      rig.write('gicc', 0, 0x203)
      rig.write('gicd', 0xf00, 0x1_0007, CPU1)
      rig.write('gicc', 0x10, rig.read('gicc', 0x0c))
      rig.write('gicc', 0x1000, 0x807)
    },
    intid: 7,
    says: 'deactivation of SGI 7 as from CPU 2, which is not who sent it: CPU 1 sent the one that is active, which 0x407 ends',
  },
  'eoi-other-group': { do: () => {}, intid: -1 },
  'lpi-tables-in-use': { do: () => {}, intid: -1 },
  'eoi-hidden-group': {
    config: { security: true },
    do: (rig) => rig.write('gicc', 0x10, 40, 0, false),
    intid: 40,
  },
  'eoi-invalid-intid': { do: (rig) => rig.write('gicc', 0x10, 64), intid: 64 },
  'deactivate-without-split': { do: (rig) => rig.write('gicc', 0x1000, 40), intid: 40 },
  'deactivate-not-active': {
    do: (rig) => {
      rig.write('gicc', 0, 0x203)
      rig.write('gicc', 0x1000, 40)
    },
    intid: 40,
  },
  'deactivate-hidden-group': {
    config: { security: true },
    do: (rig) => {
      rig.write('gicc', 0, 0x201, 0, false)
      rig.write('gicc', 0x1000, 40, 0, false)
    },
    intid: 40,
  },
  'config-while-enabled': { do: (rig) => rig.write('gicd', 0xc08, 2 << 16, CPU1), intid: 40, cpu: 1 },
  'sgi-reserved-filter': {
    do: (rig) => rig.write('gicd', 0xf00, 0x3ff_0003),
    intid: 3,
    says: 'SGI 3 with the reserved target list filter 0b11: ignored: CPU 0 wrote 0x3ff0003 to GICD_SGIR, which asks for nobody (the filter is reserved)',
  },
  'sgi-no-target': {
    do: (rig) => rig.write('gicd', 0xf00, 0xfc_0003, CPU1),
    intid: 3,
    cpu: 1,
    says: 'SGI 3 reaches no CPU: CPU 1 wrote 0xfc0003 to GICD_SGIR, which asks for no CPU that there is',
  },
  'reserved-register': {
    do: (rig) => void rig.read('gicd', 0x00c),
    intid: -1,
    says: 'access to GICD offset 0xc, where no register is: a 4-byte read',
  },
  'bad-access': {
    do: (rig) => void rig.read('gicd', 0x100, 0, false, 1),
    intid: -1,
    says: 'access to GICD_ISENABLER0 that it does not allow: a 1-byte read, and it takes 4 bytes',
  },
  'not-modelled': { do: () => {}, intid: -1 },
}

describe('Misuse is told with its code, CPU and INTID', () => {
  for (const [name, misuse] of Object.entries(misuses)) {
    const code = name as MisuseCode
    // GICv2 has no LPIs, its groups do not part its end of interrupt registers, and all of its registers are modelled.
    if (['not-modelled', 'eoi-other-group', 'lpi-tables-in-use'].includes(code)) continue
    it(code, () => {
      const { rig, of } = listening(misuse.config)
      misuse.do(rig)
      const told = of('misuse')
      expect(told).toHaveLength(1)
      expect(told[0]).toMatchObject({ code, intid: misuse.intid, cpu: misuse.cpu ?? 0 })
      expect(told[0]).toMatchObject({ message: misuse.says ?? misuseMessages[code](String(misuse.intid)) })
    })
  }

  it("not-modelled has no case yet: every row of a GICv2's tables is modelled", () => {
    const { gicd, gicc } = new GicV2().frames
    expect([...gicd.table.rows, ...gicc.table.rows].filter(({ modelling }) => modelling === 'not-modelled')).toEqual([])
  })

  it('and an ordinary acknowledge and end is none', () => {
    const { rig, of } = listening()
    rig.gic.setSpi(40, true)
    rig.write('gicd', 0xf00, 0x1_0007, CPU1)
    const first = rig.read('gicc', 0x0c)
    rig.write('gicc', 0x10, first)
    rig.write('gicc', 0x10, rig.read('gicc', 0x0c))
    rig.write('gicc', 0x10, 1023)
    expect(first & 0x3ff).toBe(7)
    expect(of('misuse')).toEqual([])
  })
})

describe('Listeners', () => {
  it('without accesses hear no access, even while another one does, but misuse of a register', () => {
    const { rig, events } = listening()
    const heard: GicEvent[] = []
    rig.gic.listen((event) => heard.push(event), { accesses: false })
    rig.read('gicd', 0x00c)
    expect(heard.map(({ kind }) => kind)).toEqual(['misuse'])
    expect(events.map(({ kind }) => kind)).toEqual(['access', 'misuse'])
  })

  it('are taken off one by one, also when one function listens twice', () => {
    const gic = new GicV2()
    let heard = 0
    const hear = () => {
      heard++
    }
    const stops = [gic.listen(hear), gic.listen(hear)]
    gic.setSpi(40, true)
    expect(heard).toBe(4)
    stops[0]!()
    stops[0]!()
    gic.setSpi(40, false)
    expect(heard).toBe(6)
    stops[1]!()
    gic.setSpi(40, true)
    expect(heard).toBe(6)
  })

  it('cost nothing when there are none: no event is built, no frame is observed', () => {
    const rig = new Rig(new GicV2({ cpus: 2 }))
    const { gic } = rig
    gic.events.emit = () => expect.fail('an event was built')
    const stop = gic.listen(() => {})
    stop()
    expect([gic.frames.gicd.observer, gic.frames.gicc.observer]).toEqual([undefined, undefined])
    for (const misuse of Object.values(misuses)) misuse.do(rig)
  })
})

describe('The output callback', () => {
  it('is called when a wire changes, and only then', () => {
    const { rig } = listening()
    const calls: [number, string, boolean][] = []
    rig.gic.onOutput = (...call) => calls.push(call)
    rig.gic.setSpi(40, true)
    rig.gic.setSpi(41, true)
    rig.gic.setSpi(41, true)
    rig.read('gicd', 0x204)
    expect(calls).toEqual([[0, 'irq', true]])
    rig.read('gicc', 0x0c)
    expect(calls).toEqual([
      [0, 'irq', true],
      [0, 'irq', false],
    ])
  })
})
