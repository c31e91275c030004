import type { SequenceLimits, SequenceOp, SequenceShape } from "./sequence-op.ts";
import { createTypescriptSequenceOp } from "./typescript-sequence-op.ts";
import { createWasmSequenceOp } from "./wasm-sequence-op.ts";

/** How the sequence op is computed; all agree up to rounding. */
export type SequenceOpName = "wasm" | "typescript" | "reference";

export function createSequenceOp(
  name: SequenceOpName,
  shape: SequenceShape,
  limits: SequenceLimits,
): SequenceOp {
  if (name === "wasm") return createWasmSequenceOp(shape, limits);
  return createTypescriptSequenceOp(shape, limits, name === "reference" ? "float64" : "float32");
}
