/**
 * Every GIC register table against Arm's own facts, both ways: what is in both must agree in name, place, bounds, width,
 * direction and fields; what is in one only must be on a list here, with the reason.
 */

import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Row } from '../mmio/index.ts'
import { encodeSysreg } from './index.ts'
import { cpuRegisters } from './v2/cpu-registers.ts'
import { distributor } from './v2/distributor.ts'
import { distributorV3 } from './v3/distributor.ts'
import { iccRegisters } from './v3/icc-registers.ts'
import { redistributorRegisters } from './v3/redistributor-registers.ts'

interface Fact {
  name: string
  offset: number
  first: number
  count: number
  step: number
  bits: number
  access: string[]
  layouts: [name: string, msb: number, lsb: number][][]
}

/** What a row says of its register, whatever its device. */
type Shape = Pick<Row<never>, 'name' | 'offset' | 'count' | 'first' | 'width' | 'mode' | 'fields'>

interface Comparison {
  frame: 'GICD' | 'GICC' | 'GICR'
  table: { readonly rows: readonly Shape[] }
  /** Arm has it and the table does not: the reason. */
  gaps: Readonly<Record<string, string>>
  /** The table has it and Arm's descriptions do not. */
  extra: Readonly<Record<string, string>>
  /** Fields that the table has and Arm's descriptions do not, and the other way round. */
  extraFields: Readonly<Record<string, string>>
  missingFields: Readonly<Record<string, string>>
  /** Rows that say the same in another shape. */
  reshaped?: Readonly<Record<string, string>>
}

const v3 = 'GICv3: a GICv2 has nothing there (IHI 0048 table 4-1)'
const v2Interrupt =
  'GICv2 has the source CPU and a 10-bit INTID in it (IHI 0048 4.4.4); Arm now describes GICv3, with one 24-bit INTID'

const legacy = 'legacy operation, which is a declared gap: RAZ/WI'
const identification = (frame: string) =>
  Object.fromEntries(
    ['PIDRn', 'CIDRn'].map((name) => [
      `${frame}_${name}`,
      'identification registers (IHI 0069 12.1.13), not in the System Register descriptions',
    ]),
  )

const comparisons: Readonly<Record<string, Comparison>> = {
  'GICv2 GICD': {
    frame: 'GICD',
    table: distributor,
    gaps: Object.fromEntries(
      [
        ...[
          'CLRSPI_NSR',
          'CLRSPI_SR',
          'SETSPI_NSR',
          'SETSPI_SR',
          'STATUSR',
          'TYPER2',
          'IGRPMODRn',
          'INMIRn',
          'IROUTERn',
        ],
        ...['ICACTIVERnE', 'ICENABLERnE', 'ICFGRnE', 'ICPENDRnE', 'IGROUPRnE', 'IGRPMODRnE', 'INMIRnE', 'IPRIORITYRnE'],
        ...['IROUTERnE', 'ISACTIVERnE', 'ISENABLERnE', 'ISPENDRnE', 'NSACRnE'],
      ].map((name) => [`GICD_${name}`, v3]),
    ),
    extra: {
      GICD_PPISR: 'IMPLEMENTATION DEFINED in IHI 0048 (0xD00); here as in GIC-400. GICv3 has GICD_IGRPMODR there',
      GICD_SPISRn: 'IMPLEMENTATION DEFINED in IHI 0048 (0xD04); here as in GIC-400',
      GICD_PIDRn: 'identification registers (IHI 0048 4.3.18), not in the System Register descriptions',
      GICD_CIDRn: 'identification registers (IHI 0048 4.3.18), not in the System Register descriptions',
    },
    extraFields: {
      'GICD_TYPER.LSPI': 'lockable SPIs (IHI 0048 4.3.2); GICv3 has num_LPIs there',
    },
    missingFields: {
      ...Object.fromEntries(
        ['ESPI_range', 'RSS', 'No1N', 'A3V', 'IDbits', 'DVIS', 'LPIS', 'MBIS', 'num_LPIs', 'NMI', 'ESPI'].map(
          (name) => [`GICD_TYPER.${name}`, v3],
        ),
      ),
      ...Object.fromEntries(
        ['RWP', 'E1NWF', 'DS', 'ARE', 'ARE_NS', 'ARE_S', 'nASSGIreq'].map((name) => [`GICD_CTLR.${name}`, v3]),
      ),
      ...Object.fromEntries(
        ['EnableGrp1S', 'EnableGrp1NS', 'EnableGrp1A'].map((name) => [
          `GICD_CTLR.${name}`,
          'GICv3 has two kinds of Group 1; GICv2 has EnableGrp1 (IHI 0048 4.3.1)',
        ]),
      ),
    },
  },
  'GICv2 GICC': {
    frame: 'GICC',
    table: cpuRegisters,
    gaps: { GICC_STATUSR: v3 },
    extra: {},
    extraFields: {
      'GICC_CTLR.AckCtl': 'IHI 0048 4.4.1; RES0 in GICv3',
      ...Object.fromEntries(
        ['IAR', 'EOIR', 'HPPIR', 'AIAR', 'AEOIR', 'AHPPIR', 'DIR'].flatMap((name) => [
          [`GICC_${name}.CPUID`, v2Interrupt],
          [`GICC_${name}.Interrupt_ID`, v2Interrupt],
        ]),
      ),
    },
    missingFields: {
      'GICC_CTLR.EOImode':
        'the name of EOImodeS where there is one Security state; the table has the name of the wider view',
      ...Object.fromEntries(
        ['IAR', 'EOIR', 'HPPIR', 'AIAR', 'AEOIR', 'AHPPIR', 'DIR'].map((name) => [`GICC_${name}.INTID`, v2Interrupt]),
      ),
    },
  },
  'GICv3 GICD': {
    frame: 'GICD',
    table: distributorV3,
    gaps: {},
    extra: identification('GICD'),
    extraFields: {},
    missingFields: {
      ...Object.fromEntries(
        [0, 1, 2, 3].flatMap((i) => [
          [`GICD_CPENDSGIRn.SGI_clear_pending_bits[${i}]`, legacy],
          [`GICD_SPENDSGIRn.SGI_set_pending_bits[${i}]`, legacy],
          [`GICD_ITARGETSRn.CPU_targets_offset_${i}B`, legacy],
        ]),
      ),
      ...Object.fromEntries(
        ['CPUTargetList', 'INTID', 'NSATT', 'TargetListFilter'].map((name) => [`GICD_SGIR.${name}`, legacy]),
      ),
      ...Object.fromEntries(
        ['ARE', 'EnableGrp1', 'EnableGrp1A'].map((name) => [`GICD_CTLR.${name}`, 'the table has the Secure view']),
      ),
      'GICD_CTLR.nASSGIreq': 'GICv4.1',
    },
    reshaped: {
      GICD_SETSPI_SR: 'WI with one Security state, or Non-secure: the access is taken, and does nothing',
      GICD_CLRSPI_SR: 'WI with one Security state, or Non-secure: the access is taken, and does nothing',
      GICD_SGIR: legacy,
      GICD_IROUTERn: 'counted from INTID 0 on as the other banks are; Arm leaves out the 32 that do not exist',
    },
  },
  'GICv3 GICR': {
    frame: 'GICR',
    table: redistributorRegisters,
    gaps: {
      GICR_ICFGR0: 'with GICR_ICFGR1 one bank, GICR_ICFGRn',
      GICR_ICFGR1: 'with GICR_ICFGR0 one bank, GICR_ICFGRn',
      ...Object.fromEntries(
        ['VPENDBASER', 'VPROPBASER', 'VSGIPENDR', 'VSGIR'].map((name) => [`GICR_${name}`, 'GICv4: the VLPI frame']),
      ),
    },
    extra: { ...identification('GICR'), GICR_ICFGRn: 'GICR_ICFGR0 and GICR_ICFGR1 as a bank' },
    extraFields: {},
    missingFields: {},
  },
}

const facts = (
  JSON.parse(readFileSync(new URL('./testdata/arm-gic-registers.json', import.meta.url), 'utf8')) as {
    registers: Fact[]
  }
).registers

/** What this row says that Arm does not, one line each. */
function disagreements(row: Shape, fact: Fact): string[] {
  const is = (what: string, ours: unknown, arms: unknown) => (ours === arms ? [] : [`${what}: ${ours}, Arm's ${arms}`])
  return [
    ...is('offset', row.offset, fact.offset),
    ...is('count', row.count, fact.count),
    ...is('first', row.first, fact.first),
    ...is('width', row.width * 8, fact.bits),
    ...(fact.count > 1 ? is('distance', row.width, fact.step) : []),
    ...is(
      'mode',
      row.mode,
      fact.access.find((access) => access !== 'RAZ/WI'),
    ),
  ]
}

/** Arm's fields of a register by name, over all its layouts; arrays (`<x>`) with the elements that fit. */
function armsFields(fact: Fact): Map<string, Set<string>> {
  const fields = new Map<string, Set<string>>()
  const add = (name: string, msb: number, lsb: number) => {
    if (!fields.has(name)) fields.set(name, new Set())
    fields.get(name)!.add(`${msb}:${lsb}`)
  }
  const widths: Readonly<Record<string, number>> = {
    Int_config: 2,
    NS_access: 2,
    SGI_clear_pending_bits: 8,
    SGI_set_pending_bits: 8,
  }
  for (const layout of fact.layouts)
    for (const [name, msb, lsb] of layout) {
      if (!name.endsWith('<x>')) {
        add(name, msb, lsb)
        continue
      }
      const stem = name.slice(0, -3)
      const width = widths[stem] ?? 1
      for (let x = 0; x * width < 32; x++) add(`${stem}[${x}]`, x * width + width - 1, x * width)
    }
  return fields
}

describe.each(Object.entries(comparisons))('The %s table agrees with the facts of Arm', (_, comparison) => {
  const { frame, table, gaps, extra, extraFields, missingFields, reshaped = {} } = comparison
  const arms = new Map(facts.filter(({ name }) => name.startsWith(`${frame}_`)).map((fact) => [fact.name, fact]))
  const both = table.rows.flatMap((row) => {
    const fact = arms.get(row.name)
    return fact === undefined ? [] : [{ row, fact }]
  })

  it('in the registers that there are, but for declared gaps', () => {
    const missing = [...arms.keys()].filter((name) => !table.rows.some((row) => row.name === name))
    expect(missing.sort()).toEqual(Object.keys(gaps).sort())
  })

  it('and has no others but declared ones', () => {
    const others = table.rows.map(({ name }) => name).filter((name) => !arms.has(name))
    expect(others.sort()).toEqual(Object.keys(extra).sort())
  })

  it('in offset, number, distance, width and direction', () => {
    const found = both.flatMap(({ row, fact }) => disagreements(row, fact).map((what) => `${row.name} ${what}`))
    expect(found.filter((what) => !(what.split(' ')[0]! in reshaped))).toEqual([])
    for (const name of Object.keys(reshaped)) expect(found.some((what) => what.startsWith(name))).toBe(true)
    expect(both.length).toBeGreaterThan(10)
  })

  it('in the names and positions of fields, both ways, but for declared ones', () => {
    const extras: string[] = []
    const missing: string[] = []
    const misplaced: string[] = []
    for (const { row, fact } of both) {
      const theirs = armsFields(fact)
      for (const [name, { msb, lsb }] of Object.entries(row.fields)) {
        const places = theirs.get(name)
        if (places === undefined) extras.push(`${row.name}.${name}`)
        else if (!places.has(`${msb}:${lsb}`))
          misplaced.push(`${row.name}.${name} [${msb}:${lsb}], Arm's ${[...places]}`)
      }
      for (const name of theirs.keys()) if (!(name in row.fields)) missing.push(`${row.name}.${name}`)
    }
    expect(misplaced).toEqual([])
    expect(extras.sort()).toEqual(Object.keys(extraFields).sort())
    expect(missing.sort()).toEqual(Object.keys(missingFields).sort())
  })
})

interface SystemFact {
  name: string
  encoding: [number, number, number, number, number]
  access: ('MRS' | 'MSR')[]
  fields: [name: string, msb: number, lsb: number][]
}

describe('The ICC_* table agrees with the facts of Arm', () => {
  const arms = (
    JSON.parse(readFileSync(new URL('./testdata/arm-icc-registers.json', import.meta.url), 'utf8')) as {
      registers: SystemFact[]
    }
  ).registers
  const ours = new Map(iccRegisters.map((row) => [row.name, row]))

  it('in the registers that there are: all of them, and no others', () => {
    expect([...ours.keys()].sort()).toEqual(arms.map(({ name }) => name).sort())
    expect(arms.length).toBe(31)
  })

  it('in their encodings, and in which of MRS and MSR there is', () => {
    for (const { name, encoding, access } of arms) {
      const row = ours.get(name)!
      expect(row.encoding, name).toBe(encodeSysreg(...encoding))
      expect([row.read !== undefined, row.write !== undefined], name).toEqual([
        access.includes('MRS'),
        access.includes('MSR'),
      ])
    }
  })

  it('in the names and positions of their fields, both ways', () => {
    for (const { name, fields } of arms) {
      const sorted = (all: [string, number, number][]) => all.sort((a, b) => a[2] - b[2])
      const row = Object.entries(ours.get(name)!.fields).map(([field, { msb, lsb }]): [string, number, number] => [
        field,
        msb,
        lsb,
      ])
      expect(sorted(row), name).toEqual(sorted(fields))
    }
  })
})
