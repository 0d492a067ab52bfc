/** `vgic run`: a guest on the board around this package's GIC, in this terminal or between pipes. */

import { type BootFiles, fwCfgItems, planBoot } from '../machine/boot.ts'
import { type Disk, OverlayDisk, readOnlyDisk } from '../machine/disk.ts'
import { openBase, openDisk } from '../machine/file-disk.ts'
import { LoaderError } from '../machine/loaded.ts'
import { Monitor } from '../machine/monitor.ts'
import { describeVirt, Recorder } from '../machine/recorder.ts'
import { VirtMachine } from '../machine/virt.ts'
import { virtMap } from '../machine/virt-map.ts'
import { TraceWriter } from '../trace/index.ts'
import type { Command, Host, Io } from './command.ts'
import { ExitStatus, UsageError } from './command.ts'
import { readInputFile } from './input-file.ts'
import { nameOf as interruptName } from './interrupt-names.ts'
import { Keys } from './keys.ts'
import { LiveClock } from './live-clock.ts'
import { Relay } from './relay.ts'
import { type DriveOption, FIXED_EPOCH, parseRunOptions, type RunOptions } from './run-options.ts'
import { Session, type SessionEnd } from './session.ts'
import { counted, printable } from './style.ts'
import { FileError } from './trace-file.ts'
import { TraceOutput } from './trace-output.ts'

const help = `Usage: vgic run --kernel FILE | --bios FILE [options]

Starts a machine like QEMU's 'virt' around this package's GIC. The guest's UART is this terminal: Ctrl-A x leaves, Ctrl-A c
is the monitor, Ctrl-A h lists the keys. Where standard input or output is no terminal, the input feeds the UART, the time
in which every CPU waits is skipped, and a run is the same each time.

  --kernel FILE          an arm64 Image (also gzip), an ELF file or a flat binary
  --initrd FILE          the initial RAM disk
  --append TEXT          the kernel's command line
  --dtb FILE             a device tree in place of the machine's own
  --bios FILE            firmware for the flash at address 0: U-Boot, EDK2; with a kernel, it is to find that in fw_cfg
  --smp N                CPUs: to 8 with a GICv2, to 64 with a GICv3 (1)
  -m, --memory SIZE      memory, as in 512M or 2G (256M)
  --gic 2|3, --its       the interrupt controller (2)
  --drive FILE[,MODE]    a virtio disk; MODE is snapshot (writes are lost; so unless said), readonly or write
  --device virtconsole   a virtio console, which then has the input in place of the UART
  --device loader,file=FILE[,addr=ADDRESS][,cpu-num=0][,force-raw=on]
                         a file in memory, at an address or where an ELF file says; with cpu-num the first CPU starts there
  --global virtio-mmio.force-legacy=false
                         version 2 of virtio's interface; without it, as with QEMU, the one of before virtio 1.0
  --rtc base=WHEN        the date at the start: utc, or as in 2026-01-31T12:00:00
  --clock host|guest     whether idle time follows the host's clock, or is skipped
  --seed N               of the guest's random numbers
  --ask COMMAND          a monitor's command when the run is over, as in 'why 27 0' or 'info irq'; repeatable
  --timeout LIMIT        guest seconds, as in 10, or instructions, as in 500Minstr
  --allow-reset          a reset starts the machine again; without it, and with QEMU's --no-reboot, it ends the run
  --trace FILE           record the GIC's traffic for 'vgic replay' (packed where the name ends in .gz)
  --stats                one line at the end: speed, device accesses, interrupts
  -v, --verbose          say what the guest uses and the machine does not have

Exit status: 0 the guest switched the machine off or you left, 2 a file or an option that cannot be used, 3 the guest asked
for a reset, 124 the limit of --timeout, or nothing left that could happen, 130 interrupted.

Examples:
  vgic run --kernel vmlinuz --initrd initrd.gz --append console=ttyAMA0 --smp 4
  vgic run --kernel test.elf --gic 3 --its --timeout 10 --stats --ask 'why 27 0' </dev/null
`

const TITLE = "GIC access trace: a guest on vgic's own machine"

/** Device trees and flash banks are no larger. */
const DTB_LIMIT = 16 * 2 ** 20

async function readFiles(options: RunOptions): Promise<BootFiles & { firmware: Uint8Array | undefined }> {
  const read = async (path: string | undefined, limit: number) =>
    path === undefined ? undefined : readInputFile(path, limit)
  const firmware = await read(options.bios, virtMap.flash0.size)
  if (firmware?.length === 0) throw new FileError(`${printable(options.bios ?? '')}: the firmware is empty`)
  return {
    kernel: await read(options.kernel, options.memory),
    initrd: await read(options.initrd, options.memory),
    dtb: await read(options.dtb, DTB_LIMIT),
    append: options.append,
    loads: await Promise.all(
      options.loaders.map(async ({ file, ...rest }) => ({ ...rest, bytes: await readInputFile(file, options.memory) })),
    ),
    firmware,
  }
}

function openDrive({ file, mode }: DriveOption): { disk: Disk; close(): void } {
  try {
    if (mode === 'write') {
      const disk = openDisk(file)
      return { disk, close: () => disk.close() }
    }
    const base = openBase(file)
    const disk = mode === 'readonly' ? readOnlyDisk(base) : new OverlayDisk(base, { limit: 2 ** 30 })
    return { disk, close: () => base.close() }
  } catch (error) {
    throw new FileError(`--drive ${printable(error instanceof Error ? error.message : String(error))}`)
  }
}

/** Bytes that are the same for the same seed (xorshift32). */
function seeded(seed: number, length: number): Uint8Array {
  let state = (seed ^ 0x9e37_79b9) | 0 || 1
  return Uint8Array.from({ length }, () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return state & 0xff
  })
}

/** Reports each thing that the guest misses once. */
function reportMissing(machine: VirtMachine, io: Io): void {
  const said = new Set<string>()
  const say = (key: string, text: string) => {
    if (said.size >= 200 || said.has(key)) return
    said.add(key)
    io.err.write(`vgic: ${text}\n`)
  }
  const hex = (value: number | bigint) => `0x${value.toString(16)}`
  machine.onEvent = (event) => {
    if (event.kind === 'device') say(event.message, printable(event.message))
    else if (event.kind === 'unmapped')
      say(
        `page ${Math.floor(event.address / 4096)} ${event.write}`,
        `CPU ${event.cpu} ${event.write ? 'writes' : 'reads'} ${hex(event.address)}, where nothing is`,
      )
    else {
      // A register that nobody has is named by its encoding: s3_0_c15_c2_0.
      const text = machine.cluster.disassemble(event.word, event.pc)
      say(
        `word ${event.word}`,
        `CPU ${event.cpu} at ${hex(event.pc)}: unknown ${event.what} ${hex(event.word >>> 0)} (${text})`,
      )
    }
  }
}

const nameOf = (intid: number) => interruptName(intid, false)

function keysFor(machine: VirtMachine, host: Host, session: () => Session | undefined): Keys {
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
  const monitor = new Monitor(machine, control, { nameOf })
  return new Keys({
    write: (text) => {
      session()?.flush()
      host.write(encoder.encode(text))
    },
    leave: () => session()?.end({ why: 'quit' }),
    ask: (line) => monitor.execute(line),
    power: () => machine.pressPower(),
  })
}

/** A host of pipes, for callers that give none. */
function plainHost(io: Io): Host {
  const decoder = new TextDecoder('latin1')
  return {
    interactive: false,
    write: (bytes) => io.out.write(decoder.decode(bytes)),
    backlog: 0,
    gone: false,
    drained: async () => {},
    setRaw: () => {},
    onSignal: () => () => {},
  }
}

const signalStatus = {
  SIGINT: ExitStatus.interrupted,
  SIGTERM: ExitStatus.terminated,
  SIGHUP: ExitStatus.hangup,
  SIGQUIT: ExitStatus.quit,
} as const

/** The exit status, and the line that says why where it is not plain. */
function outcome(end: SessionEnd, machine: VirtMachine): [ExitStatus, string?] {
  switch (end.why) {
    case 'off':
    case 'quit':
    case 'gone':
      return [ExitStatus.ok]
    case 'reset':
      return [ExitStatus.reset, 'the guest asked for a reset; --allow-reset grants it']
    case 'timeout':
      return [
        ExitStatus.timeout,
        `the limit is reached: ${machine.seconds.toFixed(3)} guest seconds, ${counted(machine.instructions, 'instruction')}`,
      ]
    case 'stuck':
      return [
        ExitStatus.timeout,
        end.halted
          ? 'every CPU is off, and nothing is left that could switch one on'
          : 'every CPU waits, and nothing is left that could wake one',
      ]
    case 'signal':
      return [signalStatus[end.signal]]
  }
}

function statsLine(machine: VirtMachine, busy: number): string {
  const seconds = Math.max(busy / 1000, 1e-6)
  const millions = machine.instructions / 1e6
  return (
    `${millions.toFixed(1)} M instructions in ${seconds.toFixed(2)} s, ${(millions / seconds).toFixed(1)} MIPS; ` +
    `${machine.seconds.toFixed(3)} guest seconds; ${counted(machine.deviceAccesses, 'device access', 'device accesses')}, ` +
    `${counted(machine.interrupts, 'interrupt')}, ${counted(machine.interrupts / seconds, 'interrupt')} a second`
  )
}

async function runCommand(args: readonly string[], io: Io): Promise<ExitStatus> {
  const options = parseRunOptions(args)
  const host = io.host ?? plainHost(io)
  const live = (options.clock ?? (host.interactive ? 'host' : 'guest')) === 'host'
  const { firmware, ...files } = await readFiles(options)
  const drives = options.drives.map(openDrive)
  let raw = false
  let trace: TraceOutput | undefined
  try {
    const { cpus, memory, gic, its } = options
    const seed = options.seed ?? (live ? Math.floor(Math.random() * 2 ** 31) : 1)
    const plan = await planBoot(files, {
      cpus,
      memory,
      gic,
      its,
      firmware: firmware !== undefined,
      rngSeed: seeded(seed, 64),
    })
    const fwCfg = firmware && (await fwCfgItems(files, memory))
    const clock = live ? new LiveClock() : undefined
    const input = new Relay(io.input[Symbol.asyncIterator]())
    let untyped: Uint8Array = new Uint8Array(0)
    if (options.trace !== undefined) trace = await TraceOutput.open(options.trace)
    const writer =
      trace && new TraceWriter(TITLE, describeVirt({ cpus, memory, gic, its }), (text) => trace?.write(text))
    let { limit } = options
    for (;;) {
      let session: Session | undefined
      const machine = new VirtMachine({
        cpus,
        memory,
        gic,
        its,
        firmware,
        fwCfg,
        disks: drives.map(({ disk }) => disk),
        virtioConsole: options.virtioConsole,
        legacyVirtio: options.legacyVirtio,
        epoch: options.epoch ?? (live ? Math.floor(Date.now() / 1000) : FIXED_EPOCH),
        seed,
        clock,
        recorder: writer && new Recorder((event) => writer.write(event)),
        console: (character) => session?.transmit(character),
      })
      if (options.verbose) reportMissing(machine, io)
      plan.start(machine)
      if (untyped.length > 0) machine.type(untyped)
      const keys = host.interactive ? keysFor(machine, host, () => session) : undefined
      session = new Session({
        machine,
        host,
        input: input.reader(),
        clock,
        limit,
        room: async () => trace?.room(),
        ...(keys === undefined ? {} : { keys: (bytes: Uint8Array) => keys.take(bytes) }),
      })
      const silence = host.onSignal((signal) => session.end({ why: 'signal', signal }))
      if (host.interactive) {
        host.setRaw(true)
        raw = true
      }
      const end = await session.run().finally(silence)
      input.release()
      writer?.flush()
      if (raw) host.setRaw(false)
      const monitor = new Monitor(machine, { paused: true, quit: () => {}, ended: () => {} }, { nameOf })
      for (const line of options.ask) io.out.write(`${monitor.execute(line)}\n`)
      if (options.stats) io.err.write(`vgic: ${statsLine(machine, session.busy)}\n`)
      if (end.why === 'reset' && options.allowReset) {
        // What a guest that resets for ever has used up stays used up, and signals are heard in between.
        const used = limit?.unit === 'seconds' ? machine.seconds : machine.instructions
        limit = limit && { ...limit, count: limit.count - used }
        untyped = machine.withdraw()
        await new Promise<void>((resolve) => setImmediate(resolve))
        continue
      }
      await trace?.close()
      const [status, line] = outcome(end, machine)
      if (line !== undefined) io.err.write(`vgic: ${line}\n`)
      return status
    }
  } catch (error) {
    if (error instanceof LoaderError) throw new FileError(error.message)
    if (error instanceof RangeError && /^[a-z]+: /.test(error.message)) throw new UsageError(error.message)
    throw error
  } finally {
    if (raw) host.setRaw(false)
    for (const drive of drives) drive.close()
  }
}

export const run: Command = {
  name: 'run',
  help,
  run: runCommand,
}
