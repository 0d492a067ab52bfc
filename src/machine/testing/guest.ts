/** The bundled guest, and words of instructions, for specs of whole machines. Node only. */

import { readFileSync } from 'node:fs'
import { planBoot } from '../boot/boot.ts'
import { VirtMachine, type VirtOptions } from '../virt.ts'

export const demoImage = new Uint8Array(readFileSync(new URL('../../../guests/demo/demo.img', import.meta.url)))

export interface GuestRun {
  readonly machine: VirtMachine
  readonly reason: string
  readonly console: string
}

/** A machine with a kernel in its memory, about to run. */
export async function booted(
  kernel: Uint8Array,
  options: VirtOptions = {},
  append?: string,
): Promise<{ machine: VirtMachine; console: () => string }> {
  let text = ''
  const machine = new VirtMachine({ memory: 2 ** 23, ...options, console: (c) => (text += String.fromCharCode(c)) })
  const { cpus, memory, gic, its } = machine.options
  const plan = await planBoot({ kernel, append }, { cpus, memory, gic, its })
  plan.start(machine)
  return { machine, console: () => text }
}

/** Runs the bundled guest until it ends, or for `most` instructions of machine time. */
export async function runDemo(options: VirtOptions = {}, most = 200e6): Promise<GuestRun> {
  const { machine, console } = await booted(demoImage, options)
  const reason = machine.run(most)
  return { machine, reason, console: console() }
}

/** Instruction words as a flat binary. */
export function words(...list: number[]): Uint8Array {
  const bytes = new Uint8Array(list.length * 4)
  const view = new DataView(bytes.buffer)
  for (const [i, word] of list.entries()) view.setUint32(i * 4, word, true)
  return bytes
}

/** A few instructions by their words (DDI 0487 C6.2). */
export const a64 = {
  wfi: 0xd503_207f,
  /** To itself. */
  loop: 0x1400_0000,
  hvc: 0xd400_0002,
  /** MOVZ Xd, #imm16, LSL #16*hw */
  movz: (rd: number, value: number, hw = 0) => (0xd280_0000 | (hw << 21) | (value << 5) | rd) >>> 0,
  movk: (rd: number, value: number, hw = 0) => (0xf280_0000 | (hw << 21) | (value << 5) | rd) >>> 0,
  /** BR Xn */
  br: (rn: number) => (0xd61f_0000 | (rn << 5)) >>> 0,
  /** LDR Xt, [Xn] */
  ldr: (rt: number, rn: number) => (0xf940_0000 | (rn << 5) | rt) >>> 0,
} as const
