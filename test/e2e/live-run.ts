import { concatMap, delay, from, map, type Observable, of } from "rxjs";
import type { FusionModel } from "../../src/fusion/fusion-model.ts";
import { Random } from "../../src/sensors/random.ts";
import { stateHash } from "../../src/state/checkpoint.ts";
import { runPipeline } from "../../src/streams/pipeline.ts";
import { FileOutput } from "../../src/streams/record/file-output.ts";
import { createRecorder } from "../../src/streams/record/recorder.ts";
import { recorderMetadata } from "../../src/streams/record/recorder-metadata.ts";
import { openRecording } from "../../src/streams/replay/recording-reader.ts";
import type { Delivery } from "../../src/streams/source.ts";
import { lineSink } from "../streams/line-sink.ts";

/** What a run said and became. */
export interface Outcome {
  readonly lines: readonly string[];
  readonly hash: string;
}

export interface LiveOptions {
  /** Event time per processing time. */
  readonly speed: number;
  /** Items are delayed by up to this much, each for itself; sensors may be late by more. */
  readonly jitterUs: number;
  readonly latenessUs: number;
  readonly seed: number;
  /** Where it is recorded, and how often with its state. */
  readonly path: string;
  readonly keyframeUs: number;
}

/** Runs and records a recording as if its sensors were there: paced, jittered and in disorder. */
export async function liveRun(
  source: string,
  model: FusionModel,
  options: LiveOptions,
): Promise<Outcome & { readonly disordered: number }> {
  const { deliveries, disordered } = await arriving(source, options);
  const recorder = await createRecorder({
    keyframeUs: options.keyframeUs,
    output: (table) =>
      new FileOutput(table, {
        path: () => options.path,
        metadata: recorderMetadata("r", model, { policy: "drop" }),
      }),
  });
  const sink = lineSink();
  const sensors = new Set(deliveries.map(({ item }) => item.kind === "marker" || item.sensor));
  const { counts, streams } = await runPipeline({
    source: { open: () => paced(deliveries, options.speed) },
    model,
    sink,
    merge: () => ({
      sensors: model.graph.sensors
        .filter(({ spec }) => sensors.has(spec.name))
        .map(({ spec }) => ({ name: spec.name, latenessUs: options.latenessUs })),
      waitingMax: 16_384,
    }),
    onMalformed: "fail",
    recorder,
  });
  await recorder.close();
  if (counts.waiting !== 0 || Object.keys(counts.dropped).length > 0) {
    throw new Error(`dropped ${JSON.stringify(counts.dropped)}, waiting ${counts.waiting}`);
  }
  return { lines: sink.lines, hash: stateHash(streams, model), disordered };
}

/** The items of a recording in a disorder that is within `jitterUs`, with their receive times. */
async function arriving(
  path: string,
  { jitterUs, seed }: LiveOptions,
): Promise<{ readonly deliveries: readonly Delivery[]; readonly disordered: number }> {
  const random = new Random(seed);
  const recording = await openRecording(path);
  const deliveries: (Delivery & { readonly receivedUs: number })[] = [];
  for await (const batch of recording.items()) {
    for (const { item, receivedUs } of batch) {
      const delayUs = Math.floor(random.uniform() * jitterUs);
      deliveries.push({ item, receivedUs: receivedUs + delayUs, acknowledge: () => undefined });
    }
  }
  await recording.close();
  deliveries.sort((a, b) => a.receivedUs - b.receivedUs);
  const disordered = deliveries.filter((delivery, i) => {
    return i > 0 && delivery.item.timeUs < deliveries[i - 1]!.item.timeUs;
  });
  return { deliveries, disordered: disordered.length };
}

/** Deliveries as far apart as they were received, but for `speed`. */
function paced(deliveries: readonly Delivery[], speed: number): Observable<Delivery> {
  const batches: Delivery[][] = [];
  let batchMs = Number.NaN;
  for (const delivery of deliveries) {
    const ms = Math.floor(delivery.receivedUs! / 1000 / speed);
    if (ms !== batchMs) batches.push([]);
    batchMs = ms;
    batches.at(-1)!.push(delivery);
  }
  return from(batches).pipe(
    map((batch) => of(batch).pipe(delay(1))),
    concatMap((batch) => batch),
    concatMap((batch) => from(batch)),
  );
}
