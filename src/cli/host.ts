/** The process around a running machine: its terminal, its pipes, its signals. All that `vgic run` asks of Node is here. */

import type { Host } from './command.ts'

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
type Signal = (typeof signals)[number]

export class ProcessHost implements Host {
  readonly interactive = process.stdin.isTTY === true && process.stdout.isTTY === true
  #gone = false
  #raw = false
  #guarded = false

  get gone(): boolean {
    return this.#gone
  }

  get backlog(): number {
    return this.#gone ? 0 : process.stdout.writableLength
  }

  write(bytes: Uint8Array): void {
    if (this.#gone) return
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
    if (this.#guarded) return
    this.#guarded = true
    process.on('exit', () => this.setRaw(false))
    // Who was stopped from outside and goes on finds the terminal as the shell left it.
    process.on('SIGCONT', () => {
      if (this.#raw) process.stdin.setRawMode(true)
    })
  }

  onSignal(hear: (signal: Signal) => void): () => void {
    const listener = (signal: NodeJS.Signals) => hear(signal as Signal)
    for (const signal of signals) process.on(signal, listener)
    return () => {
      for (const signal of signals) process.off(signal, listener)
    }
  }
}
