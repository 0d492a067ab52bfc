/** `vgic run` as its users meet it, without a terminal: what ends it and with which status, and what it says of bad files. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import { elfWithSymbols } from '../machine/testing/elf-with-symbols.ts'
import { a64, words } from '../machine/testing/guest.ts'
import { demoImage } from './demo.ts'
import { main } from './main.ts'
import { virtioOf } from './virtio-options.ts'

const folder = mkdtempSync(join(tmpdir(), 'vgic-run-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

async function run(args: string[], ...input: string[]) {
  const ran = { status: 0, out: '', err: '' }
  const output = (key: 'out' | 'err') => ({
    write: (text: string) => {
      ran[key] += text
    },
    isTerminal: false,
    columns: 80,
  })
  async function* bytes() {
    for (const [i, text] of input.entries()) {
      // What is typed later comes when the machine runs.
      if (i > 0) await new Promise((resolve) => setTimeout(resolve, 300))
      yield new TextEncoder().encode(text)
    }
  }
  ran.status = await main(['run', ...args], { out: output('out'), err: output('err'), env: {}, input: bytes() })
  return ran
}

const { movz, movk, hvc, loop, wfi, br, ldr } = a64
/** HVC with a PSCI function (DEN 0022): 32-bit calls are 0x8400_00xx. */
const psci = (call: number) => [movz(0, call), movk(0, 0x8400, 1), hvc]
const small = ['-m', '4M']

const guests = {
  off: file('off', words(...psci(8), loop)),
  reset: file('reset', words(...psci(9), loop)),
  halt: file('halt', words(...psci(2), loop)),
  wfi: file('wfi', words(wfi, 0x17ff_ffff)),
  loop: file('loop', words(loop)),
  /** BR to where nothing is, with vectors where nothing is either: an abort for ever. */
  nowhere: file('nowhere', words(movz(0, 0x7000, 1), br(0))),
  unmapped: file('unmapped', words(movz(1, 0x7000, 1), ldr(0, 1), loop)),
}

describe('vgic run', () => {
  it('ends with 0 when the guest switches the machine off (PSCI SYSTEM_OFF)', async () => {
    expect(await run(['--kernel', guests.off, ...small])).toEqual({ status: 0, out: '', err: '' })
  })

  it("takes QEMU's single dashes and a packed kernel", async () => {
    const path = file('off.gz', gzipSync(words(...psci(8), loop)))
    expect(await run(['-kernel', path, '-smp', '2', '-m', '4'])).toMatchObject({ status: 0 })
  })

  it('takes a line written for QEMU that asks for what there is, and a value that begins with a dash', async () => {
    const line = '-M virt,gic-version=3,its=on -cpu cortex-a57 -nographic -no-reboot -smp 2,sockets=1,cores=2 -m 8M'
    const drive = ['-drive', `file=${guests.loop},if=none,format=raw,id=hd`, '-device', 'virtio-blk-device,drive=hd']
    const rest = ['-append', '-- quiet', '--ask', 'info mtree', '--ask', 'info cpus']
    const { status, out } = await run([...line.split(' '), ...drive, '-kernel', guests.off, ...rest])
    expect(status).toBe(0)
    expect(out).toMatch(/GITS/)
    expect(out).toMatch(/virtio-blk/)
    expect(out).toMatch(/^1 +off/m)
  })

  it('ends with 3 and a line when the guest asks for a reset (PSCI SYSTEM_RESET)', async () => {
    const ran = await run(['--kernel', guests.reset, ...small])
    expect(ran).toMatchObject({ status: 3, out: '' })
    expect(ran.err).toMatch(/^vgic: the guest asked for a reset.*\n$/)
  })

  it('gives its figures to a program as one JSON object', async () => {
    const { err } = await run(['--kernel', guests.off, ...small, '--json'])
    expect(JSON.parse(err)).toMatchObject({
      end: 'off',
      instructions: 3,
      exits: 0,
      interrupts: 0,
      interruptsPerSecond: 0,
    })
  })

  it('starts the machine again where a reset is allowed, within one limit for all its lives', async () => {
    // Writes a character to the UART in each life, after some 1000 turns of a loop: SUBS X3, X3, #1; B.NE back to it.
    const said = [movz(1, 0x0900, 1), movz(2, 0x21), 0xb900_0022, movz(3, 1000), 0xf100_0463, 0x54ff_ffe1]
    const again = file('again', words(...said, ...psci(9), loop))
    const ran = await run(['--kernel', again, ...small, '--allow-reset', '--timeout', '5kinstr'])
    expect(ran.status).toBe(124)
    expect(ran.out).toBe('!!!')
  })

  it('leaves the date alone that a guest set before it reset the machine, as what runs on a battery does', async () => {
    // Prints the low byte of RTCDR, sets RTCLR to 'B', and switches off where it was that.
    const print = [
      movz(1, 0x0900, 1),
      movz(3, 0x0901, 1),
      0xb940_0062,
      0xb900_0022,
      0x7101_085f,
      movz(4, 0x42),
      0xb900_0864,
    ]
    const path = file('date', words(...print, 0x5400_0080, ...psci(9), ...psci(8)))
    const args = [
      '--kernel',
      path,
      ...small,
      '--allow-reset',
      '--rtc',
      'base=1970-01-01T00:01:05',
      '--timeout',
      '10Minstr',
    ]
    expect(await run(args)).toEqual({ status: 0, out: 'AB', err: '' })
  })

  it.each([
    ['one by one', ['a', 'b', 'q'], 'abq'],
    // Who polls gets one character at a time, so that the reset finds none in the FIFO, which it empties.
    ['all before the guest starts', ['abq'], 'abq'],
  ])('gives the input to each of the lives of a machine that starts again, typed %s', async (_, typed, echoed) => {
    // Echoes one character, polling UARTFR.RXFE; 'q' switches off, and anything else resets.
    const poll = [movz(1, 0x0900, 1), 0xb940_1824, 0x3727_ffe4, 0xb940_0022, 0xb900_0022, 0x7101_c45f, 0x5400_0080]
    const path = file('echo', words(...poll, ...psci(9), ...psci(8)))
    const ran = await run(['--kernel', path, ...small, '--allow-reset', '--timeout', '1Ginstr'], ...typed)
    expect(ran).toEqual({ status: 0, out: echoed, err: '' })
  })

  it.each([
    ['loop', ['--timeout', '0.001']],
    ['loop', ['--timeout', '100kinstr']],
    ['nowhere', ['--timeout', '20kinstr']],
    ['unmapped', ['--timeout', '20kinstr']],
  ] as const)('ends with 124 and a line when a guest that does %s reaches %j', async (guest, limit) => {
    const ran = await run(['--kernel', guests[guest], ...small, ...limit])
    expect(ran).toMatchObject({ status: 124, out: '' })
    // Those that run into nothing are told of that first.
    expect(ran.err).toMatch(
      guest === 'loop' ? /^vgic: the limit is reached: .*\n$/ : /\nvgic: the limit is reached: .*\n$/,
    )
  })

  it('stops at the instruction that the limit names on one CPU', async () => {
    const ran = await run(['--kernel', guests.loop, ...small, '--timeout', '12345instr'])
    expect(ran.err).toContain('12,345 instructions')
  })

  it.each([
    ['without a limit', []],
    ['long before a limit in seconds', ['--timeout', '100000']],
    ['long before a limit in instructions', ['--timeout', '1Ginstr']],
  ])('ends with 124 when nothing is left that could happen, %s, and says that', async (_, limit) => {
    for (const [guest, why] of [
      ['wfi', 'every CPU waits'],
      ['halt', 'every CPU is off'],
    ] as const) {
      const ran = await run(['--kernel', guests[guest], ...small, ...limit])
      expect(ran.status).toBe(124)
      expect(ran.err).toContain(why)
      expect(ran.err).not.toContain('limit')
    }
  })

  it.each([
    ['--timeout', '600'],
    ['--timeout', '600Minstr'],
    ['--host-timeout', '60'],
  ])('waits for input that is piped in late, also with %s %s: only the end of input is the end', async (...limit) => {
    const ran = await run(['--kernel', demoImage, '--append', 'stay', '-m', '8', ...limit], 'a', 'b', 'q')
    expect(ran.status).toBe(0)
    expect(ran.out).toContain('switching off')
  })

  it('waits for input that may come no longer than a limit in seconds is', async () => {
    const start = performance.now()
    const ran = await run(['--kernel', guests.wfi, ...small, '--timeout', '0.3'], '', ...Array(20).fill(''))
    expect(ran.status).toBe(124)
    expect(ran.err).toContain('every CPU waits')
    expect(performance.now() - start).toBeLessThan(5000)
  })

  it.each(['loop', 'wfi'] as const)(
    'ends with 124 at the limit of the host time, when a guest does %s',
    async (guest) => {
      const start = performance.now()
      const ran = await run(['--kernel', guests[guest], ...small, '--host-timeout', '0.5'], '', ...Array(20).fill(''))
      expect(ran).toMatchObject({ status: 124, out: '' })
      expect(ran.err).toMatch(/^vgic: the host's limit is reached: .*\n$/)
      expect(performance.now() - start).toBeLessThan(5000)
    },
  )

  it.each([
    ['guest', '2.000 guest seconds'],
    // The clock of the host is no faster than it is.
    ['host', '0.500 guest seconds'],
  ])('ends at the very limit while every CPU sleeps for longer, with the clock of the %s', async (clock, at) => {
    // Its timer is due after 1000 s: CNTV_TVAL_EL0 is at most 2^31 - 1 ticks, so CNTV_CVAL_EL0 is written (D19.12).
    const far = [movz(1, 0xe, 2), 0xd51b_e341, movz(2, 1), 0xd51b_e322, wfi, 0x17ff_ffff]
    const path = file(`far-${clock}`, words(...far))
    const ran = await run(['--kernel', path, ...small, '--clock', clock, '--timeout', at.split(' ')[0]!])
    expect(ran.status).toBe(124)
    expect(ran.err).toContain(`the limit is reached: ${at}`)
  })

  it.each([[['--timeout', '5']], [[]]])(
    'ends with 124 at %j when input waits for a guest that never listens',
    async (limit) => {
      const ran = await run(['--kernel', guests.wfi, ...small, ...limit], 'unheard')
      expect(ran.status).toBe(124)
      expect(ran.err).toContain('every CPU waits')
    },
  )

  it('says what a guest missed, once, to those who ask', async () => {
    const ran = await run(['--kernel', guests.unmapped, ...small, '--timeout', '20kinstr', '-v'])
    expect(ran.err.match(/reads 0x70000000, where nothing is/g)).toHaveLength(1)
  })

  it('names a system register that nobody has, once, when it is asked to say more', async () => {
    // MRS X0, S3_0_C15_C2_0, which Cortex cores have and the architecture has not; its vector loops.
    const path = file('register', words(0xd538_f200, loop))
    const ran = await run(['--kernel', path, ...small, '--timeout', '1kinstr', '-v'])
    expect(ran.err.match(/unknown register 0xd538f200 \(mrs x0, s3_0_c15_c2_0\)/g)).toHaveLength(1)
  })

  it('says of bytes that are no kernel, unasked, that the CPU takes one exception for ever, and what to do', async () => {
    const path = file(
      'random.bin',
      Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + 13) ^ (i >> 3)),
    )
    const ran = await run(['--kernel', path, ...small, '--timeout', '20kinstr'])
    expect(ran.err).toMatch(
      /^vgic: CPU 0 takes the same exception at the same PC again and again, .* \(ESR_EL1 = 0x[0-9a-f]+.*Is the file really a kernel for arm64/,
    )
    expect(ran.err.match(/again and again/g)).toHaveLength(1)
  })

  it("logs a guest's errors into a file with -d and -D, as QEMU does, and refuses other items by name", async () => {
    const log = join(folder, 'errors.log')
    const args = ['--kernel', guests.unmapped, ...small, '--timeout', '20kinstr']
    const ran = await run([...args, '-d', 'guest_errors', '-D', log])
    expect(ran.err).not.toContain('nothing is')
    expect(readFileSync(log, 'utf8')).toMatch(/^CPU 0 reads 0x70000000, where nothing is\n/)
    const refused = await run([...args, '-d', 'in_asm'])
    expect([refused.status, refused.err]).toEqual([
      2,
      expect.stringContaining("-d is of guest_errors, unimp, not 'in_asm'"),
    ])
    expect((await run([...args, '-D', join(folder, 'no', 'such')])).err).toContain('no such folder')
  })

  it('says of an SP that is not aligned that QEMU does not check it (DDI 0487 D1.10.2)', async () => {
    // SCTLR_EL1.SA set, SP at 8: MSR SCTLR_EL1, X0; MOV SP, X1; LDR X2, [SP]. The vector is where nothing is.
    const path = file('stack', words(movz(0, 8), 0xd518_1000, movz(1, 8), 0x9100_003f, 0xf940_03e2, loop))
    const ran = await run(['--kernel', path, ...small, '--timeout', '1kinstr', '-v'])
    expect(ran.err).toMatch(/SP alignment fault, SP is 0x8 .*QEMU does not check it/)
  })

  it('names with --track who closed a gate, and counts what was taken', async () => {
    const ran = await run(['--kernel', demoImage, '-m', '8', '--track', '--ask', 'why 45', '--ask', 'info irq'])
    expect(ran.out).toMatch(
      /^ {2}priority mask: last written by CPU 0 at 0x4[0-9a-f]{7}, [0-9.]+ s after the start: 0x[0-9a-f]+$/m,
    )
    expect(ran.out).toMatch(/^INTID +kind +to +priority +state +taken$/m)
  })

  it('names code with the symbols of an ELF kernel, or of --symbols, and refuses a file that has none in one line', async () => {
    const names = [{ name: 'first', value: 0x4008_0000n }]
    const elf = file('named.elf', elfWithSymbols(words(0xd503_201f, loop), { virtual: 0x4008_0000n, names }))
    const ask = ['--timeout', '100instr', '--ask', 'info cpus', '--ask', 'x/2i $pc-4']
    const listed = /^0 .* first\+0x4$[\s\S]*^0x0000000040080000 <first>: nop\n0x0000000040080004 <first\+0x4>: b /m
    expect((await run(['--kernel', elf, ...small, ...ask])).out).toMatch(listed)
    const flat = ['--kernel', file('flat', words(0xd503_201f, loop)), ...small, ...ask]
    expect((await run(flat)).out).not.toContain('first')
    expect((await run([...flat, '--symbols', elf])).out).toMatch(listed)
    const refused = await run([...flat, '--symbols', guests.loop])
    expect([refused.status, refused.err]).toEqual([
      2,
      expect.stringMatching(/^vgic: --symbols .*loop: is no ELF file.*\n$/),
    ])
  })

  it('names the code of the exception that a CPU takes for ever', async () => {
    const names = [{ name: 'broken_driver', value: 0x4008_0000n }]
    const elf = file('broken.elf', elfWithSymbols(words(0xd503_201f, 0), { virtual: 0x4008_0000n, names }))
    const ran = await run(['--kernel', elf, ...small, '--timeout', '20kinstr'])
    expect(ran.err).toContain('Before that came an undefined instruction at 0x40080004 (broken_driver+0x4)')
  })

  it('feeds standard input to the UART, and goes on behind its end', async () => {
    const ran = await run(['--kernel', demoImage, '--append', 'stay', '-m', '8', '--stats'], 'aq')
    expect(ran.status).toBe(0)
    expect(ran.out).toContain('switching off')
    expect(ran.err).toMatch(/^vgic: [0-9.]+ M instructions in .* MIPS; .* exits to devices, [0-9]+ interrupts/)
  })

  it("answers the monitor's questions when the run is over", async () => {
    const ran = await run(['--kernel', demoImage, '-m', '8', '--ask', 'why 44', '--ask', 'info cpus'])
    expect(ran.out).toMatch(
      /^\(vgic\) why 44\nSPI 44 is not signalled to CPU 0: .*[\s\S]*\n\(vgic\) info cpus\nCPU +state/m,
    )
  })

  it('writes a trace that vgic replay finds no fault with', async () => {
    const trace = join(folder, 'demo.trace.gz')
    expect((await run(['--kernel', demoImage, '-m', '8', '--smp', '2', '--trace', trace])).status).toBe(0)
    let out = ''
    const output = { write: (text: string) => (out += text), isTerminal: false, columns: 80 }
    async function* none() {}
    expect(await main(['replay', trace], { out: output, err: output, env: {}, input: none() })).toBe(0)
    expect(out).toContain('no divergence')
  })
})

describe('vgic run with the devices of a command line for QEMU', () => {
  it('starts the first CPU at a file of the loader, without a kernel', async () => {
    const { status, err } = await run(['--device', `loader,file=${guests.off},addr=0x40010000,cpu-num=0`, ...small])
    expect([status, err]).toEqual([0, ''])
  })

  it('takes the names of devices that are there anyway, a virtio console, and the version of virtio', async () => {
    const devices = [
      'virtio-serial-device',
      'virtconsole,chardev=c',
      'virtio-rng-device',
      'virtio-blk-device,drive=d,serial=vgic-0',
    ]
    const { status, err } = await run([
      ...['--kernel', guests.off, ...small, '-global', 'virtio-mmio.force-legacy=false'],
      ...['-drive', `file=${guests.loop},if=none,id=d`],
      ...devices.flatMap((device) => ['-device', device]),
    ])
    expect([status, err]).toEqual([0, ''])
  })
})

/** What a guest finds in the slots of virtio from 0 up to the given one: prints each DeviceID as a digit. */
const probe = (() => {
  // X1 is the UART, X3 a slot's DeviceID, X4 how many are left.
  const start = [movz(1, 0x0900, 1), movz(3, 0x0a00, 1), movk(3, 8), movz(4, 32)]
  // LDR W2, [X3]; ADD W2, W2, #'0'; STR W2, [X1]; ADD X3, X3, #0x200; SUBS X4, X4, #1; B.NE to the first of these.
  const turn = [0xb940_0062, 0x1100_c042, 0xb900_0022, 0x9108_0063, 0xf100_0484, 0x54ff_ff61]
  return file('probe', words(...start, ...turn, ...psci(8), loop))
})()

describe('vgic run with virtio devices', () => {
  const drive = (id: string) => ['-drive', `file=${guests.loop},if=none,format=raw,id=${id}`]
  const blk = (id: string, bus?: number) => [
    '-device',
    `virtio-blk-device,drive=${id}${bus === undefined ? '' : `,bus=virtio-mmio-bus.${bus}`}`,
  ]
  const console = ['-device', 'virtio-serial-device,bus=virtio-mmio-bus.1', '-device', 'virtconsole,chardev=c']
  it.each([
    // DeviceIDs are 2 for a disk, 3 for a console, 4 for entropy (Virtual I/O Device 1.2, 5), 0 for none.
    ['in the last slots where nothing says where', [...drive('a'), ...drive('b')], /^0{29}422$/],
    ['where bus= says', [...drive('a'), ...blk('a', 0)], /^20{30}4$/],
    [
      'in the order of the command line, as QEMU 7.2 has it',
      ['-device', 'virtio-rng-device', ...drive('a'), ...drive('b'), ...blk('b', 3), ...blk('a')],
      /^00020{26}24$/,
    ],
    ['beside a console', [...drive('a'), ...blk('a', 0), ...console], /^230{29}4$/],
  ])('has them %s', async (_, devices, ids) => {
    const ran = await run(['--kernel', probe, ...small, ...devices])
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toMatch(ids)
  })

  it('gives each drive the serial number that its device names', () => {
    const devices = ['virtio-blk-device,drive=c,serial=last', 'virtio-blk-device,serial=one,,two,drive=a']
    expect(virtioOf(devices, ['a', undefined, 'c']).serials).toEqual(['one,two', undefined, 'last'])
  })

  it.each([
    [[...drive('a'), '-device', 'virtio-blk-device,drive=a,bogus=1'], "virtio-blk-device: 'bogus=1' is not known"],
    [['-device', 'virtio-rng-device,rng=r0'], 'virtio-rng-device: its entropy comes from --seed, not from an -object'],
    [[...drive('a'), '-device', `virtio-blk-device,drive=a,serial=${'x'.repeat(21)}`], 'is not up to 20 characters'],
    [['-device', 'virtio-rng-device,rate=9'], "virtio-rng-device: 'rate=9' is not known; id and bus are"],
    [[...drive('a'), ...blk('b')], 'virtio-blk-device: there is no --drive with id=b'],
    [[...drive('a'), ...blk('a'), ...blk('a')], 'virtio-blk-device: drive a is in use already'],
    [[...drive('a'), ...blk('a', 32)], "there is no bus 'virtio-mmio-bus.32'"],
    [['-device', 'virtio-rng-device,bus=pcie.0'], "there is no bus 'pcie.0'"],
    [['-device', 'virtio-blk-device'], 'virtio-blk-device: it wants a drive=ID'],
    [['-device', 'virtio-rng-device', '-device', 'virtio-rng-device'], 'virtio-rng-device: there is one of these'],
    [
      [...drive('a'), ...drive('b'), ...blk('a'), ...blk('b', 31)],
      'virtio-blk-device: bus virtio-mmio-bus.31 is taken',
    ],
    [Array.from({ length: 33 }, (_, i) => drive(`d${i}`)).flat(), 'more virtio devices than the 32 slots'],
  ])('answers %j with one line and status 2', async (devices, reason) => {
    const ran = await run(['--kernel', guests.off, ...small, ...devices])
    expect(ran).toMatchObject({ status: 2, out: '' })
    expect(ran.err).toMatch(/^vgic: [^\n]*\n$/)
    expect(ran.err).toContain(reason)
  })
})

describe('vgic run with something unusable', () => {
  const big = file('big', new Uint8Array(5 * 2 ** 20))
  const kernel = ['--kernel', guests.loop, ...small]
  it.each([
    [[], 'run needs --kernel FILE or --bios FILE'],
    [['--kernel', '/no/such/file'], '/no/such/file: cannot be read: no such file'],
    [['--kernel', tmpdir()], 'it is a directory'],
    [['--kernel', '/dev/zero'], 'no plain file'],
    [['--kernel', file('empty', new Uint8Array(0))], 'the kernel is empty'],
    [['--kernel', file('text', new TextEncoder().encode('hello, wörld\n'.repeat(60)))], 'text: the kernel is text'],
    [['--kernel', file('cut.gz', gzipSync(new Uint8Array(5000)).subarray(0, 20))], 'gzip data that is damaged'],
    [['--kernel', file('elf', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2))], 'the ELF file'],
    [['--kernel', big, ...small], 'do not fit'],
    [[...kernel, '--initrd', big], 'do not fit'],
    [
      [...kernel, '--initrd', file('most', new Uint8Array(3 * 2 ** 20))],
      "the initial RAM disk of 3 MiB does not fit: 2 MiB of the memory's 4 MiB are left behind the kernel; --memory gives more",
    ],
    [[...kernel, '--initrd', file('none', new Uint8Array(0))], 'the initial RAM disk is empty'],
    [[...kernel, '--dtb', guests.loop], 'loop: the device tree cannot be used: not a device tree'],
    [[...kernel, '--dtb', '/no/dtb'], '/no/dtb: cannot be read'],
    [[...kernel, '--drive', '/no/disk'], '/no/disk'],
    [[...kernel, '--drive', `${guests.loop},colour=red`], "--drive: 'colour=red' is not known"],
    [[...kernel, '--trace', '/no/folder/x'], '/no/folder/x: cannot be written'],
    [['--bios', file('nobios', new Uint8Array(0))], 'the firmware is empty'],
    [['--bios', guests.loop, '--initrd', guests.loop], 'an initial RAM disk needs a kernel'],
    [['--kernel', guests.loop, '--smp', '9'], '--smp wants 1 to 8 CPUs with a GICv2'],
    [['--kernel', guests.loop, '--smp', '65', '--gic', '3'], '--smp wants 1 to 64'],
    [['--kernel', guests.loop, '--smp', '0'], '--smp'],
    [['--kernel', guests.loop, '--gic', '4'], '--gic is 2 or 3'],
    [['--kernel', guests.loop, '--gic', '2', '--its'], '--its needs --gic 3'],
    [['--kernel', guests.loop, '-m', '4G'], '--memory wants'],
    [['--kernel', guests.loop, '-m', '0'], '--memory wants'],
    [['--kernel', guests.loop, '--timeout', 'soon'], '--timeout wants'],
    [['--kernel', guests.loop, '--timeout', '0'], '--timeout wants'],
    [['--kernel', guests.loop, '--host-timeout', '0'], '--host-timeout wants'],
    [['--kernel', guests.loop, '--host-timeout', '9999999'], '--host-timeout wants'],
    [['--kernel', guests.loop, '--rtc', 'base=later'], '--rtc wants'],
    [['--kernel', guests.loop, '--clock', 'x'], '--clock is host or guest'],
    [[...kernel, '--device', 'virtio-gpu-pci'], "--device: there is no 'virtio-gpu-pci'"],
    [[...kernel, '--device', 'loader,addr=0x40000000'], '--device loader: it wants a file=FILE'],
    [[...kernel, '--device', `loader,file=${guests.loop},addr=high`], '--device loader: addr wants a number'],
    [[...kernel, '--device', `loader,file=${guests.loop},addr=0,cpu-num=1`], '--device loader: cpu-num is 0'],
    [[...kernel, '--device', `loader,file=${guests.loop},addr=0x9000000`], 'a file to load does not fit'],
    [[...kernel, '--device', 'loader,file=/no/file,addr=0'], '/no/file: cannot be read'],
    [[...kernel, '--global', 'virtio-mmio.force-legacy=maybe'], '--global:'],
    [['--kernel', guests.loop, '-frob'], "Unknown option '--frob'"],
    [['--kernel', guests.loop, '--smp', '-1'], "Option '--smp' wants a value;"],
    [['--kernel'], "Option '--kernel' wants a value;"],
    [['--kernel', ''], '--kernel wants a FILE'],
    [['--kernel', guests.loop, '--smp', '2,cores=0'], '--smp wants'],
    [['--kernel', guests.loop, '--smp', '9'], '--gic 3 has more'],
    [['--kernel', guests.loop, '--gic', '2.5'], "--gic is 2 or 3, not '2.5'"],
    [['--kernel', guests.loop, '-M', 'raspi3b'], "--machine 'raspi3b': the machine is virt"],
    [['--kernel', guests.loop, '-M', 'virt,virtualization=on'], 'no EL2'],
    [['--kernel', guests.loop, '-cpu', 'cortex-a15'], "--cpu 'cortex-a15': the CPU is"],
    [['--kernel', guests.loop, '-device', 'virtio-net-device'], "--device: there is no 'virtio-net-device'"],
    [['--kernel', guests.loop, '-serial', 'pty'], "--serial 'pty': "],
    [['--kernel', guests.loop, '--frob'], "Unknown option '--frob'"],
    [[guests.loop], 'run takes no'],
  ])('answers %j with one line and status 2', async (args, reason) => {
    const ran = await run(args)
    expect(ran).toMatchObject({ status: 2, out: '' })
    expect(ran.err).toMatch(/^vgic: [^\n]*\n$/)
    expect(ran.err).toContain(reason)
    expect(ran.err).not.toContain('internal error')
  })
})

describe('a device tree that is given', () => {
  it('gets memory, command line and RAM disk entered, and keeps the rest', async () => {
    const { decodeFdt, cellsOf, encodeFdt, fdtNode, findNode, stringsOf } = await import(
      '../machine/device-tree/fdt.ts'
    )
    const { planBoot } = await import('../machine/boot/boot.ts')
    const { VirtMachine } = await import('../machine/virt.ts')
    const root = fdtNode('', { '#address-cells': [2], '#size-cells': [2], compatible: 'a,board' }, [
      fdtNode('memory@0', { device_type: 'memory', reg: [0, 0, 0, 1] }),
      fdtNode('chosen', { 'stdout-path': '/uart' }),
      fdtNode('thing', {}),
    ])
    const dtb = encodeFdt({ root, reservations: [], bootCpu: 0 })
    const files = { kernel: readFileSync(guests.loop), initrd: new Uint8Array(100).fill(7), dtb, append: 'hello' }
    const plan = await planBoot(files, { cpus: 1, memory: 2 ** 23, gic: 2 })
    const machine = new VirtMachine({ memory: 2 ** 23 })
    plan.start(machine)
    const at = Number(machine.cluster.register(0, 0))
    const tree = decodeFdt(machine.ram.bytes.subarray(at - machine.ram.base)).root
    const chosen = findNode(tree, '/chosen')!.properties
    expect(stringsOf(chosen.get('bootargs'))).toEqual(['hello'])
    expect(stringsOf(chosen.get('stdout-path'))).toEqual(['/uart'])
    const start = cellsOf(chosen.get('linux,initrd-start'))[0]!
    expect(cellsOf(chosen.get('linux,initrd-end'))[0]! - start).toBe(100)
    expect(machine.ram.read8(start)).toBe(7)
    expect(cellsOf(findNode(tree, '/memory')!.properties.get('reg'))).toEqual([0, 0x4000_0000, 0, 2 ** 23])
    expect(findNode(tree, '/thing')).toBeDefined()
  })
})
