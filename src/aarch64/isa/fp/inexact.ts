/**
 * Whether wasm's rounded result was exact, for when FPSR.IXC is still clear: error-free transformations find the rounding error of a sum,
 * product, quotient or root, and IXC is set if it is not zero. Programs whose numbers are all integers never set IXC and stay fast too.
 * (O. Møller and D. Knuth's TwoSum; T. Dekker's product; M. Pichat and others' residues of quotients and roots.)
 */
import { STATE } from '../../state/state.ts'
import type { Code } from '../../wasm/code.ts'
import type { LibraryFunction } from '../../wasm/module.ts'
import { f64, i32 } from '../../wasm/opcodes.ts'
import { FPSR } from './environment.ts'

/** TwoSum: sum = round(a + b) and error, exactly a + b = sum + error. Six operations, any order of magnitudes. */
export function twoSum(code: Code, a: number, b: number, sum: number, error: number, part: number): void {
  code.get(a).get(b).op(f64.add).tee(sum).get(a).op(f64.sub).set(part)
  code.get(a).get(sum).get(part).op(f64.sub, f64.sub).get(b).get(part).op(f64.sub, f64.add).set(error)
}

/** Veltkamp's splitting of x into two halves of 26 bits: high + low = x. */
function split(code: Code, x: number, high: number, low: number): void {
  code.get(x).f64(134217729).op(f64.mul).tee(low)
  code.get(low).get(x).op(f64.sub, f64.sub).set(high)
  code.get(x).get(high).op(f64.sub).set(low)
}

/** Dekker's product: product = round(a * b) and error, exactly a * b = product + error, within the range of `isModerate`. */
export function twoProduct(code: Code, a: number, b: number, product: number, error: number): void {
  const [ah, al, bh, bl] = [code.local('f64'), code.local('f64'), code.local('f64'), code.local('f64')]
  split(code, a, ah, al)
  split(code, b, bh, bl)
  code.get(a).get(b).op(f64.mul).set(product)
  code.get(ah).get(bh).op(f64.mul).get(product).op(f64.sub)
  code.get(ah).get(bl).op(f64.mul, f64.add)
  code.get(al).get(bh).op(f64.mul, f64.add)
  code.get(al).get(bl).op(f64.mul, f64.add).set(error)
  code.release(ah, al, bh, bl)
}

/** Pushes 1 if |x| is in [2^low, 2^high]. */
export function within(code: Code, x: number, low: number, high: number): void {
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

/** Pushes 1 if no step of a product of two such numbers overflows, underflows or loses bits. */
const isModerate = (code: Code, x: number): void => within(code, x, -400, 400)

/** With a condition on the stack: sets FPSR.IXC of the CPU in local 0 if it is 1. */
export function raiseInexact(code: Code): void {
  code.if()
  code.get(0).get(0).memory(i32.load, STATE.FPSR).i32(FPSR.IXC).op(i32.or).memory(i32.store, STATE.FPSR)
  code.end()
}

/** Returns 1 at once if a local is zero: results of zero that come here are exact. */
function zeroIsSettled(code: Code, x: number): void {
  code.get(x).f64(0).op(f64.eq).if().i32(1).return().end()
}

function refuseUnless(code: Code, condition: () => void): void {
  condition()
  code.op(i32.eqz).if().i32(0).return().end()
}

export type Settled = 'add' | 'sub' | 'mul' | 'div' | 'sqrt'
const CPU_A_B_R = ['i32', 'f64', 'f64', 'f64'] as const
const [A, B, R] = [1, 2, 3]

/** Emits the body: pushes 1 if a op b = r is inexact. May return 0: it can't be told so. */
type Body = (code: Code) => void

const doubleBodies: Record<Settled, Body> = {
  add: (code) => {
    const [sum, error, part] = [code.local('f64'), code.local('f64'), code.local('f64')]
    // Near the largest number an intermediate step may overflow.
    refuseUnless(code, () => {
      code
        .get(A)
        .op(f64.abs)
        .f64(2 ** 1000)
        .op(f64.le)
      code
        .get(B)
        .op(f64.abs)
        .f64(2 ** 1000)
        .op(f64.le, i32.and)
    })
    twoSum(code, A, B, sum, error, part)
    code.get(error).f64(0).op(f64.ne)
  },
  sub: (code) => {
    code.get(B).op(f64.neg).set(B)
    doubleBodies.add(code)
  },
  mul: (code) => {
    const [product, error] = [code.local('f64'), code.local('f64')]
    zeroIsSettled(code, R)
    refuseUnless(code, () => {
      isModerate(code, A)
      isModerate(code, B)
      code.op(i32.and)
    })
    twoProduct(code, A, B, product, error)
    code.get(error).f64(0).op(f64.ne)
  },
  /** a / b is exactly r if b * r is exactly a. */
  div: (code) => {
    const [product, error] = [code.local('f64'), code.local('f64')]
    zeroIsSettled(code, R)
    refuseUnless(code, () => {
      isModerate(code, B)
      isModerate(code, R)
      code.op(i32.and)
    })
    twoProduct(code, B, R, product, error)
    code.get(error).f64(0).op(f64.ne).get(product).get(A).op(f64.ne, i32.or)
  },
  /** The operand is a; b is not used. */
  sqrt: (code) => {
    code.get(R).set(B)
    doubleBodies.div(code)
  },
}

/** Singles as doubles: their products are exact, and so is the comparison with the rounded result. */
const singleBodies: Record<Settled, Body> = {
  add: (code) => {
    const [sum, error, part] = [code.local('f64'), code.local('f64'), code.local('f64')]
    twoSum(code, A, B, sum, error, part)
    code.get(error).f64(0).op(f64.ne).get(sum).get(R).op(f64.ne, i32.or)
  },
  sub: (code) => {
    code.get(B).op(f64.neg).set(B)
    singleBodies.add(code)
  },
  mul: (code) => {
    code.get(A).get(B).op(f64.mul).get(R).op(f64.ne)
  },
  div: (code) => {
    // 0 / infinity is an exact 0, yet infinity times that is a NaN.
    zeroIsSettled(code, R)
    code.get(B).get(R).op(f64.mul).get(A).op(f64.ne)
  },
  sqrt: (code) => {
    code.get(R).get(R).op(f64.mul).get(A).op(f64.ne)
  },
}

const library = (name: string, body: Body): LibraryFunction => ({
  name,
  parameters: CPU_A_B_R,
  results: ['i32'],
  body: (code) => {
    body(code)
    raiseInexact(code)
    code.i32(1)
  },
})

const names: readonly Settled[] = ['add', 'sub', 'mul', 'div', 'sqrt']
const all = (kind: string, bodies: Record<Settled, Body>): Record<Settled, LibraryFunction> =>
  Object.fromEntries(names.map((name) => [name, library(`${name}${kind}IsExact`, bodies[name])])) as Record<
    Settled,
    LibraryFunction
  >

/**
 * (cpu, a, b, r) -> 1 if r, an ordinary number or an exact zero, is what a op b rounds to in the default mode, and FPSR.IXC is
 * now right; 0 if only the exact path can tell. Operands and result are doubles in both.
 */
export const settle = { 2: all('Single', singleBodies), 3: all('Double', doubleBodies) } as const
