/** What became of the commands of a queue, kept for whoever decodes it later: no command is fetched or executed here. */

/** Bytes of a command. */
export const COMMAND_SIZE = 32

/** The most commands that a queue holds: 256 pages of 4 KiB. */
const MOST_COMMANDS = 32768

/** What became of the commands at each place of the queue, for the decoder: the verdict, and a sum of the words that had it. */
export class Verdicts {
  readonly errors = new Int32Array(MOST_COMMANDS)
  readonly sums = new Int32Array(MOST_COMMANDS)

  clear(): void {
    this.sums.fill(0)
  }

  record(offset: number, words: Int32Array, error: number): void {
    const at = offset / COMMAND_SIZE
    this.errors[at] = error
    this.sums[at] = sumOf(words)
  }

  /** The verdict on the command at this place, if these words are the ones that had it. */
  of(offset: number, words: Int32Array): number | undefined {
    const at = offset / COMMAND_SIZE
    return this.sums[at] === sumOf(words) ? this.errors[at] : undefined
  }
}

/** Never 0, which stands for a place where nothing was executed. */
function sumOf(words: Int32Array): number {
  let sum = 0x811c_9dc5
  for (let i = 0; i < 8; i++) sum = Math.imul(sum ^ words[i]!, 0x0100_0193) ^ (words[i]! >>> 15)
  return sum | 1
}
