import {
  merge as mergeObservables,
  type Observable,
  Subject,
  tap,
  VirtualTimeScheduler,
} from "rxjs";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import { EventCounts } from "../../telemetry/event-counts.ts";
import type { ClockMode } from "../clock/clock-model.ts";
import { mapClocks } from "../clock/map-clocks.ts";
import type { LatePolicy } from "../fuse/late-policy.ts";
import { detectIdle, type TimedSensor } from "../merge/detect-idle.ts";
import type { MergeOptions } from "../merge/merge-options.ts";
import { StreamMerge } from "../merge/stream-merge.ts";
import { runPipeline } from "../pipeline.ts";
import type { Delivery } from "../source.ts";

/** An item and when it arrives, on the virtual clock, which begins at 0. */
export interface ScenarioInput {
  readonly atUs: TimeUs;
  readonly item: StreamItem;
}

/** Everything that decides what a pipeline does. */
export interface Scenario {
  readonly model: FusionModel;
  /** In order of arrival. */
  readonly inputs: readonly ScenarioInput[];
  /** When the input ends; at least the last arrival. */
  readonly untilUs: TimeUs;
  readonly merge: MergeOptions;
  readonly late: LatePolicy;
  readonly idle: readonly TimedSensor[];
  readonly clock: (sensor: string) => ClockMode;
}

/** A prediction and when it was said. */
export interface SaidPrediction {
  readonly atUs: TimeUs;
  readonly prediction: Prediction;
}

/** A change of a sensor's status and when it was decided or told. */
export interface SeenStatus {
  readonly atUs: TimeUs;
  readonly stream: string;
  readonly sensor: string;
  readonly status: "idle" | "left" | "joined";
}

/** A watermark from a moment on. */
export interface SeenWatermark {
  readonly atUs: TimeUs;
  readonly stream: string;
  readonly watermarkUs: TimeUs;
}

export interface ScenarioOutcome {
  readonly predictions: readonly SaidPrediction[];
  readonly statuses: readonly SeenStatus[];
  /** Each change, in order. */
  readonly watermarks: readonly SeenWatermark[];
  readonly taken: number;
  readonly fused: number;
  readonly dropped: Readonly<Record<string, number>>;
  readonly anomalies: Readonly<Record<string, number>>;
}

/** Runs a pipeline on a virtual clock: an hour of waiting takes no time and is always alike. */
export async function runScenario(scenario: Scenario): Promise<ScenarioOutcome> {
  const { model, merge, late } = scenario;
  const scheduler = new VirtualTimeScheduler();
  const nowUs = (): TimeUs => Math.round(scheduler.now() * 1000);
  const observer = new DeliveryObserver(scenario, nowUs);
  const predictions: SaidPrediction[] = [];
  const sound = new Subject<Delivery>();
  const malformed = new Subject<Delivery>();
  const clocks = new EventCounts();
  const mapped: Observable<Delivery> = sound.pipe(
    mapClocks({ mode: (_, sensor) => scenario.clock(sensor) }, clocks),
    detectIdle(() => scenario.idle, scheduler),
    tap((delivery) => observer.observe(delivery)),
  );
  const running = runPipeline({
    source: { open: () => mergeObservables(mapped, malformed) },
    model,
    sink: {
      write: (some) => {
        const atUs = nowUs();
        for (const prediction of some) predictions.push({ atUs, prediction });
      },
      close: async () => undefined,
    },
    merge: () => merge,
    onMalformed: "drop",
    late,
  });
  const isSound = soundness(model);
  for (const { atUs, item } of scenario.inputs) {
    const acknowledge = (): void => undefined;
    const delivery: Delivery = { item, receivedUs: atUs, acknowledge };
    // A pipeline refuses what is malformed before clocks and idleness see it.
    scheduler.schedule(() => (isSound(item) ? sound : malformed).next(delivery), atUs / 1000);
  }
  scheduler.schedule(() => {
    sound.complete();
    malformed.complete();
  }, scenario.untilUs / 1000);
  scheduler.flush();
  const { counts } = await running;
  const { statuses, watermarks } = observer;
  const { taken, fused, dropped } = counts;
  const anomalies = { ...clocks.anomalies, ...counts.anomalies };
  return { predictions, statuses, watermarks, taken, fused, dropped, anomalies };
}

/** Tells whether a sensor can have sent an item. */
function soundness(model: FusionModel): (item: StreamItem) => boolean {
  const encoders = new Map(
    model.graph.sensors.map(({ spec, index }) => [spec.name, model.encoders[index]!]),
  );
  return (item) => {
    if (item.kind === "marker" || item.kind === "status") return true;
    try {
      encoders.get(item.sensor)?.validate(item);
      return true;
    } catch {
      return false;
    }
  };
}

/**
 * Sees what goes into the merge, and knows from a merge of its own, which is a function of just that,
 * where the watermarks are.
 */
class DeliveryObserver {
  readonly statuses: SeenStatus[] = [];
  readonly watermarks: SeenWatermark[] = [];
  readonly #options: MergeOptions;
  readonly #nowUs: () => TimeUs;
  readonly #merges = new Map<string, StreamMerge>();

  constructor({ merge, late }: Scenario, nowUs: () => TimeUs) {
    this.#options = { ...merge, late: late.policy === "drop" ? "drop" : "pass" };
    this.#nowUs = nowUs;
  }

  observe({ item, receivedUs }: Delivery): void {
    const atUs = this.#nowUs();
    const { stream } = item;
    if (item.kind === "status") {
      this.statuses.push({ atUs, stream, sensor: item.sensor, status: item.status });
    }
    let merge = this.#merges.get(stream);
    if (merge === undefined) {
      merge = new StreamMerge(stream, this.#options, new EventCounts(), () => undefined);
      this.#merges.set(stream, merge);
    }
    const before = merge.watermarkUs;
    const received = receivedUs === undefined ? {} : { receivedUs };
    merge.push({ item, ...received, acknowledge: () => undefined });
    const watermarkUs = merge.watermarkUs;
    if (watermarkUs !== before) this.watermarks.push({ atUs, stream, watermarkUs });
  }
}
