import { decodeBase64 } from "../../sensors/decode-base64.ts";
import { type WasmModule, webAssemblyApi } from "../kernels/web-assembly.ts";
import { dense } from "./dense.ts";
import { wasmModuleBase64 } from "./wasm-module.ts";

/** A dense layer with its weights and its scratch: y = b + x W in float64. */
export interface DenseLayer {
  /** x [D], for the caller to fill. */
  readonly input: Float64Array;
  /** y [C] of the last run. */
  readonly output: Float64Array;
  run(): void;
}

/** `wasm` where the engine can run it. Both give the same bits. */
export type DenseEngine = "wasm" | "typescript";

/** What assembly/dense.ts exports. Addresses are bytes from the start of the memory. */
interface DenseExports {
  dense(y: number, x: number, w: number, b: number, rows: number, columns: number): void;
}

/**
 * @param weights W [D, C], row-major
 * @param bias b [C]
 */
export function createDenseLayer(
  weights: Float64Array,
  bias: Float64Array,
  engine: DenseEngine = compiledModule() === undefined ? "typescript" : "wasm",
): DenseLayer {
  if (engine === "wasm") return wasmLayer(weights, bias);
  const input = new Float64Array(weights.length / bias.length);
  const output = new Float64Array(bias.length);
  return { input, output, run: () => dense(output, input, weights, bias) };
}

const columnsPerBlock = 8;
const bytesPerNumber = 8;
const pageBytes = 65_536;

/** Each layer has an instance with a memory of its own size: nothing ever moves. */
function wasmLayer(weights: Float64Array, bias: Float64Array): DenseLayer {
  const api = webAssemblyApi();
  const module = compiledModule();
  if (api === undefined || module === undefined) {
    throw new TypeError("Cannot create a dense layer in WASM: no WebAssembly with SIMD here");
  }
  const size = bias.length;
  const rows = weights.length / size;
  const columns = Math.ceil(size / columnsPerBlock) * columnsPerBlock;
  // One after the other: W, b, y, x. Rows of W are filled up with zeros.
  const numbers = rows * columns + 2 * columns + rows;
  const memory = new api.Memory({ initial: Math.ceil((numbers * bytesPerNumber) / pageBytes) });
  const all = new Float64Array(memory.buffer);
  for (let row = 0; row < rows; row++) {
    all.set(weights.subarray(row * size, (row + 1) * size), row * columns);
  }
  all.set(bias, rows * columns);
  const [b, y, x] = [rows * columns, (rows + 1) * columns, (rows + 2) * columns];
  const instance = new api.Instance(module, { env: { memory } });
  const { dense: run } = instance.exports as DenseExports;
  const address = (index: number): number => index * bytesPerNumber;
  return {
    input: all.subarray(x, x + rows),
    output: all.subarray(y, y + size),
    run: () => run(address(y), address(x), 0, address(b), rows, columns),
  };
}

let compiled: WasmModule | undefined;
let isCompiled = false;

/** Compiled once; undefined where the engine cannot run it. */
function compiledModule(): WasmModule | undefined {
  if (!isCompiled) {
    const api = webAssemblyApi();
    const bytes = decodeBase64(wasmModuleBase64);
    compiled = api?.validate(bytes) === true ? new api.Module(bytes) : undefined;
    isCompiled = true;
  }
  return compiled;
}
