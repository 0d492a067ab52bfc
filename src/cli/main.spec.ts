/** The command as its users meet it: what it prints where, and with which status it ends. No process is started here. */

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync, gzipSync } from 'node:zlib'
import { afterAll, describe, expect, it } from 'vitest'
import type { Io } from './command.ts'
import { commandNames } from './commands.ts'
import { main } from './main.ts'

const bundled = fileURLToPath(new URL('../../traces/linux-gicv2-smp4.trace.gz', import.meta.url))
const bundledIts = fileURLToPath(new URL('../../traces/linux-gicv3-its-smp4.trace.gz', import.meta.url))
const packed = readFileSync(bundled)
const folder = mkdtempSync(join(tmpdir(), 'vgic-cli-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function file(name: string, content: string | Uint8Array): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

interface Ran {
  status: number
  out: string
  err: string
}

async function vgic(
  args: string[],
  options: { terminal?: boolean; env?: Io['env']; input?: Uint8Array } = {},
): Promise<Ran> {
  const ran = { status: 0, out: '', err: '' }
  const output = (key: 'out' | 'err') => ({
    write: (text: string) => {
      ran[key] += text
    },
    isTerminal: options.terminal ?? false,
    columns: 100,
  })
  async function* input() {
    yield options.input ?? new Uint8Array(0)
  }
  ran.status = await main(args, { out: output('out'), err: output('err'), env: options.env ?? {}, input: input() })
  return ran
}

const machine = '# machine: -machine virt,gic-version=2 -smp 4\n'

/** A bad file or option: status 2, nothing but one line, no stack. */
function expectOneLine({ status, err }: Ran, reason: string): void {
  expect(status).toBe(2)
  expect(err).toMatch(/^vgic: [^\n]*\n$/)
  expect(err).toContain(reason)
  expect(err).not.toMatch(/internal error|\bat .*\.ts:/)
}

describe('vgic', () => {
  it('shows every command, with an example, to --help, to help and to nothing at all', async () => {
    for (const args of [['--help'], ['-h'], ['help'], []]) {
      const ran = await vgic(args)
      expect(ran).toMatchObject({ status: 0, err: '' })
      for (const name of commandNames) expect(ran.out).toContain(`\n  ${name}`)
      expect(ran.out).toContain('Example:')
    }
  })

  it('shows an example in the help of every command', async () => {
    for (const name of commandNames) {
      const ran = await vgic([name, '--help'])
      expect(ran).toMatchObject({ status: 0, err: '' })
      expect(ran.out).toMatch(new RegExp(`^Usage: vgic ${name}\\b[\\s\\S]*\nExamples?:\n  vgic ${name}\\b`))
      expect((await vgic(['help', name])).out).toBe(ran.out)
    }
  })

  it('prints the version of the package', async () => {
    const manifest: unknown = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(manifest).toMatchObject({ version: (await vgic(['--version'])).out.trim() })
  })

  it.each([
    [['frobnicate'], "unknown command 'frobnicate'"],
    [['constructor'], "unknown command 'constructor'"],
    [['help', 'frobnicate'], "unknown command 'frobnicate'"],
    [['\u001b[31mx'], 'unknown command'],
    [['--frob'], "unknown option '--frob'"],
    [['replay'], 'needs a FILE'],
    [['replay', '--frob', 'x'], "Unknown option '--frob'"],
    [['replay', '--limit'], '--limit'],
    [['replay', '--limit', '-3', 'x'], '--limit'],
    [['replay', '--limit', '1.5', 'x'], '--limit wants a whole number'],
    [['replay', '--stop-at', '0', 'x'], '--stop-at wants a whole number from 1'],
    [['replay', '--stop-at', '99999999999999999999', 'x'], '--stop-at wants a whole number'],
    [['replay', '--explain', '27', bundled], 'wants INTID@CPU'],
    [['replay', '--explain', '1:2:3', bundled], 'DEVICEID:EVENTID'],
    [['replay', '--explain', '0x100000000:1', bundled], 'DEVICEID:EVENTID'],
    [['replay', '--explain', ':', bundled], 'DEVICEID:EVENTID'],
    [['replay', '--explain', '0x8:1', bundled], 'has no ITS'],
    [['replay', '--explain', '4000@0', bundledIts], 'INTID 0 to 287, and LPIs from 8192 on'],
    [['replay', '--explain', '27@-1', bundled], 'wants INTID@CPU'],
    [['replay', '--explain', '27@4', bundled], 'has CPU 0 to 3'],
    [['replay', '--explain', '288@0', bundled], 'INTID 0 to 287'],
    [['replay', '--machine', 'raspi4b', bundled], "--machine: the machine is 'raspi4b'"],
    [['replay', '/no/such/file'], '/no/such/file: cannot be read: no such file'],
    [['replay', tmpdir()], 'it is a directory'],
    [['replay', 'a\u0000b'], 'cannot be read'],
    [['start', 'x'], "start takes no 'x'"],
  ])('answers %j with one line and status 2', async (args, reason) => {
    const ran = await vgic(args)
    expectOneLine(ran, reason)
    expect(ran.out).toBe('')
    expect(ran.err).not.toContain('\u001b')
  })
})

describe('vgic replay', () => {
  it('ends with 0 where nothing diverges, and says what it compared', async () => {
    const ran = await vgic(['replay', bundled])
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toContain('24,375 reads and 26,510 output changes: all agree')
    expect(ran.out).toContain('no divergence')
    expect(ran.out).not.toContain('\u001b')
  })

  it('reads standard input for -', async () => {
    expect(await vgic(['replay', '-'], { input: packed })).toMatchObject({ status: 0 })
  })

  it('colours a terminal only, and not where NO_COLOR is set', async () => {
    const path = file('colours.trace', `${machine}0 R gicd 0x4 4 0x68\n`)
    expect((await vgic(['replay', path], { terminal: true })).out).toContain('\u001b[')
    expect((await vgic(['replay', path], { terminal: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b[')
  })

  it('lists with --misuse what the traffic does wrong, once with its count (IHI 0048 4.4.5: an end of nothing)', async () => {
    const text = `${machine}0 W gicc 0x0 4 0x1\n0 W gicc 0x10 4 0x1b\n0 W gicc 0x10 4 0x1b\n`
    const path = file('misuse.trace', text)
    const ran = await vgic(['replay', '--misuse', path])
    expect(ran.out).toMatch(/^ {2}event 2: CPU 0: end of interrupt 27, but none is running: ignored \(2 times\)$/m)
    expect((await vgic(['replay', path])).out).not.toContain('end of interrupt')
  })

  it.each([
    // GICD_CTLR, GICD_ISENABLER0, GICC_PMR, GICC_CTLR; then GICC_IAR and GICC_EOIR again and again.
    [
      2,
      machine,
      ['W gicd 0x0 4 0x1', 'W gicd 0x100 4 0x8000000', 'W gicc 0x4 4 0xff', 'W gicc 0x0 4 0x1'],
      ['R gicc 0xc 4 0x1b', 'W gicc 0x10 4 0x1b'],
    ],
    // GICD_CTLR, GICR_WAKER, GICR_IGROUPR0, GICR_ISENABLER0.
    [
      3,
      machine.replace('version=2', 'version=3'),
      [
        ...['W gicd 0x0 4 0x12', 'W gicr 0x14 4 0x0', 'W gicr 0x10080 4 0xffffffff', 'W gicr 0x10100 4 0x8000000'],
        ...['MSR ICC_PMR_EL1 0xff', 'MSR ICC_IGRPEN1_EL1 0x1'],
      ],
      ['MRS ICC_IAR1_EL1 0x1b', 'MSR ICC_EOIR1_EL1 0x1b'],
    ],
  ])(
    'lists with --misuse an interrupt that storms, with its line high from end to end (GICv%i)',
    async (_, header, before, turn) => {
      const lines = (list: readonly string[]) => list.map((line) => `0 ${line}\n`).join('')
      const start = `${header}${lines(before)}irq 27 0 1\nout 0 irq 1\n`
      const ends = (turns: number, quiet: string) =>
        start + lines(turn).repeat(turns) + quiet + lines(turn).repeat(turns)
      // A line that falls and rises is a device that was quietened.
      const calm = await vgic(['replay', '--misuse', file('calm.trace', ends(5000, 'irq 27 0 0\nirq 27 0 1\n'))])
      expect(calm.out).not.toContain('its line high')
      const ran = await vgic(['replay', '--misuse', file('storm.trace', ends(5000, ''))])
      expect(ran.out).toMatch(/^ {2}event [0-9]+: CPU 0: PPI 27 ended 10,000 times with its line high all the time: /m)
    },
  )

  it('ends with 1 at a divergence and shows line, both values, the events before it, and the gates', async () => {
    const text = `${machine}0 W gicd 0x0 4 0x1\n0 W gicd 0x100 4 0x8000000\nirq 27 0 1\n0 R gicc 0xc 4 0x1b\n`
    const ran = await vgic(['replay', file('diverges.trace', text)])
    expect(ran).toMatchObject({ status: 1, err: '' })
    expect(ran.out).toMatch(/diverges\.trace:5: divergence 1: GICC_IAR \(event 4\)/)
    expect(ran.out).toContain('recorded  0x1b')
    expect(ran.out).toContain('ours      0x3ff')
    expect(ran.out).toContain('0 W gicd 0x100 4 0x8000000')
    expect(ran.out).toMatch(/closed .*GICC_CTLR\.EnableGrp0 = 0x0/)
    expect(ran.out).toContain('1 divergence\n')
  })

  it('shows as many divergences as --limit says, and counts all', async () => {
    const path = file('many.trace', machine + '0 R gicd 0x100 4 0x0\n'.repeat(30))
    const ran = await vgic(['replay', '--limit', '2', path])
    expect(ran.status).toBe(1)
    expect(ran.out.match(/: divergence \d/g)).toHaveLength(2)
    expect(ran.out).toContain('30 divergences, the first 2 above')
    expect((await vgic(['replay', '--limit', '0', path])).out).toContain('30 divergences')
  })

  it('prints one JSON object for all files, whatever became of them', async () => {
    const bad = file('bad.trace', `${machine}nonsense\n`)
    const ran = await vgic(['replay', '--json', bundled, bad, '/no/such/file'])
    expect(ran.status).toBe(2)
    const object: unknown = JSON.parse(ran.out)
    expect(object).toMatchObject({
      ok: false,
      divergences: 0,
      files: [
        { file: bundled, events: 88_145, divergenceCount: 0, divergences: [], machine: { version: 2, cpus: 4 } },
        { file: bad, error: expect.stringContaining(`${bad}:2: 'nonsense' is not an event`) },
        { file: '/no/such/file', error: expect.stringContaining('no such file') },
      ],
    })
    expect(ran.err.split('\n')).toHaveLength(3)
  })

  it('stops where it is told to, prints the state there, and explains', async () => {
    const ran = await vgic(['replay', '--stop-at', '198', '--explain', '27@0', '--explain', '33@1', bundled])
    expect(ran.status).toBe(0)
    expect(ran.out).toContain('stopped after event 198')
    expect(ran.out).toMatch(/GICC_RPR +0xa0/)
    expect(ran.out).toMatch(/INTID +27 +CPU 0 .*active/)
    expect(ran.out).toMatch(/closed +not active .*GICD_ISACTIVER0/)
    expect(ran.out).toContain('SPI 33')
    const json: unknown = JSON.parse(
      (await vgic(['replay', '--json', '--stop-at', '198', '--explain', '27@0', bundled])).out,
    )
    expect(json).toMatchObject({
      files: [
        {
          stoppedAt: 198,
          state: { cpus: expect.any(Array) },
          explanations: [{ intid: 27, cpu: 0, deliverable: false }],
        },
      ],
    })
  })

  it('explains a message through the ITS, and the LPI that it becomes', async () => {
    const args = ['replay', '--explain', '0x10:1', '--explain', '24:0', bundledIts]
    const ran = await vgic(args)
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toContain('EventID 0x1 of DeviceID 0x10 is LPI 8195 on PE 0.')
    expect(ran.out).toMatch(/closed +device mapped +DeviceID 0x18 is not mapped/)
    // Its place in memory is the replay's own invention: the trace has no first-level table.
    expect(ran.out).toContain('device table entry 0x18 in a page that the trace does not record.V = 0x0')
    expect(ran.out).toMatch(/closed +pending +it is not pending on PE 0/)
    expect(ran.out).toMatch(/waits +best pending +not decided before these are open/)
    const json: unknown = JSON.parse((await vgic(['replay', '--json', ...args.slice(1)])).out)
    expect(json).toMatchObject({
      files: [
        { messages: [{ mapped: true, intid: 8195 }, { mapped: false }], explanations: [{ intid: 8195, cpu: 0 }] },
      ],
    })
  })

  it('says so when the trace ends before the event to stop at', async () => {
    const ran = await vgic(['replay', '--stop-at', '5', file('short.trace', `${machine}0 R gicd 0x4 4 0x68\n`)])
    expect(ran.out).toContain('the trace ended before that, after event 1')
  })

  it('takes the machine from --machine where there is no header', async () => {
    const path = file('headless.trace', '0 R gicd 0x100 4 0xffff\n')
    expectOneLine(await vgic(['replay', path]), 'give --machine')
    expect(await vgic(['replay', '--machine', 'virt,gic-version=2 -smp 4', path])).toMatchObject({ status: 0 })
  })

  it('refuses a trace that is cut short between two lines, by the count in its header', async () => {
    const whole = gunzipSync(packed).toString('latin1')
    const cut = `${whole.split('\n').slice(0, 1000).join('\n')}\n`
    expectOneLine(await vgic(['replay', file('cut.trace', cut)]), 'the header promises 88145 events, and there are 996')
  })

  it('reports a divergence in a changed trace although its count is wrong too', async () => {
    const lines = gunzipSync(packed).toString('latin1').split('\n')
    const path = file('changed.trace.gz', gzipSync(lines.toSpliced(lines.indexOf('out 0 irq 1'), 1).join('\n')))
    const ran = await vgic(['replay', path])
    expect(ran.status).toBe(1)
    expect(ran.err).toContain('the header promises')
  })

  it.each([
    ['empty.trace', '', 'the header names no machine'],
    ['header-only.trace', machine, 'there is no event in it'],
    ['no-machine.trace', '# a trace\n0 R gicd 0x4 4 0x68\n', 'the header names no machine'],
    ['raspi.trace', '# machine: -machine raspi4b\n0 R gicd 0x4 4 0x68\n', "raspi.trace:1: the machine is 'raspi4b'"],
    ['cpus.trace', '# x\n# machine: -machine virt,gic-version=2 -smp 9\n', 'cpus.trace:2: the machine has'],
    [
      'two.trace',
      `${machine}# machine: -machine virt,gic-version=2 -smp 2\n`,
      'two.trace:2: the header names two different machines',
    ],
    ['cpu.trace', `${machine}4 R gicd 0x4 4 0x68\n`, 'cpu.trace:2: CPU 4 on a machine with 4'],
    ['negative.trace', `${machine}-1 R gicd 0x4 4 0x68\n`, 'negative.trace:2: '],
    ['huge.trace', `${machine}0 R gicd 0x4 4 0x${'f'.repeat(400)}\n`, 'huge.trace:2: '],
    ['offset.trace', `${machine}0 R gicd 0x10000 4 0x0\n`, 'offset.trace:2: offset'],
    ['size3.trace', `${machine}0 R gicd 0x4 3 0x0\n`, 'size3.trace:2: an access of'],
    ['size16.trace', `${machine}0 R gicd 0x4 16 0x0\n`, 'size16.trace:2: an access of'],
    ['nul.trace', `${machine}0 R gicd 0x4 4 0x68\n\u0000\u0000\u0000\n`, 'nul.trace:3: '],
    ['long.trace', `${machine}${'0'.repeat(1_000_000)}`, 'long.trace:2: '],
    ['intid.trace', `${machine}irq 1019 - 1\n`, 'intid.trace:2: INTID 1019 on a machine with 288'],
    ['output.trace', `${machine}out 0 irq 1\n`, 'output.trace:2: '],
    ['garbage.trace', Uint8Array.from({ length: 4096 }, (_, i) => (i * 167 + (i >> 3) * 31) & 0xff), 'garbage.trace'],
    [
      'not-gzip.trace.gz',
      Uint8Array.of(0x1f, 0x8b, 8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
      'not-gzip.trace.gz:1: the gzip data',
    ],
    ['gic4.trace', '# machine: -machine virt,gic-version=4\n', 'gic4.trace:1: '],
  ])('%s gets one line with its place, and status 2', async (name, content, reason) => {
    expectOneLine(await vgic(['replay', file(name, content)]), reason)
  })

  it('gives a cut gzip file one line with the line number, wherever it is cut', async () => {
    for (const cut of [1, 2, 10, 11, 100, 1000, 10_000, 20_000, packed.length - 8, packed.length - 1]) {
      const path = file(`cut-${cut}.trace.gz`, packed.subarray(0, cut))
      expectOneLine(await vgic(['replay', path]), cut < 2 ? path : `cut-${cut}.trace.gz:`)
    }
  })
})

describe('vgic start', () => {
  it('replays the bundled traces and names what it saw and what to do next', async () => {
    const ran = await vgic(['start'])
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toContain('Linux 6.1 (Debian 12 arm64)')
    expect(ran.out).toMatch(/GICv2 +GICv3 +GICv3 with ITS\n/)
    // What the recorder counted of each boot.
    expect(ran.out).toMatch(/events.* 88,145 +75,252 +80,685\n/)
    expect(ran.out).toMatch(/✔ reads +24,375 +13,246 +14,539\n/)
    expect(ran.out).toMatch(/✔ changes of IRQ and FIQ +26,510 +26,156 +28,281\n/)
    expect(ran.out).toMatch(/PPI +27 +virtual timer +8,187/)
    expect(ran.out).toMatch(/SPI +33 +UART/)
    expect(ran.out).toMatch(/SGI +1 +call function/)
    expect(ran.out).toMatch(/LPI 8193 +message \(ITS\) +· +· +1,030/)
    expect(ran.out).toContain('npx vgic replay --stop-at 198 --explain 27@0')
    // The bundled guest says itself what it saw: three more CPUs, the timer of each, and a message.
    expect(ran.out.match(/CPU_ON .*: ok/g)).toHaveLength(3)
    expect(ran.out.match(/virtual timer of CPU \d+, 5 times: ok/g)).toHaveLength(4)
    expect(ran.out).toMatch(/GICv2m frame: ok/)
    // Nobody can ask between pipes, so one question is asked.
    expect(ran.out).toContain('(vgic) why 44\nSPI 44 is not signalled to CPU 0: it is not enabled in the Distributor.')
    expect(ran.out).not.toContain('NOT SEEN')
    expect(ran.out).toMatch(/frame: ok[\s\S]*Next:\n {2}npm run linux\n/)
    // An explanation is as wide as the names of its registers ask for.
    const lines = ran.out.replace(/^\(vgic\)[\s\S]*?\n\n/m, '').split('\n')
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
  })

  it('shows progress on a terminal, and takes it away again', async () => {
    const ran = await vgic(['start'], { terminal: true })
    expect(ran.err).toContain('replaying')
    expect(ran.err.endsWith('\r\u001b[K')).toBe(true)
  })
})
