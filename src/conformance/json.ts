/**
 * The vectors as JSON, for programs in any language, and back. Values that may be wider than 53 bits are hexadecimal strings; so are
 * masks, offsets and addresses. It runs nothing.
 */

import { type Subjects, subjectsOf } from './suite.ts'
import type { Step } from './target.ts'
import type { Expected, Needs, Vector, VectorStep } from './vectors/index.ts'

/** Raised whenever the meaning or the set of members changes. */
export const VECTORS_FORMAT_VERSION = 1

/** A document that is no set of vectors: says where, and what is wrong there. */
export class VectorFormatError extends Error {
  /** Tells it from other errors. */
  override readonly name = 'VectorFormatError'
}

/** A step: its `op` and what belongs to it, as in `Step`, and what must come of it. */
export interface JsonStep {
  /** What the step is. */
  readonly op: string
  /** What must come of it; hexadecimal strings. */
  readonly expect?: { readonly value: string; readonly mask: string; readonly status?: string }
  readonly [member: string]: unknown
}

/** One vector; `needs` says which targets it applies to. */
export interface JsonVector {
  /** A sentence. */
  readonly name: string
  /** Where the specification says so. */
  readonly clause: string
  /** Which targets it applies to. */
  readonly needs: Readonly<Needs>
  /** In order, from reset on. */
  readonly steps: readonly JsonStep[]
}

/** The document: vectors by architecture version and subject. */
export interface JsonVectors {
  /** Tells it from other documents. */
  readonly format: 'vgic-vectors'
  /** VECTORS_FORMAT_VERSION. */
  readonly version: number
  /** Vectors, by what they are about. */
  readonly subjects: readonly {
    readonly gic: 2 | 3
    readonly subject: string
    readonly vectors: readonly JsonVector[]
  }[]
}

const hex = (value: number | bigint, bits = 64): string => `0x${BigInt.asUintN(bits, BigInt(value)).toString(16)}`

/** Members of a step that are hexadecimal strings; the rest are as they are. */
const wide = new Set(['value', 'offset', 'address'])

function stepToJson({ step, expect }: VectorStep): JsonStep {
  const members = Object.entries(step).map(([name, value]): [string, unknown] => {
    if (name === 'words') return [name, (value as readonly bigint[]).map((word) => hex(word))]
    const bits = step.op === 'write' ? step.size * 8 : 64
    return [name, wide.has(name) ? hex(value as number | bigint, name === 'value' ? bits : 64) : value]
  })
  const answer =
    expect === undefined ? {} : { expect: { ...expect, value: hex(expect.value, 32), mask: hex(expect.mask, 32) } }
  return { ...(Object.fromEntries(members) as { op: string }), ...answer }
}

/** One vector as JSON has it. */
export function vectorToJson({ name, clause, needs, steps }: Vector): JsonVector {
  return { name, clause, needs, steps: steps.map(stepToJson) }
}

/** The vectors of the versions given, or those of them for which `wanted` is true, as one document. */
export function vectorsToJson(
  versions: readonly (2 | 3)[] = [2, 3],
  wanted: (subject: string, vector: Vector) => boolean = () => true,
): JsonVectors {
  const subjects = versions.flatMap((gic) =>
    Object.entries(subjectsOf[gic]).map(([subject, vectors]) => ({
      gic,
      subject,
      vectors: vectors.filter((vector) => wanted(subject, vector)).map(vectorToJson),
    })),
  )
  return {
    format: 'vgic-vectors',
    version: VECTORS_FORMAT_VERSION,
    subjects: subjects.filter(({ vectors }) => vectors.length > 0),
  }
}

type Members = Readonly<Record<string, unknown>>

function fail(where: string, what: string): never {
  throw new VectorFormatError(`${where}: ${what}`)
}

function members(value: unknown, where: string): Members {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) fail(where, 'is no object')
  return value as Members
}

function list(value: unknown, where: string): readonly unknown[] {
  return Array.isArray(value) ? value : fail(where, 'is no list')
}

function text(value: unknown, where: string): string {
  return typeof value === 'string' ? value : fail(where, 'is no string')
}

function wideNumber(value: unknown, where: string): bigint {
  if (typeof value !== 'string' || !/^0x[0-9a-f]{1,16}$/.test(value)) fail(where, 'is no hexadecimal string of 64 bits')
  return BigInt(value)
}

const whole = (most: number) => (value: unknown, where: string) =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) <= most
    ? (value as number)
    : fail(where, `is no whole number up to ${most}`)

const oneOf =
  (...allowed: readonly unknown[]) =>
  (value: unknown, where: string) =>
    allowed.includes(value) ? value : fail(where, `is none of ${allowed.join(', ')}`)

const cpu = whole(511)
const value = (given: unknown, where: string) => narrow(wideNumber(given, where))
const narrow = (wanted: bigint): number | bigint => (wanted <= 0xffff_ffffn ? Number(wanted) : wanted)
const flag = oneOf(true, false)
const place = (given: unknown, where: string) => Number(wideNumber(given, where))
const execution = (given: unknown, where: string) => {
  const { el, ns, ...scr } = members(given, where)
  oneOf(1, 3)(el, `${where}.el`)
  for (const [name, bit] of Object.entries({ ns, ...scr }))
    ['ns', 'fiq', 'irq'].includes(name) ? flag(bit, `${where}.${name}`) : fail(`${where}.${name}`, 'is not known')
  return given
}

type Reader = (given: unknown, where: string) => unknown
const access = {
  cpu,
  region: oneOf('gicd', 'gicc', 'v2m', 'gicr', 'its', 'itst'),
  offset: place,
  size: oneOf(1, 2, 4, 8),
}
const level = oneOf(0, 1)

/** What each step has, and what it may have. */
const steps: Readonly<Record<Step['op'], { must: Record<string, Reader>; may?: Record<string, Reader> }>> = {
  read: { must: access, may: { secure: flag } },
  write: { must: { ...access, value }, may: { secure: flag } },
  spi: { must: { intid: whole(5119), level } },
  ppi: { must: { intid: whole(1119), cpu, level } },
  lines: { must: {} },
  mrs: { must: { cpu, register: text }, may: { secure: flag, at: execution } },
  msr: { must: { cpu, register: text, value }, may: { secure: flag, at: execution } },
  store: {
    must: {
      address: place,
      words: (given, where) => list(given, where).map((word, i) => wideNumber(word, `${where}[${i}]`)),
    },
  },
  load: { must: { address: place } },
}

function stepFromJson(given: unknown, where: string): VectorStep {
  const { op, expect, ...rest } = members(given, where)
  if (typeof op !== 'string' || !Object.hasOwn(steps, op))
    fail(`${where}.op`, `is none of ${Object.keys(steps).join(', ')}`)
  const { must, may = {} } = steps[op as Step['op']]
  const step: Record<string, unknown> = { op }
  for (const name of Object.keys(must)) if (!Object.hasOwn(rest, name)) fail(`${where}.${name}`, 'is missing')
  for (const [name, member] of Object.entries(rest)) {
    const reader = Object.hasOwn(must, name) ? must[name] : Object.hasOwn(may, name) ? may[name] : undefined
    step[name] = reader === undefined ? fail(`${where}.${name}`, 'is not known') : reader(member, `${where}.${name}`)
  }
  if (expect === undefined) return { step: step as Step }
  const wanted = members(expect, `${where}.expect`)
  const answer = {
    ...(wanted['status'] === undefined
      ? {}
      : { status: oneOf('ok', 'abort', 'undefined', 'trap', 'taken')(wanted['status'], `${where}.expect.status`) }),
    value: value(wanted['value'], `${where}.expect.value`),
    mask: value(wanted['mask'], `${where}.expect.mask`),
  }
  return { step: step as Step, expect: answer as Expected }
}

/** A document's vectors by subject. Throws a VectorFormatError for one that is none, or of another version. */
export function vectorsFromJson(document: unknown): Readonly<Record<2 | 3, Subjects>> {
  const { format, version, subjects } = members(document, 'document')
  if (format !== 'vgic-vectors') fail('document.format', "is not 'vgic-vectors'")
  if (version !== VECTORS_FORMAT_VERSION)
    fail('document.version', `is not ${VECTORS_FORMAT_VERSION}, the one known here`)
  const found: Record<2 | 3, Record<string, Vector[]>> = { 2: {}, 3: {} }
  for (const [i, each] of list(subjects, 'document.subjects').entries()) {
    const where = `subjects[${i}]`
    const { gic, subject, vectors } = members(each, where)
    const of = found[oneOf(2, 3)(gic, `${where}.gic`) as 2 | 3]
    of[text(subject, `${where}.subject`)] = list(vectors, `${where}.vectors`).map((given, n) => {
      const here = `${where}.vectors[${n}]`
      const vector = members(given, here)
      return {
        name: text(vector['name'], `${here}.name`),
        clause: text(vector['clause'], `${here}.clause`),
        needs: members(vector['needs'], `${here}.needs`) as Needs,
        steps: list(vector['steps'], `${here}.steps`).map((step, k) => stepFromJson(step, `${here}.steps[${k}]`)),
      }
    })
  }
  return found
}
