/** A GICv3 on a bus of its own, with memory for LPI tables, driven by steps: what every random spec puts its steps to. */

import { Bus, type Wiring } from '../../mmio/index.ts'
import { ByteMemory, GicV3, type GicV3Config, iccEncoding, REDISTRIBUTOR_STRIDE, SysregOutcome } from '../index.ts'
import type { Access } from './oracle-v3.ts'
import { by } from './rig-v2.ts'
import { type Frame, memoryFor, type Step } from './steps-v3.ts'

const GICD = 0x0800_0000
const GICR = 0x1000_0000

/** A GIC as the oracle describes it. Its STATUSR, which the oracle does not have, are off. */
export function gicOf(config: GicV3Config, memory = memoryFor(config.cpus ?? 1)): GicV3 {
  return new GicV3({ statusRegisters: false, ...config }, { memory: new ByteMemory(0, memory) })
}

const outcomes = ['ok', 'undefined', 'trap'] as const

export class RigV3 {
  readonly gic: GicV3
  readonly bus = new Bus()
  readonly memory: Uint8Array
  /** For each PE what it acknowledged and has not ended, the last one last. */
  readonly acknowledged: { intid: number; group: 0 | 1 }[][]
  /** How many acknowledges gave an interrupt, how many of those preempted another, and how many were LPIs. */
  taken = 0
  preempted = 0
  lpis = 0

  constructor(gic: GicV3, wiring: Wiring = 'frame') {
    this.gic = gic
    this.memory = gic.memory instanceof ByteMemory ? gic.memory.bytes : new Uint8Array(0)
    const { regions } = gic.config
    const bases = regions.map(
      (_, i) => GICR + regions.slice(0, i).reduce((sum, n) => sum + n, 0) * REDISTRIBUTOR_STRIDE,
    )
    this.bus.register(...gic.frames.gicd.wire(GICD, wiring), ...gic.wireRedistributors(bases, wiring))
    this.acknowledged = gic.cpus.map(() => [])
  }

  address(frame: Frame, offset: number): number {
    return (frame === 'gicd' ? GICD : GICR + frame * REDISTRIBUTOR_STRIDE) + offset
  }

  read(frame: Frame, offset: number, secure = false, size: 1 | 2 | 4 | 8 = 4, cpu = 0): number {
    const low = this.bus.read(this.address(frame, offset), size, by(cpu, secure)) >>> 0
    return size === 8 ? (this.bus.high >>> 0) * 2 ** 32 + low : low
  }

  write(frame: Frame, offset: number, value: number, secure = false, size: 1 | 2 | 4 | 8 = 4, high = 0, cpu = 0): void {
    this.bus.write(this.address(frame, offset), size, value | 0, high | 0, by(cpu, secure))
  }

  mrs(pe: number, register: string): Access {
    const low = this.gic.readSysreg(pe, iccEncoding(register)!)
    const value = (BigInt(this.gic.sysregHigh >>> 0) << 32n) | BigInt(low >>> 0)
    return { outcome: outcomes[this.gic.sysregOutcome]!, value }
  }

  msr(pe: number, register: string, value: bigint | number): Access['outcome'] {
    const wide = BigInt(value)
    const high = Number(BigInt.asIntN(32, wide >> 32n))
    return outcomes[this.gic.writeSysreg(pe, iccEncoding(register)!, Number(BigInt.asIntN(32, wide)), high)]!
  }

  /** The system register and the value that an `end` step writes. */
  ending(step: Extract<Step, { op: 'end' }>): { register: string; value: bigint } {
    const stack = this.acknowledged[step.pe]!
    const last = stack[stack.length - 1] ?? { intid: step.otherwise, group: step.group }
    if (step.deactivate) return { register: 'ICC_DIR_EL1', value: BigInt(last.intid) }
    stack.pop()
    return { register: `ICC_EOIR${last.group}_EL1`, value: BigInt(last.intid) }
  }

  /** Takes a step; the answer of a read. */
  take(step: Step): Access {
    const done: Access = { outcome: 'ok', value: 0n }
    switch (step.op) {
      case 'read': {
        const low = this.bus.read(this.address(step.frame, step.offset), step.size, by(step.cpu, step.secure)) >>> 0
        const high = step.size === 8 ? BigInt(this.bus.high >>> 0) << 32n : 0n
        return { outcome: 'ok', value: high | BigInt(low) }
      }
      case 'write':
        this.write(step.frame, step.offset, step.value, step.secure, step.size, step.high, step.cpu)
        return done
      case 'mrs': {
        const answer = this.mrs(step.pe, step.register)
        const intid = Number(answer.value)
        if (answer.outcome === 'ok' && step.register.includes('IAR') && (intid < 1020 || intid > 1023)) {
          this.taken++
          if (intid >= 8192) this.lpis++
          if (this.acknowledged[step.pe]!.length > 0) this.preempted++
          this.acknowledged[step.pe]!.push({ intid, group: step.register === 'ICC_IAR0_EL1' ? 0 : 1 })
        }
        return answer
      }
      case 'msr':
        return { outcome: this.msr(step.pe, step.register, step.value), value: 0n }
      case 'end': {
        const { register, value } = this.ending(step)
        return { outcome: this.msr(step.pe, register, value), value: 0n }
      }
      case 'line':
        if (step.intid < 32 || (step.intid >= 1056 && step.intid < 4096))
          this.gic.setPpi(step.pe, step.intid, step.level)
        else this.gic.setSpi(step.intid, step.level)
        return done
      case 'execute':
        this.gic.setExecution(step.pe, step.state)
        return done
      case 'poke':
        if (step.address < this.memory.length) this.memory[step.address] = step.value
        return done
      case 'reset':
        this.gic.reset()
        for (const stack of this.acknowledged) stack.length = 0
        return done
    }
  }
}

export { SysregOutcome }
