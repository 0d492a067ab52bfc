/**
 * Fused multiply-add without a fused instruction: error-free transformations find what a rounding lost, and rounding to odd makes the
 * last rounding the only one (S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
 * rounding to odd", IEEE Trans. Computers 57(4), 2008). Operands out of the proofs' range give a NaN, which means: take the exact path.
 */
import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { f32, f64, i32, i64 } from '../../wasm/opcodes.ts'
import { twoProduct, twoSum, within } from './inexact.ts'

/**
 * sum becomes sum + error rounded to odd: if something was lost and sum's last bit is even, the neighbour towards the error, which
 * is one up in magnitude if their signs agree, and one down if not.
 */
function toOdd(code: Code, sum: number, error: number): void {
  code.get(error).f64(0).op(f64.ne).if()
  code.get(sum).op(i64.reinterpret_f64).i64(1).op(i64.and, i64.eqz).if()
  code.get(sum).op(i64.reinterpret_f64)
  code.i64(1).i64(-1)
  code.get(sum).op(i64.reinterpret_f64).get(error).op(i64.reinterpret_f64, i64.xor).i64(0).op(i64.ge_s)
  code.select().op(i64.add, f64.reinterpret_i64).set(sum)
  code.end().end()
}

/**
 * (a, b, c) -> a * b + c in single precision, and 1 if it is inexact. The product is exact in double; the sum, rounded to odd in 53 bits, loses nothing
 * that rounding to 24 needs. Right for every result above the smallest normal number, and zero is zero only exactly.
 */
export const fusedSingle: LibraryFunction = {
  name: 'fusedSingle',
  parameters: ['f32', 'f32', 'f32'],
  results: ['f32', 'i32'],
  body: (code) => {
    const [product, addend, sum, error, part] = Array.from({ length: 5 }, () => code.local('f64'))
    code.get(0).op(f64.promote_f32).get(1).op(f64.promote_f32, f64.mul).set(product!)
    code.get(2).op(f64.promote_f32).set(addend!)
    twoSum(code, product!, addend!, sum!, error!, part!)
    toOdd(code, sum!, error!)
    code.get(sum!).op(f32.demote_f64)
    // A sum that is not zero and becomes zero has underflowed.
    code.set(2).f32(Number.NaN).get(2)
    code.get(2).f32(0).op(f32.eq).get(sum!).f64(0).op(f64.ne, i32.and).select()
    // Lost in the sum or in the last rounding. A sum made odd has more bits than a single.
    code.get(error!).f64(0).op(f64.ne).get(2).op(f64.promote_f32).get(sum!).op(f64.ne, i32.or)
  },
}

/**
 * (a, b, c) -> a * b + c in double precision and 1 if it is inexact, or a NaN if an operand is not in the range where no step can overflow, underflow
 * or lose bits: |a|, |b| in [2^-400, 2^400], c zero or |c| in [2^-800, 2^900].
 */
export const fusedDouble: LibraryFunction = {
  name: 'fusedDouble',
  parameters: ['f64', 'f64', 'f64'],
  results: ['f64', 'i32'],
  body: (code) => {
    const [A, B, C] = [0, 1, 2]
    // A product of zero is exact, and so is a sum with it.
    code.get(A).f64(0).op(f64.eq).get(B).f64(0).op(f64.eq, i32.or).if()
    code.get(A).get(B).op(f64.mul).get(C).op(f64.add).i32(0).return()
    code.end()
    within(code, A, -400, 400)
    within(code, B, -400, 400)
    code.op(i32.and)
    within(code, C, -800, 900)
    code.get(C).f64(0).op(f64.eq, i32.or, i32.and, i32.eqz).if()
    code.f64(Number.NaN).i32(0).return()
    code.end()
    const inexact = code.local('i32')
    const local = () => code.local('f64')
    const [uh, ul] = [local(), local()]
    const [th, tl, vh, vl, z, error, part] = [local(), local(), local(), local(), local(), local(), local()]
    twoProduct(code, A, B, uh, ul)
    twoSum(code, C, ul, th, tl, part)
    twoSum(code, uh, th, vh, vl, part)
    twoSum(code, tl, vl, z, error, part)
    toOdd(code, z, error)
    // Exact only if nothing was lost in z, and nothing is in the last sum.
    code.get(error).f64(0).op(f64.ne)
    twoSum(code, vh, z, th, tl, part)
    code.get(tl).f64(0).op(f64.ne, i32.or).set(inexact)
    code.get(th).get(inexact)
  },
}
