import type { GraphSpec, HeadSpec, SensorSpec } from "../fusion/spec/graph-spec.ts";
import { graphFormat } from "../fusion/spec/graph-spec.ts";
import { parseGraphSpec } from "../fusion/spec/parse-graph-spec.ts";
import type { Tensor } from "../fusion/tensor.ts";
import { type StoredModel, storedModel } from "../state/model-directory.ts";
import { exportLayer } from "./export-layer.ts";
import type { SequenceNetwork } from "./network/sequence-network.ts";
import { isSequenceOp } from "./sequence-op/sequence-op.ts";

/** What the graph around a trained network is called. */
export interface ExportNames {
  /** Of the model. */
  readonly name: string;
  /** Of its one sensor; its layer is called after it, as in the presets. */
  readonly sensor: string;
  readonly head: string;
  /** Of the classes; undefined for a regression. */
  readonly labels: readonly string[] | undefined;
  readonly provenance: GraphSpec["provenance"];
}

/**
 * A trained network as a model that the streaming graph runs: one sensor, one layer, one head. Time counts from the start of a session, as in training.
 */
export function exportModel(network: SequenceNetwork, names: ExportNames): StoredModel {
  const { layer, embedding, readout } = network;
  if (!isSequenceOp(layer)) {
    throw new TypeError("Cannot export a network: its layer must not be a baseline");
  }
  const { shape } = layer;
  const sensor: SensorSpec =
    embedding === undefined
      ? {
          name: names.sensor,
          kind: "scalar",
          size: shape.inputs,
          convention: "",
          mean: [],
          deviation: [],
        }
      : {
          name: names.sensor,
          kind: "dvs",
          width: embedding.width,
          height: embedding.height,
          dimensions: embedding.dimensions,
        };
  const layerName = `${names.sensor}-lstm`;
  const head: HeadSpec = {
    name: names.head,
    inputs: [layerName],
    ...(names.labels === undefined
      ? { type: "linear", size: readout.outputs, output: "every-tick" }
      : { type: "softmax", labels: names.labels, output: "on-change" }),
  };
  if (shape.gate === "aligned") {
    throw new TypeError("Cannot export a layer: gate must be learned or without time, got aligned");
  }
  const spec: GraphSpec = {
    format: graphFormat,
    name: names.name,
    time: { origin: "session-start", epochUs: 0 },
    sensors: [sensor],
    layers: [
      {
        name: layerName,
        cell: shape.gate === "always" ? "lstm" : "phased-lstm",
        units: shape.units,
        inputs: [names.sensor],
        merge: "concat",
        onSilence: "hold",
        gate: { mode: shape.gate },
      },
    ],
    heads: [head],
    provenance: names.provenance,
  };
  const weights = new Map<string, Tensor>(exportLayer(layer, layerName));
  weights.set(`${names.head}.weights`, {
    shape: [readout.units, readout.outputs],
    data: Float32Array.from(readout.weights),
  });
  weights.set(`${names.head}.bias`, {
    shape: [readout.outputs],
    data: Float32Array.from(readout.bias),
  });
  if (embedding !== undefined) {
    weights.set(`${names.sensor}.embedding`, {
      shape: [embedding.width * embedding.height, embedding.dimensions],
      data: Float32Array.from(embedding.table),
    });
  }
  // Written as it is read: whoever saves it again writes the same bytes, and so the same hash.
  return storedModel(parseGraphSpec(spec), weights);
}
