/**
 * The monitor: a line of text in, the answer as text out, about one machine. It looks at state without an effect on it, except
 * where the command is to stop, go on or step. It owns no terminal.
 */

import { formatExplanation, GicV3, kindOf } from '../gic/index.ts'
import { cpuInitiator } from '../mmio/index.ts'
import { examine } from './monitor-memory.ts'
import type { VirtMachine } from './virt.ts'

/** What the monitor asks of whoever runs the machine. */
export interface MonitorControl {
  /** Whether the machine stands still. */
  paused: boolean
  quit(): void
  /** A step ended the machine: the guest switched it off, or asked for a reset. */
  ended(reason: 'off' | 'reset'): void
}

export interface MonitorOptions {
  /** A few words about what an INTID is on this board; empty where nothing is known. */
  nameOf?: (intid: number) => string
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
    help: 'interrupts that are enabled, pending or active',
    run: (monitor) => monitor.interrupts(),
  },
  why: {
    usage: 'why INTID [CPU]',
    help: 'why that interrupt is, or is not, signalled to that CPU',
    run: (monitor, [intid, cpu]) => monitor.why(intid, cpu),
  },
  'info registers': {
    usage: 'info registers [CPU]',
    help: "a CPU's registers",
    run: (monitor, [cpu]) => monitor.registers(cpu),
  },
  'info cpus': { usage: 'info cpus', help: 'where each CPU is', run: (monitor) => monitor.cpus() },
  'info mtree': { usage: 'info mtree', help: 'what is at which address', run: (monitor) => monitor.tree() },
  x: {
    usage: 'x [/NFMT] ADDRESS [CPU]',
    help: 'memory as that CPU sees it; FMT is of x d u c i and b h w g, as in x /4xg',
    run: (monitor, args) => monitor.memory(args, true),
  },
  xp: {
    usage: 'xp [/NFMT] ADDRESS',
    help: 'memory at a physical address',
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
  help: { usage: 'help', help: 'this list', run: () => helpText() },
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
  'info reg': 'info registers',
  system_powerdown: 'power',
}

function helpText(): string {
  const rows = Object.values(commands)
  const width = Math.max(...rows.map(({ usage }) => usage.length))
  return rows.map(({ usage, help }) => `${usage.padEnd(width)}  ${help}`).join('\n')
}

export class Monitor {
  readonly machine: VirtMachine
  readonly control: MonitorControl
  readonly #nameOf: (intid: number) => string

  constructor(machine: VirtMachine, control: MonitorControl, options: MonitorOptions = {}) {
    this.machine = machine
    this.control = control
    this.#nameOf = options.nameOf ?? (() => '')
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
      return `${shown(first === 'info' ? two.trim() : first)} is no command; help lists them`
    }
    const used = words.length > 1 && (name === two || aliases[two] === name) ? 2 : 1
    try {
      return clipped(commands[name]!.run(this, words.slice(used)))
    } catch (error) {
      if (error instanceof CommandError || error instanceof RangeError)
        return `${error.message}; usage: ${commands[name]!.usage}`
      throw error
    }
  }

  interrupts(): string {
    const { gic, options } = this.machine
    const rows: string[][] = []
    const add = (intid: number, cpu: number, bits: readonly boolean[], priority: number, route: string) => {
      const [enabled, pending, active] = bits
      // SGIs are always enabled on many implementations, so that alone says nothing.
      if (!pending && !active && (!enabled || intid < 16)) return
      const state = ['enabled', 'pending', 'active'].filter((_, i) => bits[i]).join(' ')
      rows.push([
        String(intid),
        kindOf(intid),
        cpu < 0 ? route : `CPU ${cpu}`,
        hex(priority, 2),
        state,
        this.#nameOf(intid),
      ])
    }
    for (let intid = 0; intid < gic.config.intids; intid++) {
      const banked = intid < 32
      for (let cpu = 0; cpu < (banked ? options.cpus : 1); cpu++) {
        const peek = this.#peeker(banked, cpu)
        const bits = [0x100, 0x200, 0x300].map(
          (bank) => ((peek(bank + 4 * (intid >> 5), 4) >>> (intid & 31)) & 1) === 1,
        )
        const route = banked ? '' : this.#route(intid)
        add(intid, banked ? cpu : -1, bits, peek(0x400 + intid, 1) & 0xff, route)
      }
    }
    if (gic instanceof GicV3)
      for (const { pe, lpis } of gic.redistributors)
        for (const intid of (lpis?.pendingList() ?? []).slice(0, MOST_LINES)) {
          const configuration = lpis!.configurationOf(intid)
          add(intid, pe, [(configuration & 1) === 1, true, false], lpis!.priorityOf(configuration), '')
        }
    const lines = table(['INTID', 'kind', 'to', 'priority', 'state', ''], rows)
    for (let cpu = 0; cpu < options.cpus; cpu++) {
      const wires = [gic.irq(cpu) ? 'IRQ' : '', gic.fiq(cpu) ? 'FIQ' : ''].filter(Boolean).join(' and ')
      if (wires !== '') lines.push(`CPU ${cpu}: ${wires} is signalled`)
    }
    return lines.join('\n')
  }

  why(intidText: string | undefined, cpuText: string | undefined): string {
    const intid = number(intidText, 'INTID')
    const cpu = this.#cpu(cpuText)
    const { gic } = this.machine
    const lpis = gic instanceof GicV3 && gic.config.lpis !== undefined
    if (intid >= gic.config.intids && !(lpis && intid >= 8192 && intid < gic.lpiEnd))
      throw new CommandError(
        `there is no INTID ${intid}: 0 to ${gic.config.intids - 1}${lpis ? `, 8192 to ${(gic as GicV3).lpiEnd - 1}` : ''}`,
      )
    return formatExplanation(gic.explain(intid, cpu)).join('\n')
  }

  registers(cpuText: string | undefined): string {
    const cpu = this.#cpu(cpuText)
    const { cluster } = this.machine
    const lines: string[] = []
    const x = (n: number) => `${`x${n}`.padStart(3)} ${hex(cluster.register(cpu, n), 16)}`
    for (let n = 0; n < 31; n += 4)
      lines.push(Array.from({ length: Math.min(4, 31 - n) }, (_, i) => x(n + i)).join('  '))
    const pstate = cluster.pstate(cpu)
    const flags = [...'NZCV'].map((flag, i) => ((pstate >>> (31 - i)) & 1 ? flag : '-')).join('')
    const masks = [...'DAIF'].map((flag, i) => ((pstate >>> (9 - i)) & 1 ? flag : '-')).join('')
    lines.push(
      ` sp ${hex(cluster.register(cpu, 31), 16)}   pc ${hex(cluster.pc(cpu), 16)}  EL${(pstate >>> 2) & 3} ${flags} ${masks}  ${this.#power(cpu)}`,
    )
    const names = [
      'SCTLR_EL1',
      'TTBR0_EL1',
      'TTBR1_EL1',
      'TCR_EL1',
      'VBAR_EL1',
      'ESR_EL1',
      'FAR_EL1',
      'ELR_EL1',
      'SPSR_EL1',
    ]
    const system = names.flatMap((name) => {
      const value = cluster.systemRegister(cpu, name)
      return value === undefined ? [] : [`${name.padStart(9)} ${hex(value, 16)}`]
    })
    for (let i = 0; i < system.length; i += 3) lines.push(system.slice(i, i + 3).join('  '))
    return lines.join('\n')
  }

  cpus(): string {
    const { cluster, options } = this.machine
    const rows = Array.from({ length: options.cpus }, (_, cpu) => [
      String(cpu),
      this.#power(cpu),
      hex(cluster.pc(cpu), 16),
      String(cluster.retired(cpu)),
    ])
    return table(['CPU', 'state', 'PC', 'instructions'], rows).join('\n')
  }

  tree(): string {
    const { bus, ram, flash } = this.machine
    const memory = [{ base: ram.base, size: ram.bytes.length, name: 'RAM', reads: 0, writes: 0 }]
    const rows = [...bus.ranges(), ...memory].map(({ base, size, name, reads, writes }) => [
      `${hex(base, 16)}-${hex(base + size - 1, 16).slice(2)}`,
      name,
      name === 'RAM' || (flash !== undefined && base === 0) ? '' : `${reads} reads, ${writes} writes`,
    ])
    return table(['address', 'what', 'accesses'], rows).join('\n')
  }

  memory(args: readonly string[], virtual: boolean): string {
    const format = args[0]?.startsWith('/') ? args[0].slice(1) : ''
    const [addressText, cpuText] = format === '' && !args[0]?.startsWith('/') ? args : args.slice(1)
    const cpu = this.#cpu(virtual ? cpuText : undefined)
    if (addressText === undefined || !/^(0x[0-9a-f]{1,16}|[0-9]{1,20})$/i.test(addressText))
      throw new CommandError(addressText === undefined ? 'where?' : `${shown(addressText)} is no address`)
    return examine(this.machine.cluster, format, BigInt.asUintN(64, BigInt(addressText)), virtual ? cpu : undefined)
  }

  pause(on: boolean): string {
    const same = this.control.paused === on
    this.control.paused = on
    return `the machine ${same ? 'already ' : ''}${on ? 'stands still' : 'runs'}`
  }

  step(countText: string | undefined, cpuText: string | undefined): string {
    const count = countText === undefined ? 1 : number(countText, 'the number of steps')
    const cpu = this.#cpu(cpuText)
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
    return examine(machine.cluster, 'i', pc, cpu)
  }

  #power(cpu: number): string {
    const { cluster } = this.machine
    if (!cluster.isOn(cpu)) return 'off'
    return cluster.isWaiting(cpu) ? 'waits (WFI)' : 'runs'
  }

  /** SGIs and PPIs are banked: in a GICv3 in the Redistributor's second frame. */
  #peeker(banked: boolean, cpu: number): (offset: number, size: 1 | 4) => number {
    const { gic } = this.machine
    const by = cpuInitiator(cpu)
    if (gic instanceof GicV3 && banked) {
      const frame = gic.frames.gicr[cpu]!
      return (offset, size) => frame.peek(0x1_0000 + offset, size, by)
    }
    if (gic instanceof GicV3) {
      const { gicd } = gic.frames
      return (offset, size) => gicd.peek(offset, size, by)
    }
    const { gicd } = gic.frames
    return (offset, size) => gicd.peek(offset, size, by)
  }

  #route(intid: number): string {
    const peek = this.#peeker(false, 0)
    if (!(this.machine.gic instanceof GicV3)) {
      const targets = peek(0x800 + intid, 1) & 0xff
      const cpus = Array.from({ length: 8 }, (_, cpu) => cpu).filter((cpu) => (targets >>> cpu) & 1)
      return cpus.length === 0 ? 'nobody' : `CPU ${cpus.join(',')}`
    }
    const low = peek(0x6000 + 8 * intid, 4)
    return low < 0 ? 'any PE' : `affinity ${(low >>> 16) & 0xff}.${(low >>> 8) & 0xff}.${low & 0xff}`
  }

  #cpu(text: string | undefined): number {
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

function hex(value: number | bigint, digits: number): string {
  return `0x${value.toString(16).padStart(digits, '0')}`
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)))
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd()
  return [line(head), ...rows.map(line)]
}

function clipped(text: string): string {
  const lines = text.split('\n')
  if (lines.length <= MOST_LINES) return text
  return [...lines.slice(0, MOST_LINES), `and ${lines.length - MOST_LINES} lines more`].join('\n')
}
