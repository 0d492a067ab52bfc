/**
 * Debian's own perf inside Linux: `perf stat` of a program whose instructions can be told beforehand, and `perf record` with a sample at
 * each ten thousandth of them, which is the overflow interrupt. Counts are by hand from the program; QEMU 7.2 under -icount has the same.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { cached, type Ended, linux, vgic } from '../testing/boot-guest.ts'
import { section } from '../testing/guest-output.ts'
import { ramDisk } from '../testing/ram-disk.ts'

const ROUNDS = 0x10_0000
const PERIOD = 10_000
const BASE = 0x40_0000
const HEADERS = 0x78
const code = [
  0xd2a00000 | ((ROUNDS >>> 16) << 5), // movz x0, #ROUNDS >> 16, lsl #16
  0xf1000400, // subs x0, x0, #1
  0x54ffffe1, // b.ne, to the one before
  0xd2800ba8, // mov x8, #93: exit
  0xd4000001, // svc #0
]
/** The SVC retires as well. */
const instructions = 1 + 2 * ROUNDS + 2
/** The first and each odd number of the loop are behind it when a sample is due, and a `subs` was the last. */
const sampled = BASE + HEADERS + 8

/** The smallest static program: a header, one segment of all of the file, the code. */
function program(): Uint8Array {
  const bytes = new Uint8Array(HEADERS + 4 * code.length)
  const view = new DataView(bytes.buffer)
  const put = (at: number, ...words: number[]) => {
    for (const [i, word] of words.entries()) view.setUint32(at + 4 * i, word, true)
  }
  // ELFCLASS64, little-endian; ET_EXEC for EM_AARCH64; entry, program headers behind this one.
  put(0, 0x464c457f, 0x00010102, 0, 0, 0x00b70002, 1, BASE + HEADERS, 0, 0x40, 0, 0, 0, 0, 0x00380040, 1, 0)
  // PT_LOAD, readable and executable; offset, addresses, sizes, alignment.
  put(0x40, 1, 5, 0, 0, BASE, 0, BASE, 0, bytes.length, 0, bytes.length, 0, 0x1_0000, 0)
  put(HEADERS, ...code)
  return bytes
}

const script = `
echo "== stat"
perf stat -x, -e instructions:u,cycles:u,instructions:k /loop 2>&1
echo "== default"
perf stat /loop 2>&1
echo "== all"
perf stat -x, -a -A -e instructions:u taskset 2 /loop 2>&1
echo "== record"
perf record -q -o /data -e instructions:u -c ${PERIOD} /loop
perf script -i /data -F ip | sort | uniq -c
echo "== end"
`

describe('perf inside Linux on a GICv3 with 2 CPUs', () => {
  let folder: string
  let ended: Ended
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    const contents = { scripts: { look: script }, programs: { loop: program() }, tree: cached('perf') }
    const options = ['--gic', '3', '--smp', '2', '--memory', '512M']
    ended = await vgic([...linux(await ramDisk(folder, contents)), ...options], ['sh /look', 'poweroff -f'])
  }, 600_000)
  afterAll(() => rm(folder, { recursive: true, force: true }))

  /** The count in a line of perf's own table for programs. */
  const count = (lines: string, event: string) =>
    Number(new RegExp(`^(?:CPU\\d+,)?(\\d+),,${event},`, 'm').exec(lines)?.[1])

  test('counts the instructions of a program to the last one, wherever it runs (INST_RETIRED, DDI 0487 D7.11.3)', () => {
    const stat = section(ended.out, 'stat')
    expect(count(stat, 'instructions:u')).toBe(instructions)
    // The program's one page is mapped when its first instruction faults, which takes a cycle and does not retire.
    expect(count(stat, 'cycles:u')).toBe(instructions + 1)
    expect(count(stat, 'instructions:k')).toBeGreaterThan(1000)
    expect(count(stat, 'instructions:k')).toBeLessThan(instructions)
    expect(ended.status).toBe(0)
  })

  test('says what it says by default, and of branches, whose events this CPU has not, that they are not supported', () => {
    const said = section(ended.out, 'default')
    expect(said).toMatch(/ [1-9]\d* +cycles +# +[01]\.\d+ GHz/)
    expect(said).toMatch(/ [1-9]\d* +instructions +# +1\.00 +insn per cycle/)
    expect(said).toMatch(/<not supported> +branches/)
  })

  test('counts each CPU for itself', () => {
    const lines = section(ended.out, 'all').split('\n')
    const of = (cpu: string) => count(lines.filter((line) => line.startsWith(`${cpu},`)).join('\n'), 'instructions:u')
    expect(of('CPU0')).toBeLessThan(instructions)
    expect(of('CPU1')).toBeGreaterThanOrEqual(instructions)
  })

  test('takes a sample at the very instruction at which the counter overflows (DDI 0487 D7.6)', () => {
    const samples = section(ended.out, 'record').trim().split(/\s+/)
    expect(samples).toEqual([String(Math.floor(instructions / PERIOD)), sampled.toString(16)])
  })
})
