/** The machine that a trace's header names: what is understood, what is let pass, what is refused and how. */

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { TraceError } from './event.ts'
import type { MachineDescription } from './header.ts'
import { emptyHeader, formatMachine, parseMachine, takeHeaderLine } from './header.ts'

describe("a trace's machine", () => {
  it('is read from the options that the bundled traces were recorded with', () => {
    expect(parseMachine('-machine virt,gic-version=2 -cpu cortex-a57 -smp 4 -m 512 -accel tcg,thread=single')).toEqual({
      version: 2,
      cpus: 4,
      intids: 288,
      priorityBits: 8,
      its: false,
      secure: false,
      virtualization: false,
      sleep: false,
      cpuModel: 'cortex-a57',
      memoryMiB: 512,
    })
  })

  it.each([
    ['-machine virt,gic-version=3,its=off -smp 4', { version: 3, its: false, priorityBits: 5 }],
    ['-machine virt,gic-version=3 -smp 4', { version: 3, its: true }],
    [
      '-M virt,gic-version=3,virtualization=on,its=on -cpu max,sve=off -smp 8',
      { virtualization: true, cpuModel: 'max', cpus: 8 },
    ],
    ['-machine type=virt,secure=on,gic-version=2 -smp cpus=2,sockets=1', { secure: true, version: 2, cpus: 2 }],
    ['-machine virt-7.2 -smp 2,maxcpus=4 -m 4G', { version: 2, cpus: 2, memoryMiB: 4096 }],
    ['virt,gic-version=2 -smp 3', { version: 2, cpus: 3 }],
    ['qemu-system-aarch64 -M virt,gic-version=3 -smp 2', { version: 3, cpus: 2 }],
    ['-machine virt,gic-version=3,gicr-sleep=on', { version: 3, sleep: true }],
    ['-machine virt,gic-version=max', { version: 3, cpus: 1 }],
    ['-machine virt-6.2,gic-version=3', { version: 3, priorityBits: 8 }],
    ['-machine virt-7.0,gic-version=3', { version: 3, priorityBits: 8 }],
    ['-machine virt-7.1,gic-version=3', { version: 3, priorityBits: 5 }],
    ['-machine virt-10.0,gic-version=3', { version: 3, priorityBits: 5 }],
    ['-machine virt,gic-version=2 -append "console=ttyAMA0 -smp 7" -smp 3', { cpus: 3 }],
    ['-machine virt,gic-version=3 -smp 512 -m size=1G,slots=2', { cpus: 512, memoryMiB: 1024 }],
  ])('%s', (text, expected) => {
    expect(parseMachine(text)).toMatchObject(expected)
  })

  it.each([
    ['', 'the machine is not named'],
    ['-smp 4', 'the machine is not named'],
    ['-machine', 'needs a value'],
    ['-machine -smp 4', 'needs a value'],
    ['-machine raspi4b', "only 'virt' is known"],
    ['-machine virt,gic-version=4', '2 and 3 are modelled'],
    ['-machine virt,gic-version=max,virtualization=on', 'a GICv4, whose virtual LPIs are not modelled'],
    ['-machine virt,gic-version=host', '2 and 3 are modelled'],
    ['-machine virt,gic-version=2,gic-version=3', 'contradicts itself'],
    ['-machine virt,gic-version=2 -machine virt,gic-version=3', 'contradicts itself'],
    ['-machine virt,gic-version=2 -smp 9', '1 to 8 are possible'],
    ['-machine virt,gic-version=3 -smp 513', '1 to 512 are possible'],
    ['-machine virt,gic-version=3 -smp 0', '1 to 512 are possible'],
    ['-machine virt,gic-version=3 -smp -1', 'needs a value'],
    ['-machine virt,gic-version=3 -smp 1e2', '1 to 512 are possible'],
    ['-machine virt,secure=perhaps', 'not on or off'],
    ['-machine virt -m lots', 'not an amount of memory'],
  ])('%j is refused: %s', (text, reason) => {
    expect(() => parseMachine(text, 2)).toThrow(reason)
    expect(() => parseMachine(text, 2)).toThrow(expect.objectContaining({ line: 2 }))
  })

  it('is read back as it was written', () => {
    const machines: fc.Arbitrary<MachineDescription> = fc
      .record({
        three: fc.boolean(),
        cpus: fc.integer({ min: 1, max: 8 }),
        its: fc.boolean(),
        secure: fc.boolean(),
        virtualization: fc.boolean(),
        sleep: fc.boolean(),
      })
      .map((r) => ({
        version: r.three ? 3 : 2,
        cpus: r.cpus,
        intids: 288,
        priorityBits: r.three ? 5 : 8,
        its: r.three && r.its,
        secure: r.secure,
        virtualization: r.virtualization,
        sleep: r.three && r.sleep,
        cpuModel: 'cortex-a57',
        memoryMiB: 512,
      }))
    fc.assert(
      fc.property(machines, (machine) => {
        expect(parseMachine(formatMachine(machine))).toEqual(machine)
      }),
    )
  })

  it('may be named twice, but not differently', () => {
    const header = emptyHeader()
    takeHeaderLine(header, '# Linux, 4 CPUs', 1)
    takeHeaderLine(header, '# machine: -machine virt,gic-version=2 -smp 4', 2)
    takeHeaderLine(header, '# machine: -machine virt,gic-version=2 -smp 4', 3)
    takeHeaderLine(header, '# events: 88145', 4)
    expect(header.title).toBe('Linux, 4 CPUs')
    expect(header.events).toBe(88_145)
    expect(header.machine?.cpus).toBe(4)
    expect(() => takeHeaderLine(header, '# machine: -machine virt,gic-version=2 -smp 2', 5)).toThrow(TraceError)
  })
})
