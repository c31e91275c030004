import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { FusionState } from "../../fusion/fusion-state.ts";
import type { NdjsonSink } from "../../streams/ndjson/ndjson-sink.ts";
import type { EventCounts } from "../../telemetry/event-counts.ts";
import { addCounts, durationUs, type RunSummary, summariseRun } from "../summarise-run.ts";

/** What a summary is of. */
export interface SummaryOf {
  readonly model: FusionModel;
  readonly weights: string;
  readonly paths: readonly string[];
  readonly digest: NdjsonSink;
}

/** What one run has done. */
export interface RunResult {
  readonly streams: ReadonlyMap<string, { readonly state: FusionState }>;
  readonly counts: Pick<EventCounts, "dropped" | "anomalies">;
}

/** What several runs have done together. */
export class ReplayTotals {
  readonly #streams = new Map<string, { readonly state: FusionState }>();
  #dropped: Record<string, number> = {};
  #anomalies: Record<string, number> = {};
  #eventUs = 0;

  /** Forgets what was added. */
  clear(): void {
    this.#streams.clear();
    this.#dropped = {};
    this.#anomalies = {};
    this.#eventUs = 0;
  }

  /** @param path of the recording, where two have a stream of one name */
  add(path: string, { streams, counts }: RunResult): void {
    for (const [stream, fusion] of streams) {
      this.#streams.set(this.#streams.has(stream) ? `${stream} (${path})` : stream, fusion);
    }
    addCounts(this.#dropped, counts.dropped);
    addCounts(this.#anomalies, counts.anomalies);
    this.#eventUs += durationUs(streams);
  }

  summary({ model, weights, paths, digest }: SummaryOf, wallSeconds: number): RunSummary {
    return summariseRun(
      { model, weights, recordings: paths, predictions: digest.written, digest: digest.digest() },
      this.#streams,
      { dropped: this.#dropped, anomalies: this.#anomalies },
      this.#eventUs,
      wallSeconds,
    );
  }
}
