/**
 * Keys of a raw terminal: what is for the guest goes on unchanged, Ctrl-A starts a command of ours, and the monitor has a line
 * to edit. It knows no machine and no terminal.
 */

export interface KeyActions {
  /** Text for the person; lines end in CR LF, since the terminal is raw. */
  write(text: string): void
  leave(): void
  /** The monitor's answer to a line. */
  ask(line: string): string
  /** The words that may stand at the end of a line that is not finished. */
  complete?(line: string): readonly string[]
  /** Ctrl-A p: the power button. */
  power(): void
}

const CTRL_A = 0x01
/** What the monitor's line begins with. */
export const PROMPT = '(vgic) '
const LONGEST_LINE = 500

const help = [
  'Ctrl-A x       leave',
  'Ctrl-A c       monitor, and back',
  'Ctrl-A p       press the power button',
  'Ctrl-A h       this help',
  'Ctrl-A Ctrl-A  send Ctrl-A',
]

/** Takes the bytes of the terminal as they come; a sequence may be split anywhere. */
export class Keys {
  readonly #actions: KeyActions
  #prefix = false
  #monitor = false
  #line = ''
  /** Inside an escape sequence, which the monitor's line leaves out: after ESC, or after ESC [. */
  #escape: 0 | 1 | 2 = 0
  #earlier = ''

  constructor(actions: KeyActions) {
    this.#actions = actions
  }

  /** Returns what of these bytes is for the guest. */
  take(bytes: Uint8Array): number[] {
    const guest: number[] = []
    for (const byte of bytes) {
      if (this.#prefix) {
        this.#prefix = false
        this.#command(byte, guest)
      } else if (byte === CTRL_A) this.#prefix = true
      else if (this.#monitor) this.#edit(byte)
      else guest.push(byte)
    }
    return guest
  }

  #command(byte: number, guest: number[]): void {
    switch (String.fromCharCode(byte).toLowerCase()) {
      case 'x':
      case '\x18':
        this.#actions.leave()
        return
      case 'c':
      case '\x03':
        this.#toggle()
        return
      case 'p':
        this.#actions.power()
        return
      case 'a':
      case '\x01':
        if (!this.#monitor) guest.push(CTRL_A)
        return
      default:
        this.#say(help.join('\n'))
        if (this.#monitor) this.#actions.write(PROMPT + this.#line)
    }
  }

  #toggle(): void {
    this.#monitor = !this.#monitor
    this.#line = ''
    if (this.#monitor)
      this.#actions.write(`\r\nvgic's monitor: help lists the commands, Ctrl-A c goes back\r\n${PROMPT}`)
    else this.#actions.write('\r\n')
  }

  #edit(byte: number): void {
    if (this.#escape > 0) this.#escaped(byte)
    else if (byte === 0x1b) this.#escape = 1
    else if (byte === 0x0d || byte === 0x0a) this.#enter()
    else if (byte === 0x7f || byte === 0x08) this.#replace(this.#line.slice(0, -1))
    else if (byte === 0x15) this.#replace('')
    else if (byte === 0x03) {
      this.#line = ''
      this.#actions.write(`\r\n${PROMPT}`)
    } else if (byte === 0x04) this.#toggle()
    else if (byte === 0x09) this.#complete()
    else if (byte >= 0x20 && byte < 0x7f && this.#line.length < LONGEST_LINE) {
      this.#line += String.fromCharCode(byte)
      this.#actions.write(String.fromCharCode(byte))
    }
  }

  /** Tab: as much of the last word as all that fit have in common; where that is no more, what fits. */
  #complete(): void {
    const words = this.#actions.complete?.(this.#line) ?? []
    if (words.length === 0) return
    const start = this.#line.slice(0, this.#line.length - /\S*$/.exec(this.#line)![0].length)
    const common = words.reduce((a, b) => {
      let i = 0
      while (i < a.length && a[i] === b[i]) i++
      return a.slice(0, i)
    })
    const line = `${start}${common}${words.length === 1 ? ' ' : ''}`
    if (line === this.#line) {
      this.#actions.write('\r\n')
      this.#say(words.join('  '))
    }
    this.#replace(line.slice(0, LONGEST_LINE))
  }

  #escaped(byte: number): void {
    if (this.#escape === 1 && byte === 0x5b) this.#escape = 2
    else if (this.#escape === 1 || byte >= 0x40) {
      if (byte === 0x41) this.#replace(this.#earlier)
      this.#escape = 0
    }
  }

  #replace(line: string): void {
    this.#line = line
    this.#actions.write(`\r\x1b[K${PROMPT}${line}`)
  }

  #enter(): void {
    const line = this.#line
    this.#line = ''
    if (line.trim() !== '') this.#earlier = line
    this.#actions.write('\r\n')
    const answer = this.#actions.ask(line)
    if (answer !== '') this.#say(answer)
    if (this.#monitor) this.#actions.write(PROMPT)
  }

  #say(text: string): void {
    this.#actions.write(`\r\n${text}\n`.slice(this.#monitor ? 2 : 0).replaceAll(/\r?\n/g, '\r\n'))
  }
}
