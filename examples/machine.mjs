// The whole machine: a guest on two CPUs, what it says, and the question of why an interrupt of its does not come. After
// `npm run build`: node examples/machine.mjs

import { readFileSync } from 'node:fs'
import { planBoot, VirtMachine } from 'vgic/machine'

const kernel = readFileSync(new URL('../guests/demo/demo.img', import.meta.url))
const board = { cpus: 2, memory: 64 * 2 ** 20, gic: 3 }
let said = ''
const machine = new VirtMachine({ ...board, console: (character) => (said += String.fromCharCode(character)) })
const plan = await planBoot({ kernel }, board)
plan.start(machine)
const reason = machine.run(1e9) // instructions of machine time: at most one second

console.log(said.match(/vgic's own guest.*\)/)[0])
console.log(said.match(/SPI 33.*ok/)[0])
console.log(`the machine is ${reason}`)
console.log(machine.gic.explain(44, 0).summary)
