/** A bare-metal loop on our machine, as something that can be timed slice by slice; and its image, with a count, for QEMU. */

import { planBoot, VirtMachine } from 'vgic/machine'
import { programs } from './programs.ts'

export type Gic = 2 | 3
export type ProgramName = keyof (typeof programs)[Gic]

/** The flat binary, with how often its loop runs in its first two instructions (MOVZ and MOVK, DDI 0487 C6.2). */
export function image(name: ProgramName, gic: Gic, count: number): Uint8Array {
  const words = programs[gic][name].split(' ').flatMap((text) => {
    const [times, word] = text.includes('*') ? text.split('*') : ['1', text]
    return Array.from({ length: Number(times) }, () => Number.parseInt(word!, 16))
  })
  words[0] = (words[0]! & ~0x1f_ffe0) | ((count & 0xffff) << 5)
  words[1] = (words[1]! & ~0x1f_ffe0) | ((count >>> 16) << 5)
  const bytes = new Uint8Array(words.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of words.entries()) view.setUint32(i * 4, word, true)
  return bytes
}

export const MEMORY = 8 * 2 ** 20
const REMAINING = 19
const HANDLED = 20

export interface Slice {
  /** Nanoseconds of a pass of the loop. */
  readonly pass: number
  /** Guest instructions per microsecond. */
  readonly mips: number
}

/** A program that runs on, slice by slice. */
export class Running {
  readonly name: ProgramName
  readonly gic: Gic
  readonly machine: VirtMachine
  /** Instructions of machine time in a slice. */
  #budget = 50_000

  private constructor(name: ProgramName, gic: Gic) {
    this.name = name
    this.gic = gic
    this.machine = new VirtMachine({ gic, cpus: name === 'ipi' ? 2 : 1, memory: MEMORY })
  }

  /** Boots and warms up, until a slice takes some milliseconds. */
  static async start(name: ProgramName, gic: Gic): Promise<Running> {
    const running = new Running(name, gic)
    const { machine } = running
    const { cpus, memory } = machine.options
    const plan = await planBoot({ kernel: image(name, gic, 0xffff_ffff) }, { cpus, memory, gic })
    plan.start(machine)
    let unhandled: string | undefined
    machine.onEvent = (event) => {
      unhandled ??= JSON.stringify(event, (_, value: unknown) =>
        typeof value === 'bigint' ? value.toString(16) : value,
      )
    }
    machine.run(running.#budget)
    for (let i = 0; i < 12; i++) {
      const start = performance.now()
      running.slice()
      if (performance.now() - start < 4) running.#budget *= 2
    }
    if (unhandled !== undefined) throw new Error(`${name}, GICv${gic}: the guest met ${unhandled}`)
    return running
  }

  /** Passes so far, by the guest's own count down. */
  get #passes(): number {
    return 0xffff_ffff - Number(this.machine.cluster.register(0, REMAINING))
  }

  /** Runs a slice, and says how fast it was. It throws for a guest that is lost, or whose interrupts do not come. */
  slice(): Slice {
    const { machine } = this
    const { cluster } = machine
    const passes = this.#passes
    const instructions = machine.instructions
    const handled = Number(cluster.register(0, HANDLED))
    const start = process.hrtime.bigint()
    const reason = machine.run(this.#budget)
    const ns = Number(process.hrtime.bigint() - start)
    const done = this.#passes - passes
    const where = `${this.name}, GICv${this.gic}`
    if (reason !== 'budget' || done <= 0) throw new Error(`${where}: the guest is lost (${reason})`)
    const interrupts = Number(cluster.register(0, HANDLED)) - handled
    if ((this.name === 'ipi' || this.name === 'timer') && Math.abs(interrupts - done) > 1)
      throw new Error(`${where}: ${interrupts} interrupts in ${done} passes`)
    return { pass: ns / done, mips: ((machine.instructions - instructions) * 1e3) / ns }
  }
}
