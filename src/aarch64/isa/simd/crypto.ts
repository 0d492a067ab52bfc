/**
 * The cryptographic rows: FEAT_AES, FEAT_SHA1, FEAT_SHA256. Optional: a decode table that has them implements them only where the
 * features are configured, and ID_AA64ISAR0_EL1 must say the same (AES 1, or 2 with PMULL; SHA1 1, SHA2 1).
 */
import type { Row } from '../row.ts'
import { rows as aes } from './crypto-aes.ts'
import { rows as sha } from './crypto-sha.ts'

export const cryptoRows: readonly Row[] = [...aes, ...sha]
