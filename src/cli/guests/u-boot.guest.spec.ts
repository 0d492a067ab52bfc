/** U-Boot in the flash of our machine: its prompt, its two ways out, its disk, and Linux started from it. */

import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { expect, test } from 'vitest'
import { cached, vgic } from '../testing/boot-guest.ts'

const uBoot = ['run', '--bios', cached('guests', 'u-boot.bin'), '--stats']
/** The kernel and its RAM disk, for U-Boot to find in fw_cfg. */
const files = ['--kernel', cached('debian', 'kernel'), '--initrd', cached('debian', 'initrd')]
/** A prompt at which nothing is typed is polled for ever. */
const prompt = [...uBoot, '--timeout', '2Ginstr']

test('U-Boot comes to its prompt, where a key that is piped in stops its countdown, and answers; poweroff ends the run with 0', async () => {
  const { status, out, err } = await vgic(prompt, [
    '',
    'version',
    'bdinfo',
    'md.l 40000000 1',
    'fdt addr $fdtcontroladdr',
    'fdt print /psci method',
    'md.b 0 10',
    'poweroff',
  ])
  process.stdout.write(`U-Boot: ${err}`)
  expect(out).toMatch(/^Hit any key to stop autoboot: +2.* 0 $/m)
  expect(out).toMatch(/^=> version\nU-Boot 20\d\d\.\d\d/m)
  expect(out).toMatch(/^-> start +=? *0x0*40000000$/m)
  expect(out).toMatch(/^-> size +=? *0x0*10000000$/m)
  // The device tree's magic, big-endian, at the start of the memory.
  expect(out).toMatch(/^40000000: edfe0dd0 /m)
  expect(out).toContain('method = "hvc"')
  expect(out).toMatch(/^00000000: ([0-9a-f]{2} ){16}/m)
  expect(status).toBe(0)
})

test("U-Boot's reset, which is not allowed, ends the run with 3", async () => {
  const { status, out } = await vgic([...prompt, '--smp', '4', '--gic', '3'], ['', 'reset'])
  expect(out).toContain('resetting ...')
  expect(status).toBe(3)
})

test("U-Boot reads a virtio disk whole, and its CRC32 is the file's", async () => {
  const folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
  try {
    const disk = Buffer.alloc(2 ** 20)
    for (let i = 0, state = 7; i < disk.length; i++) {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      disk[i] = state >>> 24
    }
    await writeFile(join(folder, 'disk'), disk)
    const { status, out } = await vgic(
      [...prompt, '--drive', join(folder, 'disk')],
      ['', 'virtio scan', 'virtio read $kernel_addr_r 0 800', 'crc32 $kernel_addr_r 100000', 'poweroff'],
    )
    expect(out).toContain('2048 blocks read: OK')
    expect(out).toContain(`==> ${crc32(disk).toString(16).padStart(8, '0')}`)
    expect(status).toBe(0)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
})

for (const { name, options } of [
  { name: 'GICv2', options: ['--gic', '2'] },
  { name: 'GICv3', options: ['--gic', '3'] },
])
  test(`from U-Boot's prompt Linux starts out of fw_cfg on a ${name} with 4 CPUs, and switches off`, async () => {
    const initrd = (await stat(cached('debian', 'initrd'))).size
    const { status, out, err } = await vgic(
      [
        ...uBoot,
        ...files,
        '--append',
        'console=ttyAMA0 cryptomgr.notests quiet',
        '--smp',
        '4',
        ...options,
        '--timeout',
        '10',
      ],
      [
        '',
        'qfw load $kernel_addr_r $ramdisk_addr_r',
        'booti $kernel_addr_r $ramdisk_addr_r:$filesize $fdtcontroladdr',
        'echo cpus=$(nproc)',
        'poweroff -f',
      ],
    )
    process.stdout.write(`U-Boot to Linux, ${name}: ${err}`)
    expect(out).toContain(`initrd 0000000044000000 size ${initrd.toString(16)}`)
    expect(out).toContain('Starting kernel ...')
    expect(out).toMatch(/^cpus=4$/m)
    expect(status).toBe(0)
  })

test('where no key stops it, U-Boot counts two seconds down and starts the kernel that the command names', async () => {
  const append = 'console=ttyAMA0 cryptomgr.notests rdinit=/bin/busybox -- poweroff -f'
  const { status, out, err } = await vgic([...uBoot, ...files, '--append', append, '--timeout', '10'])
  process.stdout.write(`U-Boot by itself to Linux: ${err}`)
  expect(out).toContain('Starting kernel ...')
  expect(out).toMatch(/Run \/bin\/busybox as init process/)
  expect(out).toMatch(/reboot: Power down/)
  expect(Number(/ ([0-9.]+) guest seconds/.exec(err)?.[1])).toBeGreaterThan(2)
  expect(status).toBe(0)
})
