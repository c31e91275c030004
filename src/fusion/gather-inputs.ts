import type { FloatArray } from "../cells/kernels/kernel.ts";
import { softmax } from "../cells/softmax.ts";
import type { Attention, GraphLayer, Source } from "./fusion-graph.ts";
import { type FusionState, sourceView } from "./fusion-state.ts";

/**
 * Writes the input of `layer` from what its sources hold:
 *
 *     concat     x = [u_1 | … | u_M]
 *     product    x = u_1 ⊙ … ⊙ u_M
 *     attention  x = [a_1 u_1 | … | a_M u_M],  a = softmax(W [u_1 | … | u_M] + b)
 *
 * A source without news keeps its value (`onSilence: hold`, spec D3) or counts as zero.
 */
export function gatherInputs(state: FusionState, layer: GraphLayer): void {
  const x = state.layers[layer.index]!.x;
  const { sources } = layer;
  if (layer.spec.merge === "product") {
    x.fill(1);
    for (const source of sources) multiplyInto(x, state, layer, source);
    return;
  }
  let at = 0;
  for (const source of sources) {
    if (isSilenced(state, layer, source)) x.fill(0, at, at + source.size);
    else x.set(sourceView(state, source), at);
    at += source.size;
  }
  if (layer.attention !== undefined) attend(x, sources, layer.attention);
}

function isSilenced(state: FusionState, layer: GraphLayer, source: Source): boolean {
  return layer.spec.onSilence === "zero" && (source.sensors & state.news) === 0;
}

function multiplyInto(x: FloatArray, state: FusionState, layer: GraphLayer, source: Source): void {
  if (isSilenced(state, layer, source)) {
    x.fill(0);
    return;
  }
  const u = sourceView(state, source);
  for (let d = 0; d < x.length; d++) x[d] = x[d]! * u[d]!;
}

function attend(x: FloatArray, sources: readonly Source[], attention: Attention): void {
  const { shares } = attention;
  for (let m = 0; m < sources.length; m++) {
    let score = attention.bias[m]!;
    for (let d = 0; d < x.length; d++) score += attention.weights[m * x.length + d]! * x[d]!;
    shares[m] = score;
  }
  softmax(shares, 0, sources.length);
  let at = 0;
  for (let m = 0; m < sources.length; m++) {
    const end = at + sources[m]!.size;
    for (; at < end; at++) x[at] = x[at]! * shares[m]!;
  }
}
