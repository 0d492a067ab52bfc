/**
 * A WebAssembly module under construction: imports, functions, one function table, exports. Functions may be library
 * functions, which are emitted once, the first time that something calls them. One imported memory; no data segments.
 */
import { Bytes } from './bytes.ts'
import { Code, type ValueType, valueTypeCode } from './code.ts'

export interface Signature {
  readonly parameters: readonly ValueType[]
  readonly results: readonly ValueType[]
}

/**
 * A wasm function that several instructions share: soft-float, flags, the slow path of a memory access. Declare it once as
 * a constant; `module.indexOf(f)` (or `e.call(f)` in a semantic function) emits it on first use and gives its index.
 */
export interface LibraryFunction extends Signature {
  readonly name: string
  /** Emits the body. Parameters are locals 0, 1, ...; results are left on the stack. `module` serves calls to others. */
  readonly body: (code: Code, module: Module) => void
}

/** A function that the embedder gives at instantiation, in the import namespace `host`. */
export interface HostFunction extends Signature {
  readonly name: string
  readonly host: true
}

interface Defined {
  readonly type: number
  code: Code | undefined
}

export class Module {
  private readonly types: Signature[] = []
  private readonly typeIndex = new Map<string, number>()
  private readonly imports: { name: string; type: number }[] = []
  private readonly functions: Defined[] = []
  private readonly known = new Map<LibraryFunction | HostFunction, number>()
  private readonly pending: { callee: LibraryFunction; slot: Defined }[] = []
  private readonly table: number[] = []
  private readonly exported: { name: string; index: number }[] = []
  private readonly memoryPages: number

  /** Host functions are declared up front, because imports come first in wasm's index space. */
  constructor(hosts: readonly HostFunction[], memoryPages: number) {
    this.memoryPages = memoryPages
    for (const host of hosts) {
      this.known.set(host, this.imports.length)
      this.imports.push({ name: host.name, type: this.type(host) })
    }
  }

  type(signature: Signature): number {
    const key = `${signature.parameters.join()}>${signature.results.join()}`
    let index = this.typeIndex.get(key)
    if (index === undefined) {
      index = this.types.push(signature) - 1
      this.typeIndex.set(key, index)
    }
    return index
  }

  /** The index of a library or host function; a library function is emitted if this is its first use. */
  indexOf(callee: LibraryFunction | HostFunction): number {
    const existing = this.known.get(callee)
    if (existing !== undefined) return existing
    if ('host' in callee) throw new Error(`host function ${callee.name} was not declared`)
    const slot: Defined = { type: this.type(callee), code: undefined }
    const index = this.imports.length + this.functions.push(slot) - 1
    this.known.set(callee, index)
    this.pending.push({ callee, slot })
    return index
  }

  /** Adds a function with a finished body. */
  define(signature: Signature, code: Code): number {
    return this.imports.length + this.functions.push({ type: this.type(signature), code }) - 1
  }

  /** Appends a function to the table; the result is its table index. */
  tableEntry(functionIndex: number): number {
    return this.table.push(functionIndex) - 1
  }

  get tableSize(): number {
    return this.table.length
  }

  export(name: string, functionIndex: number): void {
    this.exported.push({ name, index: functionIndex })
  }

  encode(): Uint8Array<ArrayBuffer> {
    for (let next = this.pending.pop(); next; next = this.pending.pop()) {
      const code = new Code(next.callee.parameters)
      next.callee.body(code, this)
      next.slot.code = code
    }
    const out = new Bytes(1 << 20)
    for (const one of [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]) out.byte(one)
    const section = (id: number, fill: (content: Bytes) => void) => {
      const content = new Bytes(4096)
      fill(content)
      out.byte(id)
      out.u32(content.length)
      out.append(content)
    }
    section(1, (content) => {
      content.u32(this.types.length)
      for (const { parameters, results } of this.types) {
        content.byte(0x60)
        content.u32(parameters.length)
        for (const type of parameters) content.byte(valueTypeCode[type])
        content.u32(results.length)
        for (const type of results) content.byte(valueTypeCode[type])
      }
    })
    section(2, (content) => {
      content.u32(this.imports.length + 1)
      for (const { name, type } of this.imports) {
        content.name('host')
        content.name(name)
        content.byte(0)
        content.u32(type)
      }
      content.name('host')
      content.name('memory')
      content.byte(2)
      content.byte(0)
      content.u32(this.memoryPages)
    })
    section(3, (content) => {
      content.u32(this.functions.length)
      for (const { type } of this.functions) content.u32(type)
    })
    section(4, (content) => {
      content.u32(1)
      content.byte(0x70)
      content.byte(0)
      content.u32(this.table.length)
    })
    section(7, (content) => {
      content.u32(this.exported.length)
      for (const { name, index } of this.exported) {
        content.name(name)
        content.byte(0)
        content.u32(index)
      }
    })
    section(9, (content) => {
      content.u32(1)
      content.u32(0)
      content.byte(0x41)
      content.s32(0)
      content.byte(0x0b)
      content.u32(this.table.length)
      for (const index of this.table) content.u32(index)
    })
    section(10, (content) => {
      content.u32(this.functions.length)
      const body = new Bytes(4096)
      for (const { code } of this.functions) {
        if (!code) throw new Error('a library function has no body')
        body.length = 0
        code.encode(body)
        content.u32(body.length)
        content.append(body)
      }
    })
    return out.take()
  }
}
