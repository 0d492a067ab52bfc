/**
 * The board's device tree against QEMU's own (Debian package qemu-system-arm): every node and property that we have is
 * QEMU's, byte for byte, and what QEMU has more is on a list.
 */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { planBoot } from '../boot/boot.ts'
import { words } from '../testing/guest.ts'
import { VirtMachine } from '../virt.ts'
import { decodeFdt, encodeFdt, type FdtNode, fdtNode, walkNodes } from './fdt.ts'
import { type VirtTree, virtTree } from './virt-dtb.ts'

/** The board has no PCI Express and no platform bus; what names them in other nodes is theirs. */
const ABSENT = /^\/(pcie@|platform-bus@)/
/** QEMU's random numbers, new in every run. */
const RANDOM = ['rng-seed', 'kaslr-seed']

function qemuTree(args: readonly string[], files: Readonly<Record<string, Uint8Array>> = {}): FdtNode {
  const directory = mkdtempSync(join(tmpdir(), 'vgic-dtb-'))
  try {
    const file = join(directory, 'virt.dtb')
    const machine = `virt,${args[0]},dumpdtb=${file}`
    const options = Object.entries(files).flatMap(([name, bytes]) => {
      writeFileSync(join(directory, name), bytes)
      return [`-${name}`, join(directory, name)]
    })
    execFileSync(
      'qemu-system-aarch64',
      ['-M', machine, '-cpu', 'cortex-a57', '-nographic', '-nic', 'none', ...args.slice(1), ...options],
      { stdio: 'pipe', timeout: 30_000 },
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
    const ours = flatten(virtTree(board))
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs))
  })

  const memory = 2 ** 28
  const files = { kernel: words(0x1400_0000), initrd: new Uint8Array(12_345).fill(1) }
  const append = 'console=ttyAMA0 "a b"'
  const args = ['gic-version=2', '-smp', '2', '-m', '256', '-append', append]

  /** The tree that our machine starts with, from its memory. */
  async function ourTree(dtb?: Uint8Array): Promise<FdtNode> {
    const plan = await planBoot({ ...files, append, dtb }, { cpus: 2, memory, gic: 2 })
    const machine = new VirtMachine({ cpus: 2, memory })
    plan.start(machine)
    const bytes = new Uint8Array(2 ** 20)
    machine.ram.read(Number(machine.cluster.register(0, 0)), bytes)
    return decodeFdt(bytes).root
  }

  it("is QEMU's in the memory of a guest, with command line and initial RAM disk in their places", async () => {
    const theirs = flatten(qemuTree(args, files))
    const ours = flatten(await ourTree())
    expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(theirs))
  })

  it.each([true, false])(
    'gets the same entered into a tree that is given (which has a PSCI of its own: %s)',
    async (has) => {
      const root = fdtNode('', { '#address-cells': [2], '#size-cells': [1], compatible: 'a,board' }, [
        fdtNode('memory@0', { device_type: 'memory', reg: [0, 0, 1] }),
        fdtNode('chosen', { 'stdout-path': '/uart', bootargs: 'old' }),
        ...(has ? [fdtNode('psci', { compatible: 'arm,psci', method: 'smc' })] : []),
        fdtNode('thing', { here: true }),
      ])
      const dtb = encodeFdt({ root, reservations: [], bootCpu: 0 })
      const ours = flatten(await ourTree(dtb))
      expect(Object.fromEntries(ours)).toEqual(Object.fromEntries(flatten(qemuTree(args, { ...files, dtb }))))
    },
  )
})
