import { identity, Subject, VirtualTimeScheduler } from "rxjs";
import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { Prediction } from "../../fusion/prediction.ts";
import type { StreamItem } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { ClockMode } from "../clock/clock-model.ts";
import type { LatePolicy } from "../fuse/late-policy.ts";
import type { TimedSensor } from "../merge/detect-idle.ts";
import type { MergeOptions } from "../merge/merge-options.ts";
import type { MergedItem } from "../merge/merged-item.ts";
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
  const scheduler = new VirtualTimeScheduler();
  const nowUs = (): TimeUs => Math.round(scheduler.now() * 1000);
  const arrivals = new Subject<Delivery>();
  const predictions: SaidPrediction[] = [];
  const statuses: SeenStatus[] = [];
  const watermarks: SeenWatermark[] = [];
  const see = (item: MergedItem): void => {
    const { stream } = item;
    if (item.kind === "status") {
      const { sensor, status } = item.status;
      statuses.push({ atUs: nowUs(), stream, sensor, status });
    } else if (item.kind === "watermark" && item.timeUs !== Number.POSITIVE_INFINITY) {
      watermarks.push({ atUs: nowUs(), stream, watermarkUs: item.timeUs });
    }
  };
  const running = runPipeline({
    source: { open: () => arrivals },
    model: scenario.model,
    sink: {
      write: (some) => {
        for (const prediction of some) predictions.push({ atUs: nowUs(), prediction });
      },
      close: async () => undefined,
    },
    merge: () => scenario.merge,
    onMalformed: "drop",
    clocks: { mode: (_, sensor) => scenario.clock(sensor) },
    idle: { sensors: () => scenario.idle, scheduler },
    late: scenario.late,
    // Asks for watermarks and statuses among the merged items.
    shape: identity,
    tap: see,
  });
  for (const { atUs, item } of scenario.inputs) {
    const delivery: Delivery = { item, receivedUs: atUs, acknowledge: () => undefined };
    scheduler.schedule(() => arrivals.next(delivery), atUs / 1000);
  }
  scheduler.schedule(() => arrivals.complete(), scenario.untilUs / 1000);
  scheduler.flush();
  const { counts } = await running;
  const { taken, fused, dropped, anomalies } = counts;
  return { predictions, statuses, watermarks, taken, fused, dropped, anomalies };
}
