/**
 * A transcript of accesses and memory, made on our devices, to be put to QEMU's by its qtest protocol (with TCG, stopped: Debian's
 * binary has no qtest accelerator). For specs in `*.qemu.spec.ts`; it is no part of the package.
 */

import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { Ram } from '../../devices/memory.ts'
import { type AccessSize, Bus, cpuInitiator, silentPolicy } from '../../mmio/index.ts'

const cpu0 = cpuInitiator(0)
const LETTER = { 1: 'b', 2: 'w', 4: 'l', 8: 'q' } as const

interface Line {
  /** What QEMU is told. */
  readonly command: string
  /** What our device answered; undefined where there is nothing to compare. */
  readonly answer?: string
  /** Time for QEMU's own threads afterwards, in milliseconds. */
  readonly pause?: number
}

/** Does what it is told on our bus and memory, and keeps it for QEMU. */
export class Transcript {
  readonly bus = new Bus(silentPolicy)
  readonly ram: Ram
  readonly lines: Line[] = []

  constructor(memory = 0x20_0000) {
    this.ram = new Ram(0x4000_0000, new Uint8Array(memory))
  }

  read(address: number, size: AccessSize = 4): bigint {
    const low = this.bus.read(address, size, cpu0)
    const value = (BigInt(this.bus.high >>> 0) << 32n) | BigInt(low >>> 0)
    const command = `read${LETTER[size]} 0x${address.toString(16)}`
    const answer = `OK 0x${value.toString(16).padStart(16, '0')}`
    this.lines.push({ command, answer })
    return value
  }

  write(address: number, value: number, size: AccessSize = 4, pause = 0): void {
    const bits = size === 1 ? value & 0xff : size === 2 ? value & 0xffff : value >>> 0
    this.bus.write(address, size, bits | 0, 0, cpu0)
    this.lines.push({ command: `write${LETTER[size]} 0x${address.toString(16)} 0x${bits.toString(16)}`, pause })
  }

  store(address: number, bytes: Uint8Array): void {
    this.ram.write(address, bytes)
    const hex = Buffer.from(bytes).toString('hex')
    this.lines.push({ command: `write 0x${address.toString(16)} 0x${bytes.length.toString(16)} 0x${hex}` })
  }

  load(address: number, length: number): Uint8Array {
    const bytes = new Uint8Array(length)
    this.ram.read(address, bytes)
    this.lines.push({
      command: `read 0x${address.toString(16)} 0x${length.toString(16)}`,
      answer: `OK 0x${Buffer.from(bytes).toString('hex')}`,
    })
    return bytes
  }

  /** Puts the transcript to QEMU; returns each line that it answers otherwise, with both answers. */
  async differences(args: readonly string[] = []): Promise<string[]> {
    const answers = await ask(args, this.lines)
    return this.lines.flatMap(({ command, answer }, i) =>
      answer === undefined || answer === answers[i] ? [] : [`${i}: ${command}: ours ${answer}, QEMU's ${answers[i]}`],
    )
  }
}

async function ask(args: readonly string[], lines: readonly Line[]): Promise<string[]> {
  const common = ['-accel', 'tcg', '-S', '-m', '64', '-nodefaults', '-display', 'none', '-serial', 'null']
  const qemu = spawn(
    'qemu-system-aarch64',
    ['-M', 'virt', ...common, '-qtest', 'stdio', '-qtest-log', 'none', ...args],
    {
      stdio: ['pipe', 'pipe', 'pipe'],
    },
  )
  const gone = once(qemu, 'exit')
  const timer = setTimeout(() => qemu.kill('SIGKILL'), 60_000)
  try {
    return await converse(qemu, lines)
  } finally {
    clearTimeout(timer)
    qemu.kill('SIGKILL')
    await gone
  }
}

async function converse(qemu: ChildProcess, lines: readonly Line[]): Promise<string[]> {
  const answers: string[] = []
  let rest = ''
  let complaint = ''
  let wake = () => {}
  qemu.stderr!.on('data', (chunk: Buffer) => {
    complaint += chunk.toString()
  })
  qemu.stdout!.on('data', (chunk: Buffer) => {
    const parts = (rest + chunk.toString()).split('\n')
    rest = parts.pop()!
    answers.push(...parts.filter((line) => !line.startsWith('IRQ')))
    wake()
  })
  let alive = true
  qemu.on('exit', () => {
    alive = false
    wake()
  })
  qemu.stdin!.on('error', () => {})
  for (let sent = 0; sent < lines.length; ) {
    const from = sent
    while (sent < lines.length && sent - from < 500) if (lines[sent++]!.pause) break
    qemu.stdin!.write(
      lines
        .slice(from, sent)
        .map(({ command }) => `${command}\n`)
        .join(''),
    )
    while (alive && answers.length < sent)
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    if (!alive) throw new Error(`QEMU ended after ${answers.length} answers: ${complaint.trim()}`)
    const pause = lines[sent - 1]!.pause
    if (pause) await new Promise((resolve) => setTimeout(resolve, pause))
  }
  return answers
}
