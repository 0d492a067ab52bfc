/** Who wrote last what closes a gate, and how often an interrupt was taken: by guests that close one. */

import { describe, expect, it } from 'vitest'
import { virtMap } from '../board/virt-map.ts'
import { elfSymbols } from '../boot/elf-symbols.ts'
import { Monitor } from '../monitor/monitor.ts'
import { elfWithSymbols } from '../testing/elf-with-symbols.ts'
import { booted } from '../testing/guest.ts'
import { interruptGuest, msr, register, START, store } from '../testing/interrupt-guest.ts'

const { gicd, gicc } = virtMap
const control = { paused: true, quit: () => {}, ended: () => {} }

describe('the history of writes', () => {
  it.each([
    ['enabled', store(gicd.base + 0x180, 1 << 27), '0x0'],
    ['priority mask', store(gicc.base + 4, 0), '0x0'],
  ] as const)('names CPU, PC and time of the write that closed "%s" (GICv2)', async (gate, last, value) => {
    const { machine } = await booted(interruptGuest(2, { last, unmask: [] }))
    const monitor = new Monitor(machine, control)
    expect(monitor.execute('why 27')).not.toContain('last written')
    expect(monitor.execute('track on')).toMatch(/writes .* are kept/)
    machine.run(2000)
    const line = monitor
      .execute('why 27')
      .split('\n')
      .find((text) => text.startsWith(`  ${gate}: last written`))
    expect(line).toMatch(new RegExp(`by CPU 0 at 0x4008[0-9a-f]{4}, 0\\.0000[0-9]{2} s after the start: ${value}$`))
    // The store itself is where it points.
    const pc = BigInt(/at (0x[0-9a-f]+)/.exec(line!)![1]!)
    expect(machine.cluster.disassemble(0xb900_0022, pc)).toBe(
      monitor.execute(`x/i 0x${pc.toString(16)}`).split(': ')[1],
    )
    const names = [{ name: 'mask_all', value: BigInt(START) }]
    machine.symbols = elfSymbols(elfWithSymbols(new Uint8Array(0x1000), { virtual: BigInt(START), names }))
    expect(monitor.execute('why 27')).toContain(
      `${line!.split(', ')[0]} (mask_all+0x${(pc - BigInt(START)).toString(16)}), `,
    )
    monitor.execute('track off')
    expect(machine.gic.events.active).toBe(false)
  })

  it.each([
    [27, 'timer enabled', 2, { timer: msr(register.CNTV_CTL_EL0, 0) }, 0xd51b_e322, '0x0'],
    [27, 'timer unmasked', 3, { timer: msr(register.CNTV_CTL_EL0, 3) }, 0xd51b_e322, '0x3'],
    [
      27,
      'timer due',
      2,
      { compare: msr(register.CNTV_CVAL_EL0, 2n ** 60n) },
      0xd51b_e342,
      `0x${(2n ** 60n).toString(16)}`,
    ],
    // TVAL in place of CVAL: the compare value that comes of it is above 0x1000 (DDI 0487 D11.2.4).
    [27, 'timer due', 2, { compare: msr([3, 3, 14, 3, 0], 0x1000_0000) }, 0xd51b_e302, '0x1000000[0-9a-f]'],
    [33, 'unmasked', 2, { uartMask: store(virtMap.uart.base + 0x38, 0) }, 0xb900_0022, '0x0'],
  ] as const)(
    'names the write to the source of INTID %i that closed "%s" (GICv%s)',
    async (intid, gate, gic, step, word, value) => {
      const { machine } = await booted(interruptGuest(gic, { ...step, unmask: [] }), { gic })
      const monitor = new Monitor(machine, control)
      monitor.execute('track on')
      machine.run(2000)
      const answer = monitor.execute(`why ${intid}`)
      const found = new RegExp(`^  ${gate}: last written by CPU 0 at (0x4008[0-9a-f]{4}), .*: ${value}$`, 'm').exec(
        answer,
      )
      expect(found, answer).not.toBeNull()
      // It is that very instruction.
      expect(monitor.execute(`xp/x ${found![1]}`)).toContain(word.toString(16))
    },
  )

  it('listens to devices and timers no longer than it is asked to', async () => {
    const { machine } = await booted(interruptGuest(2))
    const monitor = new Monitor(machine, control)
    expect(machine.bus.observer).toBeUndefined()
    monitor.execute('track on')
    expect(machine.bus.observer).toBeDefined()
    monitor.execute('track on')
    monitor.execute('track off')
    expect(machine.bus.observer).toBeUndefined()
  })

  it('counts how often an interrupt was taken', async () => {
    // LDR W2, [X1, #12] with X1 = GICC: GICC_IAR, once.
    const { machine } = await booted(interruptGuest(2, { unmask: [0xd2a1_0021, 0xb940_0c22] }))
    const monitor = new Monitor(machine, control)
    expect(monitor.execute('info irq')).toMatch(/^'track on'.* counts/m)
    monitor.execute('track on')
    expect(monitor.execute('info irq')).not.toContain('track on')
    machine.run(2000)
    expect(monitor.execute('info irq')).toMatch(/^INTID .* taken/)
    expect(monitor.execute('info irq')).toMatch(/^27 .* active +1( |$)/m)
  })
})
