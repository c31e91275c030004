import { createHash } from "node:crypto";
import type { FusionModel } from "../../../fusion/fusion-model.ts";
import type { Prediction } from "../../../fusion/prediction.ts";
import { encodeCheckpoint } from "../../../state/checkpoint.ts";
import type { PipelineResult } from "../../../streams/pipeline.ts";
import { openRecordedLogs, type RecordedLog } from "../../../streams/replay/log/recorded-log.ts";
import { replayLog, wholeLog } from "../../../streams/replay/log/replay-log.ts";
import type { Sink } from "../../../streams/sink.ts";
import { inFlightMax } from "../replay-recorded-log.ts";
import { replayRecording } from "../replay-recording.ts";
import type {
  ChunkRange,
  SegmentJob,
  SegmentOptions,
  SegmentResult,
  SegmentRunner,
  StateMismatch,
} from "./segment-job.ts";

/** Replays segments of recorded runs, and whole recordings, one after the other in this thread. */
export class SegmentReplayer implements SegmentRunner {
  readonly #model: FusionModel;
  readonly #options: SegmentOptions;
  readonly #ending = new AbortController();
  /** The log of the latest job: the next is most often of the same, whose index may be long. */
  #opened: { readonly key: string; readonly log: RecordedLog } | undefined;
  #underWay: Promise<unknown> = Promise.resolve();

  constructor(model: FusionModel, options: SegmentOptions) {
    this.#model = model;
    this.#options = options;
  }

  replay(job: SegmentJob): Promise<SegmentResult> {
    const result = this.#replay(job);
    // Whoever asked for it hears of a failure.
    this.#underWay = result.catch(ignore);
    return result;
  }

  /** Leaves the job under way. */
  async close(): Promise<void> {
    this.#ending.abort();
    await this.#underWay;
    await this.#closeLog();
  }

  async #replay({ index, paths, chunks }: SegmentJob): Promise<SegmentResult> {
    const model = this.#model;
    const sink = new Lines();
    let mismatch: StateMismatch | undefined;
    const onMismatch = (found: StateMismatch): void => {
      mismatch ??= found;
      // What follows begins with a state that is wrong.
      sink.isOver = true;
    };
    const { counts, streams } =
      chunks === undefined
        ? await this.#replayWhole(paths[0]!, sink)
        : await this.#replaySegments(paths, chunks, sink, onMismatch);
    const { dropped, anomalies } = counts;
    return {
      ...{ index, lines: new TextEncoder().encode(sink.text), predictions: sink.count },
      ...{ dropped, anomalies },
      ...(mismatch === undefined ? {} : { mismatch }),
      states: [...streams].map(([stream, { state }]) => {
        return [stream, encodeCheckpoint(state, model, stream)] as const;
      }),
    };
  }

  #replayWhole(path: string, sink: Sink): Promise<PipelineResult> {
    const { mode, late, latenessUs } = this.#options;
    const model = this.#model;
    return replayRecording(path, "received", {
      ...{ model, late, latenessUs, warn: ignore },
      pipeline: { model, sink, mode, late, stop: this.#ending.signal },
    });
  }

  async #replaySegments(
    paths: readonly string[],
    { from, to }: ChunkRange,
    sink: Sink,
    onMismatch: (mismatch: StateMismatch) => void,
  ): Promise<PipelineResult> {
    const model = this.#model;
    const { mode } = this.#options;
    const stop = this.#ending.signal;
    const log = await this.#openOnce(paths);
    const states = from === 0 ? (await wholeLog(log, model)).states : await log.states(from);
    return replayLog(log, {
      ...{ model, mode, segment: { from, to, states }, inFlightMax, sink, stop },
      onKeyframe: ({ stream, timeUs, checkpoint }, now) => {
        if (Buffer.compare(checkpoint, now) === 0) return;
        onMismatch({ stream, timeUs, recorded: sha256(checkpoint), replayed: sha256(now) });
      },
    });
  }

  async #openOnce(paths: readonly string[]): Promise<RecordedLog> {
    const key = paths.join("\0");
    if (this.#opened?.key === key) return this.#opened.log;
    await this.#closeLog();
    const [run] = await openRecordedLogs(paths);
    this.#opened = { key, log: run!.log! };
    return this.#opened.log;
  }

  async #closeLog(): Promise<void> {
    await this.#opened?.log.close();
    this.#opened = undefined;
  }
}

/** Predictions as NDJSON. */
class Lines implements Sink {
  text = "";
  count = 0;
  /** Nothing more is wanted. */
  isOver = false;

  write(predictions: readonly Prediction[]): void {
    if (this.isOver) return;
    for (const prediction of predictions) this.text += `${JSON.stringify(prediction)}\n`;
    this.count += predictions.length;
  }

  async close(): Promise<void> {
    // Nothing is held back.
  }
}

function ignore(): void {
  // A recording that is replayed as a whole has nothing to warn of.
}

function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}
