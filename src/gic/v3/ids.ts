/** The identification registers of a GICv3's frames (IHI 0069 12.1.13): part 0x492, JEP106 0x43B, architecture version 3. */

/** In the order of offsets from 0xFFD0: PIDR4 to PIDR7, then PIDR0 to PIDR3. */
export const peripheralIds = [0x44, 0, 0, 0, 0x92, 0xb4, 0x3b, 0]
export const componentIds = [0x0d, 0xf0, 0x05, 0xb1]
