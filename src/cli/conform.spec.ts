/** `vgic conform` and `vgic fuzz` as far as they need no QEMU: the table, a failure in full, and wrong options. */

import { describe, expect, it } from 'vitest'
import { ModelTarget } from '../conformance/model.ts'
import { type Outcome, runOn } from '../conformance/suite.ts'
import { read, vector, write } from '../conformance/vectors/build.ts'
import { conformJson, conformLines, type Report } from './conform-report.ts'
import { main } from './main.ts'
import { styleFor } from './style.ts'

async function vgic(...args: string[]) {
  const ran = { status: 0, out: '', err: '' }
  const output = (key: 'out' | 'err') => ({
    write: (text: string) => {
      ran[key] += text
    },
    isTerminal: false,
    columns: 100,
  })
  async function* input() {}
  ran.status = await main(args, { out: output('out'), err: output('err'), env: {}, input: input() })
  return ran
}

describe('vgic conform', () => {
  it.each(['frame', 'group'])('puts vectors to the model, one bus range for each %s', async (wiring) => {
    const ran = await vgic('conform', '--wiring', wiring, '--cpus', '2', '--only', 'Priority drop')
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toMatch(/✔ GICv2 {2}Priority drop and deactivation +1\d +· +/)
    expect(ran.out).toMatch(/\nall pass: \d+ vectors, \d+ runs\n$/)
  })

  it('says how many vectors are of other machines', async () => {
    const ran = await vgic('conform', '--gic', '2', '--cpus', '1', '--only', 'SGI')
    expect(ran.status).toBe(0)
    expect(ran.out).toMatch(/\d+ vectors left out: of another machine/)
  })

  it('fails where nothing applies: nothing was checked', async () => {
    const ran = await vgic('conform', '--gic', '2', '--cpus', '1', '--only', 'GICD_PPISR')
    expect(ran).toMatchObject({ status: 2, out: '' })
    expect(ran.err).toBe('vgic: none of the 1 vectors chosen applies to this machine: nothing was checked\n')
  })

  it('leaves out what a GIC has not, and counts it', async () => {
    const ran = await vgic('conform', '--gic', '2', '--cpus', '2', '--only', 'MSI', '--without', 'v2m,inputs')
    expect(ran.status).toBe(2)
    const some = await vgic(
      'conform',
      '--gic',
      '2',
      '--cpus',
      '2',
      '--only',
      'read-only',
      '--without',
      'identification',
    )
    expect(some.status).toBe(0)
    expect(some.out).toMatch(/3 vectors left out/)
  })

  it('lists the vectors, for people and as the documented format', async () => {
    const list = await vgic('conform', '--list', '--gic', '2', '--only', 'GICv2m')
    expect(list.out).toMatch(/\nGICv2 {2}GICv2m \(\d+\)\n {2}V2M_MSI_TYPER tells .* IHI 0048B/)
    const json = JSON.parse((await vgic('conform', '--list', '--json')).out) as { format: string; subjects: unknown[] }
    expect(json.format).toBe('vgic-vectors')
    expect(json.subjects.length).toBeGreaterThan(25)
  })

  it('prints one JSON object', async () => {
    const object: unknown = JSON.parse((await vgic('conform', '--json', '--cpus', '4', '--only', 'FIQ')).out)
    expect(object).toMatchObject({
      ok: true,
      target: 'model',
      machines: [{ version: 2, cpus: 4, security: false, its: false }],
      failures: [],
    })
  })

  it.each([
    [['--target', 'kvm'], "--target wants model or qemu, not 'kvm'"],
    [['--gic', '4'], "--gic wants 2 or 3, not '4'"],
    [['--cpus', '0'], '--cpus wants a whole number'],
    [['--cpus', '9'], 'a GICv2 has 1 to 8'],
    [['--gic', '3', '--cpus', '33'], 'a GICv3 has 1 to 32'],
    [['--gic', '2', '--its'], '--its needs a GICv3'],
    [['--wiring', 'bus'], '--wiring wants frame or group'],
    [['--target', 'qemu', '--wiring', 'frame'], '--wiring is of the model'],
    [['--only', 'no\u001bsuch'], '--only: no vector has'],
    [['--list', '--only', 'no\u001bsuch'], '--only: no vector has'],
    [['--list', '--json', '--only', 'no\u001bsuch'], '--only: no vector has'],
    [['x'], "conform takes no 'x'"],
    [['--frob'], "Unknown option '--frob'"],
  ])('answers %j with one line and status 2', async (args, reason) => {
    const ran = await vgic('conform', ...args)
    expect(ran).toMatchObject({ status: 2, out: '' })
    expect(ran.err).toMatch(/^vgic: [^\n]*\n$/)
    expect(ran.err).toContain(reason)
    expect(ran.err).not.toContain('\u001b')
  })
})

describe('the report of a failure', async () => {
  const wrong = vector('GICC_PMR is 1', '4.4.2', {}, write(0, 'GICC_PMR', 0xf0), read(0, 'GICC_PMR').is(1, 0xff))
  const machine = {
    config: { version: 2, cpus: 1, security: false, its: false } as const,
    traits: { priorityBits: 8, intids: 288 },
  }
  const outcomes: Outcome[] = [{ subject: 'Masks', vector: wrong, ran: [], failed: [] }]
  await runOn(new ModelTarget(machine.config), machine, outcomes)
  const report = (target: Report['target'], deviation?: string): Report => ({
    target,
    wiring: 'frame',
    machines: [machine],
    outcomes,
    deviationOf: () => deviation,
    seconds: 1,
  })
  const style = styleFor({ write: () => {}, isTerminal: false, columns: 80 }, {})

  it('has the clause, the machine, every step, and what the answer should be', () => {
    const text = conformLines(report('model'), style).join('\n')
    expect(text).toContain('✘ GICC_PMR is 1 (IHI 0048B 4.4.2; Masks)')
    expect(text).toContain('on GICv2, 1 CPU:')
    expect(text).toContain('      0 W gicc 0x4 4 0xf0\n')
    expect(text).toContain(
      '    > 0 R gicc 0x4 4 0xf0 (GICC_PMR)  should be 0x1 in bits 0xff (Priority is 0xf0, should be 0x1)',
    )
    expect(text).toMatch(/✘ GICv2 {2}Masks +· +1 +·/)
    expect(text).toContain('1 vector of 1 failed')
    expect(conformJson(report('model'))).toMatchObject({
      ok: false,
      failures: [
        { name: 'GICC_PMR is 1', deviation: null, on: [{ failures: [{ step: 1, actual: { value: '0xf0' } }] }] },
      ],
    })
  })

  it('is a line of its deviation where QEMU is known for it', () => {
    const text = conformLines(report('qemu', 'Q2-9'), style).join('\n')
    expect(text).toMatch(/Q2-9 {2}GICC_HPPIR is 1023 when.*\n {6}GICC_PMR is 1/)
    expect(text).toContain('no unlisted failure: 1 vector, 1 run, 1 fail as listed')
    expect(text).not.toContain('✘')
    expect(conformJson(report('qemu', 'Q2-9'))).toMatchObject({ ok: true, failures: [{ deviation: 'Q2-9' }] })
  })
})

describe('vgic fuzz', () => {
  it.each([
    [['--seed', '0'], '--seed wants a whole number from 1'],
    [['--seed', '4294967296'], '--seed wants a whole number from 1 to 4294967295'],
    [['--operations', 'x'], '--operations wants a whole number'],
    [['--operations', '9999999999'], 'from 1 to 1000000000'],
    [['--cpus', '64', '--gic', '3'], 'a GICv3 has 1 to 32'],
    [['x'], "fuzz takes no 'x'"],
  ])('answers %j with one line and status 2', async (args, reason) => {
    const ran = await vgic('fuzz', ...args)
    expect(ran).toMatchObject({ status: 2, out: '' })
    expect(ran.err).toMatch(/^vgic: [^\n]*\n$/)
    expect(ran.err).toContain(reason)
  })
})
