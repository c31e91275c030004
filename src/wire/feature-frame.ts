import type { AudioEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { messageType, schemaNames } from "./schema.ts";
import { checkedValues } from "./vector-values.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  type Bits64,
  checkTimeUs,
  nanosecondsFromUs,
  nanosecondsToUs,
  sequenceToNumber,
  timestampFromUs,
  timestampToUs,
  type WireTimestamp,
} from "./wire-time.ts";

interface FeatureFrameMessage {
  readonly timestamp: WireTimestamp | null;
  readonly seq: Bits64;
  readonly convention: string;
  readonly available_ns: Bits64;
  readonly values: readonly number[];
}

const schemaName = schemaNames.featureFrame;
const type = messageType(schemaName);

/** polyphase.v1.FeatureFrame of one feature vector. */
export function encodeFeatureFrame(event: AudioEvent): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", event.timeUs);
  checkTimeUs("encode", schemaName, "availableUs", event.availableUs);
  return type
    .encode({
      timestamp: timestampFromUs(event.timeUs),
      sensor_id: event.sensor,
      seq: event.seq,
      convention: event.convention,
      available_ns: nanosecondsFromUs(event.availableUs),
      values: checkedValues("encode", schemaName, event.values, undefined),
    })
    .finish();
}

/** One feature vector. Refuses an empty convention: features without one fit no model. */
export function decodeFeatureFrame(bytes: Uint8Array, channel: WireChannel): AudioEvent {
  const message = type.decode(bytes) as unknown as FeatureFrameMessage;
  const { convention } = message;
  if (convention === "" || convention !== (channel.convention ?? convention)) {
    const expected = JSON.stringify(channel.convention ?? "not empty");
    throw badEvent("decode", schemaName, "convention", expected, JSON.stringify(convention));
  }
  return {
    kind: "audio",
    stream: channel.stream,
    sensor: channel.sensor,
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq: sequenceToNumber(schemaName, message.seq),
    convention,
    availableUs: nanosecondsToUs(schemaName, "available_ns", message.available_ns),
    values: checkedValues("decode", schemaName, message.values, channel.size),
  };
}
