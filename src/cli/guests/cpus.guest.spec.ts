/**
 * Linux takes CPUs offline and online again by PSCI, idle and busy, each and all but one; and puts tasks on the CPU that
 * they are told to run on. Interrupts of devices are not here.
 */

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, linux, vgic } from '../testing/boot-guest.ts'
import { complaints, ProcInterrupts, section, taken } from '../testing/guest-output.ts'
import { ramDisk } from '../testing/ram-disk.ts'

const rounds = 4
const cpus = [0, 1, 2, 3]

/** Loops without end are killed at once: each instruction of an idle CPU's time is one that we would interpret. */
const script = `
cpu() { echo $2 > /sys/devices/system/cpu/cpu$1/online; }
runs_on() { cut -d' ' -f39 /proc/$1/stat; }
spin='while :; do :; done'
echo "== rounds"
for i in $(seq ${rounds}); do
  cpu 2 0; echo $(nproc): $(cat /sys/devices/system/cpu/online)
  cpu 2 1; echo $(nproc): $(cat /sys/devices/system/cpu/online)
done
echo "== busy"
taskset 1 sh -c "$spin" & one=$!
taskset 4 sh -c "$spin" & two=$!
usleep 20000
runs_on $one; runs_on $two
cpu 2 0
usleep 20000
runs_on $one; runs_on $two
cpu 2 1
kill $one $two
echo "== alone"
for c in ${cpus.join(' ')}; do
  for other in ${cpus.join(' ')}; do [ $other = $c ] || cpu $other 0; done
  echo $(nproc): $(cat /sys/devices/system/cpu/online): $(runs_on self)
  for other in ${cpus.join(' ')}; do [ $other = $c ] || cpu $other 1; done
done
nproc
echo "== pinned"
for c in ${cpus.join(' ')}; do taskset $((1 << c)) cut -d' ' -f39 /proc/self/stat; done
for c in ${cpus.join(' ')}; do
  echo "== before $c"
  cat /proc/interrupts
  taskset $((1 << c)) sh -c 'i=0; while [ $i -lt 4000 ]; do i=$((i + 1)); done'
  yes | head -c 30000 | taskset $((1 << c)) cat | taskset $((1 << (c ^ 1))) cat > /dev/null
  echo "== after $c"
  cat /proc/interrupts
done
echo "== log"
dmesg
echo "== end"
`

for (const gic of ['2', '3'])
  describe(`Linux on a GICv${gic} with 4 CPUs`, () => {
    let folder: string
    let ended: Ended
    const lines = (name: string) => section(ended.out, name).trim().split('\n')
    const gained = (what: string, cpu: number) => {
      const [before, after] = ['before', 'after'].map(
        (when) => new ProcInterrupts(section(ended.out, `${when} ${cpu}`)),
      )
      return taken(what, before!, after!)[cpu]!
    }

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
      const initrd = await ramDisk(folder, { scripts: { 't.sh': script } })
      ended = await vgic([...linux(initrd), '--gic', gic, '--smp', '4'], ['sh /t.sh', 'poweroff -f'])
      process.stdout.write(`CPUs that come and go, GICv${gic}: ${ended.err}`)
    }, 600_000)
    afterAll(() => rm(folder, { recursive: true, force: true }))

    test(`takes CPU 2 offline and online ${rounds} times (PSCI CPU_OFF, CPU_ON)`, () => {
      expect(lines('rounds')).toEqual(Array.from({ length: rounds }, () => ['3: 0-1,3', '4: 0-3']).flat())
    })

    test('moves a task that is pinned to a busy CPU when that goes offline, and leaves the other one where it is', () => {
      const [one, two, oneThen, twoThen] = lines('busy').map(Number)
      expect([one, two, oneThen]).toEqual([0, 2, 0])
      expect([0, 1, 3]).toContain(twoThen)
    })

    test('goes on with each CPU as the only one, the first included', () => {
      expect(lines('alone')).toEqual([...cpus.map((cpu) => `1: ${cpu}: ${cpu}`), '4'])
    })

    test('runs a task on the CPU that taskset names', () => {
      expect(lines('pinned').map(Number)).toEqual(cpus)
    })

    test.each(cpus)('gives CPU %i timer interrupts and IPIs after all that', (cpu) => {
      expect(gained('arch_timer', cpu)).toBeGreaterThan(1)
      expect(gained('Rescheduling', cpu) + gained('Function call', cpu)).toBeGreaterThan(1)
    })

    test('sees each CPU go by AFFINITY_INFO and come as it was, without a complaint in its log', () => {
      const log = section(ended.out, 'log')
      const count = (pattern: RegExp) => [...log.matchAll(pattern)].length
      // By the rounds, the busy one, and one for each of the others that was alone.
      for (const cpu of cpus) {
        const times = (cpu === 2 ? rounds + 1 : 0) + 3
        expect(count(new RegExp(`psci: CPU${cpu} killed`, 'g'))).toBe(times)
        expect(count(new RegExp(`CPU${cpu}: Booted secondary processor`, 'g'))).toBe(times + (cpu === 0 ? 0 : 1))
      }
      expect(complaints(log)).toEqual([])
      expect(ended.status).toBe(0)
    })
  })
