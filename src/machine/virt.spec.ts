/** The board as a whole, where no device's spec can see it: who answers calls, and how a CPU starts. Beside QEMU: probe.qemu.spec.ts. */

import { describe, expect, it } from 'vitest'
import { type GicV3, iccEncoding } from '../gic/index.ts'
import { cpuInitiator } from '../mmio/index.ts'
import { createMachine, formatEvent, parseEvent, Replayer, type TraceEvent } from '../trace/index.ts'
import { virtMap } from './board/virt-map.ts'
import { planBoot } from './boot/boot.ts'
import { describeVirt, Recorder } from './recorder.ts'
import { a64, booted, words } from './testing/guest.ts'
import { VirtMachine } from './virt.ts'

const { movz, movk, hvc, loop } = a64
const MEMORY = 2 ** 23
const ENTRY = 0x4008_0000

/** HVC #imm and SMC #imm (DDI 0487 C6.2). */
const hvcOf = (immediate: number) => hvc + (immediate << 5)
const smcOf = (immediate: number) => 0xd400_0003 + (immediate << 5)
const psci = (call: number, ...rest: number[]) => [movz(0, call), movk(0, 0x8400, 1), ...rest]

describe('PSCI on the board', () => {
  it.each([
    ['HVC #0', hvcOf(0)],
    ['HVC #1', hvcOf(1)],
    ['HVC #0xffff', hvcOf(0xffff)],
    ['SMC #0', smcOf(0)],
  ])('answers %s', async (_, instruction) => {
    const { machine } = await booted(words(...psci(0, instruction), loop))
    machine.run(20)
    expect(machine.cluster.register(0, 0)).toBe(0x1_0000n)
  })

  it('starts a CPU at EL1 with the MMU off, interrupts masked, its context in X0 and nothing else (DEN 0022, CPU_ON)', async () => {
    // CPU_ON of CPU 1 at the loop behind it, with 0x77 for its context; CPU 1 was on before and left registers behind.
    const call = [movz(1, 1), movz(2, 0), movk(2, ENTRY >>> 16, 1), movk(2, 0x20), movz(3, 0x77), ...psci(3, hvc), loop]
    const { machine } = await booted(words(...call), { cpus: 2 })
    for (let n = 0; n < 31; n++) machine.cluster.setRegister(1, n, 99n)
    machine.run(100)
    const { cluster } = machine
    expect(cluster.register(0, 0)).toBe(0n)
    expect(cluster.pc(1)).toBe(BigInt(ENTRY + 0x20))
    expect(Array.from({ length: 31 }, (_, n) => cluster.register(1, n))).toEqual([0x77n, ...Array(30).fill(0n)])
    // EL1h with D, A, I and F set.
    expect(cluster.pstate(1) & 0xfcf).toBe(0x3c5)
    expect(cluster.systemRegister(1, 'SCTLR_EL1')! & 1n).toBe(0n)
  })

  it.each([
    ['in memory', 0x4000, undefined, 0n],
    ['where nothing is', 0x7000, undefined, -9n],
    ['in the flash that nothing was put into', 0, undefined, -9n],
    ['in the flash with firmware', 0, words(loop), 0n],
  ])('takes or refuses an entry %s (DEN 0022, INVALID_ADDRESS)', async (_, upper, firmware, answer) => {
    const call = words(movz(1, 1), movz(2, upper, 1), ...psci(3, hvc), loop)
    const machine = new VirtMachine({ cpus: 2, memory: MEMORY, firmware })
    const plan = await planBoot({ kernel: call }, { cpus: 2, memory: MEMORY, gic: 2 })
    plan.start(machine)
    machine.run(50)
    expect(BigInt.asIntN(64, machine.cluster.register(0, 0))).toBe(answer)
  })
})

describe('the UART of the board', () => {
  it('raises its receive interrupt with one character in its FIFO, as small drivers for QEMU expect', () => {
    const machine = new VirtMachine({ memory: MEMORY })
    const write = (offset: number, value: number) =>
      machine.bus.write(virtMap.uart.base + offset, 4, value, 0, cpuInitiator(0))
    write(0x2c, 0x70)
    write(0x38, 0x10)
    expect(machine.uart.interrupt.level).toBe(false)
    machine.uart.receive(0x41)
    expect(machine.uart.interrupt.level).toBe(true)
  })
})

describe('the ITS of the board', () => {
  const QUEUE = 0x4050_0000
  const DEVICES = 0x4051_0000
  const COLLECTIONS = 0x4052_0000
  const ITT = 0x4053_0000
  const CONFIGURATION = 0x4054_0000
  const PENDING = 0x4056_0000

  it('goes on with commands that one write of GITS_CWRITER gave it too many of, while every CPU sleeps (IHI 0069 5.3)', async () => {
    const events: TraceEvent[] = []
    const recorder = new Recorder((event) => events.push(event))
    const { machine } = await booted(words(a64.wfi, loop), { gic: 3, its: true, recorder })
    const { bus, gic, its, ram, cluster } = machine
    machine.run(1000)
    const write = (address: number, value: bigint) => bus.write64(address, value, cpuInitiator(0))
    const systemRegister = (name: string, value: number) => {
      ;(gic as GicV3).writeSysreg(0, iccEncoding(name)!, value)
      recorder.systemRegister(0, iccEncoding(name)!, true, value, 0)
    }
    const command = (offset: number, ...doublewords: readonly bigint[]) => {
      for (const [i, value] of doublewords.entries()) {
        ram.write32(QUEUE + offset + 8 * i, Number(BigInt.asIntN(32, value)))
        ram.write32(QUEUE + offset + 8 * i + 4, Number(BigInt.asIntN(32, value >> 32n)))
      }
    }
    bus.write32(virtMap.gicd.base, 0x12, cpuInitiator(0))
    write(virtMap.gicr.base + 0x70, BigInt(CONFIGURATION) | 15n)
    write(virtMap.gicr.base + 0x78, BigInt(PENDING))
    // 16,000 LPIs that pend and are not enabled, for INVALL to look at; the one that INT makes pending is.
    ram.write8(CONFIGURATION, 0xa3)
    for (let i = 4; i < 2004; i++) ram.write8(PENDING + 1024 + i, 0xff)
    bus.write32(virtMap.gicr.base, 1, cpuInitiator(0))
    systemRegister('ICC_PMR_EL1', 0xf0)
    systemRegister('ICC_IGRPEN1_EL1', 1)
    write(virtMap.its.base + 0x100, (1n << 63n) | BigInt(DEVICES))
    write(virtMap.its.base + 0x108, (1n << 63n) | BigInt(COLLECTIONS))
    write(virtMap.its.base + 0x080, (1n << 63n) | BigInt(QUEUE))
    bus.write32(virtMap.its.base, 1, cpuInitiator(0))
    command(0, 0x09n, 0n, 1n << 63n, 0n)
    command(32, 0x08n, 3n, BigInt(ITT) | (1n << 63n), 0n)
    command(64, 0x0an, 8192n << 32n, 0n, 0n)
    for (let i = 0; i < 17; i++) command(96 + 32 * i, 0x0dn, 0n, 0n, 0n)
    command(96 + 32 * 17, 0x03n, 0n, 0n, 0n)
    bus.write32(virtMap.its.base + 0x88, 96 + 32 * 18, cpuInitiator(0))
    expect(its!.pending).toBe(true)
    expect(cluster.isWaiting(0)).toBe(true)
    expect(machine.run(1_000_000)).toBe('budget')
    expect(its!.pending).toBe(false)
    expect(gic.irq(0)).toBe(true)
    expect(cluster.isWaiting(0)).toBe(false)
    const replayer = new Replayer(createMachine(describeVirt(machine.options)))
    replayer.take(events.map((event, i) => parseEvent(formatEvent(event), i + 1)))
    const result = replayer.finish()
    expect(result.divergences).toEqual([])
    expect(result.outputs.compared).toBe(1)
  })
})

describe('the power button', () => {
  it('stays down for a tenth of a second, as its driver looks at the pin after the edge, and goes up on an idle machine too', async () => {
    const { machine } = await booted(words(a64.wfi, 0x17ff_ffff))
    const pin = () => machine.bus.read(virtMap.gpio.base + 0x20, 4, cpuInitiator(0))
    machine.run(1000)
    machine.pressPower()
    const start = machine.seconds
    expect(pin()).toBe(8)
    for (let i = 0; i < 10 && pin() !== 0; i++) machine.run(20e6)
    expect(pin()).toBe(0)
    expect(machine.seconds - start).toBeCloseTo(0.1, 6)
  })
})
