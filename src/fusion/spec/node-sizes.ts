import { encodedLength } from "../../cells/conv-encoder-shape.ts";
import type { GraphSpec, HeadSpec, LayerSpec, SensorSpec } from "./graph-spec.ts";

/** Length of the vector a sensor gives to the graph at each of its events. */
export function sensorSize(sensor: SensorSpec): number {
  if (sensor.kind === "video") return encodedLength(sensor.width, sensor.height);
  return sensor.kind === "dvs" ? sensor.dimensions + 1 : sensor.size;
}

/** Output lengths of all sensors and layers by name. */
export function nodeSizes(spec: GraphSpec): ReadonlyMap<string, number> {
  return new Map([
    ...spec.sensors.map((sensor) => [sensor.name, sensorSize(sensor)] as const),
    ...spec.layers.map((layer) => [layer.name, layer.units] as const),
  ]);
}

/** Length of the vector that a layer or head reads. */
export function inputLength(
  node: LayerSpec | HeadSpec,
  sizes: ReadonlyMap<string, number>,
): number {
  const lengths = node.inputs.map((input) => sizes.get(input)!);
  if ("merge" in node && node.merge === "product") return lengths[0]!;
  return lengths.reduce((sum, length) => sum + length, 0);
}

/** Numbers a head puts out. */
export function headSize(head: HeadSpec): number {
  if (head.type === "softmax") return head.labels.length;
  if (head.type === "linear") return head.size;
  return head.components * (1 + 2 * head.dimensions);
}
