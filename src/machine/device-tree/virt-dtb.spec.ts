/** The board's device tree: what a guest needs of it. That it is QEMU's, `virt-dtb.qemu.spec.ts` says. */

import { describe, expect, it } from 'vitest'
import { virtAffinity } from '../board/virt-map.ts'
import { cellsOf, decodeFdt, findNode, stringsOf, walkNodes } from './fdt.ts'
import { type VirtTree, virtDtb, virtTree } from './virt-dtb.ts'

const board: VirtTree = { cpus: 2, memory: 2 ** 28, gic: 2 }
const at = (options: Partial<VirtTree>, path: string, property: string) =>
  findNode(virtTree({ ...board, ...options }), path)?.properties.get(property)

describe("the board's device tree", () => {
  it('has every device at its place, with its interrupt (the minimal tree that boots all guests)', () => {
    expect(cellsOf(at({}, '/memory', 'reg'))).toEqual([0, 0x4000_0000, 0, 0x1000_0000])
    expect(cellsOf(at({}, '/intc', 'reg'))).toEqual([0, 0x800_0000, 0, 0x1_0000, 0, 0x801_0000, 0, 0x1_0000])
    expect(cellsOf(at({}, '/pl011', 'reg'))).toEqual([0, 0x900_0000, 0, 0x1000])
    expect(cellsOf(at({}, '/pl011', 'interrupts'))).toEqual([0, 1, 4])
    expect(cellsOf(at({}, '/timer', 'interrupts'))).toEqual([1, 13, 0x304, 1, 14, 0x304, 1, 11, 0x304, 1, 10, 0x304])
    expect(cellsOf(at({}, '/virtio_mmio@a003e00', 'interrupts'))).toEqual([0, 47, 1])
    expect(stringsOf(at({}, '/chosen', 'stdout-path'))).toEqual(['/pl011@9000000'])
  })

  it('describes a GICv3 with redistributors, and an ITS where there is one', () => {
    expect(stringsOf(at({ gic: 3 }, '/intc', 'compatible'))).toEqual(['arm,gic-v3'])
    expect(cellsOf(at({ gic: 3 }, '/timer', 'interrupts'))[2]).toBe(4)
    expect(at({ gic: 3 }, '/intc/its', 'reg')).toBeUndefined()
    expect(cellsOf(at({ gic: 3, its: true }, '/intc/its', 'reg'))).toEqual([0, 0x808_0000, 0, 0x2_0000])
  })

  it('passes on the command line, the initial RAM disk and the seeds, and says nothing of what is not given', () => {
    const given = {
      bootargs: 'console=ttyAMA0',
      initrd: { start: 0x4800_0000, end: 2 ** 33 },
      rngSeed: Uint8Array.of(1, 2),
    }
    expect(stringsOf(at(given, '/chosen', 'bootargs'))).toEqual(['console=ttyAMA0'])
    expect(cellsOf(at(given, '/chosen', 'linux,initrd-start'))).toEqual([0x4800_0000])
    expect(cellsOf(at(given, '/chosen', 'linux,initrd-end'))).toEqual([2, 0])
    expect([...at(given, '/chosen', 'rng-seed')!]).toEqual([1, 2])
    expect([...findNode(virtTree(board), '/chosen')!.properties.keys()]).toEqual(['stdout-path'])
  })

  it('numbers CPUs in clusters of 8 with a GICv2 and of 16 with a GICv3, whose SGIs have target lists of 16', () => {
    expect([0, 7].map((cpu) => virtAffinity(cpu, 2))).toEqual([0, 7])
    expect([0, 15, 16, 33].map((cpu) => virtAffinity(cpu, 3))).toEqual([0, 15, 0x100, 0x201])
    expect(cellsOf(at({ gic: 3, cpus: 20 }, '/cpus/cpu@17', 'reg'))).toEqual([0x101])
  })

  it('leaves out devices that are not there', () => {
    const without = ['flash', 'fwCfg', 'rtc', 'gpio', 'virtio'] as const
    const paths = [...walkNodes(virtTree({ ...board, without }))].map(([path]) => path)
    expect(paths.filter((path) => /flash|fw-cfg|pl031|pl061|gpio|virtio/.test(path))).toEqual([])
    expect(paths).toContain('/pl011@9000000')
  })

  it('has every phandle once, and refers to no other', () => {
    for (const options of [{}, { gic: 3, its: true, cpus: 5 } as const]) {
      const nodes = [...walkNodes(virtTree({ ...board, ...options }))]
      const handles = nodes.flatMap(([, node]) => cellsOf(node.properties.get('phandle')))
      expect(new Set(handles).size).toBe(handles.length)
      for (const [, { properties }] of nodes)
        for (const name of ['clocks', 'cpu', 'interrupt-parent'])
          for (const cell of cellsOf(properties.get(name))) expect(handles).toContain(cell)
    }
  })

  it('is a blob of at most 2 MiB, which Linux asks for', () => {
    const blob = virtDtb({ ...board, gic: 3, cpus: 123 })
    expect(blob.length).toBeLessThan(2 ** 21)
    expect(decodeFdt(blob).root).toEqual(virtTree({ ...board, gic: 3, cpus: 123 }))
  })

  it.each<[string, Partial<VirtTree>, RegExp]>([
    ['nine CPUs on a GICv2', { cpus: 9 }, /a GICv2 board has 1 to 8 CPUs, not 9/],
    ['124 CPUs on a GICv3', { gic: 3, cpus: 124 }, /1 to 123 CPUs/],
    ['no CPU', { cpus: 0 }, /not 0/],
    ['no memory', { memory: 0 }, /not 0 bytes/],
    ['more memory than there are addresses', { memory: 2 ** 40 }, /up to 255 GiB/],
    ['an ITS on a GICv2', { its: true }, /needs a GICv3/],
    ['an initial RAM disk upside down', { initrd: { start: 2, end: 1 } }, /ends before it starts/],
    ['a command line with a zero', { bootargs: 'a\0b' }, /no zero/],
  ])('refuses a board with %s', (_, options, message) => {
    expect(() => virtTree({ ...board, ...options })).toThrow(message)
  })
})
