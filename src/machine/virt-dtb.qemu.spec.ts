/**
 * The board's device tree against QEMU's own (Debian package qemu-system-arm): every node and property that we have is
 * QEMU's, byte for byte, and what QEMU has more is on a list.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { decodeFdt, type FdtNode, walkNodes } from './fdt.ts'
import { type VirtTree, virtTree } from './virt-dtb.ts'

/** The board has no PCI Express and no platform bus; what names them in other nodes is theirs. */
const ABSENT = /^\/(pcie@|platform-bus@)/
/** QEMU's random numbers, new in every run. */
const RANDOM = ['rng-seed', 'kaslr-seed']

function qemuTree(args: readonly string[]): FdtNode {
  const directory = mkdtempSync(join(tmpdir(), 'vgic-dtb-'))
  try {
    const file = join(directory, 'virt.dtb')
    const machine = `virt,${args[0]},dumpdtb=${file}`
    execFileSync(
      'qemu-system-aarch64',
      ['-M', machine, '-cpu', 'cortex-a57', '-nographic', '-nic', 'none', ...args.slice(1)],
      {
        stdio: 'pipe',
        timeout: 30_000,
      },
    )
    return decodeFdt(readFileSync(file)).root
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const hex = (bytes: Uint8Array | undefined) => (bytes === undefined ? 'absent' : Buffer.from(bytes).toString('hex'))

function flatten(root: FdtNode): Map<string, string> {
  const flat = new Map<string, string>()
  for (const [path, node] of walkNodes(root)) {
    if (ABSENT.test(path)) continue
    flat.set(`${path}:`, '')
    for (const [name, value] of node.properties) if (!RANDOM.includes(name)) flat.set(`${path}: ${name}`, hex(value))
  }
  return flat
}

describe("the board's device tree", () => {
  it.each<[string, VirtTree, readonly string[]]>([
    ['GICv2, one CPU', { cpus: 1, memory: 2 ** 27, gic: 2 }, ['gic-version=2', '-smp', '1', '-m', '128']],
    ['GICv2, eight CPUs', { cpus: 8, memory: 2 ** 28, gic: 2 }, ['gic-version=2', '-smp', '8', '-m', '256']],
    [
      'GICv2 at EL2',
      { cpus: 4, memory: 2 ** 30, gic: 2, el2: true },
      ['gic-version=2,virtualization=on', '-smp', '4', '-m', '1024'],
    ],
    ['GICv3 with an ITS', { cpus: 4, memory: 2 ** 28, gic: 3, its: true }, ['gic-version=3', '-smp', '4', '-m', '256']],
    [
      'GICv3 without, 20 CPUs, at EL2, 5 GiB',
      { cpus: 20, memory: 5 * 2 ** 30, gic: 3, el2: true },
      ['gic-version=3,its=off,virtualization=on', '-smp', '20', '-m', '5120'],
    ],
  ])("is QEMU's: %s", (_, board, args) => {
    const theirs = flatten(qemuTree(args))
    // The Cortex-A57 has a PMU; ours says so when it is asked to.
    const ours = flatten(virtTree({ ...board, pmu: true }))
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs))
  })
})
