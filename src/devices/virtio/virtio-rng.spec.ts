/** The virtio entropy device (Virtual I/O Device 1.2, 5.4): the same seed, the same bytes. */

import { describe, expect, it } from 'vitest'
import { BUFFERS, driver } from '../testing/virtio-driver.ts'
import { SeededBytes, VirtioRng } from './virtio-rng.ts'

function bytesOf(device: VirtioRng, ...lengths: number[]): number[][] {
  const { up, submit, collect, ram } = driver(device)
  up()
  return lengths.map((length, i) => {
    submit(0, [{ address: BUFFERS, length, write: true }], i % 8)
    const written = collect(0)[0]!.written
    return [...ram.bytes.subarray(0x1_0000, 0x1_0000 + written)]
  })
}

describe('virtio-rng', () => {
  it('fills what the guest lends, up to 4 KiB', () => {
    expect(bytesOf(new VirtioRng(), 1, 7, 4096, 100_000).map(({ length }) => length)).toEqual([1, 7, 4096, 4096])
  })

  it('gives the same bytes for the same seed and others for another', () => {
    const [a, b, c] = [new VirtioRng(5), new VirtioRng(5), new VirtioRng(6)].map((device) => bytesOf(device, 64)[0])
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
  })

  it('goes on from a snapshot', () => {
    const device = new VirtioRng(9)
    bytesOf(device, 13)
    const other = new VirtioRng(1)
    other.restore(JSON.parse(JSON.stringify(device.snapshot())))
    expect(bytesOf(other, 32)).toEqual(bytesOf(device, 32))
    expect(() => other.restore({ kind: 'virtio-rng', version: 1, state: [0, -1] })).toThrow(/state\[1\] must be/)
  })

  it('has bytes that look random: every bit set about half of the time, for weak seeds too', () => {
    for (const seed of [0, 1, -1]) {
      const bytes = new Uint8Array(80_000)
      new SeededBytes(seed).fill(bytes)
      for (let bit = 0; bit < 8; bit++) {
        const ones = bytes.reduce((sum, byte) => sum + ((byte >> bit) & 1), 0)
        // Six standard deviations of 80,000 tosses.
        expect(Math.abs(ones - 40_000)).toBeLessThan(850)
      }
    }
  })

  it("is xoshiro128**: the first numbers of the state 1, 2, 3, 4 are its authors' own", () => {
    const generator = new SeededBytes(0)
    generator.state.set([1, 2, 3, 4])
    // By hand from the definition: rotl(2 * 5, 7) * 9, then the state 7, 0, 1026, 12288, and so on.
    expect([generator.next(), generator.next(), generator.next()].map((value) => value >>> 0)).toEqual([
      11520, 0, 5927040,
    ])
  })
})
