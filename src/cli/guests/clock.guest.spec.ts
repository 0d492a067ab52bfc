/**
 * Linux with the PL031: the date, an alarm by its interrupt, a suspended machine that an alarm wakes; and the ways in which
 * Linux ends the machine other than by switching it off.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, linux, vgic } from '../testing/boot-guest.ts'
import { converse } from '../testing/converse.ts'
import { complaints, ProcInterrupts, section, taken } from '../testing/guest-output.ts'
import { ramDisk } from '../testing/ram-disk.ts'

/** Just before a month's end in a year without a leap day, as the kernel's own calendar has to see it. */
const base = '2027-02-28T23:59:50'
const start = Date.parse(`${base}Z`) / 1000

const script = `
rtc=/sys/class/rtc/rtc0
clock() { echo "$(cat $rtc/since_epoch) $(date +%s) $(cut -d' ' -f1 /proc/uptime)"; }
echo "== start"; clock; date -u +%FT%T; hwclock -u
echo "== before alarm"; cat /proc/interrupts
echo "== alarm"; clock; echo +3 > $rtc/wakealarm; cat $rtc/wakealarm; sleep 2; grep -c alarm_IRQ.*yes /proc/driver/rtc; sleep 2; clock; echo "left:$(cat $rtc/wakealarm)"
echo "== after alarm"; cat /proc/interrupts
echo "== suspend"; clock; echo +8 > $rtc/wakealarm; echo freeze > /sys/power/state; clock; date -u +%FT%T
echo "== after suspend"; cat /proc/interrupts
echo "== set"; date -u -s '2031-12-31 23:59:59' > /dev/null; hwclock -u -w; sleep 2; clock; hwclock -u
echo "== log"
dmesg
echo "== end"
`

for (const gic of ['2', '3'])
  describe(`Linux on a GICv${gic} with 4 CPUs and a PL031 that starts at ${base}`, () => {
    let folder: string
    let ended: Ended
    const lines = (name: string) => section(ended.out, name).trim().split('\n')
    /** Seconds of the RTC and of Linux's clock, and since Linux is up. */
    const clock = (line: string | undefined) => {
      const [rtc, date, up] = (line ?? '').split(' ').map(Number)
      return { rtc: rtc!, date: date!, up: up! }
    }
    const alarms = (from: string, to: string) => {
      const [before, after] = [from, to].map((name) => new ProcInterrupts(section(ended.out, name)))
      expect(after?.what('rtc-pl031')).toMatch(/ 34 Level rtc-pl031$/)
      return taken('rtc-pl031', before!, after!).reduce((sum, count) => sum + count)
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
      const initrd = await ramDisk(folder, { scripts: { 't.sh': script } })
      const args = [...linux(initrd), '--timeout', '60', '--gic', gic, '--smp', '4', '--rtc', `base=${base}`]
      ended = await vgic(args, ['sh /t.sh', 'poweroff -f'])
      process.stdout.write(`clock, GICv${gic}: ${ended.err}`)
    }, 600_000)
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test('has the date of the RTC from its start on', () => {
      const [first, date, hardware] = lines('start')
      const { rtc, date: now, up } = clock(first)
      expect(up).toBeLessThan(1)
      expect([start, start + 1]).toContain(rtc)
      expect([rtc, rtc + 1]).toContain(now)
      expect(date).toMatch(/^2027-02-28T23:59:5[01]$/)
      expect(hardware).toMatch(/^Sun Feb 28 23:59:5[01] 2027 /)
    })

    test('takes the alarm it set as one interrupt of INTID 34, at its time', () => {
      const [before, at, still, after, left] = lines('alarm')
      expect(Number(at)).toBe(clock(before).rtc + 3)
      expect(still).toBe('1')
      expect(clock(after).rtc).toBeGreaterThanOrEqual(Number(at))
      expect(left).toBe('left:')
      expect(alarms('before alarm', 'after alarm')).toBe(1)
    })

    test('is woken by an alarm out of suspend to idle, into the next month', () => {
      const [before, after, date] = lines('suspend')
      expect(clock(after).rtc - clock(before).rtc).toBe(8)
      // What Linux's clocks missed is what the RTC did not.
      expect(Math.abs(clock(after).date - clock(after).rtc)).toBeLessThanOrEqual(1)
      expect(date).toMatch(/^2027-03-01T00:00:0\d$/)
      expect(alarms('after alarm', 'after suspend')).toBe(1)
      expect(section(ended.out, 'log')).toContain('PM: suspend exit')
    })

    test('sets the RTC, which then counts on from there', () => {
      const [after, hardware] = lines('set')
      const there = Date.UTC(2031, 11, 31, 23, 59, 59) / 1000
      expect(clock(after).rtc).toBeGreaterThanOrEqual(there + 2)
      expect(clock(after).rtc).toBeLessThanOrEqual(there + 4)
      expect(hardware).toMatch(/^Thu Jan +1 00:00:0\d 2032 /)
    })

    test('has nothing to complain of in its log, and switches off', () => {
      expect(complaints(section(ended.out, 'log'))).toEqual([])
      expect(ended.status).toBe(0)
    })
  })

test('reboot -f, which is not allowed, ends the run with status 3 (PSCI SYSTEM_RESET)', async () => {
  const { status, out, err } = await vgic([...linux(), '--smp', '4'], ['reboot -f'])
  expect(out).toContain('reboot: Restarting system')
  expect(err).toContain('--allow-reset')
  expect(status).toBe(3)
})

for (const gic of ['2', '3'])
  test(`reboot -f starts Linux on a GICv${gic} again where it is allowed, with all its CPUs, and that can be switched off`, async () => {
    const { status, out } = await converse(
      [...linux(), '--gic', gic, '--smp', '4', '--allow-reset'],
      [
        { after: '/ # ', line: 'reboot -f' },
        { after: '/ # ', line: 'echo again=$(nproc); poweroff -f' },
      ],
    )
    expect(out).toMatch(/^again=4$/m)
    expect(out.match(/ on 4 CPU\(s\)\. Its interrupts/g)).toHaveLength(2)
    expect(status).toBe(0)
  })

test('halt -f leaves the machine on with nothing to do, until the limit', async () => {
  // Linux halts in a loop, with the other CPUs stopped; there is nothing that would switch it off.
  const { status, out } = await vgic([...linux(), '--smp', '4', '--timeout', '400Minstr'], ['halt -f'])
  expect(out).toContain('reboot: System halted')
  expect(status).toBe(124)
})
