/** Numbers and tables of the monitor's answers. */

export function hex(value: number | bigint, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

/** Lines of at most so many columns, broken between words; what goes on stands in by two more than where the line began. */
export function wrapped(text: string, columns: number): string {
  if (columns === Number.POSITIVE_INFINITY) return text
  return text
    .split('\n')
    .flatMap((line) => broken(line, columns))
    .join('\n')
}

function broken(line: string, columns: number): string[] {
  const lines: string[] = []
  const indent = ' '.repeat(Math.min(columns >> 1, /^ */.exec(line)![0].length + 2))
  let rest = line
  while (rest.length > columns) {
    const at = rest.lastIndexOf(' ', columns)
    const end = at > indent.length ? at : columns
    lines.push(rest.slice(0, end).trimEnd())
    rest = indent + rest.slice(end).trimStart()
  }
  return [...lines, rest]
}

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}
