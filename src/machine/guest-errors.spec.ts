/** What reaches a person of a guest's faults: by small guests that make each. */

import { describe, expect, it } from 'vitest'
import { STORM } from '../gic/index.ts'
import { virtMap } from './board/virt-map.ts'
import { GuestErrors } from './guest-errors.ts'
import { Monitor } from './monitor/monitor.ts'
import { a64, booted, words } from './testing/guest.ts'
import { interruptGuest, store } from './testing/interrupt-guest.ts'

const { gicd, gicc, uart } = virtMap

async function errorsOf(...last: number[]) {
  const { machine } = await booted(interruptGuest(2, { timer: [], last }))
  const said: string[] = []
  const errors = new GuestErrors(machine, ['guest_errors', 'unimp'], (line) => said.push(line))
  machine.run(20_000)
  return { said, errors, machine }
}

const call = (id: number, x1: number, x2: number) => [
  a64.movz(0, id),
  a64.movk(0, 0xc400, 1),
  a64.movz(1, x1),
  a64.movz(2, x2),
  a64.hvc,
]

describe('the log of guest errors', () => {
  it.each([
    [
      'an end without an acknowledge (IHI 0048 4.4.5)',
      store(gicc.base + 0x10, 27),
      /^CPU 0 at 0x4008[0-9a-f]{4}: end of interrupt 27, but none is running/,
    ],
    [
      'a write where the device has no register',
      store(uart.base + 0xf00, 1),
      /write of 4 bytes at 0x9000f00 is refused: no register is there/,
    ],
    ['a write to a register that is read-only', store(gicd.base + 4, 1), /GICD_TYPER/],
    ['an access where nothing is', store(0x0b00_0000, 1), /^CPU 0 writes 0xb000000, where nothing is/],
    [
      'a CPU_ON of a CPU that is not there (DEN 0022 5.6)',
      call(3, 9, 0),
      /PSCI CPU_ON of affinity 0x9 .* is refused: INVALID_PARAMETERS: there is no CPU of that affinity/,
    ],
    ['a PSCI function that is not there', call(0x7f, 0, 0), /is refused: NOT_SUPPORTED/],
    ['an instruction that nobody has', [0x0000_0001], /unknown instruction 0x1 /],
  ] as const)('says %s', async (_, last, sentence) => {
    const { said } = await errorsOf(...last)
    expect(said.filter((line) => sentence.test(line))).toHaveLength(1)
  })

  it('says a fault once, counts it, and keeps no more different ones than it may', async () => {
    const { machine } = await booted(words(...store(uart.base + 0xf00, 1), 0x1400_0000 | (0x03ff_ffff & -1)))
    const said: string[] = []
    const errors = new GuestErrors(machine, ['guest_errors'], (line) => said.push(line))
    machine.run(1000)
    expect(said).toHaveLength(1)
    expect(errors.lines()[0]).toMatch(/ \([0-9]{2,3} times\)$/)
    const many = Array.from({ length: 20 }, (_, i) => store(uart.base + 0xe00 + 4 * i, 1)).flat()
    const { machine: other } = await booted(words(...many, a64.loop))
    const few = new GuestErrors(other, ['guest_errors'], () => {}, 5)
    other.run(1000)
    expect(few.lines()).toHaveLength(6)
    expect(few.lines()[5]).toBe('and 15 lines more, which were not kept')
  })

  it('hears nothing of the GIC where nothing is asked for, and still says that a CPU gets nowhere', async () => {
    const { machine } = await booted(words(0xdead_0000))
    const said: string[] = []
    new GuestErrors(machine, [], (line) => said.push(line))
    expect(machine.gic.events.active).toBe(false)
    machine.run(40_000)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/^CPU 0 takes the same exception/)
  })

  it('says that an interrupt storms: ended again and again while its line is high', async () => {
    // The handler of IRQ reads GICC_IAR and writes it back to GICC_EOIR, and returns; the timer stays due.
    const handler = [
      a64.movz(1, 0x0801, 1),
      0xb940_0c22, // ldr w2, [x1, #12]
      0xb900_1022, // str w2, [x1, #16]
      0xd69f_03e0, // eret
    ]
    const image = interruptGuest(2)
    image.set(words(...handler), 0x800 + 0x280)
    const { machine } = await booted(image)
    const said: string[] = []
    const errors = new GuestErrors(machine, ['guest_errors'], (line) => said.push(line))
    machine.run(STORM * 4)
    expect(said).toEqual([])
    machine.run(STORM * 10)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(
      /^CPU 0: PPI 27 \(virtual timer of CPU 0\) ended 10,000 times with its line high all the time/,
    )
    // It is signalled and taken, and so nothing but this is the answer.
    const monitor = new Monitor(machine, { paused: true, quit: () => {}, ended: () => {} }, { errors })
    expect(monitor.execute('why 27').split('\n')[1]).toBe(`${said[0]}.`)
    expect(monitor.execute('why 30')).not.toContain('10,000')
  })

  it('says that acknowledges give nothing though an interrupt is signalled: GICC_IAR of one in Group 1 without AckCtl', async () => {
    const image = interruptGuest(2, {
      distributor: [...store(virtMap.gicd.base + 0x80, 1 << 27), ...store(virtMap.gicd.base, 2)],
      cpuInterface: store(virtMap.gicc.base, 2),
    })
    image.set(words(a64.movz(1, 0x0801, 1), 0xb940_0c22, 0xb900_1022, 0xd69f_03e0), 0x800 + 0x280)
    const { machine } = await booted(image)
    const said: string[] = []
    new GuestErrors(machine, ['guest_errors'], (line) => said.push(line))
    machine.run(STORM * 10)
    expect(said.filter((line) => line.includes('acknowledges'))).toEqual([
      'CPU 0: 10,000 acknowledges in a row gave no interrupt while one was signalled: 1022: PPI 27 is signalled, but it is in Group 1: read GICC_AIAR, or set GICC_CTLR.AckCtl',
    ])
  })
})
