/**
 * That the agent, its host and QEMU really do what a conformance target must: every CPU, width, wire, view and fault.
 * Not a test of anybody's GIC: what is expected here is what any GIC of the architecture does.
 */

import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import type { Step, TargetConfig } from '../target.ts'
import { GUEST_MEMORY_BASE } from './protocol.ts'
import { answers, at, lines, mrs, msr, ppi, read, secure, spi, write } from './steps.ts'
import { QemuTarget } from './target.ts'
import { FAST_PPIS, fastSpis } from './wires.ts'

const v2: TargetConfig = { version: 2, cpus: 4, security: false, its: false }
const v3: TargetConfig = { version: 3, cpus: 4, security: false, its: false }

const open: QemuTarget[] = []
async function start(config: TargetConfig): Promise<QemuTarget> {
  const target = await QemuTarget.start(config)
  open.push(target)
  return target
}
const ask = async (target: QemuTarget, steps: readonly Step[]): Promise<(number | string)[]> =>
  answers(steps, await target.run(steps))
afterEach(async () => {
  for (const target of open.splice(0)) await target.close()
})

const cpus = (n: number): number[] => Array.from({ length: n }, (_, cpu) => cpu)
const enableAll = (config: TargetConfig): Step[] => [
  write(0, 'gicd', 0x000, 1),
  ...cpus(config.cpus).flatMap((cpu) => [write(cpu, 'gicc', 0x004, 0xff), write(cpu, 'gicc', 0x000, 1)]),
]

describe('GICv2 without Security Extensions', () => {
  it.each([1, 4, 8])(
    'runs on %i CPUs, each of which reads its own mask in GICD_ITARGETSR0 (IHI 0048 4.3.12)',
    async (n) => {
      const target = await start({ ...v2, cpus: n })
      const own = n === 1 ? [0] : cpus(n).map((cpu) => 1 << cpu)
      expect(
        await ask(
          target,
          cpus(n).map((cpu) => read(cpu, 'gicd', 0x800, 1)),
        ),
      ).toEqual(own)
      expect(await ask(target, [read(n - 1, 'gicd', 0x004)])).toEqual([((n - 1) << 5) | 8])
    },
  )

  it('reads and writes 8, 16 and 32 bits, and reports an access that reaches nothing as an abort', async () => {
    const target = await start(v2)
    expect(
      await ask(target, [
        write(1, 'gicd', 0x420, 0x44332211),
        read(2, 'gicd', 0x420),
        read(2, 'gicd', 0x421, 1),
        read(3, 'gicd', 0x422, 2),
        read(0, 'gicd', 0x420, 8),
        write(0, 'gicd', 0x421, 0xee, 1),
        read(1, 'gicd', 0x420),
        read(3, 'gicd', 0x1000),
        write(3, 'gicc', 0x2000, 1),
        read(0, 'gicd', 0x420),
      ]),
    ).toEqual([0x44332211, 0x22, 0x4433, 0x44332211, 0x4433ee11, 'abort', 'abort', 0x4433ee11])
  })

  it.each([
    ['one Security state', v2],
    ['two', { ...v2, security: true }],
  ])('drives every SPI wire from 32 to 287, one at a time and up and down (%s)', async (_, config) => {
    const target = await start(config)
    for (const level of [1, 0] as const) {
      const steps = Array.from({ length: 256 }, (_, n) => n + 32).flatMap((intid) => [
        spi(intid, level),
        secure(read(0, 'gicd', 0x200 + 4 * (intid >> 5))),
      ])
      const words = Array.from({ length: 256 }, (_, n) =>
        level === 1 ? 2 ** ((n % 32) + 1) - 1 : 2 ** 32 - 2 ** ((n % 32) + 1),
      )
      expect(await ask(target, steps)).toEqual(words)
    }
  })

  it('drives every PPI wire of each CPU, and no other CPU sees it', async () => {
    const target = await start(v2)
    for (let intid = 16; intid < 32; intid++) {
      for (const cpu of [0, 3]) {
        const steps = [
          ppi(intid, cpu, 1),
          ...cpus(4).map((n) => read(n, 'gicd', 0x200)),
          ppi(intid, cpu, 0),
          read(cpu, 'gicd', 0x200),
        ]
        expect(await ask(target, steps)).toEqual([...cpus(4).map((n) => (n === cpu ? 2 ** intid : 0)), 0])
      }
    }
  })

  it('keeps the order of input changes and accesses in one batch, by whichever means a wire is driven', async () => {
    const target = await start(v2)
    const wires = [...fastSpis(v2), 40, 63, 61, 60].filter((intid) => intid < 64)
    const steps: Step[] = []
    const expected: number[] = []
    let pending = 0
    for (let n = 0; n < 2000; n++) {
      const intid = wires[(n * 7 + (n >> 3)) % wires.length]!
      const level = ((n >> 2) & 1) as 0 | 1
      const bit = 2 ** (intid - 32)
      pending = level === 1 ? (pending | bit) >>> 0 : (pending & ~bit) >>> 0
      steps.push(spi(intid, level), read(n & 3, 'gicd', 0x204))
      expected.push(pending)
    }
    expect(await ask(target, steps)).toEqual(expected)
  })

  it('takes an SPI from wire to end of interrupt, with the lines seen to rise and fall (IHI 0048 3.2)', async () => {
    const target = await start(v2)
    for (const intid of [fastSpis(v2)[0]!, 63]) {
      expect(
        await ask(target, [
          ...enableAll(v2),
          write(0, 'gicd', 0x800 + intid, 1 << 2, 1),
          write(0, 'gicd', 0x104, 2 ** (intid - 32)),
          lines,
          spi(intid, 1),
          lines,
          read(2, 'gicc', 0x00c),
          lines,
          read(2, 'gicc', 0x00c),
          spi(intid, 0),
          write(2, 'gicc', 0x010, intid),
          lines,
        ]),
      ).toEqual([0, 2 << 4, intid, 0, 1023, 0])
    }
  })

  it('sends an SGI from one CPU to others (IHI 0048 4.3.15)', async () => {
    const target = await start(v2)
    expect(
      await ask(target, [
        ...enableAll(v2),
        write(0, 'gicd', 0x100, 1 << 5),
        write(1, 'gicd', 0xf00, (0b1001 << 16) | 5),
        lines,
        read(3, 'gicc', 0x00c),
        read(0, 'gicc', 0x00c),
      ]),
    ).toEqual([(2 << 6) | 2, (1 << 10) | 5, (1 << 10) | 5])
  })

  it('takes more steps than one batch holds', async () => {
    const target = await start(v2)
    const steps = Array.from({ length: 70_000 }, (_, n) =>
      n % 2 === 0 ? write(n & 3, 'gicd', 0x424, n) : read(3, 'gicd', 0x424),
    )
    const results = answers(steps, await target.run(steps))
    expect(results).toEqual(Array.from({ length: 35_000 }, (_, n) => 2 * n))
  })

  it('refuses a step that names no CPU, wire or register there is, and goes on', async () => {
    const target = await start(v2)
    await expect(target.run([read(4, 'gicd', 0)])).rejects.toThrow('CPU 4 of 4')
    await expect(target.run([spi(288, 1)])).rejects.toThrow('no wire for SPI 288')
    await expect(target.run([ppi(15, 0, 1)])).rejects.toThrow('not a PPI')
    await expect(target.run([mrs(0, 'SCTLR_EL1')])).rejects.toThrow('SCTLR_EL1')
    expect(await ask(target, [read(0, 'gicd', 0x004)])).toEqual([0x68])
  })
})

/** Every register that a reset sets, of every CPU, and the lines. */
function fingerprint(config: TargetConfig): Step[] {
  const steps: Step[] = []
  for (let cpu = 0; cpu < config.cpus; cpu++) {
    for (let offset = 0; offset < 0x1000; offset += 4) {
      for (const alias of config.security ? [true, false] : [false]) {
        const step = read(cpu, 'gicd', offset)
        steps.push(alias ? secure(step) : step)
      }
    }
    if (config.version === 2) for (let offset = 0; offset < 0x100; offset += 4) steps.push(read(cpu, 'gicc', offset))
    if (config.version === 3) {
      for (let offset = 0; offset < 0x20000; offset += 4)
        if (offset < 0x100 || (offset >= 0x10000 && offset < 0x11000))
          steps.push(read(cpu, 'gicr', cpu * 0x20000 + offset))
      for (const name of [
        'CTLR',
        'PMR',
        'BPR0',
        'BPR1',
        'IGRPEN0',
        'IGRPEN1',
        'AP0R0',
        'AP1R0',
        'RPR',
        'HPPIR0',
        'HPPIR1',
      ])
        steps.push(mrs(cpu, `ICC_${name}_EL1`))
    }
  }
  return [...steps, lines]
}

/** Writes that leave nothing as it was, wires included. */
function disturb(config: TargetConfig): Step[] {
  const steps: Step[] = []
  for (const intid of [33, 36, 39, 50, 200]) steps.push(spi(intid, 1))
  for (let cpu = 0; cpu < config.cpus; cpu++) {
    for (const intid of [16, 20, ...FAST_PPIS]) steps.push(ppi(intid, cpu, 1))
    for (let offset = 0; offset < 0xf00; offset += 4) {
      if (offset === 4 || offset === 8) continue
      steps.push(write(cpu, 'gicd', offset, 0x01010101 * (1 + (offset % 7))))
      if (config.security) steps.push(secure(write(cpu, 'gicd', offset, 0x11010103)))
    }
    if (config.version === 2) {
      for (const offset of [0x000, 0x004, 0x008, 0x01c, 0x0d0])
        steps.push(secure(write(cpu, 'gicc', offset, 0xf7)), write(cpu, 'gicc', offset, 0xff))
      steps.push(read(cpu, 'gicc', 0x00c))
    } else {
      for (let offset = 0x10080; offset < 0x10d00; offset += 4)
        steps.push(write(cpu, 'gicr', cpu * 0x20000 + offset, 0x21010101))
      for (const name of ['CTLR', 'PMR', 'BPR0', 'BPR1', 'IGRPEN0', 'IGRPEN1'])
        steps.push(msr(cpu, `ICC_${name}_EL1`, 0xff))
      steps.push(mrs(cpu, 'ICC_IAR1_EL1'), mrs(cpu, 'ICC_IAR0_EL1'))
    }
  }
  return steps
}

describe('reset', () => {
  it.each([
    ['GICv2', v2],
    ['GICv2 with Security Extensions', { ...v2, security: true }],
    ['GICv3', v3],
    ['GICv3 with ITS', { ...v3, its: true }],
    ['GICv3 with two Security states', { ...v3, cpus: 2, security: true }],
  ])('%s: is as a QEMU just started, registers, wires and guest memory', async (_, config) => {
    const target = await start(config)
    const fresh = await ask(target, fingerprint(config))
    const store: Step = { op: 'store', address: GUEST_MEMORY_BASE + 64, words: [1n, 2n] }
    await target.run([...disturb(config), store])
    expect(await ask(target, fingerprint(config))).not.toEqual(fresh)
    await target.reset()
    expect(await ask(target, fingerprint(config))).toEqual(fresh)
    expect(await ask(target, [{ op: 'load', address: GUEST_MEMORY_BASE + 64 }])).toEqual([0])
    // The wires are low and still work: a rise is seen as one.
    const pending = (cpu: number): Step =>
      config.version === 2 ? read(cpu, 'gicd', 0x200) : read(cpu, 'gicr', cpu * 0x20000 + 0x10200)
    const group1 = secure(
      write(0, config.version === 2 ? 'gicd' : 'gicr', config.version === 2 ? 0x80 : 0x10080, 0xffffffff),
    )
    expect(await ask(target, [group1, ppi(27, 0, 1), pending(0), ppi(27, 0, 0), ppi(20, 0, 1), pending(0)])).toEqual([
      1 << 27,
      1 << 20,
    ])
  })
})

describe('GICv2 with Security Extensions', () => {
  it('has Secure and Non-secure accesses, with registers banked and filtered between them (IHI 0048 4.1.3)', async () => {
    const config = { ...v2, security: true }
    const target = await start(config)
    expect(
      await ask(target, [
        secure(write(0, 'gicd', 0x000, 3)),
        secure(read(0, 'gicd', 0x000)),
        read(0, 'gicd', 0x000),
        secure(read(3, 'gicd', 0x004)),
        secure(write(2, 'gicd', 0x084, 1)),
        secure(write(2, 'gicd', 0x420, 0x8080)),
        secure(read(2, 'gicd', 0x420)),
        // SPI 32 is in Group 1, where the Non-secure view shifts its priority left; SPI 33 is hidden.
        read(2, 'gicd', 0x420),
        secure(write(1, 'gicc', 0x004, 0xf0)),
        secure(read(1, 'gicc', 0x004)),
        read(1, 'gicc', 0x004),
      ]),
    ).toEqual([3, 1, 0x468, 0x8080, 0x00, 0xf0, 0xe0])
  })

  it('signals Group 0 as FIQ when GICC_CTLR.FIQEn is set (IHI 0048 3.9)', async () => {
    const target = await start({ ...v2, security: true })
    expect(
      await ask(target, [
        secure(write(0, 'gicd', 0x000, 3)),
        secure(write(1, 'gicc', 0x000, 0xb)),
        secure(write(1, 'gicc', 0x004, 0xff)),
        secure(write(1, 'gicd', 0x100, 1 << 27)),
        ppi(27, 1, 1),
        lines,
        secure(read(1, 'gicc', 0x00c)),
        lines,
      ]),
    ).toEqual([1 << 2, 27, 0])
  })
})

describe('GICv3', () => {
  it.each([1, 4, 8, 20])('runs on %i PEs, each with its own redistributor and CPU interface', async (n) => {
    const target = await start({ ...v3, cpus: n })
    const affinity = (cpu: number): number => ((cpu >> 4) << 8) | (cpu & 15)
    expect(
      await ask(
        target,
        cpus(n).map((cpu) => read(n - 1 - cpu, 'gicr', cpu * 0x20000 + 0x00c)),
      ),
    ).toEqual(cpus(n).map(affinity))
    expect(
      await ask(
        target,
        cpus(n).map((cpu) => msr(cpu, 'ICC_PMR_EL1', 8 * (cpu + 1))),
      ),
    ).toEqual([])
    expect(
      await ask(
        target,
        cpus(n).map((cpu) => mrs(cpu, 'ICC_PMR_EL1')),
      ),
    ).toEqual(cpus(n).map((cpu) => 8 * (cpu + 1)))
  })

  it('reports a system register that is UNDEFINED, and carries on', async () => {
    const target = await start(v3)
    expect(await ask(target, [mrs(2, 'ICH_VTR_EL2'), msr(1, 'ICC_SRE_EL3', 1), mrs(1, 'ICC_SRE_EL1')])).toEqual([
      'undefined',
      'undefined',
      7,
    ])
  })

  it('reads 64-bit registers and takes an SPI from wire to end of interrupt (IHI 0069 4.2)', async () => {
    const target = await start(v3)
    expect(
      await ask(target, [
        write(0, 'gicd', 0x000, 2),
        write(0, 'gicd', 0x084, 0xffffffff),
        write(0, 'gicd', 0x6000 + 8 * 36, 3n, 8),
        read(1, 'gicd', 0x6000 + 8 * 36, 8),
        write(0, 'gicd', 0x104, 1 << 4),
        msr(3, 'ICC_PMR_EL1', 0xff),
        msr(3, 'ICC_IGRPEN1_EL1', 1),
        spi(36, 1),
        lines,
        mrs(3, 'ICC_IAR1_EL1'),
        lines,
        spi(36, 0),
        msr(3, 'ICC_EOIR1_EL1', 36),
        mrs(3, 'ICC_RPR_EL1'),
      ]),
    ).toEqual([3, 2 << 6, 36, 0, 0xff])
  })

  it('delivers an LPI that the ITS translates from an INT command (IHI 0069 5.3)', async () => {
    const config = { ...v3, its: true }
    const target = await start(config)
    const base = GUEST_MEMORY_BASE
    const [queue, devices, collections, itt, properties, pending] = [0, 1, 2, 3, 4, 5].map(
      (n) => base + n * 0x100000,
    ) as [number, number, number, number, number, number]
    const valid = 1n << 63n
    const command = (...words: bigint[]): bigint[] => words
    const commands = [
      ...command(0x09n, 0n, valid | (2n << 16n), 0n), // MAPC collection 0 to PE 2
      ...command(0x08n | (5n << 32n), 4n, valid | BigInt(itt), 0n), // MAPD DeviceID 5, 5 bits of EventID
      ...command(0x0an | (5n << 32n), 7n | (8195n << 32n), 0n, 0n), // MAPTI EventID 7 to LPI 8195
      ...command(0x03n | (5n << 32n), 7n, 0n, 0n), // INT
    ]
    expect(
      await ask(target, [
        { op: 'store', address: properties, words: [0xa3a3a3a3a3a3a3a3n] },
        { op: 'store', address: queue, words: commands },
        write(0, 'gicd', 0x000, 2),
        write(2, 'gicr', 2 * 0x20000 + 0x14, 0),
        write(2, 'gicr', 2 * 0x20000 + 0x70, BigInt(properties) | 15n, 8),
        write(2, 'gicr', 2 * 0x20000 + 0x78, BigInt(pending) | (1n << 62n), 8),
        write(2, 'gicr', 2 * 0x20000, 1),
        msr(2, 'ICC_PMR_EL1', 0xff),
        msr(2, 'ICC_IGRPEN1_EL1', 1),
        write(0, 'its', 0x100, valid | BigInt(devices) | 0xfn, 8),
        write(0, 'its', 0x108, valid | BigInt(collections) | 0xfn, 8),
        write(0, 'its', 0x080, valid | BigInt(queue), 8),
        write(0, 'its', 0x000, 1),
        write(1, 'its', 0x088, 8 * commands.length, 8),
        read(1, 'its', 0x090, 8),
        lines,
        mrs(2, 'ICC_IAR1_EL1'),
        msr(2, 'ICC_EOIR1_EL1', 8195),
        lines,
      ]),
    ).toEqual([8 * commands.length, 2 << 4, 8195, 0])
  })

  it('with two Security states, runs ICC_* at Non-secure and at Secure EL1, and *_EL3 at EL3 (IHI 0069 4.6)', async () => {
    const target = await start({ ...v3, security: true })
    const atSecure = (step: Step): Step => ({ ...step, secure: true }) as Step
    expect(
      await ask(target, [
        secure(read(1, 'gicd', 0)),
        read(1, 'gicd', 0),
        // ICC_IGRPEN1_EL1 is banked by Security state.
        msr(1, 'ICC_IGRPEN1_EL1', 1),
        mrs(1, 'ICC_IGRPEN1_EL1'),
        atSecure(mrs(1, 'ICC_IGRPEN1_EL1')),
        mrs(1, 'ICC_IGRPEN1_EL3'),
        atSecure(msr(1, 'ICC_IGRPEN1_EL1', 1)),
        mrs(1, 'ICC_IGRPEN1_EL3'),
        mrs(1, 'ICC_IGRPEN1_EL1'),
        mrs(3, 'ICC_IGRPEN1_EL1'),
        mrs(3, 'ICH_VTR_EL2'),
        mrs(3, 'ICC_SRE_EL1'),
      ]),
    ).toEqual([0x30, 0x10, 1, 0, 1, 3, 1, 0, 'undefined', 7])
  })
})

describe('GICv3 with EL3', () => {
  const two = { ...v3, cpus: 2, security: true }
  const el3 = { el: 3, ns: false } as const
  const el3Ns = { el: 3, ns: true } as const

  it('runs at EL3 under any SCR_EL3: NS chooses the bank (IHI 0069 12.2, ICC_IGRPEN1_EL1)', async () => {
    const target = await start(two)
    expect(
      await ask(target, [
        at(el3Ns, msr(1, 'ICC_IGRPEN1_EL1', 1)),
        at(el3, mrs(1, 'ICC_IGRPEN1_EL1')),
        at(el3Ns, mrs(1, 'ICC_IGRPEN1_EL1')),
        at({ el: 1, ns: true }, mrs(1, 'ICC_IGRPEN1_EL1')),
        at({ el: 1, ns: false }, mrs(1, 'ICC_IGRPEN1_EL1')),
        // What it lent did not change where it is.
        mrs(1, 'ICC_IGRPEN1_EL3'),
      ]),
    ).toEqual([0, 1, 1, 0, 1])
  })

  it('tells a trap to EL3 from an UNDEFINED access (DDI 0487, SCR_EL3.FIQ and SCR_EL3.IRQ)', async () => {
    const target = await start(two)
    const fiq = { el: 1, ns: true, fiq: true } as const
    expect(
      await ask(target, [
        at(fiq, mrs(0, 'ICC_IAR0_EL1')),
        at(fiq, mrs(0, 'ICC_IAR1_EL1')),
        at({ ...fiq, irq: true }, mrs(0, 'ICC_PMR_EL1')),
        at({ ...el3, fiq: true, irq: true }, mrs(0, 'ICC_PMR_EL1')),
        at(fiq, mrs(0, 'ICC_CTLR_EL3')),
      ]),
    ).toEqual(['trap', 1023, 'trap', 0, 'undefined'])
  })

  it.each([
    ['no EL2', two],
    ['EL2', { ...two, el2: true }],
  ])('sees what is signalled where it looks, and an interrupt that is taken to EL3 instead (%s)', async (_, config) => {
    const target = await start(config)
    const isr = mrs(0, 'ISR_EL1')
    expect(
      await ask(target, [
        secure(write(0, 'gicd', 0, 7)),
        secure(write(0, 'gicr', 0x14, 0)),
        secure(write(0, 'gicr', 0x10080, 0xffffffff)),
        secure(write(0, 'gicr', 0x10100, 0x100)),
        secure(write(0, 'gicr', 0x10200, 0x100)),
        at(el3, msr(0, 'ICC_PMR_EL1', 0xff)),
        at(el3Ns, msr(0, 'ICC_IGRPEN1_EL1', 1)),
        at(el3, isr),
        at({ el: 1, ns: true }, isr),
        at({ el: 1, ns: false }, isr),
        at({ el: 1, ns: true, irq: true }, isr),
        at({ el: 1, ns: false, fiq: true }, isr),
        at({ el: 1, ns: false, irq: true }, isr),
        // Not made: the interrupt is still there to be acknowledged.
        at({ el: 1, ns: true, irq: true }, mrs(0, 'ICC_IAR1_EL1')),
        at(el3, mrs(0, 'ICC_IAR1_EL1')),
        at({ el: 1, ns: true, fiq: true }, isr),
      ]),
    ).toEqual([0x40, 0x80, 0x40, 'taken', 'taken', 0x40, 'taken', 8, 0])
  })
})

describe('its end', () => {
  it('closing leaves no process and no file behind', async () => {
    const target = await QemuTarget.start(v2)
    const { pid, directory } = target.host
    expect(existsSync(directory)).toBe(true)
    expect(process.kill(pid!, 0)).toBe(true)
    await target.close()
    await target.close()
    expect(existsSync(directory)).toBe(false)
    expect(() => process.kill(pid!, 0)).toThrow('ESRCH')
  })

  it('reports a QEMU that died as a lost target, and a new one can be started', async () => {
    const target = await start(v2)
    // SPENDSGIR with a byte of zero, then an acknowledge: QEMU aborts (deviations.ts, Q2-11).
    const fatal = [
      ...enableAll(v2),
      write(0, 'gicd', 0xf20, 2),
      read(0, 'gicc', 0x00c),
      write(0, 'gicc', 0x010, 0x400),
      read(0, 'gicc', 0x00c),
    ]
    await expect(target.run(fatal)).rejects.toThrow(/QEMU died \(SIGABRT\)/)
    await expect(target.run([lines])).rejects.toThrow('QEMU died')
    await expect(target.reset()).rejects.toThrow('QEMU died')
    expect(await ask(await start(v2), [lines])).toEqual([0])
  })

  it('refuses what QEMU cannot be in one line', async () => {
    await expect(QemuTarget.start({ ...v2, cpus: 9 })).rejects.toThrow("QEMU's GICv2 is asked for 9 PEs: 1 to 8")
    await expect(QemuTarget.start({ ...v2, its: true })).rejects.toThrow('an ITS needs a GICv3')
    await expect(QemuTarget.start({ ...v3, el2: true })).rejects.toThrow('EL2 is asked for beside EL3')
  })
})
