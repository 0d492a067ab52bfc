/** Each of the commonest causes for an interrupt that does not come, made by a guest that closes one gate: the sentence names it. */

import { describe, expect, it } from 'vitest'
import { maskedStatus } from '../../mmio/index.ts'
import { virtMap, virtSpi } from '../board/virt-map.ts'
import { a64, booted, words } from '../testing/guest.ts'
import { interruptGuest, msr, register, type Step, store, VECTORS } from '../testing/interrupt-guest.ts'

const { gicd, uart, rtc, gpio, virtio } = virtMap

type Changed = Partial<Record<Step, readonly number[]>>

async function run(gic: 2 | 3, changed: Changed, cpus = 1) {
  const { machine } = await booted(interruptGuest(gic, changed), { gic, cpus })
  machine.run(5000)
  return machine
}

const IRQ_VECTOR = BigInt(VECTORS + 0x280)

describe.each([2, 3] as const)('why, on the machine with a GICv%i', (gic) => {
  it('has a guest whose timer interrupt is taken, so that each gate below is what stops it', async () => {
    const machine = await run(gic, {})
    expect(machine.cluster.pc(0)).toBe(IRQ_VECTOR)
    expect(machine.explain(27, 0).mend.map(({ gate }) => gate)).toEqual(['unmasked by the PE'])
  })

  const off = [] as const
  const timer = (control: number) => msr(register.CNTV_CTL_EL0, control)
  const compare = (value: bigint) => msr(register.CNTV_CVAL_EL0, value)
  const causes: readonly [what: string, changed: Changed, field: string, sentence: RegExp][] = [
    [
      'the timer is off (DDI 0487 D11.2.4)',
      { timer: off },
      'CNTV_CTL_EL0.ENABLE',
      /the timer is off\. Set CNTV_CTL_EL0/,
    ],
    ['the timer is masked', { timer: timer(3) }, 'CNTV_CTL_EL0.IMASK', /Clear CNTV_CTL_EL0\.IMASK/],
    ['the time is 3.2 s away at 62.5 MHz', { compare: compare(200_000_000n) }, 'CNTV_CTL_EL0.ISTATUS', /due in 3\.2 s/],
    ['the time never comes', { compare: compare(2n ** 64n - 1n) }, 'CNTV_CTL_EL0.ISTATUS', /due never/],
    [
      'PSTATE.I is set',
      { unmask: off },
      'PSTATE.I',
      /is signalled to CPU 0 as IRQ, but the CPU does not take it: .*PSTATE\.I = 1/,
    ],
    ['the CPU sleeps with PSTATE.I set', { timer: off, unmask: [a64.wfi] }, 'CNTV_CTL_EL0.ENABLE', /the timer is off/],
    ['VBAR_EL1 was never set', { vectors: off, unmask: off }, 'VBAR_EL1', /holds zeros.*VBAR_EL1 was never set/],
    [
      'VBAR_EL1 is where no memory is',
      { vectors: msr(register.VBAR_EL1, 0x3000_0000), unmask: off },
      'VBAR_EL1',
      /0x30000280, is physical address 0x30000280, where there is no memory/,
    ],
    ['the Distributor is off', { distributor: off }, 'GICD_CTLR', /GICD_CTLR/],
    ['the interrupt is disabled', { enable27: off }, 'ISENABLER0', /ISENABLER0/],
    ['the priority mask is 0', { priorityMask: off }, 'PMR', /PMR/],
  ]
  it.each(causes)('names the gate first when %s', async (_, changed, field, sentence) => {
    const { mend, summary } = (await run(gic, changed)).explain(27, 0)
    expect(`${mend[0]!.register}.${mend[0]!.field}`).toContain(field)
    expect(summary).toMatch(sentence)
    expect(summary).toMatch(/^PPI 27 \(virtual timer of CPU 0\) is /)
  })

  it('tells a device that has nothing to report from one that may not, for the UART (DDI 0183 3.3.11)', async () => {
    const why = async (changed: Changed) => (await run(gic, { timer: off, ...changed })).explain(33, 0)
    const masked = await why({ uartMask: off })
    expect(masked.summary).toMatch(
      /^SPI 33 \(UART\) is not signalled to CPU 0: every interrupt of the device is masked/,
    )
    const quiet = await why({ uartMask: store(uart.base + 0x38, 0x10) })
    expect(quiet.summary).toMatch(/the device has nothing to report/)
    // A character sent raises TX while only RX is let through.
    const other = await why({ uartMask: [...store(uart.base + 0x38, 0x10), ...store(uart.base, 0x41)] })
    expect(other.summary).toMatch(/the mask lets only RX pass\. Set the bit of TX in UARTIMSC/)
  })

  it.each([
    [
      'RTC',
      34,
      [store(rtc.base + 0x10, 1), store(rtc.base + 0x04, 500)].flat(),
      /RTCMR is 500 and RTCDR 0: the alarm is due in 500 s/,
    ],
    ['RTC', 34, [], /RTCIMSC/],
    ['GPIO', 39, store(gpio.base + 0x410, 8), /the device has nothing to report/],
    ['GPIO', 39, store(gpio.base + 0x404, 0x08), /masked.*GPIOIE/],
    ['virtio rng', 79, [], /the driver has not said that it is up\. Set DRIVER_OK in Status/],
    ['virtio rng', 79, store(virtio.base + 31 * 0x200 + 0x70, 7), /0 of 1 queues are in use/],
    ['empty virtio slot', 48, [], /the slot is empty/],
  ] as const)('follows the wire out to the %s of INTID %i (%#)', async (name, intid, last, sentence) => {
    const enabled = [0xff, 0xff].flatMap((_, i) => store(gicd.base + 0x104 + 4 * i, -1))
    const { summary, gates } = (await run(gic, { timer: off, last: [...enabled, ...last] })).explain(intid, 0)
    expect(summary).toContain(`(${name})`)
    expect(`${summary}\n${gates.map(({ says, remedy }) => `${says} ${remedy}`).join('\n')}`).toMatch(sentence)
  })

  it('says of a CPU that is off how to switch it on, and why that was refused (DEN 0022 5.6)', async () => {
    const off1 = await run(gic, {}, 2)
    expect(off1.explain(27, 1).summary).toMatch(/CPU 1 is powered off\. Call PSCI CPU_ON .* X1 = 0x1 /)
    const call = [a64.movz(0, 3), a64.movk(0, 0xc400, 1), a64.movz(1, 1), a64.movz(2, 2), a64.hvc]
    const refused = await run(gic, { last: call }, 2)
    expect(refused.explain(27, 1).summary).toMatch(/The last CPU_ON for it was refused: INVALID_ADDRESS/)
  })

  it("asks a device of the embedder's own for its gates, and names it", async () => {
    const dial = {
      name: 'dial',
      attach: () => ({
        wire: () => [],
        interruptGates: () =>
          maskedStatus(
            { register: 'DIAL_RAW', value: 4 },
            { register: 'DIAL_MASK', value: 1 },
            { turned: 4, pressed: 1 },
          ),
      }),
    }
    const { machine } = await booted(interruptGuest(gic, { timer: off }), { gic, devices: [dial] })
    machine.run(5000)
    const intid = 32 + virtSpi.platform
    expect(
      machine
        .explain(intid, 0)
        .gates.slice(0, 2)
        .map(({ says }) => says),
    ).toEqual(['the device reports turned.', 'the mask lets only pressed pass.'])
    expect(machine.explain(intid, 0).summary).toMatch(/\(dial\)/)
  })

  it('counts a source for nothing while software keeps the interrupt pending (GICD_ISPENDR)', async () => {
    const machine = await run(gic, { timer: off, last: store(gicd.base + 0x204, 2), unmask: off })
    expect(machine.explain(33, 0).mend.map(({ gate }) => gate)).toEqual(['unmasked by the PE'])
  })
})

describe('a CPU that takes the same exception for ever', () => {
  const loopOf = async (...code: number[]) => {
    const { machine } = await booted(words(...code))
    const said: string[] = []
    machine.onEvent = (event) => event.kind === 'exception-loop' && said.push(`${event.says} ${event.remedy}`)
    machine.run(20_000)
    machine.run(20_000)
    return { machine, said }
  }

  it('is said once, with its syndrome and what came before, of bytes that are no kernel (DDI 0487 D17.2.37: EC 0)', async () => {
    const { machine, said } = await loopOf(0xdead_0000, a64.loop)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(
      /^CPU 0 takes the same exception at the same PC again and again, [0-9,]+ times so far: an undefined instruction at 0x200 \(ESR_EL1 = 0x2000000\)/,
    )
    expect(said[0]).toMatch(/Before that came an undefined instruction at 0x40080000\. VBAR_EL1 is 0/)
    expect(machine.explain(27, 0).summary).toMatch(/^PPI 27 .*: CPU 0 takes the same exception/)
  })

  it('is said of vectors that are not there: an abort on fetching the handler (IFSC 0x10)', async () => {
    const { said } = await loopOf(...msr(register.VBAR_EL1, 0x3000_0000), 0xdead_0000)
    expect(said[0]).toMatch(
      /an Instruction Abort \(synchronous external abort.*at 0x30000200.*The handler itself, at VBAR_EL1 = 0x30000000/,
    )
  })

  it('is not said of calls that are answered: SVC in a loop', async () => {
    // ERET at the vector of EL1 with SP_ELx; the loop is SVC #0, B .-4.
    const code = [...msr(register.VBAR_EL1, 0x4008_0800), 0xd400_0001, 0x17ff_ffff]
    const padding = Array.from({ length: 0x280 - code.length }, () => 0xd503_201f)
    const { said, machine } = await loopOf(...code, ...padding, 0xd69f_03e0)
    expect(machine.cluster.exceptionRow(0).link).toBeGreaterThan(0x4008_0000n)
    expect(said).toEqual([])
  })
})
