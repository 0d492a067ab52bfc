/**
 * Fused multiply-add without a fused instruction: error-free transformations find what a rounding lost, and rounding to odd makes the
 * last rounding the only one (S. Boldo and G. Melquiond, "Emulation of a FMA and correctly rounded sums: proved algorithms using
 * rounding to odd", IEEE Trans. Computers 57(4), 2008). Operands out of the proofs' range give a NaN, which means: take the exact path.
 */
import type { Code } from '../wasm/code.ts'
import type { LibraryFunction } from '../wasm/module.ts'
import { f32, f64, i32, i64 } from '../wasm/opcodes.ts'

/** Knuth's TwoSum: sum = round(a + b) and error, exactly a + b = sum + error. Six operations, any order of magnitudes. */
function twoSum(code: Code, a: number, b: number, sum: number, error: number, part: number): void {
  code.get(a).get(b).op(f64.add).tee(sum).get(a).op(f64.sub).set(part)
  code.get(a).get(sum).get(part).op(f64.sub, f64.sub).get(b).get(part).op(f64.sub, f64.add).set(error)
}

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
 * (a, b, c) -> a * b + c in single precision. The product is exact in double; the sum, rounded to odd in 53 bits, loses nothing
 * that rounding to 24 needs. Right for every result above the smallest normal number, and zero is zero only exactly.
 */
export const fusedSingle: LibraryFunction = {
  name: 'fusedSingle',
  parameters: ['f32', 'f32', 'f32'],
  results: ['f32'],
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
  },
}

/** Pushes 1 if |x| is in [2^low, 2^high]. */
function within(code: Code, x: number, low: number, high: number): void {
  code
    .get(x)
    .op(f64.abs)
    .f64(2 ** low)
    .op(f64.ge)
  code
    .get(x)
    .op(f64.abs)
    .f64(2 ** high)
    .op(f64.le, i32.and)
}

/** Veltkamp's splitting of x into two halves of 26 bits: high + low = x. */
function split(code: Code, x: number, high: number, low: number): void {
  code.get(x).f64(134217729).op(f64.mul).tee(low)
  code.get(low).get(x).op(f64.sub, f64.sub).set(high)
  code.get(x).get(high).op(f64.sub).set(low)
}

/**
 * (a, b, c) -> a * b + c in double precision, or a NaN if an operand is not in the range where no step can overflow, underflow
 * or lose bits: |a|, |b| in [2^-400, 2^400], c zero or |c| in [2^-800, 2^900].
 */
export const fusedDouble: LibraryFunction = {
  name: 'fusedDouble',
  parameters: ['f64', 'f64', 'f64'],
  results: ['f64'],
  body: (code) => {
    const [A, B, C] = [0, 1, 2]
    // A product of zero is exact, and so is a sum with it.
    code.get(A).f64(0).op(f64.eq).get(B).f64(0).op(f64.eq, i32.or).if()
    code.get(A).get(B).op(f64.mul).get(C).op(f64.add).return()
    code.end()
    within(code, A, -400, 400)
    within(code, B, -400, 400)
    code.op(i32.and)
    within(code, C, -800, 900)
    code.get(C).f64(0).op(f64.eq, i32.or, i32.and, i32.eqz).if()
    code.f64(Number.NaN).return()
    code.end()
    const local = () => code.local('f64')
    const [ah, al, bh, bl, uh, ul] = [local(), local(), local(), local(), local(), local()]
    const [th, tl, vh, vl, z, error, part] = [local(), local(), local(), local(), local(), local(), local()]
    split(code, A, ah, al)
    split(code, B, bh, bl)
    // Dekker's product: uh + ul is a * b exactly.
    code.get(A).get(B).op(f64.mul).set(uh)
    code.get(ah).get(bh).op(f64.mul).get(uh).op(f64.sub)
    code.get(ah).get(bl).op(f64.mul, f64.add)
    code.get(al).get(bh).op(f64.mul, f64.add)
    code.get(al).get(bl).op(f64.mul, f64.add).set(ul)
    twoSum(code, C, ul, th, tl, part)
    twoSum(code, uh, th, vh, vl, part)
    twoSum(code, tl, vl, z, error, part)
    toOdd(code, z, error)
    code.get(vh).get(z).op(f64.add)
  },
}
