/** The list of subcommands. Each is loaded when it is asked for, so that a new one costs the others nothing. */

import type { Command } from './command.ts'

interface Entry {
  readonly summary: string
  load(): Promise<Command>
}

const commands: Readonly<Record<string, Entry>> = {
  start: {
    summary: "replay a real Linux boot's interrupts and show what happened",
    load: async () => (await import('./start.ts')).start,
  },
  run: {
    summary: 'boot a kernel, firmware or a program on a machine around this GIC',
    load: async () => (await import('./run.ts')).run,
  },
  demo: {
    summary: 'boot a small guest of our own that takes interrupts of every kind',
    load: async () => (await import('./demo.ts')).demo,
  },
  linux: {
    summary: "boot Debian's arm64 kernel to a shell, fetched if it is not there",
    load: async () => (await import('./linux.ts')).linux,
  },
  fetch: {
    summary: "get Debian's arm64 kernel and busybox with apt's own tools",
    load: async () => (await import('./fetch.ts')).fetch,
  },
  replay: {
    summary: 'hold this GIC against recorded traffic: every read, every output line',
    load: async () => (await import('./replay.ts')).replay,
  },
  conform: {
    summary: "put the conformance vectors to this GIC, or to QEMU's",
    load: async () => (await import('./conform.ts')).conform,
  },
  fuzz: {
    summary: "random operations on this GIC and QEMU's side by side",
    load: async () => (await import('./fuzz.ts')).fuzz,
  },
}

export const commandNames: readonly string[] = Object.keys(commands)

/** Name and summary of each, in the order of the list. */
export const commandList: readonly { name: string; summary: string }[] = Object.entries(commands).map(
  ([name, { summary }]) => ({ name, summary }),
)

export async function loadCommand(name: string): Promise<Command | undefined> {
  return Object.hasOwn(commands, name) ? commands[name]?.load() : undefined
}
