import { Random } from "../src/sensors/random.ts";
import type { SensorEvent } from "../src/sensors/sensor-event.ts";
import { createRecording, type RecordingOptions } from "../src/streams/record/recording-writer.ts";
import { openRecording } from "../src/streams/replay/recording-reader.ts";

const scene = "fixtures/scenes/clean-307.mcap";
const sceneUs = 3_000_000;

export interface LongRecordingOptions extends RecordingOptions {
  /** Write, instead of each frame, a vector of so many numbers that stands for its code. */
  readonly codeSize?: number;
}

/**
 * Writes a scene's audio (39 MFCC, 100 Hz) and video (48×48, 25 fps) over and over, as one long
 * stream; DVS events are left out.
 *
 * @returns the number of events
 */
export async function writeLongRecording(
  path: string,
  seconds: number,
  { codeSize, ...options }: LongRecordingOptions = {},
): Promise<number> {
  const events = await readScene(codeSize);
  const long = await createRecording(path, options);
  const seqs: Record<string, number> = {};
  let count = 0;
  for (let startUs = 0; startUs < seconds * 1e6; startUs += sceneUs) {
    for (const { event, receivedUs } of events) {
      const seq = seqs[event.sensor] ?? 0;
      seqs[event.sensor] = seq + 1;
      const moved = { ...event, stream: "long", seq, timeUs: event.timeUs + startUs };
      if (moved.kind === "audio") moved.availableUs += startUs;
      await long.write(moved, receivedUs + startUs);
      count++;
    }
  }
  await long.close();
  return count;
}

interface Received {
  readonly event: SensorEvent;
  readonly receivedUs: number;
}

async function readScene(codeSize: number | undefined): Promise<readonly Received[]> {
  const random = new Random(1);
  const events: Received[] = [];
  const short = await openRecording(scene);
  for await (const batch of short.items()) {
    for (const { item, receivedUs } of batch) {
      if (item.kind !== "audio" && item.kind !== "video") continue;
      const isCode = item.kind === "video" && codeSize !== undefined;
      events.push({ event: isCode ? codeOf(item, codeSize, random) : item, receivedUs });
    }
  }
  await short.close();
  return events;
}

function codeOf(frame: SensorEvent, size: number, random: Random): SensorEvent {
  const { stream, sensor, timeUs, seq } = frame;
  const values = Float32Array.from({ length: size }, () => random.normal());
  return { kind: "scalar", stream, sensor, timeUs, seq, values };
}
