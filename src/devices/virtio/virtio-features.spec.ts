/** Features of virtio: which words there are, and what a driver may take. */

import { describe, expect, it } from 'vitest'
import { VERSION_1, VirtioFeatures } from './virtio-features.ts'

describe('virtio features', () => {
  it('are read 32 bits at a time, and as 0 beyond the 64 there are (Virtual I/O Device 1.2, 4.2.2, DeviceFeaturesSel)', () => {
    const features = new VirtioFeatures(VERSION_1 | 0x8000_0040n)
    const words = [0, 1, 2, -1].map((sel) => {
      features.deviceSel = sel
      return features.device >>> 0
    })
    expect(words).toEqual([0x8000_0040, 1, 0, 0])
  })

  it('may be taken as far as they are offered (2.2), word by word', () => {
    const features = new VirtioFeatures(VERSION_1 | 0x40n)
    features.take(0x40)
    features.driverSel = 1
    features.take(1)
    features.driverSel = 2
    features.take(-1)
    expect([...features.taken]).toEqual([0x40, 1])
    expect(features.acceptable).toBe(true)
    features.driverSel = 1
    features.take(3)
    expect(features.acceptable).toBe(false)
    features.reset()
    expect([features.driverSel, features.deviceSel, ...features.taken]).toEqual([0, 0, 0, 0])
    expect(features.acceptable).toBe(true)
  })
})
