// A GICv3: two PEs, an SPI routed to the second by affinity, acknowledged through its system registers. After `npm run build`:
// node examples/embedding-gicv3.mjs

import { Bus, cpuInitiator, GicV3, iccEncoding } from 'vgic'

const gic = new GicV3({ cpus: 2, intids: 96 })
const bus = new Bus()
bus.register(...gic.frames.gicd.wire(0x0800_0000), ...gic.wireRedistributors([0x080a_0000]))
gic.onOutput = (pe, line, level) => console.log(`PE ${pe} ${line} ${level ? 'high' : 'low'}`)

const cpu1 = cpuInitiator(1)
bus.write32(0x0800_0000, 1 << 1, cpu1) // GICD_CTLR: EnableGrp1
bus.write32(0x0800_0084, 1 << 8, cpu1) // GICD_IGROUPR1: INTID 40 is in Group 1
bus.write32(0x0800_0104, 1 << 8, cpu1) // GICD_ISENABLER1
bus.write64(0x0800_6140, 1n, cpu1) // GICD_IROUTER40: to affinity 0.0.0.1
gic.writeSysreg(1, iccEncoding('ICC_PMR_EL1'), 0xf0)
gic.writeSysreg(1, iccEncoding('ICC_IGRPEN1_EL1'), 1)

gic.setSpi(40, true)
console.log(gic.explain(40, 1).summary)
bus.write32(0x080c_0014, 0, cpu1) // GICR_WAKER of PE 1: awake
console.log(`ICC_IAR1_EL1 reads ${gic.readSysreg(1, iccEncoding('ICC_IAR1_EL1'))}`)
