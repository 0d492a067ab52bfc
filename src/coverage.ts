/**
 * How much of each register table is modelled, as a Markdown table for the README. Everything in it comes from the tables
 * themselves; what has no table at all cannot be seen from here.
 */

import { cpuCoverage } from './aarch64/coverage.ts'
import { fwCfgTable } from './devices/fw-cfg.ts'
import { pl011Table } from './devices/pl011/pl011-registers.ts'
import { pl031Table } from './devices/pl031.ts'
import { pl061Table } from './devices/pl061.ts'
import { virtioLegacyTable } from './devices/virtio/virtio-mmio-legacy.ts'
import { virtioMmioTable } from './devices/virtio/virtio-mmio-registers.ts'
import { controlRegisters, translationRegisters, virtualSgiRegisters } from './gic/its/registers.ts'
import { cpuRegisters } from './gic/v2/cpu-registers.ts'
import { distributor } from './gic/v2/distributor.ts'
import { v2mRegisters } from './gic/v2/v2m.ts'
import { distributorV3 } from './gic/v3/distributor.ts'
import { redistributorRegisters } from './gic/v3/redistributor-registers.ts'
import type { Row } from './mmio/index.ts'

export { cpuCoverage }

/** The part of a table that is counted, whatever its device is. */
interface Counted {
  readonly name: string
  readonly size: number
  readonly rows: readonly Pick<Row<never>, 'name' | 'count' | 'mode' | 'modelling'>[]
}

export const tables: readonly { readonly what: string; readonly table: Counted }[] = [
  { what: 'GICv2 Distributor', table: distributor },
  { what: 'GICv2 CPU interface', table: cpuRegisters },
  { what: 'GICv2m message frame', table: v2mRegisters },
  { what: 'GICv3 Distributor', table: distributorV3 },
  { what: 'GICv3 Redistributor', table: redistributorRegisters },
  { what: 'ITS control frame', table: controlRegisters },
  { what: 'ITS translation frame', table: translationRegisters },
  { what: 'ITS virtual SGI frame', table: virtualSgiRegisters },
  { what: 'UART', table: pl011Table },
  { what: 'real-time clock', table: pl031Table },
  { what: 'GPIO', table: pl061Table },
  { what: 'firmware configuration', table: fwCfgTable },
  { what: 'virtio transport', table: virtioMmioTable },
  { what: 'virtio transport, legacy', table: virtioLegacyTable },
]

const kinds = ['modelled', 'fixed', 'RAZ/WI', 'stored', 'not modelled'] as const
type Kind = (typeof kinds)[number]

function kindOf({ modelling, mode }: Counted['rows'][number]): Kind {
  if (modelling === 'full') return 'modelled'
  if (modelling === 'fixed') return mode === 'RO' ? 'fixed' : 'RAZ/WI'
  return modelling === 'stored' ? 'stored' : 'not modelled'
}

/** Registers of one kind: how many, and by name where they are less than the architecture's. */
function cell({ rows }: Counted, kind: Kind): string {
  const own = rows.filter((row) => kindOf(row) === kind)
  const count = own.reduce((sum, row) => sum + row.count, 0)
  const named = kind === 'stored' || kind === 'not modelled' || kind === 'RAZ/WI'
  return count === 0 || !named ? String(count) : `${count} (${own.map(({ name }) => name).join(', ')})`
}

/** The lines of the table, without one at the end. */
export function coverageTable(): string {
  const lines = [['frame', 'bytes', 'registers', ...kinds], Array.from({ length: 3 + kinds.length }, () => '---')]
  for (const { what, table } of tables) {
    const registers = table.rows.reduce((sum, row) => sum + row.count, 0)
    lines.push([
      `${what} (${table.name})`,
      String(table.size),
      String(registers),
      ...kinds.map((kind) => cell(table, kind)),
    ])
  }
  return lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
}
