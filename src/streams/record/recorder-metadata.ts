import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { LatePolicy } from "../fuse/late-policy.ts";
import { areRecorded } from "./record-decisions.ts";

/**
 * What a recorder's files say of the run they are of, so that a replay can repeat it.
 *
 * @param budget the compute budget it is held to, in words that a replay can compare; empty without one
 */
export function recorderMetadata(
  run: string,
  model: FusionModel,
  late: LatePolicy,
  budget = "",
): Readonly<Record<string, string>> {
  return {
    /** The order of the messages: as the merge gave them out. */
    order: "merged",
    /** The same in all parts of one run. */
    run,
    model: model.graph.spec.name,
    modelHash: model.hash,
    scalar: stateScalar(model),
    late: JSON.stringify(late),
    ...(budget === "" ? {} : { budget }),
    ...(budget !== "" && areRecorded(late) ? { decisions: "recorded" } : {}),
  };
}

/** The numbers that a model's states are made of. */
export function stateScalar({ graph }: FusionModel): "float32" | "float64" {
  return graph.kernel.name === "reference-f64" ? "float64" : "float32";
}
