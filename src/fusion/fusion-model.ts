import type { Kernel } from "../cells/kernels/kernel.ts";
import type { Encoder } from "./encoder.ts";
import { createEncoder, type FrameEncoderFactory } from "./encoders/create-encoder.ts";
import { createFusionGraph, type FusionGraph } from "./fusion-graph.ts";
import type { GraphSpec } from "./spec/graph-spec.ts";
import type { Weights } from "./tensor.ts";

/** Everything it takes to turn sensor events into predictions. */
export interface FusionModel {
  readonly graph: FusionGraph;
  /** In the order of the graph's sensors. */
  readonly encoders: readonly Encoder[];
  /** sha256 of the model's files: checkpoints and recordings name it. */
  readonly hash: string;
}

/**
 * Makes a model ready to run.
 *
 * @throws {PolyphaseError} BAD_MODEL if the weights are not those of the specification
 */
export function createFusionModel(
  spec: GraphSpec,
  weights: Weights,
  hash: string,
  kernel: Kernel,
  frameEncoder?: FrameEncoderFactory,
): FusionModel {
  const graph = createFusionGraph(spec, weights, kernel);
  const encoders = spec.sensors.map((sensor) => createEncoder(sensor, weights, frameEncoder));
  return { graph, encoders, hash };
}
