import type { GraphSpec } from "../../fusion/spec/graph-spec.ts";
import type { Tensor, Weights } from "../../fusion/tensor.ts";
import { weightShapes } from "../../fusion/weight-shapes.ts";
import { PolyphaseError } from "../../sensors/polyphase-error.ts";
import { type StoredModel, storedModel } from "../../state/model-directory.ts";
import { exportLayer } from "../export-layer.ts";
import { importLayer } from "../import-layer.ts";
import type { GraphNetwork } from "./graph-network.ts";

/** A trained graph as a model for the streaming engine; read-outs of local errors stay behind. */
export function exportGraph(
  network: GraphNetwork,
  provenance: GraphSpec["provenance"],
): StoredModel {
  const { spec } = network.plan;
  const weights = new Map<string, Tensor>();
  for (const { op, spec: layer } of network.parts.layers) {
    for (const [name, tensor] of exportLayer(op, layer.name)) weights.set(name, tensor);
  }
  const { heads, densities } = network.parts;
  for (const { name } of spec.heads) {
    const { readout } = [...heads, ...densities].find((head) => head.name === name)!;
    weights.set(`${name}.weights`, {
      shape: [readout.units, readout.outputs],
      data: Float32Array.from(readout.weights),
    });
    weights.set(`${name}.bias`, {
      shape: [readout.outputs],
      data: Float32Array.from(readout.bias),
    });
  }
  return storedModel({ ...spec, provenance }, weights);
}

/**
 * Takes over the parts of the same name from a model: branches that were trained alone, a graph to
 * adapt to a device.
 *
 * @returns names of the layers and heads taken over
 * @throws {PolyphaseError} BAD_MODEL if a part of the same name has other sizes, or none has the name
 */
export function importGraph(network: GraphNetwork, weights: Weights): readonly string[] {
  const { layers, heads, densities } = network.parts;
  const parts = [
    ...layers.map(({ op, spec: { name } }) => ({
      name,
      take: (): void => importLayer(op, weights, name),
    })),
    ...[...heads, ...densities].map(({ name, readout }) => ({
      name,
      take: (): void => {
        readout.weights.set(weights.get(`${name}.weights`)!.data);
        readout.bias.set(weights.get(`${name}.bias`)!.data);
      },
    })),
  ];
  const found = parts.filter(({ name }) => weights.has(`${name}.bias`));
  if (found.length === 0) {
    const names = parts.map(({ name }) => name).join(", ");
    throw cannotTakeOver(`the model must have one of ${names}`);
  }
  for (const { name } of found) requireShapes(network.plan.spec, weights, name);
  for (const { take } of found) take();
  return found.map(({ name }) => name);
}

function requireShapes(spec: GraphSpec, weights: Weights, part: string): void {
  for (const { name, shape, required } of weightShapes(spec)) {
    const tensor = weights.get(name);
    if (!name.startsWith(`${part}.`) || (tensor === undefined && !required)) continue;
    if (tensor?.shape.join() === shape.join()) continue;
    const got = tensor === undefined ? "nothing" : `[${tensor.shape.join(", ")}]`;
    throw cannotTakeOver(`${name} must have shape [${shape.join(", ")}], got ${got}`);
  }
}

function cannotTakeOver(what: string): PolyphaseError {
  return new PolyphaseError("BAD_MODEL", `Cannot start from a model: ${what}`);
}
