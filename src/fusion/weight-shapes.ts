import { encoderChannels, encoderKernelSide, encoderStages } from "../cells/conv-encoder-shape.ts";
import { hasOscillator } from "../cells/gate.ts";
import { gateCount } from "../cells/layer-parameters.ts";
import type { GraphSpec, LayerSpec } from "./spec/graph-spec.ts";
import { headSize, inputLength, nodeSizes } from "./spec/node-sizes.ts";
import { specError } from "./spec/spec-reader.ts";
import type { Weights } from "./tensor.ts";

/** One tensor that a graph needs. */
export interface WeightShape {
  readonly name: string;
  readonly shape: readonly number[];
  /** Times are float64: rounding τ to float32 drifts by 5 ms a day (spec D10). */
  readonly type: "float32" | "float64";
  readonly required: boolean;
}

/** Every tensor of a graph, in a fixed order: what `weights.safetensors` must hold. */
export function weightShapes(spec: GraphSpec): readonly WeightShape[] {
  const shapes: WeightShape[] = [];
  const add = (name: string, shape: readonly number[], required = true): void => {
    shapes.push({ name, shape, type: "float32", required });
  };
  for (const sensor of spec.sensors) {
    if (sensor.kind === "dvs") {
      add(`${sensor.name}.embedding`, [sensor.width * sensor.height, sensor.dimensions]);
    } else if (sensor.kind === "video") {
      for (let stage = 0; stage < encoderStages; stage++) {
        const side = encoderKernelSide;
        const channelsIn = stage === 0 ? 1 : encoderChannels;
        add(`${sensor.name}.conv${stage + 1}_weights`, [encoderChannels, channelsIn, side, side]);
        add(`${sensor.name}.conv${stage + 1}_bias`, [encoderChannels]);
      }
    }
  }
  const sizes = nodeSizes(spec);
  for (const layer of spec.layers) shapes.push(...layerShapes(layer, inputLength(layer, sizes)));
  for (const head of spec.heads) {
    add(`${head.name}.weights`, [inputLength(head, sizes), headSize(head)]);
    add(`${head.name}.bias`, [headSize(head)]);
  }
  return shapes;
}

function layerShapes(layer: LayerSpec, inputs: number): WeightShape[] {
  const { name, units } = layer;
  const columns = gateCount(layer.cell) * units;
  const float32 = (suffix: string, shape: readonly number[], required = true): WeightShape => {
    return { name: `${name}.${suffix}`, shape, type: "float32", required };
  };
  const shapes = [
    float32("input_weights", [inputs, columns]),
    float32("recurrent_weights", [units, columns]),
    float32("bias", [columns]),
    layer.cell === "phased-gru"
      ? float32("recurrent_bias", [units])
      : float32("peepholes", [3, units], false),
  ];
  if (layer.merge === "attention") {
    shapes.push(float32("attention_weights", [layer.inputs.length, inputs]));
    shapes.push(float32("attention_bias", [layer.inputs.length]));
  }
  if (hasOscillator(layer.gate.mode) && layer.gate.mode !== "aligned") {
    for (const suffix of ["period_us", "shift_us", "open_ratio"]) {
      shapes.push({ name: `${name}.${suffix}`, shape: [units], type: "float64", required: true });
    }
  }
  return shapes;
}

/**
 * Checks that `weights` are those of `spec`: all there, right shapes, nothing else.
 *
 * @throws {PolyphaseError} BAD_MODEL naming the tensor
 */
export function validateWeights(spec: GraphSpec, weights: Weights): void {
  const shapes = weightShapes(spec);
  for (const { name, shape, type, required } of shapes) {
    const tensor = weights.get(name);
    if (tensor === undefined) {
      if (required) throw specError(`weights must hold ${name} [${shape.join(", ")}], got nothing`);
      continue;
    }
    if (tensor.shape.join() !== shape.join()) {
      throw specError(
        `weights ${name} must have shape [${shape.join(", ")}], got [${tensor.shape.join(", ")}]`,
      );
    }
    if (type === "float64" && !(tensor.data instanceof Float64Array)) {
      throw specError(`weights ${name} must be float64, got float32`);
    }
  }
  const known = new Set(shapes.map((shape) => shape.name));
  const stranger = [...weights.keys()].find((name) => !known.has(name));
  if (stranger !== undefined) {
    throw specError(`weights hold ${stranger}, which no part of the graph uses`);
  }
}
