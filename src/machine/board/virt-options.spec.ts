/** Machines that there cannot be: each is refused in one sentence that names the option. */

import { describe, expect, it } from 'vitest'
import { VirtMachine, type VirtOptions } from '../virt.ts'

describe('the options of a machine', () => {
  it.each([
    [{ gic: 4 }, 'gic: 4; there is 2 and 3'],
    [{ cpu: 2 }, 'cpu: no such option; there are cpus, memory, gic, its, '],
    [{ cpus: 9 }, 'cpus: 9; with a GICv2 there are 1 to 8'],
    [{ cpus: 1.5 }, 'cpus: 1.5; with a GICv2 there are 1 to 8'],
    [{ memory: 1000 }, 'memory: 1000 bytes is not a whole number of MiB'],
    [{ its: true }, 'its: an ITS needs a GICv3'],
  ])('refuse %j', (options, message) => {
    expect(() => new VirtMachine(options as unknown as VirtOptions)).toThrow(message)
  })
})
