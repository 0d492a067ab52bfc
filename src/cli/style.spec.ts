/** Numbers, bars and text as a terminal gets them. */

import { describe, expect, it } from 'vitest'
import { bar, counted, duration, grouped, printable } from './style.ts'

describe('what a terminal shows', () => {
  it('sets thousands apart', () => {
    expect([0, 999, 1000, 88_145, 1_234_567].map(grouped)).toEqual(['0', '999', '1,000', '88,145', '1,234,567'])
    expect([counted(1, 'read'), counted(2, 'read'), counted(0, 'access', 'accesses')]).toEqual([
      '1 read',
      '2 reads',
      '0 accesses',
    ])
    expect([duration(0.0421), duration(2.5), duration(61.23)]).toEqual(['42 ms', '2.50 s', '61.2 s'])
  })

  it('draws bars of one width, and something for the least that is not nothing', () => {
    for (const value of [0, 1, 50, 999, 1000]) expect(bar(value, 1000, 6)).toHaveLength(6)
    expect(bar(0, 1000, 6).trim()).toBe('')
    expect(bar(1, 1000, 6).trim()).toBe('▏')
    expect(bar(1000, 1000, 6)).toBe('██████')
    expect(bar(5, 0, 3)).toBe('   ')
  })

  it('shows control characters instead of obeying them', () => {
    expect(printable('a\u001b[2Jb\nc\u0000\u202e')).toBe('a\\x1b[2Jb\\x0ac\\x00\\x202e')
    expect(printable('µs, ümlaut')).toBe('µs, ümlaut')
  })
})
