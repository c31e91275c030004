import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { DirectEncoder } from "../encoder.ts";
import type { FeatureSensorSpec } from "../spec/graph-spec.ts";
import { eventMismatch } from "./event-mismatch.ts";

/** Vectors that arrive ready-made: x = (value − mean) / deviation. */
export function createFeatureEncoder(spec: FeatureSensorSpec): DirectEncoder {
  const { size, kind, convention } = spec;
  const mean = spec.mean.length > 0 ? Float64Array.from(spec.mean) : new Float64Array(size);
  const deviation =
    spec.deviation.length > 0 ? Float64Array.from(spec.deviation) : new Float64Array(size).fill(1);
  return {
    mode: "direct",
    name: "features",
    size,
    validate: (event) => {
      if (event.kind !== kind) throw eventMismatch(event, `kind ${kind}`, event.kind);
      if (event.kind === "audio" && event.convention !== convention) {
        throw eventMismatch(event, `features ${convention}`, event.convention);
      }
      const values = vectorOf(event);
      if (values.length !== size) {
        throw eventMismatch(event, `${size} values`, `${values.length}`);
      }
      for (let d = 0; d < size; d++) {
        if (Number.isFinite(values[d]!)) continue;
        throw eventMismatch(event, "finite values", `${values[d]} at index ${d}`);
      }
    },
    encode: (out: FloatArray, event) => {
      const values = vectorOf(event);
      for (let d = 0; d < size; d++) out[d] = (values[d]! - mean[d]!) / deviation[d]!;
    },
  };
}

function vectorOf(event: SensorEvent): Float32Array {
  if (event.kind === "audio" || event.kind === "scalar") return event.values;
  throw eventMismatch(event, "a vector", event.kind);
}
