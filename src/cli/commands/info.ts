import type { Command } from "commander";
import { itemLength, timeAt } from "../../sensors/item-events.ts";
import type { SensorEvent } from "../../sensors/sensor-event.ts";
import type { TimeUs } from "../../sensors/time.ts";
import type { RecordedChannel } from "../../streams/replay/recorded-channel.ts";
import { openRecording } from "../../streams/replay/recording-reader.ts";
import { findRecordings } from "../find-recordings.ts";
import { grouped, seconds } from "../format/numbers.ts";
import { table } from "../format/table.ts";

/** One sensor of a recording. */
interface SensorInfo {
  readonly stream: string;
  readonly sensor: string;
  readonly kind: string;
  readonly shape: string;
  readonly items: number;
  /** Every event of a DVS packet counts. */
  readonly events: number;
  readonly firstUs: TimeUs;
  readonly lastUs: TimeUs;
  /** Events per second between the first and the last. */
  readonly rate: number;
}

interface Segment {
  readonly label: string;
  readonly startUs: TimeUs;
  readonly endUs: TimeUs;
}

interface RecordingInfo {
  readonly path: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly sensors: readonly SensorInfo[];
  readonly segments: readonly Segment[];
}

/** `polyphase info`: what is in a recording. */
export function registerInfo(program: Command): void {
  program
    .command("info")
    .description("show the sensors, rates, durations and labels of recordings")
    .argument("<recording...>", "MCAP files, or directories of them")
    .option("--json", "print a list of objects on stdout")
    .addHelpText(
      "after",
      `
Examples:
  polyphase info fixtures/scenes
  polyphase info day1.mcap --json | jq '.[0].sensors'`,
    )
    .action(async (paths: readonly string[], options: { readonly json?: boolean }) => {
      const infos: RecordingInfo[] = [];
      for (const path of await findRecordings(paths)) {
        const info = await readInfo(path);
        infos.push(info);
        if (options.json !== true) process.stdout.write(`${infoText(info)}\n\n`);
      }
      if (options.json === true) process.stdout.write(`${JSON.stringify(infos, undefined, 2)}\n`);
    });
}

async function readInfo(path: string): Promise<RecordingInfo> {
  const recording = await openRecording(path, { skipUnknown: true });
  try {
    const sensors = new Map<string, SensorInfo>();
    const segments: Segment[] = [];
    for await (const batch of recording.items()) {
      for (const { item, channel } of batch) {
        if (item.kind === "marker") {
          noteMarker(segments, item.action, item.label, item.timeUs);
          continue;
        }
        if (item.kind === "status") continue;
        sensors.set(channel.topic, withItem(sensors.get(channel.topic), item, channel));
      }
    }
    const withRates = [...sensors.values()].map((sensor) => {
      const spanUs = sensor.lastUs - sensor.firstUs;
      return { ...sensor, rate: spanUs > 0 ? ((sensor.events - 1) * 1e6) / spanUs : 0 };
    });
    return { path, metadata: recording.metadata, sensors: withRates, segments };
  } finally {
    await recording.close();
  }
}

/** A sensor's figures with one more item. */
function withItem(
  before: SensorInfo | undefined,
  item: SensorEvent,
  channel: RecordedChannel,
): SensorInfo {
  const events = itemLength(item);
  const lastUs = timeAt(item, events - 1);
  return {
    stream: item.stream,
    sensor: item.sensor,
    kind: item.kind,
    shape: shapeOf(channel),
    items: (before?.items ?? 0) + 1,
    events: (before?.events ?? 0) + events,
    firstUs: Math.min(before?.firstUs ?? item.timeUs, item.timeUs),
    lastUs: Math.max(before?.lastUs ?? lastUs, lastUs),
    rate: 0,
  };
}

function noteMarker(segments: Segment[], action: string, label: string, timeUs: TimeUs): void {
  if (action === "segment-start") segments.push({ label, startUs: timeUs, endUs: timeUs });
  const open = segments.at(-1);
  if (action === "segment-end" && open !== undefined) {
    segments[segments.length - 1] = { ...open, endUs: timeUs };
  }
}

function shapeOf(channel: RecordedChannel): string {
  if (channel.width !== undefined) return `${channel.width}×${channel.height}`;
  return [channel.size, channel.convention].filter((part) => part !== undefined).join(" ");
}

function infoText(info: RecordingInfo): string {
  const metadata = Object.entries(info.metadata).map(([key, value]) => `  ${key}: ${value}`);
  const sensors = table(
    ["stream", "sensor", "kind", "shape", "items", "events", "first", "last", "events/s"],
    info.sensors.map((sensor) => [
      sensor.stream,
      sensor.sensor,
      sensor.kind,
      sensor.shape,
      grouped(sensor.items),
      grouped(sensor.events),
      seconds(sensor.firstUs),
      seconds(sensor.lastUs),
      grouped(sensor.rate),
    ]),
  );
  const segments = info.segments.map(
    ({ label, startUs, endUs }) => `  ${seconds(startUs)} – ${seconds(endUs)}  ${label}`,
  );
  const truth = segments.length > 0 ? ["labels", ...segments] : [];
  return [info.path, ...metadata, "", sensors, ...truth].join("\n");
}
