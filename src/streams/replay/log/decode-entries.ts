import { PolyphaseError } from "../../../sensors/polyphase-error.ts";
import { decodeDecision } from "../../../wire/decision-json.ts";
import { decodeItem } from "../../../wire/item-codec.ts";
import { decodeWatermark } from "../../../wire/watermark-json.ts";
import { decodeClockMap } from "../../clock/clock-map-json.ts";
import { badRecording } from "../open-mcap.ts";
import type { ChunkMessage } from "../read-chunk.ts";
import { type ControlChannel, isControlChannel, type LogChannel } from "./log-channel.ts";
import type { LogEntry } from "./log-entry.ts";

type Messages = readonly ChunkMessage<LogChannel>[];

/**
 * The messages of one chunk, decoded.
 *
 * @throws {PolyphaseError} BAD_EVENT or BAD_RECORDING with the place
 */
export function decodeEntries(path: string, messages: Messages): readonly LogEntry[] {
  return messages.map((message, at) => {
    const { channel, sequence, receivedUs, data } = message;
    try {
      if (isControlChannel(channel)) return decodeControl(channel, message, messages, at);
      const item = decodeItem(channel.schemaName, channel.encoding, data, channel, sequence);
      return { kind: "item", item, receivedUs };
    } catch (error) {
      if (!(error instanceof PolyphaseError)) throw error;
      const place = `log time ${receivedUs} µs, ${channel.kind} of stream ${channel.stream}`;
      throw new PolyphaseError(error.code, `${path}, ${place}: ${error.message}`, { cause: error });
    }
  });

  function decodeControl(
    { kind, stream, sensor }: ControlChannel,
    { data }: ChunkMessage<LogChannel>,
    all: Messages,
    at: number,
  ): LogEntry {
    switch (kind) {
      case "watermark":
        return { kind, stream, timeUs: decodeWatermark(data) };
      case "decision":
        return { kind, decision: decodeDecision(data, stream) };
      case "clock-map":
        return { kind, stream, sensor, map: decodeClockMap(data) };
      case "keyframe":
        return { kind, stream, timeUs: timeOfKeyframe(stream, all, at), checkpoint: data };
    }
  }

  /** The watermark behind a keyframe says where it was taken. */
  function timeOfKeyframe(stream: string, all: Messages, at: number): number {
    const watermark = all
      .slice(at + 1)
      .find(({ channel }) => channel.kind === "watermark" && channel.stream === stream);
    if (watermark !== undefined) return decodeWatermark(watermark.data);
    throw badRecording(path, "a keyframe must be followed by its watermark, got none");
  }
}
