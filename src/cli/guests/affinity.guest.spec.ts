/**
 * Linux moves interrupts of devices from CPU to CPU through /proc/irq: the UART's, for which a line has to be typed after each
 * move, since all that is typed before it is taken with one interrupt; and a disk's. The CPUs' own interrupts are not here.
 */

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { type Ended, linux } from '../testing/boot-guest.ts'
import { converse } from '../testing/converse.ts'
import { complaints, ProcInterrupts, section, taken } from '../testing/guest-output.ts'
import { insmod, ramDisk } from '../testing/ram-disk.ts'

const modules = ['virtio_ring', 'virtio', 'virtio_mmio', 'virtio_blk']

/** Where the UART's interrupt goes, one after the other; `off` is to CPU 2 that then goes offline, `on` to CPU 2 that is back. */
const moves = ['0', '1', '2', '3', '2', '0', 'off', 'on']

const script = `
irq() { awk -v what=$1 '$0 ~ what {print $1 + 0; exit}' /proc/interrupts; }
look() { echo "== $1"; cat /proc/irq/$2/effective_affinity_list /proc/interrupts; }
uart=$(irq uart-pl011)
step=0
for move in ${moves.join(' ')}; do
  case $move in
    off) echo 4 > /proc/irq/$uart/smp_affinity; echo 0 > /sys/devices/system/cpu/cpu2/online;;
    on) echo 1 > /sys/devices/system/cpu/cpu2/online; echo 4 > /proc/irq/$uart/smp_affinity;;
    *) echo $((1 << move)) > /proc/irq/$uart/smp_affinity;;
  esac
  look "before $step" $uart
  echo "== $step listens"
  read line
  echo "heard $line"
  look "after $step" $uart
  step=$((step + 1))
done
${insmod(modules)}
disk=$(irq virtio)
for cpu in 3 1 2 0; do
  echo $((1 << cpu)) > /proc/irq/$disk/smp_affinity
  look "before disk $cpu" $disk
  echo 3 > /proc/sys/vm/drop_caches
  dd if=/dev/vda of=/dev/null bs=64k 2> /dev/null
  look "after disk $cpu" $disk
done
echo "== log"
dmesg
echo "== end"
`

for (const gic of ['2', '3'])
  describe(`Linux on a GICv${gic} with 4 CPUs`, () => {
    let folder: string
    let ended: Ended
    const look = (name: string) => new ProcInterrupts(section(ended.out, name))
    /** The CPU that Linux chose. */
    const effective = (name: string) => Number.parseInt(section(ended.out, name), 10)
    /** The CPUs that took the interrupt between two looks. */
    const takers = (what: string, name: string) =>
      taken(what, look(`before ${name}`), look(`after ${name}`)).flatMap((count, cpu) => (count > 0 ? [cpu] : []))

    beforeAll(async () => {
      folder = await mkdtemp(join(tmpdir(), 'vgic-guest-'))
      await writeFile(join(folder, 'disk'), new Uint8Array(2 ** 20))
      const initrd = await ramDisk(folder, { scripts: { 't.sh': script }, modules })
      ended = await converse(
        [...linux(initrd), '--gic', gic, '--smp', '4', '--drive', join(folder, 'disk')],
        [
          { after: '/ # ', line: 'sh /t.sh' },
          ...moves.map((_, step) => ({ after: `== ${step} listens\n`, line: `line ${step}` })),
          { after: '== end\n', line: 'poweroff -f' },
        ],
      )
      process.stdout.write(`affinity, GICv${gic}: ${ended.err}`)
    }, 600_000)
    afterAll(() => rm(folder, { recursive: true, force: true }))

    const register = gic === '2' ? 'GICD_ITARGETSR9 (IHI 0048 4.3.12)' : 'GICD_IROUTER33 (IHI 0069 12.9)'

    for (const [step, cpu] of moves.slice(0, 6).entries())
      test(`lets CPU ${cpu} alone take the UART's interrupt after a write to its smp_affinity, move ${step}: ${register}`, () => {
        expect(look(`before ${step}`).what('uart-pl011')).toMatch(/ 33 Level uart-pl011$/)
        expect(effective(`before ${step}`)).toBe(Number(cpu))
        expect(ended.out).toContain(`heard line ${step}\n`)
        expect(takers('uart-pl011', `${step}`)).toEqual([Number(cpu)])
      })

    test("gives the UART's interrupt to another CPU while its own is offline, and back to that once it is online", () => {
      const [off, on] = [moves.indexOf('off'), moves.indexOf('on')]
      expect(look(`before ${off}`).cpus).toEqual([0, 1, 3])
      expect([0, 1, 3]).toContain(effective(`before ${off}`))
      expect(ended.out).toContain(`heard line ${off}\n`)
      expect(takers('uart-pl011', `${off}`)).toEqual([effective(`before ${off}`)])
      expect(look(`before ${on}`).cpus).toEqual([0, 1, 2, 3])
      expect(ended.out).toContain(`heard line ${on}\n`)
      expect(takers('uart-pl011', `${on}`)).toEqual([2])
    })

    test.each([0, 1, 2, 3])("lets CPU %i alone take the disk's interrupts when it is told to", (cpu) => {
      expect(effective(`before disk ${cpu}`)).toBe(cpu)
      expect(takers('virtio', `disk ${cpu}`)).toEqual([cpu])
    })

    test('has nothing to complain of in its log, and switches off', () => {
      expect(section(ended.out, 'log')).toContain('psci: CPU2 killed')
      expect(complaints(section(ended.out, 'log'))).toEqual([])
      expect(ended.status).toBe(0)
    })
  })
