import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type {
  FeatureSensorSpec,
  HeadSpec,
  LayerSpec,
  MixtureHeadSpec,
  SensorSpec,
} from "../../fusion/spec/graph-spec.ts";
import { headSize } from "../../fusion/spec/node-sizes.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import type { Random } from "../../sensors/random.ts";
import type { LossKind } from "../network/loss.ts";
import { createReadout } from "../network/readout.ts";
import { createGraphBatch, createTrainedSensor, type TrainedSensor } from "./graph-batch.ts";
import { GraphNetwork } from "./graph-network.ts";
import type { GraphPlan, HeadPlan } from "./graph-plan.ts";
import type { RowSource } from "./held-rows.ts";
import type { TrainedDensity } from "./trained-density.ts";
import type { TrainedHead } from "./trained-head.ts";
import { createTrainedLayer, type TrainedLayer } from "./trained-layer.ts";

type Node = { readonly source: RowSource; readonly sensors: number };

/**
 * A graph with fresh parameters.
 *
 * @throws {PolyphaseError} BAD_MODEL if a part of it cannot be trained here
 */
export function createGraphNetwork(plan: GraphPlan, random: Random): GraphNetwork {
  const { spec, limits } = plan;
  const { sequencesMax } = limits;
  const floats = (length: number): FloatArray =>
    plan.op === "reference" ? new Float64Array(length) : new Float32Array(length);
  const nodes = new Map<string, Node>();
  const sensors = spec.sensors.map((sensor, s) => {
    const eventsMax = limits.eventsMax[sensor.name]!;
    const source = createTrainedSensor(
      trainableSensor(sensor),
      { sequencesMax, eventsMax },
      floats,
    );
    nodes.set(sensor.name, { source, sensors: 1 << s });
    return source;
  });
  const layers: TrainedLayer[] = [];
  for (const layer of spec.layers) {
    requireTrainable(layer);
    const inputs = layer.inputs.map((name) => nodes.get(name)!);
    const mask = inputs.reduce((bits, node) => bits | node.sensors, 0);
    const eventsMax = sensors.reduce(
      (sum, sensor, s) => sum + ((mask >> s) & 1 ? sensor.eventsMax : 0),
      0,
    );
    const make = { op: plan.op, sequencesMax, eventsMax, random };
    const trained = createTrainedLayer(layer, plan.layers[layer.name]!, inputs, make);
    nodes.set(layer.name, { source: trained, sensors: trained.sensors });
    layers.push(trained);
  }
  const batch = createGraphBatch(sensors, sequencesMax);
  const densities = spec.heads.filter(isDensity).map((head) => {
    const inputs = head.inputs.map((name) => nodes.get(name)!);
    const sensor = spec.sensors.findIndex(({ name }) => name === head.predicts);
    const predicts = { sensor, target: sensors[sensor]! };
    return createTrainedDensity(head, plan.heads[head.name]!, inputs, {
      ...predicts,
      layer: layers[0]!,
      random,
    });
  });
  const make = {
    layer: layers[0]!,
    ticksMax: batch.timeUs.length,
    readingsMax: batch.readAt.length,
  };
  const heads = headsOf(plan).map(({ head, headPlan }) => {
    const inputs = head.inputs.map((name) => nodes.get(name)!);
    return createTrainedHead(head, headPlan, inputs, { ...make, random });
  });
  return new GraphNetwork(plan, { batch, layers, heads, densities });
}

/** The heads of the graph, and one for each layer that would learn nothing without. */
function headsOf(
  plan: GraphPlan,
): readonly { readonly head: TrainableHead; readonly headPlan: HeadPlan }[] {
  const { spec } = plan;
  const densities = spec.heads.filter(isDensity);
  if (densities.length > 0) {
    if (densities.length === spec.heads.length && plan.errors === "graph") return [];
    throw cannotTrain(
      "heads that predict a sensor must be the only ones, and errors go through the graph",
    );
  }
  const main = spec.heads[0]!;
  const heads = spec.heads.map((head) => ({
    head: trainableHead(head),
    headPlan: plan.heads[head.name]!,
  }));
  if (plan.errors === "graph") return heads;
  const read = new Set(spec.heads.flatMap(({ inputs }) => inputs));
  const local = spec.layers.filter(({ name }) => !read.has(name));
  return [
    ...heads,
    ...local.map(({ name }) => ({
      head: { ...trainableHead(main), name: `local-${name}`, inputs: [name] },
      headPlan: plan.heads[main.name]!,
    })),
  ];
}

interface TrainableHead {
  readonly name: string;
  readonly inputs: readonly string[];
  readonly loss: LossKind;
  readonly size: number;
}

function createTrainedHead(
  head: TrainableHead,
  plan: HeadPlan,
  inputs: readonly Node[],
  make: {
    readonly layer: TrainedLayer;
    readonly ticksMax: number;
    readonly readingsMax: number;
    readonly random: Random;
  },
): TrainedHead {
  const length = inputs.reduce((sum, { source }) => sum + source.size, 0);
  return {
    name: head.name,
    plan,
    loss: head.loss,
    readout: createReadout(make.layer.op, head.size, make.random, length),
    sources: inputs.map((input) => ({ ...input, heldRows: new Int32Array(make.ticksMax) })),
    sensors: inputs.reduce((mask, { sensors }) => mask | sensors, 0),
    readFrom: new Int32Array(make.readingsMax),
    readTo: new Int32Array(make.readingsMax),
    outputs: new Float64Array(make.readingsMax * head.size),
    pooled: new Float64Array(length),
    pooledGradient: new Float64Array(length),
    outputsGradient: new Float64Array(head.size),
  };
}

type DensitySpec = MixtureHeadSpec & { readonly predicts: string };

function isDensity(head: HeadSpec): head is DensitySpec {
  return head.type === "mixture" && head.predicts !== undefined;
}

function createTrainedDensity(
  head: DensitySpec,
  plan: HeadPlan,
  inputs: readonly Node[],
  make: {
    readonly sensor: number;
    readonly target: TrainedSensor;
    readonly layer: TrainedLayer;
    readonly random: Random;
  },
): TrainedDensity {
  const { sensor, target, layer, random } = make;
  const length = inputs.reduce((sum, { source }) => sum + source.size, 0);
  const size = headSize(head);
  const readout = createReadout(layer.op, size, random, length);
  // Components that begin alike would stay alike.
  const means = head.components * head.dimensions;
  for (let m = 0; m < means; m++) readout.bias[head.components + m] = random.normal();
  return {
    name: head.name,
    plan,
    components: head.components,
    readout,
    sources: inputs.map((input) => ({ ...input, heldRows: new Int32Array(target.eventsMax) })),
    sensor,
    target,
    targetRows: new Int32Array(target.eventsMax),
    sequence: new Int32Array(target.eventsMax),
    outputs: new Float64Array(size),
    outputsGradient: new Float64Array(size),
    held: new Float64Array(length),
    heldGradient: new Float64Array(length),
  };
}

function trainableSensor(sensor: SensorSpec): FeatureSensorSpec {
  if (sensor.kind === "audio" || sensor.kind === "scalar") return sensor;
  throw cannotTrain(`sensor ${sensor.name} must be audio or scalar, got ${sensor.kind}`);
}

function requireTrainable({ name, cell, merge, inputs }: LayerSpec): void {
  if (cell === "phased-gru") {
    throw cannotTrain(`cell of layer ${name} must be phased-lstm or lstm, got ${cell}`);
  }
  if (merge !== "concat" && inputs.length > 1) {
    throw cannotTrain(`merge of layer ${name} must be concat, got ${merge}`);
  }
}

function trainableHead(head: HeadSpec): TrainableHead {
  const base = { name: head.name, inputs: head.inputs, size: headSize(head) };
  if (head.type === "softmax") return { ...base, loss: "cross-entropy" };
  if (head.type === "linear" && head.size === 1) return { ...base, loss: "squared-error" };
  throw cannotTrain(
    `head ${head.name} must be softmax, linear of size 1, or a mixture that predicts a sensor, got ${head.type}`,
  );
}

function cannotTrain(what: string): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot train graph: ${what}`);
}
