import { decodeBase64 } from "../../sensors/decode-base64.ts";
import type { LayerParameters } from "../layer-parameters.ts";
import { validateLayerParameters } from "../validate-layer-parameters.ts";
import type { BatchKernel } from "./kernel.ts";
import { WasmAddressLayer } from "./wasm-address-layer.ts";
import {
  type GateParameters,
  type WasmExports,
  WasmLayer,
  writeWasmGate,
  writeWasmLayer,
} from "./wasm-layer.ts";
import { WasmMemory } from "./wasm-memory.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";
import type { Scheduling } from "./wasm-wheel.ts";
import { type WasmMemoryHandle, type WasmModule, webAssemblyApi } from "./web-assembly.ts";

/** What another thread needs to compute with the same weights. Can be posted to a worker. */
export interface WasmKernelShare {
  readonly module: WasmModule;
  readonly memory: WasmMemoryHandle;
}

/** The float32 kernel in WASM SIMD128: the bits of `sparse-f32`, several times as fast. */
export interface WasmKernel extends BatchKernel {
  readonly share: WasmKernelShare;
  allocate(length: number): Float32Array;
  /** Address in the shared memory of a layer's weights, for `attachLayer` in any thread. */
  writeLayer(parameters: LayerParameters): number;
  /** A layer on weights already in the memory, with scratch of its own. */
  attachLayer(address: number): WasmLayer;
  createLayer(parameters: LayerParameters): WasmLayer;
  /**
   * A layer whose input is always one of `vectors` [A, I], multiplied with the weights beforehand.
   * Takes 16 · H · (A + 2 H) bytes.
   */
  createAddressLayer(parameters: LayerParameters, vectors: ArrayLike<number>): WasmAddressLayer;
  /** The gate of a layer without its weights: when does which unit open? */
  createGate(parameters: GateParameters): Pick<WasmLayer, "findOpen" | "openUnits" | "scheduling">;
}

export interface WasmKernelOptions {
  /** What another thread's kernel gave, to use its memory; a memory of its own if absent. */
  readonly share?: WasmKernelShare;
  /** `auto` if absent. */
  readonly scheduling?: Scheduling;
}

/** True if this engine can run the kernel: WebAssembly with SIMD and shared memory. */
export function canRunWasmKernel(): boolean {
  return webAssemblyApi()?.validate(moduleBytes()) ?? false;
}

/**
 * Loads the kernel and runs it until the engine has compiled it with optimisation, so that the
 * first real event costs what all others do.
 */
export function createWasmKernel(options: WasmKernelOptions = {}): WasmKernel {
  const { share, scheduling = "auto" } = options;
  const api = webAssemblyApi();
  if (api === undefined) throw new TypeError("Cannot create WASM kernel: no WebAssembly here");
  const memory = new WasmMemory(share?.memory);
  compiled ??= share?.module ?? new api.Module(moduleBytes());
  const module = compiled;
  const instance = new api.Instance(module, { env: { memory: memory.handle } });
  const exports = instance.exports as WasmExports;
  const writeLayer = (parameters: LayerParameters): number => {
    validateLayerParameters(parameters, { computesClosedUnits: false });
    return writeWasmLayer(memory, exports, parameters);
  };
  const attachGate = (address: number): WasmLayer =>
    new WasmLayer(memory, exports, address, scheduling);
  const attachLayer = (address: number): WasmLayer => {
    const layer = attachGate(address);
    layer.rehearse();
    return layer;
  };
  const kernel: WasmKernel = {
    name: "wasm-f32",
    share: { module, memory: memory.handle },
    allocate: (length) => memory.float32(length),
    release: (arena) => memory.release(arena.byteOffset, arena.byteLength),
    createLayer: (parameters) => attachLayer(writeLayer(parameters)),
    writeLayer,
    attachLayer,
    createAddressLayer: (parameters, vectors) =>
      new WasmAddressLayer(memory, exports, parameters, vectors, scheduling),
    createGate: (parameters) => attachGate(writeWasmGate(memory, parameters)),
  };
  warmUp(kernel, memory, exports);
  return kernel;
}

let decoded: Uint8Array | undefined;
/** All kernels of a thread share it, and what the engine has optimised of it. */
let compiled: WasmModule | undefined;

/** Decoded once per thread. */
function moduleBytes(): Uint8Array {
  decoded ??= decodeBase64(wasmModuleBase64);
  return decoded;
}

/** What assembly/pre-warm.ts works in. */
const WARM_UP_BYTES = 65_536;
/**
 * Calls after which the engine remembers what the way from JavaScript into the module looks like:
 * it begins to when it has executed some 1,000 bytes of a function, and this one has 20.
 */
const WARM_UP_CALLS = 100;

/**
 * Has the module run itself until the engine optimises it, which takes no JavaScript, and calls it
 * as a stream does.
 */
function warmUp(kernel: WasmKernel, memory: WasmMemory, exports: WasmExports): void {
  const scratch = memory.reserve(WARM_UP_BYTES);
  const layer = kernel.attachLayer(exports.preWarm(scratch));
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  for (let n = 0; n < WARM_UP_CALLS; n++) layer.step(state, 100 * n);
  memory.release(scratch, WARM_UP_BYTES);
}
