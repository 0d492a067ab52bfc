/**
 * The names of code in an ELF file: its .symtab and .strtab, as far as they lie in sections that are executed. Debug information
 * and the dynamic symbols are not read. What is wrong with a file is one line; what it costs is bounded.
 */

import { type CodeSymbol, type LoadedAt, Symbols } from '../why/symbols.ts'
import { isElf } from './elf.ts'
import { LoaderError, viewOf } from './loaded.ts'

/** Linux has some 200,000. */
const MOST_SYMBOLS = 2 ** 20
const LONGEST_NAME = 128

const [SECTION, SYMBOL, SEGMENT] = [64, 24, 56]
const [SHT_SYMTAB, SHT_STRTAB, SHF_EXECINSTR, PT_LOAD] = [2, 3, 4, 1]
const [STT_NOTYPE, STT_FUNC] = [0, 2]

interface Section {
  readonly type: number
  readonly executed: boolean
  readonly start: bigint
  readonly offset: number
  readonly size: number
  readonly link: number
  readonly end: bigint
}

/**
 * @param image where the first segment is in memory, if another file than this one was loaded: an Image, of which this is the
 *   vmlinux
 * @throws LoaderError for a file without a table that can be read
 */
export function elfSymbols(bytes: Uint8Array, image?: number): Symbols {
  const fail = (why: string): never => {
    throw new LoaderError(why)
  }
  if (!isElf(bytes)) fail('is no ELF file: symbols are in one that was not stripped, such as vmlinux beside an Image')
  if (bytes.length < 64 || bytes[4] !== 2 || bytes[5] !== 1) fail('is no ELF file of 64 bits, little-endian')
  const view = viewOf(bytes)
  const half = (at: number) => view.getUint16(at, true)
  const wide = (at: number) => view.getBigUint64(at, true)
  const fits = (offset: number, size: number) => offset + size <= bytes.length

  const [sectionsAt, sectionCount] = [Number(wide(40)), half(60)]
  const whole = half(58) === SECTION && fits(sectionsAt, sectionCount * SECTION)
  if (sectionCount > 0 && !whole) fail('is cut off in its section headers')
  const sections = Array.from({ length: sectionCount }, (_, i): Section => {
    const at = sectionsAt + i * SECTION
    const [start, size] = [wide(at + 16), wide(at + 32)]
    return {
      type: view.getUint32(at + 4, true),
      executed: (wide(at + 8) & BigInt(SHF_EXECINSTR)) !== 0n,
      start,
      offset: Number(wide(at + 24)),
      size: Number(size),
      link: view.getUint32(at + 40, true),
      end: start + size,
    }
  })
  const table = sections.find(({ type }) => type === SHT_SYMTAB)
  if (table === undefined) return fail('has no symbols: give one that was not stripped')
  const names = sections[table.link]
  if (names?.type !== SHT_STRTAB || !fits(table.offset, table.size) || !fits(names.offset, names.size))
    return fail('is cut off in its symbol table')
  if (table.size / SYMBOL > MOST_SYMBOLS) fail(`has more than ${MOST_SYMBOLS} symbols`)

  const nameAt = (index: number): string => {
    if (index >= names.size) return ''
    const text = bytes.subarray(names.offset + index, names.offset + Math.min(names.size, index + LONGEST_NAME))
    const length = text.indexOf(0)
    return String.fromCharCode(...(length < 0 ? text : text.subarray(0, length))).replace(/[^\x21-\x7e]/g, '?')
  }
  const symbols: CodeSymbol[] = []
  const labels: CodeSymbol[] = []
  for (let at = table.offset; at + SYMBOL <= table.offset + table.size; at += SYMBOL) {
    const type = bytes[at + 4]! & 15
    const section = sections[half(at + 6)]
    if ((type !== STT_NOTYPE && type !== STT_FUNC) || section === undefined || !section.executed) continue
    const [start, size] = [wide(at + 8), wide(at + 16)]
    if (start < section.start || start >= section.end) continue
    const name = nameAt(view.getUint32(at, true))
    // $x and $d say what is code and what is data (ELF for the Arm 64-bit Architecture, Mapping symbols).
    if (name === '' || name.startsWith('$')) continue
    // A label of an assembler has no size: it goes on to the next, or to the end of its section.
    const end = size === 0n || start + size > section.end ? section.end : start + size
    ;(type === STT_FUNC ? symbols : labels).push({ start, end, name })
  }
  // Of a label and a function at one address the function is shown.
  return new Symbols([...labels, ...symbols], loadedAt(view, image))
}

/** Where the segments are in memory before the MMU is on. */
function loadedAt(view: DataView, image: number | undefined): LoadedAt[] {
  const [segmentsAt, count] = [Number(view.getBigUint64(32, true)), view.getUint16(56, true)]
  if (view.getUint16(54, true) !== SEGMENT || segmentsAt + count * SEGMENT > view.byteLength) return []
  const loaded: LoadedAt[] = []
  for (let at = segmentsAt; at < segmentsAt + count * SEGMENT; at += SEGMENT)
    if (view.getUint32(at, true) === PT_LOAD)
      loaded.push({
        linked: view.getBigUint64(at + 16, true),
        address: view.getBigUint64(at + 24, true),
        size: view.getBigUint64(at + 40, true),
      })
  const first = loaded[0]
  if (image === undefined || first === undefined) return loaded
  return loaded.map(({ linked, size }) => ({
    linked,
    size,
    address: BigInt.asUintN(64, linked - first.linked + BigInt(image)),
  }))
}
