/**
 * A CPU that takes the same exception at the same place for ever, in words: what the exception is, how it came to it, and what to
 * do. A guest without vectors of its own is the commonest case, and prints nothing. It looks, and changes nothing.
 */

import type { Cluster } from '../../aarch64/index.ts'
import { type Symbols, withSymbol } from './symbols.ts'
import { describeSyndrome, isAbort } from './syndrome.ts'

/** The same exception so often in a row that no guest gets anywhere by it. */
export const EXCEPTION_LOOP = 1000

const hex = (value: number | bigint) => `0x${value.toString(16)}`

export function inExceptionLoop(cluster: Cluster, cpu: number): boolean {
  return cluster.isOn(cpu) && cluster.exceptionRow(cpu).length >= EXCEPTION_LOOP
}

/** What it is, what came before it, and what to do: three sentences or so. */
export function describeExceptionLoop(
  cluster: Cluster,
  cpu: number,
  symbols?: Symbols,
): { says: string; remedy: string } {
  const place = (address: bigint) => withSymbol(symbols, address)
  const { syndrome, link, fault, length, syndromeBefore, linkBefore } = cluster.exceptionRow(cpu)
  const vbar = cluster.systemRegister(cpu, 'VBAR_EL1') ?? 0n
  const exception = describeSyndrome(syndrome)
  const far = isAbort(syndrome) ? `, FAR_EL1 = ${hex(fault)}` : ''
  const before =
    syndromeBefore < 0 ? '' : ` Before that came ${describeSyndrome(syndromeBefore)} at ${place(linkBefore)}.`
  const says =
    `CPU ${cpu} takes the same exception at the same PC again and again, ${length.toLocaleString('en-US')} times so far: ` +
    `${exception} at ${place(link)} (ESR_EL1 = ${hex(syndrome)}${far}).${before}`
  // The exception is in its own handler, or so near that it never gets through.
  const inVectors = link >= vbar && link < vbar + 0x800n
  const first = hex(syndromeBefore < 0 ? link : linkBefore)
  // Only where it executed something that is no code was it perhaps no kernel.
  const isCode = isAbort(syndromeBefore < 0 ? syndrome : syndromeBefore)
  const remedy =
    inVectors && vbar === 0n
      ? `VBAR_EL1 is 0, so there is no handler: set the vectors up first, and see what is at ${first}.${
          isCode
            ? ''
            : ' Is the file really a kernel for arm64 (an Image, an ELF file, or code that runs where it was put)?'
        }`
      : inVectors
        ? `The handler itself, at VBAR_EL1 = ${hex(vbar)}, takes it: see that VBAR_EL1 is the address of vectors that are mapped and there, and what is at ${first}.`
        : `The handler returns to the same instruction without a remedy, or never returns: see what is at ${hex(link)}, and what the handler does about it.`
  return { says, remedy }
}

/** Says once of a CPU that it takes the same exception for ever; it may get out, and into another. */
export class ExceptionLoops {
  readonly #told = new Set<number>()

  look(
    cluster: Cluster,
    symbols: Symbols | undefined,
    tell: (found: { cpu: number; says: string; remedy: string }) => void,
  ): void {
    for (let cpu = 0; cpu < cluster.cpus.length; cpu++)
      if (!inExceptionLoop(cluster, cpu)) this.#told.delete(cpu)
      else if (!this.#told.has(cpu)) {
        this.#told.add(cpu)
        tell({ cpu, ...describeExceptionLoop(cluster, cpu, symbols) })
      }
  }
}
