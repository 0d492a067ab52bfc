/** Colours, numbers and bars for a terminal. Colour is off for anything but a terminal, and where NO_COLOR asks for it. */

import type { Io, Output } from './command.ts'

export interface Style {
  bold(text: string): string
  dim(text: string): string
  good(text: string): string
  bad(text: string): string
  accent(text: string): string
}

const wrap = (open: number, close: number) => (text: string) => `\x1b[${open}m${text}\x1b[${close}m`
const same = (text: string) => text

const coloured: Style = {
  bold: wrap(1, 22),
  dim: wrap(2, 22),
  good: wrap(32, 39),
  bad: wrap(31, 39),
  accent: wrap(36, 39),
}
const plain: Style = { bold: same, dim: same, good: same, bad: same, accent: same }

/** The style for a stream: colours only on a terminal, and none where NO_COLOR is set and not empty (no-color.org). */
export function styleFor(output: Output, env: Io['env']): Style {
  const refused = (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb'
  return output.isTerminal && !refused ? coloured : plain
}

/** A whole number with thousands set apart. */
export function grouped(value: number): string {
  return Math.round(value)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 read`, `2 reads`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`
}

/** Seconds to three figures or so. */
export function duration(seconds: number): string {
  return seconds < 1 ? `${Math.round(seconds * 1000)} ms` : `${seconds.toFixed(seconds < 10 ? 2 : 1)} s`
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** A bar of at most `width` characters; anything above nothing shows. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return ''.padEnd(width)
  const steps = Math.max(1, Math.min(width * 8, Math.round((value / most) * width * 8)))
  return ('█'.repeat(steps >> 3) + (eighths[steps & 7] ?? '')).padEnd(width)
}

/** Control characters made visible: nothing of a file's content may steer a terminal. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\u2028\u2029]/gu,
    (c) => `\\x${(c.codePointAt(0) ?? 0).toString(16).padStart(2, '0')}`,
  )
}
