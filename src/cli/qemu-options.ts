/**
 * Options of QEMU's command line that ask for what this machine is anyway, so that a line written for QEMU runs as it is. What
 * asks for something else is refused by name; nothing is ignored that would make a difference.
 */

import { UsageError } from './command.ts'
import { printable } from './style.ts'

export const qemuSpecs = {
  machine: { type: 'string', short: 'M' },
  cpu: { type: 'string' },
  accel: { type: 'string' },
  nographic: { type: 'boolean' },
  nodefaults: { type: 'boolean' },
  'no-user-config': { type: 'boolean' },
  display: { type: 'string' },
  serial: { type: 'string' },
  monitor: { type: 'string' },
  net: { type: 'string' },
  nic: { type: 'string' },
} as const

type Values = { readonly [name in keyof typeof qemuSpecs]?: string | boolean | readonly string[] | undefined }

/** What may be said of each of these, and what it is that there is. */
const fixed: Readonly<Partial<Record<keyof Values, readonly [pattern: RegExp, what: string]>>> = {
  cpu: [
    /^(cortex-a(53|57|72)|max)(,|$)/,
    'the CPU is one of ARMv8.0-A, which cortex-a53, cortex-a57, cortex-a72 and max are taken for',
  ],
  accel: [/^tcg(,|$)/, 'tcg is the one that comes close'],
  display: [/^none$/, 'there is none'],
  serial: [/^(stdio|mon:stdio)$/, 'the UART is stdio, with the monitor on Ctrl-A c (mon:stdio)'],
  monitor: [/^none$/, 'the monitor is on Ctrl-A c'],
  net: [/^none$/, 'there is no network'],
  nic: [/^none$/, 'there is no network'],
}

/** @throws UsageError for what this machine is not */
export function checkQemuOptions(values: Values): { gic: 2 | 3 | undefined; its: boolean | undefined } {
  for (const [name, [pattern, what]] of Object.entries(fixed)) {
    const value = values[name as keyof Values]
    if (typeof value === 'string' && !pattern.test(value)) throw new UsageError(`--${name} ${shown(value)}: ${what}`)
  }
  return machineOf(values.machine as string | undefined)
}

/** `virt,gic-version=3,its=on`. */
function machineOf(text: string | undefined): { gic: 2 | 3 | undefined; its: boolean | undefined } {
  const found: { gic: 2 | 3 | undefined; its: boolean | undefined } = { gic: undefined, its: undefined }
  for (const [i, part] of (text ?? 'virt').split(',').entries()) {
    if ((i === 0 && /^virt(-[0-9.]+)?$/.test(part)) || part === 'type=virt') continue
    if (/^gic-version=[23]$/.test(part)) found.gic = part.endsWith('3') ? 3 : 2
    else if (/^its=(on|off)$/.test(part)) found.its = part.endsWith('on')
    else if (!/^((virtualization|secure|mte|ras|acpi)=off|highmem=(on|off)|accel=tcg)$/.test(part))
      throw new UsageError(
        `--machine ${shown(part)}: the machine is virt, with gic-version=2 or 3, its=on or off, and no EL2 or EL3`,
      )
  }
  return found
}

/** QEMU's `4`, `cpus=4`, and topologies of so many: `4,sockets=1,cores=4,threads=1`. The device tree says how it is ours. */
export function cpuCount(text: string): number {
  let count: number | undefined
  let product = 1
  for (const [i, part] of text.split(',').entries()) {
    const [key, value = ''] = i === 0 && !part.includes('=') ? ['cpus', part] : part.split('=')
    const number = /^[0-9]{1,4}$/.test(value) ? Number(value) : 0
    if (key === 'cpus') count = number
    else if (key === 'sockets' || key === 'dies' || key === 'clusters' || key === 'cores' || key === 'threads')
      product *= number
    else if (key !== 'maxcpus' || number === 0) return 0
  }
  return product === 0 ? 0 : (count ?? product)
}

function shown(text: string): string {
  return `'${printable(text).slice(0, 60)}'`
}
