// A GIC on a bus, an interrupt through it, and the question that this package is for. After `npm run build`:
// node examples/embedding.mjs

import { Bus, cpuInitiator, formatExplanation, GicV2 } from 'vgic'

const gic = new GicV2({ cpus: 2, intids: 96 })
const bus = new Bus()
bus.register(...gic.frames.gicd.wire(0x0800_0000), ...gic.frames.gicc.wire(0x0801_0000))
gic.onOutput = (cpu, line, level) => console.log(`CPU ${cpu} ${line} ${level ? 'high' : 'low'}`)

const cpu0 = cpuInitiator(0)
bus.write32(0x0800_0000, 1, cpu0) // GICD_CTLR: EnableGrp0
bus.write32(0x0800_0104, 1 << 8, cpu0) // GICD_ISENABLER1: INTID 40
bus.write8(0x0800_0828, 0b01, cpu0) // GICD_ITARGETSR10: INTID 40 to CPU 0
bus.write32(0x0801_0000, 1, cpu0) // GICC_CTLR: EnableGrp0

gic.setSpi(40, true)
console.log(formatExplanation(gic.explain(40, 0))[0])
bus.write32(0x0801_0004, 0xf0, cpu0) // GICC_PMR
console.log(`GICC_IAR reads ${bus.read32(0x0801_000c, cpu0)}`)
