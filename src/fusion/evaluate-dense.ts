import { hasOscillator, openness, phase } from "../cells/gate.ts";
import type { LayerParameters } from "../cells/layer-parameters.ts";
import { phasedGruUnit } from "../cells/phased-gru.ts";
import { phasedLstmUnit } from "../cells/phased-lstm.ts";
import type { TimeUs } from "../sensors/time.ts";
import type { FusionGraph, GraphHead, GraphLayer, Source } from "./fusion-graph.ts";

/** All events of one stream with equal time, in order of (sensor priority, seq). */
export interface DenseTick {
  readonly timeUs: TimeUs;
  readonly events: readonly { readonly sensor: number; readonly features: ArrayLike<number> }[];
}

/** What the graph is after a tick. */
export interface DenseResult {
  readonly timeUs: TimeUs;
  /** h of each layer. */
  readonly layers: readonly Float64Array[];
  /** Openness k of each unit of each layer at its last evaluation in this tick; 0 where silent. */
  readonly openness: readonly Float64Array[];
  /** Value of each head, before softmax or mixture squashing: b + x W. */
  readonly logits: readonly Float64Array[];
}

/**
 * The normative reference (spec D6): every row of every layer at every tick in float64, with k = 0
 * for silent branches, from the formulas alone. It shares no state, merge or skipping code with
 * `stepFusion`, which is tested against it. Slow; meant for tests and for checking a deployment.
 *
 * @param ticks in event-time order
 * @param epochUs origin of the phases
 */
export function* evaluateDense(
  graph: FusionGraph,
  ticks: Iterable<DenseTick>,
  epochUs: TimeUs,
): Generator<DenseResult> {
  const features: Float64Array[] = graph.sensors.map(({ size }) => new Float64Array(size));
  const c: Float64Array[] = graph.layers.map(({ spec }) => new Float64Array(spec.units));
  const h: Float64Array[] = graph.layers.map(({ spec }) => new Float64Array(spec.units));
  const read = (source: Source): Float64Array => {
    return source.from === "sensor" ? features[source.index]! : h[source.index]!;
  };
  const merges = graph.layers.filter((layer) => {
    return graph.sensors.every(({ index }) => layer.sensors !== 1 << index);
  });
  for (const tick of ticks) {
    const t = tick.timeUs - epochUs;
    const lastOpenness: Float64Array[] = graph.layers.map(
      ({ spec }) => new Float64Array(spec.units),
    );
    let news = 0;
    const evaluate = (layer: GraphLayer): void => {
      const x = mergedInput(layer, read, news);
      const k = gateOpenness(layer.parameters, t);
      const next = denseLayer(layer.parameters, x, c[layer.index]!, h[layer.index]!, k);
      c[layer.index] = next.c;
      h[layer.index] = next.h;
      lastOpenness[layer.index] = k;
    };
    for (const { sensor, features: values } of tick.events) {
      features[sensor] = Float64Array.from(values);
      news |= 1 << sensor;
      for (const layer of graph.layers) if (layer.sensors === 1 << sensor) evaluate(layer);
    }
    for (const layer of merges) if ((layer.sensors & news) !== 0) evaluate(layer);
    yield {
      timeUs: tick.timeUs,
      layers: h.map((values) => values.slice()),
      openness: lastOpenness,
      logits: graph.heads.map((head) => denseHead(head, read)),
    };
  }
}

function gateOpenness(layer: LayerParameters, t: number): Float64Array {
  return Float64Array.from({ length: layer.units }, (_, j) => {
    if (!hasOscillator(layer.gate)) return 1;
    const phi = phase(t, layer.periodUs[j]!, layer.shiftUs[j]!);
    if (layer.gate === "square") return phi < layer.openRatio[j]! ? 1 : 0;
    return openness(phi, layer.openRatio[j]!, layer.leak);
  });
}

function denseLayer(
  layer: LayerParameters,
  x: Float64Array,
  c: Float64Array,
  h: Float64Array,
  k: Float64Array,
): { readonly c: Float64Array; readonly h: Float64Array } {
  const cNext = c.slice();
  const hNext = h.slice();
  const proposed = new Float64Array(2);
  for (let j = 0; j < layer.units; j++) {
    if (layer.cell === "phased-gru") proposed[1] = phasedGruUnit(layer, j, x, h);
    else phasedLstmUnit(proposed, layer, j, x, h, c);
    // Eqs. 8 and 10, and k = 0 as a choice (spec D7).
    if (k[j] === 0) continue;
    cNext[j] = k[j]! * proposed[0]! + (1 - k[j]!) * c[j]!;
    hNext[j] = k[j]! * proposed[1]! + (1 - k[j]!) * h[j]!;
  }
  return { c: cNext, h: hNext };
}

function mergedInput(
  layer: GraphLayer,
  read: (source: Source) => Float64Array,
  news: number,
): Float64Array {
  const inputs = layer.sources.map((source) => {
    const silenced = layer.spec.onSilence === "zero" && (source.sensors & news) === 0;
    return silenced ? new Float64Array(source.size) : read(source);
  });
  if (layer.spec.merge === "product") {
    return inputs[0]!.map((_, d) => inputs.reduce((product, u) => product * u[d]!, 1));
  }
  const joined = Float64Array.from(inputs.flatMap((u) => [...u]));
  if (layer.attention === undefined) return joined;
  const { weights, bias } = layer.attention;
  const scores = inputs.map((_, m) => {
    return joined.reduce((sum, u, d) => sum + weights[m * joined.length + d]! * u, bias[m]!);
  });
  const exponentials = scores.map((score) => Math.exp(score - Math.max(...scores)));
  const total = exponentials.reduce((sum, value) => sum + value, 0);
  return Float64Array.from(
    inputs.flatMap((u, m) => [...u].map((value) => (value * exponentials[m]!) / total)),
  );
}

function denseHead(head: GraphHead, read: (source: Source) => Float64Array): Float64Array {
  const x = head.sources.flatMap((source) => [...read(source)]);
  return Float64Array.from({ length: head.size }, (_, column) => {
    return x.reduce(
      (sum, value, d) => sum + value * head.weights[d * head.size + column]!,
      head.bias[column]!,
    );
  });
}
