/**
 * The system registers that the agent inside QEMU can be asked for, by name and encoding. The agent's stubs are
 * generated from this list; it says nothing about what the registers do, nor which of them a CPU has.
 */

/** op0, op1, CRn, CRm, op2, as in the operand of MRS and MSR. */
export type Encoding = readonly [op0: number, op1: number, crn: number, crm: number, op2: number]

const numbered = (
  name: (n: number) => string,
  count: number,
  encoding: (n: number) => Encoding,
): [string, Encoding][] => Array.from({ length: count }, (_, n) => [name(n), encoding(n)])

export const SYSTEM_REGISTERS: ReadonlyMap<string, Encoding> = new Map<string, Encoding>([
  // The interrupts that are signalled to the PE where and when it looks.
  ['ISR_EL1', [3, 0, 12, 1, 0]],
  ['ICC_PMR_EL1', [3, 0, 4, 6, 0]],
  ['ICC_IAR0_EL1', [3, 0, 12, 8, 0]],
  ['ICC_EOIR0_EL1', [3, 0, 12, 8, 1]],
  ['ICC_HPPIR0_EL1', [3, 0, 12, 8, 2]],
  ['ICC_BPR0_EL1', [3, 0, 12, 8, 3]],
  ...numbered(
    (n) => `ICC_AP0R${n}_EL1`,
    4,
    (n) => [3, 0, 12, 8, 4 + n],
  ),
  ...numbered(
    (n) => `ICC_AP1R${n}_EL1`,
    4,
    (n) => [3, 0, 12, 9, n],
  ),
  ['ICC_NMIAR1_EL1', [3, 0, 12, 9, 5]],
  ['ICC_DIR_EL1', [3, 0, 12, 11, 1]],
  ['ICC_RPR_EL1', [3, 0, 12, 11, 3]],
  ['ICC_SGI1R_EL1', [3, 0, 12, 11, 5]],
  ['ICC_ASGI1R_EL1', [3, 0, 12, 11, 6]],
  ['ICC_SGI0R_EL1', [3, 0, 12, 11, 7]],
  ['ICC_IAR1_EL1', [3, 0, 12, 12, 0]],
  ['ICC_EOIR1_EL1', [3, 0, 12, 12, 1]],
  ['ICC_HPPIR1_EL1', [3, 0, 12, 12, 2]],
  ['ICC_BPR1_EL1', [3, 0, 12, 12, 3]],
  ['ICC_CTLR_EL1', [3, 0, 12, 12, 4]],
  ['ICC_SRE_EL1', [3, 0, 12, 12, 5]],
  ['ICC_IGRPEN0_EL1', [3, 0, 12, 12, 6]],
  ['ICC_IGRPEN1_EL1', [3, 0, 12, 12, 7]],
  ['ICC_SRE_EL2', [3, 4, 12, 9, 5]],
  ['ICC_CTLR_EL3', [3, 6, 12, 12, 4]],
  ['ICC_SRE_EL3', [3, 6, 12, 12, 5]],
  ['ICC_IGRPEN1_EL3', [3, 6, 12, 12, 7]],
  ...numbered(
    (n) => `ICH_AP0R${n}_EL2`,
    4,
    (n) => [3, 4, 12, 8, n],
  ),
  ...numbered(
    (n) => `ICH_AP1R${n}_EL2`,
    4,
    (n) => [3, 4, 12, 9, n],
  ),
  ['ICH_HCR_EL2', [3, 4, 12, 11, 0]],
  ['ICH_VTR_EL2', [3, 4, 12, 11, 1]],
  ['ICH_MISR_EL2', [3, 4, 12, 11, 2]],
  ['ICH_EISR_EL2', [3, 4, 12, 11, 3]],
  ['ICH_ELRSR_EL2', [3, 4, 12, 11, 5]],
  ['ICH_VMCR_EL2', [3, 4, 12, 11, 7]],
  ...numbered(
    (n) => `ICH_LR${n}_EL2`,
    16,
    (n) => [3, 4, 12, 12 + (n >> 3), n & 7],
  ),
  // What the agent drives some of the input wires with: the timers, and the PMU's overflow.
  ['CNTP_CTL_EL0', [3, 3, 14, 2, 1]],
  ['CNTP_CVAL_EL0', [3, 3, 14, 2, 2]],
  ['CNTV_CTL_EL0', [3, 3, 14, 3, 1]],
  ['CNTV_CVAL_EL0', [3, 3, 14, 3, 2]],
  ['PMCR_EL0', [3, 3, 9, 12, 0]],
  ['PMOVSCLR_EL0', [3, 3, 9, 12, 3]],
  ['PMOVSSET_EL0', [3, 3, 9, 14, 3]],
  ['PMINTENSET_EL1', [3, 0, 9, 14, 1]],
])

/** The loads and stores, in the order in which they come first among the stubs. */
export const ACCESS_STUBS = [
  'ldrb w0, [x0]',
  'ldrh w0, [x0]',
  'ldr w0, [x0]',
  'ldr x0, [x0]',
  'strb w2, [x0]',
  'strh w2, [x0]',
  'str w2, [x0]',
  'str x2, [x0]',
] as const

const names = [...SYSTEM_REGISTERS.keys()]
const indices = new Map(names.map((name, n) => [name, ACCESS_STUBS.length + 2 * n]))

/** The stub that reads (or, one above it, writes) a system register; undefined for a name that is not in the list. */
export const mrsStub = (name: string): number | undefined => indices.get(name)
export const msrStub = (name: string): number | undefined => {
  const index = indices.get(name)
  return index === undefined ? undefined : index + 1
}

/** The agent's stubs as assembly: one instruction that may fault, and a RET. */
export function stubsSource(): string {
  const line = (instruction: string): string => `    ${instruction}\n    ret`
  const registers = [...SYSTEM_REGISTERS.values()].flatMap(([op0, op1, crn, crm, op2]) => {
    const operand = `S${op0}_${op1}_C${crn}_C${crm}_${op2}`
    return [`mrs x0, ${operand}`, `msr ${operand}, x0`]
  })
  return [
    '/* Generated from registers.ts. */',
    '.text',
    '.balign 8',
    '.global stubs, stubs_end',
    'stubs:',
    ...[...ACCESS_STUBS, ...registers].map(line),
    'stubs_end:',
    '',
  ].join('\n')
}
