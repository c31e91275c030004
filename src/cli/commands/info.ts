import type { Command } from "commander";
import { type Inspection, inspectRecording } from "../../streams/inspect/inspect-recording.ts";
import type { RecordedChannel } from "../../streams/replay/recorded-channel.ts";
import { findRecordings } from "../find-recordings.ts";
import { infoText } from "../format/info-text.ts";
import type { RecordingInfo, Segment, SensorInfo } from "../format/recording-info.ts";
import { FileProgress } from "../logs/file-progress.ts";

/** `polyphase info`: what is in a recording, and how its sensors behaved. */
export function registerInfo(program: Command): void {
  program
    .command("info")
    .description("show the sensors, rates, gaps, lateness, sizes and labels of recordings")
    .argument("<recording...>", "MCAP files, or directories of them")
    .option("--json", "print a list of objects on stdout")
    .addHelpText(
      "after",
      `
Late means behind the newest event of the same sensor, in the order of the log; the lateness to allow
is the most of it. What a merge drops anyway (duplicates, the future, clocks that were set back) is
counted apart and does not count as late. Gaps are intervals of more than five medians.

Examples:
  polyphase info fixtures/scenes
  polyphase info day1.mcap --json | jq '.[0].sensors[] | {sensor, lateness}'
  polyphase replay day1.mcap --lateness $(polyphase info day1.mcap --json | jq '.[0].recommendedLatenessUs / 1000')`,
    )
    .action(async (paths: readonly string[], options: { readonly json?: boolean }) => {
      const infos: RecordingInfo[] = [];
      for (const path of await findRecordings(paths)) {
        const info = await readInfo(path);
        if (options.json === true) infos.push(info);
        else process.stdout.write(`${infoText(info)}\n\n`);
      }
      if (options.json === true) process.stdout.write(`${JSON.stringify(infos, undefined, 2)}\n`);
    });
}

async function readInfo(path: string): Promise<RecordingInfo> {
  const progress = new FileProgress(`info ${path}`);
  const inspection = await inspectRecording(path, (bytes, of) => progress.report(bytes, of));
  progress.end();
  const { metadata, channels, keyframes, fileBytes } = inspection;
  const { firstReceivedUs = 0, lastReceivedUs = 0 } = inspection;
  const sensors = inspection.sensors.map(({ channel, ...statistics }): SensorInfo => {
    const { stream, sensor, kind } = channel;
    return { stream, sensor, kind, shape: shapeOf(channel), ...statistics };
  });
  return {
    path,
    metadata,
    sensors,
    segments: segmentsOf(inspection),
    channels,
    keyframes,
    fileBytes,
    recordedSeconds: (lastReceivedUs - firstReceivedUs) / 1e6,
    recommendedLatenessUs: Math.max(0, ...sensors.map((each) => each.recommendedLatenessUs)),
  };
}

function segmentsOf({ markers }: Inspection): readonly Segment[] {
  const segments: Segment[] = [];
  for (const { action, label, timeUs } of markers) {
    if (action === "segment-start") segments.push({ label, startUs: timeUs, endUs: timeUs });
    const open = segments.at(-1);
    if (action === "segment-end" && open !== undefined) {
      segments[segments.length - 1] = { ...open, endUs: timeUs };
    }
  }
  return segments;
}

function shapeOf(channel: RecordedChannel): string {
  const { width, height, size, convention } = channel;
  const side = width === undefined ? size : `${width}×${height}`;
  return [side, convention].filter((part) => part !== undefined).join(" ");
}
