/**
 * A running QEMU with the agent in it: batches of commands in, results out, by a file that is the guest's RAM.
 * Node only. Never leaves a QEMU or a file behind, however this process ends. Knows nothing of steps or registers.
 */

import { type ChildProcess, spawn } from 'node:child_process'
// The RAM's file is in memory: reading and writing it at once costs less than asking for it to be done.
import { closeSync, existsSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TargetConfig } from '../target.ts'
import { buildAgent, INSTALL_HINT, QEMU } from './build.ts'
import {
  COMMAND_SIZE,
  COMMANDS,
  GUEST_MEMORY_BASE,
  GUEST_MEMORY_SIZE,
  KIND,
  MAILBOX,
  MAILBOX_WORDS,
  RAM_BASE,
  RAM_SIZE,
  SAYS,
} from './protocol.ts'
import { EDU_SLOTS, hasEdu } from './wires.ts'

/** QEMU is gone, or no longer answers: nothing more can be asked of this process. */
export class TargetLost extends Error {
  override readonly name = 'TargetLost'
}

const START_TIMEOUT = 30_000
const BATCH_TIMEOUT = 120_000

/** Kills QEMU and removes its directory once its standard input ends: when we say so, or when we are no more. */
const WATCHER = 'read line; kill -9 "$1" 2>/dev/null; rm -rf "$2"'

function qemuArguments(config: TargetConfig, directory: string, agent: { elf: string; resetVector: string }): string[] {
  const machine = [
    'virt',
    `gic-version=${config.version}`,
    ...(config.version === 3 ? [`its=${config.its ? 'on' : 'off'}`] : []),
    `secure=${config.security ? 'on' : 'off'}`,
    ...(config.el2 ? ['virtualization=on'] : []),
    'highmem=off',
    // With firmware and ACPI the board would have no GPIO, which drives a wire.
    'acpi=off',
    'memory-backend=ram',
  ]
  const image = config.security
    ? ['-bios', agent.resetVector, '-device', `loader,file=${agent.elf}`]
    : ['-kernel', agent.elf]
  return [
    ...['-machine', machine.join(',')],
    ...['-object', `memory-backend-file,id=ram,size=${RAM_SIZE >> 20}M,mem-path=${join(directory, 'ram')},share=on`],
    ...['-m', `${RAM_SIZE >> 20}M`, '-cpu', 'cortex-a57', '-smp', `${config.cpus}`],
    // One host thread for all CPUs: what they do is then in one order, and YIELD hands over.
    ...['-accel', 'tcg,thread=single', '-nodefaults', '-display', 'none'],
    ...['-chardev', 'stdio,id=says,signal=off', '-serial', 'chardev:says'],
    ...['-qtest', `unix:${join(directory, 'qtest')}`, '-qtest-log', '/dev/null'],
    ...(hasEdu(config) ? EDU_SLOTS : []).flatMap((slot) => ['-device', `edu,addr=${slot}`]),
    ...image,
  ]
}

/** Keeps the last of what QEMU wrote to standard error, for messages. */
class Complaints {
  #text = ''
  add(chunk: Buffer): void {
    this.#text = (this.#text + chunk.toString('latin1')).slice(-4096)
  }
  get line(): string {
    const lines = this.#text.split('\n').filter((line) => line.trim() !== '' && !line.includes('g_timer_elapsed'))
    return lines.length === 0 ? '' : `: ${lines[lines.length - 1]?.trim()}`
  }
}

interface Wait {
  for: number
  resolve: () => void
  reject: (error: Error) => void
  timer: NodeJS.Timeout
}

export class QemuProcess {
  /** Where its files are while it runs, and its process ID. */
  readonly directory: string
  readonly pid: number | undefined
  #child: ChildProcess
  #qtest: Socket
  #ram: number
  #watcher: ChildProcess
  #exited: Promise<void>
  #closed: Promise<void> | undefined
  #wait: Wait | undefined
  #lost: TargetLost | undefined
  #go = 0
  #resume = 0
  #pauses: readonly (readonly string[])[] = []
  #pausesTaken = 0

  private constructor(
    directory: string,
    child: ChildProcess,
    watcher: ChildProcess,
    qtest: Socket,
    ram: number,
    says: Complaints,
  ) {
    this.directory = directory
    this.pid = child.pid
    this.#child = child
    this.#watcher = watcher
    this.#qtest = qtest
    this.#ram = ram
    this.#exited = new Promise((resolve) => {
      const gone = (code: number | null, signal: NodeJS.Signals | null): void => {
        this.#lose(`QEMU died (${signal ?? `exit status ${code}`})${says.line}`)
        resolve()
      }
      if (child.exitCode !== null || child.signalCode !== null) gone(child.exitCode, child.signalCode)
      else child.once('exit', gone)
    })
    child.stdout?.on('data', (chunk: Buffer) => {
      for (const said of chunk) this.#hear(said)
    })
    let partial = ''
    qtest.on('data', (chunk: Buffer) => {
      const lines = (partial + chunk.toString('latin1')).split('\n')
      partial = lines.pop() ?? ''
      for (const line of lines) if (line.startsWith('FAIL')) this.#lose(`QEMU refused an input change: ${line}`)
    })
    qtest.on('error', () => {})
  }

  static async start(config: TargetConfig): Promise<QemuProcess> {
    const agent = await buildAgent()
    const directory = await mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'vgic-qemu-'))
    let ram: number | undefined
    let server: Server | undefined
    let child: ChildProcess | undefined
    let watcher: ChildProcess | undefined
    try {
      ram = openSync(join(directory, 'ram'), 'w+', 0o600)
      ftruncateSync(ram, RAM_SIZE)
      const setup = Buffer.alloc(8)
      setup.writeUInt32LE(config.cpus, MAILBOX_WORDS.cpus)
      setup.writeUInt32LE(config.version === 2 ? 8 : 16, MAILBOX_WORDS.aff0)
      writeSync(ram, setup, 0, setup.length, MAILBOX - RAM_BASE)

      server = createServer({ pauseOnConnect: false })
      const listening = server
      await new Promise<void>((resolve, reject) => {
        listening.once('error', reject)
        listening.listen(join(directory, 'qtest'), resolve)
      })
      const connection = new Promise<Socket>((resolve) => listening.once('connection', resolve))

      const complaints = new Complaints()
      const qemu = spawn(QEMU, qemuArguments(config, directory, agent), { stdio: ['ignore', 'pipe', 'pipe'] })
      child = qemu
      qemu.stderr.on('data', (chunk: Buffer) => complaints.add(chunk))
      const died = new Promise<never>((_, reject) => {
        qemu.once('error', (error: NodeJS.ErrnoException) =>
          reject(
            new Error(error.code === 'ENOENT' ? `${QEMU} not found: ${INSTALL_HINT}` : `${QEMU}: ${error.message}`),
          ),
        )
        // 'close', not 'exit': by then standard error has been read.
        qemu.once('close', (code, signal) =>
          reject(new Error(`QEMU did not start (${signal ?? `exit status ${code}`})${complaints.line}`)),
        )
      })
      died.catch(() => {})
      if (qemu.pid !== undefined) {
        watcher = spawn('sh', ['-c', WATCHER, 'vgic-qemu-watcher', `${qemu.pid}`, directory], {
          stdio: ['pipe', 'ignore', 'ignore'],
          detached: true,
        })
        watcher.stdin?.on('error', () => {})
        watcher.on('error', () => {})
      }
      let timer: NodeJS.Timeout | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('QEMU did not start in time')), START_TIMEOUT)
      })
      late.catch(() => {})
      try {
        const qtest = await Promise.race([connection, died, late])
        if (watcher === undefined) throw new Error(`${QEMU} did not start`)
        const self = new QemuProcess(directory, qemu, watcher, qtest, ram, complaints)
        await Promise.race([self.#until(SAYS.ready, START_TIMEOUT), died])
        self.#unref(true)
        self.#idle()
        return self
      } finally {
        clearTimeout(timer)
      }
    } catch (error) {
      child?.kill('SIGKILL')
      watcher?.stdin?.end()
      if (ram !== undefined) closeSync(ram)
      if (watcher === undefined) await rm(directory, { recursive: true, force: true })
      throw error
    } finally {
      server?.close()
    }
  }

  /**
   * Runs `count` commands of `commands`, which then holds their results. `pauses` has for each pause among the
   * commands the lines for qtest. Rejects with TargetLost.
   */
  async run(commands: Buffer, count: number, pauses: readonly (readonly string[])[]): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    const length = count * COMMAND_SIZE
    writeSync(this.#ram, commands, 0, length, COMMANDS - RAM_BASE)
    this.#pauses = pauses
    this.#pausesTaken = 0
    await this.#begin(count, SAYS.done)
    readSync(this.#ram, commands, 0, length, COMMANDS - RAM_BASE)
  }

  /** A system reset, which QEMU does to every device; the agent starts anew. `memory`: the guest's memory is zeroed too. */
  async reset(memory: boolean): Promise<void> {
    if (this.#lost !== undefined) throw this.#lost
    const command = Buffer.alloc(COMMAND_SIZE)
    command[3] = KIND.systemReset
    writeSync(this.#ram, command, 0, command.length, COMMANDS - RAM_BASE)
    await this.#begin(1, SAYS.ready)
    if (memory)
      writeSync(this.#ram, Buffer.alloc(GUEST_MEMORY_SIZE), 0, GUEST_MEMORY_SIZE, GUEST_MEMORY_BASE - RAM_BASE)
  }

  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  async #close(): Promise<void> {
    this.#lose('QEMU was closed')
    this.#child.kill('SIGKILL')
    this.#unref(false)
    await this.#exited
    this.#qtest.destroy()
    const cleaned = new Promise<void>((resolve) => {
      if (this.#watcher.exitCode !== null || this.#watcher.signalCode !== null) resolve()
      else this.#watcher.once('exit', () => resolve())
    })
    this.#watcher.stdin?.end()
    await cleaned
    closeSync(this.#ram)
  }

  /** Whether this Node process may end while QEMU still runs; it may, unless QEMU is at work for it. */
  #unref(on: boolean): void {
    for (const handle of [
      this.#child,
      this.#watcher,
      this.#qtest,
      this.#child.stdout,
      this.#child.stderr,
      this.#watcher.stdin,
    ]) {
      const it = handle as { ref?: () => void; unref?: () => void } | null
      if (on) it?.unref?.()
      else it?.ref?.()
    }
  }

  async #begin(count: number, until: number): Promise<void> {
    this.#go = (this.#go + 1) >>> 0
    const words = Buffer.alloc(8)
    words.writeUInt32LE(this.#go, 0)
    words.writeUInt32LE(count, 4)
    // The count first: the agent takes it once it sees the number change.
    writeSync(this.#ram, words, 4, 4, MAILBOX - RAM_BASE + MAILBOX_WORDS.count)
    writeSync(this.#ram, words, 0, 4, MAILBOX - RAM_BASE + MAILBOX_WORDS.go)
    const finished = this.#until(until, BATCH_TIMEOUT)
    this.#child.kill('SIGCONT')
    await finished
    this.#idle()
  }

  /** An agent without work spins; QEMU is stopped instead, so that it costs nobody a core. */
  #idle(): void {
    this.#child.kill('SIGSTOP')
  }

  #until(said: number, timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#lost !== undefined) return reject(this.#lost)
      const timer = setTimeout(() => {
        this.#lose('QEMU did not answer in time')
        this.#child.kill('SIGKILL')
      }, timeout)
      this.#wait = { for: said, resolve, reject, timer }
    })
  }

  #hear(said: number): void {
    if (said === SAYS.pause) this.#pause()
    if (said === SAYS.broken) this.#lose('the agent inside QEMU met a fault of its own')
    const wait = this.#wait
    if (wait === undefined || wait.for !== said) return
    this.#wait = undefined
    clearTimeout(wait.timer)
    wait.resolve()
  }

  /** The inputs, and then the word that the agent waits for: all by qtest, so that QEMU keeps their order. */
  #pause(): void {
    this.#resume = (this.#resume + 1) >>> 0
    const lines = this.#pauses[this.#pausesTaken++] ?? []
    const resume = `writel 0x${(MAILBOX + MAILBOX_WORDS.resume).toString(16)} 0x${this.#resume.toString(16)}`
    this.#qtest.write(`${[...lines, resume].join('\n')}\n`)
  }

  #lose(message: string): void {
    this.#lost ??= new TargetLost(message)
    const wait = this.#wait
    if (wait === undefined) return
    this.#wait = undefined
    clearTimeout(wait.timer)
    wait.reject(this.#lost)
  }
}
