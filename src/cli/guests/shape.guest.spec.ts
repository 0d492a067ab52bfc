/**
 * Linux's boot on our machine beside the same boot as it was recorded on QEMU: what is written to the GIC and read from it to
 * set it up is the same, access by access and value by value. What happens once devices work is for the replay.
 */

import { createReadStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readTrace } from '../../trace/index.ts'
import { linux, vgic } from '../testing/boot-guest.ts'
import { type BootShape, bootShape } from '../testing/boot-shape.ts'

const shapeOf = async (path: string) => bootShape(await readTrace(createReadStream(path)))
const sum = (counts: Map<number, number>) => [...counts.values()].reduce((total, count) => total + count, 0)

describe.each([
  ['GICv2', 2, 'linux-gicv2-smp4', ['--gic', '2']],
  ['GICv3', 3, 'linux-gicv3-smp4', ['--gic', '3']],
  ['GICv3 with an ITS', 3, 'linux-gicv3-its-smp4', ['--gic', '3', '--its']],
] as const)("Linux's boot with a %s and 4 CPUs, beside QEMU's", (_, version, name, options) => {
  let folder: string
  let ours: BootShape
  let recorded: BootShape

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    const trace = join(folder, 'boot.trace.gz')
    const args = [...linux(), ...options, '--smp', '4', '--memory', '512M', '--trace', trace]
    expect((await vgic(args, ['poweroff -f'])).status).toBe(0)
    ours = await shapeOf(trace)
    recorded = await shapeOf(fileURLToPath(new URL(`../../../traces/${name}.trace.gz`, import.meta.url)))
  }, 600_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  test.each([0, 1, 2, 3])('sets the GIC up from CPU %i by the same accesses in the same order', (cpu) => {
    expect(recorded.setUp[cpu]!.length).toBeGreaterThan(20)
    expect(ours.setUp[cpu]).toEqual(recorded.setUp[cpu])
  })

  test('sets up the SPIs of its devices by the same accesses, whichever CPU its drivers run on', () => {
    expect(recorded.drivers.length).toBeGreaterThan(5)
    expect(ours.drivers).toEqual(recorded.drivers)
  })

  test('acknowledges the same interrupts, and ends each of them', () => {
    const intids = ({ acknowledged }: BootShape) => [...acknowledged.keys()].sort((a, b) => a - b)
    expect(intids(ours)).toEqual(intids(recorded))
    for (const { acknowledged, ended } of [ours, recorded]) {
      const none = acknowledged.get(1023) ?? 0
      const taken = sum(acknowledged) - none
      // How many depends on how long the boot took: the timer's come 250 times a second, and QEMU took longer. Each of the
      // CPUs may be within an interrupt when the boot counts as over.
      expect(taken - ended).toBeGreaterThanOrEqual(0)
      expect(taken - ended).toBeLessThanOrEqual(4)
      // Linux's driver of the GICv2 looks again behind each interrupt, and mostly finds nothing; that of the GICv3 looks once.
      if (version === 2) expect(none / taken).toBeGreaterThan(0.9)
      expect(none).toBeLessThanOrEqual(taken)
    }
  })

  test('sends the same SGIs, about as often', () => {
    const sgis = ({ generated }: BootShape) => [...generated.keys()].sort()
    expect(sgis(ours)).toEqual(sgis(recorded))
    const ratio = (sgi: number) => (ours.generated.get(sgi) ?? 0) / (recorded.generated.get(sgi) ?? 0)
    // SGI 0 gives a running CPU another task: it follows the boot's work, which is the same.
    expect(ratio(0)).toBeGreaterThan(0.8)
    expect(ratio(0)).toBeLessThan(1.25)
    // SGI 1 calls a function on a CPU, which is how a sleeping one is woken as well: a boot that takes longer on the same
    // work has more of that. The recorded ones differ by half among themselves.
    expect(ratio(1)).toBeGreaterThan(1 / 3)
    expect(ratio(1)).toBeLessThan(3)
  })
})
