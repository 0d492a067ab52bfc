/** Runs a batch on this CPU: the image of image.ts, until the agent asks PSCI to power off. */
import { Cluster } from '../cluster.ts'
import { features } from '../isa/row.ts'
import { type Case, entry, ram, type Setting, writeImage } from './image.ts'

/** There is nothing but memory: anything else is an external abort, as on QEMU's board. */
const bus = {
  high: 0,
  abort: false,
  read(): number {
    this.abort = true
    return 0
  },
  write(): void {
    this.abort = true
  },
}

/** One machine serves many batches: making a CPU is the expensive part. */
export class OwnMachine {
  private off = false
  private readonly cluster: Cluster

  constructor() {
    this.cluster = new Cluster({
      cpus: 1,
      memory: [ram],
      bus,
      features,
      hooks: {
        hypercall: (cpu) => {
          this.off = true
          this.cluster.stop(cpu)
          return true
        },
      },
    })
  }

  /** The memory after the run; valid until the next one. Throws when the agent does not come to its end. */
  run(batch: readonly Case[], setting: Setting = {}): Uint8Array {
    const memory = this.cluster.view(ram.base, ram.size)!
    writeImage(memory, batch, setting)
    this.off = false
    this.cluster.start(0, BigInt(entry), 0n)
    for (let slice = 0; !this.off; slice++) {
      if (slice > batch.length + 10) throw new Error('the agent does not end')
      this.cluster.run(0, 10_000)
    }
    return memory
  }

  disassemble(word: number, address: bigint): string {
    return this.cluster.disassemble(word, address)
  }
}
