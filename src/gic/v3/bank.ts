/** A per-interrupt bank of a GICv3 table, with its fields named as Arm names them. What it shows is in the views. */

import { type BankOptions, bits, type Fields, perIrq, type Row } from '../../mmio/index.ts'

/** Field name, and its width in bits, by the bank's name without frame and number. */
const names: Readonly<Record<string, readonly [field: string, width: 1 | 2 | 8]>> = {
  IGROUPR: ['Group_status_bit', 1],
  ISENABLER: ['Set_enable_bit', 1],
  ICENABLER: ['Clear_enable_bit', 1],
  ISPENDR: ['Set_pending_bit', 1],
  ICPENDR: ['Clear_pending_bit', 1],
  ISACTIVER: ['Set_active_bit', 1],
  ICACTIVER: ['Clear_active_bit', 1],
  IPRIORITYR: ['Priority', 8],
  ICFGR: ['Int_config', 2],
  IGRPMODR: ['Group_modifier_bit', 1],
  NSACR: ['NS_access', 2],
  INMIR: ['NMI', 1],
}

/** A Redistributor's, where Arm names them otherwise. */
const redistributorNames: Readonly<Record<string, readonly [field: string, width: 1]>> = {
  GICR_IGROUPR0: ['Redistributor_group_status_bit', 1],
  GICR_INMIR0: ['nmi', 1],
  GICR_INMIRnE: ['nmi', 1],
}

export function bank<D>(name: string, offset: number, options: BankOptions<D>): Row<D> {
  return perIrq(name, offset, { fields: fieldsOf(name), ...options })
}

function fieldsOf(name: string): Fields {
  const known = redistributorNames[name] ?? names[/_([A-Z]+)/.exec(name)?.[1] ?? '']
  if (known === undefined) return {}
  const [field, width] = known
  const fields: Record<string, { msb: number; lsb: number }> = {}
  for (let i = 0; i < 32 / width; i++)
    fields[width === 8 ? `${field}_offset_${i}B` : `${field}[${i}]`] = bits(i * width + width - 1, i * width)
  return fields
}
