/** The legacy interrupt inputs that bypass the CPU interface while it does not signal (IHI 0048 2.3.1, 4.4.1). */

import { describe, expect, it } from 'vitest'
import { GicV2 } from '../index.ts'
import { Rig } from '../testing/rig-v2.ts'

const FIQ_EN = 1 << 3
const FIQ_DISABLE = (1 << 5) | (1 << 7)
const IRQ_DISABLE = (1 << 6) | (1 << 8)

/** CPU 0's wires with both legacy inputs high and this value in GICC_CTLR. */
function wires(ctlr: number): { irq: boolean; fiq: boolean } {
  const { gic, write } = rig()
  write(ctlr)
  gic.setLegacy(0, 'irq', true)
  gic.setLegacy(0, 'fiq', true)
  return { irq: gic.irq(0), fiq: gic.fiq(0) }
}

function rig(): { gic: GicV2; write: (ctlr: number) => void } {
  const one = new Rig(new GicV2({ cpus: 2, intids: 64 }))
  return { gic: one.gic, write: (ctlr) => one.write('gicc', 0, ctlr) }
}

describe('The legacy inputs', () => {
  it('reach the CPU after reset, when the interface signals nothing', () => {
    expect(wires(0)).toEqual({ irq: true, fiq: true })
  })

  it('do not while their bypass is disabled', () => {
    expect(wires(IRQ_DISABLE)).toEqual({ irq: false, fiq: true })
    expect(wires(FIQ_DISABLE)).toEqual({ irq: true, fiq: false })
  })

  it('reach it as FIQ while the interface signals Group 0 as IRQ', () => {
    expect(wires(1)).toEqual({ irq: false, fiq: true })
  })

  it('do not as FIQ once the interface signals FIQs', () => {
    expect(wires(1 | FIQ_EN)).toEqual({ irq: true, fiq: false })
    expect(wires(3 | FIQ_EN)).toEqual({ irq: false, fiq: false })
  })

  it('follow their wires, and are their own CPU’s', () => {
    const { gic } = rig()
    gic.setLegacy(0, 'irq', true)
    expect([gic.irq(0), gic.irq(1), gic.fiq(0)]).toEqual([true, false, false])
    gic.setLegacy(0, 'irq', false)
    expect(gic.irq(0)).toBe(false)
  })

  it('give way when the interface is enabled, and come back when it is disabled', () => {
    const { gic, write } = rig()
    gic.setLegacy(0, 'irq', true)
    write(3)
    expect(gic.irq(0)).toBe(false)
    write(0)
    expect(gic.irq(0)).toBe(true)
  })
})
