export interface WasmModule {
  readonly what: string;
  readonly source: string;
  readonly target: string;
}
export const wasmModules: readonly WasmModule[];
export function buildWasmModule(module: WasmModule): Promise<string>;
