import type { LayerParameters } from "../layer-parameters.ts";

export type FloatArray = Float32Array | Float64Array;

/**
 * State of one layer for one stream, as views on that stream's arena. The caller writes `x`, the
 * kernel writes `c` and `h`.
 */
export interface LayerState {
  /** Cell state [H]. Zero and unused for the GRU. */
  readonly c: FloatArray;
  /** Output [H]. */
  readonly h: FloatArray;
  /** Input of the next step [I]. */
  readonly x: FloatArray;
}

/** One layer's weights, ready to run. Shared by all streams; holds no stream's state. */
export interface LayerKernel {
  readonly inputs: number;
  readonly units: number;
  /** Elements of an arena that one stream's state of this layer takes, padding included. */
  readonly stateLength: number;
  /** Views on `arena` from `offset`, a multiple of 4, zero at first. */
  bind(arena: FloatArray, offset: number): LayerState;
  /**
   * One event: opens the units whose gate is open at `timeUs`, computes only those, all from the
   * same previous h (spec D8), and leaves every other unit's bits alone.
   *
   * @param timeUs event time relative to the stream's origin, µs
   * @returns the number of open units; `openUnits[0 … n)` lists them in ascending order until the
   *   next call
   */
  step(state: LayerState, timeUs: number): number;
  /** The same result by evaluating every row and keeping what the gate lets through (spec D6). */
  stepDense(state: LayerState, timeUs: number): number;
  readonly openUnits: Int32Array;
  /** How open units are being found now, where there is a choice; the result is the same bits. */
  readonly scheduling?: "scan" | "wheel";
  /**
   * The same weights behind a gate with other open ratios, for the same states.
   *
   * @param openRatio [H], in (0, 1]
   * @throws {PolyphaseError} BAD_MODEL if a ratio is out of range or the gate has none
   */
  withOpenRatio(openRatio: Float64Array): LayerKernel;
}

export type KernelName = "reference-f64" | "sparse-f32" | "wasm-f32";

/** A way to compute layers. Results of one kernel are the same bits on every machine. */
export interface Kernel {
  readonly name: KernelName;
  /** Zeroed memory that the layers of this kernel can work on. */
  allocate(length: number): FloatArray;
  /**
   * Takes back what `allocate` gave, when its stream is over: no view on it may be used again.
   * Memory that a collector cannot see is handed out again.
   */
  release(arena: FloatArray): void;
  /** @throws {PolyphaseError} BAD_MODEL if a size or value cannot be computed with. */
  createLayer(parameters: LayerParameters): LayerKernel;
}

/** Events of one stream for one layer, filled by the caller and run in one call. */
export interface EventBatch {
  /** [capacity], relative to the stream's origin, µs. */
  readonly timesUs: Float64Array;
  /** [capacity, I] */
  readonly inputs: FloatArray;
  /** h after each event [capacity, H]; empty if the batch was made without. */
  readonly outputs: FloatArray;
}

/** A layer that takes many events in one call: for replay and for workers. */
export interface BatchLayerKernel extends LayerKernel {
  createBatch(capacity: number, options: { readonly keepOutputs: boolean }): EventBatch;
  /**
   * The first `count` events of the batch, in order: the same bits as `count` calls of `step`.
   *
   * @param batch made by this layer's `createBatch`
   * @returns the sum of open units over the events
   */
  run(state: LayerState, batch: EventBatch, count: number): number;
  withOpenRatio(openRatio: Float64Array): BatchLayerKernel;
}

/** A kernel whose layers take batches. */
export interface BatchKernel extends Kernel {
  createLayer(parameters: LayerParameters): BatchLayerKernel;
}
