/** Our GIC as a target: the answers that QEMU's GICv3 should have given, the PE's place, guest memory, and reset. */

import { describe, expect, it } from 'vitest'
import { GUEST_MEMORY_BASE, GUEST_MEMORY_SIZE } from './layout.ts'
import { ModelTarget } from './model.ts'
import { GICV3_DEVIATIONS } from './qemu/deviations-gicv3.ts'
import { answers, lines, mrs, msr, read, write } from './qemu/steps.ts'
import type { Step, TargetConfig } from './target.ts'

const v3: TargetConfig = { version: 3, cpus: 2, security: false, its: false }
const wirings = ['frame', 'group'] as const

async function ask(target: ModelTarget, steps: Step[]) {
  return answers(steps, await target.run(steps))
}

describe('what QEMU’s GICv3 should have answered', () => {
  it.each(GICV3_DEVIATIONS.map((deviation) => [deviation.id, deviation.clause, deviation] as const))(
    '%s: %s',
    async (_id, _clause, { reproduction }) => {
      for (const wiring of wirings)
        expect(await ask(new ModelTarget(reproduction.config, { wiring }), [...reproduction.steps])).toEqual(
          reproduction.specification,
        )
    },
  )
})

/** SPI 40 of Group 1, Non-secure where there are two states, enabled and pending for CPU 0. */
const pendingSpi: Step[] = [
  { ...write(0, 'gicd', 0x000, 0x37), secure: true } as Step,
  { ...write(0, 'gicr', 0x14, 0), secure: true } as Step,
  { ...write(0, 'gicd', 0x084, 0x100), secure: true } as Step,
  { ...write(0, 'gicd', 0x104, 0x100), secure: true } as Step,
  { op: 'spi', intid: 40, level: 1 },
]

describe('a GICv3 as a target', () => {
  it('signals Group 1 as IRQ to a PE at EL1, and Non-secure Group 1 as FIQ to one at Secure EL3 (IHI 0069 4.6.2)', async () => {
    const one = new ModelTarget(v3)
    await one.run([...pendingSpi, msr(0, 'ICC_PMR_EL1', 0xff), msr(0, 'ICC_IGRPEN1_EL1', 1)])
    expect(one.step(lines).value).toBe(2n)
    const two = new ModelTarget({ ...v3, security: true })
    await two.run([...pendingSpi, msr(0, 'ICC_PMR_EL1', 0xff), msr(0, 'ICC_IGRPEN1_EL1', 1)])
    expect(two.step(lines).value).toBe(1n)
  })

  it('has registers of EL3 with two Security states alone, and lends those of EL1 to the state that the step names', async () => {
    const target = new ModelTarget({ ...v3, security: true })
    const secure = (step: Step): Step => ({ ...step, secure: true }) as Step
    expect(
      await ask(target, [
        secure(msr(0, 'ICC_IGRPEN1_EL1', 1)),
        mrs(0, 'ICC_IGRPEN1_EL1'),
        secure(mrs(0, 'ICC_IGRPEN1_EL1')),
        mrs(0, 'ICC_IGRPEN1_EL3'),
      ]),
    ).toEqual([0, 1, 2])
    expect(new ModelTarget(v3).step(mrs(0, 'ICC_IGRPEN1_EL3')).status).toBe('undefined')
    expect(new ModelTarget(v3).step(mrs(0, 'ICH_VTR_EL2')).status).toBe('undefined')
  })

  it('turns a message into an LPI by tables in the memory that steps store to (IHI 0069 5.2)', async () => {
    const target = new ModelTarget({ ...v3, its: true })
    const at = (offset: number) => GUEST_MEMORY_BASE + offset
    const big = (value: number) => BigInt(value)
    const queue: bigint[][] = [
      // MAPC collection 0 to PE 1; MAPD DeviceID 8 with 32 EventIDs; MAPTI event 3 to LPI 8200; SYNC would come next.
      [9n, 0n, (1n << 63n) | (1n << 16n), 0n],
      [8n | (8n << 32n), 4n, (1n << 63n) | big(at(0x40000)), 0n],
      [0xan | (8n << 32n), 3n | (8200n << 32n), 0n, 0n],
    ]
    await target.run([
      ...pendingSpi.slice(0, 1),
      write(1, 'gicr', 0x20014, 0),
      // The LPI's byte of the configuration table: enabled, priority 0xa0.
      { op: 'store', address: at(0x50008), words: [0xa1n] },
      write(1, 'gicr', 0x20070, big(at(0x50000)) | 15n, 8),
      write(1, 'gicr', 0x20078, big(at(0x60000)) | (1n << 62n), 8),
      write(1, 'gicr', 0x20000, 1),
      write(0, 'its', 0x100, (1n << 63n) | big(at(0x10000)) | 0x200n, 8),
      write(0, 'its', 0x108, (1n << 63n) | big(at(0x20000)) | 0x200n, 8),
      write(0, 'its', 0x080, (1n << 63n) | big(at(0x30000)), 8),
      write(0, 'its', 0x000, 1),
      { op: 'store', address: at(0x30000), words: queue.flat() },
      write(0, 'its', 0x088, 96, 8),
      msr(1, 'ICC_PMR_EL1', 0xff),
      msr(1, 'ICC_IGRPEN1_EL1', 1),
    ])
    expect(await ask(target, [read(0, 'its', 0x090)])).toEqual([96])
    const { its } = target
    expect(its?.lookup(8, 3)).toBe(0)
    its!.signal(8, 3)
    expect(target.step(lines).value).toBe(8n)
    expect(target.step(mrs(1, 'ICC_IAR1_EL1')).value).toBe(8200n)
  })

  it('has 16 MiB of guest memory, in 64-bit words, and none on a GICv2', async () => {
    const target = new ModelTarget(v3)
    const end = GUEST_MEMORY_BASE + GUEST_MEMORY_SIZE
    const word = 0xfedc_ba98_7654_3210n
    target.step({ op: 'store', address: end - 16, words: [1n, word] })
    expect(target.step({ op: 'load', address: end - 8 }).value).toBe(word)
    for (const address of [GUEST_MEMORY_BASE - 8, end, end - 4, Number.NaN])
      expect(() => target.step({ op: 'load', address })).toThrow('guest memory is 0x43000000 to 0x43ffffff')
    expect(() => target.step({ op: 'store', address: end - 8, words: [1n, 2n] })).toThrow('guest memory')
    await target.reset()
    expect(target.step({ op: 'load', address: end - 8 }).value).toBe(0n)
    const v2 = new ModelTarget({ ...v3, version: 2 })
    expect(v2.step({ op: 'load', address: GUEST_MEMORY_BASE }).status).toBe('undefined')
    expect(v2.step(mrs(0, 'ICC_IAR1_EL1')).status).toBe('undefined')
  })

  it('is as after power-on once reset: registers, wires, ITS', async () => {
    const target = new ModelTarget({ ...v3, its: true })
    const fresh = JSON.stringify(target.gic.snapshot())
    await target.run([...pendingSpi, { op: 'ppi', cpu: 1, intid: 27, level: 1 }, write(0, 'its', 0, 1)])
    expect(JSON.stringify(target.gic.snapshot())).not.toBe(fresh)
    await target.reset()
    expect(JSON.stringify(target.gic.snapshot())).toBe(fresh)
    expect(target.its?.enabled).toBe(false)
  })

  it('has no CPU beyond its own, no ITS on a GICv2, and aborts where no frame is', () => {
    const target = new ModelTarget(v3)
    expect(() => target.step(mrs(2, 'ICC_PMR_EL1'))).toThrow('CPU 2: this target has 2')
    expect(() => new ModelTarget({ ...v3, version: 2, its: true })).toThrow('an ITS needs a GICv3')
    for (const step of [read(0, 'gicr', 0x40000), read(0, 'gicc', 0), read(0, 'its', 0), read(0, 'v2m', 8)])
      expect(target.step(step).status).toBe('abort')
  })
})
