/** The GICv2m frame: a message is an edge on an SPI, and leaves the SPI's wire as it is. */

import { describe, expect, it } from 'vitest'
import { by } from '../testing/rig-v2.ts'
import { GicV2 } from './gic.ts'

const EDGE = 40
const LEVEL = 41

function withMessages() {
  const gic = new GicV2({ intids: 64, msi: { base: 40, count: 8 } })
  const secure = by(0, true)
  gic.frames.gicd.restore(0xc08, 2 << 16, secure)
  const send = (spi: number) =>
    gic.frames.v2m!.access({ address: 0x40, offset: 0x40, size: 4, write: true, low: spi, high: 0, by: secure })
  const pending = (spi: number) => (gic.frames.gicd.peek(0x204, 4, secure) >>> (spi - 32)) & 1
  return { gic, send, pending }
}

describe('A message to a GICv2m frame', () => {
  it('makes an edge-triggered SPI pending, also one whose wire is high already', () => {
    const { gic, send, pending } = withMessages()
    send(EDGE)
    expect(pending(EDGE)).toBe(1)
    gic.reset()
    gic.frames.gicd.restore(0xc08, 2 << 16, by(0, true))
    gic.setSpi(EDGE, true)
    gic.frames.gicd.access({
      address: 0x284,
      offset: 0x284,
      size: 4,
      write: true,
      low: 1 << 8,
      high: 0,
      by: by(0, true),
    })
    expect(pending(EDGE)).toBe(0)
    send(EDGE)
    expect(pending(EDGE)).toBe(1)
  })

  it('does not lower a wire that is high', () => {
    const { gic, send, pending } = withMessages()
    for (const spi of [EDGE, LEVEL]) {
      gic.setSpi(spi, true)
      send(spi)
    }
    expect(gic.frames.gicd.peek(0xd04, 4, by(0, true))).toBe(3 << 8)
    expect(pending(LEVEL)).toBe(1)
  })

  it('is too short for a level-sensitive SPI, and nothing for one outside of the frame', () => {
    const { send, pending } = withMessages()
    for (const spi of [LEVEL, 39, 48, 0, 1023]) {
      send(spi)
      expect(pending(spi & 63)).toBe(0)
    }
  })
})
