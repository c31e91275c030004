import { hasOscillator } from "../../cells/gate.ts";
import type { GraphSpec, LayerSpec, MixtureHeadSpec } from "./graph-spec.ts";
import { inputLength, nodeSizes, sensorSize } from "./node-sizes.ts";
import { specError } from "./spec-reader.ts";

/** Most sensors a graph may have: a node's sensors are kept as bits of one integer. */
const sensorsMax = 30;

/** Names are file-system and metric friendly. */
const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]*$/;

/**
 * Checks what one field alone cannot show: names, order, sizes of merges, gates that suit their
 * place, and that everything is used.
 *
 * @throws {PolyphaseError} BAD_MODEL
 */
export function validateTopology(spec: GraphSpec): void {
  if (spec.sensors.length === 0) throw specError("sensors must name at least one sensor, got none");
  if (spec.sensors.length > sensorsMax) {
    throw specError(`sensors must be at most ${sensorsMax}, got ${spec.sensors.length}`);
  }
  if (spec.heads.length === 0) throw specError("heads must name at least one head, got none");
  validateNames(spec);
  validateSizes(spec);
  validateInputs(spec);
  validateUse(spec);
  const sizes = nodeSizes(spec);
  spec.layers.forEach((layer, i) => {
    validateMerge(layer, `layers[${i}]`, sizes);
    validateGate(spec, layer, `layers[${i}]`);
  });
  spec.heads.forEach((head, i) => {
    if (head.type === "softmax" && head.labels.length < 2) {
      throw specError(`heads[${i}].labels must name at least 2 classes, got ${head.labels.length}`);
    }
    if (head.type !== "softmax" && head.output === "on-change") {
      throw specError(`heads[${i}].output must not be on-change: only a softmax has a top class`);
    }
    if (head.type === "mixture") validatePrediction(spec, head, `heads[${i}]`, sizes);
  });
}

function validateNames(spec: GraphSpec): void {
  const seen = new Map<string, string>();
  for (const part of ["sensors", "layers", "heads"] as const) {
    spec[part].forEach(({ name }, i) => {
      const path = `${part}[${i}].name`;
      if (!namePattern.test(name)) {
        throw specError(
          `${path} must be letters, digits, "-" and "_", got ${JSON.stringify(name)}`,
        );
      }
      const earlier = seen.get(name);
      if (earlier !== undefined) {
        throw specError(`${path} must be unique, but ${earlier} is also ${JSON.stringify(name)}`);
      }
      seen.set(name, path);
    });
  }
}

function validateSizes(spec: GraphSpec): void {
  spec.sensors.forEach((sensor, i) => {
    if (sensor.kind !== "video" || sensorSize(sensor) > 0) return;
    throw specError(
      `sensors[${i}].width and height must leave something after three 5×5 convolutions and pools (36 or more), got ${sensor.width}×${sensor.height}`,
    );
  });
}

function validateInputs(spec: GraphSpec): void {
  const known = new Set(spec.sensors.map((sensor) => sensor.name));
  const expectKnown = (path: string, inputs: readonly string[]): void => {
    if (inputs.length === 0) throw specError(`${path} must name at least one input, got none`);
    inputs.forEach((input, m) => {
      if (!known.has(input)) {
        throw specError(
          `${path}[${m}] must be a sensor or an earlier layer (${[...known].join(", ")}), got ${JSON.stringify(input)}`,
        );
      }
      if (inputs.indexOf(input) !== m) {
        throw specError(`${path}[${m}] must not repeat ${JSON.stringify(input)}`);
      }
    });
  };
  spec.layers.forEach((layer, i) => {
    expectKnown(`layers[${i}].inputs`, layer.inputs);
    known.add(layer.name);
  });
  for (const [i, head] of spec.heads.entries()) expectKnown(`heads[${i}].inputs`, head.inputs);
}

function validateUse(spec: GraphSpec): void {
  const used = new Set([...spec.layers, ...spec.heads].flatMap((node) => node.inputs));
  const idle = [...spec.sensors, ...spec.layers].find((node) => !used.has(node.name));
  if (idle !== undefined) {
    throw specError(
      `${JSON.stringify(idle.name)} must be an input of a layer or head, but is of none`,
    );
  }
}

function validateMerge(layer: LayerSpec, path: string, sizes: ReadonlyMap<string, number>): void {
  if (layer.merge !== "product") return;
  const expected = inputLength(layer, sizes);
  for (const input of layer.inputs) {
    if (sizes.get(input) !== expected) {
      throw specError(
        `${path}.inputs of a product must have equal sizes: ${JSON.stringify(layer.inputs[0])} has ${expected}, ${JSON.stringify(input)} has ${sizes.get(input)}`,
      );
    }
  }
}

function validateGate(spec: GraphSpec, layer: LayerSpec, path: string): void {
  if (layer.governed !== undefined && !hasOscillator(layer.gate.mode)) {
    throw specError(
      `${path}.governed needs a gate with r_on to narrow (phase, aligned or square), got ${layer.gate.mode}`,
    );
  }
  if (layer.cell === "lstm" && hasOscillator(layer.gate.mode)) {
    throw specError(
      `${path}.gate.mode of an lstm must be always or own-event, got ${layer.gate.mode}: use phased-lstm`,
    );
  }
  if (layer.gate.mode === "own-event" && sensorsBelow(spec, layer).size > 1) {
    throw specError(
      `${path}.gate.mode own-event needs one sensor below the layer, got ${[...sensorsBelow(spec, layer)].join(", ")}: use phase or square in a merge layer`,
    );
  }
}

function validatePrediction(
  spec: GraphSpec,
  { predicts, dimensions, output, inputs }: MixtureHeadSpec,
  path: string,
  sizes: ReadonlyMap<string, number>,
): void {
  if (predicts === undefined) return;
  const sensors = spec.sensors.map(({ name }) => name);
  if (!sensors.includes(predicts)) {
    throw specError(
      `${path}.predicts must be a sensor (${sensors.join(", ")}), got ${JSON.stringify(predicts)}`,
    );
  }
  if (sizes.get(predicts) !== dimensions) {
    throw specError(
      `${path}.dimensions must be those of ${predicts}, ${sizes.get(predicts)}, got ${dimensions}`,
    );
  }
  if (output !== "every-tick") {
    throw specError(`${path}.output must be every-tick where events are scored, got ${output}`);
  }
  const seen = inputs.find((input) => sensors.includes(input));
  if (seen === undefined) return;
  throw specError(
    `${path}.inputs must be layers where events are scored: ${JSON.stringify(seen)} holds the event itself`,
  );
}

function sensorsBelow(spec: GraphSpec, layer: LayerSpec): ReadonlySet<string> {
  const sensors = new Set<string>();
  for (const input of layer.inputs) {
    const below = spec.layers.find((candidate) => candidate.name === input);
    if (below === undefined) sensors.add(input);
    else for (const sensor of sensorsBelow(spec, below)) sensors.add(sensor);
  }
  return sensors;
}
