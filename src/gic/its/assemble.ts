/** Commands of an ITS from their names and fields, for whoever drives one without a driver: the inverse of `decode.ts`. */

import { commands, fieldValue } from './commands.ts'

/** Values of a command's fields by the specification's names, such as DeviceID or ICID; what is not given is 0. */
export type CommandFields = Readonly<Record<string, number>>

/**
 * A command as the eight words that the queue holds, low ones first (IHI 0069 5.3). Throws an Error for a name or a field that
 * there is not, and for a value that its field cannot hold.
 */
export function assembleCommand(name: string, fields: CommandFields = {}): Int32Array {
  const command = commands.find((each) => each.name === name)
  if (command === undefined) throw new Error(`no command ${name}`)
  const dws = [BigInt(command.opcode), 0n, 0n, 0n]
  for (const [field, value] of Object.entries(fields)) {
    const { dw, msb, lsb } = command.fields[field] ?? fail(`${name} has no field ${field}`)
    const mask = (1n << BigInt(msb - lsb + 1)) - 1n
    dws[dw] = dws[dw]! | ((BigInt(value) & mask) << BigInt(lsb))
  }
  const words = new Int32Array(8)
  dws.forEach((dw, i) => {
    words[2 * i] = Number(BigInt.asIntN(32, dw))
    words[2 * i + 1] = Number(BigInt.asIntN(32, dw >> 32n))
  })
  for (const [field, value] of Object.entries(fields))
    if (fieldValue(words, command.fields[field]!) !== value) fail(`${name}.${field} does not hold ${value}`)
  return words
}

function fail(what: string): never {
  throw new Error(what)
}
