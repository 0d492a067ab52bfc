/** System registers of the generic timer (DDI 0487 D13.8). What they do over time is timer.ts. */
import { type Cpu, SLOT } from '../state/cpu.ts'
import { computed, type SystemRegister, stored, type Verdict } from './system-register.ts'
import type { TimerName } from './timer.ts'

function onTimerControl(bit: number): (cpu: Cpu) => Verdict {
  return (cpu) => (cpu.word(SLOT.CNTKCTL_EL1) & bit ? 'ok' : 'trap')
}

function timerRegisters(timer: TimerName, prefix: string, CRm: number, el0Bit: number): readonly SystemRegister[] {
  const el0 = onTimerControl(el0Bit)
  return [
    computed(
      `${prefix}_TVAL_EL0`,
      [3, 3, 14, CRm, 0],
      (around) => around.timer.value(timer),
      (around, value) => around.timer.setValue(timer, value),
      { el0, timed: true },
    ),
    computed(
      `${prefix}_CTL_EL0`,
      [3, 3, 14, CRm, 1],
      (around) => BigInt(around.timer.control(timer)),
      (around, value) => around.timer.setControl(timer, Number(value & 0xffffffffn)),
      { el0, timed: true },
    ),
    computed(
      `${prefix}_CVAL_EL0`,
      [3, 3, 14, CRm, 2],
      (around) => around.timer.compare(timer),
      (around, value) => around.timer.setCompare(timer, value),
      { el0 },
    ),
  ]
}

/** CNTKCTL_EL1.EL0PCTEN, EL0VCTEN, EL0VTEN, EL0PTEN. */
const EL0PCTEN = 1
const EL0VCTEN = 2
const EL0VTEN = 1 << 8
const EL0PTEN = 1 << 9

export const timers: readonly SystemRegister[] = [
  stored('CNTKCTL_EL1', [3, 0, 14, 1, 0], { slot: SLOT.CNTKCTL_EL1, mask: 0x3ffn }),
  // Writable at the highest implemented Exception level, which is EL1; only a number for software to read.
  stored('CNTFRQ_EL0', [3, 3, 14, 0, 0], {
    mask: 0xffffffffn,
    el0: (cpu, write) => (write ? 'undefined' : cpu.word(SLOT.CNTKCTL_EL1) & (EL0PCTEN | EL0VCTEN) ? 'ok' : 'trap'),
  }),
  computed('CNTPCT_EL0', [3, 3, 14, 0, 1], ({ timer }) => timer.physicalCount, undefined, {
    el0: onTimerControl(EL0PCTEN),
    timed: true,
  }),
  computed('CNTVCT_EL0', [3, 3, 14, 0, 2], ({ timer }) => timer.count('virtual'), undefined, {
    el0: onTimerControl(EL0VCTEN),
    timed: true,
  }),
  ...timerRegisters('physical', 'CNTP', 2, EL0PTEN),
  ...timerRegisters('virtual', 'CNTV', 3, EL0VTEN),
]
