/**
 * On the machine: situations in which an interrupt does not come, most of them from reports of people who had them, and what must
 * be said first. The expectations are from the manuals (DDI 0487, DDI 0183, DDI 0224, DEN 0022), none is our own output.
 */

import { describe, expect, it } from 'vitest'
import { virtMap } from '../board/virt-map.ts'
import { Monitor } from '../monitor/monitor.ts'
import { a64, booted } from '../testing/guest.ts'
import { interruptGuest, msr, register, type Step, store, VECTORS } from '../testing/interrupt-guest.ts'

const { gicd, gicr, uart, rtc } = virtMap
const PMCR_EL0 = [3, 3, 9, 12, 0] as const
const PMCNTENSET_EL0 = [3, 3, 9, 12, 1] as const
const PMINTENSET_EL1 = [3, 0, 9, 14, 1] as const
const PMCCNTR_EL0 = [3, 3, 9, 13, 0] as const
const ICC_IGRPEN0_EL1 = [3, 0, 12, 12, 6] as const
const { CNTV_CTL_EL0, CNTV_CVAL_EL0 } = register
const off = [] as const
const IRQ_HANDLER = `0x${(VECTORS + 0x280).toString(16)}`

interface Case {
  readonly what: string
  readonly gic: 2 | 3
  readonly wrong: Partial<Record<Step, readonly number[]>>
  readonly cpus?: number
  /** Of the monitor, whose first line is the answer. */
  readonly ask: string
  readonly says: RegExp
  readonly not?: RegExp
}

const tx33 = { timer: off, uartMask: [...store(uart.base + 0x38, 0x20), ...store(uart.base, 0x41)] }
const route33 = (cpu: number) => [
  ...store(gicd.base + 0x6000 + 8 * 33, cpu),
  ...store(gicd.base + 0x6000 + 8 * 33 + 4, 0),
]

const cases: readonly Case[] = [
  {
    what: 'the handler is entered and does nothing: PSTATE.I is set because the interrupt was taken (DDI 0487 D1.10)',
    gic: 2,
    wrong: {},
    ask: 'why 27',
    says: new RegExp(
      `CPU 0 took an IRQ at 0x4008[0-9a-f]+ and has not returned since \\(ERET\\): it runs at ${IRQ_HANDLER} .*acknowledges`,
    ),
    not: /DAIFClr/,
  },
  {
    what: 'PSTATE.I was never cleared',
    gic: 3,
    wrong: { unmask: off },
    ask: 'why 27',
    says: /PSTATE\.I = 1: it takes no IRQ\. Clear PSTATE\.I: MSR DAIFClr, #2/,
    not: /handler/,
  },
  {
    what: 'the PPI was left in Group 0 (GICR_IGROUPR0), and software runs on Group 1',
    gic: 3,
    wrong: { group27: off },
    ask: 'why 27',
    says: /it is in Group 0.*Group 1 is enabled: write 0x8000000 to GICR_IGROUPR0 in PE 0's Redistributor to move it there/,
  },
  {
    what: 'Group 0 is on as well, and comes as an FIQ (IHI 0069 4.6.2), which is masked',
    gic: 3,
    wrong: {
      group27: off,
      distributor: store(gicd.base, 0x13),
      last: msr(ICC_IGRPEN0_EL1, 1),
      // MSR DAIFClr, #2: only IRQs.
      unmask: [0xd503_42ff],
    },
    ask: 'why 27',
    says: /signalled to CPU 0 as FIQ.*PSTATE\.F = 1.*It comes as an FIQ because it is in Group 0: in Group 1 it is an IRQ/,
  },
  {
    what: 'the wrong timer PPI: 29 is the Secure one, and there is none on this board',
    gic: 2,
    wrong: { timer: off, enable27: store(gicd.base + 0x100, 1 << 29) },
    ask: 'why 29',
    says: /its line is low, and nothing on this board drives it.*device tree.*a PPI from 16/,
  },
  {
    what: 'a device-tree number taken for an INTID: the UART is SPI 1 there, which is INTID 33, not 1 nor 32',
    gic: 3,
    wrong: tx33,
    ask: 'why 32',
    says: /nothing on this board drives it.*an SPI there counts from 32/,
  },
  {
    what: 'the interrupt of a device goes to CPU 1, which is off: that CPU is asked about when none is named',
    gic: 2,
    wrong: { ...tx33, target33: store(gicd.base + 0x820, 0x0200) },
    cpus: 2,
    ask: 'why 33',
    says: /^SPI 33 \(UART\) is not signalled to CPU 1: CPU 1 is powered off\. Call PSCI CPU_ON/,
  },
  {
    what: 'the same by affinity routing',
    gic: 3,
    wrong: { ...tx33, target33: route33(1) },
    cpus: 2,
    ask: 'why 33',
    says: /not signalled to CPU 1: CPU 1 is powered off/,
  },
  {
    what: 'and CPU 0 is told that it is not the one',
    gic: 3,
    wrong: { ...tx33, target33: route33(1) },
    cpus: 2,
    ask: 'why 33 0',
    says: /it is routed to PE 1/,
  },
  {
    what: 'the route names a cluster that is not there',
    gic: 3,
    wrong: { ...tx33, target33: route33(0x100) },
    cpus: 2,
    ask: 'why 33',
    says: /affinity 0\.0\.1\.0, which no PE has/,
  },
  {
    what: 'the transmit interrupt is awaited before anything was sent (DDI 0183 3.3.9: it follows a transition)',
    gic: 2,
    wrong: { timer: off, uartMask: store(uart.base + 0x38, 0x20) },
    ask: 'why 33',
    says: /TX comes when a character leaves, not because there is room\. Write a character to UARTDR/,
  },
  {
    what: 'the alarm is a second that has been (DDI 0224 3.3: it comes when RTCDR and RTCMR are equal)',
    gic: 2,
    wrong: {
      timer: off,
      last: [
        ...store(gicd.base + 0x104, 1 << 2),
        ...store(rtc.base + 0x10, 1),
        ...store(rtc.base + 0x08, 1000),
        ...store(rtc.base + 0x04, 500),
      ],
    },
    ask: 'why 34',
    says: /RTCMR is 500 and RTCDR 1000: that second is past.*Write a second that is still to come to RTCMR/,
    not: /Wait/,
  },
  {
    what: 'the timer is off, masked and not due: the enable comes first',
    gic: 3,
    wrong: { timer: msr(CNTV_CTL_EL0, 2), compare: msr(CNTV_CVAL_EL0, 2n ** 64n - 1n) },
    ask: 'why 27',
    says: /Set CNTV_CTL_EL0\.ENABLE\. 2 more gates are closed: timer unmasked, timer due/,
  },
  {
    what: 'the compare value is in the far future, as from a negative TVAL taken for unsigned',
    gic: 2,
    wrong: { compare: msr(CNTV_CVAL_EL0, 2n ** 63n) },
    ask: 'why 27',
    says: /due never\. Write a time that comes/,
  },
  {
    what: 'the cycle counter counts, and its overflow was never allowed to interrupt (DDI 0487 PMINTENSET_EL1)',
    gic: 2,
    wrong: {
      timer: off,
      enable27: store(gicd.base + 0x100, 1 << 23),
      last: [...msr(PMCR_EL0, 1), ...msr(PMCNTENSET_EL0, 1n << 31n)],
    },
    ask: 'why 23',
    says: /^PPI 23 \(PMU of CPU 0\) .*no counter may interrupt\. Write the bit of a counter to PMINTENSET_EL1/,
  },
  {
    what: 'the counter may interrupt, and was not told to count (PMCNTENSET_EL0)',
    gic: 3,
    wrong: {
      timer: off,
      enable27: store(gicr.base + 0x1_0100, 1 << 23),
      last: [...msr(PMCR_EL0, 1), ...msr(PMINTENSET_EL1, 1n << 31n)],
    },
    ask: 'why 23',
    says: /the cycle counter does not count\. Write the same bit to PMCNTENSET_EL0/,
  },
  {
    what: 'an overflow is signalled, and PSTATE.I masks it',
    gic: 3,
    wrong: {
      timer: off,
      enable27: store(gicr.base + 0x1_0100, 1 << 23),
      last: [
        ...msr(PMCCNTR_EL0, 2n ** 64n - 8n),
        ...msr(PMINTENSET_EL1, 1n << 31n),
        ...msr(PMCNTENSET_EL0, 1n << 31n),
        // LC: the overflow is that of all 64 bits.
        ...msr(PMCR_EL0, 1 | (1 << 6)),
      ],
      unmask: off,
    },
    ask: 'why 23',
    says: /is signalled to CPU 0 as IRQ, but the CPU does not take it: .*PSTATE\.I = 1/,
  },
  {
    what: 'the vectors are at an address that is not mapped: the CPU takes one abort for ever',
    gic: 3,
    wrong: { vectors: msr(register.VBAR_EL1, 0xffff_0000_0000_0000n) },
    ask: 'why 27',
    says: /takes the same exception at the same PC again and again.*Instruction Abort.*VBAR_EL1 = 0xffff000000000000/,
  },
  {
    what: 'the CPU switched itself off (DEN 0022 CPU_OFF)',
    gic: 2,
    wrong: { last: [a64.movz(0, 2), a64.movk(0, 0x8400, 1), a64.hvc] },
    ask: 'why 27',
    says: /CPU 0 is powered off/,
  },
  {
    what: 'a CPU that sleeps with interrupts masked and none pending: the source, and then the mask',
    gic: 3,
    wrong: { timer: off, unmask: [a64.wfi] },
    ask: 'why 27',
    says: /Set CNTV_CTL_EL0\.ENABLE\. One more gate is closed: unmasked by the PE/,
  },
  {
    what: 'the Redistributor of a CPU that is on sleeps',
    gic: 3,
    wrong: { last: store(gicr.base + 0x14, 2) },
    ask: 'why 27',
    says: /Clear GICR_WAKER\.ProcessorSleep in PE 0's Redistributor/,
  },
]

describe('The monitor names first', () => {
  it.each(cases)('$what', async ({ gic, wrong, cpus = 1, ask, says, not }) => {
    const { machine } = await booted(interruptGuest(gic, wrong), { gic, cpus })
    machine.run(5000)
    const monitor = new Monitor(machine, { paused: true, quit: () => {}, ended: () => {} })
    const before = JSON.stringify([machine.gic.snapshot(), machine.uart.snapshot(), machine.cluster.pc(0).toString()])
    const [first] = monitor.execute(ask).split('\n')
    expect(first).toMatch(says)
    if (not !== undefined) expect(first).not.toMatch(not)
    const after = JSON.stringify([machine.gic.snapshot(), machine.uart.snapshot(), machine.cluster.pc(0).toString()])
    expect(after).toBe(before)
  })
})
