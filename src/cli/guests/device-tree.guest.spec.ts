/** Linux with a device tree that is not the machine's own: the least that a kernel needs, as somebody would write it by hand. */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { cells64, encodeFdt, fdtNode } from '../../machine/device-tree/fdt.ts'
import { linux, vgic } from '../testing/boot-guest.ts'

const [GIC, CLOCK] = [1, 2]
const reg = (...numbers: number[]) => numbers.flatMap(cells64)

/** A GICv2, a UART, the timer and PSCI: no flash, no virtio, no RTC, no MSI frame. Memory is what the command says. */
const tree = fdtNode(
  '',
  { compatible: 'linux,dummy-virt', '#address-cells': [2], '#size-cells': [2], 'interrupt-parent': [GIC] },
  [
    fdtNode('chosen', { 'stdout-path': '/uart@9000000' }),
    fdtNode('memory@40000000', { device_type: 'memory', reg: reg(0x4000_0000, 0x1000_0000) }),
    fdtNode('cpus', { '#address-cells': [1], '#size-cells': [0] }, [
      ...[0, 1].map((cpu) =>
        fdtNode(`cpu@${cpu}`, { device_type: 'cpu', compatible: 'arm,armv8', reg: [cpu], 'enable-method': 'psci' }),
      ),
    ]),
    fdtNode('psci', { compatible: ['arm,psci-1.0', 'arm,psci-0.2'], method: 'hvc' }),
    fdtNode('timer', {
      compatible: 'arm,armv8-timer',
      'always-on': true,
      interrupts: [13, 14, 11, 10].flatMap((ppi) => [1, ppi, 0x304]),
    }),
    fdtNode('intc@8000000', {
      phandle: [GIC],
      compatible: 'arm,cortex-a15-gic',
      '#interrupt-cells': [3],
      '#address-cells': [0],
      'interrupt-controller': true,
      reg: reg(0x800_0000, 0x1_0000, 0x801_0000, 0x1_0000),
    }),
    fdtNode('clk24m', {
      phandle: [CLOCK],
      compatible: 'fixed-clock',
      '#clock-cells': [0],
      'clock-frequency': [24_000_000],
    }),
    fdtNode('uart@9000000', {
      compatible: ['arm,pl011', 'arm,primecell'],
      reg: reg(0x900_0000, 0x1000),
      interrupts: [0, 1, 4],
      clocks: [CLOCK, CLOCK],
      'clock-names': ['uartclk', 'apb_pclk'],
    }),
  ],
)

test('Linux boots with a minimal device tree of --dtb, which has 2 of the 4 CPUs, and uses what that names and nothing else', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
  try {
    await writeFile(join(folder, 'dtb'), encodeFdt({ root: tree, reservations: [], bootCpu: 0 }))
    const { status, out, err } = await vgic(
      [...linux(), '--dtb', join(folder, 'dtb'), '--smp', '4', '--memory', '192M'],
      [
        'echo cpus=$(nproc)',
        'awk \'/MemTotal/ {print "memory", $2}\' /proc/meminfo',
        'cat /proc/interrupts',
        'echo nodes $(ls /proc/device-tree)',
        'poweroff -f',
      ],
    )
    process.stdout.write(`minimal device tree: ${err}`)
    expect(out).toMatch(/^cpus=2$/m)
    const memory = Number(/^memory (\d+)$/m.exec(out)?.[1])
    expect(memory).toBeGreaterThan(128 * 1024)
    expect(memory).toBeLessThan(192 * 1024)
    expect(out).toMatch(/GIC-0 +27 Level +arch_timer$/m)
    expect(out).toMatch(/GIC-0 +33 Level +uart-pl011$/m)
    expect(out).toMatch(/^nodes .*\bmemory@40000000\b.*\buart@9000000$/m)
    expect(out).not.toMatch(/pl061|rtc-pl031|virtio/)
    expect(status).toBe(0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})
