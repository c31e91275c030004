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
   * Takes 16 · A · H bytes.
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
    return writeWasmLayer(memory, parameters);
  };
  const attachLayer = (address: number): WasmLayer =>
    new WasmLayer(memory, exports, address, scheduling);
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
    createGate: (parameters) => attachLayer(writeWasmGate(memory, parameters)),
  };
  warmUp(kernel, memory);
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

/**
 * V8 replaces the unoptimised code of a function when it has executed so many bytes of it. Looking
 * at the gates of many units and computing few, all open, gets each function there in about as many
 * events, and no function much further.
 */
const WARM_UP_EVENTS = 128;
const WARM_UP_GATES = 256;
const WARM_UP_UNITS = 16;

/** Runs a gate and a layer. Their memory, about 60 kB, is not reused. */
function warmUp(kernel: WasmKernel, memory: WasmMemory): void {
  const gate = kernel.createGate({ gate: "phase", ...staggered(WARM_UP_GATES, 1 / 16) });
  const units = WARM_UP_UNITS;
  const inputs = 8;
  const address = writeWasmLayer(memory, {
    cell: "phased-lstm",
    gate: "phase",
    inputs,
    leak: 0,
    inputWeights: new Float32Array(inputs * 4 * units),
    recurrentWeights: new Float32Array(units * 4 * units),
    bias: new Float32Array(4 * units),
    peepholes: new Float32Array(3 * units),
    recurrentBias: undefined,
    ...staggered(units, 1),
  });
  const layer = kernel.attachLayer(address);
  const state = layer.bind(kernel.allocate(layer.stateLength), 0);
  for (let n = 0; n < WARM_UP_EVENTS; n++) {
    gate.findOpen(100 * n);
    layer.step(state, 100 * n);
  }
}

function staggered(units: number, openRatio: number): Omit<GateParameters, "gate"> {
  return {
    units,
    periodUs: new Float64Array(units).fill(1000),
    shiftUs: Float64Array.from({ length: units }, (_, j) => (1000 * j) / units),
    openRatio: new Float64Array(units).fill(openRatio),
  };
}
