/** Vectors on the input wires as GICD_PPISR and GICD_SPISR show them, where a GIC has them as the GIC-400 does. */

import { bitOf, pend, ppi, read, spi, type Vector, vector } from './build.ts'

export const wireVectors: readonly Vector[] = [
  vector(
    'GICD_PPISR shows the wires of PPIs 16 to 31 in bits 0 to 15',
    '4.3 (IMPLEMENTATION DEFINED 0xD00, as GIC-400)',
    { cpus: 2, parts: ['inputs'] },
    ppi(1, 27, 1),
    read(1, 'GICD_PPISR').is(0x0800),
    read(0, 'GICD_PPISR').is(0),
    ppi(1, 27, 0),
    read(1, 'GICD_PPISR').is(0),
  ),
  vector(
    'GICD_SPISR shows the wires of SPIs, not their pending state',
    '4.3 (IMPLEMENTATION DEFINED 0xD04, as GIC-400)',
    { parts: ['inputs'] },
    spi(40, 1),
    pend(41),
    read(0, 'GICD_SPISR0').is(bitOf(40), bitOf(40) + bitOf(41)),
  ),
]
