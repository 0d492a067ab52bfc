/**
 * What listeners hear of an access to a frame: the access, and in words what was wrong with one that the frame refused, or
 * that met a register which is not modelled. It decides nothing.
 */

import { type Access, type Frame, Outcome, outcomeNames, type Row } from '../mmio/index.ts'
import type { Events, MisuseCode } from './events.ts'
import { hexWords } from './remedy.ts'

/** What hears of it. */
interface Listening {
  readonly events: Events
  misuse(code: MisuseCode, cpu: number, intid: number, what?: string, detail?: string): void
}

export function reportAccess<D>(
  gic: Listening,
  frame: Pick<Frame<D>, 'name' | 'table'>,
  row: Row<D> | undefined,
  access: Access,
  outcome: Outcome,
): void {
  const { by, offset, size, write, low, high } = access
  const there = frame.table.at(offset)
  const register = there?.name
  gic.events.emit({
    kind: 'access',
    frame: frame.name,
    register,
    offset,
    size,
    write,
    low: low >>> 0,
    high: high >>> 0,
    cpu: by.cpu,
    secure: by.secure,
    outcome: outcomeNames[outcome]!,
  })
  const what = register ?? `${frame.name} offset 0x${offset.toString(16)}`
  if (outcome === Outcome.reserved) gic.misuse('reserved-register', by.cpu, -1, what, `: ${tried(access)}`)
  else if (outcome !== Outcome.ok)
    gic.misuse('bad-access', by.cpu, -1, what, `: ${tried(access)}, and ${allowed(there?.row, access, outcome)}`)
  else if (row?.modelling === 'not-modelled') gic.misuse('not-modelled', by.cpu, -1, what)
}

/** An access to a system register of a CPU interface, as to a register of a frame without places. */
export function reportSysreg(
  events: Events,
  { pe, secure }: { readonly pe: number; readonly secure: boolean },
  register: string,
  write: boolean,
  low: number,
  high: number,
): void {
  events.emit({
    kind: 'access',
    frame: 'ICC',
    register,
    offset: 0,
    size: 8,
    write,
    low: low >>> 0,
    high: high >>> 0,
    cpu: pe,
    secure,
    outcome: 'ok',
  })
}

function tried({ write, size, low, high }: Access): string {
  return write ? `a ${size}-byte write of ${hexWords(low, size === 8 ? high : 0)}` : `a ${size}-byte read`
}

/** What the register allows, where it did not allow this. */
function allowed(row: { readonly widths: number } | undefined, access: Access, outcome: Outcome): string {
  const { offset, size, write, by } = access
  if (outcome === Outcome.width)
    return `it takes ${[1, 2, 4, 8].filter((n) => (row?.widths ?? 4) & n).join(' or ')} bytes`
  if (outcome === Outcome.misaligned) return `offset 0x${offset.toString(16)} is no multiple of ${size}`
  if (outcome === Outcome.mode) return `it is ${write ? 'read' : 'write'}-only`
  return `it is hidden from ${by.secure ? 'Secure' : 'Non-secure'} accesses, or is for CPUs alone`
}
