/**
 * Linux with virtio devices on our machine: the modules load, a disk reads whole, and the entropy device gives bytes. CPUs that
 * come and go, and where interrupts go, are not here.
 */

import { createHash } from 'node:crypto'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { linux, vgic } from '../testing/boot-guest.ts'
import { section } from '../testing/guest-output.ts'
import { insmod, ramDisk } from '../testing/ram-disk.ts'

const modules = ['virtio_ring', 'virtio', 'virtio_mmio', 'virtio_blk']

for (const gic of ['2', '3']) {
  test(`on a GICv${gic} Linux reads a virtio disk of 4 MiB whole, and its MD5 is the file's`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    try {
      const disk = new Uint8Array(4 * 2 ** 20)
      for (let i = 0, state = 1; i < disk.length; i++) {
        state = (Math.imul(state, 1103515245) + 12345) >>> 0
        disk[i] = state >>> 24
      }
      await writeFile(join(folder, 'disk'), disk)
      const initrd = await ramDisk(folder, { modules })
      const { status, out, err } = await vgic(
        [...linux(initrd), '--gic', gic, '--smp', '2', '--drive', join(folder, 'disk')],
        [
          ...modules.map((name) => `insmod /mod/${name}.ko`),
          'md5sum /dev/vda',
          'awk \'/virtio/ {print "disk", $2+$3}\' /proc/interrupts',
          'poweroff -f',
        ],
      )
      process.stdout.write(`disk, GICv${gic}: ${err}`)
      expect(out).toContain(`${createHash('md5').update(disk).digest('hex')}  /dev/vda`)
      expect(out).toMatch(/^disk [1-9]\d*$/m)
      expect(status).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })

  test(`on a GICv${gic} Linux draws from the virtio entropy device by /dev/hwrng, by its interrupts`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
    try {
      const drivers = ['virtio_ring', 'virtio', 'virtio_mmio', 'virtio-rng']
      const script = `${insmod(drivers)}
        cat /sys/class/misc/hw_random/rng_current
        echo "== bytes"; for i in 1 2; do dd if=/dev/hwrng bs=256 count=1 2> /dev/null | md5sum; done
        echo "== interrupts"; awk '/virtio/ {print $2 + $3}' /proc/interrupts
        echo "== end"`
      const initrd = await ramDisk(folder, { scripts: { 't.sh': script }, modules: drivers })
      const { status, out } = await vgic([...linux(initrd), '--gic', gic, '--smp', '2'], ['sh /t.sh', 'poweroff -f'])
      expect(out).toMatch(/^virtio_rng\.0$/m)
      const [first, second] = section(out, 'bytes').trim().split('\n')
      expect(first).toMatch(/^[0-9a-f]{32} /)
      expect(second).not.toBe(first)
      expect(Number(section(out, 'interrupts'))).toBeGreaterThan(1)
      expect(status).toBe(0)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  })
}
