/**
 * A guest that is nothing but noise: random instructions of every row, random page tables, random registers, aborting devices. Nothing
 * may throw, count backwards, or leave XZR with a value.
 */
import { expect, it } from 'vitest'
import { Cluster } from './cluster.ts'
import { Random } from './differential/random.ts'
import { patternBits } from './isa/row.ts'
import { rows } from './isa/rows.ts'
import { STATE } from './state/state.ts'

/** `npm run test:long` gives both: more of it, from another seed. */
const seed = Number(process.env['VGIC_SEED'] ?? 20_160_528)
const times = Number(process.env['VGIC_STEPS'] ?? 1)

const RAM = 0x40000000
const size = 0x100000

it('noise as a guest ends every run by its budget or by a waiting instruction', () => {
  const random = new Random(seed)
  const patterns = rows.map(({ pattern }) => patternBits(pattern))
  const bus = {
    high: 0,
    abort: false,
    read(): number {
      this.abort = random.below(4) === 0
      this.high = random.word() | 0
      return random.word() | 0
    },
    write(): void {
      this.abort = random.below(4) === 0
    },
  }
  const cluster: Cluster = new Cluster({
    cpus: 2,
    memory: [
      { base: RAM, size },
      { base: 0, size: 0x10000, readOnly: true },
    ],
    bus,
    hooks: {
      hypercall: () => random.below(2) === 0,
      systemRegisters: {
        high: 0,
        known: false,
        read() {
          this.known = random.below(2) === 0
          this.high = random.word()
          return random.word()
        },
        write: () => random.below(2) === 0,
      },
      timerOutput: (cpu, _timer, level) => cluster.setIrq(cpu, level),
    },
  })
  const memory = cluster.view(RAM, size)!
  const view = new DataView(memory.buffer, memory.byteOffset, memory.byteLength)
  const somewhere = () => BigInt(RAM + random.below(size))
  const endings = new Set<string>()
  let retired = 0
  for (let round = 0; round < 2 * times; round++) {
    for (let at = 0; at < size; at += 4) {
      const { mask, value } = patterns[random.below(patterns.length)]!
      view.setUint32(at, random.below(12) === 0 ? random.word() : ((random.word() & ~mask) | value) >>> 0, true)
    }
    for (let cpu = 0; cpu < 2; cpu++) {
      cluster.start(cpu, somewhere() & ~3n, random.quad())
      for (let register = 0; register < 32; register++)
        cluster.setRegister(cpu, register, random.below(3) ? somewhere() : random.value())
      cluster.setSystemRegister(cpu, 'VBAR_EL1', somewhere() & ~0x7ffn)
      cluster.setSystemRegister(cpu, 'CPACR_EL1', 0x300000n)
      if (random.below(2)) {
        for (let entry = 0; entry < 64; entry++) {
          const at = 0x1000 * random.below(16) + 8 * random.below(512)
          view.setBigUint64(at, (somewhere() & ~0xfffn) | BigInt(random.below(4096)) | 0x403n, true)
        }
        for (const name of ['TCR_EL1', 'MAIR_EL1']) cluster.setSystemRegister(cpu, name, random.quad())
        for (const name of ['TTBR0_EL1', 'TTBR1_EL1'])
          cluster.setSystemRegister(cpu, name, BigInt(RAM + 0x1000 * random.below(16)))
        cluster.setSystemRegister(cpu, 'SCTLR_EL1', random.quad() | 1n)
      }
    }
    for (let slice = 0; slice < 60; slice++) {
      const cpu = slice & 1
      const before = cluster.retired(cpu)
      const budget = 1 + random.below(3000)
      endings.add(cluster.run(cpu, budget))
      const ran = cluster.retired(cpu) - before
      expect(ran).toBeGreaterThanOrEqual(0)
      expect(ran).toBeLessThanOrEqual(budget)
      retired += ran
      expect(cluster.cpus[cpu]!.quad(STATE.ZERO)).toBe(0n)
      if (random.below(4) === 0) cluster.setIrq(cpu, random.below(2) === 0)
      if (random.below(8) === 0) cluster.setTime(cpu, random.below(1e9))
      if (random.below(20) === 0) cluster.restoreCpu(cpu, cluster.saveCpu(cpu))
    }
  }
  expect(retired).toBeGreaterThan(15_000 * times)
  for (const ending of endings) expect(['budget', 'wfi', 'wfe', 'yield']).toContain(ending)
})
