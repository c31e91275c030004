import { from } from "rxjs";
import { expect } from "vitest";
import type { FusionModel } from "../../../src/fusion/fusion-model.ts";
import type { Random } from "../../../src/sensors/random.ts";
import type { StreamItem } from "../../../src/sensors/sensor-event.ts";
import { stateHash } from "../../../src/state/checkpoint.ts";
import type { LatePolicy } from "../../../src/streams/fuse/late-policy.ts";
import { type PipelineResult, runPipeline } from "../../../src/streams/pipeline.ts";
import { FileOutput, type FileOutputOptions } from "../../../src/streams/record/file-output.ts";
import { createRecorder, type Recorder } from "../../../src/streams/record/recorder.ts";
import { recorderMetadata } from "../../../src/streams/record/recorder-metadata.ts";
import {
  openRecordedLogs,
  type RecordedLog,
} from "../../../src/streams/replay/log/recorded-log.ts";
import { type LogReplayOptions, replayLog } from "../../../src/streams/replay/log/replay-log.ts";
import type { Delivery } from "../../../src/streams/source.ts";
import { dvs, marker, scalar } from "../items.ts";
import { lineSink } from "../line-sink.ts";

/** What a run said and became. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly hash: string;
  readonly counts: PipelineResult["counts"];
}

export const packetUsMax = 2_000;

/** Events of both sensors, many at equal times, with segments and a second session. */
export function randomItems(random: Random, count = 80): readonly StreamItem[] {
  const items: StreamItem[] = [marker("session-start", 0)];
  let timeUs = 0;
  for (let i = 0; i < count; i++) {
    timeUs += random.below(4) * 250;
    const kind = random.below(10);
    // Some numbers are missing.
    const seq = i + Math.floor(i / 20);
    if (kind < 5) items.push(scalar("imu", timeUs, seq, random.normal()));
    else if (kind < 9) {
      const times = Array.from({ length: 1 + random.below(6) }, () => {
        return timeUs + random.below(packetUsMax / 250) * 250;
      });
      times.sort((a, b) => a - b);
      items.push(dvs("eye", times, seq));
    } else items.push({ ...marker("segment-end", timeUs + 1 + i), seq: i });
    if (i === 30) items.push({ ...marker("session-start", timeUs + 125), seq: 1 });
  }
  return items;
}

/** The items as they arrive when each is delayed by up to `delayUsMax`, with receive times. */
export function arriving(
  items: readonly StreamItem[],
  random: Random,
  delayUsMax: number,
): readonly Delivery[] {
  return items
    .map((item) => ({ item, at: Math.round(item.timeUs + random.uniform() * delayUsMax) }))
    .sort((a, b) => a.at - b.at)
    .map(({ item, at }) => ({ item, receivedUs: at, acknowledge: () => undefined }));
}

export interface RunOptions {
  readonly late: LatePolicy;
  readonly latenessUs: number;
  readonly recorder?: Recorder;
  readonly tap?: () => void;
}

/** Runs deliveries through the whole pipeline. */
export async function outcomeOf(
  deliveries: readonly Delivery[],
  model: FusionModel,
  { late, latenessUs, recorder, tap }: RunOptions,
): Promise<Outcome> {
  const sink = lineSink();
  const { counts, streams } = await runPipeline({
    source: { open: () => from(deliveries) },
    model,
    sink,
    merge: () => ({
      sensors: model.graph.sensors.map(({ spec }) => ({ name: spec.name, latenessUs })),
      waitingMax: 1000,
    }),
    onMalformed: "fail",
    late,
    ...(recorder === undefined ? {} : { recorder }),
    ...(tap === undefined ? {} : { tap }),
  });
  expect(counts.waiting).toBe(0);
  return { lines: sink.lines, hash: stateHash(streams, model), counts };
}

/** A recorder of files that uses no clock but its flush timer. */
export function fileRecorder(
  model: FusionModel,
  late: LatePolicy,
  keyframeUs: number,
  output: Omit<FileOutputOptions, "metadata">,
): Promise<Recorder> {
  return createRecorder({
    keyframeUs,
    output: (table) =>
      new FileOutput(table, { ...output, metadata: recorderMetadata("r", model, late) }),
  });
}

export async function openLog(...paths: readonly string[]): Promise<RecordedLog> {
  const [entry, ...more] = await openRecordedLogs(paths);
  expect(more).toEqual([]);
  return entry!.log!;
}

export async function replayed(
  log: RecordedLog,
  model: FusionModel,
  options: Partial<LogReplayOptions> = {},
): Promise<Outcome> {
  const sink = lineSink();
  const { counts, streams } = await replayLog(log, { model, sink, inFlightMax: 1000, ...options });
  expect(counts.waiting).toBe(0);
  return { lines: sink.lines, hash: stateHash(streams, model), counts };
}
