/**
 * An ELF file of one segment with names for its code, for specs of symbols (System V ABI, chapter 4: ELF header, sections, symbol
 * table). No linker makes it, and it has no more than a reader of symbols looks at.
 */

/** A line of the symbol table. */
export interface SymbolLine {
  readonly name: string
  readonly value: bigint
  readonly size?: number
  /** STT_FUNC unless given. */
  readonly type?: number
  /** Of .text unless given. */
  readonly section?: number
}

/** Where the parts are in the file. */
export const parts = { code: 0x100, sections: 0x2000 } as const

export function elfWithSymbols(
  code: Uint8Array,
  { virtual, physical = virtual, names }: { virtual: bigint; physical?: bigint; names: readonly SymbolLine[] },
): Uint8Array {
  const strings = `\0${names.map(({ name }) => `${name}\0`).join('')}`
  const [symbolsAt, symbolsSize] = [parts.sections + 4 * 64, names.length * 24]
  const stringsAt = symbolsAt + symbolsSize
  const bytes = new Uint8Array(stringsAt + strings.length)
  const view = new DataView(bytes.buffer)
  const wide = (at: number, ...values: (bigint | number)[]) => {
    for (const [i, value] of values.entries()) view.setBigUint64(at + i * 8, BigInt(value), true)
  }
  view.setUint32(0, 0x7f45_4c46)
  bytes.set([2, 1, 1], 4)
  view.setUint16(16, 2, true)
  view.setUint16(18, 183, true)
  wide(24, virtual, 64, parts.sections)
  for (const [at, value] of [
    [54, 56],
    [56, 1],
    [58, 64],
    [60, 4],
  ] as const)
    view.setUint16(at, value, true)
  // PT_LOAD: offset, virtual and physical address, sizes in the file and in memory.
  view.setUint32(64, 1, true)
  wide(72, parts.code, virtual, physical, code.length, code.length)
  bytes.set(code, parts.code)
  // 1 .text (SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR), 2 .symtab, 3 .strtab
  const section = (n: number, type: number, ...rest: (bigint | number)[]) => {
    view.setUint32(parts.sections + n * 64 + 4, type, true)
    wide(parts.sections + n * 64 + 8, ...rest)
  }
  section(1, 1, 6, virtual, parts.code, code.length)
  section(2, 2, 0, 0, symbolsAt, symbolsSize, 3)
  section(3, 3, 0, 0, stringsAt, strings.length)
  for (const [i, { name, value, size = 0, type = 2, section: index = 1 }] of names.entries()) {
    const at = symbolsAt + i * 24
    view.setUint32(at, strings.indexOf(`\0${name}\0`) + 1, true)
    view.setUint8(at + 4, type)
    view.setUint16(at + 6, index, true)
    wide(at + 8, value, size)
  }
  bytes.set(new TextEncoder().encode(strings), stringsAt)
  return bytes
}
