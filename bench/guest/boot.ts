/**
 * The default guest of `vgic linux` to its prompt, in a process of its own, so that its memory is what this guest takes and its
 * time counts from the start of the process. Run with the paths of kernel and initial RAM disk; prints one line of JSON.
 */

import { readFileSync } from 'node:fs'
import { planBoot, VirtMachine } from 'vgic/machine'
import { append, BOOT_CPUS, BOOT_MEMORY, type BootResult, prompt } from './boot-plan.ts'

const [kernel, initrd] = process.argv.slice(2).map((path) => new Uint8Array(readFileSync(path)))
let text = ''
let there = false
const machine = new VirtMachine({
  cpus: BOOT_CPUS,
  memory: BOOT_MEMORY,
  console: (character) => {
    text = (text + String.fromCharCode(character)).slice(-4096)
    if (!there && prompt.test(text)) {
      there = true
      machine.stop()
    }
  },
})
const plan = await planBoot({ kernel, initrd, append }, { cpus: BOOT_CPUS, memory: BOOT_MEMORY, gic: 2 })
plan.start(machine)
const start = performance.now()
while (!there && machine.instructions < 20e9) if (machine.run(20_000_000) !== 'budget') break
const result: BootResult = {
  there,
  running: (performance.now() - start) / 1000,
  // performance.now() counts from the start of the process.
  seconds: performance.now() / 1000,
  instructions: machine.instructions,
  resident: process.resourceUsage().maxRSS / 1024,
}
process.stdout.write(`${JSON.stringify(result)}\n`)
