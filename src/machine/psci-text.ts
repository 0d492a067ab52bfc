/** What a PSCI call that was refused asked for, and why it was refused, in words (Arm DEN 0022 5.2.2). It decides nothing. */

import { type PsciCall, PsciFunction, PsciReturn } from './psci.ts'

const reasons: Readonly<Record<number, string>> = {
  [PsciReturn.notSupported]: 'NOT_SUPPORTED: there is no such function',
  [PsciReturn.invalidParameters]: 'INVALID_PARAMETERS',
  [PsciReturn.denied]: 'DENIED',
  [PsciReturn.alreadyOn]: 'ALREADY_ON: that CPU is on',
  [PsciReturn.onPending]: 'ON_PENDING: that CPU is about to be on',
  [PsciReturn.internalFailure]: 'INTERNAL_FAILURE',
  [PsciReturn.notPresent]: 'NOT_PRESENT',
  [PsciReturn.disabled]: 'DISABLED',
  [PsciReturn.invalidAddress]: 'INVALID_ADDRESS: the entry is not a multiple of 4, or there is no memory',
}

const names = new Map<number, string>(
  Object.entries(PsciFunction).map(([name, id]) => [id, name.replace(/[A-Z]/g, (c) => `_${c}`).toUpperCase()]),
)

const hex = (value: bigint | number) => `0x${value.toString(16)}`

/** The function's number with the bit of SMC64 clear. */
export function psciFunction({ x0 }: PsciCall): number {
  const id = Number(BigInt.asUintN(32, x0))
  return id & 0x4000_0000 ? id - 0x4000_0000 : id
}

/** `CPU_ON of affinity 0x1 to start at 0x40000002`, and why not. */
export function describeRefusal(call: PsciCall, result: bigint): { what: string; why: string } {
  const id = psciFunction(call)
  const name = names.get(id) ?? `function ${hex(Number(BigInt.asUintN(32, call.x0)))}`
  const code = Number(BigInt.asIntN(64, result))
  const unknownCpu = code === PsciReturn.invalidParameters && id !== PsciFunction.cpuSuspend
  const why = `${reasons[code] ?? String(code)}${unknownCpu ? ': there is no CPU of that affinity' : ''}`
  const what =
    id === PsciFunction.cpuOn
      ? `${name} of affinity ${hex(call.x1)} to start at ${hex(call.x2)}`
      : id === PsciFunction.affinityInfo || id === PsciFunction.cpuSuspend || id === PsciFunction.features
        ? `${name} of ${hex(call.x1)}`
        : name
  return { what, why }
}
