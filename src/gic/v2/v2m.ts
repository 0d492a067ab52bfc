/**
 * The GICv2m frame (SBSA appendix E, as Linux and QEMU use it): a device's write of an SPI's number is an edge on that SPI,
 * and its wire stays as it is. The only part of a GICv2 that a device writes to.
 */

import { bits, constant, registerTable, word } from '../../mmio/index.ts'
import type { GicV2State } from './state.ts'

export const v2mRegisters = registerTable<GicV2State>('V2M', 0x1000, [
  constant('V2M_MSI_TYPER', 0x008, (gic) => ((gic.config.msi?.base ?? 0) << 16) | (gic.config.msi?.count ?? 0), {
    fields: { BaseSPI: bits(25, 16), NumSPIs: bits(9, 0) },
  }),
  word('V2M_MSI_SETSPI_NS', 0x040, {
    write: (gic, _index, value) => {
      const spi = value & 0x3ff
      const { base, count } = gic.config.msi ?? { base: 0, count: 0 }
      if (spi >= base && spi < base + count) gic.irqs.pulse(gic.irqs.wordOf(spi, 0), spi & 31)
    },
    widths: [2, 4],
    restore: false,
    fields: { SPI: bits(9, 0) },
    note: 'The SPI is used as an edge: software must configure it so in GICD_ICFGR.',
  }),
  constant('V2M_MSI_IIDR', 0xfcc, 0x0560_0000, {
    fields: {
      ProductID: bits(31, 20),
      Architecture_version: bits(19, 16),
      Revision: bits(15, 12),
      Implementer: bits(11, 0),
    },
  }),
])
