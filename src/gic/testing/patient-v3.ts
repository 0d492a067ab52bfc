/** A GICv3 whose remedies are carried out, as its bus, its wires, its PEs' system registers and guest memory are used. */

import { type GicEvent, type GicListener, iccEncoding, type MemoryNeed, type RemedyAction } from '../index.ts'
import type { Patient } from './remedies.ts'
import type { RigV3 } from './rig-v3.ts'

/** Bytes at the end of memory that tables are made of. */
export const ROOM = 0x40_0000

type Acknowledge = 'ICC_IAR0_EL1' | 'ICC_IAR1_EL1'

export class PatientV3 implements Patient {
  readonly rig: RigV3
  #free: number

  constructor(rig: RigV3) {
    this.rig = rig
    this.#free = rig.memory.length - ROOM
  }

  explain(intid: number, cpu: number) {
    return this.rig.gic.explain(intid, cpu)
  }

  listen(listener: (event: GicEvent) => void) {
    return this.rig.gic.listen(listener as GicListener, { accesses: false })
  }

  do(action: RemedyAction): void {
    const { gic, memory } = this.rig
    switch (action.do) {
      case 'write': {
        const { frame, offset, size, value, high, secure, cpu } = action
        const at = frame === 'GICD' ? 'gicd' : Number(/^GICR (\d+)$/.exec(frame)![1])
        this.rig.write(at, offset, value + this.#allocate(action.memory), secure, size, high, cpu)
        return
      }
      case 'sysreg': {
        const { cpu, el, secure } = action
        const before = { el: gic.cpus[cpu]!.el, secure: gic.cpus[cpu]!.secure }
        gic.setExecution(cpu, { el, secure })
        const outcome = this.rig.msr(cpu, action.register, (BigInt(action.high) << 32n) | BigInt(action.value))
        gic.setExecution(cpu, before)
        if (outcome !== 'ok') throw new Error(`${action.register} at EL${el}: ${outcome}`)
        return
      }
      case 'memory':
        memory[action.address] = action.value
        return
      case 'line':
        this.#line(action.intid, action.cpu, action.level)
        return
      // What an ITS does with a message and a command; `../its/explain-msi.ts` is about how those get there.
      case 'message':
        gic.setLpi(action.cpu, action.intid)
        return
      case 'invalidate':
        gic.invalidateLpi(action.cpu, action.intid)
        return
      default:
        throw new Error(`a GICv3 has no ${action.do}`)
    }
  }

  acknowledge(cpu: number): number {
    const { gic } = this.rig
    const { el, secure, scrFiq, scrIrq, sctlrNmi } = gic.cpus[cpu]!
    let intid = 1023
    for (const state of [secure, !secure])
      for (const register of ['ICC_IAR1_EL1', 'ICC_IAR0_EL1'] as Acknowledge[]) {
        if (intid < 1020 || intid > 1023) continue
        gic.setExecution(cpu, { el: 1, secure: state, scrFiq: false, scrIrq: false, sctlrNmi: false })
        intid = gic.readSysreg(cpu, iccEncoding(register)!)
      }
    gic.setExecution(cpu, { el, secure, scrFiq, scrIrq, sctlrNmi })
    if (intid >= 16 && intid < 8192 && (intid < 1020 || intid > 1023)) this.#quieten(intid, cpu)
    return intid
  }

  #line(intid: number, cpu: number, level: boolean): void {
    const { gic } = this.rig
    if (intid < 32 || (intid >= 1056 && intid < 4096)) gic.setPpi(cpu, intid, level)
    else gic.setSpi(intid, level)
  }

  /** The source takes back its level, and the message that stands for one. */
  #quieten(intid: number, cpu: number): void {
    this.#line(intid, cpu, false)
    if (this.rig.gic.config.messageSpis) this.rig.write('gicd', 0x48, intid, true)
  }

  #allocate(need: MemoryNeed | undefined): number {
    if (need === undefined) return 0
    const address = Math.ceil(this.#free / need.align) * need.align
    this.#free = address + need.bytes
    if (this.#free > this.rig.memory.length) throw new Error('no more room')
    this.rig.memory.fill(0, address, this.#free)
    return address
  }
}
