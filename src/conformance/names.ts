/**
 * What a step's register and fields are called, for people who read of a failure: from the register tables. Vectors take their
 * offsets from the specification and never from here.
 */

import { iccEncoding, iccRegister } from '../gic/index.ts'
import { controlRegisters, translationRegisters } from '../gic/its/registers.ts'
import { cpuRegisters } from '../gic/v2/cpu-registers.ts'
import { distributor } from '../gic/v2/distributor.ts'
import { v2mRegisters } from '../gic/v2/v2m.ts'
import { distributorV3 } from '../gic/v3/distributor.ts'
import { redistributorRegisters } from '../gic/v3/redistributor-registers.ts'
import type { Fields } from '../mmio/index.ts'
import type { Region, Step } from './target.ts'

interface Named {
  readonly name: string
  readonly fields: Fields
}

interface Table {
  at(
    offset: number,
  ): { readonly name: string; readonly row: { readonly offset: number; readonly fields: Fields } } | undefined
}

/** Bytes of one Redistributor; in region `gicr` they follow each other. */
const REDISTRIBUTOR = 0x20000

function tableOf(version: 2 | 3, region: Region): Table {
  const tables: Readonly<Record<Region, Table>> = {
    gicd: version === 2 ? distributor : distributorV3,
    gicc: cpuRegisters,
    v2m: v2mRegisters,
    gicr: redistributorRegisters,
    its: controlRegisters,
    itst: translationRegisters,
  }
  return tables[region]
}

function namedAt(version: 2 | 3, region: Region, offset: number): Named | undefined {
  const inFrame = region === 'gicr' ? offset % REDISTRIBUTOR : offset
  const found = tableOf(version, region).at(inFrame)
  if (found === undefined) return undefined
  const owner = region === 'gicr' ? ` of Redistributor ${Math.floor(offset / REDISTRIBUTOR)}` : ''
  const byte = inFrame & 3
  return {
    name: `${found.name}${byte === 0 ? '' : ` byte ${byte}`}${owner}`,
    fields: byte === 0 ? found.row.fields : {},
  }
}

function fieldsOf(register: string): Fields {
  const encoding = iccEncoding(register)
  return (encoding === undefined ? undefined : iccRegister(encoding))?.fields ?? {}
}

function named(version: 2 | 3, step: Step): Named | undefined {
  if (step.op === 'read' || step.op === 'write') return namedAt(version, step.region, step.offset)
  if (step.op !== 'mrs' && step.op !== 'msr') return undefined
  return { name: step.register, fields: fieldsOf(step.register) }
}

/** The register that a step is about, as `GICD_ISENABLER1` or `ICC_PMR_EL1`; undefined for a step about none. */
export function registerName(version: 2 | 3, step: Step): string | undefined {
  return named(version, step)?.name
}

/** One output of `lines` that differs, by name and level. */
function outputName(bit: number): string {
  return `${bit & 1 ? 'IRQ' : 'FIQ'} of CPU ${bit >> 1}`
}

/**
 * The fields in which two values of a step's register differ, within `mask`: `Priority is 0x8, should be 0x10`. Bits that belong
 * to no field of the table are named by their numbers.
 */
export function differingFields(version: 2 | 3, step: Step, actual: bigint, expected: bigint, mask: bigint): string[] {
  const differing = (actual ^ expected) & mask
  if (differing === 0n) return []
  const found: string[] = []
  let rest = differing
  const tell = (name: string, lsb: number, width: number) => {
    const ones = (1n << BigInt(width)) - 1n
    const of = (value: bigint) => `0x${((value >> BigInt(lsb)) & ones).toString(16)}`
    found.push(`${name} is ${of(actual)}, should be ${of(expected)}`)
    rest &= ~(ones << BigInt(lsb))
  }
  if (step.op !== 'lines')
    for (const [name, { msb, lsb }] of Object.entries(named(version, step)?.fields ?? {}))
      if ((differing >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n)) tell(name, lsb, msb - lsb + 1)
  for (let bit = 0; rest !== 0n; bit++)
    if ((rest >> BigInt(bit)) & 1n) tell(step.op === 'lines' ? outputName(bit) : `bit ${bit}`, bit, 1)
  return found
}
