/** EDK2 in the flash of our machine: its shell, its timer, clock and variables, and Linux started from it. */

import { expect, test } from 'vitest'
import { cached, vgic } from '../testing/boot-guest.ts'

const edk2 = ['run', '--bios', cached('guests', 'edk2.fd'), '--stats', '--timeout', '120']

/** Whose variables have names that the firmware does not check. */
const vendor = '7c1d1f6e-9a0b-4d6c-8a52-1c5f3f2b9e11'

/** Keys as a terminal sends them. The first ones end the firmware's wait for a key and the shell's, which may also lose some. */
const typed = (...commands: string[]): string[] => ['\r', '\r', ...commands].map((command) => `${command}\r`)

/** The text without the terminal's colours and cursor positions, which start lines of their own. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
const plain = (out: string): string => out.replace(/\x1b\[[0-9;=]*[A-Za-z]/g, '')

/** Interrupts taken and seconds passed, of the line that --stats prints. */
function stats(err: string): { interrupts: number; seconds: number } {
  const number = (pattern: RegExp) => Number(pattern.exec(err)?.[1]?.replaceAll(',', ''))
  return { interrupts: number(/ ([0-9,]+) interrupts?, /), seconds: number(/ ([0-9.]+) guest seconds/) }
}

test("EDK2 comes to its shell on a GICv2, which tells the RTC's date, keeps a variable in the second flash bank, and reset -s ends the run with 0", async () => {
  const { status, out, err } = await vgic(
    [...edk2, '--gic', '2', '--rtc', 'base=2026-01-31T12:00:00'],
    typed(
      'ver',
      'date',
      'time',
      `setvar vgic -guid ${vendor} -bs -nv =0x2a`,
      `setvar vgic -guid ${vendor}`,
      'memmap',
      'reset -s',
    ),
  )
  process.stdout.write(`EDK2, GICv2: ${err}`)
  const text = plain(out)
  expect(text).toMatch(/Shell> ver\nUEFI Interactive Shell v2\.\d\n/)
  expect(text).toMatch(/Shell> date\n01\/31\/2026\n/)
  expect(text).toMatch(/Shell> time\n12:00:[0-5]\d /)
  expect(text).toMatch(/Shell> setvar vgic -guid \S+\n.*vgic.*\n.*2A\b/)
  expect(text).toMatch(/Total Memory: +256 MB/)
  // Its tick comes each 10 ms by the virtual timer's PPI.
  const { interrupts, seconds } = stats(err)
  expect(interrupts).toBeGreaterThan(50 * seconds)
  expect(status).toBe(0)
})

test('EDK2 comes to its shell on a GICv3 with 4 CPUs, its ticks go on through a stall, and a reset that is not allowed ends the run with 3', async () => {
  const { status, out, err } = await vgic(
    [...edk2, '--gic', '3', '--smp', '4'],
    typed('stall 300000', 'echo stalled', 'reset'),
  )
  process.stdout.write(`EDK2, GICv3: ${err}`)
  expect(plain(out)).toMatch(/Shell> echo stalled\nstalled\n/)
  const { interrupts, seconds } = stats(err)
  expect(interrupts).toBeGreaterThan(50 * seconds)
  expect(status).toBe(3)
})

for (const { name, options } of [
  { name: 'GICv2', options: ['--gic', '2'] },
  { name: 'GICv3 with an ITS', options: ['--its'] },
])
  test(`EDK2 starts the kernel that the command names as a UEFI program, with its RAM disk, on a ${name} with 4 CPUs`, async () => {
    const { status, out, err } = await vgic(
      [
        ...edk2,
        ...['--kernel', cached('debian', 'kernel'), '--initrd', cached('debian', 'initrd')],
        ...['--append', 'console=ttyAMA0 cryptomgr.notests quiet', '--memory', '512M', '--smp', '4', ...options],
      ],
      // The first line ends the firmware's wait for a key.
      ['\r', 'ls /sys/firmware', 'echo cpus=$(nproc)', 'dmesg | grep "efi: EFI"', 'poweroff -f'],
    )
    process.stdout.write(`EDK2 to Linux, ${name}: ${err}`)
    expect(out).toMatch(/efi: EFI v2\.\d+ by EDK II$/m)
    expect(out).toMatch(/^cpus=4$/m)
    expect(status).toBe(0)
  })
