/** PSCI 1.0 (Arm DEN 0022) over a machine that notes what it is asked to do. */

import { describe, expect, it } from 'vitest'
import { type CpuPower, PsciFunction, type PsciMachine, PsciReturn, psciCall } from './psci.ts'

const SMC64 = 0x4000_0000

function setUp(powers: CpuPower[] = ['on', 'off', 'pending']) {
  const done: string[] = []
  const machine: PsciMachine = {
    cpuOf: (affinity) => (affinity < BigInt(powers.length) ? Number(affinity) : undefined),
    powerOf: (cpu) => powers[cpu]!,
    canStart: (entry) => entry >= 0x4000_0000n && entry < 0x8000_0000n,
    turnOn: (cpu, entry, context) => done.push(`on ${cpu} at ${entry.toString(16)} with ${context.toString(16)}`),
    turnOff: (cpu) => done.push(`off ${cpu}`),
    standBy: (cpu) => done.push(`stand by ${cpu}`),
    systemOff: () => done.push('system off'),
    systemReset: () => done.push('system reset'),
  }
  const call = (id: number, ...args: (number | bigint)[]) => {
    const [x1, x2, x3] = [0, 1, 2].map((i) => BigInt(args[i] ?? 0)) as [bigint, bigint, bigint]
    const answer = psciCall(machine, 0, { x0: BigInt(id), x1, x2, x3 })
    return answer === undefined ? 'no return' : Number(BigInt.asIntN(64, answer))
  }
  return { call, done, machine }
}

describe('PSCI', () => {
  it('is of version 1.0, and has no trusted OS to migrate (5.1, 5.9)', () => {
    const { call } = setUp()
    expect([call(PsciFunction.version), call(PsciFunction.migrateInfoType)]).toEqual([0x10000, 2])
    expect([call(PsciFunction.migrate), call(PsciFunction.migrateInfoUpCpu)]).toEqual([-1, -1])
  })

  it('turns a CPU on at an address with a context, by either convention (5.6)', () => {
    const { call, done } = setUp()
    expect(call(PsciFunction.cpuOn | 0, 1, 0x4008_0000, 7)).toBe(PsciReturn.success)
    expect(call(PsciFunction.cpuOn + SMC64, 1, 0x4008_0000n, 2n ** 63n)).toBe(PsciReturn.success)
    expect(done).toEqual(['on 1 at 40080000 with 7', 'on 1 at 40080000 with 8000000000000000'])
  })

  it('cuts the arguments of the 32-bit convention to 32 bits, and takes the function from W0', () => {
    const { call, done, machine } = setUp()
    expect(call(PsciFunction.cpuOn, 2n ** 40n + 1n, 2n ** 33n + 0x4000_0000n, 2n ** 32n + 5n)).toBe(0)
    expect(done).toEqual(['on 1 at 40000000 with 5'])
    const x0 = 0xdead_beef_0000_0000n | BigInt(PsciFunction.version)
    expect(psciCall(machine, 0, { x0, x1: 0n, x2: 0n, x3: 0n })).toBe(0x10000n)
  })

  it.each<[string, readonly (number | bigint)[], number]>([
    ['that is on already', [0, 0x4000_0000], PsciReturn.alreadyOn],
    ['that is coming on', [2, 0x4000_0000], PsciReturn.onPending],
    ['that is not there', [3, 0x4000_0000], PsciReturn.invalidParameters],
    ['with bits in its affinity that are none', [2n ** 24n, 0x4000_0000], PsciReturn.invalidParameters],
    ['at no memory', [1, 0x1000], PsciReturn.invalidAddress],
    ['between instructions', [1, 0x4000_0002], PsciReturn.invalidAddress],
  ])('does not turn on a CPU %s', (_, args, expected) => {
    const { call, done } = setUp()
    expect([call(PsciFunction.cpuOn + SMC64, ...args), done]).toEqual([expected, []])
  })

  it('tells the state of a CPU: on, off, pending (5.7)', () => {
    const { call } = setUp()
    expect([0, 1, 2, 3].map((target) => call(PsciFunction.affinityInfo + SMC64, target, 0))).toEqual([0, 1, 2, -2])
    expect([call(PsciFunction.affinityInfo, 0, 1), call(PsciFunction.affinityInfo, 0, 4)]).toEqual([0, -2])
  })

  it('turns the caller off, and the system off and on, without a return', () => {
    const { call, done } = setUp()
    const answers = [PsciFunction.cpuOff, PsciFunction.systemOff, PsciFunction.systemReset].map((id) => call(id))
    expect([answers, done]).toEqual([Array(3).fill('no return'), ['off 0', 'system off', 'system reset']])
  })

  it('stands by for every state of the original format, and refuses reserved bits (5.4)', () => {
    const { call, done } = setUp()
    for (const state of [0, 0xffff, 0x1_0000, 0x0300_0000]) expect(call(PsciFunction.cpuSuspend + SMC64, state)).toBe(0)
    expect(done).toHaveLength(4)
    for (const state of [0x2_0000, 0x8000_0000, 2n ** 40n])
      expect(call(PsciFunction.cpuSuspend + SMC64, state)).toBe(PsciReturn.invalidParameters)
    expect(done).toHaveLength(4)
  })

  it('tells its features: of each function whether it is there, in the convention that is asked for (5.15)', () => {
    const { call } = setUp()
    const there = Object.entries(PsciFunction).map(([name, id]) => [
      name,
      call(PsciFunction.features, id),
      call(PsciFunction.features, id + SMC64),
    ])
    expect(there).toEqual([
      ['version', 0, -1],
      ['cpuSuspend', 0, 0],
      ['cpuOff', 0, -1],
      ['cpuOn', 0, 0],
      ['affinityInfo', 0, 0],
      ['migrate', -1, -1],
      ['migrateInfoType', 0, -1],
      ['migrateInfoUpCpu', -1, -1],
      ['systemOff', 0, -1],
      ['systemReset', 0, -1],
      ['features', 0, -1],
    ])
  })

  it.each([0, 0x8400_000e, 0x8400_0012, 0xc400_0000, 0xc400_0008, 0x8000_0000, 0x8600_ff01, 0xffff_ffff])(
    'answers NOT_SUPPORTED to 0x%s, which is none of its functions',
    (id) => {
      const { call, done } = setUp()
      expect([call(id, 1, 0x4000_0000), done]).toEqual([-1, []])
    },
  )
})
