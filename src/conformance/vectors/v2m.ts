/** Vectors on the GICv2m frame: a device's write of an SPI's number is an edge on it (SBSA, appendix E; 64 SPIs from 80 on). */

import { ack, enabled, eoi, irqOf, open, read, type Vector, vector, write } from './build.ts'

const needs = { parts: ['v2m'] } as const
const clause = '3.2.4; SBSA appendix E'
const send = (spi: number) => write(0, 'V2M_MSI_SETSPI_NS', spi)

export const v2mVectors: readonly Vector[] = [
  vector('V2M_MSI_TYPER tells the first SPI and their number', clause, needs, read(0, 'V2M_MSI_TYPER').is(0x0050_0040)),
  vector(
    'An MSI makes its edge-triggered SPI pending, once',
    clause,
    needs,
    open(),
    enabled(80, { edge: true }),
    send(80),
    irqOf(0).is(1),
    ack(0).is(80),
    eoi(0, 80),
    ack(0).is(1023, 0x3ff),
  ),
  vector(
    'Each MSI is an edge: one while the SPI is active is taken after its end',
    clause,
    needs,
    open(),
    enabled(81, { edge: true }),
    send(81),
    ack(0).is(81),
    send(81),
    irqOf(0).is(0),
    eoi(0, 81),
    ack(0).is(81),
  ),
  vector(
    'The last SPI of the frame can be sent, the one after it cannot',
    clause,
    needs,
    open(),
    enabled(143, { edge: true }),
    enabled(144, { edge: true }),
    send(144),
    irqOf(0).is(0),
    send(143),
    ack(0).is(143),
  ),
  vector(
    'An SPI before the frame’s first cannot be sent',
    clause,
    needs,
    open(),
    enabled(79, { edge: true }),
    send(79),
    irqOf(0).is(0),
    read(0, 'GICD_ISPENDR2').is(0),
  ),
  vector(
    'An MSI to a disabled SPI stays pending until it is enabled',
    clause,
    needs,
    open(),
    enabled(90, { edge: true }),
    write(0, 'GICD_ICENABLER2', 1 << 26),
    send(90),
    irqOf(0).is(0),
    write(0, 'GICD_ISENABLER2', 1 << 26),
    ack(0).is(90),
  ),
  vector(
    'A 16-bit write of the SPI number is an MSI, too',
    clause,
    needs,
    open(),
    enabled(82, { edge: true }),
    write(0, 'V2M_MSI_SETSPI_NS', 82, 2),
    ack(0).is(82),
  ),
]
