import type { FloatArray } from "../cells/kernels/kernel.ts";
import { mixtureDensity } from "../cells/mixture-density.ts";
import { softmax } from "../cells/softmax.ts";
import { type FusionState, sourceView } from "./fusion-state.ts";

/**
 * The value of a head now, computed only if something below it changed since the last call
 * (spec D9). Borrowed: the next call overwrites it.
 *
 * @returns probabilities [C], a regression [C], or π, μ, σ of a mixture
 */
export function readHead(state: FusionState, index: number): FloatArray {
  const values = state.heads[index]!;
  if (state.headStale[index] === 0) return values;
  state.headStale[index] = 0;
  const head = state.graph.heads[index]!;
  const { dense } = head;
  let at = 0;
  for (const source of head.sources) {
    dense.input.set(sourceView(state, source), at);
    at += source.size;
  }
  dense.run();
  values.set(dense.output);
  if (head.spec.type === "softmax") softmax(values, 0, head.size);
  else if (head.spec.type === "mixture") {
    mixtureDensity(values, head.spec.components, head.spec.dimensions);
  }
  return values;
}
