import { createDenseLayer, type DenseLayer } from "../cells/dense/dense-layer.ts";
import { alignedShift, hasOscillator } from "../cells/gate.ts";
import type { Kernel, LayerKernel } from "../cells/kernels/kernel.ts";
import type { LayerParameters } from "../cells/layer-parameters.ts";
import type { GraphSpec, HeadSpec, LayerSpec, SensorSpec } from "./spec/graph-spec.ts";
import { headSize, inputLength, nodeSizes } from "./spec/node-sizes.ts";
import type { Weights } from "./tensor.ts";
import { validateWeights } from "./weight-shapes.ts";

/** Where a layer or head reads a vector from. */
export interface Source {
  readonly from: "sensor" | "layer";
  readonly index: number;
  readonly size: number;
  /** Bit s is set if sensor s is below this source. */
  readonly sensors: number;
}

export interface GraphSensor {
  readonly spec: SensorSpec;
  readonly index: number;
  readonly size: number;
  /** Place of its held features in a state's arena. */
  readonly offset: number;
  /** Layers fed by this sensor alone, in order of evaluation: one sub-step per event (spec D16). */
  readonly branch: readonly GraphLayer[];
  /** Heads that predict this sensor's next features. */
  readonly scorers: readonly number[];
}

export interface GraphLayer {
  readonly spec: LayerSpec;
  readonly index: number;
  readonly kernel: LayerKernel;
  readonly parameters: LayerParameters;
  readonly offset: number;
  readonly sources: readonly Source[];
  readonly sensors: number;
  readonly attention: Attention | undefined;
  /** Heads that read this layer's output. */
  readonly readers: readonly number[];
}

/** Weights of a gated-attention merge: W [M, D] and b [M] for M sources of D numbers in all. */
export interface Attention {
  readonly weights: ArrayLike<number>;
  readonly bias: ArrayLike<number>;
  /** Scratch [M]: the shares a of the step under way. */
  readonly shares: Float64Array;
}

export interface GraphHead {
  readonly spec: HeadSpec;
  readonly index: number;
  readonly size: number;
  readonly sources: readonly Source[];
  /** [inputs, size], row-major; float64, so that reading out needs no conversion. */
  readonly weights: Float64Array;
  readonly bias: Float64Array;
  /** The same, ready to run. Its input and output are the scratch of a read-out. */
  readonly dense: DenseLayer;
}

/**
 * A validated graph with its weights, ready to run on any number of streams of one thread.
 * Immutable but for scratch that no result outlives.
 */
export interface FusionGraph {
  readonly spec: GraphSpec;
  readonly kernel: Kernel;
  readonly sensors: readonly GraphSensor[];
  readonly layers: readonly GraphLayer[];
  /** Layers above more than one sensor, in order of evaluation: once per tick (spec D1). */
  readonly mergeLayers: readonly GraphLayer[];
  readonly heads: readonly GraphHead[];
  /** Elements of one stream's state arena. */
  readonly arenaLength: number;
}

/**
 * Joins a specification and its weights on a kernel.
 *
 * @throws {PolyphaseError} BAD_MODEL if the weights are not those of the specification
 */
export function createFusionGraph(spec: GraphSpec, weights: Weights, kernel: Kernel): FusionGraph {
  validateWeights(spec, weights);
  const sizes = nodeSizes(spec);
  const sourceByName = new Map<string, Source>();
  let arenaLength = 0;
  const take = (length: number): number => {
    const offset = arenaLength;
    // Kernels want their state on 16-byte boundaries of float32.
    arenaLength += Math.ceil(length / 4) * 4;
    return offset;
  };
  const sensors = spec.sensors.map((sensor, index) => {
    const size = sizes.get(sensor.name)!;
    sourceByName.set(sensor.name, { from: "sensor", index, size, sensors: 1 << index });
    return { spec: sensor, index, size, offset: take(size) };
  });
  const layers = spec.layers.map((layer, index): GraphLayer => {
    const sources = layer.inputs.map((input) => sourceByName.get(input)!);
    const below = sources.reduce((mask, source) => mask | source.sensors, 0);
    const parameters = layerParameters(layer, inputLength(layer, sizes), weights);
    const layerKernel = kernel.createLayer(parameters);
    sourceByName.set(layer.name, { from: "layer", index, size: layer.units, sensors: below });
    return {
      spec: layer,
      index,
      kernel: layerKernel,
      parameters,
      offset: take(layerKernel.stateLength),
      sources,
      sensors: below,
      attention: attentionOf(layer, weights),
      readers: spec.heads.flatMap((head, i) => (head.inputs.includes(layer.name) ? [i] : [])),
    };
  });
  const heads = spec.heads.map((head, index): GraphHead => {
    const size = headSize(head);
    const headWeights = Float64Array.from(weights.get(`${head.name}.weights`)!.data);
    const bias = Float64Array.from(weights.get(`${head.name}.bias`)!.data);
    return {
      spec: head,
      index,
      size,
      sources: head.inputs.map((input) => sourceByName.get(input)!),
      weights: headWeights,
      bias,
      dense: createDenseLayer(headWeights, bias),
    };
  });
  return {
    spec,
    kernel,
    sensors: sensors.map((sensor) => {
      return {
        ...sensor,
        branch: layers.filter((layer) => layer.sensors === 1 << sensor.index),
        scorers: spec.heads.flatMap((head, i) => {
          return head.type === "mixture" && head.predicts === sensor.spec.name ? [i] : [];
        }),
      };
    }),
    layers,
    mergeLayers: layers.filter((layer) => (layer.sensors & (layer.sensors - 1)) !== 0),
    heads,
    arenaLength,
  };
}

function layerParameters(layer: LayerSpec, inputs: number, weights: Weights): LayerParameters {
  const data = (suffix: string): ArrayLike<number> => weights.get(`${layer.name}.${suffix}`)!.data;
  const optional = (suffix: string): ArrayLike<number> | undefined => {
    return weights.get(`${layer.name}.${suffix}`)?.data;
  };
  return {
    cell: layer.cell,
    inputs,
    units: layer.units,
    gate: layer.gate.mode,
    leak: 0,
    inputWeights: data("input_weights"),
    recurrentWeights: data("recurrent_weights"),
    bias: data("bias"),
    peepholes:
      layer.cell === "phased-gru"
        ? undefined
        : (optional("peepholes") ?? new Float32Array(3 * layer.units)),
    recurrentBias: optional("recurrent_bias"),
    ...oscillator(layer, data),
  };
}

function oscillator(
  layer: LayerSpec,
  data: (suffix: string) => ArrayLike<number>,
): Pick<LayerParameters, "periodUs" | "shiftUs" | "openRatio"> {
  const { gate, units } = layer;
  if (!hasOscillator(gate.mode)) return { periodUs: [], shiftUs: [], openRatio: [] };
  if (gate.mode !== "aligned") {
    return {
      periodUs: data("period_us"),
      shiftUs: data("shift_us"),
      openRatio: data("open_ratio"),
    };
  }
  const { alignUs, periodUs, openRatio } = gate as Extract<typeof gate, { mode: "aligned" }>;
  return {
    periodUs: new Float64Array(units).fill(periodUs),
    shiftUs: new Float64Array(units).fill(alignedShift(alignUs, periodUs, openRatio)),
    openRatio: new Float64Array(units).fill(openRatio),
  };
}

function attentionOf(layer: LayerSpec, weights: Weights): Attention | undefined {
  if (layer.merge !== "attention") return undefined;
  return {
    weights: weights.get(`${layer.name}.attention_weights`)!.data,
    bias: weights.get(`${layer.name}.attention_bias`)!.data,
    shares: new Float64Array(layer.inputs.length),
  };
}
