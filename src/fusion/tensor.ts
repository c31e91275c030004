/** A named array of learned numbers. */
export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major; float64 for times, float32 for the rest. */
  readonly data: Float32Array | Float64Array;
}

/** All learned numbers of a model by name (see `weight-shapes.ts`). */
export type Weights = ReadonlyMap<string, Tensor>;
