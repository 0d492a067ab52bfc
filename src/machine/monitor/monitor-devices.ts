/**
 * The monitor's answers about registers: of the GIC, the ITS, the timers, and every device on the bus whose registers are a table
 * of the framework. They are read by `peek`, which no device notices.
 */

import { GicV3, iccRegisters } from '../../gic/index.ts'
import { cpuInitiator, type Fields, Frame, type Range, rowSize } from '../../mmio/index.ts'
import type { VirtMachine } from '../virt.ts'
import { timerSource } from '../why/timer-source.ts'
import { hex, table } from './monitor-text.ts'

type AnyFrame = Frame<unknown>

/** Names and values of the fields that are not 0. */
function fieldText(fields: Fields, low: number, high: number): string {
  const all = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0)
  return Object.entries(fields)
    .map(([name, { msb, lsb }]) => [name, (all >> BigInt(lsb)) & ((1n << BigInt(msb - lsb + 1)) - 1n)] as const)
    .filter(([, value]) => value !== 0n)
    .map(([name, value]) => `${name} ${value < 10n ? value : `0x${value.toString(16)}`}`)
    .join(', ')
}

/**
 * A line a register, from `from` on up to `to` in the frame. Of an array those are left out that are 0, and neighbours with the
 * same value are one line.
 */
export function frameLines(frame: AnyFrame, cpu: number, from = 0, to = frame.size): string[] {
  const by = { ...cpuInitiator(cpu), secure: true }
  const rows: string[][] = []
  for (const row of frame.table.rows) {
    if (row.offset < from || row.offset >= to || row.mode === 'WO' || row.modelling === 'not-modelled') continue
    const count = rowSize(row) / row.width
    let last: { first: number; end: number; low: number; high: number } | undefined
    const flush = () => {
      if (last === undefined) return
      const { first, end, low, high } = last
      const numbers = count === 1 ? '' : first === end ? String(first) : `${first}-${end}`
      const name = count === 1 ? row.name : row.name.replace(/n(?![a-z])/, numbers)
      const value = row.width === 8 ? `${hex(high >>> 0, 8)}${hex(low >>> 0, 8).slice(2)}` : hex(low >>> 0, 8)
      rows.push([hex(row.offset + (first - row.first) * row.width, 4), name, value, fieldText(row.fields, low, high)])
      last = undefined
    }
    for (let i = 0; i < count; i++) {
      const offset = row.offset + i * row.width
      const low = frame.peek(offset, 4, by)
      const high = row.width === 8 ? frame.peek(offset + 4, 4, by) : 0
      if (last !== undefined && last.low === low && last.high === high) last.end = row.first + i
      else {
        flush()
        if (count === 1 || low !== 0 || high !== 0) last = { first: row.first + i, end: row.first + i, low, high }
      }
    }
    flush()
  }
  return table(['offset', 'register', 'value', ''], rows)
}

export function gicLines(machine: VirtMachine, cpu: number): string[] {
  const { gic } = machine
  const part = (title: string, frame: AnyFrame) => [title, ...frameLines(frame, cpu)]
  if (!(gic instanceof GicV3)) {
    const { gicd, gicc, v2m } = gic.frames
    return [
      ...part(`GICD as CPU ${cpu} sees it`, gicd as AnyFrame),
      ...part(`GICC of CPU ${cpu}`, gicc as AnyFrame),
      ...(v2m === undefined ? [] : part('GICv2m', v2m as AnyFrame)),
    ]
  }
  const system = iccRegisters
    .map(({ name, encoding }) => [name, gic.peekSysreg(cpu, encoding)] as const)
    .flatMap(([name, value]) => (value === undefined ? [] : [[name, hex(value, 8)]]))
  return [
    ...part('GICD', gic.frames.gicd as AnyFrame),
    ...part(`GICR of CPU ${cpu}`, gic.frames.gicr[cpu]! as AnyFrame),
    ...table(['system register', 'value'], system),
  ]
}

export function itsLines({ its }: VirtMachine): string[] {
  if (its === undefined) return ['this machine has no ITS']
  return frameLines(its.frames.control as AnyFrame, 0)
}

export function timerLines(machine: VirtMachine, only: number | undefined): string[] {
  const cpus = only === undefined ? Array.from({ length: machine.options.cpus }, (_, cpu) => cpu) : [only]
  return cpus.flatMap((cpu) =>
    (['virtual', 'physical'] as const).flatMap((timer) => {
      const source = timerSource(machine.cluster, cpu, timer)
      const gates = source.interruptGates()
      const line = gates.every(({ open }) => open) ? 'high' : 'low'
      return [
        `${source.name}: its line is ${line}`,
        ...gates.map(({ register, field, value, says }) => `  ${`${register}.${field}`.padEnd(22)} ${value}  ${says}`),
      ]
    }),
  )
}

const isFrame = (range: Range): range is Range & { device: AnyFrame } => range.device instanceof Frame

/** Names on the bus, once each. */
export function deviceNames({ bus }: VirtMachine): string[] {
  return [
    ...new Set(
      bus
        .ranges()
        .filter(isFrame)
        .map(({ name }) => name.replaceAll(' ', '-')),
    ),
  ]
}

/** The devices, or the registers of the one with that name or at that address; undefined where there is none. */
export function deviceLines({ bus }: VirtMachine, name: string | undefined): string[] | undefined {
  const ranges = bus.ranges().filter(isFrame)
  if (name === undefined)
    return table(
      ['address', 'device', 'accesses'],
      ranges.map((range) => [hex(range.base, 8), range.name, `${range.reads} reads, ${range.writes} writes`]),
    )
  const address = /^0x[0-9a-f]{1,13}$/i.test(name) ? Number(name) : -1
  const wanted = name.toLowerCase()
  const found = ranges.find(
    (range) =>
      range.name.replaceAll(' ', '-').toLowerCase() === wanted ||
      (address >= range.base && address < range.base + range.size),
  )
  if (found === undefined) return undefined
  return [`${found.name} at ${hex(found.base, 8)}`, ...frameLines(found.device, 0)]
}

/** What a register at a physical address holds; undefined where no frame is, or for a width or place that is none. */
export function peekDevice({ bus }: VirtMachine, address: number, size: number): bigint | undefined {
  const range = bus.ranges().find(({ base, size: length }) => address >= base && address < base + length)
  if (range === undefined || !isFrame(range) || address % size !== 0) return undefined
  const by = { ...cpuInitiator(0), secure: true }
  const offset = address - range.base
  const word = (at: number, width: 1 | 2 | 4) => BigInt(range.device.peek(at, width, by) >>> 0)
  return size === 8 ? word(offset, 4) | (word(offset + 4, 4) << 32n) : word(offset, size as 1 | 2 | 4)
}
