/**
 * Decodes a command queue into lines: each command's fields, whether it was executed, waits, or is old, and its verdict. What
 * was executed has the verdict that was recorded then; what waits is tried out in its order on a copy of the memory it would
 * write, so that a MAPTI behind its MAPD is right. It changes nothing.
 */

import type { GuestMemory } from '../memory.ts'
import { unpackCollections } from './abi-collections.ts'
import { commandOf, errorName, fieldValue } from './commands.ts'
import { Its } from './its.ts'
import type { LpiTargets } from './lpi-targets.ts'
import { execute, fetchCommand } from './queue.ts'
import { COMMAND_SIZE } from './verdicts.ts'

/** A command of the queue, by name and fields, and what became of it. */
export interface DecodedCommand {
  /** In the queue, in bytes. */
  readonly offset: number
  /** Where it is in memory, in bytes. */
  readonly address: number
  /** The specification's name, or `opcode 0x..`. */
  readonly command: string
  /** By the specification's names. */
  readonly fields: Readonly<Record<string, number>>
  /** `executed` before GITS_CREADR; `waiting` from there to GITS_CWRITER; `stalled`, the one that GITS_CREADR stands at. */
  readonly state: 'executed' | 'waiting' | 'stalled'
  /** A command error's number (IHI 0069 5.3), 0 for none, negative for a command that is unknown or not modelled; undefined: not known. */
  readonly error: number | undefined
  /** `0x0040  MAPC  ICID=0x0 RDbase=0x0 V=0x1  ok` */
  readonly text: string
}

/** The commands that wait, or with `all` every place of the queue that is memory, from GITS_CREADR on around the ring. */
export function decodeQueue(its: Its, options: { all?: boolean } = {}): DecodedCommand[] {
  const { queueSize, queueBase, creadr, cwriter, stalled } = its
  const sane = creadr < queueSize && cwriter < queueSize
  const waiting = sane ? ((cwriter - creadr + queueSize) % queueSize) / COMMAND_SIZE : 0
  const count = options.all ? queueSize / COMMAND_SIZE : waiting
  const trial = copyOf(its)
  const words = new Int32Array(8)
  const decoded: DecodedCommand[] = []
  for (let i = 0; i < count; i++) {
    const offset = (creadr + i * COMMAND_SIZE) % queueSize
    const address = queueBase + offset
    if (!fetchCommand(its, address, words)) break
    const waits = i < waiting
    const state = !waits ? 'executed' : i === 0 && stalled ? 'stalled' : 'waiting'
    const error = waits ? execute(trial, words) : its.verdicts.of(offset, words)
    decoded.push(describe(offset, address, words, state, error))
  }
  return decoded
}

/** One command of eight words, low first, without a verdict. */
export function decodeCommand(words: Int32Array): { command: string; fields: Record<string, number> } {
  const command = commandOf(words)
  const fields = Object.fromEntries(
    Object.entries(command?.fields ?? {}).map(([name, field]) => [name, fieldValue(words, field)]),
  )
  return { command: command?.name ?? `opcode 0x${(words[0]! & 0xff).toString(16)}`, fields }
}

function describe(
  offset: number,
  address: number,
  words: Int32Array,
  state: DecodedCommand['state'],
  error: number | undefined,
): DecodedCommand {
  const { command, fields } = decodeCommand(words)
  const list = Object.entries(fields).map(([name, value]) => `${name}=0x${value.toString(16)}`)
  const number = error !== undefined && error > 0 ? ` (0x${error.toString(16).padStart(6, '0')})` : ''
  const verdict = error === undefined ? 'not executed since reset' : `${errorName(error)}${number}`
  const mark = state === 'executed' ? '' : ` [${state}]`
  const where = `0x${offset.toString(16).padStart(5, '0')}`
  return {
    offset,
    address,
    command,
    fields,
    state,
    error,
    text: [where, command.padEnd(7), ...list, verdict].join('  ') + mark,
  }
}

/** Guest memory whose writes go to a side table: at most a few words for each command tried. */
class Overlay implements GuestMemory {
  readonly #memory: GuestMemory
  readonly #written = new Map<number, number>()

  constructor(memory: GuestMemory) {
    this.#memory = memory
  }

  contains(address: number, length: number): boolean {
    return this.#memory.contains(address, length)
  }

  read32(address: number): number {
    return this.#written.get(address) ?? this.#memory.read32(address)
  }

  write32(address: number, value: number): void {
    this.#written.set(address, value)
  }

  read8(address: number): number {
    return (this.read32(address - (address % 4)) >>> ((address % 4) * 8)) & 0xff
  }

  write8(address: number, value: number): void {
    const shift = (address % 4) * 8
    this.write32(address - (address % 4), (this.read32(address - (address % 4)) & ~(0xff << shift)) | (value << shift))
  }
}

/** An ITS in the same state, whose commands reach neither the guest's memory nor the Redistributors. */
function copyOf(its: Its): Its {
  const { targets } = its
  const nowhere: LpiTargets = {
    pes: targets.pes,
    lpiEnd: targets.lpiEnd,
    setLpi: () => true,
    clearLpi: () => true,
    invalidateLpi: () => {},
    invalidateAllLpis: () => 0,
    moveLpi: () => {},
    moveAllLpis: () => 0,
    peAt: (rdBase) => targets.peAt(rdBase),
  }
  const copy = new Its(its.config, { memory: new Overlay(its.memory), targets: nowhere })
  copy.baser.set(its.baser)
  copy.configureTables()
  const { places, packed } = its.translation
  copy.translation.places.restore(places.save())
  if (packed) unpackCollections(copy.translation)
  return copy
}
