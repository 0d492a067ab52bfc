/**
 * Events to the text of a trace, a piece at a time: records a run of our own machine so that it can be replayed.
 * Writes plain text to a function; where that goes, and whether it is packed on the way, is the caller's.
 */

import type { TraceEvent } from './event.ts'
import { formatEvent } from './format.ts'
import type { MachineDescription } from './header.ts'
import { formatMachine } from './header.ts'

/** Text is handed on in pieces of about this many characters. */
const pieceLength = 1 << 16

/** Writes events as a trace: the format of traces/README.md. */
export class TraceWriter {
  readonly #sink: (text: string) => void
  #piece = ''
  #events = 0

  /**
   * @param title what is recorded; becomes the first line
   * @param sink gets the text, in pieces that end with a whole line
   */
  constructor(title: string, machine: MachineDescription, sink: (text: string) => void) {
    this.#sink = sink
    this.#piece = `# ${title.replace(/[\r\n]+/g, ' ')}\n# machine: ${formatMachine(machine)}\n`
  }

  /** How many events were written. */
  get events(): number {
    return this.#events
  }

  /** Adds one event. */
  write(event: TraceEvent): void {
    this.#piece += `${formatEvent(event)}\n`
    this.#events++
    if (this.#piece.length >= pieceLength) this.flush()
  }

  /** Hands on what has gathered; call it at the end. */
  flush(): void {
    const piece = this.#piece
    this.#piece = ''
    if (piece !== '') this.#sink(piece)
  }
}
