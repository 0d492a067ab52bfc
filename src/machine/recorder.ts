/**
 * The GIC's traffic of a machine as the events of a trace: what goes in, and what comes out because of it. It is told by the
 * machine, changes nothing, and hands each event on; `TraceWriter` makes text of them.
 */

import { type GuestMemory, iccRegister } from '../gic/index.ts'
import type { Access } from '../mmio/index.ts'
import type { MachineDescription, Region, TraceEvent } from '../trace/index.ts'
import { noCpu } from '../trace/index.ts'
import { virtMap } from './board/virt-map.ts'

const regions: readonly (readonly [Region, number, number])[] = [
  ['gicd', virtMap.gicd.base, virtMap.gicd.size],
  ['gicc', virtMap.gicc.base, virtMap.gicc.size],
  ['v2m', virtMap.v2m.base, virtMap.v2m.size],
  ['its', virtMap.its.base, 0x1_0000],
  ['itst', virtMap.its.base + 0x1_0000, 0x1_0000],
  ['gicr', virtMap.gicr.base, virtMap.gicr.size],
]

/** Addresses that some GIC may have frames at. */
const FROM = virtMap.gicd.base
const TO = virtMap.uart.base

const PAGE = 4096
/** The longest piece of memory in one event, in bytes. */
const LONGEST = 1024

/** What a replay knows of guest memory: what it was told, and what its GIC wrote. */
interface KnownPage {
  readonly bytes: Uint8Array
  readonly known: Uint8Array
}

/** Listens to a machine and gives what enters and leaves its GIC as events of a trace. */
export class Recorder {
  readonly #take: (event: TraceEvent) => void
  /** Outputs that changed since the last event, and memory that was read: they belong to the one that is about to be taken. */
  readonly #outputs: TraceEvent[] = []
  #memory: { address: number; bytes: number[] }[] = []
  readonly #pages = new Map<number, KnownPage>()
  readonly #levels = new Map<number, boolean>()

  /** @param take gets each event, in the order of the trace */
  constructor(take: (event: TraceEvent) => void) {
    this.#take = take
  }

  /** An access that the bus has carried out. */
  access(access: Access): void {
    const { address, size, write, by } = access
    if (address < FROM || address >= TO) return
    const found = regions.find(([, base, length]) => address >= base && address < base + length)
    if (found === undefined) return
    const [region, base] = found
    const low = (size === 1 ? access.low & 0xff : size === 2 ? access.low & 0xffff : access.low) >>> 0
    this.#event({
      kind: write ? 'write' : 'read',
      line: 0,
      cpu: by.cpu < 0 ? noCpu : by.cpu,
      security: '',
      region,
      offset: address - base,
      size,
      low,
      high: size === 8 ? access.high >>> 0 : 0,
      device: region === 'itst' && write ? (by.deviceId ?? 0) : 0,
    })
  }

  /** A system register of the CPU interface that a CPU read or wrote; the words are of the value. */
  systemRegister(cpu: number, encoding: number, write: boolean, low: number, high: number): void {
    const register = iccRegister(encoding)?.name
    if (register === undefined) return
    this.#event({ kind: write ? 'msr' : 'mrs', line: 0, cpu, security: '', register, low: low >>> 0, high: high >>> 0 })
  }

  /** A wire into the GIC was set; `cpu` is -1 for an SPI. */
  input(cpu: number, intid: number, level: boolean): void {
    const key = intid * 256 + cpu + 1
    if ((this.#levels.get(key) ?? false) === level) return
    this.#levels.set(key, level)
    this.#event({ kind: 'irq', line: 0, intid, cpu: cpu < 0 ? noCpu : cpu, level: level ? 1 : 0 })
  }

  /** An output of the GIC changed; the event that is the cause comes when it is complete. */
  output(cpu: number, signal: 'irq' | 'fiq', level: boolean): void {
    this.#outputs.push({ kind: 'out', line: 0, cpu, signal, level: level ? 1 : 0 })
  }

  /** The GIC forgot the CPU interface of a CPU that is powered on again. */
  reset(cpu: number): void {
    this.#event({ kind: 'reset', line: 0, cpu })
  }

  /** Guest memory as the GIC sees it, with what it reads told to the trace where a replay could not know it. */
  watch(memory: GuestMemory): GuestMemory {
    return {
      contains: (address, length) => memory.contains(address, length),
      read32: (address) => {
        this.#read(memory, address, 4)
        return memory.read32(address)
      },
      read8: (address) => {
        this.#read(memory, address, 1)
        return memory.read8(address)
      },
      write32: (address, value) => {
        memory.write32(address, value)
        this.#learn(memory, address, 4)
      },
      write8: (address, value) => {
        memory.write8(address, value)
        this.#learn(memory, address, 1)
      },
    }
  }

  #event(event: TraceEvent): void {
    if (this.#memory.length > 0) {
      for (const { address, bytes } of this.#memory) {
        const [low, high] = [address % 2 ** 32, Math.floor(address / 2 ** 32)]
        this.#take({ kind: 'mem', line: 0, low, high, bytes: Uint8Array.from(bytes) })
      }
      this.#memory = []
    }
    this.#take(event)
    for (const output of this.#outputs) this.#take(output)
    this.#outputs.length = 0
  }

  /** Whole words of 8 bytes are told: a replay takes half a table's descriptor for all of it. */
  #read(memory: GuestMemory, address: number, length: number): void {
    const from = address - (address % 8)
    for (let word = from; word < address + length; word += 8) {
      const page = this.#page(word)
      const at = word % PAGE
      let news = false
      for (let i = 0; i < 8; i++)
        news ||=
          page.known[at + i] === 0 || (memory.contains(word + i, 1) && page.bytes[at + i] !== memory.read8(word + i))
      if (!news || !memory.contains(word, 8)) continue
      this.#learn(memory, word, 8)
      let last = this.#memory[this.#memory.length - 1]
      if (last === undefined || last.address + last.bytes.length !== word || last.bytes.length >= LONGEST) {
        last = { address: word, bytes: [] }
        this.#memory.push(last)
      }
      for (let i = 0; i < 8; i++) last.bytes.push(page.bytes[at + i]!)
    }
  }

  #learn(memory: GuestMemory, address: number, length: number): void {
    for (let i = 0; i < length; i++) {
      const page = this.#page(address + i)
      page.bytes[(address + i) % PAGE] = memory.read8(address + i)
      page.known[(address + i) % PAGE] = 1
    }
  }

  #page(address: number): KnownPage {
    const number = Math.floor(address / PAGE)
    let page = this.#pages.get(number)
    if (page === undefined) {
      page = { bytes: new Uint8Array(PAGE), known: new Uint8Array(PAGE) }
      this.#pages.set(number, page)
    }
    return page
  }
}

/** The machine, as the header of a trace of it says it. */
export function describeVirt(options: { cpus: number; memory: number; gic: 2 | 3; its: boolean }): MachineDescription {
  return {
    version: options.gic,
    cpus: options.cpus,
    intids: 288,
    priorityBits: options.gic === 2 ? 8 : 5,
    its: options.its,
    secure: false,
    virtualization: false,
    sleep: options.gic === 3,
    cpuModel: 'cortex-a57',
    memoryMiB: options.memory / 2 ** 20,
  }
}
