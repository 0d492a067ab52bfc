/** The monitor's answers about CPUs and the map of addresses. They change nothing. */

import type { VirtMachine } from '../virt.ts'
import { hex, table } from './monitor-text.ts'

export function registerLines(machine: VirtMachine, cpu: number): string[] {
  const { cluster } = machine
  const lines: string[] = []
  const x = (n: number) => `${`x${n}`.padStart(3)} ${hex(cluster.register(cpu, n), 16)}`
  for (let n = 0; n < 31; n += 4) lines.push(Array.from({ length: Math.min(4, 31 - n) }, (_, i) => x(n + i)).join('  '))
  const pstate = cluster.pstate(cpu)
  const flags = [...'NZCV'].map((flag, i) => ((pstate >>> (31 - i)) & 1 ? flag : '-')).join('')
  const masks = [...'DAIF'].map((flag, i) => ((pstate >>> (9 - i)) & 1 ? flag : '-')).join('')
  lines.push(
    ` sp ${hex(cluster.register(cpu, 31), 16)}   pc ${hex(cluster.pc(cpu), 16)}  EL${(pstate >>> 2) & 3} ${flags} ${masks}  ${power(machine, cpu)}`,
  )
  const name = machine.symbols?.at(cluster.pc(cpu))
  if (name !== undefined) lines.push(`    pc is ${name}`)
  const names = [
    'SCTLR_EL1',
    'TTBR0_EL1',
    'TTBR1_EL1',
    'TCR_EL1',
    'VBAR_EL1',
    'ESR_EL1',
    'FAR_EL1',
    'ELR_EL1',
    'SPSR_EL1',
  ]
  const system = names.flatMap((name) => {
    const value = cluster.systemRegister(cpu, name)
    return value === undefined ? [] : [`${name.padStart(9)} ${hex(value, 16)}`]
  })
  for (let i = 0; i < system.length; i += 3) lines.push(system.slice(i, i + 3).join('  '))
  return lines
}

export function cpuLines(machine: VirtMachine): string[] {
  const { cluster, options } = machine
  const rows = Array.from({ length: options.cpus }, (_, cpu) => [
    String(cpu),
    power(machine, cpu),
    hex(cluster.pc(cpu), 16),
    String(cluster.retired(cpu)),
    machine.symbols?.at(cluster.pc(cpu)) ?? '',
  ])
  return table(['CPU', 'state', 'PC', 'instructions', ''], rows)
}

export function treeLines({ bus, ram, flash }: VirtMachine): string[] {
  const memory = [{ base: ram.base, size: ram.bytes.length, name: 'RAM', reads: 0, writes: 0 }]
  const rows = [...bus.ranges(), ...memory].map(({ base, size, name, reads, writes }) => [
    `${hex(base, 16)}-${hex(base + size - 1, 16).slice(2)}`,
    name,
    name === 'RAM' || (flash !== undefined && base === 0) ? '' : `${reads} reads, ${writes} writes`,
  ])
  return table(['address', 'what', 'accesses'], rows)
}

function power({ cluster }: VirtMachine, cpu: number): string {
  if (!cluster.isOn(cpu)) return 'off'
  return cluster.isWaiting(cpu) ? 'waits (WFI)' : 'runs'
}
