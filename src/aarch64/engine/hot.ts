/**
 * The encodings that guests execute most, sampled over a boot of Debian's kernel to its shell: their handlers are emitted into the
 * run loop. Speed only: any list gives the same results.
 */

/** Not shifted. */
const unshifted = 'xxxxxxxx00xxxxxx000000'
/** A 64-bit offset register. */
const plainOffset = 'xxxxxxxxxxxxxxxx011'

/** By encoding name: the pattern that a variant must have to be worth it. */
export const hotRows: ReadonlyMap<string, string> = new Map([
  ['B_only_condbranch', ''],
  ['LDR_64_ldst_pos', ''],
  ['ADD_64_addsub_imm', ''],
  ['HINT_HM_hints', ''],
  ['SUBS_32S_addsub_imm', ''],
  ['STP_64_ldstpair_off', ''],
  ['RET_64R_branch_reg', ''],
  ['LDR_32_ldst_pos', ''],
  ['LDP_64_ldstpair_off', ''],
  ['BL_only_branch_imm', ''],
  ['CBNZ_32_compbranch', ''],
  ['STR_64_ldst_pos', ''],
  ['CBZ_64_compbranch', ''],
  ['MOVZ_32_movewide', ''],
  ['CBZ_32_compbranch', ''],
  ['ANDS_64S_log_imm', ''],
  ['B_only_branch_imm', ''],
  ['MOVZ_64_movewide', ''],
  ['AND_32_log_imm', ''],
  ['UBFM_64M_bitfield', ''],
  ['UBFM_32M_bitfield', ''],
  ['LDRB_32_ldst_immpre', ''],
  ['SUBS_64S_addsub_imm', ''],
  ['STP_64_ldstpair_pre', ''],
  ['LDP_64_ldstpair_post', ''],
  ['LDRB_32_ldst_pos', ''],
  ['ADRP_only_pcreladdr', ''],
  ['SUB_64_addsub_imm', ''],
  ['CCMP_32_condcmp_imm', ''],
  ['CBNZ_64_compbranch', ''],
  ['STR_32_ldst_pos', ''],
  ['ADD_32_addsub_imm', ''],
  ['ORR_64_log_imm', ''],
  ['CSEL_64_condsel', ''],
  ['AND_64_log_imm', ''],
  ['BLR_64_branch_reg', ''],
  ['SUB_32_addsub_imm', ''],
  ['TBNZ_only_testbranch', ''],
  ['TBZ_only_testbranch', ''],
  ['CSINC_32_condsel', ''],
  ['ORR_64_log_shift', unshifted],
  ['ORR_32_log_shift', unshifted],
  ['SUBS_64_addsub_shift', unshifted],
  ['SUBS_32_addsub_shift', unshifted],
  ['ADD_64_addsub_shift', unshifted],
  ['ADD_32_addsub_shift', unshifted],
  ['SUB_64_addsub_shift', unshifted],
  ['AND_64_log_shift', unshifted],
  ['EOR_32_log_shift', unshifted],
  ['LDRB_32B_ldst_regoff', plainOffset],
  ['LDR_64_ldst_regoff', plainOffset],
  ['STR_64_ldst_regoff', plainOffset],
])
