/** How a machine starts: registers, device tree and flash, as QEMU's `virt` has them (hw/arm/boot.c; seen in its monitor). */

import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { cellsOf, decodeFdt, findNode } from '../device-tree/fdt.ts'
import { a64, words } from '../testing/guest.ts'
import { VirtMachine } from '../virt.ts'
import { type BootFiles, fwCfgItems, planBoot } from './boot.ts'
import { LoaderError } from './loaded.ts'

const MEMORY = 2 ** 24

/** An ELF file with one segment, linked at its physical address. */
function elf(address: number, code: Uint8Array): Uint8Array {
  const view = new DataView(new ArrayBuffer(120 + code.length))
  view.setUint32(0, 0x7f45_4c46)
  view.setUint16(4, 0x0201)
  view.setUint16(16, 2, true)
  view.setUint16(18, 183, true)
  view.setBigUint64(24, BigInt(address), true)
  view.setBigUint64(32, 64n, true)
  view.setUint16(54, 56, true)
  view.setUint16(56, 1, true)
  view.setUint32(64, 1, true)
  for (const [i, value] of [120, address, address, code.length, code.length].entries())
    view.setBigUint64(72 + i * 8, BigInt(value), true)
  const bytes = new Uint8Array(view.buffer)
  bytes.set(code, 120)
  return bytes
}

async function start(files: BootFiles, firmware?: Uint8Array) {
  const machine = new VirtMachine({ memory: MEMORY, firmware })
  const plan = await planBoot(files, { cpus: 1, memory: MEMORY, gic: 2, firmware: firmware !== undefined })
  plan.start(machine)
  const read = (address: number, length: number) => {
    const bytes = new Uint8Array(length)
    if (address >= 0x4000_0000) machine.ram.read(address, bytes)
    else machine.flash.read(address, bytes)
    return bytes
  }
  const { cluster } = machine
  return {
    machine,
    pc: Number(cluster.pc(0)),
    x: [0, 1, 2, 3].map((n) => Number(cluster.register(0, n))),
    tree: (address: number) => decodeFdt(read(address, 0x8000)).root,
    read,
  }
}

const code = words(a64.loop)

describe('the first CPU starts', () => {
  it('a flat binary with its device tree in X0 and zeros in X1 to X3 (Documentation/arch/arm64/booting)', async () => {
    const { pc, x, tree } = await start({ kernel: code, append: 'hello' })
    expect([pc, x]).toEqual([0x4008_0000, [0x4080_0000, 0, 0, 0]])
    expect(findNode(tree(0x4080_0000), '/chosen')!.properties.has('bootargs')).toBe(true)
  })

  it('an ELF file with nothing in its registers, and the device tree at the start of the memory', async () => {
    const { pc, x, tree } = await start({ kernel: elf(0x4020_0000, code) })
    expect([pc, x]).toEqual([0x4020_0000, [0, 0, 0, 0]])
    expect(cellsOf(findNode(tree(0x4000_0000), '/memory')!.properties.get('reg'))).toEqual([0, 0x4000_0000, 0, MEMORY])
  })

  it('an ELF file at the start of the memory with the device tree at address 0, in the flash', async () => {
    const { machine, pc, x, tree } = await start({ kernel: elf(0x4000_0000, words(a64.ldr(1, 0), a64.loop)) })
    expect([pc, x[0]]).toEqual([0x4000_0000, 0])
    expect(findNode(tree(0), '/pl011@9000000')).toBeDefined()
    // The guest sees it as the tests do: big-endian d00dfeed at the start.
    machine.run(10)
    expect(machine.cluster.register(0, 1) & 0xffff_ffffn).toBe(0xedfe_0dd0n)
  })

  it('an ELF file that is linked for the flash there', async () => {
    const { machine, pc } = await start({ kernel: elf(0x1000, words(a64.movz(3, 77), a64.loop)) })
    expect(pc).toBe(0x1000)
    machine.run(10)
    expect(machine.cluster.register(0, 3)).toBe(77n)
  })

  it('firmware at address 0 with nothing in its registers, and the device tree at the start of the memory', async () => {
    const { pc, x, tree } = await start({ append: 'hello' }, code)
    expect([pc, x]).toEqual([0, [0, 0, 0, 0]])
    expect(findNode(tree(0x4000_0000), '/chosen')!.properties.has('bootargs')).toBe(true)
  })
})

describe('the flash', () => {
  it('is there without firmware too, blank: zeros, as with QEMU, in memory and to fetches', async () => {
    // Loads from both banks, then a jump to the null page: UDF, an undefined instruction and no abort (DDI 0487 C6.2).
    const kernel = words(a64.movz(4, 0x400, 1), a64.ldr(5, 4), a64.movz(6, 0), a64.ldr(7, 6), a64.br(6))
    const { machine, tree, x } = await start({ kernel })
    for (const n of [5, 7]) machine.cluster.setRegister(0, n, 99n)
    machine.run(5)
    expect([5, 7].map((n) => machine.cluster.register(0, n))).toEqual([0n, 0n])
    expect(machine.cluster.pc(0)).toBe(0n)
    machine.run(1)
    expect(machine.cluster.systemRegister(0, 'ESR_EL1')).toBe(0x0200_0000n)
    expect(findNode(tree(x[0]!), '/flash@0')).toBeDefined()
  })
})

describe('fw_cfg', () => {
  it('has the kernel unpacked, as firmware starts it as an EFI program; a damaged one is refused', async () => {
    const kernel = gzipSync(code)
    const items = await fwCfgItems({ kernel, append: 'a' }, MEMORY)
    expect(items.get(0x11)).toEqual(code)
    expect(items.get(0x08)).toEqual(Uint8Array.of(4, 0, 0, 0))
    expect(items.get(0x15)).toEqual(Uint8Array.of(97, 0))
    await expect(fwCfgItems({ kernel: kernel.subarray(0, 12) }, MEMORY)).rejects.toThrow(LoaderError)
  })
})

describe('a file for the generic loader', () => {
  const load = { bytes: words(a64.movz(0, 1), a64.loop), address: 0x4030_0000 }

  it('is in memory beside the kernel, at its address, or where an ELF file says', async () => {
    const { pc, read } = await start({ kernel: code, loads: [load, { bytes: elf(0x4040_0000, code) }] })
    expect(pc).toBe(0x4008_0000)
    expect([read(0x4030_0000, 8), read(0x4040_0000, 4)]).toEqual([load.bytes, code])
  })

  it('is where the first CPU starts if it says so: with nothing in X0, and without a kernel the tree at the start of the memory', async () => {
    const { pc, x, tree } = await start({ loads: [{ ...load, start: true }] })
    expect([pc, x[0]]).toEqual([0x4030_0000, 0])
    expect(findNode(tree(0x4000_0000), '/memory')).toBeDefined()
    const beside = await start({ kernel: code, loads: [{ bytes: elf(0x4040_0000, code), start: true }] })
    expect([beside.pc, beside.x[0]]).toEqual([0x4040_0000, 0])
  })

  it.each<[string, BootFiles, RegExp]>([
    ['outside of memory', { kernel: code, loads: [{ ...load, address: 0x900_0000 }] }, /a file to load does not fit/],
    ['without an address', { kernel: code, loads: [{ bytes: code }] }, /there is no address/],
    ['empty', { kernel: code, loads: [{ ...load, bytes: new Uint8Array(0) }] }, /empty/],
    ['that nothing starts', { loads: [load] }, /neither a kernel nor firmware/],
  ])('%s is refused', async (_, files, message) => {
    await expect(start(files)).rejects.toThrow(message)
  })
})
