/** `vgic linux`, which `npm run linux` runs: Debian's kernel at a shell in this terminal, fetched if it is not there. */

import type { Command, ExitStatus, Io } from './command.ts'
import { debianGuest } from './fetch.ts'
import { run as runCommand } from './run.ts'

const help = `Usage: vgic linux [options of vgic run]

Fetches Debian's arm64 kernel if it is not in the cache, and boots it to a shell on 4 CPUs. Ctrl-A x leaves, Ctrl-A c is the
monitor: there 'info irq' shows its interrupts, and 'why 27 0' why the timer is, or is not, signalled.

Examples:
  vgic linux
  vgic linux --gic 3 --its --smp 8
`

/** RSA and other self-tests of the kernel are two thirds of a boot. */
const commandLine = 'console=ttyAMA0 cryptomgr.notests'

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const guest = await debianGuest(io)
  const has = (name: string) => args.some((argument) => argument === name || argument.startsWith(`${name}=`))
  const more = has('--append') || has('-append') ? [] : ['--append', commandLine]
  const cpus = has('--smp') || has('-smp') ? [] : ['--smp', '4']
  return runCommand.run(['--kernel', guest.kernel, '--initrd', guest.initrd, ...more, ...cpus, ...args], io)
}

export const linux: Command = { name: 'linux', help, run }
