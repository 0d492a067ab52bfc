/**
 * A generic timer of a CPU as the source of its interrupt (DDI 0487 D11.2.4): enabled, not masked, due. Its registers are the
 * CPU's; here is what they say to a person.
 */

import type { Cluster, TimerName } from '../../aarch64/index.ts'
import type { InterruptSource, SourceGate } from '../../mmio/index.ts'

const names = { physical: 'CNTP', virtual: 'CNTV' } as const
const ENABLE = 1
const IMASK = 2
/** A wait of more than this many seconds is "never": ten years. */
const NEVER = 10 * 365 * 86_400

/** What a number of seconds is, to two or three figures. */
export function wait(seconds: number): string {
  if (seconds > NEVER) return 'never'
  if (seconds >= 1) return `in ${seconds.toFixed(1)} s`
  if (seconds >= 1e-3) return `in ${(seconds * 1e3).toFixed(1)} ms`
  return seconds >= 1e-6 ? `in ${(seconds * 1e6).toFixed(1)} µs` : `in ${(seconds * 1e9).toFixed(0)} ns`
}

export function timerSource(cluster: Cluster, cpu: number, timer: TimerName): InterruptSource {
  const prefix = names[timer]
  const name = `${timer} timer of CPU ${cpu}`
  return { name, interruptGates: () => timerGates(cluster, cpu, prefix) }
}

function timerGates(cluster: Cluster, cpu: number, prefix: 'CNTP' | 'CNTV'): SourceGate[] {
  const register = (suffix: string) => cluster.systemRegister(cpu, `${prefix}${suffix}_EL0`) ?? 0n
  const control = Number(register('_CTL'))
  const compare = register('_CVAL')
  const count = register('CT')
  const frequency = Number(cluster.systemRegister(cpu, 'CNTFRQ_EL0') ?? 0n) || 1
  const due = count >= compare
  const seconds = Number(compare - count) / frequency
  const hex = (value: bigint) => `0x${value.toString(16)}`
  const bit = (gate: string, field: string, open: boolean, says: string, remedy: string): SourceGate => ({
    gate,
    open,
    cause: 'configuration',
    register: `${prefix}_CTL_EL0`,
    field,
    value: control & (field === 'ENABLE' ? ENABLE : IMASK) ? 1 : 0,
    says,
    remedy: open ? undefined : remedy,
  })
  const enabled = (control & ENABLE) !== 0
  const masked = (control & IMASK) !== 0
  return [
    bit(
      'timer enabled',
      'ENABLE',
      enabled,
      enabled ? 'the timer is on.' : 'the timer is off.',
      `Set ${prefix}_CTL_EL0.ENABLE.`,
    ),
    bit(
      'timer unmasked',
      'IMASK',
      !masked,
      masked ? 'the timer keeps its interrupt to itself.' : 'the timer may interrupt.',
      `Clear ${prefix}_CTL_EL0.IMASK.`,
    ),
    {
      gate: 'timer due',
      open: due,
      cause: 'source',
      register: `${prefix}_CTL_EL0`,
      field: 'ISTATUS',
      value: enabled && due ? 1 : 0,
      says: due
        ? `the counter has passed ${prefix}_CVAL_EL0 = ${hex(compare)}.`
        : `${prefix}_CVAL_EL0 is ${hex(compare)} and the counter ${hex(count)}: due ${wait(seconds)}.`,
      remedy: due
        ? undefined
        : seconds > NEVER
          ? `Write a time that comes to ${prefix}_CVAL_EL0 or ${prefix}_TVAL_EL0.`
          : 'Wait.',
    },
  ]
}
