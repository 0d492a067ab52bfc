/** The ITS's part of a recorded Linux boot (4 CPUs, virtio over PCI): every read answers as recorded, and every LPI that a CPU acknowledged was pending there. */

import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { type AccessSize, cpuInitiator, deviceInitiator, Outcome } from '../../mmio/index.ts'
import { decodeQueue } from './decode.ts'
import { lendPages } from './lend.ts'
import { Rig } from './testing/rig.ts'

const lines = gunzipSync(readFileSync(new URL('./testdata/linux-its-smp4.trace.gz', import.meta.url)))
  .toString('utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))

function replay(config = {}) {
  const rig = new Rig(config, { enable: false })
  const divergences: string[] = []
  const counts = { reads: 0, writes: 0, msis: 0, acknowledged: 0, commands: 0, errors: 0 }
  for (const line of lines) {
    const fields = line.split(' ')
    if (fields[0] === 'mem') {
      const [, address = '', bytes = ''] = fields
      for (const [i, byte] of Buffer.from(bytes, 'hex').entries()) rig.memory.write8(Number(address) + i, byte)
      continue
    }
    const [cpu = '', op = '', region = '', offset = '', size = '', value = '', device = '0'] = fields
    if (op === 'MRS') {
      counts.acknowledged++
      if (!rig.targets.pending[Number(cpu)]!.delete(Number(offset))) divergences.push(`${line}: not pending there`)
      continue
    }
    const frame = region === 'its' ? rig.its.frames.control : rig.its.frames.translation
    const by = cpu === '-' ? deviceInitiator(Number(device)) : cpuInitiator(Number(cpu))
    const bytes = Number(size) as AccessSize
    rig.events.length = 0
    const result = rig.access(frame, Number(offset), bytes, op === 'W', BigInt(value), by)
    // Linux's first-level device table is not in the recording.
    if (op === 'W' && region === 'its' && offset === '0x100') lendPages(rig.its, 0x5f00_0000)
    if (result.outcome !== Outcome.ok) divergences.push(`${line}: refused`)
    if (op === 'R') {
      counts.reads++
      if (result.value !== BigInt(value)) divergences.push(`${line}: 0x${result.value.toString(16)}`)
    } else counts.writes++
    for (const event of rig.events) {
      if (event.kind === 'msi') {
        counts.msis++
        if (event.outcome !== 'delivered') divergences.push(`${line}: ${event.reason}`)
      } else if (event.kind === 'its-command') counts.commands++
      else if (event.kind === 'its-error') counts.errors++
    }
  }
  return { rig, divergences, counts }
}

describe('Linux’s use of the ITS', () => {
  it('replays without a divergence', () => {
    const { divergences, counts, rig } = replay()
    expect(divergences).toEqual([])
    expect(counts).toMatchObject({ reads: 238, msis: 1065, writes: 68 + 1065, commands: 101, errors: 0 })
    expect(counts.acknowledged).toBeGreaterThan(900)
    // All that was made pending was acknowledged.
    expect(rig.targets.pending.map(({ size }) => size)).toEqual([0, 0, 0, 0])
  })

  it('is noticed when it goes wrong: an ITS that stands for another diverges', () => {
    expect(replay({ deviceIdBits: 4 }).divergences.length).toBeGreaterThan(0)
    expect(replay({ pta: 1 }).divergences.length).toBeGreaterThan(900)
  })

  it('can be read back from the queue, command by command, with its verdicts', () => {
    const { rig } = replay()
    const decoded = decodeQueue(rig.its, { all: true }).filter(({ error }) => error !== undefined)
    expect(decoded).toHaveLength(101)
    expect(decoded.every(({ error, state }) => error === 0 && state === 'executed')).toBe(true)
    expect(decoded[0]!.text).toBe('0x00000  MAPC     ICID=0x0  RDbase=0x0  V=0x1  ok')
    expect(new Set(decoded.map(({ command }) => command))).toEqual(
      new Set(['MAPC', 'INVALL', 'SYNC', 'MAPD', 'MAPTI', 'INV', 'MOVI', 'DISCARD']),
    )
  })
})
