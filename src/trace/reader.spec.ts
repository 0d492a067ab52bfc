/** Traces as bytes: whole, packed, cut short, damaged and hostile. The bundled real trace serves as the sound one. */

import { readFileSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import type { TraceEvent } from './event.ts'
import { TraceError } from './event.ts'
import { formatEvent } from './format.ts'
import { maxLineLength, readTrace } from './reader.ts'
import { TraceWriter } from './writer.ts'

/** `npm run test:long` looks at every place. */
const isLong = Number(process.env['VGIC_STEPS'] ?? 1) > 1

const packed = readFileSync(new URL('../../traces/linux-gicv2-smp4.trace.gz', import.meta.url))
const plain = gunzipSync(packed)
const machine = '# machine: -machine virt,gic-version=2 -smp 4\n'

async function events(...chunks: Uint8Array[]): Promise<TraceEvent[]> {
  const all: TraceEvent[] = []
  for await (const batch of (await readTrace(chunks)).batches) for (const event of batch) all.push(event)
  return all
}

/** What became of a trace: how many events came, and the error that ended it. */
async function outcome(bytes: Uint8Array): Promise<{ events: number; error: TraceError | undefined }> {
  let count = 0
  try {
    for await (const batch of (await readTrace([bytes])).batches) count += batch.length
  } catch (error) {
    if (!(error instanceof TraceError)) throw error
    return { events: count, error }
  }
  return { events: count, error: undefined }
}

const text = (content: string) => new TextEncoder().encode(content)

describe('reading a trace', () => {
  it('takes the bundled trace of a Linux boot, line for line, packed and plain', async () => {
    const fromPacked = await readTrace([packed])
    expect(fromPacked.header).toMatchObject({ title: expect.stringContaining('Linux 6.1'), events: 88_145 })
    expect(fromPacked.header.machine).toMatchObject({ version: 2, cpus: 4 })
    const lines: string[] = []
    for await (const batch of fromPacked.batches) for (const event of batch) lines.push(formatEvent(event))
    const body = plain
      .toString('latin1')
      .split('\n')
      .filter((l) => l !== '' && !l.startsWith('#'))
    expect(lines).toEqual(body)
    expect((await events(plain)).length).toBe(88_145)
  })

  it('does not care how the bytes are cut into chunks, nor about line ends of other systems', async () => {
    const small = text(`${machine}0 R gicd 0x4 4 0x68\r\nout 0 irq 1\n\nirq 33 - 1`)
    const whole = await events(small)
    expect(whole.map((e) => e.line)).toEqual([2, 3, 5])
    const bytes = Array.from(small, (b) => new Uint8Array([b]))
    expect(await events(...bytes)).toEqual(whole)
    expect(await events(...Array.from(gzipSync(small), (b) => new Uint8Array([b])))).toEqual(whole)
    expect(await events(gzipSync(small), gzipSync(text('\nirq 33 - 0\n')))).toHaveLength(4)
  })

  it('gives out every event before the line that is wrong, and that line number', async () => {
    const result = await outcome(text(`${machine}irq 33 - 1\nirq 33 - 0\nirq 33 0 1\nirq 33 - 1\n`))
    expect(result).toMatchObject({ events: 2, error: { line: 4 } })
  })

  it('names the line that a cut gzip file ends in, wherever it is cut', async () => {
    for (const cut of [
      2,
      3,
      9,
      10,
      11,
      50,
      500,
      5000,
      20_000,
      packed.length - 9,
      packed.length - 8,
      packed.length - 1,
    ]) {
      const { events: count, error } = await outcome(packed.subarray(0, cut))
      expect(error?.message, `cut at ${cut}`).toMatch(/^the gzip data is damaged or cut short \(.*\)$/)
      expect(error?.line, `cut at ${cut}`).toBeGreaterThan(count)
    }
  })

  it('finds damage inside a gzip file by its checksum, if not before', async () => {
    // From behind the header, whose name and time nothing checks.
    for (let at = 100; at < packed.length; at += isLong ? 2777 : 9973) {
      const damaged = Uint8Array.from(packed)
      damaged[at] = (damaged[at] ?? 0) ^ 0x10
      expect((await outcome(damaged)).error, `byte ${at}`).toBeInstanceOf(TraceError)
    }
  })

  it('refuses a line of a million characters, in few words', async () => {
    for (const long of [
      'x'.repeat(1_000_000),
      `0 R gicd 0x${'0'.repeat(1_000_000)} 4 0x0`,
      'y'.repeat(maxLineLength + 1),
    ]) {
      const { error } = await outcome(text(`${machine}irq 33 - 1\n${long}`))
      expect(error?.line).toBe(3)
      expect(error?.message.length).toBeLessThan(200)
    }
  })

  it('refuses a gzip bomb without unpacking it into memory', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * 1024 * 1024))
    const before = process.memoryUsage().arrayBuffers
    const { error } = await outcome(bomb)
    expect(error?.message).toContain('longer than')
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50 * 1024 * 1024)
  })

  it('refuses binary garbage at its first line', async () => {
    let state = 12345
    const garbage = Uint8Array.from({ length: 5000 }, () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0
      return state >>> 24
    })
    garbage[0] = 0x7f
    expect((await outcome(garbage)).error).toMatchObject({ line: 1 })
    expect((await outcome(new Uint8Array(100))).error).toMatchObject({ line: 1 })
  })

  it('finds no events in an empty file, nor in a header alone', async () => {
    expect(await outcome(new Uint8Array(0))).toEqual({ events: 0, error: undefined })
    expect(await outcome(text(machine))).toEqual({ events: 0, error: undefined })
  })

  it('takes a # line between events as a comment', async () => {
    const result = await outcome(text(`${machine}irq 33 - 1\n# machine: nonsense\nirq 33 - 0\n`))
    expect(result).toEqual({ events: 2, error: undefined })
  })
})

describe('writing a trace', () => {
  it('makes text that reads back to the same events and machine', async () => {
    const trace = await readTrace([packed])
    let written = ''
    const description = trace.header.machine
    if (description === undefined) throw new Error('the bundled trace names its machine')
    const writer = new TraceWriter('Linux 6.1', description, (piece) => {
      written += piece
    })
    const original: TraceEvent[] = []
    for await (const batch of trace.batches) {
      for (const event of batch) {
        original.push(event)
        writer.write(event)
      }
    }
    writer.flush()
    expect(writer.events).toBe(88_145)
    const again = await readTrace([text(written)])
    expect(again.header.machine).toEqual(description)
    let index = 0
    for await (const batch of again.batches) {
      for (const event of batch) {
        const before = { ...original[index++], line: 0 }
        if (!isDeepStrictEqual({ ...event, line: 0 }, before)) expect(event).toEqual(before)
      }
    }
    expect(index).toBe(88_145)
  })
})
