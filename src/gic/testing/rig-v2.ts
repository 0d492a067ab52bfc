/** A GICv2 on a bus of its own, driven by steps: what every random spec puts its steps to. */

import { Bus, type Initiator, type Wiring } from '../../mmio/index.ts'
import type { GicV2 } from '../index.ts'
import { endOffsets, type Step } from './steps-v2.ts'

export const bases = { gicd: 0x0800_0000, gicc: 0x0801_0000 } as const

const initiators = new Map<number, Initiator>()

/** One object for each CPU and Security state. */
export function by(cpu: number, secure: boolean): Initiator {
  const key = cpu * 2 + (secure ? 1 : 0)
  let initiator = initiators.get(key)
  if (initiator === undefined) {
    initiator = { cpu, secure, bigEndian: false }
    initiators.set(key, initiator)
  }
  return initiator
}

export class Rig {
  readonly gic: GicV2
  readonly bus = new Bus()
  /** For each CPU the values that it acknowledged and has not ended, the last one last. */
  readonly acknowledged: number[][]
  /** How many acknowledges gave an interrupt, and how many of those preempted another. */
  taken = 0
  preempted = 0

  constructor(gic: GicV2, wiring: Wiring = 'frame') {
    this.gic = gic
    this.bus.register(...gic.frames.gicd.wire(bases.gicd, wiring), ...gic.frames.gicc.wire(bases.gicc, wiring))
    this.acknowledged = Array.from({ length: gic.config.cpus }, () => [])
  }

  read(frame: 'gicd' | 'gicc', offset: number, cpu = 0, secure = false, size: 1 | 2 | 4 | 8 = 4): number {
    return this.bus.read(bases[frame] + offset, size, by(cpu, secure)) >>> 0
  }

  write(frame: 'gicd' | 'gicc', offset: number, value: number, cpu = 0, secure = false, size: 1 | 2 | 4 | 8 = 4): void {
    this.bus.write(bases[frame] + offset, size, value | 0, 0, by(cpu, secure))
  }

  /** The value that an `end` step writes. */
  ending(step: Extract<Step, { op: 'end' }>): number {
    const stack = this.acknowledged[step.cpu]
    if (stack === undefined || stack.length === 0) return step.otherwise
    return step.register === 'GICC_DIR' ? stack[stack.length - 1]! : stack.pop()!
  }

  /** Takes a step; the answer of a read, and 0 for any other. */
  take(step: Step): number {
    switch (step.op) {
      case 'read': {
        const value = this.read(step.frame, step.offset, step.cpu, step.secure, step.size)
        const isAcknowledge = step.frame === 'gicc' && (step.offset === 0x0c || step.offset === 0x20)
        if (isAcknowledge && step.size === 4 && (value & 0x3ff) < 1020) {
          this.taken++
          if (this.acknowledged[step.cpu]?.length) this.preempted++
          this.acknowledged[step.cpu]?.push(value)
        }
        return value
      }
      case 'write':
        this.write(step.frame, step.offset, step.value, step.cpu, step.secure, step.size)
        return 0
      case 'line':
        if (step.intid < 32) this.gic.setPpi(step.cpu, step.intid, step.level)
        else this.gic.setSpi(step.intid, step.level)
        return 0
      case 'end':
        this.write('gicc', endOffsets[step.register], this.ending(step), step.cpu, step.secure)
        return 0
      case 'reset':
        this.gic.reset()
        return 0
    }
  }
}
