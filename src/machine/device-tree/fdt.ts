/**
 * Flattened device trees (Devicetree Specification 0.4, chapter 5): a tree of nodes to a blob and back. It knows the format and
 * no meaning; what a board says of itself is in `virt-dtb.ts`.
 */

/** A blob that is no device tree: says what is wrong, in one line. */
export class FdtError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'FdtError'
}

/** A node of a device tree. */
export interface FdtNode {
  /** With its unit address, as in `memory@40000000`; empty for the root. */
  readonly name: string
  /** By name, as bytes. */
  readonly properties: Map<string, Uint8Array>
  /** In order. */
  readonly children: FdtNode[]
}

/** A property's value: present and empty, text, a list of texts, 32-bit cells, or bytes as they are. */
export type FdtValue = true | string | readonly string[] | readonly number[] | Uint8Array

/** A device tree as a blob holds it. */
export interface Fdt {
  /** Its root. */
  root: FdtNode
  /** Memory that the guest must leave alone: address and length in bytes. */
  reservations: (readonly [bigint, bigint])[]
  /** The physical ID of the CPU that boots. */
  bootCpu: number
}

const MAGIC = 0xd00d_feed
const HEADER = 40
const TOKEN = { beginNode: 1, endNode: 2, property: 3, nop: 4, end: 9 } as const

/** Bounds on what a blob may ask for: the largest that is read, and how deep nodes may nest. */
const MAX_BLOB = 0x100_0000
const MAX_DEPTH = 64

/** A node of values as they are written in a device tree source. */
export function fdtNode(
  name: string,
  properties: Readonly<Record<string, FdtValue | undefined>>,
  children: readonly (FdtNode | undefined)[] = [],
): FdtNode {
  const encoded = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(properties)) if (value !== undefined) encoded.set(key, encodeValue(value))
  return { name, properties: encoded, children: children.filter((child) => child !== undefined) }
}

/** The two cells of a 64-bit number. */
export function cells64(value: number): [number, number] {
  return [Math.floor(value / 2 ** 32), value % 2 ** 32]
}

/** A property's bytes, from text, cells or bytes. Throws an FdtError for a cell that is no 32-bit number. */
export function encodeValue(value: FdtValue): Uint8Array {
  if (value === true) return new Uint8Array(0)
  if (value instanceof Uint8Array) return value
  if (typeof value === 'string') return new TextEncoder().encode(`${value}\0`)
  if (value.every((each) => typeof each === 'string'))
    return new TextEncoder().encode(value.map((each) => `${each}\0`).join(''))
  const view = new DataView(new ArrayBuffer(value.length * 4))
  for (const [i, cell] of (value as readonly number[]).entries()) view.setUint32(i * 4, cell)
  return new Uint8Array(view.buffer)
}

/** A property's 32-bit cells; a rest of less than four bytes is left out. */
export function cellsOf(value: Uint8Array | undefined): number[] {
  if (value === undefined) return []
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength)
  return Array.from({ length: value.length >> 2 }, (_, i) => view.getUint32(i * 4))
}

/** A property's texts. */
export function stringsOf(value: Uint8Array | undefined): string[] {
  if (value === undefined || value.length === 0) return []
  const text = new TextDecoder().decode(value)
  return (text.endsWith('\0') ? text.slice(0, -1) : text).split('\0')
}

/** The node at a path as `/cpus/cpu@0`; a name without its unit address finds the first that has it. */
export function findNode(root: FdtNode, path: string): FdtNode | undefined {
  let node: FdtNode | undefined = root
  for (const name of path.split('/').filter(Boolean))
    node = node?.children.find((child) => child.name === name || child.name.split('@')[0] === name)
  return node
}

/** Every node with its path, a node before its children. */
export function* walkNodes(root: FdtNode, path = '/'): Generator<[string, FdtNode]> {
  yield [path, root]
  for (const child of root.children) yield* walkNodes(child, `${path === '/' ? '' : path}/${child.name}`)
}

/** The tree as a blob of version 17. Throws an FdtError for a name that the format cannot hold. */
export function encodeFdt(tree: Fdt): Uint8Array {
  const strings = new Strings()
  const structure = new Writer()
  writeNode(tree.root, structure, strings)
  structure.u32(TOKEN.end)
  const reservations = (tree.reservations.length + 1) * 16
  const atStructure = HEADER + reservations
  const atStrings = atStructure + structure.length
  const total = (atStrings + strings.bytes.length + 7) & ~7

  const out = new Writer()
  for (const word of [
    MAGIC,
    total,
    atStructure,
    atStrings,
    HEADER,
    17,
    16,
    tree.bootCpu,
    strings.bytes.length,
    structure.length,
  ])
    out.u32(word)
  for (const [address, length] of [...tree.reservations, [0n, 0n] as const]) {
    out.u64(address)
    out.u64(length)
  }
  out.bytes(structure.take())
  out.bytes(Uint8Array.from(strings.bytes))
  out.pad(8)
  return out.take()
}

/** The tree of a blob. Throws an FdtError, in one line, for anything that is none; never reads outside of the bytes. */
export function decodeFdt(bytes: Uint8Array): Fdt {
  if (bytes.length < HEADER) throw new FdtError(`not a device tree: ${bytes.length} bytes are less than its header`)
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const header = (index: number) => view.getUint32(index * 4)
  if (header(0) !== MAGIC) throw new FdtError(`not a device tree: it starts with 0x${header(0).toString(16)}`)
  const total = header(1)
  if (total > bytes.length) throw new FdtError(`device tree is cut off: ${bytes.length} of ${total} bytes`)
  if (total < HEADER || total > MAX_BLOB)
    throw new FdtError(`device tree of ${total} bytes: 40 to ${MAX_BLOB} are allowed`)
  const version = header(5)
  if (version < 16 || header(6) > 17) throw new FdtError(`device tree of version ${version}: 16 and 17 are supported`)
  const atStructure = header(2)
  const structureSize = version >= 17 ? header(9) : total - atStructure
  const within = (name: string, at: number, length: number) => {
    if (at > total || length > total - at) throw new FdtError(`device tree: its ${name} block is outside of it`)
    return bytes.subarray(at, at + length)
  }
  const structure = within('structure', atStructure, structureSize)
  const strings = within('strings', header(3), header(8))
  return {
    root: new Reader(structure, strings).tree(),
    reservations: readReservations(view, header(4), total),
    bootCpu: header(7),
  }
}

function writeNode(node: FdtNode, out: Writer, strings: Strings): void {
  out.u32(TOKEN.beginNode)
  out.text(node.name)
  for (const [name, value] of node.properties) {
    out.u32(TOKEN.property)
    out.u32(value.length)
    out.u32(strings.offsetOf(name))
    out.bytes(value)
    out.pad(4)
  }
  for (const child of node.children) writeNode(child, out, strings)
  out.u32(TOKEN.endNode)
}

function readReservations(view: DataView, from: number, total: number): (readonly [bigint, bigint])[] {
  const found: (readonly [bigint, bigint])[] = []
  for (let at = from; ; at += 16) {
    if (at + 16 > total) throw new FdtError('device tree: its memory reservations have no end')
    const entry = [view.getBigUint64(at), view.getBigUint64(at + 8)] as const
    if (entry[0] === 0n && entry[1] === 0n) return found
    found.push(entry)
  }
}

/** Names of properties, each stored once. */
class Strings {
  readonly bytes: number[] = []
  readonly #offsets = new Map<string, number>()

  offsetOf(name: string): number {
    let offset = this.#offsets.get(name)
    if (offset === undefined) {
      offset = this.bytes.length
      this.#offsets.set(name, offset)
      this.bytes.push(...asciiz(name))
    }
    return offset
  }
}

class Writer {
  #bytes = new Uint8Array(0x1000)
  #view = new DataView(this.#bytes.buffer)
  length = 0

  u32(value: number): void {
    this.#reserve(4)
    this.#view.setUint32(this.length, value)
    this.length += 4
  }

  u64(value: bigint): void {
    this.#reserve(8)
    this.#view.setBigUint64(this.length, value)
    this.length += 8
  }

  bytes(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#bytes.set(bytes, this.length)
    this.length += bytes.length
  }

  text(text: string): void {
    this.bytes(asciiz(text))
    this.pad(4)
  }

  pad(alignment: number): void {
    const rest = -this.length & (alignment - 1)
    this.#reserve(rest)
    this.length += rest
  }

  take(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  #reserve(length: number): void {
    if (this.length + length <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + length))
    grown.set(this.#bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }
}

class Reader {
  readonly #structure: Uint8Array
  readonly #view: DataView
  readonly #strings: Uint8Array
  #at = 0

  constructor(structure: Uint8Array, strings: Uint8Array) {
    this.#structure = structure
    this.#view = new DataView(structure.buffer, structure.byteOffset, structure.byteLength)
    this.#strings = strings
  }

  tree(): FdtNode {
    if (this.#token() !== TOKEN.beginNode) throw new FdtError('device tree: it does not begin with a node')
    const root = this.#node()
    const open: FdtNode[] = [root]
    for (;;) {
      const node = open[open.length - 1]!
      const token = this.#token()
      if (token === TOKEN.beginNode) {
        if (open.length === MAX_DEPTH) throw new FdtError(`device tree: nodes nest deeper than ${MAX_DEPTH}`)
        const child = this.#node()
        node.children.push(child)
        open.push(child)
      } else if (token === TOKEN.property) this.#property(node)
      else if (token === TOKEN.endNode) {
        open.pop()
        if (open.length === 0) return root
      } else throw new FdtError(`device tree: token ${token} at offset ${this.#at - 4} of its structure`)
    }
  }

  #node(): FdtNode {
    const end = this.#structure.indexOf(0, this.#at)
    if (end < 0) throw new FdtError('device tree: a name has no end')
    const name = new TextDecoder().decode(this.#structure.subarray(this.#at, end))
    this.#at = (end + 4) & ~3
    return { name, properties: new Map(), children: [] }
  }

  #property(node: FdtNode): void {
    const length = this.#u32()
    const name = this.#u32()
    const end = this.#strings.indexOf(0, name)
    if (end < 0) throw new FdtError(`device tree: a property of ${shown(node)} has no name`)
    if (length > this.#structure.length - this.#at)
      throw new FdtError(`device tree: a property of ${shown(node)} is cut off`)
    node.properties.set(
      new TextDecoder().decode(this.#strings.subarray(name, end)),
      this.#structure.slice(this.#at, this.#at + length),
    )
    this.#at = (this.#at + length + 3) & ~3
  }

  #token(): number {
    for (;;) {
      const token = this.#u32()
      if (token !== TOKEN.nop) return token
    }
  }

  #u32(): number {
    if (this.#at + 4 > this.#structure.length) throw new FdtError('device tree: its structure has no end')
    const value = this.#view.getUint32(this.#at)
    this.#at += 4
    return value
  }
}

/** A node in a message: names of a damaged tree may hold anything. */
function shown({ name }: FdtNode): string {
  return name === '' ? 'the root' : `'${printed(name)}'`
}

function printed(text: string): string {
  return text.slice(0, 60).replace(/[^\x20-\x7e]/g, '?')
}

function asciiz(text: string): Uint8Array {
  if (!/^[\x20-\x7e]*$/.test(text)) throw new FdtError(`'${printed(text)}' is no name for a device tree`)
  return Uint8Array.from(`${text}\0`, (character) => character.charCodeAt(0))
}
