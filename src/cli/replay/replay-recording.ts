import type { FusionModel } from "../../fusion/fusion-model.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { MergedSensor } from "../../streams/merge/merge-options.ts";
import { type PipelineResult, runPipeline } from "../../streams/pipeline.ts";
import { openRecording, type Recording } from "../../streams/replay/recording-reader.ts";
import { replaySource } from "../../streams/replay/replay-source.ts";
import type { RunRequest } from "./run-request.ts";
import { resolveTime, windowed } from "./time-window.ts";

/** Items a replay keeps waiting for slower sensors, and unacknowledged, at most. */
const waitingMax = 16_384;
const inFlightMax = 32_768;

/** Replays a file in the order in which its items arrived, or in order of event time. */
export async function replayRecording(
  path: string,
  order: "received" | "event",
  request: RunRequest,
): Promise<PipelineResult> {
  const { model, latenessUs = 0, start, end, sensors } = request;
  const recording = await openRecording(path);
  try {
    const firstUs = start === undefined && end === undefined ? 0 : await firstTimeUs(recording);
    const window = {
      ...(start === undefined ? {} : { startUs: resolveTime(start, firstUs) }),
      ...(end === undefined ? {} : { endUs: resolveTime(end, firstUs) }),
    };
    if (start !== undefined) {
      request.warn(`${path} has no keyframes: it is replayed from its beginning without a word`);
    }
    const pace = request.pace?.(window.startUs);
    return await runPipeline({
      ...request.pipeline,
      ...(pace === undefined ? {} : { shape: pace.operator }),
      source: replaySource(recording, {
        order,
        inFlightMax,
        ...(sensors === undefined ? {} : { sensors }),
        ...(window.endUs === undefined ? {} : { endUs: window.endUs }),
      }),
      sink: windowed(request.pipeline.sink, window),
      merge: (stream) => ({
        sensors: presentSensors(recording, stream, model, latenessUs, sensors),
        waitingMax,
      }),
      onMalformed: "fail",
      // A pace that was aborted has let through only a part.
      endsSessions: () => {
        return end === undefined && !(request.stop?.aborted && pace !== undefined);
      },
    });
  } finally {
    await recording.close();
  }
}

/** The graph's sensors that a stream of a recording has: nobody waits for one that is not there. */
function presentSensors(
  recording: Recording,
  stream: string,
  model: FusionModel,
  latenessUs: number,
  wanted: ReadonlySet<string> | undefined,
): readonly MergedSensor[] {
  const recorded = new Set(
    recording.channels
      .filter((channel) => channel.stream === stream)
      .map((channel) => channel.sensor),
  );
  return model.graph.sensors
    .filter(({ spec }) => recorded.has(spec.name) && (wanted?.has(spec.name) ?? true))
    .map(({ spec }) => ({ name: spec.name, latenessUs }));
}

/** Earliest event time: what relative times count from. */
async function firstTimeUs(recording: Recording): Promise<TimeUs> {
  let firstUs = Number.POSITIVE_INFINITY;
  for await (const batch of recording.items()) {
    for (const { item } of batch) firstUs = Math.min(firstUs, item.timeUs);
  }
  return firstUs;
}
