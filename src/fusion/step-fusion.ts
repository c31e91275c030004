import type { TimeUs } from "../sensors/time.ts";
import type { GraphLayer } from "./fusion-graph.ts";
import type { FusionState } from "./fusion-state.ts";
import { gatherInputs } from "./gather-inputs.ts";
import { govern, kernelOf, spend } from "./governor/govern.ts";
import { scoreEvent } from "./score-event.ts";

/** How layers are evaluated: only open rows, or every row with the same result (spec D6). */
export type StepMode = "sparse" | "dense";

/**
 * One event of one sensor, whose features its encoder has written to `state.features[sensor]`:
 * a sub-step of the layers that this sensor alone feeds (spec D16).
 *
 * A tick is `applyEvent` for each of its events in order of (sensor priority, seq), all with the
 * tick's time, and `finishTick` once.
 *
 * @param timeUs event time; the phases see it relative to the stream's epoch
 */
export function applyEvent(
  state: FusionState,
  sensor: number,
  timeUs: TimeUs,
  mode: StepMode = "sparse",
): void {
  const { graph, progress, governor } = state;
  if (governor !== undefined) govern(governor, timeUs);
  progress.epochUs ??= graph.spec.time.origin === "absolute" ? graph.spec.time.epochUs : timeUs;
  if (state.scores.length > 0) scoreEvent(state, sensor);
  progress.sensorTimeUs[sensor] = timeUs;
  progress.sensorEvents[sensor]!++;
  state.news |= 1 << sensor;
  for (const layer of graph.sensors[sensor]!.branch) {
    stepLayer(state, layer, timeUs - progress.epochUs, mode);
  }
}

/** Ends a tick: the merge layers that have news below them, once each, at the tick's time. */
export function finishTick(state: FusionState, timeUs: TimeUs, mode: StepMode = "sparse"): void {
  const { graph, progress, news } = state;
  for (const layer of graph.mergeLayers) {
    if ((layer.sensors & news) !== 0) {
      stepLayer(state, layer, timeUs - progress.epochUs!, mode);
    }
  }
  for (const head of graph.heads) {
    for (const source of head.sources) {
      if (source.from === "sensor" && (source.sensors & news) !== 0) {
        state.headStale[head.index] = 1;
      }
    }
  }
  state.news = 0;
  progress.ticks++;
  progress.timeUs = timeUs;
}

function stepLayer(state: FusionState, layer: GraphLayer, timeUs: number, mode: StepMode): void {
  gatherInputs(state, layer);
  const { governor } = state;
  const layerState = state.layers[layer.index]!;
  const kernel = governor === undefined ? layer.kernel : kernelOf(governor, layer.index);
  const open =
    mode === "sparse" ? kernel.step(layerState, timeUs) : kernel.stepDense(layerState, timeUs);
  if (governor !== undefined) spend(governor, layer.index, open);
  state.work.steps[layer.index]!++;
  if (open === 0) return;
  state.work.unitUpdates[layer.index]! += open;
  for (const head of layer.readers) state.headStale[head] = 1;
}
