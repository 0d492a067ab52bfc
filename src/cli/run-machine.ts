/**
 * One machine of `vgic run`, from its making to its end, with what is asked and said of it then. A reset ends it; whether another
 * one follows is `run.ts`.
 */

import type { Disk } from '../devices/disk.ts'
import type { BootPlan } from '../machine/boot/boot.ts'
import { GuestErrors } from '../machine/guest-errors.ts'
import { Monitor } from '../machine/monitor/monitor.ts'
import { Recorder } from '../machine/recorder.ts'
import { VirtMachine } from '../machine/virt.ts'
import { History } from '../machine/why/history.ts'
import type { Symbols } from '../machine/why/symbols.ts'
import type { TraceWriter } from '../trace/index.ts'
import type { Host, Io, Output } from './command.ts'
import { nameOf as interruptName } from './interrupt-names.ts'
import { Keys, PROMPT } from './keys.ts'
import type { LiveClock } from './live-clock.ts'
import type { Relay } from './relay.ts'
import type { RunLimit, RunOptions } from './run-options.ts'
import { statsLine, statsOf } from './run-report.ts'
import { Session, type SessionEnd } from './session.ts'
import { printable } from './style.ts'
import type { TraceOutput } from './trace-output.ts'

/** What all machines of a run have. */
export interface Run {
  readonly options: RunOptions
  readonly io: Io
  readonly host: Host
  readonly plan: BootPlan
  readonly firmware: Uint8Array | undefined
  readonly fwCfg: ReadonlyMap<number, Uint8Array> | undefined
  readonly symbols: Symbols | undefined
  readonly disks: readonly Disk[]
  readonly seed: number
  readonly clock: LiveClock | undefined
  readonly input: Relay
  readonly writer: TraceWriter | undefined
  readonly trace: TraceOutput | undefined
  readonly log: TraceOutput | undefined
  /** When the host's time is over, in milliseconds of `performance.now()`. */
  readonly deadline: number | undefined
}

/** What a reset hands on. */
export interface Start {
  readonly limit: RunLimit | undefined
  /** Seconds since 1970. */
  readonly epoch: number
  /** Input that the machine before it did not take. */
  readonly untyped: Uint8Array
}

/** A narrower window is left to break lines itself. */
const leastColumns = 40

const nameOf = (intid: number) => interruptName(intid, false)

function keysFor(
  machine: VirtMachine,
  errors: GuestErrors,
  history: History | undefined,
  host: Host,
  output: Output,
  session: () => Session | undefined,
): Keys {
  const encoder = new TextEncoder()
  const control = {
    get paused() {
      return session()?.paused ?? false
    },
    set paused(on: boolean) {
      const running = session()
      if (running !== undefined) running.paused = on
    },
    quit: () => session()?.end({ why: 'quit' }),
    ended: (why: 'off' | 'reset') => session()?.end({ why }),
  }
  const monitor = new Monitor(machine, control, {
    nameOf,
    errors,
    history,
    // A terminal that does not know its width says 0.
    get columns() {
      return Math.max(leastColumns, output.columns || 80)
    },
  })
  return new Keys({
    write: (text) => {
      session()?.flush()
      host.write(encoder.encode(text))
    },
    leave: () => session()?.end({ why: 'quit' }),
    ask: (line) => monitor.execute(line),
    complete: (line) => monitor.complete(line),
    power: () => machine.pressPower(),
  })
}

/** Runs a machine to its end. */
export async function runMachine(
  run: Run,
  { limit, epoch, untyped }: Start,
): Promise<{ machine: VirtMachine; end: SessionEnd }> {
  const { options, io, host, plan, clock, input, writer, trace, log, deadline } = run
  let session: Session | undefined
  let raw = false
  const machine = makeMachine(run, epoch, (character) => session?.transmit(character))
  const history = options.track ? new History(machine) : undefined
  const errors = new GuestErrors(machine, options.log, (line) =>
    log === undefined ? io.err.write(`vgic: ${line}${raw ? '\r' : ''}\n`) : log.write(`${line}\n`),
  )
  plan.start(machine)
  if (untyped.length > 0) machine.type(untyped)
  const keys = host.interactive ? keysFor(machine, errors, history, host, io.out, () => session) : undefined
  session = new Session({
    machine,
    host,
    input: input.reader(),
    clock,
    limit,
    deadline,
    room: async () => trace?.room(),
    ...(keys === undefined ? {} : { keys: (bytes: Uint8Array) => keys.take(bytes) }),
  })
  const running = session
  const silence = host.onSignal((signal) => running.end({ why: 'signal', signal }))
  let end: SessionEnd
  try {
    if (host.interactive) {
      host.setRaw(true)
      raw = true
    }
    end = await running.run().finally(silence)
    input.release()
    writer?.flush()
  } finally {
    if (raw) host.setRaw(false)
  }
  const monitor = new Monitor(machine, { paused: true, quit: () => {}, ended: () => {} }, { nameOf, errors, history })
  for (const line of options.ask) io.out.write(`${PROMPT}${printable(line)}\n${monitor.execute(line)}\n`)
  if (options.stats) {
    const stats = statsOf(machine, running.busy)
    io.err.write(options.json ? `${JSON.stringify({ end: end.why, ...stats })}\n` : `vgic: ${statsLine(stats)}\n`)
  }
  return { machine, end }
}

/** What the machine after a reset begins with. */
export function afterReset(machine: VirtMachine, { limit }: Start): Start {
  // What guests that reset for ever have used up stays used up.
  const used = limit?.unit === 'seconds' ? machine.seconds : machine.instructions
  return {
    limit: limit && { ...limit, count: limit.count - used },
    untyped: machine.withdraw(),
    // The real-time clock has a battery: a reset leaves its date alone, whoever set it.
    epoch: machine.rtc.data + (machine.seconds % 1),
  }
}

function makeMachine(run: Run, epoch: number, console: (character: number) => void): VirtMachine {
  const { cpus, memory, gic, its, virtioConsole, slots, serials, legacyVirtio } = run.options
  const { firmware, fwCfg, disks, seed, clock, writer, symbols } = run
  const machine = new VirtMachine({
    cpus,
    memory,
    gic,
    its,
    firmware,
    fwCfg,
    disks,
    virtioConsole,
    slots,
    serials,
    legacyVirtio,
    epoch,
    seed,
    clock,
    recorder: writer && new Recorder((event) => writer.write(event)),
    console,
  })
  machine.symbols = symbols
  return machine
}
