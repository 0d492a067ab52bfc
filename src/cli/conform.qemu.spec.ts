/** `vgic conform` and `vgic fuzz` with QEMU under them. Short: the suite itself is run by vectors.qemu.spec.ts. */

import { describe, expect, it } from 'vitest'
import { main } from './main.ts'

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

describe('vgic on QEMU', () => {
  it('lists the deviations that explain failing vectors apart, and ends with 0', async () => {
    const ran = await vgic('conform', '--target', 'qemu', '--cpus', '4', '--only', 'GICC_HPPIR')
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toMatch(/Q2-8 {2}.*\n +GICC_HPPIR tells the source CPU/)
    expect(ran.out).toMatch(/no unlisted failure: \d+ vectors/)
  })

  it.each([
    ['2', [], 'GICv2, 4 CPUs: agree'],
    ['2', ['--security'], 'GICv2, 4 CPUs, two Security states: agree'],
    ['3', [], 'GICv3, 4 CPUs: agree'],
    ['3', ['--security', '--cpus', '2'], 'GICv3, 2 CPUs, two Security states: agree'],
  ])('takes random operations to a GICv%s %j and to ours', async (gic, more, verdict) => {
    const ran = await vgic('fuzz', '--gic', gic, ...more, '--seed', '5', '--operations', '2000')
    expect(ran).toMatchObject({ status: 0, err: '' })
    expect(ran.out).toContain('seed 5\n')
    expect(ran.out).toContain(verdict)
    expect(ran.out).toContain('no unlisted difference')
  })
})
