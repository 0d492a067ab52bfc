/** A GICv2 whose remedies are carried out, as its bus, its wires and its CPUs are used. */

import type { GicEvent, GicListener, RemedyAction } from '../index.ts'
import type { Patient } from './remedies.ts'
import type { Rig } from './rig-v2.ts'

export class PatientV2 implements Patient {
  readonly rig: Rig

  constructor(rig: Rig) {
    this.rig = rig
  }

  explain(intid: number, cpu: number) {
    return this.rig.gic.explain(intid, cpu)
  }

  listen(listener: (event: GicEvent) => void) {
    return this.rig.gic.listen(listener as GicListener, { accesses: false })
  }

  do(action: RemedyAction): void {
    if (action.do === 'write') {
      const frame = action.frame === 'GICD' ? 'gicd' : 'gicc'
      this.rig.write(frame, action.offset, action.value, action.cpu, action.secure, action.size)
    } else if (action.do === 'line') this.#line(action.intid, action.cpu, action.level)
    else throw new Error(`a GICv2 has no ${action.do}`)
  }

  acknowledge(cpu: number): number {
    // A Secure read takes Group 0; the Non-secure one, or the alias where there is one Security state, takes Group 1.
    const { security } = this.rig.gic.config
    let taken = security ? this.rig.read('gicc', 0x0c, cpu, false) : 1023
    if ((taken & 0x3ff) >= 1020) taken = this.rig.read('gicc', 0x0c, cpu, security)
    if ((taken & 0x3ff) === 1022) taken = this.rig.read('gicc', 0x20, cpu, security)
    const intid = taken & 0x3ff
    if (intid >= 16 && intid < 1020) this.#line(intid, cpu, false)
    return intid
  }

  #line(intid: number, cpu: number, level: boolean): void {
    if (intid < 32) this.rig.gic.setPpi(cpu, intid, level)
    else this.rig.gic.setSpi(intid, level)
  }
}
