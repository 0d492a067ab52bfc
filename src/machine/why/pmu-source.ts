/**
 * The Performance Monitors of a CPU as the source of their interrupt (DDI 0487 D13.4.2): on, an overflow that may interrupt, a counter
 * that counts, and one that has overflowed. The registers are the CPU's; here is what they say to a person.
 */

import type { Cluster } from '../../aarch64/index.ts'
import type { InterruptSource, SourceGate } from '../../mmio/index.ts'

const E = 1
const CYCLE = 31

export function pmuSource(cluster: Cluster, cpu: number): InterruptSource {
  return { name: `PMU of CPU ${cpu}`, interruptGates: () => pmuGates(cluster, cpu) }
}

function pmuGates(cluster: Cluster, cpu: number): SourceGate[] {
  const register = (name: string) => Number(BigInt.asUintN(32, cluster.systemRegister(cpu, name) ?? 0n))
  const on = register('PMCR_EL0') & E
  const mayInterrupt = register('PMINTENSET_EL1')
  const counting = register('PMCNTENSET_EL0') & mayInterrupt
  const overflowed = (register('PMOVSSET_EL0') & mayInterrupt) >>> 0
  const gate = (
    name: string,
    open: boolean,
    where: [string, string, number],
    says: string,
    remedy: string,
  ): SourceGate => ({
    gate: name,
    open,
    cause: 'configuration',
    register: where[0],
    field: where[1],
    value: where[2],
    says,
    remedy: open ? undefined : remedy,
  })
  return [
    gate('PMU enabled', on !== 0, ['PMCR_EL0', 'E', on], on ? 'the PMU is on.' : 'the PMU is off.', 'Set PMCR_EL0.E.'),
    gate(
      'overflow may interrupt',
      mayInterrupt !== 0,
      ['PMINTENSET_EL1', '', mayInterrupt],
      mayInterrupt ? `${counters(mayInterrupt)} may interrupt.` : 'no counter may interrupt.',
      'Write the bit of a counter to PMINTENSET_EL1: 31 is the cycle counter.',
    ),
    // What has overflowed interrupts whether it still counts or not.
    gate(
      'counter enabled',
      counting !== 0 || overflowed !== 0 || mayInterrupt === 0,
      ['PMCNTENSET_EL0', '', register('PMCNTENSET_EL0')],
      counting ? `${counters(counting)} counts.` : `${counters(mayInterrupt)} does not count.`,
      'Write the same bit to PMCNTENSET_EL0.',
    ),
    {
      ...gate(
        'overflowed',
        overflowed !== 0,
        ['PMOVSSET_EL0', '', overflowed],
        overflowed ? `${counters(overflowed)} has overflowed.` : 'no counter that may interrupt has overflowed.',
        'Wait, or give the counter a value nearer its end.',
      ),
      cause: 'source',
    },
  ]
}

/** The counters of a set of bits. */
function counters(bits: number): string {
  const names: string[] = []
  for (let n = 0; n < CYCLE; n++) if ((bits >>> n) & 1) names.push(`event counter ${n}`)
  if (bits >>> CYCLE) names.push('the cycle counter')
  return names.length === 0 ? 'no counter' : names.join(', ')
}
