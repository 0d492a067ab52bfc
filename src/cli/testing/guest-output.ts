/** What Linux's own tools print, taken apart: sections that a script of a test marks, /proc/interrupts, complaints of the kernel. */

/** What stands between a line `== name` and the next such line. */
export function section(out: string, name: string): string {
  const marked = `\n== ${name}\n`
  const at = out.indexOf(marked)
  if (at < 0) throw new Error(`the guest printed no section '${name}'`)
  const start = at + marked.length - 1
  const end = out.indexOf('\n== ', start)
  return out.slice(start + 1, end < 0 ? out.length : end + 1)
}

export class ProcInterrupts {
  /** The CPUs that are online. */
  readonly cpus: readonly number[]
  readonly #rows = new Map<string, { counts: number[]; what: string }>()

  constructor(text: string) {
    const lines = text.split('\n')
    const head = lines.findIndex((line) => /^ +CPU\d/.test(line))
    this.cpus = (lines[head] ?? '').split(/ +/).flatMap((cpu) => (cpu === '' ? [] : Number(cpu.slice(3))))
    for (const line of lines.slice(head + 1)) {
      const [, label, rest] = /^ *(\w+): +(.*)$/.exec(line) ?? []
      if (label === undefined || rest === undefined) continue
      const fields = rest.split(/ +/)
      const counts = fields.slice(0, this.cpus.length).map(Number)
      this.#rows.set(label, { counts, what: fields.slice(this.cpus.length).join(' ') })
    }
  }

  /** How often each CPU took it, by its label or a part of its name; 0 for a CPU that is offline. */
  counts(name: string): number[] {
    const row = this.#row(name)
    const counts: number[] = new Array<number>(Math.max(...this.cpus) + 1).fill(0)
    for (const [i, cpu] of this.cpus.entries()) counts[cpu] = row.counts[i] ?? 0
    return counts
  }

  /** What the row says behind its counts: controller, INTID, trigger and name. */
  what(name: string): string {
    return this.#row(name).what
  }

  #row(name: string) {
    const row = this.#rows.get(name) ?? [...this.#rows.values()].find(({ what }) => what.includes(name))
    if (row === undefined) throw new Error(`no interrupt '${name}' in /proc/interrupts`)
    return row
  }
}

/** Interrupts of one kind that each CPU took between two looks. */
export function taken(name: string, before: ProcInterrupts, after: ProcInterrupts): number[] {
  const [from, to] = [before.counts(name), after.counts(name)]
  return Array.from({ length: Math.max(from.length, to.length) }, (_, cpu) => (to[cpu] ?? 0) - (from[cpu] ?? 0))
}

/** Lines of the kernel's log with which it says that something is not as it has to be. */
export function complaints(log: string): string[] {
  const words =
    /WARNING|\bBUG\b|Oops|unexpected|unhandled|stall|nobody cared|spurious|call trace|lockup|hung task|timed out|not responding|may not have|fail|error|unable|panic/i
  return log.split('\n').filter((line) => /^\[ *\d+\.\d+\]/.test(line) && words.test(line))
}
