/** What an INTID of QEMU's `virt` board is, for people. The board's wiring, and Linux's use of SGIs on arm64. */

interface Named {
  readonly from: number
  readonly to: number
  name(intid: number): string
}

const named = (from: number, to: number, text: string): Named => ({
  from,
  to,
  name: (intid) => (from === to ? text : `${text} ${intid - from}`),
})

const wires: readonly Named[] = [
  named(23, 23, 'performance monitor'),
  named(25, 25, 'GIC maintenance'),
  named(26, 26, 'EL2 physical timer'),
  named(27, 27, 'virtual timer'),
  named(28, 28, 'EL2 virtual timer'),
  named(29, 29, 'Secure physical timer'),
  named(30, 30, 'physical timer'),
  named(33, 33, 'UART (PL011)'),
  named(34, 34, 'real-time clock (PL031)'),
  named(35, 38, 'PCI pin'),
  named(39, 39, 'power button (PL061)'),
  named(48, 79, 'virtio-mmio device'),
  named(80, 143, 'PCI message'),
]

/** Linux's inter-processor interrupts in the order of its enum. */
const linuxIpis = ['reschedule', 'call function', 'stop', 'stop for a crash', 'timer broadcast', 'IRQ work', 'wake up']

export type IntidKind = 'SGI' | 'PPI' | 'SPI' | 'LPI'

export function kindOf(intid: number): IntidKind {
  if (intid < 16) return 'SGI'
  if (intid < 32 || (intid >= 1056 && intid < 1120)) return 'PPI'
  return intid >= 8192 ? 'LPI' : 'SPI'
}

/** A few words, or none where nothing is known. */
export function nameOf(intid: number, linux: boolean): string {
  if (intid < 16) return linux ? (linuxIpis[intid] ?? '') : ''
  if (intid >= 8192) return 'message (ITS)'
  return wires.find((wire) => intid >= wire.from && intid <= wire.to)?.name(intid) ?? ''
}
