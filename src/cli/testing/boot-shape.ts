/**
 * How Linux 6.1 uses an interrupt controller while it boots, out of a trace: what each CPU does to set it up, access by
 * access, and how often what depends on time happened. It judges nothing.
 */

import { formatEvent } from '../../trace/format.ts'
import type { AccessEvent, SystemRegisterEvent, Trace } from '../../trace/index.ts'

export interface BootShape {
  /** By CPU: accesses that set up, in order, without the CPU's number. */
  readonly setUp: string[][]
  /** Accesses for one SPI each when a driver asks for it, whichever CPU the driver happened to run on. */
  readonly drivers: string[]
  /** Interrupts acknowledged, by INTID; 1020 and above are none. */
  readonly acknowledged: Map<number, number>
  ended: number
  /** SGIs sent, by INTID. */
  readonly generated: Map<number, number>
}

type Access = AccessEvent | SystemRegisterEvent

/** INTIDs that GICD_TYPER of QEMU 7.2's GICv3 admits to; the board has SPIs up to 287. */
const ADMITTED = 256
/** The PPI of the performance monitors, which our CPU has not. */
const PMU_BIT = 1 << 23

/** The lowest INTID of a word of the Distributor's arrays; undefined for other registers. */
function intidOf(offset: number): number | undefined {
  if (offset >= 0x80 && offset < 0x400) return ((offset & 0x7f) / 4) * 32
  if (offset >= 0x400 && offset < 0xc00) return offset & 0x3ff
  if (offset >= 0xc00 && offset < 0xd00) return (offset - 0xc00) * 4
  if (offset >= 0x6000 && offset < 0x7fe0) return (offset - 0x6000) / 8
  return undefined
}

const isSpi = (access: Access) =>
  'region' in access && access.region === 'gicd' && (intidOf(access.offset) ?? 0) >= 32 && access.offset !== 0xf00

/** A read of GICD_CTLR: behind a change of an SPI, Linux waits for RWP, on whichever CPU it made the change. */
const isRwpPoll = (access: Access) =>
  'region' in access && access.region === 'gicd' && access.offset === 0 && access.kind === 'read'

/** GICR_PROPBASER, GICR_PENDBASER, GITS_CBASER, GITS_BASER<n>: they hold addresses of memory that Linux allocated. */
const holdsAddress = ({ region, offset }: AccessEvent) =>
  region === 'gicr'
    ? [0x70, 0x78].includes(offset & 0x1_ffff)
    : region === 'its' && ((offset >= 0x80 && offset < 0x88) || (offset >= 0x100 && offset < 0x140))

/**
 * GICR_WAKER, which firmware writes before Linux comes. Our machine stands in for that, so that Linux finds each Redistributor
 * awake; QEMU's has none, and Linux wakes what sleeps.
 */
const isWaker = ({ region, offset }: AccessEvent) => region === 'gicr' && (offset & 0x1_ffff) === 0x14

/** What the two machines differ in by what they are, and not by what Linux does with them. */
function normalized(access: Access): string {
  const { cpu: _, ...rest } = access
  const text = formatEvent({ ...rest, cpu: 0 } as Access).replace(/^0[sn]? /, '')
  if (!('region' in access)) return text
  const { region, offset, kind } = access
  // GICD_TYPER.ITLinesNumber and MSI_IIDR identify the implementation.
  if (kind === 'read' && ((region === 'gicd' && offset === 4) || (region === 'v2m' && offset === 0xfcc)))
    return text.replace(/ \S+$/, '')
  if (isWaker(access)) return text.replace(/ \S+$/, '')
  return holdsAddress(access)
    ? text.replace(/ \S+$/, ` ${(access.low & 0xfff).toString(16)} without its address`)
    : text
}

function notThere(access: Access, version: 2 | 3 | undefined): boolean {
  if (!('region' in access))
    // A constant, which QEMU answers without a word to what recorded it.
    return access.register === 'ICC_SRE_EL1'
  return version === 3 && access.region === 'gicd' && (intidOf(access.offset) ?? 0) >= ADMITTED
}

const isConfiguration1 = (text: string | undefined) => /^R gic[dr] 0x\w*c04 /.test(text ?? '')
const isPmuEnable = (access: Access) =>
  access.kind === 'write' &&
  access.low === PMU_BIT &&
  (access.region === 'gicd'
    ? access.offset === 0x100
    : access.region === 'gicr' && (access.offset & 0x1_ffff) === 0x1_0100)

function add(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}

/** Takes what is daily business: acknowledging, ending, sending SGIs. Returns whether it was that. */
function isBusiness(access: Access, shape: BootShape): boolean {
  if (!('region' in access)) {
    const { register, low } = access
    if (register === 'ICC_IAR1_EL1') add(shape.acknowledged, low & 0xff_ffff)
    else if (register === 'ICC_EOIR1_EL1') shape.ended++
    else if (register === 'ICC_SGI1R_EL1') add(shape.generated, (low >>> 24) & 15)
    else return false
    return true
  }
  const { region, offset, kind, low } = access
  if (region === 'gicc' && offset === 0xc && kind === 'read') add(shape.acknowledged, low & 0x3ff)
  else if (region === 'gicc' && offset === 0x10) shape.ended++
  else if (region === 'gicd' && offset === 0xf00) add(shape.generated, low & 15)
  else return false
  return true
}

/** The shape of what is in a trace until the first program opens the UART, whose SPI 33 is then enabled. */
export async function bootShape({ header, batches }: Trace): Promise<BootShape> {
  const cpus = header.machine?.cpus ?? 0
  const setUp: string[][] = Array.from({ length: cpus }, () => [])
  const shape: BootShape = { setUp, drivers: [], acknowledged: new Map(), ended: 0, generated: new Map() }
  let interrupted = false
  for await (const batch of batches)
    for (const event of batch) {
      interrupted ||= event.kind === 'irq'
      if (event.kind === 'irq' || event.kind === 'out' || event.kind === 'mem' || event.kind === 'reset') continue
      if (isBusiness(event, shape) || notThere(event, header.machine?.version)) continue
      const text = normalized(event)
      const own = setUp[event.cpu]
      // The first of Linux's own accesses on each CPU is a read.
      if (own === undefined || (own.length === 0 && event.kind === 'write' && isWaker(event))) continue
      if (isPmuEnable(event)) while (isConfiguration1(own.at(-1))) own.pop()
      // Before the first interrupt all SPIs are set up at once.
      else if (interrupted && (isSpi(event) || isRwpPoll(event))) shape.drivers.push(text)
      else own.push(text)
      if (/^W gicd 0x104 4 0x2$/.test(text)) return shape
    }
  throw new Error('no program opens the UART in this trace')
}
