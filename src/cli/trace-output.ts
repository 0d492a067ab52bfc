/** A trace on its way to a file, packed where the name ends in .gz. */

import { createWriteStream, type WriteStream } from 'node:fs'
import { open } from 'node:fs/promises'
import { finished } from 'node:stream/promises'
import { createGzip, type Gzip } from 'node:zlib'
import { unwritable } from './file-error.ts'

/** Bytes that may wait for the file before the machine does. */
const MOST = 2 ** 21

export class TraceOutput {
  readonly #name: string
  readonly #head: Gzip | WriteStream
  readonly #done: Promise<void>
  #error: Error | undefined

  private constructor(name: string, file: WriteStream) {
    this.#name = name
    if (name.endsWith('.gz')) {
      const gzip = createGzip()
      gzip.pipe(file)
      this.#head = gzip
    } else this.#head = file
    this.#done = finished(file).catch((error: Error) => {
      this.#error = error
    })
  }

  /** Opens the file, and empties it. Throws a FileError when that cannot be. */
  static async open(name: string): Promise<TraceOutput> {
    try {
      const handle = await open(name, 'w')
      return new TraceOutput(name, createWriteStream('', { fd: handle }))
    } catch (error) {
      throw unwritable(name, error)
    }
  }

  write(text: string): void {
    if (this.#error === undefined) this.#head.write(text)
  }

  /** Until not much waits for the file. Throws a FileError when it takes no more. */
  async room(): Promise<void> {
    if (this.#error !== undefined) throw unwritable(this.#name, this.#error)
    if (this.#head.writableLength < MOST) return
    await Promise.race([new Promise<void>((resolve) => this.#head.once('drain', resolve)), this.#done])
  }

  /** Until all is in the file. */
  async close(): Promise<void> {
    if (this.#error === undefined) this.#head.end()
    await this.#done
    if (this.#error !== undefined) throw unwritable(this.#name, this.#error)
  }
}
