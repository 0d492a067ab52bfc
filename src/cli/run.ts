/** `vgic run`: a guest on the board around this package's GIC, in this terminal or between pipes. */

import { fwCfgItems, planBoot } from '../machine/boot/boot.ts'
import { LoaderError } from '../machine/boot/loaded.ts'
import { describeVirt } from '../machine/recorder.ts'
import { TraceWriter } from '../trace/index.ts'
import type { Command, Host, Io } from './command.ts'
import { type ExitStatus, UsageError } from './command.ts'
import { LiveClock } from './live-clock.ts'
import { Relay } from './relay.ts'
import { fileError, openDrive, readFiles, readSymbols } from './run-files.ts'
import { afterReset, runMachine, type Start } from './run-machine.ts'
import { FIXED_EPOCH, parseRunOptions } from './run-options.ts'
import { outcome } from './run-report.ts'
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
    const log = options.logFile === undefined ? undefined : await TraceOutput.open(options.logFile)
    const trace = options.trace === undefined ? undefined : await TraceOutput.open(options.trace)
    const run = {
      options,
      io,
      host,
      plan,
      firmware,
      fwCfg: firmware && (await fwCfgItems(files, memory)),
      symbols,
      disks: drives.map(({ disk }) => disk),
      seed,
      clock: live ? new LiveClock() : undefined,
      input: new Relay(io.input[Symbol.asyncIterator]()),
      writer: trace && new TraceWriter(TITLE, describeVirt({ cpus, memory, gic, its }), (text) => trace.write(text)),
      trace,
      log,
      deadline: options.hostLimit && performance.now() + options.hostLimit * 1000,
    }
    let start: Start = {
      limit: options.limit,
      epoch: options.epoch ?? (live ? Math.floor(Date.now() / 1000) : FIXED_EPOCH),
      untyped: new Uint8Array(0),
    }
    for (;;) {
      const { machine, end } = await runMachine(run, start)
      if (end.why === 'reset' && options.allowReset) {
        start = afterReset(machine, start)
        // Signals are heard in between.
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
    for (const drive of drives) drive.close()
  }
}

export const run: Command = {
  name: 'run',
  help,
  run: runCommand,
}
