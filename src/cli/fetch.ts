/** `vgic fetch`: a real guest into the cache, by the tools of the distribution that it comes from. */

import type { Command, Io } from './command.ts'
import { ExitStatus, parseOptions, UsageError } from './command.ts'
import { cachedDebian, type DebianGuest, fetchDebian } from './debian.ts'
import { printable } from './style.ts'

const help = `Usage: vgic fetch debian [--again]

Gets the arm64 kernel (cloud flavour) and busybox of Debian with apt's own tools and a configuration of their own, builds a
small initial RAM disk, and keeps both in $XDG_CACHE_HOME/vgic or ~/.cache/vgic. Nothing is installed. It prints the options
of 'vgic run' that start it; 'vgic linux' does.

  --again    fetch although it is there

Example:
  vgic fetch debian
`

/** The guest from the cache, or fetched. */
export async function debianGuest(io: Io, again = false): Promise<DebianGuest> {
  const there = again ? undefined : await cachedDebian(io.env)
  return there ?? fetchDebian(io.env, (line) => io.err.write(`vgic: ${line}\n`))
}

async function run(args: readonly string[], io: Io): Promise<ExitStatus> {
  const { values, positionals } = parseOptions(args, { again: { type: 'boolean' } }, 'fetch')
  if (positionals.length !== 1 || positionals[0] !== 'debian')
    throw new UsageError(
      positionals[0] === undefined
        ? "fetch wants to know what: 'vgic fetch debian'"
        : `fetch knows 'debian', not '${printable(positionals.join(' ')).slice(0, 60)}'`,
    )
  const guest = await debianGuest(io, values.again)
  io.out.write(`${guest.packages.join(', ')}\n--kernel ${guest.kernel} --initrd ${guest.initrd}\n`)
  return ExitStatus.ok
}

export const fetch: Command = { name: 'fetch', help, run }
