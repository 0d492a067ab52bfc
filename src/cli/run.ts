/** `vgic run`: a guest on the board around this package's GIC, in this terminal or between pipes. */

import { type Disk, OverlayDisk, readOnlyDisk } from '../devices/disk.ts'
import { openBase, openDisk } from '../devices/file-disk.ts'
import { virtMap } from '../machine/board/virt-map.ts'
import { type BootFiles, fwCfgItems, planBoot } from '../machine/boot/boot.ts'
import { isElf } from '../machine/boot/elf.ts'
import { elfSymbols } from '../machine/boot/elf-symbols.ts'
import { type LoadedKernel, LoaderError, NoRoomError } from '../machine/boot/loaded.ts'
import { GuestErrors } from '../machine/guest-errors.ts'
import { Monitor } from '../machine/monitor/monitor.ts'
import { describeVirt, Recorder } from '../machine/recorder.ts'
import { VirtMachine } from '../machine/virt.ts'
import { History } from '../machine/why/history.ts'
import type { Symbols } from '../machine/why/symbols.ts'
import { TraceWriter } from '../trace/index.ts'
import type { Command, Host, Io, Output } from './command.ts'
import { type ExitStatus, UsageError } from './command.ts'
import { readInputFile } from './input-file.ts'
import { nameOf as interruptName } from './interrupt-names.ts'
import { Keys, PROMPT } from './keys.ts'
import { LiveClock } from './live-clock.ts'
import { Relay } from './relay.ts'
import { type DriveOption, FIXED_EPOCH, parseRunOptions, type RunOptions } from './run-options.ts'
import { outcome, statsLine, statsOf } from './run-report.ts'
import { Session } from './session.ts'
import { printable } from './style.ts'
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
  --device virtio-blk-device,drive=ID[,bus=virtio-mmio-bus.N]
                         the slot of the drive with that id=; without it, as with QEMU, the last one that is free
  --device virtconsole   a virtio console, which then has the input in place of the UART
  --device loader,file=FILE[,addr=ADDRESS][,cpu-num=0][,force-raw=on]
                         a file in memory, at an address or where an ELF file says; with cpu-num the first CPU starts there
  --global virtio-mmio.force-legacy=false
                         version 2 of virtio's interface; without it, as with QEMU, the one of before virtio 1.0
  --rtc base=WHEN        the date at the start: utc, or as in 2026-01-31T12:00:00
  --clock host|guest     whether idle time follows the host's clock, or is skipped
  --seed N               of the guest's random numbers
  --ask COMMAND          a monitor's command when the run is over, as in 'why 27 0' or 'info irq'; repeatable
  --timeout LIMIT        guest seconds, as in 10, or instructions, as in 500Minstr; ends the run at the limit
  --host-timeout SECONDS the same for the host's time, however fast the guest's goes
  --allow-reset          a reset starts the machine again; without it, and with QEMU's --no-reboot, it ends the run
  --trace FILE           record the GIC's traffic for 'vgic replay' (packed where the name ends in .gz)
  --stats                one line at the end: speed, exits to devices, interrupts; with --json as a JSON object
  -d guest_errors,unimp  say what the guest does wrong (misuse of the GIC, refused accesses and PSCI calls, interrupts that
                         storm), and what it uses that the machine does not have; each once
  -D FILE                ... into a file
  -v, --verbose          both of -d
  --track                keep who writes what in the GIC, devices and timers, so that 'why' names who closed a gate; slower
  --symbols FILE         an ELF file with the names of the guest's code, as vmlinux beside an Image; an ELF kernel's own are read

QEMU's single dashes are taken, and those of its options that ask for what this machine is: -M virt,gic-version=3, -cpu,
-nographic, -serial mon:stdio, -device virtio-blk-device,drive=ID and the like.

Exit status: 0 the guest switched the machine off or you left, 2 a file or an option that cannot be used, 3 the guest asked
for a reset, 124 a limit of time, or nothing left that could happen, 130 interrupted, 143 terminated.

Examples:
  vgic run --kernel vmlinuz --initrd initrd.gz --append console=ttyAMA0 --smp 4
  vgic run --kernel test.elf --gic 3 --its --timeout 10 --stats --ask 'why 27 0' </dev/null
`

const TITLE = "GIC access trace: a guest on vgic's own machine"

/** Device trees and flash banks are no larger. */
const DTB_LIMIT = 16 * 2 ** 20

const MORE = '; --memory gives more'

async function readFiles(options: RunOptions): Promise<BootFiles & { firmware: Uint8Array | undefined }> {
  const read = async (path: string | undefined, limit: number, help?: string) =>
    path === undefined ? undefined : readInputFile(path, limit, help)
  const firmware = await read(options.bios, virtMap.flash0.size)
  if (firmware?.length === 0) throw new FileError(`${printable(options.bios ?? '')}: the firmware is empty`)
  return {
    kernel: await read(options.kernel, options.memory, MORE),
    initrd: await read(options.initrd, options.memory, MORE),
    dtb: await read(options.dtb, DTB_LIMIT),
    append: options.append,
    loads: await Promise.all(
      options.loaders.map(async ({ file, ...rest }) => ({ ...rest, bytes: await readInputFile(file, options.memory) })),
    ),
    firmware,
  }
}

/** Which file it is about, what is wrong, and what helps. */
function fileError(error: LoaderError, options: RunOptions): FileError {
  const name = error.about === undefined ? undefined : options[error.about]
  const help = error instanceof NoRoomError ? MORE : ''
  return new FileError(`${name === undefined ? '' : `${printable(name)}: `}${error.message}${help}`)
}

/** The most that a file of symbols may have: a kernel with its debug information is some hundreds of MiB. */
const SYMBOLS_LIMIT = 2 ** 30

/** Names for the guest's code: of the file that was given for it, which must have them, or of the kernel, which may. */
async function readSymbols(
  file: string | undefined,
  bytes: Uint8Array | undefined,
  kernel: LoadedKernel | undefined,
): Promise<Symbols | undefined> {
  const image = kernel?.kind === 'Linux Image' ? kernel.entry : undefined
  try {
    if (file !== undefined) return elfSymbols(await readInputFile(file, SYMBOLS_LIMIT), image)
    return bytes !== undefined && isElf(bytes) ? elfSymbols(bytes) : undefined
  } catch (error) {
    if (!(error instanceof LoaderError)) throw error
    if (file !== undefined) throw new FileError(`--symbols ${printable(file)}: ${error.message}`)
    return undefined
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

async function runCommand(args: readonly string[], io: Io): Promise<ExitStatus> {
  const options = parseRunOptions(args)
  const host = io.host ?? plainHost(io)
  const live = (options.clock ?? (host.interactive ? 'host' : 'guest')) === 'host'
  const { firmware, ...files } = await readFiles(options)
  const drives = options.drives.map(openDrive)
  let raw = false
  let trace: TraceOutput | undefined
  let log: TraceOutput | undefined
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
    const symbols = await readSymbols(options.symbols, files.kernel, plan.kernel)
    const fwCfg = firmware && (await fwCfgItems(files, memory))
    const clock = live ? new LiveClock() : undefined
    const input = new Relay(io.input[Symbol.asyncIterator]())
    let untyped: Uint8Array = new Uint8Array(0)
    let epoch = options.epoch ?? (live ? Math.floor(Date.now() / 1000) : FIXED_EPOCH)
    if (options.logFile !== undefined) log = await TraceOutput.open(options.logFile)
    if (options.trace !== undefined) trace = await TraceOutput.open(options.trace)
    const writer =
      trace && new TraceWriter(TITLE, describeVirt({ cpus, memory, gic, its }), (text) => trace?.write(text))
    let { limit } = options
    const deadline = options.hostLimit && performance.now() + options.hostLimit * 1000
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
        slots: options.slots,
        serials: options.serials,
        legacyVirtio: options.legacyVirtio,
        epoch,
        seed,
        clock,
        recorder: writer && new Recorder((event) => writer.write(event)),
        console: (character) => session?.transmit(character),
      })
      machine.symbols = symbols
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
      const silence = host.onSignal((signal) => session.end({ why: 'signal', signal }))
      if (host.interactive) {
        host.setRaw(true)
        raw = true
      }
      const end = await session.run().finally(silence)
      input.release()
      writer?.flush()
      if (raw) host.setRaw(false)
      const monitor = new Monitor(
        machine,
        { paused: true, quit: () => {}, ended: () => {} },
        { nameOf, errors, history },
      )
      for (const line of options.ask) io.out.write(`${PROMPT}${printable(line)}\n${monitor.execute(line)}\n`)
      if (options.stats) {
        const stats = statsOf(machine, session.busy)
        io.err.write(options.json ? `${JSON.stringify({ end: end.why, ...stats })}\n` : `vgic: ${statsLine(stats)}\n`)
      }
      if (end.why === 'reset' && options.allowReset) {
        // What a guest that resets for ever has used up stays used up, and signals are heard in between.
        const used = limit?.unit === 'seconds' ? machine.seconds : machine.instructions
        limit = limit && { ...limit, count: limit.count - used }
        untyped = machine.withdraw()
        // The real-time clock has a battery: a reset leaves its date alone, whoever set it.
        epoch = machine.rtc.data + (machine.seconds % 1)
        await new Promise<void>((resolve) => setImmediate(resolve))
        continue
      }
      await trace?.close()
      await log?.close()
      const [status, line] = outcome(end, machine)
      if (line !== undefined) io.err.write(`vgic: ${line}\n`)
      return status
    }
  } catch (error) {
    if (error instanceof LoaderError) throw fileError(error, options)
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
