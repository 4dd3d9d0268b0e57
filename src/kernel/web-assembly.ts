/** The part of the WebAssembly JavaScript API that is used here: TypeScript has it only in its library for browsers. */
interface Api {
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer };
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

export const webAssembly = (globalThis as unknown as { readonly WebAssembly: Api }).WebAssembly;
