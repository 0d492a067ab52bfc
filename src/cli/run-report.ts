/** What `vgic run` says of a run to a person or a program: what the guest missed, how it ended, how fast it was. */

import type { VirtMachine } from '../machine/virt.ts'
import { ExitStatus } from './command.ts'
import type { SessionEnd } from './session.ts'
import { counted } from './style.ts'

const signalStatus = {
  SIGINT: ExitStatus.interrupted,
  SIGTERM: ExitStatus.terminated,
  SIGHUP: ExitStatus.hangup,
  SIGQUIT: ExitStatus.quit,
} as const

/** The exit status, and the line that says why where it is not plain. */
export function outcome(end: SessionEnd, machine: VirtMachine): [ExitStatus, string?] {
  switch (end.why) {
    case 'off':
    case 'quit':
    case 'gone':
      return [ExitStatus.ok]
    case 'reset':
      return [ExitStatus.reset, 'the guest asked for a reset; --allow-reset grants it']
    case 'timeout':
      return [
        ExitStatus.timeout,
        `the ${end.of === 'host' ? "host's " : ''}limit is reached: ${machine.seconds.toFixed(3)} guest seconds, ${counted(machine.instructions, 'instruction')}`,
      ]
    case 'stuck':
      return [
        ExitStatus.timeout,
        end.halted
          ? 'every CPU is off, and nothing is left that could switch one on'
          : 'every CPU waits, and nothing is left that could wake one',
      ]
    case 'signal':
      return [signalStatus[end.signal]]
  }
}

export interface Stats {
  readonly instructions: number
  /** Of the host, in which the machine ran. */
  readonly seconds: number
  /** Millions of instructions in such a second. */
  readonly mips: number
  readonly guestSeconds: number
  /** Accesses of the guest that left the CPU for a device. */
  readonly exits: number
  readonly interrupts: number
  readonly interruptsPerSecond: number
}

/** @param busy milliseconds in which the machine ran */
export function statsOf(machine: VirtMachine, busy: number): Stats {
  const seconds = Math.max(busy / 1000, 1e-6)
  const { instructions, interrupts } = machine
  return {
    instructions,
    seconds,
    mips: instructions / 1e6 / seconds,
    guestSeconds: machine.seconds,
    exits: machine.deviceAccesses,
    interrupts,
    interruptsPerSecond: interrupts / seconds,
  }
}

export function statsLine(stats: Stats): string {
  return (
    `${(stats.instructions / 1e6).toFixed(1)} M instructions in ${stats.seconds.toFixed(2)} s, ${stats.mips.toFixed(1)} MIPS; ` +
    `${stats.guestSeconds.toFixed(3)} guest seconds; ${counted(stats.exits, 'exit')} to devices, ` +
    `${counted(stats.interrupts, 'interrupt')}, ${counted(stats.interruptsPerSecond, 'interrupt')} a second`
  )
}
