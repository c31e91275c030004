import { openRecordedLogs } from "../streams/replay/log/recorded-log.ts";
import type { RecordedChannel } from "../streams/replay/recorded-channel.ts";
import { openRecording } from "../streams/replay/recording-reader.ts";

type Preset = "grid" | "nmnist" | "scene";

/** The preset that suits a recording's sensors, for replays that name no model. */
export async function presetOfFile(path: string): Promise<Preset> {
  const [run] = await openRecordedLogs([path]);
  const recording = run?.log ?? (await openRecording(path));
  try {
    return presetFor(recording);
  } finally {
    await recording.close();
  }
}

/** What a recording says of itself. */
interface Described {
  readonly metadata: Readonly<Record<string, string>>;
  readonly channels: readonly RecordedChannel[];
}

function presetFor({ metadata, channels }: Described): Preset {
  if (metadata["model"] === "scene") return "scene";
  const kinds = new Set<string>(channels.map((channel) => channel.kind));
  if (!kinds.has("dvs")) return "grid";
  return kinds.has("audio") || kinds.has("video") ? "scene" : "nmnist";
}
