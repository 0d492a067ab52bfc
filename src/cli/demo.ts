/** `vgic demo`: the bundled guest on this package's machine, and its three stuck interrupts for whoever sits at a terminal. */

import { fileURLToPath } from 'node:url'
import type { Command, ExitStatus, Io } from './command.ts'
import { run as runCommand } from './run.ts'
import { styleFor } from './style.ts'

/** The built copy of guests/demo: source and package have it at the same place beside them. */
export const demoImage = fileURLToPath(new URL('../../guests/demo/demo.img', import.meta.url))

const help = `Usage: vgic demo [options of vgic run]

Boots a small guest of this package (guests/demo) on its own machine: every CPU comes up and takes timer, inter-processor,
UART and message interrupts, and says so. At a terminal it then waits, with three interrupts that are pending and never come:
Ctrl-A c is the monitor, and 'why 44' the question. The q key switches the machine off. Without a terminal it switches the
machine off itself, and the question is asked for you; --ask asks others.

Examples:
  vgic demo
  vgic demo --gic 3 --its --smp 8
  vgic demo --ask 'why 45' --ask 'why 46' --ask 'info irq' </dev/null
`

/** Boots the guest; at a terminal it stays until its user leaves. */
export async function bootDemo(args: readonly string[], io: Io): Promise<ExitStatus> {
  const has = (name: string) => args.some((argument) => argument === name || argument.startsWith(`${name}=`))
  const style = styleFor(io.out, io.env)
  const interactive = io.host?.interactive === true
  if (interactive)
    io.out.write(style.dim("Ctrl-A c is the monitor: try 'why 44', 'why 45', 'info irq'. Ctrl-A x leaves.\n"))
  const smp = has('--smp') || has('-smp') ? [] : ['--smp', '4']
  // Without a terminal the guest does not wait: one question is asked for whoever reads.
  const more = interactive ? ['--append', 'stay'] : has('--ask') ? [] : ['--ask', 'why 44']
  return runCommand.run(['--kernel', demoImage, ...smp, ...more, ...args], io)
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const status = await bootDemo(args, io)
  if (io.out.isTerminal) {
    const style = styleFor(io.out, io.env)
    io.out.write(`Next: ${style.bold('npm run linux')}${style.dim(' boots real Linux on the same machine')}\n`)
  }
  return status
}

export const demo: Command = { name: 'demo', help, run }
