/**
 * What a floating-point operation reads from FPCR and adds to FPSR (DDI 0487, C5.2 "FPCR" and "FPSR"). Exceptions are never
 * trapped: this implementation has no trap enables (their FPCR bits are RAZ/WI), so raising one sets its cumulative bit.
 */
export const FPCR = {
  AHP: 1 << 26,
  DN: 1 << 25,
  FZ: 1 << 24,
  RMode: 3 << 22,
} as const

/** The bits of FPCR that this implementation has; all others read as zero. */
export const fpcrWritable = FPCR.AHP | FPCR.DN | FPCR.FZ | FPCR.RMode

export const FPSR = {
  QC: 1 << 27,
  IDC: 1 << 7,
  IXC: 1 << 4,
  UFC: 1 << 3,
  OFC: 1 << 2,
  DZC: 1 << 1,
  IOC: 1 << 0,
} as const

/** The bits of FPSR that AArch64 state has. NZCV in bits 31:28 belongs to AArch32 and is RES0 here. */
export const fpsrWritable = FPSR.QC | FPSR.IDC | FPSR.IXC | FPSR.UFC | FPSR.OFC | FPSR.DZC | FPSR.IOC

/** FPRounding. The first four are FPCR.RMode's own values; the last two come from instructions only. */
export const Rounding = { TIEEVEN: 0, POSINF: 1, NEGINF: 2, ZERO: 3, TIEAWAY: 4, ODD: 5 } as const
export type Rounding = (typeof Rounding)[keyof typeof Rounding]

export class FpEnvironment {
  fpcr: number
  fpsr: number

  constructor(fpcr = 0, fpsr = 0) {
    this.fpcr = fpcr
    this.fpsr = fpsr
  }

  get rounding(): Rounding {
    return ((this.fpcr >>> 22) & 3) as Rounding
  }

  get flushToZero(): boolean {
    return (this.fpcr & FPCR.FZ) !== 0
  }

  get defaultNaN(): boolean {
    return (this.fpcr & FPCR.DN) !== 0
  }

  get alternativeHalf(): boolean {
    return (this.fpcr & FPCR.AHP) !== 0
  }

  /** FPProcessException: `flag` is one of FPSR's cumulative bits. */
  raise(flag: number): void {
    this.fpsr |= flag
  }
}
