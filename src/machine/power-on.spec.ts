/** What the machine does in place of firmware when it powers a CPU on. The calls that power it on are in psci.spec.ts. */

import { describe, expect, it } from 'vitest'
import { type GicV3, iccEncoding, REDISTRIBUTOR_STRIDE } from '../gic/index.ts'
import { cpuInitiator } from '../mmio/index.ts'
import { virtMap } from './board/virt-map.ts'
import { a64, booted, words } from './testing/guest.ts'

const self = cpuInitiator(0)
const redistributor = (cpu: number) => virtMap.gicr.base + cpu * REDISTRIBUTOR_STRIDE
const WAKER = 0x14
const IGROUPR0 = 0x1_0080
const ISENABLER0 = 0x1_0100

describe('a CPU that is powered on', () => {
  /** CPU_ON (0xc4000003) of CPU 1 at this program's loop; both CPUs stay there. */
  const guest = words(
    a64.movz(0, 3),
    a64.movk(0, 0xc400, 1),
    a64.movz(1, 1),
    a64.movz(2, 0x4008, 1),
    a64.movk(2, 24),
    a64.hvc,
    a64.loop,
  )

  it('finds its Redistributor awake, as firmware leaves it (IHI 0069 11.1); the others keep their reset value', async () => {
    const { machine } = await booted(guest, { gic: 3, cpus: 3 })
    const wakers = () => [0, 1, 2].map((cpu) => machine.bus.read32(redistributor(cpu) + WAKER, self))
    expect(wakers()).toEqual([0, 6, 6])
    machine.run(1000)
    expect(machine.cluster.isOn(1)).toBe(true)
    expect(wakers()).toEqual([0, 0, 6])
  })

  it('gets an SGI without a write of its own to GICR_WAKER', async () => {
    const { machine } = await booted(guest, { gic: 3, cpus: 2 })
    machine.run(1000)
    const before = machine.interrupts
    machine.bus.write32(virtMap.gicd.base, 0x13, self)
    machine.bus.write32(redistributor(1) + IGROUPR0, 0xffff_ffff, self)
    machine.bus.write32(redistributor(1) + ISENABLER0, 1 << 5, self)
    const msr = (cpu: number, name: string, value: number) =>
      (machine.gic as GicV3).writeSysreg(cpu, iccEncoding(name)!, value)
    msr(1, 'ICC_PMR_EL1', 0xf0)
    msr(1, 'ICC_IGRPEN1_EL1', 1)
    msr(0, 'ICC_SGI1R_EL1', (5 << 24) | 2)
    expect(machine.interrupts).toBe(before + 1)
  })
})
