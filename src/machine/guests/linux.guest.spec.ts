/** Debian's cloud kernel on our machine: that it boots, that its GIC traffic replays, and that a run is the same each time. */

import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linux, vgic } from '../testing/boot-guest.ts'

const configurations = [
  ...[1, 4, 8].map((cpus) => ({ name: 'GICv2', cpus, options: ['--gic', '2'] })),
  ...[1, 4, 8].map((cpus) => ({ name: 'GICv3', cpus, options: ['--gic', '3'] })),
  { name: 'GICv3 with an ITS', cpus: 4, options: ['--gic', '3', '--its'] },
]

for (const { name, cpus, options } of configurations)
  test(`Linux boots on a ${name} with ${cpus} CPUs to a shell, takes the virtual timer's PPI 27 on each, and switches off`, async () => {
    const lines = ['echo cpus=$(nproc)', 'cat /proc/interrupts', 'poweroff -f']
    const { status, out, err } = await vgic([...linux(), ...options, '--smp', String(cpus)], lines)
    process.stdout.write(`${name}, ${cpus} CPUs: ${err}`)
    expect(out).toMatch(new RegExp(`^cpus=${cpus}$`, 'm'))
    const timer = /^ *\d+:((?: +\d+)+) +GICv?[-0-9]+ +27 Level +arch_timer$/m.exec(out)
    const counts = (timer?.[1] ?? '').trim().split(/ +/).map(Number)
    expect(counts).toHaveLength(cpus)
    for (const count of counts) expect(count).toBeGreaterThan(0)
    expect(status).toBe(0)
  })

for (const gic of ['2', '3'])
  test(`two runs of a boot with a GICv${gic} and 4 CPUs are the same to the byte, and their trace replays without a divergence`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    try {
      const seen: string[][] = []
      for (const name of ['first', 'second']) {
        const trace = join(folder, `${name}.trace`)
        const args = [...linux(), '--gic', gic, '--smp', '4', '--trace', trace, '--ask', 'info cpus']
        const { status, out } = await vgic(args, ['cat /proc/interrupts', 'poweroff -f'])
        expect(status).toBe(0)
        // The monitor's table has each CPU's count of instructions.
        expect(out).toMatch(/^CPU +state +PC +instructions/m)
        seen.push([
          out,
          createHash('sha256')
            .update(await readFile(trace))
            .digest('hex'),
        ])
      }
      expect(seen[1]).toEqual(seen[0])
      const replay = await vgic(['replay', join(folder, 'first.trace')])
      expect(replay.out).toContain('no divergence')
      expect(replay.status).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
