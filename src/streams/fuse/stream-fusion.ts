import type { FloatArray } from "../../cells/kernels/kernel.ts";
import type { DirectEncoder } from "../../fusion/encoder.ts";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import {
  createFusionState,
  type FusionState,
  resetFusionState,
} from "../../fusion/fusion-state.ts";
import {
  createGovernorState,
  followDecision,
  type GovernorDecision,
  type GovernorState,
} from "../../fusion/governor/govern.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import { type OutputCue, readPredictions } from "../../fusion/read-predictions.ts";
import { applyEvent, finishTick, type StepMode } from "../../fusion/step-fusion.ts";
import { timeAt } from "../../sensors/item-events.ts";
import type { Marker, SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { Decision } from "../../wire/decision-json.ts";
import type { EventRange, LateEvents, MergedItem, Run, Tick } from "../merge/merged-item.ts";
import type { Governing } from "./governing.ts";

/** Features that slow encoders have computed, by event. */
export type AheadFeatures = ReadonlyMap<SensorEvent, FloatArray>;

/**
 * One stream's fusion: its state, and what each merged item does to it. Synchronous; whoever calls
 * it has validated the events and computed the features of slow encoders before.
 */
export class StreamFusion {
  readonly state: FusionState;
  readonly #model: FusionModel;
  readonly #stream: string;
  readonly #mode: StepMode;
  readonly #listener: (predictions: readonly Prediction[]) => void;
  readonly #sensorIndex: ReadonlyMap<string, number>;

  constructor(
    model: FusionModel,
    stream: string,
    listener: (predictions: readonly Prediction[]) => void,
    mode: StepMode,
    governing?: Governing,
  ) {
    this.state = createFusionState(model.graph, governorStateOf(stream, governing));
    this.#model = model;
    this.#stream = stream;
    this.#mode = mode;
    this.#listener = listener;
    this.#sensorIndex = new Map(model.graph.sensors.map(({ spec, index }) => [spec.name, index]));
  }

  /**
   * Late events are applied to the state as it is now: see `apply-late` of the late policies.
   *
   * @returns how many events and markers took effect
   */
  apply(item: MergedItem, ahead: AheadFeatures): number {
    switch (item.kind) {
      case "tick":
        return this.#applyTick(item, ahead);
      case "run":
        return this.#applyRun(item);
      case "marker":
        return this.#applyMarker(item.marker, item.timeUs);
      case "late":
        return this.#applyLate(item, ahead);
      case "discontinuity":
      case "watermark":
      case "status":
      case "keyframe":
        // A silent sensor is nothing but elapsed time; a cell holds no window that could bridge it.
        return 0;
      case "decision":
        this.#follow(item.decision);
        return 0;
    }
  }

  /** What a governor decided, where its decisions are those of the recording. */
  #follow(decision: Decision): void {
    const { governor } = this.state;
    if (decision.kind !== "governor" || governor?.source !== "recorded") return;
    followDecision(governor, decision as unknown as GovernorDecision);
  }

  /** The session is over: heads that speak last, speak. */
  end(): void {
    const { timeUs } = this.state.progress;
    if (timeUs !== undefined) this.#predict("session-end", timeUs);
  }

  #applyMarker({ action }: Marker, timeUs: TimeUs): number {
    const { origin, epochUs } = this.#model.graph.spec.time;
    if (action === "session-start") {
      this.end();
      resetFusionState(this.state, origin === "absolute" ? epochUs : timeUs);
    } else if (action === "segment-start") {
      if (origin === "marker") resetFusionState(this.state, timeUs);
    } else {
      this.#predict("segment-end", timeUs);
    }
    return 1;
  }

  #applyTick(tick: Tick, ahead: AheadFeatures): number {
    let events = 0;
    for (const { event, from, to } of tick.ranges) {
      const sensor = this.#sensorIndex.get(event.sensor)!;
      for (let i = from; i < to; i++) this.#applyEvent(sensor, event, i, tick.timeUs, ahead);
      events += to - from;
    }
    this.#finishTick(tick.timeUs);
    return events;
  }

  #applyEvent(
    sensor: number,
    event: SensorEvent,
    index: number,
    timeUs: TimeUs,
    ahead: AheadFeatures,
  ): void {
    const encoder = this.#model.encoders[sensor]!;
    const features = this.state.features[sensor]!;
    if (encoder.mode === "direct") encoder.encode(features, event, index);
    else features.set(ahead.get(event)!);
    applyEvent(this.state, sensor, timeUs, this.#mode);
  }

  /** Units open by the time of the late events; the stream's own time does not go back. */
  #applyLate({ range }: LateEvents, ahead: AheadFeatures): number {
    const { event, from, to } = range as EventRange;
    const { progress } = this.state;
    const { timeUs: nowUs = Number.NEGATIVE_INFINITY } = progress;
    const sensor = this.#sensorIndex.get(event.sensor)!;
    const sensorUs = progress.sensorTimeUs[sensor]!;
    for (let i = from; i < to; i++) {
      const timeUs = timeAt(event, i);
      this.#applyEvent(sensor, event, i, timeUs, ahead);
      if (i + 1 === to || timeAt(event, i + 1) !== timeUs) {
        finishTick(this.state, timeUs, this.#mode);
      }
    }
    progress.timeUs = Math.max(nowUs, progress.timeUs!);
    if (sensorUs > progress.sensorTimeUs[sensor]!) progress.sensorTimeUs[sensor] = sensorUs;
    this.#predict("tick", progress.timeUs);
    return to - from;
  }

  /** Events of equal time are sub-steps of one tick (spec D16). */
  #applyRun({ range }: Run): number {
    const { event, from, to } = range;
    const sensor = this.#sensorIndex.get(event.sensor)!;
    const encoder = this.#model.encoders[sensor] as DirectEncoder;
    const features = this.state.features[sensor]!;
    const times = event.packet.timeUs;
    for (let i = from; i < to; i++) {
      const timeUs = times[i]!;
      encoder.encode(features, event, i);
      applyEvent(this.state, sensor, timeUs, this.#mode);
      if (i + 1 === to || times[i + 1] !== timeUs) this.#finishTick(timeUs);
    }
    return to - from;
  }

  #finishTick(timeUs: TimeUs): void {
    finishTick(this.state, timeUs, this.#mode);
    this.#predict("tick", timeUs);
  }

  #predict(cue: OutputCue, timeUs: TimeUs): void {
    const predictions = readPredictions(this.state, this.#stream, cue, timeUs);
    if (predictions.length > 0) this.#listener(predictions);
  }
}

function governorStateOf(stream: string, governing?: Governing): GovernorState | undefined {
  if (governing === undefined) return undefined;
  const { governor, source = "rule", onDecision } = governing;
  return createGovernorState(governor, {
    source,
    onDecision: (decision) => onDecision?.({ kind: "governor", stream, ...decision }),
  });
}
