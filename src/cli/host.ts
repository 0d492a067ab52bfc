/** The process around a running machine: its terminal, its pipes, its signals. All that `vgic run` asks of Node is here. */

import type { Host } from './command.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'] as const
const newline = Uint8Array.of(0x0a)
type Signal = (typeof signals)[number]

export class ProcessHost implements Host {
  readonly interactive = process.stdin.isTTY === true && process.stdout.isTTY === true
  #gone = false
  #raw = false
  #guarded = false
  /** The guest's last line, as a shell's prompt is, has no end. */
  #midLine = false

  get gone(): boolean {
    return this.#gone
  }

  get backlog(): number {
    return this.#gone ? 0 : process.stdout.writableLength
  }

  write(bytes: Uint8Array): void {
    if (this.#gone) return
    if (bytes.length > 0) this.#midLine = bytes[bytes.length - 1] !== 0x0a
    process.stdout.write(bytes, (error) => {
      if (error) this.#gone = true
    })
  }

  async drained(): Promise<void> {
    if (this.backlog === 0) return
    await new Promise<void>((resolve) => {
      const done = () => {
        process.stdout.off('drain', done)
        process.stdout.off('error', done)
        process.stdout.off('close', done)
        resolve()
      }
      process.stdout.once('drain', done)
      process.stdout.once('error', done)
      process.stdout.once('close', done)
      // 'drain' only comes after a write that was told to wait: an empty one calls back behind all that was written.
      process.stdout.write('', done)
    })
  }

  setRaw(on: boolean): void {
    if (!process.stdin.isTTY || on === this.#raw) return
    this.#raw = on
    process.stdin.setRawMode(on)
    if (!on && this.#midLine && !this.#gone) this.write(newline)
    if (this.#guarded) return
    this.#guarded = true
    process.on('exit', () => this.setRaw(false))
    // Who was stopped and goes on finds the terminal as the shell left it. Node only does what it thinks is not done yet.
    process.on('SIGCONT', () => {
      if (!this.#raw) return
      process.stdin.setRawMode(false)
      process.stdin.setRawMode(true)
    })
    process.on('SIGTSTP', this.#suspend)
  }

  /** Whoever stops this process from outside gets the terminal back for that time. */
  readonly #suspend = (): void => {
    if (this.#raw) process.stdin.setRawMode(false)
    process.off('SIGTSTP', this.#suspend)
    process.kill(process.pid, 'SIGTSTP')
    // Behind a stop, or where the system grants none.
    setTimeout(() => {
      process.on('SIGTSTP', this.#suspend)
      if (this.#raw) process.stdin.setRawMode(true)
    }, 10)
  }

  onSignal(hear: (signal: Signal) => void): () => void {
    const listener = (signal: NodeJS.Signals) => hear(signal as Signal)
    for (const signal of signals) process.on(signal, listener)
    return () => {
      for (const signal of signals) process.off(signal, listener)
    }
  }
}
