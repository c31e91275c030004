import { hasOscillator, phase } from "../cells/gate.ts";
import { gateCount, type LayerParameters } from "../cells/layer-parameters.ts";
import type { FusionGraph } from "./fusion-graph.ts";
import { narrowToFit } from "./governor/fit-levels.ts";
import { type Governor, openScale } from "./governor/governor.ts";
import { type StepCost, stepCost } from "./step-cost.ts";

/** A coming window of event time and what is expected in it. */
export interface ComputeWindow {
  /** Begin, relative to the stream's origin, µs. */
  readonly fromUs: number;
  readonly lengthUs: number;
  /** Events per second of each sensor, in the order of the graph's sensors; evenly spaced. */
  readonly ratesHz: readonly number[];
}

/** What one layer will compute in a window. */
export interface LayerPlan {
  readonly name: string;
  readonly units: number;
  /** r_on as a share of the trained one: 1 without a compute budget. */
  readonly openScale: number;
  /** Evaluations: how often gates are looked at. */
  readonly steps: number;
  /** Sum of open units over the steps. */
  readonly openUnits: number;
  /** Most units open in one step. */
  readonly openUnitsMax: number;
  /** Multiply–accumulates. */
  readonly macs: number;
  /** Multiply–accumulates if every unit were open. */
  readonly denseMacs: number;
  /** CPU time in the WASM kernel on the machine that `stepCost` describes, µs. */
  readonly estimatedUs: number;
}

/**
 * The compute a window will need. Exact in open units and multiply–accumulates for the events
 * assumed, because gates depend on time alone.
 *
 * @param governor of the same graph: then with the open ratios that the load of the whole window
 *   would make it settle at
 */
export function planCompute(
  graph: FusionGraph,
  window: ComputeWindow,
  governor?: Governor,
): readonly LayerPlan[] {
  const trained = planAt(graph, window, governor, undefined);
  if (governor === undefined) return trained;
  const windowSeconds = window.lengthUs / 1e6;
  const rate = { fixedNs: 0, unitsNs: new Float64Array(trained.length) };
  trained.forEach(({ steps, openUnits }, i) => {
    const { fixedNs, unitNs } = governor.layers[i]!.cost;
    rate.fixedNs += (steps * fixedNs) / windowSeconds;
    rate.unitsNs[i] = (openUnits * unitNs) / windowSeconds;
  });
  const levels = new Uint8Array(trained.length);
  narrowToFit(governor, levels, rate);
  return planAt(graph, window, governor, levels);
}

function planAt(
  graph: FusionGraph,
  window: ComputeWindow,
  governor: Governor | undefined,
  levels: Uint8Array | undefined,
): readonly LayerPlan[] {
  const timesBySensor = graph.sensors.map(({ index }) =>
    eventTimes(window, window.ratesHz[index]!),
  );
  return graph.layers.map(({ spec, parameters, sensors, index }) => {
    const below = timesBySensor.filter((_, sensor) => (sensors & (1 << sensor)) !== 0);
    // Sensors that fire together make one tick.
    const times = [...new Set(below.flat())];
    const scale = openScale(levels?.[index] ?? 0);
    const openRatio = Float64Array.from(parameters.openRatio, (ratio) => scale * ratio);
    const cost = governor === undefined ? stepCost(parameters) : governor.layers[index]!.cost;
    return { openScale: scale, ...planLayer(spec.name, { ...parameters, openRatio }, cost, times) };
  });
}

function eventTimes({ fromUs, lengthUs }: ComputeWindow, rateHz: number): number[] {
  const count = Math.floor((lengthUs * rateHz) / 1e6);
  return Array.from({ length: count }, (_, n) => fromUs + Math.round((n * 1e6) / rateHz));
}

function planLayer(
  name: string,
  layer: LayerParameters,
  cost: StepCost,
  times: readonly number[],
): Omit<LayerPlan, "openScale"> {
  const { inputs, units, cell } = layer;
  const unitMacs = gateCount(cell) * (inputs + units);
  let openUnits = 0;
  let openUnitsMax = 0;
  let estimatedNs = 0;
  for (const timeUs of times) {
    const open = countOpen(layer, timeUs);
    openUnits += open;
    openUnitsMax = Math.max(openUnitsMax, open);
    estimatedNs += cost.fixedNs + open * cost.unitNs;
  }
  return {
    name,
    units,
    steps: times.length,
    openUnits,
    openUnitsMax,
    macs: openUnits * unitMacs,
    denseMacs: times.length * units * unitMacs,
    estimatedUs: estimatedNs / 1000,
  };
}

function countOpen(layer: LayerParameters, timeUs: number): number {
  if (!hasOscillator(layer.gate)) return layer.units;
  let open = 0;
  for (let j = 0; j < layer.units; j++) {
    if (phase(timeUs, layer.periodUs[j]!, layer.shiftUs[j]!) < layer.openRatio[j]!) open++;
  }
  return open;
}
