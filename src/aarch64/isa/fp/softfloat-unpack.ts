/**
 * From an encoding to an exact value, and what NaN operands become: FPUnpack, FPProcessNaN, FPProcessNaNs, FPProcessNaNs3
 * (DDI 0487, shared/functions/float). Half precision is only read by conversions here: FEAT_FP16 is not implemented.
 */
import { FPSR, type FpEnvironment } from './environment.ts'
import { exponentField, type Format, fpDefaultNaN, type Sign, signOf } from './format.ts'

/** Exactly `(-1)^sign * mantissa * 2^exponent`; a zero has mantissa 0. Meaningless for infinities and NaNs. */
export interface Unpacked {
  readonly type: 'zero' | 'nonzero' | 'infinity' | 'qnan' | 'snan'
  readonly sign: Sign
  readonly mantissa: bigint
  readonly exponent: number
}

/** FPUnpack. A denormal that FPCR.FZ flushes raises Input Denormal. In half precision FZ has no effect (FZ16 is not there). */
export function fpUnpack(f: Format, bits: bigint, env: FpEnvironment): Unpacked {
  const sign = signOf(f, bits)
  const field = exponentField(f, bits)
  const fraction = bits & f.fractionMask
  const exponent = f.minimumExponent - f.fractionBits
  if (field === 0) {
    if (fraction === 0n) return { type: 'zero', sign, mantissa: 0n, exponent }
    if (env.flushToZero && f.width !== 16) {
      env.raise(FPSR.IDC)
      return { type: 'zero', sign, mantissa: 0n, exponent }
    }
    return { type: 'nonzero', sign, mantissa: fraction, exponent }
  }
  // With FPCR.AHP half precision has no infinities or NaNs: the largest exponent is one more binade of numbers.
  if (field === f.exponentOnes && !(f.width === 16 && env.alternativeHalf)) {
    const type = fraction === 0n ? 'infinity' : fraction & f.quietBit ? 'qnan' : 'snan'
    return { type, sign, mantissa: 0n, exponent }
  }
  return { type: 'nonzero', sign, mantissa: fraction | (f.fractionMask + 1n), exponent: exponent + field - 1 }
}

export const isAnyNaN = (v: Unpacked): boolean => v.type === 'qnan' || v.type === 'snan'

/** FPProcessNaN: a signaling NaN is quietened and raises Invalid Operation; FPCR.DN replaces either by the default NaN. */
export function fpProcessNaN(f: Format, value: Unpacked, bits: bigint, env: FpEnvironment): bigint {
  if (value.type === 'snan') env.raise(FPSR.IOC)
  return env.defaultNaN ? fpDefaultNaN(f) : bits | f.quietBit
}

/** FPProcessNaNs: the first signaling NaN in operand order, else the first quiet one, else undefined. */
export function fpProcessNaNs(
  f: Format,
  value1: Unpacked,
  value2: Unpacked,
  op1: bigint,
  op2: bigint,
  env: FpEnvironment,
): bigint | undefined {
  if (value1.type === 'snan') return fpProcessNaN(f, value1, op1, env)
  if (value2.type === 'snan') return fpProcessNaN(f, value2, op2, env)
  if (value1.type === 'qnan') return fpProcessNaN(f, value1, op1, env)
  if (value2.type === 'qnan') return fpProcessNaN(f, value2, op2, env)
  return undefined
}

/** FPProcessNaNs3: as FPProcessNaNs, over three operands. */
export function fpProcessNaNs3(
  f: Format,
  values: readonly [Unpacked, Unpacked, Unpacked],
  ops: readonly [bigint, bigint, bigint],
  env: FpEnvironment,
): bigint | undefined {
  for (const type of ['snan', 'qnan']) {
    for (let i = 0; i < 3; i++) if (values[i]!.type === type) return fpProcessNaN(f, values[i]!, ops[i]!, env)
  }
  return undefined
}
