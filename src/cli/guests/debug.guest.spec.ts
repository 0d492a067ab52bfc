/**
 * A debugger and a profiler inside Linux: guests/ptrace-probe stops a child by hardware breakpoint and watchpoint, steps it, and counts
 * instructions. QEMU 7.2 says the same of all but the counter, which it has not.
 */

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { encodeCpio } from '../../machine/boot/cpio.ts'
import { cached, linux, vgic } from '../testing/boot-guest.ts'

const probe = fileURLToPath(new URL('../../../guests/ptrace-probe/probe', import.meta.url))

/** SIGSTOP and SIGTRAP; TRAP_HWBKPT. Six breakpoints and four watchpoints are a Cortex-A57's. */
const debugged = `stopped by 19
breakpoints 6
watchpoints 4
breakpoint set 0
breakpoint signal 5
breakpoint at offset 0
breakpoint code 4
steps 21
steps without a trap 0
watchpoint set 0
watchpoint signal 5
watchpoint at offset 0
ended 1
`

for (const [name, options] of [
  ['GICv2', ['--gic', '2']],
  ['GICv3 with 4 CPUs', ['--gic', '3', '--smp', '4']],
] as const)
  test(`inside Linux on a ${name} gdb's ptrace calls and perf's counter work (DDI 0487 D2, D7)`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    try {
      const initrd = join(folder, 'initrd')
      const files = encodeCpio([{ name: 'probe', mode: 0o100755, data: await readFile(probe) }])
      await writeFile(initrd, Buffer.concat([await readFile(cached('debian', 'initrd')), files]))
      const { status, out } = await vgic([...linux(initrd), ...options], ['/probe', 'poweroff -f'])
      expect(out).toContain(debugged)
      // A hundred rounds of 22 instructions, and a few to call them.
      const [, counted] = /^instructions counted (\d+)$/m.exec(out) ?? []
      expect(Number(counted)).toBeGreaterThanOrEqual(2200)
      expect(Number(counted)).toBeLessThan(3000)
      expect(out).toContain('probe done\n')
      expect(status).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
