/** That no input is lost between two machines: each byte is heard once, by the machine that is there when it comes. */

import { describe, expect, it } from 'vitest'
import { Relay } from './relay.ts'

/** A source whose reads end when the test says so. */
function source() {
  const waiting: { resolve: (result: IteratorResult<Uint8Array>) => void; reject: (error: Error) => void }[] = []
  return {
    waiting,
    next: () => new Promise<IteratorResult<Uint8Array>>((resolve, reject) => waiting.push({ resolve, reject })),
    give: (byte: number) => waiting.shift()!.resolve({ done: false, value: Uint8Array.of(byte) }),
  }
}

const value = (byte: number) => ({ done: false, value: Uint8Array.of(byte) })

describe('a relay of input', () => {
  it('gives to the next reader what a read of the one before brings, and reads once at a time', async () => {
    const from = source()
    const relay = new Relay(from)
    let heard = 0
    const first = relay.reader()
    first.next().then(() => heard++)
    const second = relay.reader().next()
    expect(from.waiting).toHaveLength(1)
    from.give(1)
    expect(await second).toEqual(value(1))
    expect(heard).toBe(0)
  })

  it('keeps for the next reader what comes while there is none', async () => {
    const from = source()
    const relay = new Relay(from)
    void relay.reader().next()
    relay.release()
    from.give(1)
    await new Promise((resolve) => setImmediate(resolve))
    const reader = relay.reader()
    expect(await reader.next()).toEqual(value(1))
    const next = reader.next()
    from.give(2)
    expect(await next).toEqual(value(2))
  })

  it('ends for every reader when the source does, and fails as it does', async () => {
    const from = source()
    const relay = new Relay(from)
    const read = relay.reader().next()
    from.waiting[0]!.resolve({ done: true, value: undefined })
    expect((await read).done).toBe(true)
    expect((await relay.reader().next()).done).toBe(true)
    const broken = source()
    const failing = new Relay(broken)
    const failed = failing.reader().next()
    broken.waiting[0]!.reject(new Error('gone'))
    await expect(failed).rejects.toThrow('gone')
    await expect(failing.reader().next()).rejects.toThrow('gone')
  })
})
