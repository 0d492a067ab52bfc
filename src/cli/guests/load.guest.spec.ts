/**
 * Linux at work on all CPUs that a GIC can have: processes, pipes and signals on eight, whose results are known, and up to 64
 * of them with an alarm and a task for the last.
 */

import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type Ended, linux, vgic } from '../testing/boot-guest.ts'
import { complaints, ProcInterrupts, section, taken } from '../testing/guest-output.ts'
import { ramDisk } from '../testing/ram-disk.ts'

const workers = Array.from({ length: 8 }, (_, i) => i)
const LENGTH = 100_000
const FORKS = 30

const load = `
mkdir /made
echo "== before"; cat /proc/interrupts
for i in ${workers.join(' ')}; do
  (yes "worker $i" | head -c ${LENGTH} | md5sum | sed "s/ .*//; s/^/sum $i: /" > /made/sum.$i) &
  (n=0; while [ $n -lt ${FORKS} ]; do n=$((n + $(echo 1))); done; echo "forks $i: $n" > /made/forks.$i) &
  (head -c 20000 /dev/urandom > /made/r.$i; gzip < /made/r.$i | gunzip | cmp - /made/r.$i && echo "packed $i" > /made/packed.$i) &
done
wait
echo "== results"; cat /made/sum.* /made/forks.* /made/packed.*
echo "== after"; cat /proc/interrupts
echo "== times"; grep '^cpu[0-9]' /proc/stat
echo "== log"; dmesg
echo "== end"
`

/** An alarm and a task for the last CPU, which is in the last group of 16: Aff1 is 3. */
const many = `
last=$(($(nproc) - 1))
echo cpus=$(nproc)
echo "== before"; cat /proc/interrupts
echo $last > /proc/irq/$(awk '/rtc-pl031/ {print $1 + 0}' /proc/interrupts)/smp_affinity_list
echo +1 > /sys/class/rtc/rtc0/wakealarm
taskset -c $last sh -c 'cut -d" " -f39 /proc/self/stat; sleep 2'
yes | head -c 20000 | taskset -c $last cat | taskset -c 0 cat | wc -c
echo "== after"; cat /proc/interrupts
echo "== log"; dmesg
echo "== end"
`

async function runs(script: string, args: readonly string[]): Promise<Ended> {
  const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
  try {
    const initrd = await ramDisk(folder, { scripts: { 't.sh': script } })
    return await vgic([...linux(initrd), ...args], ['sh /t.sh', 'poweroff -f'])
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

const looks = (out: string) =>
  ['before', 'after'].map((name) => new ProcInterrupts(section(out, name))) as [ProcInterrupts, ProcInterrupts]

for (const [name, options] of [
  ['GICv2', ['--gic', '2']],
  ['GICv3 with an ITS', ['--gic', '3', '--its']],
] as const)
  test(`24 groups of processes on the 8 CPUs of a ${name} all come to the right end, and each CPU has its share`, async () => {
    const { status, out, err } = await runs(load, [...options, '--smp', '8'])
    process.stdout.write(`load, ${name}: ${err}`)
    const results = section(out, 'results')
    for (const i of workers) {
      const text = `worker ${i}\n`.repeat(LENGTH / 9 + 1).slice(0, LENGTH)
      expect(results).toContain(`sum ${i}: ${createHash('md5').update(text).digest('hex')}\n`)
      expect(results).toContain(`forks ${i}: ${FORKS}\n`)
      expect(results).toContain(`packed ${i}\n`)
    }
    for (const what of ['arch_timer', 'Rescheduling', 'Function call'])
      for (const count of taken(what, ...looks(out))) expect(count).toBeGreaterThan(0)
    // Jiffies in user programs and in the kernel.
    for (const line of section(out, 'times').trim().split('\n')) {
      const [, user, , system] = line.split(' ').map(Number)
      expect(user! + system!).toBeGreaterThan(0)
    }
    expect(complaints(section(out, 'log'))).toEqual([])
    expect(status).toBe(0)
  })

for (const options of [[], ['--its']])
  test(`Linux runs on 64 CPUs of a GICv3${options.length > 0 ? ' with an ITS' : ''}, and the last one takes an SPI by GICD_IROUTER and SGIs by ICC_SGI1R_EL1, both with its Aff1 (IHI 0069 12.2, 12.9)`, async () => {
    const { status, out, err } = await runs(many, ['--gic', '3', ...options, '--smp', '64'])
    process.stdout.write(`64 CPUs: ${err}`)
    expect(out).toMatch(/^cpus=64$/m)
    expect(section(out, 'before')).toMatch(/^63$/m)
    expect(section(out, 'before')).toMatch(/^20000$/m)
    const none = new Array<number>(63).fill(0)
    expect(taken('rtc-pl031', ...looks(out))).toEqual([...none, 1])
    for (const what of ['arch_timer', 'Rescheduling', 'Function call'])
      expect(taken(what, ...looks(out))[63]).toBeGreaterThan(0)
    const log = section(out, 'log')
    expect(log.match(/CPU\d+: Booted secondary processor/g)).toHaveLength(63)
    expect(complaints(log)).toEqual([])
    expect(status).toBe(0)
  })
