/** Guest memory as lines of text, in the formats of debuggers' `x`. Devices are read by a door that they do not notice, where one is given. */

import type { Cluster } from '../../aarch64/cluster.ts'
import type { Symbols } from '../why/symbols.ts'

const sizes: Readonly<Record<string, number>> = { b: 1, h: 2, w: 4, g: 8 }
const MOST = 4096

/** What a format word says; throws a RangeError for one that says nothing. */
function parse(format: string): { count: number; kind: string; size: number } {
  const match = /^([0-9]{0,9})([a-z]*)$/.exec(format)
  let kind = ''
  let size = 0
  for (const letter of match?.[2] ?? '?') {
    if (sizes[letter] !== undefined && size === 0) size = sizes[letter]
    else if ('xduoci'.includes(letter) && kind === '') kind = letter
    else throw new RangeError(`'/${format.slice(0, 20)}' is no format`)
  }
  const count = match?.[1] === '' ? 1 : Number(match?.[1])
  if (count < 1 || count > MOST) throw new RangeError(`1 to ${MOST} items, not ${count}`)
  kind ||= 'x'
  if (kind === 'i') size = 4
  return { count, kind, size: size || (kind === 'c' ? 1 : 4) }
}

/**
 * The address that a word names: sums and differences of numbers and of a CPU's registers, as in `$sp+16`; undefined for a word
 * that names none.
 */
export function addressOf(cluster: Cluster, cpu: number, word: string): bigint | undefined {
  if (!/^[-+]?[^-+]+([-+][^-+]+)*$/.test(word)) return undefined
  let sum = 0n
  for (const [, sign, term] of word.matchAll(/([-+]?)([^-+]+)/g)) {
    const value = termOf(cluster, cpu, term!.toLowerCase())
    if (value === undefined) return undefined
    sum += sign === '-' ? -value : value
  }
  return BigInt.asUintN(64, sum)
}

function termOf(cluster: Cluster, cpu: number, term: string): bigint | undefined {
  if (/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/.test(term)) return BigInt(term)
  if (term === '$pc') return cluster.pc(cpu)
  const number = term === '$sp' ? 31 : term === '$lr' ? 30 : term === '$fp' ? 29 : /^\$x([0-9]{1,2})$/.exec(term)?.[1]
  return number === undefined || (term !== '$sp' && Number(number) > 30)
    ? undefined
    : cluster.register(cpu, Number(number))
}

/**
 * @param cpu whose translation to use; undefined for a physical address
 * @param peek what is at a physical address where no memory is, read without an effect
 */
export function examine(
  cluster: Cluster,
  format: string,
  address: bigint,
  cpu: number | undefined,
  peek: (address: number, size: number) => bigint | undefined = () => undefined,
  symbols?: Symbols,
): string {
  const { count, kind, size } = parse(format)
  const perLine = kind === 'i' ? 1 : Math.max(1, 16 / size)
  const lines: string[] = []
  let line = ''
  for (let i = 0; i < count; i++) {
    const at = BigInt.asUintN(64, address + BigInt(i * size))
    const value = load(cluster, at, size, cpu) ?? (at < 2n ** 52n ? peek(Number(at), size) : undefined)
    if (i % perLine === 0) {
      if (line !== '') lines.push(line)
      const name = kind === 'i' ? symbols?.at(at) : undefined
      line = `0x${at.toString(16).padStart(16, '0')}${name === undefined ? '' : ` <${name}>`}:`
    }
    if (value === undefined) {
      if (line !== '') lines.push(`${line} not memory`)
      return lines.join('\n')
    }
    line += ` ${text(cluster, value, at, kind, size)}`
  }
  lines.push(line)
  return lines.join('\n')
}

function load(cluster: Cluster, address: bigint, size: number, cpu: number | undefined): bigint | undefined {
  let value = 0n
  for (let i = 0; i < size; i++) {
    const at = BigInt.asUintN(64, address + BigInt(i))
    const physical = cpu === undefined ? (at < 2n ** 52n ? Number(at) : -1) : cluster.translate(cpu, at)
    const byte = physical < 0 ? undefined : cluster.view(physical, 1)?.[0]
    if (byte === undefined) return undefined
    value |= BigInt(byte) << BigInt(8 * i)
  }
  return value
}

function text(cluster: Cluster, value: bigint, address: bigint, kind: string, size: number): string {
  if (kind === 'i') return cluster.disassemble(Number(value), address)
  if (kind === 'd') return BigInt.asIntN(8 * size, value).toString()
  if (kind === 'u') return value.toString()
  if (kind === 'o') return `0${value.toString(8)}`
  const character = Number(value & 0xffn)
  if (kind === 'c')
    return character >= 0x20 && character < 0x7f
      ? `'${String.fromCharCode(character)}'`
      : `'\\x${character.toString(16).padStart(2, '0')}'`
  return `0x${value.toString(16).padStart(2 * size, '0')}`
}
