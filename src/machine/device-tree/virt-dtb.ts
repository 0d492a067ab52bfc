/**
 * The device tree of the board: what QEMU's `virt` says of itself, of the devices that this one has. Left out are PCI Express
 * and the platform bus, which it has not.
 */

import { type OwnDevice, ownPlace } from '../board/own-devices.ts'
import {
  type Place,
  POWER_PIN,
  VIRTIO_SLOT_SIZE,
  VIRTIO_SLOTS,
  virtAffinity,
  virtMap,
  virtPpi,
  virtSpi,
} from '../board/virt-map.ts'
import { cells64, encodeFdt, type FdtNode, type FdtValue, fdtNode } from './fdt.ts'

/** What the board's device tree has to tell. */
export interface VirtTree {
  /** CPUs. */
  cpus: number
  /** Bytes of RAM from 0x4000_0000 on. */
  memory: number
  /** The GIC's architecture version. */
  gic: 2 | 3
  /** An ITS beside a GICv3. */
  its?: boolean
  /** CPUs come up at EL2: PSCI by SMC, the GIC's virtualization registers and maintenance interrupt. */
  el2?: boolean
  /** Kernel command line. */
  bootargs?: string
  /** First address of the initial RAM disk, and the one behind its last. */
  initrd?: { start: number; end: number }
  /** Randomness for the guest, as bytes; the same bytes make the same run. */
  rngSeed?: Uint8Array
  /** Randomness for where a kernel puts itself. */
  kaslrSeed?: Uint8Array
  /** Devices that are not there: all are, unless they are named here. */
  without?: readonly ('flash' | 'fwCfg' | 'rtc' | 'gpio' | 'virtio')[]
  /** `compatible` of the CPUs; that of a Cortex-A57 unless given. */
  cpuCompatible?: string
  /** Devices of the embedder's own, in the order in which the machine has them. */
  devices?: readonly Pick<OwnDevice, 'name' | 'properties' | 'edge'>[]
}

const [SPI, PPI] = [0, 1] as const
const [EDGE, LEVEL] = [1, 4] as const
const KEY_POWER = 116

/** QEMU's phandles, in its order of making: the clock, the CPUs from the last on, the GIC, its MSI frame, the GPIO. */
function phandles({ cpus, gic: version, its }: VirtTree) {
  const first = 0x8000
  const gic = first + 1 + cpus
  const gpio = version === 2 || its ? gic + 2 : gic + 1
  return { clock: first, cpu: (index: number) => first + cpus - index, gic, msi: gic + 1, gpio }
}

/** The tree; `encodeFdt` makes the blob of it. Throws a RangeError for a board that there is not. */
export function virtTree(board: VirtTree): FdtNode {
  checkBoard(board)
  const handle = phandles(board)
  const has = (device: NonNullable<VirtTree['without']>[number]) => !board.without?.includes(device)
  return fdtNode(
    '',
    {
      'interrupt-parent': [handle.gic],
      model: 'linux,dummy-virt',
      '#size-cells': [2],
      '#address-cells': [2],
      compatible: 'linux,dummy-virt',
    },
    [
      psciNode(board),
      fdtNode(`memory@${hex(virtMap.ram.base)}`, {
        reg: reg({ ...virtMap.ram, size: board.memory }),
        device_type: 'memory',
      }),
      ...(has('fwCfg') ? [fwCfg()] : []),
      ...(has('virtio') ? Array.from({ length: VIRTIO_SLOTS }, (_, slot) => virtio(slot)) : []),
      ...(has('gpio') ? gpio(handle) : []),
      ...(has('rtc') ? [primecell('pl031', virtMap.rtc, virtSpi.rtc, handle.clock, ['apb_pclk'])] : []),
      primecell('pl011', virtMap.uart, virtSpi.uart, handle.clock, ['uartclk', 'apb_pclk']),
      fdtNode('pmu', { interrupts: [PPI, virtPpi.pmu - 16, ppiFlags(board)], compatible: 'arm,armv8-pmuv3' }),
      gic(board, handle),
      ...(has('flash') ? [flash()] : []),
      ...(board.devices ?? []).map(ownDevice),
      cpus(board, handle),
      timer(board),
      fdtNode('apb-pclk', {
        phandle: [handle.clock],
        'clock-output-names': 'clk24mhz',
        'clock-frequency': [24_000_000],
        '#clock-cells': [0],
        compatible: 'fixed-clock',
      }),
      chosen(board),
    ],
  )
}

/** The blob of the tree. */
export function virtDtb(board: VirtTree): Uint8Array {
  return encodeFdt({ root: virtTree(board), reservations: [], bootCpu: 0 })
}

function checkBoard({ cpus, memory, gic, its, initrd, bootargs }: VirtTree): void {
  const most = gic === 2 ? 8 : 123
  if (!Number.isInteger(cpus) || cpus < 1 || cpus > most)
    throw new RangeError(`a GICv${gic} board has 1 to ${most} CPUs, not ${cpus}`)
  if (!Number.isSafeInteger(memory) || memory <= 0 || memory > virtMap.ram.size)
    throw new RangeError(`a board has up to 255 GiB of memory, not ${memory} bytes`)
  if (its && gic === 2) throw new RangeError('an ITS needs a GICv3')
  if (initrd !== undefined && !(initrd.start <= initrd.end))
    throw new RangeError('the initial RAM disk ends before it starts')
  if (bootargs?.includes('\0')) throw new RangeError('a command line has no zero characters')
}

type Handles = ReturnType<typeof phandles>

/** The node that says that there is PSCI, and by which instruction. */
export function psciNode({ el2 }: Pick<VirtTree, 'el2'> = {}): FdtNode {
  return fdtNode('psci', {
    migrate: [0xc400_0005],
    cpu_on: [0xc400_0003],
    cpu_off: [0x8400_0002],
    cpu_suspend: [0xc400_0001],
    method: el2 ? 'smc' : 'hvc',
    compatible: ['arm,psci-1.0', 'arm,psci-0.2', 'arm,psci'],
  })
}

function fwCfg(): FdtNode {
  return fdtNode(`fw-cfg@${hex(virtMap.fwCfg.base)}`, {
    'dma-coherent': true,
    reg: reg(virtMap.fwCfg),
    compatible: 'qemu,fw-cfg-mmio',
  })
}

function virtio(slot: number): FdtNode {
  const base = virtMap.virtio.base + slot * VIRTIO_SLOT_SIZE
  return fdtNode(`virtio_mmio@${hex(base)}`, {
    'dma-coherent': true,
    interrupts: [SPI, virtSpi.virtio + slot, EDGE],
    reg: reg({ base, size: VIRTIO_SLOT_SIZE }),
    compatible: 'virtio,mmio',
  })
}

function gpio(handle: Handles): FdtNode[] {
  const button = fdtNode('poweroff', {
    gpios: [handle.gpio, POWER_PIN, 0],
    'linux,code': [KEY_POWER],
    label: 'GPIO Key Poweroff',
  })
  return [
    fdtNode('gpio-keys', { compatible: 'gpio-keys' }, [button]),
    primecell('pl061', virtMap.gpio, virtSpi.gpio, handle.clock, ['apb_pclk'], {
      phandle: [handle.gpio],
      'gpio-controller': true,
      '#gpio-cells': [2],
    }),
  ]
}

function primecell(
  name: string,
  place: Place,
  spi: number,
  clock: number,
  clockNames: readonly string[],
  more: Readonly<Record<string, FdtValue>> = {},
): FdtNode {
  return fdtNode(`${name}@${hex(place.base)}`, {
    ...more,
    'clock-names': clockNames,
    clocks: clockNames.map(() => clock),
    interrupts: [SPI, spi, LEVEL],
    reg: reg(place),
    compatible: [`arm,${name}`, 'arm,primecell'],
  })
}

function gic(board: VirtTree, handle: Handles): FdtNode {
  const { gicd, gicc, gich, gicv, gicr, its, v2m } = virtMap
  const three = board.gic === 3
  const msi = (name: string, place: Place, compatible: string, more: Readonly<Record<string, FdtValue>>) =>
    fdtNode(`${name}@${hex(place.base)}`, {
      phandle: [handle.msi],
      reg: reg(place),
      ...more,
      'msi-controller': true,
      compatible,
    })
  const frame = three
    ? board.its
      ? msi('its', its, 'arm,gic-v3-its', { '#msi-cells': [1] })
      : undefined
    : msi('v2m', v2m, 'arm,gic-v2m-frame', {})
  return fdtNode(
    `intc@${hex(gicd.base)}`,
    {
      phandle: [handle.gic],
      interrupts: board.el2 ? [PPI, virtPpi.maintenance - 16, LEVEL] : undefined,
      reg: three ? reg(gicd, gicr) : board.el2 ? reg(gicd, gicc, gich, gicv) : reg(gicd, gicc),
      '#redistributor-regions': three ? [1] : undefined,
      compatible: three ? 'arm,gic-v3' : 'arm,cortex-a15-gic',
      ranges: true,
      '#size-cells': [2],
      '#address-cells': [2],
      'interrupt-controller': true,
      '#interrupt-cells': [3],
    },
    [frame],
  )
}

function ownDevice({ name, properties, edge }: Pick<OwnDevice, 'name' | 'properties' | 'edge'>, n: number): FdtNode {
  const { place, spi } = ownPlace(n)
  return fdtNode(`${name}@${hex(place.base)}`, {
    interrupts: [SPI, spi, edge ? EDGE : LEVEL],
    reg: reg(place),
    ...properties,
  })
}

function flash(): FdtNode {
  return fdtNode('flash@0', {
    'bank-width': [4],
    reg: reg(virtMap.flash0, virtMap.flash1),
    compatible: 'cfi-flash',
  })
}

function cpus(board: VirtTree, handle: Handles): FdtNode {
  const each = Array.from({ length: board.cpus }, (_, index) =>
    fdtNode(`cpu@${index}`, {
      phandle: [handle.cpu(index)],
      reg: [virtAffinity(index, board.gic)],
      'enable-method': board.cpus > 1 ? 'psci' : undefined,
      compatible: board.cpuCompatible ?? 'arm,cortex-a57',
      device_type: 'cpu',
    }),
  )
  const cores = each.map((_, index) => fdtNode(`core${index}`, { cpu: [handle.cpu(index)] }))
  const map = fdtNode('cpu-map', {}, [fdtNode('socket0', {}, [fdtNode('cluster0', {}, cores)])])
  return fdtNode('cpus', { '#size-cells': [0], '#address-cells': [1] }, [map, ...each])
}

function timer(board: VirtTree): FdtNode {
  const { secureTimer, physicalTimer, virtualTimer, hypervisorTimer } = virtPpi
  const interrupts = [secureTimer, physicalTimer, virtualTimer, hypervisorTimer]
  return fdtNode('timer', {
    interrupts: interrupts.flatMap((intid) => [PPI, intid - 16, ppiFlags(board)]),
    'always-on': true,
    compatible: ['arm,armv8-timer', 'arm,armv7-timer'],
  })
}

/** With a GICv2, bits 15:8 of a PPI's flags say which CPUs have it. */
function ppiFlags({ gic, cpus }: VirtTree): number {
  return gic === 2 ? (((1 << cpus) - 1) << 8) | LEVEL : LEVEL
}

function chosen(board: VirtTree): FdtNode {
  return fdtNode('chosen', {
    'linux,initrd-start': board.initrd && initrdAddress(board.initrd.start),
    'linux,initrd-end': board.initrd && initrdAddress(board.initrd.end),
    bootargs: board.bootargs,
    'stdout-path': `/pl011@${hex(virtMap.uart.base)}`,
    'rng-seed': board.rngSeed,
    'kaslr-seed': board.kaslrSeed,
  })
}

/** One cell where that is enough, as QEMU 7.2 has it; who reads it goes by its length. */
export function initrdAddress(address: number): number[] {
  return address < 2 ** 32 ? [address] : cells64(address)
}

function reg(...places: readonly Place[]): number[] {
  return places.flatMap(({ base, size }) => [...cells64(base), ...cells64(size)])
}

function hex(value: number): string {
  return value.toString(16)
}
