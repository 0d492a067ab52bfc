/**
 * The monitor: a line of text in, the answer as text out, about one machine. It looks at state without an effect on it, except
 * where the command is to stop, go on or step. It owns no terminal.
 */

import { explainMsi, formatExplanation, formatMsiExplanation, GicV3 } from '../../gic/index.ts'
import type { GuestErrors } from '../guest-errors.ts'
import type { VirtMachine } from '../virt.ts'
import { History } from '../why/history.ts'
import { deviceLines, deviceNames, gicLines, itsLines, peekDevice, timerLines } from './monitor-devices.ts'
import { interruptLines } from './monitor-irq.ts'
import { addressOf, examine } from './monitor-memory.ts'
import { cpuLines, registerLines, treeLines } from './monitor-state.ts'
import { wrapped } from './monitor-text.ts'

/** What the monitor asks of whoever runs the machine. */
export interface MonitorControl {
  /** Whether the machine stands still. */
  paused: boolean
  /** Ends the program. */
  quit(): void
  /** A step ended the machine: the guest switched it off, or asked for a reset. */
  ended(reason: 'off' | 'reset'): void
}

/** What a monitor is told beside its machine. */
export interface MonitorOptions {
  /** A few words about what an INTID is on this board; empty where nothing is known. */
  nameOf?: (intid: number) => string
  /** What the guest did wrong so far, where somebody keeps it. */
  errors?: GuestErrors | undefined
  /** Keeps from the start who writes what, as `track on` does from then on. */
  history?: History | undefined
  /** Lines are broken at so many columns; not at all unless given. Read for each answer: a window changes its size. */
  columns?: number
}

interface CommandRow {
  readonly usage: string
  readonly help: string
  run(monitor: Monitor, args: readonly string[]): string
}

/** Something wrong with a command: the answer says what, and the machine goes on. */
class CommandError extends Error {}

/** Most lines of one answer, and most instructions of one step. */
const MOST_LINES = 400
const MOST_STEPS = 1_000_000

const commands: Readonly<Record<string, CommandRow>> = {
  'info irq': {
    usage: 'info irq',
    help: 'interrupts that are enabled, pending or active; and how often each was taken, with track on',
    run: (monitor) => interruptLines(monitor.machine, monitor.nameOf, MOST_LINES, monitor.history).join('\n'),
  },
  why: {
    usage: 'why INTID [CPU] | DEVICE:EVENT',
    help: 'why that interrupt is, or is not, taken by that CPU, or by the one that it is routed to; or where that message of a device goes, as in 0x10:1',
    run: (monitor, [what, cpu]) => (what?.includes(':') ? monitor.whyMessage(what) : monitor.why(what, cpu)),
  },
  'info gic': {
    usage: 'info gic [CPU]',
    help: "the GIC's registers as that CPU sees them; those of arrays that are zero are left out",
    run: (monitor, [cpu]) => gicLines(monitor.machine, monitor.cpu(cpu)).join('\n'),
  },
  'info its': {
    usage: 'info its',
    help: "the ITS's registers",
    run: (monitor) => itsLines(monitor.machine).join('\n'),
  },
  'info timer': {
    usage: 'info timer [CPU]',
    help: "a CPU's timers, and when they are due; of all CPUs unless one is given",
    run: (monitor, [cpu]) => timerLines(monitor.machine, cpu === undefined ? undefined : monitor.cpu(cpu)).join('\n'),
  },
  'info device': {
    usage: 'info device [NAME | ADDRESS]',
    help: "the devices on the bus, or one's registers, read without an effect",
    run: (monitor, [name]) => monitor.device(name),
  },
  track: {
    usage: 'track on|off',
    help: 'keeps who writes what in the GIC, devices and timers, for why to name who closed a gate; the machine is slower with it',
    run: (monitor, [on]) => monitor.track(on),
  },
  'info log': {
    usage: 'info log',
    help: 'what the guest did wrong so far: with run -d guest_errors, or -v',
    run: (monitor) => monitor.log(),
  },
  'info registers': {
    usage: 'info registers [CPU | -a]',
    help: "a CPU's registers, or those of all",
    run: (monitor, [cpu]) => monitor.registers(cpu),
  },
  'info cpus': {
    usage: 'info cpus',
    help: 'where each CPU is',
    run: (monitor) => cpuLines(monitor.machine).join('\n'),
  },
  'info mtree': {
    usage: 'info mtree',
    help: 'what is at which address',
    run: (monitor) => treeLines(monitor.machine).join('\n'),
  },
  x: {
    usage: 'x [/NFMT] ADDRESS [CPU]',
    help: 'memory as that CPU sees it; FMT is of x d u o c i and b h w g, as in x /4xg $sp or x /8i $pc-16',
    run: (monitor, args) => monitor.memory(args, true),
  },
  xp: {
    usage: 'xp [/NFMT] ADDRESS',
    help: 'memory, or registers of a device without an effect, at a physical address',
    run: (monitor, args) => monitor.memory(args, false),
  },
  stop: { usage: 'stop', help: 'the machine stands still', run: (monitor) => monitor.pause(true) },
  cont: { usage: 'cont', help: 'and goes on', run: (monitor) => monitor.pause(false) },
  step: {
    usage: 'step [N] [CPU]',
    help: 'N instructions of one CPU',
    run: (monitor, [count, cpu]) => monitor.step(count, cpu),
  },
  power: {
    usage: 'power',
    help: 'presses the power button',
    run: (monitor) => {
      monitor.machine.pressPower()
      return ''
    },
  },
  quit: {
    usage: 'quit',
    help: 'leaves',
    run: (monitor) => {
      monitor.control.quit()
      return ''
    },
  },
  help: { usage: 'help [COMMAND]', help: 'this list, or one line of it', run: (_, words) => helpText(words.join(' ')) },
}

const aliases: Readonly<Record<string, string>> = {
  c: 'cont',
  continue: 'cont',
  s: 'step',
  q: 'quit',
  '?': 'help',
  h: 'help',
  'info irqs': 'info irq',
  'info interrupts': 'info irq',
  'info pic': 'info irq',
  'info reg': 'info registers',
  'info qtree': 'info device',
  i: 'info registers',
  system_powerdown: 'power',
  exit: 'quit',
}

function helpText(word: string): string {
  const names = Object.keys(commands).filter(
    (name) => word === '' || name === (aliases[word] ?? word) || name.startsWith(`${word} `),
  )
  if (names.length === 0) throw new CommandError(`${shown(word)} is no command`)
  const rows = names.map((name) => commands[name]!)
  const width = Math.max(...rows.map(({ usage }) => usage.length))
  return rows.map(({ usage, help }) => `${usage.padEnd(width)}  ${help}`).join('\n')
}

/** Second words of the commands that begin with that one. */
function subjectsOf(word: string): string {
  const names = Object.keys(commands).filter((name) => name.startsWith(`${word} `))
  return names.map((name) => name.slice(word.length + 1)).join(', ')
}

/** Questions to a machine, a line each, in QEMU's words where it has them. */
export class Monitor {
  /** Asked. */
  readonly machine: VirtMachine
  /** What commands that start and stop act on. */
  readonly control: MonitorControl
  /** Names a code address, where symbols were given. */
  readonly nameOf: (intid: number) => string
  /** Who wrote what, where that is asked for. */
  history: History | undefined
  readonly #errors: GuestErrors | undefined
  readonly #options: MonitorOptions

  constructor(machine: VirtMachine, control: MonitorControl, options: MonitorOptions = {}) {
    this.machine = machine
    this.control = control
    this.nameOf = options.nameOf ?? (() => '')
    this.#errors = options.errors
    this.history = options.history
    this.#options = options
  }

  /** The answer to a line, without a newline at its end; never throws for what a line says. */
  execute(line: string): string {
    // Debuggers' habit is `x/4xg ADDRESS`, without a space.
    const words = line
      .trim()
      .replace(/^(xp?)\//, '$1 /')
      .split(/\s+/)
      .filter(Boolean)
    if (words.length === 0) return ''
    const [first = '', second = ''] = words
    const two = `${first} ${second}`
    const name = [two, first]
      .map((key) => (Object.hasOwn(aliases, key) ? aliases[key]! : key))
      .find((key) => Object.hasOwn(commands, key))
    if (name === undefined) {
      if (words.length === 1 && first === 'info') return `info of what? ${subjectsOf(first)}`
      return `${shown(first === 'info' ? two : first)} is no command; help lists them`
    }
    const used = words.length > 1 && (name === two || aliases[two] === name) ? 2 : 1
    try {
      return clipped(
        wrapped(commands[name]!.run(this, words.slice(used)), this.#options.columns ?? Number.POSITIVE_INFINITY),
      )
    } catch (error) {
      if (error instanceof CommandError || error instanceof RangeError)
        return `${error.message}; usage: ${commands[name]!.usage}`
      throw error
    }
  }

  /** Answers `why`. */
  why(intidText: string | undefined, cpuText: string | undefined): string {
    const intid = number(intidText, 'INTID')
    const cpu = cpuText === undefined ? this.#whom(intid) : this.cpu(cpuText)
    const { gic } = this.machine
    const lpis = gic instanceof GicV3 && gic.config.lpis !== undefined
    if (intid >= gic.config.intids && !(lpis && intid >= 8192 && intid < gic.lpiEnd))
      throw new CommandError(
        `there is no INTID ${intid}: 0 to ${gic.config.intids - 1}${lpis ? `, 8192 to ${(gic as GicV3).lpiEnd - 1}` : ''}`,
      )
    const explanation = this.machine.explain(intid, cpu)
    const who = this.history?.lines(explanation.gates, intid, cpu) ?? []
    const storm = this.#errors?.stormOf(intid, cpu)
    const [summary, ...gates] = formatExplanation(explanation)
    return [summary, ...(storm === undefined ? [] : [`${storm}.`]), ...gates, ...who].join('\n')
  }

  /** The first CPU that a shared interrupt goes to, which is whom to ask about: a line that is routed to CPU 1 is not CPU 0's. */
  #whom(intid: number): number {
    const { gic, options } = this.machine
    if (intid < 32) return 0
    const place = intid < 8192 ? 'targeted' : 'pending'
    const goesTo = (cpu: number) => gic.explain(intid, cpu).gates.some(({ gate, open }) => gate === place && open)
    return Math.max(0, Array.from({ length: options.cpus }, (_, cpu) => cpu).findIndex(goesTo))
  }

  /** `DEVICEID:EVENTID`: through the ITS, and then the LPI on the PE that it comes to. */
  whyMessage(text: string): string {
    const { its } = this.machine
    if (its === undefined) throw new CommandError('this machine has no ITS')
    const [device, event, more] = text.split(':')
    if (more !== undefined) throw new CommandError(`${shown(text)} is no DEVICE:EVENT`)
    const message = explainMsi(its, number(device, 'the DeviceID'), number(event, 'the EventID'))
    const lines = formatMsiExplanation(message)
    if (message.mapped) lines.push(...formatExplanation(this.machine.explain(message.intid!, message.pe!)))
    return lines.join('\n')
  }

  /** Answers `info device`. */
  device(name: string | undefined): string {
    const lines = deviceLines(this.machine, name)
    if (lines === undefined) throw new CommandError(`${shown(name ?? '')} is no device; 'info device' lists them`)
    return lines.join('\n')
  }

  /** Answers `track`. */
  track(on: string | undefined): string {
    if (on !== 'on' && on !== 'off') throw new CommandError('on or off?')
    this.history?.stop()
    this.history = on === 'on' ? new History(this.machine) : undefined
    return on === 'on' ? 'writes to the GIC, devices and timers are kept from now on' : 'writes are not kept'
  }

  /** Answers `info log`. */
  log(): string {
    if (this.#errors === undefined) return 'nobody keeps it'
    const lines = this.#errors.lines()
    return lines.length === 0 ? 'nothing so far' : lines.join('\n')
  }

  /** The words that may stand at the end of a line: Tab. */
  complete(line: string): string[] {
    const words = line.trimStart().split(/\s+/)
    const last = words[words.length - 1] ?? ''
    const before = words.slice(0, -1).join(' ')
    const names = [...Object.keys(commands), ...Object.keys(aliases)]
    const subjects =
      before === 'info device' ? deviceNames(this.machine) : before === 'help' ? Object.keys(commands) : []
    const candidates = names.flatMap((name) => {
      if (before === '') return [name.split(' ')[0]!]
      return name.startsWith(`${before} `) ? [name.slice(before.length + 1)] : []
    })
    return [...new Set([...candidates, ...subjects])].filter((word) => word.length > 1 && word.startsWith(last)).sort()
  }

  /** Answers `info registers`. */
  registers(cpuText: string | undefined): string {
    const { machine } = this
    if (cpuText !== '-a') return registerLines(machine, this.cpu(cpuText)).join('\n')
    const cpus = Array.from({ length: machine.options.cpus }, (_, cpu) => cpu)
    return cpus.flatMap((cpu) => [`CPU ${cpu}`, ...registerLines(machine, cpu)]).join('\n')
  }

  /** Answers `x` and `xp`. */
  memory(args: readonly string[], virtual: boolean): string {
    const format = args[0]?.startsWith('/') ? args[0].slice(1) : ''
    const [addressText, cpuText] = format === '' && !args[0]?.startsWith('/') ? args : args.slice(1)
    const cpu = this.cpu(virtual ? cpuText : undefined)
    if (addressText === undefined) throw new CommandError('where?')
    const address = addressOf(this.machine.cluster, cpu, addressText)
    if (address === undefined) throw new CommandError(`${shown(addressText)} is no address`)
    const { cluster } = this.machine
    const peek = (at: number, size: number) => peekDevice(this.machine, at, size)
    const { symbols } = this.machine
    return examine(cluster, format, address, virtual ? cpu : undefined, virtual ? undefined : peek, symbols)
  }

  /** Answers `stop`. */
  pause(on: boolean): string {
    const same = this.control.paused === on
    this.control.paused = on
    return `the machine ${same ? 'already ' : ''}${on ? 'stands still' : 'runs'}`
  }

  /** Answers `step`. */
  step(countText: string | undefined, cpuText: string | undefined): string {
    const count = countText === undefined ? 1 : number(countText, 'the number of steps')
    const cpu = this.cpu(cpuText)
    if (count < 1 || count > MOST_STEPS) throw new CommandError(`steps are 1 to ${MOST_STEPS}`)
    const { machine } = this
    if (!machine.cluster.isOn(cpu)) return `CPU ${cpu} is off`
    this.control.paused = true
    const reason = machine.step(cpu, count)
    if (reason === 'off' || reason === 'reset') {
      this.control.ended(reason)
      return ''
    }
    if (machine.cluster.isWaiting(cpu)) return `CPU ${cpu} waits for an interrupt (WFI)`
    const pc = machine.cluster.pc(cpu)
    return examine(machine.cluster, 'i', pc, cpu, undefined, machine.symbols)
  }

  /** A CPU by its number, the first unless given. */
  cpu(text: string | undefined): number {
    const cpu = text === undefined ? 0 : number(text, 'the CPU')
    const { cpus } = this.machine.options
    if (cpu >= cpus) throw new CommandError(`there is no CPU ${cpu}: 0 to ${cpus - 1}`)
    return cpu
  }
}

function number(text: string | undefined, what: string): number {
  if (text === undefined || !/^(0x[0-9a-f]{1,8}|[0-9]{1,9})$/i.test(text))
    throw new CommandError(text === undefined ? `${what} is missing` : `${what} is a number, not ${shown(text)}`)
  return Number(text)
}

/** A word of a line as it may stand in an answer: short and printable. */
function shown(word: string): string {
  return `'${word.slice(0, 40).replace(/[^\x20-\x7e]/g, '?')}'`
}

function clipped(text: string): string {
  const lines = text.split('\n')
  if (lines.length <= MOST_LINES) return text
  return [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} lines more`].join('\n')
}
