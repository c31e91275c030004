import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { WasmArena } from "./wasm-arena.ts";

/**
 * SIMD loops over arrays in the memory of a sequence op, by their addresses; assembly/train/parameters.
 */
export interface ParameterKernels {
  stepAdam(
    values: number,
    gradient: number,
    mean: number,
    square: number,
    count: number,
    momentum: number,
    momentumRest: number,
    squareDecay: number,
    squareRest: number,
    rate: number,
    keep: number,
  ): void;
  squaredNorm(values: number, count: number): number;
  scale(values: number, count: number, factor: number): void;
  updateAverage(average: number, values: number, count: number, keep: number, rest: number): void;
  embedEvents(
    x: number,
    table: number,
    address: number,
    on: number,
    events: number,
    dimensions: number,
  ): void;
  addEmbeddingGradients(
    gradient: number,
    xGradient: number,
    address: number,
    events: number,
    dimensions: number,
  ): void;
}

interface OpMemory {
  readonly arena: WasmArena;
  readonly kernels: ParameterKernels;
}

const memories = new WeakMap<ArrayBufferLike, OpMemory>();

/** Lets parameters be allocated in an op's memory, and its kernels be found by them. */
export function registerMemory(arena: WasmArena, kernels: ParameterKernels): void {
  memories.set(arena.memory.buffer, { arena, kernels });
}

/** Kernels for float32 arrays that all lie in the memory of one op; undefined if they do not. */
export function kernelsFor(
  floats: readonly FloatArray[],
  others: readonly ArrayBufferView[] = [],
): ParameterKernels | undefined {
  const { buffer } = floats[0]!;
  const areBeside =
    floats.every((array) => array instanceof Float32Array && array.buffer === buffer) &&
    others.every((array) => array.buffer === buffer);
  return areBeside ? memories.get(buffer)?.kernels : undefined;
}

/** Zeros in the precision of `array`, in the memory it lies in if that is an op's and has room. */
export function floatsBeside(array: FloatArray, length: number): FloatArray {
  if (array instanceof Float64Array) return new Float64Array(length);
  return arenaWithRoom(array, 4 * length)?.float32(length) ?? new Float32Array(length);
}

/** The same for whole numbers. */
export function integersBeside(array: FloatArray, length: number): Int32Array {
  return arenaWithRoom(array, 4 * length)?.int32(length) ?? new Int32Array(length);
}

/** The same for bytes. */
export function bytesBeside(array: FloatArray, length: number): Uint8Array {
  return arenaWithRoom(array, length)?.uint8(length) ?? new Uint8Array(length);
}

function arenaWithRoom(array: FloatArray, bytes: number): WasmArena | undefined {
  const arena = memories.get(array.buffer)?.arena;
  return arena?.hasRoom(bytes) === true ? arena : undefined;
}
