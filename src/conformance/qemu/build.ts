/**
 * Builds the agent that runs inside QEMU (guests/qemu-agent) into a cache, once for each state of its sources.
 * Node only. Does not download or install anything: a missing compiler is an error of one line.
 */

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { stubsSource } from './registers.ts'

const run = promisify(execFile)

export const COMPILER = process.env['VGIC_AARCH64_GCC'] ?? 'aarch64-linux-gnu-gcc'
const OBJCOPY = COMPILER.replace(/gcc$/, 'objcopy')
export const QEMU = process.env['VGIC_QEMU'] ?? 'qemu-system-aarch64'
export const INSTALL_HINT = 'apt-get install qemu-system-arm gcc-aarch64-linux-gnu'

export interface Agent {
  /** The ELF, linked for the RAM of QEMU's 'virt'. */
  elf: string
  /** What a machine that starts at EL3 needs in its flash to get there. */
  resetVector: string
}

const sources = fileURLToPath(new URL('../../../guests/qemu-agent/', import.meta.url))
const FLAGS = [
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-ffreestanding',
  '-nostdlib',
  '-static',
  '-fno-pic',
  '-fno-stack-protector',
  '-fno-asynchronous-unwind-tables',
  '-mgeneral-regs-only',
  '-mstrict-align',
  '-march=armv8-a',
  '-Wl,--build-id=none',
  '-Wl,-z,noexecstack',
]

/** The package's own cache directory where there is one to write to, else the system's for temporary files. */
async function cacheDirectory(): Promise<string> {
  const modules = fileURLToPath(new URL('../../../node_modules/', import.meta.url))
  for (const parent of [existsSync(modules) ? join(modules, '.cache') : undefined, tmpdir()]) {
    if (parent === undefined) continue
    const directory = join(parent, 'vgic-qemu-agent')
    try {
      await mkdir(directory, { recursive: true })
      return directory
    } catch {}
  }
  throw new Error(`no directory to build QEMU's agent in: neither node_modules/.cache nor ${tmpdir()} can be written`)
}

function firstError(output: string): string {
  const lines = output.split('\n')
  return (lines.find((line) => /error/i.test(line)) ?? lines[0] ?? '').trim()
}

const compile = (args: readonly string[], cwd: string): Promise<void> => command(COMPILER, args, cwd)

async function command(program: string, args: readonly string[], cwd: string): Promise<void> {
  try {
    await run(program, [...args], { cwd })
  } catch (error) {
    const failure = error as NodeJS.ErrnoException & { stderr?: string }
    if (failure.code === 'ENOENT') throw new Error(`${program} not found: ${INSTALL_HINT}`)
    throw new Error(`${program} failed on QEMU's agent: ${firstError(failure.stderr ?? failure.message)}`)
  }
}

async function build(): Promise<Agent> {
  const files = (await readdir(sources)).filter((name) => /\.(c|h|S|ld)$/.test(name)).sort()
  const stubs = stubsSource()
  const hash = createHash('sha256').update(FLAGS.join(' ')).update(stubs)
  for (const name of files) hash.update(name).update(await readFile(join(sources, name)))
  const cache = await cacheDirectory()
  const home = join(cache, hash.digest('hex').slice(0, 16))
  const agent: Agent = { elf: join(home, 'agent.elf'), resetVector: join(home, 'reset.bin') }
  if (existsSync(agent.elf) && existsSync(agent.resetVector)) return agent

  // Built beside its place and renamed into it, so that two builds at a time do not see each other's halves.
  const work = await mkdtemp(join(cache, 'build-'))
  try {
    await writeFile(join(work, 'stubs.S'), stubs)
    const source = (name: string): string => join(sources, name)
    await compile(
      [
        ...FLAGS,
        '-Wl,--no-warn-rwx-segments',
        `-Wl,-T,${source('link.ld')}`,
        '-o',
        'agent.elf',
        source('start.S'),
        source('agent.c'),
        'stubs.S',
      ],
      work,
    )
    await compile(['-nostdlib', '-static', '-Wl,-Ttext=0,--build-id=none', '-o', 'reset.elf', source('reset.S')], work)
    await command(OBJCOPY, ['-O', 'binary', 'reset.elf', 'reset.bin'], work)
    try {
      await rename(work, home)
    } catch (error) {
      if (!existsSync(agent.elf)) throw error
    }
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  return agent
}

let built: Promise<Agent> | undefined

/** The agent, built if need be. Rejects with one line that says what is missing. */
export function buildAgent(): Promise<Agent> {
  built ??= build().catch((error: unknown) => {
    built = undefined
    throw error
  })
  return built
}

/** Major and minor version of the QEMU that is installed, as in '7.2'. Rejects with one line when there is none. */
export async function qemuVersion(): Promise<string> {
  try {
    const { stdout } = await run(QEMU, ['--version'])
    return /version (\d+\.\d+)/.exec(stdout)?.[1] ?? 'unknown'
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') throw new Error(`${QEMU} not found: ${INSTALL_HINT}`)
    throw error
  }
}
