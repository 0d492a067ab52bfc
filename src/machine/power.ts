/**
 * What firmware would do for a guest that has none: CPUs are powered on and off by PSCI (Arm DEN 0022), and the machine ended. What
 * a call says, `psci.ts` decides; why one was refused is kept for who asks.
 */

import type { Cluster } from '../aarch64/index.ts'
import type { Ram } from '../devices/memory.ts'
import { type GicV2, GicV3, REDISTRIBUTOR_STRIDE } from '../gic/index.ts'
import { type Bus, cpuInitiator } from '../mmio/index.ts'
import { virtAffinity, virtMap } from './board/virt-map.ts'
import type { MachineEvent, StopReason } from './board/virt-options.ts'
import { type PsciCall, PsciFunction, type PsciMachine, psciCall } from './psci.ts'
import { describeRefusal, psciFunction } from './psci-text.ts'
import type { Recorder } from './recorder.ts'
import type { PowerStory } from './why/pe-gates.ts'

/** What of the machine it acts on. */
interface Board {
  readonly options: { readonly cpus: number; readonly gic: 2 | 3 }
  readonly cluster: Cluster
  readonly gic: GicV2 | GicV3
  readonly bus: Bus
  readonly ram: Ram
  readonly scheduler: { readonly time: number }
  readonly onEvent: ((event: MachineEvent) => void) | undefined
  stop(reason: StopReason): void
}

const GICR_WAKER = 0x14

export class Power {
  /** Something was put into the first flash bank, which may be code. */
  programmed: boolean
  readonly #board: Board
  readonly #recorder: Recorder | undefined
  /** Why the last CPU_ON of a CPU was refused. */
  readonly #refused = new Map<number, string>()

  constructor(board: Board, programmed: boolean, recorder: Recorder | undefined) {
    this.#board = board
    this.programmed = programmed
    this.#recorder = recorder
  }

  /** What there is to say of a CPU's power. */
  story(cpu: number): PowerStory {
    return { affinity: virtAffinity(cpu, this.#board.options.gic), refused: this.#refused.get(cpu) }
  }

  /** The first CPU, at an address, with an argument in X0. */
  boot(entry: number, argument: number): void {
    this.#board.cluster.start(0, BigInt(entry), BigInt(argument))
    this.#wakeRedistributor(0)
  }

  /** HVC. Every immediate is a call, as with QEMU: there is nobody else to take it. */
  call(cpu: number): boolean {
    const { cluster } = this.#board
    const register = (n: number) => cluster.register(cpu, n)
    const call = { x0: register(0), x1: register(1), x2: register(2), x3: register(3) }
    const result = psciCall(this.#psci, cpu, call)
    if (result === undefined) return true
    cluster.setRegister(cpu, 0, result)
    if (BigInt.asIntN(64, result) < 0n) this.#refuse(cpu, call, result)
    return true
  }

  /** What PSCI acts on. */
  readonly #psci: PsciMachine = {
    cpuOf: (affinity) => {
      const { cpus, gic } = this.#board.options
      for (let cpu = 0; cpu < cpus; cpu++) if (BigInt(virtAffinity(cpu, gic)) === affinity) return cpu
      return undefined
    },
    powerOf: (cpu) => (this.#board.cluster.isOn(cpu) ? 'on' : 'off'),
    canStart: (entry) => this.#board.ram.contains(Number(entry), 4) || (this.programmed && entry < virtMap.flash0.size),
    turnOn: (cpu, entry, context) => {
      const { cluster, scheduler, gic } = this.#board
      cluster.start(cpu, entry, context)
      this.#refused.delete(cpu)
      cluster.setTime(cpu, scheduler.time)
      if (!(gic instanceof GicV3)) return
      gic.resetCpu(cpu)
      this.#recorder?.reset(cpu)
      this.#wakeRedistributor(cpu)
    },
    turnOff: (cpu) => this.#board.cluster.powerOff(cpu),
    standBy: (cpu) => this.#board.cluster.standBy(cpu),
    systemOff: () => this.#board.stop('off'),
    systemReset: () => this.#board.stop('reset'),
  }

  #refuse(cpu: number, call: PsciCall, result: bigint): void {
    const { what, why } = describeRefusal(call, result)
    const target = psciFunction(call) === PsciFunction.cpuOn ? this.#psci.cpuOf(call.x1) : undefined
    if (target !== undefined) this.#refused.set(target, why)
    this.#board.onEvent?.({ kind: 'psci', cpu, pc: this.#board.cluster.pc(cpu), what, why })
  }

  /**
   * GICR_WAKER resets to asleep, and who powers a PE on wakes it (IHI 0069 11.1): that is firmware, for which this machine stands
   * with its PSCI. Guests written for QEMU and KVM, where a sleeping Redistributor forwards or none sleeps, count on it.
   */
  #wakeRedistributor(cpu: number): void {
    const { options, bus } = this.#board
    if (options.gic !== 3) return
    bus.write32(virtMap.gicr.base + cpu * REDISTRIBUTOR_STRIDE + GICR_WAKER, 0, cpuInitiator(cpu))
  }
}
