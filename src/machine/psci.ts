/**
 * The Power State Coordination Interface, version 1.0 (Arm DEN 0022), as a function over what the machine can do. It decides and
 * answers; CPUs and the conduit (HVC or SMC) are the machine's. Trusted OS migration, statistics and SYSTEM_SUSPEND are absent.
 */

export const PsciReturn = {
  success: 0,
  notSupported: -1,
  invalidParameters: -2,
  denied: -3,
  alreadyOn: -4,
  onPending: -5,
  internalFailure: -6,
  notPresent: -7,
  disabled: -8,
  invalidAddress: -9,
} as const

/** Function identifiers with the bit that says SMC64 clear. */
export const PsciFunction = {
  version: 0x8400_0000,
  cpuSuspend: 0x8400_0001,
  cpuOff: 0x8400_0002,
  cpuOn: 0x8400_0003,
  affinityInfo: 0x8400_0004,
  migrate: 0x8400_0005,
  migrateInfoType: 0x8400_0006,
  migrateInfoUpCpu: 0x8400_0007,
  systemOff: 0x8400_0008,
  systemReset: 0x8400_0009,
  features: 0x8400_000a,
} as const

const SMC64 = 0x4000_0000
const VERSION_1_0 = 0x0001_0000
const NO_TRUSTED_OS = 2

/** What AFFINITY_INFO tells of a CPU. */
const STATES = { on: 0, off: 1, pending: 2 } as const
/** A CPU's power state. */
export type CpuPower = keyof typeof STATES

/** What PSCI needs of the machine. CPUs are counted from 0. */
export interface PsciMachine {
  /** The CPU with this affinity, in the layout of MPIDR_EL1, with all other bits zero. */
  cpuOf(affinity: bigint): number | undefined
  /** A CPU's power state. */
  powerOf(cpu: number): CpuPower
  /** Whether a CPU can start at this physical address. */
  canStart(entry: bigint): boolean
  /** Starts a CPU that is off, at the caller's Exception level, with `context` in X0. */
  turnOn(cpu: number, entry: bigint, context: bigint): void
  /** Turns the calling CPU off: it does not return from its call. */
  turnOff(cpu: number): void
  /** The calling CPU waits for an interrupt, as by WFI, and then returns from its call. */
  standBy(cpu: number): void
  /** Ends the machine. */
  systemOff(): void
  /** Asks for a reset of the machine. */
  systemReset(): void
}

/** Arguments of a call as they stand in X0 to X3, each 64 bits, unsigned. */
export interface PsciCall {
  /** The function. */
  readonly x0: bigint
  /** The first argument. */
  readonly x1: bigint
  /** The second argument. */
  readonly x2: bigint
  /** The third argument. */
  readonly x3: bigint
}

/** Functions that there are, with whether they exist as SMC64 too. */
const FUNCTIONS = new Map<number, { smc64: boolean; call: Call }>([
  [PsciFunction.version, { smc64: false, call: () => VERSION_1_0 }],
  [PsciFunction.cpuSuspend, { smc64: true, call: cpuSuspend }],
  [PsciFunction.cpuOff, { smc64: false, call: cpuOff }],
  [PsciFunction.cpuOn, { smc64: true, call: cpuOn }],
  [PsciFunction.affinityInfo, { smc64: true, call: affinityInfo }],
  [PsciFunction.migrateInfoType, { smc64: false, call: () => NO_TRUSTED_OS }],
  [PsciFunction.systemOff, { smc64: false, call: systemOff }],
  [PsciFunction.systemReset, { smc64: false, call: systemReset }],
  [PsciFunction.features, { smc64: false, call: features }],
])

type Call = (machine: PsciMachine, cpu: number, args: readonly bigint[]) => number | undefined

/**
 * Carries out a call by `cpu`. Returns what X0 is then, or undefined when the call does not return: the CPU or the system is
 * off, or starts anew. Anything that is no function of this version is answered NOT_SUPPORTED.
 */
export function psciCall(machine: PsciMachine, cpu: number, { x0, x1, x2, x3 }: PsciCall): bigint | undefined {
  // The function identifier is W0 whatever the upper half of X0 holds (SMC Calling Convention, 2.5).
  const id = Number(BigInt.asUintN(32, x0))
  const found = lookUp(id)
  if (found === undefined) return result(PsciReturn.notSupported)
  // A call of the 32-bit convention has 32-bit arguments.
  const args = [x1, x2, x3].map((value) => BigInt.asUintN(isSmc64(id) ? 64 : 32, value))
  const answer = found(machine, cpu, args)
  return answer === undefined ? undefined : result(answer)
}

function isSmc64(id: number): boolean {
  return (id & SMC64) !== 0
}

function lookUp(id: number): Call | undefined {
  const found = FUNCTIONS.get(isSmc64(id) ? id - SMC64 : id)
  return found !== undefined && (found.smc64 || !isSmc64(id)) ? found.call : undefined
}

function result(value: number): bigint {
  return BigInt.asUintN(64, BigInt(value))
}

/** Every state may be entered as a standby: it is the shallower one, and returns as if the CPU had woken at once (5.4.1). */
function cpuSuspend(machine: PsciMachine, cpu: number, [state = 0n]: readonly bigint[]): number {
  const reserved = 0xfcfe_0000n
  if (state & (reserved | 0xffff_ffff_0000_0000n)) return PsciReturn.invalidParameters
  machine.standBy(cpu)
  return PsciReturn.success
}

function cpuOff(machine: PsciMachine, cpu: number): undefined {
  machine.turnOff(cpu)
}

function cpuOn(machine: PsciMachine, _: number, [target = 0n, entry = 0n, context = 0n]: readonly bigint[]): number {
  const cpu = machine.cpuOf(target)
  if (cpu === undefined) return PsciReturn.invalidParameters
  const power = machine.powerOf(cpu)
  if (power === 'on') return PsciReturn.alreadyOn
  if (power === 'pending') return PsciReturn.onPending
  if ((entry & 3n) !== 0n || !machine.canStart(entry)) return PsciReturn.invalidAddress
  machine.turnOn(cpu, entry, context)
  return PsciReturn.success
}

/** Only levels of a single CPU have a state; what is above is on while anybody is here to ask. */
function affinityInfo(machine: PsciMachine, _: number, [target = 0n, level = 0n]: readonly bigint[]): number {
  if (level > 3n) return PsciReturn.invalidParameters
  if (level > 0n) return STATES.on
  const cpu = machine.cpuOf(target)
  return cpu === undefined ? PsciReturn.invalidParameters : STATES[machine.powerOf(cpu)]
}

function systemOff(machine: PsciMachine): undefined {
  machine.systemOff()
}

function systemReset(machine: PsciMachine): undefined {
  machine.systemReset()
}

/** For CPU_SUSPEND the flags, too, are zero: original format of the state, no OS-initiated mode. */
function features(_: PsciMachine, __: number, [id = 0n]: readonly bigint[]): number {
  return lookUp(Number(BigInt.asUintN(32, id))) === undefined ? PsciReturn.notSupported : PsciReturn.success
}
