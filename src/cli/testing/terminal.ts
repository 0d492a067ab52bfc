/**
 * `vgic` in a terminal of its own, made by util-linux's `script`, which every Debian has: what is typed, what is shown, and
 * the terminal's modes before and after. It drives nothing else, and there is none where `script` or `stty` is not there.
 */

import { spawn, spawnSync } from 'node:child_process'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const program = fileURLToPath(new URL('../../../bin/vgic.js', import.meta.url))

/** Whether there can be such a terminal here. */
export const hasTerminal =
  /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '') &&
  spawnSync('stty', ['--version']).status === 0

const quoted = (text: string) => `'${text.replaceAll("'", `'\\''`)}'`

export class Terminal {
  /** Of vgic. */
  pid = 0
  #shown = ''
  #device = ''
  readonly #script
  readonly #closed: Promise<void>

  /** @param env what vgic gets beside the environment of this process */
  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const command = [process.execPath, program, ...args].map(quoted).join(' ')
    const lines = [
      'echo "modes=$(stty -g)"',
      // The shell that says its number becomes vgic.
      `sh -c ${quoted(`echo "pid=$$ device=$(tty)"; exec ${command}`)}`,
      'echo "status=$?" "modes=$(stty -g)"',
    ]
    this.#script = spawn('script', ['-qec', lines.join('; '), '/dev/null'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, SHELL: '/bin/sh', ...env },
    })
    this.#script.stdin.on('error', () => {})
    this.#script.stdout.on('data', (data: Buffer) => {
      this.#shown += data.toString('latin1')
    })
    this.#closed = new Promise((resolve) => this.#script.on('close', () => resolve()))
  }

  /** All that was shown, without carriage returns. */
  get shown(): string {
    return this.#shown.replaceAll('\r', '')
  }

  /** Waits until that is shown. */
  async until(pattern: RegExp): Promise<void> {
    await eventually(() => pattern.test(this.shown), `${pattern} in ${JSON.stringify(this.shown)}`)
    if (this.pid !== 0) return
    const found = /pid=(\d+) device=(\S+)/.exec(this.shown)
    this.pid = Number(found?.[1])
    this.#device = found?.[2] ?? ''
  }

  type(keys: string): void {
    this.#script.stdin.write(Buffer.from(keys, 'latin1'))
  }

  /** Whether keys come one by one, unseen, and raise no signals. */
  get isRaw(): boolean {
    const modes = spawnSync('stty', ['-a', '-F', this.#device], { encoding: 'utf8' }).stdout
    return ['-icanon', '-echo', '-isig', '-ixon'].every((mode) => modes.split(/[\s;]+/).includes(mode))
  }

  async untilRaw(): Promise<void> {
    await eventually(() => this.isRaw, 'a raw terminal')
  }

  /** What a shell does with a terminal that it takes back. */
  makeSane(): void {
    spawnSync('stty', ['sane', '-F', this.#device])
  }

  /** The terminal goes away, as a window that is closed. */
  async close(): Promise<void> {
    this.#script.kill('SIGKILL')
    await this.#closed
    await eventually(() => {
      try {
        process.kill(this.pid, 0)
        return false
      } catch {
        return true
      }
    }, 'the end of a vgic without a terminal')
  }

  /** How vgic ended, and whether it left the terminal as it found it. */
  async ended(): Promise<{ status: number; restored: boolean }> {
    await eventually(() => /status=/.test(this.shown), `an end behind ${JSON.stringify(this.shown)}`)
    await this.#closed
    const [before, after] = [...this.shown.matchAll(/modes=(\S+)/g)].map(([, modes]) => modes)
    return { status: Number(/status=(\d+)/.exec(this.shown)?.[1]), restored: before !== undefined && before === after }
  }
}

async function eventually(done: () => boolean, what: string): Promise<void> {
  for (const end = Date.now() + 60_000; !done(); await delay(20))
    if (Date.now() > end) throw new Error(`waited a minute for ${what}`)
}
