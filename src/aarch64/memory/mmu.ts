/**
 * Translation for the host: what generated code finds in the translation tables (`walk.ts`), and the filling of the software TLBs
 * (`refill.ts`), as numbers. It takes no exception.
 */
import type { Cpu } from '../state/cpu.ts'
import { MEMORY, WALK } from '../state/state.ts'

const two32 = 2 ** 32

/** What the engine exports for this: `walk` and `refill`, with the address as its halves. */
export interface Walker {
  hostWalk(cpu: number, low: number, high: number, kind: number, el: number, pan: number): number
  hostRefill(cpu: number, low: number, high: number, kind: number, el: number, pan: number, may: number): number
}

/** What the last translation found. */
export class Translation {
  private readonly words: Uint32Array

  constructor(buffer: ArrayBuffer) {
    this.words = new Uint32Array(buffer, MEMORY.walk, 16)
  }

  /** Physical address. */
  get address(): number {
    return this.words[1]! * two32 + this.words[0]!
  }

  /** Device memory: accesses must be aligned. */
  get device(): boolean {
    return this.words[WALK.device >>> 2] !== 0
  }

  /** MAIR attribute, for PAR_EL1. */
  get attribute(): number {
    return this.words[WALK.attribute >>> 2]!
  }

  get shareability(): number {
    return this.words[WALK.shareability >>> 2]!
  }

  /** After `refill`: where the address is in the linear memory, or -1 when that access of it is the bus's. */
  get host(): number {
    return this.words[WALK.host >>> 2]! || -1
  }
}

export class Mmu {
  readonly result: Translation
  private walker: Walker | undefined

  constructor(buffer: ArrayBuffer) {
    this.result = new Translation(buffer)
  }

  /** The engine is made last. */
  connect(walker: Walker): void {
    this.walker = walker
  }

  /**
   * Translates for an access of `kind` by `el`. Returns -1 and fills `result`, or a fault status code; a permission fault fills
   * `result.device`. `pan` applies PSTATE.PAN (not to unprivileged accesses).
   */
  translate(cpu: Cpu, low: number, high: number, kind: number, el: number, pan: boolean): number {
    return this.walker!.hostWalk(cpu.base, low, high, kind, el, pan ? 1 : 0)
  }

  /** As `translate`, and enters the page in the TLB that it belongs to, for what of READ, WRITE and EXECUTE `may` admits. */
  refill(cpu: Cpu, low: number, high: number, kind: number, el: number, pan: boolean, may: number): number {
    return this.walker!.hostRefill(cpu.base, low, high, kind, el, pan ? 1 : 0, may)
  }
}
