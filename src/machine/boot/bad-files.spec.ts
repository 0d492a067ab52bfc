/** Files that are not what they should be, in quantity: a plan is made, or one line says why not. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeFdt, fdtNode } from '../device-tree/fdt.ts'
import { virtDtb } from '../device-tree/virt-dtb.ts'
import { type BootFiles, planBoot } from './boot.ts'
import { LoaderError } from './loaded.ts'

/** `npm run test:long` makes it longer. */
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const memory = 8 * 2 ** 20

/** The line that a plan was refused with; undefined when there is one. */
async function refusal(files: BootFiles): Promise<string | undefined> {
  try {
    await planBoot(files, { cpus: 1, memory, gic: 2 })
    return undefined
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error
    expect(error.message).toMatch(/^[\x20-\x7e]+$/)
    return error.message
  }
}

/** Bytes of a good file with some of them changed, and perhaps cut. */
const damaged = (good: Uint8Array, upTo: number) =>
  fc
    .tuple(
      fc.array(fc.tuple(fc.nat(Math.min(upTo, good.length) - 1), fc.integer({ min: 0, max: 255 })), { maxLength: 12 }),
      fc.oneof({ weight: 3, arbitrary: fc.constant(good.length) }, fc.nat(good.length)),
    )
    .map(([changes, length]) => {
      const bytes = good.slice()
      for (const [at, value] of changes) bytes[at] = value
      return bytes.subarray(0, length)
    })

/** Little-endian fields at offsets: what kinds of file begin with. */
function header(length: number, fields: readonly (readonly [number, 1 | 2 | 4 | 8, bigint])[]): Uint8Array {
  const bytes = new Uint8Array(length)
  for (const [offset, size, value] of fields)
    for (let i = 0; i < size; i++) bytes[offset + i] = Number((value >> BigInt(8 * i)) & 0xffn)
  return bytes
}

const image = header(4096, [
  [16, 8, 0x1_0000n],
  [24, 8, 0xan],
  [56, 4, 0x644d_5241n],
])

const elf = header(4096, [
  [0, 4, 0x464c_457fn],
  [4, 4, 0x0001_0102n],
  [16, 2, 2n],
  [18, 2, 183n],
  [24, 8, 0x4010_0000n],
  [32, 8, 64n],
  [54, 2, 56n],
  [56, 2, 2n],
  ...[64, 120].flatMap((at, i): [number, 4 | 8, bigint][] => [
    [at, 4, 1n],
    [at + 8, 8, 0x400n],
    [at + 16, 8, 0x4010_0000n + BigInt(i * 4096)],
    [at + 24, 8, 0x4010_0000n + BigInt(i * 4096)],
    [at + 32, 8, 64n],
    [at + 40, 8, 128n],
  ]),
])

const tree = virtDtb({ cpus: 2, memory, gic: 3, its: true })

describe('what a machine is to start with', () => {
  it('is taken when it is good', async () => {
    for (const kernel of [image, elf]) expect(await refusal({ kernel, dtb: tree, append: 'x' })).toBeUndefined()
  })

  it.each([
    ['an Image', image, 64],
    ['an ELF file', elf, 176],
    ['an Image with any bytes', image, 4096],
  ] as const)('is planned or refused with one line, for %s whose header is damaged', async (_, good, upTo) => {
    await fc.assert(
      fc.asyncProperty(damaged(good, upTo), async (kernel) => {
        await refusal({ kernel })
      }),
      { numRuns: 150 * times },
    )
  })

  it('is planned or refused with one line, for any bytes as a kernel, a RAM disk and a device tree', async () => {
    const bytes = fc.uint8Array({ maxLength: 300 })
    await fc.assert(
      fc.asyncProperty(bytes, fc.option(bytes), fc.option(bytes), fc.option(fc.string()), async (kernel, i, d, a) => {
        await refusal({ kernel, initrd: i ?? undefined, dtb: d ?? undefined, append: a ?? undefined })
      }),
      { numRuns: 100 * times },
    )
  })

  it('is planned or refused with one line, for a device tree that is damaged', async () => {
    await fc.assert(
      fc.asyncProperty(damaged(tree, tree.length), async (dtb) => {
        await refusal({ kernel: image, dtb, append: 'x', initrd: Uint8Array.of(1) })
      }),
      { numRuns: 150 * times },
    )
  })

  it('refuses a device tree with a name that it could not write again, by that name', async () => {
    const good = encodeFdt({
      root: fdtNode('', {}, [fdtNode('nodename', { propname: 'x' })]),
      reservations: [],
      bootCpu: 0,
    })
    for (const name of ['nodename', 'propname']) {
      const dtb = good.slice()
      dtb[Buffer.from(dtb).indexOf(name)] = 0xc3
      expect(await refusal({ kernel: image, dtb })).toMatch(/^the device tree cannot be used: '[a-z?]*' is no name/)
    }
  })
})
