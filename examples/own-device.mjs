// A device of one's own on the machine: an egg timer with a register, a deadline and an interrupt line. Its guest starts it and
// sleeps; it forgot something. After `npm run build`: node examples/own-device.mjs

import { planBoot, VirtMachine } from 'vgic/machine'
import { cpuInitiator, Frame, registerTable, word } from 'vgic/mmio'

const registers = registerTable('EGG', 0x1000, [
  word('EGG_START', 0x0, { write: (egg, _, milliseconds) => egg.start(milliseconds) }),
  word('EGG_STATUS', 0x4, { read: (egg) => (egg.rings ? 1 : 0), write: (egg) => egg.ring(false) }),
])

class Egg {
  due = Number.POSITIVE_INFINITY
  rings = false

  constructor(slot) {
    this.slot = slot
    this.frame = new Frame(registers, this)
  }

  start(milliseconds) {
    this.due = this.slot.seconds() + milliseconds / 1000
  }

  ring(on) {
    this.rings = on
    this.slot.interrupt(on)
  }

  // What the board asks of a device: where its registers go, when it has to do something, and to do it.
  wire(base) {
    return this.frame.wire(base)
  }

  deadline() {
    return this.due
  }

  timePassed() {
    if (this.slot.seconds() < this.due) return
    this.due = Number.POSITIVE_INFINITY
    this.ring(true)
  }
}

const devices = [{ name: 'egg', properties: { compatible: 'example,egg' }, attach: (slot) => new Egg(slot) }]
const board = { cpus: 1, memory: 16 * 2 ** 20, gic: 2, devices }
const machine = new VirtMachine(board)
// movz x0, #0xc00, lsl #16; movz w1, #5; str w1, [x0]; wfi
const guest = new Uint8Array(new Uint32Array([0xd2a18000, 0x528000a1, 0xb9000001, 0xd503207f]).buffer)
const plan = await planBoot({ kernel: guest }, board)
plan.start(machine)

console.log(`the machine is ${machine.run(1e9)}`)
console.log(`it is ${Math.round(machine.seconds * 1000)} ms old`)
console.log(`EGG_STATUS reads ${machine.bus.read32(0x0c00_0004, cpuInitiator(0))}`)
console.log(machine.gic.explain(144, 0).summary)
