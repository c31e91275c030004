import { hasOscillator } from "../gate.ts";
import type { LayerParameters } from "../layer-parameters.ts";
import { requireOpenRatio, validateLayerParameters } from "../validate-layer-parameters.ts";
import { type Candidates, gruCandidates, lstmCandidates } from "./candidates.ts";
import type {
  BatchKernel,
  BatchLayerKernel,
  EventBatch,
  FloatArray,
  LayerState,
} from "./kernel.ts";
import { type PackedLayer, packLayer, SLOTS } from "./packed-layer.ts";
import { PhaseScan } from "./phase-scan.ts";
import { preActivations } from "./pre-activations.ts";

const { fround } = Math;

/**
 * float32 in plain TypeScript: computes open units only, in the same order of roundings as the
 * WASM kernel, so that both give the same bits. Runs wherever JavaScript runs.
 */
export function createSparseKernel(): BatchKernel {
  return {
    name: "sparse-f32",
    allocate: (length: number): Float32Array => new Float32Array(length),
    release: () => undefined,
    createLayer: (parameters: LayerParameters): BatchLayerKernel => {
      validateLayerParameters(parameters, { computesClosedUnits: false });
      return new SparseLayer(parameters, packLayer(parameters));
    },
  };
}

interface SparseState extends LayerState {
  readonly c: Float32Array;
  readonly h: Float32Array;
  readonly x: Float32Array;
  /** [h | x] with the padding of PackedSizes: what a unit's weights are multiplied with. */
  readonly v: Float32Array;
}

class SparseLayer implements BatchLayerKernel {
  readonly inputs: number;
  readonly units: number;
  readonly stateLength: number;
  readonly openUnits: Int32Array;
  readonly #parameters: LayerParameters;
  readonly #isGru: boolean;
  readonly #layer: PackedLayer;
  readonly #scan: PhaseScan | undefined;
  readonly #allUnits: Int32Array;
  /** k of openUnits. All 1 from the start, and never written, if the gate has no oscillator. */
  readonly #openness: Float32Array;
  readonly #z: Float32Array;
  readonly #candidates: Candidates;

  constructor(parameters: LayerParameters, packed: PackedLayer) {
    const { inputs, units } = parameters;
    this.#parameters = parameters;
    this.inputs = inputs;
    this.units = units;
    this.#isGru = parameters.cell === "phased-gru";
    this.#layer = packed;
    this.stateLength = this.#layer.columns + this.#layer.paddedUnits;
    this.#scan = hasOscillator(parameters.gate) ? new PhaseScan(parameters) : undefined;
    this.#allUnits = Int32Array.from({ length: units }, (_, j) => j);
    this.openUnits = this.#allUnits.slice();
    this.#openness = new Float32Array(units).fill(1);
    this.#z = new Float32Array(units * SLOTS);
    this.#candidates = { c: new Float32Array(units), h: new Float32Array(units) };
  }

  bind(arena: FloatArray, offset: number): SparseState {
    if (!(arena instanceof Float32Array)) {
      throw new TypeError("Cannot bind layer state: arena must be a Float32Array of this kernel");
    }
    const { columns, paddedUnits } = this.#layer;
    const view = (start: number, length: number): Float32Array =>
      arena.subarray(offset + start, offset + start + length);
    return {
      c: view(columns, this.units),
      h: view(0, this.units),
      x: view(paddedUnits, this.inputs),
      v: view(0, columns),
    };
  }

  step(state: LayerState, timeUs: number): number {
    const count = this.#open(timeUs);
    this.#evaluate(state as SparseState, this.openUnits, count);
    this.#update(state as SparseState, count);
    return count;
  }

  stepDense(state: LayerState, timeUs: number): number {
    const count = this.#open(timeUs);
    this.#evaluate(state as SparseState, this.#allUnits, this.units);
    this.#update(state as SparseState, count);
    return count;
  }

  createBatch(capacity: number, options: { readonly keepOutputs: boolean }): EventBatch {
    return {
      timesUs: new Float64Array(capacity),
      inputs: new Float32Array(capacity * this.inputs),
      outputs: new Float32Array(options.keepOutputs ? capacity * this.units : 0),
    };
  }

  run(state: LayerState, batch: EventBatch, count: number): number {
    const { timesUs, inputs, outputs } = batch;
    let open = 0;
    for (let n = 0; n < count; n++) {
      for (let d = 0; d < this.inputs; d++) state.x[d] = inputs[n * this.inputs + d]!;
      open += this.step(state, timesUs[n]!);
      if (outputs.length > 0) outputs.set(state.h, n * this.units);
    }
    return open;
  }

  withOpenRatio(openRatio: Float64Array): SparseLayer {
    const parameters = this.#parameters;
    requireOpenRatio(openRatio, parameters.openRatio.length);
    return new SparseLayer({ ...parameters, openRatio }, this.#layer);
  }

  #open(timeUs: number): number {
    return this.#scan?.find(timeUs, this.openUnits, this.#openness) ?? this.units;
  }

  /** c~ and h~ of the units listed, all from the same h; writes no state. */
  #evaluate(state: SparseState, units: Int32Array, count: number): void {
    const layer = this.#layer;
    clearPadding(layer, state.v);
    preActivations(layer, state.v, units, count, this.#z);
    if (this.#isGru) {
      gruCandidates(this.#z, state.h, units, count, this.#candidates);
    } else {
      lstmCandidates(this.#z, layer.peepholes, state.c, units, count, this.#candidates);
    }
  }

  /** Eqs. 8 and 10 for the open units. */
  #update(state: SparseState, count: number): void {
    const { c, h } = state;
    const candidates = this.#candidates;
    for (let i = 0; i < count; i++) {
      const j = this.openUnits[i]!;
      const k = this.#openness[i]!;
      const rest = fround(1 - k);
      if (!this.#isGru) c[j] = fround(k * candidates.c[j]!) + fround(rest * c[j]!);
      h[j] = fround(k * candidates.h[j]!) + fround(rest * h[j]!);
    }
  }
}

/** A weight of 0 times NaN is NaN: what somebody left in the padding must not reach a sum. */
function clearPadding(layer: PackedLayer, v: Float32Array): void {
  const { inputs, units, paddedUnits, columns } = layer;
  for (let k = units; k < paddedUnits; k++) v[k] = 0;
  for (let k = paddedUnits + inputs; k < columns; k++) v[k] = 0;
}
