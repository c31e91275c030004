import type { Recording } from "../streams/replay/recording-reader.ts";

/** The preset that suits a recording's sensors, for replays that name no model. */
export function presetFor(recording: Recording): "grid" | "nmnist" | "scene" {
  if (recording.metadata["model"] === "scene") return "scene";
  const kinds = new Set<string>(recording.channels.map((channel) => channel.kind));
  if (!kinds.has("dvs")) return "grid";
  return kinds.has("audio") || kinds.has("video") ? "scene" : "nmnist";
}
