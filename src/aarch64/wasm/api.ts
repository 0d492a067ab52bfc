/**
 * The part of the WebAssembly JavaScript API that is used here, typed by us, because neither Node's types nor the plain ECMAScript
 * library declare it and the browser's would bring the whole DOM.
 */

export interface LinearMemory {
  readonly buffer: ArrayBuffer
}

interface Api {
  readonly Memory: new (descriptor: { initial: number; maximum?: number }) => LinearMemory
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: Readonly<Record<string, unknown>> }
  readonly validate: (bytes: Uint8Array) => boolean
}

export const wasm: Api = (globalThis as unknown as { WebAssembly: Api }).WebAssembly
