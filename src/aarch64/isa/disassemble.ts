/**
 * The text of an instruction: from its row, with system registers by name. What no row claims is a `.inst`.
 */

import { systemInstructionByKey } from '../system/sys.ts'
import type { Decoder } from './decode.ts'
import { bitsOf } from './row.ts'
import { genericRegisterName } from './semantics/system.ts'
import { xName } from './text.ts'

export function disassemble(
  decoder: Decoder,
  word: number,
  address: bigint,
  registerNames: ReadonlyMap<number, string> = new Map(),
): string {
  const row = decoder.decode(word)
  if (!row) return `.inst 0x${(word >>> 0).toString(16).padStart(8, '0')}`
  const mnemonic = row.name.slice(0, row.name.indexOf('_')).toLowerCase()
  const text = row.text(word, mnemonic, address)
  const key = bitsOf(word, [19, 5])
  if (row.name === 'MRS_RS_systemmove' || row.name === 'MSR_SR_systemmove') {
    const name = registerNames.get(key)
    return name ? text.replace(genericRegisterName(word), name) : text
  }
  if (row.name === 'SYS_CR_systeminstrs') {
    const instruction = systemInstructionByKey.get(key)
    if (instruction) {
      const Rt = bitsOf(word, [4, 0])
      return `${instruction.name.toLowerCase()}${Rt === 31 ? '' : `, ${xName(Rt, true)}`}`
    }
  }
  return text
}
