/** The part of the WebAssembly JavaScript interface used here; TypeScript has it with the DOM only. */
export interface WebAssemblyApi {
  validate(bytes: Uint8Array): boolean;
  readonly Module: new (bytes: Uint8Array) => WasmModule;
  readonly Instance: new (
    module: WasmModule,
    imports: { readonly env: { readonly memory: WasmMemoryHandle | PrivateWasmMemory } },
  ) => { readonly exports: unknown };
  readonly Memory: {
    new (size: {
      readonly initial: number;
      readonly maximum: number;
      readonly shared: true;
    }): WasmMemoryHandle;
    new (size: { readonly initial: number }): PrivateWasmMemory;
  };
}

/** A compiled module; may be posted to a worker. */
export type WasmModule = object;

/** A WebAssembly.Memory; if shared, it may be posted to a worker. */
export interface WasmMemoryHandle {
  readonly buffer: SharedArrayBuffer;
  grow(pages: number): number;
}

/** A WebAssembly.Memory of one thread. */
export interface PrivateWasmMemory {
  readonly buffer: ArrayBuffer;
}

/** Undefined where the engine has no WebAssembly or it was switched off. */
export function webAssemblyApi(): WebAssemblyApi | undefined {
  return (globalThis as { WebAssembly?: WebAssemblyApi }).WebAssembly;
}
