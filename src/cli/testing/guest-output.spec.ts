/** That what the guests' tests read is what Linux printed; in particular that its complaints are seen. */

import { describe, expect, it } from 'vitest'
import { complaints, ProcInterrupts, section, taken } from './guest-output.ts'

const full = `
== first
           CPU0       CPU1       CPU2
 11:        282        275        202 GIC-0  27 Level     arch_timer
 13:          1          0          4 GIC-0  33 Level     uart-pl011
IPI0:        62         74         73       Rescheduling interrupts
Err:          0
== second
           CPU0       CPU2
 11:        290        275 GIC-0  27 Level     arch_timer
 13:          9          4 GIC-0  33 Level     uart-pl011
`

describe('what the tests of guests read', () => {
  it('gives a section without its neighbours, and throws where there is none', () => {
    expect(section(full, 'second')).toMatch(/^ +CPU0 +CPU2\n/)
    expect(section(full, 'first')).toMatch(/Err: +0\n$/)
    expect(() => section(full, 'third')).toThrow(/'third'/)
  })

  it('puts counts under the CPUs of the head line, whatever CPU is offline', () => {
    const first = new ProcInterrupts(section(full, 'first'))
    const second = new ProcInterrupts(section(full, 'second'))
    expect(second.cpus).toEqual([0, 2])
    expect(first.counts('IPI0')).toEqual([62, 74, 73])
    expect(first.what('uart-pl011')).toBe('GIC-0 33 Level uart-pl011')
    expect(taken('uart-pl011', first, second)).toEqual([8, 0, 0])
    expect(() => first.counts('rtc')).toThrow(/'rtc'/)
  })

  it.each([
    'WARNING: CPU: 1 PID: 20 at kernel/rcu/tree.c:2500',
    'BUG: spinlock bad magic on CPU#0',
    'rcu: INFO: rcu_sched detected stalls on CPUs/tasks:',
    'irq 13: nobody cared (try booting with the "irqpoll" option)',
    'CPU3: failed to come online',
    'psci: CPU2 may not have shut down cleanly (AFFINITY_INFO reports 0)',
    'unexpected IRQ trap at vector 22',
    'watchdog: BUG: soft lockup - CPU#0 stuck for 22s!',
  ])('takes for a complaint of the kernel: %s', (text) => {
    expect(complaints(`[    0.1] ok\n[   12.345678] ${text}\n`)).toEqual([`[   12.345678] ${text}`])
  })

  it('takes neither what else the kernel says nor what a program prints for one', () => {
    const log = '[    0.01] DMI not present or invalid.\n[    4.20] Suspending (use no_console_suspend to debug)\n'
    expect(complaints(`${log}echo WARNING\n`)).toEqual([])
  })
})
