/**
 * A trace as a stream of bytes, plain or gzip, to its header and batches of events. Holds one chunk and one line at a
 * time, however long the file is and whatever it unpacks to. Opens no files itself, so it runs in a browser too.
 */

import type { TraceEvent } from './event.ts'
import { TraceError } from './event.ts'
import type { TraceHeader } from './header.ts'
import { emptyHeader, takeHeaderLine } from './header.ts'
import { parseEvent } from './parse.ts'

/** The longest line that is read, in characters. */
export const maxLineLength = 1 << 20

/** A file as it comes: pieces of any length, packed with gzip or plain. */
export type ByteSource = AsyncIterable<Uint8Array> | Iterable<Uint8Array>

/** A trace that is being read: its header, and its events as they come. */
export interface Trace {
  /** What the `#` lines before the first event said. */
  readonly header: TraceHeader
  /** The events in order, in batches of at least one; can be walked once. Rejects with a TraceError at the first bad line. */
  readonly batches: AsyncGenerator<TraceEvent[], void, void>
}

/** A file's bytes behind what was read of it to see what it is. */
async function* putBack(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    if (head.length > 0) yield head
    for (;;) {
      const next = await rest.next()
      if (next.done === true) return
      yield next.value
    }
  } finally {
    await rest.return?.()
  }
}

async function* chunksOf(source: ByteSource): AsyncGenerator<Uint8Array, void, void> {
  for await (const chunk of source) if (chunk.length > 0) yield chunk
}

/** Unpacks, if the first two bytes are gzip's (RFC 1952, 2.3.1). */
async function unpacked(source: ByteSource): Promise<AsyncGenerator<Uint8Array, void, void>> {
  const chunks = chunksOf(source)
  let head = new Uint8Array(0)
  while (head.length < 2) {
    const next = await chunks.next()
    if (next.done === true) break
    const joined = new Uint8Array(head.length + next.value.length)
    joined.set(head)
    joined.set(next.value, head.length)
    head = joined
  }
  const plain = putBack(head, chunks)
  return head[0] === 0x1f && head[1] === 0x8b ? gunzip(plain) : plain
}

async function* gunzip(packed: AsyncGenerator<Uint8Array, void, void>): AsyncGenerator<Uint8Array, void, void> {
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await packed.next()
      if (next.done === true) controller.close()
      else controller.enqueue(next.value)
    },
    async cancel() {
      await packed.return()
    },
  })
  const reader = stream.pipeThrough(new DecompressionStream('gzip')).getReader()
  try {
    for (;;) {
      const next = await reader.read()
      if (next.done) return
      yield next.value as Uint8Array
    }
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new TraceError(0, `the gzip data is damaged or cut short (${reason})`)
  } finally {
    await reader.cancel().catch(() => {})
  }
}

/** Cuts chunks into lines and those into events, up to the first line that is wrong. */
class LineParser {
  readonly header: TraceHeader = emptyHeader()
  /** Why nothing more is taken. */
  failure: TraceError | undefined
  #line = 0
  #rest = ''
  #sawEvent = false
  readonly #decoder = new TextDecoder('utf-8')

  /** The events that the chunk completes; those before a wrong line are given out before its failure. */
  take(chunk: Uint8Array): TraceEvent[] {
    const text = this.#rest + this.#decoder.decode(chunk, { stream: true })
    const events: TraceEvent[] = []
    try {
      let start = 0
      for (;;) {
        const at = text.indexOf('\n', start)
        if (at < 0) break
        this.#one(text.slice(start, at), events)
        start = at + 1
      }
      this.#rest = text.slice(start)
      if (this.#rest.length > maxLineLength) this.#tooLong(this.#line + 1)
    } catch (error) {
      this.fail(error)
    }
    return events
  }

  /** The event of a last line that no line end follows. */
  finish(): TraceEvent[] {
    const events: TraceEvent[] = []
    try {
      const last = this.#rest + this.#decoder.decode()
      if (last !== '') this.#one(last, events)
    } catch (error) {
      this.fail(error)
    }
    return events
  }

  /** Damage found between lines is reported at the line that it cut off. */
  fail(error: unknown): void {
    if (!(error instanceof TraceError)) throw error
    this.failure = error.line === 0 ? new TraceError(this.#line + 1, error.message) : error
  }

  #one(text: string, events: TraceEvent[]): void {
    const line = ++this.#line
    if (text.length > maxLineLength) this.#tooLong(line)
    const bare = text.endsWith('\r') ? text.slice(0, -1) : text
    if (bare === '') return
    if (bare.startsWith('#')) {
      // A comment between events says nothing about the machine any more.
      if (!this.#sawEvent) takeHeaderLine(this.header, bare, line)
      return
    }
    events.push(parseEvent(bare, line))
    this.#sawEvent = true
  }

  #tooLong(line: number): never {
    throw new TraceError(line, `the line is longer than ${maxLineLength} characters`)
  }
}

async function* parsed(
  chunks: AsyncGenerator<Uint8Array, void, void>,
  parser: LineParser,
): AsyncGenerator<TraceEvent[], void, void> {
  try {
    for (;;) {
      let events: TraceEvent[]
      let done = false
      try {
        const next = await chunks.next()
        done = next.done === true
        events = next.done === true ? parser.finish() : parser.take(next.value)
      } catch (error) {
        parser.fail(error)
        events = []
      }
      if (events.length > 0) yield events
      if (parser.failure !== undefined) throw parser.failure
      if (done) return
    }
  } finally {
    await chunks.return()
  }
}

async function* startingWith(
  first: IteratorResult<TraceEvent[], void>,
  rest: AsyncGenerator<TraceEvent[], void, void>,
): AsyncGenerator<TraceEvent[], void, void> {
  try {
    if (first.done !== true) yield first.value
    yield* rest
  } finally {
    await rest.return()
  }
}

/**
 * Opens a trace and reads its header, and the first events with it.
 * @throws TraceError (as a rejection) when what comes before the first event is no header
 */
export async function readTrace(source: ByteSource): Promise<Trace> {
  const parser = new LineParser()
  const rest = parsed(await unpacked(source), parser)
  const first = await rest.next()
  return { header: parser.header, batches: startingWith(first, rest) }
}
