/**
 * What a guest does wrong, or asks for in vain, in a line each: accesses to nothing, refused PSCI calls, misuse of the GIC and of an
 * ITS, interrupts that storm, a CPU that gets nowhere. Each is said once and then counted; what is kept is bounded.
 */

import { describeInVain, describeStorm, type GicEvent, kindOf, Storms } from '../gic/index.ts'
import type { MachineEvent, VirtMachine } from './virt.ts'
import { withSymbol } from './why/symbols.ts'

/** QEMU's names for what may be logged: faults of the guest, and what the machine has not. */
export const logItems = ['guest_errors', 'unimp'] as const
export type LogItem = (typeof logItems)[number]

/** Text that may have come from a guest, as it may stand in a line. */
const plain = (text: string) => text.replace(/[^\x20-\x7e]/g, '?').slice(0, 1000)
const hex = (value: number | bigint) => `0x${value.toString(16)}`

interface Entry {
  readonly text: string
  count: number
}

export class GuestErrors {
  /** Lines that were not kept, because there were too many different ones. */
  lost = 0
  readonly #machine: VirtMachine
  readonly #items: ReadonlySet<LogItem>
  readonly #say: (line: string) => void
  readonly #most: number
  readonly #entries = new Map<string, Entry>()
  readonly #storms = new Storms(
    (intid, cpu) =>
      this.#note('guest_errors', `storm ${intid} ${cpu}`, () =>
        describeStorm(kindOf(intid), cpu, this.#machine.interruptSource(intid, cpu)?.name),
      ),
    (cpu, reason) => this.#note('guest_errors', `in vain ${cpu}`, () => describeInVain(cpu, reason)),
  )
  readonly #silence: (() => void) | undefined

  /**
   * Listens from now on, as the machine's `onEvent`. That a CPU gets nowhere is said whatever the items are.
   * @param say gets each line when it comes for the first time, of `most` different ones
   */
  constructor(machine: VirtMachine, items: Iterable<LogItem>, say: (line: string) => void, most = 200) {
    this.#machine = machine
    this.#items = new Set(items)
    this.#say = say
    this.#most = most
    machine.onEvent = (event) => this.#hear(event)
    if (this.#items.size > 0) this.#silence = machine.gic.listen((event) => this.#hearGic(event), { accesses: false })
  }

  stop(): void {
    this.#machine.onEvent = undefined
    this.#silence?.()
  }

  /** All that was said, with how often it came. */
  lines(): string[] {
    const lines = [...this.#entries.values()].map(({ text, count }) =>
      count === 1 ? text : `${text} (${count.toLocaleString('en-US')} times)`,
    )
    return this.lost === 0
      ? lines
      : [...lines, `and ${this.lost.toLocaleString('en-US')} lines more, which were not kept`]
  }

  /** @param key by which it is known to be the same: without numbers that differ each time */
  /** That an interrupt has stormed on a CPU, or that the CPU acknowledged in vain, where that is listened for. */
  stormOf(intid: number, cpu: number): string | undefined {
    return (this.#entries.get(`storm ${intid} ${cpu}`) ?? this.#entries.get(`in vain ${cpu}`))?.text
  }

  #note(item: LogItem | undefined, key: string, text: () => string): void {
    if (item !== undefined && !this.#items.has(item)) return
    const entry = this.#entries.get(key)
    if (entry !== undefined) {
      entry.count++
      return
    }
    if (this.#entries.size >= this.#most) {
      this.lost++
      return
    }
    const line = plain(text())
    this.#entries.set(key, { text: line, count: 1 })
    this.#say(line)
  }

  #place(pc: bigint): string {
    return withSymbol(this.#machine.symbols, pc)
  }

  #hear(event: MachineEvent): void {
    const { cluster } = this.#machine
    switch (event.kind) {
      case 'exception-loop':
        this.#note(
          undefined,
          `loop ${event.cpu} ${event.says.replace(/[0-9,]+ times/, '')}`,
          () => `${event.says} ${event.remedy}`,
        )
        break
      case 'device':
        this.#note('guest_errors', event.message, () => event.message)
        break
      case 'psci':
        this.#note(
          'guest_errors',
          `psci ${event.what}`,
          () => `CPU ${event.cpu} at ${this.#place(event.pc)}: PSCI ${event.what} is refused: ${event.why}`,
        )
        break
      case 'unmapped':
        this.#note(
          'guest_errors',
          `page ${Math.floor(event.address / 4096)} ${event.write}`,
          () => `CPU ${event.cpu} ${event.write ? 'writes' : 'reads'} ${hex(event.address)}, where nothing is`,
        )
        break
      case 'refused':
        this.#note(
          'guest_errors',
          `refused ${event.address} ${event.write} ${event.outcome}`,
          () =>
            `CPU ${event.cpu} at ${this.#place(cluster.pc(event.cpu))}: ${event.write ? 'write' : 'read'} of ${event.size} bytes at ${hex(event.address)} is refused: ${refusals[event.outcome]}`,
        )
        break
      case 'unknown':
        // A register that nobody has is named by its encoding: s3_0_c15_c2_0.
        this.#note(
          'unimp',
          `word ${event.word}`,
          () =>
            `CPU ${event.cpu} at ${this.#place(event.pc)}: unknown ${event.what} ${hex(event.word >>> 0)} (${cluster.disassemble(event.word, event.pc)})`,
        )
    }
  }

  #hearGic(event: GicEvent): void {
    this.#storms.hear(event)
    switch (event.kind) {
      case 'misuse': {
        // The bus has said it of the address; here it would come again, but for the name of the register.
        const item = event.code === 'not-modelled' ? 'unimp' : 'guest_errors'
        this.#note(
          item,
          `misuse ${event.code} ${event.message}`,
          () => `CPU ${event.cpu} at ${this.#place(this.#machine.cluster.pc(event.cpu))}: ${event.message}`,
        )
        break
      }
      case 'its-misuse':
        this.#note('guest_errors', `its ${event.message}`, () => `ITS: ${event.message}`)
        break
      case 'its-error':
        this.#note(
          'guest_errors',
          `its ${event.command} ${event.name}`,
          () => `ITS: ${event.command} at offset ${hex(event.offset)} of the queue: ${event.name}: ${event.message}`,
        )
        break
      case 'msi':
        if (event.outcome === 'delivered') return
        this.#note(
          'guest_errors',
          `msi ${event.deviceId}:${event.eventId} ${event.reason}`,
          () =>
            `ITS: the message of DeviceID ${hex(event.deviceId)} with EventID ${hex(event.eventId)} is lost: ${event.reason}`,
        )
        break
    }
  }
}

/** Outcomes of an access that are no success, in words. */
const refusals: Readonly<Record<string, string>> = {
  width: 'the register is not accessed by that width',
  misaligned: 'the address is no multiple of the width',
  reserved: 'no register is there',
  mode: 'the register is not for that direction',
  denied: 'it is for Secure accesses alone',
}
