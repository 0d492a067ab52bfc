/** Builds one of the probes below guests/ and runs it, on QEMU's `virt` and on our board; for a spec in `*.qemu.spec.ts`. Node only. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { planBoot } from '../boot/boot.ts'
import { VirtMachine } from '../virt.ts'

const COMPILER = process.env['VGIC_AARCH64_GCC'] ?? 'aarch64-linux-gnu-gcc'
const QEMU = process.env['VGIC_QEMU'] ?? 'qemu-system-aarch64'
const guests = fileURLToPath(new URL('../../../guests/', import.meta.url))

const FLAGS = [
  ...['-O2', '-Wall', '-Wextra', '-Werror', '-ffreestanding', '-nostdlib', '-static', '-fno-pic'],
  ...['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-mgeneral-regs-only', '-mstrict-align'],
  ...['-march=armv8-a', '-Wl,--build-id=none', '-Wl,-z,noexecstack'],
]

/** What each found: the name of a finding, and what follows it. */
export interface Findings {
  readonly qemu: ReadonlyMap<string, string>
  readonly ours: ReadonlyMap<string, string>
}

/** Names that occur more than once are told apart by a number. */
function findings(text: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const line of text.trim().split('\n')) {
    const [name = '', value = ''] = line.split(/:(.*)/s)
    let key = name.trim()
    for (let n = 2; found.has(key); n++) key = `${name.trim()} (${n})`
    found.set(key, value.trim())
  }
  return found
}

export async function probe(gic: 2 | 3, memory = 2 ** 28, guest = 'board-probe'): Promise<Findings> {
  const source = (name: string) => join(guests, guest, name)
  const folder = mkdtempSync(join(tmpdir(), 'vgic-probe-'))
  try {
    const elf = join(folder, 'probe.elf')
    const sources = ['start.S', 'probe.c'].map(source)
    execFileSync(COMPILER, [...FLAGS, `-Wl,-T,${source('link.ld')}`, '-o', elf, ...sources], { stdio: 'pipe' })
    const machine = [`virt,gic-version=${gic}`, '-cpu', 'cortex-a57', '-smp', '2', '-m', `${memory / 2 ** 20}`]
    const args = ['-M', ...machine, '-nodefaults', '-display', 'none', '-serial', 'stdio', '-kernel', elf]
    const qemu = execFileSync(QEMU, args, { input: 'x', timeout: 60_000 }).toString('latin1')
    return { qemu: findings(qemu), ours: findings(await onOurs(readFileSync(elf), gic, memory)) }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function onOurs(kernel: Uint8Array, gic: 2 | 3, memory: number): Promise<string> {
  let text = ''
  const console = (character: number) => (text += String.fromCharCode(character))
  const machine = new VirtMachine({ cpus: 2, memory, gic, console })
  const plan = await planBoot({ kernel }, { cpus: 2, memory, gic })
  plan.start(machine)
  machine.type([0x78])
  const reason = machine.run(1e9)
  if (reason !== 'off') throw new Error(`the probe did not end: ${reason} after ${text.slice(-80)}`)
  return text
}
