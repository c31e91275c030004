import { hasOscillator, phase } from "../cells/gate.ts";
import { gateCount, type LayerParameters } from "../cells/layer-parameters.ts";
import type { FusionGraph } from "./fusion-graph.ts";
import { stepCost } from "./step-cost.ts";

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
 */
export function planCompute(graph: FusionGraph, window: ComputeWindow): readonly LayerPlan[] {
  const timesBySensor = graph.sensors.map(({ index }) =>
    eventTimes(window, window.ratesHz[index]!),
  );
  return graph.layers.map(({ spec, parameters, sensors }) => {
    const below = timesBySensor.filter((_, sensor) => (sensors & (1 << sensor)) !== 0);
    // Sensors that fire together make one tick.
    const times = [...new Set(below.flat())];
    return planLayer(spec.name, parameters, times);
  });
}

function eventTimes({ fromUs, lengthUs }: ComputeWindow, rateHz: number): number[] {
  const count = Math.floor((lengthUs * rateHz) / 1e6);
  return Array.from({ length: count }, (_, n) => fromUs + Math.round((n * 1e6) / rateHz));
}

function planLayer(name: string, layer: LayerParameters, times: readonly number[]): LayerPlan {
  const { inputs, units, cell } = layer;
  const cost = stepCost(layer);
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
