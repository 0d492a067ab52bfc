/** The CPU interface registers of a GICv3 (ICC_*) as the CPUs' system registers, and into a recording. What they do is the GIC's. */

import type { ExternalRegisters } from '../aarch64/index.ts'
import { type GicV3, SysregOutcome } from '../gic/index.ts'
import type { Recorder } from './recorder.ts'

const OK = SysregOutcome.ok

export class IccRegisters implements ExternalRegisters {
  high = 0
  known = false
  readonly #gic: () => GicV3
  readonly #recorder: Recorder | undefined

  /** `gic` is asked at each access: the CPUs are made before it. */
  constructor(gic: () => GicV3, recorder?: Recorder) {
    this.#gic = gic
    this.#recorder = recorder
  }

  read(cpu: number, encoding: number): number {
    const gic = this.#gic()
    const low = gic.readSysreg(cpu, encoding)
    this.known = gic.sysregOutcome === OK
    if (!this.known) return 0
    this.high = gic.sysregHigh
    if (this.#recorder !== undefined) this.#recorder.systemRegister(cpu, encoding, false, low, gic.sysregHigh)
    return low
  }

  write(cpu: number, encoding: number, low: number, high: number): boolean {
    if (this.#gic().writeSysreg(cpu, encoding, low, high) !== OK) return false
    if (this.#recorder !== undefined) this.#recorder.systemRegister(cpu, encoding, true, low, high)
    return true
  }
}
