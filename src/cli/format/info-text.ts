import { grouped, percent, seconds } from "./numbers.ts";
import type { RecordingInfo, SensorInfo } from "./recording-info.ts";
import { table } from "./table.ts";

/** What is in a recording, for people. */
export function infoText(info: RecordingInfo): string {
  const metadata = Object.entries(info.metadata).map(([key, value]) => `  ${key}: ${value}`);
  const segments = info.segments.map(
    ({ label, startUs, endUs }) => `  ${seconds(startUs)} – ${seconds(endUs)}  ${label}`,
  );
  const parts = [
    [info.path, ...metadata].join("\n"),
    sensorTable(info.sensors),
    ...(info.sensors.length > 0 ? [latenessTable(info), ...oddities(info.sensors)] : []),
    channelTable(info),
    ...(segments.length > 0 ? [["labels", ...segments].join("\n")] : []),
  ];
  return parts.join("\n\n");
}

function sensorTable(sensors: readonly SensorInfo[]): string {
  return table(
    ["stream", "sensor", "kind", "shape", "items", "events", "first", "last", "events/s"],
    sensors.map((sensor) => [
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
}

function latenessTable({ sensors, recommendedLatenessUs }: RecordingInfo): string {
  const rows = sensors.map(({ sensor, interval, lateness, streamLateness, ...rest }) => [
    sensor,
    ...[interval.meanUs, interval.medianUs, interval.p99Us].map(milliseconds),
    ...[lateness.p50Us, lateness.p99Us, lateness.p999Us, lateness.maxUs].map(milliseconds),
    milliseconds(streamLateness.maxUs),
    milliseconds(rest.recommendedLatenessUs),
  ]);
  const head = ["ms between items:", "mean", "median", "p99", "late: p50", "p99", "p99.9", "max"];
  const text = table([...head, "in stream", "allow"], rows);
  return `${text}\nno event is late with --lateness ${recommendedLatenessUs / 1000}`;
}

/** One line per sensor that did anything out of the ordinary. */
function oddities(sensors: readonly SensorInfo[]): readonly string[] {
  const lines = sensors.flatMap((sensor) => {
    const { gaps, regressions } = sensor;
    const counts: readonly (readonly [string, number])[] = [
      ["out of order", regressions.count],
      ["missing", sensor.missing],
      ["duplicates", sensor.duplicates],
      ["reboots", sensor.reboots],
      ["from the future", sensor.future],
      ["after a clock set back", sensor.backwardJumps],
      ["gaps", gaps.count],
    ];
    const found = counts.filter(([, count]) => count > 0);
    if (found.length === 0) return [];
    const { longest } = gaps;
    const where =
      gaps.count === 0 || longest === undefined
        ? ""
        : `, the longest ${seconds(longest.durationUs)} from ${seconds(longest.fromUs)}`;
    const back =
      regressions.count === 0 ? "" : `, back by ${milliseconds(regressions.maxUs)} ms at most`;
    const all = found.map(([name, count]) => `${grouped(count)} ${name}`).join(", ");
    return [`  ${sensor.sensor}: ${all}${where}${back}`];
  });
  return lines.length === 0 ? [] : [["out of the ordinary", ...lines].join("\n")];
}

function channelTable({ channels, fileBytes, keyframes, recordedSeconds }: RecordingInfo): string {
  const bytes = channels.reduce((sum, channel) => sum + channel.bytes, 0);
  const rows = channels.map((channel) => [
    channel.topic,
    channel.schema,
    grouped(channel.messages),
    grouped(channel.bytes),
    percent(channel.bytes / Math.max(1, bytes)),
  ]);
  const states = keyframes === 0 ? "no keyframes" : `${grouped(keyframes)} keyframes`;
  const size = `${grouped(fileBytes)} bytes for ${grouped(bytes)} of messages`;
  return `${table(["topic", "schema", "messages", "bytes", "share"], rows)}\n${size}, ${states}, ${recordedSeconds.toFixed(3)} s recorded`;
}

function milliseconds(us: number): string {
  return (us / 1000).toFixed(us < 10_000 ? 2 : 1);
}
