/** Device trees to blobs and back (Devicetree Specification 0.4, chapter 5), and blobs that are none. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  cells64,
  cellsOf,
  decodeFdt,
  encodeFdt,
  encodeValue,
  type Fdt,
  FdtError,
  type FdtNode,
  fdtNode,
  findNode,
  stringsOf,
  walkNodes,
} from './fdt.ts'

const tree: Fdt = {
  root: fdtNode('', { '#address-cells': [2], compatible: ['a,b', 'c'], model: 'x' }, [
    fdtNode('memory@40000000', { reg: [...cells64(0x4000_0000), ...cells64(2 ** 33 + 4)], empty: true }),
    fdtNode('soc', { odd: Uint8Array.of(1, 2, 3, 4, 5) }, [
      fdtNode('uart@1', { reg: [1] }),
      fdtNode('uart@2', { reg: [2] }),
    ]),
  ]),
  reservations: [[0x4000_0000n, 0x1000n]],
  bootCpu: 3,
}

describe('a blob', () => {
  it('has the layout of version 17, big-endian, by hand', () => {
    const blob = encodeFdt({ root: fdtNode('', { a: [0x01020304] }), reservations: [], bootCpu: 0 })
    const words = cellsOf(blob)
    expect(words.slice(0, 10)).toEqual([0xd00dfeed, 96, 56, 88, 40, 17, 16, 0, 2, 32])
    expect(words.slice(10, 14)).toEqual([0, 0, 0, 0])
    // Begin, name; property of 4 bytes, name at 0; value; end of node; end.
    expect(words.slice(14, 22)).toEqual([1, 0, 3, 4, 0, 0x01020304, 2, 9])
    expect([...blob.subarray(88)]).toEqual([0x61, 0, 0, 0, 0, 0, 0, 0])
  })

  it('gives back the tree that it was made of', () => {
    expect(decodeFdt(encodeFdt(tree))).toEqual(tree)
  })

  it('may lie anywhere in an array, with more behind it', () => {
    const blob = encodeFdt(tree)
    const bytes = new Uint8Array(blob.length + 13)
    bytes.set(blob, 3)
    expect(decodeFdt(bytes.subarray(3))).toEqual(tree)
  })

  it('gives back any tree', () => {
    const name = fc.stringMatching(/^[a-z][a-z0-9,@#-]{0,12}$/)
    const properties = fc
      .uniqueArray(fc.tuple(name, fc.uint8Array({ maxLength: 20 })), { selector: ([key]) => key, maxLength: 4 })
      .map((entries) => new Map(entries))
    const { node } = fc.letrec<{ node: FdtNode }>((tie) => ({
      node: fc.record({
        name,
        properties,
        children: fc.oneof({ maxDepth: 4 }, fc.constant<FdtNode[]>([]), fc.array(tie('node'), { maxLength: 3 })),
      }),
    }))
    fc.assert(
      fc.property(node, (root) => {
        const { root: back } = decodeFdt(encodeFdt({ root, reservations: [], bootCpu: 0 }))
        expect(back).toEqual({
          ...root,
          properties: new Map([...root.properties].map(([k, v]) => [k, new Uint8Array(v)])),
        })
      }),
      { numRuns: 50 },
    )
  })

  it('passes over NOP tokens', () => {
    const blob = encodeFdt({ root: fdtNode('', { a: [7] }), reservations: [], bootCpu: 0 })
    const view = new DataView(blob.buffer, blob.byteOffset)
    for (const word of [16, 17, 18, 19]) view.setUint32(word * 4, 4)
    expect(decodeFdt(blob).root.properties.size).toBe(0)
  })

  it('refuses names that the format cannot hold', () => {
    expect(() => encodeFdt({ ...tree, root: fdtNode('ä', {}) })).toThrow(FdtError)
    expect(() => encodeFdt({ ...tree, root: fdtNode('', { 'a\0b': true }) })).toThrow('is no name')
  })
})

describe('values', () => {
  it('are text, texts, cells, bytes, or there', () => {
    expect([...encodeValue('ab')]).toEqual([97, 98, 0])
    expect([...encodeValue(['a', 'b'])]).toEqual([97, 0, 98, 0])
    expect([...encodeValue([1, 0xffffffff])]).toEqual([0, 0, 0, 1, 255, 255, 255, 255])
    expect(encodeValue(true)).toHaveLength(0)
    expect(stringsOf(encodeValue(['a', '', 'b']))).toEqual(['a', '', 'b'])
    expect([stringsOf(undefined), cellsOf(undefined), cellsOf(Uint8Array.of(0, 0, 0, 5, 1))]).toEqual([[], [], [5]])
  })

  it('are found by path, with the unit address or without', () => {
    expect(cellsOf(findNode(tree.root, '/soc/uart@2')?.properties.get('reg'))).toEqual([2])
    expect(cellsOf(findNode(tree.root, '/soc/uart')?.properties.get('reg'))).toEqual([1])
    expect(findNode(tree.root, '/')).toBe(tree.root)
    expect(findNode(tree.root, '/soc/nothing/at/all')).toBeUndefined()
    expect([...walkNodes(tree.root)].map(([path]) => path)).toEqual([
      '/',
      '/memory@40000000',
      '/soc',
      '/soc/uart@1',
      '/soc/uart@2',
    ])
  })
})

describe('what is no blob is refused in one line', () => {
  const blob = () => Uint8Array.from(encodeFdt(tree))
  const patched = (word: number, value: number) => {
    const bytes = blob()
    new DataView(bytes.buffer).setUint32(word * 4, value)
    return bytes
  }
  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /0 bytes are less than its header/],
    ['text', new TextEncoder().encode('/dts-v1/; / { model = "not compiled"; };   '), /it starts with 0x2f647473/],
    ['the first half', blob().subarray(0, 100), /cut off: 100 of/],
    ['a total size of less than a header', patched(1, 8), /of 8 bytes: 40 to/],
    ['an old version', patched(5, 2), /version 2: 16 and 17/],
    ['a version from the future', patched(6, 18), /16 and 17 are supported/],
    ['a structure block elsewhere', patched(2, 0xffff_fff0), /structure block is outside/],
    ['a structure block that is too long', patched(9, 0xffff_fff0), /structure block is outside/],
    ['strings elsewhere', patched(3, 0x7fff_ffff), /strings block is outside/],
    ['reservations elsewhere', patched(4, 0xffff_ffff), /reservations have no end/],
    ['no first node', patched(18, 9), /does not begin with a node/],
    ['an unknown token', patched(20, 77), /token 77 at offset 8/],
    ['a property that is too long', patched(21, 0x7fff_ffff), /a property of the root is cut off/],
    ['a property without a name', patched(22, 0x7fff_ffff), /has no name/],
    ['a structure without an end', patched(9, 16), /structure has no end/],
  ])('%s', (_, bytes, message) => {
    expect(() => decodeFdt(bytes)).toThrow(FdtError)
    expect(() => decodeFdt(bytes)).toThrow(message)
  })

  it('nodes without end', () => {
    let node = fdtNode('deepest', {})
    for (let i = 0; i < 100; i++) node = fdtNode('n', {}, [node])
    expect(() => decodeFdt(encodeFdt({ root: node, reservations: [], bootCpu: 0 }))).toThrow('nest deeper than 64')
  })

  it('any damage to a good one: it decodes to something, or is refused as an FdtError', () => {
    let refused = 0
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat({ max: 300 }), fc.nat({ max: 255 })), { minLength: 1, maxLength: 5 }),
        (damage) => {
          const bytes = blob()
          for (const [at, value] of damage) bytes[at % bytes.length] = value
          try {
            decodeFdt(bytes)
          } catch (error) {
            expect(error).toBeInstanceOf(FdtError)
            refused++
          }
        },
      ),
      { numRuns: 2000 },
    )
    expect(refused).toBeGreaterThan(100)
  })
})
