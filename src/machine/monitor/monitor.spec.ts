/** The monitor's answers about a machine in which a guest has left interrupts behind. No terminal is involved. */

import { beforeAll, describe, expect, it } from 'vitest'
import { a64, booted, runDemo, words } from '../testing/guest.ts'
import type { VirtMachine } from '../virt.ts'
import { Monitor } from './monitor.ts'

function monitorOf(machine: VirtMachine) {
  const said: string[] = []
  const control = { paused: false, quit: () => said.push('quit'), ended: (reason: string) => said.push(reason) }
  return { monitor: new Monitor(machine, control), control, said }
}

describe.each([2, 3] as const)("the monitor of the bundled guest's machine with a GICv%i", (gic) => {
  let machine: VirtMachine
  beforeAll(async () => {
    machine = (await runDemo({ gic, cpus: 2 })).machine
  })
  const ask = (line: string) => monitorOf(machine).monitor.execute(line)

  it('lists what is enabled, pending or active, and nothing else', () => {
    const lines = ask('info irq').split('\n')
    const of = (intid: number) => lines.filter((line) => line.startsWith(`${intid} `))
    expect(of(27)).toHaveLength(2)
    expect(of(33)[0]).toMatch(/SPI 33 .* 0xa0 +enabled$/)
    expect(of(44)[0]).toMatch(/SPI 44 .* pending$/)
    expect(of(45)[0]).toMatch(/0xf0 +enabled pending$/)
    expect(of(46)[0]).toMatch(/enabled pending$/)
    expect(of(47)).toEqual([])
  })

  it('says why each stuck interrupt is stuck: disabled, masked, and nowhere to go', () => {
    expect(ask('why 44')).toMatch(/^SPI 44 is not signalled to CPU 0[\s\S]*CLOSED enabled/)
    expect(ask('why 45 0')).toMatch(/CLOSED priority mask/)
    expect(ask('why 46')).toMatch(gic === 2 ? /CLOSED targeted/ : /CLOSED group/)
  })

  it('shows registers, CPUs and the map of addresses', () => {
    expect(ask('info registers 1')).toMatch(/x0 0x[0-9a-f]{16}[\s\S]*SCTLR_EL1/)
    expect(ask('info cpus')).toMatch(/\n1 +(?:waits|runs)/)
    expect(ask('info mtree')).toMatch(/0x0000000040000000-00000000407fffff +RAM/)
    expect(ask('info mtree')).toMatch(/0x0000000009000000-0000000009000fff/)
  })

  it('reads memory in formats, and says where there is none', () => {
    // The Image's magic number (Documentation/arch/arm64/booting), 56 bytes into it.
    expect(ask('xp /1xw 0x40200038')).toBe('0x0000000040200038: 0x644d5241')
    expect(ask('x/3c 0x40200038')).toBe("0x0000000040200038: 'A' 'R' 'M'")
    expect(ask('x /1i 0x40200000 1')).toMatch(/^0x0000000040200000: b /)
    expect(ask('xp /2xw 0x8800000')).toBe('0x0000000008800000: not memory')
    expect(ask('xp 0x9000002')).toContain('not memory')
    expect(ask('xp 0xffffffffffffffff')).toContain('not memory')
  })

  it('shows registers of devices and of the GIC without an effect: the part number of the PL011 (DDI 0183 3.3.16)', () => {
    expect(ask('xp /2xw 0x9000fe0')).toBe('0x0000000009000fe0: 0x00000011 0x00000010')
    expect(ask('info device 0x9000030')).toMatch(/^PL011 at 0x09000000\n/)
    expect(ask('info device pl011')).toMatch(/^0x0038 +UARTIMSC +0x[0-9a-f]{8}/m)
    expect(ask('info device')).toMatch(/^0x08000000 +GICD /m)
    expect(ask('info gic 1')).toMatch(gic === 2 ? /^0x0004 +GICC_PMR +0x000000/m : /^ICC_PMR_EL1 +0x000000/m)
    // Acknowledge registers are read by peek: SPI 44 is as pending as before.
    const before = machine.gic.snapshot()
    for (const line of ['info gic', 'info device GICD', 'info timer', 'xp /8xw 0x8010000']) ask(line)
    expect(machine.gic.snapshot()).toEqual(before)
  })

  it('says of each timer whether it is on, and when it is due', () => {
    expect(ask('info timer 1')).toMatch(/^virtual timer of CPU 1: its line is (low|high)\n +CNTV_CTL_EL0\.ENABLE/)
    expect(ask('info timer').match(/^(virtual|physical) timer of CPU [01]/gm)).toHaveLength(4)
  })

  it('completes words of commands and names of devices', () => {
    const { monitor } = monitorOf(machine)
    expect(monitor.complete('wh')).toEqual(['why'])
    expect(monitor.complete('info g')).toEqual(['gic'])
    expect(monitor.complete('info device PL0')).toEqual(['PL011', 'PL031', 'PL061'])
    expect(monitor.complete('nonsense ')).toEqual([])
    expect(monitor.complete('help why')).toEqual(['why'])
  })

  it('has a line of help for each command, and breaks lines at 80 columns where it is asked to', () => {
    expect(ask('help why')).toMatch(/^why INTID \[CPU\] \| DEVICE:EVENT +why /)
    expect(ask('help frob')).toContain('is no command')
    const control = { paused: false, quit: () => {}, ended: () => {} }
    const narrow = new Monitor(machine, control, { columns: 80 })
    for (const line of ['help', 'why 44', 'why 27 1', 'info gic', 'info device'])
      expect(
        Math.max(
          ...narrow
            .execute(line)
            .split('\n')
            .map(({ length }) => length),
        ),
      ).toBeLessThanOrEqual(80)
    expect(narrow.execute('why 44').replace(/\s+/g, ' ')).toBe(ask('why 44').replace(/\s+/g, ' '))
  })

  it('takes registers and sums for an address, as QEMU and debuggers do', () => {
    const pc = machine.cluster.pc(1)
    const word = (text: string) => text.split(': ')[1]
    expect(ask('x/i $pc 1')).toMatch(new RegExp(`^0x0{8}${pc.toString(16)}: `))
    expect(word(ask('x/2xw $pc-4 1'))).toBe(
      `${word(ask(`x/xw ${pc - 4n} 1`))} ${word(ask(`x/xw 0x${pc.toString(16)} 1`))}`,
    )
    expect(ask('xp/xw 0x40000000+0x200038')).toBe('0x0000000040200038: 0x644d5241')
    expect(ask('xp/1ob 0x40200038')).toBe('0x0000000040200038: 0101')
    expect(ask(`x $sp`)).toContain(machine.cluster.register(0, 31).toString(16))
  })

  it('shows the registers of all CPUs for -a', () => {
    expect(ask('info registers -a').match(/^CPU [01]$/gm)).toEqual(['CPU 0', 'CPU 1'])
  })

  it.each([
    ['x $x31', 'is no address'],
    ['x $pc+', 'is no address'],
    ['x --1', 'is no address'],
    ['frob', "'frob' is no command"],
    ['info frob', "'info frob' is no command"],
    ['info', 'info of what? irq, '],
    ['constructor', 'is no command'],
    ['why', 'INTID is missing; usage: why INTID [CPU]'],
    ['why x', 'not'],
    ['why 5000', 'there is no INTID 5000'],
    ['why 27 2', 'there is no CPU 2: 0 to 1'],
    ['info registers 9', 'there is no CPU 9'],
    ['x', 'where?'],
    ['x /4q 0', 'is no format'],
    ['x /99999999x 0', 'items'],
    ['x zz', 'is no address'],
    ['step 0', 'steps are 1 to'],
    ['step 99999999', 'steps are 1 to'],
    ['\u001b[31m', 'is no command'],
  ])('answers %j with a line that says what is wrong', (line, reason) => {
    const answer = ask(line)
    expect(answer).toContain(reason)
    expect(answer).toMatch(/^[\x20-\x7e]+$/)
  })

  it('answers nothing to an empty line, and every command to help', () => {
    expect(ask('  ')).toBe('')
    for (const word of ['why', 'info irq', 'step', 'quit']) expect(ask('help')).toContain(word)
  })
})

describe('the monitor of a machine with one CPU and a GICv2', () => {
  it('says of an SPI that it goes to that CPU: GICD_ITARGETSR is RAZ/WI (IHI 0048 4.3.12)', async () => {
    const { machine } = await runDemo({ gic: 2, cpus: 1 })
    const { monitor } = monitorOf(machine)
    expect(monitor.execute('info irq')).toMatch(/^33 +SPI 33 +CPU 0 /m)
    expect(monitor.execute('info irq')).not.toContain('nobody')
    expect(monitor.execute('info its')).toBe('this machine has no ITS')
    expect(monitor.execute('why 0x10:1')).toContain('this machine has no ITS')
  })
})

describe('the monitor of a machine with an ITS', () => {
  it('follows a message by DeviceID and EventID into the PE, or to where it is lost (IHI 0069 5.2)', async () => {
    const { machine } = await runDemo({ gic: 3, its: true, cpus: 2 })
    const { monitor } = monitorOf(machine)
    expect(monitor.execute('why 0x999:1')).toMatch(/^EventID 0x1 of DeviceID 0x999 reaches no PE: .*not mapped/)
    expect(monitor.execute('why 0:0')).toMatch(
      / is LPI 8192 on PE 0\.\n[\s\S]*\nLPI 8192 is not signalled to CPU 0: [\s\S]* PE on /,
    )
    expect(monitor.execute('why 1:2:3')).toContain('is no DEVICE:EVENT')
    expect(monitor.execute('why :1')).toContain('usage: why')
    expect(monitor.execute('info its')).toMatch(/GITS_CTLR +0x80000001 +Quiescent 1, Enabled 1/)
  })

  it('lists an LPI that is enabled, and says by which message it comes (IHI 0069 5.1)', async () => {
    const { machine } = await runDemo({ gic: 3, its: true, cpus: 2 })
    const { monitor } = monitorOf(machine)
    expect(monitor.execute('info irq')).toMatch(/^8192 +LPI 8192 +its message +0xa0 +enabled$/m)
    expect(monitor.execute('why 8192')).toMatch(/^LPI 8192 is not signalled[\s\S]*open +enabled/)
  })
})

describe('the monitor of a machine that stands still', () => {
  const { movz, hvc, loop } = a64

  it('steps one instruction at a time, and shows the next', async () => {
    const { machine } = await booted(words(movz(0, 7), movz(1, 8), loop))
    const { monitor, control } = monitorOf(machine)
    expect(monitor.execute('stop')).toBe('the machine stands still')
    expect(control.paused).toBe(true)
    const entry = machine.cluster.pc(0)
    expect(monitor.execute('step')).toMatch(/mov/)
    expect(machine.cluster.pc(0)).toBe(entry + 4n)
    expect(machine.cluster.register(0, 0)).toBe(7n)
    monitor.execute('step 5')
    expect(machine.cluster.pc(0)).toBe(entry + 8n)
    expect(machine.instructions).toBe(6)
    expect(monitor.execute('cont')).toBe('the machine runs')
    expect(control.paused).toBe(false)
  })

  it('tells whoever runs the machine that a step switched it off (DEN 0022: SYSTEM_OFF)', async () => {
    const { machine } = await booted(words(movz(0, 8), a64.movk(0, 0x8400, 1), hvc, loop))
    const { monitor, said } = monitorOf(machine)
    monitor.execute('step 3')
    expect(said).toEqual(['off'])
    monitor.execute('quit')
    expect(said).toEqual(['off', 'quit'])
  })
})
