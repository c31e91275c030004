import type { SensorEvent } from "../src/sensors/sensor-event.ts";
import { createRecording, type RecordingOptions } from "../src/streams/record/recording-writer.ts";
import { openRecording } from "../src/streams/replay/recording-reader.ts";

const scene = "fixtures/scenes/clean-307.mcap";
const sceneUs = 3_000_000;

/**
 * Writes a scene's audio (39 MFCC, 100 Hz) and video (48×48, 25 fps) over and over, as one long
 * stream; DVS events are left out.
 *
 * @returns the number of events
 */
export async function writeLongRecording(
  path: string,
  seconds: number,
  options: RecordingOptions = {},
): Promise<number> {
  const events: { readonly event: SensorEvent; readonly receivedUs: number }[] = [];
  const short = await openRecording(scene);
  for await (const batch of short.items()) {
    for (const { item, receivedUs } of batch) {
      if (item.kind === "audio" || item.kind === "video") events.push({ event: item, receivedUs });
    }
  }
  await short.close();
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
