import { hasOscillator } from "../../cells/gate.ts";
import { gateCount } from "../../cells/layer-parameters.ts";
import type { Random } from "../../sensors/random.ts";
import type { GraphSpec, LayerSpec } from "../spec/graph-spec.ts";
import { inputLength, nodeSizes } from "../spec/node-sizes.ts";
import type { Tensor, Weights } from "../tensor.ts";
import { weightShapes } from "../weight-shapes.ts";

/** How the oscillators of a layer begin. */
export interface OscillatorRange {
  /** Shortest and longest τ; log τ is spread evenly between them. */
  readonly periodUs: readonly [number, number];
  readonly openRatio: number;
}

const goldenRatio = 0.618034;

/**
 * Untrained weights for a graph, the same for the same seed: LSTM weights normal with variance
 * 1/I, recurrent and peephole weights N(0, 0.1²), forget bias 1, stratified gates.
 *
 * @param oscillators per layer that has a gate with learned τ and s
 */
export function seededWeights(
  spec: GraphSpec,
  oscillators: Readonly<Record<string, OscillatorRange>>,
  random: Random,
): Weights {
  const weights = new Map<string, Tensor>();
  for (const { name, shape, type } of weightShapes(spec)) {
    const length = shape.reduce((product, side) => product * side, 1);
    const data = type === "float64" ? new Float64Array(length) : new Float32Array(length);
    const deviation = initialDeviation(name, shape);
    for (let i = 0; i < length; i++) data[i] = deviation * random.normal();
    weights.set(name, { shape, data });
  }
  const sizes = nodeSizes(spec);
  for (const layer of spec.layers) {
    setForgetBias(layer, weights);
    const range = oscillators[layer.name];
    if (hasOscillator(layer.gate.mode) && layer.gate.mode !== "aligned") {
      if (range === undefined)
        throw new RangeError(`Cannot seed ${layer.name}: no oscillator range`);
      setStratifiedGates(layer, range, weights);
    }
    scaleInputs(weights.get(`${layer.name}.input_weights`)!, inputLength(layer, sizes));
  }
  return weights;
}

function initialDeviation(name: string, shape: readonly number[]): number {
  if (name.endsWith("bias")) return 0;
  if (name.endsWith("input_weights")) return 1;
  if (name.endsWith("embedding")) return 0.5;
  if (name.includes("conv")) return Math.sqrt(2 / (shape[1]! * shape[2]! * shape[3]!));
  if (name.endsWith(".weights")) return 1 / Math.sqrt(shape[0]!);
  return 0.1;
}

function scaleInputs(tensor: Tensor, inputs: number): void {
  for (let i = 0; i < tensor.data.length; i++) tensor.data[i]! /= Math.sqrt(inputs);
}

/** A forget gate that begins half open forgets within a few updates; begin at σ(1). */
function setForgetBias(layer: LayerSpec, weights: Weights): void {
  if (gateCount(layer.cell) !== 4) return;
  weights.get(`${layer.name}.bias`)!.data.fill(1, layer.units, 2 * layer.units);
}

/**
 * log τ even over its range and shifts by the golden ratio, so that the open fraction is r_on at
 * every moment and not only on average.
 */
function setStratifiedGates(layer: LayerSpec, range: OscillatorRange, weights: Weights): void {
  const period = weights.get(`${layer.name}.period_us`)!.data;
  const shift = weights.get(`${layer.name}.shift_us`)!.data;
  const [shortest, longest] = range.periodUs;
  for (let j = 0; j < layer.units; j++) {
    const place = (j + 0.5) / layer.units;
    period[j] = Math.round(shortest * (longest / shortest) ** place);
    shift[j] = Math.round(period[j]! * ((0.37 + goldenRatio * j) % 1));
  }
  weights.get(`${layer.name}.open_ratio`)!.data.fill(range.openRatio);
}
