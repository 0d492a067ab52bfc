/** System registers of the Performance Monitors as a table (DDI 0487 D13.5). What they count is pmu/'s. */
import { CYCLE, EVENT, EVENT_COUNTERS } from '../pmu/pmu.ts'
import { type Cpu, SLOT } from '../state/cpu.ts'
import { STATE } from '../state/state.ts'
import {
  computed,
  constant,
  type Encoding,
  type Surroundings,
  type SystemRegister,
  type Verdict,
} from './system-register.ts'

/** PMUSERENR_EL0: all; software increment; reads of the cycle counter; reads of the event counters, and selecting them. */
const EN = 1
const SW = 2
const CR = 4
const ER = 8

const two32 = 0xffffffffn
/** Bits of the counters that there are, in the registers with one for each. */
const counters = (1n << BigInt(CYCLE)) | BigInt((1 << EVENT_COUNTERS) - 1)
/** P, U and the event. NSK, NSU, NSH and M are for levels that are not there. */
const typeMask = 0xc00003ffn
const filterMask = 0xc0000000n

/** What EL0 may do: anything with EN, reading with one of `reads`, writing with one of `writes`. */
function user(reads = 0, writes = 0): (cpu: Cpu, write: boolean) => Verdict {
  return (cpu, write) => (cpu.word(SLOT.PMUSERENR_EL0) & (EN | (write ? writes : reads)) ? 'ok' : 'trap')
}

type Read = (around: Surroundings) => bigint
type Write = (around: Surroundings, value: bigint) => void

/** A register that the counters are brought up to date for, before it is read or written, and whose writes may change what is due. */
function counted(
  name: string,
  encoding: Encoding,
  read: Read | undefined,
  write: Write | undefined,
  el0?: SystemRegister['el0'],
): SystemRegister {
  return computed(
    name,
    encoding,
    read &&
      ((around) => {
        around.pmu.update()
        return read(around)
      }),
    write &&
      ((around, value) => {
        around.pmu.update()
        write(around, value)
        around.pmu.settle()
      }),
    { el0 },
  )
}

/** The two registers that set and clear bits of one state; both read as it. */
function bits(
  name: string,
  slot: number,
  setAt: Encoding,
  clearAt: Encoding,
  suffix: string,
  el0?: SystemRegister['el0'],
) {
  const read: Read = ({ cpu }) => cpu.quad(slot)
  const set: Write = ({ cpu }, value) => cpu.setQuad(slot, cpu.quad(slot) | (value & counters))
  const clear: Write = ({ cpu }, value) => cpu.setQuad(slot, cpu.quad(slot) & ~value)
  return [
    counted(`${name}SET_${suffix}`, setAt, read, set, el0),
    counted(`${name}CLR_${suffix}`, clearAt, read, clear, el0),
  ]
}

/** PMCR_EL0: N; LC, which is RES1 without AArch32; E is kept. X, D and DP are for what is not there. */
const identity = BigInt((EVENT_COUNTERS << 11) | 0x40)
const control = counted(
  'PMCR_EL0',
  [3, 3, 9, 12, 0],
  ({ cpu }) => identity | cpu.quad(SLOT.PMCR_EL0),
  ({ cpu }, value) => {
    cpu.setQuad(SLOT.PMCR_EL0, value & 1n)
    if (value & 2n) for (let n = 0; n < EVENT_COUNTERS; n++) cpu.setQuad(SLOT.PMEVCNTR + 8 * n, 0n)
    if (value & 4n) cpu.setQuad(SLOT.PMCCNTR_EL0, 0n)
  },
  user(),
)

/** The registers of event counter `n`. */
function indexed(n: number): readonly SystemRegister[] {
  const value = SLOT.PMEVCNTR + 8 * n
  const type = SLOT.PMEVTYPER + 8 * n
  return [
    counted(
      `PMEVCNTR${n}_EL0`,
      [3, 3, 14, 8, n],
      ({ cpu }) => cpu.quad(value),
      ({ cpu }, written) => cpu.setQuad(value, written & two32),
      user(ER),
    ),
    counted(
      `PMEVTYPER${n}_EL0`,
      [3, 3, 14, 12, n],
      ({ cpu }) => cpu.quad(type),
      ({ cpu }, written) => cpu.setQuad(type, written & typeMask),
      user(),
    ),
  ]
}

const selected = (cpu: Cpu): number => cpu.word(SLOT.PMSELR_EL0)
const isEvent = (cpu: Cpu): boolean => selected(cpu) < EVENT_COUNTERS

/** The event counter that PMSELR_EL0 names, or where zero is: a number beyond them is none. */
const selectedValue = (cpu: Cpu): number => (isEvent(cpu) ? SLOT.PMEVCNTR + 8 * selected(cpu) : STATE.ZERO)

/** What PMXEVTYPER_EL0 is: an event's type, the cycle counter's filter, or none. */
function selectedType(cpu: Cpu): number {
  if (isEvent(cpu)) return SLOT.PMEVTYPER + 8 * selected(cpu)
  return selected(cpu) === CYCLE ? SLOT.PMCCFILTR_EL0 : STATE.ZERO
}

const implemented = Object.values(EVENT).reduce((all, event) => all | (1n << BigInt(event)), 0n)

export const performanceMonitors: readonly SystemRegister[] = [
  control,
  ...bits('PMCNTEN', SLOT.PMCNTEN, [3, 3, 9, 12, 1], [3, 3, 9, 12, 2], 'EL0', user()),
  ...bits('PMOVS', SLOT.PMOVS, [3, 3, 9, 14, 3], [3, 3, 9, 12, 3], 'EL0', user()),
  ...bits('PMINTEN', SLOT.PMINTEN, [3, 0, 9, 14, 1], [3, 0, 9, 14, 2], 'EL1'),
  counted(
    'PMSWINC_EL0',
    [3, 3, 9, 12, 4],
    undefined,
    ({ pmu }, value) => pmu.increment(Number(value & two32)),
    user(0, SW),
  ),
  computed(
    'PMSELR_EL0',
    [3, 3, 9, 12, 5],
    ({ cpu }) => cpu.quad(SLOT.PMSELR_EL0),
    ({ cpu }, value) => cpu.setQuad(SLOT.PMSELR_EL0, value & 31n),
    { el0: user(ER, ER) },
  ),
  constant('PMCEID0_EL0', [3, 3, 9, 12, 6], implemented, { el0: user() }),
  constant('PMCEID1_EL0', [3, 3, 9, 12, 7], 0n, { el0: user() }),
  counted(
    'PMCCNTR_EL0',
    [3, 3, 9, 13, 0],
    ({ cpu }) => cpu.quad(SLOT.PMCCNTR_EL0),
    ({ cpu }, value) => cpu.setQuad(SLOT.PMCCNTR_EL0, value),
    user(CR),
  ),
  counted(
    'PMXEVTYPER_EL0',
    [3, 3, 9, 13, 1],
    ({ cpu }) => cpu.quad(selectedType(cpu)),
    ({ cpu }, value) => {
      const slot = selectedType(cpu)
      if (slot !== STATE.ZERO) cpu.setQuad(slot, value & (isEvent(cpu) ? typeMask : filterMask))
    },
    user(),
  ),
  counted(
    'PMXEVCNTR_EL0',
    [3, 3, 9, 13, 2],
    ({ cpu }) => cpu.quad(selectedValue(cpu)),
    ({ cpu }, value) => {
      if (isEvent(cpu)) cpu.setQuad(selectedValue(cpu), value & two32)
    },
    user(ER),
  ),
  computed(
    'PMUSERENR_EL0',
    [3, 3, 9, 14, 0],
    ({ cpu }) => cpu.quad(SLOT.PMUSERENR_EL0),
    ({ cpu }, value) => cpu.setQuad(SLOT.PMUSERENR_EL0, value & 15n),
    { el0: 'ro' },
  ),
  ...Array.from({ length: EVENT_COUNTERS }, (_, n) => indexed(n)).flat(),
  counted(
    'PMCCFILTR_EL0',
    [3, 3, 14, 15, 7],
    ({ cpu }) => cpu.quad(SLOT.PMCCFILTR_EL0),
    ({ cpu }, value) => cpu.setQuad(SLOT.PMCCFILTR_EL0, value & filterMask),
    user(),
  ),
]
