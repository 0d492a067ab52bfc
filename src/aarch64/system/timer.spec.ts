/** The generic timer and machine time: counters, conditions, outputs and deadlines, to the instruction (DDI 0487 D11). */
import { beforeEach, describe, expect, it } from 'vitest'
import { CODE, TestMachine, VECTORS } from '../testing/machine.ts'

const NOP = 0xd503201f
const MRS_CNTVCT = 0xd53be040 // mrs x0, cntvct_el0
const MSR_CNTV_CVAL = 0xd51be340 // msr cntv_cval_el0, x0
const MSR_CNTV_CTL = 0xd51be321 // msr cntv_ctl_el0, x1
const MRS_CNTV_CTL = 0xd53be322 // mrs x2, cntv_ctl_el0
const MRS_CNTP_TVAL = 0xd53be201 // mrs x1, cntp_tval_el0
const MSR_CNTP_TVAL = 0xd51be201 // msr cntp_tval_el0, x1
const LOOP = 0x14000000 // b .

let m: TestMachine
beforeEach(() => {
  m ??= new TestMachine({ instructionsPerTick: 10 })
  m.cluster.setIrq(0, false)
  m.cluster.start(0, BigInt(CODE), 0n)
  m.setSystem('VBAR_EL1', BigInt(VECTORS))
  m.cluster.setTime(0, 0)
  m.timerEvents.length = 0
})

describe('the counter', () => {
  it('is machine time divided by the instructions of a tick, and moves within a run', () => {
    m.program([...Array.from({ length: 25 }, () => NOP), MRS_CNTVCT, LOOP])
    m.run(25)
    expect(m.cluster.time(0)).toBe(25)
    m.run(1)
    expect(m.x(0)).toBe(2n)
    m.cluster.setTime(0, 12_345_670)
    m.program([MRS_CNTVCT])
    m.run(1)
    expect(m.x(0)).toBe(1_234_567n)
    expect(m.cluster.time(0)).toBe(12_345_671)
  })

  it('is 62.5 MHz in CNTFRQ_EL0 unless configured', () => {
    expect(m.system('CNTFRQ_EL0')).toBe(62_500_000n)
  })

  it('traps at EL0 until CNTKCTL_EL1.EL0VCTEN lets it through', () => {
    m.program([MRS_CNTVCT])
    m.mode(0, 0)
    m.run(1)
    expect(m.syndrome().ec).toBe(0x18)
    m.setSystem('CNTKCTL_EL1', 2n)
    m.program([MRS_CNTVCT, LOOP])
    m.mode(0, 0)
    m.cluster.setTime(0, 500)
    m.run(1)
    expect(m.x(0)).toBe(50n)
  })
})

describe('a read of the counter that takes time', () => {
  const MRS_CNTPCT = 0xd53be023 // mrs x3, cntpct_el0
  const timed = () => {
    const machine = new TestMachine({ instructionsPerTick: 10, counterReadTime: 40 })
    machine.cluster.setTime(0, 0)
    return machine
  }

  it('lets so much machine time pass behind the value it gives, and is one instruction', () => {
    const slow = timed()
    slow.program([MRS_CNTVCT, MRS_CNTPCT, NOP, MRS_CNTVCT, LOOP])
    const before = slow.cluster.retired(0)
    slow.run(130)
    // Ticks of 10: read at 1, at 42, and after a NOP at 84.
    expect([slow.x(3), slow.x(0)]).toEqual([4n, 8n])
    expect(slow.cluster.time(0)).toBe(130)
    expect(slow.cluster.retired(0) - before).toBe(130 - 3 * 40)
  })

  it('ends a run, and raises a timer, not later than its own time', () => {
    const slow = timed()
    slow.setX(0, 20)
    slow.setX(1, 1)
    // Waits for the counter: B back to the MRS.
    slow.program([MSR_CNTV_CVAL, MSR_CNTV_CTL, MRS_CNTVCT, 0x17ffffff])
    expect(slow.run(190)).toBe('budget')
    expect(slow.cluster.time(0)).toBeGreaterThanOrEqual(190)
    expect(slow.cluster.time(0)).toBeLessThan(190 + 41)
    expect(slow.timerEvents.length).toBe(slow.cluster.time(0) >= 200 ? 1 : 0)
    slow.run(60)
    expect(slow.timerEvents).toEqual(['cpu 0 virtual high'])
  })

  it('takes none for a debugger', () => {
    const slow = timed()
    slow.system('CNTVCT_EL0')
    expect(slow.cluster.time(0)).toBe(0)
  })
})

describe('CNTKCTL_EL1', () => {
  it.each([
    ['CNTPCT_EL0', 0xd53be020, [0]],
    ['CNTVCT_EL0', 0xd53be040, [1]],
    ['CNTFRQ_EL0', 0xd53be000, [0, 1]],
    ['CNTP_TVAL_EL0', 0xd53be200, [9]],
    ['CNTP_CTL_EL0', 0xd53be220, [9]],
    ['CNTP_CVAL_EL0', 0xd53be240, [9]],
    ['CNTV_TVAL_EL0', 0xd53be300, [8]],
    ['CNTV_CTL_EL0', 0xd53be320, [8]],
    ['CNTV_CVAL_EL0', 0xd53be340, [8]],
  ])(
    'lets EL0 read %s by its own bit alone (EL0PCTEN 0, EL0VCTEN 1, EL0VTEN 8, EL0PTEN 9), and traps it else',
    (_name, mrs, bits) => {
      for (let bit = 0; bit < 10; bit++) {
        m.setSystem('CNTKCTL_EL1', 1n << BigInt(bit))
        m.setSystem('ESR_EL1', 0n)
        m.program([mrs])
        m.mode(0, 0)
        m.run(1)
        expect(m.syndrome().ec, `bit ${bit}`).toBe(bits.includes(bit) ? 0 : 0x18)
        expect(m.cluster.pc(0) === BigInt(CODE + 4), `bit ${bit}`).toBe(bits.includes(bit))
      }
    },
  )
})

describe('a timer', () => {
  it('raises its output at the very instruction at which the counter reaches CVAL', () => {
    m.setX(0, 10)
    m.setX(1, 1)
    m.program([MSR_CNTV_CVAL, MSR_CNTV_CTL, LOOP])
    m.run(99)
    expect(m.timerEvents).toEqual([])
    m.run(1)
    expect(m.timerEvents).toEqual(['cpu 0 virtual high'])
    expect(m.cluster.time(0)).toBe(100)
  })

  it('stops a long run at its deadline, so that the interrupt is taken there', () => {
    const hooked = new TestMachine(
      { instructionsPerTick: 10 },
      { timerOutput: (cpu, _timer, level) => hooked.cluster.setIrq(cpu, level) },
    )
    hooked.program([LOOP], VECTORS + 0x280)
    hooked.setX(0, 100)
    hooked.setX(1, 1)
    hooked.program([0xd50342ff, MSR_CNTV_CVAL, MSR_CNTV_CTL, LOOP]) // msr daifclr, #2 first
    hooked.run(100_000)
    expect(hooked.system('ELR_EL1')).toBe(BigInt(CODE + 12))
    expect(hooked.cluster.pc(0)).toBe(BigInt(VECTORS + 0x280))
    expect(hooked.cluster.retired(0)).toBe(100_000)
  })

  it('has ISTATUS whether masked or not, and no output while masked or off', () => {
    m.setX(0, 0)
    m.setX(1, 3)
    m.program([MSR_CNTV_CVAL, MSR_CNTV_CTL, MRS_CNTV_CTL])
    m.run(3)
    expect(m.x(2)).toBe(7n)
    expect(m.timerEvents).toEqual([])
    m.setX(1, 1)
    m.program([MSR_CNTV_CTL, MRS_CNTV_CTL])
    m.run(2)
    expect(m.x(2)).toBe(5n)
    m.setX(1, 0)
    m.program([MSR_CNTV_CTL, MRS_CNTV_CTL])
    m.run(2)
    expect(m.x(2)).toBe(0n)
    expect(m.timerEvents).toEqual(['cpu 0 virtual high', 'cpu 0 virtual low'])
  })

  it('takes TVAL as signed 32 bits from now, and counts it down below zero', () => {
    m.cluster.setTime(0, 1000)
    m.setX(1, 0xffffffffn)
    m.program([MSR_CNTP_TVAL, MRS_CNTP_TVAL])
    m.run(2)
    expect(m.system('CNTP_CVAL_EL0')).toBe(99n)
    expect(m.x(1)).toBe(0xffffffffn)
    m.cluster.setTime(0, 2000)
    expect(m.system('CNTP_TVAL_EL0')).toBe(BigInt.asUintN(32, -101n))
  })

  it('tells the embedder its deadline, and follows when time is skipped to it', () => {
    m.setX(0, 5000)
    m.setX(1, 1)
    m.program([MSR_CNTV_CVAL, MSR_CNTV_CTL, 0xd503207f]) // wfi
    expect(m.run(1000)).toBe('wfi')
    expect(m.cluster.timerDeadline(0)).toBe(50_000)
    m.cluster.setTime(0, 50_000)
    expect(m.timerEvents).toEqual(['cpu 0 virtual high'])
    expect(m.cluster.timerDeadline(0)).toBe(Number.POSITIVE_INFINITY)
  })

  it('keeps quiet with a compare value that is 2^64 - 1', () => {
    m.setX(0, -1n)
    m.setX(1, 1)
    m.program([MSR_CNTV_CVAL, MSR_CNTV_CTL, LOOP])
    expect(m.run(1000)).toBe('budget')
    expect(m.timerEvents).toEqual([])
  })
})

describe('the event stream (D11.2.4)', () => {
  it('comes at transitions of the chosen counter bit, in the chosen direction', () => {
    expect(m.cluster.eventDeadline(0)).toBe(Number.POSITIVE_INFINITY)
    // EVNTI 3, EVNTDIR 0 (0 to 1), EVNTEN: the counter at 8, 24, 40, ...
    m.setSystem('CNTKCTL_EL1', (3n << 4n) | 4n)
    m.cluster.setTime(0, 0)
    expect(m.cluster.eventDeadline(0)).toBe(80)
    m.cluster.setTime(0, 80)
    expect(m.cluster.eventDeadline(0)).toBe(240)
    // EVNTDIR 1 (1 to 0): 16, 32, ...
    m.setSystem('CNTKCTL_EL1', (3n << 4n) | 12n)
    expect(m.cluster.eventDeadline(0)).toBe(160)
  })
})
