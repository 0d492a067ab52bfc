/** Debian's installer: its kernel with its own initial RAM disk, to a shell in it. What its dialogs do is not here. */

import { expect, test } from 'vitest'
import { cached, vgic } from '../testing/boot-guest.ts'

/** The kernel's tests of its own cryptography are a quarter of its boot; the others go without them. */
const complete = { name: 'GICv2', cpus: 1, options: ['--gic', '2'], append: '' }
const notests = 'cryptomgr.notests'
const configurations = [
  complete,
  { name: 'GICv2', cpus: 4, options: ['--gic', '2'], append: notests },
  { name: 'GICv2', cpus: 8, options: ['--gic', '2'], append: notests },
  { name: 'GICv3', cpus: 4, options: ['--gic', '3'], append: notests },
  { name: 'GICv3 with an ITS', cpus: 4, options: ['--gic', '3', '--its'], append: notests },
]

for (const { name, cpus, options, append } of configurations) {
  const how = append === '' ? 'as it is' : `with ${append}`
  test(`Debian's installer boots ${how} on a ${name} with ${cpus} CPUs to a shell, takes timer interrupts on each, and switches off`, async () => {
    const args = [
      ...['run', '--kernel', cached('guests', 'installer-kernel'), '--initrd', cached('guests', 'installer-initrd.gz')],
      ...['--append', `console=ttyAMA0 rdinit=/bin/sh quiet ${append}`.trim()],
      ...['--memory', '512M', '--smp', String(cpus), ...options, '--timeout', '20', '--stats'],
    ]
    // With its shell as the first process nothing is mounted, and this busybox has no nproc.
    const { status, out, err } = await vgic(args, [
      'mount -t proc proc /proc',
      'echo cpus=$(grep -c ^processor /proc/cpuinfo)',
      'cat /proc/interrupts',
      'poweroff -f',
    ])
    process.stdout.write(`installer, ${name}, ${cpus} CPUs: ${err}`)
    expect(out).toMatch(new RegExp(`^cpus=${cpus}$`, 'm'))
    const timer = /^ *\d+:((?: +\d+)+) +GICv?[-0-9]+ +27 Level +arch_timer$/m.exec(out)
    const counts = (timer?.[1] ?? '').trim().split(/ +/).map(Number)
    expect(counts).toHaveLength(cpus)
    for (const count of counts) expect(count).toBeGreaterThan(0)
    expect(status).toBe(0)
  })
}
