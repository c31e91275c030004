import type { AudioEvent } from "../sensors/sensor-event.ts";
import { badEvent } from "./bad-event.ts";
import { type FeatureFrameMessage, readFeatureFrame } from "./read-feature-frame.ts";
import { messageType, schemaNames } from "./schema.ts";
import { checkValues } from "./vector-values.ts";
import type { WireChannel } from "./wire-channel.ts";
import {
  checkTimeUs,
  nanosecondsFromUs,
  nanosecondsToUs,
  sequenceToNumber,
  timestampFromUs,
  timestampToUs,
} from "./wire-time.ts";

const schemaName = schemaNames.featureFrame;
const type = messageType(schemaName);

/** polyphase.v1.FeatureFrame of one feature vector. */
export function encodeFeatureFrame(event: AudioEvent): Uint8Array {
  checkTimeUs("encode", schemaName, "timeUs", event.timeUs);
  checkTimeUs("encode", schemaName, "availableUs", event.availableUs);
  checkValues("encode", schemaName, event.values, undefined);
  return type
    .encode({
      timestamp: timestampFromUs(event.timeUs),
      sensor_id: event.sensor,
      seq: event.seq,
      convention: event.convention,
      available_ns: nanosecondsFromUs(event.availableUs),
      values: event.values,
    })
    .finish();
}

/** One feature vector. Refuses an empty convention: features without one fit no model. */
export function decodeFeatureFrame(bytes: Uint8Array, channel: WireChannel): AudioEvent {
  const message = readFeatureFrame(bytes) ?? decodeAnyLayout(bytes);
  const { convention, values } = message;
  if (convention === "" || convention !== (channel.convention ?? convention)) {
    const expected = JSON.stringify(channel.convention ?? "not empty");
    throw badEvent("decode", schemaName, "convention", expected, JSON.stringify(convention));
  }
  checkValues("decode", schemaName, values, channel.size);
  return {
    kind: "audio",
    stream: channel.stream,
    sensor: channel.sensor,
    timeUs: timestampToUs(schemaName, "timestamp", message.timestamp),
    seq: sequenceToNumber(schemaName, message.seq),
    convention,
    availableUs: nanosecondsToUs(schemaName, "available_ns", message.available_ns),
    values,
  };
}

/** What protobuf allows but encoders do not write: unpacked numbers, unknown fields, … */
function decodeAnyLayout(bytes: Uint8Array): FeatureFrameMessage {
  const message = type.decode(bytes) as unknown as FeatureFrameMessage;
  // Named one by one: fields that were absent have their defaults on the prototype.
  const { timestamp, seq, convention, available_ns } = message;
  const values = Float32Array.from(message.values);
  return { timestamp, seq, convention, available_ns, values };
}
