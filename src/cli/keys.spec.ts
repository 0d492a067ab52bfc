/** Keys of a raw terminal, byte by byte: what the guest gets, and what is ours. */

import { describe, expect, it } from 'vitest'
import { Keys } from './keys.ts'

function session() {
  const log: string[] = []
  let shown = ''
  const keys = new Keys({
    write: (text) => {
      shown += text
    },
    leave: () => log.push('leave'),
    power: () => log.push('power'),
    complete: (line) => ['why', 'info', 'inspect'].filter((word) => word.startsWith(line)),
    ask: (line) => {
      log.push(`ask ${line}`)
      return line === '' ? '' : 'one\ntwo'
    },
  })
  const type = (text: string) => String.fromCharCode(...keys.take(Uint8Array.from(text, (c) => c.charCodeAt(0))))
  return { type, log, shown: () => shown }
}

describe('the keys', () => {
  it('hands everything to the guest unchanged, Ctrl-C, ESC and bytes above 127 among it', () => {
    const { type, log, shown } = session()
    expect(type('ls\r\x03\x1b[A\xff\0')).toBe('ls\r\x03\x1b[A\xff\0')
    expect([log, shown()]).toEqual([[], ''])
  })

  it('takes Ctrl-A and the key behind it, though they come apart', () => {
    const { type, log } = session()
    expect(type('a\x01') + type('xb')).toBe('ab')
    type('\x01p')
    expect(log).toEqual(['leave', 'power'])
  })

  it('sends Ctrl-A to the guest for Ctrl-A Ctrl-A and Ctrl-A a, and helps for anything else', () => {
    const { type, shown } = session()
    expect(type('\x01\x01\x01a')).toBe('\x01\x01')
    expect(type('\x01z')).toBe('')
    expect(shown()).toContain('Ctrl-A x')
  })

  it('edits a line for the monitor, asks it, and shows the answer with carriage returns', () => {
    const { type, log, shown } = session()
    expect(type('\x01cwhx\x7fy 27\r')).toBe('')
    expect(log).toEqual(['ask why 27'])
    expect(shown()).toContain('one\r\ntwo\r\n(vgic) ')
    type('junk\x15junk\x03\x1b[A\r')
    expect(log).toEqual(['ask why 27', 'ask why 27'])
    expect(type('\x01cback')).toBe('back')
  })

  it('completes a word by Tab: the one that fits, what those have in common, or a list of them', () => {
    const { type, log, shown } = session()
    type('\x01cw\t27\r')
    expect(log).toEqual(['ask why 27'])
    type('i\t')
    expect(shown()).toMatch(/\(vgic\) in$/)
    type('\t')
    expect(shown().endsWith('\r\ninfo  inspect\r\n\r\x1b[K(vgic) in')).toBe(true)
    type('zzz\tq\r')
    expect(log).toEqual(['ask why 27', 'ask inzzzq'])
  })

  it('keeps a line of the monitor short, whatever is typed', () => {
    const { type, log } = session()
    type(`\x01c${'a'.repeat(10_000)}\r`)
    expect(log[0]!.length).toBeLessThan(600)
  })
})
